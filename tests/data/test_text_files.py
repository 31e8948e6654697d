"""A delimited file is read as pandas reads it, or refused in one line that names the mend."""

import bz2
import gzip
import io
import lzma
import zipfile

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from mlops_cli.components.sources import CsvSource, opening
from mlops_cli.errors import ConfigError, DataError

ROWS = "a,b,c\n1,x,1.5\n2,y,2.5\n3,z,\n"


def refusal(path, read=None, **kwargs) -> str:
    with pytest.raises(DataError) as caught:
        CsvSource(path, read or {}, **kwargs).load()
    text = str(caught.value)
    assert "\n" not in text
    assert path.name in text
    return text


def test_a_good_file_is_read_as_pandas_reads_it(write):
    path = write("a.csv", ROWS)
    assert_frame_equal(CsvSource(path).load(), pd.read_csv(path))


def test_options_are_handed_to_pandas(write):
    path = write("a.csv", "x;y\n1,5;?\n2,5;3\n")
    table = CsvSource(path, {"sep": ";", "decimal": ",", "na_values": ["?"]}).load()
    assert table.x.tolist() == [1.5, 2.5]
    assert table.y.isna().tolist() == [True, False]


def test_an_unknown_option_is_named_with_the_nearest(write):
    with pytest.raises(
        ConfigError, match=r"data\.read\.seperator: .*'seperator'.*did you mean 'separator|sep"
    ) as caught:
        CsvSource(write("a.csv", ROWS), {"seperator": ";"})
    assert caught.value.key == "data.read.seperator"


def test_an_option_of_a_wrong_value_is_a_config_error(write):
    with pytest.raises(ConfigError, match=r"data\.read: pandas\.read_csv refuses"):
        CsvSource(write("a.csv", ROWS), {"usecols": ["a", "nope"]}).load()
    with pytest.raises(ConfigError, match=r"data\.read: pandas\.read_csv refuses"):
        CsvSource(write("b.csv", ROWS), {"sep": 5}).load()
    with pytest.raises(ConfigError, match=r"data\.read\.encoding: unknown encoding 'utf-9' .*did you mean 'utf-8'"):
        CsvSource(write("c.csv", ROWS), {"encoding": "utf-9"})


@pytest.mark.parametrize("suffix", ["gz", "bz2", "xz", "zip", "zst"])
def test_compressed_files_are_read_by_their_extension(tmp_path, suffix):
    path = tmp_path / f"a.csv.{suffix}"
    path.write_bytes(_compressed(ROWS.encode(), suffix))
    source = CsvSource(path)
    assert_frame_equal(source.load(), pd.read_csv(io.StringIO(ROWS)))
    assert source.inspect(source.load()) == []


def _compressed(data: bytes, suffix: str) -> bytes:
    if suffix == "zip":
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr("a.csv", data)
        return out.getvalue()
    if suffix == "zst":
        import pyarrow as pa

        return pa.Codec("zstd").compress(data, asbytes=True)
    return {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}[suffix](data)


def test_a_missing_file_names_the_nearest_in_its_folder(write):
    there = write("titanic.csv", ROWS)
    assert f"did you mean '{there}'?" in refusal(there.with_name("titanik.csv"))
    assert "does not exist" in refusal(there.parent / "nowhere" / "titanic.csv")


def test_a_folder_without_parts_is_refused(tmp_path, write):
    write("inside.bin", ROWS)
    assert "holds no .csv files (it has: inside.bin)" in refusal(tmp_path)


def test_an_empty_or_blank_file_is_refused(write):
    assert "is empty (0 bytes)" in refusal(write("a.csv", ""))
    assert "blank" in refusal(write("b.csv", "\n\n\n"))


def test_a_header_alone_is_refused(write):
    assert "has a header and no rows" in refusal(write("a.csv", "a,b\n"))


def test_a_truncated_compressed_file_is_refused(write):
    whole = gzip.compress(("a,b\n" + "".join(f"{i},{i * 7919}\n" for i in range(9000))).encode())
    assert "ends too early" in refusal(write("a.csv.gz", whole[: len(whole) // 2]))


@pytest.mark.parametrize("suffix", ["gz", "bz2", "xz", "zip", "zst"])
def test_a_file_that_is_not_compressed_as_its_name_says_is_refused(write, suffix):
    assert "does not decompress" in refusal(write(f"a.csv.{suffix}", ROWS * 3))


def test_a_compressed_file_without_the_extension_names_the_option(write):
    assert "data.read.compression: gzip" in refusal(write("a.csv", gzip.compress(ROWS.encode())))
    path = write("b.csv", gzip.compress(ROWS.encode()))
    assert len(CsvSource(path, {"compression": "gzip"}).load()) == 3


def test_a_zip_of_two_files_is_refused(tmp_path):
    path = tmp_path / "a.csv.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", ROWS)
        archive.writestr("b.csv", ROWS)
    assert "exactly one file" in refusal(path)


def test_a_decompression_bomb_is_refused(write, monkeypatch):
    monkeypatch.setattr(opening, "MAX_EXPANDED", 2**20)  # the true limit is 256 times this, and the test too
    path = write("a.csv.gz", gzip.compress(b"a,b\n" + b"0,0\n" * 2**20, compresslevel=9))
    assert "decompression bomb" in refusal(path)


def test_a_highly_regular_file_below_the_limit_is_no_bomb(write):
    assert len(CsvSource(write("a.csv.gz", gzip.compress(b"a,b\n" + b"0,0\n" * 50_000))).load()) == 50_000


def test_a_wrong_encoding_names_the_one_to_try(write):
    text = refusal(write("a.csv", "name,n\nJosé,1\n".encode("latin-1")))
    assert "line 2 is not utf-8 text" in text
    assert "data.read.encoding: latin-1" in text
    assert "data.read.encoding: utf-16" in refusal(write("b.csv", "name,n\nJosé,1\n".encode("utf-16")))


def test_a_named_encoding_is_used(write):
    path = write("a.csv", "name,n\nJosé,1\n".encode("utf-16"))
    assert CsvSource(path, {"encoding": "utf-16"}).load().name[0] == "José"


def test_a_byte_order_mark_is_no_part_of_a_name(write):
    table = CsvSource(write("a.csv", "\ufeffa,b\n1,2\n")).load()
    assert list(table.columns) == ["a", "b"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (bytes(range(256)) * 20, "is not a text file"),
        (b"PAR1" + b"\x00" * 20, "data: parquet"),
        (b"PK\x03\x04" + b"\x00" * 20, "data: excel"),
        (b"<!DOCTYPE html>\n<html><body>not found</body></html>", "is a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "git lfs pull"),
    ],
)
def test_what_is_no_table_of_text_is_named(write, content, says):
    assert says in refusal(write("a.csv", content))


def test_a_row_longer_than_the_header_names_its_line(write):
    assert "line 3 has 3 fields where 2 were expected" in refusal(write("a.csv", "a,b\n1,2\n3,4,5\n6,7\n"))


def test_rows_that_are_all_longer_than_the_header_are_refused(write):
    text = refusal(write("a.csv", "a,b\n1,2,3\n4,5,6\n"))
    assert "rows have 3 fields where 2 columns are named" in text
    assert "refused" not in text


def test_a_trailing_separator_can_be_allowed(write):
    path = write("a.csv", "a,b\n1,2,\n3,4,\n")
    assert "index_col: false" in refusal(path)
    assert CsvSource(path, {"index_col": False}).load().a.tolist() == [1, 3]


def test_rows_shorter_than_the_header_name_the_first_line(write):
    path = write("a.csv", "a,b,c\n1,2,3\n1,2\n1,2,3\n1\n")
    assert "line 3 has 2 fields where the header has 3, and 1 more lines likewise" in refusal(path)
    assert CsvSource(path, short_rows="fill").load().c.isna().sum() == 2


def test_missing_last_values_are_no_short_rows(write):
    assert CsvSource(write("a.csv", 'a,b\n1,\n"2\n2",\n\n3,4\n')).load().b.isna().sum() == 2


def test_short_rows_are_counted_past_comments_and_skipped_lines(write):
    path = write("a.csv", "made by hand\na,b,c\n# note\n1,2,3\n4,5\n")
    assert "line 5 has 2 fields" in refusal(path, {"skiprows": 1, "comment": "#"})


def test_an_unclosed_quote_is_named(write):
    assert "never closed" in refusal(write("a.csv", 'a,b\n1,"2\n3,4\n'))


def test_repeated_names_are_refused_rather_than_renamed(write):
    assert "'a' more than once" in refusal(write("a.csv", "a,b,a\n1,2,3\n"))
    assert "'a' more than once" in refusal(write("b.csv", "a,b, a\n1,2,3\n"))


def test_blank_names_are_refused(write):
    assert "Column 2 has none" in refusal(write("a.csv", "a,,c\n1,2,3\n"))


def test_an_index_written_by_pandas_can_be_left_out(write):
    path = write("a.csv", pd.DataFrame({"x": [5.5, 6.5]}).to_csv())
    assert "data.read.index_col: 0" in refusal(path)
    assert list(CsvSource(path, {"index_col": 0}).load().columns) == ["x"]


def test_a_nameless_column_with_nothing_in_it_is_left_out(write):
    assert list(CsvSource(write("a.csv", "a,b,\n1,2,\n3,4,\n")).load().columns) == ["a", "b"]


def test_padded_names_are_stripped_and_it_is_said(write):
    source = CsvSource(write("a.csv", "a, b ,c\n1,2,3\n"))
    table = source.load()
    assert list(table.columns) == ["a", "b", "c"]
    assert [n.code for n in source.inspect(table)] == ["padded-names"]


def test_a_missing_header_is_found(write):
    assert "data.read: {header: null, names: [3 names]}" in refusal(write("a.csv", "7.4,0.7,5\n7.8,0.9,5\n"))
    iris = "5.1,3.5,Iris-setosa\n4.9,3.0,Iris-setosa\n6.2,2.9,Iris-virginica\n"
    assert "no header found" in refusal(write("b.csv", iris))


def test_a_missing_header_can_be_given(write):
    path = write("a.csv", "7.4,0.7,5\n7.8,0.9,5\n")
    table = CsvSource(path, {"header": None, "names": ["x", "y", "z"]}).load()
    assert list(table.columns) == ["x", "y", "z"]
    assert len(table) == 2


@pytest.mark.parametrize("header", ["0,1,2", "1990,1991,1992", "id,2019,2020"])
def test_numbers_in_a_row_are_names(write, header):
    assert len(CsvSource(write("a.csv", f"{header}\n7.4,0.7,5\n7.8,0.9,5\n")).load()) == 2


def test_a_header_of_numbers_can_be_insisted_on(write):
    assert len(CsvSource(write("a.csv", "3.5,9.25\n1,2\n3,4\n"), {"header": 0}).load()) == 2


def test_a_header_taken_for_data_is_found(write):
    path = write("a.csv", "x,y\n1,2\n3,4\n")
    assert "data.read.header: 0" in refusal(path, {"names": ["p", "q"]})
    assert "leave out `data.read.header: null`" in refusal(path, {"header": None})
    assert list(CsvSource(path, {"header": 0, "names": ["p", "q"]}).load().columns) == ["p", "q"]


@pytest.mark.parametrize(("separator", "shown"), [(";", "';'"), ("\t", '"\\t"'), ("|", "'|'")])
def test_a_wrong_separator_names_the_right_one(write, separator, shown):
    content = "\n".join(separator.join(row) for row in (["a", "b"], ["1", "2"], ["3", "4"])) + "\n"
    assert f"data.read.sep: {shown}" in refusal(write("a.csv", content))


def test_a_wrong_separator_is_named_with_decimal_commas_too(write):
    assert "data.read.sep: ';'" in refusal(write("a.csv", "a;b;c\n1,5;2,5;3\n1,5;2,5;3\n"))


def test_blanks_as_separators_are_found(write):
    assert r"data.read.sep: '\s+'" in refusal(write("a.csv", "a  b   c\n1 2  3\n4  5 6\n"))


def test_a_comma_file_read_as_tabs_is_found(write):
    assert "data.read.sep: ','" in refusal(write("a.tsv", "a,b\n1,2\n"), {"sep": "\t"})


def test_the_type_of_a_column_does_not_depend_on_where_in_the_file_its_odd_value_is(write):
    table = CsvSource(write("a.csv", "a,b\n" + "1,2\n" * 300_000 + "x,3\n")).load()
    assert {type(v) for v in table.a} == {str}


def test_columns_are_kept_as_they_are_written_where_asked(write):
    source = CsvSource(write("a.csv", "zip, n\n007,1\n010,2\n")).reading_as_text(["zip", "n"])
    table = source.load()
    assert table.zip.tolist() == ["007", "010"]
    assert table.n.tolist() == ["1", "2"]


def test_regular_expressions_as_separators_are_left_to_pandas(write):
    table = CsvSource(write("a.csv", "a::b\n1::2\n"), {"sep": "::"}).load()
    assert table.b.tolist() == [2]
