"""What came of making a model anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.text import Text

from mlops_cli.records import RunStatus
from mlops_cli.views import promotion
from mlops_cli.views.text import clean, notice, params

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from mlops_cli.records import Retrained

_WORDS = {
    "before": "seen before",
    "new": "new",
    "changed": "changed",
    "trained": "learned from",
    "held_out": "held out",
}


def retrained(found: Retrained) -> RenderableType:
    """Return what was found and done, the gates last."""
    return Group(*_lines(found), *_gates(found))


def stays(found: Retrained) -> str:
    """Return in one line why nothing was done.

    Examples
    --------
    >>> from mlops_cli.records import Retrained
    >>> stays(Retrained("titanic", needed=False, reasons=("nothing is new",), before="titanic/1"))
    'titanic/1 stays: nothing is new'
    """
    return clean(f"{found.before} stays: {'; '.join(found.reasons)}")


def _lines(found: Retrained) -> Iterator[Text]:
    yield from map(notice, found.notices)
    for reason in found.reasons:
        yield _named("why", reason)
    yield _named("recipe", f"{found.before}, on {found.data}")
    yield _named("rows", ", ".join(f"{found.rows[key]:,} {word}" for key, word in _WORDS.items() if key in found.rows))
    yield _named("run", f"{found.run}{_how_it_ended(found)}")
    if found.changed:
        yield _named("changed", params(found.changed))
    if found.version is not None:
        yield _named("version", f"{found.version}, @challenger")


def _named(name: str, value: str) -> Text:
    return Text.assemble((f"{name:<9}", "bold"), clean(value))


def _how_it_ended(found: Retrained) -> str:
    return "" if found.status is RunStatus.COMPLETED else f", {found.status}"


def _gates(found: Retrained) -> Iterator[RenderableType]:
    if found.promotion is None:
        return
    yield Text()
    for said in promotion.notes(found.promotion):
        yield Text(said, style="dim")
    if found.promotion.gates:
        yield promotion.gates(found.promotion)
        yield Text()
    yield Text(promotion.verdict(found.promotion, dry_run=found.promotion.passed))


def refusal(found: Retrained) -> str:
    """Return in one line which gates refused; nothing where none did."""
    if found.promotion is None or found.promotion.done or found.promotion.passed:
        return ""
    failed = "; ".join(f"{gate.gate}, {gate.found}" for gate in found.promotion.gates if not gate.passed)
    return clean(f"{found.version} is not promoted: {failed}")


def steps(found: Retrained) -> list[str]:
    """Return what may come next."""
    if found.status is RunStatus.INTERRUPTED:
        return ["the same command goes on where this one ended"]
    if found.status is RunStatus.FAILED:
        return [clean(f"mlops runs show {found.run}")]
    if found.version is None:
        return []
    if found.promotion is not None and found.promotion.done:
        return [clean(f"mlops models rollback {found.model}    gives the alias back")]
    more = [] if found.promotion is None or not found.promotion.passed else [f"mlops models promote {found.version}"]
    return [clean(text) for text in (*more, f"mlops models diff {found.before} {found.version}")]


def retrained_json(found: Retrained) -> dict[str, Any]:
    """Return all of it."""
    return {
        "model": found.model,
        "needed": found.needed,
        "reasons": list(found.reasons),
        "before": found.before,
        "data": found.data,
        "rows": dict(found.rows),
        "run": found.run,
        "status": None if found.status is None else str(found.status),
        "version": found.version,
        "held_out": found.held_out,
        "changed": dict(found.changed),
        "promoted": found.promotion is not None and found.promotion.done,
        "promotion": None if found.promotion is None else promotion.promotion_json(found.promotion),
        "warnings": [{"code": item.code, "message": item.message} for item in found.notices],
    }
