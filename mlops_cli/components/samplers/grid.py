"""Every combination, in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_cli.components.samplers.drawing import nothing_allowed
from mlops_cli.components.samplers.listing import count, points_of
from mlops_cli.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlops_cli.components.samplers.drawing import Feasible
    from mlops_cli.records import Dimension, TrialState


class GridSampler:
    """Gives every point of a union of products once, in order; none is listed before it is asked for.

    Parameters
    ----------
    subspaces : sequence of sequences of Dimension
        The space; none of its dimensions is an interval.
    feasible : callable, optional
        Whether a point may be tried.
    """

    def __init__(self, subspaces: Sequence[Sequence[Dimension]], feasible: Feasible | None = None) -> None:
        for dimension in (d for subspace in subspaces for d in subspace):
            _require_finite(dimension)
        self._subspaces = subspaces
        self._feasible = feasible
        self._points = points_of(subspaces)
        self._found = False

    @property
    def size(self) -> int | None:
        """How many points there are; not known under a constraint."""
        return count(self._subspaces) if self._feasible is None else None

    def ask(self) -> Mapping[str, Any] | None:
        """Return the next combination.

        Raises
        ------
        ConfigError
            The constraint allows not one.
        """
        for point in self._points:
            if self._feasible is None or self._feasible(point):
                self._found = True
                return point
        if not self._found:
            raise nothing_allowed()
        return None

    def tell(self, number: int, state: TrialState, values: Sequence[float] | None) -> None:
        """Learn nothing."""


def _require_finite(dimension: Dimension) -> None:
    if not dimension.is_finite:
        raise ConfigError(
            "an interval has no end of values to list, and sweep.sampler is grid",
            key=dimension.key,
            hint="draw from it with sweep.sampler=random sweep.trials=20, or list values: a,b,c or range(1,10,3)",
        )
