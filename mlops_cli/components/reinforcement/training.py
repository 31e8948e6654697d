"""An agent learns in an environment, episode by episode, and is scored on episodes that it has not learned from.

Each episode begins with a seed of its own, which follows from the seed of the repetition and from the episode's number.
So what comes out depends on nothing else: not on how often it is evaluated, nor on whether it was interrupted.
"""

from __future__ import annotations

import math
from contextlib import closing, suppress
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Any

import numpy as np

from mlops_cli.components.reinforcement.making import agent_of, environment_of, gymnasium
from mlops_cli.components.reinforcement.progress import Keeper, Progress
from mlops_cli.components.reinforcement.schedules import count
from mlops_cli.components.reinforcement.spaces import said
from mlops_cli.errors import ConfigError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from mlops_cli.contracts import Agent, Trying

SOLVED = "solved"
"""In place of a return to stop at: the environment's own threshold."""


class Stream(IntEnum):
    """What seeds are for; no two uses share one."""

    LEARNING = 1
    EVALUATION = 2
    FINAL = 3


@dataclass(frozen=True)
class Training:
    """How long an agent learns, and how often it is looked at meanwhile.

    Parameters
    ----------
    episodes : int
        So many at most.
    evaluate_every : int, optional
        Episodes between two evaluations; None for none but the last.
    evaluation_episodes : int
        How many are played each time, without exploring.
    until : float, optional
        The mean return of an evaluation that ends the training.
    max_steps : int, optional
        The step of the environment, over all episodes, after which no more are begun.
    """

    episodes: int = 1000
    evaluate_every: int | None = 100
    evaluation_episodes: int = 100
    until: float | None = None
    max_steps: int | None = None


def read_training(value: Mapping[str, Any], environment: Any) -> Training:
    """Return what the section ``training`` says.

    Raises
    ------
    ConfigError
        A key is not known, a value is none that it may have, or the environment is solved at no known return.
    """
    known = Training.__dataclass_fields__
    for key in value:
        if key not in known:
            raise ConfigError("unknown key", key=f"training.{key}", hint=did_you_mean(str(key), known))
    numbers = {key: count(v, f"training.{key}") for key, v in value.items() if key != "until" and v is not None}
    if value.get("evaluate_every", 1) is None:
        numbers = {**numbers, "evaluate_every": None}  # type: ignore[dict-item]
    read = Training(until=_until(value.get("until"), environment), **numbers)
    if read.until is not None and read.evaluate_every is None:
        hint = "training.evaluate_every=100"
        raise ConfigError("only an evaluation tells whether it is reached", key="training.until", hint=hint)
    return read


def _until(value: Any, environment: Any) -> float | None:
    if value == SOLVED:
        threshold = getattr(environment.spec, "reward_threshold", None)
        if threshold is None:
            name = getattr(environment.spec, "id", "it")
            raise ConfigError(
                f"{name} does not say at which return it is solved", key="training.until", hint="a number"
            )
        return float(threshold)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ConfigError(f"found {value!r}, must be a return, {SOLVED} or null", key="training.until")
    return float(value)


def training(
    config: Mapping[str, Any], trust: Collection[str]
) -> Callable[[Mapping[str, Any], Trying], Mapping[str, float]]:
    """Return what one repetition does, after everything was made once to see that it can be.

    Parameters
    ----------
    config : mapping
        With ``env``, ``agent`` and ``training``.
    trust : collection of str
        The modules that the workspace's owner trusts.

    Returns
    -------
    callable
        Takes the config and a `Trying`; returns ``return`` and ``length``, the means over the last evaluation, and
        ``episodes`` and ``steps``, which it took to learn.

    Raises
    ------
    ConfigError, TrustError, MissingExtraError
        The environment or the agent cannot be made.
    """
    with closing(environment_of(config["env"], trust)) as environment:
        how = read_training(config.get("training") or {}, environment)
        agent_of(config["agent"], environment, 0, trust, episodes=how.episodes)
    return lambda config, trying: _Learning(config, trying, trust).measures()


def seeds(seed: int, stream: Stream, number: int, at: int = 0) -> list[int]:
    """Return the seeds of so many episodes, of the evaluation ``at`` an episode; more of them begin with the same."""
    drawn = np.random.SeedSequence([seed, stream, at]).generate_state(number)
    return [int(value) for value in drawn]


# --- one repetition ------------------------------------------------------------------------------------------------


class _Learning:
    """One repetition on its way."""

    def __init__(self, config: Mapping[str, Any], trying: Trying, trust: Collection[str]) -> None:
        self._trying = trying
        self._environment = environment_of(config["env"], trust)
        self._arena = Arena(config["env"], trust)
        self._how = read_training(config.get("training") or {}, self._environment)
        self._agent = agent_of(config["agent"], self._environment, trying.seed, trust, episodes=self._how.episodes)
        self._progress = Progress()

    def measures(self) -> dict[str, float]:
        """Learn, keep the agent, and score it."""
        with closing(self._environment), closing(self._arena):
            self._train() if hasattr(self._agent, "train") else self._learn()
            self._agent.save(self._trying.folder)
            last = seeds(self._trying.seed, Stream.FINAL, self._how.evaluation_episodes)
            returned, length = self._arena.play(self._agent, last)
        return {"return": returned, "length": length, "episodes": self._progress.episode, "steps": self._progress.steps}

    def _train(self) -> None:
        """Let an agent that has a training of its own go through it."""
        steps = self._how.max_steps
        if steps is None:
            name = type(self._agent).__name__
            hint = "training.max_steps=50000"
            raise ConfigError(f"{name} trains for a number of steps", key="training.max_steps", hint=hint)
        self._environment.reset(seed=seeds(self._trying.seed, Stream.LEARNING, 1)[0])
        told = self._agent.train(self._environment, steps, self._trying.log)
        self._progress = Progress(int(told or 0), steps)

    def _learn(self) -> None:
        """Play episode after episode, from where an interruption left it."""
        keeper = Keeper(self._trying.checkpoints)
        self._progress = keeper.take_up(self._agent) or self._progress
        for step, values in self._progress.points:
            self._trying.log(step, **values)
        drawn = seeds(self._trying.seed, Stream.LEARNING, self._how.episodes)
        while not self._is_over():
            self._progress.add(*play(self._environment, self._agent, drawn[self._progress.episode]))
            self._look()
            if keeper.is_due:
                keeper.write(self._agent, self._progress)

    def _is_over(self) -> bool:
        progress, how = self._progress, self._how
        enough = how.max_steps is not None and progress.steps >= how.max_steps
        return progress.is_solved or enough or progress.episode >= how.episodes

    def _look(self) -> None:
        """Evaluate the agent where it is time to, and note how it does."""
        progress, how = self._progress, self._how
        if how.evaluate_every is None or progress.episode % how.evaluate_every:
            return
        drawn = seeds(self._trying.seed, Stream.EVALUATION, how.evaluation_episodes, progress.episode)
        returned, length = self._arena.play(self._agent, drawn)
        values = {"return": returned, "length": length, "training_return": progress.mean_return()}
        self._trying.log(progress.episode, **values)
        progress.note(values, is_solved=how.until is not None and returned >= how.until)


def play(environment: Any, agent: Agent, seed: int) -> tuple[float, int]:
    """Let an agent explore and learn for one episode; return what it got, and how many steps it took."""
    act, learn, step = agent.act, agent.learn, environment.step
    observation, _ = environment.reset(seed=seed)
    total, length, is_over = 0.0, 0, False
    while not is_over:
        action = act(observation, explore=True)
        try:
            following, reward, terminated, truncated, _ = step(action)
        except Exception as error:
            _blame(action, environment.action_space, error)
            raise
        learn(observation, action, float(reward), following, terminated=bool(terminated))
        observation, is_over = following, terminated or truncated
        total, length = total + float(reward), length + 1
    agent.end_episode()
    return total, length


def _blame(action: Any, space: Any, error: Exception) -> None:
    """Say so where a step failed of an action that is none; looked at only then, as it takes long."""
    from gymnasium.spaces import Box

    given = action
    if isinstance(space, Box):
        with suppress(TypeError, ValueError):
            given = np.asarray(action, dtype=space.dtype)  # other numbers of the right size are taken as well
    if not space.contains(given):
        cause = f"{type(error).__name__}: {error}"
        message = f"the agent's act gave {said(repr(action))}, which is not in {said(space)}"
        raise ValueError(f"{message} ({said(cause)})") from error


@dataclass
class Arena:
    """An environment to be scored in: returns and lengths are its own, beneath whatever wrappers change of them."""

    env: Mapping[str, Any]
    trust: Collection[str] = ()
    made: Any = field(init=False)
    _score: Any = field(init=False)

    def __post_init__(self) -> None:
        wrappers = gymnasium().wrappers

        def scored(made: Any) -> Any:
            self._score = wrappers.RecordEpisodeStatistics(made)
            return self._score

        self.made = environment_of(self.env, self.trust, under=scored)

    def close(self) -> None:
        """Let go of what the environment holds."""
        self.made.close()

    def play(self, agent: Agent, drawn: list[int]) -> tuple[float, float]:
        """Return the mean return and length of an episode for each seed; nothing is explored or learned."""
        returns, lengths = zip(*(self._episode(agent, seed) for seed in drawn), strict=True)
        return float(np.mean(returns)), float(np.mean(lengths))

    def _episode(self, agent: Agent, seed: int) -> tuple[float, int]:
        act, step = agent.act, self.made.step
        observation, _ = self.made.reset(seed=seed)
        is_over = False
        while not is_over:
            action = act(observation, explore=False)
            try:
                observation, _, terminated, truncated, _ = step(action)
            except Exception as error:
                _blame(action, self.made.action_space, error)
                raise
            is_over = terminated or truncated
        return float(self._score.episode_returns), int(self._score.episode_lengths)
