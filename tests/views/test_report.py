"""The page of a report as text: what it says, and that it holds all that it needs."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from mlops_cli.analysis.compare import compare
from mlops_cli.records import (
    BestTrial,
    ColumnProfile,
    Contender,
    Counts,
    DataProfile,
    Direction,
    ErrorInfo,
    GitState,
    Kind,
    MetricSummary,
    Report,
    RunContents,
    RunRecord,
    RunStatus,
    SplitsInfo,
    TrialResult,
    TrialState,
)
from mlops_cli.views import pages
from mlops_cli.views.pages.tables import profile_table, trials_table
from mlops_cli.views.report import headline, page, reproduce, run_section

MADE = "2026-03-02T08:00:00+01:00"
UP = Direction.MAXIMIZE


def record(name: str = "iris/20260301-120000-aaaaaa", scores: tuple[float, ...] = (0.8, 0.9), **more) -> RunRecord:
    known = {
        "primary": "accuracy",
        "direction": UP,
        "directions": {"accuracy": UP},
        "best": BestTrial(0, {"model.C": 1.0}),
        "metrics": {"accuracy": MetricSummary(sum(scores) / len(scores), 0.07, (0.7, 1.0), scores, 0.83)},
        "counts": Counts(2, 2),
        "duration_s": 75.0,
    }
    place = Path("/ws/runs") / name
    return RunRecord(name, place, "iris", RunStatus.COMPLETED, "2026-03-01T12:00:00+01:00", **{**known, **more})


def trial(number: int, mean: float, **params) -> TrialResult:
    return TrialResult(number, TrialState.COMPLETED, params, {"accuracy": (mean - 0.1, mean + 0.1)}, 0.25)


def failed(number: int, message: str, traceback: str = "") -> TrialResult:
    return TrialResult(number, TrialState.FAILED, {"C": number}, error=ErrorInfo("ValueError", message, traceback))


def one(**parts) -> Report:
    contents = {"record": record(), "trials": (trial(0, 0.85), trial(1, 0.7)), **parts}
    return Report((RunContents(**contents),), MADE)


class Reader(HTMLParser):
    """The words of a page, and what its elements point at."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.addresses: list[str] = []
        self.skipped = 0

    def handle_starttag(self, tag, attrs):
        self.skipped += tag in {"script", "style"}
        self.addresses += [value for name, value in attrs if name in {"src", "href"}]

    def handle_endtag(self, tag):
        self.skipped -= tag in {"script", "style"}

    def handle_data(self, data):
        if not self.skipped:
            self.words += data.split()


def read(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    return reader


def words(text: str) -> str:
    return " ".join(read(text).words)


def test_a_page_points_at_nothing_outside_itself():
    svg = b"<svg xmlns='http://www.w3.org/2000/svg'/>"
    found = read(page(one(plots={"roc": svg}))).addresses
    assert all(address.startswith(("#", "data:image/svg+xml;base64,")) for address in found)
    assert sum(address.startswith("data:") for address in found) == 1


def test_the_policy_allows_the_style_and_the_scripts_that_are_there_and_no_other():
    text = page(one())
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)[1].replace("&#39;", "'")
    styles = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    scripts = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    assert len(styles) == 1
    assert len(scripts) == 2
    assert policy == pages.policy(styles, scripts)
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy


def test_the_headline_says_the_score_with_its_spread_and_how_it_went():
    told = words(page(one()))
    assert "iris completed" in told
    assert "accuracy ↑ 0.8500 ± 0.0700 95 % interval 0.7000 … 1.0000" in told
    assert "held-out test 0.8300" in told
    assert "2 trials all completed took 1 min 15 s 2026-03-01 12:00:00 +01:00" in told


@pytest.mark.parametrize("status", list(RunStatus))
def test_a_run_that_left_nothing_has_a_page_too(status):
    bare = RunRecord("iris/x", Path("/ws/runs/iris/x"), "iris", status, "2026-03-01T12:00:00+01:00")
    told = words(page(Report((RunContents(bare, ()),), MADE)))
    assert f"iris {status}" in told
    assert "No trial completed, so there are no scores." in told
    assert "Data" not in told.split()


def test_trials_come_best_first_with_their_params_as_columns():
    results = [trial(0, 0.7, model="svm", C=None), trial(1, 0.8, model="knn"), failed(2, "bad")]
    table = trials_table(record(best=BestTrial(1, {})), results)
    heads = [column["name"] for column in table.columns]
    assert heads == ["trial", "state", "accuracy ↑", "± std", "model", "C", "fit s", "error"]
    assert table.rows == (
        ({"t": 1, "c": "best"}, "completed", "0.8000", "0.1414", "knn", None, "0.2500", None),
        (0, "completed", "0.7000", "0.1414", "svm", "null", "0.2500", None),
        (2, {"t": "failed", "c": "bad"}, None, None, None, "2", "0.0000", "ValueError: bad"),
    )


def test_the_data_of_a_table_reads_back_as_it_was_whatever_it_holds():
    nasty = "</script><!--<script>\u2028&\ud800"
    text = str(pages.json_block([nasty]))
    assert json.loads(text) == [nasty]
    assert not re.search("[<>&\u2028]", text)


def test_failures_are_grouped_by_their_reason_with_one_traceback_each():
    results = (failed(0, "odd\nin 0", "first"), failed(3, ""), failed(5, "odd\nin 5", "second"), trial(1, 0.5))
    found = run_section(RunContents(record(), results)).failures
    assert [(f.reason, f.count, f.trials, f.traceback) for f in found] == [
        ("ValueError: odd", 2, "0, 5", "first"),
        ("ValueError", 1, "3", ""),
    ]


def test_of_very_many_kinds_of_failures_the_first_are_told_and_the_others_counted():
    results = tuple(failed(n, f"key {'a' * n} of row {n}") for n in range(1, 4001))
    section = run_section(RunContents(record(), results))
    assert len(section.failures) == 20
    assert section.more_failures == "3,980 more kinds"
    assert "… and 3,980 more kinds, in trials.csv" in words(page(one(trials=results)))


def test_what_is_missing_on_the_page_is_said():
    told = words(page(one(undrawn={"top_trials": "no <trials>"}, profile_problem="data_profile.json is damaged")))
    assert "Not drawn: top trials, no <trials>" in told
    assert "The profile of its data cannot be read: data_profile.json is damaged" in told


def test_control_characters_are_shown_by_their_codes():
    text = page(one(record=record(note="a\x1b[31mb\u202ec"), config="x: 1\r\n\ty: 2\n"))
    assert "a\\x1b[31mb\\u202ec" in text
    assert "x: 1\\r\n\ty: 2\n" in text


def test_the_commands_that_reproduce_a_run_are_safe_to_paste():
    given = record(git=GitState("abc; rm -rf /", dirty=True), environment={"packages": {"numpy": "2 && echo"}})
    commands = dict(reproduce(RunContents(given, (), diff="-x")))
    assert commands["the same code"] == (
        "git checkout 'abc; rm -rf /'\ngit apply runs/iris/20260301-120000-aaaaaa/source.diff"
    )
    assert commands["the same libraries"] == "pip install 'numpy==2 && echo'"
    assert commands["run it again"] == "mlops run config=runs/iris/20260301-120000-aaaaaa/config.yaml --force"


def test_each_column_of_the_data_is_a_row_with_its_drawing():
    when = tuple(86400.0 * day for day in (0, 1, 2, 3, 4, 5, 6))
    columns = (
        ColumnProfile("born", "datetime64[ns]", Kind.DATETIME, "feature", 7, 1, 7, quantiles=when, counts=(3, 4)),
        ColumnProfile("sex", "str", Kind.CATEGORICAL, "target", 8, 0, 2, top=(("f", 6), ("m", 2)), association=1.0),
        ColumnProfile("none", "float64", Kind.NUMERIC, "feature", 0, 8, 0),
    )
    table = profile_table(DataProfile(8, columns))
    rows = [dict(zip([c["name"] for c in table.columns], row, strict=True)) for row in table.rows]
    assert (rows[0]["least"], rows[0]["greatest"], rows[0]["missing %"]) == ("1970-01-01", "1970-01-07", "12.5")
    assert rows[0]["distribution"]["d"] == "M0 20V5H49V20ZM50 20V0H99V20Z"
    assert rows[1]["most frequent"] == "f (6), m (2)"
    assert rows[1]["tie to target"]["t"] == "1.00"
    assert (rows[2]["distribution"], rows[2]["mean"]) == (None, None)


def pair(first: tuple[float, ...], other: tuple[float, ...]) -> Report:
    records = [record("iris/20260301-120000-aaaaaa", first), record("iris/20260302-120000-bbbbbb", other)]
    records[1] = replace(records[1], best=BestTrial(0, {"model.C": 5.0}), seed=7)
    splits = SplitsInfo("d" * 64, len(first), 0.25)
    contenders = [
        Contender(name, r.id, r.id, 0, r.metrics, r.directions, {}, "accuracy", splits)
        for name, r in zip("AB", records, strict=True)
    ]
    return Report(tuple(RunContents(r, (trial(0, 0.85),)) for r in records), MADE, compare(contenders))


def test_several_runs_are_told_of_in_one_honest_sentence_and_side_by_side():
    told = words(page(pair((0.8, 0.9, 0.7, 0.8), (0.81, 0.88, 0.72, 0.8))))
    assert "No evidence that B is better: accuracy" in told
    assert "B − A accuracy ↑" in told
    assert "seed 0 7" in told
    assert "model.C 1 5" in told


def test_runs_that_cannot_be_compared_still_share_a_page():
    report = replace(pair((0.8, 0.9), (0.8, 0.9)), comparison=None, refused="b has no scores")
    told = words(page(report))
    assert "b has no scores" in told
    assert "iris/20260302-120000-bbbbbb" in told


def test_no_two_parts_of_a_page_share_a_name():
    ids = re.findall(r' id="([^"]*)"', page(pair((0.8, 0.9), (0.8, 0.9))))
    assert len(ids) == len(set(ids))
    links = re.findall(r'href="#([^"]*)"', page(pair((0.8, 0.9), (0.8, 0.9))))
    assert set(links) <= set(ids)


def test_the_head_says_which_model_won_swept_or_not():
    run = record(params={"model": "svm", "model.C": 1.0}, best=BestTrial(3, {"model.C": 1.0}))
    assert headline(run)["best"] == [("model", "svm"), ("model.C", "1")]
    assert headline(replace(run, best=BestTrial(3, {"model": "knn"})))["best"] == [("model", "knn")]
    assert headline(replace(run, best=None))["best"] == []
