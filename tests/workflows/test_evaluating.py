"""Models scored on labelled rows: the metrics of the run, an interval for each, and files in a folder."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, matthews_corrcoef, roc_auc_score

import mlops_cli as mlops
from mlops_cli.errors import DataError, UsageError

CONFIG = """
    defaults: [experiment, {data: csv}, {transforms: tabular}, {model: logistic_regression}, _self_]
    data: {path: data/train.csv, target: survived, drop: [note, weight, amount, family]}
    evaluation: {metrics: [roc_auc, accuracy]}
    artifacts: {plots: none}
    """


@pytest.fixture
def model(experiment, workspace, mixed):
    """A model of the first rows, and the others as labelled ones."""
    name = experiment(CONFIG)
    mixed.head(80).to_csv(workspace / "data" / "train.csv", index=False)
    mixed.tail(40).to_csv(workspace / "data" / "new.csv", index=False)
    return mlops.run(name, n_jobs=1)


def test_the_scores_are_scikit_learns_and_lie_in_their_intervals(model):
    found = mlops.evaluate(model, "data/new.csv", metrics="mcc")
    table = pd.read_csv("data/new.csv")
    y, said = table["survived"], model.model()
    expected = {
        "roc_auc": roc_auc_score(y, said.predict_proba(table)[:, 1]),
        "accuracy": accuracy_score(y, said.predict(table)),
        "mcc": matthews_corrcoef(y, said.predict(table)),
    }
    assert {name: metric.value for name, metric in found.metrics.items()} == pytest.approx(expected, abs=1e-12)
    for metric in found.metrics.values():
        low, high = metric.ci95
        assert low < metric.value < high
        assert metric.std > 0


def test_a_metric_that_is_computed_one_resample_after_the_other_has_an_interval_too(model):
    found = mlops.evaluate(model, "data/new.csv", metrics=["d2_log_loss_score"], resamples=50)
    low, high = found.metrics["d2_log_loss_score"].ci95
    assert low < found.metrics["d2_log_loss_score"].value < high


def test_both_ways_of_drawing_come_to_the_same(model, monkeypatch):
    from mlops_cli.workflows.applying import evaluate

    quick = mlops.evaluate(model, "data/new.csv", resamples=60).metrics
    monkeypatch.setattr(evaluate, "statistic_of", lambda *_: None)
    slow = mlops.evaluate(model, "data/new.csv", resamples=60).metrics
    for name, metric in quick.items():
        assert metric.ci95 == pytest.approx(slow[name].ci95, abs=1e-12)


def test_groups_are_drawn_where_they_are_named(model):
    found = mlops.evaluate(model, "data/new.csv", group="family").found
    assert found.by == "family"
    assert found.metrics["accuracy"].ci95 != mlops.evaluate(model, "data/new.csv").metrics["accuracy"].ci95
    with pytest.raises(UsageError, match=r"^group: .* 'famly' \(did you mean 'family'"):
        mlops.evaluate(model, "data/new.csv", group="famly")


def test_a_table_in_memory_and_a_file_score_the_same(model):
    assert mlops.evaluate(model, pd.read_csv("data/new.csv")).metrics == mlops.evaluate(model, "data/new.csv").metrics


def test_rows_without_a_target_are_left_out_aloud(model):
    table = pd.read_csv("data/new.csv").astype({"survived": "Int64"})
    table.loc[3:5, "survived"] = pd.NA
    found = mlops.evaluate(model, table).found
    assert [n.message for n in found.warnings] == ["3 of 40 rows have no survived and are left out"]
    assert (
        found.metrics["accuracy"].value
        == mlops.evaluate(model, table.dropna(subset="survived")).metrics["accuracy"].value
    )


def test_without_the_target_nothing_is_scored(model):
    with pytest.raises(DataError, match=r"has no column 'survived', so nothing .* \(mlops predict is for rows"):
        mlops.evaluate(model, pd.read_csv("data/new.csv").drop(columns="survived"))


def test_what_the_model_was_trained_on_is_said_to_be_so(model):
    assert [n.code for n in mlops.evaluate(model, "data/train.csv").found.warnings] == ["trained-on"]


def test_rows_of_the_training_are_counted_wherever_they_stand(model):
    rows = pd.concat([pd.read_csv("data/new.csv"), pd.read_csv("data/train.csv").tail(15)]).sample(
        frac=1, random_state=0
    )
    (said,) = mlops.evaluate(model, rows, resamples=0).found.warnings
    assert said.code == "trained-on"
    assert said.message.startswith(
        "15 of the 55 rows have a twin, equal in all features and the target, in what the model"
    )
    assert mlops.evaluate(model, "data/new.csv", resamples=0).found.warnings == ()


def test_by_an_id_rows_that_are_only_equal_are_no_rows_of_the_training(experiment, mixed, workspace, monkeypatch):
    monkeypatch.chdir(workspace)
    name = experiment(
        """
        defaults: [experiment, {data: csv}, {transforms: tabular}, {model: logistic_regression}, _self_]
        data: {path: data/named.csv, target: survived, id: name, features: [age, sex]}
        evaluation: {metrics: [accuracy]}
        artifacts: {plots: none}
        """
    )
    named = mixed.assign(name=range(len(mixed)))
    named.to_csv("data/named.csv", index=False)
    model = mlops.run(name, n_jobs=1)
    others = named.assign(name=named["name"] + 1000)
    assert mlops.evaluate(model, others, resamples=0).found.warnings == ()
    (said,) = mlops.evaluate(model, pd.concat([others, named.head(3)]), resamples=0).found.warnings
    assert said.message == "the model was trained on 3 of the 123 rows: the scores flatter it"


def test_a_model_whose_training_rows_are_gone_is_scored_all_the_same(model):
    rows = pd.read_csv("data/train.csv").tail(15)
    Path("data/train.csv").unlink()
    assert mlops.evaluate(model, rows, resamples=0).found.warnings == ()


def test_a_metric_that_cannot_be_computed_is_told_and_the_others_stand(model):
    one = pd.read_csv("data/new.csv").query("survived == 1").reset_index(drop=True)
    found = mlops.evaluate(model, one).found
    assert list(found.metrics) == ["accuracy"]
    assert any(n.code == "metric-failed" and n.message.startswith("roc_auc: ") for n in found.warnings)


def test_a_label_that_the_model_does_not_know_is_told(model):
    table = pd.read_csv("data/new.csv")
    table.loc[0, "survived"] = 7
    found = mlops.evaluate(model, table).found
    assert any(n.message == "the model knows no 7" for n in found.warnings)


def test_too_few_rows_have_scores_and_no_intervals(model):
    found = mlops.evaluate(model, pd.read_csv("data/new.csv").head(6)).found
    assert found.metrics["accuracy"].ci95 is None
    assert "too-few" in [n.code for n in found.warnings]


def test_an_unknown_metric_is_told_with_the_nearest(model):
    with pytest.raises(UsageError, match=r"^metrics: there is no metric 'acuracy'.*did you mean 'accuracy'"):
        mlops.evaluate(model, "data/new.csv", metrics=["acuracy"])


def test_a_folder_holds_metrics_predictions_and_plots(model):
    made = mlops.evaluate(model, "data/new.csv", output="evaluation")
    written = json.loads(Path("evaluation/metrics.json").read_text())
    assert written["metrics"]["roc_auc"]["value"] == made.metrics["roc_auc"].value
    predictions = pd.read_parquet("evaluation/predictions.parquet")
    assert list(predictions.columns) == ["target", "prediction", "proba_0", "proba_1"]
    plots = {p.stem for p in Path("evaluation/plots").iterdir()}
    assert plots == {"confusion_matrix", "roc", "precision_recall", "calibration"}
    with pytest.raises(UsageError, match="force=True overwrites"):
        mlops.evaluate(model, "data/new.csv", output="evaluation")
    with pytest.raises(UsageError, match="there already"):
        mlops.evaluate(model, "data/new.csv", output=model.path, force=True)


def test_a_regression_has_its_metrics_and_plots(experiment, model):
    amount = experiment(CONFIG.replace("survived", "amount").replace("amount, family", "survived, family"), "amount")
    run = mlops.run(amount, ["model=ridge", "evaluation.metrics=[rmse,r2]", "evaluation.primary=rmse"], n_jobs=1)
    table = pd.read_csv("data/new.csv")
    made = mlops.evaluate(run, table, output="evaluation")
    errors = table["amount"] - run.model().predict(table)
    assert made.metrics["rmse"].value == pytest.approx(np.sqrt((errors**2).mean()))
    assert {p.stem for p in Path("evaluation/plots").iterdir()} == {"prediction_error", "residuals"}


def test_weights_of_the_training_weigh_here_too(experiment, model):
    run = mlops.run("e", ["data.weight=weight", "data.drop=[note,amount,family]"], n_jobs=1)
    table = pd.read_csv("data/new.csv")
    hits = run.model().predict(table) == table["survived"]
    found = mlops.evaluate(run, table, resamples=100).metrics["accuracy"]
    assert found.value == pytest.approx(np.average(hits, weights=table["weight"]))
    assert found.ci95[0] < found.value < found.ci95[1]


def test_the_command_shows_the_run_beside_it_and_exits_3_without_a_target(model, mlops):
    done = mlops("evaluate", "e:latest", "data/new.csv", "--resamples", "50")
    assert "95 % interval" in done.stdout
    assert "in training" in done.stdout
    found = json.loads(mlops("evaluate", "e:latest", "data/new.csv", "--json", "--resamples", "50").stdout)
    assert len(found["metrics"]["roc_auc"]["ci95"]) == 2
    pd.read_csv("data/new.csv").drop(columns="survived").to_csv("bare.csv", index=False)
    refused = mlops("evaluate", "e:latest", "bare.csv")
    assert (refused.returncode, refused.stdout) == (3, "")
    assert "error: bare.csv: has no column 'survived'" in refused.stderr


# --- forecasts ---------------------------------------------------------------------------------------------------

SERIES = """
    defaults: [experiment, {data: csv}, {transforms: time_series}, {model: ridge}, {split: forecast}, _self_]
    data:
      path: data/sales.csv
      target: sales
      time: day
      forecast: {horizon: %s, lags: %s, by: shop, calendar: [month]}
    evaluation: {metrics: [mae]}
    artifacts: {plots: none}
    """


@pytest.fixture
def sales(experiment, workspace):
    """Two shops by day, and a function that trains a forecast of them."""
    days = pd.date_range("2024-01-01", periods=60)
    rng = np.random.default_rng(0)
    waves = np.sin(np.arange(60))
    values = {shop: (level + waves + rng.normal(0, 0.1, 60)).round(4) for level, shop in enumerate("ab")}
    parts = [pd.DataFrame({"day": days, "shop": shop, "sales": sold}) for shop, sold in values.items()]
    table = pd.concat(parts, ignore_index=True)
    table.to_csv(workspace / "data" / "sales.csv", index=False)

    def train(horizon, lags):
        return mlops.run(experiment(SERIES % (horizon, lags), "sales"), n_jobs=1)

    return table, train


def future(table, days):
    more = pd.DataFrame({"day": pd.date_range("2024-03-01", periods=days)})
    return pd.concat([table, *(more.assign(shop=s, sales=np.nan) for s in "ab")], ignore_index=True)


def test_the_rows_without_a_target_are_forecast_from_their_past_in_any_order(sales):
    table, train = sales
    run = train(1, "[1, 2, 3]")
    asked = future(table, 1)
    found = mlops.predict(run, asked)
    assert found[["day", "shop"]].to_numpy().tolist() == [[pd.Timestamp("2024-03-01"), s] for s in "ab"]
    last = table.groupby("shop")["sales"].apply(lambda s: s.tail(3).tolist())
    features = pd.DataFrame({f"sales_lag_{k}": [last[s][-k] for s in "ab"] for k in (1, 2, 3)})
    rows = features.assign(day_month=3.0, shop=list("ab"))
    np.testing.assert_allclose(found["prediction"], run.model().predict(rows), rtol=1e-12)
    shuffled = mlops.predict(run, asked.sample(frac=1, random_state=0))
    assert dict(zip(shuffled["shop"], shuffled["prediction"], strict=True)) == pytest.approx(
        dict(zip(found["shop"], found["prediction"], strict=True)), rel=1e-12
    )


def test_each_row_is_forecast_by_the_least_horizon_that_reaches_it(sales):
    table, train = sales
    run = train("[1, 2, 4]", "[4, 5]")
    found = mlops.predict(run, future(table, 4))
    assert len(found) == 8
    assert np.isfinite(found["prediction"]).all()


def test_rows_beyond_the_horizon_are_refused_with_what_helps(sales):
    table, train = sales
    with pytest.raises(DataError, match=r"2024-03-02 lies 2 rows after .* forecasts 1 ahead \(forecast 1 at a time"):
        mlops.predict(train(1, "[1, 2]"), future(table, 2))


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda t: t.dropna(), "no row is to be forecast"),
        (lambda t: t.drop(columns="sales"), "has no column 'sales'.*with theirs left empty"),
        (lambda t: t.groupby("shop").tail(2), "no row has a past|too short a past"),
        (lambda t: t.head(0), "no rows"),
    ],
)
def test_what_cannot_be_forecast_is_told_in_one_line(sales, change, match):
    table, train = sales
    with pytest.raises(DataError, match=match):
        mlops.predict(train(1, "[1, 2, 3]"), change(future(table, 1)))


def test_a_forecast_is_scored_on_the_rows_that_have_their_past(sales):
    table, train = sales
    found = mlops.evaluate(train(1, "[1, 2, 3]"), table)
    assert len(found.table()) == len(table) - 2 * 3
    assert found.metrics["mae"].value == pytest.approx(
        np.abs(found.table()["target"] - found.table()["prediction"]).mean()
    )
