"""What people say of registered models, held against the audit log: aliases as they were moved, and sign-offs."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from mlops_cli.errors import StoreError
from mlops_cli.records import Action, AuditFault
from mlops_cli.store.files import read_json
from mlops_cli.store.layout import VersionPaths
from mlops_cli.store.registry import Registry
from mlops_cli.store.registry.json import status_from_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_cli.records import Aliases, AliasMove
    from mlops_cli.store.chain import Chain
    from mlops_cli.store.layout import WorkspacePaths

MOVES = (Action.ALIAS, Action.PROMOTED, Action.ROLLED_BACK)


def alias_faults(paths: WorkspacePaths, name: str, aliases: Aliases, chain: Chain, before: int) -> Iterator[AuditFault]:
    """Yield where the aliases of a model and the log disagree.

    Parameters
    ----------
    paths : WorkspacePaths
        The workspace.
    name : str
        Of the model.
    aliases : Aliases
        As they were read before the log was.
    chain : Chain
        The log.
    before : int
        The number of the last entry that was there before the aliases were read.
    """
    where = paths.aliases(name).relative_to(paths.root).as_posix()
    for move in aliases.moves:
        yield from (AuditFault(where, what) for what in _move_faults(name, move, chain))
    for alias, (said, moved) in _unlike(aliases).items():
        told = f"says that {alias} means {said or 'nothing'}, and by its moves it is {moved or 'nothing'}: edited"
        yield AuditFault(where, told)
    kept = {move.audit.number for move in aliases.moves if move.audit is not None}
    for subject in [s for s in chain.of if s.partition("/")[0] == name]:
        for entry in chain.about(subject, *MOVES):
            if entry.number not in kept and entry.number <= before:
                told = f"has no move of entry {entry.number} ({entry.action} {subject}): a kill leaves that"
                yield AuditFault(where, told, may_be_a_kill=True)


def _move_faults(name: str, move: AliasMove, chain: Chain) -> Iterator[str]:
    what = f"the move of {move.alias} to {move.to or 'nothing'} on {move.at}"
    if move.audit is None:
        yield f"{what} keeps no entry of the log"
        return
    entry = chain.at(move.audit)
    if entry is None:
        yield f"{what} keeps entry {move.audit.number}, which the log does not have: it was cut, or written anew"
        return
    said = {key: entry.details.get(key) for key in ("alias", "to", "before")}
    subject = f"{name}/{move.before if move.to is None else move.to}"
    if entry.subject != subject or said != {"alias": move.alias, "to": move.to, "before": move.before}:
        yield f"{what} is not what entry {move.audit.number} announced: it was edited"
    elif (entry.details.get("override") or "") != move.override or entry.user != move.by:
        yield f"{what} names another person or reason than entry {move.audit.number}: it was edited"


def _unlike(aliases: Aliases) -> dict[str, tuple[int | None, int | None]]:
    """Return the aliases that mean another version than their moves lead to."""
    moved = {move.alias: move.to for move in aliases.moves}
    every = sorted({*moved, *aliases.versions})
    pairs = {alias: (aliases.versions.get(alias), moved.get(alias)) for alias in every}
    return {alias: pair for alias, pair in pairs.items() if pair[0] != pair[1]}


def read_aliases(paths: WorkspacePaths) -> Iterator[tuple[str, Aliases | str]]:
    """Yield each model's name with its aliases, or with why they cannot be read."""
    registry = Registry(paths)
    for file in sorted(paths.models.glob("[!.]*/aliases.json")):
        try:
            yield file.parent.name, registry.aliases(file.parent.name)
        except StoreError as error:
            yield file.parent.name, error.message


def sign_off_faults(paths: WorkspacePaths, chain: Chain) -> Iterator[AuditFault]:
    """Yield the sign-offs of versions that the log does not know."""
    for file in sorted(paths.version_files()):
        place = VersionPaths(file.parent).status
        where, ref = place.relative_to(paths.root).as_posix(), f"{file.parent.parent.name}/{file.parent.name}"
        try:
            said = status_from_json(read_json(place)).sign_offs if place.exists() else ()
        except (StoreError, KeyError, TypeError, ValueError, AttributeError) as error:
            yield AuditFault(where, f"cannot be read: {error}")
            continue
        entries = chain.about(ref, Action.SIGNED_OFF)
        known = [(e.user, str(e.details.get("verdict")), str(e.details.get("note"))) for e in entries]
        for by, verdict, note in Counter((s.by, str(s.verdict), s.note) for s in said) - Counter(known):
            yield AuditFault(where, f"says that {by} {verdict} it ({note or 'no note'}), and the log does not")
