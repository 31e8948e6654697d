"""What the owners of models answered, held against the audit log."""

from __future__ import annotations

from contextlib import suppress
from itertools import chain as joined
from itertools import pairwise
from typing import TYPE_CHECKING

from mlops_cli.errors import StoreError
from mlops_cli.records import Action, AuditFault
from mlops_cli.store.auditing import digest_of_record
from mlops_cli.store.chain import read_chain
from mlops_cli.store.registry.json import handover_to_json
from mlops_cli.store.registry.registry import Registry
from mlops_cli.store.witness_models import version_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mlops_cli.records import AuditEntry, Handover, ModelVersion
    from mlops_cli.store.chain import Chain
    from mlops_cli.store.layout import WorkspacePaths


def handover_digest(handover: Handover) -> str:
    """Return the digest of what was answered at one time, as the audit log keeps it."""
    return digest_of_record(handover_to_json(handover))


def read_handovers(paths: WorkspacePaths) -> Iterator[Handover]:
    """Yield what owners answered, of all models; of a file that cannot be read nothing, since that is a fault."""
    for name in _names(paths):
        with suppress(StoreError):
            yield from Registry(paths).handovers(name)


def _names(paths: WorkspacePaths) -> set[str]:
    return {file.parent.name for file in paths.models.glob("[!.]*/handover.json")}


def handover_faults(paths: WorkspacePaths, chain: Chain) -> Iterator[AuditFault]:
    """Yield where what owners answered and the log disagree."""
    logged = {entry.subject.partition("/")[0] for entry in chain.entries.values() if entry.action is Action.HANDED_OVER}
    for name in sorted(_names(paths) | logged):
        yield from handover_faults_of(Registry(paths), name, chain)


def handover_faults_of(registry: Registry, name: str, chain: Chain) -> list[AuditFault]:
    """Return where what the owner of a model answered and the log disagree: in what, who, for which version, in order.

    Parameters
    ----------
    registry : Registry
        Where the model is.
    name : str
        Of the model.
    chain : Chain
        The log; where they disagree it is read again, since somebody may have answered since it was read.
    """
    where = _where(registry, name)
    try:
        found = list(_faults(where, registry.handovers(name), chain, name))
        if found:
            kept = registry.handovers(name)  # before the log: each entry comes before its answers
            found = list(_faults(where, kept, read_chain(registry.paths), name))
    except StoreError as error:
        return [AuditFault(where, f"cannot be read: {error}")]
    return found


def _where(registry: Registry, name: str) -> str:
    return registry.paths.handover(name).relative_to(registry.paths.root).as_posix()


def _faults(where: str, kept: Sequence[Handover], chain: Chain, name: str) -> Iterator[AuditFault]:
    for handover in kept:
        yield from (AuditFault(where, what) for what in _edits(handover, chain, name))
    known = [handover.audit.number for handover in kept if handover.audit is not None]
    for number, after in pairwise(known):
        if after <= number:  # of several answers for a version the last ones hold, so their order is part of them
            what = f"has the answers of entry {after} after those of entry {number}"
            yield AuditFault(where, f"{what}: they were moved, or older ones were put in again")
    entries = _handed_over(chain, name)
    for entry, later in zip(entries, [*entries, None][1:], strict=True):
        if entry.number not in known:
            yield _lacking(where, entry, later)


def _handed_over(chain: Chain, name: str) -> list[AuditEntry]:
    """Return the entries of each time that the owner of a model answered, in order."""
    of = [chain.about(subject, Action.HANDED_OVER) for subject in chain.of if subject.partition("/")[0] == name]
    return sorted(joined.from_iterable(of), key=lambda entry: entry.number)


def _edits(handover: Handover, chain: Chain, name: str) -> Iterator[str]:
    """Yield in what answers are not those that their entry announced."""
    what = f"what {handover.by} answered for {handover.ref} on {handover.at}"
    entry = None if handover.audit is None else chain.at(handover.audit)
    if handover.audit is None:
        yield f"{what} keeps no entry of the log"
    elif entry is None:
        yield f"{what} keeps entry {handover.audit.number}, which the log does not have: it was cut, or written anew"
    elif entry.details.get("answers") != handover_digest(handover) or handover.model != name:
        yield f"{what} is not what entry {entry.number} announced: it was edited"


def _lacking(where: str, entry: AuditEntry, later: AuditEntry | None) -> AuditFault:
    what = f"has no answers of entry {entry.number}, which {entry.user} gave for {entry.subject}"
    # Entries say how often it was answered before: where the next one says the same, this one never came.
    never_came = later is None or entry.details.get("after", -1) == later.details.get("after")
    told = "a kill leaves that; or they were taken out" if never_came else "they were taken out"
    return AuditFault(where, f"{what}: {told}", may_be_a_kill=never_came)


def lost_handover(registry: Registry, version: ModelVersion, chain: Chain) -> AuditFault | None:
    """Return that the answers that hold for a version by the log are not kept; None where they are.

    A kill leaves that, as `handover_faults_of` says, and so does a hand that wants older ones to hold: who relies on
    them cannot tell the two apart.

    Parameters
    ----------
    registry : Registry
        Where the version is.
    version : ModelVersion
        The version.
    chain : Chain
        The log, read before: what is answered since is kept too.
    """
    earlier = [entry for entry in _handed_over(chain, version.name) if version_of(entry) <= version.number]
    holds = max(earlier, key=lambda entry: (version_of(entry), entry.number), default=None)
    kept = {handover.audit for handover in registry.handovers(version.name)}
    return None if holds is None or holds.head in kept else _lacking(_where(registry, version.name), holds, None)
