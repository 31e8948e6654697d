"""Plots of a sweep, from the results of its trials alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlops_cli.records import Direction, TrialState
from mlops_cli.views.plots.style import (
    BLUE,
    ORANGE,
    SEQUENTIAL,
    SKY,
    VERMILION,
    WIDTH,
    UnsuitableError,
    headline,
    key_label,
    label,
    legend_below,
    new_figure,
    one_axes,
    picture,
    tilt,
)
from mlops_cli.views.text import arrow

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from mlops_cli.records import TrialResult
    from mlops_cli.views.plots.swept import Sweep, Swept

    Array = np.ndarray[Any, Any]

_VECTORS = 600  # more marks than these are an image inside an SVG
_MOST_LINES = 250
_MOST_AXES = 8
_MOST_PANELS = 9
_LEAST_NUMBERS = 4  # of each parameter, for a surface
_ACROSS = 3


# --- history -----------------------------------------------------------------------------------------------------


@picture
def history(trials: Sequence[TrialResult], metric: str, direction: Direction) -> Figure:
    """Draw the scores of trials in their order, the best so far, and which ones failed or were pruned.

    Scores far worse than nearly all others are drawn at the edge, lest the others all lie on one line.
    """
    from matplotlib.ticker import MaxNLocator

    if not trials:
        raise UnsuitableError("no trial has ended")
    figure, axes = one_axes("Trials in their order")
    done = sorted((t for t in trials if t.state is TrialState.COMPLETED and t.scores.get(metric)), key=_number)
    if done:
        _completed(axes, done, metric, direction)
    else:
        axes.set(ylim=(0, 1), yticks=[])
    _others(axes, trials)
    last = max(trial.trial for trial in trials)
    axes.set_xlim(-0.02 * last - 0.5, 1.02 * last + 0.5)
    axes.set(xlabel="Trial", ylabel=f"{label(metric)} {arrow(direction)}")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    legend_below(axes)
    return figure


def _number(trial: TrialResult) -> int:
    return trial.trial


def _completed(axes: Axes, done: Sequence[TrialResult], metric: str, direction: Direction) -> None:
    numbers = np.array([t.trial for t in done])
    values = np.array([t.mean(metric) for t in done])
    from mlops_cli.views.plots.swept import window

    running = np.maximum.accumulate if direction is Direction.MAXIMIZE else np.minimum.accumulate
    low, high = window(values, direction)
    size = 30 if len(done) <= 50 else 18 if len(done) <= 300 else 7
    dots: dict[str, Any] = {"s": size, "alpha": 0.65, "color": SKY, "linewidths": 0, "rasterized": len(done) > _VECTORS}
    hidden = int(((values < low) | (values > high)).sum())
    name = f"completed ({hidden:,} far off)" if hidden else "completed"
    axes.scatter(numbers, np.clip(values, low, high), label=name, **dots)
    axes.step(numbers, np.clip(running(values), low, high), where="post", color=BLUE, label="best so far")


def _others(axes: Axes, trials: Sequence[TrialResult]) -> None:
    """Mark at the foot of the axes the trials that have no score."""
    kinds: Mapping[str, tuple[str, str, Any]] = {
        "pruned": ("|", ORANGE, lambda t: t.state is TrialState.PRUNED),
        "failed": ("x", VERMILION, lambda t: t.state.has_failed),
    }
    for name, (marker, colour, holds) in kinds.items():
        numbers = [t.trial for t in trials if holds(t)]
        if numbers:
            foot = axes.get_xaxis_transform()
            size = 22 if len(trials) <= 300 else 7
            look: dict[str, Any] = {"marker": marker, "color": colour, "s": size, "linewidths": 1.1, "clip_on": False}
            look |= {"label": f"{len(numbers):,} {name}", "rasterized": len(numbers) > _VECTORS}
            axes.scatter(numbers, [0.02] * len(numbers), transform=foot, **look)


# --- parameters --------------------------------------------------------------------------------------------------


@picture
def parallel_coordinates(sweep: Sweep, keys: Sequence[str] = ()) -> Figure:
    """Draw each trial as a line across its parameters to its score, coloured by the score; the best lie on top.

    A line passes over a parameter that its trial does not have. Of many trials 250 are drawn, half of them the best.
    """
    params = sweep.chosen(keys)[:_MOST_AXES]
    figure, axes = one_axes("Parameters and scores of trials", float(np.clip(1.1 * (len(params) + 1), WIDTH, 7.5)), 4.4)
    rows = sweep.some(_MOST_LINES)
    low, high = _ends(sweep.window)
    height = (np.clip(sweep.scores, low, high) - low) / (high - low)
    heights = np.column_stack([*(p.scaled for p in params), height])[rows]
    lines = _lines(axes, sweep, heights, rows)
    for place, param in enumerate(params):
        _rail(axes, place, param)
    _score_rail(axes, len(params), (low, high))
    names = [_stacked(p.key) for p in params] + [label(sweep.metric, 16)]
    axes.set_xticks(range(len(names)), names)
    axes.set(xlim=(-0.15, len(params) + 0.3), ylim=(-0.04, 1.04), yticks=[])
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    figure.colorbar(lines, ax=axes, label=f"{label(sweep.metric)} {arrow(sweep.direction)}", aspect=30, extend="both")
    return figure


def _ends(window: tuple[float, float]) -> tuple[float, float]:
    low, high = window
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _stacked(key: str) -> str:
    """Return the last two parts of a key on two lines: there is little room beside others."""
    return "\n".join(label(part, 14) for part in key.split(".")[-2:])


def _lines(axes: Axes, sweep: Sweep, heights: Array, rows: Array) -> Any:
    from matplotlib.collections import LineCollection

    across = np.arange(heights.shape[1])
    # a little apart where many trials share a category, the same way each time
    wobble = (((np.arange(len(rows)) * 0.618) % 1) - 0.5) * 0.03
    paths = [
        np.column_stack([across, line + shift])[~np.isnan(line)] for line, shift in zip(heights, wobble, strict=True)
    ]
    alpha = float(np.clip(30 / len(rows), 0.25, 0.85))
    lines = LineCollection(paths, cmap=_colours(sweep), linewidths=1.1, alpha=alpha)
    lines.set(array=sweep.scores[rows], clim=sweep.limits)
    axes.add_collection(lines, autolim=False)
    shown = LineCollection([], cmap=_colours(sweep))
    shown.set_clim(*sweep.limits)
    return shown


def _colours(sweep: Sweep) -> str:
    return SEQUENTIAL if sweep.direction is Direction.MAXIMIZE else f"{SEQUENTIAL}_r"


def _rail(axes: Axes, place: int, param: Swept) -> None:
    """Draw one upright axis with a few values beside it."""
    axes.axvline(place, color="#444444", linewidth=0.8, zorder=3)
    if param.names:
        step = -(-len(param.names) // 12)
        told = [(number, param.names[int(number)]) for number in param.numbers[::step].tolist()]
    else:
        told = param.ticks(0.06)
    for number, text in told:
        _tell(axes, place, param.height(number), label(text, 16))


def _score_rail(axes: Axes, place: int, ends: tuple[float, float]) -> None:
    axes.axvline(place, color="#444444", linewidth=0.8, zorder=3)
    for height in np.linspace(0, 1, 5):
        _tell(axes, place, height, f"{ends[0] + height * (ends[1] - ends[0]):.4g}")


def _tell(axes: Axes, place: int, height: float, text: str) -> None:
    box = {"facecolor": "white", "pad": 0.8, "edgecolor": "none"}
    axes.text(place + 0.03, height, text, fontsize=8.5, va="center", ha="left", bbox=box, zorder=4)


@picture
def slices(sweep: Sweep, keys: Sequence[str] = ()) -> Figure:
    """Draw the score over each parameter, one panel for each of at most nine."""
    params = sweep.chosen(keys)[:_MOST_PANELS]
    across = min(_ACROSS, len(params))
    down = -(-len(params) // across)
    figure = new_figure(max(WIDTH, 2.5 * across), 1.1 + 2.4 * down)
    panels = figure.subplots(down, across, sharey=True, squeeze=False)
    headline(figure, "Score over each parameter, the best trial as a star")
    low, high = sweep.window
    for axes, param in zip(panels.flat, params, strict=False):
        _slice(axes, sweep, param, (low, high))
    for axes in panels.flat[len(params) :]:
        axes.set_axis_off()
    for axes in panels[:, 0]:
        axes.set_ylabel(f"{label(sweep.metric, 24)} {arrow(sweep.direction)}")
    return figure


def _slice(axes: Axes, sweep: Sweep, param: Swept, window: tuple[float, float]) -> None:
    rows = sweep.some(2_000)
    x, y = param.beside(param.at), np.clip(sweep.scores, *window)
    others = rows[rows != sweep.best]
    dots: dict[str, Any] = {
        "s": 30 if len(rows) < 60 else 16 if len(rows) < 300 else 6,
        "alpha": 0.55,
        "linewidths": 0,
        "rasterized": len(rows) > _VECTORS,
    }
    axes.scatter(x[others], y[others], color=BLUE, **dots)
    axes.scatter([x[sweep.best]], [y[sweep.best]], marker="*", s=90, color=VERMILION, zorder=3)
    param.dress(axes.xaxis)
    tilt(axes, param.names, 22)
    axes.set_xlabel(key_label(param.key, 28))


@picture
def param_importance(importances: Mapping[str, float], metric: str) -> Figure:
    """Draw how much of the variance of a metric each parameter explains, as shares of 1 (see Optuna's fANOVA)."""
    shown = sorted(importances.items(), key=lambda pair: pair[1])[-15:]
    figure, axes = one_axes("Importance of parameters", WIDTH, 1.3 + 0.3 * len(shown))
    bars = axes.barh(range(len(shown)), [value for _, value in shown], color=BLUE, height=0.6)
    axes.bar_label(bars, [f"{value:.2f}" for _, value in shown], padding=3, fontsize=8)
    axes.set_yticks(range(len(shown)), [key_label(key, 36) for key, _ in shown])
    axes.grid(visible=False, axis="y")
    axes.margins(x=0.12)
    axes.set_xlabel(f"Share of the variance of {label(metric)}")
    return figure


# --- two parameters ----------------------------------------------------------------------------------------------


@picture
def contour(sweep: Sweep, keys: Sequence[str] = ()) -> Figure:
    """Draw the trials over two parameters, coloured by their scores.

    With a surface between them where both are numbers of which at least four were tried: between fewer it is made up.
    """
    if len(sweep.chosen(keys)) < 2:
        raise UnsuitableError("fewer than two parameters differ between the trials")
    x, y = sweep.chosen(keys)[:2]
    figure, axes = one_axes("Score over two parameters", WIDTH + 0.3, HEIGHT_OF_TWO)
    both = x.present & y.present
    if not both.any():
        raise UnsuitableError(f"no trial has both {x.key} and {y.key}")
    if all(not param.names and len(np.unique(param.at[both])) >= _LEAST_NUMBERS for param in (x, y)):
        _surface(axes, sweep, (x, y), both)
    dots = _points(axes, sweep, (x, y), both)
    for param, axis in ((x, axes.xaxis), (y, axes.yaxis)):
        param.dress(axis)
    axes.use_sticky_edges = False  # a surface would end at the frame, and its outer points on it
    axes.margins(0.06)
    axes.set(xlabel=key_label(x.key), ylabel=key_label(y.key))
    tilt(axes, x.names, 48)
    figure.colorbar(dots, ax=axes, label=f"{label(sweep.metric)} {arrow(sweep.direction)}", extend="both")
    return figure


HEIGHT_OF_TWO = 4.2
"""Inches."""


def _surface(axes: Axes, sweep: Sweep, pair: tuple[Swept, Swept], both: Array) -> None:
    """Fill the triangles between trials; nothing where they lie on a line."""
    from matplotlib.tri import Triangulation

    rows = np.flatnonzero(both)
    places = np.column_stack([param.scaled[rows] for param in pair])
    places, back = np.unique(places, axis=0, return_inverse=True)
    if len(places) < 4:
        return
    scores = np.bincount(back, sweep.scores[rows]) / np.bincount(back)
    first = np.unique(back, return_index=True)[1]
    try:
        triangles = Triangulation(places[:, 0], places[:, 1])
    except (RuntimeError, ValueError):
        return
    x, y = (param.at[rows][first] for param in pair)
    real = Triangulation(x, y, triangles.triangles)
    levels = np.linspace(*sweep.limits, 12)
    filled = axes.tricontourf(real, scores, levels=levels, cmap=_colours(sweep), extend="both", alpha=0.85)
    filled.set_rasterized(len(places) > _VECTORS)


def _points(axes: Axes, sweep: Sweep, pair: tuple[Swept, Swept], both: Array) -> Any:
    best = int(np.argmax(np.where(both, sweep.goodness, -np.inf)))
    rows = [row for row in sweep.some(2_000) if both[row] and row != best]
    x, y = _apart(pair)
    look: dict[str, Any] = {
        "s": 60 if len(rows) < 40 else 26 if len(rows) < 300 else 8,
        "linewidths": 0.6,
        "rasterized": len(rows) > _VECTORS,
        "clip_on": False,
    }
    low, high = sweep.limits
    dots = axes.scatter(
        x[rows],
        y[rows],
        c=sweep.scores[rows],
        cmap=_colours(sweep),
        vmin=low,
        vmax=high,
        edgecolors="white",
        **look,
    )
    star: dict[str, Any] = {"marker": "*", "color": VERMILION, "edgecolors": "white", "clip_on": False}
    axes.scatter([x[best]], [y[best]], s=130, zorder=4, **star)
    return dots


def _apart(pair: tuple[Swept, Swept]) -> tuple[Array, Array]:
    """Return the places of trials, those of the same categories beside each other."""
    kinds = np.column_stack([param.at if param.names else np.zeros(len(param.at)) for param in pair])
    groups = np.unique(kinds, axis=0, return_inverse=True)[1].ravel()
    x, y = (param.beside(groups, turn, 0.4) for param, turn in zip(pair, (0.618, 0.755), strict=True))
    return x, y
