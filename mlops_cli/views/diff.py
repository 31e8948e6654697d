"""What differs between two runs, old → new; and as plain data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from mlops_cli.analysis.difference import SWEEP_OPTIONS
from mlops_cli.store.values import encode
from mlops_cli.views.text import clean, number, plain, setting

if TYPE_CHECKING:
    from rich.console import RenderableType

    from mlops_cli.records import Change, RunDiff

SHOWN = 20
LONGEST = 60
"""Characters of a value that a terminal shows; --json has the whole of it."""

SHORT = {"version", "commit"}
"""Hashes, of which twelve digits tell one from another."""


def difference(found: RunDiff) -> RenderableType:
    """Return the sections that have changes; of two runs without any, that there is none."""
    head = Text.assemble(plain(found.a, "bold"), " → ", plain(found.b, "bold"))
    if not found.sections:
        return Group(head, Text(), Text("no difference"))
    blocks: list[RenderableType] = [head]
    for name, changes in found.sections.items():
        blocks += [Text(), Text(name, style="bold"), _section(name, changes)]
        if len(changes) > SHOWN:
            blocks.append(Text(f"  … and {len(changes) - SHOWN} more; --json has them all", style="dim"))
    return Group(*blocks)


def _section(name: str, changes: tuple[Change, ...]) -> Table:
    made = Table.grid(padding=(0, 2))
    made.add_column(overflow="fold")
    made.add_column(overflow="fold")
    for change in changes[:SHOWN]:
        made.add_row(plain(f"  {change.key}"), _change(change, scores=name == "scores"))
    return made


def _change(change: Change, *, scores: bool) -> Text:
    if change.key == SWEEP_OPTIONS:
        return Text("differ")
    old, new = (_value(change, side, scores=scores) for side in (0, 1))
    if not change.found[0]:
        return Text.assemble(("added", "green"), f"  {new}")
    if not change.found[1]:
        return Text.assemble(("removed", "red"), f"  {old}")
    if scores and change.a is not None and change.b is not None:
        return Text(f"{number(change.a)} → {number(change.b)}  ({change.b - change.a:+.4g})")
    return Text(f"{old} → {new}")


def _value(change: Change, side: int, *, scores: bool) -> str:
    value = (change.a, change.b)[side]
    if scores:
        return number(value)
    if change.key in SHORT and isinstance(value, str):
        return clean(value[:12])
    text = clean(repr(value) if isinstance(value, float) else setting(value))
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def as_json(found: RunDiff) -> dict[str, Any]:
    """Return what differs as plain data; a value that a run does not have is not there."""
    return {
        "a": found.a,
        "b": found.b,
        "same": not found.sections,
        "sections": {name: {c.key: _json(c) for c in changes} for name, changes in found.sections.items()},
    }


def _json(change: Change) -> dict[str, Any]:
    sides = (("a", change.a, change.found[0]), ("b", change.b, change.found[1]))
    return {name: encode(value) for name, value, has in sides if has}
