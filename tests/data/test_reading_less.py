"""`data.columns` and `data.sample`: what they leave out is not read, and what is read is as if all had been."""

import gc
import json
import sqlite3
import weakref

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

import mlops_cli
from mlops_cli.components.dataset import make_dataset, read_table
from mlops_cli.components.sources import (
    CsvSource,
    ExcelSource,
    FeatherSource,
    JsonLinesSource,
    OrcSource,
    ParquetSource,
    SqlSource,
    batches,
    pieces,
)
from mlops_cli.components.sources.gleaning import gleaned
from mlops_cli.components.sources.stacking import Part
from mlops_cli.components.wanted import Lot, wanted_of
from mlops_cli.config.schema import read_data
from mlops_cli.config.workspace import Workspace
from mlops_cli.contracts import Portion
from mlops_cli.errors import ConfigError, DataError
from mlops_cli.records import ComponentSpec, DataSpec, ForecastSpec, SampleSpec
from mlops_cli.store.layout import WorkspacePaths
from mlops_cli.workflows.data.adding import AddOptions, add

ROWS = 600


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch):
    """Have files of the size of these come in many pieces."""
    monkeypatch.setattr(pieces, "_PIECE", 2**11)
    monkeypatch.setattr(pieces, "_PIECE_PER_COLUMN", 0)
    monkeypatch.setattr(batches, "_ROWS", 64)


def table(rows: int = ROWS) -> pd.DataFrame:
    """Columns whose first rows do not show what the whole of them is."""
    chance = np.random.default_rng(0)
    flags = chance.random(rows) < 0.5
    last = rows - 1
    return pd.DataFrame(
        {
            "n": chance.integers(0, 9, rows),
            "x": chance.normal(size=rows).round(3),
            "gap": [*range(last), None],  # whole numbers, and one that is missing
            "half": [*range(last), 0.5],
            "late": [*(f"0{i % 10}" for i in range(last)), "none of it"],  # text, though all but one look like numbers
            "flag": flags,
            "some": [*flags[:last], None],
            "never": [None] * rows,
            "word": chance.choice(["red", "light blue", 'a "quoted", word'], rows),
            "y": chance.integers(0, 2, rows),
        }
    )


def written(folder, suffix):
    path = folder / f"table{suffix}"
    whole = table()
    if suffix.startswith((".csv", ".tsv")):
        whole.to_csv(path, index=False, sep="\t" if suffix == ".tsv" else ",")
        return CsvSource(path, read={"sep": "\t"} if suffix == ".tsv" else {})
    if suffix == ".parquet":
        whole.to_parquet(path, row_group_size=150)
        return ParquetSource(path)
    if suffix == ".feather":
        whole.to_feather(path, chunksize=70)
        return FeatherSource(path)
    if suffix == ".orc":
        whole.drop(columns=["never", "some"]).to_orc(path)
        return OrcSource(path)
    if suffix == ".xlsx":
        whole.to_excel(path, index=False)
        return ExcelSource(path)
    whole.to_json(path, orient="records", lines=True)
    return JsonLinesSource(path)


SUFFIXES = [".csv", ".tsv", ".csv.gz", ".parquet", ".feather", ".orc", ".jsonl"]


def spec(**said) -> DataSpec:
    size = said.pop("sample", None)
    sample = None if size is None else SampleSpec(size, said.pop("seed", 0))
    return DataSpec(ComponentSpec(""), **{"target": "y", **said}, sample=sample)


def read(source, **said):
    return read_table(source, spec(**said))


def assert_same_rows(part, whole):
    """Hold a part to be the whole's; true and false stay so where no gap of the whole was drawn."""
    expected = whole.loc[part.index, part.columns]
    complete = [n for n in part if part[n].dtype == bool and expected[n].dtype == float]
    expected = expected.astype(dict.fromkeys(complete, bool))
    assert_frame_equal(part, expected, check_index_type=False)


def codes(notices):
    return [n.code for n in notices]


def refusal(source, kind=ConfigError, **said) -> str:
    with pytest.raises(kind) as caught:
        read(source, **said)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# --- the same as of the whole --------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("size", [1, 50, 0.1, 0.9, 1.0, ROWS, 10**9])
def test_a_sample_has_the_values_and_dtypes_that_its_rows_have_in_the_whole(tmp_path, suffix, size):
    source = written(tmp_path, suffix)
    whole, _ = read(source)
    part, notices = read(source, sample=size)
    assert_same_rows(part, whole)
    wanted = min(size, ROWS) if isinstance(size, int) else round(size * ROWS)
    assert len(part) == wanted
    assert part.index.is_monotonic_increasing
    assert part.index.is_unique
    assert ("sampled" in codes(notices)) == (wanted < ROWS)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("size", [None, 50])
def test_no_more_than_the_columns_is_read_in_the_order_of_the_file(tmp_path, suffix, size):
    source = written(tmp_path, suffix)
    whole, _ = read(source)
    part, _ = read(source, columns=("word", "late", "ha*", "gap"), id="n", sample=size)
    assert list(part.columns) == ["n", "gap", "half", "late", "word", "y"]
    assert_same_rows(part, whole)


def test_the_same_rows_are_drawn_of_the_same_table_however_it_is_kept(tmp_path):
    places = [read(written(tmp_path, suffix), sample=0.1, seed=7)[0].index.tolist() for suffix in SUFFIXES]
    assert all(found == places[0] for found in places)
    assert read(written(tmp_path, ".csv"), sample=0.1, seed=8)[0].index.tolist() != places[0]


def test_the_size_of_the_pieces_changes_nothing(tmp_path, monkeypatch):
    source = written(tmp_path, ".csv")
    first, _ = read(source, sample=70)
    monkeypatch.setattr(pieces, "_PIECE", 2**24)
    assert_frame_equal(read(source, sample=70)[0], first)


@pytest.mark.parametrize("size", [40, 0.1])
def test_every_row_is_as_likely_as_any_other(size):
    drawn = np.concatenate([wanted_of(spec(sample=size, seed=seed)).places(400) for seed in range(300)])
    counts = np.bincount(drawn, minlength=400)  # of 300 draws of a tenth: 30 each, give or take 5
    assert counts.min() > 8
    assert counts.max() < 60
    assert abs(counts[:200].sum() - counts[200:].sum()) < 300


@pytest.mark.parametrize("size", [1, 30, 0.001, 0.05, 0.7])
def test_rows_that_come_in_pieces_are_drawn_as_those_that_come_at_once(size):
    lot, places, before = Lot(SampleSpec(size, 5)), [], 0
    for rows in [1, 10, 0, 700, 5, 3000]:
        places.append(before + lot.candidates(rows))
        before += rows
    assert np.concatenate(places)[lot.drawn()].tolist() == wanted_of(spec(sample=size, seed=5)).places(before).tolist()


def test_a_piece_is_let_go_before_the_next_one_comes():
    alive = []

    def coming():
        for i in range(5):
            gc.collect()
            assert not any(ref() is not None for ref in alive[:-1])
            piece = pd.DataFrame({"a": np.full(1000, i)})
            alive.append(weakref.ref(piece))
            yield Part("it", piece)

    found = gleaned(coming(), wanted_of(spec(sample=20)))
    assert (found.rows, len(found.table)) == (5000, 20)


def test_a_large_csv_file_is_as_pandas_reads_it_though_the_parser_has_a_piece_at_a_time(tmp_path, monkeypatch):
    source = written(tmp_path, ".csv")
    whole = source.load()
    monkeypatch.setattr(pieces, "_LARGE", 0)
    assert_frame_equal(source.load(), whole)
    assert source.load().late[0] == "00"


# --- columns -------------------------------------------------------------------------------------------------------


def test_the_columns_of_roles_are_read_whether_they_are_named_or_not(tmp_path):
    source = written(tmp_path, ".csv")
    roles = {"id": "n", "group": "word", "weight": "half", "time": "gap"}
    assert set(read(source, columns=("x",), **roles)[0].columns) == {"x", "y", *roles.values()}
    series = ForecastSpec(by=("word",), known=("flag",), past=("x",), lags=(1,))
    found = read(source, columns=("late",), time="n", forecast=series)[0]
    assert set(found.columns) == {"late", "y", "n", "word", "flag", "x"}


def test_what_the_config_says_of_columns_that_are_not_read_does_not_matter_and_slips_do(tmp_path):
    source = written(tmp_path, ".csv")
    asked = spec(columns=("x", "n"), drop=("wo*", "n"), dtypes={"late": "str", "n": "str"})
    found, notices = read_table(source, asked)
    assert list(found.columns) == ["n", "x", "y"]
    assert [c.name for c in make_dataset(found, asked, notices=notices)[0].features] == ["x"]
    columns = {"columns": ("x", "n")}
    assert "data.drop: 'wrod' is no column of the data (did you mean" in refusal(source, drop=["wrod"], **columns)
    assert "data.dtypes.lat: 'lat' is no column" in refusal(source, dtypes={"lat": "str"}, **columns)
    assert "data.target: 'z' is no column" in refusal(source, target="z", **columns)


def test_a_column_that_is_not_there_is_refused_with_the_nearest_name(tmp_path):
    for suffix in SUFFIXES:
        source = written(tmp_path, suffix)
        assert "data.columns: 'wrd' is no column of the data (did you mean 'word'?" in refusal(source, columns=("wrd",))
    assert "data.columns: 'z*' matches no column" in refusal(source, columns=("z*",))


def test_a_feature_that_is_not_read_is_refused(tmp_path):
    source = written(tmp_path, ".csv")
    said = refusal(source, columns=("x",), features=("x", "half"))
    assert said.startswith("data.features: 'half' is not among data.columns")


def test_columns_of_several_files_and_the_name_of_each_file(tmp_path):
    for i in range(3):
        table(100).assign(n=i).to_csv(tmp_path / f"part-{i}.csv", index=False)
    source = CsvSource(str(tmp_path / "part-*.csv"), source_column="file")
    whole, _ = read(source)
    part, notices = read(source, columns=("n",), sample=40)
    assert list(part.columns) == ["n", "y", "file"]
    assert_same_rows(part, whole)
    assert next(n.message for n in notices if n.code == "sampled").startswith("40 of 300 rows were read")


def test_numbers_in_one_file_and_text_in_another_are_text_in_a_sample_too(tmp_path):
    (tmp_path / "a.csv").write_text("k,y\n" + "".join(f"0{i},1\n" for i in range(10, 40)))
    (tmp_path / "b.csv").write_text("k,y\nx1,0\n")
    part, _ = read(CsvSource([str(tmp_path / "a.csv"), str(tmp_path / "b.csv")]), sample=5)
    assert all(value.startswith("0") for value in part.k if value != "x1")


def test_files_with_other_columns_are_refused(tmp_path):
    (tmp_path / "a.csv").write_text("k,m,y\n1,1,1\n2,2,0\n")
    (tmp_path / "b.csv").write_text("k,y\n1,0\n2,1\n")
    said = refusal(CsvSource([str(tmp_path / "a.csv"), str(tmp_path / "b.csv")]), DataError, sample=2)
    assert f"{tmp_path}/b.csv: has no 'm', unlike {tmp_path}/a.csv" in said


def test_large_whole_numbers_in_one_piece_only_lose_no_digits(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("k,y\n" + "".join(f"{i + (2**63 if i > 500 else 0)},{i % 2}\n" for i in range(600)))
    part, _ = read(CsvSource(path), sample=0.9, columns=("k",))
    assert part.k.astype(str).tolist() == [str(i + (2**63 if i > 500 else 0)) for i in part.index]


# --- nothing is missed ---------------------------------------------------------------------------------------------

LINES = [f"{i},{i * 2},{i % 3},{i % 2}" for i in range(400)]


@pytest.mark.parametrize("said", [{"columns": ("a",)}, {"sample": 10}, {"columns": ("a",), "sample": 10}])
@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("1,2,3,4,5", "line 302 has 5 fields where 4 were expected"),
        ("1,2", "line 302 has 2 fields where the header has 4"),
    ],
)
@pytest.mark.parametrize("quoted", [False, True])
def test_a_line_of_another_length_is_found_though_its_columns_are_skipped(tmp_path, said, line, message, quoted):
    lines = [f'"{text[0]},{text[0]}",{text.partition(",")[2]}' if quoted else text for text in LINES]
    path = tmp_path / "a.csv"
    path.write_text("\n".join(["b,a,c,y", *lines[:300], line, *lines[300:]]) + "\n")
    assert message in refusal(CsvSource(path), DataError, **said)
    path.write_text("\n".join(["b,a,c,y", *lines]) + "\n")
    assert read(CsvSource(path), **said)[0].a.iloc[0] % 2 == 0


def test_names_and_layout_are_checked_as_ever(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("a,a,y\n1,2,0\n3,4,1\n")
    assert "column names must be unique. Got 'a'" in refusal(CsvSource(path), DataError, sample=1)
    path.write_text("a;b;y\n1;2;0\n3;4;1\n")
    assert "one column found with the separator ','" in refusal(CsvSource(path), DataError, columns=("a",))
    path.write_text("a,b,y\n")
    assert "no rows" in refusal(CsvSource(path), DataError, sample=1)
    path.write_bytes(b"a,b,y\n" + b"1,2,0\n" * 300 + b"\xff,2,0\n")
    assert "line 302 is not utf-8 text" in refusal(CsvSource(path), DataError, sample=1)


@pytest.mark.parametrize(
    "read_options",
    [
        {"index_col": "n"},
        {"usecols": ["n", "x", "late", "y"]},
        {"skipfooter": 1, "engine": "python"},
        {"nrows": 100},
        {"na_values": ["red"]},
        {"skiprows": [3, 4]},
        {"comment": "#"},
        {"on_bad_lines": "skip"},
        {"dtype": {"n": "category", "late": "str"}},
        {"header": 0, "names": [*"abcdefghi", "y"]},
    ],
    ids=lambda options: next(iter(options)),
)
def test_options_of_the_reader_hold_for_a_part_too(tmp_path, read_options):
    path = tmp_path / "table.csv"
    table().to_csv(path, index=False)
    source = CsvSource(path, read=read_options)
    whole, _ = read(source)
    some = ("b*", "a*") if "names" in read_options else ("n", "late")
    for said in ({"sample": 30}, {"columns": some}, {"columns": some, "sample": 30}):
        part, _ = read(source, **said)
        assert_same_rows(part, whole)


def test_dates_that_the_reader_parses_are_those_of_the_whole(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("when,y\n" + "".join(f"{1 + i % 28:02d}.03.2021,{i % 2}\n" for i in range(200)))
    source = CsvSource(path, read={"parse_dates": ["when"], "dayfirst": True})
    part, _ = read(source, sample=20)
    assert_same_rows(part, read(source)[0])
    assert set(part.when.dt.month) == {3}


def test_a_file_without_a_header_has_numbers_for_names(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("".join(f"{i},{i * 2},{i % 2}\n" for i in range(300)))
    part, _ = read(CsvSource(path, read={"header": None}), target="2", columns=("1",), sample=9)
    assert list(part.columns) == ["1", "2"]
    assert (part["1"] == 2 * part.index).all()


def test_an_index_that_pandas_wrote_into_parquet_is_a_column(tmp_path):
    for index in (pd.Index(range(5, 5 + ROWS), name="key"), pd.Index(np.arange(ROWS)[::-1], name="key")):
        table().set_index(index).to_parquet(tmp_path / "a.parquet", row_group_size=100)
        source = ParquetSource(tmp_path / "a.parquet")
        part, _ = read(source, columns=("key", "x"), sample=50)
        assert list(part.columns) == ["key", "x", "y"]
        assert_same_rows(part, read(source)[0])


def test_categories_are_those_of_the_whole(tmp_path):
    whole = table().assign(word=lambda t: t.word.astype("category"))
    whole.to_parquet(tmp_path / "a.parquet", row_group_size=100)
    part, _ = read(ParquetSource(tmp_path / "a.parquet"), sample=2, columns=("word",))
    assert sorted(part.word.cat.categories) == sorted(whole.word.cat.categories)


def test_a_folder_parted_by_a_column_and_other_sources_are_read_whole_and_then_less(tmp_path):
    table().drop(columns=["never", "some"]).to_parquet(tmp_path / "parts", partition_cols=["flag"])
    parted = ParquetSource(tmp_path / "parts")
    with sqlite3.connect(tmp_path / "a.db") as base:
        table().drop(columns=["never", "some"]).to_sql("t", base, index=False)
    base.close()
    for source in (parted, SqlSource(path=str(tmp_path / "a.db"), table="t")):
        part, _ = read(source, columns=("x", "flag"), sample=20)
        assert set(part.columns) == {"x", "flag", "y"}
        assert_same_rows(part, read(source)[0])


def test_a_source_of_the_users_own_may_read_less_or_be_read_whole():
    class Whole:
        def load(self):
            return table()

    class Less(Whole):
        def load_less(self, wanted):
            asked.append(wanted.names(list(table().columns)))
            places = wanted.places(ROWS)
            return Portion(table()[asked[-1]].iloc[places], ROWS, places)

    class Wrong(Whole):
        def load_less(self, wanted):
            return table()

    asked = []
    said = {"columns": ("x",), "sample": 30}
    assert_frame_equal(read(Less(), **said)[0], read(Whole(), **said)[0])
    assert asked == [["x", "y"]]
    assert "data source Wrong: load_less() must return a Portion" in refusal(Wrong(), DataError, **said)


def test_rows_without_a_target_are_left_out_of_what_was_drawn(tmp_path):
    path = tmp_path / "a.csv"
    pd.DataFrame({"a": range(400), "y": [i % 2 if i % 4 else None for i in range(400)]}).to_csv(path, index=False)
    part, notices = read(CsvSource(path), sample=100, missing_target="drop")
    assert part.a.tolist() == part.index.tolist()
    assert 50 < len(part) < 100
    assert f"{100 - len(part)} of 100 rows have no y" in notices[-1].message


# --- the config ----------------------------------------------------------------------------------------------------


def asked(**said):
    return read_data({"_target_": "mlops_cli.components.sources.CsvSource", "path": "a.csv", **said}, "data", 3)


@pytest.mark.parametrize(("said", "size"), [(1, 1), (10_000, 10_000), (1e4, 10_000), (0.1, 0.1), (1.0, 1.0)])
def test_a_sample_is_a_number_of_rows_or_a_share(said, size):
    found = asked(sample=said).sample
    assert found == SampleSpec(size, 3)
    assert type(found.size) is type(size)


@pytest.mark.parametrize("wrong", [0, 0.0, -1, -0.5, 1.5, 10.5, True, False, "0.1", float("nan"), float("inf"), [3]])
def test_any_other_sample_is_refused(wrong):
    with pytest.raises(ConfigError, match=r"data\.sample: found .*, must be a number of rows such as 10000, a share"):
        asked(sample=wrong)


def test_columns_are_names_or_globs():
    assert asked(columns=["a", "b*", 3]).columns == ("a", "b*", "3")
    assert asked(columns="a").columns == ("a",)
    assert asked().columns is None
    with pytest.raises(ConfigError, match=r"data\.columns: found a list, \[\], must be names or globs"):
        asked(columns=[])
    with pytest.raises(ConfigError, match=r"data\.colums: unknown key \(did you mean 'columns'"):
        asked(colums=["a"])


def test_a_key_of_a_source_that_looks_like_one_of_ours_is_no_slip():
    found = read_data({"_target_": "mlops_cli.components.sources.SvmlightSource", "path": "a", "n_columns": 3}, "data")
    assert found.source.params["n_columns"] == 3


# --- whole runs ----------------------------------------------------------------------------------------------------

CONFIG = """
defaults: [experiment, {data: csv}, {model: logistic_regression}, _self_]
data: {path: data/train.csv, target: y, columns: ["x*"], sample: 0.25}
evaluation: {metrics: [accuracy]}
artifacts: {plots: none}
"""


def points(rows, shift=0.0):
    chance = np.random.default_rng(1)
    y = chance.integers(0, 2, rows)
    near = y + chance.normal(size=rows) + shift
    return pd.DataFrame({"id": range(rows), "x1": near, "x2": near**2, "other": "t", "y": y})


@pytest.fixture
def run(workspace):
    (workspace / "configs/e.yaml").write_text(CONFIG)
    points(400).to_csv("data/train.csv", index=False)
    points(80, shift=0.5).to_csv("data/test.csv", index=False)
    return lambda *overrides: mlops_cli.run("e", list(overrides), n_jobs=1).record


def test_a_run_says_what_it_has_read_and_repeats_it(run):
    record = run("artifacts.keep=none")
    said = json.loads((record.path / "run.json").read_text())
    (notice,) = [w for w in said["warnings"] if w["code"] == "sampled"]
    assert notice["message"] == "100 of 400 rows were read, drawn by lot with the seed 0; data.sample"
    assert (said["dataset"]["rows"], [c.name for c in record.dataset.columns]) == (100, ["x1", "x2", "y"])
    other = run("artifacts.keep=none", "seed=1")
    assert other.dataset.version != record.dataset.version
    again = run("artifacts.keep=none", "model.C=2")
    assert again.dataset.version == record.dataset.version
    whole = run("artifacts.keep=none", "data.sample=null", "data.accept=[sampled]")
    assert whole.dataset.rows == 400


def test_predictions_tell_the_place_of_each_row_in_the_file(run):
    record = run("data.id=id", "artifacts.keep=none")
    found = pd.read_parquet(record.path / "predictions.parquet")
    assert (found["id"] == found["row"]).all()
    assert found["row"].max() > 100


def test_held_out_rows_of_their_own_are_all_read_and_no_other_columns(run):
    record = run("evaluation.test=data/test.csv", "data.drop=[other]", "artifacts.keep=none")
    assert record.test_dataset.rows == 80
    assert [c.name for c in record.test_dataset.columns] == ["x1", "x2", "y"]
    assert run("evaluation.test=0.2", "artifacts.keep=none").dataset.rows == 100


def test_a_version_of_a_data_set_is_read_in_part(run, workspace):
    from pathlib import Path

    add("data/train.csv", "points", AddOptions())
    other = Path("configs/n.yaml")
    other.write_text(CONFIG.replace("{data: csv}", "{data: dataset}").replace("path: data/train.csv", "name: points"))
    record = mlops_cli.run("n", ["artifacts.keep=none"], n_jobs=1).record
    assert record.dataset.rows == 100
    assert record.dataset.version == run("artifacts.keep=none").dataset.version


def test_what_was_kept_of_a_data_base_is_not_sampled_again(run, workspace):
    with sqlite3.connect("shop.db") as base:
        points(400).to_sql("t", base, index=False)
    base.close()
    config = CONFIG.replace("{data: csv}", "{data: sql}").replace("path: data/train.csv", "path: shop.db, table: t")
    (workspace / "configs/s.yaml").write_text(config)
    first = mlops_cli.run("s", ["artifacts.keep=none"], n_jobs=1).record
    again = mlops_cli.run(
        "s", [f"+data.snapshot={first.dataset.version}", "model.C=2", "artifacts.keep=none"], n_jobs=1
    ).record
    assert again.dataset.version == first.dataset.version
    fewer = mlops_cli.run(
        "s", [f"+data.snapshot={first.dataset.version}", "data.sample=30", "artifacts.keep=none"], n_jobs=1
    ).record
    assert fewer.dataset.rows == 30
    assert WorkspacePaths(Workspace(workspace).root).datasets.is_dir()
