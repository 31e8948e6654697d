"""``run.log``: what happened while a run went, one line each with its time, for whoever asks later."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_cli.records import Notice, RunStarted, Stage, TrialFinished, terms_of
from mlops_cli.store.values import stamp

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_cli.records import Event, RunRecord


class RunLog:
    """Writes a run's log as events come; an observer.

    Parameters
    ----------
    path : Path
        The file; lines are appended.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self, event: Event) -> None:
        """Write the line of an event."""
        text = _text(event)
        if text:
            self._write(text)

    def end(self, record: RunRecord) -> None:
        """Write how the run ended."""
        counts = record.counts
        done = f"{counts.completed} of {_many(counts.trials, 'trial')} completed"
        self._write(f"{record.status}: {done}, {counts.failed} failed")

    def _write(self, text: str) -> None:
        at = stamp()
        with self._path.open("a", encoding="utf-8") as file:
            file.write(f"{at} {text!r}\n" if "\n" in text else f"{at} {text}\n")


def _text(event: Event) -> str:
    if isinstance(event, RunStarted):
        lines = [f"warning {w.code}: {w.message}" for w in event.record.warnings]
        size = f"{_size(event.plan.total)}, {_many(event.splits, terms_of(event.plan.task).part)}"
        return "; ".join([f"{event.record.id}: {size}, {_many(event.workers, 'worker')}", *lines])
    if isinstance(event, TrialFinished):
        result = event.result
        scores = " ".join(f"{name}={result.mean(name):.6g}" for name in result.scores)
        why = result.error.text if result.error is not None else scores
        return f"trial {result.trial} {result.state} {why}"
    if isinstance(event, Stage):
        return event.name
    return f"warning {event.code}: {event.message}" if isinstance(event, Notice) else ""


def _size(total: int | None) -> str:
    return "as many trials as the constraint leaves" if total is None else _many(total, "trial")


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
