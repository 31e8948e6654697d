"""An assessment as one page of HTML that stands alone: the chart, and every process with its evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_cli.views import pages
from mlops_cli.views.assess import levels, words
from mlops_cli.views.assess.layout import layout
from mlops_cli.views.assess.svg import svg
from mlops_cli.views.pages.tables import EXTRA, NUMBER, TableData, column
from mlops_cli.views.text import clean, percent, plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_cli.records import Assessment, Level, NextStep, Process, Shortfall
    from mlops_cli.views.pages.tables import Cell

MARK = "mlops assessment"
"""What a page says of itself in its first lines: by it such a page is known from another file."""


WIDEST = 1900
"""Pixels of a chart that is made smaller where the window is; a wider one scrolls, and stays legible."""


def assess_page(assessment: Assessment, steps: Sequence[NextStep] = (), shortfalls: Sequence[Shortfall] = ()) -> str:
    """Return the page.

    Parameters
    ----------
    assessment : Assessment
        What is shown.
    steps : sequence of NextStep
        What is to be raised, in the order in which that is best done.
    shortfalls : sequence of Shortfall
        What is below what is required; comes first.
    """
    from markupsafe import Markup

    styles = [pages.static("style.css"), pages.static("assess.css")]
    scripts = [pages.static(name) for name in ("table.js", "page.js")]
    targets = [False, True] if words.has_target(assessment) else [False]
    return (
        pages.environment()
        .get_template("assess.html")
        .render(
            mark=MARK,
            policy=pages.policy(styles, scripts),
            styles=styles,
            scripts=scripts,
            assessment=assessment,
            figures=figures(assessment),
            counts=words.counted(assessment, target=len(targets) > 1),
            charts=[(target, Markup(svg(assessment, target=target))) for target in targets],  # noqa: S704  just made
            fits=layout(assessment).width <= WIDEST,
            shortfalls=[(one.process.name, cell(one.process.now), cell(one.required)) for one in shortfalls],
            steps=step_rows(steps),
            processes=processes_table(assessment),
        )
    )


def figures(assessment: Assessment) -> list[tuple[str, str, str]]:
    """Return the few figures that come first: label, figure, and what belongs to it."""
    listed = assessment.processes
    counts = words.counted(assessment, target=words.has_target(assessment))
    aimed = [one for one in listed if one.target is not None]
    share = percent(sum(map(words.is_there, aimed)) / len(aimed)) if aimed else "-"
    there = [("where they should be", share, words.share_there(listed))] if words.has_target(assessment) else []
    where, by = plural(len(assessment.phases), "phase"), plural(len(assessment.actors), "actor")
    return [
        ("processes", f"{len(listed)}", f"in {where}, by {by}"),
        *there,
        *((f"{levels.of(level).sign} {level}", count, "") for level, count in counts),
    ]


def cell(level: Level) -> dict[str, str]:
    """Return a level as a cell of a table."""
    look = levels.of(level)
    return {"t": f"{look.sign} {look.word}", "c": f"level {look.word}"}


def step_rows(steps: Sequence[NextStep]) -> list[tuple[Cell, ...]]:
    """Return what is to be raised, a row each."""
    return [
        (
            clean(step.process.name),
            cell(step.process.now),
            cell(step.process.aim),
            *(words.amount(value) for value in (step.process.gain, step.process.effort, step.value)),
            {"t": clean(words.command(step.process)), "c": "code"},
        )
        for step in steps
    ]


def processes_table(assessment: Assessment, name: str = "processes-rows") -> TableData:
    """Return every process with what is known of it."""
    heads = (
        column("process"),
        column("phase"),
        column("actors"),
        column("level"),
        column("target"),
        column("evidence"),
        column("command"),
        column("gain", NUMBER, down=True),
        column("effort", NUMBER),
        column("purpose", EXTRA),
    )
    rows = tuple(_row(one, assessment) for one in assessment.processes)
    return TableData(name, "Processes, in the order of the file", heads, rows, "manual, phase=Training")


def _row(one: Process, assessment: Assessment) -> tuple[Cell, ...]:
    told = " ".join(clean(part) for part in (words.evidence(one), one.note) if part)
    return (
        clean(one.name),
        clean(assessment.phases[one.phase]),
        clean(words.actors(one, assessment)),
        cell(one.now),
        None if one.target is None else cell(one.target),
        told or None,
        {"t": clean(words.command(one)), "c": "code"} if words.command(one) else None,
        None if one.gain is None else words.amount(one.gain),
        None if one.effort is None else words.amount(one.effort),
        clean(one.purpose) or None,
    )
