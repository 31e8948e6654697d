"""Several files are one table; archives are read by member; what differs between parts is named."""

import io
import tarfile
import zipfile

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from mlops_cli.components.sources import CsvSource, JsonLinesSource, ParquetSource, opening
from mlops_cli.errors import ConfigError, DataError

TABLE = pd.DataFrame({"n": range(6), "s": list("abcdef")})


def refusal(source) -> str:
    with pytest.raises((DataError, ConfigError)) as caught:
        source.load()
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture
def parts(tmp_path):
    folder = tmp_path / "parts"
    folder.mkdir()
    for i in (2, 0, 1):
        TABLE.iloc[2 * i : 2 * i + 2].to_csv(folder / f"part-{i}.csv", index=False)
        TABLE.iloc[2 * i : 2 * i + 2].to_parquet(folder / f"part-{i}.parquet", index=False)
        TABLE.iloc[2 * i : 2 * i + 2].to_json(folder / f"part-{i}.jsonl", orient="records", lines=True)
    (folder / "_SUCCESS").write_text("")
    (folder / ".part-0.csv.crc").write_bytes(b"\x00")
    return folder


@pytest.mark.parametrize(
    ("source", "glob"), [(CsvSource, "*.csv"), (ParquetSource, "*.parquet"), (JsonLinesSource, "*.jsonl")]
)
def test_a_glob_and_a_folder_are_one_table_in_the_order_of_names(parts, source, glob):
    assert_frame_equal(source(parts / glob).load(), TABLE)
    assert_frame_equal(source(parts).load(), TABLE)
    assert_frame_equal(source(str(parts.parent / "**" / glob)).load(), TABLE)


def test_a_list_is_read_in_its_own_order(parts):
    table = CsvSource([str(parts / "part-1.csv"), str(parts / "part-0.csv")]).load()
    assert table.n.tolist() == [2, 3, 0, 1]


def test_a_column_may_say_where_each_row_came_from(parts):
    table = CsvSource(parts, source_column="file").load()
    assert table.file.tolist() == [f"part-{i}.csv" for i in (0, 0, 1, 1, 2, 2)]
    with pytest.raises(ConfigError, match="has a column 's' already"):
        CsvSource(parts, source_column="s").load()


def test_columns_that_differ_are_named_with_their_file(parts):
    (parts / "part-3.csv").write_text("n,t\n1,2\n")
    said = refusal(CsvSource(parts))
    assert "part-3.csv: has no 's' and has 't' beside, unlike" in said
    assert "part-0.csv" in said


def test_the_order_of_columns_may_differ(parts):
    (parts / "part-3.csv").write_text("s,n\ng,6\n")
    assert CsvSource(parts).load().iloc[-1].tolist() == [6, "g"]


def test_backups_beside_parts_and_hidden_files_are_no_parts(parts):
    (parts / "part-0.csv.bak").write_text("n,s\n9,z\n")
    (parts / "._part-0.csv").write_bytes(b"\x00")
    (parts / ".ipynb_checkpoints").mkdir()
    (parts / ".ipynb_checkpoints" / "part-0-checkpoint.csv").write_text("n,s\n9,z\n")
    for path in (parts, parts / "*.csv", parts / "**" / "*.csv"):
        assert_frame_equal(CsvSource(path).load(), TABLE)
    assert CsvSource(parts / ".*" / "*.csv").load().n.tolist() == [9]


def test_suffixes_of_parts_may_be_in_capitals(parts):
    (parts / "part-2.csv").rename(parts / "part-2.CSV")
    assert_frame_equal(CsvSource(parts).load(), TABLE)


@pytest.mark.parametrize("name", ["[proj]", "a*b", "what?"])
def test_a_folder_may_have_the_marks_of_globs_in_its_name(tmp_path, name):
    (tmp_path / name / "data").mkdir(parents=True)
    for i in range(3):
        TABLE.iloc[2 * i : 2 * i + 2].to_csv(tmp_path / name / "data" / f"{i}.csv", index=False)
    assert_frame_equal(CsvSource(tmp_path / name / "data" / "?.csv").load(), TABLE)
    assert_frame_equal(CsvSource(tmp_path / name / "*" / "[0-9].csv").load(), TABLE)
    assert "data has: 0.csv, 1.csv, 2.csv" in refusal(CsvSource(tmp_path / name / "data" / "*.tsv"))


def test_levels_of_an_index_are_columns_of_several_parts_as_of_one(tmp_path):
    for i in range(2):
        pd.DataFrame({"id": [2 * i, 2 * i + 1], "a": [1, 2]}).set_index("id").to_parquet(tmp_path / f"{i}.parquet")
    assert ParquetSource(tmp_path).load().to_dict("list") == {"id": [0, 1, 2, 3], "a": [1, 2, 1, 2]}


DAYS = [["13/01/2020", "14/01/2020"], ["02/01/2020", ""], ["03/01/2020", "04/01/2020"]]


def days(folder, parts, header=True):
    folder.mkdir()
    for i, part in enumerate(parts):
        rows = [f"{i},{day},1" for day in part]
        (folder / f"{i}.csv").write_text("\n".join([*(["id,day ,y"] if header else []), *rows]) + "\n")
    return folder


@pytest.mark.filterwarnings("ignore:Parsing dates in %d/%m/%Y format")
@pytest.mark.parametrize(
    ("read", "header"),
    [({"parse_dates": ["day"]}, True), ({"parse_dates": [1]}, True), ({"header": None, "parse_dates": [1]}, False)],
)
def test_dates_of_parts_are_read_as_those_of_one_file(tmp_path, read, header):
    several = CsvSource(days(tmp_path / "several", DAYS, header), read).load()
    written = {**read, "parse_dates": ["day "]} if read["parse_dates"] == ["day"] else read
    whole = CsvSource(days(tmp_path / "whole", [[*DAYS[0], *DAYS[1], *DAYS[2]]], header), written).load()
    name = "day" if header else "1"
    whole = whole.rename(columns=str)
    assert several[name].dt.day.fillna(0).tolist() == [13, 14, 2, 0, 3, 4]
    assert several[name].dt.month.fillna(1).tolist() == [1] * 6
    assert_frame_equal(several[[name]], whole[[name]])


def test_options_of_dates_hold_for_parts_and_what_is_no_date_stays_text(tmp_path):
    read = {"parse_dates": ["day"], "date_format": {"day": "%d%m%Y"}}
    source = CsvSource(days(tmp_path / "a", [["01022020"], ["13022020"]]), read)
    assert source.load().day.dt.strftime("%d.%m.").tolist() == ["01.02.", "13.02."]
    assert CsvSource(days(tmp_path / "b", [["01022020"], ["soon"]]), read).load().day.tolist() == ["01022020", "soon"]
    assert "data.read.parse_dates: no column 'dya' (did you mean 'day'?" in refusal(
        CsvSource(days(tmp_path / "c", DAYS), {"parse_dates": ["dya"]})
    )


def test_numbers_in_one_part_and_text_in_another_are_text_as_in_one_file(tmp_path):
    for name, values in (("a", ["007", "010"]), ("b", ["x1", "008"])):
        (tmp_path / f"{name}.csv").write_text("\n".join(["code,y", *(f"{v},1" for v in values)]) + "\n")
    assert CsvSource(tmp_path / "*.csv").load().code.tolist() == ["007", "010", "x1", "008"]


def test_parts_of_typed_files_that_hold_other_things_are_refused(tmp_path):
    pd.DataFrame({"a": [1, 2]}).to_parquet(tmp_path / "1.parquet")
    pd.DataFrame({"a": ["x", "y"]}).to_parquet(tmp_path / "2.parquet")
    said = refusal(ParquetSource(tmp_path))
    assert "the column 'a' holds numbers in" in said
    assert "2.parquet" in said


def test_a_part_without_values_in_a_column_agrees_with_all(tmp_path):
    (tmp_path / "1.csv").write_text("a,b,c\n1,x,2\n")
    (tmp_path / "2.csv").write_text("a,b,c\n2,,\n")
    table = CsvSource(tmp_path).load()
    assert table.b.isna().tolist() == [False, True]
    assert table.dtypes.astype(str).tolist() == ["int64", "str" if pd.__version__ >= "3" else "object", "float64"]


def test_partitioned_folders_give_their_columns_too(tmp_path):
    pd.DataFrame({"a": [1, 2, 3], "year": [2020, 2021, 2021]}).to_parquet(tmp_path / "t", partition_cols=["year"])
    table = ParquetSource(tmp_path / "t").load()
    assert table.a.tolist() == [1, 2, 3]
    assert table.year.astype(int).tolist() == [2020, 2021, 2021]


def test_a_glob_that_finds_nothing_says_what_is_there(parts):
    assert "no file has such a name" in refusal(CsvSource(parts / "*.tsv"))
    assert "part-0.csv" in refusal(CsvSource(parts / "*.tsv"))
    assert "does not exist" in refusal(CsvSource(parts / "nowhere" / "*.csv"))


# --- archives ------------------------------------------------------------------------------------------------------


@pytest.fixture(params=["zip", "tar", "tar.gz", "tar.xz"])
def archive(request, tmp_path, parts):
    path = tmp_path / f"data.{request.param}"
    if request.param == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
            for part in sorted(parts.glob("*.csv")):
                file.write(part, f"inside/{part.name}")
            file.writestr("readme.txt", "read me")
            file.writestr("__MACOSX/inside/._part-0.csv", b"\x00")
    else:
        with tarfile.open(path, f"w:{request.param.partition('.')[2]}") as file:
            for part in sorted(parts.glob("*.csv")):
                file.add(part, f"inside/{part.name}")
            file.add(parts / "part-0.jsonl", "readme.txt")
    return path


def test_a_member_or_a_glob_of_members_is_read(archive):
    assert_frame_equal(CsvSource(archive, member="inside/part-1.csv").load(), TABLE.iloc[2:4].reset_index(drop=True))
    assert_frame_equal(CsvSource(archive, member="inside/*.csv").load(), TABLE)
    names = ["inside/part-2.csv", "inside/part-0.csv"]
    assert CsvSource(archive, member=names, source_column="file").load().file.tolist() == [
        "part-2.csv",
        "part-2.csv",
        "part-0.csv",
        "part-0.csv",
    ]


def test_a_member_that_is_not_there_is_named_with_the_nearest(archive):
    assert "did you mean 'readme.txt'?" in refusal(CsvSource(archive, member="readme.text"))


def test_an_archive_of_many_files_asks_which(archive):
    assert "data.member" in refusal(CsvSource(archive))


def test_errors_inside_an_archive_name_the_archive(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr("bad.csv", "a,b\n1,2,3\n")
        file.writestr("x", "")
    said = refusal(CsvSource(tmp_path / "a.zip", member="bad.csv"))
    assert f"{tmp_path}/a.zip/bad.csv: " in said
    assert "mlops-" not in said


def test_member_names_never_become_paths(tmp_path):
    with tarfile.open(tmp_path / "a.tar", "w") as file:
        info = tarfile.TarInfo("../../../evil.csv")
        info.size = 8
        file.addfile(info, io.BytesIO(b"a,b\n1,2\n"))
    assert CsvSource(tmp_path / "a.tar").load().a.tolist() == [1]
    assert not list(tmp_path.parent.glob("evil.csv"))


def test_links_in_an_archive_are_not_followed(tmp_path):
    with tarfile.open(tmp_path / "a.tar", "w") as file:
        info = tarfile.TarInfo("link.csv")
        info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
        file.addfile(info)
    assert "holds 0 files" in refusal(CsvSource(tmp_path / "a.tar"))


def test_a_bomb_in_an_archive_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(opening, "MAX_EXPANDED", 2**16)
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a.csv", "a,b\n" + "0,0\n" * 2_000_000)
        file.writestr("b.csv", "")
    assert "bomb" in refusal(CsvSource(tmp_path / "a.zip", member="a.csv"))


def test_members_of_an_archive_count_together_for_a_bomb(tmp_path, monkeypatch):
    monkeypatch.setattr(opening, "MAX_EXPANDED", 2**16)
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as file:
        for i in range(30):
            file.writestr(f"{i:02}.csv", "a,b\n" + "0,0\n" * 120_000)  # each for itself is under 300 times the whole
    assert len(CsvSource(tmp_path / "a.zip", member="0[01].csv").load()) == 240_000
    assert "bomb" in refusal(CsvSource(tmp_path / "a.zip", member="*"))


def test_a_damaged_archive_is_one_line(tmp_path, write):
    assert "archive is damaged" in refusal(CsvSource(write("a.tar.gz", b"\x1f\x8b\x08\x00broken")))
    assert "no zip or tar archive" in refusal(CsvSource(write("a.csv", "a,b\n1,2\n"), member="x"))


def test_a_missing_value_stays_one_through_parts(tmp_path):
    pd.DataFrame({"a": [1.0, np.nan]}).to_parquet(tmp_path / "1.parquet")
    pd.DataFrame({"a": [2, 3]}).to_parquet(tmp_path / "2.parquet")
    assert ParquetSource(tmp_path).load().a.isna().tolist() == [False, True, False, False]
