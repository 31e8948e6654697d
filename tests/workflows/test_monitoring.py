"""A model over time: batches kept once, labels joined later, and what others may do to it in between."""

from __future__ import annotations

import json
import shutil
import signal
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, roc_auc_score

import mlops_cli as mlops
from mlops_cli.errors import DataError, StoreError, UsageError
from mlops_cli.records import Action
from mlops_cli.store.audit import AuditLog
from mlops_cli.store.layout import WorkspacePaths

CONFIG = """
defaults: [experiment, {data: csv}, {transforms: tabular}, {model: logistic_regression}, _self_]
data: {path: data/train.csv, target: bought, id: customer}
evaluation: {metrics: [accuracy, roc_auc], test: null}
split: {n_splits: 3}
artifacts: {plots: none}
"""


def made(rows=120, seed=0, shift=0.0, flipped=0.0):
    rng = np.random.default_rng(seed)
    age = rng.normal(40 + 20 * shift, 12, rows).round(1)
    bought = (age + rng.normal(0, 6, rows) > 42) ^ (rng.random(rows) < flipped)
    return pd.DataFrame(
        {
            "customer": [f"{seed:02d}{row:04d}" for row in range(rows)],
            "age": age,
            "city": rng.choice(["Rome", "Oslo"], rows),
            "bought": np.where(bought, "yes", "no"),
        }
    )


@pytest.fixture(scope="module")
def registered(tmp_path_factory):
    """A workspace with two versions of the model shop."""
    root = tmp_path_factory.mktemp("shop")
    for name in ("configs", "data"):
        (root / name).mkdir()
    made(400).to_csv(root / "data" / "train.csv", index=False)
    (root / "configs" / "shop.yaml").write_text(CONFIG)
    run = mlops.run("shop", [], workspace=root, n_jobs=1)
    for _ in range(2):
        mlops.register(run.path, "shop", alias="champion", workspace=root)
    return root


@pytest.fixture
def place(registered, tmp_path, monkeypatch):
    """A copy of the workspace, and the current folder."""
    root = tmp_path / "ws"
    shutil.copytree(registered, root)
    monkeypatch.chdir(root)
    return root


def put(table, name="new.csv", *, labels=False):
    table.drop(columns=[] if labels else ["bought"]).to_csv(name, index=False)
    return name


def log(table=None, file="new.csv", model="shop", **settings):
    return mlops.monitor.log(model, put(made(seed=1) if table is None else table, file), resamples=200, **settings)


def state(root):
    """Return every file of the batches with its content and time."""
    found = (root / "models" / "shop" / "batches").rglob("*")
    return {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in found if p.is_file()}


def tell(table, rows=slice(None), name="labels.csv"):
    table[["customer", "bought"]].iloc[rows].to_csv(name, index=False)
    return mlops.monitor.labels("shop", name)


def codes(notices):
    return [notice.code for notice in notices]


# --- batches -----------------------------------------------------------------------------------------------------


def test_a_batch_keeps_the_check_and_what_the_model_said(place):
    logged = log(made(seed=1))
    batch = logged.batch
    assert (logged.is_new, batch.ref, batch.name, batch.id_column) == (True, "shop/2", "new.csv", "customer")
    checked = mlops.drift("shop", "new.csv", resamples=200)
    assert [c.shift for c in batch.report.columns] == [c.shift for c in checked.columns]
    kept = pd.read_parquet(place / "models/shop/batches" / batch.id / "predictions.parquet")
    said = mlops.predict("shop", "new.csv", proba=True)
    assert kept["prediction"].tolist() == said["prediction"].tolist()
    assert kept["customer"].astype(str).tolist() == made(seed=1)["customer"].tolist()
    assert np.allclose(kept["proba_yes"], said["proba_yes"])
    assert mlops.monitor.batches("shop") == (batch,)
    last = list(AuditLog(WorkspacePaths(place)).entries())[-1]
    assert (last.action, last.subject, last.details["batch"]) == (Action.WATCHED, "shop/2", batch.id)


def test_the_same_content_for_the_same_version_is_kept_once(place):
    first = log(made(seed=1))
    before, entries = state(place), (place / ".mlops" / "audit.jsonl").read_bytes()
    again = log(made(seed=1), "copy.csv", name="another name")
    assert (again.is_new, again.batch) == (False, first.batch)
    assert state(place) == before
    assert (place / ".mlops" / "audit.jsonl").read_bytes() == entries
    assert log(made(seed=1), model="shop/1").is_new
    other = made(seed=1).assign(customer=[f"x{n}" for n in range(120)])
    assert log(other).is_new


def test_batches_stand_in_the_order_in_which_they_came(place):
    for seed in range(1, 6):
        log(made(seed=seed), f"{seed}.csv")
    table = mlops.monitor.show("shop")
    assert table["name"].tolist() == [f"{seed}.csv" for seed in range(1, 6)]
    assert table["id"].is_monotonic_increasing
    assert mlops.monitor.show("shop", limit=2)["name"].tolist() == ["4.csv", "5.csv"]


def test_a_table_in_memory_is_a_batch_too(place):
    table = made(seed=1).drop(columns="bought").set_axis(range(500, 620), axis=0)
    logged = mlops.monitor.log("shop", table, name="today", resamples=200)
    assert (logged.batch.name, logged.batch.report.rows) == ("today", 120)
    assert not log(made(seed=1)).is_new


def test_data_of_something_else_is_refused_and_not_kept(place):
    with pytest.raises(DataError, match=r"none of the columns that shop/2 takes is in other\.csv.*'Wing'.*'age'"):
        mlops.monitor.log("shop", put(pd.DataFrame({"Wing": range(50), "bought": "yes"}), "other.csv"))
    assert mlops.monitor.batches("shop") == ()


def test_a_batch_is_read_and_asked_about_once(place, monkeypatch):
    from mlops_cli.components.answers import Answers
    from mlops_cli.components.sources import CsvSource

    times = {"read": 0, "asked": 0}

    def counting(owner, name, what):
        inner = getattr(owner, name)

        def counted(*arguments, **options):
            times[what] += 1
            return inner(*arguments, **options)

        monkeypatch.setattr(owner, name, counted)

    counting(CsvSource, "pieces", "read")
    counting(Answers, "of", "asked")
    log(made(seed=1))
    assert times == {"read": 1, "asked": 1}


def test_a_model_that_kept_no_predictions_of_its_own_is_asked_all_the_same(place, monkeypatch):
    from mlops_cli.workflows.watching import drift

    whole = drift.trained_on

    def without(model, *, exact=False):
        found = whole(model, exact=exact)
        return replace(found, reference=replace(found.reference, predictions=(), sample=None))

    monkeypatch.setattr(drift, "trained_on", without)
    batch = log().batch
    assert (batch.report.predictions, batch.report.metrics, batch.id_column) == ((), (), "customer")
    kept = pd.read_parquet(place / "models/shop/batches" / batch.id / "predictions.parquet")
    assert kept["prediction"].tolist() == mlops.predict("shop", "new.csv")["prediction"].tolist()


def test_few_rows_are_said_to_be_too_few_wherever_it_is_told(place, command):
    declare(place, "alerts: [{file: told.jsonl, always: true}]\n")
    put(made(rows=1, seed=3, shift=9), "one.csv")
    code, out, err = command("monitor", "log", "shop", "one.csv")
    assert code == 0
    assert "one.csv  1 row for shop/2: too few rows to be judged" in out
    assert "1 row is fewer than min_rows" in err
    assert "(1 row): too few rows to be judged" in told(place)[0]["text"]
    assert told(place)[0]["judged"] is False
    assert "○ one.csv" in command("monitor", "show", "shop")[1]


def test_a_run_has_no_batches_and_says_how_to_get_some(place):
    with pytest.raises(UsageError, match="mlops models register latest --name"):
        log(model="latest")
    with pytest.raises(StoreError, match="no registered model 'shp'"):
        mlops.monitor.show("shp")


def test_what_the_model_cannot_predict_is_kept_and_said(place):
    logged = log(made(seed=1).drop(columns="age"))
    assert logged.batch.report.drifted
    assert logged.batch.id_column is None
    assert codes(logged.notices) == ["no-predictions"]


def test_rows_that_cannot_be_told_apart_are_kept_and_said(place):
    logged = log(made(seed=1).drop(columns="customer"))
    assert (logged.batch.id_column, codes(logged.notices)) == (None, ["no-id"])
    with pytest.raises(UsageError, match="no id that labels could be joined by"):
        tell(made(seed=1))
    with pytest.raises(DataError, match="the id"):
        log(made(seed=2), id="cusomer")


def test_a_batch_is_removed_by_its_name(place):
    log(made(seed=1), "1.csv")
    kept = log(made(seed=2), "2.csv").batch
    with pytest.raises(StoreError, match=r"did you mean '1.csv'"):
        mlops.monitor.rm("shop", "11.csv")
    mlops.monitor.rm("shop", "1.csv")
    assert mlops.monitor.batches("shop") == (kept,)
    log(made(seed=3), "2.csv")
    with pytest.raises(StoreError, match="means 2 batches"):
        mlops.monitor.rm("shop", "2.csv")
    mlops.monitor.rm("shop", "latest")
    mlops.monitor.rm("shop/1", kept.id)
    assert mlops.monitor.batches("shop") == ()


def test_the_registry_does_not_stumble_over_batches(place):
    log(made(seed=1))
    assert mlops.models.ls()["version"].tolist() == [1, 2]
    assert [found.faults for found in mlops.models.verify("shop")] == [()] * len(mlops.models.verify("shop"))
    mlops.models.rm("shop/2", force=True)
    assert mlops.monitor.show("shop")["version"].tolist() == [2]
    with pytest.raises(StoreError, match="no version of shop"):
        tell(made(seed=1))
    mlops.models.rm("shop/1", force=True)
    assert len(mlops.monitor.show("shop")) == 1
    assert len(mlops.models.ls()) == 0


def test_a_damaged_batch_is_named(place):
    batch = log().batch
    (place / "models/shop/batches" / batch.id / "report.json").write_text("{}")
    with pytest.raises(StoreError, match=batch.id):
        mlops.monitor.show("shop")


# --- labels ------------------------------------------------------------------------------------------------------


def test_labels_that_come_in_parts_are_joined_and_scored(place):
    table = made(seed=1)
    log(table)
    half = tell(table, slice(0, 60))
    assert (half.rows, half.matched, half.new) == (60, 60, 60)
    whole = tell(table, slice(40, 120))
    assert (whole.rows, whole.matched, whole.new) == (80, 80, 60)
    (batch,) = mlops.monitor.batches("shop")
    assert batch.labelled == 120
    said = mlops.predict("shop", "new.csv", proba=True)
    found = {metric.metric: metric for metric in batch.metrics}
    assert found["accuracy"].after == pytest.approx(accuracy_score(table["bought"], said["prediction"]))
    assert found["roc_auc"].after == pytest.approx(roc_auc_score(table["bought"] == "yes", said["proba_yes"]))
    low, high = found["accuracy"].ci95
    assert low < found["accuracy"].change < high


def test_labels_that_came_later_score_as_those_that_came_with_the_data(place):
    table = made(seed=1)
    put(table, "labelled.csv", labels=True)
    at_once = mlops.monitor.log("shop/1", "labelled.csv").batch
    log(table)
    tell(table)
    first, later = mlops.monitor.batches("shop")
    assert (first.id, first.labelled) == (at_once.id, 120)
    assert [(m.metric, m.after) for m in first.metrics] == [(m.metric, m.after) for m in later.metrics]
    assert [m.after for m in at_once.metrics] == [m.after for m in first.metrics]


def test_the_same_labels_again_change_nothing(place):
    table = made(seed=1)
    log(table)
    tell(table)
    before = state(place)
    again = tell(table)
    assert (again.matched, again.new) == (120, 0)
    assert state(place) == before


def test_labels_find_the_batches_that_they_are_of(place):
    tables = [made(seed=seed) for seed in (1, 2, 3)]
    for table in tables:
        log(table, f"{table['customer'][0]}.csv")
    found = tell(pd.concat([tables[0], tables[2], made(seed=9)]))
    assert [batch.labelled for batch in mlops.monitor.batches("shop")] == [120, 0, 120]
    assert (found.rows, found.matched) == (360, 240)
    assert "120 of 360 ids in no batch" in found.notices[-1].message


def test_what_is_odd_about_labels_is_said(place):
    table = made(seed=1)
    log(table.assign(customer=table["customer"].where(table.index != 5, table["customer"][4])))
    odd = pd.concat(
        [table.head(10), table.head(3), table.tail(4).assign(customer=None), table[20:22].assign(bought="")]
    )
    found = tell(odd)
    assert {"labels-twice", "id-missing", "rows-dropped", "ids-twice", "unknown-ids"} <= set(codes(found.notices))
    assert found.new == 10  # of the ten ids one is unknown, and one is of two rows


@pytest.mark.parametrize("where", ["in one file", "with what came before", "with what came with the data"])
def test_labels_that_contradict_are_refused_and_nothing_is_changed(place, where):
    table = made(seed=1)
    other = table.assign(bought=np.where(table["bought"] == "yes", "no", "yes"))
    put(table, labels=where == "with what came with the data")
    mlops.monitor.log("shop", "new.csv", resamples=200)
    if where == "with what came before":
        tell(table.head(50))
    before = state(place)
    with pytest.raises(DataError, match=r"nothing is changed: 010000"):
        tell(pd.concat([table, other]) if where == "in one file" else other)
    assert state(place) == before


def test_ids_are_the_same_as_numbers_and_as_text(place, monkeypatch):
    table = made(seed=1).assign(customer=range(1000, 1120))
    log(table)
    labels = table[["customer", "bought"]]
    assert mlops.monitor.labels("shop", labels.head(40)).matched == 40
    assert mlops.monitor.labels("shop", labels.assign(customer=labels["customer"].astype(float))[40:80]).matched == 40
    assert mlops.monitor.labels("shop", labels.assign(customer=labels["customer"].astype(str))[80:]).matched == 40
    assert mlops.monitor.batches("shop")[0].labelled == 120


def test_labels_without_the_columns_are_refused_by_name(place):
    log()
    made(seed=1).rename(columns={"bought": "bougt"}).to_csv("labels.csv", index=False)
    with pytest.raises(DataError, match="did you mean 'bougt'"):
        mlops.monitor.labels("shop", "labels.csv")
    with pytest.raises(DataError, match="no column 'client'"):
        mlops.monitor.labels("shop", "labels.csv", id="client")


def test_labels_that_belong_to_no_row_are_refused_with_ids_of_both_sides(place):
    log()
    labels = made(seed=1)[["customer", "bought"]].assign(customer=[f"other{n}" for n in range(120)])
    with pytest.raises(DataError, match=r"no label belongs to a row of a batch of shop.*such as other0"):
        mlops.monitor.labels("shop", labels)


def test_labels_of_one_batch_alone(place):
    table = made(seed=1)
    log(table, "a.csv")
    log(made(seed=2).assign(customer=table["customer"]), "b.csv")
    tell_ = table[["customer", "bought"]]
    assert [b.name for b in mlops.monitor.labels("shop", tell_, batch="a.csv").batches] == ["a.csv"]
    assert [batch.labelled for batch in mlops.monitor.batches("shop")] == [120, 0]


# --- who is told, and exit codes ---------------------------------------------------------------------------------


def declare(root, text):
    (root / "configs" / "drift").mkdir(exist_ok=True)
    (root / "configs" / "drift" / "shop.yaml").write_text(text)


def told(root):
    path = root / "told.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_drift_is_told_once_and_so_is_a_metric_that_fell(place):
    declare(place, "alerts: [{file: told.jsonl}]\n")
    log(made(seed=1))
    assert told(place) == []
    table = made(seed=2, shift=1, flipped=0.5)
    assert log(table).batch.report.drifted
    log(table)
    assert [(item["data"], item["see"]) for item in told(place)] == [("new.csv", "mlops monitor show shop")]
    assert tell(table).drifted
    tell(table)
    assert [item["findings"][0]["kind"] for item in told(place)][1:] == ["metric"]


def test_a_metric_that_was_told_of_is_not_told_again_as_more_labels_come(place):
    declare(place, "alerts: [{file: told.jsonl}]\n")
    table = made(seed=2, flipped=0.5)
    log(table)
    before = len(told(place))
    assert tell(table, slice(0, 80)).drifted
    assert tell(table, slice(80, 120)).drifted
    assert mlops.monitor.batches("shop")[0].labelled == 120
    assert [[f["subject"] for f in item["findings"]] for item in told(place)[before:]] == [["accuracy"]]


@pytest.fixture
def command(monkeypatch, capsys):
    """The command in this process: returns its exit code, stdout and stderr."""
    from mlops_cli.cli.app import invoke

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["mlops", *arguments])
        before = signal.getsignal(signal.SIGTERM)
        try:
            code = int(invoke())
        finally:
            signal.signal(signal.SIGTERM, before)
        return code, *capsys.readouterr()

    return call


def test_the_commands_end_in_4_on_drift_whatever_becomes_of_the_alert(place, command):
    declare(place, "alerts: [{command: exit 9}]\n")
    table = made(seed=2, shift=1, flipped=0.5)
    put(table, "shifted.csv")
    code, out, err = command("monitor", "log", "shop", "shifted.csv")
    assert code == 4
    assert "drift found" in out
    assert "exit code 9" in err
    code, out, err = command("monitor", "log", "shop", "shifted.csv", "--json")  # the same batch, and as drifted
    assert code == 4
    assert (json.loads(out)["drifted"], json.loads(out)["is_new"]) == (True, False)
    assert "exit code 9" not in err  # nobody is told twice
    table[["customer", "bought"]].to_csv("labels.csv", index=False)
    code, out, err = command("monitor", "labels", "shop", "labels.csv")
    assert code == 4
    assert "120 of 120 labels" in out
    assert "shifted.csv: accuracy fell from" in out
    assert "try: mlops retrain shop --data" in out
    assert "exit code 9" in err


def test_the_commands_say_what_there_is_and_remove_what_they_are_told_to(place, command):
    code, out, _ = command("monitor", "log", "shop", put(made(seed=1)), "--quiet", "--name", "monday")
    assert (code, out.strip()) == (0, mlops.monitor.batches("shop")[0].id)
    assert "monday" in command("monitor", "show", "shop")[1]
    shown = json.loads(command("monitor", "show", "shop", "--json")[1])
    assert (shown["model"], shown["total"], shown["batches"][0]["name"]) == ("shop", 1, "monday")
    assert command("monitor", "show", "shop", "--html", "trend.html")[:2] == (0, "trend.html\n")
    assert command("monitor", "rm", "shop", "monday")[0] == 2  # there is nobody to ask
    assert command("monitor", "rm", "shop", "monday", "--yes")[0] == 0
    assert command("monitor", "show", "shop")[1] == "shop  0 batches, 0 with drift\n"
    assert command("monitor", "show", "shp")[0] == 2


def test_a_command_that_only_the_runs_own_config_names_is_not_run(place):
    """The run may have come from elsewhere, config and all."""
    (place / "configs" / "shop.yaml").write_text(CONFIG + "drift: {alerts: [{command: touch hacked}]}\n")
    run = mlops.run("shop", ["seed=5"], n_jobs=1)
    mlops.register(run.path, "shop", alias="champion")
    assert codes(log(made(seed=2, shift=1)).notices) == []
    assert (place / "hacked").exists()
    (place / "hacked").unlink()
    (place / "configs" / "shop.yaml").write_text(CONFIG)
    logged = log(made(seed=3, shift=1))
    assert codes(logged.notices) == ["alert-not-sent"]
    assert not (place / "hacked").exists()


def test_what_an_alert_has_from_the_environment_is_in_no_file_and_no_message(place, command, monkeypatch):
    alerts = "[{webhook: '${oc.env:HOOK}'}, {file: '${oc.env:PLACE}'}, {command: 'test -n \"${oc.env:HOOK}\"; exit 5'}]"
    (place / "configs" / "shop.yaml").write_text(f"{CONFIG}drift: {{alerts: {alerts}}}\n")
    run = mlops.run("shop", ["seed=5"], n_jobs=1)  # what is not set is not needed to train
    mlops.register(run.path, "shop", alias="champion")
    put(made(seed=2, shift=1))
    monkeypatch.setenv("HOOK", "http://127.0.0.1:9/s3cr3t")
    monkeypatch.setenv("PLACE", str(place.parent / "s3cr3t.jsonl"))
    code, out, err = command("monitor", "log", "shop", "new.csv", "--verbose")
    assert code == 4
    assert err.count("alert-not-sent") == 2
    assert (place.parent / "s3cr3t.jsonl").read_text().count("\n") == 1
    assert "s3cr3t" not in out + err
    assert [path for path in place.rglob("*") if path.is_file() and b"s3cr3t" in path.read_bytes()] == []
