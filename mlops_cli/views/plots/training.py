"""How fits went that go step by step: the loss and whatever else was measured over epochs, iterations or rounds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlops_cli.records import OF_TABLE
from mlops_cli.views.plots.style import (
    BLUE,
    COLOURS,
    ORANGE,
    WIDTH,
    UnsuitableError,
    headline,
    is_wide,
    label,
    new_figure,
    picture,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from mlops_cli.records import Curve, Terms

    Array = npt.NDArray[Any]

_MOST_PANELS = 4
_TRAINED = ("train_", "training_")
_HELD_OUT = ("valid_", "test_", "validation_")
_SIDES = (*_TRAINED, *_HELD_OUT)


@picture
def training_curve(curves: Sequence[Curve], terms: Terms = OF_TABLE) -> Figure:
    """Draw what was measured while the fits of one trial went on: thin for each split, thick for their mean.

    Quantities that differ only in the rows that they are of, as ``train_loss`` and ``valid_loss``, share a panel; the
    first four are drawn.

    Parameters
    ----------
    curves : sequence of Curve
        One for each split.
    terms : Terms
        What they are of: splits, or repetitions.

    Raises
    ------
    UnsuitableError
        There is none.
    """
    from matplotlib.ticker import MaxNLocator

    drawn = _panels(curves)
    if not drawn:
        raise UnsuitableError(terms.no_curve)
    unit = label(curves[0].unit).capitalize()
    figure = new_figure(WIDTH, 0.7 + 2.3 * len(drawn))
    panels = figure.subplots(len(drawn), sharex=True, squeeze=False)[:, 0]
    headline(figure, "Training curve" + (f", mean of {len(curves)} {terms.part}s" if len(curves) > 1 else ""))
    for axes, (what, names) in zip(panels, drawn.items(), strict=True):
        _panel(axes, curves, names)
        axes.set_ylabel(label(what, 22).capitalize())
    panels[-1].set_xlabel(unit)
    panels[-1].xaxis.set_major_locator(MaxNLocator(integer=True))
    return figure


def _panels(curves: Sequence[Curve]) -> dict[str, list[str]]:
    """Return the quantities of each panel."""
    found: dict[str, list[str]] = {}
    for name in dict.fromkeys(name for curve in curves for name in curve.values):
        what = next((name.removeprefix(side) for side in _SIDES if name.startswith(side)), name)
        if any(value is not None for curve in curves for value in curve.values.get(name, ())):
            found.setdefault(what.replace("_", " "), []).append(name)
    return dict(list(found.items())[:_MOST_PANELS])


def _panel(axes: Axes, curves: Sequence[Curve], names: Sequence[str]) -> None:
    shown, colours = [], _colours(names)
    for name in names:
        colour = colours[name]
        steps, values = _together(curves, name)
        shown += values[np.isfinite(values)].tolist()
        if len(values) > 1:
            axes.plot(steps, values.T, color=colour, linewidth=0.7, alpha=0.35)
        axes.plot(steps, _mean(values), color=colour, linewidth=2.2, label=label(name.replace("_", " ")))
    if is_wide(shown):
        axes.set_yscale("log")
    axes.margins(x=0.02)
    axes.legend(loc="best")


def _colours(names: Sequence[str]) -> dict[str, str]:
    """Return a colour for each quantity of a panel, no two alike: of learning blue, of held-out rows orange."""
    given: dict[str, str] = {}
    for name in sorted(names, key=lambda name: not name.startswith(_SIDES)):  # the others get what these leave
        wanted = (ORANGE,) if name.startswith(_HELD_OUT) else (BLUE,)
        free = [colour for colour in (*wanted, *COLOURS) if colour not in given.values()]
        given[name] = free[0]  # a panel has one name for each side at most, and so fewer than there are colours
    return given


def _together(curves: Sequence[Curve], name: str) -> tuple[Array, Array]:
    """Return all steps and the values at each, shape (splits, steps); NaN where a fit has none."""
    steps = np.unique(np.concatenate([np.asarray(curve.steps, dtype=float) for curve in curves]))
    values = np.full((len(curves), len(steps)), np.nan)
    for row, curve in zip(values, curves, strict=True):
        given = [np.nan if value is None else value for value in curve.values.get(name, ())]
        row[np.searchsorted(steps, curve.steps[: len(given)])] = given
    return steps, values


def _mean(values: Array) -> Array:
    """Return the mean of each step that more than half of the fits have a value at: of a few it would jump.

    A fit that ended before the others counts with its last value from there on, or the mean would jump there as well.
    """
    values = values.copy()
    for row in values:
        if (reached := np.flatnonzero(np.isfinite(row))).size:
            row[reached[-1] :] = row[reached[-1]]
    known = np.isfinite(values)
    total = np.where(known, values, 0.0).sum(axis=0)
    enough = known.sum(axis=0) * 2 > len(values)
    return np.where(enough, total / np.maximum(known.sum(axis=0), 1), np.nan)
