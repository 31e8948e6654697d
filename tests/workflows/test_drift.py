"""``mlops drift`` and ``mlops.drift``: new data held against what a run kept of its training data."""

from __future__ import annotations

import json
import tracemalloc

import numpy as np
import pandas as pd
import pytest

import mlops_cli as mlops
from mlops_cli.config.workspace import find_workspace
from mlops_cli.errors import ConfigError, DataError, ExitCode, StoreError, UsageError
from mlops_cli.records import DriftKind, DriftSpec
from mlops_cli.store.drift_reports import report_from_json, report_to_json
from mlops_cli.store.layout import RunPaths
from mlops_cli.store.references import read_reference
from mlops_cli.workflows.watching import answering
from mlops_cli.workflows.watching.drift import DriftOptions, drift

CONFIG = """
    defaults: [experiment, {data: csv}, {transforms: tabular}, {model: logistic_regression}, _self_]
    data: {path: data/train.csv, target: bought, id: number, dtypes: {since: datetime}}
    evaluation: {metrics: [roc_auc, accuracy]}
    artifacts: {plots: none}
    """
ROWS = 400


def table(rows, seed):
    """Numbers, counts, categories, dates, prose, names and a target that hangs on them."""
    rng = np.random.default_rng(seed)
    age, visits = rng.normal(40, 12, rows).round(1), rng.poisson(2, rows)
    town = rng.choice(["Oslo", "Rome", "Lima"], rows, p=[0.5, 0.3, 0.2])
    signal = (age - 40) / 8 + 1.5 * (town == "Rome") + rng.logistic(size=rows)
    return pd.DataFrame(
        {
            "number": np.arange(rows) + 1000 * seed,
            "age": np.where(rng.random(rows) < 0.1, np.nan, age),
            "visits": visits,
            "town": town,
            "member": rng.random(rows) < 0.4,
            "since": (pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 700, rows), "D")).astype(str),
            "street": [f"{rng.integers(1, 10**6)} Long Road" for _ in range(rows)],
            "bought": np.where(signal > 0.5, "yes", "no"),
        }
    )


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A workspace with a run, and new data that is like its own."""
    folder = tmp_path_factory.mktemp("drift")
    (folder / "configs").mkdir()
    (folder / "data").mkdir()
    (folder / "configs" / "shop.yaml").write_text("\n".join(line[4:] for line in CONFIG.splitlines()))
    table(ROWS, 1).to_csv(folder / "data" / "train.csv", index=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        run = mlops.run("shop", n_jobs=1)
    return folder, run


@pytest.fixture
def run(trained, monkeypatch):
    folder, made = trained
    monkeypatch.chdir(folder)
    return made


@pytest.fixture
def new(run):
    return table(300, 2)


def kinds(report):
    return {(finding.kind, finding.subject) for finding in report.findings}


# --- what is found -----------------------------------------------------------------------------------------------


def test_data_of_the_same_kind_has_not_drifted(run, new):
    report = mlops.drift(run, new)
    assert not report.drifted
    assert (report.rows, report.reference_rows, report.labelled) == (300, ROWS, 300)
    assert {c.shift.column for c in report.columns} == {"age", "visits", "town", "member", "since", "street"}
    assert {c.shift.column for c in report.predictions} == {"prediction", "proba_yes"}
    assert report.target.shift.column == "bought"
    assert [m.metric for m in report.metrics] == ["roc_auc", "accuracy"]
    assert not any(m.drifted for m in report.metrics)


@pytest.mark.parametrize(
    ("change", "kind", "subject"),
    [
        (lambda t: t.assign(age=t.age + 15), DriftKind.DISTRIBUTION, "age"),
        (lambda t: t.assign(age=t.age.where(t.index % 3 > 0)), DriftKind.MISSING, "age"),
        (lambda t: t.assign(town=t.town.replace({"Oslo": "Lima", "Lima": "Oslo"})), DriftKind.DISTRIBUTION, "town"),
        (lambda t: t.assign(town=t.town.where(t.index % 8 > 0, "Bern")), DriftKind.CATEGORIES, "town"),
        (lambda t: t.assign(member=~t.member), DriftKind.DISTRIBUTION, "member"),
        (lambda t: t.assign(since="2024-05-01"), DriftKind.DISTRIBUTION, "since"),
        (lambda t: t.assign(street=t.street + " in the very north"), DriftKind.DISTRIBUTION, "street"),
        (lambda t: t.assign(age=60.0), DriftKind.PREDICTIONS, "proba_yes"),
        (lambda t: t.assign(bought=np.roll(t.bought, 1)), DriftKind.METRIC, "roc_auc"),
        (lambda t: t.assign(bought="yes"), DriftKind.DISTRIBUTION, "bought"),
    ],
)
def test_what_has_changed_is_found_and_named(run, new, change, kind, subject):
    report = mlops.drift(run, change(new))
    assert (kind, subject) in kinds(report)
    (message,) = [f.message for f in report.findings if (f.kind, f.subject) == (kind, subject)]
    assert message.startswith(subject)


def test_the_metrics_are_those_of_evaluate_and_the_change_is_theirs(run, new):
    found = {m.metric: m for m in mlops.drift(run, new).metrics}
    scored = mlops.evaluate(run, new).metrics
    assert {name: m.after for name, m in found.items()} == pytest.approx({n: m.value for n, m in scored.items()})
    for name, metric in found.items():
        assert metric.before == pytest.approx(run.metrics[name].mean, abs=0.05)
        assert metric.change == metric.after - metric.before
        assert metric.ci95[0] < metric.change < metric.ci95[1]


def test_without_the_target_no_metric_is_told(run, new):
    report = mlops.drift(run, new.drop(columns="bought"))
    assert (report.metrics, report.target, report.labelled) == ((), None, 0)
    assert report.predictions


# --- a schema that has changed -----------------------------------------------------------------------------------


def test_a_column_that_is_gone_is_found_and_the_others_are_compared(run, new):
    report = mlops.drift(run, new.drop(columns="town").assign(age=new.age + 15))
    assert {(DriftKind.SCHEMA, "town"), (DriftKind.DISTRIBUTION, "age")} <= kinds(report)
    assert report.predictions == report.metrics == ()
    assert "cannot predict" in next(n.message for n in report.notices if n.code == "not-predicted")


@pytest.mark.parametrize(
    ("column", "value", "held"),
    [("age", "old", "numbers"), ("age", "inf", "numbers"), ("since", "some day", "dates"), ("member", "maybe", "true")],
)
def test_a_column_of_another_type_is_found_with_the_first_row(run, new, column, value, held):
    texts = new[column].astype(object).where(new.index != 123, value)
    new.assign(**{column: texts}).to_csv("odd.csv", index=False)
    report = mlops.drift(run, "odd.csv")
    (finding,) = [f for f in report.findings if f.kind is DriftKind.SCHEMA]
    assert finding.subject == column
    assert f"row 124 has '{value}', and in training it held {held}" in finding.message
    assert len(report.columns) == 5


def test_a_new_column_is_said_and_is_no_finding(run, new):
    report = mlops.drift(run, new.assign(colour="red"))
    assert not report.drifted
    assert [n.message for n in report.notices if n.code == "columns-new"] == ["training did not have 'colour'"]


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (pd.DataFrame({"else": range(50)}), "it has 'else', and 'age', 'visits', .* are needed"),
        (pd.DataFrame({"AGE": range(50), "Town": "Oslo"}), "'AGE' is like 'age'"),
        (pd.DataFrame({"number": range(50), "bought": "yes"}), "it has 'number', 'bought', and"),
    ],
    ids=["another", "in capitals", "target alone"],
)
def test_data_without_any_column_of_the_model_is_an_error(run, other, told):
    with pytest.raises(DataError, match=f"none of the columns that .* takes is in the table: .*{told}"):
        mlops.drift(run, other)


def test_a_renamed_column_is_found_by_its_new_name_and_counts_as_drifted(run, new):
    report = mlops.drift(run, new.rename(columns={"age": "Age"}))
    (finding,) = report.findings
    assert (finding.kind, finding.subject) == (DriftKind.SCHEMA, "age")
    assert finding.message == finding.sentence == "lacks 'age'; has 'Age', which is like it"
    assert (report.drifted_features, len(report.features)) == (("age",), 6)
    assert report_from_json(report_to_json(report)) == report


def test_a_column_that_may_be_missing_does_not_count(run, new):
    options = DriftOptions(declared=DriftSpec(schema=False))
    report = drift(run.id, new.drop(columns="age"), options).report
    assert (report.findings, report.drifted_features, len(report.features)) == ((), (), 5)


def test_a_file_that_lacks_a_column_in_some_rows_is_said_with_their_number(run, new):
    new.head(100).to_csv("some1.csv", index=False)
    new.tail(200).drop(columns="age").to_csv("some2.csv", index=False)
    (finding,) = (f for f in mlops.drift(run, "some*.csv").findings if f.kind is DriftKind.SCHEMA)
    assert finding.message == "lacks 'age' in 200 of 300 rows"


def test_no_rows_cannot_be_compared(run, new):
    with pytest.raises(DataError, match="has no rows"):
        mlops.drift(run, new.head(0))


def test_a_model_that_takes_no_new_category_says_so(run, experiment, new, tmp_path):
    body = CONFIG.replace("{transforms: tabular}, ", "").replace("data/train.csv", "data/train.csv, features: [town]")
    table(ROWS, 1).to_csv("data/train.csv", index=False)
    steps = "\n    transforms: {encode: {_target_: sklearn.preprocessing.OneHotEncoder, columns: all}}\n"
    strict = mlops.run(experiment(body + steps, "strict"), n_jobs=1)
    report = mlops.drift(strict, new.assign(town="Bern"))
    assert (DriftKind.PREDICTIONS, "bought") in kinds(report)
    assert any("cannot predict this data" in f.message for f in report.findings)


def test_a_target_that_cannot_be_read_is_said_and_nothing_is_scored(experiment, mixed):
    mixed.to_csv("data/train.csv", index=False)
    body = CONFIG.replace("target: bought, id: number, dtypes: {since: datetime}", "target: amount")
    body = body.replace("logistic_regression", "ridge").replace("[roc_auc, accuracy]", "[r2]")
    made = mlops.run(experiment(body), n_jobs=1)
    report = mlops.drift(made, mixed.assign(amount=mixed.amount.astype(object).where(mixed.index != 5, "lots")))
    assert [(one.kind, one.subject) for one in report.findings] == [("schema", "amount")]
    assert "cannot be read as in training" in report.findings[0].message
    assert report.predictions
    assert report.metrics == ()


# --- how it is read ----------------------------------------------------------------------------------------------


def everything(report):
    """Return a report without what differs between two looks at the same."""
    return {k: v for k, v in report_to_json(report).items() if k not in {"at", "data", "reference"}}


def alike(a, b):
    """Whether two reports say the same but for the last digits of sums."""
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(alike(a[k], b[k]) for k in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(alike, a, b))
    return a == pytest.approx(b, rel=1e-9, abs=1e-12) if isinstance(a, float) else a == b


def test_one_part_and_many_parts_are_the_same(run, new):
    whole = mlops.drift(run, new)
    for number, part in enumerate(np.array_split(np.arange(len(new)), 4)):
        new.iloc[part].to_csv(f"part{number}.csv", index=False)
    parted = mlops.drift(run, "part*.csv")
    assert alike(everything(whole), everything(parted))


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_file_and_a_table_are_the_same(run, new, suffix):
    getattr(new, f"to_{suffix}")(f"new.{suffix}", index=False)
    assert alike(everything(mlops.drift(run, new)), everything(mlops.drift(run, f"new.{suffix}")))


def test_the_very_rows_and_what_was_kept_of_them_are_the_same(run, new):
    moved = new.assign(age=new.age * 1.5)
    kept, exact = mlops.drift(run, moved), mlops.drift(run, moved, exact=True)
    assert alike(everything(kept), everything(exact))
    assert (kept.reference, exact.reference) == (f"the reference of {run.id}", f"the training data of {run.id}")


def test_memory_does_not_grow_with_the_rows(run, new, monkeypatch):
    monkeypatch.setattr(answering, "LABELLED", 1000)
    peaks = []
    for times in (20, 80):
        pd.concat([new] * times).to_parquet("large.parquet", index=False, row_group_size=4000)
        tracemalloc.start()
        mlops.drift(run, "large.parquet", resamples=0)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.6 * peaks[0]


# --- where it is held against ------------------------------------------------------------------------------------


def test_a_registered_version_carries_its_reference_and_needs_no_training_data(run, new, tmp_path):
    mlops.register(run, "shop")
    places = find_workspace(None).root
    (places / "data" / "train.csv").rename(tmp_path / "gone.csv")
    try:
        assert not mlops.drift("shop/1", new).drifted
        with pytest.raises(DataError, match=r"train\.csv"):
            mlops.drift("shop/1", new, exact=True)
    finally:
        (tmp_path / "gone.csv").rename(places / "data" / "train.csv")


def test_a_reference_that_was_changed_is_refused(experiment, mixed, workspace):
    mixed.to_csv("data/train.csv", index=False)
    body = CONFIG.replace("bought, id: number, dtypes: {since: datetime}", "survived")
    made = mlops.run(experiment(body), n_jobs=1)
    path = RunPaths(made.path).reference
    assert made.record.files[path.name]
    path.write_bytes(path.read_bytes()[:-4] + b"\0\0\0\0")
    with pytest.raises(StoreError, match="sha256"):
        mlops.drift(made, mixed)


def test_a_model_older_than_references_falls_back_on_its_training_data(experiment, mixed, workspace):
    mixed.to_csv("data/train.csv", index=False)
    made = mlops.run(experiment(CONFIG.replace("bought, id: number, dtypes: {since: datetime}", "survived")), n_jobs=1)
    before = everything(mlops.drift(made, mixed.head(60)))
    record = json.loads((made.path / "run.json").read_text())
    del record["files"]["reference.parquet"]
    (made.path / "run.json").write_text(json.dumps(record))
    report = mlops.drift(made.id, mixed.head(60))
    assert "no-reference" in {notice.code for notice in report.notices}
    assert alike(before["columns"], everything(report)["columns"])
    assert alike(before["metrics"], everything(report)["metrics"])
    (workspace / "data" / "train.csv").unlink()
    with pytest.raises(DataError, match="was made before references were kept"):
        mlops.drift(made.id, mixed)


def test_what_is_kept_has_no_rows_of_features(run):
    reference = read_reference(RunPaths(run.path).reference)
    street = next(c for c in reference.columns if c.name == "street")
    assert street.words is None
    content = RunPaths(run.path).reference.read_bytes()
    assert b"Long Road" not in content
    assert reference.sample.rows == ROWS


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("data: {path: data/mixed.csv, target: amount, drop: [survived]}\n", {"amount", "prediction"}),
        ("task: clustering\ndata: {path: data/mixed.csv, drop: [amount, survived, note]}\n", {"prediction"}),
    ],
    ids=["regression", "clustering"],
)
def test_every_task_is_watched(experiment, mixed, body, told):
    model = "kmeans" if "clustering" in body else "ridge"
    head = f"defaults: [experiment, {{data: csv}}, {{transforms: tabular}}, {{model: {model}}}, _self_]\n"
    made = mlops.run(experiment(head + body + "artifacts: {plots: none}\n"), n_jobs=1)
    report = mlops.drift(made, mixed.sample(100, random_state=0))
    assert not report.drifted
    outputs = (*report.predictions, *([report.target] if report.target else []))
    assert {one.shift.column for one in outputs} == told
    assert bool(report.metrics) == ("clustering" not in body)


def test_of_a_forecast_the_raw_columns_are_watched(experiment, workspace):
    days = pd.date_range("2020-01-01", periods=200)
    rng = np.random.default_rng(0)
    series = pd.DataFrame({"day": days.astype(str), "sold": rng.normal(50, 5, 200), "promo": rng.integers(0, 2, 200)})
    series.to_csv("data/sold.csv", index=False)
    made = mlops.run(
        experiment(
            """
            defaults: [experiment, {data: csv}, {model: ridge}, {split: time_series}, _self_]
            data: {path: data/sold.csv, target: sold, time: day, forecast: {lags: [1, 7], known: [promo]}}
            artifacts: {plots: none}
            """
        ),
        n_jobs=1,
    )
    later = series.assign(sold=series.sold + 30)
    report = mlops.drift(made, later)
    assert {c.shift.column for c in report.columns} == {"promo"}
    assert kinds(report) == {(DriftKind.DISTRIBUTION, "sold")}
    assert "forecast" in {notice.code for notice in report.notices}


# --- what counts -------------------------------------------------------------------------------------------------


@pytest.fixture
def declare(run):
    places = find_workspace(None).root / "configs" / "drift"
    places.mkdir(exist_ok=True)

    def write(text):
        (places / "shop.yaml").write_text(text)

    yield write
    (places / "shop.yaml").unlink()


def test_what_counts_is_declared_of_the_model(run, new, declare):
    moved = new.assign(age=new.age + 15, visits=new.visits + 3)
    declare("ignore: [visits]\ncolumns: {age: {psi: 99, distance: 99}}\npredictions: false\nmetrics: {accuracy: 1}\n")
    report = mlops.drift(run, moved)
    assert not report.drifted
    assert "visits" not in {c.shift.column for c in report.columns}
    assert report.predictions == ()
    declare("share: 0.5\nmetrics: {accuracy: 1}\npredictions: false\n")
    report = mlops.drift(run, moved)
    assert report.findings == ()
    assert sum(c.drifted for c in report.columns) == 2
    assert "2 of 6 features" in next(n.message for n in report.notices if n.code == "below-share")
    declare("min_rows: 1000\n")
    assert not mlops.drift(run, moved).drifted
    assert (DriftKind.SCHEMA, "town") in kinds(mlops.drift(run, moved.drop(columns="town")))
    declare("schema: false\nmin_rows: 1000\n")
    assert not mlops.drift(run, moved.drop(columns="town")).drifted


def test_what_is_declared_of_columns_that_are_not_there_is_said(run, new, declare):
    declare("ignore: [aeg]\n")
    (notice,) = [n for n in mlops.drift(run, new).notices if n.code == "no-such-column"]
    assert "drift names 'aeg', which is no column of training; did you mean 'age'?" in notice.message
    declare("metrics: {accurracy: 0.1}\n")
    with pytest.raises(ConfigError, match="accurracy"):
        mlops.drift(run, new)


def test_the_options_of_a_call_come_first(run, new, declare):
    declare("psi: 99\ndistance: 99\npredictions: false\nmetrics: {accuracy: 1}\n")
    moved = new.assign(age=new.age + 15)
    assert not mlops.drift(run, moved).drifted
    assert mlops.drift(run, moved, psi=0.1).drifted
    assert not mlops.drift(run, moved, psi=0.1, alpha=1e-300).drifted
    with pytest.raises(UsageError, match="alpha is between 0 and 1"):
        mlops.drift(run, moved, alpha=2)
    with pytest.raises(UsageError, match="takes no 'aplha'"):
        mlops.drift(run, moved, aplha=0.1)


# --- what is told ------------------------------------------------------------------------------------------------


def test_a_report_survives_as_json(run, new):
    report = drift(str(run.path), new.assign(town="Bern"), DriftOptions(resamples=50)).report
    text = json.dumps(report_to_json(report), allow_nan=False)
    assert report_from_json(json.loads(text)) == report


def test_the_command_ends_with_4_where_drift_is_found_and_with_0_where_not(run, new, mlops_command):
    new.to_csv("same.csv", index=False)
    new.assign(age=new.age + 15).to_csv("moved.csv", index=False)
    assert mlops_command("drift", "shop:latest", "same.csv")[0] == ExitCode.OK
    code, text = mlops_command("drift", "shop:latest", "moved.csv")
    assert code == ExitCode.CHECK
    assert "drift: " in text
    assert "age: mean" in text
    assert max(map(len, text.splitlines())) <= 80
    assert mlops_command("drift", "shop:latest", "moved.csv", "-q", "--alpha", "1e-9")[1].splitlines()[0] == "age"
    code, text = mlops_command("drift", "shop:latest", "moved.csv", "--json")
    told = json.loads(text)
    assert (code, told["drifted"], told["schema_version"]) == (ExitCode.CHECK, True, 1)
    assert set(told) == {
        "schema_version", "model", "data", "version", "at", "reference", "rows", "reference_rows", "labelled",
        "drifted", "judged", "findings", "unread", "columns", "predictions", "target", "metrics", "notices",
    }  # fmt: skip
    assert mlops_command("drift", "shop:latest", "nowhere.csv")[0] == ExitCode.DATA
    pd.DataFrame({"wing": range(50)}).to_csv("birds.csv", index=False)
    assert mlops_command("drift", "shop:latest", "birds.csv") == (ExitCode.DATA, "")


@pytest.fixture
def mlops_command(monkeypatch, capsys):
    """Run a command in this process: its exit code and what it printed."""
    from mlops_cli.cli.app import invoke

    def call(*arguments):
        monkeypatch.setattr("sys.argv", ["mlops", *arguments])
        monkeypatch.setenv("COLUMNS", "80")
        code = int(invoke())
        return code, capsys.readouterr().out

    return call
