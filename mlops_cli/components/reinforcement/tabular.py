"""Agents that keep a table of what each action in each state is worth.

Sutton and Barto, Reinforcement Learning, 2nd edition: Q-learning in section 6.5, SARSA in 6.4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlops_cli.components.reinforcement.keeping import read_state, write_state
from mlops_cli.components.reinforcement.schedules import fraction, read_schedule
from mlops_cli.components.reinforcement.spaces import Bins, actions_of, states_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import numpy.typing as npt


class _Tabular:
    """What both have: a table as lists, which Python reads faster than single cells of an array."""

    def __init__(  # noqa: PLR0913 - the keys of a config are keyword arguments
        self,
        observation_space: Any,
        action_space: Any,
        *,
        seed: int,
        episodes: int = 1000,
        alpha: float | Mapping[str, Any] = 0.1,
        gamma: float = 0.99,
        epsilon: float | Mapping[str, Any] = 0.1,
        initial: float = 0.0,
        bins: int | Sequence[int] | None = None,
        low: Sequence[float] | None = None,
        high: Sequence[float] | None = None,
    ) -> None:
        name = type(self).__name__
        self._states, self._state = states_of(observation_space, name, Bins(bins, low, high))
        self._actions, self._first = actions_of(action_space, name)
        self._alphas, self._epsilons = read_schedule(alpha, "agent.alpha"), read_schedule(epsilon, "agent.epsilon")
        self._gamma, self._episodes, self._done = fraction(gamma, "agent.gamma"), episodes, 0
        self._rng = np.random.default_rng(seed)
        self._random = self._rng.random
        self._table = [[float(initial)] * self._actions for _ in range(self._states)]
        self._set_rates()

    @property
    def table(self) -> npt.NDArray[np.float64]:
        """What each action is worth, shape (states, actions)."""
        return np.array(self._table, dtype=np.float64).reshape(self._states, self._actions)

    def act(self, observation: Any, *, explore: bool) -> int:
        """Return an action: the best one, or with a probability of epsilon any."""
        values = self._table[self._state(observation)]
        if not explore:
            return self._first + values.index(max(values))
        return self._first + self._explored(values)

    def _explored(self, values: list[float]) -> int:
        if self._random() < self._epsilon:
            return int(self._random() * self._actions)
        best = max(values)
        if values.count(best) == 1:
            return values.index(best)
        alike = [action for action, value in enumerate(values) if value == best]  # else the first would be preferred
        return alike[int(self._random() * len(alike))]

    def end_episode(self) -> None:
        """Go on with the schedules."""
        self._done += 1
        self._set_rates()

    def _set_rates(self) -> None:
        progress = self._done / max(1, self._episodes)
        self._alpha, self._epsilon = self._alphas.at(progress), self._epsilons.at(progress)

    def save(self, folder: Path) -> None:
        """Write the table, and where schedules and random numbers are."""
        write_state(folder, {"table": self.table}, {"done": self._done, "rng": self._rng.bit_generator.state})

    def load(self, folder: Path) -> None:
        """Become what was saved."""
        arrays, facts = read_state(folder, {"table": (self._states, self._actions)})
        self._table, self._done = arrays["table"].tolist(), int(facts["done"])
        self._rng.bit_generator.state = facts["rng"]
        self._set_rates()


class QLearning(_Tabular):
    """Q-learning: learns what the best actions are worth, whatever it does meanwhile.

    Parameters
    ----------
    observation_space, action_space : gymnasium.Space
        Discrete, or a Box of observations where there are ``bins``.
    seed : int
        Of its exploration.
    episodes : int
        Over which the schedules go.
    alpha : float or mapping
        The learning rate, or its schedule: ``{start, end, share, shape}``.
    gamma : float
        What the next step is worth beside this one.
    epsilon : float or mapping
        The probability of an action at random, or its schedule.
    initial : float
        What every action is held to be worth at first; what is better than any real one makes it try them all.
    bins, low, high : int or sequence, optional
        How many intervals each number of an observation is cut into, and between which bounds.
    """

    def learn(self, observation: Any, action: Any, reward: float, following: Any, *, terminated: bool) -> None:
        """Move the value of an action towards what came of it."""
        ahead = 0.0 if terminated else self._gamma * max(self._table[self._state(following)])
        values, place = self._table[self._state(observation)], action - self._first
        values[place] += self._alpha * (reward + ahead - values[place])


class Sarsa(_Tabular):
    """SARSA: learns what its own actions are worth, the exploring ones among them. It has the keys of `QLearning`."""

    _next: int | None = None  # what it does next, which it has chosen to learn from the last step

    def act(self, observation: Any, *, explore: bool) -> int:
        """Return an action; while it explores the one that the last step was judged by."""
        if not explore or self._next is None:
            return super().act(observation, explore=explore)
        chosen, self._next = self._next, None
        return chosen

    def learn(self, observation: Any, action: Any, reward: float, following: Any, *, terminated: bool) -> None:
        """Move the value of an action towards what comes of it and of the next one."""
        ahead = 0.0
        if not terminated:
            coming = self._table[self._state(following)]
            chosen = self._explored(coming)
            self._next = self._first + chosen
            ahead = self._gamma * coming[chosen]
        values, place = self._table[self._state(observation)], action - self._first
        values[place] += self._alpha * (reward + ahead - values[place])

    def end_episode(self) -> None:
        """Go on with the schedules; the next episode begins with a choice of its own."""
        self._next = None
        super().end_episode()
