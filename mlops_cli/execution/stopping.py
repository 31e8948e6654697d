"""When a sweep ends before all its trials have run: nothing better has come for a while, or its time is over."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from mlops_cli.records import TrialState

if TYPE_CHECKING:
    from mlops_cli.records import Direction, SweepSpec, TrialResult


class Stopping:
    """Knows whether another trial may begin.

    Parameters
    ----------
    sweep : SweepSpec
        With its patience and timeout.
    primary : str
        The metric that ranks trials.
    direction : Direction
        Its good end.
    spent_s : float
        Seconds that the sweep has taken before, where it goes on.
    """

    def __init__(self, sweep: SweepSpec, primary: str, direction: Direction, spent_s: float = 0.0) -> None:
        self._patience = sweep.patience
        self._primary = primary
        self._direction = direction
        self._deadline = None if sweep.timeout is None else time.monotonic() + sweep.timeout - spent_s
        self._best: float | None = None
        self._since = 0

    def learn(self, result: TrialResult) -> None:
        """Take note of a trial that has ended; called in the order of the numbers."""
        value = result.mean(self._primary) if result.state is TrialState.COMPLETED else None
        if value is not None and (self._best is None or self._direction.better(value, self._best)):
            self._best, self._since = value, 0
        else:
            self._since += 1

    @property
    def why(self) -> str | None:
        """Which limit is reached: ``patience`` or ``timeout``; None while another trial may begin."""
        if self._patience is not None and self._since >= self._patience:
            return "patience"
        return "timeout" if self.is_late else None

    @property
    def is_late(self) -> bool:
        """Whether the sweep's time is over."""
        return self._deadline is not None and time.monotonic() > self._deadline
