"""Records to and from plain JSON: the stable keys of ``run.json``, of a journal line and of a signature.

Reading ignores keys that it does not know, so that an older version reads what a newer one wrote under the same
``schema_version``. To change a format: add a key with a default here and in the record; where an old key changes
its meaning, raise ``SCHEMA_VERSION``, keep reading the old one, and keep an old file among the tests.
Does no I/O.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from mlops_cli.records import (
    SCHEMA_VERSION,
    BestTrial,
    Column,
    Counts,
    DatasetVersion,
    Dates,
    Direction,
    ErrorInfo,
    GitState,
    Kind,
    Notice,
    ProcessInfo,
    RunRecord,
    RunStatus,
    Signature,
    SplitsInfo,
    Task,
    TrialResult,
    TrialState,
)
from mlops_cli.store.audit import head_from_json, head_to_json
from mlops_cli.store.layout import RunPaths
from mlops_cli.store.scores import baseline_from_json, baseline_to_json, metrics_from_json, metrics_to_json
from mlops_cli.store.values import decode, encode, finite, number

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    Json = dict[str, Any]


# --- run.json ----------------------------------------------------------------------------------------------------


def run_to_json(record: RunRecord, workspace: Path | None = None) -> Json:
    """Return a run as ``run.json`` holds it and ``runs show --json`` prints it.

    Parameters
    ----------
    record : RunRecord
        The run.
    workspace : Path, optional
        Where given, ``path`` is written relative to it, so that the workspace can be moved.
    """
    return {
        "schema_version": SCHEMA_VERSION,
        "id": record.id,
        "path": _relative(record.path, workspace),
        "experiment": record.experiment,
        "status": str(record.status),
        "task": _text(record.task),
        "primary": record.primary,
        "direction": _text(record.direction),
        "directions": {name: str(direction) for name, direction in record.directions.items()},
        "best": None if record.best is None else _best_to_json(record.best),
        "objectives": list(record.objectives),
        "front": [int(number) for number in record.front],
        "metrics": metrics_to_json(record.metrics),
        "params": params_to_json(record.params),
        "splits": _splits_to_json(record.splits),
        "baselines": [baseline_to_json(baseline) for baseline in record.baselines],
        "counts": _counts_to_json(record.counts),
        "dataset": None if record.dataset is None else dataset_to_json(record.dataset),
        "test_dataset": None if record.test_dataset is None else dataset_to_json(record.test_dataset),
        "git": {"commit": record.git.commit, "dirty": record.git.dirty},
        "code": dict(record.code),
        "environment": encode(record.environment),
        "seed": None if record.seed is None else int(record.seed),
        **_times_to_json(record),
        "warnings": _notices_to_json(record.warnings),
        "tags": {str(key): str(value) for key, value in record.tags.items()},
        "note": record.note,
        "description": record.description,
        "fingerprint": record.fingerprint,
        "forced": record.forced,
        "files": dict(record.files),
        "process": None if record.process is None else _process_to_json(record.process),
        "error": _error_to_json(record.error),
        "audit": head_to_json(record.audit),
    }


def as_written(record: RunRecord) -> Json:
    """Return a record that was read or written as its ``run.json`` has it: the path counts from the workspace."""
    return run_to_json(record, RunPaths(record.path).workspace.root)


def run_from_json(value: Mapping[str, Any], path: Path) -> RunRecord:
    """Return the record of a run that was read from the directory ``path``.

    Raises
    ------
    KeyError, TypeError, ValueError, AttributeError
        The JSON is not a run's; the caller names the file.
    """
    return RunRecord(
        id=_checked_text(value["id"]),
        path=path,
        experiment=_checked_text(value["experiment"]),
        status=RunStatus(value["status"]),
        started=_checked_time(value["started"]),
        task=_optional(Task, value.get("task")),
        primary=value.get("primary"),
        direction=_optional(Direction, value.get("direction")),
        directions={name: Direction(word) for name, word in (value.get("directions") or {}).items()},
        best=_optional(_best_from_json, value.get("best")),
        metrics=metrics_from_json(value.get("metrics", {})),
        params=params_from_json(value.get("params") or {}),
        splits=_optional(_splits_from_json, value.get("splits")),
        baselines=tuple(map(baseline_from_json, value.get("baselines", ()))),
        objectives=tuple(map(str, value.get("objectives", ()))),
        front=tuple(map(int, value.get("front", ()))),
        counts=_optional(_counts_from_json, value.get("counts")) or Counts(),
        dataset=_optional(dataset_from_json, value.get("dataset")),
        test_dataset=_optional(dataset_from_json, value.get("test_dataset")),
        git=_optional(_git_from_json, value.get("git")) or GitState(),
        code=dict(value.get("code") or {}),
        environment=decode(value.get("environment") or {}),
        seed=_optional(int, value.get("seed", 0)),
        ended=value.get("ended"),
        duration_s=value.get("duration_s"),
        warnings=_notices_from_json(value.get("warnings", ())),
        tags=dict(value.get("tags") or {}),
        note=value.get("note", ""),
        description=value.get("description", ""),
        fingerprint=value.get("fingerprint", ""),
        forced=bool(value.get("forced", False)),
        files=dict(value.get("files") or {}),
        process=_optional(_process_from_json, value.get("process")),
        error=_optional(_error_from_json, value.get("error")),
        audit=head_from_json(value.get("audit")),
    )


def _relative(path: Path, workspace: Path | None) -> str:
    if workspace is not None and path.is_relative_to(workspace):
        return path.relative_to(workspace).as_posix()
    return path.as_posix()


def _times_to_json(record: RunRecord) -> Json:
    return {"started": record.started, "ended": record.ended, "duration_s": finite(record.duration_s)}


def _checked_text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"text was expected, found {value!r}")
    return value


def _checked_time(value: Any) -> str:
    datetime.fromisoformat(_checked_text(value))
    return _checked_text(value)


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _optional(read: Any, value: Any) -> Any:
    return None if value is None else read(value)


# --- the parts of a run ------------------------------------------------------------------------------------------


def _best_to_json(best: BestTrial) -> Json:
    return {"trial": int(best.trial), "params": params_to_json(best.params)}


def _best_from_json(value: Mapping[str, Any]) -> BestTrial:
    return BestTrial(int(value["trial"]), params_from_json(value.get("params") or {}))


def params_to_json(params: Mapping[str, Any]) -> Json:
    """Return parameters by their dotted keys, each value with its type."""
    return {str(key): encode(value) for key, value in params.items()}


def params_from_json(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters that `params_to_json` wrote."""
    return {key: decode(item) for key, item in value.items()}


def _splits_to_json(splits: SplitsInfo | None) -> Json | None:
    if splits is None:
        return None
    return {
        "digest": splits.digest,
        "count": int(splits.count),
        "test_share": finite(splits.test_share),
        "rows": None if splits.rows is None else int(splits.rows),
    }


def _splits_from_json(value: Mapping[str, Any]) -> SplitsInfo:
    share, rows = number(value.get("test_share")), _optional(int, value.get("rows"))
    return SplitsInfo(_checked_text(value["digest"]), int(value["count"]), share, rows)


_COUNTS = ("trials", "completed", "failed", "pruned", "reused", "lost")


def _counts_to_json(counts: Counts) -> Json:
    return {name: int(getattr(counts, name)) for name in _COUNTS}


def _counts_from_json(value: Mapping[str, Any]) -> Counts:
    return Counts(**{name: int(value.get(name, 0)) for name in _COUNTS})


def dataset_to_json(dataset: DatasetVersion) -> Json:
    """Return what a run saw of its data."""
    files = {"sha256": dataset.sha256} if dataset.sha256 else {}
    return {
        "version": dataset.version,
        "rows": int(dataset.rows),
        "columns": len(dataset.columns),
        "target": dataset.target,
        "source": dataset.source,
        **files,
        "schema": [column_to_json(column) for column in dataset.columns],
    }


def dataset_from_json(value: Mapping[str, Any]) -> DatasetVersion:
    """Return the version that `dataset_to_json` wrote."""
    return DatasetVersion(
        version=value["version"],
        rows=int(value["rows"]),
        columns=tuple(column_from_json(column) for column in value.get("schema", ())),
        target=value.get("target"),
        source=value.get("source", ""),
        sha256=value.get("sha256", ""),
    )


def column_to_json(column: Column) -> Json:
    """Return one column of a schema."""
    written: Json = {
        "name": column.name,
        "dtype": column.dtype,
        "kind": str(column.kind),
        "missing": int(column.missing),
        "unique": None if column.unique is None else int(column.unique),
    }
    if column.dates is not None:
        written["dates"] = {"day_first": column.dates.day_first, "zoned": column.dates.zoned}
    if column.categories is not None:
        written["categories"] = column.categories
    return written


def column_from_json(value: Mapping[str, Any]) -> Column:
    """Return the column that `column_to_json` wrote."""
    return Column(
        name=value["name"],
        dtype=value["dtype"],
        kind=Kind(value["kind"]),
        missing=value.get("missing", 0),
        unique=value.get("unique"),
        dates=_optional(_dates_from_json, value.get("dates")),
        categories=value.get("categories"),
    )


def _dates_from_json(value: Mapping[str, Any]) -> Dates:
    return Dates(day_first=value.get("day_first"), zoned=value.get("zoned"))


def _git_from_json(value: Mapping[str, Any]) -> GitState:
    return GitState(commit=value.get("commit"), dirty=value.get("dirty"))


def _process_to_json(process: ProcessInfo) -> Json:
    return {"pid": process.pid, "host": process.host, "boot": process.boot}


def _process_from_json(value: Mapping[str, Any]) -> ProcessInfo:
    return ProcessInfo(pid=int(value["pid"]), host=value["host"], boot=value.get("boot"))


def _error_to_json(error: ErrorInfo | None) -> Json | None:
    if error is None:
        return None
    return {"type": error.type, "message": error.message, "traceback": error.traceback}


def _error_from_json(value: Mapping[str, Any]) -> ErrorInfo:
    return ErrorInfo(value["type"], value["message"], value.get("traceback", ""))


def _notices_to_json(notices: Iterable[Notice]) -> list[Json]:
    return [{"code": notice.code, "message": notice.message} for notice in notices]


def _notices_from_json(values: Iterable[Mapping[str, Any]]) -> tuple[Notice, ...]:
    return tuple(Notice(value["code"], value["message"]) for value in values)


# --- a line of the journal ---------------------------------------------------------------------------------------


def trial_to_json(result: TrialResult) -> Json:
    """Return a finished trial as a line of ``trials.jsonl`` holds it."""
    line: Json = {
        "trial": int(result.trial),
        "state": str(result.state),
        "params": params_to_json(result.params),
        "scores": {name: [finite(s) for s in scores] for name, scores in result.scores.items()},
        "fit_s": finite(result.fit_s),
        "score_s": finite(result.score_s),
        "fingerprint": result.fingerprint,
        "error": _error_to_json(result.error),
    }
    if result.notices:  # most have none, and a sweep may have 100,000 lines
        line["notices"] = _notices_to_json(result.notices)
    if result.steps:
        line["steps"] = [finite(value) for value in result.steps]
    if result.reused is not None:
        line["reused"] = result.reused
    return line


def trial_from_json(value: Mapping[str, Any]) -> TrialResult:
    """Return the trial of one journal line; a null score is NaN.

    Raises
    ------
    KeyError, TypeError, ValueError, AttributeError
        The JSON is not a trial's; the caller names file and line.
    """
    return TrialResult(
        trial=int(value["trial"]),
        state=TrialState(value["state"]),
        params=params_from_json(value.get("params") or {}),
        scores={name: tuple(number(s) for s in scores) for name, scores in value.get("scores", {}).items()},
        fit_s=number(value.get("fit_s", 0.0)),
        score_s=number(value.get("score_s", 0.0)),
        fingerprint=value.get("fingerprint", ""),
        error=_optional(_error_from_json, value.get("error")),
        notices=_notices_from_json(value.get("notices", ())),
        steps=tuple(number(step) for step in value.get("steps", ())),
        reused=value.get("reused"),
    )


# --- a model's signature -----------------------------------------------------------------------------------------


def signature_to_json(signature: Signature) -> Json:
    """Return what a model takes and gives as ``signature.json`` holds it."""
    return {
        "schema_version": SCHEMA_VERSION,
        "task": str(signature.task),
        "inputs": [column_to_json(column) for column in signature.inputs],
        "output": signature.output,
        "output_dtype": signature.output_dtype,
        "classes": None if signature.classes is None else [encode(label) for label in signature.classes],
        "id": signature.id,
    }


def signature_from_json(value: Mapping[str, Any]) -> Signature:
    """Return the signature that `signature_to_json` wrote."""
    classes = value.get("classes")
    return Signature(
        inputs=tuple(column_from_json(column) for column in value["inputs"]),
        task=Task(value["task"]),
        output=value["output"],
        output_dtype=value["output_dtype"],
        classes=None if classes is None else tuple(decode(label) for label in classes),
        id=value.get("id"),
    )
