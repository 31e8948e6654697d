"""Rows of numbers as arrays of the shape that a network takes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.validation import check_is_fitted, validate_data

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    import numpy.typing as npt

    from mlops_cli.contracts import BeforeFit


class Reshape(TransformerMixin, BaseEstimator):
    """Give each row the shape of a tensor; the last step before a model that takes one.

    Parameters
    ----------
    shape : list of int
        Of one row, such as ``[1, 8, 8]`` for channels, height and width; one of them may be -1, whatever is left.
    dtype : {"float32", "float64"}, default="float32"
        What networks compute in.

    Attributes
    ----------
    shape_ : tuple of int
        The shape of one row.

    Examples
    --------
    >>> Reshape([1, 2, -1]).fit_transform([[1, 2, 3, 4, 5, 6]]).shape
    (1, 1, 2, 3)
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "shape": ["array-like"],
        "dtype": [StrOptions({"float32", "float64"})],
    }

    gives_tensors = True
    """No step can come after it."""

    def __init__(self, shape: Sequence[int] = (-1,), dtype: str = "float32") -> None:
        self.shape = shape
        self.dtype = dtype

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002 - scikit-learn's signature
        """Check that the columns fill the shape.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Numbers.
        y : None
            Ignored.

        Raises
        ------
        ValueError
            They do not.
        """
        self._validate_params()
        self.shape_ = self._filled(self._numbers(X, reset=True).shape[1])
        return self

    def check_before_fit(self, known: BeforeFit) -> None:
        """Refuse columns that do not fill the shape, where it is known how many there are."""
        if known.columns is not None:
            self._filled(known.columns)

    def _filled(self, columns: int) -> tuple[int, ...]:
        shape = [int(length) for length in self.shape]
        given = math.prod(length for length in shape if length != -1)
        left = [columns // given if length == -1 and given > 0 else length for length in shape]
        if shape.count(-1) > 1 or min(left, default=0) < 1 or math.prod(left) != columns:
            raise ValueError(f"'shape': {columns} columns do not fill {shape}; it must multiply to {columns}")
        return tuple(left)

    def transform(self, X: Any) -> npt.NDArray[Any]:
        """Return the rows in their shape.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Numbers.

        Returns
        -------
        ndarray of shape (n_samples, *shape)
        """
        check_is_fitted(self)
        values = self._numbers(X, reset=False)
        dense = values.toarray() if hasattr(values, "toarray") else values
        return np.ascontiguousarray(dense).reshape(len(dense), *self.shape_)

    def _numbers(self, X: Any, *, reset: bool) -> Any:
        return validate_data(self, X, reset=reset, dtype=self.dtype, accept_sparse="csr", ensure_all_finite="allow-nan")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = []
        return tags
