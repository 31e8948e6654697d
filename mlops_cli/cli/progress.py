"""What a person sees on stderr while a run goes: a live view on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mlops_cli.cli.screen import err
from mlops_cli.records import RunStarted, Stage, TrialFinished
from mlops_cli.views.plan import opening
from mlops_cli.views.progress import Watched, after, live, progress_line, reason_of, stage_line
from mlops_cli.views.text import clean, notices

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console, RenderableType

    from mlops_cli.contracts import Observer
    from mlops_cli.records import Event

    Clock = Callable[[], float]

REDRAWS = 4
"""How often the live view is drawn in a second."""

PLAIN_EVERY_S = (2.0, 30.0)
"""Seconds between two plain lines, at first and when a run takes long: its log stays readable."""

STAGE_AFTER_S = 10.0
"""A run that has taken so long says what it does after its trials: that may take long too."""

PLAIN_SHARE = 0.1
"""Of the time so far, how much passes between two plain lines."""


@contextmanager
def display(*, quiet: bool) -> Iterator[Observer]:
    """Show a run's progress while the context lasts."""
    if quiet:
        yield _ignore
        return
    console = err()
    if not is_live(console):
        yield PlainDisplay(console)
        return
    shown = LiveDisplay(console)
    with shown.live:
        yield shown


def is_live(console: Console) -> bool:
    """Whether lines can be drawn over: on a terminal that knows how, whose owner has not asked for plain text."""
    return console.is_interactive and not console.no_color and console.file.isatty()


def _ignore(_event: Event) -> None:
    pass


class PlainDisplay:
    """One line now and then, for logs and pipes.

    Parameters
    ----------
    console : Console
        Where they go.
    clock : callable
        Returns seconds.
    """

    def __init__(self, console: Console, clock: Clock = time.monotonic) -> None:
        self._console = console
        self._clock = clock
        self._watched = Watched.begun(clock())
        self._last = clock()

    def __call__(self, event: Event) -> None:
        """Write what is worth a line."""
        before, now = self._watched, self._clock()
        watched = self._watched = after(before, event, now)
        if isinstance(event, RunStarted):
            self._begin(event, now)
        elif isinstance(event, Stage):
            if watched.plan is not None and now - watched.pace.start >= STAGE_AFTER_S:
                self._write(stage_line(watched))
        else:
            self._progress(before, event, now)

    def _begin(self, event: RunStarted, now: float) -> None:
        self._last = now
        self._write(opening(event.plan, event.dataset, event.workers).plain)
        for warning in notices(event.record.warnings):
            self._console.print(warning, soft_wrap=True)

    def _progress(self, before: Watched, event: Event, now: float) -> None:
        watched, told = self._watched, {None, *(failure.reason for failure in before.failures)}
        if isinstance(event, TrialFinished) and (reason := reason_of(event)) not in told:  # the others are counted
            self._write(f"trial {event.result.trial} {event.result.state}: {reason}")
        ends = watched.is_over and not before.is_over
        if ends or (watched.work[0] and now - self._last >= self._pause(now)):
            self._last = now
            self._write(progress_line(watched, now))

    def _pause(self, now: float) -> float:
        """Return how many seconds pass between two lines."""
        least, most = PLAIN_EVERY_S
        return min(most, max(least, (now - self._watched.pace.start) * PLAIN_SHARE))

    def _write(self, text: str) -> None:
        self._console.print(clean(text), markup=False, soft_wrap=True)


class LiveDisplay:
    """A few lines that renew themselves, and are gone when the run has ended.

    Parameters
    ----------
    console : Console
        A terminal.
    clock : callable
        Returns seconds.
    """

    def __init__(self, console: Console, clock: Clock = time.monotonic) -> None:
        from rich.live import Live

        self._console = console
        self._clock = clock
        self._watched = Watched.begun(clock())
        self.live = Live(
            get_renderable=self._shown,
            console=console,
            refresh_per_second=REDRAWS,
            transient=True,
            redirect_stdout=sys.stdout.isatty(),  # what goes into a file or a pipe is left alone
        )

    def __call__(self, event: Event) -> None:
        """Take note; what is drawn next shows it."""
        if isinstance(event, RunStarted):
            self._console.print(opening(event.plan, event.dataset, event.workers))
            for warning in notices(event.record.warnings):
                self._console.print(warning)
        self._watched = after(self._watched, event, self._clock())

    def _shown(self) -> RenderableType:
        return live(self._watched, self._clock(), self._console.width)
