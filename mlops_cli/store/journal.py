"""The journal of a run: one line per finished trial, appended as it ends, read back after any kind of death.

Whoever may append holds the file's lock, and the system frees a lock with the process that held it: so the lock
says exactly whether a run is alive, where a process id, which may be given again, cannot. The lock is on the journal
itself and not on a file beside it, because a file of its own would have to be removed, with a race at every end.
Knows nothing of what a run does with its trials.
"""

from __future__ import annotations

import fcntl
import json
import os
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from mlops_cli.errors import StoreError
from mlops_cli.store.files import damaged, disk_errors, json_line
from mlops_cli.store.serialize import trial_from_json, trial_to_json

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mlops_cli.records import TrialResult

SYNC_SECONDS = 1.0
"""The longest time between a line and its being safe from a power cut; from a kill it is safe at once."""

_BLOCK = 1 << 16
_LOCK_TRIES = 50


class Journal:
    """An open journal, locked for this process; a context manager that closes it.

    Parameters
    ----------
    path : Path
        Made where it is not there; a last line that was torn by a kill is cut off before anything is appended.

    Raises
    ------
    StoreError
        Another process is writing the run, or the disk refuses.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._guard = threading.Lock()
        self._timer: threading.Timer | None = None
        self._synced_at = time.monotonic()
        with disk_errors("write", path):
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
        try:
            _take_lock(self._file, path)
            with disk_errors("write", path):
                os.ftruncate(self._file, _whole_length(self._file))
        except BaseException:
            os.close(self._file)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def append(self, result: TrialResult) -> None:
        """Add a finished trial; it is on disk, for all but a power cut, when this returns.

        Raises
        ------
        StoreError
            The disk refuses; the journal is as it was before.
        """
        line = json_line(trial_to_json(result))
        with self._guard, disk_errors("write", self.path):
            self._write_whole(line)
            self._sync_soon()

    def _write_whole(self, line: bytes) -> None:
        before = os.fstat(self._file).st_size
        try:
            rest = memoryview(line)
            while rest:
                rest = rest[os.write(self._file, rest) :]
        except BaseException:
            os.ftruncate(self._file, before)
            raise

    def _sync_soon(self) -> None:
        if self._timer is not None:
            return
        wait = self._synced_at + SYNC_SECONDS - time.monotonic()
        if wait <= 0:
            self._sync()
            return
        self._timer = threading.Timer(wait, self._sync_later)
        self._timer.daemon = True
        self._timer.start()

    def _sync_later(self) -> None:
        with self._guard:
            if self._timer is not None:
                self._timer = None
                # A disk that fails here fails again at the next append or at close, where it can be reported.
                _try_sync(self._file)
                self._synced_at = time.monotonic()

    def _sync(self) -> None:
        os.fsync(self._file)
        self._synced_at = time.monotonic()

    def sync(self) -> None:
        """Make every line so far safe from a power cut."""
        with self._guard, disk_errors("write", self.path):
            self._sync()

    def close(self) -> None:
        """Sync, and give the lock back; to close twice does nothing."""
        with self._guard:
            if self._file < 0:
                return
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            try:
                with disk_errors("write", self.path):
                    os.fsync(self._file)
            finally:
                os.close(self._file)
                self._file = -1


def _try_sync(descriptor: int) -> None:
    try:
        os.fsync(descriptor)
    except OSError:
        return


def _take_lock(descriptor: int, path: Path) -> None:
    # A reader that asks `is_locked` holds the lock for a moment, so one refusal says nothing.
    for _ in range(_LOCK_TRIES):
        if _try_lock(descriptor, fcntl.LOCK_EX):
            return
        time.sleep(0.002)
    raise StoreError(f"{path.parent} is being written by another process", hint="wait for it to end, or stop it")


def _try_lock(descriptor: int, how: int) -> bool:
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_locked(path: Path) -> bool:
    """Whether a living process has this journal open for writing."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        return not _try_lock(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


def _whole_length(descriptor: int) -> int:
    """Return the length up to and with the last newline."""
    end = os.fstat(descriptor).st_size
    while end > 0:
        start = max(0, end - _BLOCK)
        newline = os.pread(descriptor, end - start, start).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        end = start
    return 0


# --- reading -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Mark:
    """How far a journal has been read."""

    offset: int = 0
    lines: int = 0


START = Mark()


def trials_after(path: Path, mark: Mark = START) -> tuple[list[TrialResult], Mark]:
    """Return the trials past a mark, and the mark to go on from; a line that is still being written is for then.

    A journal that has become shorter than the mark is another one: it is read from its start.

    Raises
    ------
    StoreError
        A line is damaged.
    """
    with disk_errors("read", path):
        if not path.exists():
            return [], START
        with path.open("rb") as file:
            begin = mark if os.fstat(file.fileno()).st_size >= mark.offset else START
            file.seek(begin.offset)
            data = file.read()
    end = data.rfind(b"\n") + 1
    lines = data[:end].split(b"\n")[:-1]
    results = [parse_line(line, path, begin.lines + count) for count, line in enumerate(lines, start=1)]
    return results, Mark(begin.offset + end, begin.lines + len(lines))


def whole_lines(path: Path) -> Iterator[tuple[int, int, bytes]]:
    """Yield line number, place in the file and bytes of each whole line; a torn last line is left out."""
    with disk_errors("read", path):
        if not path.exists():
            return
        with path.open("rb") as file:
            offset = 0
            for count, line in enumerate(file, start=1):
                if line.endswith(b"\n"):
                    yield count, offset, line
                offset += len(line)


def parse_line(line: bytes, path: Path, count: int) -> TrialResult:
    """Return the trial of one line.

    Raises
    ------
    StoreError
        The line is damaged; the message says which one.
    """
    try:
        return trial_from_json(json.loads(line))
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise damaged(path, f"not a trial: {error!r}", line=count) from error


def read_journal(path: Path) -> Iterator[TrialResult]:
    """Yield the trials in the order in which they ended, however they ended, and every try of each.

    Raises
    ------
    StoreError
        A line other than a torn last one is damaged.
    """
    for count, _, line in whole_lines(path):
        yield parse_line(line, path, count)


def latest_trials(path: Path) -> list[TrialResult]:
    """Return one result per trial by number: the last one, where a trial was tried again."""
    latest = {result.trial: result for result in read_journal(path)}
    return [latest[number] for number in sorted(latest)]
