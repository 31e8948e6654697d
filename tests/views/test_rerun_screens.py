"""What came of running a run again, as it stands in an 80-column terminal."""

import json
import math

from mlops_cli.records import Agreeing, Agreement, Rerun
from mlops_cli.views.rerun import as_json, from_json, verdict

IDENTICAL, EQUAL, DIFFERENT = Agreement
FIRST, AGAIN = "e/20260102-030405-abcdef", "e/20260103-030405-012345"
SAME = (Agreeing("trial 0", IDENTICAL, params={"model.C": 1}), Agreeing("trial 1", IDENTICAL, params={"model.C": 2}))
NUDGED = Agreeing("trial 2", EQUAL, 3.2e-13, "r2 of split 1: 0.25 is now 0.2500000000000001", {"model.C": 3})
LOST = Agreeing(
    "trial 3", DIFFERENT, None, "completed then, lost now", {"model": "[x]\x1b[31m", "model.class_weight": {0: 1}}
)
TABLE = Agreeing("out-of-fold predictions", DIFFERENT, math.inf, "proba_a in 3 of 1,000 rows")
FOUND = Rerun(FIRST, AGAIN, 1e-9, (*SAME, NUDGED, LOST), (TABLE,), ("own.py has changed",), ("as of then",))


def test_the_same_is_one_sentence(shown):
    found = Rerun(FIRST, AGAIN, 1e-9, SAME[:1], (Agreeing("held-out scores", IDENTICAL),))
    assert (
        shown(verdict(found))
        == f"""\
{FIRST} run again as {AGAIN}

identical, bit for bit: 1 trial, held-out scores"""
    )


def test_what_is_equal_is_told_with_how_far_it_is_apart(shown):
    assert (
        shown(verdict(Rerun(FIRST, AGAIN, 1e-9, (*SAME, NUDGED))))
        == f"""\
{FIRST} run again as {AGAIN}

equal, within 1e-09: 3 trials

          params        apart   where
─────────────────────────────────────────────────────────────────────────────
trial 2   model.C=3   3.2e-13   r2 of split 1: 0.25 is now 0.2500000000000001"""
    )


def test_what_differs_is_told_with_why_and_what_is_hostile_is_shown_as_it_is(shown):
    assert (
        shown(verdict(FOUND), width=100)
        == f"""\
{FIRST} run again as {AGAIN}

different, 1 of 4 trials, out-of-fold predictions

                          params                                  apart   where
────────────────────────────────────────────────────────────────────────────────────────────────────
trial 3                   model=[x]\\x1b[31m                           -   completed then, lost now
                          model.class_weight={{0: 1}}
out-of-fold predictions                                             inf   proba_a in 3 of 1,000 rows

since then
  own.py has changed

as of then"""
    )


def test_more_than_a_screen_of_trials_is_counted(shown):
    many = tuple(Agreeing(f"trial {i}", DIFFERENT, detail="new") for i in range(25))
    assert "… and 5 more; --json has them all" in shown(verdict(Rerun(FIRST, AGAIN, 1e-9, many)))


def test_it_is_plain_data_and_comes_back(shown):
    told = json.loads(json.dumps(as_json(FOUND), allow_nan=False))
    assert told["agreement"] == "different"
    assert from_json(told).trials == FOUND.trials
    assert shown(verdict(from_json(told))) == shown(verdict(FOUND)).replace("inf", "  -")  # JSON knows no infinity
