"""A trained agent as its users meet it: of the best repetition of a run's best trial, in an environment of its kind."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mlops_cli.config.experiment import load_experiment
from mlops_cli.config.workspace import find_workspace, trusted_workspace
from mlops_cli.errors import StoreError, UsageError
from mlops_cli.execution.job import make_importable
from mlops_cli.records import Direction, Task
from mlops_cli.store.find import find_run
from mlops_cli.store.layout import RunPaths, WorkspacePaths
from mlops_cli.store.objects import digest_of
from mlops_cli.workflows.settings import told_in_python

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from mlops_cli.records import RunRecord
    from mlops_cli.workflows.library import Run


@dataclass(frozen=True)
class TrainedAgent:
    """An agent that has learned.

    Parameters
    ----------
    agent : Agent
        Itself, as `mlops_cli.contracts.Agent` has it.
    repetition : int
        Which one it is of, counted from 0: the one with the best score.
    record : RunRecord
        How it was trained.
    """

    agent: Any
    repetition: int
    record: RunRecord
    _env: Mapping[str, Any] = field(repr=False)
    _trust: Collection[str] = field(repr=False)

    def __repr__(self) -> str:
        scores = f", {self.record.primary}={self._score:.6g}" if self._score is not None else ""
        return f"<TrainedAgent {type(self.agent).__name__} of {self.record.id}, repetition {self.repetition}{scores}>"

    @property
    def _score(self) -> float | None:
        """What its repetition scored."""
        summary = None if self.record.primary is None else self.record.metrics.get(self.record.primary)
        return None if summary is None else summary.splits[self.repetition]

    def act(self, observation: Any, *, explore: bool = False) -> Any:
        """Return an action; the one that it holds to be best, unless it is to explore."""
        return self.agent.act(observation, explore=explore)

    def environment(self, **keys: Any) -> Any:
        """Return an environment such as it was trained in, with its wrappers; ``render_mode="human"`` shows it."""
        from mlops_cli.components.reinforcement import environment_of

        return environment_of({**self._env, **keys}, self._trust)


@told_in_python()
def load_agent(ref: str | Path | Run, *, workspace: str | Path | None = None) -> TrainedAgent:
    """Open the agent of a run: ``mlops.load_agent("frozen_lake:best").act(observation)``.

    Parameters
    ----------
    ref : str, Path or Run
        An id, ``frozen_lake:best``, ``latest``, a path.
    workspace : str or Path, optional
        The workspace; the current folder's where not given.

    Returns
    -------
    TrainedAgent
        With `act`, and `environment`, which makes one such as it was trained in.

    Raises
    ------
    StoreError
        There is no such run, it has no agent, or its files are not those that were recorded.
    """
    record = find_run(WorkspacePaths(find_workspace(workspace).root), str(getattr(ref, "path", ref)))
    if record.task is not Task.REINFORCEMENT:
        hint = f'mlops.load_model("{record.id}")' if record.task is None or record.task.has_table else None
        raise UsageError(f"{record.id} has no agent: task: {record.task}", hint=hint)
    number = _best_repetition(record)
    folder = RunPaths(record.path).artifacts / str(number)
    _check_files(record, folder)
    return _opened(record, number, folder)


def _opened(record: RunRecord, number: int, folder: Path) -> TrainedAgent:
    from mlops_cli.components.reinforcement import agent_of, environment_of

    workspace, paths = trusted_workspace(record.path), RunPaths(record.path)
    make_importable(str(workspace.root), workspace.trust)
    params = record.best.params if record.best is not None else {}
    config = load_experiment(str(paths.config), (), workspace).point(params).model.params["config"]
    made = environment_of(config["env"], workspace.trust)
    try:
        agent = agent_of(config["agent"], made, (record.seed or 0) + number, workspace.trust)
        agent.load(folder)
    finally:
        made.close()
    return TrainedAgent(agent, number, record, config["env"], workspace.trust)


def _best_repetition(record: RunRecord) -> int:
    """Return the repetition with the best score; of several that are alike the first."""
    summary = None if record.primary is None else record.metrics.get(record.primary)
    if summary is None:
        raise StoreError(f"{record.id} has no agent: no trial completed", hint="mlops runs show tells why")
    best = min(summary.splits) if record.direction is Direction.MINIMIZE else max(summary.splits)
    return summary.splits.index(best)


def _check_files(record: RunRecord, folder: Path) -> None:
    """Refuse files that are not those that were recorded."""
    inside = f"{folder.relative_to(record.path).as_posix()}/"
    recorded = {name: digest for name, digest in record.files.items() if name.startswith(inside)}
    if not recorded:
        raise StoreError(f"no agent is kept in {record.path}", hint="artifacts.keep=best keeps one")
    for name, digest in recorded.items():
        path = record.path / name
        if not path.is_file() or digest_of(path) != digest:
            hint = "restore it from a copy, or run the experiment again"
            raise StoreError(f"{path} is not the file that was recorded: its sha256 differs", hint=hint)
