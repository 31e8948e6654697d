"""The rows that are kept from all trials until the end: a share of the data, or a file or data set of their own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mlops_cli.components.dataset import make_dataset, read_table, reading_as_text
from mlops_cli.components.forecasting import origins_of
from mlops_cli.components.sources.secrets import masked
from mlops_cli.components.tables import conform, text_columns
from mlops_cli.errors import ConfigError, DataError
from mlops_cli.records import Task
from mlops_cli.store.layout import WorkspacePaths
from mlops_cli.store.remote import Remote
from mlops_cli.workflows.data.expect import check_expected
from mlops_cli.workflows.data.fetch import ready_source
from mlops_cli.workflows.data.keep import as_kept, keep, sha256_of, snapshots_of
from mlops_cli.workflows.data.versions import held_out_version

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_cli.config.workspace import Workspace
    from mlops_cli.records import ComponentSpec, Dataset, ExperimentSpec, Notice
    from mlops_cli.store.snapshots import Snapshot
    from mlops_cli.workflows.data.fetch import Ready

    Rows = np.ndarray[Any, Any]

SNAPSHOT = "snapshot:"
_OF_ANY_ROWS = ("columns", "compare", "unique", "severity", "_target_")
"""What ``data.expect`` says that holds for held-out rows too: how many they are and how fresh is not of them."""

# --- a share of the rows -----------------------------------------------------------------------------------------


def hold_out(dataset: Dataset, task: Task, share: float, seed: int) -> tuple[Rows, Rows]:
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
    held, origin, times = rows[cut:], origins_of(dataset), dataset.times
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


# --- rows of their own -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Apart:
    """Held-out rows that were read from somewhere else."""

    dataset: Dataset
    places: Rows  # the place of each row in its source, counted from 0
    notices: tuple[Notice, ...] = ()


def read_apart(test: str, train: Dataset, task: Task, spec: ExperimentSpec, workspace: Workspace) -> Apart:
    """Read held-out rows from a file, an address, a version of a data set, or what an earlier run saw.

    Parameters
    ----------
    test : str
        A path, read as the data is; ``titanic@3``; or ``snapshot:VERSION``.
    train : Dataset
        The rows that trials see, whose columns these must have.

    Raises
    ------
    DataError, ConfigError
        They cannot be read, or do not suit the training rows; the message names ``evaluation.test``.
    """
    try:
        return _read_apart(test, train, task, spec, workspace)
    except DataError as error:
        error.message = f"evaluation.test: {error.message}"
        error.args = (error.message,)
        raise
    except ConfigError as error:
        if error.key is None or not error.key.startswith("data"):
            raise
        raise ConfigError(f"{test}: {error.message}, as {error.key} says", key="evaluation.test") from error


def _read_apart(test: str, train: Dataset, task: Task, spec: ExperimentSpec, workspace: Workspace) -> Apart:
    ready = _ready(test, spec, workspace)
    source = reading_as_text(ready.source, text_columns(train.features))
    with ready.told():
        # All rows, and what is dropped need not be there.
        table, said = read_table(source, replace(spec.data, sample=None, drop=()), train.features)
        expected = check_expected(table, _of_any_rows(spec.data.expect, table.columns), workspace)
    if spec.data.target is not None and spec.data.target not in table.columns:
        raise ConfigError(
            f"{test} has no column '{spec.data.target}', so it cannot be scored on",
            key="evaluation.test",
            hint="give labelled rows, or a share such as 0.2",
        )
    features = conform(table, train.features, spec.data.dtypes)
    # What is dropped need not be there, and the features are known by now.
    wanted = replace(spec.data, drop=(), features=tuple(c.name for c in train.features))
    made, _ = make_dataset(table, wanted, task, source=_called(test, workspace))
    kept = [] if test.startswith(SNAPSHOT) else keep(made.version, table, ready, snapshots_of(workspace))
    dropped = (notice for notice in said if notice.code == "rows-dropped")
    notices = tuple(replace(n, message=f"{masked(test)}: {n.message}") for n in (*dropped, *expected, *kept))
    version = replace(made.version, sha256=sha256_of(ready))
    return Apart(replace(made, X=features, features=train.features, version=version), table.index.to_numpy(), notices)


def _called(test: str, workspace: Workspace) -> str:
    """Return how the record calls held-out rows: of a snapshot where it came from."""
    if not test.startswith(SNAPSHOT):
        return masked(test)
    return snapshots_of(workspace).find(test.removeprefix(SNAPSHOT), "evaluation.test").source


def _ready(test: str, spec: ExperimentSpec, workspace: Workspace) -> Ready:
    source = spec.data.source
    if test.startswith(SNAPSHOT):
        return ready_snapshot(test, source, workspace)
    named = held_out_version(test, source, workspace)
    return ready_source(source, workspace, test) if named is None else ready_source(named, workspace)


def ready_snapshot(ref: str, source: ComponentSpec, workspace: Workspace, key: str = "evaluation.test") -> Ready:
    """Return the source of what an earlier run saw.

    Parameters
    ----------
    ref : str
        ``snapshot:VERSION``.
    source : ComponentSpec
        How files are read, where it is some that were kept.
    workspace : Workspace
        Where snapshots are.
    key : str
        Where it is asked for.

    Raises
    ------
    StoreError
        There is no such snapshot.
    """
    snapshots = snapshots_of(workspace)
    kept = snapshots.find(ref.removeprefix(SNAPSHOT), key)
    return as_kept(kept, snapshots) or ready_source(source, workspace, _files(kept, workspace), kept)


def _files(kept: Snapshot, workspace: Workspace) -> str | list[str]:
    """Return the files that a version was read from, when it was read last."""
    remote = Remote(WorkspacePaths(workspace.root))
    found = [str(remote.seen(file).path) for file in kept.readings[-1]]
    return found[0] if len(found) == 1 else found


def _of_any_rows(expect: Mapping[str, Any], columns: Any) -> dict[str, Any]:
    """Return the rules that hold for held-out rows too; columns that are dropped need not be there."""
    kept = {name: rule for name, rule in expect.items() if name in _OF_ANY_ROWS}
    if isinstance(kept.get("columns"), dict):
        kept["columns"] = {name: rules for name, rules in kept["columns"].items() if name in columns}
    return kept
