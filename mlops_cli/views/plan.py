"""A plan as text: what would be run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from mlops_cli.views.runs import table
from mlops_cli.views.text import arrow, clean, notice, params, plural

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from rich.console import RenderableType

    from mlops_cli.records import Dataset, Notice, Plan

SHOWN = 50


def opening(plan: Plan, dataset: Dataset, splits: int, workers: int) -> Text:
    """Return one line that says what is about to be run."""
    size = f"{plural(dataset.rows, 'row')} × {plural(len(dataset.features), 'feature')}"
    size += " (weighted)" if dataset.weights is not None else ""
    work = f"{plural(len(plan.trials), 'trial')} × {plural(splits, 'split')}"
    return Text.assemble(
        (clean(plan.experiment), "bold"),
        f"  {_task(plan)}, {size}, {work} on {plural(workers, 'worker')}, ",
        (f"{clean(plan.primary)} {arrow(plan.direction)}", "bold"),
    )


def _task(plan: Plan) -> str:
    """Return the task, of two classes with the one that metrics look for."""
    return str(plan.task) if plan.positive is None else f"{plan.task} (positive: {clean(plan.positive)})"


def preview(plan: Plan, dataset: Dataset, splits: int, workers: int, notices: Sequence[Notice] = ()) -> RenderableType:
    """Return the whole plan: its trials with their parameters, and what was noticed about the data."""
    made = table(">trial", "params")
    for trial in plan.trials[:SHOWN]:
        made.add_row(str(trial.number), Text(params(trial.params) or "as configured and overridden"))
    blocks: list[RenderableType] = [opening(plan, dataset, splits, workers), Text(), made]
    if len(plan.trials) > SHOWN:
        blocks.append(Text(f"… and {len(plan.trials) - SHOWN:,} more", style="dim"))
    return Group(*blocks, *(notice(n) for n in notices))


def as_json(plan: Plan, splits: int, workers: int, notices: Sequence[Notice]) -> dict[str, Any]:
    """Return the plan as plain data."""
    return {
        "experiment": plan.experiment,
        "task": str(plan.task),
        "primary": plan.primary,
        "direction": str(plan.direction),
        "metrics": [m.name for m in plan.metrics],
        "splits": splits,
        "workers": workers,
        "fingerprint": plan.fingerprint,
        "trials": [{"trial": t.number, "params": dict(t.params), "fingerprint": t.fingerprint} for t in plan.trials],
        "warnings": [{"code": n.code, "message": n.message} for n in notices],
    }
