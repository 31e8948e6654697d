"""Reads how a sweep goes: its sampler, its pruner, its limits. What is swept is read by `space`.

Words are checked here and nothing is imported: whether a sampler takes a parameter is said where it is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_cli.config import readers as read
from mlops_cli.config.component import read_component, read_param
from mlops_cli.errors import ConfigError
from mlops_cli.records import PrunerSpec, SamplerSpec, SweepSpec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_cli.records import Dimension

SAMPLERS = ("grid", "random", "tpe", "gp", "cmaes", "qmc")
"""The samplers that have a name; others are classes, named by ``_target_``."""

PRUNERS = ("none", "wilcoxon", "halving", "hyperband")
"""What can stop a trial early."""

_KEYS = (
    "sampler",
    "trials",
    "pruner",
    "constraint",
    "objectives",
    "warm_start",
    "patience",
    "timeout",
    "window",
    "space",
    "options",
)
_PRUNER_KEYS = {"none": (), "wilcoxon": ("p_threshold",)}
_SHARED_PRUNER_KEYS = ("over", "factor", "least")
_SAMPLER_FORM = "the name of a sampler, or a mapping such as {name: tpe, multivariate: true}"
_PRUNER_FORM = "the name of a pruner, or a mapping such as {name: halving, factor: 3}"


def read_sweep(value: object, key: str, *, subspaces: tuple[tuple[Dimension, ...], ...]) -> SweepSpec:
    """Return what is tried, and how.

    Parameters
    ----------
    value : mapping or None
        The section ``sweep``.
    key : str
        How messages call it.
    subspaces : tuple
        The space, read before.

    Raises
    ------
    ConfigError
        With the key at fault.
    """
    node = _section(value, key)
    read.only(node, key, _KEYS)
    sweep = SweepSpec(
        sampler=_sampler(node.get("sampler"), f"{key}.sampler"),
        trials=_count(node.get("trials"), f"{key}.trials"),
        subspaces=subspaces,
        pruner=_pruner(node.get("pruner"), f"{key}.pruner"),
        constraint=_text(node.get("constraint"), f"{key}.constraint"),
        objectives=_objectives(node.get("objectives"), f"{key}.objectives"),
        warm_start=_text(node.get("warm_start"), f"{key}.warm_start"),
        patience=_count(node.get("patience"), f"{key}.patience"),
        timeout=read.seconds(node.get("timeout"), f"{key}.timeout"),
        window=read.integer(node.get("window", SweepSpec.window), f"{key}.window", minimum=1),
    )
    _check_together(sweep, key)
    return sweep


def _section(value: object, key: str) -> Mapping[str, Any]:
    """Return the section; of a word in its place say where the word belongs."""
    known = {**dict.fromkeys(PRUNERS, "pruner"), **dict.fromkeys(SAMPLERS, "sampler")}
    if isinstance(value, str) and value in known:
        hint = f"{key}.{known[value]}={value}"
        raise read.wrong(value, key, "a mapping", hint=hint)
    return read.mapping(value, key)


def _count(value: object, key: str) -> int | None:
    return None if value is None else read.integer(value, key, minimum=1)


def _text(value: object, key: str) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not value.strip():
        raise read.wrong(value, key, "text, or null")
    return value


def _objectives(value: object, key: str) -> tuple[str, ...]:
    names = read.names(value, key)
    for i, name in enumerate(names):
        if name in names[:i]:
            raise ConfigError(f"the metric {name!r} is listed twice", key=f"{key}[{i}]", hint="keep one")
    return names


# --- sampler and pruner --------------------------------------------------------------------------------------------


def _sampler(value: object, key: str) -> SamplerSpec:
    node = _named(value, key, "grid", _SAMPLER_FORM)
    if "seed" in node:
        raise ConfigError("a sampler has the seed of the experiment", key=f"{key}.seed", hint="seed=3 sets both")
    if node.get("_target_") is not None:
        return _own_sampler(node, key)
    name = read.choice(node.get("name"), f"{key}.name" if read.is_mapping(value) else key, SAMPLERS)
    params = {k: v for k, v in node.items() if k not in {"name", "_target_"}}
    for param in params if name in {"grid", "random"} else ():
        raise ConfigError(f"the sampler {name} has no parameters", key=f"{key}.{param}", hint="remove it")
    return SamplerSpec(name, {k: read_param(v, f"{key}.{k}") for k, v in params.items()})


def _own_sampler(node: Mapping[str, Any], key: str) -> SamplerSpec:
    if "name" in node:
        raise ConfigError("a sampler has a name or a _target_, not both", key=f"{key}.name", hint="remove one")
    spec = read_component(node, key)
    if not isinstance(spec.target, str) or spec.partial:
        raise ConfigError("must be the dotted name of one class, such as optuna.samplers.NSGAIISampler", key=key)
    return SamplerSpec("custom", spec.params, spec.target)


def _pruner(value: object, key: str) -> PrunerSpec:
    node = _named(value, key, "none", _PRUNER_FORM)
    name = read.choice(node.get("name"), f"{key}.name" if read.is_mapping(value) else key, PRUNERS)
    allowed = _PRUNER_KEYS.get(name, _SHARED_PRUNER_KEYS)
    for param in node if not allowed else ():
        if param != "name":
            raise ConfigError(f"the pruner {name} has no parameters", key=f"{key}.{param}", hint="remove it")
    read.only(node, key, ("name", *allowed))
    over = read.choice(node.get("over", "splits"), f"{key}.over", ("splits", "rows"))
    return PrunerSpec(
        name=name,
        over=over,
        factor=read.integer(node.get("factor", PrunerSpec.factor), f"{key}.factor", minimum=2),
        least=_least(node.get("least"), f"{key}.least", over),
        p_threshold=read.fraction(node.get("p_threshold", PrunerSpec.p_threshold), f"{key}.p_threshold"),
    )


def _named(value: object, key: str, default: str, form: str) -> Mapping[str, Any]:
    """Return the mapping form of a name."""
    if value is None or isinstance(value, str):
        return {"name": default if value is None else value}
    if not read.is_mapping(value) or not value:
        raise read.wrong(value, key, form)
    node = read.mapping(value, key)
    if node.get("name") is None and node.get("_target_") is None:
        raise ConfigError("has no name", key=key, hint=f"must be {form}")
    return node


def _least(value: object, key: str, over: str) -> float | None:
    if value is None:
        return None
    if over == "splits":
        return float(read.integer(value, key, minimum=1))
    return read.fraction(value, key, "a share of the rows between 0 and 1")


# --- what does not go together -------------------------------------------------------------------------------------


def _check_together(sweep: SweepSpec, key: str) -> None:
    _check_trials(sweep, f"{key}.trials")
    name = sweep.sampler.name
    if sweep.warm_start is not None and not sweep.sampler.learns:
        hint = f"remove it, or choose {key}.sampler=tpe"
        raise ConfigError(f"the sampler {name} learns nothing from earlier trials", key=f"{key}.warm_start", hint=hint)
    if len(sweep.objectives) > 1 and sweep.pruner.prunes:
        hint = f"{key}.pruner=none, or one objective"
        raise ConfigError("a pruner judges trials by one metric, and there are several", key=f"{key}.pruner", hint=hint)
    if len(sweep.objectives) > 1 and name == "cmaes":
        hint = f"{key}.sampler=tpe, gp or {{_target_: optuna.samplers.NSGAIISampler}}"
        raise ConfigError("the sampler cmaes takes one objective", key=f"{key}.objectives", hint=hint)


def _check_trials(sweep: SweepSpec, key: str) -> None:
    name = sweep.sampler.target or sweep.sampler.name
    if name == "grid" and sweep.trials is not None:
        hint = f"remove it, or choose {key.rpartition('.')[0]}.sampler=random"
        raise ConfigError("a grid tries every combination", key=key, hint=hint)
    if name != "grid" and sweep.trials is None:
        raise ConfigError(f"the sampler {name} needs a number of trials", key=key, hint=f"{key}=20")


def check_finite(sampler: SamplerSpec, dimension: Dimension) -> None:
    """Refuse an interval where the sampler tries every value.

    Raises
    ------
    ConfigError
        With the samplers that take it.
    """
    if sampler.name == "grid" and not dimension.is_finite:
        hint = (
            "sweep.sampler=random sweep.trials=20 takes intervals, for orders of magnitude as tag(log, interval(…)); "
            "for a grid list values, such as 0.1,1,10"
        )
        raise ConfigError("a grid cannot try every value of an interval", key=dimension.key, hint=hint)
