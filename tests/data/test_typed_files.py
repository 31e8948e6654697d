"""Parquet, JSON, JSON lines, Excel and scikit-learn's own sets are read with their types, or refused in one line."""

import gzip
import json
import sys

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from mlops_cli.components.sources import (
    ExcelSource,
    JsonLinesSource,
    JsonSource,
    ParquetSource,
    SklearnSource,
    opening,
)
from mlops_cli.errors import ConfigError, DataError, MissingExtraError

TABLE = pd.DataFrame({"a": [1, 2], "b": ["x", "y"], "c": [0.5, np.nan]})


def refusal(source) -> str:
    with pytest.raises(DataError) as caught:
        source.load()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_parquet_is_read(tmp_path):
    TABLE.to_parquet(tmp_path / "a.parquet")
    assert_frame_equal(ParquetSource(tmp_path / "a.parquet").load(), TABLE)
    assert list(ParquetSource(tmp_path / "a.parquet", {"columns": ["b"]}).load().columns) == ["b"]
    assert len(ParquetSource(tmp_path).load()) == 2


def test_what_is_no_parquet_is_refused(tmp_path, write):
    TABLE.to_parquet(tmp_path / "a.parquet")
    whole = (tmp_path / "a.parquet").read_bytes()
    assert "not a whole parquet file" in refusal(ParquetSource(write("b.parquet", whole[:-20])))
    assert "not a whole parquet file" in refusal(ParquetSource(write("c.parquet", "a,b\n1,2\n")))
    assert "0 bytes" in refusal(ParquetSource(write("d.parquet", "")))
    (tmp_path / "folder").mkdir()
    assert "no .parquet files" in refusal(ParquetSource(tmp_path / "folder"))


def test_a_parquet_column_that_is_not_there_is_refused(tmp_path):
    TABLE.to_parquet(tmp_path / "a.parquet")
    assert "nope" in refusal(ParquetSource(tmp_path / "a.parquet", {"columns": ["nope"]}))


def test_a_parquet_bomb_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(opening, "MAX_EXPANDED", 2**16)  # the true limit takes minutes to reach
    pd.DataFrame({"a": np.zeros(9_000_000, dtype="int8")}).to_parquet(tmp_path / "a.parquet", compression="zstd")
    assert "bomb" in refusal(ParquetSource(tmp_path / "a.parquet"))


def test_json_records_keep_the_types_that_they_are_written_in(write):
    rows = [{"day": "2020-01-01", "code": "007", "n": 0.1}, {"day": "2020-01-02", "code": "010", "n": 2}]
    table = JsonSource(write("a.json", json.dumps(rows))).load()
    assert table.to_dict("list") == {"day": ["2020-01-01", "2020-01-02"], "code": ["007", "010"], "n": [0.1, 2.0]}


def test_other_forms_of_json_are_read_by_orient(write):
    path = write("a.json", TABLE.to_json(orient="split"))
    assert JsonSource(path, {"orient": "split"}).load().a.tolist() == [1, 2]


def test_json_lines_are_read_compressed_too(write):
    lines = '{"a": 1, "b": "x"}\n\n{"a": 2, "b": null}\n'
    assert JsonLinesSource(write("a.jsonl", lines)).load().a.tolist() == [1, 2]
    assert JsonLinesSource(write("b.jsonl.gz", gzip.compress(lines.encode()))).load().b.isna().tolist() == [False, True]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ('[{"a": 1}, {"a": ', "not valid JSON"),
        ('[{"a": 1},\n {"a" 2}]', "line 2 column"),
        ("3", "not a table"),
        ("[1, 2]", "not a table"),
        ('{"a": 1}', "not a table"),
        ('{"a": 1}\n{"a": 2}\n', "data: jsonl"),
        ("[]", "no rows"),
        ("  \n", "blank"),
        (b'[{"a": "\xe9"}]', "data.read.encoding"),
        (b"\x1f\x8b\x08\x00", "gzip"),
        pytest.param("[" * 100_000, "nested too deeply", id="deep"),
    ],
)
def test_what_is_no_json_table_is_refused(write, content, says):
    assert says in refusal(JsonSource(write("a.json", content)))


@pytest.mark.parametrize(
    ("content", "says"),
    [('{"a": 1}\n{"a": \n', "line 2 is not valid JSON"), ('{"a": 1}\n3\n', "line 2 is not a JSON object")],
)
def test_a_bad_line_of_json_lines_is_named(write, content, says):
    assert says in refusal(JsonLinesSource(write("a.jsonl", content)))


def test_an_unknown_option_of_any_reader_is_named(write):
    for source in (ParquetSource, JsonSource, JsonLinesSource, ExcelSource):
        with pytest.raises(ConfigError, match=r"data\.read\.oriemt"):
            source(write("a", "x"), {"oriemt": 1})


def test_excel_is_read(tmp_path):
    TABLE.to_excel(tmp_path / "a.xlsx", index=False, sheet_name="one")
    assert_frame_equal(ExcelSource(tmp_path / "a.xlsx").load(), TABLE)
    with pytest.raises(ConfigError, match=r"data\.read\.sheet_name: .*did you mean 'one'"):
        ExcelSource(tmp_path / "a.xlsx", {"sheet_name": "onr"}).load()


def test_excel_names_are_checked(tmp_path):
    pd.DataFrame([[1, 2, 3]], columns=["a", "a", "b"]).to_excel(tmp_path / "a.xlsx", index=False)
    assert "'a' more than once" in refusal(ExcelSource(tmp_path / "a.xlsx"))
    TABLE.to_excel(tmp_path / "b.xlsx")
    assert "the first column has no name" in refusal(ExcelSource(tmp_path / "b.xlsx"))


def test_what_is_no_excel_file_is_refused(write):
    assert "not an Excel file" in refusal(ExcelSource(write("a.xlsx", "a,b\n1,2\n")))
    assert "0 bytes" in refusal(ExcelSource(write("b.xlsx", "")))


def test_excel_without_its_package_names_the_extra(tmp_path, monkeypatch):
    TABLE.to_excel(tmp_path / "a.xlsx", index=False)
    monkeypatch.setitem(sys.modules, "openpyxl", None)  # as where it is not installed
    with pytest.raises(MissingExtraError, match=r"openpyxl.*mlops-cli\[excel\]"):
        ExcelSource(tmp_path / "a.xlsx").load()


@pytest.mark.parametrize("name", ["breast_cancer", "diabetes", "digits", "iris", "wine"])
def test_bundled_sets_have_plain_names_and_a_target(name):
    table = SklearnSource(name).load()
    assert all(column.isidentifier() and column == column.lower() for column in table.columns)
    assert table.columns[-1] == "target"
    assert table.target.notna().all()


def test_bundled_classes_go_by_their_names():
    assert set(SklearnSource("iris").load().target) == {"setosa", "versicolor", "virginica"}
    assert SklearnSource("digits").load().target.dtype == "int64"


def test_an_unknown_bundled_set_is_named_with_the_nearest():
    with pytest.raises(ConfigError, match=r"data\.dataset: .*did you mean 'iris'"):
        SklearnSource("irsi")
