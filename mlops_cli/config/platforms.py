"""Reads a file of questions about platforms: what is asked, of which concern, and what was found of each platform."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_cli.config import readers as read
from mlops_cli.config.assess import LEVELS, MOST, day, filled, named, titled
from mlops_cli.errors import ConfigError
from mlops_cli.records import Answer, Evaluation, Level, Mark, Platform, Question

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_cli.records import Assessment

QUESTIONS = "questions"
"""The key that a file of questions has, and by which it is known."""

CHART = "processes"
"""The key that names the team's own file of processes."""

_KEYS = ("name", CHART, "platforms", "concerns", QUESTIONS)
_OF_PLATFORM = ("name", "date", "note", "levels")
_OF_QUESTION = ("concern", "ask", "weight", "must", "answers")
_OF_ANSWER = ("answer", "note")
_SPELLED = {
    Mark.GREEN: ("🟢", "green", "yes", True),
    Mark.YELLOW: ("🟡", "yellow", "partly"),
    Mark.RED: ("🔴", "red", "no", False),
}
_MUST = "🟢 (green, 'yes'), 🟡 (yellow, partly), 🔴 (red, 'no'), or nothing where it is not known"
_SELECTOR = "\ufe0f"  # what some keyboards put behind a sign, so that it is drawn in colour


def read_evaluation(value: object, assessment: Assessment | None = None) -> Evaluation:
    """Return what a file of questions says.

    Parameters
    ----------
    value : object
        As YAML has it.
    assessment : Assessment, optional
        The processes that it names, which the levels of its platforms are of.

    Raises
    ------
    ConfigError
        With the key at fault.
    """
    node = read.mapping(value, "")
    read.only(node, "", _KEYS)
    concerns = named(node.get("concerns"), "concerns")
    platforms = tuple(
        _platform(key, said, assessment) for key, said in filled(node.get("platforms"), "platforms").items()
    )
    known = [one.key for one in platforms]
    return Evaluation(
        name=read.text(node.get("name", "Platforms"), "name"),
        concerns=concerns,
        platforms=platforms,
        questions=tuple(
            _question(key, said, concerns, known) for key, said in filled(node.get(QUESTIONS), QUESTIONS).items()
        ),
        assessment=assessment,
    )


def chart_of(value: object) -> str | None:
    """Return the path of the file of processes that a file of questions names; None where it names none.

    Raises
    ------
    ConfigError
        It is no text.
    """
    said = read.mapping(value, "").get(CHART)
    return None if said is None else read.text(said, CHART)


# --- platforms ---------------------------------------------------------------------------------------------------


def _platform(name: str, value: object, assessment: Assessment | None) -> Platform:
    key = f"platforms.{name}"
    if "@" in name:
        raise ConfigError("holds an @", key=key, hint="name and date have keys of their own: date: 2026-01-31")
    read.word(name, key)
    node = read.mapping(value, key)
    read.only(node, key, _OF_PLATFORM)
    return Platform(
        key=name,
        name=read.text(node.get("name", titled(name)), f"{key}.name"),
        date=day(node.get("date"), f"{key}.date"),
        note=_text(node, "note", key),
        levels=_levels(node.get("levels"), f"{key}.levels", assessment),
    )


def _levels(value: object, key: str, assessment: Assessment | None) -> dict[str, Level]:
    """Return process → level; what is said of a process comes before what is said of its whole phase."""
    said = read.mapping(value, key)
    if not said:
        return {}
    if assessment is None:
        raise ConfigError("of which processes?", key=key, hint=f"{CHART}: processes.yaml, beside platforms")
    read.only(said, key, [*assessment.phases, *(one.key for one in assessment.processes)])
    read_levels = {name: Level(read.choice(word, f"{key}.{name}", LEVELS)) for name, word in said.items()}
    found = {one.key: read_levels.get(one.key, read_levels.get(one.phase)) for one in assessment.processes}
    return {name: level for name, level in found.items() if level is not None}


# --- questions ---------------------------------------------------------------------------------------------------


def _question(name: str, value: object, concerns: Mapping[str, str], platforms: list[str]) -> Question:
    key = f"{QUESTIONS}.{name}"
    read.word(name, key)
    node = read.mapping(value, key)
    read.only(node, key, _OF_QUESTION)
    if node.get("concern") is None:
        raise ConfigError("there is none", key=f"{key}.concern", hint=f"one of {', '.join(concerns)}")
    if not _text(node, "ask", key):
        raise ConfigError("there is none", key=f"{key}.ask", hint="a question that can be answered by yes, partly, no")
    return Question(
        key=name,
        concern=read.choice(node["concern"], f"{key}.concern", concerns),
        text=node["ask"],
        weight=read.number(node.get("weight", 1), f"{key}.weight", least=0, most=MOST),
        must=read.flag(node.get("must", False), f"{key}.must"),
        answers=_answers(node.get("answers"), f"{key}.answers", platforms),
    )


def _answers(value: object, key: str, platforms: list[str]) -> dict[str, Answer]:
    said = read.mapping(value, key)
    read.only(said, key, platforms)
    return {name: _answer(one, f"{key}.{name}") for name, one in said.items() if one is not None}


def _answer(value: object, key: str) -> Answer:
    """Return an answer: a mark alone, or a mapping that notes something of it."""
    if not read.is_mapping(value):
        return Answer(_mark(value, key))
    node = read.mapping(value, key)
    if "weight" in node:
        hint = (
            f"{key.partition('.answers.')[0]}.weight holds for all platforms: by different weights none can be compared"
        )
        raise ConfigError("an answer has no weight of its own", key=f"{key}.weight", hint=hint)
    for name in node:
        if name not in _OF_ANSWER and node[name] is None:  # YAML ends an unquoted text inside {} at a comma
            raise ConfigError("there is nothing of it", key=f"{key}.{name}", hint=f"a text with a comma: '…, {name}'")
    read.only(node, key, _OF_ANSWER)
    return Answer(_mark(node.get("answer"), f"{key}.answer"), _text(node, "note", key))


def _mark(value: object, key: str) -> Mark | None:
    if value is None:
        return None
    word = value.strip().removesuffix(_SELECTOR).casefold() if isinstance(value, str) else value
    for mark, spelled in _SPELLED.items():
        if any(type(word) is type(one) and word == one for one in spelled):  # 1 is not true
            return mark
    raise read.wrong(value, key, _MUST)


def _text(node: Mapping[str, Any], word: str, key: str) -> str:
    return "" if node.get(word) is None else read.text(node[word], f"{key}.{word}")
