from __future__ import annotations

import csv
import io
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_cli.errors import StoreError
from mlops_cli.records import ErrorInfo, TrialResult, TrialState
from mlops_cli.store.journal import Journal
from mlops_cli.store.tables import _cell, read_predictions, write_predictions, write_trials_csv


def csv_of(tmp_path, *trials: TrialResult) -> str:
    with Journal(tmp_path / "trials.jsonl") as journal:
        for trial in trials:
            journal.append(trial)
    write_trials_csv(tmp_path / "trials.csv", tmp_path / "trials.jsonl")
    return (tmp_path / "trials.csv").read_bytes().decode()


def test_the_table_has_a_row_per_trial_by_number_and_the_columns_that_all_need_together(tmp_path):
    text = csv_of(
        tmp_path,
        TrialResult(1, TrialState.COMPLETED, {"C": 1.5, "k": "rbf"}, {"r2": (1.0, 3.0)}, 0.5, 0.25),
        TrialResult(0, TrialState.FAILED, {"C": -1}, error=ErrorInfo("ValueError", "C must be positive, got -1")),
        TrialResult(2, TrialState.LOST, {"w": {0: 1}}),
    )
    assert text == (
        "trial,state,params.C,params.k,params.w,metrics.r2.mean,metrics.r2.std,metrics.r2.split0,metrics.r2.split1,"
        "fit_s,score_s,error\n"
        '0,failed,-1,,,,,,,0.0,0.0,"ValueError: C must be positive, got -1"\n'
        f"1,completed,1.5,rbf,,2.0,{math.sqrt(2)},1.0,3.0,0.5,0.25,\n"
        '2,lost,,,"{""$map"": [[0, 1]]}",,,,,0.0,0.0,\n'
    )


def test_a_run_without_trials_has_a_table_without_rows(tmp_path):
    assert csv_of(tmp_path) == "trial,state,fit_s,score_s,error\n"


def test_of_a_trial_that_was_tried_again_the_last_try_has_the_row(tmp_path):
    text = csv_of(tmp_path, TrialResult(0, TrialState.LOST), TrialResult(0, TrialState.COMPLETED))
    assert text.splitlines()[1:] == ["0,completed,0.0,0.0,"]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_text_that_a_spreadsheet_would_compute_is_quoted_and_numbers_are_not(tmp_path, start):
    text = csv_of(
        tmp_path,
        TrialResult(0, TrialState.FAILED, {"a": f"{start}1+1", "b": -1.5}, error=ErrorInfo("=cmd", "x")),
    )
    row = next(csv.DictReader(io.StringIO(text, newline="")))
    assert row["params.a"] == f"'{start}1+1".replace("\r", "\n")
    assert row["params.b"] == "-1.5"
    assert row["error"] == "'=cmd: x"


@settings(deadline=None)
@given(st.none() | st.booleans() | st.text() | st.lists(st.text()) | st.dictionaries(st.text(), st.text()))
def test_no_cell_of_text_begins_a_formula(value):
    assert not _cell(value).startswith(("=", "+", "-", "@", "\t", "\r"))


def test_values_read_as_they_stand_in_yaml():
    assert [_cell(v) for v in (None, True, 3, -0.5, math.inf, "x", [1, "a"])] == [
        *("null", "true", "3", "-0.5", "inf", "x", '[1, "a"]')
    ]


def test_predictions_come_back_with_their_types(tmp_path):
    path = tmp_path / "new" / "predictions.parquet"
    columns = {
        "id": pd.Series(["a", "b", None]),
        "target": np.array(["yes", "no", "yes"], dtype=object),
        "prediction": np.array([1, 0, 1]),
        "probability": np.array([0.25, np.nan, 1.0]),
        "when": pd.Series(pd.to_datetime(["2026-01-01", None, "2026-01-03"])),
        "kind": pd.Series(["x", "y", "x"], dtype="category"),
    }
    write_predictions(path, columns)
    frame = read_predictions(path)
    assert list(frame.columns) == list(columns)
    assert frame["prediction"].tolist() == [1, 0, 1]
    assert frame["id"].isna().tolist() == [False, False, True]
    assert frame["probability"].isna().tolist() == [False, True, False]
    assert str(frame["when"].dtype).startswith("datetime64")
    assert frame["kind"].tolist() == ["x", "y", "x"]


def test_ids_of_mixed_type_are_written_as_text(tmp_path):
    write_predictions(tmp_path / "p.parquet", {"id": np.array([1, "b", None, 2.5], dtype=object)})
    assert read_predictions(tmp_path / "p.parquet")["id"].fillna("none").tolist() == ["1", "b", "none", "2.5"]


def test_columns_of_different_lengths_are_refused(tmp_path):
    with pytest.raises(ValueError, match="different lengths"):
        write_predictions(tmp_path / "p.parquet", {"a": np.arange(2), "b": np.arange(3)})


def test_damaged_predictions_are_named(tmp_path):
    (tmp_path / "p.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(StoreError, match=r"damaged: .*p\.parquet"):
        read_predictions(tmp_path / "p.parquet")
