"""Plots of a classifier's predictions: confusion matrix, ROC, precision and recall, calibration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mlops_cli.views.plots.style import (
    BLUE,
    COLOURS,
    GREY,
    PALE,
    SKY,
    VERMILION,
    UnsuitableError,
    label,
    new_figure,
    one_axes,
    picture,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from mlops_cli.views.plots.predictions import Classified

    Array = np.ndarray[Any, Any]
    Curve = tuple[Array, Array]

_MOST_NUMBERS = 12
_MOST_CLASSES = 60
_MOST_SPLITS = 30
_MOST_LINES = len(COLOURS)
_GRID = np.linspace(0, 1, 201)
_BINS = 10
_SQUARE = (4.9, 4.7)


# --- confusion ---------------------------------------------------------------------------------------------------


@picture
def confusion_matrix(rows: Classified) -> Figure:
    """Draw how often each class was predicted as which: counts, and as colour their share of the true class.

    Past a dozen classes colour alone is shown; past sixty the ones with most errors.
    """
    from sklearn.metrics import ConfusionMatrixDisplay

    counts, names = _counts(rows)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    side = float(np.clip(3.2 + 0.24 * len(names), 4.0, 6.0))
    figure, axes = one_axes(_confusion_title(len(names), len(rows.classes)), side + 0.9, side)
    numbered = len(names) <= _MOST_NUMBERS
    display = ConfusionMatrixDisplay(shares, display_labels=names)
    display.plot(
        ax=axes, include_values=numbered, cmap="Blues", colorbar=False, im_kw={"vmin": 0, "vmax": 1}, values_format=""
    )
    if numbered:
        _write_counts(display.text_, counts, shares)
    axes.set(xlabel="Predicted class", ylabel="True class")
    axes.grid(visible=False)
    _turn_long_names(axes, names)
    figure.colorbar(display.im_, ax=axes, label="Share of the true class", shrink=0.8)
    return figure


def _counts(rows: Classified) -> tuple[Array, list[str]]:
    """Return the matrix of the classes that are shown, with their names."""
    number = len(rows.classes)
    flat = np.bincount(rows.truth * number + rows.predicted, minlength=number**2)
    counts = flat.reshape(number, number)
    errors = counts.sum(axis=0) + counts.sum(axis=1) - 2 * np.diag(counts)
    kept = np.sort(np.argsort(-errors, kind="stable")[:_MOST_CLASSES])
    return counts[np.ix_(kept, kept)], [label(rows.classes[place], 18) for place in kept]


def _confusion_title(shown: int, classes: int) -> str:
    of = "" if shown == classes else f": {shown} of {classes} classes"
    return f"Confusion matrix{of}, out of fold"


def _write_counts(texts: Array, counts: Array, shares: Array) -> None:
    size = 10.5 if len(counts) <= 5 else 8 if len(counts) <= 10 else 6.5
    for text, count, share in zip(texts.flat, counts.flat, shares.flat, strict=True):
        short = f"{count:,}" if len(counts) > 5 else f"{count:,}\n{share:.1%}"
        text.set(text=short if count else "0" if len(counts) <= 5 else "", fontsize=size, linespacing=1.4)


def _turn_long_names(axes: Axes, names: Sequence[str]) -> None:
    if max(map(len, names)) * len(names) > 34:
        axes.tick_params(axis="x", labelrotation=90)
    if len(names) > 30:
        axes.tick_params(labelsize=5.5)


# --- curves ------------------------------------------------------------------------------------------------------


def _is_high(axes: Axes) -> bool:
    """Whether all lines stay above the lower left corner, so that a legend has room there."""
    drawn = [np.asarray(line.get_ydata(), dtype=float) for line in axes.lines]
    return all(np.quantile(heights, 0.25) > 0.45 for heights in drawn if len(heights) > 2)


@dataclass(frozen=True)
class _Measure:
    """A kind of curve: how it is computed, what its area is called, its value between points, how it is drawn."""

    curve: Callable[[Array, Array], tuple[Array, Array, float]]
    unit: str
    at: Callable[[Array, Array], Array]
    draw: Callable[[Axes, Array, Array], Any]


@picture
def roc(rows: Classified, positive: str | None = None, test: Classified | None = None) -> Figure:
    """Draw the receiver operating characteristic: of each split and their mean, or of each class against the rest.

    Parameters
    ----------
    rows : Classified
        Out-of-fold predictions.
    positive : str, optional
        Of two classes the one that is looked for; the second one where not given.
    test : Classified, optional
        Predictions on held-out rows.
    """
    of = "" if rows.is_binary else " of each class against the rest"
    figure, axes = one_axes(f"ROC{of}, {_of_rows(rows, test)}", *_SQUARE)
    axes.plot([0, 1], [0, 1], color=GREY, linestyle=":", linewidth=1.2, label="chance, AUC 0.500")
    _draw_curves(axes, rows, test, positive, _ROC)
    axes.set(xlabel="False positive rate", ylabel="True positive rate", xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    axes.legend(loc="lower right")
    return figure


@picture
def precision_recall(rows: Classified, positive: str | None = None, test: Classified | None = None) -> Figure:
    """Draw precision over recall: of each split and their mean, or of each class against the rest; see `roc`."""
    binary = rows.is_binary
    of = "" if binary else " of each class"
    figure, axes = one_axes(f"Precision and recall{of}, {_of_rows(rows, test)}", *_SQUARE)
    if binary:
        share = float(np.mean(rows.truth == _place(rows, positive)))
        axes.axhline(share, color=GREY, linestyle=":", linewidth=1.2, label=f"chance, AP {share:.3f}")
    _draw_curves(axes, rows, test, positive, _PRECISION)
    axes.set(xlabel="Recall", ylabel="Precision", xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    axes.legend(loc="lower left" if _is_high(axes) else "upper right")
    return figure


def _draw_curves(
    axes: Axes, rows: Classified, test: Classified | None, positive: str | None, measure: _Measure
) -> None:
    if rows.is_binary:
        _draw_splits(axes, rows, test, _place(rows, positive), measure)
    else:
        _draw_classes(axes, rows, measure)


def _of_rows(rows: Classified, test: Classified | None) -> str:
    """Say which rows the curves are of; those of more than two classes are drawn out of fold alone."""
    return "out of fold and held-out" if test is not None and rows.is_binary else "out of fold"


def _place(rows: Classified, positive: str | None) -> int:
    return rows.classes.index(positive) if positive in rows.classes else len(rows.classes) - 1


def _draw_splits(axes: Axes, rows: Classified, test: Classified | None, place: int, measure: _Measure) -> None:
    from matplotlib.collections import LineCollection

    found = [measure.curve(*part) for part in rows.parts(place)]
    lines = [np.column_stack([x, y]) for x, y, _ in found[:_MOST_SPLITS]]
    if len(found) > 1:
        thin = LineCollection(lines, colors=SKY, linewidths=0.9, alpha=0.7, label=_of_splits(len(found)))
        axes.add_collection(thin)
    _draw_mean(axes, found, measure, "mean" if len(found) > 1 else "out of fold", BLUE)
    if test is not None:
        _draw_mean(axes, [measure.curve(*part) for part in test.parts(place)], measure, "held-out rows", VERMILION)


def _of_splits(number: int) -> str:
    return f"each of {number} splits" if number <= _MOST_SPLITS else f"{_MOST_SPLITS} of {number} splits"


def _draw_mean(
    axes: Axes, found: Sequence[tuple[Array, Array, float]], measure: _Measure, name: str, colour: str
) -> None:
    """Draw the mean curve over a common grid; a single one as it is."""
    areas = np.array([area for _, _, area in found])
    spread = f" ± {areas.std(ddof=1):.3f}" if len(areas) > 1 else ""
    x, y = _mean(found, measure)
    line = measure.draw(axes, x, y)
    line.set(color=colour, label=f"{name}, {measure.unit} {areas.mean():.3f}{spread}", zorder=3, linewidth=1.8)
    line.set_linestyle("--" if colour == VERMILION and name == "held-out rows" else "-")


def _mean(found: Sequence[tuple[Array, Array, float]], measure: _Measure) -> Curve:
    if len(found) == 1:
        return found[0][0], found[0][1]
    return _GRID, np.mean([measure.at(x, y) for x, y, _ in found], axis=0)


def _draw_classes(axes: Axes, rows: Classified, measure: _Measure) -> None:
    """Draw a mean line for each class; where there are many, those that do worst in colour."""
    places = np.unique(rows.truth).tolist()
    if len(places) < 2:
        raise UnsuitableError("all rows are of one class, so there is no other to tell it from")
    found = {place: [measure.curve(*part) for part in rows.parts(place)] for place in places}
    area = {place: float(np.mean([a for _, _, a in curves])) for place, curves in found.items()}
    worst = sorted(found, key=lambda place: area[place])
    coloured = set(worst if len(found) <= _MOST_LINES else worst[: _MOST_LINES - 2])
    for place in [p for p in worst if p not in coloured]:
        axes.plot(*_mean(found[place], measure), color=PALE, linewidth=0.9)
    for colour, place in zip(COLOURS, [p for p in found if p in coloured], strict=False):
        _draw_mean(axes, found[place], measure, label(rows.classes[place], 20), colour)
    rest = f"grey: {len(found) - len(coloured)} more classes\n" if len(coloured) < len(found) else ""
    mean = float(np.mean(list(area.values())))
    axes.plot([], [], " ", label=f"{rest}mean of classes, {measure.unit} {mean:.3f}")


def _roc_curve(truth: Array, proba: Array) -> tuple[Array, Array, float]:
    from sklearn.metrics import auc, roc_curve

    false, true, _ = roc_curve(truth, proba)
    return *_thinned(false, true), float(auc(false, true))


def _precision_curve(truth: Array, proba: Array) -> tuple[Array, Array, float]:
    """Return recall in rising order, precision, and the average precision."""
    from sklearn.metrics import average_precision_score, precision_recall_curve

    precision, recall, _ = precision_recall_curve(truth, proba, drop_intermediate=True)
    return *_thinned(recall[::-1], precision[::-1]), float(average_precision_score(truth, proba))


def _at_recall(recall: Array, precision: Array) -> Array:
    """Return the precision at each recall of the grid: a step, since a line between two points promises too much."""
    found: Array = precision[np.searchsorted(recall, _GRID).clip(max=len(recall) - 1)]
    return found


def _draw_roc(axes: Axes, false: Array, true: Array) -> Any:
    from sklearn.metrics import RocCurveDisplay

    return RocCurveDisplay(fpr=false, tpr=true).plot(ax=axes).line_


def _draw_precision(axes: Axes, recall: Array, precision: Array) -> Any:
    from sklearn.metrics import PrecisionRecallDisplay

    # steps come from the right, as scikit-learn's own arrays do
    return PrecisionRecallDisplay(precision=precision[::-1], recall=recall[::-1]).plot(ax=axes).line_


def _thinned(x: Array, y: Array, most: int = 400) -> Curve:
    """Return a curve with no more points than can be seen."""
    if len(x) <= most:
        return x, y
    kept = np.unique(np.linspace(0, len(x) - 1, most).astype(int))
    return x[kept], y[kept]


_ROC = _Measure(_roc_curve, "AUC", lambda x, y: np.interp(_GRID, x, y), _draw_roc)
_PRECISION = _Measure(_precision_curve, "AP", _at_recall, _draw_precision)


# --- calibration -------------------------------------------------------------------------------------------------


@picture
def calibration(rows: Classified, positive: str | None = None, test: Classified | None = None) -> Figure:
    """Draw how often what is predicted with some probability comes true, and how often each probability is predicted.

    Of two classes the probability is that of the positive one; of more, that of the predicted one (as in Guo et al.
    2017, On Calibration of Modern Neural Networks).
    """
    figure = new_figure(height=4.6)
    above, below = figure.subplots(2, sharex=True, height_ratios=[3, 1])
    above.set_title("Calibration, out of fold" + (" and held-out" if test is not None else ""))
    above.plot([0, 1], [0, 1], color=GREY, linestyle=":", linewidth=1.2, label="perfectly calibrated")
    came, proba = _sure(rows, positive)
    _draw_reliability(above, came, proba, ("out of fold", BLUE, "o-"))
    below.hist(proba, bins=_BINS * 2, range=(0, 1), color=SKY)
    if test is not None:
        _draw_reliability(above, *_sure(test, positive), ("held-out rows", VERMILION, "s--"))
    what = f"probability of class {label(rows.classes[_place(rows, positive)], 20)}"
    what = what if rows.is_binary else "probability of the predicted class"
    above.set(xlabel="", ylabel="Share that came true", xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    above.legend(loc="upper left")
    below.set(xlabel=f"Predicted {what}", ylabel="Rows")
    return figure


def _sure(rows: Classified, positive: str | None) -> Curve:
    """Return what came true and the probability that it was predicted with."""
    proba = rows.probabilities()
    if rows.is_binary:
        place = _place(rows, positive)
        return rows.truth == place, proba[:, place]
    most = proba.argmax(axis=1)
    return rows.truth == most, proba[np.arange(len(proba)), most]


def _draw_reliability(axes: Axes, came: Array, proba: Array, look: tuple[str, str, str]) -> None:
    from sklearn.calibration import CalibrationDisplay, calibration_curve

    name, colour, marks = look
    true, predicted = calibration_curve(came, np.clip(proba, 0, 1), n_bins=_BINS, strategy="quantile")
    display = CalibrationDisplay(true, predicted, proba)
    display.plot(ax=axes, ref_line=False, name=f"{name}, Brier score {np.mean((proba - came) ** 2):.3f}")
    display.line_.set(color=colour, linestyle=marks[1:], marker=marks[0], markersize=5)
