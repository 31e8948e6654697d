"""What the owner of a model answered, as it is shown; and all of it as plain data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.padding import Padding
from rich.text import Text

from mlops_cli.store.registry.json import handover_to_json
from mlops_cli.views.listing import dated_time
from mlops_cli.views.text import clean, plain, plural

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from rich.console import RenderableType

    from mlops_cli.records import Handover, HandoverFile, HandoverItem, KeptHandover


def summary(found: Handover, ref: str, now: datetime) -> str:
    """Return in one line how much was answered, by whom, when, for which version where that is another one."""
    of = f"{found.answered} of {plural(len(found.items), 'question')} answered"
    other = "" if found.ref == ref else f", for {found.ref}"
    missing = f"; not answered: {', '.join(found.missing)}" if found.missing else ""
    return clean(f"{of} by {found.by}, {dated_time(found.at, now)}{other}{missing}")


def answers(found: Handover, ref: str, now: datetime) -> RenderableType:
    """Return all questions with what was answered.

    Parameters
    ----------
    found : Handover
        The answers.
    ref : str
        The version that they hold for.
    now : datetime
        What times are told from.
    """
    head = Text.assemble((clean(ref), "bold"), "  ", summary(found, ref, now))
    return Group(head, *(part for item in found.items for part in _item(item)))


def _item(item: HandoverItem) -> Iterator[RenderableType]:
    yield Text()
    yield Text.assemble((item.key, "bold"), (f"  {clean(item.question)}", "dim"))
    if item.answer:
        text = Text("\n").join(plain(line) for line in item.answer.splitlines())
    else:
        text = Text("not answered, and must be", "yellow") if item.must else Text("not answered", "dim")
    yield Padding(text, (0, 0, 0, 2))


def kept(found: KeptHandover) -> str:
    """Return one line: which version has answers now."""
    handover = found.handover
    return clean(f"{handover.ref} has answers to {handover.answered} of {plural(len(handover.items), 'question')}")


def lacking(found: KeptHandover) -> list[str]:
    """Return a line for each question that must be answered and is not: where, and what is asked."""
    return [clean(f"{place}: {item.key}: not answered: {item.question}") for item, place in found.places]


def begun(found: HandoverFile) -> str:
    """Return what came of beginning a file."""
    return clean(f"{found.path} {'has the questions' if found.is_new else 'is there, and stays as it is'}")


def handover_json(found: Handover) -> dict[str, Any]:
    """Return all of it."""
    return {**handover_to_json(found), "ref": found.ref, "missing": list(found.missing)}
