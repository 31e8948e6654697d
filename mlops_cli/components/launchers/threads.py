"""Calls in threads of this process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_cli.components.launchers.here import Hands

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Sequence
    from pathlib import Path

    from mlops_cli.contracts import Call, Returned


class Threads:
    """The backend ``threading``. What a process has one of, such as its filters of warnings, is the caller's to settle.

    Parameters
    ----------
    count : int
        How many calls run at a time.
    """

    shares_files = True

    def __init__(self, count: int) -> None:
        self._count = count
        self._hands = Hands(count)

    @property
    def workers(self) -> int:
        """How many calls run at a time."""
        return self._count

    def warm(self) -> None:
        """Do nothing: threads start at once."""

    def expect(self, calls: int) -> None:
        """Do nothing: what is to come changes nothing here."""

    def provide(self, path: Path) -> None:
        """Do nothing: calls see the files of this machine."""

    def submit(self, call: Call) -> None:
        """Take a call; returns at once."""
        self._hands.give(call)

    def wait(self, timeout: float | None = None) -> Sequence[Returned]:
        """Return what has ended; nothing where nothing is under way, or after ``timeout`` seconds."""
        return [ended.returned for ended in self._hands.collect(timeout)]

    def cancel(self, keys: Collection[Hashable]) -> frozenset[Hashable]:
        """Drop calls that have not begun, and return their keys."""
        return frozenset(call.key for call in self._hands.withdraw(lambda call: call.key not in keys))

    def close(self, *, kill: bool = False) -> None:  # noqa: ARG002 - nothing here can be killed
        """Begin no more calls; one that hangs in this process cannot be ended before it."""
        self._hands.close()
