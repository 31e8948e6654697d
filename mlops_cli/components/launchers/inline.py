"""Calls one after another in this process."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from mlops_cli.components.launchers.here import InProcess

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Sequence

    from mlops_cli.contracts import Call, Returned


class Inline(InProcess):
    """The backend ``sequential``: a call begins in `wait`, and no sooner than the one before has ended."""

    def __init__(self) -> None:
        super().__init__(1)
        self._queue: deque[Call] = deque()

    def submit(self, call: Call) -> None:
        """Take a call; returns at once."""
        self._queue.append(call)

    def wait(self, timeout: float | None = None) -> Sequence[Returned]:
        """Compute the next call; nothing where there is none, or where it takes longer than ``timeout`` seconds."""
        if self._queue and not self._hands.under_way:
            self._hands.give(self._queue.popleft())
        return [ended.returned for ended in self._hands.collect(timeout)]

    def cancel(self, keys: Collection[Hashable]) -> frozenset[Hashable]:
        """Drop calls that have not begun, and return their keys."""
        dropped = frozenset(call.key for call in self._queue if call.key in keys)
        self._queue = deque(call for call in self._queue if call.key not in dropped)
        return dropped

    def close(self, *, kill: bool = False) -> None:
        """Begin no more calls; one that hangs in this process cannot be ended before it."""
        self._queue.clear()
        super().close(kill=kill)
