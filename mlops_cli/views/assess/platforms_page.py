"""Platforms side by side as one page of HTML that stands alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlops_cli.analysis.platforms import newest, ranking, reached
from mlops_cli.views import pages
from mlops_cli.views.assess.levels import of
from mlops_cli.views.assess.platforms import (
    WORDS,
    between,
    date_lines,
    failures,
    labels,
    may_change,
    reach_line,
    told_apart,
    word_by,
)
from mlops_cli.views.pages.tables import EXTRA, NUMBER, TableData, column
from mlops_cli.views.text import clean, percent, plural

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlops_cli.records import Evaluation, Level, Platform, PlatformScore, Process, Question
    from mlops_cli.views.pages.tables import Cell

MARK = "mlops platforms report"
"""What a page says of itself in its first lines: by it such a page is known from another file."""


@dataclass(frozen=True)
class Scored:
    """How a platform does by a concern, as a page shows it."""

    word: str  # yes, partly, no, open; out where a must-have fails
    figure: str
    counts: str
    between: str = ""  # nothing where all is answered
    low: float = 0.0  # of the bar, in percent
    high: float = 0.0
    at: float | None = None  # nothing where nothing is answered


@dataclass(frozen=True)
class Chart:
    """The team's own processes as they would be on a platform."""

    name: str
    said: str
    address: str  # a picture that holds itself


def platforms_page(evaluation: Evaluation, scores: Sequence[PlatformScore]) -> str:
    """Return the page.

    Parameters
    ----------
    evaluation : Evaluation
        The questions and answers.
    scores : sequence of PlatformScore
        How each platform does.
    """
    styles = [pages.static("style.css"), pages.static("platforms.css")]
    scripts = [pages.static(name) for name in ("table.js", "page.js")]
    names = labels(evaluation.platforms)
    return (
        pages.environment()
        .get_template("platforms.html")
        .render(
            mark=MARK,
            policy=pages.policy(styles, scripts),
            styles=styles,
            scripts=scripts,
            evaluation=evaluation,
            counts=f"{plural(len(evaluation.platforms), 'platform')}, {plural(len(evaluation.questions), 'question')}",
            figures=figures(scores, names),
            unsettled=may_change(scores),
            scores=scores,
            names=names,
            apart={one.key: told_apart(one, names) for one in evaluation.platforms},
            rows=score_rows(evaluation, scores),
            dates=date_lines(evaluation, names),
            questions=questions_table(evaluation, names),
            levels=levels_table(evaluation, names),
            charts=charts(evaluation, names),
        )
    )


def figures(scores: Sequence[PlatformScore], names: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Return what comes first: each platform, its score, and what belongs to it; the best first, what is out last."""
    ranked = ranking(scores)
    placed = {one.platform.key for _, one in ranked}
    found = [(f"{place}. {names[one.platform.key]}", *_figure(one)) for place, one in ranked]
    left = [one for one in newest(scores) if one.platform.key not in placed]
    return [*found, *((names[one.platform.key], *_figure(one)) for one in left)]


def _figure(found: PlatformScore) -> tuple[str, str]:
    score = found.overall
    said = f"{score.answered} of {score.questions} answered"
    if score.score is None:
        return "open", f"{said}, nothing that counts" if score.answered else said
    more = f"{said}, {between(score)} by the rest" if between(score) else said
    return (
        ("out", f"{failures(found)}; {percent(score.score)}, {more}") if found.failed else (percent(score.score), more)
    )


# --- by concern --------------------------------------------------------------------------------------------------


def score_rows(evaluation: Evaluation, scores: Sequence[PlatformScore]) -> list[tuple[str, list[Scored]]]:
    """Return each concern, and last all of them, with how each platform does."""
    rows = [(name, [scored(one, concern) for one in scores]) for concern, name in evaluation.concerns.items()]
    return [*rows, ("overall", [scored(one) for one in scores])]


def scored(found: PlatformScore, concern: str | None = None) -> Scored:
    """Return a score by a concern, or by all, as it is shown and drawn."""
    one = found.overall if concern is None else found.concerns[concern]
    word, counts = word_by(found, concern), f"{one.answered} of {one.questions}"
    if one.score is None or one.between is None:
        return Scored(word, "-", counts)
    low, high = (round(100 * end, 1) for end in one.between)
    return Scored(word, percent(one.score), counts, between(one), low, high, round(100 * one.score, 1))


# --- questions and levels ----------------------------------------------------------------------------------------


def questions_table(evaluation: Evaluation, names: Mapping[str, str], name: str = "questions-rows") -> TableData:
    """Return all questions with the answers beside each other."""
    before = column("concern"), column("question", "ask")
    after = (
        column("notes", "notes"),
        column("must"),
        column("weight", NUMBER, down=True),
        column("differs"),
        column("key", EXTRA),
    )
    called = _called(evaluation.platforms, names, (*before, *after))
    heads = (*before, *map(column, called), *after)
    rows = tuple(_row(one, evaluation, names) for one in evaluation.questions)
    example = f"{_typed(called[0])}=no must=yes"
    return TableData(name, "All questions", heads, rows, example)


def _called(platforms: Sequence[Platform], names: Mapping[str, str], others: Sequence[Mapping[str, str]]) -> list[str]:
    """Return a name for the column of each platform; by names columns are asked for, and so no two have one."""
    taken = {_typed(one["name"]) for one in others}
    called = []
    for one in platforms:
        name = names[one.key]
        while _typed(name) in taken:
            name = f"{name} ({one.key})"
        taken.add(_typed(name))
        called.append(name)
    return called


def _typed(name: str) -> str:
    """Return the name of a column as it is typed into the filter, as table.js has it."""
    return clean(name).lower().removesuffix(" ↑").removesuffix(" ↓").replace(" ", "_")


def _row(one: Question, evaluation: Evaluation, names: Mapping[str, str]) -> tuple[Cell, ...]:
    marks = [one.mark(platform.key) for platform in evaluation.platforms]
    notes = [(names[key], answer.note) for key, answer in one.answers.items() if answer.note]
    return (
        clean(evaluation.concerns[one.concern]),
        clean(one.text),
        *({"t": WORDS[mark], "c": f"mark {WORDS[mark]}"} for mark in marks),
        clean("; ".join(f"{name}: {note}" for name, note in notes)) or None,
        "yes" if one.must else None,
        f"{one.weight:g}",
        "yes" if len(set(marks)) > 1 else None,
        {"t": clean(one.key), "c": "code"},
    )


def levels_table(evaluation: Evaluation, names: Mapping[str, str], name: str = "levels-rows") -> TableData | None:
    """Return each process with its level today and on each platform; None where no platform says levels."""
    there = [one for one in evaluation.platforms if one.levels]
    if evaluation.assessment is None or not there:
        return None
    phases = evaluation.assessment.phases
    before = column("process"), column("phase"), column("today")
    heads = (*before, *map(column, _called(there, names, before)))
    rows = tuple(
        (clean(one.name), clean(phases[one.phase]), _level(one.now), *(_there(one, platform) for platform in there))
        for one in evaluation.assessment.processes
    )
    return TableData(name, "Levels today and there", heads, rows, "monitoring, today=manual")


def _level(level: Level, how: str = "") -> Cell:
    """Return a level by its word, which can be asked for; its sign is put before it by the style."""
    return {"t": of(level).word, "c": f"level {level} {how}".strip()}


def _there(process: Process, platform: Platform) -> Cell:
    level = platform.levels.get(process.key, process.now)
    higher = "raised" if level.rank > process.now.rank else "lowered"
    return _level(level, "as-today" if level is process.now else higher)


def charts(evaluation: Evaluation, names: Mapping[str, str]) -> list[Chart]:
    """Return the team's own chart for each platform that says levels."""
    from mlops_cli.views.assess.svg import svg

    if evaluation.assessment is None:
        return []
    return [
        Chart(
            names[one.key],
            reach_line(evaluation, one),
            pages.data_url("image/svg+xml", svg(reached(evaluation, one)).encode("utf-8", "backslashreplace")),
        )
        for one in evaluation.platforms
        if one.levels
    ]
