"""The trials of a plan as workers take them; which of them cannot work is known here, before the first fit."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlops_cli.components.assemble import unsuitable
from mlops_cli.components.build import takes_sample_weight
from mlops_cli.errors import ConfigError
from mlops_cli.execution.job import Candidate
from mlops_cli.records import ErrorInfo, Notice, TrialResult, TrialState
from mlops_cli.workflows.splits import split_key

if TYPE_CHECKING:
    from mlops_cli.components.assemble import Assembly
    from mlops_cli.execution.job import Job
    from mlops_cli.records import Plan, Trial

UNSUITABLE = "Unsuitable"


@dataclass(frozen=True)
class Candidates:
    """What is run, what is not worth running, and what to say about it."""

    ready: tuple[Candidate, ...]
    unfit: tuple[TrialResult, ...] = ()  # failed already, with the reason
    notices: tuple[Notice, ...] = ()


def lay_out_trials(plan: Plan, job: Job) -> Candidates:
    """Lay the steps of every trial over the columns, and set aside the trials that cannot work.

    Raises
    ------
    ConfigError
        No trial can work, or a step or threshold does not fit the data.
    """
    ready, unfit, notices, problems = [], [], [], []
    for trial in plan.trials:
        assembly = job.assembly(trial)
        _require_two_classes(trial, job)
        problem = unsuitable(assembly)
        if problem is not None:
            problems.append(problem)
            unfit.append(_failed(trial, problem))
            continue
        notices.extend([*_ignored_weights(assembly, job), *assembly.layout.notices])
        ready.append(Candidate(trial, assembly.layout.root, split_key(trial)))
    if not ready:
        raise problems[0]
    _require_one_valid(ready, job)
    return Candidates(tuple(ready), tuple(unfit), tuple(notices))


def _failed(trial: Trial, problem: ConfigError) -> TrialResult:
    error = ErrorInfo(UNSUITABLE, f"{problem.message} ({problem.hint})")
    return TrialResult(trial.number, TrialState.FAILED, dict(trial.params), fingerprint=trial.fingerprint, error=error)


def _require_one_valid(ready: list[Candidate], job: Job) -> None:
    """Refuse a plan whose every trial has a value that scikit-learn refuses; where some are well, the others fail."""
    first = None
    for candidate in ready:
        problem = job.assembly(candidate.trial).problems()
        if problem is None:
            return
        first = first or problem
    text = str(first)
    named = re.match(r"The '(\w+)' parameter of", text)
    own = named is not None and named[1] in ready[0].trial.spec.model.params
    raise ConfigError(text, key=f"model.{named[1]}" if named is not None and own else "model")


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
