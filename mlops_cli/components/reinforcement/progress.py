"""How far a training is, and the files that let it go on after an interruption as if there had been none."""

from __future__ import annotations

import json
import math
import shutil
import time
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from mlops_cli.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from mlops_cli.contracts import Agent

APART_S = 1.0
"""Seconds between two writes, at least."""

SHARE = 0.05
"""Of the time that writing may take."""

_FILE = "progress.json"


@dataclass
class Progress:
    """How far a training is."""

    episode: int = 0  # that have ended
    steps: int = 0  # of the environment, in all of them
    is_solved: bool = False
    returns: list[float] = field(default_factory=list)  # of the episodes since the last point
    points: list[tuple[int, dict[str, float]]] = field(default_factory=list)  # of the curves

    def add(self, returned: float, length: int) -> None:
        """Note an episode."""
        self.episode += 1
        self.steps += length
        self.returns.append(returned)

    def mean_return(self) -> float:
        """Return what an episode of learning brought since the last point."""
        return math.fsum(self.returns) / len(self.returns)

    def note(self, values: Mapping[str, float], *, is_solved: bool) -> None:
        """Note a point of the curves."""
        self.points.append((self.episode, dict(values)))
        self.returns = []
        self.is_solved = is_solved


class Keeper:
    """Writes how far a training is, seldom enough to cost little, and takes it up again.

    Parameters
    ----------
    folder : Path
        Of this repetition alone.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._next = time.monotonic() + APART_S

    @property
    def is_due(self) -> bool:
        """Whether it is time to write again."""
        return time.monotonic() >= self._next

    def write(self, agent: Agent, progress: Progress) -> None:
        """Write an agent and how far it is: whole, or not at all."""
        started = time.monotonic()
        beside, target = self._folder / "writing", self._folder / f"{progress.episode:012d}"
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir(parents=True)
        agent.save(beside)
        (beside / _FILE).write_text(json.dumps(asdict(progress)), encoding="utf-8")
        beside.rename(target)
        for older in self._kept():
            if older != target:
                shutil.rmtree(older, ignore_errors=True)
        ended = time.monotonic()
        self._next = ended + max(APART_S, (ended - started) / SHARE)

    def take_up(self, agent: Agent) -> Progress | None:
        """Let an agent become what was kept last, and return how far it was; None where nothing can be read."""
        for folder in reversed(self._kept()):
            try:
                progress = _read(folder)
                agent.load(folder)
            except (OSError, ValueError, KeyError, TypeError, StoreError):  # cut short by a crash: the one before it
                continue
            return progress
        return None

    def _kept(self) -> list[Path]:
        return sorted(path for path in self._folder.glob("*") if path.name.isdecimal())


def _read(folder: Path) -> Progress:
    found: dict[str, Any] = json.loads((folder / _FILE).read_text(encoding="utf-8"))
    points = [(int(step), dict(values)) for step, values in found.pop("points")]
    return Progress(**found, points=points)
