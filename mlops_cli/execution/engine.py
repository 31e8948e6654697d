"""Candidates → finished trials, as they finish. Knows what is shared and in which order; computes nothing itself."""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from mlops_cli.execution.fitting import SplitTask
from mlops_cli.execution.job import Handle
from mlops_cli.execution.pool import Pool
from mlops_cli.execution.sharing import SharedNode, shared_levels
from mlops_cli.records import SplitFinished, Stage, TrialResult, TrialState

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from mlops_cli.contracts import Observer
    from mlops_cli.execution.job import Candidate, Job
    from mlops_cli.records import ErrorInfo, LauncherSpec, Notice, SplitScore

WORKER_LOST = "WorkerLost"


@dataclass(frozen=True)
class Finished:
    """A trial that has ended, with its predictions on the test rows of each split, where it completed."""

    result: TrialResult
    predictions: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, eq=False)
class Engine:
    """Runs candidates on a job.

    Parameters
    ----------
    job : Job
        What all trials share.
    launcher : LauncherSpec
        Where tasks run.
    scratch : Path
        An empty folder for what workers map into memory; the caller removes it.
    """

    job: Job
    launcher: LauncherSpec
    scratch: Path

    def execute(self, candidates: Sequence[Candidate], told: Observer) -> Iterator[Finished]:
        """Yield every trial as its last split ends, and tell of every fit.

        Nothing that a component raises ends the others: it fails its own trial, with the reason.
        """
        told(Stage("transforms"))
        stored = self._share(candidates)
        told(Stage("trials"))
        tasks = [t for c in candidates for t in self._tasks(c, stored)]
        scores: dict[int, list[SplitScore]] = defaultdict(list)
        by_number = {c.trial.number: c for c in candidates}
        for done, score in enumerate(self._pool().run(tasks), start=1):
            told(SplitFinished(done, len(tasks)))
            scores[score.trial].append(score)
            candidate = by_number[score.trial]
            if len(scores[score.trial]) == len(self.job.splits[candidate.splits]):
                yield _finished(candidate, scores.pop(score.trial))

    def _pool(self) -> Pool:
        return Pool(self.launcher, local=self._local, remote=self._remote)

    def _local(self, task: SplitTask) -> SplitTask:
        return replace(task, handle=Handle(job=self.job))

    def _remote(self, task: SplitTask) -> SplitTask:
        return replace(task, handle=Handle(path=self._job_file, parent=os.getpid()))

    def _tasks(self, candidate: Candidate, stored: Mapping[str, str]) -> list[SplitTask]:
        splits = range(len(self.job.splits[candidate.splits]))
        return [SplitTask(Handle(), candidate, split, stored) for split in splits]

    @cached_property
    def _job_file(self) -> Path:
        """The job where workers map it from, written the first time that one is needed."""
        import joblib

        path = self.scratch / "job.joblib"
        joblib.dump(replace(self.job), path)  # a copy, without the scorers that this one has made for itself
        return path

    def _share(self, candidates: Sequence[Candidate]) -> dict[str, str]:
        """Compute what several trials read, level by level, and return where it is.

        A fit that fails is left out: the trials that need it then meet the same failure themselves.
        """
        stored: dict[str, str] = {}
        for level in shared_levels(candidates):
            tasks = [t for node in level for t in self._store_tasks(node, candidates, stored)]
            failed = {score.stored_as for score in self._pool().run(tasks) if score.error is not None}
            stored.update({node.key: self._place(node) for node in level if not failed & self._files(node)})
        return stored

    def _files(self, node: SharedNode) -> set[str | None]:
        return {self._place(node).format(split=split) for split in range(len(self.job.splits[node.splits]))}

    def _place(self, node: SharedNode) -> str:
        return str(self.scratch / f"{node.key}-{{split}}.joblib")

    def _store_tasks(
        self, shared: SharedNode, candidates: Sequence[Candidate], stored: Mapping[str, str]
    ) -> list[SplitTask]:
        candidate = next(c for c in candidates if c.trial.number == shared.trial.number)
        place = self._place(shared)
        return [
            SplitTask(Handle(), candidate, split, dict(stored), store_as=place.format(split=split), node=shared.node)
            for split in range(len(self.job.splits[shared.splits]))
        ]


def _finished(candidate: Candidate, scores: list[SplitScore]) -> Finished:
    """Put the splits of a trial together: it failed if any of them did."""
    scores = sorted(scores, key=lambda s: s.split)
    failed = next((s for s in scores if s.error is not None), None)
    result = TrialResult(
        trial=candidate.trial.number,
        state=_state(failed),
        params=candidate.trial.params,
        scores=_by_metric(scores) if failed is None else {},
        fit_s=sum(s.fit_s for s in scores),
        score_s=sum(s.score_s for s in scores),
        fingerprint=candidate.trial.fingerprint,
        error=None if failed is None else _on_split(failed),
        notices=_distinct(n for s in scores for n in s.notices),
    )
    return Finished(result, tuple(s.predictions or {} for s in scores) if failed is None else ())


def _state(failed: SplitScore | None) -> TrialState:
    if failed is None or failed.error is None:
        return TrialState.COMPLETED
    return TrialState.LOST if failed.error.type == WORKER_LOST else TrialState.FAILED


def _on_split(score: SplitScore) -> ErrorInfo | None:
    if score.error is None:
        return None
    first, newline, rest = score.error.message.partition("\n")
    return replace(score.error, message=f"{first} (split {score.split}){newline}{rest}")


def _by_metric(scores: Sequence[SplitScore]) -> dict[str, tuple[float, ...]]:
    return {name: tuple(s.scores[name] for s in scores) for name in scores[0].scores}


def _distinct(notices: Iterator[Notice]) -> tuple[Notice, ...]:
    return tuple(dict.fromkeys(notices))
