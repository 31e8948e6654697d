"""Two computations of one thing are the same bit for bit, within a tolerance, or not."""

import math
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_cli.analysis.sameness import tables_alike, trials_alike, winner_alike
from mlops_cli.analysis.since import machine, since
from mlops_cli.records import (
    Agreement,
    BestTrial,
    ErrorInfo,
    MetricSummary,
    Rerun,
    RunRecord,
    RunStatus,
    TrialResult,
    TrialState,
)

IDENTICAL, EQUAL, DIFFERENT = Agreement
DONE = TrialResult(0, TrialState.COMPLETED, {"model.C": 1}, {"r2": (0.5, 0.25), "mae": (3.0, 4.0)})
FLOATS = st.floats(allow_nan=True, allow_infinity=True, width=64)


def one(before, now, tolerance=1e-9):
    (found,) = trials_alike([before], [now], tolerance)
    return found


@given(st.lists(FLOATS, min_size=1, max_size=5))
def test_anything_agrees_with_itself_bit_for_bit_even_where_it_is_no_number(values):
    trial = replace(DONE, scores={"m": tuple(values)})
    table = pd.DataFrame({"prediction": values, "label": [str(value) for value in values]})
    assert one(trial, trial, 0).agreement is IDENTICAL
    assert tables_alike("x", table, table.copy(), 0).agreement is IDENTICAL


@given(st.lists(st.floats(-1e300, 1e300), min_size=2, max_size=5), st.floats(1e-12, 0.9))
def test_scores_and_tables_are_judged_alike_and_both_ways_alike(values, tolerance):
    other = [values[0] * (1 + 1e-10), *values[1:]]
    trials = [replace(DONE, scores={"m": tuple(each)}) for each in (values, other)]
    tables = [pd.DataFrame({"m": each}) for each in (values, other)]
    verdicts = {
        one(trials[0], trials[1], tolerance).agreement,
        one(trials[1], trials[0], tolerance).agreement,
        tables_alike("x", tables[0], tables[1], tolerance).agreement,
        tables_alike("x", tables[1], tables[0], tolerance).agreement,
    }
    assert len(verdicts) == 1


@pytest.mark.parametrize(
    ("scores", "agreement", "difference", "detail"),
    [
        ({"r2": (0.5, 0.25), "mae": (3.0, 4.0)}, IDENTICAL, None, ""),
        ({"r2": (0.5, 0.25), "mae": (3.0, 4.0 + 2e-9)}, EQUAL, 5e-10, "mae of split 1: 4.0 is now 4.000000002"),
        ({"r2": (0.5, 0.25), "mae": (3.0, 5.0)}, DIFFERENT, 0.2, "mae of split 1: 4.0 is now 5.0"),
        ({"r2": (0.5, math.nan), "mae": (3.0, 4.0)}, DIFFERENT, math.inf, "r2 of split 1: 0.25 is now nan"),
        ({"r2": (0.5, -0.25), "mae": (3.0, 4.5)}, DIFFERENT, 1.0, "r2 of split 1: 0.25 is now -0.25"),
        ({"r2": (0.5,), "mae": (3.0, 4.0)}, DIFFERENT, None, "r2 of 2 splits then, of 1 now"),
        ({"r2": (0.5, 0.25)}, DIFFERENT, None, "mae of 2 splits then, of 0 now"),
    ],
)
def test_the_largest_difference_is_told_with_its_place(scores, agreement, difference, detail):
    found = one(DONE, replace(DONE, scores=scores))
    assert (found.agreement, found.detail) == (agreement, detail)
    assert found.difference == (None if difference is None else pytest.approx(difference))


def test_a_difference_is_a_share_of_the_largest_value_beside_it():
    tiny = [replace(DONE, scores={"loss": (1.0, value)}) for value in (1e-20, 2e-20)]
    assert one(*tiny).agreement is EQUAL
    tables = [pd.DataFrame({"proba": [1.0, value]}) for value in (1e-20, 2e-20)]
    assert tables_alike("x", *tables).agreement is EQUAL
    assert one(*(replace(t, scores={"loss": t.scores["loss"][1:]}) for t in tiny)).agreement is DIFFERENT


def test_the_steps_of_a_pruned_trial_are_compared_too():
    pruned = replace(DONE, state=TrialState.PRUNED, scores={}, steps=(0.5, 0.4))
    assert one(pruned, pruned).agreement is IDENTICAL
    assert one(pruned, replace(pruned, steps=(0.5, 0.3))).detail == "the steps of pruning of split 1: 0.4 is now 0.3"


@pytest.mark.parametrize(
    ("before", "now", "detail"),
    [
        (DONE, None, "missing now"),
        (None, DONE, "new"),
        (DONE, replace(DONE, params={"model.C": 2}), "another point"),
        (replace(DONE, state=TrialState.LOST), DONE, "lost then, completed now"),
        (
            replace(DONE, state=TrialState.FAILED, error=ErrorInfo("A", "x")),
            replace(DONE, state=TrialState.FAILED, error=ErrorInfo("B", "x")),
            "failed (A) then, failed (B) now",
        ),
    ],
)
def test_what_cannot_be_compared_is_different_and_says_why(before, now, detail):
    (found,) = trials_alike(*([each] if each else [] for each in (before, now)))
    assert (found.agreement, found.detail, found.params) == (DIFFERENT, detail, {"model.C": 1})


def test_failures_of_one_kind_are_the_same_whatever_their_messages_say():
    failed = [replace(DONE, state=TrialState.FAILED, error=ErrorInfo("A", f"at 0x{i}")) for i in range(2)]
    assert one(*failed).agreement is IDENTICAL


@pytest.mark.parametrize(
    ("now", "detail"),
    [
        ({"label": ["a", "b"], "p": [0.1, 0.2]}, "3 rows are 2"),
        ({"label": ["a", "b", "x"], "p": [0.1, 0.2, None]}, "label in 1 of 3 rows"),
        ({"label": ["a", "b", "c"], "q": [0.1, 0.2, None]}, "no p now, q is new"),
        ({"label": [1, 2, 3], "p": [0.1, 0.2, None]}, "label in 3 of 3 rows"),
        ({"label": ["a", "b", "c"], "p": [0.1, 0.2, 0.3]}, "p in 1 of 3 rows"),
    ],
)
def test_tables_that_differ_are_told_by_their_worst_column(now, detail):
    before = pd.DataFrame({"label": ["a", "b", "c"], "p": [0.1, 0.2, None]})
    found = tables_alike("x", before, pd.DataFrame(now))
    assert (found.what, found.agreement) == ("x", DIFFERENT)
    assert found.detail == detail


def run(**more):
    return RunRecord("e/1", Path(), "e", RunStatus.COMPLETED, "", **more)


def test_the_winner_and_its_held_out_scores_are_compared():
    def won(trial, test):
        return run(best=BestTrial(trial, {}), metrics={"r2": MetricSummary(0.5, None, None, (0.5,), test)})

    assert [p.detail for p in winner_alike(won(1, 0.5), won(2, 0.5))] == ["trial 1 then, trial 2 now"]
    assert [p.detail for p in winner_alike(won(1, 0.5), run())] == ["trial 1 then, none now"]
    assert [p.detail for p in winner_alike(won(1, 0.5), won(1, 0.25))] == ["r2: 0.5 is now 0.25"]
    assert [p.agreement for p in winner_alike(won(1, 0.5), won(1, 0.5))] == [IDENTICAL]
    assert list(winner_alike(won(1, None), won(1, None))) == []


def test_the_whole_is_as_good_as_its_worst_part():
    parts = [one(DONE, DONE), one(DONE, replace(DONE, scores={**DONE.scores, "mae": (3.0, 4.0 + 2e-9)}))]
    assert Rerun("a", "b", 1e-9, tuple(parts[:1])).agreement is IDENTICAL
    assert Rerun("a", "b", 1e-9, tuple(parts[:1]), tuple(parts[1:])).agreement is EQUAL
    assert Rerun("a", "b", 1e-9, ()).agreement is IDENTICAL


# --- what has changed --------------------------------------------------------------------------------------------


def test_a_version_that_only_one_side_knows_is_not_said_to_have_changed():
    before = run(environment={"python": "3.11.1", "packages": {"numpy": "2.1", "old": "1"}})
    now = run(environment={"python": "3.11.9", "packages": {"numpy": "2.1", "new": "1"}})
    assert since(before, now) == []
    assert machine(before.environment, now.environment) == ["what computes is another (Python 3.11.1 is now 3.11.9)"]
    assert machine(before.environment, {"python": "3.12.0"}) == []
    assert machine({}, now.environment) == []


def test_what_differs_is_said_of_its_repetition():
    now = replace(DONE, scores={**DONE.scores, "mae": (3.0, 5.0)})
    (found,) = trials_alike([DONE], [now], part="repetition")
    assert found.detail == "mae of repetition 1: 4.0 is now 5.0"
    (fewer,) = trials_alike([DONE], [replace(DONE, scores={"r2": (0.5,), "mae": (3.0,)})], part="repetition")
    assert fewer.detail.endswith("of 2 repetitions then, of 1 now")
