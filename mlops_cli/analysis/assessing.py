"""What of an assessment is below what is required, and what comes next. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_cli.records import NextStep, Shortfall

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_cli.records import Assessment, Process, Requirement


def shortfalls(assessment: Assessment, requirements: Sequence[Requirement]) -> tuple[Shortfall, ...]:
    """Return the processes that are below what is required of them, in the order of the file.

    Parameters
    ----------
    assessment : Assessment
        Where they are today.
    requirements : sequence of Requirement
        What each process, all of a phase, or all must have; the highest that is asked of a process counts.
    """
    found = []
    for one in assessment.processes:
        asked = [required.level for required in requirements if required.what in {"", one.key, one.phase}]
        highest = max(asked, key=lambda level: level.rank, default=None)
        if highest is not None and one.now.rank < highest.rank:
            found.append(Shortfall(one, highest))
    return tuple(found)


def next_steps(assessment: Assessment) -> tuple[NextStep, ...]:
    """Return the processes that are below their targets, those first that give most for the effort.

    Of those whose gain or effort nobody said, the ones come first that have furthest to go.
    """
    below = [one for one in assessment.processes if one.aim.rank > one.now.rank]
    steps = [NextStep(one, _value(one)) for one in below]
    return tuple(sorted(steps, key=lambda step: (step.value is None, -(step.value or 0.0), -_way(step.process))))


def _value(process: Process) -> float | None:
    """Return the gain for each unit of effort."""
    if process.gain is None or not process.effort:
        return None
    return process.gain / process.effort


def _way(process: Process) -> int:
    return process.aim.rank - process.now.rank
