"""Makes a study of Optuna's with the sampler that a config names, and keeps Optuna quiet."""

from __future__ import annotations

import contextlib
import importlib.util
import math
import warnings
from typing import TYPE_CHECKING, Any

from mlops_cli.components.construct import build
from mlops_cli.components.targets import Role
from mlops_cli.errors import ConfigError, MissingExtraError
from mlops_cli.records import ComponentSpec

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from optuna.samplers import BaseSampler
    from optuna.study import Study
    from optuna.trial import FrozenTrial

    from mlops_cli.components.samplers.parameters import Parameters
    from mlops_cli.records import Direction, SamplerSpec

KEY = "sweep.sampler"

_CLASSES = {
    "tpe": "optuna.samplers.TPESampler",
    "gp": "optuna.samplers.GPSampler",
    "cmaes": "optuna.samplers.CmaEsSampler",
    "qmc": "optuna.samplers.QMCSampler",
}
_DEFAULTS: dict[str, dict[str, Any]] = {
    "tpe": {"constant_liar": True},  # points are asked for while others are under way
    "qmc": {"scramble": True},  # without it no seed matters, and the first point is a corner of the space
}
_SOURCES = 10  # of fewer CMA-ES makes no distribution to begin with
_OWN_STARTS = frozenset({"x0", "sigma0", "use_separable_cma"})  # which earlier trials do not go with
_NEEDED = {"gp": ("torch", "gp"), "cmaes": ("cmaes", "optuna")}


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep what Optuna logs and warns of to itself: it is about Optuna's own interface."""
    from optuna import logging

    verbosity = logging.get_verbosity()
    logging.set_verbosity(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.set_verbosity(verbosity)


@contextlib.contextmanager
def blamed(name: str) -> Iterator[None]:
    """Raise what a sampler raises as an error of the config that chose it."""
    try:
        yield
    except ConfigError:
        raise
    except Exception as error:  # a sampler may be a user's, and may raise anything
        text = " ".join(str(error).split())
        raise ConfigError(f"the sampler {name} failed: {type(error).__name__}: {text}", key=KEY) from error


def require_packages(spec: SamplerSpec) -> None:
    """Refuse a sampler whose packages are not installed.

    Raises
    ------
    MissingExtraError
        With the command that installs them.
    """
    for package, extra in [("optuna", "optuna"), *([_NEEDED[spec.name]] if spec.name in _NEEDED else [])]:
        if importlib.util.find_spec(package) is None:
            raise MissingExtraError(package, extra, f"{KEY}={spec.target or spec.name}")


def make_study(
    spec: SamplerSpec,
    earlier: Sequence[FrozenTrial],
    *,
    directions: Sequence[Direction],
    seed: int,
    trust: Collection[str],
) -> Study:
    """Return a study in memory, with the sampler and the trials that it begins with.

    Raises
    ------
    ConfigError
        The sampler cannot be made.
    """
    from optuna import create_study
    from optuna.study import StudyDirection

    sampler = _build(spec, earlier, seed, trust)
    study = create_study(sampler=sampler, directions=[StudyDirection[d.name] for d in directions])
    # a sampler that has tried all that it would try stops the loop of `Study.optimize`, and there is none here
    study.stop = _go_on  # type: ignore[method-assign]
    study.add_trials(earlier)
    return study


def _go_on() -> None:
    """Do nothing: a sweep ends where no new point is found."""


def _build(spec: SamplerSpec, earlier: Sequence[FrozenTrial], seed: int, trust: Collection[str]) -> BaseSampler:
    from optuna.samplers import BaseSampler

    target = spec.target or _CLASSES[spec.name]
    params = {**_DEFAULTS.get(spec.name, {}), **spec.params}
    if spec.name == "cmaes" and len(earlier) >= _SOURCES and not _OWN_STARTS & set(spec.params):
        params["source_trials"] = [_numeric(trial) for trial in earlier]
    built: BaseSampler = build(ComponentSpec(target, params), role=Role.SAMPLER, seed=seed, trust=trust, key=KEY)
    if not isinstance(built, BaseSampler):
        raise ConfigError(f"{target} is no sampler of Optuna's", key=f"{KEY}._target_")
    return built


def _numeric(trial: FrozenTrial) -> FrozenTrial:
    """Return a trial without its choices: CMA-ES compares the numeric part of a space alone."""
    from optuna.distributions import CategoricalDistribution
    from optuna.trial import create_trial

    numeric = {
        name: d
        for name, d in trial.distributions.items()
        if not isinstance(d, CategoricalDistribution) and not d.single()
    }
    return create_trial(params={k: trial.params[k] for k in numeric}, distributions=numeric, values=trial.values)


def frozen(
    parameters: Parameters, earlier: Sequence[tuple[Mapping[str, Any], Sequence[float]]], objectives: int
) -> list[FrozenTrial]:
    """Return the earlier trials that fit the space as Optuna's."""
    from optuna.trial import create_trial

    trials = []
    for point, values in earlier:
        params = parameters.of(point)
        if params is not None and len(values) == objectives and all(map(math.isfinite, values)):
            known = parameters.distributions(params)
            trials.append(create_trial(params=params, distributions=known, values=list(values)))
    return trials
