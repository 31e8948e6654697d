"""An assessment as tables and as plain data: what comes next, what falls short, rows and JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.text import Text

from mlops_cli.views.assess import levels, words
from mlops_cli.views.runs import table
from mlops_cli.views.text import clean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from mlops_cli.records import Assessment, Level, NextStep, Process, Shortfall

COLUMNS = (
    "process",
    "name",
    "phase",
    "actors",
    "level",
    "target",
    "declared",
    "found",
    "evidence",
    "command",
    "effort",
    "gain",
    "from",
    "purpose",
    "note",
)
"""The columns of `assessment_rows`."""


def steps_table(steps: Sequence[NextStep]) -> RenderableType:
    """Return which processes are to be raised, the one that gains most for its effort first."""
    made = table("next", ">gain", ">effort", ">gain/effort")
    for place in made.columns[1:]:
        place.no_wrap = True
    for step in steps:
        one = step.process
        amounts = (words.amount(value) for value in (one.gain, one.effort, step.value))
        change = (levels.badge(one.now), " → ", levels.badge(one.aim))
        made.add_row(Text.assemble((clean(one.name), "bold"), "\n", *change), *amounts)
    return made


# --- plain data --------------------------------------------------------------------------------------------------


def assessment_json(
    assessment: Assessment, steps: Sequence[NextStep] = (), shortfalls: Sequence[Shortfall] = ()
) -> dict[str, Any]:
    """Return all that is known, as ``--json`` prints it."""
    return {
        "name": assessment.name,
        "date": assessment.date or None,
        "actors": dict(assessment.actors),
        "counts": _counts(assessment.processes),
        "at_target": sum(map(words.is_there, assessment.processes)),
        "phases": [_phase(key, name, assessment) for key, name in assessment.phases.items()],
        "processes": [process_json(one) for one in assessment.processes],
        "shortfalls": [
            {"process": one.process.key, "level": str(one.process.now), "required": str(one.required)}
            for one in shortfalls
        ],
        "next": [_step(step) for step in steps],
    }


def _counts(listed: Sequence[Process]) -> dict[str, dict[str, int]]:
    """Return how many processes have each level, today and as they should be."""
    sides = {"today": False, "target": True}
    counted = {side: levels.counts(one.at(target=is_target) for one in listed) for side, is_target in sides.items()}
    return {side: {str(level): count for level, count in found.items()} for side, found in counted.items()}


def _phase(key: str, name: str, assessment: Assessment) -> dict[str, Any]:
    own = assessment.of_phase(key)
    return {"key": key, "name": name, "level": _lowest([one.now for one in own]), "counts": _counts(own)}


def _lowest(found: Sequence[Level]) -> str | None:
    return str(min(found, key=lambda level: level.rank)) if found else None


def process_json(one: Process) -> dict[str, Any]:
    """Return one process."""
    found = one.evidence
    return {
        "key": one.key,
        "name": one.name,
        "phase": one.phase,
        "actors": list(one.actors),
        "purpose": one.purpose or None,
        "from": {flow.source: flow.what or None for flow in one.flows},
        "level": str(one.now),
        "declared": None if one.level is None else str(one.level),
        "target": None if one.target is None else str(one.target),
        "effort": one.effort,
        "gain": one.gain,
        "scan": one.scan or None,
        "evidence": None
        if found is None
        else {"check": found.check or None, "level": str(found.level), "found": found.found, "command": found.command},
        "note": one.note or None,
    }


def _step(step: NextStep) -> dict[str, Any]:
    one = step.process
    made = {"process": one.key, "level": str(one.now), "target": str(one.aim), "gain": one.gain, "effort": one.effort}
    return {**made, "value": step.value, "command": words.command(one) or None}


def assessment_rows(assessment: Assessment) -> list[dict[str, Any]]:
    """Return a row for each process, as ``--csv`` prints them; `COLUMNS` says in which order."""
    return [
        {
            "process": one.key,
            "name": one.name,
            "phase": one.phase,
            "actors": " ".join(one.actors),
            "level": str(one.now),
            "target": None if one.target is None else str(one.target),
            "declared": None if one.level is None else str(one.level),
            "found": None if one.evidence is None else str(one.evidence.level),
            "evidence": None if one.evidence is None else one.evidence.found,
            "command": words.command(one) or None,
            "effort": one.effort,
            "gain": one.gain,
            "from": " ".join(flow.source for flow in one.flows),
            "purpose": one.purpose or None,
            "note": one.note or None,
        }
        for one in assessment.processes
    ]
