"""What the words of MLflow's runs mean in ours: numbers, names, times, states, data. Pure, and trusts none of them."""

from __future__ import annotations

import json
import math
import re
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from mlops_cli.components.sources.secrets import masked
from mlops_cli.components.trackers.mlflow_names import NAME
from mlops_cli.components.trackers.mlflow_told import RUN_ID, USER_TAGS
from mlops_cli.records import Column, Curve, DatasetVersion, Kind, RunStatus, TrialState
from mlops_cli.store.values import stamp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from mlops_cli.components.trackers.mlflow_runs import FoundRun

T = TypeVar("T")

_STATUS = {"FINISHED": RunStatus.COMPLETED, "FAILED": RunStatus.FAILED}
_STATES = {"FINISHED": TrialState.COMPLETED, "FAILED": TrialState.FAILED, "KILLED": TrialState.LOST}
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_WORDS = {"True": True, "False": False, "None": None, "true": True, "false": False, "null": None}
_HUGE = 1.79e308  # what MLflow keeps an infinity as
_KINDS = {"boolean": Kind.BOOLEAN, "datetime": Kind.DATETIME, "string": Kind.CATEGORICAL}
_DTYPES = {"long": "int64", "integer": "int32", "double": "float64", "float": "float32", "boolean": "bool"}
_TAG, _LONGEST = 8000, 40


def status_of(run: FoundRun) -> RunStatus:
    """Return how a run stands; one that is not finished is not written here, and so interrupted."""
    return _STATUS.get(run.status, RunStatus.INTERRUPTED)


def state_of(run: FoundRun) -> TrialState:
    """Return how a run ended, as a trial."""
    return _STATES.get(run.status, TrialState.LOST)


def stamp_of(milliseconds: int) -> str:
    """Return a time as records hold it."""
    try:
        return stamp(datetime.fromtimestamp(milliseconds / 1000).astimezone())
    except (OverflowError, OSError, ValueError):
        return stamp(datetime.fromtimestamp(0).astimezone())


def name_of(run: FoundRun, key: str) -> str:
    """Return the name that a key stands for."""
    return run.tags.get(f"{NAME}{key}", key)


def values_of(run: FoundRun) -> dict[str, float]:
    """Return the last value of each metric by its name."""
    return {name_of(run, key): measured(value) for key, value in run.metrics.items()}


def points_of(run: FoundRun, key: str) -> tuple[tuple[int, float], ...]:
    """Return step and value of a metric."""
    return run.histories.get(key) or ((run.steps.get(key, 0), run.metrics[key]),)


def measured(value: float) -> float:
    """Return a measured number; NaN for what MLflow keeps an infinity as, which our records do not have either."""
    return value if abs(value) < _HUGE else math.nan


def joined(series: Mapping[str, Mapping[int, float]]) -> Curve:
    """Return several quantities as one curve over all their steps."""
    steps = tuple(sorted({step for points in series.values() for step in points}))
    return Curve("step", steps, {name: tuple(points.get(step) for step in steps) for name, points in series.items()})


def params_of(run: FoundRun) -> dict[str, Any]:
    """Return the parameters by their names, numbers as numbers."""
    return {name_of(run, key): value_of(text) for key, text in run.params.items()}


def value_of(text: str) -> Any:
    """Return a number, a truth value or nothing where a text spells one; else the text.

    Examples
    --------
    >>> value_of("0.1"), value_of("100"), value_of("None"), value_of("l2"), value_of("1_000")
    (0.1, 100, None, 'l2', '1_000')
    """
    if text in _WORDS:
        return _WORDS[text]
    if len(text) > _LONGEST or not _NUMBER.fullmatch(text):
        return text
    return int(text) if text.lstrip("+-").isdecimal() else float(text)


def plain(text: str | None, kind: type[T]) -> T | None:
    """Return what a text spells, where it is of a kind."""
    value = None if text is None else value_of(text)
    return value if isinstance(value, kind) else None


def word_of(kind: Callable[[str], T], text: str | None) -> T | None:
    """Return a word of an enum; None where it is none of them."""
    with suppress(ValueError):
        return None if text is None else kind(text)
    return None


def mapping_of(text: str | None) -> dict[str, Any]:
    """Return the mapping that a tag holds; nothing where it holds none, as one that was cut."""
    try:
        value = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def user_tags(run: FoundRun) -> dict[str, str]:
    """Return the tags of a user: those that we listed, else all that are not MLflow's own."""
    if RUN_ID in run.tags:
        try:
            keys = [key for key in json.loads(run.tags.get(USER_TAGS, "[]")) if key in run.tags]
        except (ValueError, TypeError, RecursionError):
            keys = []
    else:
        keys = [key for key in run.tags if not key.startswith("mlflow.")]
    return {name_of(run, key): run.tags[key][:_TAG] for key in keys}


# --- data --------------------------------------------------------------------------------------------------------


def dataset_of(run: FoundRun) -> DatasetVersion | None:
    """Return the data that a run was trained on, as far as it is told."""
    data = next((item for item in run.data if item.context == "training"), next(iter(run.data), None))
    if data is None:
        return None
    rows = mapping_of(data.profile).get("num_rows", 0)
    source = mapping_of(data.source).get("uri") or data.source
    return DatasetVersion(
        version=run.tags.get("mlops.dataset.version", data.digest),
        rows=rows if isinstance(rows, int) else 0,
        columns=tuple(_columns(mapping_of(data.schema).get("mlflow_colspec"))),
        target=run.tags.get("mlops.dataset.target"),
        source=masked(run.tags.get("mlops.dataset.source", str(source)[:_TAG])),
    )


def _columns(schema: Any) -> Iterable[Column]:
    for column in schema if isinstance(schema, list) else ():
        if isinstance(column, dict) and isinstance(column.get("name"), str):
            kind = str(column.get("type"))
            yield Column(column["name"], _DTYPES.get(kind, "object"), _KINDS.get(kind, Kind.NUMERIC))
