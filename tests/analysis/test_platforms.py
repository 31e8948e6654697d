"""Scores of platforms: what is known, how far it reaches, and who comes first."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_cli.analysis.platforms import (
    changes,
    compared,
    dates,
    in_order,
    is_settled,
    mark_by,
    moved,
    ranking,
    reached,
    score,
    scores,
)
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
    assert found.between == pytest.approx((3.5 / 6, 4.5 / 6))


def test_where_nothing_is_answered_there_is_no_score_and_it_could_be_anything():
    found = score([question("p", {}), question("q", {})], "a")
    assert (found.score, found.answered, found.between) == (None, 0, (0, 1))
    assert score([], "a").between is None
    assert score([question("p", {"a": G}, weight=0)], "a").score is None


marks = st.lists(st.tuples(st.sampled_from([G, Y, R, None]), st.floats(0, 10)), min_size=1, max_size=12)


@given(marks)
def test_whatever_is_answered_later_the_score_stays_within_its_reach(drawn):
    asked = [question(str(i), {"a": mark}, weight=weight) for i, (mark, weight) in enumerate(drawn)]
    found = score(asked, "a")
    for rest in (R, Y, G):
        later = [replace(one, answers=one.answers or {"a": Answer(rest)}) for one in asked]
        after = score(later, "a").score
        if after is not None and found.between is not None:
            assert found.between[0] - 1e-9 <= after <= found.between[1] + 1e-9


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
    found = scores(evaluation(*asked, platforms=("a", "b", "c", "d")))
    assert [(place, one.platform.key) for place, one in ranking(found)] == [(1, "b"), (2, "a"), (2, "c")]
    assert is_settled(found[:3])


@pytest.mark.parametrize("weights", [(0.1, 0.2, 0.3), (0.15, 0.15, 0.3), (0.7, 0.1, 0.8), (1e-7, 2e-7, 3e-7)])
def test_equals_share_a_place_whatever_their_weights_add_up_to_in_binary(weights):
    said = zip("pqr", weights, ((G, R), (G, R), (R, G)), strict=True)
    found = scores(evaluation(*(question(key, {"a": a, "b": b}, weight=w) for key, w, (a, b) in said)))
    assert [one.overall.score for one in found] == [0.5, 0.5]
    assert [place for place, _ in ranking(found)] == [1, 1]
    assert is_settled(found)


def test_a_score_on_the_border_of_two_marks_has_the_better_one():
    asked = [question(str(i), {"a": G if i < 3 else R}, weight=0.1 if i != 2 else 0.7) for i in range(3)]
    found = scores(evaluation(*asked, question("r", {"a": R}, weight=0.3)))
    assert (found[0].overall.score, mark_by(found[0])) == (0.75, G)


def test_of_one_platform_at_two_dates_the_newest_is_ranked_and_they_stand_by_date():
    new, old = Platform("n", "A", "2026-11-22"), Platform("o", "A", "2026-01-31")
    other = Platform("b", "B")
    found = scores(evaluation(question("p", {"n": Y, "o": G, "b": R}), platforms=(new, other, old)))
    assert [(place, one.platform.key) for place, one in ranking(found)] == [(1, "n"), (2, "b")]
    assert in_order((new, other, old)) == (old, new, other)


def test_an_order_that_open_answers_could_turn_round_is_not_settled():
    near = evaluation(question("p", {"a": G, "b": R}), question("q", {"a": R}))
    assert not is_settled(scores(near))
    far = evaluation(question("p", {"a": G, "b": R}, weight=3), question("q", {"a": G}))
    assert is_settled(scores(far))
    out = evaluation(question("p", {"a": G, "b": R}, weight=3), question("q", {"b": G}, must=True))
    assert not is_settled(scores(out))


def test_the_order_is_open_while_a_platform_is_that_nobody_knows_anything_of():
    assert not is_settled(scores(evaluation(question("p", {"a": G}))))
    out = question("q", {"b": R}, "law", must=True)
    assert is_settled(
        scores(evaluation(question("p", {"a": G}), replace(out, answers={**out.answers, "a": Answer(G)})))
    )
    assert is_settled(scores(evaluation(question("p", {"a": G, "b": R}), question("q", {}, weight=0))))


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


def test_platforms_of_one_name_and_one_date_are_no_two_dates_of_one():
    first, second, earlier = (
        Platform("b", "A", "2026-02-01"),
        Platform("c", "A", "2026-02-01"),
        Platform("a", "A", "2026-01-01"),
    )
    assert dates(evaluation(platforms=(first, second))) == ()
    found = evaluation(platforms=(first, second, earlier))
    assert [(x.key, y.key) for x, y in dates(found)] == [("a", "b"), ("a", "c")]


def test_what_is_compared_is_what_is_known_of_both():
    asked = question("p", {"a": R}), question("q", {"b": G}), question("r", {"a": G, "b": G})
    found = evaluation(*asked)
    assert [one.key for one in compared(found, *found.platforms)] == ["r"]
