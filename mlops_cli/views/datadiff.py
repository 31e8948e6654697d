"""What differs between two versions of data: columns, rows, how values are distributed; and as plain data."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.text import Text

from mlops_cli.store.values import finite
from mlops_cli.views.runs import table
from mlops_cli.views.text import clean, number, plain, plural

if TYPE_CHECKING:
    from rich.console import RenderableType

    from mlops_cli.records import Change, DataDiff, RowDiff, Shift

LEVEL = 0.05
"""Values that chance alone would move as far less often than this count as moved."""

SHOWN = 10


def data_difference(found: DataDiff, *, every: bool = False) -> RenderableType:
    """Return what differs; of the columns those whose values have moved, or all.

    Parameters
    ----------
    found : DataDiff
        Two tables beside each other.
    every : bool
        Show the columns that have not moved too.
    """
    head = Text.assemble(plain(found.a, "bold"), " → ", plain(found.b, "bold"))
    blocks: list[RenderableType] = [head, Text(), *_rows(found)]
    if found.columns:
        blocks += [Text(), Text("columns", style="bold"), *(_column(change) for change in found.columns)]
    return Group(*blocks, Text(), _values(found, every=every))


def _rows(found: DataDiff) -> list[Text]:
    before, after = found.rows
    rows = found.by_row
    head = Text.assemble(("rows", "bold"), f"  {before:,} → {after:,}")
    if not (rows.added or rows.removed or rows.changed):
        return [head, Text("  the same rows")]
    lines = [head, Text(f"  {_counted(rows)}")]
    if found.lost_key is not None:
        lines.append(plain(f"  the key '{found.lost_key}' that was recorded is not in both, so it is not used", "dim"))
    if rows.cells:
        most = sorted(rows.cells.items(), key=lambda item: (-item[1], item[0]))
        told = ", ".join(f"{clean(name)} ({count:,})" for name, count in most[:SHOWN])
        lines.append(Text(f"  changed in {told}{' …' if len(most) > SHOWN else ''}"))
    lines += [plain(f"  {word}: {', '.join(keys)}", "dim") for word, keys in rows.examples.items()]
    return lines


def _counted(rows: RowDiff) -> str:
    if rows.key is None:
        return f"{rows.added:,} came, {rows.removed:,} went; --key COLUMN tells which of them changed"
    return f"by {clean(rows.key)}: {rows.added:,} added, {rows.removed:,} removed, {rows.changed:,} changed"


def _column(change: Change) -> Text:
    name = plain(f"  {change.key}  ")
    if not change.found[0]:
        return Text.assemble(name, ("added", "green"), f"  {change.b}")
    if not change.found[1]:
        return Text.assemble(name, ("removed", "red"), f"  {change.a}")
    return Text.assemble(name, f"{change.a} → {change.b}")


# --- values ------------------------------------------------------------------------------------------------------


def has_moved(shift: Shift) -> bool:
    """Whether chance alone would rarely move a column's values as far."""
    return shift.p is not None and shift.p < LEVEL


def _values(found: DataDiff, *, every: bool) -> RenderableType:
    shown = [s for s in found.shifts if every or has_moved(s) or s.new or s.gone or _gaps(s)]
    if not shown:
        return Text(f"values: none of {plural(len(found.shifts), 'column')} has moved by more than chance would")
    made = table("values of", ">distance", ">p", "missing", "categories")
    for shift in shown:
        style = "bold" if has_moved(shift) else ""
        cells = (number(shift.distance), _p(shift.p), _missing(shift), _categories(shift))
        made.add_row(plain(shift.column, style), *cells)
    return Group(made, *_notes(found, len(shown)))


def _notes(found: DataDiff, shown: int) -> list[Text]:
    left = len(found.shifts) - shown
    lines = [Text(f"{plural(left, 'other column')} unmoved; --all shows them", style="dim")] if left else []
    text = (
        "distance: of numbers Wasserstein's in standard deviations, of categories the share that moved; "
        "p: Kolmogorov-Smirnov, χ² or Fisher, adjusted for all columns"
    )
    return [*lines, Text(text, style="dim")]


def _p(value: float | None) -> str:
    if value is None:
        return "-"
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def _gaps(shift: Shift) -> bool:
    return abs(shift.missing[0] - shift.missing[1]) >= 0.01


def _missing(shift: Shift) -> str:
    before, after = (f"{100 * share:.0f} %" for share in shift.missing)
    if before == after:
        return "" if before == "0 %" else before
    return f"{before} → {after}"


def _categories(shift: Shift) -> Text:
    words = [f"+{clean(name)}" for name in shift.new[:3]] + [f"-{clean(name)}" for name in shift.gone[:3]]
    more = len(shift.new) + len(shift.gone) > len(words)
    return Text(" ".join(words) + (" …" if more else ""))


# --- plain data --------------------------------------------------------------------------------------------------


def as_json(found: DataDiff) -> dict[str, Any]:
    """Return what differs as plain data."""
    rows = found.by_row
    return {
        "a": found.a,
        "b": found.b,
        "rows": {"a": found.rows[0], "b": found.rows[1], **asdict(rows)},
        "columns": {
            c.key: {k: v for k, v, has in zip("ab", (c.a, c.b), c.found, strict=True) if has} for c in found.columns
        },
        "values": {s.column: _shift_json(s) for s in found.shifts},
    }


def _shift_json(shift: Shift) -> dict[str, Any]:
    return {
        "kind": str(shift.kind),
        "test": shift.test or None,
        "statistic": finite(shift.statistic),
        "p": finite(shift.p),
        "distance": finite(shift.distance),
        "psi": finite(shift.psi),
        "missing": list(shift.missing),
        "new": list(shift.new),
        "gone": list(shift.gone),
        "moved": has_moved(shift),
    }
