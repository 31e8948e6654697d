"""An agent that learns by trying weights: the better ones say where the next are drawn.

Rubinstein (1999); Szita and Lőrincz, Learning Tetris using the noisy cross-entropy method (2006), for the noise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlops_cli.components.reinforcement.keeping import read_state, write_state
from mlops_cli.components.reinforcement.policies import Network, head_of, hidden_of
from mlops_cli.components.reinforcement.schedules import count, fraction, positive, read_schedule
from mlops_cli.components.reinforcement.spaces import features_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


class CrossEntropy:
    """The cross-entropy method over the weights of a policy. It asks for no slopes, and explores by its weights alone.

    Parameters
    ----------
    observation_space, action_space : gymnasium.Space
        Anything that can be flattened; discrete actions or a Box.
    seed : int
        Of the weights that it draws.
    episodes : int
        Over which the schedule of the noise goes.
    population : int
        Weights that are tried, an episode each, before the next are drawn.
    elite : float
        The share of them that says where.
    hidden : list of int
        Units of each hidden layer of tanh; none is a linear policy.
    deviation : float
        Of the weights at first, around 0.
    noise : float or mapping
        Added to the deviation of the elite, or its schedule: without it the search ends at the first good place.
    """

    def __init__(  # noqa: PLR0913 - the keys of a config are keyword arguments
        self,
        observation_space: Any,
        action_space: Any,
        *,
        seed: int,
        episodes: int = 1000,
        population: int = 40,
        elite: float = 0.2,
        hidden: Sequence[int] = (),
        deviation: float = 1.0,
        noise: float | Mapping[str, Any] = 0.0,
    ) -> None:
        name = type(self).__name__
        inputs, self._features = features_of(observation_space, name)
        self._head = head_of(action_space, name)
        self._rng = np.random.default_rng(seed)
        self._policy = Network((inputs, *hidden_of(hidden), self._head.size))
        self._best = Network(self._policy.sizes)  # the middle of what is drawn
        self._deviation = np.full(self._policy.size, positive(deviation, "agent.deviation"))
        self._population = count(population, "agent.population", least=2)
        self._elite = max(1, round(fraction(elite, "agent.elite") * self._population))
        self._noise, self._episodes, self._done = read_schedule(noise, "agent.noise"), episodes, 0
        self._returns: list[float] = []
        self._total = 0.0
        self._draw()

    def _draw(self) -> None:
        drawn = self._rng.standard_normal((self._population, self._policy.size))
        self._candidates = self._best.weights + self._deviation * drawn
        self._policy.set(self._candidates[0])

    def act(self, observation: Any, *, explore: bool) -> Any:
        """Return what the weights that are being tried prefer; or those in the middle of all."""
        policy = self._policy if explore else self._best
        return self._head.best(policy(self._features(observation)))

    def learn(self, observation: Any, action: Any, reward: float, following: Any, *, terminated: bool) -> None:  # noqa: ARG002
        """Add up what the weights bring."""
        self._total += reward

    def end_episode(self) -> None:
        """Go on to the next weights, and after the last of them to others."""
        self._done += 1
        self._returns.append(self._total)
        self._total = 0.0
        if len(self._returns) < self._population:
            self._policy.set(self._candidates[len(self._returns)])
            return
        elite = self._candidates[np.argsort(self._returns, kind="stable")[-self._elite :]]
        self._best.set(elite.mean(axis=0))
        self._deviation = elite.std(axis=0) + self._noise.at(self._done / max(1, self._episodes))
        self._returns = []
        self._draw()

    def save(self, folder: Path) -> None:
        """Write the weights, what is being tried, and where random numbers are."""
        arrays = {"best": self._best.weights, "deviation": self._deviation, "candidates": self._candidates}
        facts = {"done": self._done, "returns": self._returns, "rng": self._rng.bit_generator.state}
        write_state(folder, arrays, facts)

    def load(self, folder: Path) -> None:
        """Become what was saved."""
        size = self._policy.size
        shapes = {"best": (size,), "deviation": (size,), "candidates": (self._population, size)}
        arrays, facts = read_state(folder, shapes)
        self._best.set(arrays["best"])
        self._deviation, self._candidates = arrays["deviation"], arrays["candidates"]
        self._done, self._returns, self._total = int(facts["done"]), [float(r) for r in facts["returns"]], 0.0
        self._policy.set(self._candidates[len(self._returns)])
        self._rng.bit_generator.state = facts["rng"]
