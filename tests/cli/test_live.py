"""The command while it works: a view that renews itself on a terminal, plain lines anywhere else."""

import io
import itertools
import os
import pty
import re
import subprocess
import sys

import pytest
from rich.console import Console

from mlops_cli.cli.progress import LiveDisplay, PlainDisplay, is_live
from mlops_cli.records import (
    Column,
    Dataset,
    DatasetVersion,
    Direction,
    ErrorInfo,
    Kind,
    Metric,
    Notice,
    Plan,
    RunRecord,
    RunStarted,
    RunStatus,
    SplitFinished,
    Stage,
    Task,
    TrialFinished,
    TrialResult,
    TrialState,
)

HIDE_CURSOR = "\x1b[?25l"


@pytest.fixture
def terminal():
    """The command on a terminal of its own: returns what it wrote there, and its exit code."""

    def call(*arguments, **env):
        parent, child = pty.openpty()
        known = {key: value for key, value in os.environ.items() if key not in {"NO_COLOR", "FORCE_COLOR", "COLUMNS"}}
        command = [sys.executable, "-m", "mlops_cli", *arguments]
        environment = {**known, "TERM": "xterm-256color", **env}
        with subprocess.Popen(command, stdin=child, stdout=child, stderr=child, env=environment) as process:
            os.close(child)
            text = b"".join(iter(lambda: _read(parent), b"")).decode()
        os.close(parent)
        return text.replace("\r\n", "\n"), process.returncode

    return call


def _read(file):
    try:
        return os.read(file, 65536)
    except OSError:  # the other end is closed
        return b""


def test_a_terminal_shows_a_view_and_keeps_what_was_said(small, terminal):
    text, code = terminal("run", "config=points", "model.C=0.1,1,-1", "-j", "1")
    assert code == 0
    assert HIDE_CURSOR in text
    assert "3 of 3 trials, 1 failed" in text
    assert text.endswith("runs them again\n")
    assert "trials × 5" in text


@pytest.mark.parametrize("env", [{"NO_COLOR": "1"}, {"TERM": "dumb"}], ids=["NO_COLOR", "dumb"])
def test_a_terminal_that_is_to_be_plain_gets_lines(small, terminal, env):
    text, code = terminal("run", "config=points", "model.C=0.1,1", "-j", "1", **env)
    assert code == 0
    assert HIDE_CURSOR not in text
    assert "\x1b[1A" not in text
    assert re.search(r"^2 of 2 trials, best roc_auc", text, re.MULTILINE)


def test_a_pipe_gets_lines_even_where_colours_are_asked_for(small, mlops):
    done = mlops("run", "config=points", "model.C=0.1,1", env={"FORCE_COLOR": "1", "TERM": "xterm-256color"})
    assert HIDE_CURSOR not in done.stderr
    assert "2 of 2 trials, best" in done.stderr


def test_what_was_said_when_it_ran_is_said_again_when_it_is_found(small, mlops):
    table = small / "data" / "points.csv"
    header, *rows = table.read_text().splitlines()
    table.write_text("\n".join([header, *rows, *rows]) + "\n")
    first = mlops("run", "config=points")
    assert first.stderr.count("! duplicates-across-splits") == 1
    assert "duplicates-across-splits" not in first.stdout
    for again in (mlops("run", "config=points"), mlops("resume", "points:latest")):
        assert again.returncode == 0
        assert (again.stdout + again.stderr).count("! duplicates-across-splits") == 1


def test_the_next_run_of_an_experiment_is_to_be_compared_with_the_one_before(small, mlops):
    first = mlops("run", "config=points", "--quiet").stdout.strip()
    second = mlops("run", "config=points", "model.C=3")
    found = re.search(r"mlops runs compare (\w{6}) (\w{6})", second.stderr)
    assert found is not None
    assert first.endswith(found[1])
    assert mlops("runs", "compare", found[1], found[2]).returncode == 0


# --- when lines are written ------------------------------------------------------------------------------------------


class Clock:
    """A clock that a test sets."""

    now = 1000.0

    def __call__(self):
        return self.now


RECORD = RunRecord("e/1", None, "e", RunStatus.RUNNING, "2026-01-02", warnings=(Notice("target-leak", "[/x] \x1b"),))
PLAN = Plan("e", Task.CLASSIFICATION, (Metric("f1", Direction.MAXIMIZE),), "f1", total=10_000, splits=1)
DATASET = Dataset(range(9), None, (Column("a", "int64", Kind.NUMERIC),), DatasetVersion("0", 9, ()))


@pytest.fixture
def watched():
    """A display of plain lines whose clock can be set, and what it wrote."""
    clock, file = Clock(), io.StringIO()
    display = PlainDisplay(Console(file=file, width=40, color_system=None), clock)
    return display, clock, file


def trial(number, total=10_000, message=None):
    error = None if message is None else ErrorInfo("ValueError", message)
    state = TrialState.COMPLETED if message is None else TrialState.FAILED
    best = TrialResult(0, TrialState.COMPLETED, {"model.C": 1}, {"f1": (0.5,)})
    return TrialFinished(TrialResult(number, state, error=error), number + 1, total, best)


def test_lines_come_every_two_seconds_and_then_more_rarely(watched):
    display, clock, file = watched
    display(RunStarted(RECORD, PLAN, DATASET, 1, 2))
    start, written = file.tell(), []
    for number in range(3000):
        clock.now += 0.5
        display(SplitFinished(number + 1, 10_000))
        display(trial(number))
        if file.tell() > start:
            written.append(clock.now - 1000.0)
            start = file.tell()
    gaps = [b - a for a, b in itertools.pairwise(written)]
    assert written[:3] == [2.0, 4.0, 6.0]
    assert gaps == sorted(gaps)
    assert gaps[-1] == 30.0
    assert len(written) < 90


def test_a_single_trial_of_long_fits_says_how_far_it_is(watched):
    display, clock, file = watched
    plan = Plan("e", Task.CLASSIFICATION, PLAN.metrics, "f1", total=1, splits=10)
    display(RunStarted(RECORD, plan, DATASET, 10, 1))
    for done in range(1, 11):
        clock.now += 20.0
        display(SplitFinished(done, 10))
    display(trial(0, total=1))
    clock.now += 1.0
    display(Stage("refit"))
    assert file.getvalue().splitlines() == [
        "e  classification, 9 rows × 1 feature, 1 trial × 10 splits on 1 worker, f1 ↑",
        "! target-leak: [/x] \\x1b",
        "  known and meant? data.accept=[target-leak]",
        "1 of 10 fits",
        "2 of 10 fits",
        "3 of 10 fits, about 2 min 20 s left",
        "4 of 10 fits, about 2 min 00 s left",
        "5 of 10 fits, about 1 min 40 s left",
        "6 of 10 fits, about 1 min 20 s left",
        "7 of 10 fits, about 1 min 00 s left",
        "8 of 10 fits, about 40 s left",
        "9 of 10 fits, about 20 s left",
        "10 of 10 fits",
        "1 of 1 trial, best f1 0.5000 (model.C=1)",
        "fitting the winner on all rows",
    ]


def test_a_reason_for_failures_is_written_once_and_then_counted(watched):
    display, clock, file = watched
    display(RunStarted(RECORD, PLAN, DATASET, 1, 2))
    for number in range(50):
        display(trial(number, message=f"no [/x]\x1b cheese\ntraceback {number}"))
    clock.now += 3.0
    display(trial(50))
    assert file.getvalue().splitlines()[3:] == [
        "trial 0 failed: ValueError: no [/x]\\x1b cheese",
        "51 of 10,000 trials, 50 failed, best f1 0.5000 (model.C=1)",
    ]


def test_the_view_follows_the_width_of_the_terminal():
    file = io.StringIO()
    console = Console(file=file, force_terminal=True, width=100, color_system=None)
    display = LiveDisplay(console, Clock())
    with display.live:
        display(RunStarted(RECORD, PLAN, DATASET, 1, 2))
        display(SplitFinished(7, 10_000))
        display(trial(6))
        start = file.tell()
        console.width = 30
        display.live.refresh()
        drawn = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "", file.getvalue()[start:])
    assert "7 of 10,000 trials" in drawn
    assert max(map(len, drawn.splitlines())) <= 30


def test_a_file_is_no_terminal_whatever_is_asked_for():
    assert not is_live(Console(file=io.StringIO(), force_terminal=True))
