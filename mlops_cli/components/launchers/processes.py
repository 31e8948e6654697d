"""Calls in worker processes, or in this one while that is quicker."""

from __future__ import annotations

import itertools
import pickle
import time
from collections import deque
from typing import TYPE_CHECKING

from mlops_cli.components.launchers.crew import Crew
from mlops_cli.components.launchers.here import Hands
from mlops_cli.components.launchers.limits import Limits, Wear, workers
from mlops_cli.components.launchers.messages import Answer, Kind, Order
from mlops_cli.components.launchers.pace import POOL_START_S, SHORT_S, Pace
from mlops_cli.components.launchers.verdicts import not_returned, not_sent
from mlops_cli.contracts import Returned

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Sequence
    from pathlib import Path

    from mlops_cli.components.launchers.crew import Death
    from mlops_cli.components.launchers.slot import Slot
    from mlops_cli.contracts import Call
    from mlops_cli.records import LauncherSpec

WATCH_S = 0.5
"""Seconds that a call may run in this process before the others no longer wait for it."""


class Processes:
    """The backend ``loky``: worker processes that may die, hang and grow without harm to anything but their own call.

    Each has a connection of its own rather than a place in one of loky's pools: a pool is broken by the death of one
    worker, and cannot tell which call it was. Calls travel by loky's pickler, and so may be defined anywhere.

    Parameters
    ----------
    spec : LauncherSpec
        How many workers, and what one call may take.
    inline : bool
        Whether calls may run in this process.
    preload : sequence of str
        Modules that workers import as they start.
    """

    shares_files = True

    def __init__(self, spec: LauncherSpec, *, inline: bool, preload: Sequence[str] = ()) -> None:
        self._limits = Limits(spec.trial_timeout, spec.trial_memory)
        self._count = workers(spec)
        self._inline = inline and not self._limits.any
        self._crew = Crew(self._count, self._limits, tuple(preload))
        self._hands = Hands(1, self._crew.wake)
        self._pace = Pace()
        self._wear = Wear(spec.trial_memory)
        self._queue: deque[Call] = deque()
        self._suspects: deque[Call] = deque()  # each was under way as its worker died
        self._died: set[Hashable] = set()
        self._done: list[Returned] = []
        self._expected = 0
        self._numbers = itertools.count()
        self._first_here = True
        self._closed = False

    @property
    def workers(self) -> int:
        """How many calls run at a time."""
        return self._count

    def provide(self, path: Path) -> None:
        """Do nothing: workers see the files of this machine."""

    def expect(self, calls: int) -> None:
        """Take note of about how many calls are still to be submitted."""
        self._expected = calls

    def warm(self) -> None:
        """Begin to start workers; returns at once."""
        if self._count > 1 or not self._inline:
            self._crew.staff(self._known or self._count)

    def submit(self, call: Call) -> None:
        """Take a call; returns at once."""
        self._queue.append(call)
        self._expected = max(0, self._expected - 1)

    def cancel(self, keys: Collection[Hashable]) -> frozenset[Hashable]:
        """Drop calls that no worker has been sent, and return their keys."""
        dropped = frozenset(call.key for call in self._queue if call.key in keys)
        self._queue = deque(call for call in self._queue if call.key not in dropped)
        return dropped

    def close(self, *, kill: bool = False) -> None:  # noqa: ARG002 - there is nothing to wait for
        """End the workers at once: by now nobody waits for what they compute."""
        if not self._closed:
            self._closed = True
            self._queue.clear()
            self._suspects.clear()
            self._hands.close()
            self._crew.close()

    def wait(self, timeout: float | None = None) -> Sequence[Returned]:
        """Return what has ended, at least one; nothing where nothing is under way, or after ``timeout`` seconds."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while not self._done and self._known - self._expected:
            self._arrange()
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            self._listen(0.0 if self._done else left)
            if left == 0.0:
                break
        done, self._done = self._done, []
        return done

    # --- what is to run where ----------------------------------------------------------------------------------

    @property
    def _known(self) -> int:
        """How many calls there are that have not ended, with those that are expected."""
        under_way = self._hands.under_way + sum(len(slot.calls) for slot in self._crew.slots)
        return len(self._queue) + len(self._suspects) + under_way + self._expected

    def _arrange(self) -> None:
        """Give every call that can begin its place."""
        if self._crew.has_started or not self._inline or self._worth_workers:
            self._crew.staff(self._known)
            self._feed()
        if self._may_run_here:
            self._hands.give(self._queue.popleft())

    @property
    def _left(self) -> int:
        return len(self._queue) + self._expected

    @property
    def _worth_workers(self) -> bool:
        if self._hands.under_way and self._hands.seconds > WATCH_S:
            return self._pace.saved(self._left, self._count, self._hands.seconds) > POOL_START_S
        return not self._first_here and self._pace.saved(self._left, self._count) > POOL_START_S

    @property
    def _may_run_here(self) -> bool:
        if not self._inline or not self._queue or self._hands.under_way or self._suspects:
            return False
        return not self._crew.has_started or (self._is_short and not self._crew.ready)

    @property
    def _is_short(self) -> bool:
        return self._pace.mean is None or self._pace.mean < SHORT_S

    def _feed(self) -> None:
        """Send calls to the workers that have none, or soon will."""
        if self._suspects:
            self._try_alone()
            return
        while self._queue and (slot := self._next_slot()) is not None:
            if slot.idle and self._wear.is_worn(slot.pid):
                self._replace(slot)
            else:
                self._fill(slot)
        if not self._queue:
            self._level()

    def _next_slot(self) -> Slot | None:
        """Return the worker that has least to do, if it has little enough."""
        slot = min(self._crew.ready, key=lambda slot: len(slot.calls), default=None)
        return slot if slot is not None and len(slot.calls) <= self._batch // 2 else None

    @property
    def _batch(self) -> int:
        return 1 if self._limits.any else self._pace.batch(len(self._queue), self._count)

    def _fill(self, slot: Slot) -> None:
        for _ in range(self._batch - len(slot.calls)):
            if self._queue:
                self._send(slot, self._queue.popleft())

    def _send(self, slot: Slot, call: Call) -> None:
        from joblib.externals.loky.backend.reduction import dumps

        try:
            packed = bytes(dumps((call.function, call.argument)))
        except Exception as error:  # noqa: BLE001 - whatever its __reduce__ does
            self._done.append(Returned(call.key, lost=not_sent(error)))
            return
        number = next(self._numbers)
        slot.send(number, call, Order(number, packed).write())

    def _level(self) -> None:
        """Have workers give back what waits behind a long call, where others have nothing to do."""
        if any(slot.idle for slot in self._crew.slots):
            for slot in self._crew.ready:
                if len(slot.calls) > 1 and slot.seconds > WATCH_S / 2:
                    slot.recall()

    def _try_alone(self) -> None:
        """Try a call again that its worker has died of, in a new one and with nothing else under way."""
        if self._crew.busy or self._hands.under_way:
            return
        fresh = [slot for slot in self._crew.slots if not slot.answered]
        if not fresh:
            self._replace(self._crew.slots[0])
        elif ready := [slot for slot in fresh if slot.ready]:
            self._send(ready[0], self._suspects.popleft())

    def _replace(self, slot: Slot) -> None:
        self._crew.bury(slot)
        self._crew.staff(self._known)

    # --- what has come of it -----------------------------------------------------------------------------------

    def _listen(self, timeout: float | None) -> None:
        for slot, answer in self._crew.listen(self._patience(timeout)):
            self._hear(slot, answer)
        for ended in self._hands.collect():
            self._pace.note(ended.seconds, first=self._first_here)
            self._first_here = False
            self._done.append(ended.returned)
        for slot in self._crew.dead():
            for answer in slot.answers():  # what it said before it died
                self._hear(slot, answer)
            self._mourn(self._crew.bury(slot))

    def _patience(self, timeout: float | None) -> float | None:
        """Return how long to listen: until workers would be worth their start, if that is sooner."""
        if not self._hands.under_way or self._crew.has_started or self._count == 1 or not self._left:
            return timeout
        worth = POOL_START_S / self._pace.saved(self._left, self._count, 1.0)
        due = max(0.001, max(WATCH_S, worth) - self._hands.seconds)
        return due if timeout is None else min(due, timeout)

    def _hear(self, slot: Slot, answer: Answer) -> None:
        if answer.kind is Kind.RECALLED:
            numbers = pickle.loads(answer.value)  # noqa: S301 - our own worker's
            self._queue.extendleft(slot.calls.pop(number) for number in reversed(numbers))
        elif answer.kind is not Kind.READY and slot.broken is None:  # past a limit, what it returns may be half of it
            call = slot.calls.pop(answer.number)
            self._died.discard(call.key)
            self._pace.note(answer.seconds, first=slot.answered == 1)
            self._done.append(_returned(call, answer))

    def _mourn(self, death: Death) -> None:
        """Find a worker's calls another place; the one that was under way has one more try, alone."""
        if not death.calls:
            return
        first, *others = death.calls
        self._queue.extendleft(reversed(others))
        if death.limit or first.key in self._died:
            self._died.discard(first.key)
            self._done.append(Returned(first.key, lost=death.lost, output=death.output))
        else:
            self._died.add(first.key)
            self._suspects.append(first)


def _returned(call: Call, answer: Answer) -> Returned:
    try:
        value = pickle.loads(answer.value)  # noqa: S301 - our own worker's
    except Exception as error:  # noqa: BLE001 - whatever its constructor does
        return Returned(call.key, lost=not_returned(error))
    if answer.kind is Kind.LOST:
        lost, output = value
        return Returned(call.key, lost=lost, output=output)
    return Returned(call.key, value)
