"""Everything before the first fit: config, data, plan, splits, checks; ``run`` and ``--dry-run`` share it."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from mlops_cli.components.launchers import workers
from mlops_cli.components.samplers import make_sampler
from mlops_cli.config import load_experiment
from mlops_cli.config.workspace import find_workspace
from mlops_cli.errors import ConfigError
from mlops_cli.execution.job import Job, Scoring, make_importable
from mlops_cli.planning.constraint import Constraint
from mlops_cli.planning.corners import corners
from mlops_cli.planning.plan import make_plan
from mlops_cli.records import Notice, Stage, Task
from mlops_cli.store.provenance import code_hashes, versions
from mlops_cli.workflows.data.load import Loaded, load
from mlops_cli.workflows.data.versions import with_version
from mlops_cli.workflows.renewing.beginning import pinned_start, seen_by_start
from mlops_cli.workflows.renewing.going_on import start_of
from mlops_cli.workflows.running.basis import basis_of, distributions, own_modules, scoring_of, with_code
from mlops_cli.workflows.running.feed import Feed, preview
from mlops_cli.workflows.running.repeated import RepeatedMaker, acting, repeated_basis, repetitions
from mlops_cli.workflows.running.splits import data_notices, different_splits, idle_pruner, refuse_undefined
from mlops_cli.workflows.running.trials import Maker, point_at
from mlops_cli.workflows.running.warm_start import Earlier, earlier_points

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    from mlops_cli.components.assemble import Assembly
    from mlops_cli.config import Composition
    from mlops_cli.config.workspace import Workspace
    from mlops_cli.contracts import Observer, Sampler
    from mlops_cli.planning.plan import Basis, Point
    from mlops_cli.records import Dataset, DatasetVersion, ExperimentSpec, Plan, Trial
    from mlops_cli.store.known import Known


@dataclass(frozen=True)
class RunOptions:
    """What is asked of one run besides its config."""

    n_jobs: int | None = None
    tags: Mapping[str, str] | None = None
    note: str = ""
    force: bool = False
    retry_failed: bool = False
    workspace: str | Path | None = None


@dataclass(frozen=True)
class Composed:
    """An experiment whose config is resolved; its data is not read yet."""

    workspace: Workspace
    composition: Composition
    spec: ExperimentSpec

    @property
    def uses_own_code(self) -> bool:
        """Whether trials run code of the user's own, which may do anything to its process."""
        return not self.spec.has_table or bool(own_modules([], self.spec, self.workspace.trust))

    @property
    def is_far(self) -> bool:
        """Whether trials run on other machines than this."""
        return self.spec.launcher.address is not None or self.spec.launcher.cluster is not None


@dataclass(frozen=True)
class Prepared:
    """A run that is ready to start; nothing is written yet."""

    composed: Composed
    loaded: Loaded
    plan: Plan
    maker: Maker
    earlier: Earlier
    notices: tuple[Notice, ...]
    packages: frozenset[str] = frozenset()  # the distributions that the components come from

    @property
    def workspace(self) -> Workspace:
        """Where it is."""
        return self.composed.workspace

    @property
    def composition(self) -> Composition:
        """The config."""
        return self.composed.composition

    @property
    def spec(self) -> ExperimentSpec:
        """What is asked."""
        return self.composed.spec

    @property
    def config(self) -> Mapping[str, Any]:
        """The config as it is saved: a run or version of data that is ``latest`` now is another one later."""
        config = self.spec.config
        if self.earlier.run is None:
            return config
        return {**config, "sweep": {**config["sweep"], "warm_start": self.earlier.run}}

    @property
    def job(self) -> Job:
        """What all trials share."""
        return self.maker.job

    @property
    def dataset(self) -> Dataset:
        """The rows that trials see."""
        return self.loaded.train

    @cached_property
    def workers(self) -> int:
        """How many tasks run at a time."""
        found = workers(self.spec.launcher)
        return found if self.plan.total is None else min(found, max(1, self.plan.total * self.plan.splits))

    @property
    def data(self) -> DatasetVersion | None:
        """The version of the rows that trials see; None of a task without a table."""
        return self.dataset.version if self.spec.has_table else None

    def assembly(self, trial: Trial) -> Assembly:
        """Return what makes the parts of a trial."""
        return self.job.assembly(trial)

    def sampler(self) -> Sampler:
        """Return what gives the points, from the first one on."""
        return _sampler(self.composed, self.plan, self.earlier)

    def feed(self, known: Known) -> Feed:
        """Return the trials, as they are asked for."""
        return Feed(self.maker, self.sampler(), self.plan.ranked_by, known)

    def first_points(self, most: int) -> list[tuple[Mapping[str, Any], str]]:
        """Return the first points with their fingerprints, as far as they depend on no result."""
        ahead = self.spec.sweep.window if self.spec.sweep.sampler.learns else most
        return preview(self.maker, self.sampler(), min(most, ahead))

    def trial(self, number: int, params: Mapping[str, Any]) -> Trial:
        """Return the trial at a point."""
        return self.maker.trial(number, point_at(self.composition, params))


def compose(name: str, overrides: Sequence[str], options: RunOptions, observer: Observer) -> Composed:
    """Resolve an experiment's config.

    Raises
    ------
    ConfigError
        The config is wrong; the message names the file and the key.
    """
    observer(Stage("config"))
    workspace = find_workspace(options.workspace)
    make_importable(str(workspace.root), workspace.trust)
    composition = load_experiment(name, overrides, workspace)
    if pinned := pinned_start(composition.spec, workspace):
        composition = load_experiment(name, [*overrides, pinned], workspace)
    return Composed(workspace, composition, _with_options(composition.spec, options))


def _with_options(spec: ExperimentSpec, options: RunOptions) -> ExperimentSpec:
    launcher = spec.launcher if options.n_jobs is None else replace(spec.launcher, n_jobs=options.n_jobs)
    if launcher.n_jobs == 0:
        raise ConfigError("0 workers do nothing", key="launcher.n_jobs", hint="-1 is one per core")
    return replace(spec, launcher=launcher, tags={**spec.tags, **(options.tags or {})})


def prepare(composed: Composed, observer: Observer, *, is_run: bool = True) -> Prepared:
    """Read, check and plan.

    Parameters
    ----------
    composed : Composed
        The experiment.
    observer : Observer
        Told how far it is.
    is_run : bool
        It is to be run: else it does not matter that this machine lacks a device that its fits need.

    Raises
    ------
    ConfigError
        The config does not fit the data; the message names the file and the key.
    DataError
        The data is unusable.
    """
    try:
        if composed.spec.has_table:
            observer(Stage("data"))
        composed = replace(composed, spec=with_version(composed.spec, composed.workspace))
        loaded = _loaded(composed)
        observer(Stage("plan"))
        with _explained(composed.spec, loaded):
            return _planned(composed, loaded, is_here=is_run and not composed.is_far)
    except ConfigError as error:
        if error.key is not None and error.file is None:
            error.file = composed.composition.where(error.key)
        raise


def _loaded(composed: Composed) -> Loaded:
    spec = composed.spec
    if spec.task is not None and not spec.has_table:
        return repetitions(spec, spec.task)
    return load(spec, composed.workspace)


@contextmanager
def _explained(spec: ExperimentSpec, loaded: Loaded) -> Iterator[None]:
    """Say of an error where the task came from, when it was nobody who asked for clusters."""
    try:
        yield
    except ConfigError as error:
        if loaded.task is Task.CLUSTERING and spec.task is None:
            error.hint = "data.target names no column, so the task is clustering: set data.target, or task=clustering"
        raise


def _planned(composed: Composed, loaded: Loaded, *, is_here: bool) -> Prepared:
    workspace, composition, spec = composed.workspace, composed.composition, composed.spec
    found = _corners(spec, composition)
    scoring, scoring_notices = _scoring(composed, loaded, found)
    code = code_hashes(own_modules(found, spec, workspace.trust), workspace.root)
    basis = with_code(_basis(composed, loaded, found, scoring), code)
    job = _job(composed, loaded, scoring, code)
    maker = (Maker if spec.has_table else RepeatedMaker)(composition, workspace, loaded, job, basis)
    looked_at = maker.check(found, is_here=is_here)
    earlier = earlier_points(spec.sweep, workspace)
    splits = max(map(len, maker.made_splits.values()))
    plan = make_plan(spec, basis, found[0], splits=splits, sweep=_sweep_facts(spec, earlier))
    plan = replace(plan, total=_total(composed, plan, earlier))
    about_data = [*_about_data(plan, maker, scoring), *different_splits(spec.sweep, has_table=spec.has_table)]
    about_data += idle_pruner(spec.sweep.pruner, splits, has_table=spec.has_table)
    aloud = [*composition.notices, *loaded.train.notices, *about_data]
    aloud += seen_by_start(spec.trial.model, loaded.train, workspace)
    said = [*aloud, *scoring_notices, *looked_at, *earlier.notices]
    said = [notice for notice in said if notice.code not in spec.data.accept]
    packages = frozenset({*distributions([spec.config, *(p.config for p in found)]), *_drawing(spec), *acting(spec)})
    return Prepared(composed, loaded, plan, maker, earlier, tuple(dict.fromkeys(said)), packages)


def _scoring(composed: Composed, loaded: Loaded, found: Sequence[Point]) -> tuple[Scoring, list[Notice]]:
    if not composed.spec.has_table:
        return Scoring(composed.spec.evaluation.metrics), []
    return scoring_of(composed.spec, loaded, found, composed.workspace.trust)


def _basis(composed: Composed, loaded: Loaded, found: Sequence[Point], scoring: Scoring) -> Basis:
    if not composed.spec.has_table:
        return repeated_basis(composed.spec, loaded, found, composed.workspace)
    return basis_of(composed.spec, loaded, found, scoring, composed.workspace)


def _about_data(plan: Plan, maker: Maker, scoring: Scoring) -> list[Notice]:
    """Refuse metrics that have no value on the splits, and return what is worth saying of the data."""
    if not plan.task.has_table:
        return []
    own = {m.name for m in scoring.metrics if m.component is not None}
    refuse_undefined(plan, own, maker.loaded, maker.made_splits)
    return data_notices(maker.loaded, plan, maker.made_splits)


def _job(composed: Composed, loaded: Loaded, scoring: Scoring, code: Collection[str]) -> Job:
    dataset, root = loaded.train, composed.workspace.root
    return Job(
        X=dataset.X,
        y=dataset.y,
        weights=dataset.weights,
        columns=dataset.features,
        task=loaded.task,
        scoring=scoring,
        trust=composed.workspace.trust,
        root=str(root),
        code={name: (root / name).read_bytes() for name in code} if composed.is_far else {},
        in_time=dataset.times is not None,
        groups=dataset.groups,
        start=start_of(composed.spec.trial.model, composed.workspace),
    )


# --- the sweep ---------------------------------------------------------------------------------------------------


def _corners(spec: ExperimentSpec, composition: Composition) -> list[Point]:
    """Return a few points that stand for all, those that the constraint allows where it allows any."""
    found = corners(spec.sweep)
    feasible = _feasible(spec, composition)
    allowed = [params for params in found if feasible is None or feasible(params)]
    return [point_at(composition, params) for params in allowed or found[:1]]


def _feasible(spec: ExperimentSpec, composition: Composition) -> Callable[[Mapping[str, Any]], bool] | None:
    """Return whether the constraint allows a point; None without one."""
    if spec.sweep.constraint is None:
        return None
    constraint = Constraint.parse(spec.sweep.constraint)

    def holds(params: Mapping[str, Any]) -> bool:
        return constraint.holds(lambda key: params[key] if key in params else composition.value(params, key))

    return holds


def _sampler(composed: Composed, plan: Plan, earlier: Earlier) -> Sampler:
    spec = composed.spec
    return make_sampler(
        spec.sweep,
        directions=[plan.direction_of(name) for name in plan.ranked_by],
        seed=spec.trial.seed,
        feasible=_feasible(spec, composed.composition),
        earlier=earlier.values(plan.ranked_by),
        trust=composed.workspace.trust,
    )


def _total(composed: Composed, plan: Plan, earlier: Earlier) -> int | None:
    """Return how many trials there will be, at most; None where only trying tells.

    Raises
    ------
    ConfigError
        There is none.
    """
    sampler = _sampler(composed, plan, earlier)
    if composed.spec.sweep.constraint is not None:
        sampler.ask()  # it raises where nothing is allowed: that is to be known before a directory is made
    return sampler.size if sampler.size is not None else composed.spec.sweep.trials


def _sweep_facts(spec: ExperimentSpec, earlier: Earlier) -> Mapping[str, Any]:
    """Return what determines which points are tried, and how far."""
    if not spec.sweep.is_sweep:
        return {}
    sweep = spec.config.get("sweep")
    said = {key: value for key, value in sweep.items() if key != "warm_start"} if isinstance(sweep, dict) else {}
    own = {key: spec.config[key] for key in ("model", "transforms") if key in spec.config}
    return {"sweep": said, "earlier": earlier.digest, "base": own, "versions": versions(_drawing(spec))}


def _drawing(spec: ExperimentSpec) -> tuple[str, ...]:
    """Return the distributions that the points of a sweep depend on."""
    learns = spec.sweep.is_sweep and spec.sweep.sampler.name not in {"grid", "random"}
    return ("optuna", "cmaes", "torch") if learns else ()
