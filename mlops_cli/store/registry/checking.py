"""Versions read again, byte by byte, and held against what was recorded of them when they were registered."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_cli.errors import StoreError
from mlops_cli.records import VersionCheck
from mlops_cli.store.chain import read_chain
from mlops_cli.store.files import read_json
from mlops_cli.store.objects import digest_of
from mlops_cli.store.witness import version_witness
from mlops_cli.store.witness_handover import handover_faults_of, lost_handover
from mlops_cli.store.witness_models import alias_faults_of, sign_off_faults_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mlops_cli.records import Aliases, AuditFault, Handover, ModelVersion
    from mlops_cli.store.chain import Chain
    from mlops_cli.store.layout import VersionPaths
    from mlops_cli.store.registry.registry import Registry

# What a kill leaves of a file that was about to be written anew; the next change of the registry removes it.
LEFTOVER = re.compile(r"\.(card\.md|status\.json|aliases\.json|handover\.json)\.[0-9a-f]{8}\.tmp")


def announced(registry: Registry) -> Chain:
    """Return the audit log as `check_version` takes it; what is wrong with the log itself is among its faults."""
    return read_chain(registry.paths)


def check_version(registry: Registry, name: str, number: int, chain: Chain) -> VersionCheck:
    """Return what is wrong with a version's files, and with what it says of itself; nothing where all is well.

    Parameters
    ----------
    registry : Registry
        Where it is.
    name : str
        Of the model.
    number : int
        Of the version, which is there.
    chain : Chain
        See `announced`.
    """
    paths, ref = registry.paths.model_version(name, number), f"{name}/{number}"
    try:
        value = read_json(paths.version_json)
        recorded = {str(file): str(digest) for file, digest in value["files"].items()}
    except StoreError as error:
        return VersionCheck(ref, 0, 0, (error.message,))
    except (KeyError, AttributeError) as error:
        return VersionCheck(ref, 0, 0, (f"version.json: not a version of a model: {error!r}",))
    found = dict(_files_in(paths.root))
    faults = [*_file_faults(paths, recorded, found), *_audit_faults(registry, paths, chain)]
    faults += [] if faults else _reading_faults(registry, name, number)
    faults += [] if faults else _sign_off_faults(registry, paths, chain)
    return VersionCheck(ref, len(found), sum(item.st_size for item in found.values()), tuple(faults))


def check_aliases(registry: Registry, name: str) -> VersionCheck:
    """Return what is wrong with what a model's versions are called."""
    try:
        aliases, numbers = registry.sure_aliases(name), registry.numbers(name)
    except StoreError as error:
        return VersionCheck(name, 0, 0, (error.message,))
    gone = {alias: to for alias, to in aliases.versions.items() if to not in numbers}
    faults = [f"aliases.json: {alias} means version {to}, which is not there" for alias, to in gone.items()]
    if numbers and aliases.last < numbers[-1]:
        faults.append(f"aliases.json: says that {aliases.last} is the highest number, and there is {numbers[-1]}")
    return VersionCheck(name, 1, 0, tuple(faults))


def certain_aliases(registry: Registry, name: str) -> Aliases:
    """Return what a model's versions are called, where the audit log says the same.

    Raises
    ------
    StoreError
        It does not.
    """
    faults: list[AuditFault] = []
    for _ in range(2):  # somebody may have moved one between the two readings
        aliases, chain = registry.sure_aliases(name), announced(registry)
        last = 0 if chain.last is None else chain.last.number
        faults = [fault for fault in alias_faults_of(name, aliases, chain, last) if not fault.may_be_a_kill]
        if not faults:
            return aliases
    raise StoreError(f"{faults[0].where} {faults[0].what}", hint="mlops audit --verify")


def check_handover(registry: Registry, name: str, chain: Chain) -> VersionCheck:
    """Return what is wrong with what the owner of a model answered; see `check_version`."""
    faults = handover_faults_of(registry, name, chain)
    told = tuple(f"{registry.paths.handover(name).name}: {fault.what}" for fault in faults if not fault.may_be_a_kill)
    return VersionCheck(name, 1, 0, told)


def certain_handover(registry: Registry, version: ModelVersion) -> Handover | None:
    """Return the answers that hold for a version, where the audit log says the same.

    Raises
    ------
    StoreError
        It does not, the answers cannot be read, or those that hold by the log are missing, be it by a kill.
    """
    registry.handovers(version.name)  # where that cannot be read it says itself what mends it
    chain = announced(registry)
    faults = handover_faults_of(registry, version.name, chain)
    if sure := [fault for fault in faults if not fault.may_be_a_kill]:
        raise StoreError(f"{sure[0].where}: {sure[0].what}", hint="mlops audit --verify")
    if lost := lost_handover(registry, version, chain):
        raise StoreError(f"{lost.where}: {lost.what}", hint=f"mlops models handover {version.ref}")
    return registry.handover(version.name, version.number)


def _files_in(root: Path) -> Iterator[tuple[str, os.stat_result]]:
    """Yield all that lies in a version but folders; a link to a folder is no folder."""
    for folder, names, files in os.walk(root):
        linked = [name for name in names if Path(folder, name).is_symlink()]
        for name in sorted([*files, *linked]):
            place = Path(folder, name)
            if not (place.parent == root and LEFTOVER.fullmatch(name)):
                yield place.relative_to(root).as_posix(), place.lstat()


def _file_faults(paths: VersionPaths, recorded: dict[str, str], found: Mapping[str, os.stat_result]) -> Iterator[str]:
    free = {paths.version_json.name, paths.card.name, paths.status.name}
    for name in sorted({*recorded, *found}):
        if name not in found:
            yield f"{name}: is gone"
        elif not stat.S_ISREG(found[name].st_mode):
            yield f"{name}: is no file; a version has no links"
        elif name in recorded:
            yield from _content_fault(paths.root / name, name, recorded[name])
        elif name not in free:
            yield f"{name}: was not there when it was registered"
    if paths.card.name not in found:
        yield f"{paths.card.name}: is gone; mlops models describe writes it again"


def _content_fault(path: Path, name: str, digest: str) -> Iterator[str]:
    try:
        if digest_of(path) != digest:
            yield f"{name}: its content has changed (sha256 {digest[:12]} was recorded)"
    except OSError as error:
        yield f"{name}: cannot be read: {error.strerror}"


def _audit_faults(registry: Registry, paths: VersionPaths, chain: Chain) -> Iterator[str]:
    """Yield in what a version says otherwise than the audit log did when it was registered."""
    witness, last = version_witness(registry.paths, paths.version_json), chain.last
    for fault in witness.faults(chain, 0 if last is None else last.number):
        yield f"{paths.version_json.name}: {fault.what}"


def _sign_off_faults(registry: Registry, paths: VersionPaths, chain: Chain) -> list[str]:
    """Return what is wrong with who signed it; a word that a kill lost is missed too, since the last one counts."""
    return [f"{paths.status.name}: {fault.what}" for fault in sign_off_faults_of(registry.paths, paths, chain)[-1:]]


def _reading_faults(registry: Registry, name: str, number: int) -> list[str]:
    try:
        registry.status(registry.version(name, number))
    except StoreError as error:
        return [error.message]
    return []
