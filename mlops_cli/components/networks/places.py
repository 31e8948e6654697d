"""Where networks compute: on which device, on how many threads, and so that it comes out the same each time."""

from __future__ import annotations

import os
import re
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAME = re.compile(r"(cpu|cuda|mps)(:\d+)?")


def device_of(name: str, *, is_needed: bool = True) -> torch.device:
    """Return a device by its name; ``auto`` is CUDA where there is one, else the processor.

    Parameters
    ----------
    name : str
        ``auto``, ``cpu``, ``cuda``, ``cuda:1``, ``mps``.
    is_needed : bool
        Else the processor stands in for a device that is not there.

    Raises
    ------
    ValueError
        There is no such device.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        device = None
    there = {
        "cpu": 1,
        "cuda": torch.cuda.device_count() if torch.cuda.is_available() else 0,
        "mps": int(torch.backends.mps.is_available()),
    }
    if device is not None and (device.index or 0) < there.get(device.type, 0):
        return device
    if not is_needed:
        return torch.device("cpu")
    shown = ", ".join(["auto", *(kind for kind, count in there.items() if count)])
    raise ValueError(f"'device': there is no {name!r} on this machine; there are {shown}")


def check_device(name: str, *, is_here: bool) -> None:
    """Refuse a device that is not there; of another machine only what is no device's name anywhere.

    Raises
    ------
    ValueError
        With those that there are.
    """
    if is_here:
        device_of(name)
    elif name != "auto" and _NAME.fullmatch(name) is None:
        raise ValueError(f"'device': {name!r} is the name of no device; there may be auto, cpu, cuda, cuda:1, mps")


@contextmanager
def few_threads(threads: int) -> Iterator[None]:
    """Compute on so many threads of the processor; the setting is this thread's own."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def deterministic(device: torch.device) -> Iterator[None]:
    """Take the way of computing on CUDA that gives the same bits each time; on one thread of the processor all do."""
    if device.type != "cuda":
        yield
        return
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # read as CUDA is first used
    before = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    with ExitStack() as stack:
        stack.enter_context(torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True))
        torch.use_deterministic_algorithms(True, warn_only=True)
        stack.callback(torch.use_deterministic_algorithms, before[0], warn_only=before[1])
        yield
