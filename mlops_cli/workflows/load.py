"""The data of an experiment: read, checked, put into roles, and parted into training and held-out rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mlops_cli.analysis.expect import check_expect
from mlops_cli.components.build import build
from mlops_cli.components.dataset import make_dataset, read_table, reading_as_text
from mlops_cli.components.tables import conform, text_columns
from mlops_cli.components.targets import Role
from mlops_cli.errors import ConfigError, DataError
from mlops_cli.records import Task

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from mlops_cli.config.workspace import Workspace
    from mlops_cli.contracts import DataSource
    from mlops_cli.records import ComponentSpec, Dataset, DataSpec, ExperimentSpec

    Rows = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Loaded:
    """The data of a run: what trials see, and what is kept from them until the end."""

    train: Dataset
    task: Task
    train_rows: Rows  # the place of each in its source, counted from 0
    test: Dataset | None = None
    test_rows: Rows | None = None

    @property
    def has_test_file(self) -> bool:
        """Whether the held-out rows come from a file of their own, and so have a version of their own."""
        return self.test is not None and self.test.version is not self.train.version


def load(spec: ExperimentSpec, workspace: Workspace) -> Loaded:
    """Read an experiment's data and hold its test rows out.

    Raises
    ------
    DataError
        The data cannot be read, breaks what ``data.expect`` declares, or cannot be learned from.
    ConfigError
        A column that the config names is not there.
    """
    check_seed(spec.trial.seed)
    _check_path(spec.data)
    table, notices = read_table(make_source(spec.data, workspace), spec.data)
    check_expect(table, spec.data.expect)
    dataset, task = make_dataset(table, spec.data, spec.task, source=_called(spec.data.source), notices=notices)
    order = _time_order(dataset)
    dataset, places = subset(dataset, order), table.index.to_numpy()[order]
    test = spec.evaluation.test
    if isinstance(test, str):
        return _with_test_file(Loaded(dataset, task, places), spec, workspace)
    if test is None:
        return Loaded(dataset, task, places)
    train, held = _hold_out(dataset, task, float(test), spec.trial.seed)
    return Loaded(subset(dataset, train), task, places[train], subset(dataset, held), places[held])


def _check_path(spec: DataSpec) -> None:
    """Refuse a path that is none; a source of the user's own may take what it likes."""
    path = spec.source.params.get("path", "")
    if not isinstance(path, str) and str(spec.source.target).startswith("mlops_cli."):
        found = "null" if path is None else repr(path)
        raise ConfigError(f"found {found}, must be the path of a file", key="data.path", hint="data.path=data/FILE.csv")


def check_seed(seed: int) -> None:
    """Refuse a seed that numpy's generators do not take.

    Raises
    ------
    ConfigError
        With the range.
    """
    if not 0 <= seed < 2**32:
        raise ConfigError(f"found {seed}, must be a whole number from 0 to {2**32 - 1}", key="seed")


def make_source(spec: DataSpec, workspace: Workspace, path: str | None = None) -> DataSource:
    """Build the source of a data spec.

    Parameters
    ----------
    spec : DataSpec
        Where the data is.
    workspace : Workspace
        What relative paths start from.
    path : str, optional
        Another file, to be read in the same way.
    """
    located = _located(spec.source, workspace.root, path)
    source: DataSource = build(located, role=Role.SOURCE, trust=workspace.trust, key="data")
    return source


def _called(source: ComponentSpec) -> str:
    """Return how the record calls a source: its path as the config has it, or its class."""
    named = source.params.get("path") or source.params.get("dataset")
    return str(named) if named else str(source.target)


def _located(source: ComponentSpec, root: Path, path: str | None) -> ComponentSpec:
    """Return the source with its path made absolute."""
    given = path if path is not None else source.params.get("path")
    if not isinstance(given, str) or "://" in given:
        return source
    return replace(source, params={**source.params, "path": str(root / given)})


# --- rows --------------------------------------------------------------------------------------------------------


def subset(dataset: Dataset, rows: Rows) -> Dataset:
    """Return the dataset of some rows, in that order; its version is still that of the whole."""

    def taken(part: Any) -> Any:
        return None if part is None else part[rows]

    def series(part: Any) -> Any:
        return None if part is None else part.iloc[rows].reset_index(drop=True)

    return replace(
        dataset,
        X=series(dataset.X),
        y=taken(dataset.y),
        ids=series(dataset.ids),
        groups=taken(dataset.groups),
        weights=taken(dataset.weights),
        times=series(dataset.times),
        extra={name: series(column) for name, column in dataset.extra.items()},
    )


def _time_order(dataset: Dataset) -> Rows:
    """Return the rows in the order of their time column: a time-series split counts on it."""
    if dataset.times is None:
        return np.arange(dataset.rows)
    return dataset.times.to_numpy().argsort(kind="stable")


def _hold_out(dataset: Dataset, task: Task, share: float, seed: int) -> tuple[Rows, Rows]:
    """Choose the held-out rows: the last in time, whole groups, or a draw stratified by class."""
    from sklearn.model_selection import GroupShuffleSplit, train_test_split

    rows = np.arange(dataset.rows)
    if dataset.times is not None:
        cut = _cut_in_time(dataset.times.to_numpy(), share)
        return rows[:cut], rows[cut:]
    try:
        if dataset.groups is not None:
            splitter = GroupShuffleSplit(n_splits=1, test_size=share, random_state=seed)
            train, test = next(splitter.split(rows, groups=dataset.groups))
        else:
            stratify = dataset.y if task is Task.CLASSIFICATION else None
            train, test = train_test_split(rows, test_size=share, random_state=seed, stratify=stratify)
    except ValueError as error:
        raise DataError(
            f"evaluation.test: cannot hold out {share:.0%} of {dataset.rows} rows: {error}",
            hint="evaluation.test=null holds nothing out",
        ) from error
    return np.sort(train), np.sort(test)


def _cut_in_time(times: Any, share: float) -> int:
    """Return where the held-out rows begin: never between rows of the same time."""
    changes = np.flatnonzero(times[1:] != times[:-1]) + 1
    if not changes.size:
        raise DataError("evaluation.test: all rows have the same data.time", hint="evaluation.test=null")
    wanted = len(times) - max(1, round(share * len(times)))
    return int(changes[np.abs(changes - wanted).argmin()])


def _with_test_file(loaded: Loaded, spec: ExperimentSpec, workspace: Workspace) -> Loaded:
    path = str(spec.evaluation.test)
    try:
        return _joined_by(loaded, path, spec, workspace)
    except DataError as error:
        raise DataError(f"evaluation.test: {error.message}", hint=error.hint) from error
    except ConfigError as error:
        if error.key is None or not error.key.startswith("data"):
            raise
        raise ConfigError(f"{path}: {error.message}, as {error.key} says", key="evaluation.test") from error


def _joined_by(loaded: Loaded, path: str, spec: ExperimentSpec, workspace: Workspace) -> Loaded:
    dataset, task = loaded.train, loaded.task
    source = reading_as_text(make_source(spec.data, workspace, path), text_columns(dataset.features))
    table, said = read_table(source, spec.data)
    if spec.data.target is not None and spec.data.target not in table.columns:
        raise ConfigError(
            f"{path} has no column '{spec.data.target}', so it cannot be scored on",
            key="evaluation.test",
            hint="give a labelled file, or a share such as 0.2",
        )
    features = conform(table, dataset.features, spec.data.dtypes)
    test, _ = make_dataset(table, spec.data, task, source=path)
    test = replace(test, X=features, features=dataset.features)
    dropped = tuple(replace(n, message=f"{path}: {n.message}") for n in said if n.code == "rows-dropped")
    dataset = replace(dataset, notices=(*dataset.notices, *dropped))
    return replace(loaded, train=dataset, test=test, test_rows=table.index.to_numpy())


def split_columns(dataset: Dataset) -> Mapping[str, Any]:
    """Return every column by name that a predefined split may be read from."""
    roles = {str(series.name): series for series in (dataset.ids, dataset.times) if series is not None}
    return {**{name: dataset.X[name] for name in dataset.X.columns}, **roles, **dataset.extra}
