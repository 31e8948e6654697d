"""``mlops report`` as a reader has it: opened from a file, in a real browser that can reach nothing."""

from __future__ import annotations

import re

import pytest

from mlops_cli.store.plots import write_plots
from mlops_cli.views.text import clean
from mlops_cli.workflows.runs.report import write_report


@pytest.fixture
def told(folder):
    """Write the page of runs and return its address."""

    def make(*records) -> str:
        return write_report([record.id for record in records], folder / "report.html").as_uri()

    return make


def test_the_page_opens_without_a_request_or_a_complaint(visit, told, swept):
    address = told(swept)
    seen = visit(address)
    assert seen.requests == [address]
    assert seen.problems == []
    assert seen.page.title() == f"{swept.id} · mlops report"


def test_a_click_on_a_header_sorts_and_another_one_turns_it_round(visit, told, swept):
    seen = visit(told(swept))
    head = seen.page.get_by_role("columnheader", name="accuracy")
    head.get_by_role("button").click()
    down = seen.column("trials-rows", "accuracy ↑")
    assert head.get_attribute("aria-sort") == "descending"
    assert down == sorted(down, key=float, reverse=True)
    head.get_by_role("button").click()
    up = seen.column("trials-rows", "accuracy ↑")
    assert head.get_attribute("aria-sort") == "ascending"
    assert up == sorted(up, key=float)
    assert float(up[0]) == pytest.approx(0.5, abs=0.01)


def test_numbers_sort_as_numbers_words_after_them_and_what_is_missing_last(visit, told, swept):
    seen = visit(told(swept))
    seen.page.get_by_role("searchbox").first.fill("trial>=240")
    seen.page.get_by_role("columnheader", name="model.C").get_by_role("button").click()
    assert [float(c) for c in seen.column("trials-rows", "model.C")] == [0.241 + 0.001 * i for i in range(10)]
    for _ in range(2):
        seen.page.get_by_role("columnheader", name="accuracy").get_by_role("button").click()
        assert seen.column("trials-rows", "accuracy ↑")[-1] == ""  # the one that failed


def test_headers_sort_by_the_keyboard_alone(visit, told, swept):
    seen = visit(told(swept))
    seen.page.get_by_role("columnheader", name="model.C").get_by_role("button").focus()
    seen.page.keyboard.press("Enter")
    assert seen.column("trials-rows", "model.C")[:2] == ["0.001", "0.002"]


@pytest.mark.parametrize(
    ("typed", "count", "all_of"),
    [
        ("failed", 5, lambda row: row["state"] == "failed"),
        ("model=svm", 125, lambda row: row["model"] == "svm"),
        ("SVM model.C<0.05", 24, lambda row: row["model"] == "svm" and float(row["model.C"]) < 0.05),
        ("model!=svm", 125, lambda row: row["model"] == "knn"),
        ("accuracy>0.9", None, lambda row: float(row["accuracy ↑"]) > 0.9),
        ("nothing like it", 0, lambda row: False),
    ],
)
def test_typing_filters_the_rows(visit, told, swept, typed, count, all_of):
    seen = visit(told(swept))
    heads = seen.page.locator("[data-table='trials-rows'] thead th").all_text_contents()
    seen.page.get_by_role("searchbox").first.fill(typed)
    rows = [dict(zip(heads, row, strict=True)) for row in seen.rows("trials-rows")]
    assert all(all_of(row) for row in rows)
    shown = seen.page.locator("[data-table='trials-rows'] output").text_content()
    if count is not None:
        assert len(rows) == min(count, 100)
        assert shown == (f"first 100 of {count} of 250 rows match" if count > 100 else f"{count} of 250 rows match")


def test_rows_are_shown_a_hundred_at_a_time(visit, told, swept):
    seen = visit(told(swept))
    more = seen.page.locator("[data-table='trials-rows'] button.more")
    for shown, label in [(100, "Show 100 more"), (200, "Show 50 more")]:
        assert len(seen.rows("trials-rows")) == shown
        assert more.text_content() == label
        more.click()
    assert len(seen.rows("trials-rows")) == 250
    assert more.is_hidden()


def test_the_first_rows_are_the_same_without_scripts(visit, told, swept):
    address = told(swept)
    assert visit(address, scripts=False).rows("trials-rows") == visit(address).rows("trials-rows")


def test_rows_that_come_later_keep_the_order_and_the_filter(visit, told, swept):
    seen = visit(told(swept))
    seen.page.get_by_role("searchbox").first.fill("svm")
    seen.page.get_by_role("columnheader", name="trial").get_by_role("button").click()
    seen.page.evaluate("""() => {
        const data = JSON.parse(document.getElementById("trials-rows").textContent);
        const row = [...data.rows[0]];
        row[0] = -1;
        row[data.columns.findIndex((c) => c.name === "model")] = "svm";
        data.rows.push(row);
        document.querySelector("[data-table='trials-rows']").dispatchEvent(new CustomEvent("rows", {detail: data}));
    }""")
    assert seen.column("trials-rows", "trial")[:3] == ["-1", "1", "3"]


# --- what comes from outside is text -----------------------------------------------------------------------------


@pytest.mark.parametrize("scripts", [True, False])
def test_nothing_that_a_run_says_is_more_than_text(visit, told, hostile, scripts, nasty):
    address = told(hostile)
    seen = visit(address, scripts=scripts)
    if scripts:
        seen.page.get_by_role("searchbox").first.fill("img")
        for button in seen.page.locator("thead button").all():
            button.click()
    assert seen.requests == [address]
    assert seen.problems == []
    assert seen.page.evaluate("window.hurt") is None
    assert seen.page.locator("img:not([src^='data:image/svg+xml;base64,'])").count() == 0
    assert seen.page.locator("main [onerror], main [onload], main a[href^='javascript']").count() == 0
    assert clean(nasty) in seen.page.locator("#asked").text_content()
    assert clean(nasty) in seen.page.locator("[data-table='columns-rows'] tbody").text_content()
    assert clean(nasty) in seen.page.locator("#problems details pre").text_content()
    text = seen.page.content()
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_no_script_but_the_pages_own_would_run(visit, told, swept):
    seen = visit(told(swept))
    seen.page.evaluate("""() => {
        const own = document.createElement("script");
        own.textContent = "window.hurt = 1";
        document.body.append(own);
        document.body.insertAdjacentHTML("beforeend", "<img src=x onerror='window.hurt = 1'>");
    }""")
    assert seen.page.evaluate("window.hurt") is None
    assert any("Content Security Policy" in text for text in seen.problems)


def test_a_page_of_hostile_runs_together_is_text_too(visit, told, hostile, swept, nasty):
    address = told(hostile, swept)
    seen = visit(address)
    assert (seen.requests, seen.problems) == ([address], [])
    assert seen.page.evaluate("window.hurt") is None
    assert clean(nasty) in seen.page.locator("#side").text_content()


# --- how it looks ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [400, 1400])
def test_the_page_never_scrolls_sideways(visit, told, swept, hostile, width):
    for records in ([swept], [hostile], [swept, hostile]):
        seen = visit(told(*records), width=width)
        seen.page.evaluate("document.querySelectorAll('details').forEach((fold) => (fold.open = true))")
        assert seen.width() == width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_can_be_read_in_light_and_in_dark(visit, told, swept, hostile, contrast, scheme):
    for records in ([swept], [hostile], [swept, hostile]):
        seen = visit(told(*records), scheme=scheme)
        seen.page.evaluate("document.querySelectorAll('details').forEach((fold) => (fold.open = true))")
        found = seen.page.evaluate(contrast)
        assert len(found) > 10
        assert {kind: ratio for kind, ratio in found.items() if ratio < 4.5} == {}


def test_dark_is_dark_and_its_plots_too(visit, told, hostile):
    address = told(hostile)
    ground = "getComputedStyle(document.body).backgroundColor"
    plot = "getComputedStyle(document.querySelector('.plots img')).filter"
    light, dark = (visit(address, scheme=scheme).page for scheme in ("light", "dark"))
    assert light.evaluate(ground) != dark.evaluate(ground)
    assert light.evaluate(plot) == "none"
    assert "invert" in dark.evaluate(plot)


def test_paper_shows_what_is_folded_and_no_buttons(visit, told, swept):
    seen = visit(told(swept), scheme="dark")
    folded = seen.page.locator("#problems details pre").first
    assert not folded.is_visible()
    seen.page.emulate_media(media="print")
    folded.wait_for(state="visible")
    assert not seen.page.locator("header.bar").is_visible()
    assert [
        b
        for b in seen.page.locator("button").all()
        if b.is_visible() and b.locator("xpath=ancestor::thead").count() == 0
    ] == []
    assert seen.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert seen.width() == 1400
    seen.page.emulate_media(media="screen")
    folded.wait_for(state="hidden")


def test_nothing_is_cut_off_on_paper(visit, told, swept, hostile):
    seen = visit(told(swept, hostile), width=794)  # A4 at 96 dots per inch
    seen.page.emulate_media(media="print")
    seen.page.locator("details.run pre").last.wait_for(state="visible")
    assert seen.width() == 794


def test_a_command_is_copied_or_at_least_selected(visit, told, swept):
    seen = visit(told(swept))
    block = seen.page.locator("pre.command", has_text="mlops runs show")
    block.get_by_role("button").click()
    block.get_by_role("button", name=re.compile("Copy")).wait_for()
    seen.page.locator(".copy").filter(has_not_text=re.compile("^Copy$")).first.wait_for()


# --- several runs ------------------------------------------------------------------------------------------------


def test_runs_beside_each_other_say_which_is_better_and_open_each_run(visit, told, pair):
    seen = visit(told(*pair))
    assert seen.page.locator("#verdict .said").text_content().startswith("B is better: accuracy +0.1")
    assert seen.page.locator("#scores svg.chart .series").count() == 2
    assert seen.page.locator("#params tbody tr").all_text_contents() == ["model.C0.80.9"]
    fold = seen.page.locator("details.run").nth(1)
    assert fold.get_attribute("open") is None
    seen.page.get_by_role("link", name=pair[1].id).click()
    fold.and_(seen.page.locator("[open]")).wait_for()
    assert seen.page.locator("#r2-trials").is_visible()


def test_runs_that_do_not_pair_are_told_so(visit, told, pair, swept):
    seen = visit(told(pair[0], swept))
    assert "cannot be paired" in seen.page.locator("#verdict").text_content()


def test_plots_are_shown_as_they_were_saved(visit, told, swept):
    svg = '<svg xmlns="http://www.w3.org/2000/svg" width="30" height="20"><rect width="9" height="9"/></svg>'
    write_plots(swept.path, {"roc": {"svg": svg.encode()}})
    seen = visit(told(swept))
    size = seen.page.get_by_role("img", name="roc").evaluate("image => [image.naturalWidth, image.naturalHeight]")
    assert size == [30, 20]
