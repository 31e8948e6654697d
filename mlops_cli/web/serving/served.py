"""One version of a model as it is served: what it takes, what it answers, what there is to know of it."""

from __future__ import annotations

import json
import math
import threading
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from mlops_cli.components.answers import PREDICTION, PROBA, Answers
from mlops_cli.errors import DataError, MlopsError, StoreError
from mlops_cli.store.layout import RunPaths, VersionPaths
from mlops_cli.store.profiles import read_profile
from mlops_cli.web.serving.frames import frame, plain
from mlops_cli.web.serving.limits import Limits, Refused
from mlops_cli.web.serving.probing import taken_columns
from mlops_cli.web.serving.rows import RowForm, Taken, form_of
from mlops_cli.workflows.applying.asking import PredictOptions, asking
from mlops_cli.workflows.applying.incoming import config_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from mlops_cli.records import DataProfile
    from mlops_cli.workflows.applying.incoming import Opened
    from mlops_cli.workflows.applying.model import SavedModel

    Json = dict[str, Any]


@dataclass(frozen=True)
class Answered:
    """What came of a request: the answer as it goes over the wire, and what of it may be logged."""

    body: bytes
    rows: Sequence[Mapping[str, Any]]  # as they were received, those that were answered
    predictions: Sequence[Any]


@dataclass(frozen=True)
class Served:
    """A version that answers.

    Parameters
    ----------
    opened : Opened
        The model, open, with its experiment.
    form : RowForm
        What a request's body has to look like.
    answers : Answers
        The model as it is asked.
    """

    opened: Opened
    form: RowForm
    answers: Answers

    @property
    def label(self) -> str:
        """What it is called: ``titanic/3``, or the run's id."""
        return self.opened.saved.label

    @property
    def has_proba(self) -> bool:
        """Whether it gives probabilities."""
        return self.answers.signature.classes is not None and hasattr(self.answers.pipeline, "predict_proba")

    def answer(self, body: bytes | bytearray, *, proba: bool) -> Answered:
        """Return what the model says of the rows of a body.

        Raises
        ------
        Refused
            The body is not in the form of this version, or the model does not take its rows.
        """
        if proba and not self.has_proba:
            raise Refused(422, f"{self.label} gives no probabilities")
        rows = self.form.read(body)
        try:
            asked, columns = self._forecast(rows) if self._is_forecast else (rows, self._by_row(rows, proba=proba))
        except MlopsError as error:
            raise Refused(422, _sayable(error)) from error
        ids = [row.get(self.form.id) for row in asked] if self.form.id is not None else None
        predictions = [_plain(value) for value in columns[PREDICTION].tolist()]
        answered = _listed(predictions, ids, {n: v.tolist() for n, v in columns.items() if n != PREDICTION})
        value = {"model": self.label, "predictions": answered}
        return Answered(json.dumps(value, allow_nan=False, separators=(",", ":")).encode(), asked, predictions)

    @property
    def _is_forecast(self) -> bool:
        return self.opened.spec.data.forecast is not None

    def _by_row(self, rows: list[Json], *, proba: bool) -> dict[str, Any]:
        try:
            X = frame(rows, self.opened.inputs, self.opened.spec.data.dtypes)
        except MlopsError:
            raise
        except Exception as error:  # a value that pandas cannot hold, such as a date before its time
            raise DataError("the rows hold a value beyond what the model's columns can hold") from error
        return replace(self.answers, proba=proba).columns(X)

    def _forecast(self, rows: list[Json]) -> tuple[list[Json], dict[str, Any]]:
        """Return the rows whose target is missing, and what is forecast for each; the others are their past."""
        import pandas as pd

        target = self.opened.spec.data.target
        columns = self.opened.inputs
        table = plain({c.name: [row[c.name] for row in rows] for c in columns}, columns)
        with self._one_forecast:  # the way there listens to warnings and stdout, which are the whole process's
            found = pd.concat(list(asking(self.opened, PredictOptions(), typed=True).of_table(table)))
        return [row for row in rows if row[str(target)] is None], {PREDICTION: found[PREDICTION].to_numpy()}

    @cached_property
    def _one_forecast(self) -> threading.Lock:
        return threading.Lock()

    def describe(self) -> Json:
        """Return what there is to know of this version, nothing of it secret: no path, no person, no parameter."""
        saved, signature = self.opened.saved, self.answers.signature
        record, version = saved.record, saved.version
        data = record.dataset
        return {
            "model": self.label,
            "registered": None if version is None else version.created,
            "task": str(signature.task),
            "output": signature.output,
            "classes": None if signature.classes is None else [_plain(c) for c in signature.classes],
            "probabilities": self.has_proba,
            "id": self.form.id,
            "lineage": {
                "run": record.id,
                "experiment": record.experiment,
                "started": record.started,
                "data": None if data is None else {"version": data.version, "rows": data.rows},
                "commit": record.git.commit if record.git is not None else None,
            },
            "primary": record.primary,
            "metrics": {
                name: {"mean": _plain(m.mean), "std": _plain(m.std), "test": _plain(m.test)}
                for name, m in record.metrics.items()
            },
            "columns": [_column_json(taken) for taken in self.form.columns],
        }

    @cached_property
    def example(self) -> Json:
        """A row to be shown, of values that many rows had."""
        return {t.column.name: t.examples[0] if t.examples else None for t in self.form.columns}


def serve_version(saved: SavedModel, workspace: Any, limits: Limits, *, allow_pickle: bool = False) -> Served:
    """Return a version ready to answer, after its files are checked.

    Parameters
    ----------
    saved : SavedModel
        Which.
    workspace : Workspace
        Whose data is meant.
    limits : Limits
        How many rows a request may have.
    allow_pickle : bool
        Open a model that is a pickle.

    Raises
    ------
    MlopsError
        Its files are not those that were recorded, or it cannot be asked anything.
    """
    from mlops_cli.workflows.applying.incoming import Opened

    opened = Opened(saved, saved.open(allow_pickle=allow_pickle), config_of(saved), workspace)
    signature = opened.model.signature
    answers = Answers(opened.model.pipeline, signature, opened.spec.data.positive)
    answers.check()
    return Served(opened, RowForm(_columns(opened, answers), signature.id, limits.rows), answers)


def _columns(opened: Opened, answers: Answers) -> tuple[Taken, ...]:
    if opened.spec.data.forecast is not None:
        return tuple(Taken(column) for column in opened.inputs)
    return taken_columns(answers, opened.inputs, _profile(opened.saved))


def _profile(saved: SavedModel) -> DataProfile | None:
    path: Path = RunPaths(saved.record.path).profile
    if saved.version is not None:
        path = VersionPaths(saved.version.path).profile
    try:
        return read_profile(path)
    except StoreError:
        return None


def _sayable(error: MlopsError) -> str:
    """Return an error's message for whoever asks; what a step of the model raised may tell of this machine.

    Raises
    ------
    OSError, MemoryError
        It is no fault of the rows.
    """
    cause = error.__cause__
    if isinstance(cause, OSError | MemoryError | ImportError):
        raise cause
    is_plain = cause is None or (isinstance(cause, ValueError) and "/" not in str(cause))
    return error.message if is_plain else "the model cannot take these rows"


def _listed(predictions: list[Any], ids: list[Any] | None, by_class: Mapping[str, list[float]]) -> list[Json]:
    found: list[Json] = [{PREDICTION: value} for value in predictions]
    if ids is not None:
        found = [{"id": key, **row} for key, row in zip(ids, found, strict=True)]
    if by_class:
        labels = [name.removeprefix(PROBA) for name in by_class]
        shares = zip(*by_class.values(), strict=True)
        found = [
            {**row, "proba": dict(zip(labels, map(_plain, each), strict=True))}
            for row, each in zip(found, shares, strict=True)
        ]
    return found


def _plain(value: Any) -> Any:
    """Return a value as JSON has it; a number that is not finite is null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value.item() if hasattr(value, "item") else value


def _column_json(taken: Taken) -> Json:
    return {
        "name": taken.column.name,
        "type": form_of(taken.column),
        "kind": str(taken.column.kind),
        "nullable": taken.nullable,
        "allowed": list(taken.allowed) or None,
        "examples": list(taken.examples),
    }
