"""Scores to and from plain JSON: the summaries of metrics, and the naive forecasts that a forecast is held against."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_cli.records import Baseline, Direction, MetricSummary, PairedDifference, Verdict
from mlops_cli.store.values import finite, number

if TYPE_CHECKING:
    from collections.abc import Mapping

    Json = dict[str, Any]


def metrics_to_json(metrics: Mapping[str, MetricSummary]) -> Json:
    """Return metric → ``{mean, std, ci95, splits, test}``, the shape of ``metrics.json`` too."""
    return {name: _metric_to_json(metric) for name, metric in metrics.items()}


def metrics_from_json(value: Mapping[str, Any]) -> dict[str, MetricSummary]:
    """Return the summaries that `metrics_to_json` wrote; a null among the numbers is NaN."""
    return {name: _metric_from_json(metric) for name, metric in value.items()}


def _metric_to_json(metric: MetricSummary) -> Json:
    return {
        "mean": finite(metric.mean),
        "std": finite(metric.std),
        "ci95": _interval_to_json(metric.ci95),
        "splits": [finite(score) for score in metric.splits],
        "test": finite(metric.test),
    }


def _metric_from_json(value: Mapping[str, Any]) -> MetricSummary:
    return MetricSummary(
        mean=number(value["mean"]),
        std=_number(value.get("std")),
        ci95=_interval_from_json(value.get("ci95")),
        splits=tuple(number(score) for score in value.get("splits", ())),
        test=_number(value.get("test")),
    )


def baseline_to_json(baseline: Baseline) -> Json:
    """Return a naive forecast with its scores."""
    return {
        "name": baseline.name,
        "about": baseline.about,
        "metrics": metrics_to_json(baseline.metrics),
        "difference": None if baseline.difference is None else _difference_to_json(baseline.difference),
    }


def baseline_from_json(value: Mapping[str, Any]) -> Baseline:
    """Return the naive forecast that `baseline_to_json` wrote."""
    difference = value.get("difference")
    return Baseline(
        name=value["name"],
        about=value.get("about", ""),
        metrics=metrics_from_json(value.get("metrics") or {}),
        difference=None if difference is None else _difference_from_json(difference),
    )


def _difference_to_json(found: PairedDifference) -> Json:
    return {
        "metric": found.metric,
        "direction": str(found.direction),
        "difference": finite(found.difference),
        "ci95": _interval_to_json(found.ci95),
        "p": finite(found.p),
        "splits": int(found.splits),
        "verdict": str(found.verdict),
    }


def _difference_from_json(value: Mapping[str, Any]) -> PairedDifference:
    return PairedDifference(
        metric=value["metric"],
        direction=Direction(value["direction"]),
        difference=number(value["difference"]),
        ci95=_interval_from_json(value.get("ci95")),
        p=_number(value.get("p")),
        splits=int(value["splits"]),
        verdict=Verdict(value["verdict"]),
    )


def _interval_to_json(interval: tuple[float, float] | None) -> list[float | None] | None:
    return None if interval is None else [finite(bound) for bound in interval]


def _interval_from_json(value: Any) -> tuple[float, float] | None:
    return None if value is None else (number(value[0]), number(value[1]))


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
