"""How platforms do by the questions that were asked of them: scores, ranks, and what each would change."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING

from mlops_cli.records import ConcernScore, Mark, PlatformScore

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_cli.records import Assessment, Evaluation, Level, Platform, Process, Question


def scores(evaluation: Evaluation) -> tuple[PlatformScore, ...]:
    """Return how each platform does, in the order of the file.

    A score is the weighted mean of the points of what is answered: 1 of green, a half of yellow, 0 of red. What nobody
    has answered counts for nothing, and is counted.
    """
    return tuple(_of(platform, evaluation) for platform in evaluation.platforms)


def _of(platform: Platform, evaluation: Evaluation) -> PlatformScore:
    asked, musts = evaluation.questions, [one for one in evaluation.questions if one.must]
    return PlatformScore(
        platform=platform,
        failed=tuple(one for one in musts if one.mark(platform.key) is Mark.RED),
        unknown=tuple(one for one in musts if one.mark(platform.key) is None),
        overall=score(asked, platform.key),
        concerns={
            concern: score([one for one in asked if one.concern == concern], platform.key)
            for concern in evaluation.concerns
        },
    )


def score(questions: Sequence[Question], platform: str) -> ConcernScore:
    """Return how a platform does by some questions.

    Weights are summed as the file writes them, exactly: equals share a place, whatever the order of the questions.
    """
    marks = [(Fraction(str(one.weight)), one.mark(platform)) for one in questions]
    known = [(weight, mark) for weight, mark in marks if mark is not None]
    total, heard = sum(weight for weight, _ in marks), sum(weight for weight, _ in known)
    points = sum(weight * Fraction(mark.points) for weight, mark in known)
    return ConcernScore(
        score=float(points / heard) if heard else None,
        answered=len(known),
        questions=len(marks),
        between=(float(points / total), float((points + total - heard) / total)) if total else None,
    )


def mark_of(score: float) -> Mark:
    """Return the mark whose points are nearest to a score.

    Examples
    --------
    >>> [str(mark_of(score)) for score in (1, 0.75, 0.74, 0.25, 0.24)]
    ['green', 'green', 'yellow', 'yellow', 'red']
    """
    return Mark.GREEN if score >= 0.75 else Mark.YELLOW if score >= 0.25 else Mark.RED


def mark_by(found: PlatformScore, concern: str | None = None) -> Mark | None:
    """Return the mark of a platform by a concern, or by all; red where a must-have fails, None if not known."""
    if any(concern in {None, one.concern} for one in found.failed):
        return Mark.RED
    known = found.overall if concern is None else found.concerns[concern]
    return None if known.score is None else mark_of(known.score)


# --- which one ---------------------------------------------------------------------------------------------------


def newest(found: Sequence[PlatformScore]) -> tuple[PlatformScore, ...]:
    """Return platforms without those that were evaluated again at a later date."""
    last = {
        one.platform.name: max(o.platform.date for o in found if o.platform.name == one.platform.name) for one in found
    }
    return tuple(one for one in found if one.platform.date in {"", last[one.platform.name]})


def ranking(found: Sequence[PlatformScore]) -> tuple[tuple[int, PlatformScore], ...]:
    """Return place and platform, the best first; without those of which a must-have fails or nothing is known.

    Of one platform at several dates the newest is ranked.
    """
    known = newest(found)
    left = {one.platform.key: one.overall.score for one in known if not one.failed and one.overall.score is not None}
    ranked = sorted((one for one in known if one.platform.key in left), key=lambda one: -left[one.platform.key])
    values = list(left.values())
    return tuple((1 + sum(other > left[one.platform.key] for other in values), one) for one in ranked)


def is_settled(found: Sequence[PlatformScore]) -> bool:
    """Whether the order stays the same whatever the answers that are still open."""
    ranked = [one for _, one in ranking(found)]
    placed = {one.platform.key for one in ranked}
    later = [one for one in newest(found) if not one.failed and one.platform.key not in placed]
    if any(one.unknown for one in ranked):
        return False  # what is first may yet fall out
    reaches = [
        one.overall.between for one in (*ranked, *later) if one.overall.between is not None
    ]  # None: never a place
    fixed = all(low == high for low, high in reaches)
    return fixed or all(a[0] > b[1] for a, b in pairwise(reaches))


# --- on the team's own chart -------------------------------------------------------------------------------------


def reached(evaluation: Evaluation, platform: Platform) -> Assessment:
    """Return the team's processes at the levels that a platform would reach; what it says nothing of stays as it is.

    Raises
    ------
    ValueError
        The evaluation has no processes.
    """
    if evaluation.assessment is None:
        raise ValueError("the evaluation names no processes")
    processes = tuple(_there(one, platform.levels.get(one.key)) for one in evaluation.assessment.processes)
    return replace(evaluation.assessment, processes=processes)


def _there(process: Process, level: Level | None) -> Process:
    """Return a process at another level; what was found of it holds for the one that it has."""
    return process if level in {None, process.now} else replace(process, level=level, evidence=None)


def moved(evaluation: Evaluation, platform: Platform) -> tuple[tuple[Process, Level], ...]:
    """Return each process whose level a platform would change, with that level, in the order of the file."""
    known = evaluation.assessment.processes if evaluation.assessment is not None else ()
    levels = [(one, platform.levels.get(one.key)) for one in known]
    return tuple((one, level) for one, level in levels if level is not None and level is not one.now)


# --- from one date to another ------------------------------------------------------------------------------------


def compared(evaluation: Evaluation, before: Platform, after: Platform) -> tuple[Question, ...]:
    """Return the questions of which the answers of two platforms, or of one at two dates, are both known."""
    both = (before.key, after.key)
    return tuple(one for one in evaluation.questions if all(one.mark(key) is not None for key in both))


def changes(evaluation: Evaluation, before: Platform, after: Platform) -> tuple[Question, ...]:
    """Return the questions that two platforms, or one at two dates, are known to answer otherwise."""
    known = compared(evaluation, before, after)
    return tuple(one for one in known if one.mark(before.key) is not one.mark(after.key))


def in_order(platforms: Sequence[Platform]) -> tuple[Platform, ...]:
    """Return platforms with those of one name beside each other, by date, where the first of them stands."""
    names = [one.name for one in platforms]
    return tuple(sorted(platforms, key=lambda one: (names.index(one.name), one.date)))


def dates(evaluation: Evaluation) -> tuple[tuple[Platform, Platform], ...]:
    """Return each platform as of a date beside the same one as of the last date before."""
    dated = sorted((one for one in evaluation.platforms if one.date), key=lambda one: one.date)
    found = []
    for one in dated:
        earlier = [other for other in dated if other.name == one.name and other.date < one.date]
        if earlier:
            found.append((earlier[-1], one))
    return tuple(found)
