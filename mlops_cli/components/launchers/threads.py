"""Calls in threads of this process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_cli.components.launchers.here import InProcess

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Sequence

    from mlops_cli.contracts import Call, Returned


class Threads(InProcess):
    """The backend ``threading``; what a process has one of, such as filters of warnings, is the caller's to settle."""

    def submit(self, call: Call) -> None:
        """Take a call; returns at once."""
        self._hands.give(call)

    def wait(self, timeout: float | None = None) -> Sequence[Returned]:
        """Return what has ended; nothing where nothing is under way, or after ``timeout`` seconds."""
        return [ended.returned for ended in self._hands.collect(timeout)]

    def cancel(self, keys: Collection[Hashable]) -> frozenset[Hashable]:
        """Drop calls that have not begun, and return their keys."""
        return frozenset(call.key for call in self._hands.withdraw(lambda call: call.key not in keys))
