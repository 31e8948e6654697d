"""``mlops monitor show --html`` as a reader has it: opened from a file, in a real browser that can reach nothing."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from mlops_cli.errors import UsageError
from mlops_cli.records import (
    Batch,
    ColumnDrift,
    Direction,
    Drifted,
    DriftKind,
    DriftReport,
    Kind,
    MetricDrift,
    Shift,
)
from mlops_cli.store.batches import Batches
from mlops_cli.store.layout import WorkspacePaths
from mlops_cli.views.monitor_page import trends
from mlops_cli.views.text import clean
from mlops_cli.workflows.watching.trend_page import write_trend_page


def batch(number, *, name=None, feature="age", score=None):
    psi = number / 20
    shift = Shift(feature, Kind.NUMERIC, "ks", 0.1, 0.2, psi, psi)
    moved = ColumnDrift(shift, drifted=psi > 0.2)
    found = (Drifted(DriftKind.DISTRIBUTION, feature, f"{feature}: PSI {psi}"),) if moved.drifted else ()
    still = ColumnDrift(replace(shift, column="fare", psi=0.01), drifted=False)
    report = DriftReport("m/1", "d.csv", "v", "t", "r", 100, 900, (moved, still), (still,), findings=found)
    metric = MetricDrift(feature, Direction.MAXIMIZE, 0.9, score or 0.0, -0.1, (-0.2, -0.05), drifted=number > 6)
    metrics = () if score is None else (metric,)
    day = f"2026-03-{number:02d}T10:00:00.000+00:00"
    return Batch("", "m", 1, name or f"{number}.csv", report, day, "me", "id", None, 50, metrics, str(number))


@pytest.fixture
def told(folder):
    """Keep batches, write the page, and return its address."""

    def make(batches):
        kept = Batches(WorkspacePaths(folder), "m")
        with kept.changing():
            for one in batches:
                with kept.draft() as draft:
                    kept.settle(draft, replace(one, id=kept.new_id()))
        return write_trend_page("m", folder / "page.html").as_uri()

    return make


def many():
    return [batch(n, score=0.9 - n / 50 if n % 2 else None) for n in range(1, 13)]


def test_the_page_opens_without_a_request_or_a_complaint(visit, told):
    address = told(many())
    seen = visit(address)
    assert (seen.requests, seen.problems) == ([address], [])
    assert seen.page.title() == "m · mlops monitor"


def test_each_figure_is_drawn_with_a_mark_for_each_batch_that_has_it(visit, told):
    page = visit(told(many())).page
    names = page.locator(".trends figcaption").all_text_contents()
    assert names == [
        "age ↑",
        "largest psi of a feature, beyond chance",
        "features that have drifted",
        "largest psi of an output, beyond chance",
    ]
    charts = page.locator(".trends svg.chart")
    assert [charts.nth(n).locator(".point").count() for n in range(4)] == [6, 12, 12, 12]
    assert [charts.nth(n).locator(".point.drifted").count() for n in range(4)] == [3, 8, 8, 0]
    assert "12.csv" in charts.nth(1).locator(".point title").last.text_content()


def test_marks_stand_where_their_values_are():
    drawn = trends([batch(n) for n in (5, 7, 9)])[0]
    assert all(moment.drifted for moment in drawn.points)
    heights = [float(point.outline.split()[1].split("l")[0].split("a")[0]) for point in drawn.points]
    assert heights == sorted(heights, reverse=True)  # the first is the lowest, and so has the greatest y
    assert [label for _, label in drawn.places] == ["2026-03-05", "2026-03-07", "2026-03-09"]
    at = [float(point.outline[1:].split()[0]) for point in drawn.points]
    assert [x for x, _ in drawn.places] == pytest.approx(at, abs=0.1)


@pytest.mark.parametrize("width", [400, 1280])
def test_no_two_labels_below_a_chart_meet_and_none_leaves_its_card(visit, told, width):
    names = [f"{n:02d} of a week.csv" for n in range(30)]
    same_day = [
        replace(batch(n % 9 + 1, name=name), logged="2026-03-01T10:00:00+00:00") for n, name in enumerate(names)
    ]
    page = visit(told(same_day), width=width).page
    card = page.locator("#trend").bounding_box()
    for chart in page.locator(".trends svg.chart").all():
        boxes = [text.bounding_box() for text in chart.locator("text[text-anchor=middle]").all()]
        assert len(boxes) >= 2
        assert all(a["x"] + a["width"] < b["x"] for a, b in pairwise(boxes))
        assert boxes[-1]["x"] + boxes[-1]["width"] < card["x"] + card["width"]


def test_a_metric_at_the_head_of_the_page_says_which_batch_it_is_of(visit, told):
    page = visit(told([batch(1, score=0.7), batch(2)])).page
    assert "of 1.csv; 0.9000 in training" in page.locator(".head").text_content()


def test_a_batch_of_too_few_rows_is_not_said_to_be_without_drift(visit, told):
    few = batch(2)
    seen = visit(told([replace(few, report=replace(few.report, judged=False))]))
    assert seen.column("batches-rows", "drift") == ["not judged"]
    assert "not judged" in seen.page.locator(".head").text_content()


def test_batches_of_one_day_are_told_apart_by_their_names():
    drawn = trends([replace(batch(n), logged="2026-03-01T10:00:00+00:00") for n in (1, 2)])[0]
    assert [label for _, label in drawn.places] == ["1.csv", "2.csv"]


def test_the_table_has_every_batch_and_sorts(visit, told):
    seen = visit(told(many()))
    assert seen.column("batches-rows", "batch")[:2] == ["12.csv", "11.csv"]
    seen.page.get_by_role("searchbox").fill("psi>0.45")
    assert sorted(seen.column("batches-rows", "batch")) == ["10.csv", "11.csv", "12.csv"]


def test_no_batches_make_a_page_too(visit, told):
    from mlops_cli.views.monitor_page import monitor_page

    assert "There are no batches yet." in monitor_page("m", ())


@pytest.mark.parametrize("scripts", [True, False])
def test_nothing_that_data_says_is_more_than_text(visit, told, nasty, scripts):
    address = told([batch(n, name=nasty, feature=nasty, score=0.5) for n in (3, 9)])
    seen = visit(address, scripts=scripts)
    assert (seen.requests, seen.problems) == ([address], [])
    assert seen.page.evaluate("window.hurt") is None
    assert seen.page.locator("img, main [onerror], main [onload]").count() == 0
    assert clean(nasty)[:40] in seen.page.locator("#found").text_content()
    assert "\x1b" not in seen.page.content()
    assert "\u202e" not in seen.page.content()


@pytest.mark.parametrize("width", [400, 1400])
def test_the_page_never_scrolls_sideways(visit, told, nasty, width):
    assert visit(told(many()), width=width).width() == width
    assert visit(told([batch(3, name=nasty, feature=nasty, score=0.5)]), width=width).width() == width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_can_be_read(visit, told, contrast, scheme):
    found = visit(told(many()), scheme=scheme).page.evaluate(contrast)
    assert {kind: round(ratio, 1) for kind, ratio in found.items() if ratio < 4.5} == {}


def test_a_page_is_written_over_and_another_file_is_not(told, folder):
    told(many())
    write_trend_page("m", folder / "page.html")
    (folder / "mine.html").write_text("mine")
    with pytest.raises(UsageError, match="is no monitor"):
        write_trend_page("m", folder / "mine.html")
    write_trend_page("m", folder / "mine.html", force=True)
