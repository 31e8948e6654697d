"""What people say of registered models, held against the audit log: aliases as they were moved, and sign-offs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_cli.errors import StoreError
from mlops_cli.records import Action, Aliases, AuditFault
from mlops_cli.store.chain import MOVES, read_chain
from mlops_cli.store.files import read_json
from mlops_cli.store.layout import VersionPaths
from mlops_cli.store.registry import Registry
from mlops_cli.store.registry.json import status_from_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from mlops_cli.records import AliasMove, AuditEntry, SignOff
    from mlops_cli.store.chain import Chain
    from mlops_cli.store.layout import WorkspacePaths


def alias_faults(models: Sequence[tuple[str, Aliases | str]], chain: Chain, before: int) -> Iterator[AuditFault]:
    """Yield where the aliases of models and the log disagree.

    Parameters
    ----------
    models : sequence of (str, Aliases or str)
        See `read_aliases`; read before the log was.
    chain : Chain
        The log.
    before : int
        The number of the last entry that was there before the aliases were read.
    """
    logged = {s.partition("/")[0] for s in chain.of if chain.about(s, Action.REGISTERED)}
    gone = sorted(logged - {name for name, _ in models})
    for name, aliases in [*models, *((name, Aliases()) for name in gone)]:
        if isinstance(aliases, str):
            yield AuditFault(_place(name), aliases)
        else:
            yield from alias_faults_of(name, aliases, chain, before)


def _place(name: str) -> str:
    return f"models/{name}/aliases.json"


def alias_faults_of(name: str, aliases: Aliases, chain: Chain, before: int) -> Iterator[AuditFault]:
    """Yield where the aliases of one model and the log disagree; see `alias_faults`."""
    where = _place(name)
    held: dict[str, int | None] = {}
    for move in aliases.moves:
        yield from (AuditFault(where, what) for what in _move_faults(name, move, chain))
        if move.before != held.get(move.alias):
            meant = f"{move.alias} meant {move.before or 'nothing'} before, and no move had led there: it was edited"
            yield AuditFault(where, f"says of {move.at} that {meant}")
        held[move.alias] = move.to
    for alias, (said, moved) in aliases.edited().items():
        told = f"says that {alias} means {said or 'nothing'}, and by its moves it is {moved or 'nothing'}: edited"
        yield AuditFault(where, told)
    of = [e for s in chain.of if s.partition("/")[0] == name for e in chain.of[s] if e.number <= before]
    given = max((e for e in of if e.action is Action.REGISTERED), key=version_of, default=None)
    if given is not None and aliases.last < version_of(given):
        highest = f"{aliases.last or 'none'} is the highest number, and entry {given.number} gave {given.subject}"
        yield AuditFault(where, f"says that {highest}: it was removed, or an older one was put back")
    yield from _missing_moves(where, aliases, sorted((e for e in of if e.action in MOVES), key=lambda e: e.number))


def _missing_moves(where: str, aliases: Aliases, entries: Sequence[AuditEntry]) -> Iterator[AuditFault]:
    """Yield the entries of a model's moves that its aliases lack; what they mean, a later entry tells."""
    kept = {move.audit.number for move in aliases.moves if move.audit is not None}
    for place, entry in enumerate(entries):
        if entry.number in kept:
            continue
        later = [e for e in entries[place + 1 :] if e.details.get("alias") == entry.details.get("alias")]
        never_came = bool(later) and later[0].details.get("before") == entry.details.get("before")
        what = f"has no move of entry {entry.number} ({entry.action} {entry.subject})"
        if never_came or entry is entries[-1]:
            yield AuditFault(where, f"{what}: a kill leaves that", may_be_a_kill=True)
        else:
            yield AuditFault(where, f"{what}: it was taken out, or an older file was put back")


def version_of(entry: AuditEntry) -> int:
    """Return the number of the version that an entry is about; 0 where it is about none."""
    number = entry.subject.rpartition("/")[2]
    return int(number) if number.isdecimal() else 0


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


def read_aliases(paths: WorkspacePaths) -> Iterator[tuple[str, Aliases | str]]:
    """Yield each model's name with its aliases, or with why they cannot be read; also of one that has no such file."""
    registry = Registry(paths)
    named = {file.parent.name for file in paths.models.glob("[!.]*/aliases.json")}
    for name in sorted(named | {file.parent.parent.name for file in paths.version_files()}):
        try:
            yield name, registry.aliases(name)
        except StoreError as error:
            yield name, error.message


def sign_off_faults(paths: WorkspacePaths, chain: Chain) -> Iterator[AuditFault]:
    """Yield where the sign-offs of versions and the log disagree."""
    for file in sorted(paths.version_files()):
        yield from sign_off_faults_of(paths, VersionPaths(file.parent), chain)


def sign_off_faults_of(paths: WorkspacePaths, version: VersionPaths, chain: Chain) -> list[AuditFault]:
    """Return where the sign-offs of a version and the log disagree: in who, what, or which order.

    Parameters
    ----------
    paths : WorkspacePaths
        The workspace.
    version : VersionPaths
        The version.
    chain : Chain
        The log; where they disagree it is read again, since somebody may have signed since it was read.
    """
    place, ref = version.status, f"{version.root.parent.name}/{version.root.name}"
    where = place.relative_to(paths.root).as_posix()
    try:
        found = list(_sign_off_faults(where, _said(place), chain.about(ref, Action.SIGNED_OFF)))
        if found:
            said = _said(place)  # before the log: each entry comes before its word
            known = read_chain(paths).about(ref, Action.SIGNED_OFF)
            found = list(_sign_off_faults(where, said, known))
    except (StoreError, KeyError, TypeError, ValueError, AttributeError) as error:
        return [AuditFault(where, f"cannot be read: {error}")]
    return found


def _said(place: Path) -> Sequence[SignOff]:
    return status_from_json(read_json(place)).sign_offs if place.exists() else ()


def _sign_off_faults(where: str, said: Sequence[SignOff], entries: Sequence[AuditEntry]) -> Iterator[AuditFault]:
    left = list(said)
    for entry, later in zip(entries, [*entries, None][1:], strict=True):
        verdict, note = str(entry.details.get("verdict")), str(entry.details.get("note"))
        if left and (left[0].by, str(left[0].verdict), left[0].note) == (entry.user, verdict, note):
            left.pop(0)
            continue
        what = f"has no word of entry {entry.number}, that {entry.user} {verdict} it"
        # Entries say how many words there were before: where the next one says as many, this one never came.
        never_came = later is None or entry.details.get("after", -1) == later.details.get("after")
        told = "a kill leaves that; or it was taken out" if never_came else "it was taken out, or moved"
        yield AuditFault(where, f"{what}: {told}", may_be_a_kill=never_came)
    for word in left:
        told = f"says that {word.by} {word.verdict} it ({word.note or 'no note'}), and the log does not"
        yield AuditFault(where, told)
