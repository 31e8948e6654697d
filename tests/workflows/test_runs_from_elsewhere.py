"""Runs in a folder that came from elsewhere: nothing of its code runs because someone looks at them."""

from __future__ import annotations

import pytest

import mlops_cli
from mlops_cli.errors import ConfigError
from mlops_cli.workflows.runs.material import Material

EVIL = """
from pathlib import Path

from sklearn.linear_model import LogisticRegression

(Path(__file__).parent / "ran").write_text("")


class L(LogisticRegression):
    pass
"""

CONFIG = """
defaults: [experiment, {data: csv}, _self_]
data: {path: data/points.csv, target: label}
model: {_target_: evil.L}
evaluation: {test: 0.25}
launcher: {backend: sequential}
artifacts: {plots: none}
"""


@pytest.fixture
def foreign(tmp_path, monkeypatch):
    """A run of another workspace, which trusts a module of its own; the current folder is an empty workspace."""
    there, here = tmp_path / "there", tmp_path / "here"
    for folder in (there / "configs", there / "data", here / "configs"):
        folder.mkdir(parents=True)
    (there / "pyproject.toml").write_text('[tool.mlops]\ntrust = ["evil"]\n')
    (there / "evil.py").write_text(EVIL)
    (there / "configs" / "points.yaml").write_text(CONFIG)
    rows = [f"{i % 7 + i % 2},{(i * 37) % 11},{i % 2}" for i in range(60)]
    (there / "data" / "points.csv").write_text("\n".join(["x,y,label", *rows]) + "\n")
    monkeypatch.chdir(there)
    run = mlops_cli.run("points")
    (there / "ran").unlink()
    monkeypatch.chdir(here)
    return run


def test_a_report_runs_none_of_its_code(foreign, mlops, tmp_path):
    done = mlops("report", str(foreign.path), "-o", "r.html", cwd=tmp_path / "here")
    assert (done.returncode, done.stdout) == (0, "r.html\n")
    assert not (tmp_path / "there" / "ran").exists()
    page = (tmp_path / "here" / "r.html").read_text(encoding="utf-8")
    assert 'alt="roc"' in page
    assert "Not drawn: permutation importance, needs the data and a model" in page


def test_a_report_in_its_own_workspace_fits_nothing_either(foreign, mlops, tmp_path):
    done = mlops("report", foreign.id, "-o", "r.html", cwd=tmp_path / "there")
    assert done.returncode == 0
    assert not (tmp_path / "there" / "ran").exists()


@pytest.mark.parametrize("look", [lambda run: run.model(), lambda run: Material(run.record).prepared])
@pytest.mark.parametrize("here_trusts", [[], ["evil"]])  # a module of that name here is another one
def test_a_model_or_a_fit_is_refused_outside_its_own_workspace(foreign, tmp_path, monkeypatch, look, here_trusts):
    (tmp_path / "here" / "pyproject.toml").write_text(f"[tool.mlops]\ntrust = {here_trusts}\n")
    with pytest.raises(
        ConfigError, match=r"there/pyproject\.toml: tool\.mlops\.trust: evil is code of .*there, which is"
    ):
        look(foreign)
    assert not (tmp_path / "there" / "ran").exists()
    monkeypatch.chdir(tmp_path / "there")
    assert look(foreign)


def test_a_plot_that_needs_a_fit_is_refused_in_one_line(foreign, mlops, tmp_path):
    done = mlops("runs", "plot", str(foreign.path), "permutation_importance", cwd=tmp_path / "here")
    assert done.returncode != 0
    assert "tool.mlops.trust" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "there" / "ran").exists()
