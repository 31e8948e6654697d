"""The contract suite of agents."""

from __future__ import annotations

import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_cli.contracts import Agent

_LONGEST = 200  # steps of an episode, after which it is cut off
_PICKLED = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")


def check_agent(
    make: Callable[..., Any], environment: Callable[[], Any], *, episodes: int = 12, steps: int = 300
) -> None:
    """Check that an agent keeps to `mlops_cli.contracts.Agent`, or to `Trains` where it has a training of its own.

    Its actions lie in their space; the same seed gives the same; to be asked what is best changes nothing; what it
    writes holds no pickle; and another one that reads this answers the same, and goes on learning in the same way.

    Parameters
    ----------
    make : callable
        Returns a new agent: ``make(observation_space, action_space, seed=0)``.
    environment : callable
        Returns a new environment that suits it.
    episodes : int
        How many are played.
    steps : int
        For how many one with a training of its own trains.

    Examples
    --------
    >>> import gymnasium
    >>> from mlops_cli.components.reinforcement import QLearning
    >>> check_agent(QLearning, lambda: gymnasium.make("FrozenLake-v1"))
    """
    with closing(environment()) as made, tempfile.TemporaryDirectory() as folder:
        place = Path(folder, "agent")
        place.mkdir()
        if hasattr(make(*_spaces(made), seed=0), "train"):
            _check_training(make, made, steps, place)
        else:
            _check_learning(make, made, episodes, place)


def _spaces(made: Any) -> tuple[Any, Any]:
    return made.observation_space, made.action_space


def _check_learning(make: Callable[..., Agent], made: Any, episodes: int, place: Path) -> None:
    half = max(1, episodes // 2)
    first, second = (make(*_spaces(made), seed=1) for _ in range(2))
    told = [_episode(first, made, number) for number in range(half)]
    asked = [_episode(second, made, number, asking=True) for number in range(half)]
    assert told == asked, "the same seed gave other actions, or to be asked what is best has changed something"  # noqa: S101
    first.save(place)
    _check_files(place)
    third = make(*_spaces(made), seed=2)
    third.load(place)
    _check_alike(first, third, made)
    for number in range(half, 2 * half):
        found = _episode(first, made, number), _episode(third, made, number)
        assert found[0] == found[1], f"in episode {number - half} after it was loaded it does otherwise"  # noqa: S101
    _check_alike(first, third, made)


def _check_training(make: Callable[..., Any], made: Any, steps: int, place: Path) -> None:
    agent = make(*_spaces(made), seed=1)
    agent.train(made, steps, lambda step, **values: _check_logged(step, values))
    agent.save(place)
    _check_files(place)
    other = make(*_spaces(made), seed=2)
    other.load(place)
    _check_alike(agent, other, made)


def _check_logged(step: Any, values: dict[str, Any]) -> None:
    assert isinstance(step, int), f"it logged at {step!r}, which is no whole number"  # noqa: S101
    assert all(isinstance(value, int | float) for value in values.values()), f"it logged {values}"  # noqa: S101


def _episode(agent: Agent, made: Any, seed: int, *, asking: bool = False) -> list[str]:
    """Play an episode of learning, and return its actions; ``asking`` asks for the best one at each step too."""
    observation, _ = made.reset(seed=seed)
    actions: list[str] = []
    is_over = False
    while not is_over and len(actions) < _LONGEST:
        if asking:
            agent.act(observation, explore=False)
        action = _acted(agent, observation, made, explore=True)
        following, reward, terminated, truncated, _ = made.step(action)
        agent.learn(observation, action, float(reward), following, terminated=bool(terminated))
        actions.append(repr(action))
        observation, is_over = following, terminated or truncated
    agent.end_episode()
    return actions


def _acted(agent: Agent, observation: Any, made: Any, *, explore: bool) -> Any:
    action = agent.act(observation, explore=explore)
    assert made.action_space.contains(action), f"{action!r} is no action of {made.action_space}"  # noqa: S101
    return action


def _check_alike(first: Any, second: Any, made: Any) -> None:
    """Check that two agents hold the same actions to be best, in whatever comes of them."""
    for seed in range(3):
        observation, _ = made.reset(seed=1000 + seed)
        for _ in range(_LONGEST):
            action = _acted(first, observation, made, explore=False)
            other = second.act(observation, explore=False)
            assert repr(action) == repr(other), f"loaded it does {other!r} in place of {action!r}"  # noqa: S101
            observation, _, terminated, truncated, _ = made.step(action)
            if terminated or truncated:
                break


def _check_files(place: Path) -> None:
    files = [path for path in place.rglob("*") if path.is_file()]
    assert files, "it saved nothing"  # noqa: S101
    for path in files:
        assert path.read_bytes()[:2] not in _PICKLED, f"{path.name} is a pickle, which runs code when it is opened"  # noqa: S101
