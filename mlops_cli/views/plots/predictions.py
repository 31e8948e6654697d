"""Tables of predictions, as runs keep them, → what plots compute with: classes as numbers, scores, splits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mlops_cli.views.plots.style import UnsuitableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

    Array = np.ndarray[Any, Any]

_PROBA = "proba_"


@dataclass(frozen=True)
class Classified:
    """Predictions of classes, each made by a model that had not seen the row."""

    truth: Array  # shape (rows,): places in ``classes``
    predicted: Array  # likewise
    split: Array  # shape (rows,)
    classes: tuple[str, ...]
    proba: Array | None = None  # shape (rows, classes)

    @property
    def is_binary(self) -> bool:
        """Whether there are two classes."""
        return len(self.classes) == 2

    def probabilities(self) -> Array:
        """Return the probability of each class.

        Raises
        ------
        UnsuitableError
            The model gives none.
        """
        if self.proba is None:
            raise UnsuitableError("the model gives no probabilities", hint="run it with calibration=sigmoid")
        return self.proba

    def parts(self, place: int) -> list[tuple[Array, Array]]:
        """Return, of each split, whether rows are of a class and its probability; all rows as one where that is better.

        A split whose test rows are all of the class, or none of them, has no curve: where that is so of any, as with
        one row at a time, the rows of all splits make one curve.
        """
        proba = self.probabilities()[:, place]
        found = [(self.truth[rows] == place, proba[rows]) for rows in self._rows()]
        if all(0 < truth.sum() < len(truth) for truth, _ in found):
            return found
        return [(self.truth == place, proba)]

    def _rows(self) -> Iterator[Array]:
        order = np.argsort(self.split, kind="stable")
        yield from np.split(order, np.flatnonzero(np.diff(self.split[order])) + 1)


def classified(table: pd.DataFrame) -> Classified:
    """Read a table with columns … target, ``prediction``, ``proba_CLASS`` ….

    Parameters
    ----------
    table : DataFrame
        As `mlops_cli.store.tables.read_predictions` returns it; the column before ``prediction`` is the target.

    Raises
    ------
    UnsuitableError
        There is no target, or no row.
    """
    names = [str(name) for name in table.columns if str(name).startswith(_PROBA)]
    truth, predicted = target_of(table), table["prediction"].to_numpy()
    shown = [name.removeprefix(_PROBA) for name in names]
    classes = tuple(dict.fromkeys([*shown, *_labels(truth), *_labels(predicted)]))
    return Classified(
        truth=_places(truth, classes),
        predicted=_places(predicted, classes),
        split=_splits(table),
        classes=classes,
        proba=_matrix(table, names, len(classes)) if names else None,
    )


def target_of(table: pd.DataFrame) -> Array:
    """Return the true target of each row.

    Raises
    ------
    UnsuitableError
        There is none, or no row.
    """
    place = list(table.columns).index("prediction")
    if not len(table) or place == 0 or table.columns[place - 1] in {"row", "split"}:
        raise UnsuitableError("the predictions have no target beside them")
    target: Array = table.iloc[:, place - 1].to_numpy()
    return target


def _splits(table: pd.DataFrame) -> Array:
    return table["split"].to_numpy() if "split" in table else np.zeros(len(table), dtype=int)


def _labels(values: Array) -> list[str]:
    try:
        return [str(value) for value in np.unique(values).tolist()]
    except TypeError:  # labels of several types have no order
        return sorted({str(value) for value in values.tolist()})


def _places(values: Array, classes: Sequence[str]) -> Array:
    """Return the place of each label in ``classes``."""
    import pandas as pd

    codes, found = pd.factorize(values, use_na_sentinel=False)
    place = {name: number for number, name in enumerate(classes)}
    return np.array([place[str(value)] for value in np.asarray(found).tolist()], dtype=int)[codes]


def _matrix(table: pd.DataFrame, names: Sequence[str], classes: int) -> Array:
    proba = table[list(names)].to_numpy(dtype=float)
    return np.pad(proba, ((0, 0), (0, classes - proba.shape[1])))
