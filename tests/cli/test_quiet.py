"""Every command that tells something can be told to tell the essential alone."""

import os
import tomllib
from email.message import Message
from pathlib import Path

import pytest

from mlops_cli.workflows import doctor
from mlops_cli.workflows.doctor import examine


def test_quiet_config_lists_the_experiments_alone(small, mlops):
    assert mlops("config", "--list", "--quiet").stdout == "points\n"


@pytest.mark.parametrize(
    ("key", "value"), [("data.target", "label\n"), ("evaluation.metrics", "- roc_auc\n- accuracy\n")]
)
def test_quiet_config_explains_with_the_value_alone(small, mlops, key, value):
    assert mlops("config", "points", "--explain", key, "--quiet").stdout == value


def test_quiet_doctor_names_what_is_broken_alone(small, mlops):
    assert mlops("doctor", "--quiet").stdout == ""
    (small / "configs" / "bad.yaml").write_text("defaults: [experiment, {model: nope}]\n")
    done = mlops("doctor", "--quiet")
    assert done.stdout == "config=bad\n"
    assert done.returncode == 1


def test_the_doctor_finds_a_workspace_that_cannot_be_written(small, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, _mode: Path(path) != small)  # permissions do not bind a superuser
    (workspace,) = [f for f in examine(small) if f.check == "workspace"]
    assert workspace.state == "broken"
    assert f"{small} cannot be written" in workspace.found


def test_the_doctor_knows_every_extra_and_what_each_is_for(repo):
    extras = tomllib.loads((repo / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert set(doctor.PURPOSES) == set(extras) - {"test", "browser", "dev"}


def test_the_doctor_says_of_each_extra_which_of_its_packages_are_there(small, monkeypatch):
    said = Message()
    for key, value in (
        ("Provides-Extra", "onnx"),
        ("Provides-Extra", "ui"),
        ("Provides-Extra", "dev"),
        ("Requires-Dist", "pandas>=1"),
        ("Requires-Dist", "joblib<0.1"),
        ("Requires-Dist", "no-such-package>=1; extra == 'onnx'"),
        ("Requires-Dist", "rich>=9999; extra == 'onnx'"),
        ("Requires-Dist", "scikit-learn>=1; extra == 'ui'"),
    ):
        said[key] = value
    monkeypatch.setattr(doctor, "metadata", lambda _: said)
    found = {finding.check: finding for finding in examine(small)}
    assert (found["pandas"].state, found["joblib"].state) == ("ok", "broken")
    assert "extra dev" not in found
    assert (found["extra ui"].state, found["extra ui"].found.split()[0]) == ("ok", "scikit-learn")
    onnx = found["extra onnx"]
    assert (onnx.state, onnx.mend) == ("missing", 'pip install "mlops-cli[onnx]" for mlops models export -o MODEL.onnx')
    assert "no-such-package not installed; rich 1" in onnx.found
    assert "which is not in the range that mlops works with" in onnx.found
    assert found["workspace"].found.endswith(", 1 experiment")
