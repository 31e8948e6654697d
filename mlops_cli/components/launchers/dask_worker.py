"""What runs inside Dask's workers: a batch, and how a worker on this machine is settled. Imports Dask."""

from __future__ import annotations

import asyncio
import ctypes
import faulthandler
import importlib
import os
import signal
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from distributed import WorkerPlugin, get_worker
from distributed.utils import sync

from mlops_cli.components.launchers.provided import NotProvidedError
from mlops_cli.components.launchers.verdicts import end_of
from mlops_cli.components.launchers.work import Outcome, work

if TYPE_CHECKING:
    from collections.abc import Sequence

    from distributed import Worker

    from mlops_cli.components.launchers.work import Answers, Batch

FETCH_S = 60
"""How long a part of a file may take to come."""

_PR_SET_PDEATHSIG = 1


def run_batch(batch: Batch) -> Answers:
    """Compute a batch in the worker that this is called in."""
    worker = get_worker()
    log = None if batch.logs is None else log_of(batch.logs, worker.name)
    if log is not None and worker.state.nthreads == 1:
        _empty(log)
    answers = work(batch, _fetch, lambda: len(worker.state.executing))
    is_lost = any(answer.outcome is Outcome.LOST for answer in answers.each)
    return replace(
        answers,
        worker=worker.address if worker.nanny else None,
        log=tail_of(log) if is_lost and log is not None else "",
    )


def _fetch(key: str) -> bytes:
    """Return a part of a file that the parent has scattered; whoever held it may have died.

    A `Future` of the key, bound to the worker's own client, never learns that its data is in memory.
    """
    worker = get_worker()
    try:
        reply = sync(worker.loop, worker.scheduler.gather, keys=[key], callback_timeout=FETCH_S)
        content: bytes = reply["data"][key]
    except (OSError, KeyError) as error:
        raise NotProvidedError(f"{key}: {error}") from error
    return content


class Settle(WorkerPlugin):  # type: ignore[misc]
    """Makes a worker on this machine end with the parent, keep what calls print to itself, and import ahead.

    Parameters
    ----------
    parent : int
        The process to end with.
    logs : str
        The folder for what calls print.
    preload : sequence of str
        Modules that calls will need.
    """

    name = "mlops-settle"

    def __init__(self, parent: int, logs: str, preload: Sequence[str]) -> None:
        self._parent = parent
        self._logs = logs
        self._preload = tuple(preload)

    def setup(self, worker: Worker) -> None:
        """Settle the worker's process."""
        _end_with(self._parent)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's, which ends its workers
        _redirect(log_of(self._logs, worker.name))
        for module in self._preload:
            with suppress(ImportError):
                importlib.import_module(module)


def _end_with(parent: int) -> None:
    """Have the kernel end this process with its parent: Dask's own thread for it needs a GIL that a call may hold."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _redirect(log: Path) -> None:
    sys.stdout.flush()
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)
    faulthandler.enable()


def log_of(logs: str, worker: object) -> Path:
    """Return the file of what a worker's calls print."""
    return Path(logs) / f"{worker}.log"


def tail_of(log: Path) -> str:
    """Return the end of what was printed."""
    sys.stdout.flush()
    try:
        with log.open("rb") as file:
            return end_of(file.fileno())
    except OSError:
        return ""


def _empty(log: Path) -> None:
    with suppress(OSError):
        if log.stat().st_size:
            os.truncate(log, 0)


async def import_all(modules: Sequence[str]) -> None:
    """Import what calls will need, on workers that are not ours to settle; Dask waits for no coroutine."""
    await asyncio.to_thread(_import_all, modules)


def _import_all(modules: Sequence[str]) -> None:
    for module in modules:
        with suppress(ImportError):
            importlib.import_module(module)
