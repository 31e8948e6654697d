"""Everything before the first fit: config, data, plan, splits, checks; ``run`` and ``--dry-run`` share it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from mlops_cli.components.assemble import Assembly, require_encoded
from mlops_cli.components.build import takes_sample_weight
from mlops_cli.components.layout import untouched
from mlops_cli.config import load_experiment
from mlops_cli.config.workspace import find_workspace
from mlops_cli.errors import ConfigError
from mlops_cli.execution.job import Candidate, Job, Scoring, make_importable
from mlops_cli.execution.pool import workers
from mlops_cli.planning.plan import Candidate as Point
from mlops_cli.planning.plan import make_plan
from mlops_cli.planning.space import points
from mlops_cli.records import Kind, Notice, Stage
from mlops_cli.store.provenance import code_hashes
from mlops_cli.workflows.basis import basis_of, scoring_of, with_code
from mlops_cli.workflows.load import Loaded, load
from mlops_cli.workflows.splits import data_notices, split_key, splits_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

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
    candidates: tuple[Candidate, ...]
    notices: tuple[Notice, ...]

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
        return min(workers(self.spec.launcher), sum(len(self.job.splits[c.splits]) for c in self.candidates))

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
    make_importable(str(workspace.root))
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
    found = _points(spec, composition)
    scoring, scoring_notices = scoring_of(spec, loaded, found, workspace.trust)
    code = code_hashes(workspace.trust, workspace.root)
    plan = make_plan(spec, found, with_code(basis_of(spec, loaded, found, scoring, workspace), code))
    _name_trials_problem(plan, loaded, workspace, scoring)
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
    candidates, layout_notices = _lay_out(plan, job)
    aloud = [*composition.notices, *loaded.train.notices, *data_notices(loaded, plan, splits)]
    said = [*aloud, *scoring_notices, *layout_notices]
    return Prepared(workspace, composition, spec, loaded, plan, job, candidates, _distinct(said))


# --- the plan ----------------------------------------------------------------------------------------------------


def _points(spec: ExperimentSpec, composition: Composition) -> list[Point]:
    """Return the points of the sweep, each composed."""
    return [
        Point(params, composition.point(params), composition.point_config(params))
        for params in points(spec.sweep, spec.trial.seed)
    ]


def _name_trials_problem(plan: Plan, loaded: Loaded, workspace: Workspace, scoring: Scoring) -> None:
    """Refuse a plan of which no trial could be fitted; one with some that can runs, and the others fail by name."""
    problems = {}
    for trial in plan.trials:
        assembly = Assembly(trial.spec, loaded.task, loaded.train.features, workspace.trust, scoring.positive)
        problem = assembly.problems()
        if problem is None:
            return
        problems[problem] = trial
    raise ConfigError(next(iter(problems)), key="model" if len(problems) == 1 else None)


def _lay_out(plan: Plan, job: Job) -> tuple[tuple[Candidate, ...], list[Notice]]:
    candidates, notices = [], []
    for trial in plan.trials:
        assembly = job.assembly(trial)
        _require_two_classes(trial, job)
        notices.extend(_ignored_weights(assembly, job))
        layout = assembly.layout
        kinds = [c for c in job.columns if c.name in untouched(layout.root)]
        require_encoded(assembly, [c for c in kinds if c.kind in {Kind.CATEGORICAL, Kind.TEXT, Kind.DATETIME}])
        candidates.append(Candidate(trial, layout.root, split_key(trial)))
        notices.extend(layout.notices)
    return tuple(candidates), notices


def _require_two_classes(trial: Trial, job: Job) -> None:
    classes = job.scoring.classes
    if trial.spec.threshold is not None and classes is not None and len(classes) != 2:
        raise ConfigError(f"a threshold parts two classes; the target has {len(classes)}", key="threshold", hint="null")


def _ignored_weights(assembly: Assembly, job: Job) -> list[Notice]:
    model = assembly.model()
    if job.weights is None or takes_sample_weight(model):
        return []
    text = f"{type(model).__name__} takes no weights in fit: data.weight counts in its scores alone"
    return [Notice("weights-ignored", text)]


def _distinct(notices: Sequence[Notice]) -> tuple[Notice, ...]:
    return tuple(dict.fromkeys(notices))
