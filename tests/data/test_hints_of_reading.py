"""Whoever does as a hint says gets that column right, and every other column as it was, or is told that it is not."""

import itertools
import re

import pandas as pd
import pytest
import yaml

from mlops_cli.components.dataset import read_table
from mlops_cli.components.sources import CsvSource, ExcelSource, FixedWidthSource, JsonSource
from mlops_cli.errors import DataError
from mlops_cli.records import ComponentSpec, DataSpec

COLUMNS = {
    "points": ["39.1", "18.75", "0.5", "7.25"],
    "wholes": ["1", "2", "30", "4"],
    "gaps": ["1.5", "", "3.5", "4.5"],
    "gaps_by_word": ["1.5", "NaN", "3.5", "4.5"],
    "decimal_comma": ["39,25", "39,5", "40", "1,2"],
    "both_marks": ["1.039,25", "39,5", "40", "12.345"],
    "three_decimals": ["0,125", "39,500", "1,250", "2,375"],
    "thousands": ["3,750", "1,000", "12,500,000", "7"],
    "one_mark": ["3,750", "1,000", "12,500", "7,125"],
    "exact_thousands": ["3,750.25", "1,000.5", "12,500", "7"],
    "comma_and_word": ["1,5", "2,5", *["3,5", "4,25"] * 9, "unknown", "6,5"],
    "number_and_word": ["1", "2", "unknown", "4"],
    "number_and_words": ["1", "2", "it's", "4"],
    "word": ["unknown", "a", "b", "it's"],
    "region": ["NA", "EU", "AS", "NA"],
    "region_gaps": ["NA", "EU", "", "AS"],
    "few": ["None", "few", "many", "few"],
    "missing_by_word": ["null", "x", "y", "z"],
    "padded": [" male", " female", "male", " male"],
    "padded_too": [" x", "y", " NA", "z"],
    "zip": ["007", "010", "123", "456"],
    "day_and_month": ["01/02/2020", "03/04/2020", "05/06/2021", "01/02/2020"],
    "dotted_dates": ["01.02.2020", "03.04.2020", "05.06.2021", "01.12.2020"],
    "iso": ["2020-01-02", "2020-02-03", "2021-03-04", "2020-01-02"],
    "addresses": ["192.168.100.101", "10.0.0.1", "10.0.0.2", "10.1.1.1"],
    "lists": ["1,2", "3,4,5", "6", "7,8"],
    "versions": ["1.2.3", "1.2.4", "2.0.0", "2.1.0"],
}
FIXED = "x      n\n39,25  1.5\n1,2    2.5\n"
HINT = re.compile(r"`data\.([^`]*)`")
RIGHT = {
    "decimal_comma": [39.25, 39.5, 40, 1.2],
    "both_marks": [1039.25, 39.5, 40, 12345],
    "three_decimals": [0.125, 39.5, 1.25, 2.375],
    "thousands": [3750, 1000, 12_500_000, 7],
    "exact_thousands": [3750.25, 1000.5, 12500, 7],
    "region": ["NA", "EU", "AS", "NA"],
    "few": ["None", "few", "many", "few"],
    "zip": ["007", "010", "123", "456"],
}


@pytest.fixture
def read(write):
    """Read columns of the table above under options of ``data``; what is refused comes as its message and hint."""

    def read(names, options):
        rows = max(len(COLUMNS[n]) for n in names)
        cells = {n: (COLUMNS[n] * rows)[:rows] for n in names}
        path = write("a.csv", pd.DataFrame({**cells, "last": "end"}).to_csv(index=False, sep=";"))
        source = CsvSource(path, {"sep": ";", **options.get("read", {})})
        try:
            return read_table(source, DataSpec(ComponentSpec(""), dtypes=options.get("dtypes", {})))
        except DataError as error:
            return None, (error.message, f"{error.hint}")

    return read


def options_of(hint: str, before: dict) -> dict:
    """Return options under which a hint is followed, as YAML below ``data`` reads it."""
    key, _, value = hint.partition(": ")
    first, *rest = key.split(".", 1)
    said = yaml.safe_load(value)
    added = {rest[0]: said} if rest else said
    return {**before, first: {**before.get(first, {}), **added}}


def about(notices, name: str) -> list[str]:
    return [n.message for n in notices if f"'{name}'" in n.message]


@pytest.mark.parametrize("first", COLUMNS)
def test_a_hint_on_one_column_leaves_each_other_as_it_is_or_says_so(read, first):
    says = any(HINT.search(n.message) for n in read([first], {})[1])
    for other in (n for n in COLUMNS if says and n != first):
        before, notices = read([first, other], {})
        for message in about(notices, first):
            for hint in HINT.findall(message):
                options = options_of(hint, {})
                after, said = read([first, other], options)
                if after is None:  # refused aloud, with the value and the way on
                    assert first in said[0] or other in said[0], (message, said)
                    continue
                same = after[other].equals(before[other]) and after[other].dtype == before[other].dtype
                if about(notices, other) and after[other].tolist()[:4] == RIGHT.get(other):
                    continue  # that was told of it too, and came right
                told = about(said, other) or f"'{other}'" in message or any(hint in m for m in about(notices, other))
                assert same or told, (hint, other, after[other].tolist())


@pytest.mark.parametrize("names", [*itertools.combinations(RIGHT, 2), tuple(RIGHT), tuple(COLUMNS)], ids=str)
def test_all_hints_followed_one_by_one_give_every_column_as_it_is_meant(read, names):
    options: dict = {}
    for _ in range(3 * len(names)):
        table, notices = read(names, options)
        assert table is not None, (options, notices)
        hints = [(n, HINT.findall(n.message)) for n in notices if n.code not in {"ambiguous-dates", "mixed-types"}]
        todo = [found[-1] for n, found in hints if found and "padded" not in n.message]
        if not todo:
            break
        options = options_of(todo[0], options)
    for name in (n for n in names if n in RIGHT):
        assert table[name].tolist()[:4] == RIGHT[name], (name, options)


@pytest.mark.parametrize(
    ("read_options", "wrong", "hint"),
    [
        ({"thousands": ","}, "decimal_comma", "decimal_comma"),
        ({"thousands": ","}, "three_decimals", "decimal_comma"),
        ({"thousands": ","}, "lists", "decimal_comma"),
        ({"thousands": "."}, "points", "decimal_point"),
        ({"thousands": ".", "decimal": ","}, "points", "decimal_point"),
        ({"thousands": ".", "decimal": ","}, "dotted_dates", "decimal_point"),
    ],
)
def test_marks_that_part_no_thousands_are_not_taken_out_of_numbers(read, read_options, wrong, hint):
    table, (message, way) = read(["wholes", wrong], {"read": read_options})
    assert table is None
    assert f"column '{wrong}' has '" in message
    assert f"`data.dtypes.{wrong}: {hint}`" in way


def test_one_wrong_value_far_down_is_found(write):
    path = write("a.csv", "g;n\n" + "1,000;1\n" * 30_000 + "39,25;1\n")
    with pytest.raises(DataError, match="column 'g' has '39,25', in which ',' parts no thousands"):
        CsvSource(path, {"sep": ";", "thousands": ","}).load()


def test_cells_of_a_workbook_and_text_of_fixed_widths_keep_their_marks_too(tmp_path, write):
    book = tmp_path / "a.xlsx"
    pd.DataFrame({"x": ["39,25", "1,2"], "n": [1.5, 2.5]}).to_excel(book, index=False)
    for source in (ExcelSource(book, {"thousands": ","}), FixedWidthSource(write("a.txt", FIXED), {"thousands": ","})):
        with pytest.raises(DataError, match="column 'x' has '39,25' and 1 more, in which ',' parts no thousands"):
            source.load()
    fine = DataSpec(ComponentSpec(""), dtypes={"x": "decimal_comma"})
    for source in (ExcelSource(book, {"thousands": ","}), FixedWidthSource(write("b.txt", FIXED), {"thousands": ","})):
        assert read_table(source, fine)[0].x.tolist() == [39.25, 1.2]


def test_a_source_without_options_of_reading_names_what_it_takes(write):
    source = JsonSource(write("a.json", '[{"x": "39,25", "y": "01/02/2020"}, {"x": "1,2", "y": "03/04/2020"}]'))
    _, notices = read_table(source, DataSpec(ComponentSpec("")))
    assert [HINT.findall(n.message) for n in notices] == [["dtypes.x: decimal_comma"], []]


def test_numbers_with_points_are_said_where_the_comma_is_the_decimal_mark(read):
    _, notices = read(["decimal_comma", "points"], {"read": {"decimal": ","}})
    assert [n.code for n in notices] == ["decimal-point"]
    assert "`data.dtypes.points: decimal_point`" in notices[0].message
    options = {"read": {"decimal": ","}, "dtypes": {"points": "decimal_point"}}
    table, notices = read(["decimal_comma", "points"], options)
    assert not notices
    assert table.points.tolist() == [39.1, 18.75, 0.5, 7.25]


def test_comments_at_the_top_are_named_by_what_cuts_no_value_off(write):
    for rows, hint in (("1,2\n", "data.read.comment: '#'"), ("1,C#\n", "data.read.skiprows: 1")):
        path = write("a.csv", "# made by hand\na,b\n" + rows * 3)
        with pytest.raises(DataError) as caught:
            CsvSource(path).load()
        assert f"`{hint}`" in str(caught.value)
        key, _, value = hint.rpartition(": ")
        table = CsvSource(path, {key.rpartition(".")[2]: yaml.safe_load(value)}).load()
        assert table.b.tolist() == [yaml.safe_load(rows.strip().partition(",")[2])] * 3


def test_a_dtype_that_says_how_numbers_are_written_refuses_others(read):
    table, (message, hint) = read(["comma_and_word"], {"dtypes": {"comma_and_word": "decimal_comma"}})
    assert table is None
    assert "1 of 22 values are no numbers with a decimal comma: 'unknown'" in message
    assert "`data.read.na_values: {comma_and_word: [...]}`" in hint
    fine = {"dtypes": {"comma_and_word": "decimal_comma"}, "read": {"na_values": {"comma_and_word": ["unknown"]}}}
    assert read(["comma_and_word", "word"], fine)[0].word[0] == "unknown"


def test_new_rows_without_a_comma_are_read_as_the_others_were(write):
    spec = DataSpec(ComponentSpec(""), dtypes={"a": "decimal_comma"})
    for text, value in (("1.234,5", 1234.5), ("1.234", 1234), ("12", 12)):
        assert read_table(CsvSource(write("a.csv", f"a;b\n{text};1\n"), {"sep": ";"}), spec)[0].a.tolist() == [value]
