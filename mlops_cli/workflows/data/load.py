"""The data of an experiment: read, checked, put into roles, and parted into training and held-out rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mlops_cli.components.dataset import make_dataset, read_table
from mlops_cli.components.forecasting import supervised
from mlops_cli.components.sources.secrets import masked, refuse_secrets
from mlops_cli.errors import ConfigError
from mlops_cli.records import ForecastSpec, Task
from mlops_cli.workflows.data.expect import check_expected
from mlops_cli.workflows.data.fetch import ready_source
from mlops_cli.workflows.data.held_out import hold_out, read_apart
from mlops_cli.workflows.data.keep import as_kept, compared, keep, sha256_of, snapshots_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_cli.components.seasons import Season
    from mlops_cli.config.workspace import Workspace
    from mlops_cli.records import ComponentSpec, Dataset, DatasetVersion, ExperimentSpec
    from mlops_cli.store.snapshots import Snapshot
    from mlops_cli.workflows.data.fetch import Ready

    Rows = np.ndarray[Any, Any]


_LONGEST_QUERY = 120
"""Characters of a query by which a source is called."""


@dataclass(frozen=True)
class Loaded:
    """The data of a run: what trials see, and what is kept from them until the end."""

    train: Dataset
    task: Task
    train_rows: Rows  # the place of each in its source, counted from 0
    test: Dataset | None = None
    test_rows: Rows | None = None
    season: Season | None = None  # of a forecast

    @property
    def test_version(self) -> DatasetVersion | None:
        """The version of held-out rows that come from somewhere else than the training rows."""
        if self.test is None or self.test.version is self.train.version:
            return None
        return self.test.version


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
    season = None
    if spec.data.forecast is not None:
        dataset, places, season = _with_past(dataset, places, spec, task)
    test = spec.evaluation.test
    if isinstance(test, str):
        apart = read_apart(test, dataset, task, spec, workspace)
        dataset = replace(dataset, notices=(*dataset.notices, *apart.notices))
        return Loaded(dataset, task, places, apart.dataset, apart.places)
    if test is None:
        return Loaded(dataset, task, places, season=season)
    train, held = hold_out(dataset, task, float(test), spec.trial.seed)
    return Loaded(subset(dataset, train), task, places[train], subset(dataset, held), places[held], season)


def _read(spec: ExperimentSpec, workspace: Workspace) -> tuple[Dataset, Task, Rows]:
    """Read the source, or what an earlier run saw of it, and keep what lies elsewhere."""
    refuse_secrets(spec.config.get("data") or {}, "data")
    refuse_secrets(spec.config.get("evaluation"), "evaluation")
    found = find(spec, workspace)
    ready, kept = found.ready, found.kept
    with ready.told():
        table, notices = read_table(ready.source, spec.data)
        expected = check_expected(table, spec.data.expect, workspace)
        said_so_far = (*ready.gathered.notices, *notices, *expected)
        dataset, task = make_dataset(table, spec.data, spec.task, source=found.called, notices=said_so_far)
    snapshots = snapshots_of(workspace)
    more = keep(dataset.version, table, ready, snapshots) if kept is None else compared(dataset.version, kept)
    version = replace(dataset.version, sha256=sha256_of(ready))
    return replace(dataset, version=version, notices=(*dataset.notices, *more)), task, table.index.to_numpy()


@dataclass(frozen=True)
class Found:
    """Where an experiment's data is."""

    ready: Ready
    kept: Snapshot | None  # where it is read as an earlier run saw it
    spec: ExperimentSpec

    @property
    def called(self) -> str:
        """How the record calls it."""
        if self.kept is not None:
            return self.kept.source
        said = self.spec.config.get("data") or {}
        return ", ".join(self.ready.gathered.versions) or _called(self.spec.data.source, said)


def find(spec: ExperimentSpec, workspace: Workspace) -> Found:
    """Return the source of an experiment's data, ready to be read: as it is now, or as an earlier run saw it."""
    snapshots = snapshots_of(workspace)
    wanted = spec.data.source.params.get("snapshot")
    kept = snapshots.find(str(wanted)) if wanted is not None else None
    return Found(as_kept(kept, snapshots) or ready_source(spec.data.source, workspace, snapshot=kept), kept, spec)


def _called(source: ComponentSpec, said: Mapping[str, Any]) -> str:
    """Return how the record calls a source: as the config may be saved, without secrets; or by its class.

    A table or query of a data base comes after its place, or after the kind of source where it has none.
    """
    params = {**source.params, **said}
    named = next((params[key] for key in ("path", "dataset", "competition", "url") if params.get(key)), None)
    place = ", ".join(map(str, named)) if isinstance(named, list) else "" if named is None else str(named)
    asked = params.get("query") or params.get("table")
    if asked is None:
        return masked(place) or str(source.target)
    kind = str(source.target).rpartition(".")[2].removesuffix("Source").lower()
    query = " ".join(str(asked).split())
    return masked(f"{place or kind}: {query if len(query) <= _LONGEST_QUERY else query[:_LONGEST_QUERY] + '…'}")


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


def _with_past(dataset: Dataset, places: Rows, spec: ExperimentSpec, task: Task) -> tuple[Dataset, Rows, Season]:
    """Return the rows that a forecast learns from, each with what it may see of the past, and the season."""
    if isinstance(spec.evaluation.test, str):
        message = "the past of a file's rows lies in another file: put both into one"
        raise ConfigError(message, key="evaluation.test", hint="give a share, which holds out the last rows")
    made = supervised(dataset, spec.data.forecast or ForecastSpec(), task)
    rows = subset(dataset, made.rows)
    notices = (*dataset.notices, *made.notices)
    extra = {**rows.extra, **made.extra}
    seen = replace(rows, X=made.X, features=made.features, extra=extra, made=made.made, notices=notices)
    return seen, places[made.rows], made.season


def _time_order(dataset: Dataset) -> Rows:
    """Return the rows in the order of their time column: a time-series split counts on it."""
    if dataset.times is None:
        return np.arange(dataset.rows)
    return dataset.times.to_numpy().argsort(kind="stable")


def split_columns(dataset: Dataset) -> Mapping[str, Any]:
    """Return every column by name that a predefined split may be read from."""
    roles = {str(series.name): series for series in (dataset.ids, dataset.times) if series is not None}
    return {**{name: dataset.X[name] for name in dataset.X.columns}, **roles, **dataset.extra}
