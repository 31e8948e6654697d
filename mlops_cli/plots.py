"""Plots of a run as matplotlib figures, one function for each: ``plots.roc(run)``.

    import mlops_cli as mlops
    from mlops_cli import plots

    plots.roc("titanic:best").savefig("roc.pdf")
    run = mlops.find_run("titanic:best")
    plots.validation_curve(run, "model.C", [0.1, 1, 10])

A notebook shows the figure that is a cell's value. pyplot knows of none of them, so that there is nothing to close.
"""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from mlops_cli.records import PlotName, PlotSpec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from matplotlib.figure import Figure

    from mlops_cli.records import Comparison, RunRecord
    from mlops_cli.workflows.library import Run

__all__ = [
    "calibration",
    "compared",
    "confusion_matrix",
    "contour",
    "history",
    "learning_curve",
    "parallel_coordinates",
    "param_importance",
    "partial_dependence",
    "permutation_importance",
    "precision_recall",
    "prediction_error",
    "residuals",
    "roc",
    "scores",
    "silhouette",
    "slices",
    "suiting",
    "top_trials",
    "training_curve",
    "validation_curve",
]


def _draw(run: str | Path | Run, name: PlotName, keys: Sequence[str] = (), values: Sequence[Any] = ()) -> Figure:
    from mlops_cli.workflows.runs.drawing import draw
    from mlops_cli.workflows.runs.material import Material

    return draw(Material(_recorded(run)), PlotSpec(name, tuple(keys), tuple(values)))


def _recorded(run: str | Path | Run) -> RunRecord:
    """Return the record of a run, which is found where it is named."""
    if not isinstance(run, str | PurePath):
        return run.record
    from mlops_cli.workflows.runs.finding import look_up

    return look_up(str(run), with_trials=False)[0]


def suiting(run: str | Path | Run) -> Mapping[str, Figure]:
    """Return all plots that suit a run and cost little, by name.

    Parameters
    ----------
    run : str, Path or Run
        As `mlops_cli.run` and `mlops_cli.find_run` return it; or what such a run is called: ``"titanic:best"``.
    """
    from mlops_cli.views.plots.style import UnsuitableError
    from mlops_cli.workflows.runs.drawing import draw
    from mlops_cli.workflows.runs.material import Material
    from mlops_cli.workflows.runs.plots import suiting as suits

    material, found = Material(_recorded(run)), {}
    for name in suits(material):
        try:
            found[str(name)] = draw(material, PlotSpec(name))
        except UnsuitableError:
            continue
    return found


# --- predictions -------------------------------------------------------------------------------------------------


def scores(run: str | Path | Run) -> Figure:
    """Draw every metric of the best trial on each split, with its mean and interval."""
    return _draw(run, PlotName.SCORES)


def confusion_matrix(run: str | Path | Run) -> Figure:
    """Draw how often each class was predicted as which, out of fold."""
    return _draw(run, PlotName.CONFUSION_MATRIX)


def roc(run: str | Path | Run) -> Figure:
    """Draw the receiver operating characteristic on each split, and on held-out rows; or of each class."""
    return _draw(run, PlotName.ROC)


def precision_recall(run: str | Path | Run) -> Figure:
    """Draw precision over recall on each split, and on held-out rows; or of each class."""
    return _draw(run, PlotName.PRECISION_RECALL)


def calibration(run: str | Path | Run) -> Figure:
    """Draw how often what is predicted with some probability comes true."""
    return _draw(run, PlotName.CALIBRATION)


def prediction_error(run: str | Path | Run) -> Figure:
    """Draw true against predicted values, out of fold."""
    return _draw(run, PlotName.PREDICTION_ERROR)


def residuals(run: str | Path | Run) -> Figure:
    """Draw what is left between true and predicted values, out of fold."""
    return _draw(run, PlotName.RESIDUALS)


# --- the model ---------------------------------------------------------------------------------------------------


def silhouette(run: str | Path | Run) -> Figure:
    """Draw how well each row lies in its cluster."""
    return _draw(run, PlotName.SILHOUETTE)


def permutation_importance(run: str | Path | Run) -> Figure:
    """Draw how much worse the model is where one feature is shuffled, on rows that it has not seen."""
    return _draw(run, PlotName.PERMUTATION_IMPORTANCE)


def partial_dependence(run: str | Path | Run, *features: str) -> Figure:
    """Draw how the prediction depends on some features; on those that matter most where none is named."""
    return _draw(run, PlotName.PARTIAL_DEPENDENCE, features)


def training_curve(run: str | Path | Run) -> Figure:
    """Draw loss and scores over the epochs, iterations or rounds of the best trial's fits, on each split."""
    return _draw(run, PlotName.TRAINING_CURVE)


def learning_curve(run: str | Path | Run) -> Figure:
    """Draw the score over the number of training rows; fits the best trial anew on parts of each split."""
    return _draw(run, PlotName.LEARNING_CURVE)


def validation_curve(run: str | Path | Run, param: str, values: Sequence[Any]) -> Figure:
    """Draw the score over the values of a parameter, by its dotted key; fits the best trial anew for each."""
    return _draw(run, PlotName.VALIDATION_CURVE, [param], values)


# --- sweeps ------------------------------------------------------------------------------------------------------


def history(run: str | Path | Run) -> Figure:
    """Draw the trials in their order, and the best so far."""
    return _draw(run, PlotName.HISTORY)


def top_trials(run: str | Path | Run) -> Figure:
    """Draw the best ten trials on each split."""
    return _draw(run, PlotName.TOP_TRIALS)


def parallel_coordinates(run: str | Path | Run, *params: str) -> Figure:
    """Draw each trial as a line across its parameters to its score."""
    return _draw(run, PlotName.PARALLEL_COORDINATES, params)


def slices(run: str | Path | Run, *params: str) -> Figure:
    """Draw the score over each parameter."""
    return _draw(run, PlotName.SLICES, params)


def param_importance(run: str | Path | Run) -> Figure:
    """Draw how much of the variance of the scores each parameter explains; needs Optuna."""
    return _draw(run, PlotName.PARAM_IMPORTANCE)


def contour(run: str | Path | Run, *params: str) -> Figure:
    """Draw the score over two parameters; over the two that matter most where none is named."""
    return _draw(run, PlotName.CONTOUR, params)


def compared(comparison: Comparison) -> Figure:
    """Draw how much better each run of a comparison is than the first one."""
    from mlops_cli.views.plots.scores import compared as draw

    return draw(comparison)
