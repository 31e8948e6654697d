"""Where a result came from: the code's place in git, the machine, the versions, the user's own files.

Never raises and never waits long: a run must not fail because git does. Records versions and what was asked for,
never the environment's variables, where secrets live. Knows nothing of runs.
"""

from __future__ import annotations

import ast
import functools
import os
import platform
import subprocess
import sys
import threading
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_cli.records import GitState
from mlops_cli.store.files import sha256

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

GIT_SECONDS = 5.0
"""How long each git command may take."""

MAX_DIFF = 5_000_000
"""Bytes of a diff that are kept."""

UNTRACKED, CUT, NO_DIFF = b"# untracked: ", b"# cut here", b"# git gave no diff in time"
"""How lines of ``source.diff`` begin that are not git's."""

_NOT_SOURCE = ("runs", "models", ".mlops", "data")
_SOURCE_SUFFIXES = frozenset(
    {".py", ".pyi", ".ipynb", ".yaml", ".yml", ".toml", ".cfg", ".ini", ".sh", ".sql", ".r", ".c", ".cpp", ".h"}
)
_MAX_NAMED = 100


@dataclass(frozen=True)
class SourceState:
    """The code's place in git, and what no commit holds."""

    git: GitState = field(default_factory=GitState)
    diff: bytes | None = None  # what source.diff holds; None where nothing is uncommitted
    untracked: tuple[str, ...] = ()  # source files that git does not know, from the workspace's folder


def source_state(folder: Path, exclude: Sequence[str] = _NOT_SOURCE) -> SourceState:
    """Return the git state of the repository around ``folder``, with the diff of what is uncommitted.

    Takes one git process for a clean tree and two for a dirty one, so it may run in a thread beside other work.

    Parameters
    ----------
    folder : Path
        The workspace; it may lie deep in a repository, or in none.
    exclude : sequence of str
        Folders in it whose changes make no source dirty: data, and what this tool writes.
    """
    scope = [":/", *(f":(exclude){name}" for name in exclude)]
    status = _status(folder, scope)
    if status is None:
        return SourceState()
    commit, changed, untracked = _read_status(status)
    sources = tuple(name for name in untracked if Path(name).suffix.lower() in _SOURCE_SUFFIXES)
    state = GitState(commit=commit, dirty=changed or bool(sources))
    if not state.dirty:
        return SourceState(state)
    return SourceState(state, _diff(folder, scope, sources, has_commit=commit is not None), sources)


def uncommitted(folder: Path, files: Sequence[Path]) -> tuple[Path, ...]:
    """Return those files that no commit of the repository around ``folder`` holds yet; none where there is no git.

    Parameters
    ----------
    folder : Path
        In the repository.
    files : sequence of Path
        Which are asked for.
    """
    top = _git(folder, ["rev-parse", "--show-toplevel"]) if files else None
    if top is None:
        return ()
    home = Path(os.fsdecode(top.removesuffix(b"\n"))).resolve()
    own = {file: file.parent.resolve() / file.name for file in files}
    names = {file: os.fspath(path.relative_to(home)) for file, path in own.items() if path.is_relative_to(home)}
    held = _git(home, ["ls-tree", "-z", "--name-only", "HEAD", "--", *names.values()]) or b""
    known = {os.fsdecode(name) for name in held.split(b"\0")}
    return tuple(file for file, name in names.items() if name not in known)


def _status(folder: Path, scope: list[str]) -> bytes | None:
    for untracked in ("all", "no"):  # a huge folder of unknown files may take longer than it is worth
        flags = ["--porcelain=v2", "--branch", "-z", f"--untracked-files={untracked}"]
        output = _git(folder, ["status", *flags, "--", *scope])
        if output is not None:
            return output
    return None


def _read_status(output: bytes) -> tuple[str | None, bool, list[str]]:
    """Return the commit, whether a tracked file is changed, and the untracked files."""
    fields = [os.fsdecode(line) for line in output.split(b"\0") if line]
    heads = [line.split(" ", 2)[2] for line in fields if line.startswith("# branch.oid ")]
    commit = heads[0] if heads and heads[0] != "(initial)" else None
    changed = any(line[:2] in {"1 ", "2 ", "u "} for line in fields)
    return commit, changed, [line[2:] for line in fields if line.startswith("? ")]


def _diff(folder: Path, scope: list[str], untracked: tuple[str, ...], *, has_commit: bool) -> bytes:
    base = ["HEAD"] if has_commit else ["--cached"]
    flags = ["--no-color", "--no-ext-diff", "--no-textconv", "--src-prefix=a/", "--dst-prefix=b/"]
    body = _git(folder, ["diff", *flags, *base, "--", *scope], limit=MAX_DIFF + 1)
    if body is None:
        body = NO_DIFF + b"\n"
    elif len(body) > MAX_DIFF:
        body = body[: body.rfind(b"\n", 0, MAX_DIFF) + 1] + CUT + b": the diff is longer than 5 MB\n"
    return _untracked_note(untracked) + body


def _untracked_note(names: tuple[str, ...]) -> bytes:
    # git apply and patch skip what stands before the first "diff" line.
    lines = [f"{UNTRACKED.decode()}{name!r}\n" for name in names[:_MAX_NAMED]]
    if len(names) > _MAX_NAMED:
        lines.append(f"# and {len(names) - _MAX_NAMED} more\n")
    return "".join(lines).encode(errors="backslashreplace")


def _git(folder: Path, arguments: list[str], limit: int | None = None) -> bytes | None:
    """Return what git prints, up to ``limit`` bytes; None where it fails, is not there or takes too long."""
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    command = ["git", "-c", "core.fsmonitor=false", *arguments]
    try:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
    except (OSError, ValueError):
        return None
    return _collect(process, limit)


def _collect(process: subprocess.Popen[bytes], limit: int | None) -> bytes | None:
    late = threading.Event()

    def stop() -> None:
        late.set()
        process.kill()

    timer = threading.Timer(GIT_SECONDS, stop)
    timer.daemon = True
    timer.start()
    try:
        with process:
            output = (process.stdout.read(limit) if limit else process.stdout.read()) if process.stdout else b""
            full = limit is not None and len(output) >= limit
            if full:
                process.kill()
    finally:
        timer.cancel()
    return output if full or (process.returncode == 0 and not late.is_set()) else None


# --- the machine -------------------------------------------------------------------------------------------------


def environment(packages: Iterable[str]) -> dict[str, Any]:
    """Return the versions and the machine that a result depends on.

    Parameters
    ----------
    packages : iterable of str
        Names of distributions; those that are not installed are left out.
    """
    system = os.uname()
    return {
        "python": platform.python_version(),
        "implementation": sys.implementation.name,
        "platform": f"{system.sysname}-{system.release}-{system.machine}",
        "host": system.nodename,
        "cpu": processor(),
        "cpus": cpu_count(),
        "blas": linear_algebra(),
        "packages": versions(packages),
    }


def versions(packages: Iterable[str]) -> dict[str, str]:
    """Return the installed version of each distribution that is installed, by name."""
    from importlib.metadata import PackageNotFoundError, version

    found = {}
    for name in sorted(set(packages)):
        try:
            found[name] = version(name)
        except (PackageNotFoundError, ValueError):
            continue
    return found


def cpu_count() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@functools.cache
def processor() -> str | None:
    """Return the processor's name, where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor() or None
    names = [value.strip() for key, _, value in (line.partition(":") for line in lines) if key.strip() == "model name"]
    return names[0] if names else None


def linear_algebra() -> str | None:
    """Return the libraries of linear algebra that are loaded, with the code that each chose for the processor.

    That is what the last bits of sums depend on. Threads are not: fits keep to one.
    """
    import threadpoolctl

    found = [info for info in threadpoolctl.threadpool_info() if info.get("user_api") == "blas"]
    named = {" ".join(str(i[key]) for key in ("internal_api", "version", "architecture") if i.get(key)) for i in found}
    return "; ".join(sorted(named)) or None


@functools.cache
def boot_id() -> str | None:
    """Return what names this start of the machine, where the system has such a thing."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return None


# --- the user's own code -----------------------------------------------------------------------------------------


def file_hashes(names: Iterable[str], root: Path) -> dict[str, str]:
    """Return path → sha256 of the files that names or globs stand for; what is no file in the workspace is left out."""
    found: dict[str, str] = {}
    for name in names:
        for path in _files_named(name, root):
            data = _read_or_none(path)
            if data is not None:
                found[path.relative_to(root).as_posix()] = sha256(data)
    return found


def _files_named(name: str, root: Path) -> list[Path]:
    """Return the files of a workspace that a name or a glob stands for; of a folder all that are in it."""
    try:
        path = (root / name).resolve()
        if not path.is_relative_to(root.resolve()) or path == root.resolve():
            return []
        if path.is_dir():
            return sorted(p for p in path.rglob("*") if p.is_file())
        return [path] if path.is_file() else sorted(p for p in root.glob(name) if p.is_file())
    except (OSError, ValueError, NotImplementedError):  # what is no name at all names no file
        return []


def code_hashes(modules: Iterable[str], root: Path) -> dict[str, str]:
    """Return path → sha256 of the user's code files that the given modules may run.

    Of a package it is every file, and of each file also what it imports from the workspace, by reading and not by
    importing: a helper that changes, changes the result.

    Parameters
    ----------
    modules : iterable of str
        Dotted names; those that do not lie in the workspace are left out.
    root : Path
        The workspace.
    """
    hashes: dict[str, str] = {}
    waiting = list(modules)
    seen: set[str] = set()
    while waiting:
        top = waiting.pop().partition(".")[0]
        if top in seen:
            continue
        seen.add(top)
        for path in _files_of(top, root):
            data = _read_or_none(path)
            if data is not None:
                hashes[path.relative_to(root).as_posix()] = sha256(data)
                waiting += imports(data)
    return dict(sorted(hashes.items()))


def _files_of(top: str, root: Path) -> list[Path]:
    if not top.isidentifier():
        return []
    module, package = root / f"{top}.py", root / top
    return [*([module] if module.is_file() else []), *(package.rglob("*.py") if package.is_dir() else ())]


def _read_or_none(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def imports(source: bytes) -> list[str]:
    """Return the dotted names that a file of code imports; none where it cannot be read."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a bad escape in the user's text is said when it is imported
            tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.append(node.module)
    return names
