"""Environments and agents from a config: what may be named is checked first, and what is wrong is one line."""

from __future__ import annotations

import importlib
import inspect
import re
import warnings
from collections.abc import Callable, Collection, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mlops_cli.components.construct import build, parameter_names, spec_from
from mlops_cli.components.targets import Role, check_name, has_role
from mlops_cli.errors import ConfigError, MissingExtraError, MlopsError, TrustError, did_you_mean, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator

GIVEN = frozenset({"observation_space", "action_space", "seed"})
"""What every agent is given, and so no key of its own."""

_OWN_KEYS = ("id", "wrappers")
_LEARNING_WRAPPERS = ("NormalizeObservation", "NormalizeReward")
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def gymnasium() -> Any:
    """Return the package gymnasium.

    Raises
    ------
    MissingExtraError
        It is not installed.
    """
    try:
        return importlib.import_module("gymnasium")
    except ModuleNotFoundError:
        raise MissingExtraError("gymnasium", "reinforcement", "task: reinforcement") from None


# --- environments --------------------------------------------------------------------------------------------------


def environment_of(
    env: Mapping[str, Any], trust: Collection[str] = (), *, under: Callable[[Any], Any] | None = None
) -> Any:
    """Return the environment that the section ``env`` describes: `gymnasium.make` of its id and keys, in its wrappers.

    Parameters
    ----------
    env : mapping
        ``id``; ``wrappers``, a list of ``{_target_: …}`` from the inner one to the outer one; all else is for the
        environment. An id such as ``my_envs:Grid-v0`` has the trusted module ``my_envs`` imported, to register it.
    trust : collection of str
        The modules that the workspace's owner trusts.
    under : callable, optional
        Wraps the environment beneath its wrappers.

    Raises
    ------
    ConfigError
        There is no such environment, with the nearest name; it has no such key; or it cannot be made.
    TrustError
        A module or wrapper may not be named.
    MissingExtraError
        gymnasium is not installed.
    """
    package, name = gymnasium(), str(env["id"])
    keys = {key: value for key, value in env.items() if key not in _OWN_KEYS}
    wrappers = [_wrapper(item, f"env.wrappers[{n}]", trust) for n, item in enumerate(env.get("wrappers") or ())]
    if ":" in name:
        _import_own(name.partition(":")[0], trust)
    with _plain_warnings():
        _check_keys(package, name, keys)
        made = _made(package, name, keys)
    made = made if under is None else under(made)
    for number, wrapper in enumerate(wrappers):
        made = _called(wrapper, f"env.wrappers[{number}]", made)
    _check_ends(made, name)
    return made


def _check_ends(made: Any, name: str) -> None:
    """Refuse an environment whose episodes may go on for ever: an agent that stands still would never be heard of."""
    from gymnasium.wrappers import TimeLimit

    layer = made
    while layer is not made.unwrapped:
        if isinstance(layer, TimeLimit):
            return
        layer = getattr(layer, "env", made.unwrapped)
    hint = "env.max_episode_steps=200, or more than any good episode takes"
    raise ConfigError(f"nothing limits the steps of an episode of {name}", key="env.max_episode_steps", hint=hint)


def _import_own(module: str, trust: Collection[str]) -> None:
    """Import the module that registers an environment: gymnasium would import whatever is named."""
    try:
        check_name(f"{module}.register", trust)
    except TrustError as error:
        raise TrustError(f"this would import {module!r}, which is not trusted", key="env.id", hint=error.hint) from None
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*Overriding environment")  # a module that is imported anew
            importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        raise ConfigError(f"there is no module {module}", key="env.id", hint=did_you_mean(module, trust)) from None
    except Exception as error:  # a user's module may raise anything
        raise ConfigError(f"importing {module} failed: {_said(error)}", key="env.id") from error


@contextmanager
def _plain_warnings() -> Iterator[None]:
    """Say again what gymnasium warns of, without the colours of a terminal."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    for warning in caught:
        text = _COLOURS.sub("", str(warning.message)).removeprefix("WARN: ")
        warnings.warn(text, UserWarning, stacklevel=2)


def _check_keys(package: Any, name: str, keys: Mapping[str, Any]) -> None:
    """Refuse keys that an environment does not take, as far as it tells which it does."""
    known = _keys_of(package, name)
    for key in keys if known else ():
        if key not in known:
            raise ConfigError(
                f"{name} has no key {key!r}", key=f"env.{key}", hint=did_you_mean(key, {*known, *_OWN_KEYS})
            )


def _keys_of(package: Any, name: str) -> set[str]:
    """Return what an environment takes; nothing where it does not tell."""
    try:
        spec = package.spec(name)
        entry = spec.entry_point
        maker = entry if callable(entry) else package.envs.registration.load_env_creator(entry)
        found = inspect.signature(maker).parameters
    except Exception:  # noqa: BLE001 - whatever is wrong is said where it is made
        return set()
    if any(p.kind is p.VAR_KEYWORD for p in found.values()):
        return set()
    return {*found, *inspect.signature(package.make).parameters} - {"id", "kwargs", "self"}


def _made(package: Any, name: str, keys: Mapping[str, Any]) -> Any:
    try:
        return package.make(name, **keys)
    except package.error.DeprecatedEnv as error:
        raise ConfigError(_said_plainly(error), key="env.id") from None
    except package.error.UnregisteredEnv:
        known = [str(known) for known in package.registry]
        own = name.rpartition(":")[2]
        close = nearest(own, known)
        few = "such as FrozenLake-v1, CartPole-v1, MountainCar-v0, Pendulum-v1; my_envs:Grid-v0 imports my_envs first"
        hint = f"did you mean '{close}'?" if close else few
        raise ConfigError(f"there is no environment {name!r}", key="env.id", hint=hint) from None
    except (package.error.DependencyNotInstalled, ImportError) as error:
        raise ConfigError(f"{name}: {_said_plainly(error)}", key="env.id") from None
    except Exception as error:  # an environment may raise anything
        raise ConfigError(f"{name} cannot be made: {_said(error)}", key="env") from error


def _said_plainly(error: BaseException) -> str:
    return " ".join(str(error).replace("`", "'").split()).rstrip(".")


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {_said_plainly(error)}"


def _wrapper(item: Any, key: str, trust: Collection[str]) -> Callable[[Any], Any]:
    """Return a wrapper with its keys, which takes an environment."""
    if not isinstance(item, Mapping):
        hint = "{_target_: gymnasium.wrappers.TimeLimit, max_episode_steps: 50}"
        raise ConfigError(f"found {item!r}, must be a wrapper with its keys", key=key, hint=hint)
    spec = spec_from(item, key=key)
    if str(spec.target).rpartition(".")[2] in _LEARNING_WRAPPERS:
        message = "it goes on learning beside the agent, and what it learns would not be kept with it"
        raise ConfigError(message, key=key, hint="gymnasium.wrappers.RescaleObservation has fixed bounds")
    if "env" in spec.params:
        raise ConfigError("the environment is given to it", key=f"{key}.env", hint="leave it out")
    made: Callable[[Any], Any] = build(replace(spec, partial=True), role=Role.WRAPPER, trust=trust, key=key)
    return made


def _called(make: Callable[..., Any], key: str, *given: Any, **also: Any) -> Any:
    """Call a constructor, and say in one line what is wrong with what it is given."""
    try:
        return make(*given, **also)
    except MlopsError:
        raise
    except Exception as error:  # it may be a user's
        name = getattr(getattr(make, "func", make), "__name__", str(make))
        raise ConfigError(f"{name} cannot be made: {_said(error)}", key=key) from error


# --- agents --------------------------------------------------------------------------------------------------------


def agent_of(
    config: Mapping[str, Any], environment: Any, seed: int, trust: Collection[str] = (), *, episodes: int | None = None
) -> Any:
    """Return the agent that the section ``agent`` describes, which has learned nothing yet.

    Parameters
    ----------
    config : mapping
        ``_target_`` and keys.
    environment : gymnasium.Env
        Whose spaces it gets.
    seed : int
        Of all that is random in it.
    trust : collection of str
        The modules that the workspace's owner trusts.
    episodes : int, optional
        For agents that take ``episodes``, and are not given it by the config: how long their schedules are.

    Raises
    ------
    ConfigError
        It has no such key, does not suit the spaces, or cannot be made.
    TrustError
        It may not be named.
    """
    spec = spec_from(config, key="agent")
    for key in GIVEN & set(spec.params):
        raise ConfigError("every agent is given this", key=f"agent.{key}", hint=f"leave it out{_instead(key)}")
    _check_agent_keys(str(spec.target), spec.params, trust)
    make = build(replace(spec, partial=True), role=Role.AGENT, trust=trust, key="agent")
    also = {} if episodes is None or not _takes_episodes(make) else {"episodes": episodes}
    agent = _called(make, "agent", environment.observation_space, environment.action_space, seed=seed, **also)
    if not has_role(agent, Role.AGENT):
        kind = type(agent).__name__
        raise ConfigError(f"{spec.target} returned a {kind}, which is not an agent", key="agent._target_")
    return agent


def _check_agent_keys(target: str, params: Mapping[str, Any], trust: Collection[str]) -> None:
    """Refuse keys that an agent does not take."""
    taken = parameter_names(target, trust)
    for key in params if taken is not None else ():
        if key not in (taken or ()):
            hint = did_you_mean(key, (taken or set()) - GIVEN)
            raise ConfigError(f"{target.rpartition('.')[2]} has no key {key!r}", key=f"agent.{key}", hint=hint)


def _instead(key: str) -> str:
    return "; seed: at the top of the config is that of the first repetition" if key == "seed" else ""


def _takes_episodes(make: Any) -> bool:
    """Whether a constructor takes ``episodes``, and has not got it yet."""
    known = inspect.signature(make).parameters
    return "episodes" in known and "episodes" not in getattr(make, "keywords", {})
