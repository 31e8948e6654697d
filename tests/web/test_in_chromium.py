"""The pages in a real browser, over a real server, while a real sweep runs whose trials wait for the test."""

from __future__ import annotations

import os
import subprocess
import sys
from urllib.parse import urlsplit

import pytest

from .serving import serving

GATED = '''
import time
from pathlib import Path

from sklearn.linear_model import LogisticRegression


class Gated(LogisticRegression):
    """A model that is fitted when the file of its number is there."""

    def __init__(self, number=0, gates="", C=1.0):
        super().__init__(C=C)
        self.number = number
        self.gates = gates

    def fit(self, X, y):
        while not (Path(self.gates) / str(self.number)).exists():
            time.sleep(0.01)
        if self.number == 3:
            raise ValueError("<b>three</b> is no good")
        return super().fit(X, y)
'''
CONFIG = """
defaults: [experiment, {{data: csv}}, {{split: stratified_kfold}}, _self_]
name: gated
data: {{path: data/few.csv, target: kind}}
model: {{_target_: gated.Gated, gates: "{gates}", number: 0, C: 1.0}}
split: {{n_splits: 3}}
evaluation: {{metrics: [accuracy], primary: accuracy, test: null}}
launcher: {{backend: loky, n_jobs: 1}}
"""


@pytest.fixture
def visit(chromium, workspace):
    """Open pages; whatever the browser complains of, or asks of anyone else, fails the test."""
    with serving(workspace) as server:
        context = chromium.new_context(viewport={"width": 1400, "height": 900})
        page = context.new_page()
        complaints, asked = [], set()
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: asked.add(urlsplit(request.url)[:2]))

        def go(path="/"):
            page.goto(server.url + path)
            return page

        yield go
        context.close()
    assert complaints == []
    assert asked <= {("http", f"127.0.0.1:{server.port}"), ("data", "")}


@pytest.fixture
def sweep(workspace):
    """A sweep of four trials in a process of its own, each of which waits for `open`."""
    gates = workspace / "gates"
    gates.mkdir()
    (workspace / "gated.py").write_text(GATED)
    (workspace / "pyproject.toml").write_text('[tool.mlops]\ntrust = ["gated"]\n')
    rows = "".join(f"{i},{(i % 3 and 'many') or 'few'}\n" for i in range(24))
    (workspace / "data" / "few.csv").write_text(f"size,kind\n{rows}")
    (workspace / "configs" / "gated.yaml").write_text(CONFIG.format(gates=gates))
    process = subprocess.Popen(
        [sys.executable, "-m", "mlops_cli", "run", "config=gated", "model.number=1,2,3,4", "--quiet"],
        cwd=workspace,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=dict(os.environ),
    )
    yield process, lambda number: (gates / str(number)).touch()
    for number in range(5):
        (gates / str(number)).touch()
    process.communicate(timeout=120)


def expect(what):
    from playwright.sync_api import expect as expecting

    expecting.set_options(timeout=60_000)
    return expecting(what)


def test_a_running_sweep_is_followed_to_its_end_without_a_reload(visit, sweep):
    process, open_gate = sweep
    page = visit()
    page.get_by_role("link", name="gated/").click(timeout=60_000)  # the list shows the new run by itself
    page.evaluate("window.loadedOnce = true")
    expect(page.locator("progress")).to_have_attribute("value", "0")
    expect(page.locator("h1")).to_contain_text("running")

    open_gate(1)
    expect(page.locator("progress")).to_have_attribute("value", "1")
    expect(page.locator("#trials tbody tr")).to_have_count(1)
    page.locator("#trials input").fill("completed")  # what is typed stays while rows come

    open_gate(2)
    expect(page.locator("#part-head")).to_contain_text("2 of 4 trials")
    expect(page.locator("#trials tbody tr")).to_have_count(2)
    expect(page.locator(".history polyline")).to_have_count(1)

    open_gate(3)
    expect(page.locator("#problems")).to_contain_text("ValueError: <b>three</b> is no good")
    expect(page.locator("#trials tbody tr")).to_have_count(2)

    open_gate(4)
    expect(page.locator("h1")).to_contain_text("completed")
    expect(page.locator("#trials tbody tr")).to_have_count(3)
    expect(page.locator("#trials input")).to_have_value("completed")
    expect(page.locator("progress")).to_have_count(0)
    assert page.evaluate("window.loadedOnce") is True
    assert process.wait(timeout=120) == 0


def test_a_run_that_has_ended_is_not_asked_for_again(visit, finished):
    record = finished()
    page = visit(f"/runs/{record.id}")
    page.clock.install()
    page.reload()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.clock.run_for(60_000)
    assert asked == []


def test_a_tab_that_no_one_sees_asks_nothing(visit, start_run):
    run = start_run()
    page = visit()
    page.clock.install()
    page.goto(f"{page.url}runs/{run.record.id}")
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.evaluate(
        "Object.defineProperty(document, 'hidden', {get: () => true, configurable: true});"
        "document.dispatchEvent(new Event('visibilitychange'))"
    )
    page.clock.run_for(60_000)
    assert asked == []
    with page.expect_response(lambda response: response.request.resource_type == "fetch"):
        page.evaluate(
            "Object.defineProperty(document, 'hidden', {get: () => false, configurable: true});"
            "document.dispatchEvent(new Event('visibilitychange'))"
        )


def test_trials_are_sorted_and_filtered_by_clicks(visit, finished, start_run):
    from .serving import finish, trial

    run = start_run(planned=3)
    for number, score in ((1, 0.7), (2, 0.8)):
        run.append(trial(number, score))
    record = finish(run, 0.9)
    page = visit(f"/runs/{record.id}")
    numbers = page.locator("#trials tbody tr td:first-child")
    expect(numbers).to_have_text(["0", "2", "1"])
    page.locator("#trials").get_by_role("button", name="trial").click()
    expect(numbers).to_have_text(["0", "1", "2"])
    page.locator("#trials input").fill("accuracy>0.75 model.c<2")
    page.locator("#trials input").fill("0.8000")
    expect(numbers).to_have_text(["2"])


def test_runs_are_filtered_where_they_are_and_the_address_says_how(visit, finished):
    finished(0.9)
    other = finished(0.8, experiment="other")
    page = visit()
    expect(page.locator("#list tbody tr")).to_have_count(2)
    page.get_by_label("Experiment").select_option("other")
    expect(page.locator("#list tbody tr")).to_have_count(1)
    assert page.url.endswith("/?experiment=other")
    page.reload()
    expect(page.locator("#list tbody tr")).to_contain_text([other.id])
    page.go_back()
    expect(page.locator("#list tbody tr")).to_have_count(2)


def test_the_filter_is_typed_and_sent_by_the_keyboard_and_a_mistake_is_said_beside_it(visit, finished):
    high = finished(0.9)
    finished(0.8)
    page = visit()
    page.get_by_label("Where").fill("metrics.accuracy > 0.85")
    page.keyboard.press("Enter")
    expect(page.locator("#list tbody tr")).to_contain_text([high.id])
    expect(page.get_by_label("Where")).to_be_focused()
    page.get_by_label("Where").fill("metrics.acuracy > 0.85")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("accuracy")
    assert "acuracy" in page.url


def test_runs_are_sorted_by_their_headers(visit, finished):
    finished(0.8)
    finished(0.9)
    finished(0.7)
    page = visit()
    page.get_by_role("link", name="accuracy").click()
    scores = page.locator("#list tbody td:nth-child(6)")
    expect(scores).to_have_text(["0.9000 ± 0.0100", "0.8000 ± 0.0100", "0.7000 ± 0.0100"])
    page.get_by_role("link", name="accuracy").click()
    expect(scores).to_have_text(["0.7000 ± 0.0100", "0.8000 ± 0.0100", "0.9000 ± 0.0100"])
    expect(page.get_by_role("columnheader", name="accuracy")).to_have_attribute("aria-sort", "ascending")


def test_ticked_runs_are_compared_though_the_table_changed_since(visit, finished):
    first = finished(0.9)
    second = finished(0.8, experiment="other")
    page = visit()
    expect(page.get_by_role("button", name="Compare")).to_be_disabled()
    page.get_by_label(f"Compare {first.id}").check()
    page.get_by_label("Experiment").select_option("other")
    expect(page.locator("#list tbody tr")).to_have_count(1)
    page.get_by_label(f"Compare {second.id}").check()
    page.get_by_role("button", name="Compare").click()
    expect(page.locator("main")).to_contain_text(first.id)
    expect(page.locator("main")).to_contain_text(second.id)


def test_a_server_that_has_gone_is_said(chromium, workspace, start_run):
    run = start_run()
    page = chromium.new_page()
    with serving(workspace) as server:
        page.goto(f"{server.url}/runs/{run.record.id}")
    expect(page.locator("#said")).to_contain_text("does not answer")
    page.close()


@pytest.mark.parametrize("width", [1400, 400])
def test_no_page_is_wider_than_the_window(visit, finished, width):
    first, second = finished(0.9, tags={"a-long-tag": "x" * 200}), finished(0.8)
    page = visit()
    page.set_viewport_size({"width": width, "height": 900})
    for path in ("/", f"/runs/{first.id}", f"/compare?run={first.id}&run={second.id}"):
        visit(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
