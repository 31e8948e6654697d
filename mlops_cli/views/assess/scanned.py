"""What a look at the workspace found of each process."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.text import Text
from rich.tree import Tree

from mlops_cli.records import Level
from mlops_cli.views.assess import levels, words
from mlops_cli.views.assess.unwrapped import Unwrapped, WithCommand, command_line
from mlops_cli.views.text import clean, plural

if TYPE_CHECKING:
    from rich.console import RenderableType

    from mlops_cli.records import Assessment, Process


COLUMNS = ("process", "phase", "check", "level", "declared", "found", "command")
"""The keys of `findings_json`, in the order in which ``--csv`` prints them."""


def findings(assessment: Assessment, source: str) -> RenderableType:
    """Return each process that a check looks for: its level, what was found, and what would raise it.

    Parameters
    ----------
    assessment : Assessment
        As it was scanned.
    source : str
        The file that it was scanned by.
    """
    looked = [one for one in assessment.processes if one.scan]
    before = words.repeated(replace(assessment, processes=tuple(looked)))
    head = f"{plural(len(looked), 'process')} of {clean(source)}, as the workspace shows them"
    root = Tree(WithCommand(Text(head)), guide_style="dim")
    for phase, name in assessment.phases.items():
        own = [one for one in looked if one.phase == phase]
        if own:
            branch = root.add(WithCommand(Text(clean(name), style="bold")))
            for one in own:
                branch.add(_finding(one, before.get(one.key)))
    left = len(assessment.processes) - len(looked)
    more = [Text(f"{plural(left, 'process')} more, which no check looks for", style="dim")] if left else []
    return Group(Unwrapped(root), Text(), *more)


def _finding(one: Process, before: Process | None) -> WithCommand:
    found = one.evidence
    if found is None:
        return WithCommand(Text(clean(one.name)))
    likewise = "" if before is None else f"; as {clean(before.name)}"
    beside = (f"  {found.check}{likewise}", "dim")
    made = Text.assemble(levels.badge(found.level, wide=True), " ", (clean(one.name), "bold"), beside)
    if before is not None:
        return WithCommand(made)
    made.append(f"\n{clean(words.evidence(one))}", style="dim")
    return WithCommand(made, command_line(lead(found.level, found.command), found.command))


def lead(level: Level, command: str) -> str:
    """Return how a command raises a level: what is semi-automated lacks no more than somebody who calls it.

    Examples
    --------
    >>> lead(Level.MANUAL, "mlops audit"), lead(Level.SEMI_AUTOMATED, "mlops audit")
    ('try', 'call from CI')
    >>> lead(Level.SEMI_AUTOMATED, "git add .gitlab-ci.yml")  # by a person, once
    'try'
    """
    return "call from CI" if level is Level.SEMI_AUTOMATED and not command.startswith("git ") else "try"


def findings_json(assessment: Assessment) -> list[dict[str, Any]]:
    """Return what was found of each process that a check looks for."""
    return [
        {
            "process": one.key,
            "phase": one.phase,
            "check": one.evidence.check,
            "level": str(one.evidence.level),
            "declared": None if one.level is None else str(one.level),
            "found": one.evidence.found,
            "command": one.evidence.command or None,
        }
        for one in assessment.processes
        if one.scan and one.evidence is not None
    ]
