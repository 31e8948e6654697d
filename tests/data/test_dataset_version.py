"""The dataset version: the same for the same content, another for any change of it."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_cli.components.content import content_hash
from mlops_cli.components.tables import normalise

TABLE = {
    "n": [1, 2, 3],
    "f": [0.5, np.nan, -0.0],
    "s": ["a", None, "bc"],
    "b": [True, False, True],
    "c": pd.Categorical(["x", "y", "x"]),
    "d": pd.to_datetime(["2020-01-01", None, "2020-01-03"]).astype("datetime64[us]"),
}


def version(data) -> str:
    return content_hash(normalise(pd.DataFrame(data)))


def test_the_version_of_a_known_table_never_changes():
    assert version(TABLE) == "588336eefe88d8ab0d14b582e2503bc276cf5fa99092c520d9491be12364a602"


def test_another_process_finds_the_same():
    code = (
        "import pandas as pd; from mlops_cli.components.content import content_hash; "
        "print(content_hash(pd.DataFrame({'s': ['a', None, 'é'], 'n': [1, 2, 3]})))"
    )
    found = [
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": s}
        )
        for s in ("1", "2")
    ]
    here = content_hash(pd.DataFrame({"s": ["a", None, "é"], "n": [1, 2, 3]}))
    assert {p.stdout.strip() for p in found} == {here}


def test_how_rows_are_chunked_does_not_matter():
    texts = ["a", None, "", "long text", "é", None, "z"]
    whole = pd.DataFrame({"s": pd.Series(texts, dtype="str"), "n": range(7)})
    parts = pd.concat([whole.iloc[:2], whole.iloc[2:3], whole.iloc[3:]], ignore_index=True)
    chunked = pd.Series(pd.arrays.ArrowExtensionArray(pa.chunked_array([texts[:3], texts[3:]])))
    assert content_hash(normalise(parts)) == content_hash(whole)
    assert version({"s": chunked, "n": range(7)}) == content_hash(whole)
    assert content_hash(normalise(whole.iloc[1:].iloc[1:4])) == version({"s": texts[2:5], "n": [2, 3, 4]})


def test_objects_and_arrow_text_are_the_same_text():
    assert version({"s": pd.Series(["a", None], dtype=object)}) == version(
        {"s": pd.Series(["a", None], dtype="string")}
    )


def test_all_bit_patterns_of_nan_are_one():
    other = np.array([0x7FF8000000000001], dtype="uint64").view("float64")
    assert version({"f": other}) == version({"f": [np.nan]})


def test_the_order_of_bytes_does_not_matter():
    assert version({"f": np.array([1.5, 2.5], dtype=">f8")}) == version({"f": [1.5, 2.5]})


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.rename(columns={"n": "m"}),
        lambda t: t[["f", "n", "s", "b", "c", "d"]],
        lambda t: t.iloc[::-1],
        lambda t: t.iloc[:2],
        lambda t: t.astype({"n": "float64"}),
        lambda t: t.astype({"n": "int32"}),
        lambda t: t.assign(s=["ab", None, "c"]),
        lambda t: t.assign(s=["a", "", "bc"]),
        lambda t: t.assign(b=[True, False, False]),
        lambda t: t.assign(c=pd.Categorical(["x", "x", "x"], categories=["x", "y"])),
        lambda t: t.assign(d=t.d + pd.Timedelta(1, "us")),
        lambda t: t.assign(f=[0.5, np.nan, np.nextafter(0, 1)]),
        lambda t: t.assign(s=t.s.astype("category")),
    ],
)
def test_any_change_of_the_content_is_another_version(change):
    table = normalise(pd.DataFrame(TABLE))
    assert content_hash(normalise(change(table))) != content_hash(table)


cells = st.one_of(st.none(), st.text(max_size=4))
tables = st.lists(st.tuples(cells, st.integers(-(2**63), 2**63 - 1), st.floats()), min_size=1, max_size=6)


@given(tables, tables)
@settings(deadline=None, max_examples=150)
def test_versions_are_equal_exactly_where_contents_are(one, other):
    def content(rows):
        return repr([(s, n, "nan" if f != f else f.hex()) for s, n, f in rows])

    def hashed(rows):
        s, n, f = zip(*rows, strict=True)
        texts = pd.Series([np.nan if v is None else v for v in s], dtype="str")
        return content_hash(pd.DataFrame({"s": texts, "n": np.array(n, dtype="int64"), "f": f}))

    assert (hashed(one) == hashed(other)) is (content(one) == content(other))
    assert hashed(list(one)) == hashed(one)
