"""A small workspace whose own options stand before the package's, so that these tests are about composing alone."""

import textwrap
from pathlib import Path
from typing import Any, Protocol

import pytest

from mlops_cli.config import Composition, Workspace, load_experiment

FILES = {
    "data/csv": "_target_: mlops_cli.components.sources.CsvSource\npath: ???\nread: {}\n",
    "transforms/none": "{}\n",
    "transforms/tabular": """\
        impute: {_target_: sklearn.impute.SimpleImputer, columns: numeric, strategy: median}
        scale: {_target_: sklearn.preprocessing.StandardScaler, columns: [numeric, "x*"]}
        leave_out: {_target_: drop, columns: text}
        """,
    "split/auto": "_target_: sklearn.model_selection.KFold\nn_splits: 5\nshuffle: true\nrandom_state: ${seed}\n",
    "split/kfold": "_target_: sklearn.model_selection.KFold\nn_splits: 3\n",
    "target_transform/none": "_target_: null\n",
    "target_transform/log": "_target_: sklearn.preprocessing.FunctionTransformer\nfunc: {_target_: numpy.log1p}\n",
    "calibration/none": "_target_: null\n",
    "launcher/loky": "backend: loky\nn_jobs: -1\n",
    "launcher/threading": "backend: threading\nn_jobs: 2\n",
    "model/svm": """\
        # support vectors
        _target_: {classification: sklearn.svm.SVC, regression: sklearn.svm.SVR}
        C: 1.0
        kernel: rbf
        """,
    "model/ridge": "_target_: sklearn.linear_model.Ridge\nalpha: 1.0\n",
    "model/nested": """\
        _target_: sklearn.ensemble.BaggingRegressor
        estimator: {_target_: sklearn.linear_model.Ridge, alpha: 2.0}
        """,
    "titanic": """\
        defaults:
          - experiment
          - transforms: tabular
          - model: svm
          - _self_
        data:
          path: data/titanic.csv
          target: survived
          drop: [alive]
        evaluation: {metrics: [roc_auc, accuracy], primary: roc_auc}
        """,
}


class Write(Protocol):
    """Writes a config under ``configs/``."""

    def __call__(self, name: str, text: str) -> Path: ...


class Load(Protocol):
    """Loads an experiment of the workspace."""

    def __call__(self, *overrides: str, name: str = "titanic") -> Composition: ...


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    root = tmp_path / "work"
    for name, text in FILES.items():
        path = root / "configs" / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
    return Workspace(root)


@pytest.fixture
def write(workspace: Workspace) -> Write:
    def write(name: str, text: str) -> Path:
        path = workspace.configs / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return path

    return write


@pytest.fixture
def load(workspace: Workspace) -> Load:
    def load(*overrides: str, name: str = "titanic") -> Composition:
        return load_experiment(name, overrides, workspace)

    return load


@pytest.fixture
def message(load: Load) -> Any:
    """Return a function that loads what must fail and returns its one line."""
    from mlops_cli.errors import ConfigError

    def message(*overrides: str, name: str = "titanic") -> str:
        with pytest.raises(ConfigError) as caught:
            load(*overrides, name=name)
        text = str(caught.value)
        assert "\n" not in text
        return text

    return message
