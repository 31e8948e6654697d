"""What came of a call: its value, or why it was lost, as text for the person who reads the record."""

from __future__ import annotations

import os
import pickle
import re
import signal
import traceback
from typing import TYPE_CHECKING, Any

from mlops_cli.records import ErrorInfo

if TYPE_CHECKING:
    from collections.abc import Callable

OUTPUT_CHARACTERS = 2000
"""How much of the end of what a call printed is kept."""

_LOG_BYTES = 1 << 16
"""How much of the end of a log is read."""

_FAULT = re.compile(r"^(Fatal Python error: |Current thread 0x|Thread 0x)", re.MULTILINE)
"""How the text begins that the standard library's faulthandler writes."""


def raised(error: BaseException) -> ErrorInfo:
    """Return an exception as text: some cannot be pickled, and some cannot even be printed."""
    try:
        message = str(error).strip()
    except Exception:  # noqa: BLE001 - its author's own __str__
        message = ""
    try:
        text = "".join(traceback.format_exception(error))
    except Exception:  # noqa: BLE001 - likewise
        text = "".join(traceback.format_tb(error.__traceback__))
    return ErrorInfo(type(error).__name__, message or type(error).__name__, text)


def not_sent(error: BaseException) -> ErrorInfo:
    """Return that a call cannot travel to a worker."""
    found = raised(error)
    return ErrorInfo(found.type, f"it cannot be sent to a worker: {found.message}", found.traceback)


def not_returned(error: BaseException) -> ErrorInfo:
    """Return that what a call returned cannot travel back."""
    found = raised(error)
    return ErrorInfo(found.type, f"its result cannot be sent back: {found.message}", found.traceback)


def outcome(call: bytes, dumps: Callable[[Any], bytes]) -> bytes | ErrorInfo:
    """Compute a call that was pickled, and return its value, pickled by ``dumps``, or why there is none."""
    try:
        function, argument = pickle.loads(call)  # noqa: S301 - the parent's own
        value = function(argument)
    except BaseException as error:  # noqa: BLE001 - SystemExit and KeyboardInterrupt of a call are its own
        return raised(error)
    try:
        return dumps(value)
    except BaseException as error:  # noqa: BLE001 - whatever its __reduce__ does
        return not_returned(error)


def too_long(seconds: float) -> ErrorInfo:
    """Return that a call broke its time limit."""
    return ErrorInfo("TimeLimit", f"it took more than {seconds:g} s, launcher.trial_timeout")


def too_large(size: int) -> ErrorInfo:
    """Return that a call broke its memory limit."""
    return ErrorInfo("MemoryLimit", f"it held more than {as_size(size)}, launcher.trial_memory")


def as_size(size: int) -> str:
    """Return bytes in the unit in which they are a small whole number: most likely the one that was typed.

    Examples
    --------
    >>> as_size(500_000_000), as_size(2 * 2**30), as_size(1_500_000_000), as_size(1537)
    ('500 MB', '2 GiB', '1500 MB', '1537 bytes')
    """
    units = {1: "bytes"} | {
        base ** (power + 1): f"{letter}{ending}"
        for base, ending in ((1000, "B"), (1024, "iB"))
        for power, letter in enumerate("kMGT" if base == 1000 else "KMGT")
    }
    largest = max(unit for unit in units if size % unit == 0)
    return f"{size // largest} {units[largest]}"


def worker_lost(returncode: int | None) -> ErrorInfo:
    """Return how a worker process ended under a call, twice.

    Examples
    --------
    >>> worker_lost(-9).message
    'its worker process was killed by SIGKILL (out of memory?)'
    >>> worker_lost(3).message
    'its worker process ended with exit code 3'
    """
    return ErrorInfo("WorkerLost", f"its worker process {ending(returncode)}")


def ending(returncode: int | None) -> str:
    """Return in words how a process ended."""
    if returncode is None:
        return "closed its connection"
    if returncode >= 0:
        return f"ended with exit code {returncode}"
    hint = " (out of memory?)" if returncode == -signal.SIGKILL else ""
    return f"was killed by {_name(-returncode)}{hint}"


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def end_of(log: int) -> str:
    """Return the end of what has been written to a descriptor."""
    start = max(0, os.fstat(log).st_size - _LOG_BYTES)
    return os.pread(log, _LOG_BYTES, start).decode(errors="replace")


def split_log(log: str) -> tuple[str, str]:
    r"""Return the end of what was printed, and the traceback that faulthandler wrote after it.

    Examples
    --------
    >>> split_log("fitting\nCurrent thread 0x01 (most recent call first):\n")
    ('fitting\n', 'Current thread 0x01 (most recent call first):\n')
    """
    fault = _FAULT.search(log)
    start = len(log) if fault is None else fault.start()
    return log[:start][-OUTPUT_CHARACTERS:], log[start:]
