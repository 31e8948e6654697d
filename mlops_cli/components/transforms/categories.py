"""Categories: those that are seen too seldom to be learned from as one, and all marked as what they are."""

from __future__ import annotations

from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted, validate_data

if TYPE_CHECKING:
    from typing import Self


def _as_text(value: Any) -> str:
    """Return a category as text, the same where a gap has made a float of a whole number."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


class GroupRare(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Put a common word in the place of categories that are rare in training, or not in it at all.

    For encoders that know no rare categories, such as TargetEncoder; OneHotEncoder and OrdinalEncoder have
    ``min_frequency`` of their own. Missing values stay missing.

    Parameters
    ----------
    min_frequency : float or int, default=0.01
        A category with a smaller share of the rows (a fraction), or in fewer rows (a whole number), is rare.
    other : str, default="other"
        The word.

    Attributes
    ----------
    categories_ : list of ndarray
        The categories of each column that are kept.

    Examples
    --------
    >>> import pandas as pd
    >>> colours = pd.DataFrame({"colour": ["red", "red", "blue", "blue", "mauve"]})
    >>> GroupRare(min_frequency=2).fit_transform(colours)["colour"].tolist()
    ['red', 'red', 'blue', 'blue', 'other']
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "min_frequency": [Interval(Real, 0, 1, closed="neither"), Interval(Integral, 1, None, closed="left")],
        "other": [str],
    }

    def __init__(self, min_frequency: float = 0.01, other: str = "other") -> None:
        self.min_frequency = min_frequency
        self.other = other

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002 - scikit-learn's signature
        """Find the categories that are common enough.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Categories.
        y : None
            Ignored.
        """
        self._validate_params()
        table = self._table(X, reset=True)
        least = self.min_frequency if isinstance(self.min_frequency, Integral) else self.min_frequency * len(table)
        counts = [table[name].value_counts() for name in table.columns]
        self.categories_ = [np.asarray(c.index[c >= least], dtype=object) for c in counts]
        return self

    def transform(self, X: Any) -> Any:
        """Return the table with each category that is not kept replaced.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Categories.

        Returns
        -------
        DataFrame or ndarray of shape (n_samples, n_features)
            As the input is one or the other; text, of dtype object, since encoders take no numbers beside a word.
        """
        check_is_fitted(self)
        table = self._table(X, reset=False)
        kept = {
            name: column.where(column.isna() | column.isin(known), self.other).map(_as_text, na_action="ignore")
            for (name, column), known in zip(table.items(), self.categories_, strict=True)
        }
        grouped = pd.DataFrame(kept, index=table.index)
        return grouped.set_axis(X.columns, axis=1) if isinstance(X, pd.DataFrame) else grouped.to_numpy()

    def _table(self, X: Any, *, reset: bool) -> pd.DataFrame:
        index = X.index if isinstance(X, pd.DataFrame) else None
        checked = validate_data(self, X, reset=reset, dtype=object, ensure_all_finite="allow-nan")
        return pd.DataFrame(checked, index=index, dtype=object)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.input_tags.string = True
        tags.transformer_tags.preserves_dtype = []
        return tags


class AsCategories(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Mark columns as categories, for models that take them without any encoding.

    The categories are those of the training rows, or those that the columns say themselves. A value that is not among
    them is missing.

    Parameters
    ----------
    max_categories : int, optional
        Keep no more of a column than so many, the most frequent ones. HistGradientBoosting takes 255.

    Attributes
    ----------
    categories_ : list of ndarray
        The categories of each column, in order.

    Examples
    --------
    >>> import pandas as pd
    >>> marked = AsCategories().fit(pd.DataFrame({"colour": ["red", "blue"]}))
    >>> marked.transform(pd.DataFrame({"colour": ["blue", "mauve"]}))["colour"].cat.codes.tolist()
    [0, -1]
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "max_categories": [Interval(Integral, 1, None, closed="left"), None]
    }
    reads_names: ClassVar[bool] = True
    keeps_frame: ClassVar[bool] = True
    """Whoever comes after it must be given a DataFrame: an array has no categories."""

    def __init__(self, max_categories: int | None = None) -> None:
        self.max_categories = max_categories

    def fit(self, X: pd.DataFrame, y: Any = None) -> Self:  # noqa: ARG002 - scikit-learn's signature
        """Find the categories.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_features)
            Categories, text, booleans or numbers that stand for something.
        y : None
            Ignored.
        """
        self._validate_params()
        validate_data(self, X, skip_check_array=True)
        self.categories_ = [_categories_of(column, self.max_categories) for _, column in X.items()]
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return the table with its columns of the dtype category.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_features)
            As in training.
        """
        check_is_fitted(self)
        validate_data(self, X, skip_check_array=True, reset=False)
        known = zip(X.items(), self.categories_, strict=True)
        return pd.DataFrame({name: marked(column, values) for (name, column), values in known}, index=X.index)

    def set_output(self, *, transform: str | None = None) -> Self:  # noqa: ARG002 - scikit-learn's signature
        """Change nothing: a DataFrame is all that it gives."""
        return self

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = tags.input_tags.categorical = tags.input_tags.string = True
        return tags


def _categories_of(column: pd.Series, most: int | None) -> Any:
    """Return the categories in order; where there are too many, the most frequent ones."""
    has_some = isinstance(column.dtype, pd.CategoricalDtype)
    values = column.cat.categories.tolist() if has_some else sorted(column.dropna().unique().tolist())
    if most is not None and len(values) > most:
        kept = set(column.value_counts().index[:most])
        values = [value for value in values if value in kept]
    return np.array([*values, None], dtype=object)[:-1]  # an array of one dimension, whatever they are


def marked(column: pd.Series, values: Any) -> pd.Series:
    """Return a column as categories of these values; others are missing."""
    categories = pd.Index(values.tolist())
    if isinstance(column.dtype, pd.CategoricalDtype):
        return column.cat.set_categories(categories)
    codes = categories.get_indexer(pd.Index(column))
    return pd.Series(pd.Categorical.from_codes(codes, categories), index=column.index, name=column.name)
