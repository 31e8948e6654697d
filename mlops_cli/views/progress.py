"""What a person sees while a run goes: how far it is, how long it will take, the best so far, what failed.

`after` folds one event after another into what is known, `live` shows that as a few whole lines for a terminal, and
`progress_line` as one line for a log. What time it is they are told: nothing here looks at a clock.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rich.console import Group
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from mlops_cli.records import RunStarted, SplitFinished, Stage, TrialFinished, terms_of
from mlops_cli.views.text import arrow, clean, number, params, plural, plus_minus, seconds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from mlops_cli.records import Event, Plan, Terms, TrialResult

TRIALS = "trials"
STAGES = {
    "config": "reading the config",
    "data": "reading the data",
    "plan": "planning",
    "refit": "fitting the winner on all rows",
    "plots": "drawing plots",
    "track": "telling the tracker",
}
"""How the steps of a run are called that are the same in all; one that is nowhere goes by its own name."""

SHOWN_FAILURES = 3
KEPT_FAILURES = 50

BAR = (8, 32)
"""The least and the greatest width of the bar, in columns."""

SURE_FITS = 3
SURE_S = 1.0
"""Before so many fits and seconds the time left is no more than a guess."""

GRAIN = 32
"""Into so many parts the time so far is divided; of each one moment is remembered."""


# --- what is known ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Pace:
    """How many fits were made by when, as far as it tells how fast things go now.

    Parameters
    ----------
    start : float
        When it began, in seconds of a clock that never goes back.
    moments : tuple of (float, int)
        When there were so many, over the later half of the time.
    last : tuple of (float, int)
        When the last one was made, and how many there were then.
    """

    start: float
    moments: tuple[tuple[float, int], ...]
    last: tuple[float, int]

    @classmethod
    def since(cls, now: float) -> Pace:
        """Return the pace of what begins now."""
        return cls(now, ((now, 0),), (now, 0))

    def noted(self, now: float, done: int) -> Pace:
        """Return the pace with how many there are now."""
        if now - self.moments[-1][0] < (now - self.start) / GRAIN:
            return replace(self, last=(now, done))
        half = (self.start + now) / 2
        first = max((i for i, (then, _) in enumerate(self.moments) if then <= half), default=0)
        return Pace(self.start, (*self.moments[first:], (now, done)), (now, done))

    @property
    def rate(self) -> float | None:
        """Fits in a second, over the later half of the time; None where too little is known to say."""
        (then, before), (now, done) = self.moments[0], self.last
        if done < SURE_FITS or now - self.start < SURE_S or now <= then:
            return None
        return (done - before) / (now - then)


@dataclass(frozen=True)
class Failure:
    """A reason that trials failed for."""

    reason: str
    count: int
    last: int  # the number of the trial that failed last


@dataclass(frozen=True)
class Watched:
    """What is known of a run under way; it does not grow with the run."""

    since: float  # the stage began
    pace: Pace  # of fits, without those that were there already
    stage: str = "config"
    plan: Plan | None = None  # once the trials have begun
    workers: int = 1
    limit_s: float | None = None  # for the trials
    trials: int = 0
    trials_total: int | None = None
    fits: int = 0
    fits_total: int | None = None
    failed: int = 0
    failures: tuple[Failure, ...] = ()  # what happened last comes last
    best: TrialResult | None = None
    front: int = 0

    @classmethod
    def begun(cls, now: float) -> Watched:
        """Return what is known of a run that begins now."""
        return cls(now, Pace.since(now))

    @property
    def terms(self) -> Terms:
        """What its parts are called."""
        return terms_of(None if self.plan is None else self.plan.task)

    @property
    def work(self) -> tuple[int, int | None]:
        """How much is done, of how much: fits, or trials where nobody knows how many fits there will be."""
        return (self.fits, self.fits_total) if self.fits_total is not None else (self.trials, self.trials_total)

    @property
    def left(self) -> float | None:
        """About how many fits there are to be made; None where nobody can know."""
        if self.fits_total is not None:
            return self.fits_total - self.fits
        if self.trials_total is None or not self.trials:
            return None
        return (self.trials_total - self.trials) * self.fits / self.trials

    @property
    def is_over(self) -> bool:
        """Whether all trials have ended, as far as it is known."""
        return self.trials_total is not None and self.trials >= self.trials_total


def after(watched: Watched, event: Event, now: float) -> Watched:
    """Return what is known after an event.

    Parameters
    ----------
    watched : Watched
        What was known before.
    event : Event
        What a workflow tells.
    now : float
        In seconds of a clock that never goes back.
    """
    if isinstance(event, Stage):
        return replace(watched, stage=event.name, since=now)
    if isinstance(event, RunStarted):
        plan, begun = event.plan, Watched.begun(now)
        return replace(
            begun, stage=TRIALS, plan=plan, workers=event.workers, trials_total=plan.total, limit_s=event.limit_s
        )
    if isinstance(event, SplitFinished):
        pace = watched.pace.noted(now, event.done - event.known)
        return replace(watched, fits=event.done, fits_total=event.total, pace=pace)
    return _with_trial(watched, event) if isinstance(event, TrialFinished) else watched


def _with_trial(watched: Watched, event: TrialFinished) -> Watched:
    watched = replace(watched, trials=event.done, trials_total=event.total, best=event.best, front=event.front)
    reason = reason_of(event)
    if reason is None:
        return watched
    before = next((f for f in watched.failures if f.reason == reason), Failure(reason, 0, 0))
    others = [f for f in watched.failures if f is not before][-KEPT_FAILURES + 1 :]
    failure = Failure(reason, before.count + 1, event.result.trial)
    return replace(watched, failed=watched.failed + 1, failures=(*others, failure))


def reason_of(event: TrialFinished) -> str | None:
    """Return in one line why a trial failed; None where it did not."""
    error = event.result.error
    if error is None or not event.result.state.has_failed:
        return None
    return clean(error.headline)


def time_left(watched: Watched, now: float) -> float | None:
    """Return about how many seconds the trials will take yet; None where nobody can know.

    Not before each worker can have shown how long a fit takes, nor when the guess has turned out too short.
    """
    (last, made), rate, fits = watched.pace.last, watched.pace.rate, watched.left
    ends = [] if watched.limit_s is None else [watched.pace.start + watched.limit_s]
    if fits is not None and rate and made >= watched.workers:
        ends.append(last + fits / rate)
    left = min(ends, default=now) - now
    return left if left >= 1 else None


# --- on a terminal ---------------------------------------------------------------------------------------------------


def live(watched: Watched, now: float, width: int) -> RenderableType:
    """Return what a terminal shows, in whole lines of at most ``width`` columns."""
    if watched.plan is None:
        return _line(_stage(watched, now))
    lines = [] if watched.stage == TRIALS else [_line(_stage(watched, now))]
    return Group(
        _progress(watched, now, width),
        *(_line(text) for text in (_best(watched), _front(watched), *_failures(watched)) if text is not None),
        *lines,
    )


def _line(text: Text) -> Text:
    """Return text that is cut at the edge and never goes on in a second line."""
    text.no_wrap, text.overflow = True, "ellipsis"
    return text


def _stage(watched: Watched, now: float) -> Text:
    waited = now - watched.since
    name = stage_line(watched)
    return Text.assemble((f"{name} …", "bold"), f"  {_whole(waited)}" if waited >= 1 else "")


def _progress(watched: Watched, now: float, width: int) -> RenderableType:
    """Return the bar with how much is done; where it is narrow, without what matters least."""
    done, total = watched.work
    parts = [counted(watched), _remaining(watched, now), _speed(watched)]
    shown = [part for part in parts if part]
    while len(shown) > 1 and _wide(shown) + BAR[0] > width:
        shown.pop()
    text = "".join(f"  {part}" for part in shown)
    room = width - len(text)
    if total is None or room < BAR[0]:
        return _line(Text(text.strip(), style="bold"))
    made = Table.grid()
    made.add_column(width=min(room, BAR[1]))
    made.add_column(no_wrap=True)
    bar = ProgressBar(max(total, 1), done, min(room, BAR[1]), style="dim", complete_style="cyan")
    made.add_row(bar, Text(text))
    return made


def _wide(parts: Sequence[str]) -> int:
    return sum(len(part) + 2 for part in parts)


def _remaining(watched: Watched, now: float) -> str:
    if watched.stage != TRIALS:
        return ""
    left = time_left(watched, now)
    return f"about {_whole(left)} left" if left is not None else f"{_whole(now - watched.pace.start)} so far"


def _speed(watched: Watched) -> str:
    rate = watched.pace.rate
    if not rate or watched.stage != TRIALS:
        return ""
    unit, length = next((u for u in (("s", 1), ("min", 60)) if rate * u[1] >= 1), ("h", 3600))
    return f"{rate * length:,.{1 if rate * length < 10 else 0}f} {watched.terms.fit}s/{unit}"


def _best(watched: Watched) -> Text | None:
    if watched.plan is None or watched.best is None:
        return None
    named = [f"{clean(name)} {_spread(watched.best.scores.get(name, ()))}" for name in watched.plan.ranked_by]
    chosen = params(watched.best.params)
    return Text.assemble("best    ", (", ".join(named), "bold"), f"  {chosen}" if chosen else "")


def _spread(values: Sequence[float]) -> str:
    from statistics import fmean, stdev

    if not values:
        return "-"
    return plus_minus(fmean(values), stdev(values)) if len(values) > 1 else number(values[0])


def _front(watched: Watched) -> Text | None:
    plan = watched.plan
    if plan is None or not plan.objectives or not watched.front:
        return None
    of = " and ".join(f"{clean(name)} {arrow(plan.direction_of(name))}" for name in plan.objectives)
    return Text(f"front   {plural(watched.front, 'trial')}, none beaten in {of} together")


def _failures(watched: Watched) -> list[Text]:
    """Return the reasons for which trials failed last, the last one first."""
    lines = []
    for place, failure in enumerate(reversed(watched.failures[-SHOWN_FAILURES:])):
        label = "failed  " if place == 0 else " " * 8
        lines.append(Text.assemble((label, "red"), (f"{failure.count:,} × ", "red"), failure.reason))
    return lines


# --- in a log --------------------------------------------------------------------------------------------------------


def progress_line(watched: Watched, now: float) -> str:
    """Return how a run stands, in one line."""
    parts = [counted(watched)]
    is_long = watched.fits_total is not None and watched.trials_total != 1 and not watched.is_over
    if is_long:
        parts.append(f"{watched.fits:,} of {plural(watched.fits_total or 0, watched.terms.fit)}")
    if watched.best is not None and watched.plan is not None:
        chosen, primary = params(watched.best.params), watched.plan.primary
        score = f"best {clean(primary)} {number(watched.best.mean(primary))}"
        parts.append(f"{score} ({chosen})" if chosen else score)
    elif watched.trials:
        parts.append("no score yet")
    left = time_left(watched, now)
    return ", ".join([*parts, *([f"about {_whole(left)} left"] if left is not None else [])])


def stage_line(watched: Watched) -> str:
    """Return which step of a run has begun, in one line."""
    own = {"predict": watched.terms.predicting, "save": watched.terms.saving}
    return (STAGES | own).get(watched.stage, clean(watched.stage))


def counted(watched: Watched) -> str:
    """Return how many trials are done, of how many; of a single one, how many fits."""
    if watched.trials_total == 1 and watched.fits_total is not None and not watched.is_over:
        return f"{watched.fits:,} of {plural(watched.fits_total, watched.terms.fit)}"
    trials, total = watched.trials, watched.trials_total
    done = plural(trials, "trial") if total is None else f"{trials:,} of {plural(total, 'trial')}"
    return f"{done}, {watched.failed:,} failed" if watched.failed else done


def _whole(duration: float) -> str:
    """Return a duration in whole seconds: what is not exact must not look so."""
    return f"{duration:.0f} s" if duration < 60 else seconds(duration)
