"""Several runs beside each other, as a page tells of them: which is better, what they share, what differs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_cli.analysis.wording import difference_in_words, names, p_in_words, sentence, verdict_in_words
from mlops_cli.records import of_task, terms_of
from mlops_cli.views.chosen import learner
from mlops_cli.views.pages.drawings import legend, splits_chart
from mlops_cli.views.pages.tables import score
from mlops_cli.views.pages.words import moment
from mlops_cli.views.text import arrow, number, seconds, setting, spread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from mlops_cli.records import Comparison, PairedDifference, Report, RunRecord
    from mlops_cli.views.pages.tables import Cell

_CHARTS = 6


def beside(report: Report) -> Mapping[str, Any]:
    """Return what a page says of several runs together."""
    records = [run.record for run in report.runs]
    letters = names(len(records))
    found = report.comparison
    return {
        "names": letters,
        "labels": [record.id for record in records],
        "terms": terms_of(records[0].task),
        "models": [learner(_chosen(record))[1] for record in records],
        "sentences": _sentences(found) if found is not None else [report.refused],
        "differences": _differences(found) if found is not None else [],
        "paired": found is not None and not any(one.refused for one in found.pairings),
        "charts": _charts(records, letters),
        "legend": [
            (name, f"{r.id} {learner(_chosen(r))[1]}".rstrip(), *legend(i))
            for i, (name, r) in enumerate(zip(letters, records, strict=True))
        ],
        "facts": _marked(_facts(records)),
        "params": _params(records),
    }


def _sentences(found: Comparison) -> list[str]:
    told = [sentence(one, found) for one in found.pairings]
    return [f"{text[:1].upper()}{text[1:]}." for text in told]


def _differences(found: Comparison) -> list[tuple[Cell, ...]]:
    return [
        _difference(one, found.first.name, pairing.other.name)
        for pairing in found.pairings
        for one in pairing.differences
    ]


def _difference(one: PairedDifference, first: str, other: str) -> tuple[Cell, ...]:
    between = "-" if one.ci95 is None else f"{number(one.ci95[0])} … {number(one.ci95[1])}"
    verdict = verdict_in_words(one, first, other)
    return (
        f"{other} − {first}",
        {"t": f"{one.metric} {arrow(one.direction)}", "c": "short"},
        difference_in_words(one),
        between,
        p_in_words(one.p).removeprefix("p ").removeprefix("= "),
        one.splits,
        {"t": verdict, "c": "good"} if verdict.endswith("better") else verdict,
    )


def _facts(records: Sequence[RunRecord]) -> list[tuple[str, list[str]]]:
    """Return what each run says of the same things; nothing of what none of them says."""
    told = {label: [tell(r) for r in records] for label, tell in _told().items()}
    return [(label, cells) for label, cells in (_scores(records) | told).items() if any(cells)]


def _scores(records: Sequence[RunRecord]) -> dict[str, list[str]]:
    metrics = dict.fromkeys(name for r in records for name in r.metrics)
    found = {name: [r.metrics.get(name) for r in records] for name in metrics}
    means = {name: [spread(m) if m else "" for m in all_of] for name, all_of in found.items()}
    tests = {f"{name} test": [(score(m.test) or "") if m else "" for m in all_of] for name, all_of in found.items()}
    return means | tests


def _told() -> Mapping[str, Callable[[RunRecord], str]]:
    return {
        "status": lambda r: str(r.status),
        "started": lambda r: moment(r.started),
        "took": lambda r: seconds(r.duration_s),
        "trials": lambda r: f"{r.counts.trials:,}",
        "failed": lambda r: f"{r.counts.failed:,}",
        "data": lambda r: r.dataset.source if r.dataset else "",
        "data version": lambda r: r.dataset.version[:12] if r.dataset else "",
        "rows": lambda r: f"{r.dataset.rows:,}" if r.dataset else "",
        "git commit": lambda r: (r.git.commit or "")[:12] + (" + changes" if r.git.dirty else ""),
        "python": lambda r: str(r.environment.get("python", "")),
        "host": lambda r: str(r.environment.get("host", "")),
        "seed": lambda r: "" if r.seed is None else str(r.seed),
        "tags": lambda r: " ".join(f"{k}={v}" for k, v in r.tags.items()),
        "note": lambda r: r.note,
    }


def _marked(rows: Iterable[tuple[str, Sequence[str]]]) -> list[tuple[Cell, ...]]:
    """Return table rows whose cells are marked where they are not all the same."""
    return [(label, *({"t": v, "c": "differs"} if len(set(cells)) > 1 else v for v in cells)) for label, cells in rows]


def _params(records: Sequence[RunRecord]) -> list[tuple[Cell, ...]]:
    """Return the parameters of the best trials that are not the same in all runs."""
    chosen = [_chosen(r) for r in records]
    keys = sorted({key for params in chosen for key in params})
    rows = [(key, [setting(p[key]) if key in p else "" for p in chosen]) for key in keys]
    return [(key, *cells) for key, cells in rows if len(set(cells)) > 1]


def _chosen(record: RunRecord) -> Mapping[str, Any]:
    return of_task(record.params, record.task) or (record.best.params if record.best else {})


def _charts(records: Sequence[RunRecord], letters: Sequence[str]) -> list[Any]:
    """Return the scores over the splits for the first metrics, those of all runs laid over each other."""
    found = []
    for name in list(dict.fromkeys(name for r in records for name in r.metrics))[:_CHARTS]:
        pairs = [(c, r.metrics.get(name)) for c, r in zip(letters, records, strict=True)]
        found.append(splits_chart(name, {label: item.splits if item is not None else () for label, item in pairs}))
    return [chart for chart in found if chart is not None]
