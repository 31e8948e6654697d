"""Every command that tells something can be told to tell the essential alone."""

import os
from pathlib import Path

import pytest

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
