"""Every file of a run directory says what DESIGN promises of it."""

import csv
import hashlib
import json

import numpy as np
import pandas as pd
import pytest
import yaml
from sklearn.metrics import roc_auc_score

import mlops_cli as mlops
from mlops_cli.errors import DataError, StoreError

SWEEP = """
    defaults: [experiment, {data: csv}, {transforms: tabular}, {model: logistic_regression}, _self_]
    description: who survives
    data: {path: data/mixed.csv, target: survived, id: passenger, drop: [note, weight, family, amount]}
    evaluation: {test: 0.25, metrics: [roc_auc, accuracy]}
    """

STABLE = [
    "schema_version",
    "id",
    "path",
    "experiment",
    "status",
    "task",
    "primary",
    "direction",
    "best",
    "metrics",
    "counts",
    "dataset",
    "git",
    "environment",
    "seed",
    "started",
    "ended",
    "duration_s",
    "warnings",
    "tags",
    "fingerprint",
]


@pytest.fixture
def run(experiment, workspace, mixed):
    mixed.assign(passenger=[f"P{i:04}" for i in range(len(mixed))]).to_csv(workspace / "data/mixed.csv", index=False)
    return mlops.run(experiment(SWEEP), ["model.C=0.1,1,-1"], tags={"stage": "draft"}, note="a first look")


def test_run_json_has_its_stable_keys(run, workspace):
    record = json.loads((run.path / "run.json").read_text())
    assert set(STABLE) <= set(record)
    assert record["status"] == "completed"
    assert record["counts"] == {"trials": 3, "completed": 2, "failed": 1, "pruned": 0, "reused": 0, "lost": 0}
    assert record["path"] == run.path.relative_to(workspace).as_posix()
    assert record["tags"] == {"stage": "draft"}
    assert record["note"] == "a first look"
    assert record["dataset"]["rows"] == 120
    assert record["best"]["params"] == dict(run.best.params)
    assert set(record["metrics"]["roc_auc"]) == {"mean", "std", "ci95", "splits", "test"}


def test_a_failed_trial_is_recorded_with_its_reason_and_ends_nothing(run):
    lines = [json.loads(line) for line in (run.path / "trials.jsonl").read_text().splitlines()]
    failed = next(line for line in lines if line["trial"] == 2)
    assert failed["state"] == "failed"
    assert failed["error"]["type"] == "InvalidParameterError"
    assert "The 'C' parameter of LogisticRegression" in failed["error"]["message"]
    assert "Traceback" in failed["error"]["traceback"]
    assert {line["state"] for line in lines if line["trial"] != 2} == {"completed"}


def test_the_journal_has_one_line_per_trial_with_a_score_per_split(run):
    lines = [json.loads(line) for line in (run.path / "trials.jsonl").read_text().splitlines()]
    assert sorted(line["trial"] for line in lines) == [0, 1, 2]
    assert all(len(scores) == 5 for line in lines for scores in line["scores"].values())


def test_trials_csv_says_the_same_as_the_journal(run):
    with (run.path / "trials.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["params.model.C"] for row in rows] == ["0.1", "1", "-1"]
    assert float(rows[1]["metrics.roc_auc.mean"]) == pytest.approx(run.trials["roc_auc"][1], abs=1e-15)


def test_metrics_json_is_of_the_best_trial(run):
    metrics = json.loads((run.path / "metrics.json").read_text())
    best = max(run.results[:2], key=lambda r: r.mean("roc_auc"))
    assert metrics["roc_auc"]["mean"] == pytest.approx(best.mean("roc_auc"), abs=1e-15)
    assert metrics["roc_auc"]["splits"] == list(best.scores["roc_auc"])


def test_out_of_fold_predictions_carry_the_id_and_give_the_scores_again(run):
    table = run.predictions()
    assert list(table.columns[:4]) == ["split", "row", "passenger", "target"]
    assert len(table) == 90  # a quarter was held out
    assert table["passenger"].tolist() == [f"P{i:04}" for i in table["row"]]
    per_split = [roc_auc_score(part["target"], part["proba_1"]) for _, part in table.groupby("split")]
    np.testing.assert_allclose(per_split, run.metrics["roc_auc"].splits, atol=1e-12)


def test_held_out_rows_are_scored_once_by_the_winner(run):
    held = pd.read_parquet(run.path / "predictions_test.parquet")
    assert len(held) == 30
    assert not set(held["row"]) & set(run.predictions()["row"])
    assert run.metrics["roc_auc"].test == pytest.approx(roc_auc_score(held["target"], held["proba_1"]), abs=1e-12)


def test_the_model_is_the_winner_on_all_training_rows(run, mixed):
    model = run.model()
    held = pd.read_parquet(run.path / "predictions_test.parquet")
    rows = mixed.iloc[held["row"]]
    np.testing.assert_allclose(model.predict_proba(rows)[:, 1], held["proba_1"], atol=1e-12)
    assert type(model.pipeline).__module__.startswith("sklearn.")
    assert run.best.params["model.C"] == model.pipeline.named_steps["model"].C


def test_a_model_takes_its_columns_by_name_and_ignores_others(run, mixed):
    model = run.model()
    shuffled = mixed[["port", "note", "sex", "survived", "fare", "age"]]
    np.testing.assert_array_equal(model.predict(shuffled), model.predict(mixed))
    with pytest.raises(DataError, match="fare"):
        model.predict(mixed.drop(columns="fare"))


def test_tags_and_a_note_reach_a_run_that_was_there_already(run):
    again = mlops.run("e", ["model.C=0.1,1,-1"], tags={"seen": "twice"}, note="looked again")
    assert again.id == run.id
    record = mlops.find_run(run.id).record
    assert record.tags == {"stage": "draft", "seen": "twice"}
    assert record.note == "looked again"
    assert record.files == run.record.files


def test_the_models_files_are_hashed_in_the_record(run):
    files = json.loads((run.path / "run.json").read_text())["files"]
    assert {"model/model.skops", "model/signature.json", "model/card.md"} <= set(files)
    for name, digest in files.items():
        assert hashlib.sha256((run.path / name).read_bytes()).hexdigest() == digest


def test_a_changed_model_file_is_not_opened(run):
    path = run.path / "model" / "model.skops"
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(StoreError, match="sha256"):
        run.model()


def test_the_signature_says_what_goes_in_and_out(run):
    signature = json.loads((run.path / "model" / "signature.json").read_text())
    assert [c["name"] for c in signature["inputs"]] == ["age", "fare", "sex", "port"]
    assert signature["output"] == "survived"
    assert signature["classes"] == [0, 1]
    assert signature["id"] == "passenger"


def test_the_card_says_what_the_model_is(run):
    card = (run.path / "model" / "card.md").read_text()
    assert card.startswith("# e\n\nwho survives\n")
    assert "| roc\\_auc |" in card


def test_overrides_and_config_are_kept(run):
    assert yaml.safe_load((run.path / "overrides.yaml").read_text()) == ["model.C=0.1,1,-1"]
    config = yaml.safe_load((run.path / "config.yaml").read_text())
    assert config["name"] == "e"
    assert config["data"]["target"] == "survived"


def test_a_runs_own_config_runs_again_with_the_same_scores(run):
    again = mlops.run(run.path / "config.yaml", force=True)
    assert {r.trial: r.scores for r in again.results} == {r.trial: r.scores for r in run.results}
    assert again.record.fingerprint == run.record.fingerprint


def test_an_identical_finished_run_is_returned_at_once(run):
    same = mlops.run("e", ["model.C=0.1,1,-1"])
    assert same.id == run.id
    other = mlops.run("e", ["model.C=0.1,2"])
    assert other.id != run.id
    assert mlops.run("e", ["model.C=0.1,1,-1"], force=True).id != run.id


def test_changed_data_make_another_run(run, workspace, mixed):
    mixed.assign(passenger="P", age=mixed["age"] + 1).to_csv(workspace / "data/mixed.csv", index=False)
    assert mlops.run("e", ["model.C=0.1,1,-1"]).id != run.id


def test_nothing_of_the_environment_is_recorded(experiment, monkeypatch):
    monkeypatch.setenv("MYKEY_X", "s3cret-value-42")
    run = mlops.run(experiment(SWEEP.replace("id: passenger, ", "")))
    for path in run.path.rglob("*"):
        if path.is_file():
            assert b"s3cret-value-42" not in path.read_bytes(), path


def test_runs_is_a_table_of_what_was_run(run):
    table = mlops.runs("e")
    assert table["id"].tolist() == [run.id]
    assert table["metrics.roc_auc"][0] == pytest.approx(run.metrics["roc_auc"].mean)
    assert table["tags.stage"][0] == "draft"


def test_trials_is_a_table_of_the_trials(run):
    assert run.trials["state"].tolist() == ["completed", "completed", "failed"]
    assert run.trials["params.model.C"].tolist() == [0.1, 1, -1]
    assert "InvalidParameterError" in run.trials["error"][2]


def test_the_log_has_a_line_for_each_trial(run):
    log = (run.path / "run.log").read_text()
    assert all(f"trial {n} " in log for n in range(3))
    assert log.rstrip().endswith("completed: 2 of 3 trials completed, 1 failed")


def test_scratch_files_are_gone(run, workspace):
    assert not list((workspace / ".mlops").rglob("*.joblib"))


def test_a_run_of_which_no_trial_completes_has_failed_and_says_why(experiment, workspace):
    (workspace / "broken.py").write_text(
        "from sklearn.linear_model import LogisticRegression\n"
        "class Broken(LogisticRegression):\n"
        "    def fit(self, X, y, sample_weight=None):\n"
        "        raise RuntimeError('out of cheese')\n"
    )
    (workspace / "pyproject.toml").write_text('[tool.mlops]\ntrust = ["broken"]\n')
    name = experiment("""
        defaults: [experiment, {data: csv}, {transforms: tabular}, _self_]
        data: {path: data/mixed.csv, target: survived, drop: [note, weight, family, amount]}
        model: {_target_: broken.Broken}
        """)
    run = mlops.run(name)
    assert run.status == "failed"
    assert run.best is None
    assert run.record.error.message.startswith("out of cheese")
    assert json.loads((run.path / "run.json").read_text())["error"]["type"] == "RuntimeError"


def test_the_record_has_all_parameters_of_the_winner_swept_or_not(run):
    record = json.loads((run.path / "run.json").read_text())
    assert record["params"]["model.C"] == record["best"]["params"]["model.C"]
    assert record["params"]["model"] == "logistic_regression"
    assert record["params"]["transforms.impute_numeric.strategy"] == "median"
    assert record["params"]["split.n_splits"] == 5


def test_runs_over_the_same_rows_share_the_digest_of_their_splits_whatever_the_model_sees(run):
    other = mlops.run("e", ["model=knn", "data.drop=[note,weight,family,amount,passenger,port]", "data.id=null"])
    assert other.record.splits == run.record.splits
    assert run.record.splits.count == 5
    assert run.record.splits.test_share == pytest.approx(0.25, abs=0.01)


@pytest.mark.parametrize("change", ["seed=1", "split.n_splits=4", "evaluation.test=0.3", "data.target=sex"])
def test_other_rows_or_another_target_have_another_digest(run, change):
    metrics = ["evaluation.metrics=[accuracy]"] if change == "data.target=sex" else []
    other = mlops.run("e", [change, *metrics])
    assert other.record.splits.digest != run.record.splits.digest


def test_the_same_content_from_another_place_is_another_run_that_takes_the_trials_of_the_first(experiment, workspace):
    first = mlops.run(experiment(SWEEP), ["data.id=null", "artifacts.plots=none"])
    (workspace / "data/copy.csv").write_bytes((workspace / "data/mixed.csv").read_bytes())
    second = mlops.run("e", ["data.id=null", "artifacts.plots=none", "data.path=data/copy.csv"])
    assert second.id != first.id
    assert second.record.dataset.source == "data/copy.csv"
    assert second.record.counts.reused == 1
    assert second.metrics == first.metrics
    assert mlops.run("e", ["data.id=null", "artifacts.plots=none"]).id == first.id
