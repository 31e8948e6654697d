"""The scores of a model on labelled data as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from mlops_cli.views.runs import table
from mlops_cli.views.text import arrow, clean, notice, number, plain, plural, spread

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from mlops_cli.records import Evaluated, RunRecord


def evaluation(found: Evaluated, record: RunRecord) -> RenderableType:
    """Return the scores with their intervals, beside those of the run, and what is to be said.

    Parameters
    ----------
    found : Evaluated
        The scores.
    record : RunRecord
        Of the run that made the model.
    """
    head = Text.assemble(
        (clean(found.model), "bold"), f" on {clean(found.data.source)}, {plural(found.data.rows, 'row')}"
    )
    blocks: list[RenderableType] = [head, Text(), scores(found, record)]
    if any(metric.ci95 is not None for metric in found.metrics.values()):
        of = "rows" if found.by == "rows" else f"the groups of {clean(found.by)}"
        blocks.append(Text(f"95 % intervals by {found.resamples:,} resamples of {of}", style="dim"))
    return Group(*blocks, *([Text()] if found.warnings else []), *map(notice, found.warnings))


def scores(found: Evaluated, record: RunRecord) -> Table:
    """Return a line for each metric: its value here, the interval, and what the run had over its splits."""
    made = table("metric", ">score", ">95 % interval", ">in training")
    for name, metric in found.metrics.items():
        before = record.metrics.get(name)
        ci = "-" if metric.ci95 is None else f"{number(metric.ci95[0])} … {number(metric.ci95[1])}"
        made.add_row(
            plain(f"{name} {arrow(metric.direction)}", "bold" if name == found.primary else ""),
            number(metric.value),
            ci,
            "-" if before is None else spread(before),
        )
    return made
