"""Runs and their trials as flat rows, and rows as CSV, parquet and JSON files."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mlops_cli.errors import UsageError
from mlops_cli.store.files import json_bytes, write_file
from mlops_cli.store.index.fields import BY_NAME, Kind, columns_of, kind_of, shared_params, values_of
from mlops_cli.store.tables import csv_text, write_predictions
from mlops_cli.store.values import encode

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from mlops_cli.records import RunRecord, TrialResult

    Row = Mapping[str, Any]

FORMATS = (".csv", ".parquet", ".json")


def run_rows(records: Iterable[RunRecord]) -> list[Row]:
    """Return one row per run: all that can be asked of it, and where it is."""
    return [{**values_of(record), "path": str(record.path)} for record in records]


def trial_rows(record: RunRecord, trials: Iterable[TrialResult]) -> list[Row]:
    """Return one row per trial of a run: all parameters, means over the splits, seconds, the error."""
    return [_trial_row(record, trial) for trial in trials]


def _trial_row(record: RunRecord, trial: TrialResult) -> Row:
    row: dict[str, Any] = {"run": record.id, "experiment": record.experiment, "trial": trial.trial}
    row["state"] = str(trial.state)
    for name in trial.scores:
        row |= {f"metrics.{name}": trial.mean(name), f"metrics.{name}.std": trial.std(name)}
    row |= {f"params.{key}": value for key, value in {**shared_params(record, trial.params), **trial.params}.items()}
    error = trial.error.text if trial.error is not None else None
    return {**row, "fit_s": trial.fit_s, "score_s": trial.score_s, "reused": trial.reused, "error": error}


def run_columns(rows: Iterable[Row]) -> list[str]:
    """Return the columns of a table of runs: all fixed keys, though no run were there."""
    return columns_of([BY_NAME, *rows])


def check_format(path: Path) -> str:
    """Return the ending of a file that can be written.

    Raises
    ------
    UsageError
        There is no such format.
    """
    if path.suffix.lower() not in FORMATS:
        raise UsageError(f"'{path.name}' is none of the formats that there are", hint=f"end it in {', '.join(FORMATS)}")
    return path.suffix.lower()


def write_rows(path: Path, rows: Sequence[Row], columns: Sequence[str]) -> None:
    """Write rows in the format that the file's ending names, whole or not at all."""
    ending = check_format(path)
    if ending == ".csv":
        write_file(path, csv_text(rows, columns).encode("utf-8", "backslashreplace"))
    elif ending == ".json":
        write_file(path, json_bytes([{name: encode(value) for name, value in row.items()} for row in rows]))
    else:
        write_predictions(path, {name: [_typed(name, row.get(name)) for row in rows] for name in columns})


def _typed(name: str, value: Any) -> Any:
    """Return a value as a column of a table holds it: times with their type, lists as text."""
    if kind_of(name) is Kind.DATE and value is not None:
        return datetime.fromisoformat(value).astimezone(UTC)
    return str(encode(value)) if isinstance(value, list | tuple | dict) else value
