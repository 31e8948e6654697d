"""What came of running a run again: the verdict, what differs, what has changed; and as plain data, and back."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.text import Text

from mlops_cli.records import Agreeing, Agreement, Rerun
from mlops_cli.store.values import decode, encode, finite
from mlops_cli.views.runs import table
from mlops_cli.views.text import clean, params, plain, plural

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.console import RenderableType

SHOWN = 20
STYLE = {Agreement.IDENTICAL: "green", Agreement.EQUAL: "green", Agreement.DIFFERENT: "red"}


def verdict(found: Rerun) -> RenderableType:
    """Return what a rerun came to."""
    head = Text.assemble(plain(found.first, "bold"), " run again as ", plain(found.again, "bold"))
    blocks: list[RenderableType] = [head, Text(), _sentence(found)]
    told = [p for p in (*found.trials, *found.parts) if p.agreement is found.agreement is not Agreement.IDENTICAL]
    if told:
        blocks += [Text(), _table(told[:SHOWN])]
    if len(told) > SHOWN:
        blocks.append(Text(f"… and {len(told) - SHOWN:,} more; --json has them all", style="dim"))
    if found.changed:
        blocks += [Text(), Text("since then", style="bold"), *_listed(found.changed)]
    if found.notes:
        blocks += [Text(), *(plain(note, "dim") for note in found.notes)]
    return Group(*blocks)


def _listed(sentences: Sequence[str]) -> Iterator[Text]:
    return (plain(f"  {sentence}") for sentence in sentences)


def _sentence(found: Rerun) -> Text:
    """Return the verdict with what it rests on."""
    how = {
        Agreement.IDENTICAL: "bit for bit: ",
        Agreement.EQUAL: f"within {found.tolerance:g}: ",
        Agreement.DIFFERENT: "",
    }[found.agreement]
    what = _differing(found) if found.agreement is Agreement.DIFFERENT else _all(found)
    return Text.assemble((str(found.agreement), f"bold {STYLE[found.agreement]}"), f", {how}{what}")


def _all(found: Rerun) -> str:
    return ", ".join([plural(len(found.trials), "trial"), *(clean(part.what) for part in found.parts)])


def _differing(found: Rerun) -> str:
    trials = sum(trial.agreement is Agreement.DIFFERENT for trial in found.trials)
    parts = [clean(part.what) for part in found.parts if part.agreement is Agreement.DIFFERENT]
    return ", ".join([*([f"{trials:,} of {plural(len(found.trials), 'trial')}"] if trials else []), *parts])


def _table(parts: Sequence[Agreeing]) -> RenderableType:
    """Return a line for each, with how far it is apart as a share of the largest value beside it."""
    made = table("", "params", ">apart", "where")
    for part in parts:
        share = "-" if part.difference is None else f"{part.difference:.1e}"
        made.add_row(plain(part.what), Text(params(part.params)), share, plain(part.detail))
    return made


# --- plain data --------------------------------------------------------------------------------------------------


def as_json(found: Rerun) -> dict[str, Any]:
    """Return a rerun as plain data."""
    return {
        "first": found.first,
        "again": found.again,
        "agreement": str(found.agreement),
        "tolerance": found.tolerance,
        "trials": [_json(part) for part in found.trials],
        "parts": [_json(part) for part in found.parts],
        "changed": list(found.changed),
        "notes": list(found.notes),
    }


def from_json(value: Mapping[str, Any]) -> Rerun:
    """Return a rerun from what `as_json` gave; a difference that is infinite comes back as none."""
    trials, parts = (tuple(_part(item) for item in value[key]) for key in ("trials", "parts"))
    said = tuple(value["changed"]), tuple(value["notes"])
    return Rerun(value["first"], value["again"], value["tolerance"], trials, parts, *said)


def _json(part: Agreeing) -> dict[str, Any]:
    encoded = {"agreement": str(part.agreement), "difference": finite(part.difference), "params": encode(part.params)}
    return {**asdict(part), **encoded}


def _part(value: Mapping[str, Any]) -> Agreeing:
    return Agreeing(
        value["what"], Agreement(value["agreement"]), value["difference"], value["detail"], decode(value["params"])
    )
