"""The splits of each trial, and what they say about groups, times and repeated rows."""

from __future__ import annotations

import hashlib
import inspect
import re
import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mlops_cli.analysis.checks import check_dataset, check_held_out, check_metrics, check_splits
from mlops_cli.components.assemble import Assembly
from mlops_cli.components.forecasting import origins_of
from mlops_cli.components.metric_names import why_undefined
from mlops_cli.errors import ConfigError, DataError
from mlops_cli.execution.pruning import is_idle
from mlops_cli.planning.fingerprint import fingerprint
from mlops_cli.records import Notice, SplitsInfo, Task
from mlops_cli.workflows.data.load import split_columns

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from mlops_cli.config.workspace import Workspace
    from mlops_cli.execution.job import Split
    from mlops_cli.records import ComponentSpec, Dataset, Plan, PrunerSpec, SweepSpec, Trial
    from mlops_cli.workflows.data.load import Loaded

MOST_SPLITS = 100
"""More splits than this nobody is told to choose."""

GROUPED = {
    "StratifiedKFold": "StratifiedGroupKFold",
    "KFold": "GroupKFold",
    "StratifiedShuffleSplit": "GroupShuffleSplit",
    "ShuffleSplit": "GroupShuffleSplit",
}
"""The splitters of scikit-learn that keep groups together, by those that do not."""


def split_key(trial: Trial) -> str:
    """Return the key that trials with the same splits share."""
    return fingerprint({"split": repr(trial.spec.split), "seed": trial.spec.seed})[:16]


_FEW_OF_EACH = re.compile(r"The (test|train)_size = (\d+) should be greater or equal to the number of classes = (\d+)")


def splits_for(trial: Trial, loaded: Loaded, workspace: Workspace) -> tuple[Split, ...]:
    """Return the splits of a trial.

    Raises
    ------
    DataError
        The data cannot be split like that.
    """
    dataset = loaded.train
    spec = replace(trial.spec, split=_for_groups(trial.spec.split, dataset, loaded.task))
    assembly = Assembly(spec, loaded.task, dataset.features, workspace.trust)
    splitter = assembly.splitter(dict(split_columns(dataset)), origins_of(dataset))
    y = dataset.y if dataset.y is not None else np.zeros(dataset.rows)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a class with few members is said in our own words
            found = tuple((_rows(a), _rows(b)) for a, b in splitter.split(dataset.X, y, dataset.groups))
    except Exception as error:
        text = f"split: {type(splitter).__name__} cannot split the data: {_in_words(error)}"
        raise DataError(text, hint=_mend(error, splitter)) from error
    if not found or any(len(train) == 0 or len(test) == 0 for train, test in found):
        raise DataError("split: a split without training or test rows", hint="choose another split, or fewer splits")
    return found


def _rows(part: Any) -> Any:
    """Return the rows that a splitter gives as positions, also where it gives a list or a mask."""
    rows = np.asarray(part)
    return np.flatnonzero(rows) if rows.dtype == bool else rows


def _in_words(error: Exception) -> str:
    """Return what a splitter raised, in our own words where scikit-learn's are those of its parameters."""
    said = str(error)
    if found := re.search(r"n_splits=(\d+) greater than the number of samples: n_samples=(\d+)", said):
        return f"{found[1]} splits of {found[2]} rows"
    if found := _FEW_OF_EACH.search(said):
        return f"{found[2]} {'row' if found[2] == '1' else 'rows'} to {found[1]} cannot have each of {found[3]} classes"
    return said


def _mend(error: Exception, splitter: Any) -> str:
    if "'groups'" in str(error):  # the parameter, which is None
        return "name the column of the groups by data.group"
    if wrong := re.match(r"(\w+) must be", str(error)):
        return f"correct split.{wrong[1]}"
    if "least populated class" in str(error):
        return "more rows of that class, or leave it out; split=kfold parts rows whatever their class"
    if _FEW_OF_EACH.search(str(error)):
        return "more rows, another split.test_size, or split=shuffle, which parts rows whatever their class"
    if "n_splits" not in inspect.signature(type(splitter)).parameters:
        return "choose another split"
    fewer = "choose fewer splits (split.n_splits=2)"
    return f"{fewer}, or split=kfold, which parts rows whatever their class" if _is_by_class(splitter) else fewer


def _is_by_class(splitter: Any) -> bool:
    return "Stratified" in type(splitter).__name__ and "Group" not in type(splitter).__name__


def _for_groups(split: ComponentSpec, dataset: Dataset, task: Task) -> ComponentSpec:
    """Return the variant that keeps groups together of an option that means another splitter for each task.

    Such an option (``auto``, ``hold_out``) leaves the choice to the data; one splitter by name is taken at its word.
    """
    if dataset.groups is None or isinstance(split.target, str):
        return split
    package, _, name = str(split.target_for(task)).rpartition(".")
    return replace(split, target=f"{package}.{GROUPED[name]}") if name in GROUPED else split


def splits_info(splits: Sequence[Split], loaded: Loaded) -> SplitsInfo:
    """Return what tells whether the scores of two runs were taken on the same rows, part by part.

    The columns that a model sees have no say in it: runs with other features compare row by row all the same. Where
    nothing is to be predicted, it is the whole data that tells its rows from another's.
    """
    digest = hashlib.sha256()
    for part in (rows for split in splits for rows in split):
        digest.update(f"{len(part)}:".encode())
        digest.update(np.ascontiguousarray(loaded.train_rows[part], dtype=np.int64).tobytes())
    y = loaded.train.y
    told = loaded.train.version.version if y is None else "\0".join(map(str, y.tolist()))
    digest.update(told.encode())
    share = sum(len(test) / len(train) for train, test in splits) / len(splits)
    return SplitsInfo(digest.hexdigest(), len(splits), share, loaded.train.rows)


def data_notices(loaded: Loaded, plan: Plan, splits: Mapping[str, tuple[Split, ...]]) -> list[Notice]:
    """Return everything that is worth saying about the data before a fit."""
    supervised = loaded.train.y is not None
    across = check_splits(loaded.train, next(iter(splits.values()))) if supervised else []
    notices = [
        *check_dataset(loaded.train, loaded.task, _parts(loaded.train, splits)),
        *check_metrics(loaded.train, loaded.task, plan.primary),
        *across,
        *_held_copies(loaded),
        *_ignored_roles(loaded.train, splits),
        *_held_groups(loaded),
    ]
    return [n for n in notices if not (across and n.code == "duplicate-rows")]  # the one says more than the other


def _parts(dataset: Dataset, splits: Mapping[str, tuple[Split, ...]]) -> int | None:
    """Return among how many test parts the rows of a class are dealt out; None where none is to have them all.

    Repeated splits deal them out anew each time, and one row at a time has a single class whatever there is.
    """
    classes = 0 if dataset.y is None else len(np.unique(dataset.y))
    sizes = {key: float(np.mean([len(test) for _, test in found])) for key, found in splits.items()}
    parts = [min(len(splits[k]), round(dataset.rows / size)) for k, size in sizes.items() if size >= classes]
    return max(parts, default=None)


def _held_copies(loaded: Loaded) -> list[Notice]:
    if loaded.test is None:
        return []
    return check_held_out(loaded.train, loaded.test, is_file=loaded.test_version is not None)


def refuse_undefined(plan: Plan, own: Collection[str], loaded: Loaded, splits: Mapping[str, tuple[Split, ...]]) -> None:
    """Refuse metrics that have no value on the test rows of some split, whatever is fitted.

    Parameters
    ----------
    plan : Plan
        With its metrics.
    own : collection of str
        The names of metrics of the user's own, of which nothing is known.
    loaded : Loaded
        The data.
    splits : mapping
        The splits of the trials by their key.

    Raises
    ------
    ConfigError
        They fail every trial; the message says why, and which metrics are left.
    """
    shapes = [_test_shapes(loaded.train, loaded.task, found) for found in splits.values()]
    names = [m.name for m in plan.metrics]
    wrong = {n: why for n in names if n not in own and (why := _undefined(n, shapes))}
    if not wrong:
        return
    left = [n for n in names if n not in wrong] or ["accuracy" if loaded.task is Task.CLASSIFICATION else "mae"]
    raise ConfigError(
        f"{', '.join(wrong)} cannot be computed on every split: {next(iter(wrong.values()))}",
        key="evaluation.metrics",
        hint=f"evaluation.metrics=[{','.join(left)}], or another split",
    )


def _undefined(name: str, shapes: Sequence[set[tuple[int, int, int]]]) -> str | None:
    """Return why a metric has no value on some split of every trial; None where a trial may have it."""
    found = [next(filter(None, (why_undefined(name, *shape) for shape in sorted(s))), None) for s in shapes]
    return found[0] if all(found) else None


def _test_shapes(dataset: Dataset, task: Task, splits: Iterable[Split]) -> set[tuple[int, int, int]]:
    """Return, of each split, how many classes are trained on, how many of them tested, and how many rows."""
    if task is not Task.CLASSIFICATION or dataset.y is None:
        return {(0, 0, len(test)) for _, test in splits}
    codes = np.unique(dataset.y, return_inverse=True)[1]
    of = [(np.bincount(codes[train]) > 0, np.bincount(codes[test]) > 0, len(test)) for train, test in splits]
    return {(int(train.sum()), int(test.sum()), rows) for train, test, rows in of}


def idle_pruner(pruner: PrunerSpec, splits: int, *, has_table: bool = True) -> list[Notice]:
    """Return the notice that a pruner has nothing to prune by (``idle-pruner``), where trials have too few splits.

    Parameters
    ----------
    pruner : PrunerSpec
        What is asked for.
    splits : int
        How many splits a trial has.
    has_table : bool
        Whether they are of rows; else they are repetitions.
    """
    if not is_idle(pruner, splits):
        return []
    enough = next((n for n in range(splits + 1, MOST_SPLITS) if not is_idle(pruner, n)), None)
    more = f"{enough} splits or more" if has_table else f"evaluation.repetitions={enough}"
    mends = [more] if enough is not None else []
    mends += ["sweep.pruner={name: halving, over: rows}"] if has_table else []
    word = "split" if has_table else "repetition"
    has = f"a single {word}" if splits == 1 else f"{splits} {word}s"
    text = f"sweep.pruner {pruner.name} stops no trial here: each has {has}; choose {', or '.join(mends)}"
    return [Notice("idle-pruner", text)]


def different_splits(sweep: SweepSpec, *, has_table: bool = True) -> list[Notice]:
    """Return the notice that trials are not scored on the same rows (``different-splits``), where a sweep does that.

    Parameters
    ----------
    sweep : SweepSpec
        What is tried.
    has_table : bool
        Whether there are rows; else trials are repeated by other seeds (``different-seeds``).
    """
    swept = sorted({d.key for s in sweep.subspaces for d in s if d.key.partition(".")[0] in {"split", "seed"}})
    if not swept:
        return []
    if not has_table:
        text = "trials that differ in seed are repeated by other seeds, so their scores differ by chance too"
        return [Notice("different-seeds", f"{text}; compare them on one seed, with evaluation.repetitions=5")]
    text = (
        f"trials that differ in {', '.join(swept)} are scored on different test rows, so their scores differ by chance"
    )
    return [Notice("different-splits", f"{text} too; compare models on one split and one seed")]


def _ignored_roles(dataset: Dataset, splits: Mapping[str, tuple[Split, ...]]) -> list[Notice]:
    every = [pair for found in splits.values() for pair in found]
    found = []
    if dataset.groups is not None and any(_overlap(dataset.groups, *pair) for pair in every):
        text = "rows of one group are on both sides of a split: choose split=group_kfold or stratified_group_kfold"
        found.append(Notice("group-overlap", text))
    choice = "forecast" if origins_of(dataset) is not None else "time_series"
    if dataset.times is not None and any(train.max() > test.min() for train, test in every):
        text = f"a split trains on rows that are later than those it is scored on: choose split={choice}"
        found.append(Notice("time-travel", text))
    elif any(_too_early(dataset, *pair) for pair in every):
        text = "a split trains on values that are not yet known when its test rows are forecast: choose split=forecast"
        found.append(Notice("time-travel", text))
    return found


def _too_early(dataset: Dataset, train: Any, test: Any) -> bool:
    """Whether rows are trained on that are later than a forecast of test rows is made."""
    origin = origins_of(dataset)
    if origin is None or dataset.times is None:
        return False
    return bool(dataset.times.iloc[train].max() > origin.iloc[test].min())


def _held_groups(loaded: Loaded) -> list[Notice]:
    """Say that groups are on both sides of the hold-out, as a cut in time may leave them."""
    if loaded.test is None or loaded.train.groups is None or loaded.test.groups is None:
        return []
    shared = np.intersect1d(loaded.train.groups, loaded.test.groups).size
    if not shared:
        return []
    return [Notice("group-overlap", f"{shared} groups have rows in the training data and in evaluation.test")]


def _overlap(groups: Any, train: Any, test: Any) -> bool:
    return bool(np.isin(groups[test], groups[train]).any())
