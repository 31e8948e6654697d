"""Everything before the first fit: config, data, plan, splits, checks; ``run`` and ``--dry-run`` share it."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from mlops_cli.config import load_experiment
from mlops_cli.config.workspace import find_workspace
from mlops_cli.errors import ConfigError
from mlops_cli.execution.job import Job, make_importable
from mlops_cli.execution.pool import workers
from mlops_cli.planning.plan import Candidate as Point
from mlops_cli.planning.plan import make_plan
from mlops_cli.planning.space import points
from mlops_cli.records import Notice, Stage, Task
from mlops_cli.store.provenance import code_hashes
from mlops_cli.workflows.basis import basis_of, distributions, own_modules, scoring_of, with_code
from mlops_cli.workflows.candidates import Candidates, lay_out_trials
from mlops_cli.workflows.load import Loaded, load
from mlops_cli.workflows.splits import data_notices, splits_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from mlops_cli.components.assemble import Assembly
    from mlops_cli.config import Composition
    from mlops_cli.config.workspace import Workspace
    from mlops_cli.contracts import Observer
    from mlops_cli.records import Dataset, ExperimentSpec, Plan, Trial


@dataclass(frozen=True)
class RunOptions:
    """What is asked of one run besides its config."""

    n_jobs: int | None = None
    tags: Mapping[str, str] | None = None
    note: str = ""
    force: bool = False
    workspace: Path | None = None


@dataclass(frozen=True)
class Prepared:
    """A run that is ready to start; nothing is written yet."""

    workspace: Workspace
    composition: Composition
    spec: ExperimentSpec
    loaded: Loaded
    plan: Plan
    job: Job
    candidates: Candidates
    notices: tuple[Notice, ...]
    packages: frozenset[str] = frozenset()  # the distributions that the components come from

    @property
    def dataset(self) -> Dataset:
        """The rows that trials see."""
        return self.loaded.train

    @property
    def splits(self) -> int:
        """How many splits a trial has; the most that any has where they differ."""
        return max(len(s) for s in self.job.splits.values())

    @cached_property
    def workers(self) -> int:
        """How many tasks run at a time."""
        return min(workers(self.spec.launcher), sum(len(self.job.splits[c.splits]) for c in self.candidates.ready))

    def assembly(self, trial: Trial) -> Assembly:
        """Return what makes the parts of a trial."""
        return self.job.assembly(trial)


def prepare(name: str, overrides: Sequence[str], options: RunOptions, observer: Observer) -> Prepared:
    """Resolve, read, check and plan.

    Raises
    ------
    ConfigError
        The config is wrong; the message names the file and the key.
    DataError
        The data is unusable.
    """
    observer(Stage("config"))
    workspace = find_workspace(options.workspace)
    make_importable(str(workspace.root), workspace.trust)
    composition = load_experiment(name, overrides, workspace)
    spec = _with_options(composition.spec, options)
    try:
        return _prepare(spec, composition, workspace, observer)
    except ConfigError as error:
        if error.key is not None and error.file is None:
            error.file = composition.where(error.key)
        raise


def _with_options(spec: ExperimentSpec, options: RunOptions) -> ExperimentSpec:
    launcher = spec.launcher if options.n_jobs is None else replace(spec.launcher, n_jobs=options.n_jobs)
    if launcher.n_jobs == 0:
        raise ConfigError("0 workers do nothing", key="launcher.n_jobs", hint="-1 is one per core")
    return replace(spec, launcher=launcher, tags={**spec.tags, **(options.tags or {})})


def _prepare(spec: ExperimentSpec, composition: Composition, workspace: Workspace, observer: Observer) -> Prepared:
    observer(Stage("data"))
    loaded = load(spec, workspace)
    observer(Stage("plan"))
    with _explained(spec, loaded):
        return _planned(spec, composition, workspace, loaded)


@contextmanager
def _explained(spec: ExperimentSpec, loaded: Loaded) -> Iterator[None]:
    """Say of an error where the task came from, when it was nobody who asked for clusters."""
    try:
        yield
    except ConfigError as error:
        if loaded.task is Task.CLUSTERING and spec.task is None:
            error.hint = "data.target names no column, so the task is clustering: set data.target, or task=clustering"
        raise


def _planned(spec: ExperimentSpec, composition: Composition, workspace: Workspace, loaded: Loaded) -> Prepared:
    found = _points(spec, composition)
    scoring, scoring_notices = scoring_of(spec, loaded, found, workspace.trust)
    code = code_hashes(own_modules(found, spec, workspace.trust), workspace.root)
    plan = make_plan(spec, found, with_code(basis_of(spec, loaded, found, scoring, workspace), code))
    splits = splits_of(plan, loaded, workspace)
    dataset = loaded.train
    job = Job(
        X=dataset.X,
        y=dataset.y,
        weights=dataset.weights,
        columns=dataset.features,
        splits=splits,
        task=loaded.task,
        scoring=scoring,
        trust=workspace.trust,
        root=str(workspace.root),
    )
    candidates = lay_out_trials(plan, job)
    aloud = [*composition.notices, *loaded.train.notices, *data_notices(loaded, plan, splits)]
    said = [*aloud, *scoring_notices, *candidates.notices]
    packages = frozenset(distributions([spec.config, *(p.config for p in found)]))
    return Prepared(workspace, composition, spec, loaded, plan, job, candidates, _distinct(said), packages)


# --- the plan ----------------------------------------------------------------------------------------------------


def _points(spec: ExperimentSpec, composition: Composition) -> list[Point]:
    """Return the points of the sweep, each composed."""
    return [
        Point(params, composition.point(params), composition.point_config(params))
        for params in points(spec.sweep, spec.trial.seed)
    ]


def _distinct(notices: Sequence[Notice]) -> tuple[Notice, ...]:
    return tuple(dict.fromkeys(notices))
