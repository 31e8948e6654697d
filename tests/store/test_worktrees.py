"""A temporary working tree shows a workspace through links, and nothing that is done to it reaches through them."""

from __future__ import annotations

import subprocess
import tempfile
from typing import TYPE_CHECKING

import pytest

from mlops_cli.errors import StoreError
from mlops_cli.store.files import sha256
from mlops_cli.store.layout import WorkspacePaths
from mlops_cli.store.worktree import apply_diff, bring_back, data_differs, see_through, untracked, worktree_at

if TYPE_CHECKING:
    from pathlib import Path


def git(folder: Path, *arguments: str) -> str:
    config = ["-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "init.defaultBranch=main"]
    return subprocess.run(
        ["git", *config, *arguments], cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.fixture(autouse=True)
def temporary(tmp_path_factory, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path_factory.mktemp("tmp")))


@pytest.fixture
def paths(tmp_path: Path) -> WorkspacePaths:
    """A workspace with data and runs, of each of which git has a part."""
    root = tmp_path / "ws"
    for name in ("data/known.csv", "data/deep/known.csv", "runs/known.txt", "own.py"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("first\n")
    git(root.parent, "init", "ws")
    git(root, "add", "-A")
    git(root, "commit", "-m", "first")
    for name in ("data/known.csv", "data/new.csv", "data/deep/new.csv", "runs/new.txt"):
        (root / name).write_text("second\n")
    return WorkspacePaths(root)


def head(paths):
    return git(paths.root, "rev-parse", "HEAD")


def everything(paths):
    return {
        p.relative_to(paths.root): p.read_bytes()
        for p in paths.root.rglob("*")
        if p.is_file() and ".git" not in p.parts
    }


@pytest.mark.parametrize(("instead", "known"), [(False, "first\n"), (True, "second\n")])
def test_data_is_that_of_git_or_of_the_workspace_and_all_else_the_workspaces(paths, instead, known):
    before = everything(paths)
    with worktree_at(paths, head(paths)) as tree:
        assert data_differs(tree, paths, ["data"])
        see_through(
            tree, paths, ["data", "data/known.csv", "data/deep/new.csv", "x" * 5000, "../ws", "/", "."], instead=instead
        )
        shown = tree.workspace
        assert (shown / "data" / "known.csv").read_text() == known
        assert (shown / "data" / "new.csv").read_text() == "second\n"
        assert (shown / "data" / "deep" / "known.csv").read_text() == "first\n"
        assert (shown / "data" / "deep" / "new.csv").read_text() == "second\n"
        assert (shown / "runs" / "new.txt").read_text() == "second\n"
        (shown / "runs" / "made.txt").write_text("there\n")
    assert not tree.root.parent.exists()
    assert (paths.runs / "made.txt").read_text() == "there\n"
    (paths.runs / "made.txt").unlink()
    assert {name: data for name, data in everything(paths).items() if ".mlops" not in name.parts} == before


def test_data_that_is_as_committed_does_not_differ(paths):
    git(paths.root, "checkout", "data/known.csv")
    with worktree_at(paths, head(paths)) as tree:
        assert not data_differs(tree, paths, ["data", "nowhere"])
        assert not data_differs(tree, paths, [])


def test_links_that_git_has_are_not_followed_to_be_changed(tmp_path):
    outside = tmp_path / "outside"
    (outside / "deep").mkdir(parents=True)
    (outside / "deep" / "kept.txt").write_text("kept\n")
    linked = tmp_path / "linked"
    linked.mkdir()
    git(linked, "init")
    for name in ("runs", "models", "data", "lib"):
        (linked / name).symlink_to(outside)
    git(linked, "add", "-A")
    git(linked, "commit", "-m", "links")
    there = WorkspacePaths(linked)
    commit = head(there)
    for name in ("runs", "models", "data", "lib"):
        (linked / name).unlink()
        (linked / name / "deep").mkdir(parents=True)
        (linked / name / "deep" / "kept.txt").write_text("mine\n")
    digest = sha256(b"mine\n")
    with worktree_at(there, commit) as tree:
        bring_back(tree, {"lib/deep/kept.txt": digest, "../x.py": digest, "/x.py": digest}, [linked])
        see_through(tree, there, ["data", "data/deep", "lib/deep/kept.txt"], instead=True)
        assert (tree.workspace / "data" / "deep" / "kept.txt").read_text() == "mine\n"
    assert (outside / "deep" / "kept.txt").read_text() == "kept\n"
    assert (linked / "data" / "deep" / "kept.txt").read_text() == "mine\n"


def test_a_workspace_behind_a_link_of_its_commit_is_refused(paths, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (paths.root / "shop").symlink_to(outside)
    git(paths.root, "add", "shop")
    git(paths.root, "commit", "-m", "link")
    commit = head(paths)
    (paths.root / "shop").unlink()
    (paths.root / "shop").mkdir()
    with (
        pytest.raises(StoreError, match="shop/ leads out of the repository at "),
        worktree_at(WorkspacePaths(paths.root / "shop"), commit),
    ):
        pass
    assert list(outside.iterdir()) == []
    assert len(git(paths.root, "worktree", "list").splitlines()) == 1


def test_no_hook_of_the_repository_runs(paths, tmp_path):
    hook = paths.root / ".git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path / 'ran'}\n")
    hook.chmod(0o755)
    with worktree_at(paths, head(paths)):
        assert not (tmp_path / "ran").exists()


def test_a_diff_with_names_alone_changes_nothing_and_tells_them(paths):
    diff = paths.root / "source.diff"
    diff.write_text("# untracked: 'a.py'\n# untracked: 'deep/b.py'\n")
    assert untracked(diff) == ["a.py", "deep/b.py"]
    with worktree_at(paths, head(paths)) as tree:
        apply_diff(tree, diff)
        assert git(tree.root, "status", "--porcelain") == ""


def test_it_is_removed_when_the_block_raises(paths):
    with pytest.raises(KeyboardInterrupt), worktree_at(paths, head(paths)) as tree:
        raise KeyboardInterrupt
    assert not tree.root.parent.exists()
    assert len(git(paths.root, "worktree", "list").splitlines()) == 1


def test_a_repository_that_is_called_like_a_temporary_tree_is_nobodys_leftover(paths, tmp_path_factory):
    place = tmp_path_factory.mktemp("x") / "mlops-rerun-study"
    place.mkdir()
    (place / "thesis.txt").write_text("years of work\n")
    paths.root.rename(place / "tree")
    moved = WorkspacePaths(place / "tree")
    other = place.parent / "mlops-rerun-other" / "tree"
    git(moved.root, "worktree", "add", "--detach", str(other))
    with worktree_at(moved, head(moved)):
        pass
    assert (moved.root / "own.py").read_text() == "first\n"
    assert (place / "thesis.txt").exists()
    assert (other / "own.py").exists()


def test_what_a_kill_left_is_removed_and_what_lies_beside_it_stays(paths):
    with worktree_at(paths, head(paths)) as kept:
        place = kept.root.parent
    left = place.parent / "mlops-rerun-left" / "tree"
    git(paths.root, "worktree", "add", "--detach", str(left))
    (left.parent / "lock").touch()
    (left.parent / "notes.txt").touch()
    with worktree_at(paths, head(paths)):
        assert not left.exists()
    assert [p.name for p in left.parent.iterdir()] == ["notes.txt"]
