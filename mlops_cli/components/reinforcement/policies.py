"""A small network in numpy, with the slopes of its weights, and what its outputs mean as actions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mlops_cli.components.reinforcement.spaces import said
from mlops_cli.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]


class Network:
    """Layers of tanh and a linear one, whose weights are one vector.

    Parameters
    ----------
    sizes : sequence of int
        Inputs, units of each hidden layer, outputs.
    rng : numpy.random.Generator, optional
        Draws the first weights, of the size that keeps variances, and smaller for the last layer; else they are 0.
    """

    def __init__(self, sizes: Sequence[int], rng: np.random.Generator | None = None) -> None:
        self.sizes = tuple(sizes)
        pairs = list(zip(self.sizes[:-1], self.sizes[1:], strict=True))
        self._places: list[tuple[int, int, int, int]] = []  # where weights begin and end, where biases end, rows
        end = 0
        for rows, columns in pairs:
            self._places.append((end, end + rows * columns, end + (rows + 1) * columns, rows))
            end += (rows + 1) * columns
        self.size = end
        self.weights = np.zeros(end)
        if rng is not None:
            for number, (begin, middle, _, rows) in enumerate(self._places):
                scale = 0.01 if number == len(pairs) - 1 else 1.0
                self.weights[begin:middle] = rng.standard_normal(middle - begin) * scale / np.sqrt(rows)
        self._layers = self._cut(self.weights)

    def _cut(self, vector: Floats) -> list[tuple[Floats, Floats]]:
        """Return views of a vector as the weights and biases of each layer."""
        return [(vector[a:b].reshape(rows, -1), vector[b:c]) for a, b, c, rows in self._places]

    def set(self, vector: Floats) -> None:
        """Take other weights."""
        self.weights[:] = vector

    def __call__(self, inputs: Floats) -> Floats:
        """Return the outputs, of one example or of several in rows."""
        *hidden, (weights, biases) = self._layers
        for inner, shift in hidden:
            inputs = np.tanh(inputs @ inner + shift)
        outputs: Floats = inputs @ weights + biases
        return outputs

    def slopes(self, inputs: Floats, upstream: Floats) -> Floats:
        """Return the slope of ``sum(outputs * upstream)`` in each weight; both have an example in each row."""
        kept = [inputs]
        for weights, biases in self._layers[:-1]:
            kept.append(np.tanh(kept[-1] @ weights + biases))
        found = np.empty(self.size)
        into = self._cut(found)
        for number in reversed(range(len(self._layers))):
            into[number][0][:] = kept[number].T @ upstream
            into[number][1][:] = upstream.sum(axis=0)
            if number:
                upstream = (upstream @ self._layers[number][0].T) * (1.0 - kept[number] ** 2)
        return found


class Adam:
    """Kingma and Ba (2015), with their constants, on one vector."""

    def __init__(self, size: int) -> None:
        self.moments = np.zeros((2, size))
        self.steps = 0

    def step(self, weights: Floats, slopes: Floats, rate: float) -> None:
        """Move weights down the slopes, in place."""
        self.steps += 1
        self.moments[0] += 0.1 * (slopes - self.moments[0])
        self.moments[1] += 0.001 * (slopes**2 - self.moments[1])
        first = self.moments[0] / (1 - 0.9**self.steps)
        second = self.moments[1] / (1 - 0.999**self.steps)
        weights -= rate * first / (np.sqrt(second) + 1e-8)


@dataclass(frozen=True)
class Head:
    """What the outputs of a network mean in an action space.

    Parameters
    ----------
    size : int
        Outputs that it takes.
    first : int, optional
        The number of the first discrete action; None for a Box, whose outputs are the action itself.
    low, high : array, optional
        The bounds of a Box. Between finite ones −1 … 1 becomes low … high.
    """

    size: int
    shape: tuple[int, ...] = ()
    first: int | None = None
    low: Floats | None = None
    high: Floats | None = None

    @property
    def is_discrete(self) -> bool:
        """Whether actions are numbered."""
        return self.first is not None

    def best(self, outputs: Floats) -> Any:
        """Return the action that the outputs prefer."""
        return int(outputs.argmax()) + self.first if self.first is not None else self.scaled(outputs)

    def scaled(self, outputs: Floats) -> Any:
        """Return the action of a Box, within its bounds."""
        if self.low is None or self.high is None:
            return outputs.reshape(self.shape).astype(np.float32)
        inside = self.low + (np.clip(outputs, -1.0, 1.0) + 1.0) / 2.0 * (self.high - self.low)
        return inside.reshape(self.shape).astype(np.float32)


def head_of(space: Any, name: str) -> Head:
    """Return what outputs mean in an action space.

    Raises
    ------
    ConfigError
        It is neither Discrete nor a Box.
    """
    from gymnasium.spaces import Box, Discrete

    if isinstance(space, Discrete):
        return Head(int(space.n), first=int(space.start))
    if not isinstance(space, Box):
        hint = "a wrapper under env.wrappers can make it one"
        raise ConfigError(
            f"{name} needs discrete actions or a Box, and these are {said(space)}", key="agent", hint=hint
        )
    low, high = (np.ravel(bound).astype(np.float64) for bound in (space.low, space.high))
    bounded = bool(np.isfinite(low).all() and np.isfinite(high).all())
    return Head(low.size, tuple(space.shape), None, low if bounded else None, high if bounded else None)


def hidden_of(value: Any) -> tuple[int, ...]:
    """Return the units of each hidden layer; none is a linear policy.

    Raises
    ------
    ConfigError
        It is no list of whole numbers.
    """
    units = [value] if isinstance(value, int) else value
    right = isinstance(units, list | tuple) and all(
        isinstance(u, int) and not isinstance(u, bool) and u > 0 for u in units
    )
    if not right:
        raise ConfigError(
            f"found {value!r}, must be a list such as [32], or [] for a linear policy", key="agent.hidden"
        )
    return tuple(units)
