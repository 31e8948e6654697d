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
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from packaging.requirements import Requirement

    from mlops_cli.config.workspace import Workspace

PURPOSES = {
    "auto": "transforms=auto",
    "imbalanced": "transforms=smote",
    "excel": "data=excel",
    "pandera": "data.expect by _target_",
    "optuna": "sweep.sampler=tpe, cmaes, qmc",
    "gp": "sweep.sampler=gp",
    "dask": "launcher=dask",
    "ray": "launcher=ray",
    "sql": "data=sql",
    "postgres": "data=sql with postgresql://",
    "duckdb": "data=duckdb",
    "s3": "data.path=s3://…",
    "gcs": "data.path=gs://…",
    "azure": "data.path=az://…",
    "mlflow": "tracker=mlflow, mlops runs export --to mlflow",
    "comet": "tracker=comet",
    "wandb": "tracker=wandb",
    "tensorboard": "tracker=tensorboard",
    "xgboost": "model=xgboost",
    "lightgbm": "model=lightgbm",
    "catboost": "model=catboost",
    "boosters": "model=xgboost, lightgbm, catboost",
    "polars": "polars frames as data",
    "networks": "model=network, cnn",
    "reinforcement": "task: reinforcement",
    "onnx": "mlops models export -o MODEL.onnx",
    "ui": "mlops ui",
    "serve": "mlops serve",
}
"""Extra → what asks for it; which extras there are, and of which packages, the installed metadata says."""

_DEVELOPING = frozenset({"test", "browser", "dev"})
_NAME = "mlops-cli"
MIN_PYTHON = (3, 11)


def examine(start: Path | None = None) -> list[Finding]:
    """Return what is installed, what works and what is missing, in the order to mend it."""
    workspace = find_workspace(start)
    return [*_installation(), *_machine(), *_workspace(workspace)]


def _installation() -> Iterator[Finding]:
    found = ".".join(map(str, sys.version_info[:3]))
    fine = sys.version_info[:2] >= MIN_PYTHON
    yield Finding("python", "ok" if fine else "broken", found, "" if fine else "use Python 3.11, 3.12 or 3.13")
    yield from (_package(wanted) for wanted in _declared() if wanted.marker is None)
    for extra in metadata(_NAME).get_all("Provides-Extra") or []:
        if extra not in _DEVELOPING:
            yield _extra(extra)


def _package(wanted: Requirement) -> Finding:
    found, fault = _installed(wanted.name, [wanted])
    mend = f"pip install --upgrade {_NAME}"
    return Finding(wanted.name, "broken", fault, mend) if fault else Finding(wanted.name, "ok", found)


def _extra(extra: str) -> Finding:
    """Return whether all packages of an extra are there."""
    found: dict[str, str] = {}
    faults = []
    for name, ranges in _of_extra(extra).items():
        found[name], fault = _installed(name, ranges)
        faults += [f"{name} {fault}"] if fault else []
    if not faults:
        return Finding(f"extra {extra}", "ok", ", ".join(f"{name} {number}" for name, number in found.items()))
    purpose = f" for {PURPOSES[extra]}" if extra in PURPOSES else ""
    return Finding(f"extra {extra}", "missing", "; ".join(faults), f'pip install "{_NAME}[{extra}]"{purpose}')


def _of_extra(extra: str) -> dict[str, list[Requirement]]:
    """Return the packages that an extra brings, each with the ranges that are declared of it."""
    found: dict[str, list[Requirement]] = {}
    for wanted in _declared():
        marker = wanted.marker
        if marker is not None and marker.evaluate({"extra": extra}) and not marker.evaluate({"extra": ""}):
            found.setdefault(wanted.name, []).append(wanted)
    return found


def _installed(name: str, declared: Sequence[Requirement]) -> tuple[str, str]:
    """Return the version of a package that is installed, and what is wrong with it."""
    try:
        found = version(name)
    except PackageNotFoundError:
        return "", "not installed"
    if not all(wanted.specifier.contains(found, prereleases=True) for wanted in declared):
        return found, f"{found}, which is not in the range that mlops works with"
    return found, ""


def _declared() -> list[Requirement]:
    """Return what this package says that it needs."""
    from packaging.requirements import Requirement  # hydra-core brings it

    return [Requirement(text) for text in metadata(_NAME).get_all("Requires-Dist") or []]


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
    yield _writable(workspace, f"{workspace.root}, {len(names)} experiment{'' if len(names) == 1 else 's'}")
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
