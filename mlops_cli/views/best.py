"""What the best run was ranked by and against, in a line or two."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_cli.records import terms_of
from mlops_cli.views.text import arrow, clean, plural

if TYPE_CHECKING:
    from mlops_cli.records import Task
    from mlops_cli.store.index import Ranking

_NAMED = 4


def ranked(found: Ranking, *, asked: bool, task: Task | None = None) -> list[str]:
    """Return what a run of a task is the best of; ``asked`` says whether the metric was given."""
    names = ", ".join(map(clean, found.experiments[:_NAMED])) + (" …" if len(found.experiments) > _NAMED else "")
    by = f"{clean(found.metric)} {arrow(found.direction)}" + ("" if asked else ", the newest one's primary metric")
    lines = [f"best of {plural(found.total, 'completed run')} of {names} by {by}"]
    if found.otherwise:
        were = "was" if found.otherwise == 1 else "were"
        lines.append(
            f"{found.otherwise} of them {were} {terms_of(task).apart}: mlops runs compare tells whether it is better"
        )
    return lines
