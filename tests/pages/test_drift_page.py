"""``mlops drift --html`` as a reader has it: opened from a file, in a real browser that can reach nothing."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from mlops_cli.analysis.drift import Pair, judge, most_moved
from mlops_cli.analysis.tallies import ColumnTally, column_reference
from mlops_cli.records import Direction, DriftBounds, Drifted, DriftKind, DriftReport, Kind, MetricDrift, Notice
from mlops_cli.views.drift_page import drift_page
from mlops_cli.views.text import clean

ROWS = 300


def columns():
    """Before and after of a column of each kind; height has moved, and town has a new category."""
    rng = np.random.default_rng(0)
    days = pd.Series(pd.date_range("2020-01-01", periods=ROWS))
    towns = rng.choice(["Oslo", "Rome", "Lima"], ROWS)
    return {
        "height": (rng.normal(size=ROWS), rng.normal(1, 1, ROWS), Kind.NUMERIC),
        "weight": (rng.normal(size=ROWS), rng.normal(size=ROWS), Kind.NUMERIC),
        "town": (towns, np.where(rng.random(ROWS) < 0.2, "Bern", towns), Kind.CATEGORICAL),
        "day": (days, days, Kind.DATETIME),
        "empty": ([np.nan] * ROWS, [np.nan] * ROWS, Kind.NUMERIC),
    }


def report(values, called="shop/3", more=()):
    pairs = []
    for name, (before, after, kind) in values.items():
        kept = column_reference(pd.Series(before), name, kind)
        tally = ColumnTally(kept)
        tally.add(pd.Series(after))
        pairs.append(Pair(kept, tally.found(), DriftBounds()))
    judged = judge(pairs, 30)
    metric = MetricDrift("roc_auc", Direction.MAXIMIZE, 0.9, 0.8, -0.1, (-0.15, -0.05), drifted=True)
    return DriftReport(
        model=called,
        data="june.csv",
        version="0" * 64,
        at="2027-06-01T06:00:00+00:00",
        reference=f"the reference of {called}",
        rows=ROWS,
        reference_rows=ROWS,
        columns=most_moved(one.drift for one in judged),
        predictions=(judged[0].drift,),
        metrics=(metric,),
        labelled=ROWS,
        findings=(*(f for one in judged for f in one.findings), *more),
        notices=(Notice("columns-new", f"training did not have {called}"),),
        target=judged[2].drift,
    )


@pytest.fixture
def written(folder):
    def make(found: DriftReport) -> str:
        place = folder / "page.html"
        place.write_bytes(drift_page(found).encode("utf-8", "backslashreplace"))
        return place.as_uri()

    return make


def test_the_page_opens_without_a_request_or_a_complaint_and_says_what_was_found(visit, written):
    address = written(report(columns()))
    seen = visit(address)
    assert (seen.requests, seen.problems) == ([address], [])
    assert seen.page.title() == "shop/3 on june.csv · mlops drift"
    assert seen.page.locator("h1 .badge").text_content() == "drift found"
    messages = seen.page.locator("#findings .failure").all_text_contents()
    assert any("height: mean" in text for text in messages)
    assert any("town: " in text and "Bern" in text for text in messages)
    assert seen.page.locator("#metrics tbody tr").text_content().split()[0] == "roc_auc"


def test_each_column_is_drawn_before_and_after(visit, written):
    page = visit(written(report(columns()))).page
    height = page.locator("#each figure", has_text="height")
    assert height.locator("path").count() == 2
    before, after = (height.locator(f"path.{side}").bounding_box() for side in ("before", "after"))
    assert before["width"] == pytest.approx(after["width"], rel=0.1)
    town = page.locator("#each figure", has_text="town")
    assert town.locator("tr", has_text="Bern").text_content().startswith("Bern0.0 %")
    assert page.locator("#each figure", has_text="day").locator(".ends").text_content().startswith("2020-01-0")
    assert page.locator("#each figure", has_text="empty").locator("svg").count() == 0


def test_columns_that_moved_most_come_first_and_can_be_sorted(visit, written):
    seen = visit(written(report(columns())))
    assert seen.column("columns-rows", "column")[0] == "height"
    seen.page.locator("[data-table='columns-rows'] thead button", has_text=re.compile("^column$")).click()
    assert seen.column("columns-rows", "column") == sorted(columns())


def test_no_drift_is_said(visit, written):
    unmoved = {name: (before, before, kind) for name, (before, _, kind) in columns().items()}
    page = visit(written(report(unmoved))).page
    assert page.locator("h1 .badge").text_content() == "no drift found"
    assert page.locator("#findings .good").text_content() == "no drift found"


def test_too_few_rows_are_not_said_to_be_without_drift(visit, written):
    found = replace(report(columns()), findings=(), judged=False)
    page = visit(written(found)).page
    assert page.locator("h1 .badge").text_content() == "too few rows to be judged"
    assert "no drift" not in page.locator("main").text_content()


def test_a_finding_is_followed_by_the_command_that_comes_next(visit, written):
    page = visit(written(report(columns()))).page
    assert page.locator("#findings code").text_content() == "mlops retrain shop --data june.csv"


@pytest.mark.parametrize("scripts", [True, False])
def test_nothing_that_data_says_is_more_than_text(visit, written, nasty, scripts):
    wicked = {nasty: (["a", nasty] * 50, ["b", nasty + "2"] * 50, Kind.CATEGORICAL)}
    address = written(report({**columns(), **wicked}, nasty, (Drifted(DriftKind.SCHEMA, nasty, nasty),)))
    seen = visit(address, scripts=scripts)
    assert (seen.requests, seen.problems) == ([address], [])
    assert seen.page.evaluate("window.hurt") is None
    assert seen.page.locator("img, main [onerror], main [onload]").count() == 0
    assert clean(nasty)[:40] in seen.page.locator("#each").text_content()
    assert not {"\x1b", "\u202e"} & set(seen.page.content())


@pytest.mark.parametrize("width", [400, 1400])
def test_the_page_never_scrolls_sideways(visit, written, nasty, width):
    wicked = {nasty: (["a", nasty] * 50, ["b", nasty + "2"] * 50, Kind.CATEGORICAL)}
    assert visit(written(report(columns())), width=width).width() == width
    assert visit(written(report({**columns(), **wicked}, nasty)), width=width).width() == width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read(visit, written, contrast, scheme):
    seen = visit(written(report(columns())), scheme=scheme)
    assert {kind: ratio for kind, ratio in seen.page.evaluate(contrast).items() if ratio < 4.5} == {}
