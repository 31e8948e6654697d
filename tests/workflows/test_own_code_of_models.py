"""A registered version computes with the code that was registered; a run's model says when its code has changed."""

import pandas as pd
import pytest

import mlops_cli
from mlops_cli.errors import StoreError

CODE = """
from sklearn.base import BaseEstimator, TransformerMixin


class Squash(TransformerMixin, BaseEstimator):
    def fit(self, X, y=None):
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X):
        return X * 1.0
"""
CONFIG = """
defaults: [experiment, {data: csv}, {transforms: tabular}, _self_]
name: own
data: {path: data/rows.csv, target: y, id: id}
model: {_target_: sklearn.linear_model.LogisticRegression}
transforms:
  squash: {_target_: mine.Squash, columns: numeric}
artifacts: {plots: none}
"""


@pytest.fixture
def own(tmp_path, monkeypatch):
    """Return a workspace whose model needs a module of its own, and the run."""
    for name in ("configs", "data"):
        (tmp_path / name).mkdir()
    (tmp_path / "pyproject.toml").write_text('[tool.mlops]\ntrust = ["mine"]\n')
    (tmp_path / "mine.py").write_text(CODE)
    (tmp_path / "configs" / "own.yaml").write_text(CONFIG)
    rows = pd.DataFrame(
        {"id": range(60), "a": [n * 0.37 % 5 for n in range(60)], "b": [n * 1.7 % 3 for n in range(60)]}
    )
    rows.assign(y=(rows.a + rows.b > 4).astype(int)).to_csv(tmp_path / "data" / "rows.csv", index=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path, mlops_cli.run("own", n_jobs=1)


def answers(ref, rows):
    return mlops_cli.predict(ref, rows, proba=True)


def test_an_edit_of_the_workspaces_code_changes_no_version(own):
    place, run = own
    mlops_cli.register(run)
    rows = pd.read_csv(place / "data" / "rows.csv")
    before = answers("own/1", rows)
    (place / "mine.py").write_text(CODE.replace("* 1.0", "* 100.0"))
    pd.testing.assert_frame_equal(answers("own/1", rows), before)
    assert not answers(run, rows).equals(before), "the run's model has no code of its own"
    (place / "mine.py").unlink()
    pd.testing.assert_frame_equal(answers("own/1", rows), before)


def test_two_versions_with_other_code_stay_apart_in_one_process(own):
    place, run = own
    mlops_cli.register(run)
    (place / "mine.py").write_text(CODE.replace("* 1.0", "* -3.0"))
    mlops_cli.register(mlops_cli.run("own", n_jobs=1, force=True))
    rows = pd.read_csv(place / "data" / "rows.csv")
    first, second = mlops_cli.load_model("own/1"), mlops_cli.load_model("own/2")
    alone = [answers(ref, rows) for ref in ("own/1", "own/2")]
    for model, expected in ((first, alone[0]), (second, alone[1]), (first, alone[0])):
        assert (model.predict(rows) == expected["prediction"]).all()


def test_an_edited_copy_of_the_code_is_refused(own):
    place, run = own
    mlops_cli.register(run)
    copy = place / "models" / "own" / "1" / "code" / "mine.py"
    copy.chmod(0o644)
    copy.write_text(CODE.replace("* 1.0", "* 2.0"))
    with pytest.raises(StoreError, match="not the file that was registered"):
        mlops_cli.load_model("own/1")


def test_a_runs_model_says_that_its_code_has_changed(own, mlops):
    place, _ = own
    (place / "mine.py").write_text(CODE.replace("* 1.0", "* 2.0"))
    said = mlops("predict", "own:latest", "data/rows.csv", "-o", "out.csv")
    assert said.returncode == 0
    assert "mine.py changed since own/" in said.stderr
    scored = mlops("evaluate", "own:latest", "data/rows.csv")
    assert "mine.py changed since own/" in scored.stdout + scored.stderr
