"""Of a run of others with runs nested in it, no score is joined to params that it was not measured with."""

import json
from dataclasses import replace
from pathlib import Path

from typer.testing import CliRunner

from mlops_cli.cli.app import build
from mlops_cli.components.trackers.mlflow_runs import FoundRun
from mlops_cli.records import BestTrial, Counts
from mlops_cli.store.imported import Imported, write_imported
from mlops_cli.store.layout import WorkspacePaths
from mlops_cli.workflows.runs.imported import Ranked, record_of


def command(*words):
    done = CliRunner().invoke(build(), list(words))
    assert done.exit_code == 0, (words, done.output, done.exception)
    return done.stdout


def found(params, metrics, number=0, children=()):
    params = {key: str(value) for key, value in params.items()}
    return FoundRun(f"r{number}", "net", "e", "FINISHED", 0, 1000, params, {}, metrics, {}, children=children)


def child(number, params, **metrics):
    made = found(params, metrics, number)
    return replace(made, tags={"mlflow.parentRunId": "r0"})


def imported(*given, **options):
    return record_of(found(*given, **options), "sqlite:///mlflow.db", Ranked(), Path("/w"))


def scores(record):
    return {name: summary.mean for name, summary in record.metrics.items()}


def test_a_run_that_measured_with_params_of_its_own_is_a_trial_beside_those_nested_in_it():
    nested = child(1, {"lr": 0.1}, accuracy=0.71), child(2, {"lr": 0.2}, accuracy=0.72)
    record, trials = imported({"lr": 0.1, "depth": 3}, {"accuracy": 0.8, "f1": 0.5}, children=nested)
    assert [(trial.params, trial.mean("accuracy")) for trial in trials] == [
        ({"lr": 0.1}, 0.71),
        ({"lr": 0.2}, 0.72),
        ({"lr": 0.1}, 0.8),
    ]
    assert (record.params, record.best) == ({"lr": 0.1, "depth": 3}, BestTrial(2, {"lr": 0.1}))
    assert scores(record) == {"accuracy": 0.8, "f1": 0.5}
    assert record.counts == Counts(trials=3, completed=3)


def test_where_a_nested_run_is_better_nothing_that_the_outer_one_measured_is_said_of_its_params():
    nested = child(1, {"lr": 0.1}, accuracy=0.71), child(2, {"lr": 0.2}, accuracy=0.72)
    record, trials = imported({"lr": 0.1, "depth": 3}, {"accuracy": 0.6, "f1": 0.5}, children=nested)
    assert (record.params, record.best) == ({"lr": 0.2, "depth": 3}, BestTrial(1, {"lr": 0.2}))
    assert scores(record) == {"accuracy": 0.72}
    assert trials[2].scores == {"accuracy": (0.6,), "f1": (0.5,)}


def test_a_search_that_adds_to_its_best_nested_run_has_what_that_one_measured_and_its_own_besides():
    nested = child(1, {"C": 1, "n_jobs": 1}, accuracy=0.71), child(2, {"C": 9, "n_jobs": 1}, accuracy=0.72)
    record, trials = imported({"cv": 3, "n_jobs": 4}, {"refit_time": 2.0}, children=nested)
    assert len(trials) == 2
    assert (record.params["C"], record.params["cv"]) == (9, 3)
    assert scores(record) == {"accuracy": 0.72, "refit_time": 2.0}
    record, _ = imported({"cv": 3}, {"accuracy": 0.9}, children=nested)
    assert scores(record) == {"accuracy": 0.72}


# --- how they are shown --------------------------------------------------------------------------------------------


def test_what_a_run_of_others_tells_is_shown_and_no_more(workspace):
    mine = WorkspacePaths(workspace)
    flat = [imported(params, {"accuracy": 0.7}) for params in ({"lr": 0.1}, {"lr": 0.2, "depth": 3})]
    nested = child(1, {"lr": 0.1}, accuracy=0.71), child(2, {"lr": 0.2}, accuracy=0.72, f1=0.4)
    made = [*flat, imported({}, {}, children=nested)]
    a, b, swept = (
        write_imported(mine, Imported(replace(record, tags={"mlflow.run_id": record.id}), trials, "name: e", {})).id
        for record, trials in made
    )
    assert "params   lr=0.2  depth=3" in command("runs", "show", b)
    assert "nan" not in command("runs", "show", swept)
    assert json.loads(command("runs", "diff", a, b, "--json"))["sections"]["params"]["depth"] == {"b": 3}
    assert json.loads(command("runs", "show", a, "--json"))["seed"] is None
    assert "seed" not in command("runs", "show", a)
