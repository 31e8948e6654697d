"""What is said while a run goes: how far it is, how long it will take, the best so far, what failed."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from mlops_cli.records import (
    Direction,
    ErrorInfo,
    Metric,
    Plan,
    RunStarted,
    SplitFinished,
    Stage,
    Task,
    TrialFinished,
    TrialResult,
    TrialState,
)
from mlops_cli.views.progress import Watched, after, live, progress_line, stage_line, time_left

METRICS = (Metric("roc_auc", Direction.MAXIMIZE), Metric("size", Direction.MINIMIZE))
PLAN = Plan("titanic", Task.CLASSIFICATION, METRICS, "roc_auc", total=40, splits=5)


@pytest.fixture
def shown():
    def render(watched, now, width=80):
        console = Console(width=width, color_system=None, highlight=False)
        with console.capture() as capture:
            console.print(live(watched, now, width))
        return "\n".join(line.rstrip() for line in capture.get().splitlines())

    return render


def begun(plan=PLAN, *, workers=2, limit_s=None):
    """Return a run whose trials begin at 100 s."""
    started = RunStarted(None, plan, None, plan.splits, workers, limit_s)
    return after(after(Watched.begun(90.0), Stage("data"), 95.0), started, 100.0)


def scored(number, *, scores=(0.8, 0.9), **params):
    params = {f"model.{key}": value for key, value in params.items()}
    return TrialResult(number, TrialState.COMPLETED, params, {"roc_auc": scores, "size": (2.0, 4.0)})


def failed(number, message, state=TrialState.FAILED):
    return TrialResult(number, state, {"model.C": -1}, error=ErrorInfo("ValueError", message))


def at(watched, *, fits, total=200, every=1.0, start=100.0):
    """Return what is known after so many fits, one after another."""
    for done in range(1, fits + 1):
        watched = after(watched, SplitFinished(done, total), start + done * every)
    return watched


# --- the time that is left -------------------------------------------------------------------------------------------


def test_nothing_is_said_of_the_time_left_before_enough_is_known():
    assert time_left(begun(), 130.0) is None
    assert time_left(at(begun(), fits=2), 102.0) is None
    assert time_left(at(begun(), fits=5, every=0.01), 100.05) is None
    assert time_left(at(begun(workers=16), fits=8), 108.0) is None  # of the first sixteen no half has ended


def test_the_time_left_follows_from_the_fits_so_far():
    watched = at(begun(), fits=50)
    assert time_left(watched, 150.0) == pytest.approx(150.0)
    assert time_left(watched, 160.0) == pytest.approx(140.0)  # it runs down between two fits
    assert time_left(watched, 400.0) is None  # and was too short a guess


def test_the_time_left_follows_the_pace_of_now_where_trials_get_slower():
    watched = at(begun(), fits=50, every=0.1)
    for done in range(51, 100):
        watched = after(watched, SplitFinished(done, 200), 105.0 + (done - 50) * 2.0)
    now = 105.0 + 49 * 2.0
    assert time_left(watched, now) == pytest.approx(101 * 2.0, rel=0.1)


def test_fits_that_were_there_already_do_not_make_a_run_look_quick():
    watched = after(begun(), SplitFinished(101, 200, known=100), 101.0)
    for done in range(102, 121):
        watched = after(watched, SplitFinished(done, 200, known=100), float(done))
    assert time_left(watched, 120.0) == pytest.approx(80.0)


def test_the_time_limit_of_a_sweep_bounds_the_time_left():
    watched = at(begun(limit_s=60.0), fits=50)
    assert time_left(watched, 150.0) == pytest.approx(10.0)
    unknown = replace(PLAN, total=None)
    assert time_left(begun(unknown, limit_s=60.0), 110.0) == pytest.approx(50.0)


def test_where_nobody_knows_how_many_fits_there_will_be_trials_tell():
    watched = begun()
    for done in range(1, 31):
        watched = after(watched, SplitFinished(done, None), 100.0 + done)
        if done % 3 == 0:
            watched = after(watched, TrialFinished(scored(done), done // 3, 40, scored(1)), 100.0 + done)
    assert time_left(watched, 130.0) == pytest.approx(90.0)  # 30 trials of 3 fits


@given(st.lists(st.floats(0.0, 1e4), min_size=1, max_size=200), st.integers(1, 8))
def test_the_time_left_is_never_less_than_nothing(gaps, workers):
    watched, now = begun(workers=workers), 100.0
    for done, gap in enumerate(gaps, 1):
        now += gap
        watched = after(watched, SplitFinished(done, 300), now)
        left = time_left(watched, now)
        assert left is None or left >= 1
    assert len(watched.pace.moments) < 100  # however long it takes


# --- on a terminal ---------------------------------------------------------------------------------------------------


def test_the_steps_before_the_trials_are_named(shown):
    watched = after(Watched.begun(0.0), Stage("data"), 1.0)
    assert shown(watched, 1.5) == "reading the data …"
    assert shown(watched, 4.2) == "reading the data …  3 s"
    assert shown(after(watched, Stage("plan"), 4.0), 4.2) == "planning …"


@pytest.fixture
def midway():
    """A sweep of which two trials have scores and four have failed."""
    watched = begun()
    results = [scored(0, C=0.1, kernel="rbf"), *(failed(n, f"C must be positive [/x]\nC={n}") for n in (1, 2, 3))]
    results += [failed(4, "\x1b[31mkilled"), scored(5, C=10, kernel="linear", scores=(0.85, 0.95))]
    best = None
    for done, result in enumerate(results, 1):
        best = result if result.scores else best
        watched = after(watched, SplitFinished(done * 5, 200), 100.0 + done * 5)
        watched = after(watched, TrialFinished(result, done, 40, best), 100.0 + done * 5)
    return watched


def test_a_sweep_midway(shown, midway):
    assert (
        shown(midway, 130.0)
        == """\
━━╸                  6 of 40 trials, 4 failed  about 2 min 50 s left  1.0 fits/s
best    roc_auc 0.9000 ± 0.0707  model.C=10 model.kernel=linear
failed  1 × ValueError: \\x1b[31mkilled
        3 × ValueError: C must be positive [/x]"""
    )


def test_a_narrow_terminal_has_whole_lines(shown, midway):
    assert (
        shown(midway, 130.0, width=60)
        == """\
━╸           6 of 40 trials, 4 failed  about 2 min 50 s left
best    roc_auc 0.9000 ± 0.0707  model.C=10 model.kernel=li…
failed  1 × ValueError: \\x1b[31mkilled
        3 × ValueError: C must be positive [/x]"""
    )


def test_a_wide_terminal_has_the_pace_too(shown, midway):
    first = shown(midway, 130.0, width=120).splitlines()[0]
    assert first.endswith("6 of 40 trials, 4 failed  about 2 min 50 s left  1.0 fits/s")


@pytest.mark.parametrize("width", [10, 20, 30, 40, 60, 80, 120, 200])
def test_no_line_is_wider_than_the_terminal_and_none_is_broken(shown, midway, width):
    for watched in (begun(), midway, after(midway, Stage("refit"), 131.0)):
        lines = shown(watched, 140.0, width).splitlines()
        assert max(map(len, lines)) <= width
        assert len(lines) <= 5


def test_the_reasons_that_came_last_are_shown_however_many_there_are(shown):
    watched = begun()
    for number in range(1000):
        event = TrialFinished(failed(number, f"reason {number}"), number + 1, 2000, None)
        watched = after(watched, event, 100.0 + number)
    lines = shown(watched, 1100.0).splitlines()
    assert "1,000 of 2,000 trials, 1,000 failed" in lines[0]
    assert [line[12:] for line in lines[1:]] == [f"ValueError: reason {n}" for n in (999, 998, 997)]
    assert len(watched.failures) <= 50


def test_a_sweep_with_objectives_has_its_front(shown):
    watched = begun(replace(PLAN, objectives=("roc_auc", "size")))
    watched = after(watched, TrialFinished(scored(0), 1, 40, scored(0), front=3), 101.0)
    assert shown(watched, 101.0).splitlines()[1:] == [
        "best    roc_auc 0.8500 ± 0.0707, size 3.0000 ± 1.4142",
        "front   3 trials, none beaten in roc_auc ↑ and size ↓ together",
    ]


def test_a_single_trial_is_counted_by_its_fits(shown):
    watched = at(begun(replace(PLAN, total=1, splits=20)), fits=5, total=20)
    assert shown(watched, 105.0) == "━━━━━━━━                          5 of 20 fits  about 15 s left  1.0 fits/s"


def test_where_the_end_is_not_known_there_is_no_bar(shown):
    watched = begun(replace(PLAN, total=None))
    watched = after(watched, SplitFinished(5, None), 105.0)
    watched = after(watched, TrialFinished(scored(0), 1, None, scored(0)), 105.0)
    assert shown(watched, 105.0).splitlines()[0] == "1 trial  5 s so far  1.0 fits/s"


def test_the_steps_after_the_trials_are_named_below_what_was_found(shown, midway):
    lines = shown(after(midway, Stage("refit"), 131.0), 134.0).splitlines()
    assert lines[-1] == "fitting the winner on all rows …  3 s"
    assert lines[0].endswith("6 of 40 trials, 4 failed")


# --- in a log --------------------------------------------------------------------------------------------------------


def test_a_line_says_how_a_sweep_stands(midway):
    said = "6 of 40 trials, 4 failed, 30 of 200 fits, best roc_auc 0.9000 (model.C=10 model.kernel=linear)"
    assert progress_line(midway, 130.0) == f"{said}, about 2 min 50 s left"


def test_a_line_says_how_many_fits_of_a_single_trial_are_done():
    watched = at(begun(replace(PLAN, total=1, splits=20)), fits=5, total=20)
    assert progress_line(watched, 105.0) == "5 of 20 fits, about 15 s left"
    watched = after(watched, TrialFinished(scored(0), 1, 1, scored(0)), 121.0)
    assert progress_line(watched, 121.0) == "1 of 1 trial, best roc_auc 0.8500"


# --- without a table -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("task", "saving", "again"),
    [
        (Task.SCRIPT, "keeping the files of the best trial", "running the best trial again for its files"),
        (Task.REINFORCEMENT, "keeping the agents of the best trial", "training the agents of the best trial again"),
        (Task.REGRESSION, "saving the model", "predicting with the winner"),
    ],
)
def test_the_steps_are_called_by_what_the_task_leaves(task, saving, again):
    plan = replace(PLAN, task=task)
    assert [stage_line(after(begun(plan), Stage(name), 101.0)) for name in ("save", "predict")] == [saving, again]


def test_what_is_repeated_is_counted_in_repetitions(shown):
    watched = at(begun(replace(PLAN, task=Task.SCRIPT, total=1, splits=20)), fits=5, total=20)
    assert progress_line(watched, 105.0) == "5 of 20 repetitions, about 15 s left"
    assert shown(watched, 105.0).endswith("5 of 20 repetitions  about 15 s left  1.0 repetitions/s")
    several = at(begun(replace(PLAN, task=Task.REINFORCEMENT)), fits=5)
    assert progress_line(several, 105.0).startswith("0 of 40 trials, 5 of 200 repetitions")
