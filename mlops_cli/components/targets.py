"""What a config may name with ``_target_``: the text is checked first, then what it turned out to be.

A name passes four gates: its text (a trusted package, no private part) before anything is imported; a real
module that holds it; the module that *defined* it, so that ``sklearn.some.module.system`` does not reach ``os``;
and its role, so that only models, transforms, splitters, metrics, sources and their parameters can be made.
Nothing here knows of YAML or builds anything.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import pkgutil
import re
from enum import StrEnum
from types import ModuleType
from typing import TYPE_CHECKING, Any

from mlops_cli.errors import ConfigError, MissingExtraError, TrustError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Collection

TRUSTED_PACKAGES = (
    "sklearn",
    "skrub",
    "mlops_cli",
    "imblearn",
    "xgboost",
    "lightgbm",
    "catboost",
    "skorch",
    "category_encoders",
    "feature_engine",
    "umap",
    "numpy",
)
"""The packages whose components a config may name without being listed under ``trust``."""

KEYWORDS = frozenset({"drop", "passthrough"})
"""What scikit-learn takes in place of a transformer."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)+", re.ASCII)
_LONGEST = 200
_OWN_COMPONENTS = "mlops_cli.components"
_EXTRAS = {
    "skrub": "auto",
    "imblearn": "imbalanced",
    "optuna": "optuna",
    "distributed": "dask",
    "skorch": "networks",
    "xgboost": "xgboost",
    "lightgbm": "lightgbm",
    "catboost": "catboost",
}
_DISTRIBUTIONS = {
    "imblearn": "imbalanced-learn",
    "umap": "umap-learn",
    "category_encoders": "category-encoders",
    "feature_engine": "feature-engine",
}
# scikit-learn shows these only after the module that says "I know it is experimental" was imported
_EXPERIMENTAL = {
    "sklearn.impute.IterativeImputer": "sklearn.experimental.enable_iterative_imputer",
    "sklearn.model_selection.HalvingGridSearchCV": "sklearn.experimental.enable_halving_search_cv",
    "sklearn.model_selection.HalvingRandomSearchCV": "sklearn.experimental.enable_halving_search_cv",
}


class Role(StrEnum):
    """What a component is asked to be; the value is the word that messages use."""

    ESTIMATOR = "model"
    TRANSFORMER = "transform"
    SPLITTER = "split"
    METRIC = "metric"
    SOURCE = "data source"
    SAMPLER = "sampler"
    CLUSTER = "cluster"
    TRACKER = "tracker"
    AGENT = "agent"
    WRAPPER = "wrapper of an environment"
    SCRIPT = "script"
    PARAM = "parameter"


_METHODS: dict[Role, tuple[tuple[str, ...], ...]] = {
    Role.ESTIMATOR: (("fit",), ("predict", "fit_predict")),
    Role.TRANSFORMER: (("fit",), ("transform", "fit_resample")),
    Role.SPLITTER: (("split",), ("get_n_splits",)),
    Role.METRIC: (("__call__",),),
    Role.SOURCE: (("load",),),
    Role.SAMPLER: (("sample_relative",), ("sample_independent",)),
    Role.CLUSTER: (("scale",), ("close",)),
    Role.TRACKER: (("start",), ("log_trial",), ("finish",), ("close",)),
    Role.AGENT: (("act",), ("learn", "train"), ("end_episode", "train"), ("save",), ("load",)),
    Role.WRAPPER: (("reset",), ("step",)),
    Role.SCRIPT: (("__call__",),),
    Role.PARAM: (),
}
"""What each role needs: of every group one method."""

_NEEDS = {
    Role.ESTIMATOR: "fit and predict (or fit_predict)",
    Role.TRANSFORMER: "fit and transform (or fit_resample)",
    Role.SPLITTER: "split and get_n_splits",
    Role.METRIC: "the form of a function of sklearn.metrics or of a trusted module of yours",
    Role.SOURCE: "load",
    Role.SAMPLER: "the methods of a sampler of Optuna",
    Role.CLUSTER: "scale and close, as the clusters of Dask",
    Role.TRACKER: "start, log_trial, finish and close",
    Role.AGENT: "act, learn and end_episode (or train), save and load",
    Role.WRAPPER: "reset and step",
    Role.SCRIPT: "the form of a function of a trusted module of yours",
    Role.PARAM: "the interface of an estimator, splitter, kernel, metric, scoring function or numpy ufunc",
}

_PACKAGES = {Role.SAMPLER: ("optuna.samplers",), Role.WRAPPER: ("gymnasium.wrappers",)}
"""What is trusted in one role alone. Clusters are not: what they submit are scripts, which a config may write."""


# --- the text, before any import -----------------------------------------------------------------------------------


def check_name(name: object, trust: Collection[str] = (), *, key: str | None = None, role: Role | None = None) -> None:
    """Refuse a ``_target_`` by its text alone.

    Parameters
    ----------
    name : object
        What the config says; anything but a dotted name of a trusted package is refused.
    trust : collection of str
        The modules that the workspace's owner lists under ``[tool.mlops] trust``.
    key : str, optional
        Where the config says it.
    role : Role, optional
        What it is to be: some packages are trusted in one role alone.

    Raises
    ------
    TrustError
        The name may not be imported. Nothing was.

    Examples
    --------
    >>> check_name("sklearn.linear_model.Ridge")
    >>> check_name("os.system")
    Traceback (most recent call last):
    ...
    mlops_cli.errors.TrustError: 'os.system' may not be named here: os is not trusted (...)
    """
    if isinstance(name, str) and name in KEYWORDS:
        return
    shown = ascii(name)[:_LONGEST]
    if not isinstance(name, str) or len(name) > _LONGEST or not _NAME.fullmatch(name):
        raise TrustError(
            f"{shown} is not the dotted name of something public, such as sklearn.linear_model.Ridge", key=key
        )
    also = _also_trusted(role)
    reason = _distrust(name, [*trust, *also])
    if reason:
        raise TrustError(f"{shown} may not be named here: {reason}", key=key, hint=_trust_hint([*also, *trust]))


def _also_trusted(role: Role | None) -> tuple[str, ...]:
    return _PACKAGES.get(role, ()) if role is not None else ()


def _distrust(name: str, trust: Collection[str]) -> str | None:
    """Say why the text of a well-formed name is not trusted; None where it is."""
    top = name.partition(".")[0]
    if _covers(trust, name):
        return None
    if top not in TRUSTED_PACKAGES:
        return f"{top} is not trusted"
    if top == "mlops_cli" and not name.startswith(_OWN_COMPONENTS + "."):
        return f"of mlops_cli only {_OWN_COMPONENTS} is for configs"
    if top == "numpy" and name.count(".") != 1:
        return "of numpy only ufuncs such as numpy.log1p are for configs"
    return None


def _trust_hint(trust: Collection[str]) -> str:
    allowed = ", ".join([*TRUSTED_PACKAGES, *trust])
    return f"allowed: {allowed}; list a module of your own under [tool.mlops] trust in pyproject.toml"


def _covers(modules: Collection[str], name: str) -> bool:
    """Whether ``name`` is one of the modules or lies in one."""
    return any(name == module or name.startswith(module + ".") for module in modules)


# --- the object behind the name ------------------------------------------------------------------------------------


def import_target(name: str, trust: Collection[str] = (), *, key: str | None = None, role: Role | None = None) -> Any:
    """Import what a trusted name stands for, and check that it was defined by something trusted too.

    Parameters
    ----------
    name : str
        ``module.attribute``: one attribute of a module, never an attribute of an attribute.
    trust : collection of str
        The modules that the workspace's owner trusts.
    key : str, optional
        Where the config says it.
    role : Role, optional
        What it is to be.

    Raises
    ------
    TrustError
        The name is refused, or stands for a module or for something defined elsewhere.
    ConfigError
        There is no such module or attribute, or importing it failed.
    MissingExtraError
        The package comes with an extra that is not installed.
    """
    check_name(name, trust, key=key, role=role)
    if name in KEYWORDS:
        raise ConfigError(f"{name!r} is for transforms only", key=key)
    module_name, _, attribute = name.rpartition(".")
    if name in _EXPERIMENTAL:
        importlib.import_module(_EXPERIMENTAL[name])
    module = _import_module(module_name, trust, key)
    try:
        target = getattr(module, attribute)
    except AttributeError:
        raise ConfigError(
            f"{module_name} has no {attribute}", key=key, hint=did_you_mean(attribute, _public(module), limit=8)
        ) from None
    except Exception as error:  # it is loaded when it is asked for, and lacks a package
        raise _broken_module(name, error, key) from error
    _check_identity(target, name, [*trust, *_also_trusted(role)], key)
    return target


def _import_module(name: str, trust: Collection[str], key: str | None) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(error.name + ".")):
            raise _no_module(error.name, trust, key) from None
        raise _broken_module(name, error, key) from error
    except (Exception, SystemExit) as error:  # a user's module may raise anything while it is imported
        raise _broken_module(name, error, key) from error


def _broken_module(name: str, error: BaseException, key: str | None) -> ConfigError:
    text = " ".join(str(error).split())
    return ConfigError(f"importing {name} failed: {type(error).__name__}: {text}", key=key)


def _no_module(name: str, trust: Collection[str], key: str | None) -> ConfigError | MissingExtraError:
    parent, _, last = name.rpartition(".")
    if parent:
        package = importlib.import_module(parent)
        inside = [m.name for m in pkgutil.iter_modules(getattr(package, "__path__", [])) if m.name[0] != "_"]
        return ConfigError(f"{parent} has no module {last}", key=key, hint=did_you_mean(last, inside, limit=8))
    if name in _EXTRAS:
        return MissingExtraError(name, _EXTRAS[name], key or f"a config that names {name}")
    if name in TRUSTED_PACKAGES:
        hint = f"pip install {_DISTRIBUTIONS.get(name, name)}"
        return ConfigError(f"this needs the package {name}, which is not installed", key=key, hint=hint)
    if name in trust:
        hint = f"[tool.mlops] trust lists it: add {name}.py to the workspace, or correct its name"
    else:
        hint = did_you_mean(name, [*trust, *TRUSTED_PACKAGES])
    return ConfigError(f"there is no module {name}", key=key, hint=hint)


def _public(module: ModuleType) -> list[str]:
    """Return the names of what a module offers, without the modules that it imported."""
    names = getattr(module, "__all__", None) or dir(module)
    return [n for n in names if n[0] != "_" and _is_there(module, n)]


def _is_there(module: ModuleType, name: str) -> bool:
    """Whether a module has something that can be called; what it loads when asked for it may lack a package."""
    try:
        return callable(getattr(module, name, None))
    except Exception:  # noqa: BLE001
        return False


def owner_of(target: object) -> str:
    """Return the name of the module that defined an object; of what is behind a partial."""
    while isinstance(target, functools.partial):
        target = target.func
    return str(getattr(target, "__module__", None) or type(target).__module__)


def _check_identity(target: object, name: str, trust: Collection[str], key: str | None) -> None:
    if isinstance(target, ModuleType):
        raise TrustError(f"{name} is a module, not a component", key=key)
    if not callable(target):
        raise TrustError(f"{name} is a {type(target).__name__}, not a component", key=key)
    owner = owner_of(target)
    reason = _distrust(f"{owner}.x" if "." not in owner else owner, trust)
    if reason:
        raise TrustError(f"{name} stands for something of {owner}: {reason}", key=key, hint=_trust_hint(trust))
    if owner.partition(".")[0] == "numpy" and not (_is_ufunc(target) or _covers(trust, owner)):
        raise TrustError(f"{name} is not a ufunc; of numpy only ufuncs are for configs", key=key)


# --- the role that it is to play -----------------------------------------------------------------------------------


def resolve(name: str, role: Role, trust: Collection[str] = (), *, key: str | None = None) -> Any:
    """Import what a name stands for and check that it can play its role.

    Raises
    ------
    ConfigError
        As `import_target`, and where the object has not the methods that the role needs.
    """
    target = import_target(name, trust, key=key, role=role)
    check_role(target, name, role, trust, key=key)
    return target


def check_role(target: Any, name: str, role: Role, trust: Collection[str] = (), *, key: str | None = None) -> None:
    """Refuse an object that cannot play a role; functions of trusted user modules are taken as factories."""
    own = is_users_own(target, name, trust)
    if own and not inspect.isclass(target):
        return
    if _plays(target, role, own=own):
        return
    word = "parameter of a component" if role is Role.PARAM else str(role)
    article = f"an {word}" if word[0] in "aeiou" else f"a {word}"
    raise ConfigError(f"{name} is not {article}: it does not have {_NEEDS[role]}", key=key)


def is_users_own(target: object, name: str, trust: Collection[str]) -> bool:
    """Whether a user's module defined an object, or made an instance and gave it a name."""
    made_there = not (inspect.isclass(target) or inspect.isroutine(target) or _is_ufunc(target))
    return _covers(trust, owner_of(target)) or (made_there and _covers(trust, name))


def _plays(target: Any, role: Role, *, own: bool) -> bool:
    if role in {Role.METRIC, Role.SCRIPT}:
        return own or (role is Role.METRIC and is_score_function(target))
    if role is Role.PARAM:
        return own or _is_param(target)
    if not inspect.isclass(target):
        return False
    if role is Role.SAMPLER:  # or what a sampler is made of
        return own or owner_of(target).startswith(_PACKAGES[role])
    if role is Role.SOURCE:
        return hasattr(target, "load") and (own or owner_of(target).startswith(_OWN_COMPONENTS))
    return has_role(target, role)


def has_role(component: object, role: Role) -> bool:
    """Whether a class or an object has the methods that a role needs."""
    return all(any(hasattr(component, name) for name in names) for names in _METHODS[role])


def is_score_function(target: object) -> bool:
    """Whether it is a function of a package's ``metrics``, such as ``sklearn.metrics.f1_score``."""
    return inspect.isfunction(target) and owner_of(target).split(".")[1:2] == ["metrics"]


def is_value_function(target: object) -> bool:
    """Whether it is a function that is handed over, never called while building: a score, a kernel, a ufunc."""
    if _is_ufunc(target):
        return True
    if not inspect.isfunction(target) or target.__name__ in {"make_scorer", "get_scorer"}:
        return False
    return is_score_function(target) or owner_of(target).startswith("sklearn.feature_selection.")


def _is_param(target: Any) -> bool:
    if inspect.isclass(target):
        return hasattr(target, "fit") or has_role(target, Role.SPLITTER) or _is_helper_class(target)
    return is_value_function(target) or is_score_function(target)


def _is_helper_class(target: type) -> bool:
    """Whether it is one of scikit-learn's classes that are parameters and nothing else."""
    if not owner_of(target).startswith("sklearn."):
        return False
    from sklearn.compose import make_column_selector
    from sklearn.gaussian_process.kernels import Kernel

    return issubclass(target, (Kernel, make_column_selector))


def _is_ufunc(target: object) -> bool:
    import numpy as np

    return isinstance(target, np.ufunc)
