"""Platforms and what was found of them as plain data: JSON, and a row for each question and platform."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_cli.analysis.platforms import is_settled, mark_by, moved, ranking

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_cli.records import ConcernScore, Evaluation, Mark, Platform, PlatformScore, Question


def evaluation_json(evaluation: Evaluation, scores: Sequence[PlatformScore]) -> dict[str, Any]:
    """Return all that is known, for programs."""
    places = {one.platform.key: place for place, one in ranking(scores)}
    return {
        "name": evaluation.name,
        "concerns": dict(evaluation.concerns),
        "platforms": [_platform_json(evaluation, one, places.get(one.platform.key)) for one in scores],
        "settled": is_settled(scores),
        "questions": [_question_json(one) for one in evaluation.questions],
        "warnings": [{"code": one.code, "message": one.message} for one in evaluation.notices],
    }


def _platform_json(evaluation: Evaluation, found: PlatformScore, place: int | None) -> dict[str, Any]:
    platform = found.platform
    return {
        "platform": platform.key,
        "name": platform.name,
        "date": platform.date or None,
        "note": platform.note,
        "place": place,
        "failed": [one.key for one in found.failed],
        "open": [one.key for one in found.unknown],
        "overall": _score_json(found.overall, mark_by(found)),
        "concerns": {key: _score_json(one, mark_by(found, key)) for key, one in found.concerns.items()},
        "levels": {one.key: {"now": str(one.now), "there": str(level)} for one, level in moved(evaluation, platform)},
    }


def _score_json(found: ConcernScore, mark: Mark | None) -> dict[str, Any]:
    return {
        "mark": None if mark is None else str(mark),
        "score": found.score,
        "answered": found.answered,
        "questions": found.questions,
        "between": None if found.between is None else list(found.between),
    }


def _question_json(one: Question) -> dict[str, Any]:
    marks = {key: None if answer.mark is None else str(answer.mark) for key, answer in one.answers.items()}
    return {
        "question": one.key,
        "concern": one.concern,
        "ask": one.text,
        "weight": one.weight,
        "must": one.must,
        "answers": {key: {"answer": marks[key], "note": answer.note} for key, answer in one.answers.items()},
    }


def evaluation_rows(evaluation: Evaluation) -> list[dict[str, Any]]:
    """Return a row for each question and platform, for tables."""
    return [_row(evaluation, one, platform) for one in evaluation.questions for platform in evaluation.platforms]


def _row(evaluation: Evaluation, one: Question, platform: Platform) -> dict[str, Any]:
    answer = one.answers.get(platform.key)
    mark = one.mark(platform.key)
    return {
        "concern": evaluation.concerns[one.concern],
        "question": one.key,
        "ask": one.text,
        "must": one.must,
        "weight": one.weight,
        "platform": platform.key,
        "name": platform.name,
        "date": platform.date,
        "answer": "" if mark is None else str(mark),
        "points": None if mark is None else mark.points,
        "note": "" if answer is None else answer.note,
    }
