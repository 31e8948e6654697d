"""A cluster as launchers use it: what it must do, how it is started, what a config may say of it."""

from __future__ import annotations

import math
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from mlops_cli.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from mlops_cli.components.launchers.provided import ProvidedFile
    from mlops_cli.components.launchers.work import Answers, Batch
    from mlops_cli.records import ErrorInfo, LauncherSpec

MUTE_S = 5.0
"""How long a process may say nothing after the time of its calls is up; one that can answer does so at once."""


@dataclass(frozen=True)
class Ended:
    """What came of a batch: answers; or its worker died, or left as was meant; or it could not be begun, with why."""

    ticket: int
    answers: Answers | None = None
    died: bool = False
    left: bool = False
    mute: bool = False  # past its time, its process says nothing: a call holds the interpreter's lock, and is ended
    failed: ErrorInfo | None = None
    log: str = ""  # the end of what was printed, where that is known


class Machines(Protocol):
    """A cluster as `ClusterLauncher` uses it. Only ``start`` may be called from another thread."""

    patient: bool  # workers may take long to come: they wait in a queue
    logs: str | None  # where workers write what calls print, if they are on this machine

    def start(self) -> None:
        """Connect, and start workers where they are ours to start."""

    def slots(self, *, fresh: bool = False) -> int:
        """Return how many batches run at a time now, or did a moment ago; ``fresh`` asks anew."""

    def send(self, ticket: int, batch: Batch) -> None:
        """Have a batch computed."""

    def ended(self, timeout: float) -> Sequence[Ended]:
        """Wait at most so long, and return what has ended."""

    def supply(self, file: ProvidedFile) -> ProvidedFile:
        """Put the content of a file where workers can fetch it."""

    def renew(self, answers: Answers) -> None:
        """End the process that computed a batch, as a call still runs in it."""

    def close(self, run: str, *, kill: bool) -> None:
        """End what was started, and remove what was fetched."""


def due(batch: Batch) -> float:
    """Return when a batch that begins now is to have been answered, at the latest."""
    each = math.inf if batch.limits.seconds is None else batch.limits.seconds
    return time.monotonic() + each * len(batch.calls) + MUTE_S


class Start:
    """The start of a cluster, beside what the parent does meanwhile.

    Its thread lives until the cluster is closed: processes may be bound to end with the thread that started them.
    """

    def __init__(self, machines: Machines) -> None:
        self._machines = machines
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None
        self._over = threading.Event()  # the start, well or not
        self._closed = threading.Event()

    def begin(self) -> None:
        """Begin to start it, the first time."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, daemon=True)
            self._thread.start()

    def _run(self) -> None:
        try:
            self._machines.start()
        except BaseException as error:  # noqa: BLE001 - raised where it is waited for
            self._error = error
        self._over.set()
        self._closed.wait()

    @property
    def is_done(self) -> bool:
        """Whether the workers can be used."""
        return self._over.is_set() and self._error is None

    def done(self, timeout: float = math.inf) -> bool:
        """Wait for it at most so long, and return whether it is done."""
        self.begin()
        self._over.wait(None if math.isinf(timeout) else max(0.0, timeout))
        if self._error is not None:
            raise self._error
        return self.is_done

    @contextmanager
    def ending(self) -> Iterator[None]:
        """Wait for a start that was begun to end, well or not; its thread ends after what is done in here."""
        if self._thread is not None:
            self._over.wait()
        try:
            yield
        finally:
            self._closed.set()
            if self._thread is not None:
                self._thread.join()


def check_options(spec: LauncherSpec, allowed: Collection[str]) -> None:
    """Refuse options that a config may not give.

    Raises
    ------
    ConfigError
        There is one.
    """
    for name in spec.options:
        if name not in allowed:
            known = ", ".join(sorted(allowed))
            raise ConfigError(f"{name!r} is no option here", key="launcher.options", hint=f"allowed: {known}")
