"""The rows that were answered, written down day by day for those who watch for drift; off unless asked for.

No request waits for it and none fails by it: rows go into a bounded queue, a thread of its own writes them, and what
there is no room for is dropped and counted.
"""

from __future__ import annotations

import json
import os
import queue
import threading
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mlops_cli.errors import StoreError
from mlops_cli.store.files import disk_errors

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from mlops_cli.web.serving.counting import Counts

MOST_WAITING = 100_000
"""Rows that may wait to be written."""

TIME, MODEL, PREDICTION = "_time", "_model", "_prediction"
"""What is written beside the columns of a row; a column of such a name stays what it was."""

_END_S = 5.0


@dataclass(frozen=True)
class _Batch:
    """The rows of one request."""

    at: datetime
    model: str
    rows: Sequence[Mapping[str, Any]]
    predictions: Sequence[Any]


class RequestLog:
    """Writes answered rows to ``FOLDER/requests-YYYY-MM-DD.jsonl``, in days of UTC.

    Parameters
    ----------
    folder : Path
        Where to; made where it is not there.
    counts : Counts
        Told of what is written and what is dropped.

    Raises
    ------
    StoreError
        The folder cannot be written.
    """

    def __init__(self, folder: Path, counts: Counts) -> None:
        with disk_errors("write", folder):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise StoreError(f"{folder} cannot be written", hint="--log-requests another folder")
        self.folder, self.counts = folder, counts
        self._waiting = 0
        self._lock = threading.Lock()
        self._queue: queue.SimpleQueue[_Batch | None] = queue.SimpleQueue()
        self._writer = threading.Thread(target=self._write_all, name="request-log", daemon=True)
        self._writer.start()

    def add(self, model: str, rows: Sequence[Mapping[str, Any]], predictions: Sequence[Any]) -> None:
        """Take rows to be written, or drop them where too many wait already."""
        with self._lock:
            has_room = self._waiting + len(rows) <= MOST_WAITING
            self._waiting += len(rows) if has_room else 0
        if has_room:
            self._queue.put(_Batch(datetime.now(UTC), model, rows, predictions))
        else:
            self.counts.dropped.inc(len(rows))

    def close(self) -> None:
        """Write what waits, for some seconds at most."""
        self._queue.put(None)
        self._writer.join(_END_S)

    def _write_all(self) -> None:
        while (batch := self._queue.get()) is not None:
            try:
                self._append(batch)
                self.counts.logged.inc(len(batch.rows))
            except Exception:  # noqa: BLE001  a full disk, or whatever it is: no request is to suffer by it
                self.counts.dropped.inc(len(batch.rows))
            with self._lock:
                self._waiting -= len(batch.rows)

    def _append(self, batch: _Batch) -> None:
        data = b"".join(_line(batch, row, said) for row, said in zip(batch.rows, batch.predictions, strict=True))
        path = self.folder / f"requests-{batch.at:%Y-%m-%d}.jsonl"
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(path, flags, 0o600)
        try:
            _write_whole(descriptor, data)
        finally:
            os.close(descriptor)


def _write_whole(descriptor: int, data: bytes) -> None:
    """Append all of it, or nothing: a full disk may take a part."""
    size = os.fstat(descriptor).st_size
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]
    except OSError:
        with suppress(OSError):
            os.ftruncate(descriptor, size)
        raise


def _line(batch: _Batch, row: Mapping[str, Any], said: Any) -> bytes:
    beside = {TIME: batch.at.isoformat(timespec="milliseconds"), MODEL: batch.model, PREDICTION: said}
    return json.dumps({**beside, **row}, allow_nan=False, ensure_ascii=False).encode() + b"\n"
