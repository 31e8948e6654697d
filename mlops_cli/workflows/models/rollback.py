"""``mlops models rollback``: an alias given back to the version that had it before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_cli.config.workspace import find_workspace
from mlops_cli.errors import StoreError, UsageError
from mlops_cli.records import CHAMPION, OUT_OF_USE, Action, RolledBack
from mlops_cli.store.layout import WorkspacePaths
from mlops_cli.store.registry import Registry
from mlops_cli.store.registry.calling import Move, call, check_alias
from mlops_cli.store.registry.checking import certain_aliases
from mlops_cli.workflows.models.promote import ROLLBACK, fault_of

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_cli.records import Aliases


def rollback(name: str, alias: str = CHAMPION, *, workspace: str | Path | None = None) -> RolledBack:
    """Give an alias back to the version that had it before; once more goes further back.

    Parameters
    ----------
    name : str
        Of the model.
    alias : str
        The alias.
    workspace : str or Path, optional
        The workspace; the current folder's where not given.

    Raises
    ------
    UsageError
        A version is named, not a model.
    StoreError
        There is no such model, or no version that had the alias before.
    """
    registry = Registry(WorkspacePaths(find_workspace(workspace).root))
    model = name.partition("/")[0].partition("@")[0]
    if not registry.is_known(model):
        raise registry.unknown(model)
    if model != name:
        raise UsageError(f"'{name}' names a version", hint=f"mlops models rollback {model}")
    check_alias(alias)
    with registry.changing():
        aliases = certain_aliases(registry, name)
        before = aliases.versions.get(alias)
        to, skipped = _earlier(registry, name, alias, aliases)
        details = {"skipped": list(skipped)} if skipped else {}
        call(registry, name, Move(alias, to, Action.ROLLED_BACK, ROLLBACK, details=details))
    return RolledBack(name, alias, to, before, skipped)


def _earlier(registry: Registry, name: str, alias: str, aliases: Aliases) -> tuple[int, tuple[str, ...]]:
    """Return the last version before that may have an alias again, and why later ones may not."""
    held = held_by(aliases, alias)
    skipped: dict[str, None] = {}
    for number in reversed(held[:-1]):
        if number is None or number == held[-1]:
            continue
        why = _unfit(registry, name, number)
        if not why:
            return number, tuple(skipped)
        skipped[f"{name}/{number} {why}"] = None
    if not held:
        raise StoreError(f"no version of '{name}' has had @{alias}", hint=f"mlops models promote {name}/N")
    now = "" if held[-1] is None else f" before {name}/{held[-1]}"
    text = "; ".join([f"no other version of '{name}' had @{alias}{now}", *skipped])
    raise StoreError(text, hint=f"mlops models alias {name}/N {alias} gives it to any")


def held_by(aliases: Aliases, alias: str) -> list[int | None]:
    """Return who has had an alias, the first one first and None where nobody; what was rolled back is forgotten.

    Examples
    --------
    >>> from mlops_cli.records import Aliases, AliasMove
    >>> moves = [AliasMove("champion", to, None, "", "", why) for to, why in [(1, ""), (2, ""), (1, "rollback")]]
    >>> held_by(Aliases(moves=tuple(moves)), "champion")
    [1]
    """
    held: list[int | None] = []
    for move in aliases.moves:
        if move.alias != alias:
            continue
        if move.why == ROLLBACK and move.to in held:
            held = held[: len(held) - held[::-1].index(move.to)]
        else:
            held.append(move.to)
    return held


def _unfit(registry: Registry, name: str, number: int) -> str:
    """Return why a version cannot have an alias again; nothing where it can."""
    if number not in registry.numbers(name):
        return "has been removed"
    if fault := fault_of(registry, name, number):
        return f"is not as it was registered: {fault}"
    approval = registry.status(registry.version(name, number)).approval
    return f"is {approval}" if approval in OUT_OF_USE else ""
