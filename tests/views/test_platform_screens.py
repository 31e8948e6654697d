"""What ``mlops assess`` prints of platforms on a terminal of 80 columns."""

from dataclasses import replace

import pytest
from rich.console import Group

from mlops_cli.analysis.platforms import scores
from mlops_cli.records import (
    Answer,
    Assessment,
    Evaluation,
    Level,
    Mark,
    Notice,
    Platform,
    Process,
    Question,
)
from mlops_cli.views.assess.platforms import labels, screen
from mlops_cli.views.assess.platforms_data import evaluation_json, evaluation_rows

CHART = Assessment(
    "Ours",
    {"s": "Scientist"},
    {"training": "Training"},
    tuple(Process(key, key.title(), "training", ("s",), level=Level.MANUAL) for key in ("tune", "fit", "write")),
)
G, Y, R = (Answer(mark) for mark in Mark)
EVALUATION = Evaluation(
    "Which one?",
    {"cost": "Cost", "law": "Legal", "rest": "The rest"},
    (
        Platform("a", "Alpha", "2026-11-22", "version 3", {"tune": Level.AUTOMATED, "fit": Level.ABSENT}),
        Platform("b", "Beta"),
        Platform("c", "Gamma"),
    ),
    (
        Question("price", "cost", "Is it cheap?", 3, answers={"a": G, "b": Answer(Mark.YELLOW, "at first"), "c": G}),
        Question("lock", "cost", "Can we leave?", answers={"a": Y, "c": R}),
        Question("place", "law", "Is data kept here?", must=True, answers={"a": G, "b": Answer(Mark.RED, "in March")}),
    ),
    CHART,
)


def printed(shown, evaluation=EVALUATION, *, every=False, width=80):
    return shown(Group(*screen(evaluation, scores(evaluation), every=every)), width).splitlines()


def test_must_haves_come_first_then_scores_ranks_and_levels(shown):
    assert printed(shown) == [
        "Which one?  3 platforms, 3 questions",
        "Alpha: version 3",
        "",
        "🔴 must-have fails  Beta: Is data kept here? (in March)",
        "⚪ Gamma: 1 must-have open: Is data kept here?",
        "",
        "           Alpha",
        "concern    2026-11-22      Beta            Gamma",
        "────────────────────────────────────────────────────────",
        "Cost       🟢 88 %   2/2   🟡 50 %   1/2   🟢 75 %   2/2",
        "                           38–62 %",
        "Legal      🟢 100 %  1/1   🔴 out    1/1   ⚪ open   0/1",
        "                           0 %",
        "The rest   -               -               -",
        "",
        "overall    🟢 90 %   3/3   🔴 out    2/3   🟢 75 %   2/3",
        "                           38 %, 30–50 %   60–80 %",
        "🟢 yes: 1, 🟡 partly: ½, 🔴 no: 0, ⚪ open: not known; a score is the weighted",
        "mean of what is answered; out: a must-have fails; then answered/asked, and below",
        "it where the score would be if all that is open were no, or yes",
        "",
        "1. Alpha 90 % · 2. Gamma 75 %",
        "the order may yet change by what is open",
        "out: Beta (1 must-have fails, 38 %)",
        "",
        "Alpha raises 1 of 3 processes: Tune (manual → automated); lowers 1: Fit (manual",
        "→ absent)",
        "",
        "--verbose shows 3 questions with their notes",
    ]


def test_every_question_has_its_answers_beside_it_and_its_notes_below(shown):
    lines = printed(shown, every=True)
    assert lines[lines.index("→ absent)") + 2 :] == [
        "                                      Alpha",
        "Cost                                  2026-11-22     Beta           Gamma",
        "────────────────────────────────────────────────────────────────────────────────",
        "Is it cheap? (weight 3)               🟢 yes         🟡 partly      🟢 yes",
        "  Beta: at first",
        "Can we leave?                         🟡 partly      ⚪ open        🔴 no",
        "",
        "                                      Alpha",
        "Legal                                 2026-11-22     Beta           Gamma",
        "────────────────────────────────────────────────────────────────────────────────",
        "Is data kept here? (must-have)        🟢 yes         🔴 no          ⚪ open",
        "  Beta: in March",
    ]


def test_every_mark_has_a_word_so_that_nothing_hangs_on_signs_and_colours(shown):
    bare = "\n".join(printed(shown, every=True)).translate({ord(sign): None for sign in "🟢🟡🔴⚪"})
    for word in ("yes", "partly", "no", "open", "out"):
        assert f" {word} " in bare.replace("\n", " ")


@pytest.mark.parametrize("count", [1, 4, 7, 12])
@pytest.mark.parametrize("width", [80, 50])
def test_many_platforms_are_told_in_several_tables_and_none_is_cut(shown, count, width):
    platforms = tuple(Platform(f"p{i}", f"Platform {i}") for i in range(count))
    asked = tuple(replace(one, answers={p.key: G for p in platforms}) for one in EVALUATION.questions)
    found = replace(EVALUATION, platforms=platforms, questions=asked, assessment=None)
    text = " ".join(printed(shown, found, every=True, width=width))
    assert all(text.count(str(i)) for i in range(count))
    assert text.count("100") >= 3 * count


def test_one_platform_at_two_dates_is_called_by_them_and_what_changed_is_said(shown):
    platforms = Platform("a", "Alpha", "2026-11-22"), Platform("b", "Alpha", "2026-01-31"), Platform("c", "Gamma")
    found = replace(EVALUATION, platforms=platforms)
    assert labels(platforms) == {"a": "Alpha 2026-11-22", "b": "Alpha 2026-01-31", "c": "Gamma"}
    told = "Alpha 2026-11-22 since 2026-01-31: Is it cheap? (partly → yes); Is data kept here? (no → yes)"
    assert told in printed(shown, found, width=120)


def test_platforms_of_one_name_and_date_are_called_by_their_keys():
    assert labels((Platform("a", "Alpha"), Platform("b", "Alpha"))) == {"a": "Alpha (a)", "b": "Alpha (b)"}


def test_platforms_of_one_name_are_told_apart_wherever_they_are_named(shown):
    platforms = Platform("a", "Same", "2026-11-22", "first"), Platform("b", "Same", "2026-11-22", "second")
    lines = printed(shown, replace(EVALUATION, platforms=platforms), every=True)
    assert lines[1:3] == ["Same (a): first", "Same (b): second"]
    for first in ("concern", "Cost"):
        head = [line.split() for line in lines].index([first, "2026-11-22", "2026-11-22"])
        assert [line.split() for line in lines[head - 2 : head]] == [["Same", "Same"], ["(a)", "(b)"]]
    assert "  Same (b): at first" in lines
    assert not [line for line in lines if " since " in line]


def test_dates_of_a_platform_that_share_no_answer_have_nothing_to_compare(shown):
    platforms = Platform("b", "Alpha", "2026-11-22"), Platform("c", "Alpha", "2026-01-31")
    asked = Question("p", "cost", "p?", answers={"b": G}), Question("q", "cost", "q?", answers={"c": G})
    found = Evaluation("Which?", {"cost": "Cost"}, platforms, asked)
    assert "Alpha 2026-11-22 since 2026-01-31: nothing to compare" in printed(shown, found)


def test_while_one_is_open_the_order_may_change(shown):
    found = Evaluation("Which?", {"c": "C"}, EVALUATION.platforms[1:], (Question("p", "c", "p?", answers={"b": G}),))
    lines = printed(shown, found)
    assert lines[lines.index("1. Beta 100 %") + 1] == "the order may yet change by what is open"
    assert evaluation_json(found, scores(found))["settled"] is False


def test_answers_of_no_weight_are_answers_that_do_not_count(shown):
    asked = (Question("p", "c", "p?", 0, answers={"b": G}),)
    lines = printed(shown, Evaluation("Which?", {"c": "C"}, EVALUATION.platforms[1:], asked))
    assert "nothing answered of: Gamma" in lines
    counted = (*asked, Question("q", "c", "q?", answers={"b": Y, "c": Y}))
    assert "–" not in "".join(printed(shown, Evaluation("Which?", {"c": "C"}, EVALUATION.platforms[1:], counted)))
    assert "nothing that counts is answered of: Beta" in lines


def test_where_nothing_is_answered_nothing_is_ranked(shown):
    found = replace(EVALUATION, questions=tuple(replace(one, answers={}) for one in EVALUATION.questions))
    lines = printed(shown, found)
    assert "⚪ Beta: 1 must-have open: Is data kept here?" in lines
    assert "nothing answered of: Alpha, Beta, Gamma" in lines
    assert not [line for line in lines if line.startswith("1. ")]


def test_what_does_not_agree_between_files_is_said(shown):
    found = replace(EVALUATION, notices=(Notice("question-alone", "b.yaml alone asks fast"),))
    assert "! question-alone: b.yaml alone asks fast" in printed(shown, found)


def test_text_of_the_file_is_text(shown):
    nasty = "[bold]x\x1b[31m\u202e"
    found = Evaluation(
        nasty,
        {nasty: nasty},
        (Platform(nasty, nasty, note=nasty, levels={"tune": Level.ABSENT}),),
        (
            Question(nasty, nasty, nasty, must=True, answers={nasty: Answer(Mark.RED, nasty)}),
            Question(f"{nasty}2", nasty, nasty, must=True),
        ),
        replace(CHART, processes=(replace(CHART.processes[0], name=nasty),)),
        (Notice("question-alone", nasty),),
    )
    text = "\n".join(printed(shown, found, every=True))
    assert not {"\x1b", "\u202e"} & set(text)
    assert text.count("[bold]x\\x1b[31m\\u202e") >= 5


def test_programs_are_given_every_answer_and_what_it_comes_to():
    told = evaluation_json(EVALUATION, scores(EVALUATION))
    alpha, beta, gamma = told["platforms"]
    assert (alpha["place"], beta["place"], gamma["place"]) == (1, None, 2)
    assert (beta["failed"], gamma["open"]) == (["place"], ["place"])
    assert alpha["levels"] == {
        "tune": {"now": "manual", "there": "automated"},
        "fit": {"now": "manual", "there": "absent"},
    }
    assert told["questions"][0]["answers"]["b"] == {"answer": "yellow", "note": "at first"}
    assert len(evaluation_rows(EVALUATION)) == 9
