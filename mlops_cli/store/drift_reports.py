"""What came of a check for drift as plain JSON, and back: what ``mlops drift --json`` prints and a batch keeps.

Does no I/O. Reading ignores keys that it does not know.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_cli.records import (
    SCHEMA_VERSION,
    ColumnDrift,
    Direction,
    Drifted,
    DriftKind,
    DriftReport,
    Histogram,
    Kind,
    MetricDrift,
    Notice,
    Shift,
)
from mlops_cli.store.values import finite

if TYPE_CHECKING:
    from collections.abc import Mapping

    Json = dict[str, Any]


def report_to_json(report: DriftReport) -> Json:
    """Return a report as plain JSON; a number that is not finite is null."""
    return {
        "schema_version": SCHEMA_VERSION,
        "model": report.model,
        "data": report.data,
        "version": report.version,
        "at": report.at,
        "reference": report.reference,
        "rows": report.rows,
        "reference_rows": report.reference_rows,
        "labelled": report.labelled,
        "drifted": report.drifted,
        "judged": report.judged,
        "findings": [{"kind": str(f.kind), "subject": f.subject, "message": f.message} for f in report.findings],
        "unread": list(report.unread),
        "columns": [_column(one) for one in report.columns],
        "predictions": [_column(one) for one in report.predictions],
        "target": None if report.target is None else _column(report.target),
        "metrics": metrics_to_json(report.metrics),
        "notices": [{"code": notice.code, "message": notice.message} for notice in report.notices],
    }


def metrics_to_json(metrics: tuple[MetricDrift, ...]) -> list[Json]:
    """Return the change of metrics as plain JSON."""
    return [
        {
            "metric": m.metric,
            "direction": str(m.direction),
            "before": finite(m.before),
            "after": finite(m.after),
            "change": finite(m.change),
            "ci95": None if m.ci95 is None else [finite(end) for end in m.ci95],
            "drifted": m.drifted,
        }
        for m in metrics
    ]


def _column(one: ColumnDrift) -> Json:
    shift = one.shift
    return {
        "column": shift.column,
        "kind": str(shift.kind),
        "drifted": one.drifted,
        "test": shift.test or None,
        "statistic": finite(shift.statistic),
        "p": finite(shift.p),
        "distance": finite(shift.distance),
        "psi": finite(shift.psi),
        "psi_by_chance": finite(shift.psi_by_chance),
        "missing": list(shift.missing),
        "new_share": one.new_share,
        "new": list(shift.new),
        "gone": list(shift.gone),
        "before": dict(one.before),
        "after": dict(one.after),
        "histogram": None if one.histogram is None else _histogram(one.histogram),
    }


def _histogram(one: Histogram) -> Json:
    return {
        "labels": list(one.labels),
        "edges": list(one.edges),
        "before": list(one.before),
        "after": list(one.after),
        "is_time": one.is_time,
    }


# --- and back ----------------------------------------------------------------------------------------------------


def report_from_json(value: Mapping[str, Any]) -> DriftReport:
    """Return the report that `report_to_json` wrote.

    Raises
    ------
    KeyError, TypeError, ValueError, AttributeError
        The JSON is no such report; the caller names the file.
    """
    target = value.get("target")
    return DriftReport(
        model=str(value["model"]),
        data=str(value["data"]),
        version=str(value["version"]),
        at=str(value["at"]),
        reference=str(value["reference"]),
        rows=int(value["rows"]),
        reference_rows=int(value["reference_rows"]),
        columns=tuple(_column_from(one) for one in value["columns"]),
        predictions=tuple(_column_from(one) for one in value["predictions"]),
        metrics=metrics_from_json(value["metrics"]),
        labelled=int(value.get("labelled", 0)),
        findings=tuple(
            Drifted(DriftKind(one["kind"]), str(one["subject"]), str(one["message"])) for one in value["findings"]
        ),
        notices=tuple(Notice(str(one["code"]), str(one["message"])) for one in value.get("notices", ())),
        target=None if target is None else _column_from(target),
        unread=tuple(map(str, value.get("unread", ()))),
        judged=bool(value.get("judged", True)),
    )


def metrics_from_json(value: Any) -> tuple[MetricDrift, ...]:
    """Return the change of metrics that `metrics_to_json` wrote."""
    return tuple(
        MetricDrift(
            metric=str(one["metric"]),
            direction=Direction(one["direction"]),
            before=_number(one["before"]),
            after=_number(one["after"]),
            change=_number(one["change"]),
            ci95=None if one.get("ci95") is None else (_number(one["ci95"][0]), _number(one["ci95"][1])),
            drifted=bool(one["drifted"]),
        )
        for one in value
    )


def _column_from(value: Mapping[str, Any]) -> ColumnDrift:
    before, after = value["missing"]
    shift = Shift(
        column=str(value["column"]),
        kind=Kind(value["kind"]),
        test=str(value.get("test") or ""),
        statistic=_known(value.get("statistic")),
        p=_known(value.get("p")),
        distance=_known(value.get("distance")),
        psi=_known(value.get("psi")),
        missing=(float(before), float(after)),
        new=tuple(map(str, value.get("new", ()))),
        gone=tuple(map(str, value.get("gone", ()))),
        psi_by_chance=_known(value.get("psi_by_chance")),
    )
    drawn = value.get("histogram")
    return ColumnDrift(
        shift,
        bool(value["drifted"]),
        float(value.get("new_share", 0.0)),
        None if drawn is None else _histogram_from(drawn),
        {str(name): float(number) for name, number in (value.get("before") or {}).items()},
        {str(name): float(number) for name, number in (value.get("after") or {}).items()},
    )


def _histogram_from(value: Mapping[str, Any]) -> Histogram:
    edges, before, after = (tuple(map(float, value[name])) for name in ("edges", "before", "after"))
    return Histogram(tuple(map(str, value["labels"])), edges, before, after, bool(value.get("is_time")))


def _number(value: Any) -> float:
    return float("nan") if value is None else float(value)


def _known(value: Any) -> float | None:
    return None if value is None else float(value)
