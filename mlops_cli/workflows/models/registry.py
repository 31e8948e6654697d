"""``mlops models``: registered versions listed, shown, compared, named, described, signed off, removed, checked."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mlops_cli.config.workspace import find_workspace
from mlops_cli.errors import ConfigError, StoreError, UsageError, did_you_mean
from mlops_cli.records import OUT_OF_USE, Action, RegisteredModel, RunFile, SignOff, VersionCheck, VersionPage
from mlops_cli.store.audit import AuditLog, this_user
from mlops_cli.store.files import read_bytes, read_json
from mlops_cli.store.layout import VersionPaths, WorkspacePaths
from mlops_cli.store.registry import Registry
from mlops_cli.store.registry.calling import Move, call
from mlops_cli.store.registry.checking import announced, check_aliases, check_handover, check_version
from mlops_cli.store.registry.removing import remove_version, require_unnamed
from mlops_cli.store.values import stamp
from mlops_cli.workflows.models.promote import RefusedError, declared_gates

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from mlops_cli.analysis.difference import Side
    from mlops_cli.records import Approval, ModelStatus, ModelVersion, RunDiff


def _registry(workspace: str | Path | None) -> Registry:
    return Registry(WorkspacePaths(find_workspace(workspace).root))


# --- looking -----------------------------------------------------------------------------------------------------


def list_models(
    name: str | None = None, *, workspace: str | Path | None = None
) -> tuple[tuple[RegisteredModel, ...], tuple[str, ...]]:
    """Return all models by name, or one, and what is wrong with versions that cannot be read.

    Raises
    ------
    StoreError
        There is no such model.
    """
    registry = _registry(workspace)
    if name is not None and not registry.is_known(name):
        raise registry.unknown(name)
    found, faults = [], []
    for each in registry.names() if name is None else [name]:
        model, damaged = _readable(registry, each)
        faults += damaged
        if model is not None:
            found.append(model)
    return tuple(found), tuple(faults)


def _readable(registry: Registry, name: str) -> tuple[RegisteredModel | None, list[str]]:
    """Return a model with those versions that can be read, and what is wrong with the others."""
    versions, statuses, faults = [], {}, []
    try:
        aliases = registry.aliases(name)
    except StoreError as error:
        return None, [error.message]
    for number in registry.numbers(name):
        try:
            version = registry.version(name, number)
            statuses[number] = registry.status(version)
            versions.append(version)
        except StoreError as error:
            if registry.paths.model_version(name, number).root.exists():  # else it was removed meanwhile
                faults.append(error.message)
    model = RegisteredModel(name, tuple(versions), aliases, statuses) if versions else None
    return model, faults


def row_of(model: RegisteredModel, version: ModelVersion) -> dict[str, Any]:
    """Return a version as a row of a table."""
    status, record = model.statuses[version.number], version.record
    return {
        "name": version.name,
        "version": version.number,
        "aliases": model.aliases.of(version.number),
        "approval": str(status.approval),
        "run": record.id,
        "data": None if record.dataset is None else record.dataset.source,
        **{f"metrics.{name}": summary.mean for name, summary in record.metrics.items()},
        **{f"tags.{key}": value for key, value in status.tags.items()},
        "description": status.description or record.description,
        "by": version.by,
        "created": version.created,
        "path": str(version.path),
    }


def find(ref: str, *, workspace: str | Path | None = None) -> ModelVersion:
    """Return the version that ``titanic/3``, ``titanic@champion`` or ``titanic`` means.

    Raises
    ------
    StoreError
        There is no such model, version or alias.
    """
    return _registry(workspace).find(ref)


def show(ref: str, *, workspace: str | Path | None = None) -> VersionPage:
    """Return a version with what is said of it, and its files as they are now."""
    registry = _registry(workspace)
    return _page(registry, registry.find(ref))


def _page(registry: Registry, version: ModelVersion) -> VersionPage:
    aliases, numbers = registry.aliases(version.name), tuple(registry.numbers(version.name))
    called = aliases.of(version.number)
    last = {move.alias: move for move in aliases.moves}
    overridden = tuple(last[alias] for alias in called if alias in last and last[alias].override)
    status, handover = registry.status(version), registry.readable_handover(version.name, version.number)
    page = VersionPage(version, called, status, numbers, tuple(_files(version)), overridden)
    return replace(page, unread=handover) if isinstance(handover, str) else replace(page, handover=handover)


def _files(version: ModelVersion) -> Iterator[RunFile]:
    paths = VersionPaths(version.path)
    for path in sorted([*version.files, *(p.name for p in (paths.version_json, paths.card, paths.status))]):
        place = version.path / path
        if place.is_file():
            yield RunFile(path, place.stat().st_size, version.files.get(path))


def diff(a: str, b: str, *, workspace: str | Path | None = None) -> RunDiff:
    """Return what differs between two versions: params, scores, data, columns, code, packages, environment, config.

    Parameters
    ----------
    a, b : str
        ``titanic/2``, ``titanic@champion`` …
    workspace : str or Path, optional
        The workspace; the current folder's where not given.
    """
    from mlops_cli.analysis.difference import difference

    registry = _registry(workspace)
    return difference(_side(registry.find(a)), _side(registry.find(b)))


def _side(version: ModelVersion) -> Side:
    """Return a version as one of two runs that are compared, by its own name and with all its packages."""
    from mlops_cli.analysis.difference import Side
    from mlops_cli.workflows.runs.asked import config_leaves

    paths = VersionPaths(version.path)
    packages = read_json(paths.packages).get("packages", {})
    versions = {name: item.get("version") for name, item in packages.items()}
    record = replace(version.record, id=version.ref, environment={**version.record.environment, "packages": versions})
    patch = read_bytes(paths.source_diff) if paths.source_diff.exists() else b""
    return Side(record, config_leaves(record), patch)


# --- naming and describing ---------------------------------------------------------------------------------------


def alias(ref: str, word: str, *, remove: bool = False, workspace: str | Path | None = None) -> ModelVersion:
    """Let an alias mean a version, whatever it meant before; or take it away.

    Raises
    ------
    StoreError
        There is no such version, or it does not have the alias that is to be taken away.
    RefusedError
        The version is rejected or archived.
    """
    registry = _registry(workspace)
    with registry.changing():
        version = registry.find(ref)
        has = registry.aliases(version.name).of(version.number)
        if remove and word not in has:
            hint = did_you_mean(word, has) if has else None
            raise StoreError(f"{version.ref} has no alias '{word}'{'' if has else ', and no other either'}", hint=hint)
        if not remove:
            _require_in_use(version, registry.status(version))
        call(registry, version.name, Move(word, None if remove else version.number))
    return version


def _require_in_use(version: ModelVersion, status: ModelStatus) -> None:
    if status.approval in OUT_OF_USE:
        last = status.sign_offs[-1]
        hint = f"mlops models approve {version.ref}, if that is no longer so"
        raise RefusedError(f"{version.ref} is {status.approval} by {last.by}", hint=hint)


def gates_not_asked(version: ModelVersion, *, workspace: str | Path | None = None) -> str:
    """Return where gates are declared that an alias given by hand has not asked; nothing where there are none."""
    with suppress(ConfigError):
        return declared_gates(version, find_workspace(workspace)).where
    return f"configs/promotion/{version.name}.yaml"  # damaged, and so not asked either


def tag(
    ref: str, tags: Mapping[str, str], without: Sequence[str] = (), *, workspace: str | Path | None = None
) -> VersionPage:
    """Add tags to a version, take some away; return it as it is then.

    Raises
    ------
    UsageError
        A tag that is to be taken away is not there.
    """
    registry = _registry(workspace)
    with registry.changing():
        version = _to_be_changed(registry, ref)
        status = registry.status(version)
        for key in without:
            if key not in status.tags:
                hint = did_you_mean(key, status.tags) if status.tags else None
                other = "" if status.tags else ", and no other either"
                raise UsageError(f"{version.ref} has no tag '{key}'{other}; nothing is changed", hint=hint)
        kept = {key: value for key, value in status.tags.items() if key not in without}
        _say(registry, version, replace(status, tags={**kept, **tags}), {"tags": dict(tags), "without": list(without)})
        return _page(registry, version)


def describe(ref: str, text: str, *, workspace: str | Path | None = None) -> VersionPage:
    """Say what a version is for, in place of what was said before."""
    registry = _registry(workspace)
    with registry.changing():
        version = _to_be_changed(registry, ref)
        _say(registry, version, replace(registry.status(version), description=text), {"description": text})
        return _page(registry, version)


def _to_be_changed(registry: Registry, ref: str) -> ModelVersion:
    """Return a version whose card can be made: what is damaged is told before a change is announced, not after."""
    version = registry.find(ref)
    registry.card(version)
    return version


def _say(registry: Registry, version: ModelVersion, status: ModelStatus, details: Mapping[str, object]) -> None:
    if status != registry.status(version):
        AuditLog(registry.paths).append(Action.MODEL_AMENDED, version.ref, details)
    registry.write_status(version, status)


def sign(ref: str, verdict: Approval, note: str = "", *, workspace: str | Path | None = None) -> VersionPage:
    """Approve, reject or archive a version, in the name of who is logged in."""
    registry = _registry(workspace)
    with registry.changing():
        version = _to_be_changed(registry, ref)
        status = registry.status(version)
        word = SignOff(this_user(), stamp(), verdict, note)
        AuditLog(registry.paths).append(
            Action.SIGNED_OFF, version.ref, {"verdict": str(verdict), "note": note, "after": len(status.sign_offs)}
        )
        registry.write_status(version, replace(status, sign_offs=(*status.sign_offs, word)))
        return _page(registry, version)


def card(ref: str, *, workspace: str | Path | None = None) -> str:
    """Return a version's card as it should be now, with its owner's own words."""
    registry = _registry(workspace)
    return registry.card(registry.find(ref))


def edit_card(ref: str, text: str, *, workspace: str | Path | None = None) -> ModelVersion:
    """Take the owner's own words of a card from ``text``; what is written from the record is written anew.

    Parameters
    ----------
    ref : str
        The version.
    text : str
        Markdown: a whole card, or the owner's words alone.
    workspace : str or Path, optional
        The workspace; the current folder's where not given.
    """
    registry = _registry(workspace)
    with registry.changing():
        version = _to_be_changed(registry, ref)
        AuditLog(registry.paths).append(Action.MODEL_AMENDED, version.ref, {"card": len(text)})
        registry.write_card(version, text)
    return version


# --- removing and checking ---------------------------------------------------------------------------------------


def removable(ref: str, *, force: bool = False, workspace: str | Path | None = None) -> tuple[str, int]:
    """Return the name and number of a version that ``titanic/3`` means, damaged or not.

    Raises
    ------
    UsageError
        The number is not said.
    StoreError
        There is no such version, or it has an alias and not ``force``.
    """
    registry = _registry(workspace)
    called, at, _ = ref.partition("@")
    if at and registry.is_known(called):
        version = registry.find(ref)
        raise UsageError(f"'{ref}' does not say which version", hint=f"say the number: mlops models rm {version.ref}")
    name, _, word = ref.partition("/")
    numbers = registry.numbers(name)
    if not numbers:
        raise registry.unknown(called if at else name)
    known = {f"{name}/{number}": number for number in numbers}
    if not word:
        raise UsageError(f"'{ref}' does not say which version", hint=f"mlops models rm {name}/{numbers[-1]}")
    if ref not in known:
        raise StoreError(f"the model '{name}' has no version '{word}'", hint=did_you_mean(ref, known))
    if not force:
        require_unnamed(ref, registry.aliases(name).of(known[ref]))
    return name, known[ref]


def remove(ref: str, *, force: bool = False, workspace: str | Path | None = None) -> None:
    """Remove a version for good; its number is not given again.

    Parameters
    ----------
    ref : str
        ``titanic/3``; the number has to be said.
    force : bool
        Also one that an alias points at.
    workspace : str or Path, optional
        The workspace; the current folder's where not given.
    """
    remove_version(_registry(workspace), *removable(ref, force=force, workspace=workspace), force=force)


def verify(
    ref: str | None = None, *, allow_pickle: bool = False, workspace: str | Path | None = None
) -> tuple[VersionCheck, ...]:
    """Read every byte of versions again, hold them against the record and the audit log, and open their models.

    Parameters
    ----------
    ref : str, optional
        A model, or one version of it; all where not given.
    allow_pickle : bool
        Open models that are pickles too, which can run any code.
    workspace : str or Path, optional
        The workspace; the current folder's where not given.
    """
    registry = _registry(workspace)
    asked = _asked(registry, ref)
    chain = announced(registry)
    faults = tuple(f"{fault.where}: {fault.what}" for fault in chain.faults)
    found = [VersionCheck("the audit log", 0, 0, faults)] if faults else []
    for name in sorted({name for name, _ in asked}):
        found += [check_aliases(registry, name), check_handover(registry, name, chain)]
    for name, number in asked:
        checked = check_version(registry, name, number, chain)
        found.append(checked if checked.faults else _opened(registry, name, number, checked, allow_pickle=allow_pickle))
    return tuple(found)


def _asked(registry: Registry, ref: str | None) -> list[tuple[str, int]]:
    if ref is None or ("/" not in ref and "@" not in ref):
        names = registry.names() if ref is None else [ref]
        if ref is not None and not registry.is_known(ref):
            raise registry.unknown(ref)
        return [(name, number) for name in names for number in registry.numbers(name)]
    name, _, word = ref.partition("/")
    if word.isdecimal() and int(word) in registry.numbers(name):
        return [(name, int(word))]  # by its place: a damaged one is what is looked for
    version = registry.find(ref)
    return [(version.name, version.number)]


def _opened(registry: Registry, name: str, number: int, checked: VersionCheck, *, allow_pickle: bool) -> VersionCheck:
    from mlops_cli.errors import MlopsError
    from mlops_cli.workflows.applying.model import registered
    from mlops_cli.workflows.models.gates import closed

    model = registered(registry.version(name, number))
    if why := closed(model, allow_pickle=allow_pickle):
        return replace(checked, notes=(why,))
    try:
        model.open(allow_pickle=allow_pickle)
    except MlopsError as error:
        return replace(checked, faults=(f"its model cannot be opened: {error}",))
    return checked
