"""Plots of scores over splits: of each metric, of the best trials, of runs that are compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlops_cli.records import Direction, TrialState
from mlops_cli.views.plots.style import (
    BLUE,
    GREY,
    PALE,
    SKY,
    VERMILION,
    WIDTH,
    UnsuitableError,
    headline,
    label,
    legend_below,
    new_figure,
    one_axes,
    picture,
)
from mlops_cli.views.text import arrow

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from mlops_cli.records import Comparison, Contender, MetricSummary, PairedDifference, TrialResult

_MOST_METRICS = 10
_TOP = 10


@picture
def scores(
    metrics: Mapping[str, MetricSummary], directions: Mapping[str, Direction] | None = None, part: str = "split"
) -> Figure:
    """Draw, of each metric, a dot per split, the mean with its 95 % interval, and the score on held-out rows.

    Parameters
    ----------
    metrics : mapping
        Name → summary; the first ten are drawn.
    directions : mapping, optional
        Name → its good end.
    part : str
        What a score is of: a split, a repetition.
    """
    shown = list(metrics.items())[:_MOST_METRICS]
    if not shown:
        raise UnsuitableError("the run has no scores")
    figure = new_figure(WIDTH, 0.75 + 0.68 * len(shown))
    panels = figure.subplots(len(shown), squeeze=False)[:, 0]
    panels[0].set_title(f"Scores on each {part}")
    for axes, (name, summary) in zip(panels, shown, strict=True):
        _strip(axes, summary, part)
        way = arrow((directions or {}).get(name))
        axes.set_ylabel(f"{label(name, 22)} {way}".strip(), rotation=0, ha="right", va="center")
    _explain(panels[-1], any(summary.test is not None for _, summary in shown))
    return figure


def _strip(axes: Axes, summary: MetricSummary, part: str) -> None:
    values = np.asarray(summary.splits, dtype=float)
    if summary.ci95 is not None:
        axes.axvspan(*summary.ci95, color=SKY, alpha=0.25, linewidth=0, label="95 % interval of the mean")
    axes.axvline(summary.mean, color=BLUE, linewidth=2, label="mean")
    axes.scatter(values, _jitter(len(values)), s=20, color=BLUE, alpha=0.6, linewidths=0, label=f"a {part}")
    if summary.test is not None:
        axes.scatter([summary.test], [0], marker="D", s=34, color=VERMILION, zorder=3, label="held-out rows")
    axes.set(ylim=(-1, 1), yticks=[])
    axes.spines["left"].set_visible(False)
    axes.margins(x=0.08)


def _jitter(count: int) -> list[float]:
    """Return heights that keep dots apart, the same ones each time."""
    return [0.0] * count if count <= 1 else [((i * 0.618) % 1 - 0.5) * 0.9 for i in range(count)]


def _explain(axes: Axes, tested: bool) -> None:
    legend_below(axes, 4 if tested else 3)


@picture
def top_trials(trials: Sequence[TrialResult], metric: str, direction: Direction, part: str = "split") -> Figure:
    """Draw the best ten trials by the mean of a metric: a dot for each split, and the mean."""
    done = [t for t in trials if t.state is TrialState.COMPLETED and t.scores.get(metric)]
    sign = -1 if direction is Direction.MAXIMIZE else 1
    best = sorted(done, key=lambda t: (sign * t.mean(metric), t.trial))[:_TOP]
    if not best:
        raise UnsuitableError("no trial has a score")
    figure, axes = one_axes(f"The best of {len(trials):,} trials", WIDTH, 1.3 + 0.28 * len(best))
    for row, trial in enumerate(best):
        values = trial.scores[metric]
        axes.scatter(values, [row] * len(values), s=18, color=SKY, linewidths=0, label=None if row else f"a {part}")
        axes.scatter([trial.mean(metric)], [row], s=60, marker="|", color=BLUE, label="mean" if not row else None)
    axes.set_yticks(range(len(best)), [f"trial {trial.trial}" for trial in best])
    axes.set_ylim(len(best) - 0.5, -0.5)
    axes.set_xlabel(f"{label(metric)} {arrow(direction)}")
    legend_below(axes)
    return figure


# --- runs beside each other --------------------------------------------------------------------------------------


@picture
def compared(comparison: Comparison) -> Figure:
    """Draw how much better each contender is than the first one by the primary metric, with its 95 % interval.

    To the right is better whatever the metric's good end. Those that cannot be paired are named, and have no dot.
    """
    pairings = comparison.pairings
    figure, axes = one_axes("", WIDTH + 0.5, 1.5 + 0.36 * max(1, len(pairings)))
    headline(figure, f"Difference to {_called(comparison.first)}")
    axes.axvline(0, color=GREY, linestyle="--", linewidth=1.2)
    for row, pairing in enumerate(pairings):
        found = next((d for d in pairing.differences if d.metric == comparison.primary), None)
        if found is None:
            axes.text(0.01, row, "cannot be paired", va="center", color=GREY, transform=axes.get_yaxis_transform())
        else:
            _difference(axes, row, found)
    axes.set_yticks(range(len(pairings)), [_called(pairing.other) for pairing in pairings])
    axes.set_ylim(len(pairings) - 0.5, -0.5)
    axes.margins(x=0.15)
    axes.set_xlabel(f"Better by, in {label(comparison.primary, 20)}, with 95 % interval")
    return figure


def _called(contender: Contender) -> str:
    return label(f"{contender.name}  {contender.label}", 40)


def _difference(axes: Axes, row: int, found: PairedDifference) -> None:
    sign = 1 if found.direction is Direction.MAXIMIZE else -1
    middle = sign * found.difference
    ends = sorted(sign * end for end in found.ci95) if found.ci95 is not None else [middle, middle]
    colour = BLUE if ends[0] > 0 else VERMILION if ends[1] < 0 else GREY
    axes.plot(ends, [row, row], color=colour if found.ci95 is not None else PALE, linewidth=2)
    axes.plot([middle], [row], "o", color=colour, markersize=6)
    axes.annotate(f"{middle:+.2g}", (middle, row), xytext=(0, 6), textcoords="offset points", ha="center", fontsize=8)
