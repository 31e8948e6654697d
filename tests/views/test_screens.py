"""Whole screens, as they stand in an 80-column terminal."""

from dataclasses import replace
from pathlib import Path

from rich.console import Group

from mlops_cli.records import (
    BestTrial,
    Column,
    Counts,
    DatasetVersion,
    Direction,
    ErrorInfo,
    Finding,
    GitState,
    Kind,
    MetricSummary,
    Notice,
    RunRecord,
    RunStatus,
    Task,
    TrialResult,
    TrialState,
)
from mlops_cli.views.doctor import findings_table
from mlops_cli.views.runs import failed, next_steps, summary
from mlops_cli.views.show import page

RECORD = RunRecord(
    id="titanic/20260102-030405-abcdef",
    path=Path("/w/runs/titanic/20260102-030405-abcdef"),
    experiment="titanic",
    status=RunStatus.COMPLETED,
    started="2026-01-02T03:04:05.000+00:00",
    task=Task.CLASSIFICATION,
    primary="roc_auc",
    direction=Direction.MAXIMIZE,
    best=BestTrial(1, {"model.C": 1.0, "model.kernel": None}),
    metrics={
        "roc_auc": MetricSummary(0.861234, 0.0212, (0.83, 0.89), (0.85, 0.87), 0.8501),
        "rmse": MetricSummary(12345.678, 10.0, (12000.0, 12600.0), (1.0, 2.0), 12000.0),
    },
    counts=Counts(trials=3, completed=2, failed=1),
    dataset=DatasetVersion("0123456789abcdef", 891, (Column("a", "int64", Kind.NUMERIC),), "y", "data/t.csv"),
    git=GitState("fedcba9876543210", dirty=True),
    environment={"python": "3.11.7"},
    duration_s=75.2,
    warnings=(Notice("target-leak", "alive gives survived away"),),
    tags={"stage": "draft"},
    fingerprint="00112233445566778899",
)
TRIALS = (
    TrialResult(0, TrialState.COMPLETED, {"model.C": 0.1}, {"roc_auc": (0.8, 0.82), "rmse": (1.0, 2.0)}),
    TrialResult(1, TrialState.COMPLETED, {"model.C": 1.0}, {"roc_auc": (0.85, 0.87), "rmse": (1.0, 2.0)}),
    TrialResult(
        2, TrialState.FAILED, {"model.C": -1}, error=ErrorInfo("ValueError", "C must be positive [/x]", "Traceback …")
    ),
)


def test_the_summary_of_a_sweep(shown):
    assert (
        shown(summary(RECORD, TRIALS))
        == """\
titanic/20260102-030405-abcdef  completed  3 trials, 1 failed  1 min 15 s

metric           mean ± std     95 % interval     test
──────────────────────────────────────────────────────
roc_auc ↑   0.8612 ± 0.0212   0.8300 … 0.8900   0.8501
rmse             12346 ± 10     12000 … 12600    12000

trial   roc_auc     rmse   params
──────────────────────────────────────
    1    0.8600   1.5000   model.C=1
    0    0.8100   1.5000   model.C=0.1
    2    failed   failed   model.C=-1

1 of 3 trials failed:
  1 × ValueError: C must be positive [/x]  trial 2
  --verbose shows where

! target-leak: alive gives survived away"""
    )


def test_the_page_of_a_run_says_where_it_came_from(shown):
    text = shown(page(RECORD, TRIALS))
    for line in (
        "task         classification",
        "data         data/t.csv  891 rows × 1 column  0123456789ab",
        "code         fedcba987654, uncommitted changes in source.diff",
        "tags         stage=draft",
        "files        /w/runs/titanic/20260102-030405-abcdef",
    ):
        assert line in text


def test_tracebacks_are_shown_when_they_are_asked_for(shown):
    error = ErrorInfo("ValueError", "bad", "Traceback …\n  File x, line 3")
    trials = (TrialResult(0, TrialState.FAILED, error=error),)
    assert "File x, line 3" in shown(summary(RECORD, trials, tracebacks=True))
    assert "File x, line 3" not in shown(summary(RECORD, trials))


def test_warnings_that_were_shown_are_not_shown_again(shown):
    assert "target-leak" not in shown(summary(RECORD, TRIALS, said=RECORD.warnings))


def test_a_failed_run_says_why(shown):
    failed = replace(RECORD, status=RunStatus.FAILED, metrics={}, best=None, error=ErrorInfo("OSError", "disk full"))
    assert "OSError: disk full" in shown(summary(failed, ()))


def test_escape_codes_in_foreign_text_are_made_visible(shown):
    hostile = replace(RECORD, warnings=(Notice("x", "\x1b[2J[red]gone"),), description="\x1b]0;t\x07")
    text = shown(page(hostile, TRIALS))
    assert "\\x1b[2J[red]gone" in text
    assert "\x1b" not in text


def test_what_comes_next_depends_on_how_it_ended():
    where = "in /w/runs/titanic/20260102-030405-abcdef"
    whole = replace(RECORD, counts=Counts(trials=3, completed=3))
    assert next_steps(whole) == [where, "next: mlops report abcdef  writes all there is to see as one page"]
    assert next_steps(whole, earlier="titanic/20260101-000000-012345") == [
        where,
        "next: mlops runs compare 012345 abcdef  is it better than the run before?",
        "      mlops report abcdef               writes all there is to see as one page",
    ]
    assert next_steps(RECORD) == [
        where,
        "next: mlops runs show abcdef --verbose    shows where trials failed",
        "      mlops resume abcdef --retry-failed  runs them again",
    ]
    lost = replace(RECORD, counts=Counts(trials=3, completed=2, failed=1, lost=1))
    assert next_steps(lost)[1] == "next: mlops resume abcdef --retry-failed  runs the lost trials again"
    stopped = replace(RECORD, status=RunStatus.INTERRUPTED)
    assert next_steps(stopped) == [where, "next: mlops resume abcdef  keeps 2 finished trials, runs the others"]
    assert next_steps(RECORD, nothing="it was there") == [where, "it was there"]
    assert all(len(line) <= 80 for run in (whole, RECORD, lost, stopped) for line in next_steps(run, earlier="a-b"))


def test_the_doctors_findings(shown):
    findings = [Finding("python", "ok", "3.11"), Finding("skrub", "missing", "not installed", 'pip install "x[auto]"')]
    assert (
        shown(findings_table(findings))
        == """\
check    state     found           mend
────────────────────────────────────────────────────────
python   ok        3.11
skrub    missing   not installed   pip install "x[auto]\""""
    )


def test_failures_that_differ_in_numbers_are_one_line_and_many_kinds_are_counted(shown):
    alike = [TrialResult(n, TrialState.FAILED, error=ErrorInfo("E", f"row {n}")) for n in range(4000)]
    text = shown(Group(*failed(alike)))
    assert text.splitlines()[1].startswith("  4000 × E: row 0  trials 0, 1, 2")
    others = [TrialResult(n, TrialState.FAILED, error=ErrorInfo("E", "x" * n)) for n in range(25)]
    lines = shown(Group(*failed(others))).splitlines()
    assert lines[1].startswith("  1 × E  trial 0")
    assert lines[-1] == "  … and 5 more kinds, in trials.csv"
