"""A run that was killed did not count its trials: its journal tells how far it came."""

from __future__ import annotations

import pytest

from mlops_cli.records import BestTrial, Counts, Direction, ErrorInfo, RunStatus, TrialResult, TrialState
from mlops_cli.store.find import find_run, list_runs, read_run


def scored(number: int, *values: float) -> TrialResult:
    return TrialResult(number, TrialState.COMPLETED, {"model.C": float(number)}, {"accuracy": values})


@pytest.fixture
def killed(start):
    """Leave a run of six trials after some of them, as ``kill -9`` does."""

    def leave(*results, direction=Direction.MAXIMIZE):
        writer = start(primary="accuracy", direction=direction, counts=Counts(trials=6))
        for result in results:
            writer.append(result)
        writer.close()
        return writer.paths

    return leave


def test_the_trials_that_ended_are_counted(killed):
    lost = TrialResult(2, TrialState.LOST, error=ErrorInfo("WorkerLost", "killed"))
    paths = killed(scored(0, 0.5, 0.7), TrialResult(1, TrialState.FAILED), lost, scored(3, 0.9, 0.8))
    record = read_run(paths.root)
    assert record.status is RunStatus.INTERRUPTED
    assert record.counts == Counts(trials=6, completed=2, failed=2, lost=1)


@pytest.mark.parametrize(("direction", "best"), [(Direction.MAXIMIZE, 3), (Direction.MINIMIZE, 0)])
def test_the_best_trial_so_far_is_told_with_its_spread(killed, workspace, direction, best):
    killed(scored(0, 0.5, 0.7), scored(3, 0.9, 0.7), scored(4, 0.7, 0.9), direction=direction)
    (record,) = list_runs(workspace).runs
    assert record.best == BestTrial(best, {"model.C": float(best)})
    summary = record.metrics["accuracy"]
    assert summary.mean == pytest.approx({0: 0.6, 3: 0.8}[best])
    assert summary.std == pytest.approx(0.1414, abs=1e-4)
    assert summary.ci95 is None
    assert find_run(workspace, "latest") == record


def test_a_run_that_was_killed_before_its_first_trial_ended_has_no_best_one(killed):
    record = read_run(killed().root)
    assert (record.counts, record.best, record.metrics) == (Counts(trials=6), None, {})


def test_a_trial_that_was_tried_again_counts_once(killed):
    record = read_run(killed(TrialResult(0, TrialState.FAILED), scored(0, 0.5, 0.6)).root)
    assert record.counts == Counts(trials=6, completed=1)


def test_a_damaged_journal_hides_no_run(killed, workspace):
    paths = killed(scored(0, 0.5, 0.7))
    paths.journal.write_bytes(b"{\n" + paths.journal.read_bytes())
    (record,) = list_runs(workspace).runs
    assert record.status is RunStatus.INTERRUPTED
    assert record.best is None


def test_only_the_journal_of_a_killed_run_is_read(finished, workspace):
    record = finished(0.9)
    (record.path / "trials.jsonl").write_bytes(b"no journal at all\n")
    assert list_runs(workspace).runs == (record,)
