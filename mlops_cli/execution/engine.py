"""Candidates → finished trials, as they finish. Knows the order of things; computes nothing itself.

Trials come from a source a few at a time. Each is a handful of tasks, one for each split, which wait for the fits that
they share with others and then go to the launcher. Where a trial depends on how those before it did, no more than a
window of trials is under way, and each learns from exactly those that are a window behind it: so the same trials come
out whatever the number of workers, and however often the run was interrupted.
"""

from __future__ import annotations

import heapq
import itertools
import warnings
from collections import deque
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mlops_cli.contracts import Call
from mlops_cli.execution.fitting import SplitTask, notices_of, one_blas_thread, run_task
from mlops_cli.execution.job import Travelling
from mlops_cli.execution.pruning import make_pruning
from mlops_cli.execution.sharing import Sharing, keyed, stand_in
from mlops_cli.execution.source import KnownTrial, Source
from mlops_cli.execution.stopping import Stopping
from mlops_cli.execution.underway import Finished, Task, Underway, finished, score_of
from mlops_cli.records import ErrorInfo, SplitFinished, SplitScore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from mlops_cli.contracts import Launcher, Observer, Returned
    from mlops_cli.execution.fitting import Places
    from mlops_cli.execution.job import Candidate, Job, Split
    from mlops_cli.execution.pruning import Step
    from mlops_cli.execution.sharing import Block
    from mlops_cli.records import Direction, LauncherSpec, Notice, SweepSpec

CHUNK = 32
"""Trials that are looked at together for what they share, where nothing is to be waited for."""

KEPT_SPLITS = 16
"""Splits of different trials that are kept for those to come."""

BUSY_S = 0.5
"""Seconds of work that each worker has waiting with the launcher."""

AHEAD = 3 * CHUNK
"""Trials that may be under way at once where nothing is to be waited for."""


@dataclass(frozen=True)
class Rules:
    """What a run's trials are held to."""

    sweep: SweepSpec
    launcher: LauncherSpec
    primary: str
    direction: Direction
    splits: int = 1  # of a trial, as it is planned
    spent_s: float = 0.0  # before this, where a run goes on
    places: Places | None = None  # where workers may write


class Engine:
    """Runs candidates on a job.

    Parameters
    ----------
    job : Job
        What all trials share.
    splits : callable
        Returns the splits of a candidate by their key.
    rules : Rules
        What trials are held to, and what stops them.
    launcher : Launcher
        Where tasks run; the caller closes it.
    scratch : Path
        A folder for what workers map into memory; the caller removes it.
    """

    def __init__(
        self, job: Job, splits: Callable[[str], tuple[Split, ...]], rules: Rules, launcher: Launcher, scratch: Path
    ) -> None:
        self._job = Travelling(scratch / "job.joblib", job)
        self._splits_of = splits
        self._rules = rules
        self._launcher = launcher
        self._scratch = scratch
        self._pruning = make_pruning(rules.sweep.pruner, rules.primary, rules.direction)
        self._sharing = Sharing(scratch)
        self._made: dict[str, Travelling[tuple[Split, ...]]] = {}  # by key, the last ones that were needed
        self._underway: dict[int, Underway] = {}
        self._waiting: deque[Task] = deque()
        self._ready: list[tuple[tuple[int, int, int], int, Task]] = []  # a heap
        self._turns = itertools.count()
        self._sent = 0  # how many tasks the launcher has
        self._mean_s = BUSY_S  # of a task, as the last ones were
        self._tasks: dict[tuple[Any, ...], Task] = {}  # by key, from the moment that they are made
        self._ended: dict[int, KnownTrial] = {}  # not yet told
        self._out: deque[Finished] = deque()
        self._next = 0
        self._told = 0
        self._provided: set[Path] = set()
        self._exhausted = False
        self._stopping = Stopping(rules.sweep, rules.primary, rules.direction, rules.spent_s)
        self._done = 0
        self._known = 0  # of those done, how many were there already
        self.stopped: str | None = None
        self.unplaced: dict[Notice, None] = {}  # warnings of threads: Python does not say which trial they come from

    def execute(self, source: Source, told: Observer, total: int | None = None) -> Iterator[Finished]:
        """Yield every trial as it ends, and tell of every fit.

        Nothing that a component raises ends the others: it fails its own trial, with the reason.

        Parameters
        ----------
        source : Source
            Where trials come from.
        told : Observer
            Told of each split that has ended.
        total : int, optional
            How many trials the source has.
        """
        with ExitStack() as stack:
            caught = self._catch_for_threads(stack)
            while True:
                self._admit(source, total)
                while self._out:
                    yield self._out.popleft()
                if not self._underway:
                    if self._exhausted:
                        return
                    continue
                for returned in self._launcher.wait(0.0 if self._has_room() else None):
                    self._take(returned, caught)
                    told(SplitFinished(self._done, self._fits(total), self._known))

    def _fits(self, total: int | None) -> int | None:
        """Return how many fits so many trials have, where it is known."""
        pruner = self._rules.sweep.pruner
        return None if total is None or (pruner.prunes and pruner.over == "rows") else total * self._rules.splits

    def _catch_for_threads(self, stack: ExitStack) -> list[warnings.WarningMessage] | None:
        """Catch warnings out here around all threads: Python catches them per process."""
        if self._rules.launcher.backend != "threading":
            return None
        caught = stack.enter_context(warnings.catch_warnings(record=True))
        warnings.simplefilter("always")
        stack.enter_context(one_blas_thread())
        return caught

    # --- trials begin ------------------------------------------------------------------------------------------------

    def _has_room(self) -> bool:
        """Whether more trials may begin now."""
        if self._exhausted:
            return False
        if self._rules.sweep.in_order:
            return self._next - self._first_open() < self._rules.sweep.window
        return len(self._underway) <= AHEAD - CHUNK

    def _first_open(self) -> int:
        """Return the number of the first trial that has not ended."""
        return min(self._underway, default=self._next)

    def _admit(self, source: Source, total: int | None) -> None:
        """Take trials from the source as far as may be, and begin them together: they may share fits."""
        begun: list[Underway] = []
        while len(begun) < CHUNK and len(self._out) < CHUNK and self._has_room():
            taken = self._taken(source)
            if taken is None:
                self._exhausted = True
            elif isinstance(taken, KnownTrial):
                self._done += taken.splits
                self._known += taken.splits
                self._end(Finished(taken.result), taken.splits)
            else:
                begun.append(self._begin(taken))
        if begun:
            left = (total - self._next) if total is not None else 0
            self._launcher.expect(max(0, left) * self._rules.splits)
            self._sharing.look_ahead([(u.number, keyed(u.candidate, s.share)) for u in begun for s in _shares(u.steps)])
            for underway in begun:
                self._next_step(underway)
            self._submit_ready()

    def _taken(self, source: Source) -> Candidate | KnownTrial | None:
        if self._rules.sweep.in_order:
            self._tell(source, self._next - self._rules.sweep.window)
        self.stopped = self._stopping.why
        taken = None if self.stopped else source.take()
        self._next += taken is not None
        return taken

    def _tell(self, source: Source, last: int) -> None:
        """Tell of the trials up to a number, and no others: what is learned must not depend on who was quick."""
        while self._told <= last:
            ended = self._ended.pop(self._told)
            source.learn(ended.result)
            self._pruning.learn(ended.result, ended.splits)
            self._stopping.learn(ended.result)
            self._told += 1

    def _begin(self, candidate: Candidate) -> Underway:
        if candidate.splits not in self._made:
            self._forget_splits()
            path = self._scratch / f"splits-{candidate.splits}.joblib"
            self._made[candidate.splits] = Travelling(path, self._splits_of(candidate.splits))
        splits = self._made[candidate.splits]
        count, number = len(splits.get()), candidate.trial.number
        begun = Underway(candidate, splits, self._pruning.steps(number, count), self._pruning.bar(number, count))
        self._underway[number] = begun
        return begun

    def _forget_splits(self) -> None:
        """Let go of splits that no trial under way has, where there are many: a sweep may have others in each trial."""
        used = {trial.candidate.splits for trial in self._underway.values()}
        for key in [key for key in self._made if key not in used][: max(0, len(self._made) - KEPT_SPLITS)]:
            self._made.pop(key).path.unlink(missing_ok=True)

    # --- tasks -------------------------------------------------------------------------------------------------------

    def _next_step(self, trial: Underway) -> None:
        before = trial.steps[trial.step] if trial.step >= 0 else None
        trial.step += 1
        step = trial.steps[trial.step]
        first = before.splits if before is not None and before.share == step.share else 0
        if first == 0:
            trial.scores.clear()  # on fewer rows: they count no more
        trial.open = set(range(first, step.splits))
        tree = keyed(trial.candidate, step.share)
        for split in range(first, step.splits):
            task = Task(("trial", trial.number, trial.step, split), tree, split, trial)
            if self._launcher.shares_files:  # else each machine makes and stores them for itself
                task.reads = self._blocks(self._sharing.needed(tree, split), trial)
            self._add(task)

    def _blocks(self, blocks: list[Block], trial: Underway) -> list[Block]:
        """Return blocks that a task reads, and see that they are made."""
        for block in blocks:
            block.readers += 1
            key = ("block", block.keyed.key, block.split)
            if not block.done and key not in self._tasks:
                task = Task(key, block.keyed, block.split, trial, block)
                task.reads = self._blocks(self._sharing.needed_below(block.keyed, block.split), trial)
                self._add(task)
        return blocks

    def _add(self, task: Task) -> None:
        self._tasks[task.key] = task
        self._waiting.append(task)

    def _submit_ready(self) -> None:
        """Hand over what waits for nothing any more, the first trials first: an interruption then costs the fewest."""
        left: deque[Task] = deque()
        for task in self._waiting:
            if task.key not in self._tasks:
                continue  # its trial has failed meanwhile
            if task.is_ready:
                heapq.heappush(self._ready, (task.place, next(self._turns), task))
            else:
                left.append(task)
        self._waiting = left
        self._hand_over()

    def _hand_over(self) -> None:
        """Give the launcher as much as it needs to be busy for a while, and no more: what comes later may be first."""
        if self._stopping.is_late:
            self._give_up_unbegun()
        while self._ready and self._sent < self._launcher.workers * max(2, round(BUSY_S / max(self._mean_s, 1e-4))):
            task = heapq.heappop(self._ready)[-1]
            if task.key in self._tasks:
                task.is_sent = True
                self._sent += 1
                self._launcher.submit(Call(task.key, run_task, self._written(task)))

    def _give_up_unbegun(self) -> None:
        """Let go of the trials that were taken and of which nothing has been handed over, when time is over."""
        begun = {task.trial.number for task in self._tasks.values() if task.is_sent}
        late = {n for n, trial in self._underway.items() if n not in begun and not trial.scores and trial.step == 0}
        for key in [key for key, task in self._tasks.items() if task.block is None and task.trial.number in late]:
            self._sharing.release(self._tasks.pop(key).reads)
        for number in late:
            del self._underway[number]
        if late:
            self._exhausted, self.stopped = True, "timeout"

    def _written(self, task: Task) -> SplitTask:
        """Return a task as workers take it."""
        trial, block = task.trial, task.block
        if self._launcher.shares_files:
            root = stand_in(task.tree, {read.keyed.key: read for read in task.reads})
        else:
            root = self._sharing.to_be_stored(task.tree, task.split)
            self._provide(self._job, trial.splits)
        return SplitTask(
            self._job,
            trial.splits,
            trial.candidate.trial,
            root,
            task.split,
            trial.steps[trial.step].share,
            store_as=None if block is None else str(block.path),
            alone=self._rules.launcher.backend != "threading",
            places=self._rules.places if self._launcher.shares_files else None,
        )

    def _provide(self, *values: Travelling[Any]) -> None:
        """Let workers that do not see this machine's files have those of some values."""
        for value in values:
            if value.path not in self._provided:
                self._provided.add(value.path)
                self._launcher.provide(value.write())

    # --- tasks end ---------------------------------------------------------------------------------------------------

    def _take(self, returned: Returned, caught: list[warnings.WarningMessage] | None) -> None:
        key: Any = returned.key
        task = self._tasks.pop(key, None)
        if task is None:
            return  # of a trial that another engine on this launcher gave up while it was being computed
        self._sent -= 1
        self._sharing.release(task.reads)
        score = score_of(returned, task)
        if caught is not None:
            self.unplaced |= dict.fromkeys(notices_of(caught))
            caught.clear()
        self._mean_s += (score.fit_s + score.score_s - self._mean_s) / 16
        if task.block is not None:
            self._sharing.settle(task.block, failed=score.error is not None)
        else:
            self._done += 1
            self._scored(task.trial, score)
        self._submit_ready()

    def _scored(self, trial: Underway, score: SplitScore) -> None:
        trial.open.discard(score.split)
        trial.scores[score.split] = self._within_limits(trial, score)
        if trial.failed is not None:
            self._drop(trial, after=trial.failed.split)
        if trial.open:
            return
        if trial.failed is not None:
            self._end_of(trial)
        else:
            self._look(trial)

    def _within_limits(self, trial: Underway, score: SplitScore) -> SplitScore:
        """Hold the time limit over all splits of a trial; the launcher holds it over each."""
        trial.fit_s += score.fit_s
        trial.score_s += score.score_s
        limit = self._rules.launcher.trial_timeout
        if limit is None or trial.fit_s + trial.score_s <= limit or score.error is not None:
            return score
        text = f"its {trial.part}s took more than {limit:g} s, launcher.trial_timeout"
        return replace(score, error=ErrorInfo("TimeLimit", text))

    def _drop(self, trial: Underway, *, after: int) -> None:
        """Give up the splits after one that failed; those before it may fail too, and then the first one counts."""
        late = {split for split in trial.open if split > after}
        keys = {("trial", trial.number, trial.step, split): split for split in late}
        waiting = {key for key in keys if not self._tasks[key].is_sent}
        cancelled = self._launcher.cancel(keys.keys() - waiting)
        self._sent -= len(cancelled)
        for key, split in keys.items():
            if key in waiting or key in cancelled:
                self._sharing.release(self._tasks.pop(key).reads)
                trial.open.discard(split)

    def _look(self, trial: Underway) -> None:
        """Go on with a trial whose step has ended well, or stop it."""
        primary = [trial.scores[s].scores[self._rules.primary] for s in sorted(trial.scores)]
        trial.values.append(sum(primary) / len(primary))
        if trial.step + 1 == len(trial.steps):
            self._end_of(trial)
            return
        why = trial.bar.verdict(trial.step, primary)
        if why is not None:
            self._end_of(trial, why)
        else:
            self._next_step(trial)

    def _end_of(self, trial: Underway, pruned: str | None = None) -> None:
        del self._underway[trial.number]
        self._done += len(trial.splits.get()) - len(trial.scores)
        self._end(finished(trial, pruned), len(trial.splits.get()))

    def _end(self, finished: Finished, splits: int) -> None:
        if self._rules.sweep.in_order:
            self._ended[finished.result.trial] = KnownTrial(finished.result, splits)
        self._out.append(finished)


def _shares(steps: Sequence[Step]) -> Iterator[Step]:
    """Yield the first step of each share of the rows."""
    yield from {step.share: step for step in reversed(steps)}.values()
