"""How many workers there are, and what each of them may use."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_cli.records import LauncherSpec

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMBA_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)
"""What native libraries read, as they are loaded, for how many threads they may start; the same as joblib's list."""


@dataclass(frozen=True)
class Limits:
    """What one call may take.

    Parameters
    ----------
    seconds : float, optional
        How long it may run.
    memory : int, optional
        Bytes that its process may hold for itself; files that it maps into memory are not counted.
    """

    seconds: float | None = None
    memory: int | None = None

    @property
    def any(self) -> bool:
        """Whether there is one."""
        return self.seconds is not None or self.memory is not None


def workers(spec: LauncherSpec) -> int:
    """Return how many calls run at a time; negative ``n_jobs`` count back from all cores, as in joblib."""
    if spec.backend == "sequential":
        return 1
    return spec.n_jobs if spec.n_jobs > 0 else max(1, _cores() + 1 + spec.n_jobs)


def thread_limits(processes: int, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that make processes × threads = cores; what the user has set stays.

    Examples
    --------
    >>> thread_limits(10_000, {"MKL_NUM_THREADS": "3"})["MKL_NUM_THREADS"]
    '3'
    >>> thread_limits(10_000, {})["OMP_NUM_THREADS"]
    '1'
    """
    each = str(max(1, _cores() // processes))
    return {name: environment.get(name, each) for name in THREAD_VARIABLES}


def _cores() -> int:
    import joblib  # it knows of cgroups and affinity

    return int(joblib.cpu_count())


def held_memory(pid: int) -> int:
    """Return the bytes that a process holds for itself; 0 where it is gone or this cannot be known."""
    if Path("/proc/self/status").exists():
        return _held_by_proc(pid)
    return _held_by_psutil(pid)


def _held_by_proc(pid: int) -> int:
    try:
        with Path(f"/proc/{pid}/status").open(encoding="ascii", errors="replace") as status:
            found = [line.split()[1] for line in status if line.startswith("RssAnon:")]
    except OSError:
        return 0
    return int(found[0]) * 1024 if found else 0


def _held_by_psutil(pid: int) -> int:
    try:
        import psutil  # type: ignore[import-untyped, unused-ignore]
    except ImportError:
        return 0
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0


class Wear:
    """Tells workers that still hold much of what earlier calls left: that would count against the next one.

    Parameters
    ----------
    limit : int, optional
        Bytes that a worker may hold.
    """

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self._lightest: int | None = None

    def is_worn(self, pid: int) -> bool:
        """Whether an idle worker holds so much that a new one in its place would do better."""
        if self._limit is None:
            return False
        held = held_memory(pid)
        self._lightest = held if self._lightest is None else min(held, self._lightest)
        return held > (self._limit + self._lightest) / 2
