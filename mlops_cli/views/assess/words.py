"""What is said of a process, in every view alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_cli.views.assess import levels

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlops_cli.records import Assessment, Level, Process

_LONGEST = 160
"""Of a command on a screen that shows all processes."""


def headline(assessment: Assessment, *, target: bool = False) -> str:
    """Return what a chart or a page of an assessment is called."""
    when = f", {assessment.date}" if assessment.date else ""
    return f"{assessment.name}{when}{': today and target' if target else ''}"


def change(one: Process) -> str:
    """Return its level, and where it should be if that is elsewhere."""
    return f"{one.now} → {one.aim}" if one.aim is not one.now else str(one.now)


def evidence(one: Process) -> str:
    """Return what was found, and that the team says otherwise where it does."""
    found = one.evidence
    if found is None:
        return ""
    if one.level is not None and one.level is not found.level:
        return f"declared {one.level}; the workspace shows {found.level}: {found.found}"
    return found.found


def command(one: Process) -> str:
    """Return what would raise its level."""
    return one.evidence.command if one.evidence is not None else ""


def repeated(assessment: Assessment) -> dict[str, Process]:
    """Return process → the first one of which the same was found, and which the same would raise, as phases list them.

    A screen says it of the first one alone.
    """
    first: dict[tuple[str, str], Process] = {}
    listed = [one for phase in assessment.phases for one in assessment.of_phase(phase) if evidence(one)]
    said = {one.key: first.setdefault((evidence(one), command(one)), one) for one in listed}
    return {key: one for key, one in said.items() if one.key != key}


def brief(text: str) -> str:
    """Return a command, of a long one its beginning.

    Examples
    --------
    >>> brief("mlops run config=iris")
    'mlops run config=iris'
    """
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST].rstrip()} … (--json has all)"


def actors(one: Process, assessment: Assessment) -> str:
    """Return who does it, whose lane it is in first."""
    return ", ".join(assessment.actors[actor] for actor in one.actors)


def is_there(one: Process) -> bool:
    """Whether it has a target, and is where it should be."""
    return one.target is not None and one.now is one.aim


def share_there(listed: Iterable[Process]) -> str:
    """Return how many of the processes that have a target are there, how many should be lower, how many have none.

    Examples
    --------
    >>> share_there([])
    '0 of 0 with a target are there'
    """
    known = list(listed)
    aimed = [one for one in known if one.target is not None]
    there, fall = sum(map(is_there, aimed)), sum(one.aim.rank < one.now.rank for one in aimed)
    said = f"{there} of {len(aimed)} with a target {'is' if len(aimed) == 1 else 'are'} there"
    lower = f", {fall} to be lower than today" if fall else ""
    bare = len(known) - len(aimed)
    return f"{said}{lower}" + (f"; {bare} {'has' if bare == 1 else 'have'} none" if bare else "")


def has_target(assessment: Assessment) -> bool:
    """Whether any process should be elsewhere than it is."""
    return any(one.aim is not one.now for one in assessment.processes)


def counted(assessment: Assessment, *, target: bool = False) -> list[tuple[Level, str]]:
    """Return how many processes have each level, from automated to absent: ``2``, with targets ``2 → 5``."""
    now = levels.counts(one.now for one in assessment.processes)
    then = levels.counts(one.aim for one in assessment.processes)
    return [(level, f"{count} → {then[level]}" if target else f"{count}") for level, count in now.items()]


def amount(value: float | None) -> str:
    """Return effort, gain or their ratio.

    Examples
    --------
    >>> amount(2.0), amount(1 / 3), amount(None)
    ('2', '0.333', '-')
    """
    return "-" if value is None else f"{value:.3g}"
