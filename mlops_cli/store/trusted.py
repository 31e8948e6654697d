"""Which types a model file may hold: the list belongs to the program, never to the file.

A type in a skops file is called with arguments from the file, and its ``__setstate__`` gets a state from the file. So
what is allowed must be harmless for any of them, which a package as a whole is not: ``numpy.memmap`` empties files,
and the distributions of ``scipy.stats`` run ``exec`` on their state. Knows names and modules, not models.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops_cli.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_PACKAGES = {
    "sklearn": "scikit-learn",
    "numpy": "numpy",
    "scipy": "scipy",
    "pandas": "pandas",
    "skrub": "skrub",
    "xgboost": '"mlops-cli[xgboost]"',
    "lightgbm": '"mlops-cli[lightgbm]"',
    "catboost": '"mlops-cli[catboost]"',
    "imblearn": "imbalanced-learn",
    "mlops_cli": "mlops-cli",
}
"""Import name → the distribution that brings it."""

# Classes under these modules hold numbers and parameters, and no more, when they are made.
_CLASSES = (
    "sklearn",
    "skrub",
    "imblearn",
    "lightgbm.sklearn",
    "lightgbm.basic.Booster",
    "xgboost.sklearn",
    "xgboost.core.Booster",
    "catboost.core.CatBoost",
    "catboost.core.CatBoostClassifier",
    "catboost.core.CatBoostRegressor",
    "catboost.core.CatBoostRanker",
    "mlops_cli.components",
    "numpy.dtype",
    "numpy.dtypes",
    "numpy.random",
    "numpy.ma",
    "scipy.sparse",
    "scipy.interpolate",
    "pandas.core.dtypes.dtypes",
    "pandas._libs.missing",
    "pandas._libs.tslibs",
)

_NOT = (
    "sklearn.datasets",
    "sklearn.externals",
    "sklearn.utils._testing",
    "imblearn.datasets",
    "skrub.datasets",
    "skrub._data_ops",
    "skrub._reporting",
)

# They hold things that are looked at themselves, and call nothing when they are made.
_HARMLESS = frozenset({"functools.partial", "collections.OrderedDict"})

_NEVER_PARTS = frozenset({"tests", "testing", "conftest", "setup", "__main__"})

# Functions that stand in parameters: score functions, metrics behind a tuned threshold, k-means' inner loop.
_FUNCTIONS = (
    "sklearn.feature_selection",
    "sklearn.metrics",
    "sklearn.cluster._kmeans._kmeans_single_lloyd",
    "sklearn.cluster._kmeans._kmeans_single_elkan",
    "sklearn.preprocessing._data",
    "sklearn.utils.validation.check_array",  # HistGradientBoosting with categorical features
    "scipy._lib.array_api_compat.numpy._aliases.asarray",  # SplineTransformer
    "skrub._table_vectorizer._created_by_predicate",
    "skrub.selectors._selectors._cardinality_below",
    *(
        f"skrub._dataframe._common.is_{kind}"
        for kind in ("any_date", "bool", "categorical", "duration", "float", "integer", "numeric", "object", "string")
    ),
    *(
        f"numpy.{name}"
        for name in (
            *("mean", "median", "std", "var", "sum", "prod", "min", "max", "amin", "amax", "ptp", "round", "clip"),
            *("nanmean", "nanmedian", "nanstd", "nansum", "nanmin", "nanmax", "nan_to_num", "asarray", "ravel"),
        )
    ),
)


@dataclass(frozen=True)
class _Found:
    """What a dotted name stands for; ``home`` is where it says that it was made."""

    value: Any
    home: str


def check_types(names: Iterable[str], trust: Sequence[str] = ()) -> None:
    """Refuse a model file that holds anything but what is allowed.

    Parameters
    ----------
    names : iterable of str
        Dotted names of types and functions in the file, such as skops calls untrusted.
    trust : sequence of str
        Modules that the workspace's owner trusts; all in them is allowed.

    Raises
    ------
    StoreError
        A type is not allowed, or its package is not installed; the message says which and what mends it.
    """
    for name in sorted(set(names) - _HARMLESS):
        if not any(_within(name, module) for module in trust):
            _check_known(name)
        elif _is_elsewhere(name, trust):
            raise _refused(name)


def is_allowed(name: str, trust: Sequence[str] = ()) -> bool:
    """Whether a model file may hold a type, as `check_types` says."""
    try:
        check_types([name], trust)
    except StoreError:
        return False
    return True


def _check_known(name: str) -> None:
    package = name.partition(".")[0]
    if package not in _PACKAGES or not _is_listed(name):
        raise _refused(name)
    if importlib.util.find_spec(package) is None:
        raise StoreError(f"the model needs {package}, which is not installed", hint=f"pip install {_PACKAGES[package]}")
    found = _resolve(name)
    if found is None or not _is_allowed(found):
        raise _refused(name)


def _refused(name: str) -> StoreError:
    module = name.rpartition(".")[0].partition(".")[0]
    return StoreError(
        f"the model holds {name}, which is not among the types that may be opened",
        hint=f'if it is your own code: [tool.mlops] trust = ["{module}"] in pyproject.toml',
    )


def _within(name: str, module: str) -> bool:
    return name == module or name.startswith(f"{module}.")


def _is_listed(name: str) -> bool:
    """Whether a name may be imported at all; by its text alone, since an import runs code."""
    return (
        _NEVER_PARTS.isdisjoint(name.split("."))
        and not any(_within(name, prefix) for prefix in _NOT)
        and (_is_numpy_name(name) or any(_within(name, prefix) for prefix in (*_CLASSES, *_FUNCTIONS)))
    )


def _is_numpy_name(name: str) -> bool:
    return name.count(".") == 1 and name.startswith("numpy.")


@functools.cache
def _resolve(name: str) -> _Found | None:
    module_name, _, attribute = name.rpartition(".")
    if not module_name or not attribute:
        return None
    try:
        value = getattr(importlib.import_module(module_name), attribute)
    except (ImportError, AttributeError):
        return None
    home = getattr(value, "__module__", None) or module_name
    return _Found(value, f"{home}.{getattr(value, '__name__', attribute)}")


def _is_allowed(found: _Found) -> bool:
    """Whether what a listed name leads to is harmless: an alias of ``os.system`` is at home in ``posix``."""
    if isinstance(found.value, type):
        return _is_numpy_scalar(found.value) or (
            any(_within(found.home, prefix) for prefix in _CLASSES)
            and not any(_within(found.home, prefix) for prefix in _NOT)
        )
    return _is_ufunc(found.value) or (callable(found.value) and _is_function(found.home))


def _is_function(home: str) -> bool:
    is_private = home.rpartition(".")[2].startswith("_")  # helpers that call what they are given
    return home in _FUNCTIONS or (not is_private and any(_within(home, prefix) for prefix in _FUNCTIONS))


def _is_numpy_scalar(value: type) -> bool:
    import numpy as np

    return issubclass(value, np.generic)


def _is_ufunc(value: Any) -> bool:
    import numpy as np

    return isinstance(value, np.ufunc)


def _is_elsewhere(name: str, trust: Sequence[str]) -> bool:
    """Whether a name in a trusted module is only an alias of something that is not."""
    found = _resolve(name)
    if found is None:  # a bound method, or code that is gone: skops says what is wrong with it
        return False
    trusted = any(_within(found.home, module) for module in trust)
    return not trusted and not _is_allowed(found)
