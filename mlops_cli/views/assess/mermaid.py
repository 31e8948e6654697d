"""The flow chart as Mermaid, which GitHub and GitLab draw where it stands in a fenced block of Markdown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mlops_cli.views.assess import levels, routes
from mlops_cli.views.assess.drawing import BACK
from mlops_cli.views.text import clean

if TYPE_CHECKING:
    from mlops_cli.records import Assessment, Process
    from mlops_cli.views.assess.levels import Look

_CHANGES = "changes"


def mermaid(assessment: Assessment, *, target: bool = False) -> str:
    """Return the chart; processes and phases are numbered, so that no name of theirs can be a word of the language.

    Parameters
    ----------
    assessment : Assessment
        What is drawn.
    target : bool
        Show both levels, and the colour of the target.
    """
    ids = {one.key: f"n{i}" for i, one in enumerate(assessment.processes)}
    lines = ["flowchart LR"]
    for i, (phase, name) in enumerate(assessment.phases.items()):
        own = assessment.of_phase(phase)
        if own:
            nodes = (_node(ids[one.key], one, assessment, target=target) for one in own)
            lines += [f'  subgraph p{i}["{escaped(name)}"]', *(f"    {node}" for node in nodes), "  end"]
    lines += _links(assessment, ids)
    return "\n".join([*lines, *_classes(assessment, ids, target=target)]) + "\n"


def _node(name: str, one: Process, assessment: Assessment, *, target: bool) -> str:
    """Return a box: its level, its name, and who does it."""
    changes = target and one.aim is not one.now
    shown = [one.now, one.aim] if changes else [one.now]
    level = " → ".join(f"{levels.of(level).sign} {levels.of(level).word}" for level in shown)
    actors = escaped(", ".join(assessment.actors[actor] for actor in one.actors))
    label = f"{level}<br/><b>{escaped(one.name)}</b><br/>{actors}"
    return f'{name}["{label}"]:::{_class(levels.of(one.at(target=target)))}'


def _links(assessment: Assessment, ids: dict[str, str]) -> list[str]:
    """Return the flows of data; those back to an earlier phase are dotted and have their own colour."""
    listed = routes.edges(assessment)
    made = []
    for edge in listed:
        words = f'|"{escaped(edge.what)}"|' if edge.what else ""
        made.append(f"  {ids[edge.source]} {'-.->' if edge.is_back else '-->'}{words} {ids[edge.target]}")
    back = ",".join(str(i) for i, edge in enumerate(listed) if edge.is_back)
    return [*made, *([f"  linkStyle {back} stroke:{BACK},color:{BACK}"] if back else [])]


def _classes(assessment: Assessment, ids: dict[str, str], *, target: bool) -> list[str]:
    """Return how levels look, and that what changes has a thicker border."""
    made = [f"  classDef {_class(look)} {_style(look)}" for look in levels.every()]
    changing = [ids[one.key] for one in assessment.processes if one.aim is not one.now]
    if target and changing:
        made += [f"  classDef {_CHANGES} stroke-width:4px", f"  class {','.join(changing)} {_CHANGES}"]
    return made


def _style(look: Look) -> str:
    dash = f",stroke-dasharray:{look.dash}" if look.dash else ""
    return f"fill:{look.fill},stroke:{look.stroke},color:{look.text},stroke-width:1.5px{dash}"


def _class(look: Look) -> str:
    return look.word.replace("-", "_")


def escaped(text: str) -> str:
    """Return text that means nothing to Mermaid, Markdown or HTML: all but letters, digits and spaces by its code.

    Examples
    --------
    >>> escaped('"end" <b>1. x</b>')
    '#34;end#34; #60;b#62;1#46; x#60;#47;b#62;'
    """
    return re.sub(r"[^\w ,]|_", lambda found: f"#{ord(found[0])};", clean(text))
