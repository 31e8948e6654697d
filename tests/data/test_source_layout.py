"""The layout of a text file is checked however long its first lines are, and nothing of a row is left out unsaid."""

import pytest

from mlops_cli.components.sources import CsvSource
from mlops_cli.errors import DataError

NAMES = [f"column_number_{i}" for i in range(6000)]
"""A header of more than 64 KiB."""


def refusal(path, **read) -> str:
    with pytest.raises(DataError) as caught:
        CsvSource(path, read).load()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def lines(*rows, separator=",", end="\n"):
    return "".join(separator.join(map(str, row)) + end for row in rows)


def test_repeated_names_in_a_long_header_are_refused(write):
    path = write("a.csv", lines([*NAMES, "column_number_5"], range(6001)))
    assert "column names must be unique. Got 'column_number_5' more than once" in refusal(path)


def test_a_missing_header_is_found_though_the_lines_are_long(write):
    path = write("a.csv", lines(*[[1.2345678901 + i + j for i in range(6000)] for j in (0, 0.5, 0.25)]))
    assert "no header found" in refusal(path)


def test_a_wrong_separator_is_found_though_the_lines_are_long(write):
    assert "data.read.sep: ';'" in refusal(write("a.csv", lines(NAMES, range(6000), separator=";")))


def test_a_long_preamble_is_skipped_before_the_layout_is_looked_at(write):
    preamble = "a remark\n" * 10_000
    path = write("a.csv", preamble + lines(["a", "b", "a"], [1, 2, 3]))
    assert "column names must be unique" in refusal(path, skiprows=10_000)


def test_lines_may_end_as_on_an_old_macintosh(write):
    rows = [[i, i % 3, i % 2] for i in range(20_000)]
    path = write("a.csv", lines(["a", "b", "a"], *rows, end="\r"))
    assert "column names must be unique" in refusal(path)


def test_values_beyond_the_last_column_are_not_dropped_unsaid(write):
    ends = write("a.csv", "a,b\n1,2,\n3,4,\n")
    source = CsvSource(ends, {"index_col": False})
    assert source.load().b.tolist() == [2, 4]
    assert source.inspect(source.load()) == []
    more = write("b.csv", "a,b\n1,2,9\n3,4,9\n")
    assert "rows have more values than there are columns" in refusal(more, index_col=False)
