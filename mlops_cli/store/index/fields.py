"""What can be asked of a run by a key: the fixed keys, and those that its metrics, params and tags bring along.

The same keys stand in ``--where``, ``--sort`` and ``--columns``, in exported tables and in the library's DataFrame.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from mlops_cli.records import Direction, RunStatus, Task, of_task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from mlops_cli.records import DatasetVersion, RunRecord


class Kind(StrEnum):
    """How the values of a key are compared."""

    TEXT = "text"
    NUMBER = "number"
    FLAG = "flag"
    DATE = "date"
    HASH = "hash"  # seven hex digits or more stand for all that begin with them
    TAG = "tag"  # text that is read as a number where it is compared with one
    ANY = "any"  # each value by its own type


@dataclass(frozen=True)
class Field:
    """A key that every run has."""

    name: str
    kind: Kind
    of: Callable[[RunRecord], Any]
    choices: tuple[str, ...] = ()  # all that the value can be, where those are few


def _score(run: RunRecord) -> float | None:
    found = run.metrics.get(run.primary or "")
    return None if found is None else found.mean


def _data(part: Callable[[DatasetVersion], Any]) -> Callable[[RunRecord], Any]:
    return lambda run: None if run.dataset is None else part(run.dataset)


def _test(part: Callable[[DatasetVersion], Any]) -> Callable[[RunRecord], Any]:
    return lambda run: None if run.test_dataset is None else part(run.test_dataset)


def _text(value: object) -> str | None:
    return None if value is None else str(value)


FIELDS = (
    Field("id", Kind.TEXT, lambda run: run.id),
    Field("experiment", Kind.TEXT, lambda run: run.path.parent.name),  # as `runs ls EXPERIMENT` has it
    Field("status", Kind.TEXT, lambda run: str(run.status), tuple(RunStatus)),
    Field("started", Kind.DATE, lambda run: run.started),
    Field("ended", Kind.DATE, lambda run: run.ended),
    Field("duration_s", Kind.NUMBER, lambda run: run.duration_s),
    Field("task", Kind.TEXT, lambda run: _text(run.task), tuple(Task)),
    Field("primary", Kind.TEXT, lambda run: run.primary),
    Field("direction", Kind.TEXT, lambda run: _text(run.direction), tuple(Direction)),
    Field("score", Kind.NUMBER, _score),
    Field("trials", Kind.NUMBER, lambda run: run.counts.trials),
    Field("completed", Kind.NUMBER, lambda run: run.counts.completed),
    Field("failed", Kind.NUMBER, lambda run: run.counts.failed),
    Field("pruned", Kind.NUMBER, lambda run: run.counts.pruned),
    Field("lost", Kind.NUMBER, lambda run: run.counts.lost),
    Field("reused", Kind.NUMBER, lambda run: run.counts.reused),
    Field("warnings", Kind.NUMBER, lambda run: len(run.warnings)),
    Field("seed", Kind.NUMBER, lambda run: run.seed),
    Field("note", Kind.TEXT, lambda run: run.note or None),
    Field("description", Kind.TEXT, lambda run: run.description or None),
    Field("data.version", Kind.HASH, _data(lambda data: data.version)),
    Field("data.rows", Kind.NUMBER, _data(lambda data: data.rows)),
    Field("data.columns", Kind.NUMBER, _data(lambda data: len(data.columns))),
    Field("data.target", Kind.TEXT, _data(lambda data: data.target)),
    Field("data.source", Kind.TEXT, _data(lambda data: data.source or None)),
    Field("data.sha256", Kind.HASH, _data(lambda data: data.sha256 or None)),
    Field("test.version", Kind.HASH, _test(lambda data: data.version)),
    Field("test.rows", Kind.NUMBER, _test(lambda data: data.rows)),
    Field("test.source", Kind.TEXT, _test(lambda data: data.source or None)),
    Field("test.sha256", Kind.HASH, _test(lambda data: data.sha256 or None)),
    Field("splits.digest", Kind.HASH, lambda run: None if run.splits is None else run.splits.digest),
    Field("git.commit", Kind.HASH, lambda run: run.git.commit),
    Field("git.dirty", Kind.FLAG, lambda run: run.git.dirty),
    Field("fingerprint", Kind.HASH, lambda run: run.fingerprint or None),
)
BY_NAME = {field.name: field for field in FIELDS}
_OPEN = {"metrics": Kind.NUMBER, "params": Kind.ANY, "tags": Kind.TAG}


def kind_of(key: str) -> Kind:
    """Return how the values of a full key are compared."""
    found = BY_NAME.get(key)
    return found.kind if found is not None else _OPEN.get(key.partition(".")[0], Kind.ANY)


def fixed_values(run: RunRecord) -> dict[str, Any]:
    """Return the values of the keys that every run has; None where this one has nothing to say."""
    return {field.name: field.of(run) for field in FIELDS}


def own_values(run: RunRecord) -> dict[str, Any]:
    """Return the values of ``metrics.…``, ``params.…`` and ``tags.…``."""
    found: dict[str, Any] = {}
    for name, metric in run.metrics.items():
        parts = {"": metric.mean, ".std": metric.std, ".test": metric.test}
        found |= {f"metrics.{name}{part}": value for part, value in parts.items() if value is not None}
    found |= {f"params.{key}": value for key, value in params_of(run).items()}
    return {**found, **{f"tags.{key}": value for key, value in run.tags.items()}}


def params_of(run: RunRecord) -> dict[str, Any]:
    """Return all parameters of the best trial, those that were swept among them."""
    return of_task({**run.params, **(run.best.params if run.best is not None else {})}, run.task)


def shared_params(run: RunRecord, own: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters that a trial has in common with the best one, of which all are known.

    Parameters
    ----------
    run : RunRecord
        Whose best trial.
    own : mapping
        What was swept in the trial. Where it chose another option of a group (``model=svm``), nothing that belongs to
        the best one's option is taken.
    """
    swept = run.best.params if run.best is not None else {}
    chosen = {key for key in {*swept, *own} if swept.get(key) != own.get(key)}
    apart = tuple(f"{key}." for key in chosen)
    full = of_task(run.params, run.task)
    return {k: v for k, v in full.items() if k not in swept and k not in own and not k.startswith(apart)}


def values_of(run: RunRecord) -> dict[str, Any]:
    """Return all that a run says, by key: the fixed ones first, in their order."""
    return {**fixed_values(run), **own_values(run)}


def columns_of(rows: Iterable[Iterable[str]]) -> list[str]:
    """Return the keys that some of the rows have: fixed ones, metrics, params, tags; else as they first come."""
    order = {"metrics": 1, "params": 2, "tags": 3}
    keys = dict.fromkeys(key for row in rows for key in row)
    return sorted(keys, key=lambda key: 0 if key in BY_NAME else order.get(key.partition(".")[0], 4))


def moment(text: str | None) -> float | None:
    """Return the seconds since 1970 of an ISO time; None where there is none."""
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError):
        return None
