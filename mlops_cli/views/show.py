"""One run in full: what it came to, split by split, what it rests on, where its files are."""

from __future__ import annotations

import statistics
from datetime import datetime
from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

from mlops_cli.analysis.wording import told
from mlops_cli.records import terms_of
from mlops_cli.store.imported import is_imported
from mlops_cli.views.chosen import choices
from mlops_cli.views.listing import dated_time
from mlops_cli.views.runs import results, table, troubles
from mlops_cli.views.text import clean, number, plain, plural, setting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from mlops_cli.records import PairedDifference, RunRecord, Tracked, TrialResult

    Lead = tuple[int, PairedDifference]  # the second best trial, and how much better the best one is

PER_BLOCK = 7
"""Splits beside each other in 80 columns."""

MOST_SPLITS = 20
"""Past these the scores of single splits say less than their spread does."""


def page(
    record: RunRecord,
    trials: Sequence[TrialResult],
    *,
    lead: Lead | None = None,
    files: Sequence[str] = (),
    tracebacks: bool = False,
    now: datetime | None = None,
) -> RenderableType:
    """Return everything about one run.

    Parameters
    ----------
    record : RunRecord
        The run.
    trials : sequence of TrialResult
        Its trials.
    lead : tuple of int and PairedDifference, optional
        The number of the second best trial, and how much better the best one is.
    files : sequence of str
        Those of its files that are there.
    tracebacks : bool
        Show one of each reason that trials failed for.
    now : datetime, optional
        The present, in the zone that times are told in; the local one where not given.
    """
    blocks = results(record, trials)
    if lead is not None and record.best is not None:
        terms, (second, found) = terms_of(record.task), lead
        against = f"trial {second}, the next"
        claim = told(found, f"trial {second}", f"trial {record.best.trial}", against=against, terms=terms)
        blocks.append(plain(claim, "dim"))
    if any(len(summary.splits) > 1 for summary in record.metrics.values()):
        blocks += [Text(), *splits(record)]
    blocks += troubles(record, trials, tracebacks=tracebacks)
    return Group(*blocks, Text(), facts(record, files, now))


# --- split by split ----------------------------------------------------------------------------------------------


def splits(record: RunRecord) -> list[RenderableType]:
    """Return the winner's score on each split; of many splits, how they spread."""
    count = max(len(summary.splits) for summary in record.metrics.values())
    if count > MOST_SPLITS:
        return [_spread(record, count)]
    blocks = -(-count // PER_BLOCK)
    width = -(-count // blocks)
    return [_block(record, range(start, min(start + width, count))) for start in range(0, count, width)]


def _block(record: RunRecord, numbers: range) -> Table:
    made = table(terms_of(record.task).part, *(f">{n}" for n in numbers))
    for name, summary in record.metrics.items():
        cells = (number(summary.splits[n]) if n < len(summary.splits) else "-" for n in numbers)
        made.add_row(plain(name), *cells)
    return made


def _spread(record: RunRecord, count: int) -> Table:
    over = f"over {plural(count, terms_of(record.task).part)}"
    made = table(over, ">least", ">25 %", ">median", ">75 %", ">greatest")
    for name, summary in record.metrics.items():
        if len(summary.splits) > 1:
            inner = statistics.quantiles(summary.splits, n=4, method="inclusive")
            made.add_row(plain(name), *map(number, (min(summary.splits), *inner, max(summary.splits))))
    return made


# --- where it came from ------------------------------------------------------------------------------------------


def facts(record: RunRecord, files: Sequence[str] = (), now: datetime | None = None) -> Table:
    """Return what the run chose and where it came from: model, data, code, environment, files."""
    made = Table.grid(padding=(0, 2))
    made.add_column(style="dim", no_wrap=True)
    made.add_column(overflow="fold")
    for label, value in _facts(record, now or datetime.now().astimezone()):
        made.add_row(label, plain(value))
    if files:
        made.add_row("", plain("  ".join(files)))
    return made


def places(tracked: Sequence[Tracked]) -> list[str]:
    """Return a line for each tracker that was told of a run: where the run is to be seen there."""
    return [clean(f"{one.tracker}: {one.at or 'told'}") for one in tracked if one.problem is None]


def _of_others(record: RunRecord) -> list[tuple[str, str]]:
    """Return all parameters of a run that others made, whose names mean nothing here."""
    if record.task is not None or not is_imported(record) or not record.params:
        return []
    return [("params", "  ".join(f"{key}={setting(value)}" for key, value in record.params.items()))]


def _facts(record: RunRecord, now: datetime) -> list[tuple[str, str]]:
    found = _of_others(record) or choices(record)
    found += [(key, str(said)) for key, said in (("task", record.task), ("seed", record.seed)) if said is not None]
    found.append(("started", dated_time(record.started, now)))
    if record.description:
        found.insert(0, ("about", record.description))
    if record.note:
        found.append(("note", record.note))
    if record.tags:
        found.append(("tags", " ".join(f"{k}={v}" for k, v in record.tags.items())))
    for label, data in (("data", record.dataset), ("test data", record.test_dataset)):
        if data is not None:
            size = f"{plural(data.rows, 'row')} × {plural(len(data.columns), 'column')}"
            found.append((label, f"{data.source}  {size}  {data.version[:12]}"))
    if record.git.commit:
        found.append(
            ("code", record.git.commit[:12] + (", uncommitted changes in source.diff" if record.git.dirty else ""))
        )
    python = record.environment.get("python")
    if python:
        found.append(("python", str(python)))
    if record.fingerprint:  # those of elsewhere have none
        found.append(("fingerprint", record.fingerprint[:12]))
    return [*found, ("files", str(record.path))]
