"""What a file shows as text and hides once parsed is said, with the key that mends it; following it mends it."""

import pandas as pd
import pytest

from mlops_cli.components.dataset import read_table
from mlops_cli.components.sources import CsvSource, JsonSource
from mlops_cli.records import ComponentSpec, DataSpec


def said(path, read=None, **spec) -> dict[str, str]:
    _, notices = read_table(CsvSource(path, read or {}), DataSpec(ComponentSpec(""), **spec))
    return {n.code: n.message for n in notices}


def test_a_clean_file_says_nothing(write):
    assert said(write("a.csv", "a,b,c\n1,x,2.5\n2,y,3.5\n0,z,0.5\n")) == {}


def test_texts_that_mean_missing_to_pandas_are_said(write):
    path = write("a.csv", "country,n\nNA,1\nDE,2\nNone,3\nNA,4\n")
    assert "'NA' (2), 'None' (1)" in said(path)["na-texts"]
    table, notices = read_table(CsvSource(path, {"keep_default_na": False}), DataSpec(ComponentSpec("")))
    assert not notices
    assert table.country.tolist() == ["NA", "DE", "None", "NA"]


def test_texts_for_missing_among_numbers_are_what_they_seem(write):
    assert said(write("a.csv", "a,b\nNA,1\n2,2\n3,3\n")) == {}


def test_leading_zeros_are_said_and_kept_where_the_dtype_is_text(write):
    path = write("a.csv", "zip,n\n00701,1\n10115,2\n")
    assert "data.dtypes.zip: str" in said(path)["leading-zeros"]
    table, notices = read_table(CsvSource(path), DataSpec(ComponentSpec(""), dtypes={"zip": "str"}))
    assert not notices
    assert table.zip.tolist() == ["00701", "10115"]


def test_decimal_commas_are_said(write):
    path = write("a.csv", "a;b\n1,5;2\n1.000,25;3\n")
    message = said(path, {"sep": ";"})["decimal-comma"]
    assert "`data.read: {decimal: ',', thousands: '.'}`" in message
    assert said(path, {"sep": ";", "decimal": ",", "thousands": "."}) == {}


def test_thousands_separators_are_said(write):
    path = write("a.csv", 'a,b\n"1,000",2\n"12,500",3\n7,4\n')
    assert "data.read.thousands: ','" in said(path)["thousands"]
    assert said(path, {"thousands": ","}) == {}


@pytest.mark.parametrize("place", [3, 20_000])
def test_a_few_texts_among_numbers_are_said_wherever_they_are(write, place):
    rows = [f"{i},{i % 7}" for i in range(25_000)]
    rows[place] = "?,1"
    path = write("a.csv", "a,b\n" + "\n".join(rows) + "\n")
    message = said(path)["mixed-types"]
    assert f"1 of 25000 values are no numbers: '?' (first in row {place + 1})" in message
    assert "data.read.na_values: {a: ['?']}" in message
    assert said(path, {"na_values": {"a": ["?"]}}) == {}


def test_dates_read_as_text_are_said(write):
    path = write("a.csv", "day,n\n2020-01-31,1\n2020-02-29,2\n")
    assert "data.dtypes.day: datetime" in said(path)["dates-as-text"]
    table, notices = read_table(CsvSource(path), DataSpec(ComponentSpec(""), dtypes={"day": "datetime"}))
    assert not notices
    assert table.day.dtype.kind == "M"
    assert said(write("b.csv", "day,n\n31/01/2020,1\n01/02/2020,2\n")).keys() == {"dates-as-text"}


def test_dates_that_do_not_show_their_order_are_said(write):
    path = write("a.csv", "day,n\n01/02/2020,1\n03/04/2020,2\n")
    assert "dayfirst: true" in said(path)["ambiguous-dates"]
    table = CsvSource(path, {"parse_dates": ["day"], "dayfirst": True}).load()
    assert table.day[0] == pd.Timestamp(2020, 2, 1)


def test_values_that_begin_with_a_blank_are_said(write):
    path = write("a.csv", "sex, n\n male,1\n female,2\nmale,3\n")
    assert "skipinitialspace" in said(path)["padded-values"]


def test_nothing_is_said_of_columns_that_are_dropped(write):
    assert said(write("a.csv", "day,n\n2020-01-31,1\n"), drop=("day",)) == {}


def test_mixed_types_in_one_json_column_are_said(write):
    source = JsonSource(write("a.json", '[{"a": 1, "b": 1}, {"a": "x", "b": 2}]'))
    table, notices = read_table(source, DataSpec(ComponentSpec("")))
    assert [n.code for n in notices] == ["mixed-types"]
    assert table.a.tolist() == ["1", "x"]
