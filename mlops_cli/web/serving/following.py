"""The version that answers: followed by its alias, loaded beside the one before, swapped in one assignment.

A request that has begun keeps the version that it began with. A version that cannot be loaded changes nothing but what
is said: the one before goes on answering.
"""

from __future__ import annotations

import asyncio
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops_cli.errors import MlopsError, StoreError
from mlops_cli.records import Action
from mlops_cli.store.audit import AuditLog
from mlops_cli.store.layout import WorkspacePaths
from mlops_cli.workflows.applying.model import find_model

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from starlette.types import ASGIApp

    from mlops_cli.web.serving.counting import Counts
    from mlops_cli.web.serving.served import Served
    from mlops_cli.workflows.applying.model import SavedModel

LOOK_S = 1.0
"""Seconds between two looks at what the alias means."""

RETRY_S = 60.0
"""Seconds until a version that could not be loaded is tried again, where nothing changes before."""


@dataclass(frozen=True)
class Answering:
    """A version and the application in front of it."""

    version: Served
    app: ASGIApp


@dataclass(frozen=True)
class Wanted:
    """What is to be served, and how a version of it becomes one that answers.

    Parameters
    ----------
    ref : str
        ``titanic@champion``, ``titanic/3``, a run.
    workspace : Path
        The workspace.
    load : callable
        Opens a version, and raises where it cannot be.
    address : mapping
        Host and port, for the audit log.
    """

    ref: str
    workspace: Path
    load: Callable[[SavedModel], Answering]
    address: dict[str, Any]

    def find(self) -> SavedModel:
        """Return the version that is meant now."""
        return find_model(self.ref, workspace=self.workspace)

    def state(self) -> Any:
        """Return what changes when something else may be meant; costs no more than a few calls of stat."""
        if "/" in self.ref or ":" in self.ref:
            return None  # a version, or a run, which are what they are
        name = self.ref.partition("@")[0]
        try:
            place = WorkspacePaths(self.workspace).aliases(name)
        except StoreError:
            return None
        return _stat(place), (None if "@" in self.ref else _stat(place.parent))


class Following:
    """Holds the version that answers.

    Parameters
    ----------
    wanted : Wanted
        What is to be served.
    counts : Counts
        Told of versions that come, and of those that cannot.
    told : callable
        Is given a line for whoever watches the server.

    Raises
    ------
    MlopsError
        The first version cannot be loaded.
    """

    def __init__(self, wanted: Wanted, counts: Counts, told: Callable[[str], None]) -> None:
        self.wanted, self.counts, self.told = wanted, counts, told
        self.problem: str | None = None  # which version is asked for and cannot be loaded
        self._lock = threading.Lock()
        self._state = wanted.state()
        self._failed = 0.0
        self.current = self._loaded(wanted.find())
        label = self.current.version.label
        self.asked = label if "/" in wanted.ref else wanted.ref  # as whoever asks is told: no path of this machine
        counts.now_answers(label, self.asked)

    async def watch(self) -> None:
        """Look again and again whether another version is meant."""
        while True:
            await asyncio.sleep(LOOK_S)
            await asyncio.to_thread(self.look)

    def look(self) -> None:
        """Serve another version if one is meant now."""
        state = self.wanted.state()
        is_due = self.problem is not None and time.monotonic() - self._failed >= RETRY_S
        if state != self._state or is_due:
            self.refresh(state)

    def refresh(self, state: Any = None, *, force: bool = False) -> bool:
        """Serve what is meant now; return whether all is well.

        Parameters
        ----------
        state : object
            As `Wanted.state` had it before.
        force : bool
            Load it anew even if it is the version that answers.
        """
        with self._lock:
            self._state = self.wanted.state() if state is None else state
            label = self.asked
            try:
                saved = self.wanted.find()
                label = saved.label
                if force or not self._is_current(saved):
                    self._swap(self._loaded(saved))
            except Exception as error:  # noqa: BLE001  whatever a library raises while a file is opened
                self._keep(label, error)
                return False
            self.problem = None
            self.counts.stale.set(0)
            return True

    def _is_current(self, saved: SavedModel) -> bool:
        now = self.current.version.opened.saved
        return now.label == saved.label and now.hashes == saved.hashes

    def _loaded(self, saved: SavedModel) -> Answering:
        """Open a version, and write down that it is about to answer."""
        found = self.wanted.load(saved)
        details = {"for": "serve", "asked": self.wanted.ref, "run": saved.record.id, **self.wanted.address}
        AuditLog(WorkspacePaths(self.wanted.workspace)).append(Action.LOADED, saved.label, details)
        return found

    def _swap(self, found: Answering) -> None:
        before, now = self.current.version.label, found.version.label
        self.current = found
        self.counts.now_answers(now, self.asked)
        self.told(f"{now} was loaded anew" if now == before else f"{now} answers, and no longer {before}")

    def _keep(self, label: str, error: Exception) -> None:
        kept = self.current.version.label
        said = str(error) if isinstance(error, MlopsError) else f"{type(error).__name__}: {error}"
        self.problem, self._failed = label, time.monotonic()
        self.counts.failures.inc()
        self.counts.stale.set(1)
        self.told(f"{label} cannot be loaded, {kept} goes on answering: {' '.join(said.split())}")


def _stat(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
