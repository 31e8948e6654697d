"""Means with their spread, and the winner, whatever the order in which trials ended."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mlops_cli.analysis.aggregate import best, failures, summaries, summarize
from mlops_cli.records import Counts, Direction, ErrorInfo, TrialResult, TrialState


def trial(number, *scores, state=TrialState.COMPLETED, error=None):
    return TrialResult(number, state, scores={"m": scores} if scores else {}, error=error)


def test_the_interval_is_the_corrected_resampled_t_test():
    scores = [0.81, 0.84, 0.79, 0.9, 0.86]
    summary = summarize(scores, test_share=0.25)
    half = stats.t.ppf(0.975, 4) * math.sqrt((1 / 5 + 0.25) * np.var(scores, ddof=1))
    assert summary.mean == pytest.approx(np.mean(scores), abs=1e-15)
    assert summary.std == pytest.approx(np.std(scores, ddof=1), abs=1e-15)
    assert summary.ci95 == pytest.approx((np.mean(scores) - half, np.mean(scores) + half), abs=1e-12)


def test_the_interval_ends_where_the_metric_does():
    scores = [0.99, 1.0, 1.0, 0.97, 1.0]
    low, high = summarize(scores, test_share=0.25).ci95
    assert high > 1
    assert summarize(scores, test_share=0.25, bounds=(0.0, 1.0)).ci95 == (low, 1.0)
    assert summarize([1.0, 9.0], test_share=0.25, bounds=(0.0, math.inf)).ci95[0] == 0


@given(st.lists(st.floats(-10, 10), min_size=2, max_size=8))
def test_the_mean_is_inside_its_interval_whatever_the_bounds(scores):
    summary = summarize(scores, test_share=0.25, bounds=(0.0, 1.0))
    assert summary.ci95[0] <= summary.mean <= summary.ci95[1]


def test_each_metric_is_cut_at_its_own_bounds():
    result = TrialResult(0, TrialState.COMPLETED, scores={"roc_auc": (0.9, 1.0), "r2": (0.9, 1.0), "mine": (0.9, 1.0)})
    found = summaries(result, 0.25, {"r2": 0.8}, bounds={"roc_auc": (0, 1), "r2": (-math.inf, 1)})
    assert found["roc_auc"].ci95[1] == found["r2"].ci95[1] == 1
    assert found["mine"].ci95[1] > 1
    assert (found["r2"].test, found["mine"].test) == (0.8, None)


def test_one_split_has_no_spread():
    summary = summarize([0.7], test_share=0.25, test=0.6)
    assert (summary.std, summary.ci95, summary.test) == (None, None, 0.6)


@given(st.permutations([trial(0, 0.5), trial(1, 0.9), trial(2, 0.9), trial(3, state=TrialState.FAILED)]))
def test_the_winner_does_not_depend_on_the_order(results):
    assert best(results, "m", Direction.MAXIMIZE).trial == 1
    assert best(results, "m", Direction.MINIMIZE).trial == 0


def test_nothing_completed_has_no_winner():
    assert best([trial(0, state=TrialState.FAILED)], "m", Direction.MAXIMIZE) is None


def test_lost_trials_count_as_failed():
    ended = [trial(0, 0.5), trial(1, state=TrialState.FAILED), trial(2, state=TrialState.LOST)]
    found = Counts.of_results(ended, planned=5)
    assert (found.trials, found.completed, found.failed, found.lost) == (5, 1, 2, 1)


def test_failures_are_grouped_by_reason_most_frequent_first():
    reasons = [ErrorInfo("ValueError", "bad\nmore"), ErrorInfo("KeyError", "k"), ErrorInfo("ValueError", "bad")]
    results = [trial(n, state=TrialState.FAILED, error=e) for n, e in enumerate(reasons)]
    found = [(reason, [t.trial for t in those]) for reason, those in failures(results)]
    assert found == [("ValueError: bad", [0, 2]), ("KeyError: k", [1])]


def test_reasons_that_differ_in_numbers_alone_are_one_kind_and_an_empty_message_is_its_type():
    texts = ["row 17 is -0.5", "row 4 is -1e-07", "", "at 0x7fab", "at 0x12cd"]
    results = [trial(n, state=TrialState.FAILED, error=ErrorInfo("E", text)) for n, text in enumerate(texts)]
    found = [(reason, len(those)) for reason, those in failures(results)]
    assert found == [("E: at 0x7fab", 2), ("E: row 17 is -0.5", 2), ("E", 1)]
