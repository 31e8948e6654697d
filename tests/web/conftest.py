"""A workspace with runs, and the user interface over it."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_cli.records import Counts, Direction, RunRecord, RunStatus, Task
from mlops_cli.store.layout import WorkspacePaths
from mlops_cli.store.runs import RunSources, RunWriter

from .serving import finish, serving


@pytest.fixture
def server(workspace):
    """The user interface over an empty workspace."""
    with serving(workspace) as started:
        yield started


@pytest.fixture(scope="session")
def any_server(tmp_path_factory):
    """A user interface over an empty workspace, for tests that leave nothing behind."""
    folder = tmp_path_factory.mktemp("empty")
    (folder / "configs").mkdir()
    with serving(folder) as started:
        yield started


@pytest.fixture
def start_run(workspace):
    """Begin a run of a sweep over ``model.C``; the test appends trials, and finishes or leaves it."""
    writers = []

    def begin(experiment="iris", *, planned=4, started="2026-03-01T12:00:00+01:00", **more) -> RunWriter:
        draft = RunRecord(
            id="",
            path=Path(),
            experiment=experiment,
            status=RunStatus.RUNNING,
            started=started,
            task=Task.CLASSIFICATION,
            primary="accuracy",
            direction=Direction.MAXIMIZE,
            counts=Counts(planned),
            **more,
        )
        writers.append(RunWriter.create(WorkspacePaths(workspace), draft, RunSources("name: iris\n", ["model.C=1"])))
        return writers[-1]

    yield begin
    for writer in writers:
        writer.close()


@pytest.fixture
def finished(start_run):
    """A completed run."""

    def make(score=0.9, experiment="iris", started="2026-03-01T12:00:00+01:00", **more) -> RunRecord:
        return finish(start_run(experiment, started=started), score, **more)

    return make
