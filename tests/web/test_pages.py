"""What the pages say, to whom asks by HTTP alone: everything works without scripts."""

import re
from dataclasses import replace
from html import unescape
from urllib.parse import urlencode

import pytest

from mlops_cli.records import ErrorInfo, Notice, RunStatus, TrialResult, TrialState

from .serving import finish, trial

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>\x1b[31m"


def rows(page):
    """The ids in the list of runs, from the top."""
    return re.findall(r'<input type="checkbox" name="run" value="([^"]+)"', page.text)


def test_an_empty_workspace_says_how_to_begin(server):
    assert "mlops run config=NAME" in server.get("/").text


def test_runs_are_listed_newest_first(server, finished):
    old = finished(0.9, started="2026-03-01T12:00:00+01:00")
    new = finished(0.8, started="2026-03-02T12:00:00+01:00")
    assert rows(server.get("/")) == [new.id, old.id]


def test_the_address_holds_filter_order_and_page(server, finished):
    ids = [finished(0.5 + n / 10).id for n in range(4)]
    finished(0.99, experiment="other")
    asked = {"experiment": "iris", "where": "metrics.accuracy > 0.55", "sort": "-score"}
    assert rows(server.get(f"/?{urlencode(asked)}")) == ids[1:]
    assert rows(server.get(f"/?{urlencode({**asked, 'page': 2})}")) == []


def test_links_keep_what_the_address_asks_for(server, finished):
    finished(0.9)
    page = server.get("/?" + urlencode({"where": "status = completed", "sort": "id"}))
    assert "/?where=status+%3D+completed&sort=-id" in unescape(page.text)


def test_fifty_runs_are_on_a_page(server, finished):
    for _ in range(51):
        finished(0.9)
    first, second = server.get("/"), server.get("/?page=2")
    assert (len(rows(first)), len(rows(second))) == (50, 1)
    assert 'rel="next"' in first.text
    assert 'rel="prev"' in second.text
    assert "51 runs" in first.text


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("acuracy > 0.8", "metrics.accuracy"),
        ("status = ", "status ="),
        ("'; DROP TABLE runs; --", "DROP"),
        (HOSTILE, "&lt;script&gt;"),
    ],
)
def test_a_mistake_in_the_filter_is_said_beside_it(server, finished, where, said):
    finished(0.9)
    page = server.get("/?" + urlencode({"where": where}))
    assert page.status_code == 200
    assert said in page.text
    assert 'role="alert"' in page.text
    assert "<script>alert" not in page.text
    assert rows(page) == []


@pytest.mark.parametrize("asked", ["page=0", "page=-1", "page=x", "page=99999999999999", "where=" + "x" * 3000])
def test_an_address_that_means_nothing_is_refused_with_what_is_allowed(server, asked):
    page = server.get(f"/?{asked}")
    assert page.status_code == 400
    assert "allowed" in page.text


def test_a_damaged_run_is_shown_as_such(server, finished):
    whole, broken = finished(0.9), finished(0.8)
    (broken.path / "run.json").write_text("{")
    page = server.get("/")
    assert rows(page) == [whole.id]
    assert "1 damaged run" in page.text
    assert str(broken.path) in page.text
    assert server.get(f"/runs/{broken.id}").status_code == 404
    assert "damaged" in server.get(f"/runs/{broken.id}").text


def test_a_running_run_is_listed_with_how_far_it_is(server, start_run):
    run = start_run(planned=4)
    run.append(trial(0, 0.6))
    page = server.get("/")
    assert "1 of 4" in page.text
    assert '<progress max="4" value="1">' in page.text
    assert 'data-poll="1500"' in page.text


def test_a_running_run_with_a_damaged_journal_does_not_hide_the_others(server, start_run, finished):
    whole, run = finished(0.9), start_run(planned=4)
    run.append(trial(0, 0.6))
    with run.paths.journal.open("ab") as file:
        file.write(b"what is this?\n")
    page = server.get("/")
    assert page.status_code == 200
    assert set(rows(page)) == {whole.id, run.record.id}
    assert server.get(f"/runs/{run.record.id}").status_code == 404


def test_a_damaged_profile_is_said_on_the_page(server, finished):
    record = finished(0.9)
    (record.path / "data_profile.json").write_text('{"schema_version": 1, "rows": Infinity, "columns": []}')
    page = server.get(f"/runs/{record.id}")
    assert page.status_code == 200
    assert "The profile of its data cannot be read" in page.text


def test_a_run_says_all_that_its_report_would(server, finished):
    record = finished(0.9, description="What it is for")
    page = server.get(f"/runs/{record.id}").text
    for said in ("0.9000 ± 0.0100", "What it is for", "Trials", "Provenance", "How to reproduce it"):
        assert said in page
    assert f'href="/runs/{record.id}/files/trials.csv"' in page
    assert "data-poll" not in page


def test_plots_are_pictures_from_the_run(server, finished):
    record = finished(0.9)
    (record.path / "plots").mkdir()
    (record.path / "plots" / "roc.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    (record.path / "plots" / "roc.png").write_bytes(b"")
    page = server.get(f"/runs/{record.id}").text
    assert re.findall(r'<img src="([^"]+)"', page) == [f"/runs/{record.id}/files/plots/roc.svg"]


def test_text_from_data_and_configs_is_text(server, start_run):
    run = start_run(tags={HOSTILE: HOSTILE}, note=HOSTILE, description=HOSTILE)
    run.append(TrialResult(1, TrialState.FAILED, {HOSTILE: HOSTILE}, error=ErrorInfo(HOSTILE, HOSTILE, HOSTILE)))
    record = finish(run, warnings=(Notice(HOSTILE, HOSTILE),), params={HOSTILE: HOSTILE})
    for path in ("/", f"/runs/{record.id}"):
        page = server.get(path).text
        assert "alert(1)" in page
        assert not re.search(r"<script>alert|<img src=x|\x1b", page)


def test_text_that_is_no_unicode_is_shown(server, start_run):
    record = finish(start_run(note="a\udcffb"))
    assert server.get("/").status_code == 200
    assert server.get(f"/runs/{record.id}").status_code == 200
    assert server.get("/api/runs").status_code == 200


def test_runs_are_compared(server, finished):
    first, second = finished(0.9), finished(0.8)
    page = server.get("/compare?" + urlencode({"run": [first.id, second.id]}, doseq=True))
    assert page.status_code == 200
    assert first.id in page.text
    assert second.id in page.text
    assert "Side by side" in page.text


@pytest.mark.parametrize(
    "refs", [[], ["{id}"], ["{id}", "{id}"], ["{id}", "latest"], ["{id}", "../../etc"], ["{id}", "/etc/passwd"]]
)
def test_what_cannot_be_compared_is_said(server, finished, refs):
    record = finished(0.9)
    page = server.get("/compare?" + urlencode({"run": [ref.format(id=record.id) for ref in refs]}, doseq=True))
    assert page.status_code in {400, 404}
    assert 'role="alert"' in page.text


def test_a_page_that_has_not_changed_is_not_sent_again(server, start_run):
    run = start_run()
    run.append(trial(0, 0.5))
    path = f"/runs/{run.record.id}"
    tag = {"If-None-Match": server.get(path).headers["etag"]}
    assert server.get(path, headers=tag).status_code == 304
    run.append(trial(1, 0.6))
    assert server.get(path, headers=tag).status_code == 200
    home = {"If-None-Match": server.get("/").headers["etag"]}
    assert server.get("/", headers=home).status_code == 304


def test_a_run_that_was_interrupted_says_so(server, start_run):
    run = start_run(planned=4)
    run.append(trial(0, 0.5))
    run.close()
    page = server.get(f"/runs/{run.record.id}").text
    assert "interrupted" in page
    assert "data-poll" not in page


def test_a_run_that_failed_says_why(server, start_run):
    run = start_run()
    run.append(TrialResult(0, TrialState.FAILED, error=ErrorInfo("ValueError", "C is negative", "Traceback …")))
    run.finish(replace(run.record, status=RunStatus.FAILED))
    page = server.get(f"/runs/{run.record.id}").text
    assert "1 × ValueError: C is negative" in page


@pytest.mark.parametrize(
    "path", ["/nowhere", "/runs", "/runs/iris", "/runs/iris/20260301-120000-abcdef", "/static/../x"]
)
def test_what_is_not_there_leads_back(server, path):
    page = server.get(path)
    assert page.status_code == 404
    assert 'href="/"' in page.text
