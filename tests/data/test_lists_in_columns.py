"""Columns of lists or mappings, as parquet may hold: refused as features, no matter elsewhere."""

import numpy as np
import pandas as pd
import pytest

from mlops_cli.components.dataset import make_dataset, read_table
from mlops_cli.components.sources import ParquetSource
from mlops_cli.errors import DataError
from mlops_cli.records import ComponentSpec, DataSpec


@pytest.fixture
def source(tmp_path):
    rows = np.arange(40)
    table = pd.DataFrame({"a": rows * 1.5, "tags": [[1, 2], [3]] * 20, "meta": [{"k": 1}] * 40, "y": rows % 2})
    table.to_parquet(tmp_path / "d.parquet")
    return ParquetSource(str(tmp_path / "d.parquet"))


def dataset(source, **roles):
    spec = DataSpec(ComponentSpec(""), target="y", **roles)
    table, notices = read_table(source, spec)
    return make_dataset(table, spec, notices=notices)[0]


def test_lists_among_the_features_are_refused_with_a_mend(source):
    with pytest.raises(DataError, match="column 'tags' holds lists or mappings") as caught:
        dataset(source)
    assert "`data.drop: [tags, meta]`" in caught.value.hint


@pytest.mark.parametrize("roles", [{"features": ("a",)}, {"drop": ("tags", "meta")}])
def test_lists_that_are_no_features_are_no_matter(source, roles):
    assert [c.name for c in dataset(source, **roles).features] == ["a"]
