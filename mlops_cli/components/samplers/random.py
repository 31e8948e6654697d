"""Points drawn at random: each subspace is as likely as the others, and so is each value of a dimension."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlops_cli.components.samplers.drawing import Draws
    from mlops_cli.records import TrialState


class RandomSampler:
    """Gives points that are drawn, each once, and learns nothing.

    Parameters
    ----------
    draws : Draws
        Where the points come from.
    """

    def __init__(self, draws: Draws) -> None:
        self._draws = draws

    @property
    def size(self) -> int | None:
        """How many points it will give; not known under a constraint."""
        return self._draws.size

    def ask(self) -> Mapping[str, Any] | None:
        """Return another point.

        Raises
        ------
        ConfigError
            Not one was found that the constraint allows.
        """
        point = None if self._draws.is_done else self._draws.fresh()
        if point is not None:
            self._draws.give(point)
        return point

    def tell(self, number: int, state: TrialState, values: Sequence[float] | None) -> None:
        """Learn nothing."""
