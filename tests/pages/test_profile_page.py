"""``mlops data profile --html`` as a reader has it: opened from a file, in a real browser that can reach nothing."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from mlops_cli.errors import UsageError
from mlops_cli.views.text import clean
from mlops_cli.workflows.data.profile_page import write_profile_page

ROWS = 300


def table() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    x = rng.normal(size=ROWS)
    made = pd.DataFrame(
        {
            "height": x.round(3),
            "height in inches": (x * 0.39).round(3),
            "town": rng.choice(["Oslo", "Rome", "Lima"], ROWS, p=[0.6, 0.3, 0.1]),
            "gaps": pd.Series(rng.normal(size=ROWS)).where(rng.uniform(size=ROWS) > 0.25).round(2),
            "day": pd.date_range("2020-01-01", periods=ROWS).astype(str),
            "tall": np.where(x > 0, "yes", "no"),
        }
    )
    return pd.concat([made, made.head(30)], ignore_index=True)


@pytest.fixture
def told(folder):
    """Write a table and its page, and return the address of that."""

    def make(values: pd.DataFrame | None = None, target: str | None = "tall") -> str:
        (table() if values is None else values).to_csv(folder / "d.csv", index=False)
        return write_profile_page("d.csv", folder / "page.html", target=target).as_uri()

    return make


@pytest.fixture
def wicked(nasty):
    """A table whose names and values would like to be more than text."""
    name = nasty.replace("\x1b", "")  # a reader of CSV gives names as they are, but for what ends a line
    return pd.DataFrame({name: [nasty, "b"] * 20, f"{name}2": range(40), "y": [1.5, 2.5] * 20})


def test_the_page_opens_without_a_request_or_a_complaint(visit, told):
    address = told()
    seen = visit(address)
    assert seen.requests == [address]
    assert seen.problems == []
    assert seen.page.title() == "d.csv · mlops data profile"


def test_it_says_how_large_the_data_is_what_is_missing_and_what_is_repeated(visit, told):
    figures = visit(told()).page.locator(".figures > div").all_text_contents()
    said = [" ".join(text.split()) for text in figures]
    assert said[0] == "rows330"
    assert said[1].startswith("columns6")
    assert "in 1 column" in said[2]
    assert said[3].startswith("repeated rows30")


def test_it_warns_as_a_run_would(visit, told):
    warnings = visit(told()).page.locator("#warnings .said strong").all_text_contents()
    assert {"target-leak", "duplicate-rows", "dates-as-text"} <= set(warnings)
    honest = pd.DataFrame({"a": np.random.default_rng(0).normal(size=50), "y": ["p", "q"] * 25})
    assert "None." in visit(told(honest, "y")).page.locator("#warnings").text_content()


def test_columns_sort_and_filter(visit, told):
    seen = visit(told())
    seen.page.locator("[data-table='columns-rows'] thead button", has_text=re.compile("^missing$")).click()
    assert seen.column("columns-rows", "column")[0] == "gaps"
    seen.page.get_by_role("searchbox").first.fill("categorical town")
    assert seen.column("columns-rows", "column") == ["town"]


def test_pairs_that_say_the_same_twice_come_first_and_can_be_filtered(visit, told):
    seen = visit(told())
    assert seen.rows("pairs-rows")[0] == ["height", "height in inches", "1.00"]
    seen.page.get_by_role("searchbox").last.fill("tie>0.9")
    assert all(float(row[2]) > 0.9 for row in seen.rows("pairs-rows"))


def test_the_square_of_ties_is_symmetric_and_coloured_by_strength(visit, told):
    seen = visit(told())
    cells = seen.page.evaluate(
        "[...document.querySelectorAll('.heat tbody tr')].map(r => [...r.cells].slice(1).map(c => c.textContent))"
    )
    assert cells == [list(column) for column in zip(*cells, strict=True)]
    assert {cells[i][i] for i in range(len(cells))} == {"1.00"}
    shade = "at => getComputedStyle(document.querySelector(at)).backgroundColor"
    assert seen.page.evaluate(shade, ".heat .t5") != seen.page.evaluate(shade, ".heat .t0")


def test_many_columns_have_no_square(visit, told):
    rng = np.random.default_rng(0)
    wide = pd.DataFrame(rng.normal(size=(30, 45)).round(3), columns=[f"c{i}" for i in range(45)])
    seen = visit(told(wide, None))
    assert seen.page.locator(".heat").count() == 0
    assert len(seen.rows("pairs-rows")) == 100


def test_each_column_is_drawn_with_its_quantiles_or_its_values(visit, told):
    page = visit(told()).page
    town = page.locator("figure.column", has_text="town")
    assert town.locator("tr").first.text_content().startswith("Oslo")
    height = page.locator("figure.column", has_text="height in inches")
    assert height.locator("svg.histogram").count() == 1
    assert height.locator("dt").all_text_contents() == ["least", "25 %", "median", "75 %", "greatest"]


@pytest.mark.parametrize("scripts", [True, False])
def test_nothing_that_data_says_is_more_than_text(visit, told, wicked, scripts, nasty):
    address = told(wicked, "y")
    seen = visit(address, scripts=scripts)
    if scripts:
        seen.page.get_by_role("searchbox").first.fill("img")
        for button in seen.page.locator("thead button").all():
            button.click()
    assert (seen.requests, seen.problems) == ([address], [])
    assert seen.page.evaluate("window.hurt") is None
    assert seen.page.locator("img, main [onerror], main [onload]").count() == 0
    assert clean(nasty)[:40] in seen.page.locator("#each").text_content()
    text = seen.page.content()
    assert "\x1b" not in text
    assert "\u202e" not in text


@pytest.mark.parametrize("width", [400, 1400])
def test_the_page_never_scrolls_sideways(visit, told, wicked, width):
    assert visit(told(), width=width).width() == width
    assert visit(told(wicked, "y"), width=width).width() == width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_can_be_read_in_light_and_in_dark(visit, told, contrast, scheme):
    found = visit(told(), scheme=scheme).page.evaluate(contrast)
    assert len(found) > 10
    assert any(kind.startswith("TD.t") for kind in found)
    assert {kind: ratio for kind, ratio in found.items() if ratio < 4.5} == {}


def test_a_page_may_be_written_again_and_another_file_may_not(told, folder):
    told()
    told()
    (folder / "page.html").write_text("mine")
    with pytest.raises(UsageError, match="is no data profile"):
        told()


def test_the_command_says_where_the_page_is(folder, mlops):
    table().to_csv(folder / "d.csv", index=False)
    done = mlops("data", "profile", "d.csv", "--target", "tall", "--html", "out.html", cwd=folder)
    assert done.stdout == "out.html\n", done.stderr
    assert (folder / "out.html").read_text().startswith("<!doctype html>")
