"""How far new data is from training, as one page of HTML that stands alone: distributions before and after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlops_cli.records import Kind
from mlops_cli.views import pages
from mlops_cli.views.drift import WHAT, signed, style_of
from mlops_cli.views.next_steps import after_drift
from mlops_cli.views.pages.tables import NUMBER, TableData, column, quantity, score
from mlops_cli.views.text import arrow, clean, number, percent, plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_cli.records import ColumnDrift, DriftReport, Histogram
    from mlops_cli.views.pages.tables import Cell

MARK = "mlops drift report"
"""What a page says of itself in its first lines: by it such a page is known from another file."""
MOST_CARDS = 200
"""Columns that are drawn; of more those that moved most."""
TONES = {"red": "bad", "green": "good", "yellow": "warn"}
"""How a page has the colour of a verdict."""
WIDTH, HEIGHT = 240, 64
_MARKS = ("mean", "std", "p5", "p50", "p95")


@dataclass(frozen=True)
class Bar:
    """One category before and after: its name, shares as text, and the widths of their bars."""

    label: str
    before: str
    after: str
    widths: tuple[float, float]


@dataclass(frozen=True)
class Card:
    """One column, drawn."""

    name: str
    drifted: bool
    what: str
    filled: str = ""  # outline of the distribution before; empty of categories
    line: str = ""  # of that after
    ends: tuple[str, str] = ("", "")  # what the axis begins and ends with
    bars: tuple[Bar, ...] = ()
    marks: tuple[tuple[str, str, str], ...] = ()  # name, before, after


def drift_page(report: DriftReport) -> str:
    """Return the page.

    Parameters
    ----------
    report : DriftReport
        The check.
    """
    styles = [pages.static("style.css"), pages.static("profile.css"), pages.static("drift.css")]
    scripts = [pages.static(name) for name in ("table.js", "page.js")]
    outputs = (*([report.target] if report.target is not None else []), *report.predictions)
    return (
        pages.environment()
        .get_template("drift.html")
        .render(
            mark=MARK,
            policy=pages.policy(styles, scripts),
            styles=styles,
            scripts=scripts,
            report=report,
            figures=figures(report),
            tone=TONES[style_of(report)],
            steps=[clean(step) for step in after_drift(report)],
            findings=[(WHAT[one.kind], one.message) for one in report.findings],
            metrics=metric_rows(report),
            columns=columns_table(report.columns, "columns-rows") if report.columns else None,
            outputs=[card(one) for one in outputs],
            cards=[card(one) for one in report.columns[:MOST_CARDS]],
            left=max(0, len(report.columns) - MOST_CARDS),
        )
    )


def figures(report: DriftReport) -> list[tuple[str, str, str]]:
    """Return the few figures that come first: label, figure, and what belongs to it."""
    found = [
        ("features drifted", f"{len(report.drifted_features)}", f"of {len(report.features)}"),
        ("rows", f"{report.rows:,}", f"{report.labelled:,} with a target" if report.labelled else "without a target"),
        ("held against", f"{report.reference_rows:,} rows", report.reference),
    ]
    return [*found, *((m.metric, number(m.after), f"{number(m.before)} in training") for m in report.metrics[:1])]


def metric_rows(report: DriftReport) -> list[tuple[Cell, ...]]:
    """Return the change of each metric."""
    return [
        (
            clean(f"{m.metric} {arrow(m.direction)}"),
            number(m.before),
            number(m.after),
            signed(m.change),
            "-" if m.ci95 is None else f"{signed(m.ci95[0])} … {signed(m.ci95[1])}",
            {"t": "drifted", "c": "bad"} if m.drifted else "",
        )
        for m in report.metrics
    ]


def columns_table(columns: Sequence[ColumnDrift], name: str) -> TableData:
    """Return all columns with what was measured of each."""
    heads = (
        column("column"),
        column("drifted"),
        column("kind"),
        column("moved", NUMBER, down=True),
        column("PSI", NUMBER, down=True),
        column("test"),
        column("p", NUMBER),
        column("missing % before", NUMBER, down=True),
        column("missing % now", NUMBER, down=True),
        column("new categories %", NUMBER, down=True),
    )
    rows = tuple(_row(one) for one in columns)
    return TableData(name, "Columns, those that moved most first", heads, rows, "drifted, PSI>0.1")


def _row(one: ColumnDrift) -> tuple[Cell, ...]:
    shift = one.shift
    return (
        clean(shift.column),
        {"t": "drifted", "c": "bad"} if one.drifted else "no",
        str(shift.kind),
        score(shift.distance),
        score(shift.psi),
        shift.test or None,
        score(shift.p),
        *(f"{100 * share:.1f}" for share in shift.missing),
        f"{100 * one.new_share:.1f}" if one.new_share else None,
    )


# --- drawn -------------------------------------------------------------------------------------------------------


def card(one: ColumnDrift) -> Card:
    """Return one column with its distributions before and after."""
    shift, drawn = one.shift, one.histogram
    made = Card(clean(shift.column), one.drifted, _what(one), marks=_summaries(one))
    if drawn is None:
        return made
    if drawn.labels:
        return Card(made.name, made.drifted, made.what, bars=_bars(drawn), marks=made.marks)
    top = max(*drawn.before, *drawn.after)
    kind = Kind.DATETIME if drawn.is_time else Kind.NUMERIC
    low, high = (_amount(kind, end) for end in (drawn.edges[0], drawn.edges[-1]))
    filled, line = outline(drawn.before, top, closed=True), outline(drawn.after, top, closed=False)
    return Card(made.name, made.drifted, made.what, filled, line, (low, high), (), made.marks)


def _what(one: ColumnDrift) -> str:
    shift = one.shift
    words = [str(shift.kind)]
    if shift.distance is not None:
        of_words = shift.kind in {Kind.CATEGORICAL, Kind.BOOLEAN}
        words.append(f"{100 * shift.distance:.0f} % moved" if of_words else f"moved {shift.distance:.2f} std")
    words += [] if shift.psi is None else [f"PSI {shift.psi:.2f}"]
    if any(shift.missing):
        words.append(f"missing {percent(shift.missing[0], 1)} → {percent(shift.missing[1], 1)}")
    if shift.new:
        words.append(plural(len(shift.new), "new category"))
    return ", ".join(words)


def _summaries(one: ColumnDrift) -> tuple[tuple[str, str, str], ...]:
    kind = one.shift.kind
    names = [name for name in _MARKS if name in one.before and name in one.after]
    is_span = kind is Kind.DATETIME
    return tuple(
        (_SHOWN.get(name, name), _amount(kind, one.before[name]), _amount(kind, one.after[name]))
        for name in names
        if not (is_span and name == "std")
    )


def _amount(kind: Kind, value: float) -> str:
    """Return a number, a whole one as one; or the day of a moment."""
    if kind is Kind.DATETIME:
        return (quantity(kind, value) or "")[:10]
    return f"{value:,.0f}" if value % 1 == 0 and abs(value) < 1e7 else number(value)


_SHOWN = {"p5": "5 %", "p50": "median", "p95": "95 %"}


def _bars(drawn: Histogram) -> tuple[Bar, ...]:
    top = max(*drawn.before, *drawn.after, 1e-9)
    return tuple(
        Bar(clean(label), percent(a, 1), percent(b, 1), (round(100 * a / top, 1), round(100 * b / top, 1)))
        for label, a, b in zip(drawn.labels, drawn.before, drawn.after, strict=True)
    )


def outline(shares: Sequence[float], top: float, *, closed: bool) -> str:
    """Return a histogram as a line of steps in a box of `WIDTH` by `HEIGHT`.

    Examples
    --------
    >>> outline([1, 2], 2, closed=True)
    'M0 64V33H120V2H240V64Z'
    """
    step, height = WIDTH / len(shares), HEIGHT - 2
    parts = [f"V{_short(HEIGHT - height * s / (top or 1))}H{_short(step * (i + 1))}" for i, s in enumerate(shares)]
    return f"M0 {HEIGHT}{''.join(parts)}V{HEIGHT}{'Z' if closed else ''}"


def _short(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
