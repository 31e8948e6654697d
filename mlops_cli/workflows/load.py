"""The data of an experiment: read, checked, put into roles, and parted into training and held-out rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mlops_cli.components.dataset import make_dataset, read_table, reading_as_text
from mlops_cli.components.forecasting import ORIGIN, supervised
from mlops_cli.components.sources.secrets import masked, refuse_passwords
from mlops_cli.components.tables import conform, text_columns
from mlops_cli.errors import ConfigError, DataError
from mlops_cli.records import ForecastSpec, Task
from mlops_cli.workflows.expect import check_expected
from mlops_cli.workflows.fetch import ready_source
from mlops_cli.workflows.keep import as_kept, compared, keep, snapshots_of

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    dataset, task, places = _read(spec, workspace)
    order = _time_order(dataset)
    dataset, places = subset(dataset, order), places[order]
    if spec.data.forecast is not None:
        dataset, places = _with_past(dataset, places, spec, task)
    test = spec.evaluation.test
    if isinstance(test, str):
        return _with_test_file(Loaded(dataset, task, places), spec, workspace)
    if test is None:
        return Loaded(dataset, task, places)
    train, held = _hold_out(dataset, task, float(test), spec.trial.seed)
    return Loaded(subset(dataset, train), task, places[train], subset(dataset, held), places[held])


def _read(spec: ExperimentSpec, workspace: Workspace) -> tuple[Dataset, Task, Rows]:
    """Read the source, or what an earlier run saw of it, and keep what lies elsewhere."""
    said = spec.config.get("data") or {}
    refuse_passwords(said, "data")
    refuse_passwords(spec.config.get("evaluation"), "evaluation")
    snapshots = snapshots_of(workspace)
    wanted = spec.data.source.params.get("snapshot")
    kept = snapshots.find(str(wanted)) if wanted is not None else None
    ready = as_kept(kept, snapshots) or ready_source(spec.data.source, workspace, snapshot=kept)
    with ready.told():
        table, notices = read_table(ready.source, spec.data)
        expected = check_expected(table, spec.data.expect, workspace)
        called = kept.source if kept else ", ".join(ready.gathered.versions) or _called(spec.data.source, said)
        said_so_far = (*ready.gathered.notices, *notices, *expected)
        dataset, task = make_dataset(table, spec.data, spec.task, source=called, notices=said_so_far)
    more = keep(dataset.version, table, ready, snapshots) if kept is None else compared(dataset.version, kept)
    return replace(dataset, notices=(*dataset.notices, *more)), task, table.index.to_numpy()


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
    return ready_source(spec.source, workspace, path).source


def _called(source: ComponentSpec, said: Mapping[str, Any]) -> str:
    """Return how the record calls a source: as the config may be saved, without secrets; or by its class."""
    params = {**source.params, **said}
    for key in ("path", "dataset", "competition", "table", "url"):
        if params.get(key):
            named = params[key]
            return masked(", ".join(map(str, named)) if isinstance(named, list) else str(named))
    return str(source.target)


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


def _with_past(dataset: Dataset, places: Rows, spec: ExperimentSpec, task: Task) -> tuple[Dataset, Rows]:
    """Return the rows that a forecast learns from, each with what it may see of the past."""
    if isinstance(spec.evaluation.test, str):
        message = "the past of a file's rows lies in another file: put both into one"
        raise ConfigError(message, key="evaluation.test", hint="give a share, which holds out the last rows")
    made = supervised(dataset, spec.data.forecast or ForecastSpec(), task)
    rows = subset(dataset, made.rows)
    notices = (*dataset.notices, *made.notices)
    extra = {**rows.extra, **made.extra}
    return replace(rows, X=made.X, features=made.features, extra=extra, notices=notices), places[made.rows]


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
        return rows[:cut], _forecast_after(rows, cut, dataset)
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


def _forecast_after(rows: Rows, cut: int, dataset: Dataset) -> Rows:
    """Return the rows after a cut; of a forecast those that are made when all rows before the cut are known."""
    held, origin, times = rows[cut:], dataset.extra.get(ORIGIN), dataset.times
    if origin is None or times is None:
        return held
    known: Rows = (origin.iloc[held] >= times.iloc[cut - 1]).to_numpy()
    return np.asarray(held[known])


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
    ready = ready_source(spec.data.source, workspace, path)
    source = reading_as_text(ready.source, text_columns(dataset.features))
    with ready.told():
        table, said = read_table(source, spec.data)
    if spec.data.target is not None and spec.data.target not in table.columns:
        raise ConfigError(
            f"{path} has no column '{spec.data.target}', so it cannot be scored on",
            key="evaluation.test",
            hint="give a labelled file, or a share such as 0.2",
        )
    features = conform(table, dataset.features, spec.data.dtypes)
    # What is dropped need not be there, and the features are known by now.
    wanted = replace(spec.data, drop=(), features=tuple(c.name for c in dataset.features))
    test, _ = make_dataset(table, wanted, task, source=masked(path))
    test = replace(test, X=features, features=dataset.features)
    dropped = tuple(replace(n, message=f"{path}: {n.message}") for n in said if n.code == "rows-dropped")
    dataset = replace(dataset, notices=(*dataset.notices, *dropped))
    return replace(loaded, train=dataset, test=test, test_rows=table.index.to_numpy())


def split_columns(dataset: Dataset) -> Mapping[str, Any]:
    """Return every column by name that a predefined split may be read from."""
    roles = {str(series.name): series for series in (dataset.ids, dataset.times) if series is not None}
    return {**{name: dataset.X[name] for name in dataset.X.columns}, **roles, **dataset.extra}
