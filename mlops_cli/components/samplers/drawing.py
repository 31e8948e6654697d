"""Points at random, each given once: what the random sampler gives, and others where they repeat themselves."""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING, Any

from mlops_cli.components.samplers.listing import breadth, count, identity, is_listable, points_of
from mlops_cli.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np

    from mlops_cli.components.samplers.listing import Point
    from mlops_cli.records import Dimension

    Feasible = Callable[[Mapping[str, Any]], bool]

_DRAWS = 1_000  # in a row that lead to nothing, before a space is gone through
_PATIENT_DRAWS = 10_000  # likewise where a space cannot be gone through
_WALKED = 1_000_000
_COUNTED = 100_000


class Draws:
    """Draws points and knows which were given.

    A draw that was given before, or is not feasible, is drawn again. Where that leads to nothing, a space that can be
    listed is gone through in order, so that none of its points is missed; of another space no more points are given.

    Parameters
    ----------
    subspaces : sequence of sequences of Dimension
        The space.
    trials : int
        How many points are given at most.
    seed : int
        Of the draws.
    feasible : callable, optional
        Whether a point may be tried.
    """

    def __init__(
        self, subspaces: Sequence[Sequence[Dimension]], trials: int, seed: int, feasible: Feasible | None = None
    ) -> None:
        import numpy as np

        self._subspaces = subspaces
        self._trials = trials
        self._rng = np.random.default_rng(seed)
        self._feasible = feasible
        self._listable = is_listable(subspaces)
        self._rest = zip(range(_WALKED), points_of(subspaces), strict=False)
        self._given: set[bytes] = set()

    @property
    def size(self) -> int | None:
        """How many points will be given; not known under a constraint."""
        if self._feasible is not None:
            return None
        most = sum(math.prod(breadth(d) for d in subspace) for subspace in self._subspaces)
        return min(self._trials, count(self._subspaces)) if most <= _COUNTED else self._trials

    @property
    def is_done(self) -> bool:
        """Whether as many points were given as are wanted."""
        return len(self._given) >= self._trials

    def give(self, point: Mapping[str, Any]) -> None:
        """Note that a point is given."""
        self._given.add(_digest(point))

    def allows(self, point: Mapping[str, Any]) -> bool:
        """Whether a point is new and feasible."""
        return _digest(point) not in self._given and (self._feasible is None or self._feasible(point))

    def fresh(self) -> Point | None:
        """Return a point that may be given; None where no more is found.

        Raises
        ------
        ConfigError
            Not one was found at all.
        """
        for _ in range(_DRAWS if self._listable else _PATIENT_DRAWS):
            point = self._draw()
            if self.allows(point):
                return point
        found = next((p for _, p in self._rest if self.allows(p)), None) if self._listable else None
        if found is None and not self._given:
            raise nothing_allowed()
        return found

    def _draw(self) -> Point:
        subspace = self._subspaces[int(self._rng.integers(len(self._subspaces)))]
        return {d.key: _value(d, self._rng) for d in subspace}


def _value(dimension: Dimension, rng: np.random.Generator) -> Any:
    if dimension.is_finite:
        return dimension.choices[int(rng.integers(len(dimension.choices)))]
    low, high = float(dimension.low or 0), float(dimension.high or 0)
    if dimension.integer and not dimension.log:
        return int(rng.integers(int(low), int(high) + 1))
    value = math.exp(rng.uniform(math.log(low), math.log(high))) if dimension.log else float(rng.uniform(low, high))
    return min(int(high), max(int(low), round(value))) if dimension.integer else value


def _digest(point: Mapping[str, Any]) -> bytes:
    """Return a short name of a point, so that knowing many of them stays cheap."""
    return hashlib.blake2b(identity(dict(point)).encode("utf-8", "surrogatepass"), digest_size=16).digest()


def nothing_allowed() -> ConfigError:
    """Return the error for a constraint that no point of the space meets."""
    return ConfigError(
        "no point of the space was found that it allows", key="sweep.constraint", hint="loosen it, or widen the space"
    )
