"""A model asked about new data part by part: how its answers are distributed, and those of rows with a target.

Of labelled rows a sample is held, drawn by lot as they come; a model that cannot take the rows is asked no more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mlops_cli.analysis.reference import shown_share
from mlops_cli.analysis.tallies import ColumnTally
from mlops_cli.components.answers import PROBA, Answers
from mlops_cli.components.labels import without_gaps
from mlops_cli.components.tables import conform
from mlops_cli.components.wanted import Lot
from mlops_cli.errors import DataError, UsageError
from mlops_cli.records import PredictedSample, SampleSpec, Task
from mlops_cli.workflows.applying.labelled import values_of_target, weights_of
from mlops_cli.workflows.silence import silent
from mlops_cli.workflows.watching.reference import predicted_rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_cli.records import ColumnReference, Reference
    from mlops_cli.workflows.applying.incoming import Opened
    from mlops_cli.workflows.watching.keeping import Keeping

    Array = np.ndarray[Any, Any]

LABELLED = 50_000
"""Rows with a target that metrics are computed of; of more a sample."""


class Answering:
    """What a model says of new data.

    Parameters
    ----------
    model : Opened
        Who is asked.
    before : Reference
        What it said before; nothing is asked where that is not known.
    keeping : Keeping, optional
        Where each answer is written down.
    exact : bool
        Keep every answer.
    """

    def __init__(
        self, model: Opened, before: Reference, keeping: Keeping | None = None, *, exact: bool = False
    ) -> None:
        self.model = model
        self.keeping = keeping
        self.refused = ""
        self.unread = ""  # why the target is not
        self.said: dict[str, None] = {}
        self.labelled = 0
        self._tallies = {c.name: ColumnTally(c, exact=exact) for c in before.predictions}
        self._target = None if before.target is None else ColumnTally(before.target, exact=exact)
        is_asked = before.predictions or before.sample is not None or keeping is not None
        self._answers = _answers(model) if is_asked else None
        if self._answers is None and before.predictions:
            self.refused = f"{type(model.model.pipeline[-1]).__name__} labels only the rows that it was fitted on"
        self._lot = Lot(SampleSpec(LABELLED, model.spec.trial.seed))
        self._parts: list[dict[str, Any]] = []
        self._keeps_rows = before.sample is not None

    @property
    def beside(self) -> tuple[str, ...]:
        """The columns beside the features that are read."""
        data = self.model.spec.data
        return tuple(name for name in (data.target, data.weight, data.group) if name is not None)

    def take(self, plain: pd.DataFrame, found: Mapping[str, pd.Series[Any]]) -> None:
        """Ask about some rows.

        Parameters
        ----------
        plain : DataFrame
            As they were read.
        found : mapping of str to Series
            The columns of it that could be put into the form of the training data.
        """
        column = self._column(plain)
        y, present = self._truth(column, len(plain))
        if self._target is not None and y is not None and len(y):
            self._target.add(pd.Series(y))
        said = self._said(found, len(plain))
        if said is None:
            if self.keeping is not None:
                self.keeping.failed = self.refused
            return
        if self.keeping is not None:
            self.keeping.take(plain, said, column)
        for name, tally in self._tallies.items():
            tally.add(shown_share(said[name]) if name.startswith(PROBA) else pd.Series(said[name]))
        if y is not None and self._keeps_rows and len(y):
            self._keep(plain, y, present, said)

    def outputs(self) -> dict[str, ColumnReference]:
        """Return how the answers are distributed; nothing where not all rows could be answered."""
        return {} if self.refused else {name: tally.found() for name, tally in self._tallies.items()}

    def target(self) -> ColumnReference | None:
        """Return how the target is distributed, where there is one."""
        return self._target.found() if self._target is not None and self.labelled else None

    def sample(self) -> PredictedSample | None:
        """Return rows with their target and answer."""
        if self.refused or not self._parts:
            return None
        drawn = self._lot.drawn()
        names = set.intersection(*(set(part) for part in self._parts))  # a file may lack the weight or the group
        whole = {name: np.concatenate([p[name] for p in self._parts])[drawn] for name in names}
        groups = None
        if "group" in whole:
            groups = pd.factorize(pd.Series(whole["group"], dtype=object))[0].astype("float64")
        return PredictedSample(
            whole["truth"], whole["prediction"], whole.get("proba"), whole.get("weight"), groups, self._lot.rows
        )

    # --- asking --------------------------------------------------------------------------------------------------

    def _said(self, found: Mapping[str, pd.Series[Any]], rows: int) -> dict[str, Array] | None:
        if self._answers is None or self.refused:
            return None
        names = [c.name for c in self.model.model.signature.inputs]
        lacking = [name for name in names if name not in found]
        if lacking:
            more = f" and {len(lacking) - 1} more" if len(lacking) > 1 else ""
            self.refused = f"it takes '{lacking[0]}'{more}, which cannot be read here"
            return None
        X = pd.DataFrame({name: found[name] for name in names}, copy=False)
        parts = []
        for batch in self._answers.batches(rows):
            try:
                with silent():
                    columns, warned = self._answers.of(X.iloc[batch].reset_index(drop=True))
            except DataError as error:
                self.refused = error.message
                return None
            self.said |= dict.fromkeys(warned)
            parts.append(columns)
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    # --- targets -------------------------------------------------------------------------------------------------

    def _column(self, plain: pd.DataFrame) -> pd.Series[Any] | None:
        """Return the targets in the form of the training data, where they are there and can be read."""
        target, task = self.model.spec.data.target, self.model.model.signature.task
        if target is None or target not in plain.columns or task is Task.CLUSTERING:
            return None
        try:
            return conform(plain[[target]], [self.model.trained[target]], {})[target]
        except (DataError, KeyError) as error:
            self._refuse_target(error)
            return None

    def _truth(self, column: pd.Series[Any] | None, rows: int) -> tuple[Array | None, Array]:
        """Return the targets of rows that have one, and which these are."""
        if column is None:
            return None, np.zeros(rows, dtype=bool)
        present = column.notna().to_numpy()
        task = self.model.model.signature.task
        try:
            y = values_of_target(without_gaps(column[present]), task) if present.any() else np.empty(0)
        except DataError as error:
            self._refuse_target(error)
            return None, np.zeros(rows, dtype=bool)
        self.labelled += int(present.sum())
        return y, present

    def _refuse_target(self, error: Exception) -> None:
        target = self.model.spec.data.target
        self.unread = f"'{target}' cannot be read as in training, and so nothing is scored: {error}"

    def _keep(self, plain: pd.DataFrame, y: Array, present: Array, said: Mapping[str, Array]) -> None:
        signature, data = self.model.model.signature, self.model.spec.data
        places = self._lot.candidates(len(y))
        rows = np.flatnonzero(present)[places]
        made = predicted_rows(y[places], {name: values[rows] for name, values in said.items()}, signature.classes)
        part = {"truth": made.truth, "prediction": made.prediction}
        part |= {} if made.proba is None else {"proba": made.proba}
        if data.weight in plain.columns:
            part |= {"weight": weights_of(plain[data.weight])[rows]}
        if data.group in plain.columns:
            part |= {"group": plain[data.group].astype(object).to_numpy()[rows]}
        self._parts.append(part)


def _answers(model: Opened) -> Answers | None:
    signature = model.model.signature
    if model.spec.data.forecast is not None:
        return None
    can_tell = signature.classes is not None and hasattr(model.model.pipeline, "predict_proba")
    made = Answers(model.model.pipeline, signature, model.spec.data.positive, proba=can_tell)
    try:
        made.check()
    except UsageError:
        return None
    return made
