"""How many calls to send at a time, and whether workers are worth their start: by how long calls have taken."""

from __future__ import annotations

BATCH_S = 0.15
"""Seconds of work that a worker is sent ahead: enough that the way there costs nothing."""

POOL_START_S = 2.0
"""Wall seconds that workers must save to be worth their start."""

SHORT_S = 0.2
"""Calls that take less than this go on in this process until the first worker is there."""

_MEMORY = 20
"""About how many calls the mean looks back: what is computed may become longer in the course of a sweep."""


class Pace:
    """The mean seconds of a call, as measured where it ran.

    Examples
    --------
    >>> pace = Pace()
    >>> pace.mean is None
    True
    >>> pace.note(4.0, first=True), pace.note(0.25), pace.note(0.75)
    (None, None, None)
    >>> pace.mean
    0.5
    """

    def __init__(self) -> None:
        self._mean: float | None = None
        self._count = 0

    @property
    def mean(self) -> float | None:
        """Seconds; None while nothing has been measured."""
        return self._mean

    def note(self, seconds: float, *, first: bool = False) -> None:
        """Take note of a call; the ``first`` one of a process, which imports things, counts only for want of others."""
        if first and self._count:
            return
        if self._mean is None or not self._count:
            self._mean = seconds
        else:
            self._mean += (seconds - self._mean) / min(self._count + 1, _MEMORY)
        self._count += not first

    def batch(self, waiting: int, workers: int) -> int:
        """Return how many calls a worker should have at a time, so that near the end there are some for each."""
        if self._mean is None:
            return 1
        by_time = int(BATCH_S / max(self._mean, 1e-6))
        return max(1, min(by_time, waiting // (2 * workers)))

    def saved(self, calls: int, workers: int, seconds: float | None = None) -> float:
        """Return the seconds that workers would save on so many calls, each of which takes ``seconds`` or the mean."""
        each = self._mean if seconds is None else seconds
        return 0.0 if each is None else each * calls * (1 - 1 / workers)
