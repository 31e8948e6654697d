"""One plot of a run: what it needs is taken from the run's `Material`, and given to the function that draws it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_cli.records import PlotName, Task, terms_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.figure import Figure

    from mlops_cli.records import PlotSpec, Terms
    from mlops_cli.workflows.runs.material import Material


def draw(material: Material, spec: PlotSpec) -> Figure:
    """Return one plot as a figure.

    Raises
    ------
    UnsuitableError
        The run has nothing to draw of it.
    MlopsError
        What it needs cannot be had: the data has changed, a package is missing.
    """
    return DRAWN[spec.name](material, spec)


def _confusion_matrix(material: Material, _spec: PlotSpec) -> Figure:
    from mlops_cli.views.plots import classification

    return classification.confusion_matrix(material.classified)


def _roc(material: Material, _spec: PlotSpec) -> Figure:
    from mlops_cli.views.plots import classification

    return classification.roc(material.classified, material.positive, material.test_classified)


def _precision_recall(material: Material, _spec: PlotSpec) -> Figure:
    from mlops_cli.views.plots import classification

    return classification.precision_recall(material.classified, material.positive, material.test_classified)


def _calibration(material: Material, _spec: PlotSpec) -> Figure:
    from mlops_cli.views.plots import classification

    return classification.calibration(material.classified, material.positive, material.test_classified)


def _prediction_error(material: Material, _spec: PlotSpec) -> Figure:
    from mlops_cli.views.plots import regression

    material.require(Task.REGRESSION)
    return regression.prediction_error(material.predictions, _target(material), material.test_predictions)


def _residuals(material: Material, _spec: PlotSpec) -> Figure:
    from mlops_cli.views.plots import regression

    material.require(Task.REGRESSION)
    return regression.residuals(material.predictions, _target(material), material.test_predictions)


def _terms(material: Material) -> Terms:
    return terms_of(material.record.task)


def _target(material: Material) -> str:
    dataset = material.record.dataset
    return (dataset.target if dataset is not None else None) or "target"


def _silhouette(material: Material, _spec: PlotSpec) -> Figure:
    from mlops_cli.views.plots import fitted
    from mlops_cli.workflows.runs.curves import silhouettes

    return fitted.silhouette(*silhouettes(material))


def _scores(material: Material, _spec: PlotSpec) -> Figure:
    from mlops_cli.views.plots import scores

    return scores.scores(material.record.metrics, material.record.directions, _terms(material).part)


def _permutation_importance(material: Material, _spec: PlotSpec) -> Figure:
    from mlops_cli.views.plots import fitted
    from mlops_cli.workflows.runs.curves import shuffled_drops

    drops, rows = shuffled_drops(material)
    return fitted.permutation_importance(drops, material.metric, rows)


def _partial_dependence(material: Material, spec: PlotSpec) -> Figure:
    from mlops_cli.views.plots import fitted
    from mlops_cli.workflows.runs.curves import dependence_of, one_thread

    of = dependence_of(material, spec.keys)
    with one_thread():
        return fitted.partial_dependence(*of)


def _training_curve(material: Material, _spec: PlotSpec) -> Figure:
    from mlops_cli.views.plots import training

    return training.training_curve(material.curves, _terms(material))


def _learning_curve(material: Material, _spec: PlotSpec) -> Figure:
    from mlops_cli.views.plots import fitted
    from mlops_cli.workflows.runs.curves import learning_scores

    material.require_table()
    return fitted.learning_curve(*learning_scores(material), material.metric, material.direction)


def _validation_curve(material: Material, spec: PlotSpec) -> Figure:
    from mlops_cli.views.plots import fitted
    from mlops_cli.workflows.runs.curves import validation_scores

    material.require_table()
    key = spec.keys[0]
    scores = validation_scores(material, key, spec.values)
    return fitted.validation_curve((key, spec.values), *scores, material.metric, material.direction)


def _history(material: Material, _spec: PlotSpec) -> Figure:
    from mlops_cli.views.plots import sweeps

    return sweeps.history(material.trials, material.metric, material.direction)


def _top_trials(material: Material, _spec: PlotSpec) -> Figure:
    from mlops_cli.views.plots import scores

    return scores.top_trials(material.trials, material.metric, material.direction, _terms(material).part)


def _parallel_coordinates(material: Material, spec: PlotSpec) -> Figure:
    from mlops_cli.views.plots import sweeps

    return sweeps.parallel_coordinates(material.sweep, spec.keys)


def _slices(material: Material, spec: PlotSpec) -> Figure:
    from mlops_cli.views.plots import sweeps

    return sweeps.slices(material.sweep, spec.keys)


def _param_importance(material: Material, _spec: PlotSpec) -> Figure:
    from mlops_cli.views.plots import sweeps

    return sweeps.param_importance(material.importances, material.metric)


def _contour(material: Material, spec: PlotSpec) -> Figure:
    from mlops_cli.views.plots import sweeps

    return sweeps.contour(material.sweep, spec.keys or material.leading_params)


DRAWN: dict[PlotName, Callable[[Material, PlotSpec], Figure]] = {
    PlotName.CONFUSION_MATRIX: _confusion_matrix,
    PlotName.ROC: _roc,
    PlotName.PRECISION_RECALL: _precision_recall,
    PlotName.CALIBRATION: _calibration,
    PlotName.PREDICTION_ERROR: _prediction_error,
    PlotName.RESIDUALS: _residuals,
    PlotName.SILHOUETTE: _silhouette,
    PlotName.SCORES: _scores,
    PlotName.PERMUTATION_IMPORTANCE: _permutation_importance,
    PlotName.PARTIAL_DEPENDENCE: _partial_dependence,
    PlotName.TRAINING_CURVE: _training_curve,
    PlotName.LEARNING_CURVE: _learning_curve,
    PlotName.VALIDATION_CURVE: _validation_curve,
    PlotName.HISTORY: _history,
    PlotName.TOP_TRIALS: _top_trials,
    PlotName.PARALLEL_COORDINATES: _parallel_coordinates,
    PlotName.SLICES: _slices,
    PlotName.PARAM_IMPORTANCE: _param_importance,
    PlotName.CONTOUR: _contour,
}
"""What draws each plot."""
