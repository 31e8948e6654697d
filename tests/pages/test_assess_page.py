"""The page of an assessment as a reader has it: opened from a file, in a real browser that can reach nothing."""

from __future__ import annotations

import re

import pytest

from mlops_cli.records import Assessment, Evidence, Flow, Level, NextStep, Process, Shortfall
from mlops_cli.views.assess.page import assess_page


def assessment(name="The shop"):
    """Seven phases, five actors and thirty processes, each with what is known of it."""
    phases = {f"p{i}": f"{name} {i}" for i in range(7)}
    actors = {f"a{i}": f"{name} {i}" for i in range(5)}

    def process(i):
        level, evidence = list(Level)[i % 5], Evidence("check", Level.MANUAL, f"found {name}", f"mlops {name}")
        flows = (Flow(f"k{(i * 7 + 3) % 30}", f"{name} rows"),) if i % 3 else ()
        own = tuple(actors)[i % 5 :: 2][:2]
        aim = Level.AUTOMATED if i % 2 else None
        return Process(f"k{i}", f"{name} {i}", f"p{i % 7}", own, name, flows, level, aim, 2, i, evidence=evidence)

    return Assessment(name, actors, phases, tuple(map(process, range(30))), "2026-11-22")


def made(found):
    below = [one for one in found.processes if one.aim.rank > one.now.rank]
    return assess_page(found, [NextStep(one, 1.5) for one in below], [Shortfall(below[0], Level.AUTOMATED)])


@pytest.fixture
def page(tmp_path):
    path = tmp_path / "assess.html"
    path.write_text(made(assessment()), encoding="utf-8")
    return path.as_uri()


@pytest.mark.parametrize(("width", "scheme"), [(1400, "light"), (1400, "dark"), (400, "light"), (400, "dark")])
def test_the_page_fits_its_window_and_is_legible(visit, contrast, page, width, scheme):
    seen = visit(page, width=width, scheme=scheme)
    assert seen.width() <= width
    assert min(seen.page.evaluate(contrast).values()) >= 4.5
    assert (seen.problems, seen.requests) == ([], [seen.page.url])


def test_what_falls_short_comes_first_then_both_charts_and_the_steps(visit, page):
    seen = visit(page)
    ids = seen.page.eval_on_selector_all("section[id]", "all => all.map(one => one.id)")
    assert ids == ["shortfalls", "today", "target", "next", "processes"]
    assert len(seen.rows("processes-rows")) == 30
    assert seen.column("processes-rows", "level")[:2] == ["○ absent", "◔ manual"]
    assert "declared absent; the workspace shows manual: found The shop" in seen.rows("processes-rows")[0]


def test_the_charts_are_drawn_within_their_boxes_in_this_browser_too(visit, page):
    seen = visit(page)
    outside = seen.page.evaluate(
        """() => [...document.querySelectorAll("g.process")].filter((one) => {
          const box = one.querySelector("rect").getBBox();
          return [...one.querySelectorAll("text")].some((text) => {
            const { x, y, width, height } = text.getBBox();
            return x < box.x || y < box.y || x + width > box.x + box.width || y + height > box.y + box.height;
          });
        }).length"""
    )
    assert seen.page.locator("g.process").count() == 60
    assert outside == 0


def test_without_targets_there_is_one_chart_and_no_word_of_them(visit, tmp_path):
    calm = Process("one", "One", "p", ("a",), level=Level.AUTOMATED)
    path = tmp_path / "calm.html"
    path.write_text(assess_page(Assessment("Calm", {"a": "A"}, {"p": "P"}, (calm,))), encoding="utf-8")
    seen = visit(path.as_uri())
    assert seen.page.locator("section.chart-card").count() == 1
    assert seen.page.locator("#shortfalls, #next, #target").count() == 0
    assert "where they should be" not in seen.page.inner_text("main")


def test_text_of_a_file_is_text(visit, tmp_path, nasty):
    text = made(assessment(nasty))
    assert not re.search(r"<img|<script>window", text)
    path = tmp_path / "hostile.html"
    path.write_text(text, encoding="utf-8")
    seen = visit(path.as_uri())
    assert seen.page.evaluate("window.hurt") is None
    assert (seen.problems, seen.requests) == ([], [seen.page.url])
    assert "\\x1b[31m\\u202e" in seen.page.inner_text("h1")
