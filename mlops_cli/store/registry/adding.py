"""A run's model copied whole into the registry, where it stands alone.

A version is put together beside the registry, synced, and appears under its number in one rename: a kill at any moment
leaves a whole version or none. Its number was written down as given before that, so it is never given again.
"""

from __future__ import annotations

import os
import secrets
import shutil
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, BinaryIO

from mlops_cli.errors import StoreError
from mlops_cli.records import SCHEMA_VERSION, Action, ModelStatus, ModelVersion, Notice, RunStatus
from mlops_cli.store.audit import AuditLog, this_user
from mlops_cli.store.auditing import RUN_MAY_CHANGE, digest_of_record
from mlops_cli.store.card import version_card
from mlops_cli.store.chain import read_chain
from mlops_cli.store.files import (
    damaged,
    disk_errors,
    json_bytes,
    locked,
    open_file,
    parse_json,
    read_bytes,
    sha256,
    sync_paths,
    write_files,
)
from mlops_cli.store.imported import NO_FILES, refuse_imported
from mlops_cli.store.layout import RunPaths, VersionPaths
from mlops_cli.store.names import check_name
from mlops_cli.store.objects import Writer
from mlops_cli.store.packages import packages_of, packages_to_json, requirements_text
from mlops_cli.store.registry.calling import Move, call, check_alias
from mlops_cli.store.registry.json import files_digest, status_to_json, version_to_json
from mlops_cli.store.registry.removing import sweep
from mlops_cli.store.serialize import run_from_json
from mlops_cli.store.values import stamp
from mlops_cli.store.witness import is_before

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mlops_cli.records import RunRecord
    from mlops_cli.store.registry.registry import Registry

_CHUNK = 1 << 20


@dataclass(frozen=True)
class Asked:
    """How a version is to be called, and what is to be said of it."""

    name: str
    alias: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    description: str = ""


@dataclass(frozen=True)
class Added:
    """A version that was registered, and what is worth knowing of how."""

    version: ModelVersion
    notices: tuple[Notice, ...] = ()


def add_version(registry: Registry, run: Path, asked: Asked) -> Added:
    """Give a model its next version, out of a run's directory.

    Raises
    ------
    StoreError
        The name cannot be a folder, the run has no model, has not completed, or has other files than it recorded; or
        the disk refuses. Nothing is registered then.
    """
    folder = registry.paths.models / check_name(asked.name, "model")
    if folder.is_symlink():
        raise StoreError(
            f"{folder} is a link, and a model is a folder", hint="move the link away, or give another --name"
        )
    if asked.alias is not None:
        check_alias(asked.alias)
    record, data = _record_in(run)
    _require_model(record)
    notices = _held_against_log(record, parse_json(data, run))
    with _workplace(registry) as folder:
        filling = _Filling(VersionPaths(folder), record)
        filling.fill(data)
        with registry.changing():
            number = _settle(registry, filling, asked)
    return Added(registry.version(asked.name, number), (*notices, *filling.notices))


# --- which run ---------------------------------------------------------------------------------------------------


def _record_in(run: Path) -> tuple[RunRecord, bytes]:
    """Return the record of a run and the very bytes that it was read from."""
    file = RunPaths(run).run_json
    data = read_bytes(file)
    try:
        return run_from_json(parse_json(data, file), run), data
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise damaged(file, f"not a run's record: {error!r}") from error


def _held_against_log(record: RunRecord, value: Mapping[str, Any]) -> list[Notice]:
    """Refuse a record that is not as it was when its run ended; say of one that the log does not know that it is so."""
    chain = read_chain(RunPaths(record.path).workspace)
    entries, began = chain.about(record.id, Action.RUN), chain.first
    if not entries:
        is_older = began is None or is_before(record.ended or record.started, began.at)
        text = f"the audit log has no entry of {record.id}: nobody vouches for its record"
        return [] if is_older else [Notice("unannounced-run", text)]
    kept = entries[-1].details.get("record")
    if record.audit != entries[-1].head or (kept and kept != digest_of_record(value, RUN_MAY_CHANGE)):
        raise StoreError(
            f"the record of {record.id} is not as entry {entries[-1].number} of the audit log has it: it was edited",
            hint="restore run.json from a copy, or run the experiment again",
        )
    return []


def _require_model(record: RunRecord) -> None:
    refuse_imported(record, NO_FILES)
    if record.status is not RunStatus.COMPLETED:
        raise StoreError(
            f"{record.id} has not completed: its model cannot be registered", hint=f"mlops runs show {record.id}"
        )
    if record.task is not None and not record.task.has_table:
        raise StoreError(f"{record.id} is of task {record.task}, which leaves files and no model that predicts rows")
    model = RunPaths(record.path).model
    if not any(f"model/{path.name}" in record.files for path in (model.skops, model.joblib)):
        why = next((f": {n.message}" for n in record.warnings if n.code in {"model-not-saved", "refit-failed"}), "")
        hint = None if why else f"mlops run config={record.experiment} artifacts.keep=best --force"
        raise StoreError(f"{record.id} has no model{why}", hint=hint)


# --- where it is put together ------------------------------------------------------------------------------------


@contextmanager
def _workplace(registry: Registry) -> Iterator[Path]:
    """Give an empty folder, which goes with the block unless it was renamed; its lock says that it is in use."""
    folder = registry.paths.new_models / f"{os.getpid()}-{secrets.token_hex(8)}"
    lock = folder.with_suffix(".lock")
    with ExitStack() as stack:
        with registry.changing(), disk_errors("write", folder):
            sweep(registry.paths)
            stack.enter_context(locked(lock))
            folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            lock.unlink(missing_ok=True)


class _Filling:
    """The files of a version as they come together in a folder that nobody else looks at."""

    def __init__(self, paths: VersionPaths, record: RunRecord) -> None:
        self.paths = paths
        self.record = record
        self.run = RunPaths(record.path)
        self.files: dict[str, str] = {}
        self.size = 0
        self.notices: list[Notice] = []

    def fill(self, run_json: bytes) -> None:
        """Copy what the run has, and write what it rests on; all of it is on the disk when this returns."""
        self._write(self.paths.run_json, run_json)
        self._copy_model()
        self._copy(self.run.config, self.paths.config, self.record.files.get(self.run.config.name))
        for source, target in self._beside():
            if source.exists():
                self._copy(source, target, self.record.files.get(source.name))
        self._write_packages(self._copy_code())
        sync_paths(self.paths.root / name for name in self.files)

    def _beside(self) -> tuple[tuple[Path, Path], ...]:
        """Return what a run need not have, and where it goes."""
        run, version = self.run, self.paths
        return (
            (run.profile, version.profile),
            (run.reference, version.reference),
            (run.source_diff, version.source_diff),
        )

    def _copy_model(self) -> None:
        source, target = self.run.model, self.paths.model
        hashes = {}
        for path in (source.skops, source.joblib, source.signature):
            expected = self.record.files.get(f"model/{path.name}")
            if expected is not None:
                self._copy(path, target.root / path.name, expected)
                hashes[path.name] = expected
        self._write(target.hashes, json_bytes({"schema_version": SCHEMA_VERSION, "files": hashes}))

    def _copy_code(self) -> list[bytes]:
        """Copy the user's own files as the run had them, and return what is in them."""
        found = []
        for name, expected in self.record.code.items():
            data = code_of(self.run.workspace.root, name)
            if data is None or sha256(data) != expected:
                how = "is no longer there" if data is None else "has changed"
                text = f"{name} {how} since the run, and so it is not part of the version"
                self.notices.append(Notice("code-changed", text))
                continue
            self._write(self.paths.code / name, data)
            found.append(data)
        return found

    def _write_packages(self, sources: list[bytes]) -> None:
        packages = packages_of(self.record, sources)
        self._write(self.paths.packages, json_bytes(packages_to_json(self.record, packages)))
        self._write(self.paths.requirements, requirements_text(self.record, packages).encode())

    def _copy(self, source: Path, target: Path, expected: str | None = None) -> None:
        """Copy a file; its sha256 is that of the bytes that were copied."""
        with open_file(source) as file, _new(target) as written:
            writer = Writer(written)
            shutil.copyfileobj(file, writer, _CHUNK)
        if expected is not None and writer.hash.hexdigest() != expected:
            raise StoreError(
                f"{source} is not the file that {self.record.id} recorded: its sha256 differs",
                hint="restore it from a copy, or run the experiment again",
            )
        self._note(target, writer.hash.hexdigest(), writer.size)

    def _write(self, target: Path, data: bytes) -> None:
        with _new(target) as file:
            file.write(data)
        self._note(target, sha256(data), len(data))

    def _note(self, target: Path, digest: str, size: int) -> None:
        self.files[target.relative_to(self.paths.root).as_posix()] = digest
        self.size += size


@contextmanager
def _new(target: Path) -> Iterator[BinaryIO]:
    with disk_errors("write", target):
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as file:
            yield file


def code_of(workspace: Path, name: str) -> bytes | None:
    """Return a file of a workspace; a record may name any path, and only those in it are read."""
    parts = PurePosixPath(name).parts
    if not parts or PurePosixPath(name).is_absolute() or ".." in parts:
        return None
    try:
        root = workspace.resolve()
        place = (root / name).resolve()
        return place.read_bytes() if place.is_relative_to(root) else None
    except (OSError, ValueError):
        return None


# --- how it gets its number --------------------------------------------------------------------------------------


def _settle(registry: Registry, filling: _Filling, asked: Asked) -> int:
    """Put a whole version in its place, inside `Registry.changing`, and return its number."""
    aliases, number = registry.aliases(asked.name), _free_number(registry, asked.name)
    handover = registry.readable_handover(asked.name, number)
    registry.write_aliases(asked.name, replace(aliases, last=number))
    draft = ModelVersion(
        name=asked.name,
        number=number,
        path=registry.paths.model_version(asked.name, number).root,
        created=stamp(),
        by=this_user(),
        record=filling.record,
        files=dict(sorted(filling.files.items())),
        size=filling.size,
    )
    digest = digest_of_record(version_to_json(draft))
    said = {"run": filling.record.id, "files": files_digest(draft.files), "record": digest}
    version = replace(draft, audit=AuditLog(registry.paths).append(Action.REGISTERED, draft.ref, said))
    status = ModelStatus(asked.description, dict(asked.tags))
    card = version_card(version, status, handover=handover)
    _complete(filling.paths, version, status, card)
    _rename(filling.paths.root, version.path)
    if asked.alias is not None:
        _give(registry, version, asked.alias)
    return number


def _give(registry: Registry, version: ModelVersion, alias: str) -> None:
    try:
        call(registry, version.name, Move(alias, version.number))
    except StoreError as error:
        raise StoreError(
            f"{version.ref} is registered, but not as @{alias}: {error.message}", hint=error.hint
        ) from error


def _free_number(registry: Registry, name: str) -> int:
    number = max([registry.aliases(name).last, _last_announced(registry, name), *registry.numbers(name)]) + 1
    while os.path.lexists(registry.paths.model_version(name, number).root):  # no version, but something is there
        number += 1
    return number


def _last_announced(registry: Registry, name: str) -> int:
    """Return the highest number that the log says was given, where the file that has it is not there; else 0."""
    if registry.paths.aliases(name).exists():
        return 0
    given = [s for s, entries in read_chain(registry.paths).of.items() if entries[0].action is Action.REGISTERED]
    parts = [subject.rpartition("/") for subject in given]
    return max((int(word) for model, _, word in parts if model == name and word.isdecimal()), default=0)


def _complete(paths: VersionPaths, version: ModelVersion, status: ModelStatus, card: str) -> None:
    """Write what only a version with a number has, and make what never changes read-only."""
    files = {
        paths.card: card.encode(errors="surrogateescape"),
        paths.status: json_bytes(status_to_json(status)),
        paths.version_json: json_bytes(version_to_json(version)),
    }
    write_files(files)
    with disk_errors("write", paths.root):
        for name in (*version.files, paths.version_json.name):
            (paths.root / name).chmod(0o444)
        sync_paths([path for path in paths.root.rglob("*") if path.is_dir()])


def _rename(folder: Path, place: Path) -> None:
    with disk_errors("write", place):
        folder.rename(place)
        sync_paths([place.parent, place.parent.parent])
