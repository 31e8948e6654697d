"""A temporary working tree of git at a recorded commit, through which the workspace's own data and runs are seen.

It lies in the system's folder for temporary files, since a workspace is looked for among parent folders. Whoever uses
one holds its lock, as do the processes that are handed the lock: what a kill leaves is known by a lock that nobody
holds, and removed by the next.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from mlops_cli.errors import StoreError
from mlops_cli.store.files import locked, read_bytes, sha256
from mlops_cli.store.provenance import CUT, NO_DIFF, UNTRACKED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from mlops_cli.store.layout import WorkspacePaths

PREFIX = "mlops-rerun-"
_TREE = "tree"
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_NO_HOOKS = ("-c", f"core.hooksPath={os.devnull}", "-c", "core.fsmonitor=false", "-c", "advice.detachedHead=false")


@dataclass(frozen=True)
class Worktree:
    """A temporary working tree."""

    root: Path  # of the repository
    workspace: Path  # in it
    lock: int  # descriptor that keeps it from being removed; to be handed on to processes that work in it


@contextmanager
def worktree_at(paths: WorkspacePaths, commit: str | None) -> Iterator[Worktree]:
    """Check a commit out beside the repository around a workspace, and remove it in the end, however it ends.

    Parameters
    ----------
    paths : WorkspacePaths
        The workspace; it may lie deep in the repository.
    commit : str
        All 40 or 64 digits of it.

    Raises
    ------
    StoreError
        There is no repository, or no such commit in it.
    """
    prefix = _prefix(paths.root)
    _check_commit(paths.root, commit)
    place, lock = _begin(paths)
    tree = place / _TREE
    try:
        _git(paths.root, "worktree", "add", "--detach", "--quiet", str(tree), str(commit))
        workspace = tree / prefix
        if not workspace.resolve().is_relative_to(tree):  # a link that git has: what follows would change its target
            raise StoreError(f"{prefix} leads out of the repository at {str(commit)[:10]}")
        # A folder configs/ makes it a workspace: none above it may stand in for it.
        (workspace / "configs").mkdir(parents=True, exist_ok=True)
        yield Worktree(tree, workspace, lock)
    finally:
        _remove(paths.root, tree)
        os.close(lock)


def _prefix(folder: Path) -> str:
    try:
        return os.fsdecode(_git(folder, "rev-parse", "--show-prefix")).rstrip("\n")
    except StoreError as error:
        raise StoreError(f"{folder} is in no git repository: {error.message}") from error


def _check_commit(folder: Path, commit: str | None) -> None:
    if commit is None or not _COMMIT.fullmatch(commit):
        raise StoreError("the run recorded no commit", hint="without --at-commit it runs with the code as it is")
    try:
        _git(folder, "cat-file", "-e", f"{commit}^{{commit}}")
    except StoreError as error:
        message = f"git has no commit {commit[:10]} in {folder}"
        raise StoreError(message, hint="git fetch, with --unshallow where the clone is shallow") from error


def _git(folder: Path, *arguments: str, given: bytes | None = None) -> bytes:
    """Return what git prints; without hooks, and in a session of its own, so that Ctrl-C leaves no half-made tree."""
    try:
        done = subprocess.run(
            ["git", *_NO_HOOKS, *arguments],
            cwd=folder,
            env={**os.environ, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"},
            input=given,
            stdin=subprocess.DEVNULL if given is None else None,
            capture_output=True,
            check=False,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        raise StoreError(f"git cannot be run: {error}") from error
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines() or [f"git {arguments[0]} failed"]
        raise StoreError(lines[-1].removeprefix("fatal: ").removeprefix("error: "))
    return done.stdout


# --- beginning and end -------------------------------------------------------------------------------------------


def _begin(paths: WorkspacePaths) -> tuple[Path, int]:
    """Return a new folder with its lock held, after what others left is removed."""
    with locked(paths.locks / "worktrees"):
        for tree in _leftovers(paths.root):
            _remove(paths.root, tree)
        place = Path(tempfile.mkdtemp(prefix=PREFIX)).resolve()
        lock = os.open(_lock_of(place), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
    return place, lock


def _lock_of(place: Path) -> Path:
    return place / "lock"


def _leftovers(folder: Path) -> list[Path]:
    """Return the temporary trees of a repository that nobody holds any more; the first one is the user's own."""
    fields = os.fsdecode(_git(folder, "worktree", "list", "--porcelain", "-z")).split("\0")
    _, *trees = [Path(field.removeprefix("worktree ")) for field in fields if field.startswith("worktree ")]
    return [tree for tree in trees if _is_ours(tree) and not _is_held(tree.parent)]


def _is_ours(tree: Path) -> bool:
    """Whether a tree was surely made here: by its name, its place, and the lock beside it."""
    place = tree.parent
    is_temporary = place.parent == Path(tempfile.gettempdir()).resolve() and place.name.startswith(PREFIX)
    return is_temporary and tree.name == _TREE and _lock_of(place).is_file()


def _is_held(place: Path) -> bool:
    try:
        descriptor = os.open(_lock_of(place), os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:  # somebody else's, in a repository that several share
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def _remove(folder: Path, tree: Path) -> None:
    """Remove a tree and what git knows of it; what it links to stays."""
    shutil.rmtree(tree, ignore_errors=True)
    with suppress(StoreError):  # killed before git knew of it
        _git(folder, "worktree", "remove", "--force", "--force", str(tree))
    _lock_of(tree.parent).unlink(missing_ok=True)
    with suppress(OSError):  # whatever else is in there is not ours
        tree.parent.rmdir()


# --- what is in it -----------------------------------------------------------------------------------------------


def apply_diff(tree: Worktree, diff: Path) -> None:
    """Apply what a run kept of uncommitted changes.

    Raises
    ------
    StoreError
        It was cut when it was kept, or does not apply.
    """
    patch = read_bytes(diff)
    if any(line.startswith((CUT, NO_DIFF)) for line in patch.splitlines()):
        hint = "without --at-commit it runs with the code as it is"
        raise StoreError(f"{diff} is not whole, so the code of the run cannot be had again", hint=hint)
    if not any(line.startswith(b"diff --git ") for line in patch.splitlines()):
        return
    try:
        _git(tree.root, "apply", "--whitespace=nowarn", "-", given=patch)
    except StoreError as error:
        raise StoreError(f"{diff} does not apply to its commit: {error.message}") from error


def untracked(diff: Path) -> list[str]:
    """Return the source files that git did not know, as a run kept their names: without what they held."""
    lines = (line for line in read_bytes(diff).splitlines() if line.startswith(UNTRACKED))
    return [line.removeprefix(UNTRACKED).decode(errors="replace").strip("'\"") for line in lines]


def bring_back(tree: Worktree, code: Mapping[str, str], places: Iterable[Path]) -> None:
    """Copy own modules that git did not know, where a file with the recorded sha256 is still to be had.

    Parameters
    ----------
    tree : Worktree
        Where to.
    code : mapping of str to str
        Path in the workspace → sha256.
    places : iterable of Path
        Folders that may have them.
    """
    folders = list(places)
    for name, digest in code.items():
        path = PurePosixPath(name)
        target = tree.workspace / path
        if not target.resolve().is_relative_to(tree.root) or _digest(target) == digest:
            continue
        for file in (folder / path for folder in folders):
            if _digest(file) == digest:
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, target)
                break


def _digest(file: Path) -> str | None:
    try:
        return sha256(file.read_bytes())
    except OSError:
        return None


def data_differs(tree: Worktree, paths: WorkspacePaths, names: Iterable[str]) -> bool:
    """Whether git has some of the data that a run may read, and the workspace now has another."""
    commit = os.fsdecode(_git(tree.root, "rev-parse", "HEAD")).strip()
    asked = ["--literal-pathspecs", "diff", "--name-only", "--no-ext-diff", commit, "--", *_inside(names, paths)]
    return asked[-1] != "--" and bool(_git(paths.root, *asked))


def see_through(tree: Worktree, paths: WorkspacePaths, data: Iterable[str], *, instead: bool = False) -> None:
    """Let a tree show the workspace's runs, models and internal files, and its data.

    Parameters
    ----------
    tree : Worktree
        The tree.
    paths : WorkspacePaths
        The workspace.
    data : iterable of str
        Files and folders, from the workspace's folder, that the run may read.
    instead : bool
        Show them instead of those that git has; else only what git does not have.
    """
    for folder in (paths.internal, paths.runs, paths.models):
        folder.mkdir(exist_ok=True)
        _replace(folder, tree.workspace / folder.name)
    for name in _inside(data, paths):
        shown = tree.workspace / name
        # What a link shows already is the workspace's own: nothing may be replaced there.
        if shown.parent.resolve().is_relative_to(tree.root):
            (_replace if instead else _show)(paths.root / name, shown)


def _inside(names: Iterable[str], paths: WorkspacePaths) -> list[str]:
    """Return those names that are files or folders in the workspace."""
    found = dict.fromkeys(str(PurePosixPath(name)) for name in names)
    # Path.exists raises for a name too long, as of a query.
    relative = [n for n in found if n != "." and not n.startswith("/") and ".." not in PurePosixPath(n).parts]
    return [name for name in relative if os.path.exists(paths.root / name)]  # noqa: PTH110


def _replace(source: Path, shown: Path) -> None:
    if shown.is_symlink() or shown.is_file():
        shown.unlink()
    elif shown.exists():
        shutil.rmtree(shown)
    _show(source, shown)


def _show(source: Path, shown: Path) -> None:
    """Link what is not there; of a folder that git has in part, the rest."""
    if shown.is_symlink() and not shown.exists():  # a link that git has, to where nothing is from here
        shown.unlink()
    if not os.path.lexists(shown):
        shown.parent.mkdir(parents=True, exist_ok=True)
        shown.symlink_to(source, target_is_directory=source.is_dir())
    elif source.is_dir() and shown.is_dir() and not shown.is_symlink():
        for entry in source.iterdir():
            _show(entry, shown / entry.name)
