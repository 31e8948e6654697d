"""Every built-in source that needs nobody else keeps to the contract, and the suite finds sources that do not."""

from __future__ import annotations

import itertools
import sqlite3
from contextlib import closing

import pandas as pd
import pytest

from mlops_cli.components.sources import (
    ArffSource,
    CsvSource,
    DuckDbSource,
    ExcelSource,
    FeatherSource,
    FixedWidthSource,
    ImagesSource,
    JoinSource,
    JsonLinesSource,
    JsonSource,
    OrcSource,
    ParquetSource,
    SklearnSource,
    SqlSource,
    SvmlightSource,
)
from mlops_cli.contracts import Portion
from mlops_cli.errors import DataError
from mlops_cli.testing import check_data_source

TABLE = pd.DataFrame(
    {"n": range(30), "x": [i / 4 for i in range(30)], "gap": [*range(29), None], "word": ["a b", 'c, "d"', "é"] * 10}
)


def keep(path):
    """Write the table in the form that the path's ending says."""
    if path.suffix == ".db":
        with closing(sqlite3.connect(path)) as base:
            TABLE.to_sql("t", base, index=False)
    elif path.suffix == ".svm":
        path.write_text("".join(f"{i % 2} 1:{i} 3:{i / 2}\n" for i in range(9)))
    elif path.suffix == ".arff":
        path.write_text("@relation r\n@attribute a numeric\n@attribute b {u,v}\n@data\n1,u\n2,v\n?,u\n")
    elif path.suffix == ".txt":
        path.write_text(TABLE[["n", "x"]].to_string(index=False))
    else:
        write = {".csv": "csv", ".parquet": "parquet", ".feather": "feather", ".orc": "orc", ".xlsx": "excel"}
        rest = {".json": {"orient": "records"}, ".jsonl": {"orient": "records", "lines": True}, ".feather": {}}
        index = rest.get(path.suffix, {"index": False})
        getattr(TABLE, f"to_{write.get(path.suffix, 'json')}")(path, **index)
    return path


FILES = {
    ".csv": CsvSource,
    ".parquet": ParquetSource,
    ".feather": FeatherSource,
    ".orc": OrcSource,
    ".xlsx": ExcelSource,
    ".json": JsonSource,
    ".jsonl": JsonLinesSource,
    ".txt": FixedWidthSource,
    ".arff": ArffSource,
    ".svm": SvmlightSource,
}


@pytest.mark.parametrize("suffix", FILES)
def test_a_source_of_files_keeps_to_the_contract(tmp_path, suffix):
    path, kind = keep(tmp_path / f"table{suffix}"), FILES[suffix]
    check_data_source(lambda: kind(path), broken=lambda: kind(tmp_path / f"gone{suffix}"))


def test_a_folder_of_parts_keeps_to_the_contract(tmp_path):
    for name in ("a", "b"):
        keep(tmp_path / f"{name}.csv")
    check_data_source(lambda: CsvSource(str(tmp_path / "*.csv")))


def test_bundled_sets_keep_to_the_contract():
    check_data_source(lambda: SklearnSource("wine"))


def test_a_data_base_keeps_to_the_contract(tmp_path):
    path = keep(tmp_path / "t.db")
    check_data_source(
        lambda: SqlSource(path=path, query="SELECT * FROM t ORDER BY n"),
        broken=lambda: SqlSource(path=tmp_path / "gone.db", table="t"),
    )


def test_duckdb_keeps_to_the_contract(tmp_path):
    path = keep(tmp_path / "t.parquet")
    check_data_source(
        lambda: DuckDbSource(f"SELECT * FROM '{path}' ORDER BY n"),
        broken=lambda: DuckDbSource(f"SELECT * FROM '{tmp_path}/gone.parquet'"),
    )


def test_a_join_keeps_to_the_contract(tmp_path):
    left, right = keep(tmp_path / "left.csv"), tmp_path / "right.csv"
    TABLE[["n"]].assign(y=1).to_csv(right, index=False)
    check_data_source(lambda: JoinSource(CsvSource(left), [CsvSource(right)], key="n"))


def test_pictures_keep_to_the_contract(tmp_path):
    image = pytest.importorskip("PIL.Image")
    for name, shade in itertools.product(["cat", "dog"], [10, 200]):
        (tmp_path / name).mkdir(exist_ok=True)
        image.new("L", (4, 4), shade).save(tmp_path / name / f"{shade}.png")
    check_data_source(lambda: ImagesSource(tmp_path, size=[2, 2]))


# --- sources that do not -------------------------------------------------------------------------------------------


class Plain:
    def __init__(self, rows=3):
        self.rows = rows

    def load(self):
        return pd.DataFrame({"a": range(self.rows)})


class Cached(Plain):
    _table = None

    def load(self):
        self._table = super().load() if self._table is None else self._table
        return self._table


class Changing(Plain):
    made = itertools.count(3)

    def load(self):
        return pd.DataFrame({"a": range(next(self.made))})


class Twice(Plain):
    def load(self):
        return pd.DataFrame([[1, 2]], columns=["a", "a"])


class Rows(Plain):
    def load(self):
        return [{"a": 1}]


class TakesATarget(Plain):
    def __init__(self, target=None):
        super().__init__()


class ByPlace(Plain):
    def __init__(self, *paths):
        super().__init__()


class Words(Plain):
    def inspect(self, table):
        return ["odd"]


class First(Plain):
    """Gives the first rows in place of those that are drawn."""

    def load_less(self, wanted):
        table, places = self.load(), wanted.places(3)
        return Portion(table.loc[: len(places) - 1, wanted.names(["a"])], 3, places)


class Silent(Plain):
    """Gives a column that is not there."""

    def load_less(self, wanted):
        places = wanted.places(3)
        return Portion(self.load().iloc[places].reset_index(drop=True), 3, places)


class Raising(Plain):
    def load(self):
        raise OSError("gone")


def test_a_source_of_a_users_own_keeps_to_the_contract():
    class Careful(Plain):
        def load(self):
            raise DataError("there is no such table", hint="say another name")

    check_data_source(Plain, broken=Careful)


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        (Cached, "after the first one was changed"),
        (Changing, "another table"),
        (Twice, "columns have the same name: a"),
        (Rows, "load returned a list"),
        (TakesATarget, r"data\.target is what mlops itself reads"),
        (ByPlace, "takes paths by its place"),
        (Words, "'odd', which is no Notice"),
        (First, "less is not the same"),
        (Silent, "a column that is not there"),
    ],
)
def test_the_suite_finds_a_source_that_does_not(kind, found):
    with pytest.raises(AssertionError, match=found):
        check_data_source(kind)


@pytest.mark.parametrize(("kind", "found"), [(Raising, "no DataError"), (Plain, "gave a table")])
def test_the_suite_finds_a_source_that_does_not_refuse_as_it_should(kind, found):
    with pytest.raises(AssertionError, match=found):
        check_data_source(Plain, broken=kind)
