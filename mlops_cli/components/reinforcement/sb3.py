"""Agents of stable-baselines3, which train by themselves: their weights are kept as arrays, never their pickles."""

from __future__ import annotations

import importlib
import inspect
from typing import TYPE_CHECKING, Any

import numpy as np

from mlops_cli.components.reinforcement.keeping import read_state, write_state
from mlops_cli.components.reinforcement.making import gymnasium
from mlops_cli.errors import ConfigError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import numpy.typing as npt

ALGORITHMS = ("A2C", "DDPG", "DQN", "PPO", "SAC", "TD3")
_NOT_KEYS = frozenset(
    {"self", "env", "seed", "tensorboard_log", "replay_buffer_class", "replay_buffer_kwargs", "_init_setup_model"}
)
_EVERY = 20  # episodes between two points of the curve


class StableBaselines:
    """An algorithm of stable-baselines3 as an agent; ``training.max_steps`` says how long it trains.

    Its own ``save`` makes a zip with pickles, which run code when they are opened. Here the weights of its policy are
    kept as arrays, which is all that acting takes; a training that is interrupted begins anew.

    Parameters
    ----------
    observation_space, action_space : gymnasium.Space
        Such as the algorithm takes.
    seed : int
        Of its weights, actions and batches.
    algorithm : str
        A2C, DDPG, DQN, PPO, SAC or TD3.
    policy : str
        MlpPolicy, CnnPolicy or MultiInputPolicy.
    device : str
        ``cpu`` gives the same on every machine; ``auto`` takes a GPU where there is one.
    **keys
        The algorithm's own: ``learning_rate``, ``n_steps``, ``gamma``, ``policy_kwargs: {net_arch: [64, 64]}``, …
    """

    def __init__(
        self,
        observation_space: Any,
        action_space: Any,
        *,
        seed: int,
        algorithm: str = "PPO",
        policy: str = "MlpPolicy",
        device: str = "cpu",
        **keys: Any,
    ) -> None:
        maker = _algorithm(algorithm)
        known = set(inspect.signature(maker.__init__).parameters) - _NOT_KEYS
        for key in keys:
            if key not in known:
                hint = did_you_mean(key, known, limit=30)
                raise ConfigError(f"{algorithm} has no key {key!r}", key=f"agent.{key}", hint=hint)
        self._model = maker(policy, _spaces(observation_space, action_space), seed=seed, device=device, **keys)

    def train(self, env: Any, steps: int, log: Callable[..., None]) -> int:
        """Train for so many steps; return how many episodes that were."""
        monitor = _module("stable_baselines3.common.monitor").Monitor(env)
        told = _Told(log)
        self._model.set_env(monitor)
        self._model.learn(total_timesteps=steps, callback=told)
        return told.episodes

    def act(self, observation: Any, *, explore: bool) -> Any:
        """Return an action; without ``explore`` the likeliest one."""
        action, _ = self._model.predict(observation, deterministic=not explore)
        return action.item() if np.ndim(action) == 0 else action

    def save(self, folder: Path) -> None:
        """Write the weights of the policy."""
        weights = self._model.policy.state_dict()
        write_state(folder, {name: value.cpu().numpy() for name, value in weights.items()}, {})

    def load(self, folder: Path) -> None:
        """Become what was saved."""
        import torch

        weights = self._model.policy.state_dict()
        arrays, _ = read_state(folder, {name: tuple(value.shape) for name, value in weights.items()})
        self._model.policy.load_state_dict({name: torch.as_tensor(_whole(arrays[name])) for name in weights})


def _whole(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return np.ascontiguousarray(array).reshape(array.shape)


def _module(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        hint = "pip install stable-baselines3"
        raise ConfigError(
            "this needs the package stable-baselines3, which is not installed", key="agent", hint=hint
        ) from None


def _algorithm(name: str) -> Any:
    if name not in ALGORITHMS:
        raise ConfigError(f"found {name!r}", key="agent.algorithm", hint=did_you_mean(str(name), ALGORITHMS))
    return getattr(_module("stable_baselines3"), name)


def _spaces(observation_space: Any, action_space: Any) -> Any:
    """Return an environment that has spaces and nothing else: networks are made by it."""
    stub = gymnasium().Env()
    stub.observation_space, stub.action_space = observation_space, action_space
    return stub


class _Told:
    """Counts episodes while the algorithm trains, and tells how they go."""

    def __init__(self, log: Callable[..., None]) -> None:
        self._log = log
        self.episodes = 0
        self._returns: list[float] = []

    def __call__(self, local: Mapping[str, Any], _: Mapping[str, Any]) -> bool:
        """Look at one step, as stable-baselines3 has it; the training goes on."""
        for info in local["infos"]:
            if "episode" in info:
                self._count(float(info["episode"]["r"]))
        return True

    def _count(self, returned: float) -> None:
        self.episodes += 1
        self._returns.append(returned)
        if len(self._returns) == _EVERY:
            self._log(self.episodes, training_return=sum(self._returns) / _EVERY)
            self._returns = []
