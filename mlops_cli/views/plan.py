"""A plan as text: what would be run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from mlops_cli.records import terms_of
from mlops_cli.views.runs import table
from mlops_cli.views.text import arrow, clean, params, plural
from mlops_cli.views.text import notices as notices_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from rich.console import RenderableType

    from mlops_cli.records import Dataset, Notice, Plan

    Point = tuple[Mapping[str, Any], str]  # parameters and fingerprint

SHOWN = 50


def opening(plan: Plan, dataset: Dataset, workers: int) -> Text:
    """Return one line that says what is about to be run."""
    trials = plural(plan.total, "trial") if plan.total is not None else "as many trials as the constraint allows"
    work = f"{trials} × {plural(plan.splits, terms_of(plan.task).part)}"
    return Text.assemble(
        (clean(plan.experiment), "bold"),
        f"  {', '.join([_task(plan), *_size(plan, dataset), work])} on {plural(workers, 'worker')}, ",
        (" and ".join(f"{clean(name)} {arrow(plan.direction_of(name))}" for name in plan.ranked_by), "bold"),
    )


def _size(plan: Plan, dataset: Dataset) -> list[str]:
    """Return how large the table is; nothing where there is none."""
    if not plan.task.has_table:
        return []
    size = f"{plural(dataset.rows, 'row')} × {plural(len(dataset.features), 'feature')}"
    return [size + (" (weighted)" if dataset.weights is not None else "")]


def _task(plan: Plan) -> str:
    """Return the task, of two classes with the one that metrics look for."""
    return str(plan.task) if plan.positive is None else f"{plan.task} (positive: {clean(plan.positive)})"


def preview(
    plan: Plan, dataset: Dataset, workers: int, points: Sequence[Point], notices: Sequence[Notice] = ()
) -> RenderableType:
    """Return the whole plan: its first trials with their parameters, and what was noticed about the data."""
    made = table(">trial", "params")
    for number, (params_of, _) in enumerate(points[:SHOWN]):
        made.add_row(str(number), Text(params(params_of) or "as configured and overridden"))
    blocks: list[RenderableType] = [opening(plan, dataset, workers), Text(), made]
    left = _left(plan, min(len(points), SHOWN))
    if left:
        blocks.append(Text(left, style="dim"))
    return Group(*blocks, *notices_of(notices))


def _left(plan: Plan, shown: int) -> str:
    if plan.total is None:
        return "… and as many more as the constraint allows" if shown == SHOWN else ""
    if plan.total <= shown:
        return ""
    return f"… and {plan.total - shown:,} more" + ("" if shown == SHOWN else ", which depend on how these do")


def as_json(plan: Plan, workers: int, points: Sequence[Point], notices: Sequence[Notice]) -> dict[str, Any]:
    """Return the plan as plain data; of a sampler that learns, with the trials that depend on no result."""
    return {
        "experiment": plan.experiment,
        "task": str(plan.task),
        "primary": plan.primary,
        "direction": str(plan.direction),
        "objectives": list(plan.objectives),
        "metrics": [m.name for m in plan.metrics],
        "total": plan.total,
        "splits": plan.splits,
        "workers": workers,
        "fingerprint": plan.fingerprint,
        "trials": [{"trial": n, "params": dict(p), "fingerprint": f} for n, (p, f) in enumerate(points)],
        "warnings": [{"code": n.code, "message": n.message} for n in notices],
    }
