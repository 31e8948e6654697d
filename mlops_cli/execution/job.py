"""What workers are given: the data in memory or memory-mapped, the splits, and how to score."""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from mlops_cli.components.assemble import Assembly
from mlops_cli.components.fit_rows import FitRows
from mlops_cli.components.launchers.provided import provided
from mlops_cli.execution.packing import pack, unpack

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import numpy as np
    import pandas as pd

    from mlops_cli.components.layout import Node
    from mlops_cli.records import Column, MetricSpec, Task, Trial

    Indices = np.ndarray[Any, Any]
    Split = tuple[Indices, Indices]  # positions in ``X`` of the training and of the test rows

T = TypeVar("T")


@dataclass(frozen=True)
class Scoring:
    """Which metrics to compute, and what they need to know."""

    metrics: tuple[MetricSpec, ...]
    classes: tuple[Any, ...] | None = None
    positive: Any = None


@dataclass(frozen=True)
class Job:
    """All that the trials of one run share."""

    X: pd.DataFrame
    y: np.ndarray[Any, Any] | None
    weights: np.ndarray[Any, Any] | None
    columns: tuple[Column, ...]
    task: Task
    scoring: Scoring
    trust: tuple[str, ...] = ()
    root: str = ""  # the workspace, where the user's own modules are imported from
    in_time: bool = False  # rows come in the order of time
    code: Mapping[str, bytes] = field(default_factory=dict)  # own modules, for machines that do not have ``root``
    start: Any = None  # the fitted Pipeline, frozen, of a model that goes on learning
    groups: np.ndarray[Any, Any] | None = None  # of rows that are never split apart

    def assembly(self, trial: Trial) -> Assembly:
        """Return what makes the parts of a trial."""
        return Assembly(trial.spec, self.task, self.columns, self.trust, self.scoring.positive, self.start)

    def known_of(self, rows: Indices | None = None) -> FitRows:
        """Return what a fit on some rows, or on all, should know of them."""
        groups = self.groups if rows is None or self.groups is None else self.groups[rows]
        return FitRows(len(self.X) if rows is None else len(rows), self.in_time, groups)

    def __getstate__(self) -> dict[str, Any]:
        # Scorers that this process has made for itself stay here.
        state = {name: value for name, value in self.__dict__.items() if name != "resolved_metrics"}
        return {**state, "X": pack(self.X)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update({**state, "X": unpack(state["X"])})

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
class Travelling(Generic[T]):
    """A value that is itself in this process, and in another one a file that is mapped into memory.

    The file is written when the value first travels: where everything runs in one process there is none.
    """

    path: Path
    value: T | None = None

    @property
    def is_home(self) -> bool:
        """Whether this is the process that the value was made in."""
        return self.value is not None

    def get(self) -> T:
        """Return the value; another process reads the file once."""
        return self.value if self.value is not None else _mapped_value(str(self.path))

    def write(self) -> Path:
        """Write the file if it is not there yet, and return where it is."""
        if self.value is not None and not self.path.exists():
            import joblib

            beside = self.path.with_suffix(".new")
            joblib.dump(self.value, beside)
            beside.replace(self.path)
        return self.path

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.write(),)


@lru_cache(maxsize=16)
def _mapped_value(path: str) -> Any:
    """Read a value with its arrays memory-mapped."""
    import joblib

    here = provided(Path(path))
    value = joblib.load(here, mmap_mode="c")
    if isinstance(value, Job):
        root = Path(value.root) if Path(value.root).is_dir() else _unpacked(value.code, here.with_suffix(".code"))
        make_importable(str(root), value.trust)
    return value


def _unpacked(code: Mapping[str, bytes], folder: Path) -> Path:
    """Write the user's own modules to a machine that does not have them."""
    for name, content in code.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


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
