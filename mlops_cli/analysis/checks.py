"""What is suspicious in data that can be learned from: said as notices with stable codes, before anything is fitted.

Pure: a dataset in, notices out. Costly questions are asked of a sample of the rows, taken at even distances.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pandas.api import types as pdt

from mlops_cli.analysis.leaks import later_features, leaks
from mlops_cli.records import Column, Kind, Notice, Task

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy.typing as npt

    from mlops_cli.records import Dataset

EXACT = 2**53
"""Whole numbers beyond this are not all held apart by a float64."""
NEAR_EMPTY = 0.95
NEAR_UNIQUE = 0.95
IMBALANCED = 0.8
REPEATED = 0.02
"""A smaller share of repeated rows moves no score enough to speak of."""
_FEWEST_COPIES = 2
"""One held-out row that has a twin is chance."""
_COPIES = (
    "if they are copies of one case, scores are too good: remove the copies from the file, or keep them together "
    "with `data.group`"
)
_BETTER_MENDED = frozenset(
    {"ambiguous-dates", "dates-as-text", "decimal-comma", "decimal-point", "mixed-types", "thousands"}
)
"""Notices on how a column was read: what is in it is no id but a date or a number."""
_FEWEST_ROWS = 20
"""With fewer rows, being unique or in order says nothing."""


def check_dataset(dataset: Dataset, task: Task, n_splits: int | None = None) -> list[Notice]:
    """Return what is suspicious in a dataset.

    Codes: ``target-leak``, ``later-features``, ``duplicate-rows``, ``rare-classes``, ``constant-columns``,
    ``near-empty-columns``, ``id-like-columns``, ``duplicate-ids``, ``large-integers``. Columns that a forecast made of
    the past are not asked about: no file has them.

    Parameters
    ----------
    dataset : Dataset
        The rows that will be learned from.
    task : Task
        What is learned.
    n_splits : int, optional
        How many splits each class has to reach; None leaves that question out.
    """
    dataset = replace(dataset, features=tuple(c for c in dataset.features if c.name not in dataset.made))
    return [
        *leaks(dataset, task),
        *later_features(dataset),
        *_duplicate_rows(dataset),
        *_rare_classes(dataset, task, n_splits),
        *_constant_columns(dataset),
        *_near_empty_columns(dataset),
        *_id_like_columns(dataset),
        *_duplicate_ids(dataset),
        *_large_integers(dataset),
    ]


def check_metrics(dataset: Dataset, task: Task, primary: str) -> list[Notice]:
    """Return the notice that the primary metric suits the balance of the classes badly (``imbalance``)."""
    if task is not Task.CLASSIFICATION or dataset.y is None or primary != "accuracy":
        return []
    classes, counts = np.unique(dataset.y, return_counts=True)
    share = counts.max() / counts.sum()
    if share < IMBALANCED:
        return []
    most = f"{_percent(share)} of the rows are '{classes[counts.argmax()]}'"
    text = f"{most}, so answering that always has accuracy {share:.2f}"
    return [Notice("imbalance", f"{text}; `evaluation.primary: balanced_accuracy`, average_precision or roc_auc")]


def check_splits(dataset: Dataset, splits: Iterable[tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]]) -> list[Notice]:
    """Return the notice that many rows are repeated across train and test (``duplicates-across-splits``).

    Parameters
    ----------
    dataset : Dataset
        The rows that were split.
    splits : iterable of (train, test)
        Places of rows.
    """
    codes, distinct = _codes(dataset)
    if distinct == dataset.rows:  # which most data is: no row has a twin anywhere
        return []
    repeated, scored = 0, 0
    for train, test in splits:
        is_trained_on = np.zeros(distinct, dtype=bool)
        is_trained_on[codes[train]] = True
        repeated += int(is_trained_on[codes[test]].sum())
        scored += len(test)
    if not scored or repeated < REPEATED * scored:
        return []
    counted = f"{repeated:,} of {scored:,} scored rows ({_percent(repeated / scored)})"
    text = f"{counted} have a twin in every column among the rows that were trained on"
    return [Notice("duplicates-across-splits", f"{text}; {_COPIES}")]


def check_held_out(train: Dataset, test: Dataset, *, is_file: bool) -> list[Notice]:
    """Return the notice that held-out rows are copies of training rows (``duplicates-in-test``).

    Parameters
    ----------
    train, test : Dataset
        What is learned from, and what is scored once.
    is_file : bool
        Whether the held-out rows come from a file of their own.
    """
    if train.y is None or test.y is None or not test.rows:
        return []
    repeated = twins(train, test)
    if repeated < max(_FEWEST_COPIES, REPEATED * test.rows):
        return []
    counted = f"{repeated:,} of {test.rows:,} held-out rows ({_percent(repeated / test.rows)})"
    text = f"{counted} have a twin in every column among the training rows, so the test score tells little of new data"
    mend = "remove them from the file of evaluation.test" if is_file else _COPIES
    return [Notice("duplicates-in-test", f"{text}; {mend}")]


def twins(train: Dataset, test: Dataset) -> int:
    """Return how many rows of ``test`` are equal in every feature and the target to a row of ``train``."""
    train, test = _of_one_dtype(train, test), _of_one_dtype(test, train)
    return int(np.isin(row_hashes(test), row_hashes(train)).sum())


def _of_one_dtype(dataset: Dataset, other: Dataset) -> Dataset:
    """Return the dataset with numbers as floats where the other has them in another dtype: equal values hash alike."""
    X, y = dataset.X, dataset.y
    differing = [n for n in X.columns if X[n].dtype != other.X[n].dtype and pdt.is_numeric_dtype(X[n].dtype)]
    if y is not None and other.y is not None and y.dtype != other.y.dtype and y.dtype.kind in "biuf":
        y = y.astype("float64")
    return replace(dataset, X=X.astype(dict.fromkeys(differing, "float64")) if differing else X, y=y)


def row_hashes(dataset: Dataset) -> npt.NDArray[np.uint64]:
    """Return one number per row, equal where all features and the target are equal."""
    hashes = np.asarray(pd.util.hash_pandas_object(dataset.X, index=False), dtype=np.uint64)
    if dataset.y is None:
        return hashes
    y = dataset.y.astype(object) if dataset.y.dtype.kind == "U" else dataset.y
    target = np.asarray(pd.util.hash_array(y), dtype=np.uint64)
    return hashes * np.uint64(1_000_003) ^ target


def _codes(dataset: Dataset) -> tuple[npt.NDArray[np.intp], int]:
    """Return a whole number for each row, equal where rows are, and how many there are: hashed once, not sorted."""
    codes, distinct = pd.factorize(row_hashes(dataset))
    return codes, len(distinct)


def repeated_rows(dataset: Dataset) -> int:
    """Return how many rows repeat an earlier one in all features and the target."""
    return dataset.rows - _codes(dataset)[1]


def _duplicate_rows(dataset: Dataset) -> list[Notice]:
    repeated = repeated_rows(dataset)
    if not dataset.rows or repeated < REPEATED * dataset.rows:
        return []
    counted = f"{repeated:,} of {dataset.rows:,} rows ({_percent(repeated / dataset.rows)})"
    return [Notice("duplicate-rows", f"{counted} repeat an earlier row in every column; {_COPIES}")]


def _rare_classes(dataset: Dataset, task: Task, n_splits: int | None) -> list[Notice]:
    if task is not Task.CLASSIFICATION or dataset.y is None or not n_splits:
        return []
    classes, counts = np.unique(dataset.y, return_counts=True)
    rare = [f"'{c}' ({k})" for c, k in zip(classes, counts, strict=True) if k < n_splits]
    if not rare:
        return []
    text = f"fewer rows than the {n_splits} splits in {_few(rare, 'class', 'classes')}"
    return [Notice("rare-classes", f"{text}; fewer splits, or leave those classes out")]


def _constant_columns(dataset: Dataset) -> list[Notice]:
    names = [c.name for c in dataset.features if not c.missing and _is_constant(dataset.X[c.name], c)]
    if not names:
        return []
    text = f"the same value in every row in {_few(names, 'column', 'columns')}"
    return [Notice("constant-columns", f"{text}; `data.drop: [{', '.join(names)}]`")]


def _is_constant(column: pd.Series, described: Column) -> bool:
    if described.unique is not None and described.kind is not Kind.TEXT:
        return described.unique <= 1
    return bool((column == column.iloc[0]).all())


def _near_empty_columns(dataset: Dataset) -> list[Notice]:
    shares = {c.name: dataset.X[c.name].isna().mean() for c in dataset.features if c.missing}
    names = [f"'{name}' ({_percent(share)})" for name, share in shares.items() if share >= NEAR_EMPTY]
    if not names:
        return []
    return [
        Notice("near-empty-columns", f"missing in nearly every row in {_few(names, 'column', 'columns')}; `data.drop`")
    ]


def _id_like_columns(dataset: Dataset) -> list[Notice]:
    if dataset.rows < _FEWEST_ROWS:
        return []
    features = [c for c in dataset.features if not _is_misread(c, dataset.notices)]
    names = [c.name for c in features if _is_id_like(dataset.X[c.name], c)]
    if not names:
        return []
    text = f"a different value in nearly every row, as an id has, in {_few(names, 'column', 'columns')}"
    return [Notice("id-like-columns", f"{text}; `data.id` or `data.drop: [{', '.join(names[:5])}]`")]


def _is_misread(column: Column, notices: Iterable[Notice]) -> bool:
    """Whether it was already said that a column holds dates or numbers, and how to have them read."""
    return any(n.code in _BETTER_MENDED and n.column == column.name for n in notices)


def _is_id_like(column: pd.Series, described: Column) -> bool:
    """Whether nearly every row has a value of its own: whole numbers without a gap or in order, or categories."""
    unique, present = described.unique, len(column) - described.missing
    if unique is None or unique < max(_FEWEST_ROWS, NEAR_UNIQUE * present) or present < NEAR_UNIQUE * len(column):
        return False
    if described.kind is Kind.CATEGORICAL:
        return True
    if described.kind is not Kind.NUMERIC or not pdt.is_integer_dtype(column.dtype) or unique < len(column):
        return False
    has_no_gap = int(column.max()) - int(column.min()) + 1 == len(column)
    return has_no_gap or bool(column.is_monotonic_increasing or column.is_monotonic_decreasing)


def _duplicate_ids(dataset: Dataset) -> list[Notice]:
    if dataset.ids is None or dataset.roles.get("group") == dataset.roles.get("id", ""):
        return []  # rows of one thing are kept together: somebody knows
    repeated = int(dataset.ids.duplicated().sum())
    if not repeated:
        return []
    text = f"data.id: '{dataset.ids.name}' repeats an earlier value in {repeated:,} of {dataset.rows:,} rows"
    return [Notice("duplicate-ids", f"{text}; if they are one thing seen several times, name it as `data.group` too")]


def _large_integers(dataset: Dataset) -> list[Notice]:
    columns = [dataset.X[c.name] for c in dataset.features if c.kind is Kind.NUMERIC]
    if dataset.ids is not None and pdt.is_float_dtype(dataset.ids.dtype):
        columns.append(dataset.ids)
    names = [str(c.name) for c in columns if _is_beyond_floats(c)]
    if not names:
        return []
    text = f"whole numbers beyond 2^53, which floats do not hold apart, in {_few(names, 'column', 'columns')}"
    return [Notice("large-integers", f"{text}; if they are codes: `data.dtypes.{names[0]}: str`")]


def _is_beyond_floats(column: pd.Series) -> bool:
    largest = max(abs(_as_float(column.max())), abs(_as_float(column.min())))
    if not EXACT < largest < 2.0**64:  # far beyond, they are quantities and not codes
        return False
    return bool(pdt.is_integer_dtype(column.dtype)) or bool((column.dropna() % 1 == 0).all())


def _as_float(value: Any) -> float:
    return float(value)


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _few(names: Sequence[str], one: str, many: str) -> str:
    """Return the first names with their number, as in ``columns a, b, c, … (12)``."""
    if len(names) == 1:
        return f"{one} {names[0]}"
    shown = ", ".join(names[:5])
    return f"{many} {shown}, … ({len(names)})" if len(names) > 5 else f"{many} {shown}"
