"""Spaces of gymnasium as agents need them: a number for each state, or a vector of features."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from mlops_cli.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

MOST_STATES = 10_000_000
"""Above this a table is no longer what helps."""

_OTHER_AGENT = "agent=cross_entropy takes it as it is"
_MOST_SHOWN = 8  # numbers of a bound that are written out


def actions_of(space: Any, name: str) -> tuple[int, int]:
    """Return how many actions there are, and the number of the first one.

    Raises
    ------
    ConfigError
        They cannot be counted.
    """
    from gymnasium.spaces import Discrete

    if not isinstance(space, Discrete):
        hint = "agent=cross_entropy or agent=policy_gradient takes a Box"
        raise ConfigError(f"{name} needs discrete actions, and these are {said(space)}", key="agent", hint=hint)
    return int(space.n), int(space.start)


def states_of(space: Any, name: str, bins: Bins) -> tuple[int, Callable[[Any], int]]:
    """Return how many states there are, and the function that numbers an observation from 0.

    Parameters
    ----------
    space : gymnasium.Space
        Discrete, MultiDiscrete, a Tuple of discrete ones; a Box where there are bins.
    name : str
        Whose table it is, for messages.
    bins : Bins
        How a Box is cut up.

    Raises
    ------
    ConfigError
        It cannot be numbered, or there are too many.
    """
    from gymnasium.spaces import Box, Discrete, MultiDiscrete, Tuple

    if isinstance(space, Discrete):
        first = int(space.start)
        return _checked(int(space.n)), (int if first == 0 else lambda observation: int(observation) - first)
    if isinstance(space, MultiDiscrete):
        return _numbered(tuple(map(int, space.nvec.ravel())), [int(s) for s in np.ravel(space.start)])
    if isinstance(space, Tuple) and all(isinstance(part, Discrete) for part in space.spaces):
        return _numbered(tuple(int(part.n) for part in space.spaces), [int(part.start) for part in space.spaces])
    if isinstance(space, Box) and bins.counts is not None:
        return bins.of(space)
    hint = bins.hint(space) if isinstance(space, Box) else "a wrapper under env.wrappers can make it discrete"
    raise ConfigError(f"{name} needs discrete observations, and these are {said(space)}", key="agent", hint=hint)


def _numbered(counts: tuple[int, ...], starts: list[int]) -> tuple[int, Callable[[Any], int]]:
    """Return how many combinations there are, and which of them an observation is."""
    factors = [math.prod(counts[place + 1 :]) for place in range(len(counts))]

    def number(observation: Any) -> int:
        parts = np.ravel(observation) if isinstance(observation, np.ndarray) else observation
        return sum((int(p) - s) * f for p, s, f in zip(parts, starts, factors, strict=True))

    return _checked(math.prod(counts)), number


def _checked(count: int) -> int:
    if count > MOST_STATES:
        hint = "fewer agent.bins, or agent=cross_entropy, which needs no table"
        raise ConfigError(f"a table of {count:,} states is too much", key="agent", hint=hint)
    return count


def said(space: Any) -> str:
    """Return a space on one line, short."""
    text = " ".join(str(space).split())
    return text if len(text) <= 80 else text[:79] + "…"


class Bins:
    """Cuts each number of a Box into intervals of one width, for a table; what lies outside is in the outer ones.

    Parameters
    ----------
    counts : int or sequence of int, optional
        Intervals for each number, or one for each.
    low, high : sequence of float, optional
        Where the intervals begin and end; the bounds of the space where not given.
    """

    def __init__(
        self, counts: int | Sequence[int] | None, low: Sequence[float] | None, high: Sequence[float] | None
    ) -> None:
        self.counts, self._low, self._high = counts, low, high

    def of(self, space: Any) -> tuple[int, Callable[[Any], int]]:
        """Return how many states there are, and the function that numbers an observation."""
        size = int(np.prod(space.shape))
        self._check_bounds(space)
        low, high = self._bound("low", space.low, size), self._bound("high", space.high, size)
        counts = np.asarray(_each(self.counts, "bins", size), dtype=np.int64)
        if (counts < 1).any() or (low >= high).any():
            raise ConfigError("must be 1 or more, and low below high", key="agent.bins")
        scale = counts / (high - low)
        total = _checked(math.prod(counts.tolist()))
        factors = np.array([math.prod(counts[place + 1 :].tolist()) for place in range(size)], dtype=np.int64)

        def number(observation: Any) -> int:
            cells = ((np.ravel(observation) - low) * scale).astype(np.int64)
            return int(np.clip(cells, 0, counts - 1) @ factors)

        return total, number

    def _bound(self, name: str, own: Any, size: int) -> npt.NDArray[np.float64]:
        given = self._low if name == "low" else self._high
        if given is not None:
            return np.asarray(_each(given, name, size), dtype=np.float64)
        return np.ravel(own).astype(np.float64)

    def _check_bounds(self, space: Any) -> None:
        """Refuse a Box without bounds to cut between; whatever is needed is said at once."""
        if lacking := self._lacking(space):
            places = " and ".join(f"no {name} bound at {', '.join(map(str, at))}" for name, at in lacking.items())
            hint = " and ".join(_bound_hint(space, name) for name in lacking)
            key = f"agent.{next(iter(lacking))}"
            raise ConfigError(f"the space has {places} to cut between", key=key, hint=hint)

    def _lacking(self, space: Any) -> dict[str, list[int]]:
        """Return the numbers that have no bound, neither of the space's nor of the config's."""
        given = {"low": self._low, "high": self._high}
        found = {name: np.flatnonzero(_unbounded(getattr(space, name))) for name in given if given[name] is None}
        return {name: places.tolist() for name, places in found.items() if places.size}

    def hint(self, space: Any) -> str:
        """Return all that makes a table of a Box."""
        needed = ["agent.bins=8", *(_bound_hint(space, name) for name in self._lacking(space))]
        make = "makes" if len(needed) == 1 else "make"
        return f"{' '.join(needed)} {make} a table of it; {_OTHER_AGENT}"


def _unbounded(bound: Any) -> npt.NDArray[np.bool_]:
    values = np.ravel(bound).astype(np.float64)
    return ~np.isfinite(values) | (np.abs(values) > 1e30)


def _bound_hint(space: Any, name: str) -> str:
    """Return a key with the bounds that a space has, and dots where it has none."""
    values = np.ravel(getattr(space, name)).astype(np.float64)
    if len(values) > _MOST_SHOWN:
        return f"agent.{name}=[…] ({len(values)} numbers)"
    texts = ("…" if without else f"{value:.4g}" for value, without in zip(values, _unbounded(values), strict=True))
    return f"agent.{name}=[{','.join(texts)}]"


def _each(value: Any, name: str, size: int) -> list[Any]:
    """Return a value for each number of an observation."""
    values = list(value) if isinstance(value, list | tuple) else [value] * size
    if len(values) != size or any(isinstance(v, bool) or not isinstance(v, int | float) for v in values):
        raise ConfigError(f"found {value!r}, must be {size} numbers", key=f"agent.{name}")
    return values


def features_of(space: Any, name: str) -> tuple[int, Callable[[Any], npt.NDArray[np.float64]]]:
    """Return how many numbers an observation has as features, and the function that makes them.

    Numbers are taken as they are, choices one-hot, and parts one after another, as `gymnasium.spaces.flatten` does.

    Raises
    ------
    ConfigError
        It has no such form.
    """
    from gymnasium.spaces import Box, flatdim, flatten

    try:
        size = int(flatdim(space))
    except (NotImplementedError, ValueError):
        hint = "a wrapper under env.wrappers can flatten it"
        raise ConfigError(
            f"{name} needs numbers as observations, and these are {said(space)}", key="agent", hint=hint
        ) from None
    if isinstance(space, Box):
        return size, lambda observation: np.asarray(observation, dtype=np.float64).ravel()
    return size, lambda observation: np.asarray(flatten(space, observation), dtype=np.float64)
