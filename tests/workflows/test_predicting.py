"""Predictions of new data: the same as the Pipeline's, row by row, whatever the file, and errors in one line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import mlops_cli as mlops
from mlops_cli.components import answers
from mlops_cli.components.sources import pieces
from mlops_cli.errors import DataError, StoreError, UsageError
from mlops_cli.workflows.applying.asking import PredictOptions
from mlops_cli.workflows.applying.predict import predict
from mlops_cli.workflows.data.tables import HowRead

ROWS = 240
CONFIG = """
    defaults: [experiment, {data: csv}, {transforms: everything}, {model: logistic_regression}, _self_]
    data:
      path: data/people.csv
      target: survived
      id: person
      read: {sep: ";", decimal: ","}
    evaluation: {metrics: [accuracy, roc_auc]}
    artifacts: {plots: none}
    """


def people(rows=ROWS, seed=0):
    """Mixed columns: numbers with gaps, whole numbers, categories, prose, dates, booleans, ids with leading zeros."""
    rng = np.random.default_rng(seed)
    age = rng.normal(40, 12, rows).round(2)
    male = rng.random(rows) < 0.5
    table = pd.DataFrame(
        {
            "person": [f"{n:05d}" for n in range(rows)],
            "age": age,
            "rooms": rng.integers(1, 9, rows),
            "sex": np.where(male, "male", "female"),
            "member": rng.random(rows) < 0.3,
            "note": [f"a {'cheap' if m else 'dear'} place number {n} by the old sea wall" for n, m in enumerate(male)],
            "joined": pd.date_range("2020-01-01", periods=rows, freq="36h").strftime("%d/%m/%Y"),
            "survived": np.where(age + 15 * male + rng.normal(0, 8, rows) > 48, "yes", "no"),
        }
    )
    table.loc[::9, "age"] = np.nan
    table.loc[::11, "sex"] = None
    return table


def to_file(table, path):
    table.to_csv(path, index=False, sep=";", decimal=",")
    return path


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A workspace with a model of people, and new rows without their target."""
    import textwrap

    root = tmp_path_factory.mktemp("people")
    for name in ("configs", "data"):
        (root / name).mkdir()
    to_file(people(), root / "data" / "people.csv")
    (root / "configs" / "people.yaml").write_text(textwrap.dedent(CONFIG))
    run = mlops.run("people", ["data.dtypes={joined: datetime}"], workspace=root, n_jobs=1)
    return root, run, people(60, seed=1).drop(columns="survived")


@pytest.fixture
def new(trained, tmp_path, monkeypatch):
    """The new rows as a file in a folder of its own, and a function that predicts it."""
    root, run, table = trained
    monkeypatch.chdir(tmp_path)
    path = to_file(table, tmp_path / "new.csv")

    def ask(data=path, output="out.csv", **options):
        predict(str(run.path), str(data), Path(output), PredictOptions(force=True, **options), workspace=root)
        return read(output)

    return table, path, ask


def read(output):
    suffix = Path(output).suffix
    readers = {".parquet": pd.read_parquet, ".feather": pd.read_feather, ".orc": pd.read_orc}
    if suffix in readers:
        return readers[suffix](output)
    if suffix == ".xlsx":
        return pd.read_excel(output, dtype={"person": str})
    if suffix in {".json", ".jsonl"}:
        return pd.read_json(output, lines=suffix == ".jsonl", dtype=False, precise_float=True)
    return pd.read_csv(output, dtype={"person": str}, sep="\t" if suffix == ".tsv" else ",")


# --- the same as the Pipeline's ----------------------------------------------------------------------------------


def test_the_predictions_are_those_of_the_pipeline_with_the_id_beside_them_in_order(trained, new):
    _, run, _ = trained
    table, _, ask = new
    found = ask(proba=True)
    model = run.model()
    assert list(found.columns) == ["person", "prediction", "proba_no", "proba_yes"]
    assert list(found["person"]) == list(table["person"])
    assert list(found["prediction"]) == list(model.predict(table))
    np.testing.assert_allclose(found[["proba_no", "proba_yes"]], model.predict_proba(table), rtol=0, atol=1e-15)


def test_a_row_alone_is_predicted_as_it_is_within_the_file(new):
    table, _, ask = new
    whole = ask(proba=True)
    for place in (0, 9, 11, 13, 37):
        alone = ask(to_file(table.iloc[[place]], Path("one.csv")), proba=True)
        pd.testing.assert_frame_equal(alone, whole.iloc[[place]].reset_index(drop=True), rtol=1e-12)


def test_in_pieces_the_same_is_written_to_the_byte(new, monkeypatch):
    _, _, ask = new
    ask(output="whole.csv", proba=True, keep=["all"])
    monkeypatch.setattr(pieces, "_PIECE", 300)
    monkeypatch.setattr(pieces, "_PIECE_PER_COLUMN", 0)
    monkeypatch.setattr(answers, "_LEAST_ROWS", 2)
    monkeypatch.setattr(answers, "_BATCH_BYTES", 1)
    ask(output="pieces.csv", proba=True, keep=["all"])
    whole, parts = pd.read_csv("whole.csv", dtype=str), pd.read_csv("pieces.csv", dtype=str)
    carried = [n for n in whole if not n.startswith("proba")]
    pd.testing.assert_frame_equal(whole[carried], parts[carried])
    for name in ("proba_no", "proba_yes"):  # BLAS adds up another number of rows in another order
        np.testing.assert_allclose(whole[name].astype(float), parts[name].astype(float), rtol=1e-12)


def test_columns_in_another_order_and_more_of_them_change_nothing(new):
    table, _, ask = new
    before = ask(proba=True)
    shuffled = table[table.columns[::-1]].assign(extra=1)
    pd.testing.assert_frame_equal(ask(to_file(shuffled, Path("shuffled.csv")), proba=True), before, rtol=1e-12)


@pytest.mark.parametrize("suffix", ["csv", "tsv", "parquet", "json", "jsonl", "feather", "orc", "xlsx"])
def test_every_form_holds_the_same(new, suffix):
    _, _, ask = new
    expected = ask(proba=True)
    found = ask(output=f"out.{suffix}", proba=True)
    pd.testing.assert_frame_equal(found.astype(expected.dtypes), expected, rtol=1e-12)


@pytest.mark.parametrize("suffix", ["gz", "bz2", "xz", "zst"])
def test_text_is_packed_as_the_name_says(new, suffix):
    table, _, ask = new
    if suffix == "zst":
        pytest.importorskip("zstandard", reason="pandas reads it by this")
    assert list(ask(output=f"out.csv.{suffix}")["person"]) == list(table["person"])


@pytest.mark.parametrize("suffix", ["parquet", "jsonl", "json", "feather", "xlsx"])
def test_rows_of_another_form_than_the_training_file_are_read_as_it_is(new, suffix):
    table, _, ask = new
    expected, path = ask(), Path(f"typed.{suffix}")
    writer = {
        "parquet": table.to_parquet,
        "feather": table.to_feather,
        "json": lambda p: table.to_json(p, orient="records"),
        "jsonl": lambda p: table.to_json(p, orient="records", lines=True),
        "xlsx": lambda p: table.to_excel(p, index=False),
    }[suffix]
    writer(path)
    assert list(ask(path)["prediction"]) == list(expected["prediction"])


def test_json_lines_and_parquet_come_in_pieces_too(new, monkeypatch):
    from mlops_cli.components.sources import files

    table, _, ask = new
    expected = ask()
    table.to_json("rows.jsonl", orient="records", lines=True)
    table.to_parquet("rows.parquet", row_group_size=7)
    monkeypatch.setattr(files, "_PIECE", 500)
    pd.testing.assert_frame_equal(ask("rows.jsonl"), expected)
    pd.testing.assert_frame_equal(ask("rows.parquet"), expected)


def test_several_files_are_one_after_the_other(new):
    table, _, ask = new
    Path("parts").mkdir()
    for number in range(3):
        to_file(table.iloc[20 * number : 20 * number + 20], Path(f"parts/{number}.csv"))
    assert list(ask("parts/*.csv")["person"]) == list(table["person"])


def test_options_of_the_reader_can_be_said_otherwise(new):
    table, _, ask = new
    expected = ask()
    table.to_csv("commas.csv", index=False)
    found = ask("commas.csv", how=HowRead({"sep": ",", "decimal": "."}))
    pd.testing.assert_frame_equal(found, expected)
    with pytest.raises(DataError, match=r"commas\.csv"):
        ask("commas.csv")


def test_a_version_of_a_data_set_is_predicted(trained, new):
    root, run, _ = trained
    _, path, ask = new
    mlops.data.add(path, "fresh", workspace=root, read={"sep": ";", "decimal": ","})
    found = mlops.predict(run, "fresh@1", workspace=root)
    assert list(found["prediction"]) == list(ask()["prediction"])


# --- what stands beside them -------------------------------------------------------------------------------------


def test_carried_text_is_as_it_was_written_also_where_it_looks_like_a_formula(new):
    table, _, ask = new
    odd = ["=1+1", "-5", "@x", "007", "1e3", ' "quoted"', "a,b"]
    path = to_file(table.head(7).assign(code=odd), Path("odd.csv"))
    ask(path, keep=["code"])
    assert list(pd.read_csv("out.csv", dtype=str)["code"]) == odd


def test_a_workbook_holds_text_that_looks_like_a_formula_as_text(new):
    openpyxl = pytest.importorskip("openpyxl")
    table, _, ask = new
    path = to_file(table.head(2).assign(code=["=1+1", "=HYPERLINK(1)"]), Path("odd.csv"))
    ask(path, output="out.xlsx", keep=["code"])
    sheet = openpyxl.load_workbook("out.xlsx").active
    assert [(cell.value, cell.data_type) for cell in sheet["B"][1:]] == [("=1+1", "s"), ("=HYPERLINK(1)", "s")]


def test_whole_numbers_with_gaps_stay_whole(new):
    table, _, ask = new
    gaps = table.assign(rooms=table["rooms"].astype("Int64").where(table.index % 5 != 0))
    ask(to_file(gaps, Path("gaps.csv")), keep=["rooms"])
    assert set(pd.read_csv("out.csv", dtype=str)["rooms"].dropna()) <= set(map(str, range(10)))


def test_numbers_are_numbers_again_where_columns_have_types(titanic):
    mlops.predict(titanic, "data/new.csv", "out.parquet", keep=["age"])
    found = pd.read_parquet("out.parquet")
    assert str(found["id"].dtype) == "int64"
    assert str(found["age"].dtype) == "float64"


def test_a_column_that_is_called_as_the_predictions_are_is_not_carried(new):
    table, _, ask = new
    path = to_file(table.assign(prediction=1), Path("called.csv"))
    with pytest.raises(UsageError, match="has a column 'prediction'"):
        ask(path, keep=["all"])


def test_a_column_to_be_kept_that_is_not_there_is_told_with_the_nearest(new):
    _, _, ask = new
    with pytest.raises(UsageError, match=r"no column 'rom'.*did you mean 'rooms'"):
        ask(keep=["rom"])


# --- classes -----------------------------------------------------------------------------------------------------


def test_a_threshold_says_the_positive_class_from_that_probability_on(new):
    _, _, ask = new
    proba = ask(proba=True)["proba_yes"]
    found = ask(threshold=0.8)["prediction"]
    assert list(found) == ["yes" if p >= 0.8 else "no" for p in proba]
    assert set(ask(threshold=0.0)["prediction"]) == {"yes"}


@pytest.mark.parametrize("threshold", [-0.1, 1.5, float("nan")])
def test_a_threshold_that_is_no_probability_is_refused(new, threshold):
    _, _, ask = new
    with pytest.raises(UsageError, match="from 0 to 1"):
        ask(threshold=threshold)


# --- what is wrong with the data ---------------------------------------------------------------------------------


def changed(table, **columns):
    return to_file(table.assign(**columns), Path("changed.csv"))


def test_a_missing_column_is_told_with_the_nearest_name(new):
    table, _, ask = new
    with pytest.raises(DataError, match=r"changed\.csv: the data lacks 1 of 6 columns .* 'age' \(did you mean 'aage'"):
        ask(to_file(table.rename(columns={"age": "aage"}), Path("changed.csv")))


def test_a_value_of_another_type_is_told_with_its_column_and_row_also_in_a_later_piece(new, monkeypatch):
    table, _, ask = new
    ages = table["age"].astype(object)
    ages[52] = "old"
    monkeypatch.setattr(answers, "_LEAST_ROWS", 7)
    monkeypatch.setattr(answers, "_BATCH_BYTES", 1)
    with pytest.raises(DataError, match=r"column 'age'.*'old' \(row 53\)"):
        ask(changed(table, age=ages))
    assert not Path("out.csv").exists()


def test_columns_that_training_did_not_have_are_told_of_once_and_ignored(trained, new):
    root, run, _ = trained
    table, _, _ = new
    path = changed(table, weather="rain", survived="no")
    done = predict(str(run.path), str(path), Path("out.csv"), workspace=root)
    assert [n.message for n in done.notices] == ["the model was not trained with 'weather'"]


def test_a_category_that_training_did_not_have_is_what_the_steps_say(new):
    table, _, ask = new
    assert len(ask(changed(table, sex="other"))) == len(table)


def test_without_the_id_the_predictions_stand_in_the_order_of_the_rows_and_that_is_said(trained, new):
    root, run, _ = trained
    table, _, ask = new
    expected = ask()
    path = to_file(table.drop(columns="person"), Path("changed.csv"))
    done = predict(str(run.path), str(path), Path("bare.csv"), workspace=root)
    assert done.columns == ("prediction",)
    assert [n.code for n in done.notices] == ["no-id"]
    assert list(pd.read_csv("bare.csv")["prediction"]) == list(expected["prediction"])


def test_infinite_numbers_are_told_with_the_option_that_reads_them_as_missing(new):
    table, _, ask = new
    path = changed(table, age=np.where(table.index == 3, np.inf, table["age"]))
    with pytest.raises(DataError, match=r"infinite values in the features: 'age' \(1\).*--read"):
        ask(path)
    assert len(ask(path, how=HowRead({"na_values": ["inf"]}))) == len(table)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_no_rows_are_refused(new, suffix):
    table, _, ask = new
    none = table.head(0)
    path = Path(f"none.{suffix}")
    to_file(none, path) if suffix == "csv" else none.to_parquet(path)
    with pytest.raises(DataError, match="no rows"):
        ask(path)


def test_a_date_that_is_written_otherwise_than_in_training_is_refused(new):
    table, _, ask = new
    with pytest.raises(DataError, match="has the month first, and in training the day was"):
        ask(changed(table, joined="12/31/2020"))


def test_gaps_that_no_step_fills_are_told_by_column(titanic):
    run = mlops.run("titanic", ["transforms=none", "data.features=[rooms]"], n_jobs=1)
    table = pd.read_csv("data/new.csv")
    with pytest.raises(DataError, match="values are missing in 'rooms', and in training none were"):
        mlops.predict(run, table.assign(rooms=table["rooms"].where(table.index > 3)))


# --- where they go -----------------------------------------------------------------------------------------------


def test_the_input_is_never_overwritten_under_whatever_name(new):
    _, path, ask = new
    before = path.read_bytes()
    Path("link.csv").symlink_to(path)
    for output in (path, Path("link.csv")):
        with pytest.raises(UsageError, match="is what is read"):
            ask(output=str(output))
    with pytest.raises(UsageError, match="is what is read"):
        ask("n*.csv", output=str(path))
    assert path.read_bytes() == before


def test_an_output_that_is_there_is_overwritten_by_force_alone(trained, new):
    root, run, _ = trained
    _, path, ask = new
    Path("out.csv").write_text("mine")
    with pytest.raises(UsageError, match=r"there already \(--force"):
        predict(str(run.path), str(path), Path("out.csv"), workspace=root)
    assert Path("out.csv").read_text() == "mine"
    assert len(ask()) == 60


@pytest.mark.parametrize(
    ("output", "match"),
    [("out.txtx", "does not end in"), ("out.parquet.gz", "not packed"), ("folder", "is a folder")],
)
def test_an_output_that_cannot_be_is_refused_before_any_work(new, output, match):
    _, _, ask = new
    Path("folder").mkdir()
    with pytest.raises(UsageError, match=match):
        ask(output=output)


def test_nothing_is_left_where_the_data_turns_out_wrong(new):
    table, _, ask = new
    with pytest.raises(DataError):
        ask(changed(table, age="x"), output="left/out.csv")
    assert [p.name for p in Path("left").iterdir()] == []


def test_an_unknown_model_is_told_of(new):
    _, path, _ = new
    with pytest.raises(StoreError, match="neither a registered model nor a run"):
        mlops.predict("nobody", path)


# --- in Python ---------------------------------------------------------------------------------------------------


def test_a_table_keeps_its_index(trained, new):
    root, run, _ = trained
    table, _, ask = new
    indexed = table.set_axis(range(100, 160))
    found = mlops.predict(run, indexed, proba=True, workspace=root)
    assert list(found.index) == list(range(100, 160))
    assert list(found["prediction"]) == list(ask()["prediction"])


def test_a_registered_model_is_loaded_by_its_name(titanic):
    version = mlops.register(titanic, "who", alias="champion")
    table = pd.read_csv("data/new.csv")
    loaded = mlops.load_model("who@champion")
    assert list(loaded.predict(table)) == list(titanic.model().predict(table))
    assert list(mlops.predict(version.ref, table)["prediction"]) == list(loaded.predict(table))


def test_a_setting_that_there_is_not_is_told_with_the_nearest(new):
    with pytest.raises(UsageError, match=r"takes no 'treshold' \(did you mean 'threshold'"):
        mlops.predict("x", "y", treshold=0.2)


@pytest.fixture
def titanic(experiment, workspace, mixed):
    """A model with a number for an id, and the last rows as new ones."""
    name = experiment(
        """
        defaults: [experiment, {data: csv}, {transforms: tabular}, {model: logistic_regression}, _self_]
        data: {path: data/titanic.csv, target: survived, id: id, drop: [note, weight, family, amount]}
        evaluation: {metrics: [accuracy]}
        artifacts: {plots: none}
        """,
        "titanic",
    )
    table = mixed.assign(id=np.arange(len(mixed)) + 900, rooms=np.arange(len(mixed)) % 7)
    table.to_csv(workspace / "data" / "titanic.csv", index=False)
    table.drop(columns="survived").tail(30).to_csv(workspace / "data" / "new.csv", index=False)
    return mlops.run(name, n_jobs=1)


# --- from wherever -----------------------------------------------------------------------------------------------


def test_rows_in_memory_are_a_table_or_a_mapping_each_and_nothing_else(titanic):
    table = pd.read_csv("data/new.csv").head(3)
    rows = table.to_dict("records")
    assert list(mlops.predict(titanic, rows)["prediction"]) == list(mlops.predict(titanic, table)["prediction"])
    assert list(titanic.model().predict(rows)) == list(mlops.predict(titanic, table)["prediction"])
    for odd in (rows[0], table.to_numpy(), 3):
        with pytest.raises(UsageError, match=rf"a list of mappings .* Got {type(odd).__name__} instead"):
            mlops.predict(titanic, odd)


def test_a_workspace_may_be_named_by_a_string(titanic, workspace, tmp_path_factory, monkeypatch):
    from mlops_cli import plots

    table = pd.read_csv("data/new.csv")
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    where = str(workspace)
    version = mlops.register(titanic.id, "who", workspace=where)
    assert mlops.models.find("who", workspace=where).ref == version.ref
    expected = list(titanic.model().predict(table))
    assert list(mlops.load_model("who", workspace=where).predict(table)) == expected
    assert list(mlops.predict("who/1", table, workspace=where)["prediction"]) == expected
    assert mlops.find_run("latest", workspace=where).id == titanic.id
    monkeypatch.chdir(workspace)
    assert plots.confusion_matrix("titanic:latest").axes


def test_errors_in_python_name_settings_and_no_options(titanic):
    mlops.predict(titanic, "data/new.csv", "out.csv")
    with pytest.raises(UsageError, match=r"there already \(force=True overwrites it\)"):
        mlops.predict(titanic, "data/new.csv", "out.csv")
    with pytest.raises(UsageError, match=r"^keep: the data has no column 'nmae'"):
        mlops.predict(titanic, "data/new.csv", keep=["nmae"])


@pytest.fixture
def base(titanic, workspace):
    """A data base beside the file, with all rows in one table and the new ones in another."""
    import sqlite3

    with sqlite3.connect(workspace / "data" / "ship.db") as connection:
        pd.read_csv("data/titanic.csv").to_sql("old", connection, index=False)
        pd.read_csv("data/new.csv").to_sql("new", connection, index=False)
    connection.close()
    return Path("data/ship.db")


def test_a_table_or_a_query_of_a_data_base_is_predicted_and_scored(titanic, base):
    expected = mlops.predict(titanic, "data/new.csv", proba=True)
    pd.testing.assert_frame_equal(
        mlops.predict(titanic, base, proba=True, read={"table": "new"}), expected, check_dtype=False
    )
    base.rename("ship")
    asked = {"query": "select * from new where id >= :least order by id", "params": {"least": 1000}}
    found = mlops.predict(titanic, "ship", option="sql", read=asked)
    assert list(found["id"]) == list(expected["id"][expected["id"] >= 1000])
    scores = mlops.evaluate(titanic, "ship", option="sql", read={"table": "old"}, resamples=0)
    assert scores.found.data.rows == 120


def test_a_data_base_of_which_nothing_is_asked_is_told_of(titanic, base, mlops):
    done = mlops("predict", "titanic:latest", str(base))
    assert done.returncode == 3
    assert "ship.db is a data base: which of its rows are read?\n  try: `--read 'table=…'`" in done.stderr
    done = mlops("predict", "titanic:latest", str(base), "--read", "tabel=new")
    assert "error: --read tabel: is nothing that a data base is asked\n  try: did you mean 'table'?" in done.stderr
    done = mlops("data", "add", str(base), "--name", "ship", "--read", "table=new")
    assert "ship.db is a data base, and a version is made of files" in done.stderr


def test_a_model_that_learned_from_a_data_base_reads_it_as_then_unless_it_is_told_otherwise(titanic, base):
    asked = ["data=sql", "~data.path", "+data.path=data/ship.db", "+data.query='select * from old order by id'"]
    run = mlops.run("titanic", asked, n_jobs=1)
    assert len(mlops.predict(run, base)) == 120
    expected = mlops.predict(run, "data/new.csv", proba=True)
    pd.testing.assert_frame_equal(
        mlops.predict(run, base, read={"table": "new"}, proba=True), expected, check_dtype=False
    )


def test_what_comes_through_a_pipe_is_read(titanic, mlops, workspace):
    expected = mlops("predict", "titanic:latest", "data/new.csv").stdout
    text = (workspace / "data" / "new.csv").read_text()
    for name in ("-", "/dev/stdin"):
        assert mlops("predict", "titanic:latest", name, input=text).stdout == expected
    labelled = (workspace / "data" / "titanic.csv").read_text()
    assert json.loads(mlops("evaluate", "titanic:latest", "-", "--json", input=labelled).stdout)["data"]["rows"] == 120
    empty = mlops("predict", "titanic:latest", "-", input="")
    assert (empty.returncode, empty.stdout) == (3, "")
    assert empty.stderr.startswith("error: stdin: the file is empty (0 bytes)\n")


def test_a_named_pipe_is_read_once_and_what_was_put_down_is_removed(titanic, tmp_path_factory, monkeypatch):
    import os
    import subprocess
    import tempfile

    place = tmp_path_factory.mktemp("tmp")
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    os.mkfifo("rows.csv")
    with subprocess.Popen("cat data/new.csv > rows.csv", shell=True):
        found = mlops.predict(titanic, "rows.csv", keep=["*"])
    assert list(found["prediction"]) == list(mlops.predict(titanic, "data/new.csv")["prediction"])
    assert list(place.iterdir()) == []


def test_a_member_of_an_archive_tells_how_it_is_read(titanic):
    import tarfile
    import zipfile

    expected = mlops.predict(titanic, "data/new.csv")
    pd.read_csv("data/new.csv").to_csv("new.tsv", sep="\t", index=False)
    with tarfile.open("new.tar.gz", "w:gz") as tar:
        tar.add("new.tsv")
    with zipfile.ZipFile("two.zip", "w") as archive:
        archive.write("new.tsv")
        archive.write("data/new.csv", "new.csv")
    pd.testing.assert_frame_equal(mlops.predict(titanic, "new.tar.gz"), expected)
    for member in ("new.csv", "new.tsv"):
        pd.testing.assert_frame_equal(mlops.predict(titanic, "two.zip", read={"member": member}), expected)


def test_a_hint_on_an_archive_names_an_option_that_there_is(titanic, mlops):
    import zipfile

    with zipfile.ZipFile("two.zip", "w") as archive:
        for name in ("a.csv", "b.csv"):
            archive.write("data/new.csv", name)
    assert "try: `--read member=…` names one of them" in mlops("predict", "titanic:latest", "two.zip").stderr
    done = mlops("predict", "titanic:latest", "two.zip", "--read", "member=c.csv")
    assert "error: --read member: " in done.stderr


# --- what is said of it ------------------------------------------------------------------------------------------


def said_of(run, data="data/new.csv"):
    return [
        (n.code, n.message) for n in predict(str(run.path), data, Path("out.csv"), PredictOptions(force=True)).notices
    ]


def test_categories_that_training_did_not_have_are_counted(titanic):
    table = pd.read_csv("data/new.csv")
    assert said_of(titanic) == []
    table.loc[[3, 5, 9], "port"] = ["X", "X", "Y"]
    table.to_csv("odd.csv", index=False)
    message = "port: 3 of 30 rows have what training did not: 'X', 'Y'"
    assert said_of(titanic, "odd.csv") == [("unseen-categories", message)]


def test_a_model_that_other_packages_made_is_told_of(titanic, monkeypatch):
    file = titanic.path / "run.json"
    record = json.loads(file.read_text())
    packages = record["environment"]["packages"]
    major, minor, *_ = packages["scikit-learn"].split(".")
    for made_with, is_said in ((f"{major}.{minor}.99", False), ("0.24.2", True)):
        packages["scikit-learn"] = made_with
        file.write_text(json.dumps(record))
        assert [code for code, _ in said_of(titanic)] == (["other-packages"] if is_said else [])
    assert said_of(titanic)[0][1].startswith("the model was made with scikit-learn 0.24.2, and ")


# --- how it is written -------------------------------------------------------------------------------------------


def test_ids_of_any_size_keep_their_type(titanic):
    table = pd.read_csv("data/new.csv")
    table["id"] = table["id"].astype("int64") + 2**53
    table.loc[0, "id"] = 2**63 - 1
    table.to_csv("large.csv", index=False)
    mlops.predict(titanic, "large.csv", "out.parquet")
    found = pd.read_parquet("out.parquet")
    assert pd.api.types.is_integer_dtype(found["id"].dtype)
    assert list(found["id"]) == list(table["id"])
    table["id"] = table["id"].astype(object)
    table.loc[4, "id"] = None
    table.to_csv("gap.csv", index=False)
    mlops.predict(titanic, "gap.csv", "out.parquet", force=True)
    assert pd.read_parquet("out.parquet", dtype_backend="numpy_nullable")["id"].astype(object)[0] == 2**63 - 1


def test_what_stands_beside_an_id_does_not_change_how_it_is_written(titanic):
    table = pd.read_csv("data/new.csv")
    table["note"] = ["a, b", 'say "hi"', "two\nlines", "", "plain"] * 6
    table.to_csv("noted.csv", index=False)
    mlops.predict(titanic, "noted.csv", "out.csv", keep="note")
    assert Path("out.csv").read_text().startswith(f'id,note,prediction\n{table["id"][0]},"a, b",')
    found = pd.read_csv("out.csv", keep_default_na=False)
    assert list(found["note"]) == list(table["note"])
    assert list(found["prediction"]) == list(mlops.predict(titanic, "data/new.csv")["prediction"])


def test_a_terminal_is_shown_control_characters_and_a_file_gets_them(titanic, workspace):
    import os
    import pty
    import subprocess
    import sys

    table = pd.read_csv("data/new.csv").head(2)
    table["note"] = "\x1b[31mred\a"
    table.to_csv("odd.csv", index=False)
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "mlops_cli", "predict", "titanic:latest", "odd.csv", "--keep", "note", "-q"]
    subprocess.run(command, stdout=theirs, check=True)
    os.close(theirs)
    shown = os.read(ours, 10_000)
    os.close(ours)
    assert rb"\x1b[31mred\x07," in shown
    assert b"\x1b" not in shown
    assert b"\x1b[31mred\x07," in subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_reader_that_has_seen_enough_of_the_predictions_is_no_fault(titanic, workspace, form):
    import subprocess
    import sys

    pd.concat([pd.read_csv("data/new.csv")] * 2000).to_csv("many.csv", index=False)
    command = [sys.executable, "-m", "mlops_cli", "predict", "titanic:latest", "many.csv", "-q", *form]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


# --- submissions -------------------------------------------------------------------------------------------------


def sample(rows, **columns):
    table = pd.DataFrame({"id": rows, **(columns or {"survived": 0})})
    table.to_csv("sample.csv", index=False)
    return "sample.csv"


def test_a_submission_is_the_id_and_the_target_alone_and_classes_are_whole_numbers(titanic):
    mlops.predict(titanic, "data/new.csv", "submission.csv", submission=True)
    lines = Path("submission.csv").read_text().splitlines()
    assert lines[0] == "id,survived"
    assert len(lines) == 31
    assert {line.split(",")[1] for line in lines[1:]} <= {"0", "1"}


def test_a_submission_like_its_sample_is_written_and_names_the_target_as_the_sample_does(titanic):
    ids = pd.read_csv("data/new.csv")["id"]
    mlops.predict(titanic, "data/new.csv", "submission.csv", sample=sample(ids[::-1], Outcome=0))
    found = pd.read_csv("submission.csv")
    assert list(found.columns) == ["id", "Outcome"]
    assert list(found["id"]) == list(ids)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (
            lambda ids: ids[:-2],
            r"30 rows were predicted and the sample has 28; of 'id' 2 are not in the sample: 10",
        ),
        (lambda ids: [*ids, 5], "1 of the sample are not predicted: 5"),
        (lambda ids: [*ids[:-1], ids.iloc[0]], "values twice"),
    ],
)
def test_rows_that_are_not_those_of_the_sample_are_refused_and_nothing_is_written(titanic, change, match):
    ids = pd.read_csv("data/new.csv")["id"]
    with pytest.raises(DataError, match=match):
        mlops.predict(titanic, "data/new.csv", "submission.csv", sample=sample(list(change(ids))))
    assert not Path("submission.csv").exists()


def test_values_of_another_kind_than_in_the_sample_are_refused(titanic):
    ids = pd.read_csv("data/new.csv")["id"]
    with pytest.raises(DataError, match="'survived' holds text, and the predictions are numbers"):
        mlops.predict(titanic, "data/new.csv", "submission.csv", sample=sample(ids, survived="no"))


def test_labels_are_written_as_booleans_where_the_sample_is(titanic):
    ids = pd.read_csv("data/new.csv")["id"]
    mlops.predict(titanic, "data/new.csv", "submission.csv", sample=sample(ids, survived=False))
    assert set(pd.read_csv("submission.csv", dtype=str)["survived"]) <= {"True", "False"}


def test_probabilities_are_submitted_as_those_of_the_positive_class(titanic):
    expected = mlops.predict(titanic, "data/new.csv", proba=True)["proba_1"]
    mlops.predict(titanic, "data/new.csv", "submission.csv", submission=True, proba=True)
    np.testing.assert_allclose(pd.read_csv("submission.csv")["survived"], expected, rtol=1e-15)


def test_probabilities_of_several_classes_go_to_the_columns_of_the_sample(titanic):
    run = mlops.run("titanic", ["data.target=port", "data.missing_target=drop", "data.drop=[note,survived]"], n_jobs=1)
    table = pd.read_csv("data/new.csv")
    expected = mlops.predict(run, table, proba=True)
    columns = {"Status_Q": 0.3, "Status_C": 0.3, "Status_S": 0.4}
    mlops.predict(run, "data/new.csv", "submission.csv", proba=True, sample=sample(table["id"], **columns))
    found = pd.read_csv("submission.csv")
    assert list(found.columns) == ["id", *columns]
    np.testing.assert_allclose(found["Status_Q"], expected["proba_Q"], rtol=1e-15)
    with pytest.raises(UsageError, match="3 targets"):
        mlops.predict(run, "data/new.csv", "other.csv", sample="sample.csv")


@pytest.mark.parametrize(
    ("change", "match"),
    [(lambda t: t.assign(id=7), "is not unique: 7"), (lambda t: t.drop(columns="id"), "no column 'id', the id")],
)
def test_a_submission_without_an_id_for_each_row_is_refused(titanic, change, match):
    change(pd.read_csv("data/new.csv")).to_csv("changed.csv", index=False)
    with pytest.raises(DataError, match=match):
        mlops.predict(titanic, "changed.csv", "submission.csv", submission=True)


def test_a_model_without_an_id_submits_by_one_that_is_named(titanic):
    run = mlops.run("titanic", ["data.id=null", "data.drop=[note,weight,family,amount,id]"], n_jobs=1)
    with pytest.raises(UsageError, match="needs an id"):
        mlops.predict(run, "data/new.csv", "submission.csv", submission=True)
    mlops.predict(run, "data/new.csv", "submission.csv", submission=True, id="id")
    assert list(pd.read_csv("submission.csv").columns) == ["id", "survived"]


# --- real data ---------------------------------------------------------------------------------------------------


def test_a_sweep_on_kaggles_titanic_ends_in_a_valid_submission(real_data, tmp_path, monkeypatch):
    from mlops_cli.workflows.init import init_workspace

    made = init_workspace(tmp_path, "kaggle")
    assert made.missing == ("data/train.csv", "data/test.csv")
    (tmp_path / "data").mkdir()
    for name in ("train", "test"):
        shutil.copy(real_data(f"kaggle_titanic_{name}.csv"), tmp_path / "data" / f"{name}.csv")
    monkeypatch.chdir(tmp_path)
    run = mlops.run("titanic", ["sweep.space=[{model: [logistic_regression], model.C: [0.1, 1]}]"], n_jobs=1)
    test = pd.read_csv("data/test.csv")
    test[["PassengerId"]].assign(Survived=0).to_csv("data/gender_submission.csv", index=False)
    mlops.predict("titanic:best", "data/test.csv", "submission.csv", sample="data/gender_submission.csv")
    found = pd.read_csv("submission.csv")
    assert list(found.columns) == ["PassengerId", "Survived"]
    assert list(found["PassengerId"]) == list(test["PassengerId"])
    assert found["Survived"].dtype == "int64"
    assert run.metrics["accuracy"].mean > 0.78
    for place in (0, 10, 152, 417):
        alone = mlops.predict(run, test.iloc[[place]], proba=True)
        whole = mlops.predict(run, test, proba=True).iloc[[place]]
        pd.testing.assert_frame_equal(alone, whole, rtol=1e-12)


# --- the commands ------------------------------------------------------------------------------------------------


def test_the_command_prints_csv_or_json_or_what_it_wrote(titanic, mlops, workspace):
    rows = mlops("predict", "titanic:latest", "data/new.csv").stdout.splitlines()
    assert rows[0] == "id,prediction"
    assert len(rows) == 31
    records = json.loads(mlops("predict", "titanic:latest", "data/new.csv", "--json", "--proba").stdout)
    assert list(records[0]) == ["id", "prediction", "proba_0", "proba_1"]
    done = mlops("predict", "titanic:latest", "data/new.csv", "-o", "out.csv", "--json")
    assert json.loads(done.stdout)["rows"] == 30
    again = mlops("predict", "titanic:latest", "data/new.csv", "-o", "out.csv")
    assert (again.returncode, again.stdout) == (2, "")
    assert "error: out.csv is there already" in again.stderr
