"""A run is made again with the code of its commit, in a temporary working tree that never outlives its use."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd
import pytest

import mlops_cli as mlops
from mlops_cli.errors import MlopsError, StoreError, UsageError
from mlops_cli.records import Agreement
from mlops_cli.store.layout import WorkspacePaths
from mlops_cli.store.worktree import PREFIX, worktree_at

CONFIG = """
    defaults: [experiment, {data: csv}, {transforms: tabular}, _self_]
    model: {_target_: own.Own, C: 1.0}
    data: {path: data/mixed.csv, target: survived, drop: [note, weight, family, amount]}
    launcher: {backend: sequential}
    split: {n_splits: 3}
    evaluation: {metrics: [roc_auc]}
    artifacts: {plots: none, keep: none}
    """

OWN = """
from sklearn.linear_model import LogisticRegression


class Own(LogisticRegression):
    def fit(self, X, y, sample_weight=None):
        return super().fit(X * SCALE, y)


SCALE = 1.0
"""


def git(folder, *arguments):
    config = ["-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "init.defaultBranch=main"]
    done = subprocess.run(["git", *config, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture(autouse=True)
def temporary(tmp_path_factory, monkeypatch, workspace):
    """A folder for temporary files, so that what is left in it can be seen; the data is what it was in the end."""
    monkeypatch.setenv("TMPDIR", str(tmp_path_factory.mktemp("tmp")))
    monkeypatch.setattr(tempfile, "tempdir", None)
    yield
    links = [path for path in workspace.rglob("*") if path.is_symlink() and ".mlops" not in path.parts]
    assert links == []


@pytest.fixture
def committed(experiment, workspace):
    """A workspace in git, but for its data; the name of its experiment."""
    (workspace / "own.py").write_text(OWN)
    (workspace / "pyproject.toml").write_text('[tool.mlops]\ntrust = ["own"]\n')
    (workspace / ".gitignore").write_text("data/\nruns/\nmodels/\n.mlops/\n__pycache__/\n")
    name = experiment(CONFIG)
    git(workspace, "init")
    git(workspace, "add", "-A")
    git(workspace, "commit", "-m", "first")
    return name


@pytest.fixture
def changed(committed, workspace):
    """A run whose module has been changed since, and committed."""
    first = mlops.run(committed)
    (workspace / "own.py").write_text(OWN.replace("SCALE = 1.0", "SCALE = 0.001"))
    git(workspace, "commit", "-am", "second")
    return first


def trees(workspace):
    """What git knows of temporary trees, and what is left of them on the disk."""
    known = [line for line in git(workspace, "worktree", "list").splitlines() if PREFIX in line]
    return known, sorted(Path(tempfile.gettempdir()).glob(f"{PREFIX}*"))


NONE = ([], [])


def test_the_code_is_that_of_the_commit(changed, workspace):
    now = mlops.rerun(changed.id)
    assert now.agreement is Agreement.DIFFERENT
    assert now.changed[0] == "own.py has changed"
    assert now.changed[1].startswith("the repository was at ")
    then = mlops.rerun(changed.id, at_commit=True)
    assert (then.agreement, then.changed) == (Agreement.IDENTICAL, ())
    assert then.notes == (f"with the code of commit {changed.record.git.commit[:10]}",)
    assert trees(workspace) == NONE
    assert "SCALE = 0.001" in (workspace / "own.py").read_text()
    again = mlops.find_run(then.again)
    assert again.path.parent == changed.path.parent
    assert again.record.git == changed.record.git
    assert again.record.code == changed.record.code
    assert mlops.runs("e")["id"].tolist() == [then.again, now.again, changed.id]


def test_uncommitted_changes_and_modules_that_git_did_not_know_come_back(committed, workspace):
    (workspace / "own.py").write_text(OWN.replace("1.0", "HALF").replace("\nfrom", "\nfrom half import HALF\nfrom", 1))
    (workspace / "half.py").write_text("HALF = 0.5\n")
    (workspace / "other.py").write_text("nobody imports me\n")
    first = mlops.run(committed)
    assert first.record.git.dirty
    git(workspace, "checkout", "own.py")
    (workspace / "other.py").unlink()
    found = mlops.rerun(first.id, at_commit=True)
    assert (found.agreement, found.changed) == (Agreement.IDENTICAL, ())
    assert found.notes[1:] == ("git did not know other.py, so the run is made without",)
    (workspace / "half.py").write_text("HALF = 0.25\n")
    with pytest.raises(MlopsError, match="half"):
        mlops.rerun(first.id, at_commit=True)
    diff = first.path / "source.diff"
    diff.write_text(diff.read_text().replace("HALF", "EVIL"))
    with pytest.raises(StoreError, match=r"source\.diff is not the file that was recorded"):
        mlops.rerun(first.id, at_commit=True)
    assert trees(workspace) == NONE


def test_a_registered_version_brings_its_own_code(committed, workspace):
    (workspace / "mine.py").write_text((workspace / "own.py").read_text())
    (workspace / "pyproject.toml").write_text('[tool.mlops]\ntrust = ["own", "mine"]\n')
    first = mlops.run(committed, ["model._target_=mine.Own", "artifacts.keep=best"])
    mlops.register(first)
    (workspace / "mine.py").unlink()
    git(workspace, "checkout", "pyproject.toml")
    found = mlops.rerun("e/1", at_commit=True)
    assert (found.agreement, found.changed) == (Agreement.IDENTICAL, ())
    assert trees(workspace) == NONE


def test_models_of_own_code_are_compared_by_the_code_of_the_commit(committed, workspace):
    first = mlops.run(committed, ["artifacts.keep=best"])
    mlops.register(first)
    (workspace / "own.py").write_text("raise RuntimeError\n")
    git(workspace, "commit", "-am", "broken")
    for ref in (first.id, "e/1"):
        found = mlops.rerun(ref, at_commit=True)
        alike = {part.what: part.agreement for part in found.parts}
        assert alike["the model's predictions of training rows"] is Agreement.IDENTICAL
        assert not [note for note in found.notes if "cannot be compared" in note]


def test_data_that_git_has_is_that_of_the_commit_and_the_rest_is_the_workspaces(committed, workspace, mixed):
    git(workspace, "add", "-f", "data/mixed.csv")
    git(workspace, "commit", "-m", "data too")
    mixed.iloc[:50].to_csv(workspace / "data" / "test.csv", index=False)
    (workspace / "more").mkdir()
    mixed.iloc[50:].to_csv(workspace / "more" / "test.csv", index=False)
    beside = mlops.run(committed, ["evaluation.test=data/test.csv"])
    outside = mlops.run(committed, ["evaluation.test=more/test.csv"])
    mixed.iloc[:60].to_csv(workspace / "data" / "mixed.csv", index=False)
    git(workspace, "commit", "-am", "other data")
    for first in (beside, outside):
        assert mlops.rerun(first.id, at_commit=True).agreement is Agreement.IDENTICAL


def test_data_that_was_changed_uncommitted_is_the_workspaces(committed, workspace, mixed):
    git(workspace, "add", "-f", "data/mixed.csv")
    git(workspace, "commit", "-m", "data too")
    mixed.iloc[:90].to_csv(workspace / "data" / "mixed.csv", index=False)
    first = mlops.run(committed)
    assert mlops.rerun(first.id, at_commit=True).agreement is Agreement.IDENTICAL
    assert mlops.find_run("latest").record.dataset.rows == 90
    file = workspace / "data" / "mixed.csv"
    mixed.iloc[:80].to_csv(file, index=False)
    (said,) = mlops.rerun(first.id, at_commit=True).changed
    assert said.startswith("the data has changed (90 rows are 120; ")  # those of the commit: the others are gone
    assert (len(pd.read_csv(file)), file.is_symlink()) == (80, False)


def test_a_workspace_deep_in_a_repository_is_found_in_its_tree(committed, workspace, monkeypatch):
    shop = workspace / "shops" / "berlin"
    shop.mkdir(parents=True)
    for name in ("own.py", "pyproject.toml", "configs", "data"):
        (workspace / name).rename(shop / name)
    git(workspace, "add", "-A")
    git(workspace, "commit", "-m", "moved")
    monkeypatch.chdir(shop)
    first = mlops.run(committed)
    (shop / "own.py").write_text("raise RuntimeError\n")
    assert mlops.rerun(first.id, at_commit=True).agreement is Agreement.IDENTICAL


# --- refused -----------------------------------------------------------------------------------------------------


def edited(run, **git_state):
    file = run.path / "run.json"
    record = json.loads(file.read_text())
    file.write_text(json.dumps({**record, "git": {**record["git"], **git_state}}))


@pytest.mark.parametrize(
    ("commit", "said"),
    [
        (None, "the run recorded no commit"),
        ("--upload-pack=x", "the run recorded no commit"),
        ("0" * 40, "git has no commit 0000000000 in "),
    ],
)
def test_a_commit_that_is_not_there_is_refused(changed, workspace, commit, said):
    edited(changed, commit=commit)
    with pytest.raises(StoreError, match=said):
        mlops.rerun(changed.id, at_commit=True)
    assert trees(workspace) == NONE


@pytest.mark.parametrize(
    ("diff", "said"),
    [
        (None, "had uncommitted changes, and its source.diff is gone"),
        ("diff --git a/own.py b/own.py\n# cut here: the diff is longer than 5 MB\n", "source.diff is not whole"),
        ("# git gave no diff in time\n", "source.diff is not whole"),
        (
            "diff --git a/own.py b/own.py\n--- a/own.py\n+++ b/own.py\n@@ -1 +1 @@\n-nothing like it\n+x\n",
            "source.diff does not apply to its commit: own.py: patch does not apply",
        ),
    ],
    ids=["gone", "cut", "late", "another"],
)
def test_a_diff_that_is_not_whole_or_does_not_apply_is_refused(changed, workspace, diff, said):
    edited(changed, dirty=True)
    if diff is not None:
        (changed.path / "source.diff").write_text(diff)
    with pytest.raises(StoreError, match=said):
        mlops.rerun(changed.id, at_commit=True)
    assert trees(workspace) == NONE


def test_outside_of_git_it_is_refused(experiment, workspace, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(workspace.parent))
    first = mlops.run(experiment(CONFIG.replace("{_target_: own.Own, C: 1.0}", "{_target_: sklearn.svm.SVC}")))
    with pytest.raises(StoreError, match="is in no git repository"):
        mlops.rerun(first.id, at_commit=True)


def test_a_run_of_another_workspace_is_refused(changed, tmp_path_factory, monkeypatch):
    other = tmp_path_factory.mktemp("other")
    (other / "configs").mkdir()
    monkeypatch.chdir(other)
    with pytest.raises(UsageError, match="lies in another workspace"):
        mlops.rerun(changed.path, at_commit=True)


def test_what_is_wrong_there_is_said_here_with_its_code(changed, workspace):
    (workspace / "data" / "mixed.csv").unlink()
    with pytest.raises(MlopsError, match=rf"^{changed.id} cannot be run again: .*mixed\.csv") as raised:
        mlops.rerun(changed.id, at_commit=True)
    assert raised.value.exit_code == 3
    assert trees(workspace) == NONE


# --- however it ends ---------------------------------------------------------------------------------------------

WAITING = OWN.replace("        return", "        wait()\n        return") + (
    """

def wait():
    import os, pathlib, time
    if "MLOPS_TEST_BEGUN" in os.environ:
        pathlib.Path(os.environ["MLOPS_TEST_BEGUN"]).write_text("begun")
        time.sleep(300)
"""
)


@pytest.fixture
def under_way(committed, workspace):
    """A rerun at its commit whose fit has begun and does not end; the process."""
    (workspace / "own.py").write_text(WAITING)
    git(workspace, "commit", "-am", "slow")
    first = mlops.run(committed)
    pipe = workspace / "begun"
    os.mkfifo(pipe)
    with subprocess.Popen(
        [sys.executable, "-m", "mlops_cli", "rerun", first.id, "--at-commit", "--quiet"],
        env={**os.environ, "MLOPS_TEST_BEGUN": str(pipe)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert pipe.read_text() == "begun"  # opening it waits for who writes
        yield process
        process.kill()


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_the_run_and_leaves_no_tree(under_way, workspace, sent):
    assert len(trees(workspace)[0]) == 1
    under_way.send_signal(sent)
    out, _ = under_way.communicate(timeout=60)
    assert under_way.returncode == 130
    assert trees(workspace) == NONE
    assert mlops.find_run("latest").status == "interrupted"
    assert Path(out.strip()).name == mlops.find_run("latest").path.name


def test_what_a_kill_leaves_is_removed_by_the_next_but_not_while_it_is_used(under_way, workspace):
    under_way.kill()
    under_way.wait()
    paths = WorkspacePaths(workspace)
    commit = git(workspace, "rev-parse", "HEAD")
    with worktree_at(paths, commit):
        assert len(trees(workspace)[0]) == 2  # the run in it goes on
    (child,) = _those_in(trees(workspace)[1][0] / "tree")
    os.kill(child, signal.SIGKILL)
    _until_gone(child)
    with worktree_at(paths, commit) as mine:
        assert [path.resolve() for path in trees(workspace)[1]] == [mine.root.parent]
    assert trees(workspace) == NONE
    assert (workspace / "data" / "mixed.csv").exists()
    assert len(mlops.runs()) == 2


def _those_in(folder):
    """Return the processes that work in a folder and were started by none of those."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if (entry / "cwd").readlink().is_relative_to(folder):
                parent = (entry / "stat").read_text().rpartition(")")[2].split()[1]
                found[int(entry.name)] = int(parent)
        except OSError:
            continue
    return [pid for pid, parent in found.items() if parent not in found]


def _until_gone(pid):
    """Wait until a process that is no child of this one has ended."""
    import select

    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        assert select.select([descriptor], [], [], 60)[0]
    finally:
        os.close(descriptor)
