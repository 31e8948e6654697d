"""One trial on its way: its tasks, what its splits have given so far, and what it comes to. Decides nothing."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from mlops_cli.records import OF_REPETITIONS, OF_TABLE, REPEATED, ErrorInfo, SplitScore, TrialResult, TrialState

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlops_cli.contracts import Returned
    from mlops_cli.execution.job import Candidate, Split, Travelling
    from mlops_cli.execution.pruning import Bar, Step
    from mlops_cli.execution.sharing import Block, Keyed

LOST = frozenset({"WorkerLost", "TimeLimit", "MemoryLimit", "MemoryError"})
"""Types of errors that leave a trial lost: nothing is known of its parameters but that they did not work here."""


@dataclass(frozen=True)
class Finished:
    """A trial that has ended, with its predictions on the test rows of each split, where it completed."""

    result: TrialResult
    predictions: tuple[Mapping[str, Any], ...] = ()


@dataclass(eq=False)
class Task:
    """A task on its way: it waits for blocks, then it is with the launcher."""

    key: tuple[Any, ...]
    tree: Keyed
    split: int
    trial: Underway
    block: Block | None = None  # set where the task is to store one
    reads: list[Block] = field(default_factory=list)
    is_sent: bool = False  # to the launcher

    @property
    def place(self) -> tuple[int, int, int]:
        """Where it stands among those that are ready: by trial, what is shared first, by split."""
        return self.trial.number, int(self.block is None), self.split

    @property
    def is_ready(self) -> bool:
        """Whether all that it reads is there."""
        return all(block.done for block in self.reads)


@dataclass(eq=False)
class Underway:
    """A trial that has begun."""

    candidate: Candidate
    splits: Travelling[tuple[Split, ...]]
    steps: tuple[Step, ...]
    bar: Bar
    step: int = -1
    scores: dict[int, SplitScore] = field(default_factory=dict)
    open: set[int] = field(default_factory=set)  # splits that are waited for
    values: list[float] = field(default_factory=list)  # the primary metric at each step
    fit_s: float = 0.0
    score_s: float = 0.0

    @property
    def number(self) -> int:
        """The trial's number."""
        return self.candidate.trial.number

    @property
    def part(self) -> str:
        """What it has a score of: a split of a table's rows, or a repetition."""
        return (OF_REPETITIONS if self.candidate.trial.spec.model.target in REPEATED else OF_TABLE).part

    @property
    def failed(self) -> SplitScore | None:
        """The first split that failed, by its number: whatever the order in which they end."""
        return next((self.scores[s] for s in sorted(self.scores) if self.scores[s].error is not None), None)


def score_of(returned: Returned, task: Task) -> SplitScore:
    """Return what came of a task."""
    score = returned.value
    if not isinstance(score, SplitScore):
        lost = returned.lost or ErrorInfo("WorkerLost", "it returned nothing")
        score = SplitScore(task.trial.number, task.split, error=_with_output(lost, returned.output))
    return score


def _with_output(error: ErrorInfo, output: str) -> ErrorInfo:
    """Return why a worker was lost with the last that it wrote."""
    return replace(error, traceback="\n".join(filter(None, [error.traceback, output.strip()])))


def finished(trial: Underway, pruned: str | None) -> Finished:
    """Put the splits of a trial together: it failed if any of them did."""
    failed = trial.failed
    # What the splits after the first failed one had, if they were begun at all, is nobody's business.
    scores = [s for _, s in sorted(trial.scores.items()) if failed is None or s.split <= failed.split]
    made = trial.candidate.trial
    result = TrialResult(
        trial=made.number,
        state=_state(failed, pruned),
        params=made.params,
        scores=_by_metric(scores) if failed is None else {},
        fit_s=trial.fit_s,
        score_s=trial.score_s,
        fingerprint=made.fingerprint,
        error=_error(trial, failed, pruned),
        notices=tuple(dict.fromkeys(n for s in scores for n in s.notices)),
        steps=tuple(trial.values) if len(trial.steps) > 1 else (),
        curves={s.split: s.curve for s in scores if s.curve is not None},
    )
    complete = result.state is TrialState.COMPLETED
    return Finished(result, tuple(s.predictions or {} for s in scores) if complete else ())


def _state(failed: SplitScore | None, pruned: str | None) -> TrialState:
    if failed is None or failed.error is None:
        return TrialState.PRUNED if pruned is not None else TrialState.COMPLETED
    return TrialState.LOST if failed.error.type in LOST else TrialState.FAILED


def _error(trial: Underway, failed: SplitScore | None, pruned: str | None) -> ErrorInfo | None:
    if failed is not None and failed.error is not None:
        first, newline, rest = failed.error.message.partition("\n")
        where = f"{trial.part} {failed.split}"
        return replace(failed.error, message=f"{first} ({where}){newline}{rest}")
    if pruned is None:
        return None
    step = trial.steps[trial.step]
    parts = f"{step.splits} of {len(trial.splits.get())} {trial.part}s"
    where = f"{step.share:.3g} of the rows" if step.share < 1 else parts
    return ErrorInfo("Pruned", f"after {where}: {pruned}")


def _by_metric(scores: Sequence[SplitScore]) -> dict[str, tuple[float, ...]]:
    return {name: tuple(s.scores[name] for s in scores) for name in scores[0].scores}
