"""An agent that makes actions likelier which brought more than was expected.

Williams (1992), REINFORCE with a baseline; Sutton and Barto, 2nd edition, section 13.4. In numpy: its networks are
small, and one observation at a time is what numpy is quicker at than torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlops_cli.components.reinforcement.keeping import read_state, write_state
from mlops_cli.components.reinforcement.policies import Adam, Network, head_of, hidden_of
from mlops_cli.components.reinforcement.schedules import count, fraction, positive, read_schedule
from mlops_cli.components.reinforcement.spaces import features_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

_LEAST_DEVIATION = 1e-3
_VALUE_PASSES = 10  # of the baseline over each batch: it has to keep up with the policy


class PolicyGradient:
    """REINFORCE with a learned baseline: a network says how likely each action is, another what a state is worth.

    Parameters
    ----------
    observation_space, action_space : gymnasium.Space
        Anything that can be flattened; discrete actions, or a Box around which it tries normally.
    seed : int
        Of the first weights and of its actions.
    episodes : int
        Over which the schedule of the learning rate goes.
    alpha : float or mapping
        The learning rate of Adam, or its schedule: ``{start, end, share, shape}``.
    gamma : float
        What the next step is worth beside this one.
    batch : int
        Episodes between two steps of learning.
    hidden : list of int
        Units of each hidden layer of tanh; none is a linear policy.
    entropy : float
        How much actions that are less sure are worth: it keeps the policy from settling too early.
    deviation : float
        Of actions in a Box at first, where −1 … 1 is from low to high.
    """

    def __init__(  # noqa: PLR0913 - the keys of a config are keyword arguments
        self,
        observation_space: Any,
        action_space: Any,
        *,
        seed: int,
        episodes: int = 1000,
        alpha: float | Mapping[str, Any] = 0.01,
        gamma: float = 0.99,
        batch: int = 10,
        hidden: Sequence[int] = (32,),
        entropy: float = 0.0,
        deviation: float = 0.5,
    ) -> None:
        name = type(self).__name__
        inputs, self._features = features_of(observation_space, name)
        self._head = head_of(action_space, name)
        self._rng = np.random.default_rng(seed)
        layers = (inputs, *hidden_of(hidden))
        self._policy = Network((*layers, self._head.size), self._rng)
        self._value = Network((*layers, 1), self._rng)
        self._spread = np.full(self._head.size, np.log(positive(deviation, "agent.deviation")))
        self._adams = [Adam(self._policy.size), Adam(self._value.size), Adam(self._spread.size)]
        self._rates, self._gamma = read_schedule(alpha, "agent.alpha"), fraction(gamma, "agent.gamma")
        self._batch, self._entropy = count(batch, "agent.batch"), fraction(entropy, "agent.entropy")
        self._episodes, self._done = episodes, 0
        self._episode = _Episode()
        self._collected: list[tuple[Floats, Floats, Floats]] = []  # of each episode: features, actions, returns

    def act(self, observation: Any, *, explore: bool) -> Any:
        """Return an action as likely as the policy holds it to be; or the likeliest."""
        outputs = self._policy(self._features(observation))
        if not explore:
            return self._head.best(outputs)
        if self._head.first is not None:
            chances = np.exp(outputs - outputs.max()).cumsum()
            self._episode.drawn = int(np.searchsorted(chances, self._rng.random() * chances[-1], side="right"))
            return self._episode.drawn + self._head.first
        drawn = outputs + np.exp(self._spread) * self._rng.standard_normal(self._head.size)
        self._episode.drawn = drawn
        return self._head.scaled(drawn)

    def learn(self, observation: Any, action: Any, reward: float, following: Any, *, terminated: bool) -> None:  # noqa: ARG002
        """Note a step; what it was worth is known when the episode is over."""
        self._episode.note(self._features(observation), reward)
        self._episode.following = None if terminated else following

    def end_episode(self) -> None:
        """Add up what followed each step; after the last episode of a batch, learn."""
        self._done += 1
        if self._episode.rewards:
            self._collected.append(self._episode.collected(self._gamma, self._ahead()))
        self._episode = _Episode()
        if len(self._collected) == self._batch:
            features, actions, returns = (np.concatenate(parts) for parts in zip(*self._collected, strict=True))
            self._improve(features, actions, returns)
            self._collected = []

    def _ahead(self) -> float:
        """Return what is held to come after the last step: where an episode was cut off that is not nothing."""
        following = self._episode.following
        return 0.0 if following is None else float(self._value(self._features(following))[0])

    def _improve(self, features: Floats, actions: Floats, returns: Floats) -> None:
        rate = self._rates.at(self._done / max(1, self._episodes))
        gained = returns - self._value(features)[:, 0]
        gained = (gained - gained.mean()) / (gained.std() + 1e-8)
        outputs = self._policy(features)
        slopes = (
            self._discrete(outputs, actions, gained)
            if self._head.is_discrete
            else self._normal(outputs, actions, gained, rate)
        )
        self._adams[0].step(self._policy.weights, self._policy.slopes(features, slopes / len(features)), rate)
        for _ in range(_VALUE_PASSES):
            missed = self._value(features) - returns[:, None]
            self._adams[1].step(self._value.weights, self._value.slopes(features, missed / len(features)), rate)

    def _discrete(self, outputs: Floats, actions: Floats, gained: Floats) -> Floats:
        """Return the slope of the loss in each output: of −gained · log p(action) − entropy · H(p)."""
        chances = np.exp(outputs - outputs.max(axis=1, keepdims=True))
        chances /= chances.sum(axis=1, keepdims=True)
        slopes = chances * gained[:, None]
        slopes[np.arange(len(slopes)), actions[:, 0].astype(np.int64)] -= gained
        logs = np.log(chances + 1e-12)
        own: Floats = -(chances * logs).sum(axis=1, keepdims=True)
        whole: Floats = slopes + self._entropy * chances * (logs + own)
        return whole

    def _normal(self, outputs: Floats, actions: Floats, gained: Floats, rate: float) -> Floats:
        """Return the slope of the loss in each mean, after the deviations have learned."""
        deviation = np.exp(self._spread)
        off = (actions - outputs) / deviation
        spread = (-(off**2 - 1.0) * gained[:, None]).mean(axis=0) - self._entropy
        self._adams[2].step(self._spread, spread, rate)
        np.maximum(self._spread, np.log(_LEAST_DEVIATION), out=self._spread)
        slopes: Floats = -gained[:, None] * off / deviation
        return slopes

    def save(self, folder: Path) -> None:
        """Write the networks, how far Adam is, the episodes of the batch, and where random numbers are."""
        names = ("policy", "value", "spread")
        arrays: dict[str, npt.NDArray[Any]] = dict(
            zip(names, (self._policy.weights, self._value.weights, self._spread), strict=True)
        )
        arrays |= {f"adam_{name}": adam.moments for name, adam in zip(names, self._adams, strict=True)}
        for number, parts in enumerate(self._collected):
            arrays |= {f"{part}_{number}": values for part, values in zip("xay", parts, strict=True)}
        steps = [adam.steps for adam in self._adams]
        collected = len(self._collected)
        write_state(
            folder,
            arrays,
            {"done": self._done, "steps": steps, "collected": collected, "rng": self._rng.bit_generator.state},
        )

    def load(self, folder: Path) -> None:
        """Become what was saved."""
        networks = {"policy": self._policy.weights, "value": self._value.weights, "spread": self._spread}
        arrays, facts = read_state(folder, {name: vector.shape for name, vector in networks.items()})
        for name, vector in networks.items():
            vector[:] = arrays[name]
        for adam, name, steps in zip(self._adams, networks, facts["steps"], strict=True):
            adam.moments[:], adam.steps = arrays[f"adam_{name}"], int(steps)
        x, a, y = ([arrays[f"{part}_{number}"] for number in range(facts["collected"])] for part in "xay")
        self._collected = list(zip(x, a, y, strict=True))
        self._done, self._episode = int(facts["done"]), _Episode()
        self._rng.bit_generator.state = facts["rng"]


class _Episode:
    """The steps of an episode that is going on."""

    def __init__(self) -> None:
        self.features: list[Floats] = []
        self.actions: list[Any] = []
        self.rewards: list[float] = []
        self.drawn: Any = 0  # the action before it was brought into the bounds of its space
        self.following: Any = None  # where it stands, unless nothing can come after that

    def note(self, features: Floats, reward: float) -> None:
        self.features.append(features)
        self.actions.append(self.drawn)
        self.rewards.append(float(reward))

    def collected(self, gamma: float, ahead: float) -> tuple[Floats, Floats, Floats]:
        """Return features, actions and what followed each step, with what is held to come ``ahead`` of the last."""
        returns = np.empty(len(self.rewards))
        for step in reversed(range(len(returns))):
            ahead = self.rewards[step] + gamma * ahead
            returns[step] = ahead
        return np.array(self.features), np.array(self.actions, dtype=np.float64).reshape(len(returns), -1), returns
