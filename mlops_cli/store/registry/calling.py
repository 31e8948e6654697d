"""What versions are called: an alias given to a version, moved to another one, or taken away; each move is kept."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from mlops_cli.errors import StoreError
from mlops_cli.records import Action, Aliases, AliasMove
from mlops_cli.store.audit import AuditLog, this_user
from mlops_cli.store.names import check_name
from mlops_cli.store.values import stamp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_cli.store.registry.registry import Registry


def check_alias(alias: str) -> str:
    """Return a word that may be an alias.

    Raises
    ------
    StoreError
        It is no word, or a number, which means a version already.
    """
    if alias.isdecimal():
        raise StoreError(f"the alias '{alias}' would be taken for a number", hint="an alias is a word: champion")
    return check_name(alias, "alias", cannot="is not one word")


@dataclass(frozen=True)
class Move:
    """An alias that is to mean a version, whatever it meant before.

    Parameters
    ----------
    alias : str
        How the version is to be called.
    to : int, optional
        The version's number; None takes the alias away.
    action : Action
        What the audit log calls it.
    why : str
        ``promotion`` or ``rollback``; nothing where it is done by hand.
    override : str
        Why gates that failed were passed over.
    details : mapping
        What else the audit log is to keep.
    """

    alias: str
    to: int | None
    action: Action = Action.ALIAS
    why: str = ""
    override: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


def call(registry: Registry, name: str, move: Move) -> Aliases:
    """Move an alias of a model, inside `Registry.changing`; return its aliases as they are then."""
    before = registry.sure_aliases(name)
    old = before.versions.get(check_alias(move.alias))
    if old == move.to:
        return before
    said = {"alias": move.alias, "to": move.to, "before": old, **move.details}
    said |= {"override": move.override} if move.override else {}
    subject = f"{name}/{old if move.to is None else move.to}"
    head = AuditLog(registry.paths).append(move.action, subject, said)
    at = stamp()
    done = AliasMove(move.alias, move.to, old, at, this_user(), move.why, move.override, head)
    versions = {word: number for word, number in before.versions.items() if word != move.alias}
    if move.to is not None:
        versions[move.alias] = move.to
    after = replace(before, versions=dict(sorted(versions.items())), moves=(*before.moves, done))
    registry.write_aliases(name, after)
    return after
