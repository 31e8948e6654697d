"""Reads what a model's owner answers before it goes to production, and writes the questions to begin with."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

from mlops_cli.config import readers as read
from mlops_cli.errors import ConfigError
from mlops_cli.records import HandoverItem

if TYPE_CHECKING:
    from collections.abc import Mapping

SECTION = "handover"
OWN = "questions"
"""The key of the owner's own questions."""

QUESTIONS = (
    HandoverItem("business_owner", "Who asked for it, and answers for what it decides?", must=True),
    HandoverItem("technical_owner", "Who keeps it running, and is called when it does not?", must=True),
    HandoverItem("purpose", "Which decision or product does it serve, and what must it not be used for?", must=True),
    HandoverItem("consumed", "How is it consumed (batch, API, on a device), by whom, and how often?", must=True),
    HandoverItem("availability", "What availability and response time do its consumers need?", must=True),
    HandoverItem("failure", "What happens when it fails, is late or is wrong: what is the fallback?", must=True),
    HandoverItem("monitoring", "How is it watched, and who is told of drift or of falling scores?", must=True),
    HandoverItem("retraining", "How is it retrained, how often, and on whose data and labels?", must=True),
    HandoverItem("promotion", "Who decides which version goes to production, and by what?", must=True),
    HandoverItem(
        "sensitivity", "How sensitive are its data and predictions: personal data, trade secrets, retention?", must=True
    ),
    HandoverItem("licence", "Which laws, contracts and licences bind its data, its code and its packages?", must=False),
    HandoverItem("code_shareable", "May its code be shared: within the organization, in public?", must=False),
    HandoverItem("reusable_parts", "Which parts could others reuse: features, labels, steps, tests?", must=False),
    HandoverItem("limits", "What is it known to be bad at, and which rows should not reach it?", must=False),
    HandoverItem("next_work", "What is to be done next, and by whom?", must=False),
)
"""What every owner is asked."""

_OPEN = re.compile(r"(TODO|TBD)\b.*|(?i:todo|tbd|\?+)", re.DOTALL)
"""What stands where an answer is still to come."""
_KEY = re.compile(r"[A-Za-z]\w{0,59}", re.ASCII)


def read_handover(value: object, _key: str = "") -> tuple[HandoverItem, ...]:
    """Return all questions, the owner's own ones too, with what was answered.

    Parameters
    ----------
    value : object
        What the file holds, as YAML has it.

    Raises
    ------
    ConfigError
        With the key at fault; or nothing at all is answered.
    """
    node = read.mapping(value, "")
    asked = (*QUESTIONS, *_own(node.get(OWN)))
    read.only(node, "", [*(item.key for item in asked), OWN])
    found = tuple(HandoverItem(item.key, item.question, item.must, _answer(node, item.key)) for item in asked)
    if not any(item.answer for item in found):
        raise ConfigError("nothing is answered", hint=f"say who answers for it: {QUESTIONS[0].key}: NAME")
    return found


def _own(value: object) -> tuple[HandoverItem, ...]:
    """Return the owner's own questions; whoever asks one wants it answered."""
    node = read.mapping(value, OWN)
    taken = {OWN, *(item.key for item in QUESTIONS)}
    return tuple(_own_question(key, node, taken) for key in node)


def _own_question(key: str, node: Mapping[str, object], taken: set[str]) -> HandoverItem:
    place = f"{OWN}.{key}"
    if not _KEY.fullmatch(key):
        raise ConfigError("is no word", key=place, hint="letters, digits and _, a letter first, 60 at most")
    if key in taken:
        raise ConfigError("is asked already", key=place, hint="give your own question another key")
    question = " ".join(read.text(node[key], place).split())
    if not question:
        raise ConfigError("asks nothing", key=place, hint=f"{key}: what is asked")
    return HandoverItem(key, question, must=True)


def _answer(node: Mapping[str, object], key: str) -> str:
    """Return an answer as text; of a list its items."""
    value = node.get(key)
    if isinstance(value, list):
        return "; ".join(filter(None, (_word(item, f"{key}[{i}]") for i, item in enumerate(value))))
    return _word(value, key)


def _word(value: object, key: str) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float | date):
        return str(value)
    if not isinstance(value, str):
        raise read.wrong(value, key, "text, or a list of texts")
    said = value.strip()
    return "" if _OPEN.fullmatch(said) else said


def blank_handover(name: str) -> str:
    """Return a file of a model's questions without answers, as YAML.

    Examples
    --------
    >>> print("".join(blank_handover("titanic").partition("# Who")[1:])[:75])
    # Who asked for it, and answers for what it decides?
    business_owner:
    <BLANKLINE>
    # Who
    """
    lines = [
        f"# What the owner of {name} answers before it goes to production, in words or lists of them.",
        f"# mlops models handover {name}/N keeps them with a version, and they hold for those that come after it.",
        "# Quote an answer that has a colon. TODO, TBD and ? count as no answer.",
    ]
    for item in QUESTIONS:
        lines += ["", f"# {item.question}{'' if item.must else ' (may stay open)'}", f"{item.key}:"]
    lines += ["", "# Your own questions, to be answered too: on lines like those above, by their keys", f"{OWN}:"]
    return "\n".join([*lines, "#  launch: On which days may it be changed?"]) + "\n"
