"""``mlops data``: named data sets listed, shown, compared, checked, taken out and taken away."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_cli.config.retrain import PASSED
from mlops_cli.config.workspace import find_workspace
from mlops_cli.errors import StoreError, UsageError
from mlops_cli.records import DatasetPage, DatasetSummary, Query
from mlops_cli.store.datasets import Datasets
from mlops_cli.store.layout import WorkspacePaths
from mlops_cli.store.needed import forget_snapshots, needed_by_snapshots, recorded_by_models
from mlops_cli.store.registry import Registry
from mlops_cli.workflows.models.lineage import by_name, made_from_data
from mlops_cli.workflows.runs.finding import search

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_cli.records import DataDiff, DataProfile, NamedDataset, RunRecord
    from mlops_cli.workflows.data.tables import HowRead

YOUNG_S = 3600.0
"""Contents that came within so many seconds are not collected: whoever brought them may not yet have said what for."""


def _datasets(workspace: str | Path | None) -> Datasets:
    return Datasets(WorkspacePaths(find_workspace(workspace).root))


# --- looking -----------------------------------------------------------------------------------------------------


def list_datasets(workspace: str | Path | None = None) -> tuple[tuple[DatasetSummary, ...], tuple[str, ...]]:
    """Return all data sets by name, and what is wrong with versions that cannot be read."""
    datasets = _datasets(workspace)
    found, faults = [], []
    for name in datasets.names():
        versions, damaged = _readable(datasets, [name])
        faults += damaged
        if versions:
            found.append(DatasetSummary(name, tuple(versions), datasets.tags(name)))
    return tuple(found), tuple(faults)


def find(ref: str, *, workspace: str | Path | None = None) -> NamedDataset:
    """Return a version of a data set.

    Parameters
    ----------
    ref : str
        ``titanic@3``, ``titanic@clean``; ``titanic`` is the newest version.
    workspace : str or Path, optional
        The workspace; the current folder's where not given.

    Raises
    ------
    StoreError
        There is none; the message says which there are.
    """
    return _datasets(workspace).find_ref(ref)


def show(ref: str, *, workspace: str | Path | None = None) -> DatasetPage:
    """Return a version with its tags, the runs that read it, and the models that were made from it."""
    datasets = _datasets(workspace)
    version = datasets.find_ref(ref)
    made = made_from_data(version, workspace=workspace)
    numbers = tuple(v.number for v in datasets.versions(version.name))
    return DatasetPage(version, _tags_of(version, datasets), numbers, made.runs, made.roles)


def _tags_of(version: NamedDataset, datasets: Datasets) -> tuple[str, ...]:
    return tuple(sorted(tag for tag, number in datasets.tags(version.name).items() if number == version.number))


def _reads(run: RunRecord, version: NamedDataset) -> bool:
    return any(version.ref in data.source.split(", ") for data in run.datasets)


def diff(
    a: str, b: str, *, key: str | None = None, how: HowRead | None = None, workspace: str | Path | None = None
) -> DataDiff:
    """Return what differs between two versions, or files.

    Parameters
    ----------
    a, b : str
        ``titanic@3``, or a path.
    key : str, optional
        The column that tells rows apart; that of the versions where not given, and both have it.
    how : HowRead, optional
        How files are read; versions say that themselves.
    workspace : str or Path, optional
        The workspace; the current folder's where not given.

    Raises
    ------
    DataError
        One cannot be read, or the key does not tell rows apart.
    """
    from mlops_cli.analysis.datadiff import data_diff
    from mlops_cli.workflows.data.tables import is_version, read_ref

    home = find_workspace(workspace)
    are_versions = [is_version(ref, home) for ref in (a, b)]
    if how and all(are_versions):
        raise UsageError(f"{a} and {b} are read as they were added", hint="--read, --as and --config are for files")
    before, after = (read_ref(ref, home, how=None if v else how) for ref, v in zip((a, b), are_versions, strict=True))
    recorded = after.key if after.key is not None else before.key
    has_both = all(recorded in table.values.columns for table in (before, after))
    names = (before.version.source, after.version.source)
    columns = (before.version.columns, after.version.columns)
    chosen = key if key is not None else recorded if has_both else None
    lost_key = recorded if key is None and not has_both else None
    return replace(data_diff(names, before.values, after.values, columns, chosen), lost_key=lost_key)


def profile(
    ref: str, *, target: str | None = None, how: HowRead | None = None, workspace: str | Path | None = None
) -> DataProfile:
    """Return what a version or a file looks like, column by column.

    Parameters
    ----------
    ref : str
        ``titanic@3``, or a path.
    target : str, optional
        The column that the others are compared with.
    how : HowRead, optional
        How a file is read.
    workspace : str or Path, optional
        The workspace; the current folder's where not given.
    """
    from mlops_cli.analysis.profile import profile as described
    from mlops_cli.components.dataset import make_dataset
    from mlops_cli.records import ComponentSpec, DataSpec, Task
    from mlops_cli.workflows.data.tables import read_ref

    table = read_ref(ref, find_workspace(workspace), how=how)
    spec = DataSpec(ComponentSpec(""), target=target, id=table.key if table.key != target else None)
    task = Task.CLUSTERING if target is None else None
    dataset, found = make_dataset(table.values, spec, task, source=table.version.source)
    return described(dataset, found)


# --- checking ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Verified:
    """What reading every byte again came to."""

    versions: int
    faults: tuple[str, ...]
    orphans: int = 0  # contents that nobody needs
    orphan_bytes: int = 0


def verify(ref: str | None = None, *, workspace: str | Path | None = None) -> Verified:
    """Read every byte of one version, of all of a data set (``titanic``), or of everything that is kept.

    Raises
    ------
    StoreError
        There is no such data set or version.
    """
    datasets = _datasets(workspace)
    faults: list[str]
    if ref is not None and "@" in ref:
        versions, faults = [datasets.find_ref(ref)], []
    else:
        names = datasets.names() if ref is None else [datasets.find_ref(ref).name]
        versions, faults = _readable(datasets, names)
    faults += [f"{version.ref}  {text}" for version in versions for text in datasets.faults(version)]
    if ref is not None:
        return Verified(len(versions), tuple(faults))
    known = {file.sha256 for version in versions for file in version.files}
    rest = [digest for digest in datasets.objects.digests() if digest not in known]
    faults += [f"content {d[:12]}: it has changed" for d in rest if not datasets.objects.verify(d)]
    if faults:
        return Verified(len(versions), tuple(faults))
    orphans = datasets.removable(needed_by_snapshots(datasets.paths, _used(workspace), YOUNG_S))
    return Verified(len(versions), (), len(orphans), sum(path.stat().st_size for path in orphans))


def _readable(datasets: Datasets, names: Sequence[str]) -> tuple[list[NamedDataset], list[str]]:
    """Return the versions that can be read, and what is wrong with the others."""
    versions, faults = [], []
    for name in names:
        for number in datasets.numbers(name):
            try:
                versions.append(datasets.find(name, number))
            except StoreError as error:
                if number in datasets.numbers(name):  # else it was removed meanwhile
                    faults.append(f"{name}@{number}  {error.message}")
    return versions, faults


# --- changing ----------------------------------------------------------------------------------------------------


def checkout(ref: str, target: Path | None = None, *, workspace: str | Path | None = None) -> Path:
    """Copy a version's file or files to where they can be changed.

    Parameters
    ----------
    ref : str
        ``titanic@3``.
    target : Path, optional
        A path that is free; the file's or the data set's own name in the current folder where not given.
    workspace : str or Path, optional
        The workspace; the current folder's where not given.
    """
    datasets = _datasets(workspace)
    version = datasets.find_ref(ref)
    if faults := datasets.faults(version):
        raise StoreError(f"{version.ref}: {faults[0]}", hint=f"mlops data verify {version.name}")
    own = Path.cwd() / version.name if version.has_folder else Path.cwd()
    return datasets.checkout(version, Path.cwd() / target if target is not None else own)


def tag(ref: str, word: str, *, remove: bool = False, workspace: str | Path | None = None) -> NamedDataset:
    """Let a tag mean a version, or take it away."""
    datasets = _datasets(workspace)
    version = datasets.find_ref(ref)
    if not remove:
        datasets.tag(version, word)
    elif word in (has := _tags_of(version, datasets)):
        datasets.tag(version, without=word)
    else:
        raise StoreError(f"{version.ref} has no tag '{word}'", hint=f"it has: {', '.join(has)}" if has else None)
    return version


def removable(ref: str, *, force: bool = False, workspace: str | Path | None = None) -> NamedDataset:
    """Return a version that may be removed.

    Parameters
    ----------
    ref : str
        ``titanic@3``; the number has to be said, since what ``latest`` and tags mean changes.
    force : bool
        Also one that runs have read; their data is then lost. Never one of a registered model.
    workspace : str or Path, optional
        The workspace; the current folder's where not given.

    Raises
    ------
    StoreError
        It is needed.
    """
    datasets = _datasets(workspace)
    version = datasets.find_ref(ref)
    if ref != version.ref:
        raise UsageError(f"'{ref}' does not say which version", hint=f"mlops data rm {version.ref}")
    for model, what, data in recorded_by_models(datasets.paths):
        if version.ref in str(data.get("source") or "").split(", "):
            raise StoreError(f"{version.ref} stays: the registered model {model} {what} it")
    if not force:
        _require_unused(version, workspace)
    return version


def _require_unused(version: NamedDataset, workspace: str | Path | None) -> None:
    found = search(Query(where=by_name(version)), workspace)
    runs = [run for run in found.records if _reads(run, version)]
    if runs:
        more = f" and {len(runs) - 1} more" if len(runs) > 1 else ""
        raise StoreError(
            f"{version.ref} stays: the run {runs[0].id}{more} read it",
            hint="--force removes it, and those runs cannot be run again",
        )
    if found.damaged:
        message = f"{version.ref} stays: {len(found.damaged)} runs cannot be read, and may have read it"
        raise StoreError(message, hint="mlops runs ls names them; --force removes it all the same")


def remove(version: NamedDataset, *, workspace: str | Path | None = None) -> None:
    """Forget a version; its contents go with `collect`."""
    _datasets(workspace).remove(version)


@dataclass(frozen=True)
class Collected:
    """What was removed, or would be."""

    contents: int
    size: int  # bytes
    young: int = 0  # contents that nobody needs and that came too lately to be removed


def collect(*, dry_run: bool = False, now: bool = False, workspace: str | Path | None = None) -> Collected:
    """Remove contents that no version and no run needs.

    Parameters
    ----------
    dry_run : bool
        Remove nothing.
    now : bool
        Also what came within the last hour, which a run or an ``add`` under way may count on.
    workspace : str or Path, optional
        The workspace; the current folder's where not given.
    """
    datasets, age = _datasets(workspace), 0.0 if now else YOUNG_S
    used = _used(workspace)
    needed = needed_by_snapshots(datasets.paths, used, age)
    every = len(datasets.unused(needed))
    if dry_run:
        files = datasets.removable(needed, min_age=age)
        return Collected(len(files), sum(path.stat().st_size for path in files), every - len(files))
    forget_snapshots(datasets.paths, used, age)
    count, size = datasets.collect(needed, min_age=age)
    forget_snapshots(datasets.paths, used, age)
    return Collected(count, size, max(0, every - count))


def _used(workspace: str | Path | None) -> frozenset[str] | None:
    """Return the dataset versions of all runs and models; None where one cannot be read, and may have any."""
    found, registry = search(Query(), workspace), Registry(WorkspacePaths(find_workspace(workspace).root))
    try:
        models = [registry.version(name, n).record for name in registry.names() for n in registry.numbers(name)]
    except StoreError:
        return None
    if found.damaged:
        return None
    return frozenset(version for record in (*found.records, *models) for version in _data_of(record))


def _data_of(record: RunRecord) -> set[str]:
    """Return the dataset versions that a run saw, with the rows that it passed over: they are not new any more."""
    passed = record.tags.get(PASSED)
    return {data.version for data in record.datasets} | ({passed} if passed else set())
