"""Tables of polars: read as the same table of pandas would be, from a source or in memory."""

from datetime import date

import numpy as np
import pandas as pd
import polars as pl
import pytest

import mlops_cli as mlops
from mlops_cli.components.dataset import make_dataset, read_table
from mlops_cli.components.frames import from_polars
from mlops_cli.components.rows import as_table
from mlops_cli.contracts import Portion
from mlops_cli.errors import DataError
from mlops_cli.records import ComponentSpec, DataSpec
from mlops_cli.workflows.init import init_workspace

BIG = 2**60 + 1


@pytest.fixture
def frame():
    return pl.DataFrame(
        {
            "count": [1, 2, 3, 4],
            "big": [BIG, None, 3, 4],
            "share": [0.5, None, float("nan"), 1.0],
            "word": ["a", None, "b", "a"],
            "colour": pl.Series(["red", None, "blue", "red"], dtype=pl.Categorical),
            "size": pl.Series(["S", "L", None, "S"], dtype=pl.Enum(["S", "M", "L"])),
            "day": [date(2026, 1, 2), None, date(2026, 3, 4), date(2026, 1, 1)],
            "told": [True, None, False, True],
            "sold": [True, True, False, True],
            "target": ["yes", "no", "yes", "no"],
        }
    )


class Given:
    """A source of somebody's own."""

    def __init__(self, table):
        self.table = table

    def load(self):
        return self.table


def version_of(table):
    spec = DataSpec(ComponentSpec("x.Y"), target="target")
    read, _ = read_table(Given(table), spec)
    return make_dataset(read, spec)[0]


def test_dtypes_are_kept_with_gaps_and_large_numbers(frame):
    table = from_polars(frame)
    assert table["big"].tolist() == [BIG, pd.NA, 3, 4]
    assert table["told"].tolist() == [True, pd.NA, False, True]
    assert (table["count"].dtype, table["sold"].dtype) == (np.dtype("int64"), np.dtype("bool"))
    assert table["size"].cat.categories.tolist() == ["S", "M", "L"]
    assert list(table.columns) == frame.columns


def test_the_version_is_that_of_the_same_table_of_pandas(frame, tmp_path):
    frame.write_parquet(tmp_path / "frame.parquet")
    ours, theirs = version_of(frame), version_of(pd.read_parquet(tmp_path / "frame.parquet"))
    assert ours.version == theirs.version
    kinds = {column.name: (str(column.kind), column.missing) for column in ours.features}
    assert kinds["colour"] == ("categorical", 1)
    assert kinds["day"] == ("datetime", 1)
    assert kinds["share"] == ("numeric", 2)


def test_a_lazy_frame_is_collected_once(frame):
    calls = []

    def counted(part):
        calls.append(len(part))
        return part

    lazy = frame.lazy().map_batches(counted)
    assert version_of(lazy).version == version_of(frame).version
    assert len(calls) == 1


def test_a_source_that_reads_less_may_give_a_polars_table_too(frame):
    class Less(Given):
        def load_less(self, wanted):
            names = wanted.names(frame.columns)
            return Portion(frame.select(names), rows=len(frame), places=np.arange(len(frame)))

    spec = DataSpec(ComponentSpec("x.Y"), target="target", columns=("count",))
    table, _ = read_table(Less(frame), spec)
    assert list(table.columns) == ["count", "target"]


def test_rows_in_memory_may_be_of_polars(frame):
    pd.testing.assert_frame_equal(as_table(frame), from_polars(frame))


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (lambda f: f.lazy().select("no such column"), "cannot be read: ColumnNotFoundError"),
        (lambda f: f.with_columns(cells=pl.Series([[1], [2], [3], None])), "holds lists or mappings"),
        (lambda f: f["count"], "must return a DataFrame of pandas or polars. Got Series"),
    ],
)
def test_what_is_no_table_is_told_in_one_line(frame, broken, message):
    with pytest.raises(DataError, match=message):
        version_of(broken(frame))


def test_a_model_predicts_scores_and_watches_frames_as_the_file_that_they_are_from(tmp_path, monkeypatch):
    init_workspace(tmp_path)
    monkeypatch.chdir(tmp_path)
    run = mlops.run("iris", ["artifacts.plots=none"], n_jobs=1)
    path = "data/iris.csv"
    expected = mlops.predict(run, path, proba=True)
    for rows in (pl.read_csv(path), pl.scan_csv(path)):
        pd.testing.assert_frame_equal(mlops.predict(run, rows, proba=True), expected)
    frame = pl.read_csv(path)
    assert (run.model().predict(frame) == expected["prediction"].to_numpy()).all()
    assert mlops.evaluate(run, frame).metrics["accuracy"].value == mlops.evaluate(run, path).metrics["accuracy"].value
    assert not mlops.drift(run, frame).drifted
