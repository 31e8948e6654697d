"""Plots of a regressor's predictions: predicted against true values, and what is left between them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlops_cli.views.plots.predictions import target_of
from mlops_cli.views.plots.style import (
    BLUE,
    GREY,
    MOST_POINTS,
    SKY,
    VERMILION,
    label,
    new_figure,
    one_axes,
    picture,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    Array = np.ndarray[Any, Any]

_VECTORS = 600  # more points than these are an image inside an SVG


@picture
def prediction_error(rows: pd.DataFrame, target: str = "target", test: pd.DataFrame | None = None) -> Figure:
    """Draw predicted against true values.

    Parameters
    ----------
    rows : DataFrame
        Out-of-fold predictions, as `mlops_cli.store.tables.read_predictions` returns them.
    target : str
        What is predicted.
    test : DataFrame, optional
        Predictions on held-out rows.
    """
    from matplotlib.ticker import MaxNLocator

    figure, axes = one_axes("Predicted against true values", 4.9, 4.7)
    name = label(target)
    _scatter(axes, rows, "actual_vs_predicted", ("out of fold", BLUE, "o"))
    if test is not None:
        _scatter(axes, test, "actual_vs_predicted", ("held-out rows", VERMILION, "^"))
    for axis in (axes.xaxis, axes.yaxis):  # scikit-learn's display sets five ticks, whatever numbers they fall on
        axis.set_major_locator(MaxNLocator(6))
    axes.set(xlabel=f"Predicted {name}", ylabel=f"True {name}")
    axes.legend(loc="upper left")
    return figure


@picture
def residuals(rows: pd.DataFrame, target: str = "target", test: pd.DataFrame | None = None) -> Figure:
    """Draw true minus predicted values over the predicted ones, and how they spread; see `prediction_error`."""
    figure = new_figure()
    points, heap = figure.subplots(1, 2, sharey=True, width_ratios=[3.4, 1])
    points.set_title("Residuals")
    name = label(target)
    _scatter(points, rows, "residual_vs_predicted", ("out of fold", BLUE, "o"))
    heap.hist(_left(rows), bins=30, orientation="horizontal", color=SKY)
    if test is not None:
        _scatter(points, test, "residual_vs_predicted", ("held-out rows", VERMILION, "^"))
        points.legend(loc="best")
    heap.axhline(0, color=GREY, linestyle="--", linewidth=1.2)
    points.set(xlabel=f"Predicted {name}", ylabel=f"True − predicted {name}")
    heap.set(xlabel="Rows")
    return figure


def _left(rows: pd.DataFrame) -> Array:
    left: Array = target_of(rows).astype(float) - rows["prediction"].to_numpy(dtype=float)
    return left


def _scatter(axes: Axes, rows: pd.DataFrame, kind: str, look: tuple[str, str, str]) -> None:
    """Draw points by scikit-learn's display, at most `MOST_POINTS` of them, drawn by lot."""
    from sklearn.metrics import PredictionErrorDisplay

    name, colour, marker = look
    true, predicted = target_of(rows).astype(float), rows["prediction"].to_numpy(dtype=float)
    chosen = _lot(len(true))
    display = PredictionErrorDisplay(y_true=true[chosen], y_pred=predicted[chosen])
    shown = f"{len(chosen):,} of {len(true):,} rows" if len(chosen) < len(true) else f"{len(true):,} rows"
    dots = {
        "s": 14 if marker == "o" else 20,
        "alpha": 0.55 if marker == "o" else 0.8,
        "color": colour,
        "marker": marker,
        "linewidths": 0,
        "label": f"{name}, {shown}",
    }
    dots["rasterized"] = len(chosen) > _VECTORS
    line = {"color": GREY, "linestyle": "--", "linewidth": 1.2, "label": "_"}
    display.plot(ax=axes, kind=kind, scatter_kwargs=dots, line_kwargs=line)


def _lot(rows: int) -> Array:
    if rows <= MOST_POINTS:
        return np.arange(rows)
    return np.sort(np.random.default_rng(0).choice(rows, MOST_POINTS, replace=False))
