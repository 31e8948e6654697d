"""A data profile comes back as it was written; a damaged one is one line."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_cli.errors import StoreError
from mlops_cli.records import ColumnProfile, DataProfile, Kind
from mlops_cli.store.files import json_bytes
from mlops_cli.store.profiles import profile_from_json, profile_to_json, read_profile, write_profile

real = st.floats(allow_nan=False, allow_infinity=False)
count = st.integers(0, 10**9)
column = st.builds(
    ColumnProfile,
    name=st.text(),
    dtype=st.text(),
    kind=st.sampled_from(Kind),
    role=st.sampled_from(["feature", "target", "id"]),
    count=count,
    missing=count,
    unique=st.none() | count,
    mean=st.none() | real,
    std=st.none() | real,
    quantiles=st.lists(real, max_size=3).map(tuple),
    edges=st.lists(real, max_size=3).map(tuple),
    counts=st.lists(count, max_size=3).map(tuple),
    top=st.lists(st.tuples(st.text(), count), max_size=3).map(tuple),
    association=st.none() | real,
)
profiles = st.builds(DataProfile, count, st.lists(column, max_size=3).map(tuple), count, st.none() | count)


@given(profiles)
def test_a_profile_comes_back_equal(before):
    assert profile_from_json(json.loads(json_bytes(profile_to_json(before)))) == before


def test_a_file_comes_back(tmp_path):
    before = DataProfile(3, (ColumnProfile("x\x1b", "str", Kind.TEXT, "feature", 3, 0, top=(("\ud800", 2),)),))
    write_profile(tmp_path / "data_profile.json", before)
    assert read_profile(tmp_path / "data_profile.json") == before


@pytest.mark.parametrize("text", ['{"schema_version": 1}', '{"schema_version": 1, "rows": 1, "columns": [1]}', "{"])
def test_a_damaged_profile_is_said_in_one_line(tmp_path, text):
    (tmp_path / "p.json").write_text(text)
    with pytest.raises(StoreError, match="damaged"):
        read_profile(tmp_path / "p.json")
