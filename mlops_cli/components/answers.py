"""What a fitted model says of rows, as columns: predictions, probabilities, classes by a threshold of one's own.

Knows nothing of files; a table may come in parts, and each row is answered as it would be alone.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from pandas.api import types as pdt

from mlops_cli.components.metrics import positive_class
from mlops_cli.errors import DataError, MlopsError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd

    from mlops_cli.records import Column, Signature

    Array = np.ndarray[Any, Any]

PREDICTION, PROBA = "prediction", "proba_"

_BATCH_BYTES, _LEAST_ROWS = 2**26, 1000
"""Of the numbers that a model is given at once, and how many rows they are at least."""


@dataclass(frozen=True)
class Answers:
    """A fitted model, and what it is asked.

    Parameters
    ----------
    pipeline : Pipeline
        Fitted.
    signature : Signature
        What it takes and gives.
    positive : object
        Of two classes the one that a threshold is for; the greater one where None.
    proba : bool
        Whether probabilities are asked for.
    threshold : float, optional
        The probability from which on the positive class is said.
    """

    pipeline: Any
    signature: Signature
    positive: Any = None
    proba: bool = False
    threshold: float | None = None

    def check(self) -> None:
        """Refuse what the model cannot be asked.

        Raises
        ------
        UsageError
            It labels only the rows that it was fitted on, gives no probabilities, or has not two classes.
        """
        name = type(self.pipeline[-1]).__name__
        if not hasattr(self.pipeline, "predict"):
            raise UsageError(f"{name} labels only the rows that it was fitted on", hint="model=kmeans can predict")
        classes = self.signature.classes
        asked = "a threshold is" if self.threshold is not None else "probabilities are"
        if (self.proba or self.threshold is not None) and classes is None:
            raise UsageError(f"{asked} of classes, and {self.signature.output} is none")
        if (self.proba or self.threshold is not None) and not hasattr(self.pipeline, "predict_proba"):
            raise UsageError(f"{name} gives no probabilities", hint="run it with calibration=sigmoid")
        if self.threshold is None:
            return
        if len(classes or ()) != 2:
            raise UsageError(f"a threshold is for two classes; {self.signature.output} has {len(classes or ())}")
        if not 0 <= self.threshold <= 1:
            raise UsageError(f"a threshold is a probability, from 0 to 1. Got {self.threshold} instead.")

    def names(self) -> list[str]:
        """Return the columns that `of` gives."""
        classes = self.signature.classes if self.proba else ()
        return [PREDICTION, *(f"{PROBA}{label}" for label in classes or ())]

    def batches(self, rows: int) -> Iterator[slice]:
        """Yield the rows in parts, each of which the model takes at once."""
        width = max(len(self.signature.inputs), int(getattr(self.pipeline[-1], "n_features_in_", None) or 1))
        size = max(_LEAST_ROWS, _BATCH_BYTES // (8 * width))
        yield from (slice(begin, begin + size) for begin in range(0, rows, size))

    def of(self, X: pd.DataFrame) -> tuple[dict[str, Array], tuple[str, ...]]:
        """Return a column for each of `names`, and what was said on the way.

        Parameters
        ----------
        X : DataFrame
            In the form of the training data, shape (rows, features).

        Raises
        ------
        DataError
            The model cannot take these rows.
        """
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            columns = self.columns(X)
        return columns, tuple(dict.fromkeys(" ".join(str(w.message).split()) for w in caught))

    def columns(self, X: pd.DataFrame) -> dict[str, Array]:
        """Return what `of` does without listening for warnings: only one thread at a time can do that.

        Raises
        ------
        DataError
            The model cannot take these rows.
        """
        try:
            return self._columns(X)
        except MlopsError:
            raise
        except Exception as error:  # whatever a step raises of values that training did not have
            raise self._refused(X, error) from error

    def _columns(self, X: pd.DataFrame) -> dict[str, Array]:
        needed = self.proba or self.threshold is not None
        probabilities = np.asarray(self.pipeline.predict_proba(X)) if needed else None
        if probabilities is None:
            return {PREDICTION: np.asarray(self.pipeline.predict(X))}
        by_class = self._by_class(probabilities)
        predicted = np.asarray(self.pipeline.predict(X)) if self.threshold is None else self._by_threshold(by_class)
        return {PREDICTION: predicted, **({f"{PROBA}{k}": v for k, v in by_class.items()} if self.proba else {})}

    def _by_class(self, probabilities: Array) -> dict[Any, Array]:
        """Return the probability of each class; 0 of one that the training rows did not have."""
        place = {label: index for index, label in enumerate(np.asarray(self.pipeline.classes_).tolist())}
        none = np.zeros(len(probabilities))
        return {c: probabilities[:, place[c]] if c in place else none for c in self.signature.classes or ()}

    def _by_threshold(self, by_class: Mapping[Any, Array]) -> Array:
        positive = positive_class(list(by_class), self.positive)
        other = next(label for label in by_class if label != positive)
        labels = np.array([other, positive], dtype=np.asarray(self.pipeline.classes_).dtype)
        return np.asarray(labels[(by_class[positive] >= (self.threshold or 0)).astype(int)])

    def _refused(self, X: pd.DataFrame, error: Exception) -> DataError:
        text = " ".join(str(error).split())[:300] or type(error).__name__
        gaps = _new_gaps(X, self.signature.inputs)
        if "NaN" in text and gaps:
            return DataError(
                f"values are missing in {', '.join(repr(n) for n in gaps[:5])}, and in training none were",
                hint="fill them in, or train with a step that imputes: transforms=tabular",
            )
        hint = "handle_unknown: ignore, in the step that encodes, takes any" if "unknown categor" in text else None
        return DataError(f"the model cannot take these rows: {text}", hint=hint)


def _new_gaps(X: pd.DataFrame, inputs: Sequence[Column]) -> list[str]:
    return [c.name for c in inputs if not c.missing and X[c.name].isna().any()]


def not_finite(column: Array) -> int:
    """Return how many predictions are no number."""
    return int((~np.isfinite(column)).sum()) if pdt.is_float_dtype(column.dtype) else 0
