"""The audit log: one line for each thing that changed the store, each resting on the hash of the line before.

A chain alone shows an edit in its midst, not a tail that was cut or a log that was written anew: so the records that
an entry speaks of keep its hash too (`AuditHead`). An entry is written before the change that it announces, so that
nothing happens that is not in the log; what a kill came before is announced and did not happen.
"""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mlops_cli.errors import StoreError
from mlops_cli.records import SCHEMA_VERSION, Action, AuditEntry, AuditHead
from mlops_cli.store.files import (
    check_schema,
    damaged,
    disk_errors,
    locked,
    open_file,
    parse_json,
    read_bytes,
    sha256,
    sync_paths,
)
from mlops_cli.store.values import encode

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from mlops_cli.store.layout import WorkspacePaths

BEGINNING = "0" * 64
"""What the first entry rests on."""

_TAIL = 65_536  # bytes in which the last line nearly always lies
_LONG_TAIL = 1_000_000


@dataclass(frozen=True)
class AuditLog:
    """The audit log of a workspace.

    Parameters
    ----------
    paths : WorkspacePaths
        The workspace.
    """

    paths: WorkspacePaths

    def append(self, action: Action, subject: str, details: Mapping[str, Any] | None = None) -> AuditHead:
        """Write down what is about to be done, safely on the disk when this returns.

        Parameters
        ----------
        action : Action
            What.
        subject : str
            To what: the id of a run, ``titanic/3``, ``titanic@3``.
        details : mapping, optional
            What else there is to know, as JSON has it; no secrets.

        Returns
        -------
        AuditHead
            For the record that the entry speaks of.

        Raises
        ------
        StoreError
            The disk refuses, or the log's end is damaged.
        """
        path = self.paths.audit
        with disk_errors("write", path), locked(self.paths.audit_lock), _opened(path) as descriptor:
            _cut_torn(descriptor)
            last = _last_line(descriptor)
            entry = _entry(None if last is None else _head_of(last, path), action, subject, details or {})
            _write_all(descriptor, _line(entry))
            os.fsync(descriptor)
            if entry.number == 1:
                sync_paths([path.parent])
        return entry.head

    def last(self) -> AuditHead | None:
        """Return the place and hash of the last entry; None where there is none.

        Raises
        ------
        StoreError
            The last line is no entry.
        """
        path = self.paths.audit
        if not path.exists():
            return None
        with open_file(path) as file, disk_errors("read", path):
            line = _last_line(file.fileno())
        return None if line is None else _head_of(line, path)

    def entries(self) -> Iterator[AuditEntry]:
        """Yield the entries in order, as they are written; whether they hold together is another question.

        Raises
        ------
        StoreError
            A line is no entry; what a kill left of a last one is left out.
        """
        for number, line in self.lines():
            yield entry_from_line(line, self.paths.audit, number)

    def newest(self) -> Iterator[AuditEntry]:
        """Yield the entries from the last one to the first, each read when it is asked for.

        Raises
        ------
        StoreError
            A line is no entry.
        """
        for number, line in reversed(list(self.lines())):
            yield entry_from_line(line, self.paths.audit, number)

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """Yield the whole lines, each with its number from 1; none where there is no log."""
        if not self.paths.audit.exists():
            return
        *lines, _ = read_bytes(self.paths.audit).split(b"\n")  # what follows the last line's end was never acknowledged
        yield from enumerate(lines, 1)


def entry_from_line(line: bytes, path: Path, number: int) -> AuditEntry:
    """Return the entry of one line.

    Raises
    ------
    StoreError
        It is none; the message names the line.
    """
    try:
        value = parse_json(line, path)
        check_schema(value, path)
    except StoreError as error:
        if error.hint:  # written by a newer version
            raise
        why = error.message.removeprefix(f"damaged: {path}: ").partition(": line 1 column")[0]
        raise damaged(path, f"not an entry of the audit log: {why}", line=number) from error
    try:
        return AuditEntry(
            number=int(value["number"]),
            at=str(value["at"]),
            user=str(value["user"]),
            host=str(value["host"]),
            action=Action(value["action"]),
            subject=str(value["subject"]),
            details=dict(value["details"]),
            previous=str(value["previous"]),
            hash=str(value["hash"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise damaged(path, f"not an entry of the audit log: {error!r}", line=number) from error


def hash_of(entry: AuditEntry) -> str:
    """Return the hash that an entry must have: sha256 of all the rest."""
    return sha256(_canonical({key: value for key, value in entry_to_json(entry).items() if key != "hash"}))


def is_as_hashed(line: bytes, digest: str) -> bool:
    """Whether a line is, byte by byte, the one that was given a hash.

    Nothing inside the line can be taken for it: in a text each quote is escaped, and details stand before the hash.
    """
    before, found, after = line.rpartition(f'"hash":"{digest}",'.encode())
    return bool(found) and sha256(before + after) == digest


def entry_to_json(entry: AuditEntry) -> dict[str, Any]:
    """Return an entry as its line has it."""
    return {"schema_version": SCHEMA_VERSION, **vars(entry), "action": str(entry.action)}


def head_to_json(head: AuditHead | None) -> dict[str, Any] | None:
    """Return the place and hash of an entry."""
    return None if head is None else {"number": head.number, "hash": head.hash}


def head_from_json(value: Mapping[str, Any] | None) -> AuditHead | None:
    """Return what `head_to_json` wrote."""
    return None if value is None else AuditHead(int(value["number"]), str(value["hash"]))


def this_user() -> str:
    """Return who works here, as the system knows them: by the process's own number, whatever the environment says."""
    import getpass
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container's user without a name
        pass
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return str(os.getuid())


def _entry(before: AuditHead | None, action: Action, subject: str, details: Mapping[str, Any]) -> AuditEntry:
    from dataclasses import replace

    draft = AuditEntry(
        number=1 if before is None else before.number + 1,
        at=datetime.now(UTC).isoformat(timespec="milliseconds"),
        user=this_user(),
        host=os.uname().nodename,
        action=action,
        subject=subject,
        details=encode(details),
        previous=BEGINNING if before is None else before.hash,
        hash="",
    )
    return replace(draft, hash=hash_of(draft))


def _canonical(value: Mapping[str, Any]) -> bytes:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return text.encode()


def _line(entry: AuditEntry) -> bytes:
    return _canonical(entry_to_json(entry)) + b"\n"


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    with disk_errors("write", path):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _cut_torn(descriptor: int) -> None:
    """Cut off what a kill left of a last line: it was never acknowledged."""
    tail, start = _tail(descriptor)
    end = tail.rfind(b"\n") + 1
    if end < len(tail):
        os.ftruncate(descriptor, start + end)


def _last_line(descriptor: int) -> bytes | None:
    """Return the last whole line; None where there is none."""
    tail, _ = _tail(descriptor)
    end = tail.rfind(b"\n")
    return None if end < 0 else tail[tail.rfind(b"\n", 0, end) + 1 : end]


def _tail(descriptor: int) -> tuple[bytes, int]:
    """Return the end of a file from before its last whole line on, and where it begins."""
    size = os.fstat(descriptor).st_size
    for reach in (_TAIL, _LONG_TAIL, size):
        start = max(0, size - reach)
        tail = os.pread(descriptor, size - start, start)
        if start == 0 or tail.count(b"\n") > 1:
            break
    return tail, start


def _head_of(line: bytes, path: Path) -> AuditHead:
    try:
        value = parse_json(line, path)
        return AuditHead(int(value["number"]), str(value["hash"]))
    except (KeyError, TypeError, ValueError, StoreError) as error:
        why = f"damaged: {path}: its last line is no entry of the audit log"
        raise StoreError(why, hint="mlops audit --verify tells all; a log that is moved away is begun anew") from error


def _write_all(descriptor: int, data: bytes) -> None:
    """Write a line whole, or leave the log as it was: a full disk may take a part of it."""
    size = os.fstat(descriptor).st_size
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]
    except BaseException:
        os.ftruncate(descriptor, size)
        raise
