"""The gates on what a model's owner answered, both ways."""

from __future__ import annotations

from datetime import datetime

import pytest

from mlops_cli.analysis.gates_of_people import handover_gates
from mlops_cli.records import Handover, HandoverGate, HandoverItem

NOW = datetime.fromisoformat("2026-11-22T12:00:00+01:00")
DAY = 86_400
ITEMS = (
    HandoverItem("owner", "Who?", must=True, answer="Ann"),
    HandoverItem("failure", "What then?", must=True, answer="the rule"),
    HandoverItem("licence", "Which?", must=False),
)
PARTLY = (ITEMS[0], HandoverItem("failure", "What then?", must=True), ITEMS[2])
MEND = "answer in configs/handover/titanic.yaml, then mlops models handover titanic/3"


def judged(items, at="2026-11-12T11:00:00+00:00", *, questions=(), max_age=None):
    handover = None if items is None else Handover("titanic", 2, items, at, "bob")
    return handover_gates(HandoverGate(questions, max_age), handover, "titanic/3", NOW)


@pytest.mark.parametrize(
    ("items", "questions", "passed", "found", "detail"),
    [
        (ITEMS, (), True, "2 of 2, by bob for titanic/2", ""),
        (PARTLY, (), False, "1 of 2, by bob for titanic/2", f"not answered: failure; {MEND}"),
        (PARTLY, ("owner",), True, "1 of 1, by bob for titanic/2", ""),
        (ITEMS, ("licence", "owner"), False, "1 of 2, by bob for titanic/2", f"not answered: licence; {MEND}"),
        (
            ITEMS,
            ("ownr",),
            False,
            "0 of 1, by bob for titanic/2",
            "there is no question ownr: did you mean 'owner'? allowed: failure, licence, owner",
        ),
        (
            None,
            (),
            False,
            "nobody answered",
            f"mlops models handover titanic --init writes the questions; {MEND}",
        ),
    ],
)
def test_what_is_asked_must_have_been_answered(items, questions, passed, found, detail):
    (gate,) = judged(items, questions=questions)
    assert (gate.gate, gate.passed, gate.found, gate.detail) == ("handover", passed, found, detail)


@pytest.mark.parametrize(("days", "passed"), [(9.9, False), (10, True), (365, True)])
def test_answers_must_not_be_older_than_is_said(days, passed):
    _, gate = judged(ITEMS, max_age=days * DAY)
    assert (gate.gate, gate.passed, gate.found, gate.value) == ("handover.max_age", passed, "10 days", 10)
    assert ("mlops models handover titanic/3" in gate.detail) is not passed


def test_of_answers_that_nobody_gave_the_age_is_not_known_and_fails():
    answered, age = judged(None, max_age=DAY)
    assert (answered.passed, age.passed, age.wanted, age.found) == (False, False, "≤ 1 days", "not known")
