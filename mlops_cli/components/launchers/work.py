"""What a worker does with a batch of calls: compute each within its limits, and answer for each.

Limits are held by the thread that took the batch, which watches another one compute: it can then answer with the
verdict at once, whatever the call does. Such a call cannot be stopped from within, so its process is to be ended.
"""

from __future__ import annotations

import contextvars
import os
import pickle
import platform
import threading
import time
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from importlib import metadata
from typing import TYPE_CHECKING, Any

from mlops_cli.components.launchers.limits import Limits, held_memory
from mlops_cli.components.launchers.provided import NotProvidedError, placed
from mlops_cli.components.launchers.verdicts import outcome, too_large, too_long

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_cli.components.launchers.provided import ProvidedFile
    from mlops_cli.records import ErrorInfo

WATCH_S = 0.05
"""How often limits are looked at."""

_MUST_AGREE = ("mlops-cli", "scikit-learn", "numpy", "scipy", "pandas")


class Outcome(StrEnum):
    """What came of a call of a batch."""

    VALUE = "value"
    LOST = "lost"  # it raised, or broke a limit
    UNSURE = "unsure"  # a limit was broken while calls shared the process: each is to be tried alone
    UNTOUCHED = "untouched"  # not begun


@dataclass(frozen=True)
class Answer:
    """What came of one call; its value is pickled, so that one that cannot be does not take others with it."""

    outcome: Outcome
    value: bytes = b""
    lost: ErrorInfo | None = None


@dataclass(frozen=True)
class Batch:
    """Calls as they travel, each one pickled for itself."""

    calls: tuple[bytes, ...]
    limits: Limits = field(default_factory=Limits)
    run: str = ""
    files: tuple[ProvidedFile, ...] = ()
    versions: tuple[tuple[str, str], ...] = ()
    logs: str | None = None  # the folder where workers on this machine write what calls print


@dataclass(frozen=True)
class Answers:
    """What came of a batch: an answer for each call, or why none was begun."""

    each: tuple[Answer, ...] = ()
    seconds: float = 0.0
    runs_on: bool = False  # a call that broke a limit still runs in the worker's process
    worn: bool = False  # the process still holds much of what the calls left
    worker: str | None = None  # where, if it can be restarted
    missing: str | None = None  # a provided file that the worker does not have
    differs: str | None = None  # how the worker's libraries differ from the parent's
    log: str = ""  # the end of what was printed, where a call was lost and that is known


def work(batch: Batch, fetch: Callable[[Any], bytes], company: Callable[[], int]) -> Answers:
    """Compute a batch.

    Parameters
    ----------
    batch : Batch
        The calls, and what they need.
    fetch : callable
        Returns the bytes of a part of a provided file.
    company : callable
        How many calls run in this process, this one included.
    """
    differs = _difference(batch.versions)
    if differs:
        return Answers(differs=differs)
    _lightest()
    try:
        with placed(batch.files, batch.run, fetch):
            return _Desk(batch, company).work()
    except NotProvidedError as error:
        return Answers(missing=str(error))


def pack(function: Callable[[Any], Any], argument: Any) -> bytes:
    """Return a call as bytes."""
    return _dumps((function, argument))


def versions() -> tuple[tuple[str, str], ...]:
    """Return what has to be the same in all processes for scores to be the same."""
    return _versions()


@cache
def _versions() -> tuple[tuple[str, str], ...]:
    python = ".".join(platform.python_version_tuple()[:2])
    return (("python", python), *((name, _version(name)) for name in _MUST_AGREE))


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "none"


def _difference(wanted: tuple[tuple[str, str], ...]) -> str | None:
    mine = dict(_versions())
    found = [f"{name} {mine.get(name)}, here it is {version}" for name, version in wanted if mine.get(name) != version]
    return f"{platform.node()} has " + "; ".join(found) if found else None


class _Desk:
    """The answers of a batch as they come, shared by the thread that computes and the one that watches."""

    def __init__(self, batch: Batch, company: Callable[[], int]) -> None:
        self._batch = batch
        self._company = company
        self._answers: list[Answer] = []
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._begun = time.monotonic()
        self._stopped = False

    def work(self) -> Answers:
        started = time.perf_counter()
        broken = self._watched() if self._batch.limits.any else self._compute()
        seconds = time.perf_counter() - started
        return Answers(tuple(self._answers), seconds, runs_on=broken, worn=_is_worn(self._batch.limits))

    def _compute(self) -> bool:
        for call in self._batch.calls:
            answer = _answer(call)
            with self._lock:
                if self._stopped:
                    break
                self._answers.append(answer)
                self._begun = time.monotonic()
        self._done.set()
        return False

    def _watched(self) -> bool:
        """Return whether a limit was broken."""
        context = contextvars.copy_context()  # with the worker's own, and with the places of provided files
        threading.Thread(target=context.run, args=(self._compute,), daemon=True).start()
        while not self._done.wait(WATCH_S):
            verdict = self._verdict()
            if verdict is not None and self._stop(verdict):
                return True
        return False

    def _verdict(self) -> Answer | None:
        limits = self._batch.limits
        if limits.seconds is not None and time.monotonic() - self._begun > limits.seconds:
            return Answer(Outcome.LOST, lost=too_long(limits.seconds))
        if limits.memory is not None and held_memory(os.getpid()) > limits.memory:
            shared = self._company() > 1
            return Answer(Outcome.UNSURE) if shared else Answer(Outcome.LOST, lost=too_large(limits.memory))
        return None

    def _stop(self, verdict: Answer) -> bool:
        """Answer for the call that is computed; False if the last one has ended in the meantime."""
        with self._lock:
            self._stopped = True
            left = len(self._batch.calls) - len(self._answers)
            if left:
                self._answers += [verdict, *[Answer(Outcome.UNTOUCHED)] * (left - 1)]
            return left > 0


def _answer(call: bytes) -> Answer:
    found = outcome(call, _dumps)
    return Answer(Outcome.VALUE, found) if isinstance(found, bytes) else Answer(Outcome.LOST, lost=found)


def _dumps(value: Any) -> bytes:
    return pickle.dumps(value, protocol=5)


@cache
def _lightest() -> int:
    """Return the bytes that this process held before its first batch."""
    return held_memory(os.getpid())


def _is_worn(limits: Limits) -> bool:
    """Whether this process still holds so much that it would count against the next call; as `limits.Wear`."""
    return limits.memory is not None and held_memory(os.getpid()) > (limits.memory + _lightest()) / 2
