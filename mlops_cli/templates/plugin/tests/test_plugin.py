"""Each thing that is slotted in keeps to its contract, and experiments run with all of them."""

import json
from pathlib import Path

import numpy as np
import pytest
from my_plugin.metrics import worst_recall
from my_plugin.models import Centroids
from my_plugin.sources import Pairs
from my_plugin.splitters import EveryNth
from my_plugin.trackers import Notebook
from my_plugin.transforms import Limit
from sklearn.utils.estimator_checks import check_estimator

import mlops_cli as mlops
from mlops_cli.testing import check_data_source, check_tracker

WORKSPACE = Path(__file__).parents[1]
FLOWERS = WORKSPACE / "data" / "flowers.txt"


@pytest.mark.parametrize("estimator", [Centroids(), Limit()])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
def test_estimators_keep_to_scikit_learns_contract(estimator):
    check_estimator(estimator)


def test_every_row_is_tested_once():
    tested = [test for _, test in EveryNth(3).split(np.zeros((10, 1)))]
    assert sorted(np.concatenate(tested)) == list(range(10))


def test_the_worst_class_counts():
    assert worst_recall(["a", "a", "b", "b"], ["a", "b", "b", "b"]) == 0.5


def test_the_source_keeps_to_the_contract(tmp_path):
    check_data_source(lambda: Pairs(FLOWERS), broken=lambda: Pairs(tmp_path / "gone.txt"))


def test_the_tracker_keeps_to_the_contract():
    check_tracker(Notebook, count=lambda root: len(list((root / "told").glob("*.json"))))


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """A copy, so that tests leave no runs behind."""
    for name in ("configs", "data", "pyproject.toml", "my_plugin"):
        (tmp_path / name).symlink_to(WORKSPACE / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_experiment_runs_and_is_told_of(workspace):
    run = mlops.run("flowers", ["model.shrink=0,0.2", "artifacts.plots=none"], n_jobs=1)
    assert run.status == "completed"
    assert run.metrics["accuracy"].mean > 0.8
    (told,) = (workspace / "told").glob("*.json")
    assert len(json.loads(told.read_text())["trials"]) == 2


@pytest.mark.usefixtures("workspace")
def test_the_script_runs():
    run = mlops.run("search", ["params.steps=20"], n_jobs=1)
    assert run.metrics["height"].mean < 5
