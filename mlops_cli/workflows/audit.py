"""``mlops audit``: who did what to the store, and whether the log of it is whole."""

from __future__ import annotations

from datetime import datetime
from fnmatch import fnmatchcase
from itertools import islice
from typing import TYPE_CHECKING

from mlops_cli.config.workspace import find_workspace
from mlops_cli.errors import StoreError, UsageError, did_you_mean
from mlops_cli.records import Action, AuditFault, AuditHead, AuditQuery, AuditReport
from mlops_cli.store.audit import AuditLog, entry_from_line
from mlops_cli.store.chain import read_chain
from mlops_cli.store.index.dates import ALLOWED, span
from mlops_cli.store.layout import WorkspacePaths
from mlops_cli.store.witness import data_witnesses, missing, run_witnesses, version_witnesses
from mlops_cli.store.witness_handover import handover_faults, read_handovers
from mlops_cli.store.witness_models import alias_faults, read_aliases, sign_off_faults

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from mlops_cli.records import Aliases, AuditEntry
    from mlops_cli.store.chain import Chain
    from mlops_cli.store.witness import Witness

_HASH = 64


def _paths(workspace: str | Path | None) -> WorkspacePaths:
    return WorkspacePaths(find_workspace(workspace).root)


# --- looking -----------------------------------------------------------------------------------------------------


def query(
    actions: Sequence[str] = (),
    subject: str = "",
    user: str = "",
    *,
    since: str = "",
    until: str = "",
    limit: int | None = None,
) -> AuditQuery:
    """Return which entries are meant by words as they are typed.

    Parameters
    ----------
    actions : sequence of str
        ``run``, ``promoted`` …; any of them.
    subject : str
        A glob: ``titanic/*``, ``titanic@3``.
    user : str
        Who.
    since, until : str
        ``2026-01-31``, ``yesterday``, ``7d``; a day until which is meant whole.
    limit : int, optional
        At most so many, the newest ones.

    Raises
    ------
    UsageError
        There is no such action, or something is no time.
    """
    known = [str(action) for action in Action]
    for word in actions:
        if word not in known:
            raise UsageError(f"--action: there is no '{word}'", hint=did_you_mean(word, known, limit=len(known)))
    begin, end = _span("--since", since), _span("--until", until)
    return AuditQuery(
        tuple(map(Action, actions)), subject, user, begin and begin[0], end and max(end[1], end[0]), limit
    )


def _span(option: str, text: str) -> tuple[float, float] | None:
    if not text:
        return None
    found = span(text, datetime.now().astimezone())
    if found is None:
        raise UsageError(f"{option}: '{text}' is no time", hint=ALLOWED)
    return found


def entries(
    asked: AuditQuery | None = None, *, workspace: str | Path | None = None
) -> tuple[tuple[AuditEntry, ...], tuple[str, ...]]:
    """Return entries of the audit log, the newest one first, and what is wrong with lines among them that are none.

    Whether they can be believed, `verify` says.

    Raises
    ------
    StoreError
        The log cannot be read.
    """
    wanted, faults = asked or AuditQuery(), list[str]()
    found = (entry for entry in _readable(AuditLog(_paths(workspace)), faults) if _is_meant(entry, wanted))
    return tuple(islice(found, wanted.limit)), tuple(faults)


def _readable(log: AuditLog, faults: list[str]) -> Iterator[AuditEntry]:
    """Yield the entries from the last one on, and note what is wrong with lines that are none."""
    for number, line in reversed(list(log.lines())):
        try:
            yield entry_from_line(line, log.paths.audit, number)
        except StoreError as error:
            faults.append(error.message)


def _is_meant(entry: AuditEntry, asked: AuditQuery) -> bool:
    if asked.actions and entry.action not in asked.actions:
        return False
    if asked.subject and not fnmatchcase(entry.subject, asked.subject):
        return False
    if asked.user and entry.user != asked.user:
        return False
    return (asked.since is None and asked.until is None) or _is_within(entry, asked)


def _is_within(entry: AuditEntry, asked: AuditQuery) -> bool:
    try:
        at = datetime.fromisoformat(entry.at).timestamp()
    except ValueError:  # of an entry that was edited
        return False
    return (asked.since is None or at >= asked.since) and (asked.until is None or at <= asked.until)


# --- checking ----------------------------------------------------------------------------------------------------


def verify(head: str = "", *, workspace: str | Path | None = None) -> AuditReport:
    """Check that the audit log holds together, and that all records agree with it.

    Parameters
    ----------
    head : str
        ``NUMBER:HASH`` of an entry as an earlier `verify` gave it and as it was kept elsewhere; at least twelve digits.
    workspace : str or Path, optional
        The workspace; the current folder's where not given.

    Raises
    ------
    UsageError
        ``head`` is none.
    """
    paths, kept = _paths(workspace), _head(head)
    before = _last(paths)
    witnesses = [*run_witnesses(paths), *version_witnesses(paths), *data_witnesses(paths)]
    aliases = list(read_aliases(paths))
    chain = read_chain(paths)  # after the records: each entry comes before its record
    found = [*chain.faults, *_kept_elsewhere(kept, chain), *_disagreeing(paths, witnesses, aliases, chain, before)]
    moves = [move for _, each in aliases if not isinstance(each, str) for move in each.moves]
    answered = [item.audit for item in read_handovers(paths)]
    heads = [*(witness.head for witness in witnesses), *(move.audit for move in moves), *answered]
    first, last = chain.first, chain.last
    return AuditReport(
        entries=len(chain.entries),
        heads=sum(head is not None for head in heads),
        faults=tuple(fault for fault in found if not fault.may_be_a_kill),
        notes=tuple(fault for fault in found if fault.may_be_a_kill),
        head=None if last is None else last.head,
        began=None if first is None else first.at,
        ended=None if last is None else last.at,
    )


def _last(paths: WorkspacePaths) -> int:
    """Return the number of the last entry; of a log that is damaged none is sure to be on its way."""
    try:
        head = AuditLog(paths).last()
    except StoreError:
        return 1 << 62
    return 0 if head is None else head.number


def _disagreeing(
    paths: WorkspacePaths,
    witnesses: Sequence[Witness],
    aliases: Sequence[tuple[str, Aliases | str]],
    chain: Chain,
    before: int,
) -> Iterator[AuditFault]:
    for witness in witnesses:
        yield from witness.faults(chain, before)
    yield from alias_faults(aliases, chain, before)
    yield from sign_off_faults(paths, chain)
    yield from handover_faults(paths, chain)
    yield from missing(chain, {witness.subject for witness in witnesses if not witness.is_copy}, before)


def _head(text: str) -> AuditHead | None:
    if not text:
        return None
    number, _, digest = text.partition(":")
    is_hash = 12 <= len(digest) <= _HASH and set(digest) <= set("0123456789abcdef")
    if not (number.isdecimal() and is_hash):
        raise UsageError(f"--head: '{text}' is no entry", hint="NUMBER:HASH, as mlops audit --verify --json gives it")
    return AuditHead(int(number), digest)


def _kept_elsewhere(head: AuditHead | None, chain: Chain) -> Iterator[AuditFault]:
    if head is None:
        return
    entry = chain.entries.get(head.number)
    if entry is None or not entry.hash.startswith(head.hash):
        what = f"entry {head.number} ({head.hash[:12]}) is not in the log: it was cut, or written anew"
        yield AuditFault("--head", what)
