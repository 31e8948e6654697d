"""Splitters from their specs, those that read their folds from a column of the data too."""

from __future__ import annotations

from dataclasses import replace
from numbers import Integral
from typing import TYPE_CHECKING, Any

from mlops_cli.components.construct import build
from mlops_cli.components.targets import Role
from mlops_cli.errors import ConfigError, did_you_mean
from mlops_cli.records import Task

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    import numpy as np
    import pandas as pd

    from mlops_cli.records import ComponentSpec

_ALWAYS_TRAIN = -1  # scikit-learn's word for rows that are in no test fold
_TRAIN_WORDS = frozenset({"", "train", "training"})


def build_splitter(
    spec: ComponentSpec,
    *,
    task: Task | None = None,
    seed: int | None = None,
    columns: Mapping[str, Any],
    trust: Collection[str] = (),
    key: str = "split",
) -> Any:
    """Build the splitter of an experiment.

    Parameters
    ----------
    spec : ComponentSpec
        Its target may depend on the task. A ``column`` among the parameters of PredefinedSplit names the column
        that holds the folds, see `fold_numbers`; of `TimeSplit` the one that holds the times.
    task : Task, optional
        What is learned.
    seed : int, optional
        Given to a splitter that shuffles and has no ``random_state``.
    columns : mapping of str to Series
        The columns of the data that a fold may be read from.
    trust : collection of str
        The modules that the workspace's owner trusts.
    key : str
        Where the spec stands.

    Raises
    ------
    ConfigError
        A parameter or column does not exist, or the splitter stratifies what has no classes.
    """
    target = str(spec.target_for(task))
    if "Stratified" in target and task not in {Task.CLASSIFICATION, None}:
        name = target.rpartition(".")[2]
        raise ConfigError(f"{name} stratifies by class; the task is {task}", key=key, hint="choose split=kfold")
    if "column" in spec.params and target.endswith(".PredefinedSplit"):
        spec = _with_folds(spec, columns, f"{key}.column")
    if target == f"{__name__}.TimeSplit":
        spec = _with_times(spec, columns, f"{key}.column")
    if spec.params.get("shuffle") is False:  # then scikit-learn refuses a seed
        spec = replace(spec, params={k: v for k, v in spec.params.items() if k != "random_state"})
    return build(spec, role=Role.SPLITTER, task=task, seed=seed, trust=trust, key=key)


def _with_folds(spec: ComponentSpec, columns: Mapping[str, Any], key: str) -> ComponentSpec:
    name = spec.params["column"]
    if name not in columns:
        hint = did_you_mean(str(name), columns)
        raise ConfigError(f"the data has no column {name!r}", key=key, hint=hint)
    try:
        folds = fold_numbers(columns[name])
    except ValueError as error:
        raise ConfigError(f"column {name!r} holds no folds: {error}", key=key) from None
    if (folds == _ALWAYS_TRAIN).all():
        raise ConfigError(f"column {name!r} puts no row in a test fold", key=key)
    rest = {k: v for k, v in spec.params.items() if k != "column"}
    return replace(spec, params={**rest, "test_fold": folds})


def _with_times(spec: ComponentSpec, columns: Mapping[str, Any], key: str) -> ComponentSpec:
    """Give a splitter the times."""
    name = spec.params.get("column")
    if name is None:
        raise ConfigError("which column holds the time of each row?", key=key, hint="data.time=COLUMN")
    if name not in columns:
        raise ConfigError(f"the data has no column {name!r}", key=key, hint=did_you_mean(str(name), columns))
    rest = {k: v for k, v in spec.params.items() if k != "column"}
    return replace(spec, params={**rest, "times": columns[name]})


class TimeSplit:
    """Train on the past and test on what follows, cutting between times and never through one.

    As scikit-learn's TimeSeriesSplit, but it counts times, of which there may be many rows each (a day of many shops),
    and knows of a forecast when it is made: no value is trained on that is later.

    Parameters
    ----------
    n_splits : int, default=5
        How many.
    test_size : int, optional
        Times in each test part; an equal share of all by default.
    max_train_size : int, optional
        Times in the training part, the latest ones; all by default.
    gap : int, default=0
        Times left out between the two, besides what a forecast leaves out by itself.
    times : Series
        The time of each row, in order.
    origins : Series, optional
        When each row is forecast: at one of the times before it. The time before its own by default.

    Examples
    --------
    >>> import pandas as pd
    >>> for train, test in TimeSplit(2, times=pd.Series([1, 1, 2, 2, 3])).split():
    ...     print(train, test)
    [0 1] [2 3]
    [0 1 2 3] [4]
    """

    def __init__(
        self,
        n_splits: int = 5,
        *,
        test_size: int | None = None,
        max_train_size: int | None = None,
        gap: int = 0,
        times: Any,
        origins: Any = None,
    ) -> None:
        self.n_splits = n_splits
        self.test_size = test_size
        self.max_train_size = max_train_size
        self.gap = gap
        self.times = times
        self.origins = origins

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:  # noqa: ARG002 - scikit-learn's
        """Return how many splits there are."""
        return self.n_splits

    def split(self, X: Any = None, y: Any = None, groups: Any = None) -> Iterator[tuple[Any, Any]]:  # noqa: ARG002
        """Yield the training and the test rows of each split, as positions.

        Raises
        ------
        ValueError
            There are too few times, or a size is no whole number, or too small.
        """
        import numpy as np

        self._check_sizes()
        place, origin = self._places()
        count = len(np.unique(place))
        size = self.test_size or count // (self.n_splits + 1)
        last = int(origin.max()) + 1
        first = last - self.n_splits * size
        if size < 1 or not (place <= first).any():
            least = self.n_splits * (self.test_size or 1) + int((place - origin).max())
            raise ValueError(f"{self.n_splits} splits need at least {least} times, and there are {count}")
        for start in range(first, last, size):
            seen = place <= start
            if self.max_train_size is not None:
                seen &= place > start - self.max_train_size
            yield np.flatnonzero(seen), np.flatnonzero((origin >= start) & (origin < start + size))

    def _check_sizes(self) -> None:
        """Refuse sizes that would train on test rows, or part nothing."""
        for name, least in (("n_splits", 1), ("test_size", 1), ("max_train_size", 1), ("gap", 0)):
            value = getattr(self, name)
            is_left_out = value is None and name in {"test_size", "max_train_size"}
            if not is_left_out and (isinstance(value, bool) or not isinstance(value, Integral) or value < least):
                raise ValueError(f"{name} must be a whole number of at least {least}. Got {value!r} instead.")

    def _places(self) -> tuple[Any, Any]:
        """Return of each row the place of its time, and of the latest time that may be trained on to forecast it."""
        import numpy as np
        import pandas as pd

        times = pd.Series(self.times).reset_index(drop=True)
        if self.origins is None:
            place = np.unique(times, return_inverse=True)[1]
            return place, place - 1 - self.gap
        origins = pd.Series(self.origins).reset_index(drop=True)
        places = np.unique(pd.concat([times, origins]), return_inverse=True)[1]
        return places[: len(times)], places[len(times) :] - self.gap


def fold_numbers(column: pd.Series[Any]) -> np.ndarray[Any, Any]:
    """Return each row's test fold, -1 for rows that are always trained on.

    Numbers are folds as they stand, -1 included, and so are texts where all that are no ``train`` are numbers; True is
    the one test fold and False trains; of other texts, each is a fold whatever its case, but ``train``, -1 or nothing,
    which trains. A missing value trains.

    Raises
    ------
    ValueError
        A number is not whole.

    Examples
    --------
    >>> import pandas as pd
    >>> fold_numbers(pd.Series(["train", "test", None, "TEST"])).tolist()
    [-1, 0, -1, 0]
    >>> fold_numbers(pd.Series(["0", "1", "-1", "train"])).tolist()
    [0, 1, -1, -1]
    """
    import numpy as np
    import pandas as pd

    values = pd.Series(column).reset_index(drop=True)
    known = values.notna()
    folds = np.full(len(values), _ALWAYS_TRAIN, dtype=np.intp)
    if pd.api.types.is_bool_dtype(values.dtype):
        folds[known & values.eq(True)] = 0
    elif pd.api.types.is_numeric_dtype(values.dtype):
        folds[known] = _whole(values[known].astype(float))
    else:
        texts = values.astype("string").str.strip().str.lower()
        named = known & ~texts.isin(_TRAIN_WORDS)
        numbers = pd.to_numeric(texts[named].astype(object), errors="coerce")
        if numbers.notna().all():
            folds[named] = _whole(numbers.astype(float))
        else:
            tested = named & texts.ne(str(_ALWAYS_TRAIN))
            folds[tested] = pd.factorize(texts[tested], sort=True)[0]
    return folds


def _whole(numbers: pd.Series[Any]) -> np.ndarray[Any, Any]:
    wrong = numbers[numbers % 1 != 0]
    if len(wrong):
        raise ValueError(f"{wrong.iloc[0]} is not a whole number")
    return numbers.to_numpy().astype(int)
