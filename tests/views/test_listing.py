"""The list of runs as it stands in terminals of 80 and of 140 columns."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from mlops_cli.records import BestTrial, Counts, Direction, MetricSummary, RunRecord, RunStatus
from mlops_cli.views.listing import head, left_out, listing

NOW = datetime.fromisoformat("2026-11-21T15:00:00+01:00")
COMMON = {"model": "logistic_regression", "model.C": 1.0, "split": "auto", "split.n_splits": 5}


def run(number, started, **more):
    run_id = f"titanic/2026112{number}-14020{number}-abcde{number}"
    made = RunRecord(
        id=run_id,
        path=Path("/w/runs") / run_id,
        experiment="titanic",
        status=RunStatus.COMPLETED,
        started=started,
        primary="roc_auc",
        direction=Direction.MAXIMIZE,
        best=BestTrial(0, {}),
        metrics={"roc_auc": MetricSummary(0.86123, 0.0212, None, (0.85, 0.87))},
        params=COMMON,
        counts=Counts(trials=1, completed=1),
    )
    return replace(made, **more)


RUNS = [
    run(4, "2026-11-21T14:02:00+01:00", status=RunStatus.RUNNING, metrics={}, params={}, best=None),
    run(3, "2026-11-20T09:10:00+01:00", params={**COMMON, "model.C": 0.1}),
    run(
        2,
        "2026-11-02T09:10:00+01:00",
        params={"model": "random_forest", "model.max_depth": None, "split": "auto", "split.n_splits": 5},
        counts=Counts(trials=12, completed=10, failed=2),
    ),
    run(1, "2025-12-31T23:59:00+01:00", status=RunStatus.INTERRUPTED, counts=Counts(trials=9, completed=3)),
]


def test_in_80_columns_what_has_completed_goes_without_saying(shown):
    assert (
        shown(listing(RUNS, width=80, bare=True, now=NOW))
        == """\
run                      when              status        roc_auc ↑   model
────────────────────────────────────────────────────────────────────────────────
20261124-140204-abcde4   today 14:02       running               -   -
20261123-140203-abcde3   yesterday 09:10                    0.8612   logistic_r…
20261122-140202-abcde2   Nov 2 09:10                        0.8612   random_for…
20261121-140201-abcde1   2025-12-31        interrupted      0.8612   logistic_r…"""
    )
    assert (
        shown(listing(RUNS[1:3], width=80, now=NOW))
        == """\
run                              when              roc_auc ↑   model
────────────────────────────────────────────────────────────────────────────────
titanic/20261123-140203-abcde3   yesterday 09:10      0.8612   logistic_regress…
titanic/20261122-140202-abcde2   Nov 2 09:10          0.8612   random_forest"""
    )


def test_what_has_no_room_is_counted():
    assert left_out(RUNS, width=140, now=NOW) == 0
    assert left_out(RUNS, width=80, now=NOW) == 3  # trials, model, C


def test_a_value_that_all_have_who_have_it_is_not_shown_and_classes_are_named(shown):
    own = replace(RUNS[2], params={"model._target_": "mine.Forest", "model.C": 1})
    header, _, *rows = shown(listing([RUNS[3], own], width=140, now=NOW), width=140).splitlines()
    assert header.split()[-1] == "model"
    assert [row.split()[-1] for row in rows] == ["logistic_regression", "Forest"]


def test_in_140_columns_there_is_room_for_all(shown):
    assert (
        shown(listing(RUNS, width=140, now=NOW), width=140)
        == """\
run                              when              status        trials         roc_auc ↑   model                   C
─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
titanic/20261124-140204-abcde4   today 14:02       running            1                 -   -                       -
titanic/20261123-140203-abcde3   yesterday 09:10   completed          1   0.8612 ± 0.0212   logistic_regression   0.1
titanic/20261122-140202-abcde2   Nov 2 09:10       completed         12   0.8612 ± 0.0212   random_forest           -
titanic/20261121-140201-abcde1   2025-12-31        interrupted      3/9   0.8612 ± 0.0212   logistic_regression     1"""
    )


def test_what_all_runs_have_alike_is_not_shown(shown):
    text = shown(listing(RUNS[1:], width=140, now=NOW), width=140)
    assert "n_splits" not in text
    assert "model" in text.splitlines()[0]


@pytest.mark.parametrize("width", [30, 45, 60, 80, 100, 120, 200])
def test_an_id_is_never_broken_and_no_line_is_longer_than_the_terminal(shown, width):
    text = shown(listing(RUNS, width=width, now=NOW), width=width)
    assert all(record.id in text for record in RUNS)


def test_an_id_that_is_wider_than_the_terminal_is_not_cut(shown):
    text = shown(listing(RUNS[:1], width=20, now=NOW), width=20)
    assert RUNS[0].id in text.replace("\n", "")


def test_a_name_is_cut_to_the_ending_that_no_other_has(shown):
    params = {"transforms.fill.strategy": "mean", "transforms.code.strategy": "x", "model.C": 1}
    runs = [replace(RUNS[1], params=params), replace(RUNS[2], params={**params, "transforms.fill.strategy": "median"})]
    header = shown(listing(runs, width=140, now=NOW), width=140).splitlines()[0]
    assert header.endswith("fill.strategy")


def test_runs_with_different_metrics_name_each(shown):
    other = replace(
        RUNS[2],
        primary="rmse",
        direction=Direction.MINIMIZE,
        metrics={"rmse": MetricSummary(12.3, None, None, (12.3,))},
    )
    lines = shown(listing([RUNS[1], other], width=140, now=NOW), width=140).splitlines()
    assert "score" in lines[0]
    assert "roc_auc 0.8612 ± 0.0212" in lines[2]
    assert "rmse 12.30" in lines[3]


def test_the_columns_that_are_asked_for_are_shown_in_their_order(shown):
    columns = ["metrics.roc_auc", "id", "started", "params.model.C", "params.model.max_depth", "note"]
    assert (
        shown(listing(RUNS[1:3], width=120, columns=columns, now=NOW), width=120)
        == """\
roc_auc   id                               started             C   max_depth   note
───────────────────────────────────────────────────────────────────────────────────
 0.8612   titanic/20261123-140203-abcde3   yesterday 09:10   0.1   -           -
 0.8612   titanic/20261122-140202-abcde2   Nov 2 09:10         -   null        -"""
    )


def test_columns_that_are_asked_for_are_cut_and_never_broken(shown):
    noted = [replace(run, note="a word " * 20) for run in RUNS[1:3]]
    columns = ["note", "id", "params.model", "metrics.roc_auc", "metrics.roc_auc.std", "tags.never"]
    lines = shown(listing(noted, width=80, columns=columns, now=NOW)).splitlines()
    assert len(lines) == 4
    assert "…" in lines[2]
    assert all(run.id in line for run, line in zip(noted, lines[2:], strict=True))


def test_foreign_text_is_neither_markup_nor_a_command_to_the_terminal(shown):
    hostile = [
        run(number, "2026-11-21T14:02:00+01:00", params={"[/x]\x1b[2J": text}, note=text)
        for number, text in enumerate(("[red]a\x1b[31m", "b\nc"), start=1)
    ]
    text = shown(listing(hostile, width=140, now=NOW), width=140)
    assert "[/x]\\x1b[2J" in text
    assert "[red]a\\x1b[31m" in text
    assert "b\\nc" in text
    assert "\x1b" not in text
    assert "\\x1b[31m" in shown(listing(hostile, columns=["note"], now=NOW), width=140)


def test_the_best_run_is_told_with_its_scores_and_parameters(shown):
    best = replace(RUNS[1], best=BestTrial(3, {"model.C": 0.1}), duration_s=75.2)
    assert (
        shown(head(best))
        == """\
titanic/20261123-140203-abcde3  completed  1 trial  1 min 15 s

metric           mean ± std   95 % interval
───────────────────────────────────────────
roc_auc ↑   0.8612 ± 0.0212               -

trial 3: model.C=0.1"""
    )
