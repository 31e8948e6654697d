"""``mlops doctor``: look at the installation and the workspace, and say what mends what is wrong."""

from __future__ import annotations

import os
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, metadata, version
from typing import TYPE_CHECKING

from mlops_cli.config.workspace import find_workspace
from mlops_cli.errors import MlopsError
from mlops_cli.records import Finding
from mlops_cli.store.provenance import cpu_count, source_state

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mlops_cli.config.workspace import Workspace

CORE = ("typer", "rich", "hydra-core", "omegaconf", "pandas", "pyarrow", "scikit-learn", "joblib", "skops")
EXTRAS = {
    "skrub": ("auto", "transforms=auto"),
    "imbalanced-learn": ("imbalanced", "transforms=smote"),
    "openpyxl": ("excel", "data=excel"),
    "sqlalchemy": ("sql", "data=sql"),
    "psycopg": ("postgres", "data=sql with postgresql://"),
    "duckdb": ("duckdb", "data=duckdb"),
    "s3fs": ("s3", "data.path=s3://…"),
}
MIN_PYTHON = (3, 11)


def examine(start: Path | None = None) -> list[Finding]:
    """Return what is installed, what works and what is missing, in the order to mend it."""
    workspace = find_workspace(start)
    return [*_installation(), *_machine(), *_workspace(workspace)]


def _installation() -> Iterator[Finding]:
    found = ".".join(map(str, sys.version_info[:3]))
    fine = sys.version_info[:2] >= MIN_PYTHON
    yield Finding("python", "ok" if fine else "broken", found, "" if fine else "use Python 3.11, 3.12 or 3.13")
    for name in CORE:
        yield _package(name, "pip install --upgrade mlops-cli", optional=False)
    for name, (extra, purpose) in EXTRAS.items():
        yield _package(name, f'pip install "mlops-cli[{extra}]" for {purpose}', optional=True)


def _package(name: str, mend: str, *, optional: bool) -> Finding:
    try:
        found = version(name)
    except PackageNotFoundError:
        return Finding(name, "missing" if optional else "broken", "not installed", mend)
    if not optional and not _allowed(name, found):
        return Finding(name, "broken", f"{found}, which is not in the range that mlops works with", mend)
    return Finding(name, "ok", found)


def _allowed(name: str, found: str) -> bool:
    """Whether an installed version is in the range that this package declares."""
    from packaging.requirements import Requirement  # hydra-core brings it

    declared = [Requirement(text) for text in metadata("mlops-cli").get_all("Requires-Dist") or []]
    return all(r.specifier.contains(found, prereleases=True) for r in declared if r.name == name and r.marker is None)


def _machine() -> Iterator[Finding]:
    yield Finding("cores", "ok", str(cpu_count()))
    yield _workers()
    where = tempfile.gettempdir()
    try:
        with tempfile.TemporaryFile():
            yield Finding("temporary folder", "ok", where)
    except OSError as error:
        yield Finding(
            "temporary folder", "broken", f"{where}: {error.strerror}", "set TMPDIR to a folder you may write"
        )


def _workers() -> Finding:
    """Start a worker process and hear from it: what stops sweeps is often a sandbox that forbids this."""
    from joblib import Parallel, delayed

    try:
        Parallel(n_jobs=2)(delayed(abs)(n) for n in (-1, -2))
    except Exception as error:  # noqa: BLE001 - whatever the platform raises
        return Finding(
            "worker processes", "broken", f"{type(error).__name__}: {error}", "launcher=threading needs none"
        )
    return Finding("worker processes", "ok", "started and answered")


def _workspace(workspace: Workspace) -> Iterator[Finding]:
    from mlops_cli.config.catalogue import experiments

    names = experiments(workspace)
    if not names:
        yield Finding("workspace", "missing", f"no experiment in {workspace.root}", "mlops init")
        return
    yield _writable(workspace, f"{workspace.root}, {len(names)} experiments")
    for name in names:
        yield _experiment(name, workspace)
    commit = source_state(workspace.root).git.commit
    mend = "" if commit else "git init and commit, so that runs know their code"
    yield Finding("git", "ok" if commit else "missing", commit[:12] if commit else "no commit here", mend)


def _writable(workspace: Workspace, found: str) -> Finding:
    """Tell whether runs can be kept where they belong."""
    runs = workspace.root / "runs"
    place = runs if runs.is_dir() else workspace.root
    if os.access(place, os.W_OK | os.X_OK):
        return Finding("workspace", "ok", found)
    return Finding(
        "workspace", "broken", f"{found}; {place} cannot be written", f"chmod u+w {place}, or work elsewhere"
    )


def _experiment(name: str, workspace: Workspace) -> Finding:
    from mlops_cli.config import load_experiment

    try:
        load_experiment(name, [], workspace)
    except MlopsError as error:
        return Finding(f"config={name}", "broken", str(error).removesuffix(f" ({error.hint})"), error.hint or "")
    return Finding(f"config={name}", "ok", "composes")
