"""Numbers drawn in, logged, and set against each other."""

from __future__ import annotations

from itertools import combinations
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import FLOAT_DTYPES, check_is_fitted, validate_data

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Self

    import numpy.typing as npt

    Numbers = npt.NDArray[Any]


class _OfNumbers(TransformerMixin, BaseEstimator):
    """Reads numbers with gaps, which stay gaps."""

    def _numbers(self, X: Any, *, reset: bool) -> Numbers:
        checked: Numbers = validate_data(self, X, reset=reset, dtype=FLOAT_DTYPES, ensure_all_finite="allow-nan")
        return checked

    def _names(self) -> list[str]:
        """Return the columns by name, or by number where they came without names."""
        return [str(name) for name in getattr(self, "feature_names_in_", range(self.n_features_in_))]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


class Clip(OneToOneFeatureMixin, _OfNumbers):
    """Draw outliers in to limits that training sets: winsorising.

    Parameters
    ----------
    method : {"quantile", "iqr"}, default="quantile"
        Limits are two quantiles; or the quartiles, and ``factor`` times the distance between them beyond (Tukey, 1977).
    lower, upper : float or None, default=0.01, 0.99
        The quantiles. None is no limit on that side.
    factor : float, default=1.5
        For ``iqr``.

    Attributes
    ----------
    lower_, upper_ : ndarray of shape (n_features,)
        The limits, in the units of each column; infinite where there is none, as in a column that is all missing.

    Examples
    --------
    >>> Clip(method="iqr").fit_transform([[1.0], [2.0], [3.0], [4.0], [90.0]]).ravel().tolist()
    [1.0, 2.0, 3.0, 4.0, 7.0]
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "method": [StrOptions({"quantile", "iqr"})],
        "lower": [Interval(Real, 0, 1, closed="both"), None],
        "upper": [Interval(Real, 0, 1, closed="both"), None],
        "factor": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(
        self,
        method: str = "quantile",
        *,
        lower: float | None = 0.01,
        upper: float | None = 0.99,
        factor: float = 1.5,
    ) -> None:
        self.method = method
        self.lower = lower
        self.upper = upper
        self.factor = factor

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002 - scikit-learn's signature
        """Find the limits.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Numbers; missing ones have no say.
        y : None
            Ignored.
        """
        self._validate_params()
        if self.lower is not None and self.upper is not None and self.lower >= self.upper:
            raise ValueError(f"Clip: lower must be below upper. Got {self.lower} and {self.upper} instead.")
        values = self._numbers(X, reset=True)
        if self.method == "iqr":
            first, third = _quantile(values, 0.25), _quantile(values, 0.75)
            reach = self.factor * (third - first)
            low, high = first - reach, third + reach
        else:
            none = np.full(values.shape[1], np.nan)
            low = none if self.lower is None else _quantile(values, self.lower)
            high = none if self.upper is None else _quantile(values, self.upper)
        self.lower_ = np.where(np.isnan(low), -np.inf, low)
        self.upper_ = np.where(np.isnan(high), np.inf, high)
        return self

    def transform(self, X: Any) -> Numbers:
        """Return the numbers within the limits.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Numbers.
        """
        check_is_fitted(self)
        values = self._numbers(X, reset=False)
        clipped: Numbers = np.clip(values, self.lower_, self.upper_).astype(values.dtype, copy=False)
        return clipped


def _quantile(values: Numbers, share: float) -> Numbers:
    """Return a quantile of each column; of one that is all missing, missing."""
    known = ~np.isnan(values)
    found = [np.quantile(v[k], share) if k.any() else np.nan for v, k in zip(values.T, known.T, strict=True)]
    return np.asarray(found, dtype="float64")


class Log(OneToOneFeatureMixin, _OfNumbers):
    """Take the natural logarithm of one more than each number, ``log1p``, after adding a shift.

    Parameters
    ----------
    shift : float or "auto", default=0.0
        What is added first. ``auto`` adds to columns with negative numbers what makes the least one of training 0, and
        nothing to others; a number that is smaller still, in rows that come later, then counts as that least one.

    Attributes
    ----------
    shift_ : ndarray of shape (n_features,)
        What is added to each column.

    Examples
    --------
    >>> Log().fit_transform([[0.0], [9.0]]).round(3).ravel().tolist()
    [0.0, 2.303]
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {"shift": [Real, StrOptions({"auto"})]}

    def __init__(self, shift: float | str = 0.0) -> None:
        self.shift = shift

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002 - scikit-learn's signature
        """Find the shift of each column.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Numbers.
        y : None
            Ignored.
        """
        self._validate_params()
        values = self._numbers(X, reset=True)
        if self.shift == "auto":
            self.shift_ = np.maximum(0.0, -np.fmin.reduce(np.where(np.isnan(values), 0.0, values), axis=0))
        else:
            self.shift_ = np.full(values.shape[1], float(self.shift))
            self._refuse_too_small(values)
        return self

    def transform(self, X: Any) -> Numbers:
        """Return the logarithms.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Numbers.

        Raises
        ------
        ValueError
            A number has no logarithm, with the shift that would give it one.
        """
        check_is_fitted(self)
        values = self._numbers(X, reset=False)
        shifted = values + self.shift_
        if self.shift == "auto":
            shifted = np.maximum(shifted, 0.0)
        else:
            self._refuse_too_small(values)
        logs: Numbers = np.log1p(shifted).astype(values.dtype, copy=False)
        return logs

    def inverse_transform(self, X: Any) -> Numbers:
        """Return the numbers of some logarithms.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Logarithms.
        """
        check_is_fitted(self)
        numbers: Numbers = np.expm1(np.asarray(X)) - self.shift_
        return numbers

    def _refuse_too_small(self, values: Numbers) -> None:
        wrong = values + self.shift_ <= -1
        if not wrong.any():
            return
        column = int(wrong.any(axis=0).argmax())
        least = np.nanmin(values[:, column])
        raise ValueError(
            f"Log: column {self._names()[column]!r} holds {least:g}, and log1p needs numbers above -1 "
            f"(shift: {np.ceil(-least):g} or more, shift: auto, or sklearn.preprocessing.PowerTransformer)"
        )


def _ratio(a: Numbers, b: Numbers) -> Numbers:
    """Return a / b, missing where b is 0."""
    return np.divide(a, b, out=np.full_like(a, np.nan), where=b != 0)


_OPERATIONS: Mapping[str, tuple[Callable[[Numbers, Numbers], Numbers], str]] = {
    "ratio": (_ratio, "/"),
    "difference": (np.subtract, "-"),
    "product": (np.multiply, "*"),
    "sum": (np.add, "+"),
}


class ColumnPairs(_OfNumbers):
    """Add the ratio, difference, product or sum of pairs of columns to the columns themselves.

    A ratio with 0 below the line is missing, so a step that imputes comes after this one.

    Parameters
    ----------
    operation : {"ratio", "difference", "product", "sum"}, default="ratio"
        What is made of each pair.
    pairs : list of pairs or None, default=None
        Columns by name, or by number from 0; None is each column with each one after it.

    Examples
    --------
    >>> ColumnPairs("difference").fit_transform([[5.0, 3.0], [1.0, 1.0]]).tolist()
    [[5.0, 3.0, 2.0], [1.0, 1.0, 0.0]]
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "operation": [StrOptions(set(_OPERATIONS))],
        "pairs": ["array-like", None],
    }

    def __init__(self, operation: str = "ratio", pairs: Sequence[Sequence[str | int]] | None = None) -> None:
        self.operation = operation
        self.pairs = pairs

    @property
    def reads_names(self) -> bool:
        """Whether columns are asked for by name, so that steps before this one have to keep names."""
        return any(isinstance(name, str) for pair in self.pairs or () for name in pair)

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002 - scikit-learn's signature
        """Find the columns of each pair.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Numbers.
        y : None
            Ignored.
        """
        self._validate_params()
        columns = self._numbers(X, reset=True).shape[1]
        pairs = combinations(range(columns), 2) if self.pairs is None else map(self._places, self.pairs)
        self.places_ = [tuple(pair) for pair in pairs]
        return self

    def transform(self, X: Any) -> Numbers:
        """Return the columns and what the pairs make.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Numbers.

        Returns
        -------
        ndarray of shape (n_samples, n_features + n_pairs)
        """
        check_is_fitted(self)
        values = self._numbers(X, reset=False)
        made, _ = _OPERATIONS[self.operation]
        return np.column_stack([values, *(made(values[:, a], values[:, b]) for a, b in self.places_)])

    def get_feature_names_out(self, input_features: Any = None) -> Numbers:
        """Return the names of the columns, such as ``price/area``.

        Parameters
        ----------
        input_features : array-like of str, optional
            The columns where fit saw no names.
        """
        from sklearn.utils.validation import _check_feature_names_in

        check_is_fitted(self)
        names = [str(n) for n in _check_feature_names_in(self, input_features)]
        sign = _OPERATIONS[self.operation][1]
        return np.asarray([*names, *(f"{names[a]}{sign}{names[b]}" for a, b in self.places_)], dtype=object)

    def _places(self, pair: Any) -> list[int]:
        if isinstance(pair, str) or len(pair) != 2:
            raise ValueError(f"ColumnPairs: a pair is two columns, such as [price, area]. Got {pair!r} instead.")
        return [self._place(name) for name in pair]

    def _place(self, name: Any) -> int:
        names = self._names()
        if isinstance(name, Integral) and 0 <= int(name) < len(names):
            return int(name)
        if name in names and hasattr(self, "feature_names_in_"):
            return names.index(name)
        if hasattr(self, "feature_names_in_"):
            raise ValueError(f"ColumnPairs: {name!r} is none of the columns {', '.join(names)}")
        raise ValueError(
            f"ColumnPairs: the columns come without names here, so {name!r} is not known: let this step come first, "
            f"or count columns from 0 to {len(names) - 1}"
        )
