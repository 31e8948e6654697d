"""What docs/monitoring.md shows of drift is read, and says the defaults that there are."""

import re
from pathlib import Path

import pandas as pd
import pytest
import yaml

import mlops_cli as mlops
from mlops_cli.config.drift import read_drift
from mlops_cli.records import DriftSpec
from mlops_cli.workflows.init import init_workspace

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "monitoring.md").read_text(encoding="utf-8")
SECTION = TEXT.partition("\n## Drift\n")[2].partition("\n## ")[0]


def block(language):
    (found,) = re.findall(rf"^```{language}\n(.*?)^```", SECTION, flags=re.DOTALL | re.MULTILINE)
    return found


def test_the_yaml_is_read_and_shows_the_defaults():
    spec = read_drift(yaml.safe_load(block("yaml")), "")
    usual = DriftSpec()
    assert spec.bounds == usual.bounds
    assert (spec.share, spec.schema, spec.min_rows) == (usual.share, usual.schema, usual.min_rows)
    assert (spec.columns["age"].psi, spec.ignore, spec.metrics) == (0.25, ("ticket",), {"roc_auc": 0.02})


@pytest.mark.parametrize("name", ["alpha", "psi", "distance", "missing", "new_categories"])
def test_every_bound_is_told(name):
    assert f"{name}:" in block("yaml")
    assert f"`{name}`" in SECTION


def test_the_python_runs(tmp_path, monkeypatch):
    init_workspace(tmp_path)
    monkeypatch.chdir(tmp_path)
    mlops.run("iris", ["artifacts.plots=none"], n_jobs=1)
    pd.read_csv("data/iris.csv").to_csv("data/june.csv", index=False)
    names = {"mlops": mlops}
    exec(block("python").replace("titanic@champion", "iris:latest"), names)
    assert names["report"].columns
