"""What `mlops config --list` and shell completion answer from."""

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from mlops_cli.config import Workspace
from mlops_cli.config.catalogue import child_keys, experiments, groups, options


def test_experiments_are_the_files_directly_in_configs(workspace: Workspace, write: Any) -> None:
    for name in ("wine", "_base", "experiment", "latest", "a b", ".hidden"):
        write(name, "seed: 1\n")
    (workspace.configs / "notes.txt").write_text("")
    (workspace.configs / "folder.yaml").mkdir()
    assert experiments(workspace) == ["titanic", "wine"]


def test_options_come_from_the_user_and_the_package(workspace: Workspace) -> None:
    found = {o.name: o.origin for o in options(workspace, "model")}
    assert found["svm"] == "workspace"  # in both
    assert found["nested"] == "workspace"
    assert found["random_forest"] == "package"
    assert list(found) == sorted(found)
    assert options(workspace, "nothing") == []


def test_groups_are_the_folders_of_both(workspace: Workspace, write: Any) -> None:
    write("mine/deep/x", "a: 1\n")
    found = groups(workspace)
    assert {"data", "model", "split", "mine/deep"} <= set(found)
    assert "mine" not in found


def test_a_workspace_without_configs_has_the_packages_catalogue(tmp_path: Path) -> None:
    assert experiments(Workspace(tmp_path)) == []
    assert "model" in groups(Workspace(tmp_path))


def test_keys_are_those_of_the_chosen_option_and_the_experiment(workspace: Workspace, write: Any) -> None:
    write("own", "defaults: [experiment, override /model: svm]\nmodel: {gamma: 1}\n")
    assert child_keys(workspace, "own", "model") == ["model.C", "model.gamma", "model.kernel"]
    assert child_keys(workspace, "own", "model", {"model": "ridge"}) == ["model.alpha", "model.gamma"]
    assert child_keys(workspace, "titanic", "transforms.impute") == [
        "transforms.impute.columns",
        "transforms.impute.strategy",
    ]
    assert child_keys(workspace, "titanic", "evaluation") == [
        "evaluation.metrics",
        "evaluation.primary",
        "evaluation.repetitions",
        "evaluation.test",
    ]
    assert {"data", "model", "seed"} <= set(child_keys(workspace, "titanic"))
    assert "defaults" not in child_keys(workspace, "titanic")


@pytest.mark.parametrize("name", ["nothing", "../x", "broken", "bomb"])
def test_what_cannot_be_read_has_no_keys(workspace: Workspace, write: Any, name: str) -> None:
    write("broken", "model: [\n")
    write("bomb", "a: !!python/object/apply:os.system [x]\n")
    assert child_keys(workspace, name, "model", {"model": "../../x"}) == []


def test_listing_is_quick_and_imports_nothing_slow(workspace: Workspace) -> None:
    code = f"""
import sys
from pathlib import Path
import mlops_cli.config
from mlops_cli.config.workspace import find_workspace
from mlops_cli.config.catalogue import child_keys, experiments, groups, options
workspace = find_workspace(Path({str(workspace.root)!r}))
experiments(workspace), groups(workspace), options(workspace, "model"), child_keys(workspace, "titanic", "model")
slow = {{"hydra", "omegaconf", "pandas", "numpy", "sklearn", "pyarrow", "antlr4", "joblib"}} & set(sys.modules)
assert not slow, slow
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])
    start = time.process_time()
    for group in groups(workspace):
        options(workspace, group)
    assert time.process_time() - start < 0.2


def test_the_package_names_what_it_offers() -> None:
    import mlops_cli.config as config

    for name in config.__all__:
        assert getattr(config, name) is not None
    with pytest.raises(AttributeError, match="nothing"):
        _ = config.nothing
