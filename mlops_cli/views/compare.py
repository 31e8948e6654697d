"""A comparison as a table, with one honest sentence for each pair; and as plain data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from mlops_cli.analysis.wording import difference_in_words, p_in_words, sentence, verdict_in_words
from mlops_cli.records import Verdict, terms_of
from mlops_cli.store.scores import metrics_to_json
from mlops_cli.store.serialize import params_to_json
from mlops_cli.store.values import finite
from mlops_cli.views.chosen import learner
from mlops_cli.views.runs import table
from mlops_cli.views.text import arrow, clean, number, plain, plural, setting, spread

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import RenderableType

    from mlops_cli.records import Comparison, Contender, MetricSummary, PairedDifference, Pairing

SHOWN_PARAMS = 8
_ABSENT = object()
VERDICT_STYLE = {Verdict.BETTER: "green", Verdict.WORSE: "red", Verdict.NOISE: "dim", Verdict.SAME: "dim"}


def comparison(found: Comparison) -> RenderableType:
    """Return contenders beside each other by every metric, what it comes to, and which parameters differ."""
    contenders = everyone(found)
    blocks: list[RenderableType] = [_legend(contenders), Text()]
    blocks.append(_pair(found) if len(contenders) == 2 else _several(found))
    blocks += [Text(), *(plain(sentence(pairing, found), "bold") for pairing in found.pairings), *_notes(found)]
    for extra in (_held_out(contenders, found), _params(contenders)):
        if extra is not None:
            blocks += [Text(), extra]
    return Group(*blocks)


def everyone(found: Comparison) -> list[Contender]:
    """Return all contenders, the first one first."""
    return [found.first, *(pairing.other for pairing in found.pairings)]


def metrics_of(found: Comparison) -> list[str]:
    """Return the metrics to be shown: the primary one first."""
    known = dict.fromkeys(name for c in everyone(found) for name in c.metrics)
    return sorted(known, key=lambda name: name != found.primary)


def _legend(contenders: Iterable[Contender]) -> Table:
    made = Table.grid(padding=(0, 2))
    made.add_column(style="bold", no_wrap=True)
    made.add_column(overflow="fold")
    made.add_column(overflow="fold")
    for contender in contenders:
        made.add_row(contender.name, plain(contender.label), plain(learner(contender.params)[1]))
    return made


# --- scores ------------------------------------------------------------------------------------------------------


def _pair(found: Comparison) -> Table:
    (pairing,) = found.pairings
    a, b = found.first, pairing.other
    made = table("metric", f">{a.name}", f">{b.name}", f">{b.name} - {a.name}", "verdict")
    for name in metrics_of(found):
        difference = _of(pairing, name)
        made.add_row(
            _metric(name, found),
            _spread(a.metrics.get(name)),
            _spread(b.metrics.get(name)),
            "-" if difference is None else difference_in_words(difference),
            _verdict(difference, a.name, b.name),
        )
    return made


def _several(found: Comparison) -> Table:
    first = found.first
    made = table("metric", "run", ">mean ± std", f">minus {first.name}", ">p", "verdict")
    for name in metrics_of(found):
        made.add_row(_metric(name, found), first.name, _spread(first.metrics.get(name)), "", "", "")
        for pairing in found.pairings:
            other, difference = pairing.other, _of(pairing, name)
            tested = difference is not None and difference.p is not None
            made.add_row(
                "",
                other.name,
                _spread(other.metrics.get(name)),
                "-" if difference is None else difference_in_words(difference),
                p_in_words(difference.p).removeprefix("p ").removeprefix("= ") if difference and tested else "-",
                _verdict(difference, first.name, other.name),
            )
        made.add_section()
    return made


def _metric(name: str, found: Comparison) -> Text:
    direction = next((c.directions[name] for c in everyone(found) if name in c.directions), None)
    return Text(f"{clean(name)} {arrow(direction)}".rstrip(), style="bold" if name == found.primary else "")


def _spread(summary: MetricSummary | None) -> str:
    return "-" if summary is None else spread(summary)


def _of(pairing: Pairing, name: str) -> PairedDifference | None:
    return next((d for d in pairing.differences if d.metric == name), None)


def _verdict(difference: PairedDifference | None, first: str, other: str) -> Text:
    style = VERDICT_STYLE.get(difference.verdict, "") if difference is not None else "dim"
    return Text(verdict_in_words(difference, first, other), style=style)


def _notes(found: Comparison) -> list[Text]:
    """Return what the numbers are, once."""
    tested = any(d.ci95 is not None for pairing in found.pairings for d in pairing.differences)
    if not tested:
        return []
    lines = [Text(f"± of a difference: 95 % interval, {terms_of(found.first.task).test}", style="dim")]
    if len(found.pairings) > 1:
        pairs = plural(len(found.pairings), "pair")
        lines.append(Text(f"p is adjusted by Holm for {pairs}; each interval is its pair's own", style="dim"))
    return lines


def _held_out(contenders: Sequence[Contender], found: Comparison) -> RenderableType | None:
    """Return the scores on held-out rows, which have no spread to judge them by."""
    shown = [n for n in metrics_of(found) if any(_test(c, n) is not None for c in contenders)]
    if not shown:
        return None
    made = table("on held-out rows", *(f">{c.name}" for c in contenders))
    for name in shown:
        made.add_row(_metric(name, found), *(number(_test(c, name)) for c in contenders))
    return Group(made, Text("single numbers: they have no spread to judge a difference by", style="dim"))


def _test(contender: Contender, name: str) -> float | None:
    summary = contender.metrics.get(name)
    return None if summary is None else summary.test


# --- parameters --------------------------------------------------------------------------------------------------


def differing_params(contenders: Sequence[Contender]) -> list[str]:
    """Return the keys whose values differ, or that some have and some do not; an option's name stands for its class."""
    known = dict.fromkeys(key for c in contenders for key in c.params)
    differing = [k for k in known if len({repr(c.params.get(k, _ABSENT)) for c in contenders}) > 1]
    groups = {k for k in differing if "." not in k}
    return [k for k in differing if "_target_" not in k or k.partition(".")[0] not in groups]


def _params(contenders: Sequence[Contender]) -> RenderableType | None:
    keys = differing_params(contenders)
    if not keys:
        return None
    # Of an option that one of them chose, all its parameters are the one's alone: they say no more than its name.
    both = [k for k in keys if len({repr(c.params[k]) for c in contenders if k in c.params}) > 1]
    shown = (both or keys)[:SHOWN_PARAMS]
    made = table("params that differ", *(c.name for c in contenders))
    for key in shown:
        made.add_row(plain(key), *(plain(_value(c, key)) for c in contenders))
    left = len(keys) - len(shown)
    if not left:
        return made
    return Group(made, Text(f"… and {left} more: mlops runs diff shows them", style="dim"))


def _value(contender: Contender, key: str) -> str:
    return setting(contender.params[key]) if key in contender.params else "-"


# --- plain data --------------------------------------------------------------------------------------------------


def as_json(found: Comparison) -> dict[str, Any]:
    """Return a comparison as plain data."""
    return {
        "primary": found.primary,
        "contenders": [_contender_json(c) for c in everyone(found)],
        "pairings": [
            {
                "first": found.first.name,
                "other": pairing.other.name,
                "refused": pairing.refused or None,
                "sentence": sentence(pairing, found),
                "differences": {d.metric: _difference_json(d) for d in pairing.differences},
            }
            for pairing in found.pairings
        ],
    }


def _contender_json(contender: Contender) -> dict[str, Any]:
    return {
        "name": contender.name,
        "label": contender.label,
        "run": contender.run,
        "trial": contender.trial,
        "chosen_from": contender.chosen_from,
        "metrics": metrics_to_json(contender.metrics),
        "params": params_to_json(contender.params),
    }


def _difference_json(found: PairedDifference) -> dict[str, Any]:
    return {
        "difference": finite(found.difference),
        "ci95": None if found.ci95 is None else [finite(bound) for bound in found.ci95],
        "p": finite(found.p),
        "splits": found.splits,
        "direction": str(found.direction),
        "verdict": str(found.verdict),
    }
