"""Calls in threads of this process, with what they print kept from the user's screen."""

from __future__ import annotations

import sys
import threading
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any, TextIO

from mlops_cli.components.launchers.verdicts import OUTPUT_CHARACTERS, raised
from mlops_cli.contracts import Returned

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from mlops_cli.contracts import Call


@dataclass(frozen=True)
class Ended:
    """A call that has ended, and how long it took."""

    returned: Returned
    seconds: float


class Hands:
    """Threads that compute calls, in the order in which they were given.

    They are daemons: one that hangs must not keep the process from ending. That calls never run in the thread that
    waits for them lets Ctrl-C reach that one at once, and tells it from a KeyboardInterrupt that a call raises.

    Parameters
    ----------
    count : int
        How many calls run at a time.
    told : callable
        Called from a thread as soon as one of its calls has ended.
    """

    def __init__(self, count: int, told: Callable[[], None] = lambda: None) -> None:
        self._count = count
        self._told = told
        self._given: deque[Call] = deque()
        self._ended: list[Ended] = []
        self._change = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._screen = _Screen()
        self._begun: float | None = None
        self._closed = False
        self.under_way = 0  # given and not yet collected

    def give(self, call: Call) -> None:
        """Have a call computed."""
        with self._change:
            self._given.append(call)
            self.under_way += 1
            if len(self._threads) < min(self._count, self.under_way):
                self._threads.append(threading.Thread(target=self._work, daemon=True))
                self._threads[-1].start()
            self._change.notify_all()

    @property
    def seconds(self) -> float:
        """How long the call that began last has run."""
        begun = self._begun
        return 0.0 if begun is None else perf_counter() - begun

    def collect(self, timeout: float | None = 0.0) -> list[Ended]:
        """Return what has ended; waits for the first of it, at most ``timeout`` seconds."""
        with self._change:
            if not self._ended and self.under_way and timeout != 0.0:
                self._change.wait_for(lambda: self._ended, timeout)
            ended, self._ended = self._ended, []
            self.under_way -= len(ended)
        return ended

    def withdraw(self, wanted: Callable[[Call], bool]) -> list[Call]:
        """Return the calls that have not begun and are no longer ``wanted``; nothing will come of these."""
        with self._change:
            dropped = [call for call in self._given if not wanted(call)]
            self._given = deque(call for call in self._given if wanted(call))
            self.under_way -= len(dropped)
        return dropped

    def close(self) -> None:
        """Begin no more calls; those under way are left to themselves."""
        with self._change:
            self._closed = True
            self._given.clear()
            self._change.notify_all()

    def _work(self) -> None:
        while (call := self._next()) is not None:
            self._begun = begun = perf_counter()
            with self._screen.apart() as output:
                returned = _compute(call, output)
            ended = Ended(returned, perf_counter() - begun)
            del call, returned
            with self._change:
                self._ended.append(ended)
                self._change.notify_all()
            del ended
            self._told()

    def _next(self) -> Call | None:
        with self._change:
            self._change.wait_for(lambda: self._given or self._closed)
            return None if self._closed else self._given.popleft()


def _compute(call: Call, output: deque[str]) -> Returned:
    try:
        return Returned(call.key, call.function(call.argument))
    except BaseException as error:  # noqa: BLE001 - SystemExit and KeyboardInterrupt of a call are its own
        return Returned(call.key, lost=raised(error), output="".join(output)[-OUTPUT_CHARACTERS:])


class InProcess:
    """What launchers of this process have in common: there is nothing to be started, and nothing to be sent.

    Parameters
    ----------
    count : int
        How many calls run at a time.
    """

    shares_files = True

    def __init__(self, count: int) -> None:
        self._count = count
        self._hands = Hands(count)

    @property
    def workers(self) -> int:
        """How many calls run at a time."""
        return self._count

    def warm(self) -> None:
        """Do nothing: threads start at once."""

    def expect(self, calls: int) -> None:
        """Do nothing: what is to come changes nothing here."""

    def provide(self, path: Path) -> None:
        """Do nothing: calls see the files of this machine."""

    def close(self, *, kill: bool = False) -> None:  # noqa: ARG002 - nothing here can be killed
        """Begin no more calls; one that hangs in this process cannot be ended before it."""
        self._hands.close()


class _Screen:
    """Keeps what some threads print from reaching stdout and stderr; what the others print passes."""

    def __init__(self) -> None:
        self._outputs: dict[int, deque[str]] = {}  # thread → the end of what it has printed
        self._lock = threading.Lock()
        self._put_up: list[tuple[str, _Stream]] = []

    @contextmanager
    def apart(self) -> Iterator[deque[str]]:
        """Keep what this thread prints, and yield it."""
        output: deque[str] = deque(maxlen=100)
        with self._lock:
            self._outputs[threading.get_ident()] = output
            if len(self._outputs) == 1:
                self._put_up = [(name, self._cover(name)) for name in ("stdout", "stderr")]
        try:
            yield output
        finally:
            with self._lock:
                del self._outputs[threading.get_ident()]
                if not self._outputs:
                    self._take_down()

    def _cover(self, name: str) -> _Stream:
        stream = _Stream(getattr(sys, name), self._outputs)
        setattr(sys, name, stream)
        return stream

    def _take_down(self) -> None:
        for name, stream in self._put_up:
            if getattr(sys, name) is stream:  # else somebody has put another one over it
                setattr(sys, name, stream.below)


class _Stream:
    """A stream that is another one, save for some threads."""

    def __init__(self, below: TextIO, outputs: dict[int, deque[str]]) -> None:
        self.below = below
        self._outputs = outputs

    def write(self, text: str) -> int:
        output = self._outputs.get(threading.get_ident())
        if output is None:
            return self.below.write(text)
        output.append(text[-OUTPUT_CHARACTERS:])
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.below, name)
