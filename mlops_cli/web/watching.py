"""A run as its page shows it: the sections of a report, with addresses for plots and files, and how far it is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mlops_cli.records import Direction, RunStatus, TrialState
from mlops_cli.views.pages.words import size
from mlops_cli.views.report import RunSection, run_section
from mlops_cli.views.text import number, plural
from mlops_cli.web.files import is_served
from mlops_cli.workflows.runs.plots import saved
from mlops_cli.workflows.runs.report import contents

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_cli.records import RunFile, RunRecord, TrialResult
    from mlops_cli.views.pages.tables import Cell
    from mlops_cli.web.live import Standing

_POINTS = 150
_WIDTH, _HEIGHT, _MARGIN = 600, 80, 4


@dataclass(frozen=True)
class History:
    """The best score so far after each trial, as the points of a line."""

    points: str
    says: str


@dataclass(frozen=True)
class Watched:
    """How far a run is."""

    running: bool
    ended: int
    total: int  # 0 where only trying tells
    done: str
    outcome: str
    share: str  # before the page's title
    history: History | None


def section_of(standing: Standing) -> RunSection:
    """Return the sections of a run's page."""
    record = standing.record
    place = f"/runs/{record.id}/files"
    read = contents(record, standing.trials, with_plots=False)  # those that are saved have addresses of their own
    plots = {name.replace("_", " "): f"{place}/plots/{path.name}" for name, path in saved(record).items()}
    return replace(run_section(read), plots=plots, files=tuple(_file(record, file, place) for file in read.files))


def _file(record: RunRecord, file: RunFile, place: str) -> tuple[Cell, ...]:
    name: Cell = {"t": file.path, "h": f"{place}/{file.path}"} if is_served(record.path, file.path) else file.path
    return name, size(file.size), file.sha256


def watched(standing: Standing) -> Watched:
    """Return how far a run is."""
    record, counts = standing.record, standing.record.counts
    ended = counts.ended
    running = record.status is RunStatus.RUNNING
    total = counts.trials if counts.trials > ended or not running else 0
    done = f"{ended:,} of {plural(counts.trials, 'trial')}" if counts.trials else plural(ended, "trial")
    words = {"completed": counts.completed, "failed": counts.failed, "pruned": counts.pruned, "reused": counts.reused}
    return Watched(
        running=running,
        ended=ended,
        total=total or counts.trials,
        done=done,
        outcome=", ".join(f"{count:,} {word}" for word, count in words.items() if count),
        share=f"{100 * ended // counts.trials} % · " if running and counts.trials else "",
        history=history(record, standing.trials),
    )


# --- the best so far ---------------------------------------------------------------------------------------------


def history(record: RunRecord, trials: Sequence[TrialResult]) -> History | None:
    """Return how the best score grew; None where there are too few for a line."""
    line = best_so_far(record, trials)
    if len(line) < 2:
        return None
    says = f"{record.primary} {number(line[0])} → {number(line[-1])} over {plural(len(line), 'trial')}"
    return History(_points(_thinned(line)), says)


def best_so_far(record: RunRecord, trials: Sequence[TrialResult]) -> list[float]:
    """Return the best mean of the primary metric after each trial, from the first that completed."""
    better = (record.direction or Direction.MAXIMIZE).better
    line: list[float] = []
    for trial in trials:
        score = trial.mean(record.primary or "") if trial.state is TrialState.COMPLETED else float("nan")
        if score == score and (not line or better(score, line[-1])):  # noqa: PLR0124  not a number
            line.append(score)
        elif line:
            line.append(line[-1])
    return line


def _thinned(line: Sequence[float]) -> list[float]:
    """Return so many of the values that a screen can show, the last one among them."""
    step = -(-len(line) // _POINTS)
    return list(line[::-1][::step][::-1])


def _points(line: Sequence[float]) -> str:
    low, high = min(line), max(line)
    size, room = (high - low) or 1.0, _HEIGHT - 2 * _MARGIN
    step = _WIDTH / (len(line) - 1)
    return " ".join(f"{i * step:.1f},{_MARGIN + room * (high - value) / size:.1f}" for i, value in enumerate(line))
