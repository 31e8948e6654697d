"""The worker processes of a launcher: started, listened to, held to their limits, buried. Knows no order of calls."""

from __future__ import annotations

import itertools
import os
import selectors
import socket
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_cli.components.launchers.limits import thread_limits
from mlops_cli.components.launchers.slot import Setting, Slot
from mlops_cli.components.launchers.verdicts import ending, worker_lost
from mlops_cli.errors import ExecutionError

if TYPE_CHECKING:
    from mlops_cli.components.launchers.limits import Limits
    from mlops_cli.components.launchers.messages import Answer
    from mlops_cli.contracts import Call
    from mlops_cli.records import ErrorInfo

LOOK_S = 0.5
"""How often all workers are looked at, where there is no limit to be held."""

MEMORY_LOOK_S = 0.05
"""How often their memory is looked at."""

START_TRIES = 3
"""How many workers in a row may end as they start, beyond one for each that there should be."""


@dataclass(frozen=True)
class Death:
    """A worker that is gone: why, and what it leaves."""

    calls: tuple[Call, ...]  # sent and not answered; the first one was under way
    lost: ErrorInfo  # what to say of that one, if it is at fault
    output: str
    limit: bool  # whether it was killed for breaking one


class Crew:
    """The worker processes.

    Parameters
    ----------
    size : int
        How many there may be.
    limits : Limits
        What one call may take.
    preload : tuple of str
        Modules that they import as they start.
    """

    def __init__(self, size: int, limits: Limits, preload: tuple[str, ...]) -> None:
        self.slots: list[Slot] = []
        self._size = size
        self._limits = limits
        self._preload = preload
        self._numbers = itertools.count()
        self._failed_starts = 0
        self._next_look = 0.0
        self._selector = selectors.DefaultSelector()
        self._woken, self._waker = socket.socketpair()
        self._woken.setblocking(False)
        self._waker.setblocking(False)
        self._selector.register(self._woken, selectors.EVENT_READ)
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._setting: Setting | None = None
        # Linux ties a process to the thread that has started it, so all are started by one that lives as long as they
        self._starter = ThreadPoolExecutor(1, thread_name_prefix="starter")

    @property
    def has_started(self) -> bool:
        """Whether there are workers, or have been."""
        return self._setting is not None

    @property
    def ready(self) -> list[Slot]:
        """Those that have started and may go on."""
        return [slot for slot in self.slots if slot.ready and slot.broken is None]

    @property
    def busy(self) -> bool:
        """Whether any of them has something to do."""
        return any(slot.calls for slot in self.slots)

    def staff(self, count: int) -> None:
        """Start workers until there are so many."""
        for _ in range(min(count, self._size) - len(self.slots)):
            self._starter.submit(self._start_one).result()

    def _start_one(self) -> None:
        if self._setting is None:
            self._folder = tempfile.TemporaryDirectory(prefix="mlops-workers-", ignore_cleanup_errors=True)
            environment = {**os.environ, **thread_limits(self._size, os.environ)}
            self._setting = Setting(Path(self._folder.name), environment, self._preload)
        slot = Slot(self._setting, next(self._numbers))
        self.slots.append(slot)
        self._selector.register(slot.channel, selectors.EVENT_READ, slot)

    def wake(self) -> None:
        """Have `listen` return at once; may be called from any thread."""
        with suppress(OSError):  # it is full: then it will return anyway
            self._waker.send(b"\0")

    def listen(self, timeout: float | None) -> list[tuple[Slot, Answer]]:
        """Return what workers have said, waiting at most ``timeout`` seconds for it, and end those over a limit."""
        said = []
        for key, events in self._selector.select(self._patience(timeout)):
            if key.data is None:
                self._drain()
            else:
                said += self._attend(key.data, events)
        self._look()
        return said

    def _attend(self, slot: Slot, events: int) -> list[tuple[Slot, Answer]]:
        if events & selectors.EVENT_WRITE:
            slot.channel.flush()
        said = [(slot, answer) for answer in slot.answers()]
        self._failed_starts = 0 if said else self._failed_starts
        return said

    def _drain(self) -> None:
        with suppress(BlockingIOError):
            while self._woken.recv(1024):
                pass

    def watch_for_room(self, slot: Slot) -> None:
        """Wait for a worker to read on as long as something is to be sent to it."""
        if slot.channel.is_open:
            wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if slot.channel.has_more_to_send else 0)
            if self._selector.get_key(slot.channel).events != wanted:
                self._selector.modify(slot.channel, wanted, slot)

    def _patience(self, timeout: float | None) -> float:
        for slot in self.slots:
            self.watch_for_room(slot)
        due = [slot.patience(self._limits) for slot in self.slots]
        look = max(0.0, self._next_look - time.monotonic()) if self.slots else timeout
        return min(found for found in (timeout, look, LOOK_S, *due) if found is not None)

    def _look(self) -> None:
        now = time.monotonic()
        due = now >= self._next_look
        if due:
            self._next_look = now + (LOOK_S if self._limits.memory is None else MEMORY_LOOK_S)
        for slot in self.slots:
            if due or slot.patience(self._limits) == 0.0:
                slot.look(self._limits)

    def dead(self) -> list[Slot]:
        """Return the workers that are gone, or will say nothing more."""
        return [slot for slot in self.slots if slot.is_dead()]

    def bury(self, slot: Slot) -> Death:
        """Take leave of a worker, dead or not; what it has still said is to be heard before.

        Raises
        ------
        ExecutionError
            One after the other ends before it has started.
        """
        self._selector.unregister(slot.channel)
        self.slots.remove(slot)
        output, trace = slot.log()
        code = slot.end()
        if not slot.ready:
            self._note_failed_start(code, output + trace)
        lost = worker_lost(code) if slot.broken is None else slot.broken
        return Death(tuple(slot.calls.values()), replace(lost, traceback=trace), output, slot.broken is not None)

    def _note_failed_start(self, code: int | None, log: str) -> None:
        self._failed_starts += 1
        if self._failed_starts >= self._size + START_TRIES:
            last = (log.strip().splitlines() or ["it said nothing"])[-1]
            raise ExecutionError(
                f"worker processes end before they have started: the last one {ending(code)}: {last}",
                hint="launcher=sequential needs none",
            )

    def close(self) -> None:
        """End all workers at once."""
        self._starter.shutdown()  # one may just be starting
        for slot in self.slots:
            slot.kill()
        for slot in self.slots:
            slot.end()
        self.slots.clear()
        self._selector.close()
        self._woken.close()
        self._waker.close()
        if self._folder is not None:
            self._folder.cleanup()
