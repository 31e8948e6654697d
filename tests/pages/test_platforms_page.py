"""The page of platforms as a reader has it: opened from a file, in a real browser that can reach nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mlops_cli.analysis.platforms import scores
from mlops_cli.records import Answer, Assessment, Evaluation, Level, Mark, Notice, Platform, Process, Question
from mlops_cli.views.assess.levels import of
from mlops_cli.views.assess.platforms_page import platforms_page
from mlops_cli.views.text import clean

G, Y, R = (Answer(mark) for mark in Mark)


def evaluation(called="Alpha", more=()):
    """Three platforms by questions of two concerns; Beta is out, and of Gamma a must-have is open."""
    process = Process("fit", called, "training", ("s",), level=Level.MANUAL)
    chart = Assessment(
        "Ours", {"s": called}, {"training": called}, (process, replace(process, key="tune", name="Tune"))
    )
    return Evaluation(
        called,
        {"cost": called, "law": "Legal"},
        (
            Platform("a", called, "2026-11-22", called, {"fit": Level.AUTOMATED, "tune": Level.ABSENT}),
            Platform("b", "Beta"),
            Platform("c", "Gamma"),
        ),
        (
            Question("price", "cost", "Is it cheap?", 3, answers={"a": G, "b": Answer(Mark.YELLOW, called), "c": G}),
            Question("lock", "cost", f"Can we leave {called}?", answers={"a": Y, "c": R}),
            Question("place", "law", "Is data kept here?", must=True, answers={"a": G, "b": Answer(Mark.RED, called)}),
            Question("same", "law", "Is it lawful?", answers={"a": G, "b": G, "c": G}),
            *more,
        ),
        chart,
        (Notice("question-alone", called),),
    )


@pytest.fixture
def written(folder):
    def make(found: Evaluation) -> str:
        place = folder / "page.html"
        place.write_bytes(platforms_page(found, scores(found)).encode("utf-8", "backslashreplace"))
        return place.as_uri()

    return make


def test_the_page_opens_without_a_request_or_a_complaint_and_says_who_is_first(visit, written):
    address = written(evaluation())
    seen = visit(address)
    assert (seen.requests, seen.problems) == ([address], [])
    assert seen.page.title() == "Alpha · mlops assess"
    figures = seen.page.locator(".figures > div")
    assert [one.split("\n")[:2] for one in figures.all_inner_texts()] == [
        ["1. Alpha", "92 %"],
        ["2. Gamma", "80 %"],
        ["Beta", "out"],
    ]
    assert "The order may yet change" in seen.page.locator(".head").inner_text()


def test_must_haves_that_fail_come_first_and_then_those_that_are_open(visit, written):
    page = visit(written(evaluation())).page
    assert "Beta: Is data kept here? (Alpha)" in page.locator("#musts .failure").inner_text()
    opened = page.locator("#musts .warning")
    assert "Gamma: 1 of the must-haves is not known" in opened.inner_text()
    opened.locator("summary").click()
    assert opened.locator("li").all_inner_texts() == ["Is data kept here?"]


def test_every_concern_has_a_mark_a_score_and_a_count(visit, written):
    page = visit(written(evaluation())).page
    rows = page.locator("table.scores tbody tr")
    cells = [row.locator("td").all_inner_texts() for row in rows.all()]
    flat = [[" ".join(cell.split()) for cell in row] for row in cells]
    assert flat == [
        ["88 % 2 of 2", "50 % 1 of 2, 38–62 %", "75 % 2 of 2"],
        ["100 % 2 of 2", "out 50 % 2 of 2", "100 % 1 of 2, 50–100 %"],
        ["92 % 4 of 4", "out 50 % 3 of 4, 42–58 %", "80 % 3 of 4, 67–83 %"],
    ]
    low = page.locator("table.scores .span").nth(1)
    assert (float(low.get_attribute("x")), float(low.get_attribute("width"))) == (37.5, 25)


def test_marks_differ_in_form_and_not_in_colour_alone(visit, written):
    page = visit(written(evaluation())).page
    form = (
        "kind => { const s = getComputedStyle(document.querySelector(`.mark.${kind}`), '::before');"
        " return [s.borderStyle, s.borderRadius, s.backgroundImage.replace(/rgb[^)]*\\)/g, '')].join() }"
    )
    assert len({page.evaluate(form, kind) for kind in ("yes", "partly", "no", "open")}) == 4


def test_questions_are_filtered_by_what_a_platform_answers(visit, written):
    seen = visit(written(evaluation()))
    box = seen.page.locator("#questions input")
    box.fill("gamma=no")
    assert seen.column("questions-rows", "key") == ["lock"]
    box.fill("must=yes")
    assert seen.column("questions-rows", "key") == ["place"]
    box.fill("differs!=yes")
    assert seen.column("questions-rows", "key") == ["same"]
    box.fill("")
    assert seen.column("questions-rows", "notes")[0] == "Beta: Alpha"


def test_platforms_may_be_called_as_a_column_is_or_as_another_platform(visit, written):
    found = evaluation()
    called = zip(found.platforms, ("must", "Differs", "differs"), strict=True)
    seen = visit(written(replace(found, platforms=tuple(replace(one, name=name) for one, name in called))))
    assert seen.column("questions-rows", "Differs (b)") == ["partly", "open", "no", "yes"]
    box = seen.page.locator("#questions input")
    for typed, keys in (("must=yes", ["place"]), ("differs_(c)=no", ["lock"]), ("differs!=yes", ["same"])):
        box.fill(typed)
        assert seen.column("questions-rows", "key") == keys


def test_platforms_of_one_name_are_told_apart_above_their_scores(visit, written):
    found = evaluation()
    same = tuple(replace(one, name="Same", date="2026-11-22", note="") for one in found.platforms)
    page = visit(written(replace(found, platforms=same))).page
    heads = page.locator("table.scores thead th")
    assert [head.locator("small").all_inner_texts() for head in heads.all()] == [
        [f"({key})", "2026-11-22"] for key in "abc"
    ]


def test_the_teams_chart_is_shown_with_what_each_platform_would_reach(visit, written):
    seen = visit(written(evaluation()))
    assert "raises 1 of 2 processes: Alpha (manual → automated); lowers 1" in seen.page.locator("#levels").inner_text()
    assert seen.column("levels-rows", "today") == ["manual", "manual"]
    assert seen.column("levels-rows", "Alpha") == ["automated", "absent"]
    signs = "all => all.map(td => getComputedStyle(td, '::before').content)"
    assert seen.page.eval_on_selector_all("td.level", signs) == [
        f'"{of(level).sign} "' for level in (Level.MANUAL, Level.AUTOMATED, Level.MANUAL, Level.ABSENT)
    ]
    seen.page.locator("#levels input").fill("alpha=absent")
    assert seen.column("levels-rows", "process") == ["Tune"]
    seen.page.locator("#levels summary").click()
    picture = seen.page.locator("img.flow")
    assert picture.evaluate("async (img) => { await img.decode(); return img.naturalWidth }") > 100


def test_without_processes_there_is_no_part_of_them(visit, written):
    found = replace(evaluation(), assessment=None)
    page = visit(written(replace(found, platforms=tuple(replace(one, levels={}) for one in found.platforms)))).page
    assert page.locator("#levels, a[href='#levels']").count() == 0


@pytest.mark.parametrize("scripts", [True, False])
def test_nothing_that_the_file_says_is_more_than_text(visit, written, nasty, scripts):
    address = written(evaluation(nasty))
    seen = visit(address, scripts=scripts)
    assert (seen.requests, seen.problems) == ([address], [])
    assert seen.page.evaluate("window.hurt") is None
    assert seen.page.locator("main [onerror], main [onload], main img:not(.flow)").count() == 0
    assert clean(nasty)[:40] in seen.page.locator("#questions").text_content()
    assert not {"\x1b", "\u202e"} & set(seen.page.content())


@pytest.mark.parametrize("width", [400, 1400])
def test_the_page_never_scrolls_sideways(visit, written, nasty, width):
    assert visit(written(evaluation()), width=width).width() == width
    assert visit(written(evaluation(nasty)), width=width).width() == width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read(visit, written, contrast, scheme):
    seen = visit(written(evaluation()), scheme=scheme)
    assert {kind: ratio for kind, ratio in seen.page.evaluate(contrast).items() if ratio < 4.5} == {}
