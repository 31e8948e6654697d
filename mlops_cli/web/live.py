"""Runs as they stand at this moment: their trials read on from where the last look at the journal ended.

A page that is watched asks every second or so, and a journal may have 100,000 lines: each of them is read once.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mlops_cli.analysis.aggregate import without_numbers
from mlops_cli.records import ErrorInfo, RunStatus
from mlops_cli.store.find import read_run, so_far
from mlops_cli.store.journal import START, trials_after
from mlops_cli.store.layout import RunPaths

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_cli.records import RunRecord, TrialResult

_KEPT = 64
"""More than a page of the list has: where each were dropped before it is its turn again, all journals would be read
anew at each look."""


@dataclass(frozen=True)
class Standing:
    """A run at one moment."""

    record: RunRecord  # of one that still runs, with its counts and its best trial so far
    trials: tuple[TrialResult, ...]  # in the order in which they ended, of each its last try
    version: str  # another one as soon as anything here is another


class Follower:
    """The trials of one run as far as they have been read. Not safe for two threads at once."""

    def __init__(self, path: Path) -> None:
        self.journal = RunPaths(path).journal
        self.mark = START
        self.results: dict[int, TrialResult] = {}
        self.reasons: set[str] = set()
        self.standing: Standing | None = None

    def look(self, record: RunRecord, written: int) -> Standing:
        """Return how the run stands, after what its journal has more than at the last look.

        Parameters
        ----------
        record : RunRecord
            The run's record as it was just read.
        written : int
            When that was written, in nanoseconds.

        Raises
        ------
        StoreError
            A line of the journal is damaged.
        """
        self._read_on()
        version = f"{self.mark.offset:x}-{written:x}-{record.status}"
        if self.standing is None or self.standing.version != version:
            trials = tuple(self.results.values())
            running = record.status is RunStatus.RUNNING
            self.standing = Standing(so_far(record, trials) if running else record, trials, version)
        return self.standing

    def _read_on(self) -> None:
        found, mark = trials_after(self.journal, self.mark)
        if mark.offset < self.mark.offset:  # it is another file than it was: what was read of the old one is void
            self.results.clear()
            self.reasons.clear()
        for result in found:
            self.results.pop(result.trial, None)  # a second try goes to the end
            self.results[result.trial] = self._light(result)
        self.mark = mark

    def _light(self, result: TrialResult) -> TrialResult:
        """Return a result with its traceback only where it is the first that failed so: they are long, and alike."""
        if result.error is None:
            return result
        reason = without_numbers(result.error.headline)  # as `failures` groups them
        if reason not in self.reasons:
            self.reasons.add(reason)
            return result
        return replace(result, error=ErrorInfo(result.error.type, result.error.message))


class Standings:
    """How each run stands that is being looked at; the last few are kept in memory. Safe for several threads."""

    def __init__(self) -> None:
        self._followers: OrderedDict[Path, tuple[threading.Lock, Follower]] = OrderedDict()
        self._guard = threading.Lock()

    def of(self, path: Path) -> Standing:
        """Return how the run in the directory ``path`` stands.

        Raises
        ------
        StoreError
            There is no run, or its record or a line of its journal is damaged.
        """
        lock, follower = self._follower(path)
        with lock:
            # The time first: a record that is written between the two is read again the next time.
            written = _written(path)
            return follower.look(read_run(path), written)

    def _follower(self, path: Path) -> tuple[threading.Lock, Follower]:
        with self._guard:
            if path not in self._followers:
                self._followers[path] = threading.Lock(), Follower(path)
            self._followers.move_to_end(path)
            while len(self._followers) > _KEPT:
                self._followers.popitem(last=False)
            return self._followers[path]


def _written(path: Path) -> int:
    try:
        return RunPaths(path).run_json.stat().st_mtime_ns
    except OSError:  # said better by whoever reads it
        return 0
