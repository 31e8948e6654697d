"""Intervals by bootstrap: scipy's, and of many resamples at once the metrics that scikit-learn has of each."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy import stats
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import get_scorer

from mlops_cli.analysis.bootstrap import Resampled, resampled
from mlops_cli.analysis.statistics import statistic_of
from mlops_cli.components.recalled import Recalled

CLASSES = ["no", "yes"]
OF_CLASSES = ["accuracy", "balanced_accuracy", "matthews_corrcoef", "f1_macro", "f1_weighted", "precision_micro"]
OF_TWO = ["roc_auc", "average_precision", "neg_log_loss", "neg_brier_score"]
OF_ONE_OF_TWO = ["f1", "precision", "recall", "jaccard"]
OF_SEVERAL = ["roc_auc_ovr", "neg_log_loss", "neg_brier_score", "recall_macro", "jaccard_weighted"]
OF_QUANTITIES = [
    "r2",
    "neg_mean_squared_error",
    "neg_root_mean_squared_error",
    "neg_mean_absolute_error",
    "neg_mean_absolute_percentage_error",
]


def counts_of(rows, resamples=40, seed=0):
    drawn = np.random.default_rng(seed).integers(0, rows, (resamples, rows))
    return np.array([np.bincount(row, minlength=rows) for row in drawn], dtype=float)


def one_by_one(scorer, estimator, responses, y, counts):
    """Return the metric of each resample, whose rows are there as often as they are counted."""
    found = []
    for row in counts:
        places = np.repeat(np.arange(len(y)), row.astype(int))
        found.append(scorer(Recalled(estimator, responses), places, y[places]))
    return found


def classified(labels, rows=150, seed=1):
    """Return a fitted classifier, what it says of some rows with ties among its scores, and their labels."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(rows, 3)).round(1)
    y = np.array(labels)[np.clip((X[:, 0] + rng.normal(size=rows) + len(labels) / 2).astype(int), 0, len(labels) - 1)]
    model = LogisticRegression().fit(X, y)
    said = {name: getattr(model, name)(X) for name in ("predict", "predict_proba", "decision_function")}
    return model, said, y


@pytest.mark.parametrize("metric", [*OF_CLASSES, *OF_TWO])
def test_metrics_of_two_classes_are_scikit_learns_on_every_resample(metric):
    model, said, y = classified([0, 1])
    counts = counts_of(len(y))
    found = statistic_of(metric, y, said, [0, 1], 1)(counts)
    np.testing.assert_allclose(found, one_by_one(get_scorer(metric), model, said, y, counts), rtol=1e-9)


@pytest.mark.parametrize("metric", OF_ONE_OF_TWO)
@pytest.mark.parametrize("positive", CLASSES)
def test_the_positive_class_is_the_one_that_is_meant(metric, positive):
    from sklearn import metrics

    _, said, y = classified(CLASSES)
    counts = counts_of(len(y))
    function = getattr(metrics, f"{metric}_score")
    places = [np.repeat(np.arange(len(y)), row.astype(int)) for row in counts]
    expected = [function(y[p], said["predict"][p], pos_label=positive) for p in places]
    found = statistic_of(metric, y, said, CLASSES, positive)(counts)
    np.testing.assert_allclose(found, expected, rtol=1e-9)


@pytest.mark.parametrize("metric", [*OF_CLASSES, *OF_SEVERAL])
def test_metrics_of_several_classes_are_scikit_learns_on_every_resample(metric):
    model, said, y = classified(["a", "b", "c"])
    counts = counts_of(len(y))
    found = statistic_of(metric, y, said, ["a", "b", "c"])(counts)
    np.testing.assert_allclose(found, one_by_one(get_scorer(metric), model, said, y, counts), rtol=1e-9)


@pytest.mark.parametrize("metric", OF_QUANTITIES)
def test_metrics_of_quantities_are_scikit_learns_on_every_resample(metric):
    rng = np.random.default_rng(0)
    y = rng.normal(1e6, 3, 80)
    said = {"predict": y + rng.normal(size=80)}
    counts = counts_of(80)
    found = statistic_of(metric, y, said, None)(counts)
    expected = one_by_one(get_scorer(metric), LinearRegression(), said, y, counts)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_the_interval_is_scipys_of_the_same_draws():
    values = np.random.default_rng(3).lognormal(size=60)
    found = resampled({"mean": lambda counts: counts @ values / 60}, 60, resamples=800, seed=5)["mean"]
    expected = stats.bootstrap(
        (values,), np.mean, n_resamples=800, method="percentile", vectorized=True, rng=np.random.default_rng(5)
    )
    np.testing.assert_allclose(found.interval, expected.confidence_interval, rtol=1e-12)
    assert found.std == pytest.approx(expected.standard_error, rel=1e-12)


def test_in_blocks_the_same_is_drawn_as_at_once(monkeypatch):
    from mlops_cli.analysis import bootstrap

    values = np.arange(50.0)
    whole = resampled({"mean": lambda counts: counts @ values / 50}, 50, resamples=100)["mean"].values
    monkeypatch.setattr(bootstrap, "_BLOCK", 130)
    parts = resampled({"mean": lambda counts: counts @ values / 50}, 50, resamples=100)["mean"].values
    np.testing.assert_array_equal(whole, parts)


def test_rows_of_a_group_are_drawn_together_and_make_the_interval_wider():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(20), 10)
    values = rng.normal(size=20)[groups] + rng.normal(scale=0.1, size=200)

    def mean(counts):
        return counts @ values / counts.sum(axis=1)

    by_row = resampled({"mean": mean}, 200)["mean"].interval
    by_group = resampled({"mean": mean}, 200, groups=groups)["mean"].interval
    assert by_group[1] - by_group[0] > 2 * (by_row[1] - by_row[0])


def test_the_same_seed_draws_the_same_and_another_one_others():
    values = np.arange(30.0)

    def ends(seed):
        return resampled({"m": lambda c: c @ values / 30}, 30, resamples=200, seed=seed)["m"].interval

    assert ends(1) == ends(1) != ends(2)


def test_a_score_that_is_often_undefined_has_no_interval():
    assert Resampled(np.array([0.5] * 90 + [np.nan] * 10)).interval is None
    assert Resampled(np.array([0.5] * 99 + [np.nan])).interval == (0.5, 0.5)


def test_a_resample_without_one_of_the_classes_has_no_area():
    area = statistic_of("roc_auc", np.array([0, 1]), {"decision_function": np.array([0.1, 0.7])}, [0, 1], 1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isnan(area(np.array([[2.0, 0.0]]))[0])
    assert area(np.array([[1.0, 1.0]]))[0] == 1.0
