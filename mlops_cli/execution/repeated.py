"""One repetition of a trial that reads no table: what a worker computes. Returns values and text; writes no record."""

from __future__ import annotations

import math
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_cli.components.work import work_of
from mlops_cli.contracts import Trying
from mlops_cli.records import Curve, ErrorInfo, SplitScore

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mlops_cli.execution.fitting import SplitTask

REPETITION = "repetition"
"""The one column of what stands for a table: a row for each repetition, counted from 0."""


def score_repetition(task: SplitTask) -> SplitScore:
    """Do what a trial does once, with the seed of this repetition."""
    job, spec = task.job.get(), task.trial.spec.model
    work = work_of(spec, job.trust)
    logged = Logged("episode" if spec.target == "env" else "step")
    with _folders(task) as (folder, checkpoints):
        seed = task.trial.spec.seed + int(job.X[REPETITION].iloc[task.split])
        started = time.perf_counter()
        given = work(spec.params["config"], Trying(seed, task.split, folder, checkpoints, logged, Path(job.root)))
        spent = time.perf_counter() - started
    curve = logged.curve
    found = given if given is not None else _last(curve)
    scores, error = _measured(found, [metric.name for metric in job.scoring.metrics])
    return SplitScore(task.trial.number, task.split, scores, fit_s=spent, curve=curve, error=error)


@contextmanager
def _folders(task: SplitTask) -> Iterator[tuple[Path, Path]]:
    """Yield where a repetition writes what is kept, and how far it is; both are there."""
    with tempfile.TemporaryDirectory() as passing:  # on a machine that does not see the run's files nothing is kept
        folder = Path(task.work) if task.work is not None else Path(passing, "work")
        checkpoints = task.checkpoint or Path(passing, "checkpoints")
        for place in (folder, checkpoints):
            place.mkdir(parents=True, exist_ok=True)
        yield folder, checkpoints


@dataclass
class Logged:
    """Takes points of curves while a repetition goes on."""

    unit: str = "step"  # what a step is
    points: dict[int, dict[str, float]] = field(default_factory=dict)

    def __call__(self, step: int, *, unit: str | None = None, **values: float) -> None:
        """Note what was measured at a step, or at what ``unit`` says; noted again it counts as it was said last."""
        self.unit = unit or self.unit
        self.points.setdefault(int(step), {}).update({name: float(value) for name, value in values.items()})

    @property
    def curve(self) -> Curve | None:
        """What was noted, in the order of the steps."""
        if not self.points:
            return None
        steps = tuple(sorted(self.points))
        names = dict.fromkeys(name for step in steps for name in self.points[step])
        return Curve(self.unit, steps, {name: tuple(self.points[step].get(name) for step in steps) for name in names})


def _last(curve: Curve | None) -> Mapping[str, Any] | None:
    """Return the last value of each quantity that was logged: what a function that returns nothing comes to."""
    if curve is None:
        return None
    ends = {name: [v for v in values if v is not None] for name, values in curve.values.items()}
    return {name: values[-1] for name, values in ends.items() if values}


def _measured(found: Any, names: list[str]) -> tuple[dict[str, float], ErrorInfo | None]:
    """Return the measures that are asked for as numbers, or why there are none."""
    if not hasattr(found, "keys"):
        return {}, ErrorInfo("NoMeasures", f"it gave no measures by name, but {_shown(found)}")
    lacking = [name for name in names if name not in found]
    if lacking:
        given = ", ".join(map(str, found)) or "none"
        return {}, ErrorInfo("NoMeasures", f"it did not give {', '.join(lacking)}; it gave: {given}")
    scores = {name: _number(found[name]) for name in names}
    bad = [f"{name} is {_shown(found[name])}" for name, score in scores.items() if not math.isfinite(score)]
    return (scores, None) if not bad else ({}, ErrorInfo("NonFiniteScore", f"{', '.join(bad)}: no finite number"))


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan


def _shown(value: Any) -> str:
    return repr(value)[:80]
