"""Which parameters of a sweep matter, by Optuna's evaluators on a study that is rebuilt from the trials' results."""

from __future__ import annotations

import importlib.util
import math
from typing import TYPE_CHECKING, Any

from mlops_cli.components.samplers.listing import identity
from mlops_cli.components.samplers.studies import quiet
from mlops_cli.errors import MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from optuna.distributions import BaseDistribution

MOST_TRIALS = 1_000
"""Trials that importances are computed from: a forest over more takes seconds, and says the same."""


def has_optuna() -> bool:
    """Whether importances can be computed here."""
    return importlib.util.find_spec("optuna") is not None


def param_importances(points: Sequence[Mapping[str, Any]], scores: Sequence[float], seed: int = 0) -> dict[str, float]:
    """Return the share of the scores' variance that each parameter explains, the greatest first.

    Parameters
    ----------
    points : sequence of mappings
        Swept key → value, of each trial; a trial need not have all keys.
    scores : sequence of float
        Finite, one of each trial.
    seed : int
        Of the forest.

    Returns
    -------
    dict of str to float
        They sum to 1; empty where all scores are the same or no parameter differs. By fANOVA: Hutter, Hoos,
        Leyton-Brown 2014, An Efficient Approach for Assessing Hyperparameter Importance.

    Raises
    ------
    MissingExtraError
        Optuna is not installed.
    """
    if not has_optuna():
        raise MissingExtraError("optuna", "optuna", "the importance of parameters")
    step = max(1, math.ceil(len(points) / MOST_TRIALS))
    chosen, values = points[::step], scores[::step]
    columns = {key: column for key in _keys(chosen) if (column := _column([p.get(key, _ABSENT) for p in chosen]))}
    if not columns or min(values) == max(values):
        return {}
    with quiet():
        return _evaluated(columns, values, seed)


_TREES = 32  # half of Optuna's own number: the shares differ by a percent or two, and come twice as soon


class _Absent:
    """What stands for the value of a parameter that a trial does not have."""

    def __repr__(self) -> str:
        return "absent"


_ABSENT = _Absent()
_Column = tuple["BaseDistribution", list[Any]]


def _keys(points: Sequence[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(key for point in points for key in point))


def _column(values: Sequence[Any]) -> _Column | None:
    """Return what Optuna chooses a parameter's values from, and its value in each trial; None where it is constant.

    A number that a trial does not have is taken to be the middle one: its absence then tells nothing.
    """
    from optuna.distributions import CategoricalDistribution, FloatDistribution

    found = [value for value in values if value is not _ABSENT]
    names = {repr(v) if v is _ABSENT else str(identity(v)): None for v in values}
    if all(isinstance(v, int | float) and not isinstance(v, bool) and math.isfinite(v) for v in found):
        low, high = min(found), max(found)
        if low == high:
            return None
        middle = sorted(found)[len(found) // 2]
        log = low > 0 and high / low >= 100
        return FloatDistribution(low, high, log=log), [float(middle if v is _ABSENT else v) for v in values]
    if len(names) < 2:
        return None
    place = {name: number for number, name in enumerate(names)}
    codes = [place[repr(v) if v is _ABSENT else str(identity(v))] for v in values]
    return CategoricalDistribution(tuple(place.values())), codes


def _evaluated(columns: Mapping[str, _Column], scores: Sequence[float], seed: int) -> dict[str, float]:
    from optuna import create_study
    from optuna.importance import FanovaImportanceEvaluator, get_param_importances
    from optuna.trial import create_trial

    study = create_study()
    kinds = {key: kind for key, (kind, _) in columns.items()}
    study.add_trials(
        [
            create_trial(
                params={key: codes[i] for key, (_, codes) in columns.items()}, distributions=kinds, value=score
            )
            for i, score in enumerate(scores)
        ]
    )
    found = get_param_importances(study, evaluator=FanovaImportanceEvaluator(n_trees=_TREES, seed=seed))
    return {key: float(value) for key, value in found.items()}
