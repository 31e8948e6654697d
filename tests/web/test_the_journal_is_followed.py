"""A watched run: its journal is read on from where the last look ended, and tells of the moment."""

from dataclasses import replace

import pytest

from mlops_cli.errors import StoreError
from mlops_cli.records import ErrorInfo, RunStatus, TrialResult, TrialState
from mlops_cli.store.journal import trials_after
from mlops_cli.web.live import Standings
from mlops_cli.web.pages import PER_PAGE
from mlops_cli.web.watching import best_so_far

from .serving import trial


def test_only_what_is_new_is_read(start_run):
    run = start_run()
    run.append(trial(0, 0.5))
    first, mark = trials_after(run.paths.journal)
    run.append(trial(1, 0.6))
    second, later = trials_after(run.paths.journal, mark)
    assert [t.trial for t in first] == [0]
    assert [t.trial for t in second] == [1]
    assert trials_after(run.paths.journal, later) == ([], later)


def test_a_line_that_is_being_written_is_read_when_it_is_whole(start_run):
    run = start_run()
    run.append(trial(0, 0.5))
    whole = run.paths.journal.read_bytes()
    run.append(trial(1, 0.6))
    both = run.paths.journal.read_bytes()
    run.paths.journal.write_bytes(both[: len(whole) + 20])
    found, mark = trials_after(run.paths.journal)
    assert [t.trial for t in found] == [0]
    run.paths.journal.write_bytes(both)
    assert [t.trial for t in trials_after(run.paths.journal, mark)[0]] == [1]


def test_a_damaged_line_is_named_by_its_number(start_run):
    run = start_run()
    run.append(trial(0, 0.5))
    _, mark = trials_after(run.paths.journal)
    with run.paths.journal.open("ab") as file:
        file.write(b"what is this?\n")
    with pytest.raises(StoreError, match=r"trials\.jsonl, line 2"):
        trials_after(run.paths.journal, mark)


def test_a_running_run_has_the_counts_and_the_best_trial_of_this_moment(start_run):
    run, standings = start_run(planned=5), Standings()
    run.append(trial(0, 0.5))
    assert standings.of(run.paths.root).record.best.trial == 0
    run.append(trial(1, 0.7))
    run.append(TrialResult(2, TrialState.FAILED, error=ErrorInfo("ValueError", "no", "Traceback …")))
    record = standings.of(run.paths.root).record
    assert record.status is RunStatus.RUNNING
    assert record.best.trial == 1
    assert (record.counts.trials, record.counts.completed, record.counts.failed) == (5, 2, 1)
    assert record.metrics["accuracy"].mean == pytest.approx(0.7)


def test_the_version_changes_with_each_trial_and_with_the_end_and_with_nothing_else(start_run):
    run, standings = start_run(), Standings()
    versions = [standings.of(run.paths.root).version]
    assert standings.of(run.paths.root).version == versions[0]
    run.append(trial(0, 0.5))
    versions.append(standings.of(run.paths.root).version)
    run.finish(replace(run.record, status=RunStatus.COMPLETED))
    versions.append(standings.of(run.paths.root).version)
    assert len(set(versions)) == 3


def test_a_run_that_is_killed_while_it_is_watched_reads_as_interrupted(start_run):
    run, standings = start_run(), Standings()
    run.append(trial(0, 0.5))
    assert standings.of(run.paths.root).record.status is RunStatus.RUNNING
    run.close()
    assert standings.of(run.paths.root).record.status is RunStatus.INTERRUPTED


def test_of_a_trial_that_is_tried_again_the_last_try_counts(start_run):
    run, standings = start_run(), Standings()
    run.append(TrialResult(0, TrialState.LOST, error=ErrorInfo("Killed", "out of memory")))
    standings.of(run.paths.root)
    run.append(trial(0, 0.5))
    found = standings.of(run.paths.root)
    assert [t.state for t in found.trials] == [TrialState.COMPLETED]
    assert found.record.counts.failed == 0


def test_a_reason_is_kept_with_its_traceback_once(start_run):
    run, standings = start_run(), Standings()
    for number in range(3):
        run.append(TrialResult(number, TrialState.FAILED, error=ErrorInfo("ValueError", "no", f"Traceback {number}")))
    assert [t.error.traceback for t in standings.of(run.paths.root).trials] == ["Traceback 0", "", ""]


def test_as_many_runs_are_followed_as_a_page_lists(start_run):
    paths, standings = [start_run().paths.root for _ in range(PER_PAGE)], Standings()
    first = [standings.of(path) for path in paths]
    assert all(standings.of(path) is before for path, before in zip(paths, first, strict=True))


def test_the_best_so_far_never_falls_and_leaves_out_what_failed(start_run):
    record = start_run().record
    failed = TrialResult(9, TrialState.FAILED, error=ErrorInfo("ValueError", "no"))
    trials = [failed, trial(0, 0.5), trial(1, 0.4), failed, trial(2, 0.7)]
    assert best_so_far(record, trials) == pytest.approx([0.5, 0.5, 0.5, 0.7])
