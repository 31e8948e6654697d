"""A table comes back from a file as it was, and what can be mapped into memory is."""

import joblib
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_cli.execution.packing import pack, unpack


def table(rows=1000):
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "name": pd.Series([f"name {i} é" if i % 7 else None for i in range(rows)], dtype="str"),
            "x": rng.normal(size=rows),
            "kind": pd.Categorical(rng.choice(["a", "b"], rows)),
            "flag": rng.random(rows) < 0.5,
            "when": pd.date_range("2024-01-01", periods=rows),
            "note": pd.Series([""] * rows, dtype="str"),
            "count": pd.array(rng.integers(0, 5, rows), dtype="Int64"),
        }
    )


@pytest.mark.parametrize("rows", [0, 1, 1000])
def test_a_table_comes_back_as_it_was(tmp_path, rows):
    before = table(rows)
    joblib.dump(pack(before), tmp_path / "table")
    pd.testing.assert_frame_equal(unpack(joblib.load(tmp_path / "table")), before)


def test_rows_and_columns_that_were_chosen_come_back_alone(tmp_path):
    before = table()[["note", "x", "name"]].iloc[100:900:3].reset_index(drop=True)
    joblib.dump(pack(before), tmp_path / "table")
    pd.testing.assert_frame_equal(unpack(joblib.load(tmp_path / "table")), before)


def test_a_slice_of_text_is_packed_from_its_own_first_row():
    before = table()[["name"]].iloc[500:]
    assert unpack(pack(before.reset_index(drop=True)))["name"].tolist()[0] == "name 500 é"


def test_text_is_not_copied_out_of_the_file(tmp_path):
    joblib.dump(pack(table(20_000)), tmp_path / "table")
    packed = joblib.load(tmp_path / "table", mmap_mode="c")
    places = [b for b in packed.texts["name"].buffers if b is not None]
    assert all(isinstance(b, np.memmap) for b in places)
    arrow = unpack(packed)["name"].array.__arrow_array__()
    chunk = arrow.chunk(0) if hasattr(arrow, "chunk") else arrow
    found = {b.address for b in chunk.buffers() if b is not None}
    assert found == {b.ctypes.data for b in places}


@given(st.lists(st.one_of(st.none(), st.text(max_size=5)), max_size=20))
def test_any_text_comes_back(texts):
    before = pd.DataFrame({"t": pd.Series(texts, dtype="str")})
    pd.testing.assert_frame_equal(unpack(pack(before)), before)
