"""Tasks → results, on joblib: here in the process while that is quicker, in workers once there is work for them.

A pool of processes takes a second or two to start, so the first task runs in this process while it is watched; the
rest goes to a pool if what is left is worth its start. Results do not depend on where a task ran.
"""

from __future__ import annotations

import threading
import time
import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mlops_cli.execution.fitting import describe, notices_of, one_blas_thread, run_task
from mlops_cli.records import ErrorInfo, SplitScore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from mlops_cli.execution.fitting import SplitTask
    from mlops_cli.records import LauncherSpec

POOL_START_S = 2.0
"""Wall seconds that a pool must save to be worth starting."""

WATCH_S = 0.5
"""Seconds that the first task may take before the others no longer wait for it."""


def workers(launcher: LauncherSpec) -> int:
    """Return how many tasks run at a time; negative ``n_jobs`` count back from all cores, as in joblib."""
    if launcher.backend == "sequential":
        return 1
    import joblib

    cores = int(joblib.cpu_count())
    return launcher.n_jobs if launcher.n_jobs > 0 else max(1, cores + 1 + launcher.n_jobs)


@dataclass(frozen=True)
class Pool:
    """Runs tasks where the launcher says.

    Parameters
    ----------
    launcher : LauncherSpec
        The backend and the number of workers.
    local, remote : callable
        Turn a task into the one to run in this process and in another one.
    """

    launcher: LauncherSpec
    local: Callable[[SplitTask], SplitTask]
    remote: Callable[[SplitTask], SplitTask]

    def run(self, tasks: Sequence[SplitTask]) -> Iterator[SplitScore]:
        """Yield the result of every task, in whatever order they end."""
        n_jobs = min(workers(self.launcher), len(tasks))
        if n_jobs <= 1:
            yield from (run_task(self.local(task)) for task in tasks)
        elif self.launcher.backend == "threading":
            yield from self._threads([self.local(task) for task in tasks], n_jobs)
        else:
            yield from self._processes(tasks, n_jobs)

    def _threads(self, tasks: Sequence[SplitTask], n_jobs: int) -> Iterator[SplitScore]:
        """Run tasks in threads. Python catches warnings per process, so they are caught out here, around them all."""
        with warnings.catch_warnings(record=True) as caught, one_blas_thread():
            warnings.simplefilter("always")
            for score in self._parallel([replace(task, alone=False) for task in tasks], n_jobs):
                found, caught[:] = list(caught), []
                yield replace(score, notices=notices_of(found))

    def _processes(self, tasks: Sequence[SplitTask], n_jobs: int) -> Iterator[SplitScore]:
        """Run tasks here while they are short, and leave the others to worker processes."""
        begun = 0
        slow: _Watched | None = None
        while begun < len(tasks):
            watched = _Watched(self.local(tasks[begun]))
            begun += 1
            if not watched.ends_within(WATCH_S):
                slow = watched  # it goes on here, beside the workers
                break
            yield watched.result
            if _worth_a_pool(watched.seconds, len(tasks) - begun, n_jobs):
                break
        for score in self._unbreakable([self.remote(task) for task in tasks[begun:]], n_jobs):
            if slow is not None and slow.is_done:
                yield slow.result
                slow = None
            yield score
        if slow is not None:
            yield slow.result

    def _unbreakable(self, tasks: list[SplitTask], n_jobs: int) -> Iterator[SplitScore]:
        """Run tasks in worker processes; when one dies, find out alone which task it was, and go on."""
        from joblib.externals.loky.process_executor import TerminatedWorkerError

        left = {(t.candidate.trial.number, t.split, t.store_as): t for t in tasks}
        while left:
            try:
                for score in self._parallel(list(left.values()), n_jobs):
                    left.pop((score.trial, score.split, score.stored_as), None)
                    yield score
            except TerminatedWorkerError:
                for key in list(left)[: 2 * n_jobs]:
                    yield _alone(left.pop(key))

    def _parallel(self, tasks: Sequence[SplitTask], n_jobs: int) -> Iterator[SplitScore]:
        from joblib import Parallel, delayed

        parallel = Parallel(n_jobs=n_jobs, backend=self.launcher.backend, return_as="generator_unordered")
        yield from parallel(delayed(run_task)(task) for task in tasks)


def _worth_a_pool(seconds_each: float, left: int, n_jobs: int) -> bool:
    saved = seconds_each * left * (1 - 1 / n_jobs)
    return saved > POOL_START_S


def _alone(task: SplitTask) -> SplitScore:
    """Run a task in a worker of its own: if that dies too, the task is what kills it."""
    from joblib.externals.loky import ProcessPoolExecutor

    executor = ProcessPoolExecutor(max_workers=1)
    try:
        result: SplitScore = executor.submit(run_task, task).result()
    except Exception as error:  # noqa: BLE001 - loky has several for a worker that is gone
        lost = ErrorInfo("WorkerLost", f"its worker process was killed or crashed ({type(error).__name__})")
        return SplitScore(task.candidate.trial.number, task.split, error=lost, stored_as=task.store_as)
    finally:
        executor.shutdown(wait=True, kill_workers=True)
    return result


class _Watched:
    """A task that runs in a thread of this process, so that it can be waited for with a limit."""

    def __init__(self, task: SplitTask) -> None:
        self._task = task
        self._result = SplitScore(task.candidate.trial.number, task.split)
        self._started = time.perf_counter()
        self.seconds = 0.0
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._result = run_task(self._task)
        except BaseException as error:  # noqa: BLE001 - a thread has nobody else to tell
            self._result = replace(self._result, error=describe(error), stored_as=self._task.store_as)
        self.seconds = time.perf_counter() - self._started

    @property
    def is_done(self) -> bool:
        return not self._thread.is_alive()

    def ends_within(self, limit: float) -> bool:
        """Wait at most ``limit`` seconds, and return whether the task is done."""
        self._thread.join(limit)
        return self.is_done

    @property
    def result(self) -> SplitScore:
        """The result, once the task is done; waits for it."""
        self._thread.join()
        return self._result


def kill_workers() -> None:
    """End joblib's worker processes at once: what they compute is no longer wanted."""
    from joblib.externals.loky.reusable_executor import _executor

    if _executor is not None:
        _executor.shutdown(wait=False, kill_workers=True)
