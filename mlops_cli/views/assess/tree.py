"""An assessment in the terminal: phases, their processes, and how far each is automated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.columns import Columns
from rich.console import Group
from rich.text import Text
from rich.tree import Tree

from mlops_cli.views.assess import levels, words
from mlops_cli.views.assess.unwrapped import Unwrapped, WithCommand, command_line
from mlops_cli.views.text import clean, plain

if TYPE_CHECKING:
    from rich.console import RenderableType

    from mlops_cli.records import Assessment, Process


def tree(assessment: Assessment, *, target: bool = False) -> RenderableType:
    """Return the processes by phase, with a legend that counts them.

    Parameters
    ----------
    assessment : Assessment
        What is shown.
    target : bool
        Show where each should be, too.
    """
    before = words.repeated(assessment)
    root = Tree(WithCommand(plain(words.headline(assessment, target=target), "bold")), guide_style="dim")
    for phase, name in assessment.phases.items():
        own = assessment.of_phase(phase)
        branch = root.add(WithCommand(Text.assemble((clean(name), "bold"), ("" if own else "  no process", "dim"))))
        for one in own:
            branch.add(_process(one, assessment, before.get(one.key), target=target))
    return Group(Unwrapped(root), Text(), legend(assessment, target=target))


def legend(assessment: Assessment, *, target: bool = False) -> RenderableType:
    """Return all levels, and how many processes have each."""
    counted = words.counted(assessment, target=target)
    found = Columns([Text.assemble(levels.badge(level), f" {count}") for level, count in counted], padding=(0, 2))
    if not words.has_target(assessment):
        return found
    return Group(found, Text(words.share_there(assessment.processes)))


def _process(one: Process, assessment: Assessment, before: Process | None, *, target: bool) -> WithCommand:
    """Return one process: level, name, who does it; below it what was found if not of one before, and its note."""
    changes = target and one.aim is not one.now
    level = levels.badge(one.now, wide=True)
    if changes:
        level = Text.assemble(level, " → ", levels.badge(one.aim))
    likewise = "" if before is None else f"; as {before.name}"
    beside = clean(f"  {words.actors(one, assessment)}{likewise}")
    made = Text.assemble(level, " ", (clean(one.name), "bold"), (beside, "dim"))
    for line in filter(None, ("" if before else words.evidence(one), one.note)):
        made.append(f"\n{clean(line)}", style="dim")
    command = words.command(one) if before is None else ""
    return WithCommand(made, command_line("try", words.brief(clean(command))))
