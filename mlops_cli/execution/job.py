"""What workers are given: the data in memory or memory-mapped, the splits, and how to score."""

from __future__ import annotations

import importlib
import os
import sys
import threading
import time
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_cli.components.assemble import Assembly

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import numpy as np
    import pandas as pd

    from mlops_cli.components.layout import Node
    from mlops_cli.records import Column, MetricSpec, Task, Trial

    Indices = np.ndarray[Any, Any]
    Split = tuple[Indices, Indices]


@dataclass(frozen=True)
class Scoring:
    """Which metrics to compute, and what they need to know."""

    metrics: tuple[MetricSpec, ...]
    classes: tuple[Any, ...] | None = None
    positive: Any = None


@dataclass(frozen=True)
class Job:
    """All that the trials of one run share. Row indices of the splits count positions in ``X``."""

    X: pd.DataFrame
    y: np.ndarray[Any, Any] | None
    weights: np.ndarray[Any, Any] | None
    columns: tuple[Column, ...]
    splits: Mapping[str, tuple[Split, ...]]  # by the key of a trial's split
    task: Task
    scoring: Scoring
    trust: tuple[str, ...] = ()
    root: str = ""  # the workspace, where the user's own modules are imported from

    def assembly(self, trial: Trial) -> Assembly:
        """Return what makes the parts of a trial."""
        return Assembly(trial.spec, self.task, self.columns, self.trust, self.scoring.positive)

    @cached_property
    def resolved_metrics(self) -> Any:
        """The metrics as scorers."""
        from mlops_cli.components.metrics import resolve_metrics

        return resolve_metrics(
            self.scoring.metrics,
            task=self.task,
            classes=self.scoring.classes,
            positive=self.scoring.positive,
            trust=self.trust,
            has_target=self.y is not None,
        )


@dataclass(frozen=True)
class Candidate:
    """A trial with its tree of fits and the key of its splits."""

    trial: Trial
    root: Node
    splits: str


@dataclass(frozen=True)
class Handle:
    """A job as it travels: itself within one process, or the file that workers map into memory."""

    path: Path | None = None
    job: Job | None = None
    parent: int = 0  # the process that a worker works for

    def open(self) -> Job:
        """Return the job; a worker reads the file once."""
        return self.job if self.job is not None else _mapped_job(str(self.path), self.parent)


@lru_cache(maxsize=1)
def _mapped_job(path: str, parent: int) -> Job:
    """Read a job with its arrays memory-mapped."""
    import joblib

    if os.getpid() != parent:
        _settle_worker(parent)
    job: Job = joblib.load(path, mmap_mode="c")
    make_importable(job.root, job.trust)
    return job


def _settle_worker(parent: int) -> None:
    """Leave Ctrl-C to the parent, and end with it however it ends."""
    import signal

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


class _WorkspacePath(str):
    """An entry of ``sys.path`` that `make_importable` has put there."""

    __slots__ = ()


def make_importable(root: str, trust: Collection[str]) -> None:
    """Let the user's own modules be imported from the workspace, as they are on disk now.

    A process may run experiments of several workspaces, and a notebook one after an edit: modules of the workspace
    that were imported before are imported anew, since the fingerprint speaks of the files.
    """
    importlib.invalidate_caches()
    sys.path[:] = [entry for entry in sys.path if not isinstance(entry, _WorkspacePath)]
    if root and root not in sys.path:
        sys.path.append(_WorkspacePath(root))  # last: a user's file must not stand in for a library's
    own = {top for name in trust if _lies_in(top := name.partition(".")[0], Path(root))}
    for name in [name for name in sys.modules if name.partition(".")[0] in own]:
        del sys.modules[name]


def _lies_in(module: str, root: Path) -> bool:
    return (root / f"{module}.py").is_file() or (root / module).is_dir()


def mapped(path: str) -> Any:
    """Map arrays that another task stored, copy-on-write: some estimators refuse read-only ones.

    Mapped anew each time: an estimator that works in place must not change what the next task reads.
    """
    import joblib

    return joblib.load(path, mmap_mode="c")
