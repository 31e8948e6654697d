"""A data profile as a table: a line for each column, with its distribution drawn small."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from mlops_cli.records import Kind
from mlops_cli.views.runs import table
from mlops_cli.views.text import clean, number, percent, plain, plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from mlops_cli.records import ColumnProfile, DataProfile

BARS = "▁▂▃▄▅▆▇█"
WIDTH = 20
"""Characters of a distribution."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def profile_table(found: DataProfile) -> RenderableType:
    """Return a line for each column: missing values, mean and spread, distribution, association with the target."""
    made = table("column", ">missing", ">values", "distribution", ">target")
    for place in (1, 3, 4):  # names and values are folded where there is no room; folded bars draw nothing
        made.columns[place].no_wrap = True
    for item in found.columns:
        made.add_row(_name(item), _missing(item), _values(item), _distribution(item), _association(item))
    if any(item.association is not None for item in found.columns):
        made.caption = Text("target: how strongly a feature goes with the target, from 0 to 1", style="dim")
        made.caption_justify = "left"
    return Group(_head(found), Text(), made)


def _head(found: DataProfile) -> Text:
    columns = plural(len(found.columns) + found.left_out, "column")
    text = f"{plural(found.rows, 'row')} × {columns}"
    if found.left_out:
        text += f", the first {len(found.columns)} are described"
    if found.sampled is not None:
        text += f"; distributions are those of {found.sampled:,} rows"
    return Text(text)


def _name(item: ColumnProfile) -> Text:
    name = plain(item.name, "bold" if item.role == "target" else "")
    return name if item.role == "feature" else Text.assemble(name, (f" {item.role}", "dim"))


def _missing(item: ColumnProfile) -> str:
    rows = item.count + item.missing
    if not item.missing:
        return "-"
    return percent(item.missing / rows)


def _values(item: ColumnProfile) -> str:
    if item.kind is Kind.DATETIME and item.quantiles:
        return f"{_date(item.quantiles[0])} … {_date(item.quantiles[-1])}"
    if item.mean is not None:
        return _short(item.mean) if item.std is None else f"{_short(item.mean)} ± {_short(item.std)}"
    return "-" if item.unique is None else f"{item.unique:,} distinct"


def _short(value: float) -> str:
    return number(value) if abs(value) < 1e6 else f"{value:.3g}"


def _date(seconds: float) -> str:
    try:
        return f"{_EPOCH + timedelta(seconds=seconds):%Y-%m}"
    except (OverflowError, ValueError):  # a year that the calendar of Python does not have
        return "?"


def _distribution(item: ColumnProfile) -> Text:
    if item.counts:
        return Text(histogram(item.counts), style="cyan")
    return Text(_frequent(item))


def histogram(counts: Sequence[int]) -> str:
    """Return bars of text, the tallest for the greatest count; an empty one is a blank.

    Examples
    --------
    >>> histogram([1, 4, 8, 0, 2])
    '▁▄█ ▂'
    """
    most = max(counts, default=0)
    return "".join(BARS[max(0, round(count * len(BARS) / most) - 1)] if count else " " for count in counts)


def _frequent(item: ColumnProfile) -> str:
    """Return the most frequent values with their share of those that were looked at, as many as there is room for."""
    text = ", ".join(f"{clean(value)} {100 * count / max(item.count, 1):.0f} %" for value, count in item.top)
    return text if len(text) <= WIDTH else f"{text[: WIDTH - 1]}…"


def _association(item: ColumnProfile) -> str:
    return "" if item.association is None else f"{item.association:.2f}"
