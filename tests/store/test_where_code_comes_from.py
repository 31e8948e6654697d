from __future__ import annotations

import os
import platform
import subprocess
import threading
from typing import TYPE_CHECKING

import pytest

from mlops_cli.records import GitState
from mlops_cli.store import provenance
from mlops_cli.store.provenance import SourceState, code_hashes, environment, source_state, versions

if TYPE_CHECKING:
    from pathlib import Path


def git(folder: Path, *arguments: str) -> str:
    config = ["-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "init.defaultBranch=main"]
    return subprocess.run(
        ["git", *config, *arguments], cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    folder = tmp_path / "repo"
    for name in ("runs", "models", "data", ".mlops"):
        (folder / name).mkdir(parents=True)
        (folder / name / "tracked.py").write_text("1\n")
    (folder / "model.py").write_text("one\n")
    git(folder, "init")
    git(folder, "add", "-A", "-f")
    git(folder, "commit", "-m", "first")
    return folder


def test_a_clean_tree_is_its_commit(repo):
    assert source_state(repo) == SourceState(GitState(git(repo, "rev-parse", "HEAD"), dirty=False))


def test_a_change_is_kept_as_a_diff_that_git_applies(repo):
    (repo / "model.py").write_text("two\n")
    state = source_state(repo)
    assert state.git.dirty is True
    git(repo, "checkout", "model.py")
    (repo / "saved.diff").write_bytes(state.diff)
    git(repo, "apply", "saved.diff")
    assert (repo / "model.py").read_text() == "two\n"


def test_a_staged_change_is_in_the_diff_too(repo):
    (repo / "model.py").write_text("two\n")
    git(repo, "add", "model.py")
    assert b"+two" in source_state(repo).diff


def test_a_new_source_file_makes_the_tree_dirty_and_is_named(repo):
    (repo / "new é.py").write_text("x\n")
    (repo / "notes.bin").write_text("x\n")
    state = source_state(repo)
    assert state.git.dirty is True
    assert state.untracked == ("new é.py",)
    assert "# untracked: 'new é.py'".encode() in state.diff


def test_what_is_data_or_written_by_this_tool_makes_nothing_dirty(repo):
    for name in ("runs", "models", "data", ".mlops"):
        (repo / name / "tracked.py").write_text("2\n")
        (repo / name / "new.py").write_text("2\n")
    assert source_state(repo).git.dirty is False
    assert source_state(repo).diff is None


def test_a_workspace_deep_in_a_repository_sees_the_changes_around_it(repo):
    workspace = repo / "shops" / "berlin"
    (workspace / "runs").mkdir(parents=True)
    (workspace / "runs" / "x.py").write_text("x\n")
    assert source_state(workspace).git.dirty is False
    (repo / "model.py").write_text("two\n")
    assert b"+two" in source_state(workspace).diff


def test_a_repository_without_commits_has_no_commit_and_is_dirty(tmp_path):
    git(tmp_path, "init")
    (tmp_path / "a.py").write_text("x\n")
    state = source_state(tmp_path)
    assert state.git == GitState(None, dirty=True)
    git(tmp_path, "add", "a.py")
    assert b"+x" in source_state(tmp_path).diff


def test_outside_a_repository_nothing_is_known(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert source_state(tmp_path) == SourceState()
    assert source_state(tmp_path / "nowhere") == SourceState()


def test_without_git_nothing_is_known(repo, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    assert source_state(repo) == SourceState()


def test_a_git_that_hangs_is_given_up(repo, tmp_path, monkeypatch):
    (tmp_path / "bin").mkdir()
    fake = tmp_path / "bin" / "git"
    fake.write_text("#!/bin/sh\nexec tail -f /dev/null\n")
    fake.chmod(0o700)
    monkeypatch.setenv("PATH", f"{fake.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(provenance, "GIT_SECONDS", 0.1)
    assert source_state(repo) == SourceState()


def test_a_huge_diff_is_cut_and_says_so(repo, monkeypatch):
    monkeypatch.setattr(provenance, "MAX_DIFF", 2000)
    (repo / "model.py").write_text("a long line of text\n" * 10_000)
    diff = source_state(repo).diff
    assert len(diff) < 2200
    assert diff.splitlines()[-1].startswith(b"# cut here")


def test_the_state_can_be_looked_up_beside_other_work(repo):
    found: list[SourceState] = []
    thread = threading.Thread(target=lambda: found.append(source_state(repo)))
    thread.start()
    thread.join()
    assert found[0].git.dirty is False


def test_the_environment_is_versions_and_the_machine_and_no_variables(monkeypatch):
    monkeypatch.setenv("MYKEY_X", "hunter2hunter2")
    facts = environment(["scikit-learn", "no-such-package-at-all"])
    assert facts["python"] == platform.python_version()
    assert facts["cpus"] >= 1
    assert list(facts["packages"]) == ["scikit-learn"]
    assert "hunter2" not in str(facts)


def test_a_package_name_that_is_none_has_no_version():
    assert versions(["", "a b", "../x"]) == {}


def test_code_is_the_modules_the_packages_and_what_they_import_from_the_workspace(tmp_path):
    (tmp_path / "steps.py").write_text("import os, helper\nfrom shop.prices import x\n")
    (tmp_path / "helper.py").write_text("def f(): import deep.er\n")
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "prices.py").write_text("x = 1\n")
    (tmp_path / "shop" / "broken.py").write_text("def (:\n")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "er.py").write_text('x = "\\d"\n')
    (tmp_path / "unused.py").write_text("1\n")
    before = code_hashes(["steps.Scale", "sklearn.svm"], tmp_path)
    assert list(before) == ["deep/er.py", "helper.py", "shop/broken.py", "shop/prices.py", "steps.py"]
    (tmp_path / "deep" / "er.py").write_text("x = 2\n")
    after = code_hashes(["steps"], tmp_path)
    assert {name for name in after if after[name] != before[name]} == {"deep/er.py"}


@pytest.mark.parametrize("name", ["", "..", "../x", "a/b", "no_such", "/etc"])
def test_a_name_that_is_no_module_of_the_workspace_has_no_code(tmp_path, name):
    assert code_hashes([name], tmp_path) == {}
