"""What data looks like, as one page of HTML that stands alone: it holds its styles and scripts, and loads nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlops_cli.records import Kind
from mlops_cli.views import pages
from mlops_cli.views.pages.drawings import bars, share
from mlops_cli.views.pages.tables import NUMBER, TableData, column, profile_table, quantity
from mlops_cli.views.text import clean, percent, plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_cli.records import ColumnProfile, DataProfile, Notice, Ties

MARK = "mlops data profile"
"""What a page says of itself in its first lines: by it such a page is known from another file."""
MOST_CELLS = 40
"""Columns of a heat map; with more, the pairs alone are listed."""
_LEVELS = 6
_PAIRS = 500


@dataclass(frozen=True)
class Card:
    """One column, drawn."""

    name: str
    what: str  # role, kind and missing values
    outline: str  # of a histogram; empty where there is none
    marks: tuple[tuple[str, str], ...]  # quantiles with their names
    top: tuple[tuple[str, str, str], ...]  # value, count, outline of its bar


@dataclass(frozen=True)
class Heat:
    """How strongly columns go with each other, as the cells of a table: text and level from 0."""

    names: tuple[str, ...]
    rows: tuple[tuple[tuple[str, int] | None, ...], ...]


def profile_page(
    profile: DataProfile,
    title: str,
    *,
    ties: Ties | None = None,
    notices: Sequence[Notice] = (),
    duplicates: int | None = None,
) -> str:
    """Return the page.

    Parameters
    ----------
    profile : DataProfile
        What is known of each column.
    title : str
        What the data is called.
    ties : Ties, optional
        How strongly its features go with each other.
    notices : sequence of Notice
        What is suspicious in it.
    duplicates : int, optional
        How many rows repeat an earlier one.
    """
    styles = [pages.static("style.css"), pages.static("profile.css")]
    scripts = [pages.static(name) for name in ("table.js", "page.js")]
    return (
        pages.environment()
        .get_template("profile.html")
        .render(
            mark=MARK,
            policy=pages.policy(styles, scripts),
            styles=styles,
            scripts=scripts,
            title=title,
            profile=profile,
            figures=figures(profile, duplicates),
            notices=notices,
            columns=profile_table(profile, "columns-rows"),
            cards=[card(one) for one in profile.columns],
            pairs=pairs_table(ties) if ties is not None and ties.pairs else None,
            heat=heat(ties) if ties is not None and ties.pairs and len(ties.columns) <= MOST_CELLS else None,
            ties=ties,
        )
    )


def figures(profile: DataProfile, duplicates: int | None) -> list[tuple[str, str, str]]:
    """Return the few figures that come first: label, figure, and what belongs to it."""
    cells = sum(one.count + one.missing for one in profile.columns)
    missing = sum(one.missing for one in profile.columns)
    gaps = sum(one.missing > 0 for one in profile.columns)
    found = [
        ("rows", f"{profile.rows:,}", ""),
        ("columns", f"{len(profile.columns) + profile.left_out:,}", _kinds(profile)),
        ("missing values", _percent(missing, cells), f"in {plural(gaps, 'column')}" if gaps else ""),
    ]
    if duplicates is not None:
        found.append(("repeated rows", f"{duplicates:,}", _percent(duplicates, profile.rows) if duplicates else ""))
    return found


def _kinds(profile: DataProfile) -> str:
    kinds = [str(one.kind) for one in profile.columns]
    return ", ".join(f"{kinds.count(kind)} {kind}" for kind in dict.fromkeys(kinds))


def _percent(part: int, whole: int) -> str:
    if not part or not whole:
        return "none"
    return percent(part / whole, 1)


def card(one: ColumnProfile) -> Card:
    """Return one column with its distribution."""
    total = one.count + one.missing
    words = [one.role, str(one.kind)]
    words += [f"{one.unique:,} distinct"] if one.unique is not None else []
    words += [f"{_percent(one.missing, total)} missing"] if one.missing else []
    most = max((count for _, count in one.top), default=0)
    places = (0, 2, 3, 4, 6) if len(one.quantiles) == len(_MARKS) else ()
    return Card(
        name=clean(one.name),
        what=clean(", ".join(words)),
        outline=bars(one.counts) if any(one.counts) else "",
        marks=tuple((_MARKS[place], _mark(one, one.quantiles[place])) for place in places),
        top=tuple((value, f"{count:,}", share(count / most)) for value, count in one.top),
    )


def _mark(one: ColumnProfile, value: float) -> str:
    """Return a quantile; a whole number as one."""
    is_short = one.kind is Kind.NUMERIC and value % 1 == 0 and abs(value) < 1e7
    return f"{value:,.0f}" if is_short else quantity(one.kind, value) or ""


_MARKS = ("least", "5 %", "25 %", "median", "75 %", "95 %", "greatest")


def pairs_table(ties: Ties) -> TableData:
    """Return the pairs of features, the strongest first."""
    ordered = sorted(ties.pairs.items(), key=lambda item: (-item[1], item[0]))[:_PAIRS]
    rows = tuple(
        (clean(ties.columns[a]), clean(ties.columns[b]), {"t": f"{tie:.2f}", "d": share(tie), "c": "share"})
        for (a, b), tie in ordered
    )
    columns = (column("one column"), column("another"), column("tie", NUMBER, down=True))
    return TableData("pairs-rows", "Features that go together, the strongest pair first", columns, rows, "tie>0.9")


def heat(ties: Ties) -> Heat:
    """Return all pairs as a square."""
    places = range(len(ties.columns))
    return Heat(ties.columns, tuple(tuple(_cell(ties, a, b) for b in places) for a in places))


def _cell(ties: Ties, a: int, b: int) -> tuple[str, int] | None:
    tie = 1.0 if a == b else ties.pairs.get((min(a, b), max(a, b)))
    return None if tie is None else (f"{tie:.2f}".removeprefix("0"), min(_LEVELS - 1, int(tie * _LEVELS)))
