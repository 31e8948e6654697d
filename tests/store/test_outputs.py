"""Tables written in parts: the same as in one, whole or not at all, with values as they are."""

from __future__ import annotations

import io
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_cli.errors import DataError, UsageError
from mlops_cli.store import outputs
from mlops_cli.store.outputs import Form, check_place, form_of, table_file, table_stream

TABLE = pd.DataFrame(
    {
        "id": ["=1", "a,b", 'q"x', "l\nm", "007", " x", "ü", None],
        "number": [0.1, 1e-5, 1e300, np.nan, 1 / 3, 5e-324, 1.0, -123456789.123],
        "whole": range(8),
    }
)


def written(*tables, form="csv"):
    stream = io.BytesIO()
    with table_stream(stream, Form(form)) as write:
        for table in tables:
            write(table)
    return stream.getvalue()


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1), st.sampled_from(["csv", "tsv"]))
def test_any_text_comes_back(texts, form):
    table = pd.DataFrame({"text": texts, "n": range(len(texts))})
    data = written(table.head(1), table.iloc[1:], form=form) if len(texts) > 1 else written(table, form=form)
    back = pd.read_csv(
        io.BytesIO(data), sep="\t" if form == "tsv" else ",", dtype=str, keep_default_na=False, lineterminator=None
    )
    cleaned = [text.replace("\r\n", "\n").replace("\r", "\n") for text in texts]
    assert [str(v).replace("\r\n", "\n").replace("\r", "\n") for v in back["text"]] == cleaned


def test_csv_holds_the_same_values_as_were_given():
    back = pd.read_csv(io.BytesIO(written(TABLE.head(3), TABLE.iloc[3:])), dtype=str)
    assert list(back["id"].dropna()) == list(TABLE["id"].dropna())
    assert [float(text) for text in back["number"].dropna()] == list(TABLE["number"].dropna())  # to the last bit
    assert list(back["whole"]) == list("01234567")


def test_numbers_alone_are_written_to_the_byte_as_pandas_does():
    table = pd.DataFrame({"id": range(5), "prediction": [1, 0, 1, 1, 0]})
    assert written(table.head(2), table.tail(3)) == table.to_csv(index=False).encode()


def test_a_lone_missing_value_is_no_blank_line():
    assert len(pd.read_csv(io.BytesIO(written(pd.DataFrame({"p": [1.5, np.nan, 2.0]}))))) == 3


@pytest.mark.parametrize("form", ["json", "jsonl"])
def test_json_has_null_for_what_is_missing_or_not_finite(form):
    data = written(pd.DataFrame({"x": [1.5, np.nan, np.inf], "t": ["a", None, "b"]}), form=form).decode()
    rows = json.loads(data) if form == "json" else [json.loads(line) for line in data.splitlines()]
    assert rows == [{"x": 1.5, "t": "a"}, {"x": None, "t": None}, {"x": None, "t": "b"}]


@pytest.mark.parametrize("form", ["parquet", "feather"])
def test_a_part_of_another_type_is_refused_with_the_form_that_takes_it(form):
    with pytest.raises(DataError, match=r"another type than in the rows before.*OUT\.csv"):
        written(pd.DataFrame({"x": [1, 2]}), pd.DataFrame({"x": ["a"]}), form=form)


def test_a_file_is_there_whole_or_not_at_all(tmp_path):
    path = tmp_path / "out.csv"
    path.write_text("before")

    def broken_off():
        with table_file(path, Form("csv")) as write:
            write(TABLE)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        broken_off()
    assert path.read_text() == "before"
    assert [p.name for p in tmp_path.iterdir()] == ["out.csv"]


def test_a_packed_file_of_the_same_rows_is_the_same_file(tmp_path):
    for name in ("a.csv.gz", "b.csv.gz"):
        with table_file(tmp_path / name, form_of(tmp_path / name)) as write:
            write(TABLE)
    assert (tmp_path / "a.csv.gz").read_bytes() == (tmp_path / "b.csv.gz").read_bytes()


def test_a_sheet_takes_no_more_rows_than_excel_does(monkeypatch):
    pytest.importorskip("openpyxl")
    monkeypatch.setattr(outputs, "MOST_SHEET_ROWS", 8)
    with pytest.raises(DataError, match="no more than 8 rows"):
        written(TABLE.head(5), TABLE.tail(3), form="excel")


@pytest.mark.parametrize(("name", "nearest"), [("a.cvs", ".csv"), ("a", "allowed"), ("a.gz", "allowed")])
def test_a_name_that_says_no_form_is_refused(tmp_path, name, nearest):
    with pytest.raises(UsageError, match=nearest):
        form_of(tmp_path / name)


def test_a_device_is_never_replaced_by_a_file(tmp_path):
    import os

    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(UsageError, match="is no file"):
        check_place(tmp_path / "pipe.csv", force=True)
