"""A model over time: its batches as a table with their trends, and as plain data."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.text import Text

from mlops_cli.analysis import drift_words as say
from mlops_cli.records import DriftKind
from mlops_cli.store.batches import batch_to_json
from mlops_cli.views import next_steps
from mlops_cli.views.drift import signed, style_of
from mlops_cli.views.listing import short_time
from mlops_cli.views.runs import table
from mlops_cli.views.text import arrow, clean, notice, number, plain, plural

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from rich.console import RenderableType

    from mlops_cli.records import Batch, MetricDrift, Notice

_BARS = "▁▂▃▄▅▆▇█"
_MOST_BARS = 40
_LONGEST_NAME = 18
_MOST_FINDINGS = 5
_DRIFTED, _UNJUDGED = "●", "○"


# --- figures of one batch ----------------------------------------------------------------------------------------


def largest_psi(batch: Batch) -> tuple[float | None, str]:
    """Return the largest population stability index of a feature, beyond chance, and which one it is of."""
    known = [(psi, c.shift.column) for c in batch.report.columns if (psi := c.psi_beyond_chance) is not None]
    psi, feature = max(known, default=(None, ""), key=lambda item: item[0] or 0.0)
    return psi, feature if psi else ""


def predictions_psi(batch: Batch) -> float | None:
    """Return the largest population stability index of an output, beyond chance."""
    return max((psi for c in batch.report.predictions if (psi := c.psi_beyond_chance) is not None), default=None)


def metric_of(batch: Batch, name: str | None) -> MetricDrift | None:
    """Return a metric of a labelled batch."""
    return next((metric for metric in batch.metrics if metric.metric == name), None)


def sentences(batch: Batch) -> list[tuple[DriftKind, str]]:
    """Return what was found in a batch, then what labels that came later have found."""
    later = [(DriftKind.METRIC, fallen(m)) for m in batch.metrics if m.drifted and m not in batch.report.metrics]
    return [*((item.kind, item.sentence) for item in batch.report.findings), *later]


def fallen(metric: MetricDrift) -> str:
    """Return how a metric has changed, as a sentence."""
    return f"{metric.metric} {say.metric(metric)}"


def followed(batches: Sequence[Batch]) -> list[str]:
    """Return the metrics that are followed: those that are judged, as far as one can see, come first."""
    names = dict.fromkeys(metric.metric for batch in reversed(batches) for metric in batch.metrics)
    judged = {metric.metric for batch in batches for metric in batch.metrics if metric.drifted}
    return sorted(names, key=lambda name: name not in judged)


# --- the terminal ------------------------------------------------------------------------------------------------


def logged(batch: Batch, *, is_new: bool) -> RenderableType:
    """Return what came of logging a batch."""
    report = batch.report
    psi, feature = largest_psi(batch)
    head = Text.assemble(
        (clean(batch.name), "bold"),
        f"  {plural(report.rows, 'row')} for {clean(batch.ref)}: ",
        (report.verdict, f"bold {style_of(report)}"),
    )
    lines: list[RenderableType] = [head]
    lines += [plain(f"  {item.sentence}") for item in report.findings[:_MOST_FINDINGS]]
    if (more := len(report.findings) - _MOST_FINDINGS) > 0:
        lines.append(Text(f"  and {more:,} more", style="dim"))
    if psi and not report.findings:
        lines.append(plain(f"  {feature} moved, less than what counts: PSI {number(psi)} beyond chance", "dim"))
    if not is_new:
        lines.append(plain(f"  it was logged before, as {batch.id}; nothing is changed", "dim"))
    return Group(*lines, *next_steps.shown(next_steps.after_batch(batch)))


def joined(batches: Sequence[Batch], rows: int, matched: int, new: int) -> RenderableType:
    """Return what came of labels."""
    head = f"{matched:,} of {plural(rows, 'label')} are of {plural(len(batches), 'batch')}"
    made = table("batch", ">labelled", "metric", ">training", ">here", ">95 % of the change")
    made.columns[5].no_wrap = True
    for batch in batches:
        for place, metric in enumerate(batch.metrics):
            first = place == 0
            change = "-" if metric.ci95 is None else f"{signed(metric.ci95[0])} … {signed(metric.ci95[1])}"
            made.add_row(
                plain(_cut(batch.name) if first else ""),
                f"{batch.labelled:,}/{batch.report.rows:,}" if first else "",
                f"{clean(metric.metric)} {arrow(metric.direction)}",
                number(metric.before),
                Text(number(metric.after), style="bold red" if metric.drifted else ""),
                change,
            )
    blocks: list[RenderableType] = [Text(f"{head}, {new:,} of them new")]
    blocks += [Text(), made] if any(batch.metrics for batch in batches) else []
    worse = [plain(f"{b.name}: {fallen(m)}", "red") for b in batches for m in b.metrics if m.drifted]
    steps = next_steps.after_trend([batch for batch in batches if any(m.drifted for m in batch.metrics)])
    return Group(*blocks, *([Text(), *worse, *next_steps.shown(steps)] if worse else []))


def trend(name: str, batches: Sequence[Batch], total: int, now: datetime) -> RenderableType:
    """Return the batches, the newest last, and how their figures went."""
    left = f", the newest {len(batches)}" if len(batches) < total else ""
    bad = sum(batch.drifted for batch in batches)
    head = Text.assemble((clean(name), "bold"), f"  {_batches(total)}{left}, {bad} with drift")
    if not batches:
        return head
    metric = next(iter(followed(batches)), None)
    blocks = [head, Text(), _listed(batches, metric, now), *_legend(batches), Text(), *_sparks(batches)]
    return Group(*blocks, *_latest(batches), *next_steps.shown(next_steps.after_trend(batches)))


def _batches(count: int) -> str:
    return "1 batch" if count == 1 else f"{count:,} batches"


def _listed(batches: Sequence[Batch], metric: str | None, now: datetime) -> RenderableType:
    direction = next((m.direction for b in batches if (m := metric_of(b, metric)) is not None), None)
    last = [f">{clean(metric)} {arrow(direction)}"] if metric is not None else []
    made = table("  batch", "logged", ">by", ">rows", ">drifted", ">psi", ">outputs", *last)
    for place in made.columns[1:7]:
        place.no_wrap = True
    for batch in batches:
        report = batch.report
        psi, _ = largest_psi(batch)
        count = len(report.drifted_features)
        made.add_row(
            Text.assemble((_mark(batch), style_of(batch)), plain(_cut(batch.name), "bold" if batch.drifted else "")),
            short_time(batch.logged, now),
            f"{batch.number}",
            f"{report.rows:,}",
            Text(f"{count}/{len(report.features)}", style="red" if count else ""),
            _short(psi),
            Text(_short(predictions_psi(batch)), style="red" if any(c.drifted for c in report.predictions) else ""),
            *([_score(metric_of(batch, metric))] if metric is not None else []),
        )
    return made


def _mark(batch: Batch) -> str:
    return f"{_DRIFTED if batch.drifted else ' ' if batch.report.judged else _UNJUDGED} "


def _legend(batches: Sequence[Batch]) -> list[Text]:
    """Return what the marks and figures are."""
    words = {_DRIFTED: "drift", _UNJUDGED: "too few rows to be judged"}
    marks = [f"{mark} {word}" for mark, word in words.items() if any(_mark(batch)[0] == mark for batch in batches)]
    figures = "psi, outputs: the largest stability index of a feature and of an output, beyond chance"
    return [Text("; ".join([*marks, figures]), style="dim")]


def _score(metric: MetricDrift | None) -> Text:
    if metric is None:
        return Text("-", style="dim")
    return Text(number(metric.after), style="red" if metric.drifted else "")


def _short(value: float | None) -> str:
    return "-" if value is None else "0" if value == 0 else f"{value:.3f}" if value < 10 else f"{value:.0f}"


def _cut(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"


def _sparks(batches: Sequence[Batch]) -> list[RenderableType]:
    """Return how each figure went, in bars from the least to the greatest."""
    series: list[tuple[str, list[float | None]]] = [
        ("largest psi", [largest_psi(batch)[0] for batch in batches]),
        ("of outputs", [predictions_psi(batch) for batch in batches]),
    ]
    for name in followed(batches):
        found = [metric_of(batch, name) for batch in batches]
        series.append((name, [None if one is None else one.after for one in found]))
    made = table("", "", "")
    made.show_header = False
    for name, values in series:
        known = [value for value in values if value is not None and math.isfinite(value)]
        if len(known) >= 2:
            made.add_row(plain(name), sparkline(values), f"{number(min(known))} … {number(max(known))}")
    return [made, Text()] if made.row_count else []


def sparkline(values: Sequence[float | None]) -> str:
    """Return numbers as bars from the least to the greatest; of many the last ones.

    Examples
    --------
    >>> sparkline([0.0, 0.5, None, 1.0]), sparkline([1.0, 1.0])
    ('▁▅ █', '▁▁')
    """
    shown = [value if value is not None and math.isfinite(value) else None for value in values][-_MOST_BARS:]
    known = [value for value in shown if value is not None]
    if not known:
        return ""
    low, high = min(known), max(known)
    return "".join(" " if value is None else _bar(value, low, high) for value in shown)


def _bar(value: float, low: float, high: float) -> str:
    return _BARS[0] if high == low else _BARS[min(7, int(8 * (value - low) / (high - low)))]


def _latest(batches: Sequence[Batch]) -> list[RenderableType]:
    """Return what was found in the newest batch that has drifted."""
    batch = next((batch for batch in reversed(batches) if batch.drifted), None)
    if batch is None:
        return []
    found = [text for _, text in sentences(batch)]
    more = [plain(f"  and {len(found) - _MOST_FINDINGS:,} more", "dim")] if len(found) > _MOST_FINDINGS else []
    return [plain(f"in {batch.name}", "bold"), *(plain(f"  {text}") for text in found[:_MOST_FINDINGS]), *more]


def said(notices: Iterable[Notice]) -> list[Text]:
    """Return what is to be said, each as one paragraph."""
    return [notice(item) for item in notices]


# --- plain data --------------------------------------------------------------------------------------------------


def row_of(batch: Batch) -> dict[str, Any]:
    """Return a batch as one row."""
    psi, feature = largest_psi(batch)
    report = batch.report
    return {
        "id": batch.id,
        "name": batch.name,
        "logged": batch.logged,
        "version": batch.number,
        "rows": report.rows,
        "drifted": batch.drifted,
        "judged": report.judged,
        "findings": len(report.findings),
        "features": list(report.drifted_features),
        "psi": psi,
        "psi_of": feature or None,
        "predictions.psi": predictions_psi(batch),
        "labelled": batch.labelled,
        **{f"metrics.{metric.metric}": metric.after for metric in batch.metrics},
    }


def batch_json(batch: Batch) -> dict[str, Any]:
    """Return a batch as plain data: its figures, what was found, its metrics."""
    report = batch.report
    return {
        **batch_to_json(batch),
        "version": batch.ref,
        "data": report.data,
        "rows": report.rows,
        "drifted": batch.drifted,
        "judged": report.judged,
        "drifted_features": list(report.drifted_features),
        "psi": {c.shift.column: _finite(c.shift.psi) for c in report.columns},
        "psi_beyond_chance": {c.shift.column: _finite(c.psi_beyond_chance) for c in report.columns},
        "predictions_psi": {c.shift.column: _finite(c.shift.psi) for c in report.predictions},
        "findings": [{"kind": str(f.kind), "subject": f.subject, "message": f.message} for f in report.findings],
        "warnings": [{"code": item.code, "message": item.message} for item in report.notices],
    }


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
