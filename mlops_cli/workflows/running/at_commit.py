"""``mlops rerun --at-commit``: the same command in a temporary working tree, where the code is what it was.

A process of its own with this same Python: modules that this one has imported are those of now.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops_cli.config.flat import texts
from mlops_cli.config.workspace import find_workspace
from mlops_cli.errors import ExitCode, MlopsError, StoreError, UsageError
from mlops_cli.store.files import read_bytes, sha256
from mlops_cli.store.layout import RunPaths, VersionPaths, WorkspacePaths
from mlops_cli.store.worktree import apply_diff, bring_back, data_differs, see_through, untracked, worktree_at
from mlops_cli.views.rerun import from_json
from mlops_cli.workflows.data.as_seen import as_seen
from mlops_cli.workflows.data.load import load
from mlops_cli.workflows.running.prepare import RunOptions, compose
from mlops_cli.workflows.running.recording import ignore
from mlops_cli.workflows.running.rerun import First, check_tolerance, find_first
from mlops_cli.workflows.runs.asked import config_leaves

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from mlops_cli.records import Rerun, RunRecord
    from mlops_cli.store.worktree import Worktree


@dataclass(frozen=True)
class Ended:
    """How the command in the working tree ended."""

    code: int
    stdout: str = ""  # where it was captured
    stderr: str = ""


def rerun_at_commit(
    ref: str, arguments: Sequence[str] = (), *, capture: bool = False, workspace: str | Path | None = None
) -> Ended:
    """Run a run again with the code of its commit, and with what was not committed as far as it was kept.

    Parameters
    ----------
    ref : str
        A run, or a registered version.
    arguments : sequence of str
        Options of ``mlops rerun``.
    capture : bool
        Return what it prints; else it prints where this process does.
    workspace : str or Path, optional
        The workspace; the current folder's where not given.

    Raises
    ------
    StoreError
        The commit, or what was not committed, cannot be had again.
    """
    paths = WorkspacePaths(find_workspace(workspace).root)
    first = find_first(ref, workspace=workspace)
    _check_home(first, paths)
    with _tree_of(first, paths) as (tree, notes):
        told = [part for note in notes for part in ("--say", note)]
        command = [sys.executable, "-P", "-m", "mlops_cli", "rerun", first.saved.label, *arguments, *told]
        return _ended(command, tree, capture=capture)


def rerun_there(ref: str, options: RunOptions, *, tolerance: float) -> Rerun:
    """Return what a rerun at its commit came to.

    Raises
    ------
    MlopsError
        The command in the working tree failed: with its message and exit code.
    KeyboardInterrupt
        It was interrupted.
    """
    check_tolerance(tolerance)
    arguments = ["--json", "--tolerance", repr(tolerance)]
    if options.n_jobs is not None:
        arguments += ["--n-jobs", str(options.n_jobs)]
    ended = rerun_at_commit(ref, arguments, capture=True, workspace=options.workspace)
    if ended.code in {ExitCode.OK, ExitCode.CHECK}:
        return from_json(json.loads(ended.stdout))
    if ended.code == ExitCode.INTERRUPTED:
        raise KeyboardInterrupt
    error = MlopsError(ended.stderr.strip().removeprefix("error: ") or f"it ended with the code {ended.code}")
    error.exit_code = ExitCode(ended.code) if ended.code in set(ExitCode) else ExitCode.FAILED
    raise error


def _check_home(first: First, paths: WorkspacePaths) -> None:
    """Refuse a run of another workspace: its code would be run in the name of a commit of this one."""
    if not first.record.path.resolve().is_relative_to(paths.root.resolve()):
        message = f"{first.saved.label} lies in another workspace, {first.record.path}"
        raise UsageError(message, hint="cd there, or leave --at-commit out")


@contextmanager
def _tree_of(first: First, paths: WorkspacePaths) -> Iterator[tuple[Worktree, list[str]]]:
    """Give a tree with the code of a run, and what is to be said of it."""
    record = first.record
    notes = [f"with the code of commit {str(record.git.commit)[:10]}"]
    with worktree_at(paths, record.git.commit) as tree:
        lost = _uncommitted(tree, record)
        places = [paths.root] if first.is_run else [VersionPaths(record.path).code, paths.root]
        bring_back(tree, record.code, places)
        lost = [name for name in lost if not ((tree.root / name).exists() or (tree.workspace / name).exists())]
        if lost:
            notes.append(f"git did not know {', '.join(lost)}, so the run is made without")
        names = ["data", *_paths_in(config_leaves(record))]
        see_through(tree, paths, names, instead=data_differs(tree, paths, names) and _has_its_data(first, paths))
        yield tree, notes


def _has_its_data(first: First, paths: WorkspacePaths) -> bool:
    """Whether the workspace still has the data of a run, where git has another: data is often changed uncommitted."""
    options = RunOptions(workspace=paths.root)
    try:
        composed = compose(str(RunPaths(first.record.path).config), [], options, ignore)
        spec = as_seen(composed.spec, first.record, composed.workspace)
        loaded = load(spec, composed.workspace)
    except MlopsError:  # as the code is now, or the data, it cannot be read
        return False
    seen = [version and version.version for version in (first.record.dataset, first.record.test_dataset)]
    return seen == [loaded.train.version.version, loaded.test_version and loaded.test_version.version]


def _uncommitted(tree: Worktree, record: RunRecord) -> list[str]:
    """Apply what was not committed, and return the files of which only the names were kept."""
    if not record.git.dirty:
        return []
    diff = RunPaths(record.path).source_diff
    if not diff.is_file():
        raise StoreError(f"{record.id} had uncommitted changes, and its {diff.name} is gone")
    if record.files.get(diff.name) not in {None, sha256(read_bytes(diff))}:
        raise StoreError(f"{diff} is not the file that was recorded: its sha256 differs", hint="restore it from a copy")
    apply_diff(tree, diff)
    return untracked(diff)


def _paths_in(leaves: Mapping[str, Any]) -> Iterator[str]:
    """Yield what may be a file that the config reads; what is none is not there to be linked."""
    for key, value in leaves.items():
        if key.startswith("data.") or key == "evaluation.test":
            yield from (text for text in texts(value) if text and "\0" not in text and "://" not in text)


def _ended(command: Sequence[str], tree: Worktree, *, capture: bool) -> Ended:
    """Run a command in the tree; Ctrl-C is handed on, so that it ends as a run does, and then the tree is removed."""
    pipe = subprocess.PIPE if capture else None
    with subprocess.Popen(
        command,
        cwd=tree.workspace,
        stdout=pipe,
        stderr=pipe,
        encoding="utf-8",
        errors="replace",
        pass_fds=(tree.lock,),
        # Else the terminal would interrupt it too, and twice means at once.
        start_new_session=True,
    ) as process:
        while True:
            try:
                out, err = process.communicate()
            except KeyboardInterrupt:
                process.send_signal(signal.SIGINT)
            else:
                return Ended(process.returncode, out or "", err or "")
