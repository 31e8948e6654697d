"""A run that was interrupted is finished in its own directory, and comes out as if nothing had happened."""

import json
import subprocess
import sys

import pandas as pd
import pytest

import mlops_cli as mlops
from mlops_cli.errors import StoreError
from mlops_cli.records import RunStatus, TrialFinished

CONFIG = """
    defaults: [experiment, {data: csv}, {transforms: tabular}, {model: logistic_regression}, _self_]
    data: {path: data/mixed.csv, target: survived, drop: [note, weight, family, amount]}
    launcher: {backend: sequential}
    evaluation: {metrics: [roc_auc, accuracy], test: 0.2}
    """

SWEEPS = {
    "a grid": ["model.C=0.001,0.01,0.1,1,10,100", "transforms.impute_numeric.strategy=mean,median"],
    "a random search": ["model.C=tag(log, interval(0.001, 100))", "sweep.sampler=random", "sweep.trials=12"],
    "tpe": ["model.C=tag(log, interval(0.001, 100))", "sweep.sampler=tpe", "sweep.trials=12", "sweep.window=3"],
    "halving": ["model.C=100,0.0001,10,0.001,1,0.01,0.1,50,20,5,2,0.5", "sweep.pruner=halving", "sweep.window=3"],
}

SWEEPS["hyperband"] = [*SWEEPS["halving"][:1], "sweep.pruner=hyperband", "sweep.window=3", "split.n_splits=9"]
SWEEPS["halving over rows"] = [*SWEEPS["halving"][:1], "sweep.pruner={name: halving, over: rows}", "sweep.window=3"]
SWEEPS["points that are alike"] = [
    "sweep.space=[{model.C: [1,10,3,4,5,6]},{model.fit_intercept: [true,false]}]",
    "transforms.impute_numeric.strategy=mean,median",
]

TIMES = ("started", "ended", "duration_s", "process", "id", "path", "files", "audit")


class Interrupted(Exception):  # noqa: N818
    """Stands for what a test expects."""


def stop_after(count):
    """Return an observer that presses Ctrl-C when so many trials have ended."""

    def observe(event):
        if isinstance(event, TrialFinished) and event.done == count:
            raise KeyboardInterrupt

    return observe


def interrupted(name, overrides, count):
    with pytest.raises(KeyboardInterrupt):
        mlops.run(name, overrides, force=True, observer=stop_after(count))
    return mlops.find_run("latest")


def record_of(run):
    found = json.loads((run.path / "run.json").read_text())
    return {key: value for key, value in found.items() if key not in TIMES}


def trials_of(run):
    table = pd.read_csv(run.path / "trials.csv")
    return table.drop(columns=[c for c in table if c.endswith("_s")])


@pytest.mark.parametrize("sweep", SWEEPS.values(), ids=SWEEPS)
@pytest.mark.parametrize("count", [1, 7, 12])
def test_the_finished_files_are_those_of_a_run_that_was_not_interrupted(experiment, sweep, count):
    name = experiment(CONFIG)
    whole = mlops.run(name, sweep, force=True)
    begun = interrupted(name, sweep, count)
    assert begun.status is RunStatus.INTERRUPTED
    assert begun.record.counts.trials == whole.record.counts.trials
    resumed = mlops.resume(begun.id)
    assert resumed.id == begun.id
    assert record_of(resumed) == record_of(whole)
    pd.testing.assert_frame_equal(trials_of(resumed), trials_of(whole))
    for file in ("predictions.parquet", "predictions_test.parquet"):
        pd.testing.assert_frame_equal(pd.read_parquet(resumed.path / file), pd.read_parquet(whole.path / file))
    assert (resumed.path / "metrics.json").read_bytes() == (whole.path / "metrics.json").read_bytes()
    assert (resumed.path / "config.yaml").read_bytes() == (whole.path / "config.yaml").read_bytes()


def test_a_run_may_be_interrupted_again_and_again(experiment):
    name = experiment(CONFIG)
    whole = mlops.run(name, SWEEPS["a grid"], force=True)
    begun = interrupted(name, SWEEPS["a grid"], 2)
    for count in (5, 6, 9):
        with pytest.raises(KeyboardInterrupt):
            mlops.resume(begun.id, observer=stop_after(count))
    resumed = mlops.resume(begun.id)
    assert record_of(resumed) == record_of(whole)
    lines = (resumed.path / "trials.jsonl").read_text().splitlines()
    assert len(lines) == 12  # no trial was recorded twice


COUNTING = """
import pathlib
from sklearn.linear_model import LogisticRegression


class Counting(LogisticRegression):
    def fit(self, X, y, sample_weight=None):
        with open("fits.txt", "a") as file:
            file.write(f"{self.C}\\n")
        if pathlib.Path("broken.txt").exists() and self.C == 3:
            raise RuntimeError("not today")
        return super().fit(X, y)
"""


@pytest.fixture
def counting(experiment, workspace):
    (workspace / "counting.py").write_text(COUNTING)
    (workspace / "pyproject.toml").write_text('[tool.mlops]\ntrust = ["counting"]\n')
    own = CONFIG.replace("{model: logistic_regression}, ", "").rstrip()
    return experiment(own + "\n    model: {_target_: counting.Counting, C: 1.0}\n    artifacts: {predictions: false}\n")


def fits(workspace):
    path = workspace / "fits.txt"
    found = path.read_text().split() if path.exists() else []
    path.unlink(missing_ok=True)
    return sorted(float(c) for c in found)


def test_only_what_is_missing_is_computed(counting, workspace):
    begun = interrupted(counting, ["model.C=1,2,3,4"], 2)
    fits(workspace)
    run = mlops.resume(begun.id)
    assert run.record.counts.completed == 4
    best = run.best.params["model.C"]
    assert fits(workspace) == sorted([3.0] * 5 + [4.0] * 5 + [float(best)])  # the last one is the refit of the winner


def test_a_finished_run_is_returned_as_it_is(counting, workspace):
    run = mlops.run(counting, ["model.C=1,2"])
    fits(workspace)
    assert mlops.resume(run.id).record == run.record
    assert fits(workspace) == []


def test_an_identical_run_is_found_and_costs_nothing(counting, workspace):
    first = mlops.run(counting, ["model.C=1,2"])
    fits(workspace)
    assert mlops.run(counting, ["model.C=1,2"]).id == first.id
    assert fits(workspace) == []
    assert mlops.run(counting, ["model.C=1,2"], force=True).id != first.id
    assert len(fits(workspace)) == 11


def test_trials_of_another_run_are_reused_and_named(counting, workspace):
    first = mlops.run(counting, ["model.C=1,2"])
    fits(workspace)
    second = mlops.run(counting, ["model.C=2,3"])
    assert set(fits(workspace)) <= {2.0, 3.0}
    assert second.record.counts.reused == 1
    assert [r.reused for r in second.results] == [first.id, None]
    assert second.results[0].scores == first.results[1].scores
    assert second.results[0].trial == 0


def test_trials_of_an_interrupted_run_are_reused_too(counting, workspace):
    interrupted(counting, ["model.C=1,2,3,4"], 3)
    assert mlops.run(counting, ["model.C=4,3,2,1"]).record.counts.reused == 3


def test_what_was_reused_stays_so_when_the_run_is_resumed(counting, workspace):
    first = mlops.run(counting, ["model.C=1,2,3,4"])
    with pytest.raises(KeyboardInterrupt):
        mlops.run(counting, ["model.C=9,1,2,3"], observer=stop_after(2))
    fits(workspace)
    resumed = mlops.resume("latest")
    assert resumed.record.counts.reused == 3
    assert [r.reused for r in resumed.results] == [None, *[first.id] * 3]
    assert set(fits(workspace)) <= {9.0, float(resumed.best.params["model.C"])}  # the one that is new, and the refit


def test_a_pruner_is_not_gone_round_by_what_was_computed_without_one(experiment):
    name = experiment(CONFIG)
    halving = SWEEPS["halving"]
    alone = mlops.run(name, halving, force=True)
    mlops.run(name, halving[:1], force=True)
    beside = mlops.run(name, [*halving, "sweep.patience=50"])  # another run, with the same trials
    assert beside.record.counts == alone.record.counts


def test_half_written_files_of_a_killed_run_are_not_taken_for_whole(experiment, workspace):
    begun = interrupted(experiment(CONFIG), ["model.C=1,2,3"], 1)
    scratch = workspace / ".mlops" / "scratch" / begun.id
    scratch.mkdir(parents=True)
    (scratch / "job.joblib").write_bytes(b"")
    assert mlops.resume(begun.id, n_jobs=2).record.counts.completed == 3


def test_the_time_that_a_run_has_taken_counts_when_it_goes_on(experiment):
    begun = interrupted(experiment(CONFIG), ["model.C=1,2,3", "sweep.timeout=1h"], 1)
    file = begun.path / "run.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "duration_s": 3600.0}))
    resumed = mlops.resume(begun.id)
    assert resumed.record.counts.trials < 3
    assert "stopped-early" in {w.code for w in resumed.record.warnings}


def test_nothing_is_reused_after_the_data_or_the_code_has_changed(counting, workspace, mixed):
    mlops.run(counting, ["model.C=1,2"])
    (workspace / "counting.py").write_text(COUNTING + "\nVERSION = 2\n")
    assert mlops.run(counting, ["model.C=1,2,3"]).record.counts.reused == 0
    mixed.iloc[:-1].to_csv(workspace / "data" / "mixed.csv", index=False)
    assert mlops.run(counting, ["model.C=1,2,3"]).record.counts.reused == 0


def test_failed_trials_run_again_only_where_that_is_asked_for(counting, workspace):
    (workspace / "broken.txt").touch()
    run = mlops.run(counting, ["model.C=1,2,3"])
    assert run.record.counts.failed == 1
    (workspace / "broken.txt").unlink()
    fits(workspace)
    assert mlops.resume(run.id).record.counts.failed == 1
    assert fits(workspace) == []
    again = mlops.resume(run.id, retry_failed=True)
    assert again.id == run.id
    assert again.record.counts.failed == 0
    assert again.record.counts.completed == 3
    assert [r.trial for r in again.results] == [0, 1, 2]


def test_a_new_run_that_retries_computes_the_failed_trials_alone(counting, workspace):
    (workspace / "broken.txt").touch()
    first = mlops.run(counting, ["model.C=1,2,3"])
    (workspace / "broken.txt").unlink()
    assert mlops.run(counting, ["model.C=1,2,3"]).id == first.id
    second = mlops.run(counting, ["model.C=1,2,3"], retry_failed=True)
    assert second.id != first.id
    assert (second.record.counts.reused, second.record.counts.failed) == (2, 0)


def test_a_run_whose_data_has_changed_is_not_resumed(experiment, workspace, mixed):
    begun = interrupted(experiment(CONFIG), ["model.C=1,2,3"], 1)
    mixed.iloc[:-1].to_csv(workspace / "data" / "mixed.csv", index=False)
    with pytest.raises(StoreError, match=r"cannot be resumed: .* the data has changed .*mlops run config="):
        mlops.resume(begun.id)
    assert mlops.find_run(begun.id).status is RunStatus.INTERRUPTED


def _fewer_rows(table):
    return table.iloc[:-2]


def _other_columns(table):
    return table.drop(columns="fare").assign(price=1.5, age=table["age"].fillna(0).astype(int))


def _other_values(table):
    return table.assign(age=table["age"].fillna(40.0))


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (_fewer_rows, "120 rows are 118"),
        (_other_columns, "fare is gone, price is new, age is int64, was float64"),
        (_other_values, "age has other values"),
    ],
)
def test_it_is_said_what_has_changed_in_the_data(experiment, workspace, mixed, edit, said):
    begun = interrupted(experiment(CONFIG), ["model.C=1,2,3"], 1)
    edit(mixed).to_csv(workspace / "data" / "mixed.csv", index=False)
    with pytest.raises(StoreError) as raised:
        mlops.resume(begun.id)
    assert f"the data has changed ({said}; version " in raised.value.message


def test_it_is_said_which_version_of_what_has_changed(experiment):
    begun = interrupted(experiment(CONFIG), ["model.C=1,2,3"], 1)
    file = begun.path / "run.json"
    record = json.loads(file.read_text())
    record["environment"]["packages"]["scikit-learn"] = "1.0"
    record["environment"]["packages"]["joblib"] = "0.1"  # which no score depends on
    file.write_text(json.dumps({**record, "fingerprint": "0" * 64}))
    with pytest.raises(StoreError, match=r"since it began, scikit-learn 1\.0 is now [\d.]+ \(") as raised:
        mlops.resume(begun.id)
    assert "joblib" not in raised.value.message


def test_it_is_said_which_key_of_its_config_was_edited(experiment):
    begun = interrupted(experiment(CONFIG), ["model.C=1,2,3"], 1)
    file = begun.path / "config.yaml"
    file.write_text(file.read_text().replace("max_iter: 100", "max_iter: 7"))
    said = r"its config\.yaml has been edited; model\.max_iter has another value"
    with pytest.raises(StoreError, match=said):
        mlops.resume(begun.id)


def test_rows_held_out_in_a_file_are_part_of_what_a_run_depends_on(experiment, workspace, mixed):
    mixed.iloc[:50].to_csv(workspace / "data" / "test.csv", index=False)
    name = experiment(CONFIG.replace("test: 0.2", "test: data/test.csv"))
    begun = interrupted(name, ["model.C=1,2,3"], 1)
    mixed.iloc[:40].to_csv(workspace / "data" / "test.csv", index=False)
    with pytest.raises(StoreError, match=r"the data of evaluation\.test has changed \(50 rows are 40"):
        mlops.resume(begun.id)


def test_a_run_whose_code_has_changed_is_not_resumed(counting, workspace):
    begun = interrupted(counting, ["model.C=1,2,3"], 1)
    (workspace / "counting.py").write_text(COUNTING + "\nVERSION = 2\n")
    with pytest.raises(StoreError, match=r"since it began, counting\.py has changed \("):
        mlops.resume(begun.id)


HOLDER = """
import sys
from pathlib import Path
from mlops_cli.store.journal import Journal
with Journal(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_run_is_resumed_by_one_process_at_a_time(experiment):
    begun = interrupted(experiment(CONFIG), ["model.C=1,2,3"], 1)
    command = [sys.executable, "-c", HOLDER, str(begun.path / "trials.jsonl")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(StoreError, match=r"is running"):
            mlops.resume(begun.id)
        holder.kill()  # the lock dies with its holder
    assert mlops.resume(begun.id).record.counts.completed == 3


def test_a_warm_start_stays_what_it_was_when_the_run_is_resumed(experiment):
    name = experiment(CONFIG)
    first = mlops.run(name, ["model.C=0.01,0.1,1,10"])
    sweep = ["model.C=tag(log, interval(0.001, 100))", "sweep.sampler=tpe", "sweep.trials=4", "sweep.warm_start=latest"]
    begun = interrupted(name, sweep, 2)
    assert f"warm_start: {first.id}" in (begun.path / "config.yaml").read_text()
    assert mlops.resume("latest").record.counts.completed == 4


def test_the_command_resumes_and_says_what_it_did(experiment, workspace, mlops):
    begun = interrupted(experiment(CONFIG), ["model.C=1,2,3"], 1)
    done = mlops("resume", "latest", cwd=workspace)
    assert done.returncode == 0, done.stderr
    assert begun.id in done.stdout
    assert "3 trials" in done.stdout
    again = mlops("resume", begun.id, "--quiet", cwd=workspace)
    assert again.stdout.strip() == str(begun.path)
