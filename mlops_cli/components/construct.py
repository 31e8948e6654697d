"""One object from its spec: names resolved and trusted, parameters checked, seeds set.

A spec becomes the very object that a user would have constructed by hand with the same parameters, so that its
scores are scikit-learn's. Nothing here fits anything or knows where a spec came from.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mlops_cli.components.estimators import check_task, suggestion
from mlops_cli.components.targets import (
    KEYWORDS,
    Role,
    check_name,
    has_role,
    import_target,
    is_users_own,
    is_value_function,
    resolve,
)
from mlops_cli.errors import ConfigError, MissingExtraError, did_you_mean
from mlops_cli.records import ComponentSpec, Task

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

_NAMED_LISTS = frozenset({"estimators", "steps", "transformer_list", "transformers"})
_TASKS = frozenset(str(task) for task in Task)
_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]*)?")


@dataclass(frozen=True)
class _Context:
    """What every object of one build shares."""

    task: Task | None
    seed: int | None
    trust: Collection[str]
    inner: Role = Role.PARAM  # what is inside a parameter


# --- specs ---------------------------------------------------------------------------------------------------------


def spec_from(node: Mapping[str, Any], *, key: str = "") -> ComponentSpec:
    """Read a plain mapping with ``_target_`` as a spec; mappings inside its parameters are read when it is built.

    Examples
    --------
    >>> spec_from({"_target_": "sklearn.linear_model.Ridge", "alpha": 2.0}).params
    {'alpha': 2.0}
    """
    if "_target_" not in node:
        raise ConfigError("_target_ is missing: which class is this?", key=key or None)
    params = {str(k): v for k, v in node.items() if k not in {"_target_", "_partial_"}}
    return ComponentSpec(node["_target_"], params, bool(node.get("_partial_", False)))


def check_names(spec: ComponentSpec, trust: Collection[str], *, key: str) -> None:
    """Refuse a spec for the text of any name in it, at any depth, for any task; imports nothing.

    Raises
    ------
    TrustError
        A name may not be imported.
    """
    targets = spec.target.values() if isinstance(spec.target, Mapping) else [spec.target]
    for target in targets:
        check_name(target, trust, key=f"{key}._target_")
    for inner, inner_key in _specs_in(spec.params, key):
        check_names(inner, trust, key=inner_key)


def _specs_in(value: Any, key: str) -> Iterator[tuple[ComponentSpec, str]]:
    if _is_spec(value):
        yield _as_spec(value, key), key
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield from _specs_in(item, f"{key}.{name}")
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _specs_in(item, f"{key}[{index}]")


def _is_spec(value: Any) -> bool:
    return isinstance(value, ComponentSpec) or (isinstance(value, Mapping) and "_target_" in value)


def _as_spec(value: Any, key: str) -> ComponentSpec:
    return value if isinstance(value, ComponentSpec) else spec_from(value, key=key)


# --- building ------------------------------------------------------------------------------------------------------


def build(
    spec: ComponentSpec,
    *,
    role: Role,
    task: Task | None = None,
    seed: int | None = None,
    trust: Collection[str] = (),
    key: str,
) -> Any:
    """Build the object that a spec describes, and every object inside its parameters.

    Parameters
    ----------
    spec : ComponentSpec
        Its target may be one name per task; a parameter may be ``{task: value}`` where only one of those classes
        takes it.
    role : Role
        What the object is for.
    task : Task, optional
        Chooses among targets and values that depend on it.
    seed : int, optional
        Given to every ``random_state`` that is None, at any depth. None leaves them.
    trust : collection of str
        The modules that the workspace's owner trusts.
    key : str
        Where the spec stands in the config, for messages.

    Returns
    -------
    object
        An unfitted estimator, a splitter, a source, a function; the text itself for ``drop`` and ``passthrough``.

    Raises
    ------
    TrustError, ConfigError, MissingExtraError
        As `mlops_cli.components.targets.resolve`; or a parameter does not exist or is refused.
    """
    inner = role if role is Role.SAMPLER else Role.PARAM
    built = _build(spec, role, key, _Context(task, seed, trust, inner))
    if role is Role.ESTIMATOR and task is not None:
        check_task(built, task, key=key)
    return built


def _build(spec: ComponentSpec, role: Role, key: str, context: _Context) -> Any:
    name = _target_name(spec, key, context.task)
    if name in KEYWORDS and role in {Role.TRANSFORMER, Role.PARAM}:
        return name
    target = resolve(name, role, context.trust, key=f"{key}._target_")
    params = _uncalled(target, _params_for_task(spec.params, context.task), key)
    _check_params(target, params, key)
    values = {k: _tupled(target, k, _value(k, v, f"{key}.{k}", context)) for k, v in params.items()}
    if spec.partial or _stays_a_function(target, name, role, context):
        return _bound(target, values, context.seed)
    if role is Role.SAMPLER and "seed" in _parameters(target) and values.get("seed") is None:
        values["seed"] = context.seed
    built = _seeded(_construct(target, values, name, key), context)
    if not inspect.isclass(target) and not has_role(built, role):
        raise ConfigError(f"{name} returned a {type(built).__name__}, which is not a {role}", key=key)
    return built


def _target_name(spec: ComponentSpec, key: str, task: Task | None) -> str:
    name = spec.target_for(task)
    if name is not None:
        return name
    offers = spec.target if isinstance(spec.target, Mapping) else {}
    if task is None:
        raise ConfigError(f"_target_ depends on the task, which is not known here: {dict(offers)}", key=key)
    told = ", ".join(f"{full.rpartition('.')[2]} is for {offered}" for offered, full in offers.items())
    raise ConfigError(f"{told}; the task is {task}", key=key, hint=suggestion(key, task))


def _params_for_task(params: Mapping[str, Any], task: Task | None) -> dict[str, Any]:
    """Take the task's value of each ``{task: value}``; where it has none, the class has no such parameter."""
    chosen = {}
    for name, value in params.items():
        by_task = isinstance(value, Mapping) and bool(_TASKS & set(value))
        others = {k: v for k, v in value.items() if k not in _TASKS} if by_task else {}
        if others:  # a mapping of the user's, such as class weights, that was merged over the option's by-task one
            chosen[name] = others
        elif not by_task:
            chosen[name] = value
        elif task is not None and str(task) in value:
            chosen[name] = value[str(task)]
    return chosen


def _value(name: str, value: Any, key: str, context: _Context) -> Any:
    """Build what is inside a parameter's value."""
    if _is_spec(value):
        return _build(_as_spec(value, key), context.inner, key, context)
    if name in _NAMED_LISTS and isinstance(value, Mapping):
        _check_members(value, key)
        return [_named(n, v, f"{key}.{n}", context) for n, v in value.items() if v is not None]
    if isinstance(value, Mapping):
        labels = _labels(value) if name == "class_weight" else list(value)
        return {k: _value("", v, f"{key}.{k}", context) for k, v in zip(labels, value.values(), strict=True)}
    if isinstance(value, list | tuple):
        items = [_value("", v, f"{key}[{i}]", context) for i, v in enumerate(value)]
        return [tuple(i) if isinstance(i, list) else i for i in items] if name in _NAMED_LISTS else items
    return value


def _uncalled(target: Any, params: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Let what a class makes for itself, such as the module of a network, be handed over as it is, with parameters."""
    own: frozenset[str] = getattr(target, "factories", frozenset())
    made = {k: replace(_as_spec(v, f"{key}.{k}"), partial=True) for k, v in params.items() if k in own and _is_spec(v)}
    return {**params, **made}


def _check_members(members: Mapping[str, Any], key: str) -> None:
    """Refuse parameters of a member that is not there, where others are components."""
    known = [name for name, value in members.items() if _is_spec(value)]
    for name, value in members.items():
        if known and not (_is_spec(value) or value is None or isinstance(value, str)):
            hint = f"{did_you_mean(str(name), known)}; a new member needs a _target_"
            raise ConfigError(f"there is no member {name!r} that could take this", key=f"{key}.{name}", hint=hint)


def _labels(given: Iterable[Any]) -> list[Any]:
    """Return the labels that ``class_weight`` is given by: numbers where all are, for a key of a config is text.

    Examples
    --------
    >>> _labels(["0", "1"]), _labels(["1", "b"])
    ([0, 1], ['1', 'b'])
    """
    found = [_label(text) for text in given]
    return list(given) if any(isinstance(label, str) for label in found) else found


def _label(text: Any) -> Any:
    if not isinstance(text, str):
        return text
    if text.lower() in {"true", "false"}:
        return text.lower() == "true"
    if not _NUMBER.fullmatch(text):
        return text
    return float(text) if "." in text else int(text)


def _named(name: str, value: Any, key: str, context: _Context) -> tuple[Any, ...]:
    """Build one member of an ensemble, a pipeline or a column transformer: ``(name, object[, columns])``."""
    if not _is_spec(value):
        return (name, value)
    spec = _as_spec(value, key)
    if "columns" not in spec.params:
        return (name, _build(spec, Role.PARAM, key, context))
    rest = {k: v for k, v in spec.params.items() if k != "columns"}
    return (name, _build(replace(spec, params=rest), Role.PARAM, key, context), spec.params["columns"])


def _stays_a_function(target: Any, name: str, role: Role, context: _Context) -> bool:
    """Whether the function itself is what is wanted, and not what it would return."""
    if role is Role.METRIC:
        return not inspect.isclass(target)
    if is_users_own(target, name, context.trust):
        return False
    return is_value_function(target)


def _bound(target: Callable[..., Any], values: dict[str, Any], seed: int | None) -> Any:
    """Bind parameters; scores such as ``mutual_info_classif`` draw numbers, so they get the seed too."""
    wants_seed = not inspect.isclass(target) and "random_state" in _parameters(target)
    if seed is not None and wants_seed and values.get("random_state") is None:
        values = {**values, "random_state": seed}
    return functools.partial(target, **values) if values else target


def _construct(target: Callable[..., Any], values: dict[str, Any], name: str, key: str) -> Any:
    try:
        return target(**values)
    except (ConfigError, MissingExtraError):
        raise
    except Exception as error:  # a constructor may be a user's, and may raise anything
        text = " ".join(str(error).split())
        hint = None if inspect.isclass(target) else "add _partial_: true to hand over the function itself"
        message = f"{name} cannot be built: {type(error).__name__}: {text}"
        raise ConfigError(message, key=key, hint=hint) from error


# --- parameters ----------------------------------------------------------------------------------------------------


def _parameters(target: Any) -> dict[str, inspect.Parameter]:
    """Return a callable's parameters by name; empty for those written in C that do not tell."""
    try:
        return dict(inspect.signature(target).parameters)
    except (TypeError, ValueError):
        return {}


def parameter_names(target: str, trust: Collection[str]) -> set[str] | None:
    """Return the parameters that a class takes, by its dotted name; None where it takes any.

    One that hands some over to another package, and so takes ``**params``, tells by ``known_parameters`` which.

    Raises
    ------
    ConfigError
        It may not be imported, or is not there.
    """
    found = import_target(target, trust)
    if hasattr(found, "known_parameters"):
        return set(found.known_parameters())
    known = _parameters(found)
    return None if any(p.kind is p.VAR_KEYWORD for p in known.values()) else set(known)


def _check_params(target: Any, params: Mapping[str, Any], key: str) -> None:
    known = _parameters(target)
    if any(p.kind is p.VAR_KEYWORD for p in known.values()):
        return
    label = getattr(target, "__name__", type(target).__name__)
    for name, value in params.items():
        if name not in known:
            hint = did_you_mean(name, known, limit=30)
            raise ConfigError(f"{label} has no parameter {name!r}", key=f"{key}.{name}", hint=hint)
        if name == "memory" and value is not None:
            # joblib's cache is read by pickle: a config must not choose where from
            raise ConfigError(f"{label} may not cache on disk from a config", key=f"{key}.{name}", hint="null")


def _tupled(target: Any, name: str, value: Any) -> Any:
    """Make a tuple of a list where the class asks for one: YAML has no tuples."""
    if not isinstance(value, list):
        return value
    default = getattr(_parameters(target).get(name), "default", None)
    kinds = getattr(target, "_parameter_constraints", {}).get(name, [])
    wants_tuple = isinstance(kinds, list) and tuple in kinds and not ({list, "array-like"} & _hashable(kinds))
    return tuple(value) if wants_tuple or isinstance(default, tuple) else value


def _hashable(kinds: list[Any]) -> set[Any]:
    return {kind for kind in kinds if isinstance(kind, type | str)}


# --- seeds ---------------------------------------------------------------------------------------------------------


def _seeded(built: Any, context: _Context) -> Any:
    """Give the seed to every ``random_state`` that is None."""
    if context.seed is None or inspect.isclass(built):
        return built
    if not hasattr(built, "get_params") or not hasattr(built, "set_params"):
        return _seeded_attribute(built, context.seed)
    unset = [k for k, v in built.get_params(deep=True).items() if v is None and _is_seed(k)]
    if any("__" in k for k in unset):
        from sklearn.base import clone

        built = clone(built)  # the inner one may be a default that all instances share
    if unset:
        built.set_params(**dict.fromkeys(unset, context.seed))
    return _seeded_target_encoder(built, context)


def _is_seed(name: str) -> bool:
    return name.rpartition("__")[2] == "random_state"


def _seeded_attribute(built: Any, seed: int) -> Any:
    """Seed a splitter or another plain object; one that does not shuffle has no use for it."""
    if getattr(built, "random_state", seed) is None and getattr(built, "shuffle", True):
        built.random_state = seed
    return built


def _seeded_target_encoder(built: Any, context: _Context) -> Any:
    """Seed the inner folds of a TargetEncoder, which shuffles them and since 1.9 takes the seed only by ``cv``."""
    from sklearn.model_selection import KFold, StratifiedKFold
    from sklearn.preprocessing import TargetEncoder

    if isinstance(built, TargetEncoder) and isinstance(built.cv, int) and built.random_state == "deprecated":
        folds = StratifiedKFold if context.task is Task.CLASSIFICATION else KFold
        built.cv = folds(built.cv, shuffle=True, random_state=context.seed)
    return built
