"""Plots of what was computed with a fitted model: importances, partial dependence, curves, silhouettes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlops_cli.views.plots.style import (
    BLUE,
    COLOURS,
    GREY,
    ORANGE,
    PALE,
    SKY,
    VERMILION,
    WIDTH,
    UnsuitableError,
    headline,
    is_wide,
    key_label,
    label,
    one_axes,
    picture,
)
from mlops_cli.views.plots.swept import is_number, named
from mlops_cli.views.text import arrow

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from mlops_cli.records import Direction

    Array = np.ndarray[Any, Any]

_MOST_FEATURES = 20
NOISE = -1
"""The label that scikit-learn's density clusterers give rows of no cluster."""


@picture
def permutation_importance(drops: Mapping[str, Sequence[float]], metric: str, rows: str) -> Figure:
    """Draw how much worse a model gets where one feature is shuffled: its mean and spread over the repeats.

    Parameters
    ----------
    drops : mapping
        Feature → how much worse, of each repeat.
    metric : str
        By which.
    rows : str
        What it was measured on, for the title: ``held-out rows``.
    """
    if not drops:
        raise UnsuitableError("the data has no features")
    shown = sorted(drops.items(), key=lambda pair: (float(np.mean(pair[1])), pair[0]))[-_MOST_FEATURES:]
    figure, axes = one_axes(f"Permutation importance, {rows}", WIDTH, 1.3 + 0.24 * len(shown))
    places = np.arange(len(shown))
    means = [float(np.mean(values)) for _, values in shown]
    spread = [float(np.std(values)) for _, values in shown]
    axes.barh(places, means, xerr=spread, color=BLUE, height=0.62, error_kw={"ecolor": GREY, "elinewidth": 1.2})
    axes.axvline(0, color="#444444", linewidth=0.8)
    axes.set_yticks(places, [label(name) for name, _ in shown])
    axes.set_ylim(-0.7, len(shown) - 0.3)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel(f"Worse by, in {label(metric)}, when shuffled")
    if len(drops) > len(shown):
        axes.set_ylabel(f"{len(shown)} of {len(drops):,} features")
    return figure


@picture
def learning_curve(sizes: Sequence[int], train: Array, test: Array, metric: str, direction: Direction) -> Figure:
    """Draw the scores on training and test rows over the number of training rows.

    Parameters
    ----------
    sizes : sequence of int
        Training rows, on average over the splits.
    train, test : array of shape (sizes, splits)
        The scores.
    metric : str
        Which ones.
    direction : Direction
        Its good end.
    """
    from sklearn.model_selection import LearningCurveDisplay

    figure, axes = one_axes("Learning curve")
    display = LearningCurveDisplay(train_sizes=np.asarray(sizes), train_scores=train, test_scores=test)
    display.plot(ax=axes, line_kw={"marker": "o", "markersize": 4.5}, fill_between_kw={"alpha": 0.18, "linewidth": 0})
    _two_lines(axes)
    axes.set(xscale="linear", xlabel="Training rows", ylabel=f"{label(metric)} {arrow(direction)}")
    axes.margins(x=0.03)
    return figure


@picture
def validation_curve(
    param: tuple[str, Sequence[Any]], train: Array, test: Array, metric: str, direction: Direction
) -> Figure:
    """Draw the scores on training and test rows over the values of a parameter: ``param`` is its key and values."""
    from sklearn.model_selection import ValidationCurveDisplay

    key, values = param
    numeric = all(is_number(value) for value in values)
    places = np.asarray(values, dtype=float) if numeric else np.arange(len(values))
    figure, axes = one_axes(f"Validation curve of {key_label(key, 30)}")
    display = ValidationCurveDisplay(
        param_name=label(key), param_range=places, train_scores=train, test_scores=test, score_name=label(metric)
    )
    display.plot(ax=axes, line_kw={"marker": "o", "markersize": 4.5}, fill_between_kw={"alpha": 0.18, "linewidth": 0})
    _two_lines(axes)
    axes.set(xscale="log" if numeric and is_wide(list(places)) else "linear", xlabel=key_label(key))
    axes.set_ylabel(f"{label(metric)} {arrow(direction)}")
    if not numeric:
        axes.set_xticks(places, [label(named(value), 18) for value in values])
    return figure


def _two_lines(axes: Axes) -> None:
    """Give scikit-learn's two lines and bands our colours and words."""
    for line, colour, marker in zip(axes.lines, (ORANGE, BLUE), ("s", "o"), strict=False):
        line.set(color=colour, marker=marker)
    for band, colour in zip(axes.collections, (ORANGE, BLUE), strict=False):
        band.set(facecolor=colour)
    for line, name in zip(axes.lines, ("training rows", "test rows"), strict=False):
        line.set_label(f"{name}, mean ± standard deviation")
    axes.legend(loc="best")


@picture
def partial_dependence(model: Any, X: Any, features: Sequence[str], target: Any = None) -> Figure:
    """Draw how a model's prediction depends on each of some features, the others as they are.

    Parameters
    ----------
    model : estimator
        Fitted.
    X : DataFrame
        The rows to average over.
    features : sequence of str
        At most nine of its columns.
    target : object, optional
        The class that is drawn; of two, scikit-learn draws the second.
    """
    from sklearn.inspection import PartialDependenceDisplay

    chosen = list(features)[:9]
    down = -(-len(chosen) // 3)
    figure, axes = one_axes("", max(WIDTH, 2.4 * min(3, len(chosen))), 1.2 + 2.2 * down)
    categories = [name for name in chosen if not hasattr(X[name].dtype, "kind") or X[name].dtype.kind in "OSUb"]
    display = PartialDependenceDisplay.from_estimator(
        model, X, chosen, ax=axes, target=target, grid_resolution=40, categorical_features=categories or None,
        line_kw={"color": BLUE}, n_cols=3,
    )  # fmt: skip
    for panel, name in zip(display.axes_.flat, chosen, strict=False):
        panel.set_xlabel(label(name, 24))
    of = f" of class {label(target, 20)}" if target is not None else ""
    headline(figure, f"Partial dependence{of}")
    return figure


@picture
def silhouette(values: Array, labels: Array, note: str = "") -> Figure:
    """Draw how well each row lies in its cluster: rows sorted within clusters, and the mean.

    Parameters
    ----------
    values : array of shape (rows,)
        Silhouette coefficients, from -1 to 1 (Rousseeuw 1987); those of noise are not looked at.
    labels : array of shape (rows,)
        The cluster of each row; -1 is noise.
    note : str
        What the title adds, such as which rows these are.
    """
    figure, axes = one_axes(f"Silhouettes of clusters{note}")
    found = np.unique(labels)
    mean = float(values[labels != NOISE].mean())
    gap = max(1, len(values) // 60)
    start = gap
    for number, cluster in enumerate(found):
        own = np.sort(values[labels == cluster])
        end = start + len(own)
        if cluster == NOISE:  # in no cluster, so it lies in none well or badly
            axes.axhspan(start, end, facecolor=PALE, alpha=0.6, linewidth=0)
        else:
            colour = COLOURS[number % len(COLOURS)]
            axes.fill_betweenx(np.arange(start, end), 0, own, facecolor=colour, alpha=0.8, linewidth=0)
        if len(found) <= 30:
            name = "noise" if cluster == NOISE else str(cluster)
            axes.text(-0.02, start + len(own) / 2, f"{name}  ({len(own):,})", ha="right", va="center", fontsize=8)
        start = end + gap
    without = " without noise" if NOISE in found else ""
    axes.axvline(mean, color=VERMILION, linestyle="--", label=f"mean{without} {mean:.3f}")
    axes.set(yticks=[], xlabel="Silhouette coefficient", ylabel="Rows by cluster (rows in it)")
    axes.set_xlim(min(-0.25, float(values[labels != NOISE].min()) - 0.02), 1)
    axes.axvline(0, color=SKY, linewidth=0.8)
    axes.legend(loc="lower right")
    return figure
