from __future__ import annotations

import os
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import mlops_cli
from mlops_cli.records import (
    Counts,
    Direction,
    MetricSummary,
    RunRecord,
    RunStatus,
    TrialResult,
    TrialState,
)
from mlops_cli.store.layout import WorkspacePaths
from mlops_cli.store.runs import RunSources, RunWriter

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def workspace(tmp_path: Path) -> WorkspacePaths:
    return WorkspacePaths(tmp_path / "ws")


@pytest.fixture
def draft() -> Callable[..., RunRecord]:
    """What a workflow knows when a run begins."""

    def make(experiment: str = "iris", started: str = "2026-03-01T12:00:00+01:00", **more: object) -> RunRecord:
        return RunRecord(id="", path=Path(), experiment=experiment, status=RunStatus.RUNNING, started=started, **more)

    return make


@pytest.fixture
def start(workspace: WorkspacePaths, draft: Callable[..., RunRecord]) -> Callable[..., RunWriter]:
    """Begin a run; the caller finishes or leaves it."""
    writers: list[RunWriter] = []

    def begin(*args: object, **more: object) -> RunWriter:
        writers.append(RunWriter.create(workspace, draft(*args, **more), RunSources("name: iris\n", ["model.C=1"])))
        return writers[-1]

    yield begin
    for writer in writers:
        writer.close()


@pytest.fixture
def finished(start: Callable[..., RunWriter]) -> Callable[..., RunRecord]:
    """A completed run of one trial with the given mean accuracy."""
    from dataclasses import replace

    def make(accuracy: float = 0.9, direction: Direction = Direction.MAXIMIZE, **more: object) -> RunRecord:
        writer = start(primary="accuracy", direction=direction, **more)
        writer.append(TrialResult(0, TrialState.COMPLETED, {"model.C": 1.0}, {"accuracy": (accuracy,)}))
        metric = MetricSummary(accuracy, None, None, (accuracy,))
        return writer.finish(
            replace(writer.record, status=RunStatus.COMPLETED, metrics={"accuracy": metric}, counts=Counts(1, 1))
        )

    return make


@pytest.fixture
def read_only(tmp_path: Path) -> Callable[[Path], None]:
    """Make a folder read-only until the test ends; the test is skipped for whom permissions do not bind."""
    locked: list[Path] = []

    def lock(folder: Path) -> None:
        locked.append(folder)
        folder.chmod(0o500)
        if os.access(folder, os.W_OK):
            pytest.skip("the superuser may write anywhere")

    yield lock
    for folder in locked:
        folder.chmod(0o700)


@pytest.fixture
def python_env() -> dict[str, str]:
    """The environment in which a child process finds the package."""
    return {**os.environ, "PYTHONPATH": str(Path(mlops_cli.__file__).parents[1])}


@pytest.fixture
def run_with_model(start: Callable[..., RunWriter], workspace: WorkspacePaths) -> Callable[..., RunRecord]:
    """Make a completed run with a model's files; nobody opens them, so that any bytes will do."""
    from dataclasses import replace

    from mlops_cli.store.files import sha256, write_files

    def make(model: bytes = b"a model", code: dict[str, bytes] | None = None, **more: object) -> RunRecord:
        writer = start(primary="accuracy", **more)
        paths = writer.paths
        files = {paths.model.skops: model, paths.model.signature: b"{}\n", paths.model.card: b"# iris\n"}
        own = {workspace.root / name: data for name, data in (code or {}).items()}
        write_files({**files, **own, paths.profile: b'{"schema_version": 1}\n'})
        hashes = {f"model/{path.name}": sha256(data) for path, data in files.items()}
        return writer.finish(
            replace(
                writer.record,
                status=RunStatus.COMPLETED,
                metrics={"accuracy": MetricSummary(0.9, 0.01, (0.88, 0.92), (0.89, 0.91))},
                environment={"python": "3.11.7", "packages": {"numpy": version("numpy"), "no-such-thing": "1.0"}},
                files={**writer.record.files, **hashes},
                code={name: sha256(data) for name, data in (code or {}).items()},
            )
        )

    return make
