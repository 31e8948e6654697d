"""A point of the space → a trial as workers take it, or why it cannot work, which is known before a fit."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mlops_cli.components.assemble import unsuitable
from mlops_cli.components.build import takes_sample_weight
from mlops_cli.components.layout import resampling
from mlops_cli.errors import ConfigError, DataError
from mlops_cli.execution.job import Candidate
from mlops_cli.planning.plan import Point
from mlops_cli.records import ErrorInfo, Notice, TrialResult, TrialState
from mlops_cli.workflows.running.splits import split_key, splits_for

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlops_cli.components.assemble import Assembly
    from mlops_cli.components.layout import Node
    from mlops_cli.config import Composition
    from mlops_cli.config.workspace import Workspace
    from mlops_cli.execution.job import Job, Split
    from mlops_cli.planning.plan import Basis
    from mlops_cli.records import Trial
    from mlops_cli.workflows.data.load import Loaded

UNSUITABLE = "Unsuitable"

REMEMBERED = 256
"""Trees of fits that are remembered; memory must not grow with the trials."""

REMEMBERED_SPLITS = 64
"""Likewise the splits, where each trial has others."""


def point_at(composition: Composition, params: Mapping[str, Any]) -> Point:
    """Return a point with what config composes of it."""
    return Point(params, *composition.at(params))


@dataclass(frozen=True)
class Maker:
    """Makes the trials of one run."""

    composition: Composition
    workspace: Workspace
    loaded: Loaded
    job: Job
    basis: Basis
    made_roots: dict[str, Node | ConfigError] = field(default_factory=dict)  # by what they depend on
    made_splits: dict[str, tuple[Split, ...]] = field(default_factory=dict)  # equal ones are made once

    def trial(self, number: int, point: Point) -> Trial:
        """Return the trial of a point."""
        return self.basis.trial(number, point)

    def candidate(self, trial: Trial) -> Candidate:
        """Return a trial as workers take it.

        Raises
        ------
        ConfigError, DataError
            It cannot work.
        """
        _require_two_classes(trial, self.job)
        root = self._root(trial)
        self.splits_of(trial)
        return Candidate(trial, root, split_key(trial))

    def _root(self, trial: Trial) -> Node:
        """Return a trial's tree of fits, or raise why its model cannot take what its steps give it.

        Neither depends on the numbers among the model's parameters, by which most sweeps differ.
        """
        model = trial.spec.model
        words = {name: value for name, value in model.params.items() if not isinstance(value, int | float)}
        around = (trial.spec.target_transform, trial.spec.calibration, isinstance(trial.spec.threshold, str))
        key = repr((model.target, words, trial.spec.transforms, around))
        if key not in self.made_roots:
            _forget_first(self.made_roots, REMEMBERED)
            assembly = self.job.assembly(trial)
            self.made_roots[key] = unsuitable(assembly) or _lost_weights(assembly, self.job) or assembly.layout.root
        found = self.made_roots[key]
        if isinstance(found, ConfigError):
            raise found
        return found

    def attempt(self, trial: Trial) -> Candidate | TrialResult:
        """Return a trial as workers take it, or as one that has failed already."""
        try:
            return self.candidate(trial)
        except (ConfigError, DataError) as problem:
            return _failed(trial, problem)

    def splits_of(self, trial: Trial) -> tuple[Split, ...]:
        """Return the splits of a trial."""
        key = split_key(trial)
        if key not in self.made_splits:
            _forget_first(self.made_splits, REMEMBERED_SPLITS)
            self.made_splits[key] = splits_for(trial, self.loaded, self.workspace)
        return self.made_splits[key]

    def count_splits(self, trial: Trial) -> int:
        """Return how many splits a trial has; none where its data cannot be split."""
        try:
            return len(self.splits_of(trial))
        except (ConfigError, DataError):
            return 0

    def splits(self, key: str) -> tuple[Split, ...]:
        """Return splits that were made before, by their key."""
        return self.made_splits[key]

    def check(self, points: Sequence[Point], *, is_here: bool = True) -> tuple[Notice, ...]:
        """Look at a few points before the first fit, and return what is worth saying of them.

        Parameters
        ----------
        points : sequence of Point
            Those that stand for all.
        is_here : bool
            Whether this machine must have what fits need.

        Raises
        ------
        ConfigError, DataError
            None of them can work.
        """
        ready, notices, problems = [], [], []
        for trial in [self.trial(number, point) for number, point in enumerate(points)]:
            _require_two_classes(trial, self.job)
            self.splits_of(trial)
            assembly = self.job.assembly(trial)
            problem = unsuitable(assembly) or _lost_weights(assembly, self.job)
            if problem is not None:
                problems.append(problem)
                continue
            notices.extend([*_ignored_weights(assembly, self.job), *assembly.layout.notices])
            ready.append(trial)
        if not ready:
            raise problems[0]
        _require_one_valid(ready, self.job, is_here=is_here)
        return tuple(notices)


def _forget_first(made: dict[str, Any], most: int) -> None:
    """Make room for one more."""
    while len(made) >= most:
        made.pop(next(iter(made)))


def _failed(trial: Trial, problem: ConfigError | DataError) -> TrialResult:
    text = f"{problem.message} ({problem.hint})" if problem.hint else problem.message
    error = ErrorInfo(UNSUITABLE, text)
    return TrialResult(trial.number, TrialState.FAILED, dict(trial.params), fingerprint=trial.fingerprint, error=error)


def _require_one_valid(ready: Sequence[Trial], job: Job, *, is_here: bool) -> None:
    """Refuse a plan of which every trial would fail by its parameters; where some are well, the others fail."""
    classes = None if job.scoring.classes is None else len(job.scoring.classes)
    first = None
    for trial in ready:
        problem = job.assembly(trial).problem(classes, is_here=is_here)
        if problem is None:
            return
        first = first or problem
    if first is not None:
        raise first


def _require_two_classes(trial: Trial, job: Job) -> None:
    classes = job.scoring.classes
    if trial.spec.threshold is not None and classes is not None and len(classes) != 2:
        raise ConfigError(f"a threshold parts two classes; the target has {len(classes)}", key="threshold", hint="null")


def _lost_weights(assembly: Assembly, job: Job) -> ConfigError | None:
    if job.weights is None:
        return None
    if assembly.fits_steps:
        message = "folds that fit the steps anew cannot hand data.weight on to the model"
        key = "threshold" if assembly.spec.calibration is None else "calibration"
        return ConfigError(message, key=key, hint="do without it, or without steps that read the target")
    steps = resampling(assembly.steps.root)
    if not steps:
        return None
    message = "a step that makes other training rows cannot tell their weights, and data.weight gives some"
    return ConfigError(message, key=f"transforms.{steps[0].name}", hint="do without one of the two")


def _ignored_weights(assembly: Assembly, job: Job) -> list[Notice]:
    model = assembly.model()
    if job.weights is None or takes_sample_weight(model):
        return []
    text = f"{type(model).__name__} takes no weights in fit: data.weight counts in its scores alone"
    return [Notice("weights-ignored", text)]
