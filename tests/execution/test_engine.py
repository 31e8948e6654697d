"""What comes of a sweep does not depend on the order in which its fits end, nor on where it was interrupted."""

import random
import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_cli.components.assemble import Assembly
from mlops_cli.contracts import Call, Returned
from mlops_cli.execution.engine import Engine, Rules
from mlops_cli.execution.job import Candidate, Job, Scoring
from mlops_cli.execution.source import KnownTrial
from mlops_cli.records import (
    Column,
    ComponentSpec,
    Direction,
    ErrorInfo,
    Kind,
    LauncherSpec,
    MetricSpec,
    PrunerSpec,
    SamplerSpec,
    SplitScore,
    SweepSpec,
    Task,
    TransformSpec,
    Trial,
    TrialResult,
    TrialSpec,
    TrialState,
)
from tests.execution.conftest import Shuffled

ROWS = 60
RNG = np.random.default_rng(0)
X = pd.DataFrame(RNG.normal(size=(ROWS, 3)), columns=["a", "b", "c"])
Y = (X["a"] + RNG.normal(size=ROWS) > 0).astype(int).to_numpy()
COLUMNS = tuple(Column(name, "float64", Kind.NUMERIC) for name in X)
JOB = Job(X, Y, None, COLUMNS, Task.CLASSIFICATION, Scoring((MetricSpec("accuracy"), MetricSpec("roc_auc")), (0, 1), 1))
PARTS = np.array_split(np.arange(ROWS), 5)
SPLITS = tuple((np.setdiff1d(np.arange(ROWS), part), part) for part in PARTS)


def candidate(number, c=1.0, *, scale=True):
    steps = (TransformSpec("scale", ComponentSpec("sklearn.preprocessing.StandardScaler")),) if scale else ()
    spec = TrialSpec(ComponentSpec("sklearn.linear_model.LogisticRegression", {"C": c}), transforms=steps)
    trial = Trial(number, {"model.C": c}, spec, f"fingerprint {number}")
    return Candidate(trial, Assembly(spec, Task.CLASSIFICATION, COLUMNS).layout.root, "s")


class Listed:
    """A source of given candidates or results, that writes down what it is told and when."""

    def __init__(self, items):
        self.items = list(items)
        self.taken = 0
        self.told = []

    def take(self):
        if self.taken == len(self.items):
            return None
        self.taken += 1
        return self.items[self.taken - 1]

    def learn(self, result):
        self.told.append((self.taken, result.trial))


def run(tmp_path, source, *, seed=0, sweep=None, launcher=None, limits=None):
    rules = Rules(sweep or SweepSpec(), limits or LauncherSpec(), "accuracy", Direction.MAXIMIZE, splits=5)
    engine = Engine(JOB, lambda _key: SPLITS, rules, launcher or Shuffled(random.Random(seed)), tmp_path)
    found = list(engine.execute(source, lambda _event: None, len(source.items)))
    return sorted(found, key=lambda f: f.result.trial)


def told_of(results):
    """Return what is recorded of trials but times."""
    return [replace(f.result, fit_s=0.0, score_s=0.0) for f in results]


GRID = [10.0**k for k in range(-4, 5)]


@settings(max_examples=8)
@given(order=st.integers(0, 10**6))
def test_scores_do_not_depend_on_the_order_in_which_fits_end(tmp_path_factory, order):
    first = run(tmp_path_factory.mktemp("a"), Listed(candidate(n, c) for n, c in enumerate(GRID)))
    other = run(tmp_path_factory.mktemp("b"), Listed(candidate(n, c) for n, c in enumerate(GRID)), seed=order)
    assert told_of(first) == told_of(other)
    assert len(first) == len(GRID)


@pytest.mark.parametrize("pruner", ["halving", "hyperband", "wilcoxon"])
@pytest.mark.parametrize("over", ["splits", "rows"])
def test_what_is_pruned_does_not_depend_on_it_either(tmp_path, pruner, over):
    sweep = SweepSpec(pruner=PrunerSpec(pruner, over=over), window=3)
    runs = []
    for seed in range(4):
        folder = tmp_path / str(seed)
        folder.mkdir()
        source = Listed(candidate(n, c) for n, c in enumerate([1.0, *GRID, *GRID]))
        runs.append(told_of(run(folder, source, seed=seed, sweep=sweep)))
    assert all(one == runs[0] for one in runs)
    if pruner == "halving":
        assert TrialState.PRUNED in {r.state for r in runs[0]}


def test_a_pruned_trial_has_the_scores_that_it_had(tmp_path):
    sweep = SweepSpec(pruner=PrunerSpec("halving"), window=1)
    found = run(tmp_path, Listed(candidate(n, c) for n, c in enumerate([1.0, 1e-9, 1e-9])), sweep=sweep)
    best, *others = [f.result for f in found]
    assert best.state is TrialState.COMPLETED
    assert len(best.steps) == 3
    for pruned in others:
        assert pruned.state is TrialState.PRUNED
        assert len(pruned.scores["accuracy"]) == len(pruned.scores["roc_auc"]) == 1
        assert pruned.error.message.startswith("after 1 of 5 splits: accuracy ")
    assert all(not f.predictions for f in found[1:])


@pytest.mark.parametrize("seed", range(3))
def test_a_source_learns_of_exactly_the_trials_a_window_behind(tmp_path, seed):
    source = Listed(candidate(n, c) for n, c in enumerate(GRID))
    run(tmp_path, source, seed=seed, sweep=SweepSpec(sampler=SamplerSpec("tpe"), window=3))
    # When trial n is asked for, the trials up to n - 3 are told, no more and no fewer.
    assert source.told == [(number + 3, number) for number in range(len(GRID) - 2)]


def test_a_known_result_is_passed_on_and_not_computed_again(tmp_path):
    scores = {"accuracy": (1.0,) * 5, "roc_auc": (1.0,) * 5}
    known = KnownTrial(TrialResult(1, TrialState.COMPLETED, {"model.C": 5}, scores), 5)
    source = Listed([candidate(0), known, candidate(2, 3.0)])
    found = run(tmp_path, source)
    assert [f.result.trial for f in found] == [0, 1, 2]
    assert found[1].result == known.result


def test_a_sweep_of_nothing_but_known_results_ends(tmp_path):
    known = [KnownTrial(TrialResult(n, TrialState.COMPLETED, {}, {"accuracy": (0.5,)}), 1) for n in range(500)]
    assert len(run(tmp_path, Listed(known))) == 500


class Failing(Shuffled):
    """Fails some calls of a trial, as a worker that is lost does."""

    def __init__(self, rng, splits, kind="WorkerLost"):
        super().__init__(rng)
        self.splits, self.kind, self.begun = splits, kind, []

    def wait(self, timeout=None):
        found = []
        for returned in super().wait(timeout):
            kind, number, *_, split = returned.key
            if kind == "trial":
                self.begun.append((number, split))
            lost = kind == "trial" and number == 1 and split in self.splits
            found.append(Returned(returned.key, lost=ErrorInfo(self.kind, "it died")) if lost else returned)
        return found


@pytest.mark.parametrize("seed", range(6))
def test_of_several_splits_that_fail_the_first_one_counts(tmp_path, seed):
    launcher = Failing(random.Random(seed), {2, 4})
    found = run(tmp_path, Listed(candidate(n) for n in range(3)), launcher=launcher)
    lost = found[1].result
    assert lost.state is TrialState.LOST
    assert lost.error == ErrorInfo("WorkerLost", "it died (split 2)")
    assert lost.scores == {}
    assert [f.result.state for f in found] == [TrialState.COMPLETED, TrialState.LOST, TrialState.COMPLETED]


def test_the_splits_after_a_failed_one_are_not_begun(tmp_path):
    class First:
        def randrange(self, _count):
            return 0

    launcher = Failing(First(), {0})
    run(tmp_path, Listed(candidate(n) for n in range(3)), launcher=launcher)
    assert [split for number, split in launcher.begun if number == 1] == [0]
    assert len([split for number, split in launcher.begun if number != 1]) == 10


@pytest.mark.parametrize(("kind", "state"), [("MemoryLimit", "lost"), ("TimeLimit", "lost"), ("SystemExit", "failed")])
def test_a_limit_leaves_a_trial_lost_and_an_exit_failed(tmp_path, kind, state):
    found = run(tmp_path, Listed(candidate(n) for n in range(2)), launcher=Failing(random.Random(0), {0}, kind))
    assert str(found[1].result.state) == state


def test_a_trial_whose_splits_together_take_too_long_is_lost(tmp_path):
    found = run(tmp_path, Listed([candidate(0)]), limits=LauncherSpec(trial_timeout=1e-9))
    assert found[0].result.state is TrialState.LOST
    assert "launcher.trial_timeout" in found[0].result.error.message


def test_what_an_earlier_engine_gave_up_and_still_comes_back_is_let_go(tmp_path):
    launcher = Shuffled(random.Random(0))
    launcher.submit(Call(("block", "given up", 0), lambda _task: SplitScore(7, 0), None))
    found = run(tmp_path, Listed(candidate(n) for n in range(2)), launcher=launcher)
    assert [f.result.state for f in found] == [TrialState.COMPLETED] * 2


class Constant(Shuffled):
    """Gives every fit the same scores without computing anything."""

    def wait(self, timeout=None):
        if not self._queue:
            return []
        call = self._queue.pop(0)
        task = call.argument
        if task.store_as is not None:
            return [Returned(call.key, call.function(task))]
        scores = {"accuracy": 1.0 if task.trial.number == 2 else 0.5, "roc_auc": 0.5}
        return [Returned(call.key, SplitScore(task.trial.number, task.split, scores))]


def test_patience_ends_a_sweep_that_gets_no_better(tmp_path):
    sweep = SweepSpec(patience=4, window=1)
    source = Listed(candidate(n, scale=False) for n in range(50))
    found = run(tmp_path, source, sweep=sweep, launcher=Constant(random.Random(0)))
    assert len(found) == 2 + 1 + 4  # trial 2 is the best, and four more are no better


def test_no_trial_begins_after_the_time_is_over(tmp_path):
    source = Listed(candidate(n, scale=False) for n in range(50))
    assert run(tmp_path, source, sweep=SweepSpec(timeout=0.0), launcher=Constant(random.Random(0))) == []


def test_the_first_trials_end_first_so_that_an_interruption_costs_little(tmp_path):
    class Slow(Constant):
        ended = ()

        def wait(self, timeout=None):
            (returned,) = super().wait(timeout) or [None]
            if returned is None or returned.value.scores == {}:
                return [] if returned is None else [returned]
            self.ended = (*self.ended, (returned.key[1], returned.key[3]))
            return [replace(returned, value=replace(returned.value, fit_s=10.0))]

    launcher = Slow(random.Random(0), workers=2)
    run(tmp_path, Listed(candidate(n) for n in range(40)), launcher=launcher)
    started = [number for number, _ in launcher.ended]
    assert max(number - position // 5 for position, number in enumerate(started)) <= 2


def test_time_that_is_over_ends_trials_that_were_taken_but_not_begun(tmp_path):
    class Late(Constant):
        def wait(self, timeout=None):
            found = super().wait(timeout)
            deadline = time.monotonic() + 0.02
            while time.monotonic() < deadline:
                pass
            return found

    source = Listed(candidate(n, scale=False) for n in range(30))
    found = run(tmp_path, source, sweep=SweepSpec(timeout=0.2), launcher=Late(random.Random(0)))
    assert 0 < len(found) < 20
    assert [f.result.trial for f in found] == list(range(len(found)))


def test_no_more_trials_are_under_way_than_a_few(tmp_path):
    class Watched(Constant):
        most = 0

        def wait(self, timeout=None):
            self.most = max(self.most, len({c.argument.trial.number for c in self._queue}))
            return super().wait(timeout)

    launcher = Watched(random.Random(0))
    assert len(run(tmp_path, Listed(candidate(n, scale=False) for n in range(600)), launcher=launcher)) == 600
    assert launcher.most <= 100
