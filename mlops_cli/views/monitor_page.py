"""A model over time, as one page of HTML that stands alone: the trend of each figure, feature by batch, every batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_cli.views import pages
from mlops_cli.views.drift import WHAT, style_of
from mlops_cli.views.drift_page import TONES
from mlops_cli.views.monitor import followed, largest_psi, metric_of, predictions_psi, sentences
from mlops_cli.views.next_steps import after_trend
from mlops_cli.views.pages.tables import NUMBER, TableData, column, score
from mlops_cli.views.pages.trends import Moment, Trend, trend
from mlops_cli.views.pages.words import moment as moment_
from mlops_cli.views.text import arrow, clean, number

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mlops_cli.records import Batch, ColumnDrift
    from mlops_cli.views.pages.tables import Cell

MARK = "mlops monitor"
"""What a page says of itself in its first lines: by it such a page is known from another file."""
MOST_FEATURES, MOST_BATCHES = 40, 30
"""Of the square of features by batches."""
MOST_FOUND = 20
"""Batches whose findings are told."""
_LONGEST = 14
_CAPTION = "Batches, the newest first: features that drifted, the largest psi of one beyond chance, and of an output"
_WORDS = {"red": "drift", "green": "no drift", "yellow": "not judged"}
_LEVELS = (0.02, 0.05, 0.1, 0.2, 0.5)
"""Population stability indices from which on a cell is darker."""


def monitor_page(name: str, batches: Sequence[Batch]) -> str:
    """Return the page.

    Parameters
    ----------
    name : str
        The model.
    batches : sequence of Batch
        The first one first.
    """
    styles = [pages.static(sheet) for sheet in ("style.css", "profile.css", "monitor.css")]
    scripts = [pages.static(script) for script in ("table.js", "page.js")]
    return (
        pages.environment()
        .get_template("monitor.html")
        .render(
            mark=MARK,
            policy=pages.policy(styles, scripts),
            styles=styles,
            scripts=scripts,
            name=name,
            figures=figures(batches),
            trends=trends(batches),
            batches=batches_table(batches),
            heat=heat(batches),
            found=[(one, moment_(one.logged), _found(one)) for one in reversed(batches[-MOST_FOUND:]) if one.drifted],
            steps=[clean(step) for step in after_trend(batches)],
        )
    )


def figures(batches: Sequence[Batch]) -> list[tuple[str, str, str]]:
    """Return the few figures that come first: label, figure, and what belongs to it."""
    if not batches:
        return [("batches", "0", "mlops monitor log keeps one")]
    last = batches[-1]
    bad = [batch for batch in batches if batch.drifted]
    labelled = sum(batch.labelled for batch in batches)
    found = [
        ("batches", f"{len(batches):,}", f"{len(bad):,} with drift"),
        ("rows", f"{sum(batch.report.rows for batch in batches):,}", f"{labelled:,} with a label"),
        ("newest batch", _WORDS[style_of(last)], f"{last.name}, by {last.ref}"),
    ]
    scored = next((batch for batch in reversed(batches) if batch.metrics), None)
    if scored is not None:
        metric = metric_of(scored, followed(batches)[0])
        if metric is not None:
            label = f"{metric.metric} {arrow(metric.direction)}"
            found.append((label, number(metric.after), f"of {scored.name}; {number(metric.before)} in training"))
    return found


# --- trends ------------------------------------------------------------------------------------------------------


def trends(batches: Sequence[Batch]) -> list[Trend]:
    """Return the figures over time: metrics first, as far as labels have come."""
    drawn = [
        *(_metric_trend(batches, name) for name in followed(batches)),
        _drawn(batches, "largest psi of a feature, beyond chance", lambda b: largest_psi(b)[0], _moved),
        _drawn(
            batches,
            "features that have drifted",
            lambda b: float(len(b.report.drifted_features)),
            _moved,
            whole=True,
        ),
        _drawn(
            batches,
            "largest psi of an output, beyond chance",
            predictions_psi,
            lambda b: any(c.drifted for c in b.report.predictions),
        ),
    ]
    return [one for one in drawn if one is not None]


def _moved(batch: Batch) -> bool:
    return bool(batch.report.drifted_features)


def _drawn(
    batches: Sequence[Batch],
    name: str,
    value: Callable[[Batch], float | None],
    drifted: Callable[[Batch], bool],
    *,
    whole: bool = False,
) -> Trend | None:
    places = zip(batches, _places(batches), strict=True)
    moments = [_moment(batch, place, value(batch), drifted=drifted(batch)) for batch, place in places]
    return trend(name, moments, floor=0.0, whole=whole)


def _places(batches: Sequence[Batch]) -> list[str]:
    """Return what the axis says of each batch: its day, or its name where all are of one day."""
    days = [batch.logged[:10] for batch in batches]
    if len(set(days)) > 1:
        return days
    return [name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…" for name in (clean(b.name) for b in batches)]


def _metric_trend(batches: Sequence[Batch], name: str) -> Trend | None:
    found = [metric_of(batch, name) for batch in batches]
    known = [metric for metric in found if metric is not None]
    moments = []
    for batch, place, metric in zip(batches, _places(batches), found, strict=True):
        if metric is None:
            moments.append(_moment(batch, place, None))
            continue
        ends = None if metric.ci95 is None else (metric.before + metric.ci95[0], metric.before + metric.ci95[1])
        moments.append(_moment(batch, place, metric.after, ends, drifted=metric.drifted))
    title = f"{name} {arrow(known[-1].direction)}"
    return trend(clean(title), moments, level=(known[-1].before, "in training"))


def _moment(
    batch: Batch, place: str, value: float | None, interval: tuple[float, float] | None = None, *, drifted: bool = False
) -> Moment:
    shown = number(value) if value is not None else "-"
    title = f"{batch.name}, {moment_(batch.logged)}, {batch.ref}: {shown}{', drifted' if drifted else ''}"
    return Moment(place, clean(title), value, interval, drifted)


# --- features by batches -----------------------------------------------------------------------------------------


def heat(batches: Sequence[Batch]) -> tuple[list[str], list[tuple[str, list[tuple[str, int, bool] | None]]]] | None:
    """Return the names of the newest batches, and of each feature its PSI: text, level, whether it has drifted."""
    shown = list(batches[-MOST_BATCHES:])
    by_batch = [{c.shift.column: c for c in batch.report.columns} for batch in shown]
    names = dict.fromkeys(name for known in by_batch for name in known)
    if not names:
        return None

    def most(name: str) -> tuple[int, float]:
        found = [known[name] for known in by_batch if name in known]
        return sum(c.drifted for c in found), max((c.psi_beyond_chance or 0.0 for c in found), default=0.0)

    chosen = sorted(names, key=most, reverse=True)[:MOST_FEATURES]
    rows = [(name, [_cell(known, name) for known in by_batch]) for name in chosen]
    return [batch.name for batch in shown], rows


def _cell(known: Mapping[str, ColumnDrift], name: str) -> tuple[str, int, bool] | None:
    found = known.get(name)
    if found is None or (psi := found.psi_beyond_chance) is None:
        return None
    text = "0" if psi < 0.005 else f"{psi:.2f}".removeprefix("0") if psi < 10 else f"{psi:.0f}"
    return text, sum(psi >= bound for bound in _LEVELS), found.drifted


# --- batches -----------------------------------------------------------------------------------------------------


def batches_table(batches: Sequence[Batch]) -> TableData:
    """Return a row for each batch, the newest first."""
    names = followed(batches)
    heads = (
        column("batch"),
        column("logged", down=True),
        column("version", NUMBER, down=True),
        column("rows", NUMBER, down=True),
        column("drift"),
        column("features", NUMBER, down=True),
        column("psi", NUMBER, down=True),
        column("of"),
        column("outputs", NUMBER, down=True),
        column("labelled", NUMBER, down=True),
        *(column(name, NUMBER, down=True) for name in names),
    )
    rows = tuple(_row(batch, names) for batch in reversed(batches))
    return TableData("batches-rows", _CAPTION, heads, rows, "drift, psi>0.2")


def _row(batch: Batch, names: Sequence[str]) -> tuple[Cell, ...]:
    psi, feature = largest_psi(batch)
    found = [metric_of(batch, name) for name in names]
    return (
        clean(batch.name),
        {"t": moment_(batch.logged)[:19], "c": "short"},
        batch.number,
        f"{batch.report.rows:,}",
        {"t": _WORDS[style_of(batch)], "c": TONES[style_of(batch)]},
        len(batch.report.drifted_features),
        score(psi),
        clean(feature) or None,
        score(predictions_psi(batch)),
        f"{batch.labelled:,}" if batch.labelled else None,
        *(None if one is None else _scored(one.after, drifted=one.drifted) for one in found),
    )


def _scored(value: float, *, drifted: bool) -> Cell:
    text = score(value)
    return {"t": text, "c": "bad"} if drifted and text is not None else text


def _found(batch: Batch) -> list[tuple[str, str]]:
    """Return what was found in a batch: what it is about, and a sentence."""
    return [(WHAT[kind], sentence) for kind, sentence in sentences(batch)]
