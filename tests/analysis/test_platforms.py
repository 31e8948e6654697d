"""Scores of platforms: what is known, how far it reaches, and who comes first."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_cli.analysis.platforms import changes, dates, is_settled, mark_by, moved, ranking, reached, score, scores
from mlops_cli.records import (
    Answer,
    Assessment,
    Evaluation,
    Evidence,
    Level,
    Mark,
    Platform,
    Process,
    Question,
)

G, Y, R = Mark.GREEN, Mark.YELLOW, Mark.RED


def question(key, marks, concern="cost", **more):
    answers = {name: Answer(mark) for name, mark in marks.items() if mark is not None}
    return Question(key, concern, f"{key}?", answers=answers, **more)


def evaluation(*questions, platforms=("a", "b"), **more):
    made = tuple(one if isinstance(one, Platform) else Platform(one, one) for one in platforms)
    return Evaluation("Which?", {"cost": "Cost", "law": "Law"}, made, questions, **more)


def test_a_score_is_the_weighted_mean_of_what_is_answered():
    asked = [question("p", {"a": G}, weight=3), question("q", {"a": R}), question("r", {"a": Y}), question("s", {})]
    found = score(asked, "a")
    assert found.score == pytest.approx((3 * 1 + 0 + 0.5) / 5)
    assert (found.answered, found.questions) == (3, 4)
    assert found.reach == pytest.approx((3.5 / 6, 4.5 / 6))


def test_where_nothing_is_answered_there_is_no_score_and_it_could_be_anything():
    found = score([question("p", {}), question("q", {})], "a")
    assert (found.score, found.answered, found.reach) == (None, 0, (0, 1))
    assert score([], "a").reach is None
    assert score([question("p", {"a": G}, weight=0)], "a").score is None


marks = st.lists(st.tuples(st.sampled_from([G, Y, R, None]), st.floats(0, 10)), min_size=1, max_size=12)


@given(marks)
def test_whatever_is_answered_later_the_score_stays_within_its_reach(drawn):
    asked = [question(str(i), {"a": mark}, weight=weight) for i, (mark, weight) in enumerate(drawn)]
    found = score(asked, "a")
    for rest in (R, Y, G):
        later = [replace(one, answers=one.answers or {"a": Answer(rest)}) for one in asked]
        after = score(later, "a").score
        if after is not None and found.reach is not None:
            assert found.reach[0] - 1e-9 <= after <= found.reach[1] + 1e-9


@given(marks, st.randoms())
def test_the_order_of_questions_does_not_matter(drawn, chance):
    asked = [question(str(i), {"a": mark}, weight=weight) for i, (mark, weight) in enumerate(drawn)]
    mixed = chance.sample(asked, len(asked))
    assert score(mixed, "a").score == pytest.approx(score(asked, "a").score)


def test_each_concern_has_a_score_of_its_own():
    found, _ = scores(evaluation(question("p", {"a": G}), question("q", {"a": R}, "law")))
    assert (found.concerns["cost"].score, found.concerns["law"].score, found.overall.score) == (1, 0, 0.5)


def test_a_must_have_that_is_red_puts_a_platform_out_however_good_the_rest_is():
    asked = [question(str(i), {"a": G, "b": Y}) for i in range(9)]
    a, b = scores(evaluation(*asked, question("law", {"a": R, "b": Y}, "law", must=True)))
    assert [one.key for one in a.failed] == ["law"]
    assert (b.failed, b.unknown) == ((), ())
    assert (mark_by(a), mark_by(a, "law"), mark_by(a, "cost")) == (R, R, G)
    assert [(place, one.platform.key) for place, one in ranking((a, b))] == [(1, "b")]


def test_a_must_have_that_nobody_has_answered_is_neither_kept_nor_failed():
    a, _ = scores(evaluation(question("p", {"a": G}), question("q", {}, must=True)))
    assert (a.failed, [one.key for one in a.unknown]) == ((), ["q"])
    assert mark_by(a, "law") is None


def test_the_best_comes_first_equals_share_a_place_and_what_nobody_knows_has_none():
    asked = question("p", {"a": Y, "b": G, "c": Y}), question("q", {"a": Y, "b": G, "c": Y})
    ranked = ranking(scores(evaluation(*asked, platforms=("a", "b", "c", "d"))))
    assert [(place, one.platform.key) for place, one in ranked] == [(1, "b"), (2, "a"), (2, "c")]
    assert is_settled(ranked)


def test_an_order_that_open_answers_could_turn_round_is_not_settled():
    near = evaluation(question("p", {"a": G, "b": R}), question("q", {"a": R}))
    assert not is_settled(ranking(scores(near)))
    far = evaluation(question("p", {"a": G, "b": R}, weight=3), question("q", {"a": G}))
    assert is_settled(ranking(scores(far)))
    out = evaluation(question("p", {"a": G, "b": R}, weight=3), question("q", {"b": G}, must=True))
    assert not is_settled(ranking(scores(out)))


CHART = Assessment(
    "Ours",
    {"s": "Scientist"},
    {"training": "Training"},
    (
        Process("tune", "Tune", "training", ("s",), level=Level.MANUAL),
        Process("fit", "Fit", "training", ("s",), evidence=Evidence("runs", Level.SEMI_AUTOMATED, "3 runs")),
        Process("write", "Write", "training", ("s",), level=Level.MANUAL),
    ),
)


def test_on_the_teams_own_chart_only_what_a_platform_speaks_of_moves():
    there = Platform("a", "A", levels={"tune": Level.AUTOMATED, "fit": Level.MANUAL, "write": Level.MANUAL})
    found = evaluation(platforms=(there,), assessment=CHART)
    after = reached(found, there)
    assert [one.now for one in after.processes] == [Level.AUTOMATED, Level.MANUAL, Level.MANUAL]
    assert after.process("fit").evidence is None
    assert [(one.key, level) for one, level in moved(found, there)] == [
        ("tune", Level.AUTOMATED),
        ("fit", Level.MANUAL),
    ]
    assert reached(found, Platform("b", "B")) == CHART


def test_without_a_chart_nothing_can_be_reached():
    found = evaluation()
    assert moved(found, found.platforms[0]) == ()
    with pytest.raises(ValueError, match="names no processes"):
        reached(found, found.platforms[0])


def test_of_one_platform_at_several_dates_it_is_known_what_changed():
    june, january, other = (
        Platform("b", "A", "2026-06-01"),
        Platform("a", "A", "2026-01-01"),
        Platform("o", "O", "2026"),
    )
    asked = question("p", {"a": R, "b": G}), question("q", {"a": G, "b": G}), question("r", {"b": G})
    found = evaluation(*asked, platforms=(june, january, other, Platform("n", "A")))
    assert [(x.key, y.key) for x, y in dates(found)] == [("a", "b")]
    assert [one.key for one in changes(found, january, june)] == ["p"]
