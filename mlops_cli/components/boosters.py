"""Gradient boosting by XGBoost, LightGBM and CatBoost, with what their own scikit-learn estimators lack.

Each fits the package's own estimator, `estimator_`, and adds: classes of any kind, categories that are the same ones
when new rows come, rows set apart to stop early by, no more threads than scikit-learn's models take, silence. The
packages are imported when a model is made.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.base import RegressorMixin

from mlops_cli.components.boosted import Boosted, CodedClasses
from mlops_cli.contracts import BeforeFit

if TYPE_CHECKING:
    from mlops_cli.components.boosted import Rows

# --- XGBoost -----------------------------------------------------------------------------------------------------


class _XGBoost(Boosted):
    _PACKAGE = "xgboost"
    _METRICS_OF_CLASSES = frozenset({"auc", "aucpr", "error", "logloss", "merror", "mlogloss"})

    @classmethod
    def _other_names(cls) -> dict[str, str]:
        penalties = {"alpha": "reg_alpha", "lambda": "reg_lambda", "min_split_loss": "gamma"}
        rounds = dict.fromkeys(("num_boost_round", "num_round"), "n_estimators")
        return {**rounds, **penalties, "eta": "learning_rate", "seed": "random_state", "nthread": "n_jobs"}

    def _given(self) -> dict[str, Any]:
        own = {"enable_categorical": True, "n_jobs": self._threads, "early_stopping_rounds": self.early_stopping_rounds}
        return {**own, **self.params}

    def _fitted(self, made: Any, learned: Rows, apart: Rows | None, start: Any) -> Any:
        parts = [] if apart is None else [learned, apart]
        begin = None if start is None else start.get_booster()[: self._rounds(start)]
        return made.fit(
            learned.X,
            learned.y,
            sample_weight=learned.weight,
            eval_set=[(part.X, part.y) for part in parts] or None,
            sample_weight_eval_set=[part.weight for part in parts] if learned.weight is not None and parts else None,
            xgb_model=begin,
            verbose=False,
        )

    def _has_metric(self, name: str) -> bool:
        return _is_xgboost_metric(name)

    def _rounds(self, estimator: Any) -> int:
        best = estimator.get_booster().attr("best_iteration")
        return int(best) + 1 if best is not None else int(estimator.get_booster().num_boosted_rounds())


@cache
def _is_xgboost_metric(name: str) -> bool:
    """Ask XGBoost to measure two rows; that it may refuse them for another reason says nothing of the name."""
    from xgboost import Booster, DMatrix
    from xgboost.core import XGBoostError

    rows = DMatrix(np.zeros((2, 1)), np.array([0, 1]), nthread=1)
    try:
        Booster({"eval_metric": name, "verbosity": 0, "nthread": 1}, [rows]).eval(rows)
    except XGBoostError as error:
        return "Unknown metric" not in str(error)
    return True


class XGBoostClassifier(CodedClasses, _XGBoost):
    """Classes by XGBoost; see `xgboost.XGBClassifier` for the parameters."""

    _ESTIMATOR = "XGBClassifier"


class XGBoostRegressor(RegressorMixin, _XGBoost):  # type: ignore[misc]
    """Numbers by XGBoost; see `xgboost.XGBRegressor` for the parameters."""

    _ESTIMATOR = "XGBRegressor"


# --- LightGBM ----------------------------------------------------------------------------------------------------


class _LightGBM(Boosted):
    _PACKAGE = "lightgbm"
    _BY_FIT = frozenset({"eval_metric"})
    _METRICS_OF_CLASSES = frozenset(
        {"auc", "average_precision", "binary", "logloss", "error", "binary_logloss", "binary_error", "auc_mu"}
        | {"multi_logloss", "multi_error", "softmax", "multiclass", "multiclassova", "multiclass_ova", "ova", "ovr"}
    )

    @classmethod
    def _more_names(cls) -> set[str]:
        return {name for alike in _lightgbm_names() for name in alike}

    @classmethod
    def _other_names(cls) -> dict[str, str]:
        own = cls._names_of_signatures()
        found: dict[str, str] = {}
        for alike in _lightgbm_names():
            if given := ["eval_metric"] if "metric" in alike else sorted(alike & own):
                found |= dict.fromkeys(alike - own, given[0])
        return found

    def _given(self) -> dict[str, Any]:
        params = {name: value for name, value in self.params.items() if name not in self._BY_FIT}
        return {"n_jobs": self._threads, "verbosity": -1, **params}

    def _fitted(self, made: Any, learned: Rows, apart: Rows | None, start: Any) -> Any:
        watched: dict[str, Any] = {} if apart is None else self._watched([learned, apart])
        self.check_before_fit(BeforeFit())  # it would stop by another metric in silence
        begin = self._beginning(start)
        made.fit(learned.X, learned.y, sample_weight=learned.weight, init_model=begin, **watched)
        if begin is not None:  # of which it has all rounds: the one that it began from would be saved with it
            vars(made.booster_).pop("_Booster__init_predictor", None)
        return made

    def _watched(self, parts: list[Rows]) -> dict[str, Any]:
        from lightgbm import early_stopping

        return {
            "eval_X": tuple(part.X for part in parts),
            "eval_y": tuple(part.y for part in parts),
            "eval_names": ["training", "validation"],
            "eval_sample_weight": None if parts[0].weight is None else [part.weight for part in parts],
            "eval_metric": self.params.get("eval_metric"),
            "callbacks": [early_stopping(self.early_stopping_rounds, verbose=False)],
        }

    def _named_metrics(self) -> list[str]:
        return [name for one in super()._named_metrics() for name in one.split(",")]

    def _has_metric(self, name: str) -> bool:
        return (isinstance(self, CodedClasses) and name in self._METRICS_OF_CLASSES) or _is_lightgbm_metric(name)

    def _beginning(self, start: Any) -> Any:
        """Return the rounds that count of a fitted one."""
        if start is None:
            return None
        from lightgbm import Booster

        return Booster(model_str=start.booster_.model_to_string(num_iteration=self._rounds(start)))

    def _rounds(self, estimator: Any) -> int:
        return int(estimator.best_iteration_ or estimator.booster_.current_iteration())


@cache
def _lightgbm_names() -> tuple[frozenset[str], ...]:
    """Return the parameters of LightGBM: each as all of its names."""
    from lightgbm.basic import _ConfigAliases  # there is no public list

    return tuple(frozenset({name, *others}) for name, others in _ConfigAliases._get_all_param_aliases().items())


@cache
def _is_lightgbm_metric(name: str) -> bool:
    """Ask LightGBM whether it measures anything by a name; one that it refuses itself is left to it."""
    from lightgbm import Booster, Dataset
    from lightgbm.basic import LightGBMError

    quiet = {"verbosity": -1, "num_threads": 1}
    rows = Dataset(np.zeros((2, 1)), np.ones(2), params=quiet)
    try:
        return bool(Booster({**quiet, "objective": "regression", "metric": name}, rows).eval_train())
    except LightGBMError:
        return True


class LightGBMClassifier(CodedClasses, _LightGBM):
    """Classes by LightGBM; see `lightgbm.LGBMClassifier` for the parameters."""

    _ESTIMATOR = "LGBMClassifier"

    def _given(self) -> dict[str, Any]:
        return {**super()._given(), "class_weight": self._by_code(self.params.get("class_weight"))}


class LightGBMRegressor(RegressorMixin, _LightGBM):  # type: ignore[misc]
    """Numbers by LightGBM; see `lightgbm.LGBMRegressor` for the parameters."""

    _ESTIMATOR = "LGBMRegressor"


# --- CatBoost ----------------------------------------------------------------------------------------------------


class _CatBoost(Boosted):
    _PACKAGE = "catboost"
    _METRIC_OF_NUMBERS = "RMSE"
    _METRICS_OF_CLASSES = frozenset(
        {"AUC", "PRAUC", "Logloss", "CrossEntropy", "MultiClass", "MultiClassOneVsAll", "Accuracy", "BalancedAccuracy"}
        | {"BalancedErrorRate", "Precision", "Recall", "F", "F1", "TotalF1", "MCC", "Kappa", "WKappa", "BrierScore"}
        | {"HingeLoss", "HammingLoss", "ZeroOneLoss", "LogLikelihoodOfPrediction", "NormalizedGini"}
    )

    @classmethod
    def _other_names(cls) -> dict[str, str]:
        return {
            **dict.fromkeys(("iterations", "num_boost_round", "num_trees"), "n_estimators"),
            "border_count": "max_bin",
            "custom_loss": "custom_metric",
            "depth": "max_depth",
            "eta": "learning_rate",
            "l2_leaf_reg": "reg_lambda",
            "min_data_in_leaf": "min_child_samples",
            "num_leaves": "max_leaves",
            "objective": "loss_function",
            "od_wait": "early_stopping_rounds",
            "random_seed": "random_state",
            "rsm": "colsample_bylevel",
            "thread_count": "n_jobs",
        }

    def check_before_fit(self, known: BeforeFit) -> None:
        """Refuse what no fit could do; see `Boosted.check_before_fit`."""
        super().check_before_fit(known)
        if self.params.get("max_leaves") is not None and self.params.get("grow_policy") != "Lossguide":
            raise ValueError("'max_leaves': catboost counts leaves with model.grow_policy=Lossguide alone")

    def _given(self) -> dict[str, Any]:
        return {"thread_count": self._threads, "verbose": False, "allow_writing_files": False, **self.params}

    def _words(self, column: pd.Series) -> pd.Series:
        """Return categories as text, a missing one as ``nan``: CatBoost takes no others."""
        words = np.array([*map(str, column.cat.categories), "nan"], dtype=object)
        return pd.Series(words[column.cat.codes], index=column.index, dtype=object)

    def _fitted(self, made: Any, learned: Rows, apart: Rows | None, start: Any) -> Any:
        from catboost import Pool

        names = list(learned.X.columns) if isinstance(learned.X, pd.DataFrame) else []
        words = [place for place, name in enumerate(names) if learned.X[name].dtype.kind == "O"]
        pools = [
            Pool(part.X, part.y, weight=part.weight, cat_features=words)
            for part in (learned, apart)
            if part is not None
        ]
        watched = {} if apart is None else {"eval_set": pools[1], "early_stopping_rounds": self.early_stopping_rounds}
        return made.fit(pools[0], init_model=start, **watched)

    def _has_metric(self, name: str) -> bool:
        return _is_catboost_metric(name)

    def _rounds(self, estimator: Any) -> int:
        return int(estimator.tree_count_)


@cache
def _is_catboost_metric(name: str) -> bool:
    """Ask CatBoost to measure two rows; that it may refuse them for another reason says nothing of the name."""
    from catboost import CatBoostError
    from catboost.utils import eval_metric

    try:
        eval_metric([0, 1], [0.1, 0.9], name, thread_count=1)
    except CatBoostError as error:
        return "is not supported" not in str(error)
    return True


class CatBoostClassifier(CodedClasses, _CatBoost):
    """Classes by CatBoost; see `catboost.CatBoostClassifier` for the parameters."""

    _ESTIMATOR = "CatBoostClassifier"

    def _given(self) -> dict[str, Any]:
        return {**super()._given(), "class_weights": self._by_code(self.params.get("class_weights"))}


class CatBoostRegressor(RegressorMixin, _CatBoost):  # type: ignore[misc]
    """Numbers by CatBoost; see `catboost.CatBoostRegressor` for the parameters."""

    _ESTIMATOR = "CatBoostRegressor"
