"""``mlops models handover``: what a model's owner is asked before it goes to production, and what they answered."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_cli.config.declared import lines_of, of_file, owners_file
from mlops_cli.config.handover import OWN, SECTION, blank_handover, read_handover
from mlops_cli.config.workspace import find_workspace
from mlops_cli.errors import ConfigError, StoreError, UsageError, nearest
from mlops_cli.records import Action, Handover, HandoverFile, KeptHandover
from mlops_cli.store.audit import AuditLog, this_user
from mlops_cli.store.layout import WorkspacePaths
from mlops_cli.store.names import check_name
from mlops_cli.store.registry import Registry
from mlops_cli.store.values import stamp
from mlops_cli.store.witness_handover import handover_digest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mlops_cli.records import HandoverItem, ModelVersion


def handover_of(ref: str, *, workspace: str | Path | None = None) -> Handover | None:
    """Return what was answered for a version, or for the nearest earlier one; None where nobody has answered.

    Parameters
    ----------
    ref : str
        ``titanic/3``, ``titanic@champion``; ``titanic`` is the champion, else the newest one.
    workspace : str or Path, optional
        The workspace; the current folder's where not given.

    Raises
    ------
    StoreError
        There is no such version, or the answers cannot be read.
    """
    registry = Registry(WorkspacePaths(find_workspace(workspace).root))
    version = registry.find(ref)
    return registry.handover(version.name, version.number)


def require(ref: str, *, workspace: str | Path | None = None) -> tuple[str, Handover]:
    """Return which version is meant, ``titanic/3``, and what `handover_of` returns.

    Raises
    ------
    StoreError
        There is no such version, or nobody has answered.
    """
    registry = Registry(WorkspacePaths(find_workspace(workspace).root))
    version = registry.find(ref)
    found = registry.handover(version.name, version.number)
    if found is None:
        hint = f"mlops models handover {version.name} --init writes the questions"
        raise StoreError(f"nobody has answered what the owner of {version.ref} is asked", hint=hint)
    return version.ref, found


# --- beginning ---------------------------------------------------------------------------------------------------


def begin(ref: str, *, workspace: str | Path | None = None) -> HandoverFile:
    """Write the questions of a model where its owner answers them; a file that is there stays as it is.

    Parameters
    ----------
    ref : str
        The model; it need not be registered yet.
    workspace : str or Path, optional
        The workspace; the current folder's where not given.

    Raises
    ------
    UsageError
        The file cannot be written.
    """
    place = find_workspace(workspace)
    name = check_name(ref.partition("/")[0].partition("@")[0], "model")
    path = owners_file(place, SECTION, name)
    said = _not_registered(Registry(WorkspacePaths(place.root)), name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(blank_handover(name))
    except FileExistsError:
        return HandoverFile(path, is_new=False, said=said)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from error
    return HandoverFile(path, is_new=True, said=said)


def _not_registered(registry: Registry, name: str) -> str:
    if registry.is_known(name):
        return ""
    near = nearest(name, registry.names())
    return f"no model '{name}' is registered yet{f'; did you mean {near!r}?' if near else ''}"


# --- keeping -----------------------------------------------------------------------------------------------------


def keep(ref: str, path: str | Path | None = None, *, workspace: str | Path | None = None) -> KeptHandover:
    """Keep an owner's answers with a version, in the name of who is logged in; all that were kept before stay too.

    Parameters
    ----------
    ref : str
        ``titanic/4``, or by an alias.
    path : str or Path, optional
        Where the answers are; ``configs/handover/titanic.yaml`` where not given.
    workspace : str or Path, optional
        The workspace; the current folder's where not given.

    Raises
    ------
    UsageError
        The reference does not say which version.
    ConfigError
        There is no such file, or it says something that is not asked; with the line and the key.
    """
    place = find_workspace(workspace)
    registry = Registry(WorkspacePaths(place.root))
    name = _meant(registry, ref).name
    file = owners_file(place, SECTION, name) if path is None else Path(path).expanduser()
    shown = place.shown(file)
    items = _read(file, shown, name)
    places = tuple(_places(items, file, shown))
    with registry.changing():
        version = _meant(registry, ref)
        return KeptHandover(_keep(registry, version, items, shown), places)


def _meant(registry: Registry, ref: str) -> ModelVersion:
    """Return a version that is named as such: answers are for one, whichever is the champion today."""
    version = registry.find(ref)
    if "/" not in ref and "@" not in ref:
        newest = f"{version.name}/{registry.numbers(version.name)[-1]}"
        raise UsageError(f"'{ref}' does not say which version", hint=f"mlops models handover {newest}")
    return version


def _read(file: Path, shown: str, name: str) -> tuple[HandoverItem, ...]:
    if not file.exists() and not file.is_symlink():
        hint = f"mlops models handover {name} --init writes the questions"
        raise ConfigError("there is no such file", file=shown, hint=hint)
    return of_file(file, shown, read_handover)


def _places(items: Sequence[HandoverItem], file: Path, shown: str) -> Iterator[tuple[HandoverItem, str]]:
    """Yield what must be answered and is not, with where the answer belongs."""
    lines = lines_of(file, shown)
    for item in items:
        if item.must and not item.answer:
            line = lines.get(item.key, lines.get(f"{OWN}.{item.key}"))
            yield item, shown if line is None else f"{shown}:{line}"


def _keep(registry: Registry, version: ModelVersion, items: tuple[HandoverItem, ...], file: str) -> Handover:
    """Write the answers down, inside `Registry.changing`: in the audit log, with the model, and on its cards."""
    before = registry.handovers(version.name)
    draft = Handover(version.name, version.number, items, stamp(), this_user(), file)
    said = {
        "answers": handover_digest(draft),
        "answered": draft.answered,
        "missing": list(draft.missing),
        "file": file,
        "after": len(before),
    }
    kept = replace(draft, audit=AuditLog(registry.paths).append(Action.HANDED_OVER, version.ref, said))
    registry.write_handovers(version.name, (*before, kept))
    return kept
