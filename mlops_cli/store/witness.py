"""Records held against the audit log: those of runs, registered versions, aliases and data sets.

Each keeps the place and hash of the entry that announced it: a log that was cut, or written anew as a whole, lacks
these. Each entry keeps a digest of its record: one that was edited since has another. What a kill between entry and
record leaves is told apart from what only somebody's hand can have done.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from mlops_cli.errors import StoreError
from mlops_cli.records import Action, AuditFault, RunStatus
from mlops_cli.store.audit import head_from_json
from mlops_cli.store.auditing import AUDIT_FAILED, RUN_MAY_CHANGE, digest_of_record
from mlops_cli.store.datasets import Datasets
from mlops_cli.store.files import read_json
from mlops_cli.store.find import is_alive, run_folders
from mlops_cli.store.layout import RunPaths

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from mlops_cli.records import AuditEntry, AuditHead
    from mlops_cli.store.chain import Chain
    from mlops_cli.store.layout import WorkspacePaths

OF_RUNS = (Action.RUN, Action.RUN_RESUMED)


@dataclass(frozen=True)
class Witness:
    """What a record says of the log, and what the log is to say of it.

    Parameters
    ----------
    where : str
        The record's file, from the workspace's folder.
    subject : str
        What it is about, as entries call it.
    announced : Action
        What announced it.
    head : AuditHead, optional
        The entry that it keeps.
    digest : str
        Of the record, as entries have it.
    made : str
        When, as it says; ISO 8601 with offset.
    problem : str
        Why it cannot be read.
    is_open : bool
        Of a run: it has not ended.
    is_copy : bool
        Of a run: as it was when a version was registered from it.
    is_written : bool
        Of a run: a process is writing it, and so there is nothing to be said yet.
    excuse : str
        Why it keeps no head, if it says so.
    """

    where: str
    subject: str
    announced: Action
    head: AuditHead | None = None
    digest: str = ""
    made: str = ""
    problem: str = ""
    is_open: bool = False
    is_copy: bool = False
    is_written: bool = False
    excuse: str = ""

    def faults(self, chain: Chain, before: int) -> Iterator[AuditFault]:
        """Yield where record and log disagree.

        Parameters
        ----------
        chain : Chain
            The log, read after the record was.
        before : int
            The number of the last entry that was there before the record was read: what came later may be on its way.
        """
        if self.is_written:
            return
        if self.problem or self.excuse:
            yield AuditFault(self.where, self.problem or self.excuse, may_be_a_kill=not self.problem)
            return
        entry = None if self.head is None else chain.at(self.head)
        if self.head is not None:
            yield from self._against(entry, self.head)
        if self.announced in OF_RUNS and not self.is_copy:
            number = 0 if self.head is None else self.head.number
            later = [e for e in chain.about(self.subject, *OF_RUNS) if number < e.number <= before]
            yield from self._later(later)
        if self.head is None and not self.is_open:
            yield from self._unannounced(chain)

    def _against(self, entry: AuditEntry | None, head: AuditHead) -> Iterator[AuditFault]:
        """Yield what is wrong with the entry that a record keeps."""
        what = f"entry {head.number} ({head.hash[:12]})"
        if entry is None:
            yield AuditFault(self.where, f"keeps {what}, which the log does not have: it was cut, or written anew")
        elif (entry.action, entry.subject) != (self.announced, self.subject):
            yield AuditFault(self.where, f"keeps {what}, which is of something else: {entry.action} {entry.subject}")
        elif self.digest and entry.details.get("record") != self.digest:
            yield AuditFault(self.where, f"is not the record that entry {head.number} announced: it was edited")

    def _later(self, later: list[AuditEntry]) -> Iterator[AuditFault]:
        """Yield what it means that a run has younger entries than the one that it keeps."""
        for entry in later:
            what = f"entry {entry.number} ({entry.action}, {entry.at}) came later than this record"
            if self.is_open or entry.action is Action.RUN_RESUMED:
                yield AuditFault(self.where, f"{what}: a kill between the two leaves that", may_be_a_kill=True)
            elif self.head is None:
                yield AuditFault(self.where, f"keeps no entry, and entry {entry.number} is of how it ended")
            else:
                yield AuditFault(self.where, f"{what}: an older one was put back")

    def _unannounced(self, chain: Chain) -> Iterator[AuditFault]:
        """Yield what it means that a record keeps no head."""
        began = chain.first
        if chain.about(self.subject, self.announced):
            if self.announced not in OF_RUNS:
                yield AuditFault(self.where, "keeps no entry of the log, which has one of it")
        elif began is not None and not is_before(self.made, began.at):
            yield AuditFault(self.where, f"is of {self.made}, and the log, begun {began.at}, has no entry of it")


def is_before(time: str, other: str) -> bool:
    """Whether a time is not after another one, both ISO 8601 with offset; not where one is no time."""
    try:
        return datetime.fromisoformat(time) <= datetime.fromisoformat(other)
    except (ValueError, TypeError):  # no time, or one without a zone
        return False


# --- which records there are -------------------------------------------------------------------------------------


def run_witnesses(paths: WorkspacePaths) -> Iterator[Witness]:
    """Yield what each run's record says of the log."""
    for place in run_folders(paths):
        found = _read(paths, RunPaths(place).run_json, RunPaths(place).id, Action.RUN, _run)
        if is_alive(place):  # looked at last: what was read before may be from before it was taken up again
            found = replace(found, is_written=True)
        if not found.problem or place.exists():  # else it was removed meanwhile
            yield found


def _run(where: str, value: Mapping[str, Any]) -> Witness:
    head, ended = head_from_json(value.get("audit")), value["status"] != RunStatus.RUNNING
    failed = [str(w["message"]) for w in value.get("warnings") or () if w.get("code") == AUDIT_FAILED]
    return Witness(
        where,
        str(value["id"]),
        Action.RUN if ended else Action.RUN_RESUMED,
        head,
        digest_of_record(value, RUN_MAY_CHANGE) if ended else "",
        made=str(value.get("ended")),
        is_open=not ended,
        excuse="" if head is not None else next(iter(failed), ""),
    )


def version_witnesses(paths: WorkspacePaths) -> Iterator[Witness]:
    """Yield what registered versions, and the records of their runs beside them, say of the log."""
    for file in sorted(paths.version_files()):
        ref = f"{file.parent.parent.name}/{file.parent.name}"
        found = version_witness(paths, file)
        if not found.problem or file.exists():
            yield found
        record = file.with_name(RunPaths(file.parent).run_json.name)
        run = _read(paths, record, ref, Action.RUN, _run)
        if run.problem == "" and run.head is not None and not run.is_open:
            yield replace(run, is_copy=True)


def version_witness(paths: WorkspacePaths, file: Path) -> Witness:
    """Return what a registered version, whose file it is, says of the log."""
    ref = f"{file.parent.parent.name}/{file.parent.name}"
    found = _read(paths, file, ref, Action.REGISTERED, _version)
    if not found.problem and found.subject != ref:
        return replace(found, problem=f"is of {found.subject}, and stands where {ref} belongs")
    return found


def _version(where: str, value: Mapping[str, Any]) -> Witness:
    ref = f"{value['name']}/{value['version']}"
    head, digest = head_from_json(value.get("audit")), digest_of_record(value)
    return Witness(where, ref, Action.REGISTERED, head, digest, str(value.get("created")))


def data_witnesses(paths: WorkspacePaths) -> Iterator[Witness]:
    """Yield what the versions of named data sets say of the log."""
    datasets = Datasets(paths)
    for name in datasets.names():
        for number in datasets.numbers(name):
            file = datasets.file(name, number)
            found = _read(paths, file, f"{name}@{number}", Action.DATA_ADDED, _data)
            if not found.problem or file.exists():
                yield found


def _data(where: str, value: Mapping[str, Any]) -> Witness:
    ref = f"{value['name']}@{value['number']}"
    head, digest = head_from_json(value.get("audit")), digest_of_record(value)
    return Witness(where, ref, Action.DATA_ADDED, head, digest, str(value.get("added")))


def _read(paths: WorkspacePaths, file: Path, subject: str, action: Action, read: Any) -> Witness:
    where = file.relative_to(paths.root).as_posix()
    try:
        found: Witness = read(where, read_json(file))
    except StoreError as error:
        return Witness(where, subject, action, problem=error.message)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return Witness(where, subject, action, problem=f"is no record: {error!r}")
    return found


# --- what the log says is there, and is not ----------------------------------------------------------------------

_KINDS = (
    # what was made by, what took it away, and whether it is there already when its entry is written
    (Action.RUN, Action.RUN_REMOVED, True),
    (Action.REGISTERED, Action.MODEL_REMOVED, False),
    (Action.DATA_ADDED, Action.DATA_REMOVED, False),
)


def missing(chain: Chain, there: set[str], before: int) -> Iterator[AuditFault]:
    """Yield what entries say was made or removed, and is not so.

    Parameters
    ----------
    chain : Chain
        The log.
    there : set of str
        The subjects of all records.
    before : int
        The number of the last entry that was there before the records were read.
    """
    for subject, entries in chain.of.items():
        for made, removed, is_first in _KINDS:
            about = [e for e in entries if e.action in {made, removed}]
            if about and about[-1].number <= before:
                yield from _missing(entries, about[-1], subject in there, (made, is_first))


def _missing(entries: Any, last: AuditEntry, is_there: bool, kind: tuple[Action, bool]) -> Iterator[AuditFault]:
    made, is_first = kind
    what = f"entry {last.number} ({last.action}, {last.at})"
    if last.action is not made:
        if is_there:
            told = f"is there, although {what} says that it was to be removed: a kill leaves that, or it was put back"
            yield AuditFault(last.subject, told, may_be_a_kill=True)
    elif not is_there and (is_first or entries[-1] is not last):
        yield AuditFault(last.subject, f"is gone, and after {what} nothing says that it was removed")
    elif not is_there:
        told = f"is not there: after {what} a kill leaves that; else it was removed by hand"
        yield AuditFault(last.subject, told, may_be_a_kill=True)
