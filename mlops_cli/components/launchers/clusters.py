"""What the launchers over machines have in common: batches, a bounded number under way, second tries, verdicts.

Each cluster gives a `Machines`, which sends batches and says what came of them; the rest is here, so that a call
meets the same verdict on every one.
"""

from __future__ import annotations

import itertools
import math
import pickle
import time
from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mlops_cli.components.launchers.limits import Limits
from mlops_cli.components.launchers.machines import Start
from mlops_cli.components.launchers.pace import Pace
from mlops_cli.components.launchers.provided import described
from mlops_cli.components.launchers.verdicts import not_sent, raised, split_log, too_large, too_long
from mlops_cli.components.launchers.work import Batch, Outcome, pack, versions
from mlops_cli.contracts import Returned
from mlops_cli.errors import ExecutionError
from mlops_cli.records import ErrorInfo

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Sequence
    from pathlib import Path

    from mlops_cli.components.launchers.machines import Ended, Machines
    from mlops_cli.components.launchers.provided import ProvidedFile
    from mlops_cli.components.launchers.work import Answer, Answers
    from mlops_cli.contracts import Call
    from mlops_cli.records import LauncherSpec

SHORT_S = 1.0
"""While calls are shorter, each worker has one more waiting; longer ones would die with a worker for nothing."""

MOST_CALLS = 256
"""In one batch: they are tried again one by one where a worker dies."""

NO_WORKERS_S = 60.0
"""How long a cluster may be without workers, where nobody says that they may take longer to come."""

MOST_TRIES = 5
"""How often a call is sent to workers that do not stay, or that cannot have its files."""

_TICK_S = 0.5


@dataclass(frozen=True)
class _Task:
    key: Hashable
    call: bytes
    tries: int = 0


@dataclass(frozen=True)
class _Sent:
    tasks: tuple[_Task, ...]
    alone: bool = False


class ClusterLauncher:
    """A launcher over machines.

    Parameters
    ----------
    machines : Machines
        The cluster.
    spec : LauncherSpec
        The limits of a call, and how many run at a time.
    workers : int, optional
        How many there will be, where that is known before they are started.
    shares_files : bool
        Whether the workers are on this machine.
    """

    def __init__(
        self, machines: Machines, spec: LauncherSpec, *, workers: int | None = None, shares_files: bool = False
    ) -> None:
        self._machines = machines
        self._start = Start(machines)
        self._limits = Limits(spec.trial_timeout, spec.trial_memory)
        self._most = spec.n_jobs if spec.n_jobs > 0 else None
        self._planned = workers
        self._shares_files = shares_files
        self._waiting: deque[_Task] = deque()
        self._suspects: deque[_Task] = deque()  # to be tried alone
        self._under_way: dict[int, _Sent] = {}
        self._ready: list[Returned] = []
        self._files: dict[str, ProvidedFile] = {}
        self._tickets = itertools.count()
        self._pace = Pace()
        self._seen_workers = time.monotonic()
        self._run = f"{time.time_ns():x}"
        self._closed = False

    @property
    def workers(self) -> int:
        """How many calls run at a time; on a cluster, now."""
        if self._planned is not None:
            return self._planned
        self._start.done()
        return max(1, self._slots())

    @property
    def shares_files(self) -> bool:
        """Whether workers see the files of this machine."""
        return self._shares_files

    def warm(self) -> None:
        """Begin to start workers; returns at once."""
        self._start.begin()

    def expect(self, calls: int) -> None:
        """Take note of nothing: a cluster's size does not depend on the work in sight."""

    def provide(self, path: Path) -> None:
        """Let workers that do not see a file have it; it travels once the first of them asks."""
        if not self._shares_files:
            self._files[str(path)] = described(path)

    def submit(self, call: Call) -> None:
        """Take a call; returns at once."""
        try:
            self._waiting.append(_Task(call.key, pack(call.function, call.argument)))
        except Exception as error:  # noqa: BLE001 - an argument's own code may raise anything when it is pickled
            self._ready.append(Returned(call.key, lost=not_sent(error)))
        self._start.begin()
        if self._start.is_done:
            self._fill()

    def wait(self, timeout: float | None = None) -> Sequence[Returned]:
        """Return what has ended, at least one; nothing where nothing is under way, or after ``timeout`` seconds.

        Raises
        ------
        ExecutionError
            The workers cannot be reached, or are not fit for the work.
        """
        deadline = math.inf if timeout is None else time.monotonic() + timeout
        while not self._ready and self._is_busy:
            if not self._start.done(deadline - time.monotonic()):
                return ()
            self._fill()
            self._refuse_no_workers()
            for ended in self._machines.ended(max(0.0, min(_TICK_S, deadline - time.monotonic()))):
                self._settle(ended)
            if time.monotonic() >= deadline:
                break
        ready, self._ready = self._ready, []
        return ready

    def cancel(self, keys: Collection[Hashable]) -> frozenset[Hashable]:
        """Drop calls that have not begun, and return their keys."""
        unwanted = set(keys)
        dropped = {task.key for task in self._waiting if task.key in unwanted}
        self._waiting = deque(task for task in self._waiting if task.key not in dropped)
        return frozenset(dropped)

    def close(self, *, kill: bool = False) -> None:
        """End the workers; ``kill`` does not wait for what they compute. To close twice does nothing."""
        if self._closed:
            return
        self._closed = True
        self._waiting.clear()
        self._suspects.clear()
        try:
            if not kill:
                self._finish()
        finally:
            with self._start.ending():
                self._machines.close(self._run, kill=kill)

    def _finish(self) -> None:
        while self._under_way:
            for ended in self._machines.ended(_TICK_S):
                self._under_way.pop(ended.ticket, None)

    @property
    def _is_busy(self) -> bool:
        return bool(self._waiting or self._suspects or self._under_way)

    # --- sending ---------------------------------------------------------------------------------------------------

    def _slots(self) -> int:
        slots = self._machines.slots()
        return slots if self._most is None else min(slots, self._most)

    def _fill(self) -> None:
        """Send what there is room for; a suspect once nothing else is under way."""
        slots = self._slots()
        if slots == 0 or any(sent.alone for sent in self._under_way.values()):
            return
        while self._waiting and len(self._under_way) < slots * self._ahead():
            count = min(self._pace.batch(len(self._waiting), slots), MOST_CALLS)
            self._send(_Sent(tuple(self._waiting.popleft() for _ in range(count))))
        if self._suspects and not self._under_way and self._machines.slots(fresh=True):
            self._send(_Sent((self._suspects.popleft(),), alone=True))

    def _ahead(self) -> int:
        """Return how many batches a slot has: one more than it computes, if they are short and all may be lost."""
        short = self._pace.mean is not None and self._pace.mean < SHORT_S
        return 2 if short and not self._limits.any else 1

    def _send(self, sent: _Sent) -> None:
        ticket = next(self._tickets)
        self._under_way[ticket] = sent
        calls = tuple(task.call for task in sent.tasks)
        files = tuple(self._files.values())
        self._machines.send(ticket, Batch(calls, self._limits, self._run, files, versions(), self._machines.logs))

    def _refuse_no_workers(self) -> None:
        now = time.monotonic()
        if self._machines.patient or self._machines.slots() > 0:
            self._seen_workers = now
        elif now - self._seen_workers > NO_WORKERS_S:
            raise ExecutionError(
                f"the cluster has had no workers for {NO_WORKERS_S:.0f} s", hint="start some, then resume the run"
            )

    # --- what came of it -------------------------------------------------------------------------------------------

    def _settle(self, ended: Ended) -> None:
        sent = self._under_way.pop(ended.ticket, None)
        if sent is None:
            return
        if ended.died:
            self._died(sent, ended.log)
        elif ended.mute:
            self._muted(sent)
        elif ended.left:
            self._again(sent, "a worker that stays")
        elif ended.failed is not None:
            self._failed(sent, ended.failed)
        elif ended.answers is not None:
            self._answered(sent, ended.answers)

    def _died(self, sent: _Sent, log: str) -> None:
        if sent.alone:
            output, fault = split_log(log)
            lost = ErrorInfo("WorkerLost", "its worker process was killed or crashed, twice", fault)
            self._ready.append(Returned(sent.tasks[0].key, lost=lost, output=output))
        else:
            self._suspects += sent.tasks

    def _muted(self, sent: _Sent) -> None:
        if len(sent.tasks) == 1:
            lost = too_long(self._limits.seconds or 0.0)
            self._ready.append(Returned(sent.tasks[0].key, lost=lost))
        else:
            self._suspects += sent.tasks

    def _failed(self, sent: _Sent, why: ErrorInfo) -> None:
        """Find out which call of a batch a worker could not even begin."""
        if why.type == "ModuleNotFoundError" and "mlops_cli" in why.message:
            hint = 'pip install "mlops-cli", of this version, on every worker'
            raise ExecutionError("the workers cannot import mlops_cli", hint=hint)
        if len(sent.tasks) == 1:
            self._ready.append(Returned(sent.tasks[0].key, lost=why))
        else:
            self._suspects += sent.tasks

    def _answered(self, sent: _Sent, answers: Answers) -> None:
        if answers.differs is not None:
            raise ExecutionError(
                f"scores would not be the same on all workers: {answers.differs}", hint="install the same versions"
            )
        if answers.missing is not None:
            self._supply(sent, answers.missing)
            return
        if answers.runs_on or answers.worn:
            self._machines.renew(answers)
        if answers.each and not answers.runs_on:
            self._pace.note(answers.seconds / len(answers.each))
        for task, answer in zip(sent.tasks, answers.each, strict=True):
            self._answer(task, answer, sent, split_log(answers.log)[0])

    def _answer(self, task: _Task, answer: Answer, sent: _Sent, output: str) -> None:
        if answer.outcome is Outcome.VALUE:
            self._ready.append(_opened(task.key, answer.value))
        elif answer.outcome is Outcome.LOST:
            self._ready.append(Returned(task.key, lost=answer.lost, output=output))
        elif answer.outcome is Outcome.UNTOUCHED:
            self._waiting.appendleft(task)
        elif sent.alone:  # others than ours share the process: the limit is broken all the same
            self._ready.append(Returned(task.key, lost=too_large(self._limits.memory or 0), output=output))
        else:
            self._suspects.append(task)

    def _supply(self, sent: _Sent, name: str) -> None:
        """Send the provided files to where workers can fetch them, and the calls once more."""
        self._files = {path: self._machines.supply(file) for path, file in self._files.items()}
        self._again(sent, name)

    def _again(self, sent: _Sent, needed: str) -> None:
        """Send calls once more that were not computed for no fault of theirs."""
        for task in reversed(sent.tasks):
            if task.tries >= MOST_TRIES:
                lost = ErrorInfo("WorkerLost", f"{MOST_TRIES} times there was no way to have {needed}")
                self._ready.append(Returned(task.key, lost=lost))
            else:
                (self._suspects if sent.alone else self._waiting).appendleft(replace(task, tries=task.tries + 1))


def _opened(key: Hashable, value: bytes) -> Returned:
    try:
        return Returned(key, pickle.loads(value))  # noqa: S301 - a worker of ours made it
    except Exception as error:  # noqa: BLE001 - a class may refuse to be unpickled in its own way
        return Returned(key, lost=raised(error))
