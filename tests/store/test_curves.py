"""Curves of fits that go step by step are kept beside the journal, and survive a torn line."""

import pytest

from mlops_cli.records import Curve, TrialResult, TrialState
from mlops_cli.store.curves import append_curves, curves_at, places_of_curves, read_curves

LOSS = Curve("epoch", (1, 2), {"loss": (0.5, 0.25), "accuracy": (None, 0.9)})


def result(trial=0, **curves):
    return TrialResult(trial, TrialState.COMPLETED, curves={int(k[1:]): v for k, v in curves.items()})


def test_curves_come_back_by_trial_and_split(tmp_path):
    path = tmp_path / "curves.jsonl"
    append_curves(path, result(0, s0=LOSS, s2=LOSS))
    append_curves(path, result(3, s1=LOSS))
    assert read_curves(path) == {0: {0: LOSS, 2: LOSS}, 3: {1: LOSS}}


def test_those_of_one_trial_are_read_alone_by_where_they_are(tmp_path):
    path = tmp_path / "curves.jsonl"
    for trial in range(3):
        append_curves(path, result(trial, s0=LOSS, s1=LOSS))
    path.write_bytes(path.read_bytes()[:-20])
    again = Curve("epoch", (1,), {"loss": (0.1,)})
    append_curves(path, result(1, s1=again))
    places = places_of_curves(path)
    assert {trial: curves_at(path, where) for trial, where in places.items()} == read_curves(path)
    assert curves_at(path, places[1]) == {0: LOSS, 1: again}
    assert curves_at(path, ()) == places_of_curves(tmp_path / "none") == {}


def test_a_trial_without_curves_writes_nothing(tmp_path):
    append_curves(tmp_path / "curves.jsonl", result())
    assert not (tmp_path / "curves.jsonl").exists()
    assert read_curves(tmp_path / "curves.jsonl") == {}


@pytest.mark.parametrize("cut", [1, 20])
def test_a_torn_line_costs_itself_alone(tmp_path, cut):
    path = tmp_path / "curves.jsonl"
    append_curves(path, result(0, s0=LOSS))
    append_curves(path, result(1, s0=LOSS))
    path.write_bytes(path.read_bytes()[:-cut])
    append_curves(path, result(2, s0=LOSS))
    whole = {0, 2} if cut > 1 else {0, 1, 2}  # cut by its newline alone, a line is whole
    assert set(read_curves(path)) == whole


def test_what_is_not_finite_is_not_there(tmp_path):
    append_curves(tmp_path / "c", result(0, s0=Curve("epoch", (1,), {"loss": (float("nan"),)})))
    assert read_curves(tmp_path / "c")[0][0].values == {"loss": (None,)}
