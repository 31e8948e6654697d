"""What a person sees on stderr while a run goes: a live line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mlops_cli.cli.screen import err
from mlops_cli.records import RunStarted, SplitFinished, Stage, TrialFinished
from mlops_cli.views.plan import opening
from mlops_cli.views.text import clean, notice, number, params, plural, seconds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from mlops_cli.contracts import Observer
    from mlops_cli.records import Event

PLAIN_EVERY_S = 2.0
"""Seconds between two plain lines: a log of a long sweep stays readable."""


FEW_TRIALS = 3
"""With fewer ended trials, the time left is no more than a guess."""


@contextmanager
def display(*, quiet: bool) -> Iterator[Observer]:
    """Show a run's progress while the context lasts."""
    if quiet:
        yield _ignore
        return
    console = err()
    if not console.is_terminal:
        yield PlainDisplay(console)
        return
    live = LiveDisplay(console)
    with live.progress:
        yield live


def _of(done: int, total: int | None) -> str:
    """Return how many trials are done, of how many where that is known."""
    return f"{done}/{plural(total, 'trial')}" if total is not None else plural(done, "trial")


def _ignore(_event: Event) -> None:
    pass


def _best(event: TrialFinished, primary: str) -> str:
    if event.best is None:
        return "no score yet"
    chosen = params(event.best.params)
    return f"best {primary} {number(event.best.mean(primary))}" + (f" ({chosen})" if chosen else "")


class PlainDisplay:
    """One line now and then, for logs and pipes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._started = time.monotonic()
        self._last = 0.0
        self._primary = ""

    def __call__(self, event: Event) -> None:
        """Write what is worth a line."""
        if isinstance(event, RunStarted):
            self._primary, self._started = event.plan.primary, time.monotonic()
            self._write(opening(event.plan, event.dataset, event.workers).plain)
            for warning in event.record.warnings:
                self._console.print(notice(warning), soft_wrap=True)
        elif isinstance(event, TrialFinished):
            self._trial(event)

    def _trial(self, event: TrialFinished) -> None:
        now = time.monotonic()
        if event.result.state.has_failed and event.result.error is not None:
            error = event.result.error
            reason = error.message.splitlines()[0]
            self._write(f"trial {event.result.trial} {event.result.state}: {error.type}: {reason}")
        if now - self._last < PLAIN_EVERY_S and event.done != event.total:
            return
        self._last = now
        of = f"{event.done} of {plural(event.total, 'trial')}" if event.total else plural(event.done, "trial")
        self._write(f"{of}, {_best(event, self._primary)}{self._left(event, now)}")

    def _left(self, event: TrialFinished, now: float) -> str:
        if event.total is None or event.done < FEW_TRIALS:
            return ""
        left = (now - self._started) / event.done * (event.total - event.done)
        return f", about {seconds(left)} left" if left > 1 else ""

    def _write(self, text: str) -> None:
        self._console.print(clean(text), markup=False, soft_wrap=True)


class LiveDisplay:
    """One line that renews itself: fits and trials done of all, time left, best so far."""

    def __init__(self, console: Console) -> None:
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

        self._console = console
        self._primary = ""
        self._trials = ""
        self.progress = Progress(
            SpinnerColumn(finished_text=" "),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=20),
            TextColumn("{task.fields[trials]}", markup=False),
            TimeRemainingColumn(compact=True),
            TextColumn("{task.fields[best]}", markup=False),
            console=console,
            transient=True,
        )
        self._task = self.progress.add_task("reading", total=None, best="", trials="")

    def __call__(self, event: Event) -> None:
        """Renew the line."""
        if isinstance(event, RunStarted):
            self._start(event)
        elif isinstance(event, SplitFinished):
            self.progress.update(self._task, completed=event.done, total=event.total)
        elif isinstance(event, TrialFinished):
            self._trial(event)
        elif isinstance(event, Stage):
            self.progress.update(self._task, description=event.name)

    def _start(self, event: RunStarted) -> None:
        self._primary = event.plan.primary
        self._console.print(opening(event.plan, event.dataset, event.workers))
        for warning in event.record.warnings:
            self._console.print(notice(warning))
        self.progress.update(self._task, trials=_of(0, event.plan.total))

    def _trial(self, event: TrialFinished) -> None:
        best = _best(event, self._primary)
        trials = _of(event.done, event.total)
        room = max(10, self._console.width - 48 - len(trials))
        shown = best if len(best) <= room else best[: room - 1] + "…"
        self.progress.update(self._task, trials=trials, best=shown)
