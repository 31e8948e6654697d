"""What an evaluation found, as files in a folder of the user's: metrics, predictions, plots."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_cli.errors import UsageError
from mlops_cli.records import SCHEMA_VERSION
from mlops_cli.store.files import json_bytes, write_files
from mlops_cli.store.names import check_name
from mlops_cli.store.tables import write_predictions
from mlops_cli.store.values import finite

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from mlops_cli.records import Evaluated, ScoredMetric

METRICS, PREDICTIONS, PLOTS = "metrics.json", "predictions.parquet", "plots"


def check_folder(folder: Path, *, force: bool = False) -> None:
    """Refuse a place that is no folder, or that has an evaluation or a run in it.

    Raises
    ------
    UsageError
        Naming what is there.
    """
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is no folder", hint="-o FOLDER")
    there = [name for name in (METRICS, PREDICTIONS) if (folder / name).exists()]
    if there and (not force or (folder / "run.json").exists()):
        raise UsageError(f"{folder / there[0]} is there already", hint="--force overwrites an earlier evaluation")


def write_evaluation(
    folder: Path, found: Evaluated, predictions: Mapping[str, Any], plots: Mapping[str, Mapping[str, bytes]]
) -> None:
    """Write an evaluation, its metrics last.

    Parameters
    ----------
    folder : Path
        Made where it is missing.
    found : Evaluated
        The metrics.
    predictions : mapping of str to array
        Column → values.
    plots : mapping
        Name → format → the file's content.

    Raises
    ------
    StoreError
        The disk refuses.
    """
    drawn = {
        folder / PLOTS / f"{check_name(name, 'plot')}.{kind}": data
        for name, files in plots.items()
        for kind, data in files.items()
    }
    write_files(drawn)
    write_predictions(folder / PREDICTIONS, predictions)
    write_files({folder / METRICS: json_bytes({"schema_version": SCHEMA_VERSION, **evaluated_to_json(found)})})


def evaluated_to_json(found: Evaluated) -> dict[str, Any]:
    """Return an evaluation as plain JSON."""
    return {
        "model": found.model,
        "data": {"source": found.data.source, "version": found.data.version, "rows": found.data.rows},
        "task": str(found.task),
        "primary": found.primary,
        "metrics": {name: _metric(metric) for name, metric in found.metrics.items()},
        "resamples": found.resamples,
        "by": found.by,
        "warnings": [{"code": notice.code, "message": notice.message} for notice in found.warnings],
    }


def _metric(metric: ScoredMetric) -> dict[str, Any]:
    return {
        "value": finite(metric.value),
        "ci95": None if metric.ci95 is None else [finite(bound) for bound in metric.ci95],
        "std": finite(metric.std),
        "direction": str(metric.direction),
    }
