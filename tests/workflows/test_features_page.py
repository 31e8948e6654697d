"""Each block of docs/features.md composes and runs on small data as it stands, and every option is told of."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import mlops_cli as mlops

REPO = Path(__file__).resolve().parents[2]
PAGE = (REPO / "docs" / "features.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```yaml\n(.*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE)
HOUSES = """
defaults: [experiment, data: csv, {model}_self_]
data: {{path: data/houses.csv, target: dear, dtypes: {{sold: datetime}}}}
split: {{_target_: sklearn.model_selection.StratifiedKFold, n_splits: 2}}
evaluation: {{metrics: [accuracy]}}
"""
NETWORK = '''
"""A network stands in: it tells classes apart by the mean of a tensor."""
import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin


class Mean(ClassifierMixin, BaseEstimator):
    def fit(self, X, y):
        assert X.shape[1:] == (1, 3, 1) and X.dtype == np.float32
        self.classes_, self.cut_ = np.unique(y), X.mean()
        return self

    def predict(self, X):
        return self.classes_[(X.reshape(len(X), -1).mean(axis=1) > self.cut_).astype(int)]
'''


@pytest.fixture
def folder(workspace):
    rng = np.random.default_rng(0)
    area = rng.normal(90, 20, 90).round()
    houses = pd.DataFrame(
        {
            "price": (area * 3 + rng.normal(0, 40, 90)).round(),
            "area": area,
            "rooms": rng.integers(1, 6, 90),
            "district": rng.choice([f"d{i}" for i in range(8)], 90),
            "sold": pd.date_range("2023-01-01", periods=90, freq="3D"),
            "note": [f"a {rng.choice(['light', 'dark'])} place number {i} by the sea" for i in range(90)],
            "dear": (area + rng.normal(0, 9, 90) > 100).astype(int),
        }
    )
    houses.loc[::8, "area"] = np.nan
    houses.to_csv("data/houses.csv", index=False)
    days = pd.date_range("2024-01-01", periods=60)
    shops = pd.DataFrame({"day": np.repeat(days, 2), "shop": ["a", "b"] * 60})
    shops["holiday"], shops["visitors"] = rng.integers(0, 2, 120), rng.integers(50, 90, 120)
    shops.assign(sold=shops["visitors"] / 2 + rng.normal(size=120)).to_csv("data/shops.csv", index=False)
    (workspace / "network.py").write_text(NETWORK)
    (workspace / "pyproject.toml").write_text('[tool.mlops]\ntrust = ["network"]\n')
    return workspace


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_a_block_runs_as_it_stands(folder, block):
    head = "" if "defaults:" in block else HOUSES.format(model="" if "model:" in block else "model: naive_bayes, ")
    (folder / "configs" / "page.yaml").write_text(head + block)
    run = mlops.run("page")
    assert [r.error.message for r in run.results if r.error] == []
    assert run.status == "completed"
    assert run.record.counts.failed == 0
    assert run.model().signature.inputs


def test_the_page_has_its_blocks():
    assert len(BLOCKS) == 10


def test_every_option_is_told_of():
    options = {path.stem for path in (REPO / "mlops_cli" / "conf" / "transforms").glob("*.yaml")} - {"none"}
    assert {name for name in options if not re.search(rf"[`=]{name}`", PAGE)} == set()


@pytest.mark.parametrize("line", re.findall(r"^`mlops run config=houses '(.*?)'`", PAGE, flags=re.MULTILINE))
def test_the_command_of_the_page_runs(folder, line):
    (folder / "configs" / "houses.yaml").write_text(HOUSES.format(model="model: naive_bayes, "))
    assert mlops.run("houses", [line]).status == "completed"
