"""The target: what task it asks for, whether it suits the task that was asked for, and its values as an array."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pandas.api import types as pdt

from mlops_cli.components.casting import first_rows
from mlops_cli.errors import ConfigError, DataError, did_you_mean
from mlops_cli.records import Notice, Task

if TYPE_CHECKING:
    import numpy.typing as npt

MAX_CLASSES = 20
"""Whole numbers with more distinct values than this are taken for a quantity."""
_MOST_CODES, _ROWS_PER_CODE = 100, 10
"""Whole numbers with at most so many distinct values, each in so many rows on average, may be codes of classes."""
_LONGEST_LABEL = 256


def task_of(target: pd.Series | None) -> Task:
    """Return the task that a target asks for; clustering where there is none."""
    if target is None:
        return Task.CLUSTERING
    if pdt.is_bool_dtype(target.dtype) or not pdt.is_numeric_dtype(target.dtype):
        return Task.CLASSIFICATION
    if not _is_whole(target):
        return Task.REGRESSION
    return Task.CLASSIFICATION if target.nunique() <= MAX_CLASSES else Task.REGRESSION


def target_values(target: pd.Series, task: Task) -> npt.NDArray[Any]:
    """Return the target as an array: labels as they came, or float64 for regression.

    Raises
    ------
    DataError
        Missing or infinite values, one class only, or values that do not suit the task.
    """
    _refuse_missing(target)
    if pdt.is_datetime64_any_dtype(target.dtype):
        raise DataError(f"data.target: '{target.name}' holds dates; a target must be numbers or classes")
    if task is Task.REGRESSION:
        return _quantities(target)
    return _classes(target) if task is Task.CLASSIFICATION else _labels(target)


def guess_notices(target: pd.Series | None) -> list[Notice]:
    """Return the notice (``task-guessed``) that whole numbers, taken as classes or amounts, may be the other."""
    if target is None or not pdt.is_numeric_dtype(target.dtype) or pdt.is_bool_dtype(target.dtype):
        return []
    distinct = target.nunique()
    if distinct <= 2 or not _is_whole(target):
        return []
    text = f"'{target.name}' has {distinct} distinct whole numbers, which are taken as"
    if distinct <= MAX_CLASSES:
        return [Notice("task-guessed", f"{text} classes; `task=regression` if they are amounts")]
    if distinct > _MOST_CODES or distinct * _ROWS_PER_CODE > len(target):
        return []
    return [Notice("task-guessed", f"{text} amounts; `task=classification` if they are classes")]


def without_gaps(target: pd.Series) -> pd.Series:
    """Return whole numbers as integers again, where pandas made floats of them for the missing values among them."""
    is_whole = pdt.is_float_dtype(target.dtype) and bool((target % 1 == 0).all()) and bool((target.abs() < 2**53).all())
    return target.astype("int64") if is_whole else target


def check_positive(positive: Any, y: npt.NDArray[Any]) -> None:
    """Refuse a positive class that no row has.

    Raises
    ------
    ConfigError
        With the classes that there are.
    """
    classes = np.unique(y).tolist()
    if positive is None or any(positive == c and isinstance(positive, bool) == isinstance(c, bool) for c in classes):
        return
    quoted = ", ".join(repr(c) for c in classes[:12])
    if isinstance(positive, str) and positive in map(str, classes):
        close = f"the classes are no text: write it without quotes, one of {quoted}"
    else:
        close = did_you_mean(str(positive), map(str, classes)) if isinstance(positive, str) else f"allowed: {quoted}"
    raise ConfigError(f"{positive!r} is no class of the target", key="data.positive", hint=close)


def to_labels(column: pd.Series) -> npt.NDArray[Any]:
    """Return text as fixed-width text, which can be memory-mapped; long text as objects; numbers as they are."""
    return _labels(column)


def _refuse_missing(target: pd.Series) -> None:
    missing = target.isna()
    if missing.any():
        raise DataError(
            f"data.target: '{target.name}' is missing in {int(missing.sum())} of {len(target)} rows "
            f"({first_rows(missing)})",
            hint="`data.missing_target=drop` leaves those rows out",
        )


def _is_whole(target: pd.Series) -> bool:
    return bool(pdt.is_integer_dtype(target.dtype)) or bool((target.dropna() % 1 == 0).all())


def _quantities(target: pd.Series) -> npt.NDArray[Any]:
    if isinstance(target.dtype, pd.CategoricalDtype) or not pdt.is_numeric_dtype(target.dtype):
        raise DataError(
            f"data.target: '{target.name}' holds {'text' if target.dtype != 'category' else 'categories'} such as "
            f"{str(target.iloc[0])[:40]!r}, and regression needs numbers",
            hint="`task: classification`, or another data.target",
        )
    y = target.to_numpy(dtype="float64")
    if not np.isfinite(y).all():
        raise DataError(
            f"data.target: '{target.name}' is infinite in {int(np.isinf(y).sum())} rows ({first_rows(np.isinf(y))})",
            hint="correct them or leave those rows out",
        )
    return y


def _classes(target: pd.Series) -> npt.NDArray[Any]:
    if pdt.is_float_dtype(target.dtype) and not _is_whole(target):
        raise DataError(
            f"data.target: '{target.name}' holds fractions such as {target[target % 1 != 0].iloc[0]}, "
            "and classification needs classes",
            hint="`task: regression`, or another data.target",
        )
    y = _labels(target)
    if len(np.unique(y)) < 2:
        raise DataError(
            f"data.target: '{target.name}' has one class only ({y[0]!s}), and there is nothing to tell apart",
            hint="another data.target, or rows of another class",
        )
    return y


def _labels(column: pd.Series) -> npt.NDArray[Any]:
    plain = column.astype(column.cat.categories.dtype) if isinstance(column.dtype, pd.CategoricalDtype) else column
    if isinstance(plain.dtype, np.dtype) and plain.dtype != object:
        return plain.to_numpy()
    values = plain.astype(object).to_numpy()
    longest = max((len(str(v)) for v in pd.unique(values)), default=0)
    return values.astype(str) if longest <= _LONGEST_LABEL else values
