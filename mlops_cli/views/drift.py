"""How far new data is from what a model was trained on, as a table for a terminal of 80 columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from mlops_cli.records import DriftKind, DriftReport, Kind
from mlops_cli.views.next_steps import after_drift, shown
from mlops_cli.views.runs import table
from mlops_cli.views.text import arrow, clean, notice, number, percent, plain, plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from mlops_cli.records import Batch, ColumnDrift, MetricDrift

SHOWN = 20
"""Columns that have not drifted, of which no more are shown unless all are asked for."""
_LONGEST = 28


def drift_report(report: DriftReport, *, every: bool = False) -> RenderableType:
    """Return what was found: the verdict, columns, predictions, metrics, each finding as a sentence.

    Parameters
    ----------
    report : DriftReport
        The check.
    every : bool
        Show all columns.
    """
    blocks: list[RenderableType] = [_head(report)]
    columns, left = _chosen(report.columns, every=every)
    if columns:
        blocks += [Text(), columns_table(columns)]
        blocks += [Text(f"{plural(left, 'other column')} unmoved; --all shows them", style="dim")] if left else []
    outputs = (*([report.target] if report.target is not None else []), *report.predictions)
    if outputs:
        blocks += [Text(), columns_table(outputs, "target and predictions" if report.target else "predictions")]
    if columns or outputs:
        blocks.append(Text(_NOTE, style="dim"))
    if report.metrics:
        blocks += [Text(), metrics_table(report.metrics)]
    if report.findings:
        blocks += [Text(), *findings(report), *shown(after_drift(report))]
    return Group(*blocks, *([Text()] if report.notices else []), *map(notice, report.notices))


_NOTE = (
    "moved: of numbers Wasserstein's distance in standard deviations, of categories the share that moved; "
    "PSI: population stability index; p: Kolmogorov-Smirnov, χ² or Fisher, adjusted for all tests"
)


def _head(report: DriftReport) -> Text:
    text = Text.assemble(
        (clean(report.model), "bold"),
        f" on {clean(report.data)}, {plural(report.rows, 'row')}, against {clean(report.reference)}",
        f" ({report.reference_rows:,})\n",
    )
    if not report.drifted:
        return text.append(report.verdict, style=f"bold {style_of(report)}")
    text.append(f"drift: {plural(len(report.findings), 'finding')}", style="bold red")
    drifted = len(report.drifted_features)
    return text.append(f", {drifted} of {plural(len(report.features), 'feature')} drifted")


def style_of(found: DriftReport | Batch) -> str:
    """Return the colour of a verdict."""
    judged = found.judged if isinstance(found, DriftReport) else found.report.judged
    return "red" if found.drifted else "green" if judged else "yellow"


def _chosen(columns: Sequence[ColumnDrift], *, every: bool) -> tuple[list[ColumnDrift], int]:
    rest = [column for column in columns if not column.drifted]
    kept = rest if every else rest[:SHOWN]
    return [*(column for column in columns if column.drifted), *kept], len(rest) - len(kept)


def columns_table(columns: Sequence[ColumnDrift], what: str = "column") -> RenderableType:
    """Return a line for each column, those that drifted marked."""
    made = table("", what, ">moved", ">PSI", ">p", ">missing", ">new")
    for one in columns:
        shift = one.shift
        name = clean(shift.column)
        made.add_row(
            Text("●", style="red") if one.drifted else Text(),
            Text(name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…", style="bold" if one.drifted else ""),
            "-" if shift.distance is None else _distance(shift.kind, shift.distance),
            "-" if shift.psi is None else f"{shift.psi:.2f}",
            _p(shift.p),
            _missing(shift.missing),
            percent(one.new_share) if one.new_share else "",
        )
    return made


def _distance(kind: Kind, value: float) -> str:
    return percent(value) if kind in {Kind.CATEGORICAL, Kind.BOOLEAN} else f"{value:.2f} std"


def _p(value: float | None) -> str:
    if value is None:
        return "-"
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def _missing(shares: tuple[float, float]) -> str:
    before, after = map(percent, shares)
    if before == after:
        return "" if before == "0 %" else before
    return f"{before} → {after}"


def metrics_table(metrics: Sequence[MetricDrift]) -> RenderableType:
    """Return a line for each metric: before, after, the change with its interval."""
    made = table("", "metric", ">training", ">here", ">change", ">95 % interval")
    for one in metrics:
        made.add_row(
            Text("●", style="red") if one.drifted else Text(),
            plain(f"{one.metric} {arrow(one.direction)}", "bold" if one.drifted else ""),
            number(one.before),
            number(one.after),
            signed(one.change),
            "-" if one.ci95 is None else f"{signed(one.ci95[0])} … {signed(one.ci95[1])}",
        )
    return made


def signed(value: float) -> str:
    """Return a change with its sign.

    Examples
    --------
    >>> signed(0.0123), signed(-0.5)
    ('+0.0123', '-0.5000')
    """
    return f"{'-' if value < 0 else '+'}{number(abs(value))}"


def findings(report: DriftReport) -> list[Text]:
    """Return each finding as a sentence."""
    return [Text.assemble((f"{WHAT[one.kind]}  ", "red"), clean(one.message)) for one in report.findings]


WHAT = {
    DriftKind.SCHEMA: "schema",
    DriftKind.MISSING: "missing",
    DriftKind.CATEGORIES: "categories",
    DriftKind.DISTRIBUTION: "values",
    DriftKind.PREDICTIONS: "predictions",
    DriftKind.METRIC: "metric",
}
"""How a kind of finding is called."""
