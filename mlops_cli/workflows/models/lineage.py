"""Where a model came from, back to the source of its data; and what was made from data, a run or a commit."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_cli.config.workspace import find_workspace
from mlops_cli.errors import StoreError
from mlops_cli.records import HELD_OUT, TRAINING, Action, DataOrigin, Descent, Lineage, Query
from mlops_cli.store.audit import AuditLog
from mlops_cli.store.datasets import Datasets
from mlops_cli.store.find import find_run
from mlops_cli.store.layout import WorkspacePaths
from mlops_cli.store.needed import has_snapshot
from mlops_cli.store.registry import Registry
from mlops_cli.workflows.runs.finding import search

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_cli.records import DatasetVersion, ModelVersion, NamedDataset, RunRecord

_HASH = re.compile(r"[0-9a-f]{7,64}")
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


def _store(workspace: str | Path | None) -> _Store:
    return _Store(WorkspacePaths(find_workspace(workspace).root))


# --- back to where it came from ----------------------------------------------------------------------------------


def lineage(ref: str, *, workspace: str | Path | None = None) -> Lineage:
    """Return where a registered version came from.

    Parameters
    ----------
    ref : str
        ``titanic/3``, ``titanic@champion``, ``titanic``.
    workspace : str or Path, optional
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
    content = _Content(data.version, data.sha256)
    same = [version for version in store.named if content.is_of(replace(version.table, sha256=version.sha256))]
    addresses, snapshot = _snapshot(store.paths, data.version)
    removed = tuple(ref for ref in refs if ref not in known)
    rest = [part for part in data.source.split(", ") if not _is_ref(part)] if refs else [data.source]
    places = [*(version.origin for version in named), *(addresses or rest)]
    is_by_name = named and not (rest or snapshot or removed)
    has_all = is_by_name and all(_is_kept(store.datasets, version) for version in named)
    alike = next((version.ref for version in same if _is_kept(store.datasets, version)), "")
    return DataOrigin(
        role=role,
        version=data,
        named=named,
        removed=removed,
        alike=tuple(version.ref for version in same if version.ref not in known),
        places=tuple(dict.fromkeys(places)),
        kept=", ".join(version.ref for version in named) if has_all else snapshot or alike,
        runs=search(Query(where=content.where, limit=1), store.paths.root).total,
        models=_models_with(store, content),
    )


@dataclass(frozen=True)
class _Content:
    """What tells of data that it is the same, whoever read it and from wherever."""

    version: str = ""  # of what was read, as it was read, or how it begins
    sha256: str = ""  # of the files: the same whatever types a config gives to their columns
    names: tuple[str, ...] = ()  # titanic@3, or where it lies as a config has it

    def is_of(self, data: DatasetVersion) -> bool:
        """Whether this is what was read."""
        hashes = ((self.version, data.version), (self.sha256, data.sha256))
        is_same = any(mine and theirs.startswith(mine) for mine, theirs in hashes)
        return is_same or any(name in {data.source, *data.source.split(", ")} for name in self.names)

    @property
    def where(self) -> str:
        """A filter for the runs that read it, and by names for a few more."""
        hashes = [f"version = {_quoted(self.version)}"] if self.version else []
        hashes += [f"sha256 = {_quoted(self.sha256)}"] if self.sha256 else []
        asked = [*hashes, *(f"source ~ {_quoted(name)}" for name in self.names)]
        return " or ".join(f"{role}.{part}" for part in asked for role in ("data", "test"))


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


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
    return found.addresses(), f"snapshot {version[:_SHOWN]}"


# --- what was made from it ---------------------------------------------------------------------------------------


def made_from(ref: str, *, workspace: str | Path | None = None) -> Descent:
    """Return which runs and registered versions were made from something.

    Parameters
    ----------
    ref : str
        A version of a data set (``titanic@3``), also one that was removed; a run; the version of data or the sha256 of
        its file, or a commit, each by seven digits or more; data by its place, as runs record it: ``data/train.csv``.
    workspace : str or Path, optional
        The workspace; the current folder's where not given.

    Raises
    ------
    StoreError
        There is none.
    """
    store = _store(workspace)
    name, at, _ = ref.partition("@")
    is_hash = bool(_HASH.fullmatch(ref))
    if store.datasets.is_known(name) and (at or not is_hash):
        return _from_named(store, ref)
    try:
        return _from_run(store, find_run(store.paths, ref))
    except StoreError as error:
        found = _from_data(store, _asked(store, ref), ref)
        if found.runs or found.models:
            return found
        if not is_hash:
            raise _nothing(ref, error) from error
    return _from_commit(store, ref)


def _from_named(store: _Store, ref: str) -> Descent:
    try:
        return _from_version(store, store.datasets.find_ref(ref))
    except StoreError:
        if not (removed := _removed(store, ref)):
            raise
        return _from_data(store, removed, ref)


def _asked(store: _Store, ref: str) -> _Content:
    """Return what data may be meant by what is no data set that is there."""
    if _HASH.fullmatch(ref):
        return _Content(ref, ref)
    root = store.paths.root
    place = Path(os.path.abspath(ref)) if "\0" not in ref else root  # noqa: PTH100 - as configs have it: no links followed
    names = [ref, str(place), *([str(place.relative_to(root))] if place.is_relative_to(root) else [])]
    return _removed(store, ref) or _Content(names=tuple(dict.fromkeys(names)))


def _removed(store: _Store, ref: str) -> _Content | None:
    """Return what a version of a data set held that was removed: the audit log knows."""
    for entry in AuditLog(store.paths).newest() if _is_ref(ref) else ():
        if entry.action is Action.DATA_ADDED and entry.subject == ref:
            return _Content(str(entry.details.get("version", "")), str(entry.details.get("sha256", "")), (ref,))
    return None


def _nothing(ref: str, error: StoreError) -> StoreError:
    if "@" in ref:
        return StoreError(f"there is no data set '{ref.partition('@')[0]}'", hint="mlops data ls shows them all")
    return error


def made_from_data(version: NamedDataset, *, workspace: str | Path | None = None) -> Descent:
    """Return the runs and registered versions that read a version of a data set, or the same content from elsewhere."""
    return _from_version(_store(workspace), version)


def _from_version(store: _Store, version: NamedDataset) -> Descent:
    return _from_data(store, _Content(version.table.version, version.sha256, (version.ref,)), version.ref)


def _from_data(store: _Store, content: _Content, called: str) -> Descent:
    read = tuple(run for run in store.runs(content.where) if any(map(content.is_of, run.datasets)))
    roles = _models_with(store, content)
    return Descent(called, "data", read, tuple(m for m in store.models if m.ref in roles), roles)


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


def _models_with(store: _Store, content: _Content) -> dict[str, str]:
    """Return the versions that read a content, each with its role; training comes first."""
    found: dict[str, str] = {}
    for model in store.models:
        for role, data in _roles(model.record):
            if content.is_of(data):
                found.setdefault(model.ref, role)
    return found


def by_name(version: NamedDataset) -> str:
    """Return a filter for all runs that read a version by its name, and a few more."""
    return f'data.source ~ "{version.ref}" or test.source ~ "{version.ref}"'
