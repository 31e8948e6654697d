"""Protocols of what a user can slot in that scikit-learn has no interface for.

Models, transforms, splitters and metrics follow scikit-learn's own interfaces and need nothing from here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    from mlops_cli.records import ErrorInfo, Event, Notice, SampleSpec, TrialState


@runtime_checkable
class DataSource(Protocol):
    """Where data comes from: a class whose constructor takes the keys under ``data:`` that are not roles.

    A source of a user's own is a class with these methods and ``data: {_target_: my_module.MySource, …}``.
    """

    def load(self) -> pd.DataFrame:
        """Return the table: one row per example, one column per variable.

        Raises
        ------
        DataError
            The data cannot be read; the message says what would mend it.
        """
        ...


@runtime_checkable
class InspectsItself(Protocol):
    """A data source that can say what is suspicious in its raw form, before parsing hides it."""

    def inspect(self, table: pd.DataFrame) -> list[Notice]:
        """Return what to say about the raw data behind the ``table`` that `load` returned."""
        ...


@dataclass(frozen=True)
class Wanted:
    """What is to be read of a table that has more."""

    names: Callable[[Sequence[str]], list[str]]  # of all names, in order; refuses what is not there
    places: Callable[[int], npt.NDArray[np.int64]]  # of so many rows, the places that are drawn, ascending
    sample: SampleSpec | None = None  # how they are drawn; None is every row
    is_passing: bool = False  # each piece is let go before the next: no more of them should be in memory than one


@dataclass(frozen=True)
class Portion:
    """What was read of a table that has more."""

    table: pd.DataFrame  # the wanted rows of the wanted columns, in the order of the table
    rows: int  # of the whole
    places: npt.NDArray[np.int64]  # where each row stands in the whole, counted from 0


@runtime_checkable
class ReadsLess(Protocol):
    """A data source that can read a part of its table with less than the whole takes.

    Of other sources the whole is read, and the part is taken of that. Both have to come to the same table.
    """

    def load_less(self, wanted: Wanted) -> Portion:
        """Return the wanted rows and columns.

        Raises
        ------
        DataError
            As for `DataSource.load`.
        ConfigError
            What ``wanted.names`` raises of a column that is not there.
        """
        ...


class Observer(Protocol):
    """Whoever watches a run: called in the parent process with each event, in order."""

    def __call__(self, event: Event, /) -> None:
        """Take note of ``event``. It must be quick, and an exception in it ends the run."""
        ...


class Sampler(Protocol):
    """What chooses the points of a sweep, and may learn from those that have ended.

    Points are numbered from 0 in the order in which they are asked for. What a sampler answers depends on its seed and
    on the order of the calls alone, so that a sweep that is asked again gives the same points again.
    """

    @property
    def size(self) -> int | None:
        """How many points it will give, where that is known."""
        ...

    def ask(self) -> Mapping[str, Any] | None:
        """Return the next point, key → value; None when there is none left."""
        ...

    def tell(self, number: int, state: TrialState, values: Sequence[float] | None) -> None:
        """Learn how a point did, in the order of the numbers.

        Parameters
        ----------
        number : int
            Which point.
        state : TrialState
            How its trial ended.
        values : sequence of float, optional
            The mean of each objective, where the trial has scores; of a pruned trial, of what it had.
        """
        ...


@dataclass(frozen=True)
class Call:
    """One thing to be computed: a function of a module, by name, and its argument."""

    key: Hashable
    function: Callable[[Any], Any]
    argument: Any


@dataclass(frozen=True)
class Returned:
    """What came of a call: its value, or why it was lost."""

    key: Hashable
    value: Any = None
    lost: ErrorInfo | None = None  # its worker died (WorkerLost), or it broke a limit (TimeLimit, MemoryLimit)
    output: str = ""  # the end of what it printed, where it was lost or that much is kept


class Launcher(Protocol):
    """Where calls are computed: here, in threads, in processes, on a cluster.

    A call that kills its worker is tried once more, with nothing else under way; one that dies again is lost, with why.
    No other call is lost with it. The functions that are called return their own failures as values; one that raises
    all the same is lost with what it raised.
    """

    @property
    def workers(self) -> int:
        """How many calls run at a time."""
        ...

    @property
    def shares_files(self) -> bool:
        """Whether workers see the files of this machine."""
        ...

    def warm(self) -> None:
        """Begin to start workers, if this is worth it; returns at once."""
        ...

    def expect(self, calls: int) -> None:
        """Take note of about how many calls are still to be submitted."""
        ...

    def provide(self, path: Path) -> None:
        """Let workers that do not see the files of this machine have one, by `launchers.provided`."""
        ...

    def submit(self, call: Call) -> None:
        """Take a call; returns at once."""
        ...

    def wait(self, timeout: float | None = None) -> Sequence[Returned]:
        """Return what has ended, at least one; nothing where nothing is under way, or after ``timeout`` seconds."""
        ...

    def cancel(self, keys: Collection[Hashable]) -> frozenset[Hashable]:
        """Drop calls that have not begun, and return their keys: nothing will be returned for these."""
        ...

    def close(self, *, kill: bool = False) -> None:
        """End the workers; ``kill`` does not wait for what they compute. To close twice does nothing."""
        ...
