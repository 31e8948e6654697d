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

    from mlops_cli.records import ErrorInfo, Event, Notice, RunRecord, SampleSpec, Signature, TrialResult, TrialState


@runtime_checkable
class DataSource(Protocol):
    """Where data comes from: a class whose constructor takes the keys under ``data:`` that are not roles.

    A source of a user's own is a class with these methods and ``data: {_target_: my_module.MySource, …}``.
    """

    def load(self) -> pd.DataFrame:
        """Return the table: one row per example, one column per variable; it may be of polars, lazy or not.

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


@dataclass(frozen=True)
class BeforeFit:
    """What is known of a fit before it begins."""

    columns: int | None = None  # that the steps give; None where only fitting them tells
    classes: int | None = None  # of the target; None where there are none, or not these
    is_here: bool = True  # it is done on this machine


@runtime_checkable
class ChecksBeforeFit(Protocol):
    """A model or transformer that can tell, before anything is fitted, that no fit would succeed."""

    def check_before_fit(self, known: BeforeFit) -> None:
        """Refuse what would fail in every fit.

        Raises
        ------
        ValueError
            With what is wrong and what mends it; begun with ``'NAME':`` it is said of that parameter.
        """
        ...


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


# --- trackers ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ended:
    """A run that has ended, as trackers are told of it."""

    record: RunRecord
    files: Mapping[str, Path]  # path inside the run → where it is, of all that may be uploaded
    signature: Signature | None = None  # of the model that was saved
    open_model: Callable[[], Any] | None = None  # opens that model: a fitted Pipeline of scikit-learn
    sample: Callable[[], pd.DataFrame] | None = None  # a few rows as the model takes them, where they can still be read


class Tracker(Protocol):
    """Where a run is told of besides its own directory, which stays the truth.

    A class whose constructor takes the keys under ``tracker:``, save ``files`` and ``wait_s``; a parameter ``root`` is
    given the workspace's folder. Building it only checks what it is given, before the first fit; then one process that
    does nothing else calls it, in this order: `start`, `log_trial` for each trial as it ends, `finish`, `close`.
    Whatever it raises, or however long it takes, the run goes on: it is said as a warning, and ``mlops runs export RUN
    --to NAME`` makes the same calls later. So to be told of a run twice must leave one record of it, with what was said
    last: its id is ``record.id``.
    """

    def start(self, record: RunRecord, config: Mapping[str, Any]) -> None:
        """Begin to tell of a run; ``config`` is as it is saved, without secrets."""
        ...

    def log_trial(self, record: RunRecord, result: TrialResult) -> None:
        """Tell of a trial that has ended, with its curves."""
        ...

    def finish(self, ended: Ended) -> str | None:
        """Tell how it ended, with its files and model; return where it is to be seen, a URL or a path."""
        ...

    def close(self) -> None:
        """Let go of connections; called after any of the above has raised too."""
        ...


# --- trials without a table ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Trying:
    """What a trial without a table is told of itself: one repetition of one point of the space."""

    seed: int  # of this repetition: of everything random in it
    repetition: int  # counted from 0
    folder: Path  # what is written here is kept with the run, where the trial is its best
    checkpoints: Path  # what is written here is there again where this repetition is begun anew after an interruption
    log: Callable[..., None]  # log(step, loss=0.3, accuracy=0.9): a point of each curve
    workspace: Path  # where it runs


class Agent(Protocol):
    """What acts in an environment of gymnasium, and learns from what comes of it.

    A class whose constructor takes ``observation_space``, ``action_space``, ``seed=`` and the keys under ``agent:``.
    One that takes ``episodes`` too is told how many are planned, unless the config says it: how long its schedules are.
    """

    def act(self, observation: Any, *, explore: bool) -> Any:
        """Return an action; without ``explore`` the one that it holds to be best, which changes nothing in it."""
        ...

    def learn(self, observation: Any, action: Any, reward: float, following: Any, *, terminated: bool) -> None:
        """Take note of one step; ``terminated`` is whether nothing can come after ``following``."""
        ...

    def end_episode(self) -> None:
        """Take note that an episode is over, terminated or cut off."""
        ...

    def save(self, folder: Path) -> None:
        """Write all that it has learned, and all that going on as if nothing had been needs; no pickles."""
        ...

    def load(self, folder: Path) -> None:
        """Become what was saved."""
        ...


class Trains(Protocol):
    """An agent that has a training of its own, in place of `Agent.learn` and `Agent.end_episode`."""

    def train(self, env: Any, steps: int, log: Callable[..., None]) -> int | None:
        """Train in an environment for about so many steps; return how many episodes that were, where it is known.

        ``log(episode, training_return=…)`` is a point of each curve. The agent's seed is that of all that is random.
        """
        ...
