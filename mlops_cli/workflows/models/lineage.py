"""Where a model came from, back to the source of its data; and what was made from data, a run or a commit."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from mlops_cli.config.workspace import find_workspace
from mlops_cli.errors import StoreError
from mlops_cli.records import HELD_OUT, TRAINING, DataOrigin, Descent, Lineage, Query
from mlops_cli.store.datasets import Datasets
from mlops_cli.store.find import find_run
from mlops_cli.store.layout import WorkspacePaths
from mlops_cli.store.needed import has_snapshot
from mlops_cli.store.registry import Registry
from mlops_cli.workflows.runs.finding import search

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from mlops_cli.records import DatasetVersion, ModelVersion, NamedDataset, RunRecord

_COMMIT = re.compile(r"[0-9a-f]{7,64}")
_SHOWN = 12


@dataclass(frozen=True)
class _Store:
    """What there is in a workspace."""

    paths: WorkspacePaths

    @cached_property
    def registry(self) -> Registry:
        return Registry(self.paths)

    @cached_property
    def datasets(self) -> Datasets:
        return Datasets(self.paths)

    @cached_property
    def models(self) -> tuple[ModelVersion, ...]:
        """All registered versions that can be read."""
        return tuple(self._models())

    def _models(self) -> Iterator[ModelVersion]:
        for name in self.registry.names():
            for number in self.registry.numbers(name):
                try:
                    yield self.registry.version(name, number)
                except StoreError:  # mlops models ls says it
                    continue

    @cached_property
    def named(self) -> tuple[NamedDataset, ...]:
        """All versions of data sets."""
        return tuple(version for name in self.datasets.names() for version in self.datasets.versions(name))

    def runs(self, where: str) -> tuple[RunRecord, ...]:
        return search(Query(where=where), self.paths.root).records


def _store(workspace: Path | None) -> _Store:
    return _Store(WorkspacePaths(find_workspace(workspace).root))


# --- back to where it came from ----------------------------------------------------------------------------------


def lineage(ref: str, *, workspace: Path | None = None) -> Lineage:
    """Return where a registered version came from.

    Parameters
    ----------
    ref : str
        ``titanic/3``, ``titanic@champion``, ``titanic``.
    workspace : Path, optional
        The workspace; the current folder's where not given.

    Raises
    ------
    StoreError
        There is no such version.
    """
    store = _store(workspace)
    version = store.registry.find(ref)
    run = version.record
    return Lineage(
        version=version,
        aliases=store.registry.aliases(version.name).of(version.number),
        is_run_there=_is_there(store.paths, run),
        data=tuple(_origin(store, role, data) for role, data in _roles(run)),
        siblings=tuple(m.ref for m in store.models if m.record.id == run.id and m.ref != version.ref),
    )


def _is_there(paths: WorkspacePaths, run: RunRecord) -> bool:
    try:
        return paths.run(run.id).run_json.is_file()
    except StoreError:  # an id that cannot be a folder
        return False


def _roles(run: RunRecord) -> list[tuple[str, DatasetVersion]]:
    found = ((TRAINING, run.dataset), (HELD_OUT, run.test_dataset))
    return [(role, data) for role, data in found if data is not None]


def _origin(store: _Store, role: str, data: DatasetVersion) -> DataOrigin:
    refs = [ref for ref in data.source.split(", ") if _is_ref(ref)]
    named = tuple(version for version in store.named if version.ref in refs)
    known = {version.ref for version in named}
    same = [version for version in store.named if version.table.version == data.version]
    addresses, snapshot = _snapshot(store.paths, data.version)
    removed = tuple(ref for ref in refs if ref not in known)
    places = [version.origin for version in named] or addresses or ([] if refs else [data.source])
    has_all = named and not removed and all(_is_kept(store.datasets, version) for version in named)
    alike = next((version.ref for version in same if _is_kept(store.datasets, version)), "")
    return DataOrigin(
        role=role,
        version=data,
        named=named,
        removed=removed,
        alike=tuple(version.ref for version in same if version.ref not in known),
        places=tuple(places),
        kept=", ".join(version.ref for version in named) if has_all else snapshot or alike,
        runs=search(Query(where=_same_content(data.version), limit=1), store.paths.root).total,
        models=_models_with(store, data.version, ()),
    )


def _is_ref(source: str) -> bool:
    name, at, number = source.partition("@")
    return bool(name and at) and number.isdecimal() and "/" not in name


def _is_kept(datasets: Datasets, version: NamedDataset) -> bool:
    """Whether all contents of a version are there; whether they are as they were is for ``mlops data verify``."""
    return all(datasets.objects.has(file.sha256) for file in version.files)


def _snapshot(paths: WorkspacePaths, version: str) -> tuple[list[str], str]:
    """Return from which addresses a dataset version was fetched, and the name of what is kept of it."""
    if not has_snapshot(paths, version):
        return [], ""
    from mlops_cli.store.objects import Objects
    from mlops_cli.store.snapshots import Snapshots  # slow to import, and most data is here

    try:
        found = Snapshots(paths.datasets / "snapshots", Objects(paths.datasets / "objects")).read(version)
    except StoreError:
        return [], ""
    return found.addresses() or [found.source], f"snapshot {version[:_SHOWN]}"


# --- what was made from it ---------------------------------------------------------------------------------------


def made_from(ref: str, *, workspace: Path | None = None) -> Descent:
    """Return which runs and registered versions were made from something.

    Parameters
    ----------
    ref : str
        A version of a data set (``titanic@3``), a run, or a commit by seven digits or more.
    workspace : Path, optional
        The workspace; the current folder's where not given.

    Raises
    ------
    StoreError
        There is none.
    """
    store = _store(workspace)
    name, at, _ = ref.partition("@")
    if store.datasets.is_known(name) and (at or not _COMMIT.fullmatch(ref)):
        return _from_data(store, store.datasets.find_ref(ref))
    try:
        return _from_run(store, find_run(store.paths, ref))
    except StoreError as error:
        if not _COMMIT.fullmatch(ref):
            raise _nothing(ref, error) from error
    return _from_commit(store, ref)


def _nothing(ref: str, error: StoreError) -> StoreError:
    if "@" in ref:
        return StoreError(f"there is no data set '{ref.partition('@')[0]}'", hint="mlops data ls shows them all")
    return error


def made_from_data(version: NamedDataset, *, workspace: Path | None = None) -> Descent:
    """Return the runs and registered versions that read a version of a data set, or the same content from elsewhere."""
    return _from_data(_store(workspace), version)


def _from_data(store: _Store, version: NamedDataset) -> Descent:
    content = version.table.version
    runs = store.runs(f"{by_name(version)} or {_same_content(content)}")
    read = tuple(run for run in runs if any(_reads(data, content, version.ref) for data in run.datasets))
    roles = _models_with(store, content, (version.ref,))
    return Descent(version.ref, "data", read, tuple(m for m in store.models if m.ref in roles), roles)


def _from_run(store: _Store, run: RunRecord) -> Descent:
    return Descent(run.id, "run", (run,), tuple(model for model in store.models if model.record.id == run.id))


def _from_commit(store: _Store, commit: str) -> Descent:
    runs = store.runs(f"git.commit = '{commit}'")
    models = tuple(model for model in store.models if (model.record.git.commit or "").startswith(commit))
    if not (runs or models):
        raise StoreError(
            f"no run and no model was made from the commit {commit}", hint="mlops runs ls --columns id,git.commit"
        )
    return Descent(commit, "commit", runs, models)


def _models_with(store: _Store, content: str, refs: Sequence[str]) -> dict[str, str]:
    """Return the versions that read a content, or a version by name, each with its role; training comes first."""
    found: dict[str, str] = {}
    for model in store.models:
        for role, data in _roles(model.record):
            if _reads(data, content, *refs):
                found.setdefault(model.ref, role)
    return found


def _reads(data: DatasetVersion, content: str, *refs: str) -> bool:
    return data.version == content or any(ref in data.source.split(", ") for ref in refs)


def by_name(version: NamedDataset) -> str:
    """Return a filter for all runs that read a version by its name, and a few more."""
    return f'data.source ~ "{version.ref}" or test.source ~ "{version.ref}"'


def _same_content(version: str) -> str:
    return f'data.version = "{version}" or test.version = "{version}"'
