"""Which command comes next after something was found, ready to be pasted."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from rich.text import Text

from mlops_cli.views.text import clean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_cli.records import Batch, DriftReport


def after_drift(report: DriftReport) -> list[str]:
    """Return what to do about drift: learn which columns are taken, train anew where there are labels, look at it."""
    if not report.drifted:
        return []
    name, data = _registered(report.model), shlex.quote(report.data)
    look = f"mlops drift {shlex.quote(report.model)} {data} --html drift.html"
    if name is None:
        return [look]
    return [_columns(report) if report.unread else _retrain(name, report) if report.labelled else look]


def after_batch(batch: Batch) -> list[str]:
    """Return what to do about a batch that drifted."""
    if not batch.drifted:
        return []
    return [f"mlops monitor show {batch.model}", *([_columns(batch.report)] if batch.report.unread else [])]


def after_trend(batches: Sequence[Batch]) -> list[str]:
    """Return what to do where the newest batch has drifted, or what labels say of one."""
    fallen = [batch for batch in batches if any(metric.drifted for metric in batch.metrics)]
    found = [*fallen, *(batch for batch in batches[-1:] if batch.drifted)]
    if not found:
        return []
    last = found[-1]
    return [_columns(last.report) if last.report.unread else _retrain(last.model, last.report)]


def shown(commands: Sequence[str]) -> list[Text]:
    """Return commands as a terminal shows them."""
    return [Text.assemble(("try: ", "bold"), clean(command)) for command in commands]


def _registered(model: str) -> str | None:
    """Return the name of a registered model by a version of it; None of a run."""
    name, _, number = model.partition("/")
    return name if number.isdecimal() else None


def _retrain(name: str, report: DriftReport) -> str:
    """Return how the model is made anew: on these rows where they have the target, else on some that have it."""
    return f"mlops retrain {name} --data {shlex.quote(report.data) if report.labelled else 'LABELLED.csv'}"


def _columns(report: DriftReport) -> str:
    return f"mlops models card {report.model}"
