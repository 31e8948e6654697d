"""What follows from the trials of a run: the winner refitted and saved, its predictions, its test scores."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mlops_cli.analysis.aggregate import summaries
from mlops_cli.analysis.profile import profile
from mlops_cli.components.dataset import column_named
from mlops_cli.components.forecasting import HORIZON
from mlops_cli.components.metric_names import metric_bounds
from mlops_cli.components.metrics import evaluate
from mlops_cli.errors import MlopsError
from mlops_cli.execution.fitting import notices_of, prediction_columns
from mlops_cli.records import Notice, RunStatus, Signature, Stage, Task
from mlops_cli.store.card import model_card
from mlops_cli.store.models import save_model
from mlops_cli.store.profiles import write_profile
from mlops_cli.store.tables import write_predictions
from mlops_cli.workflows.running.baseline import with_baselines
from mlops_cli.workflows.running.finish_repeated import finish_repeated
from mlops_cli.workflows.running.refit import refit
from mlops_cli.workflows.running.splits import splits_info
from mlops_cli.workflows.runs.plots import plot_run
from mlops_cli.workflows.silence import silent
from mlops_cli.workflows.watching.reference import keep_reference

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    import pandas as pd

    from mlops_cli.contracts import Observer
    from mlops_cli.records import Dataset, ForecastSpec, RunRecord, Trial
    from mlops_cli.store.layout import RunPaths
    from mlops_cli.workflows.running.prepare import Prepared
    from mlops_cli.workflows.running.progress import Progress


def finish(record: RunRecord, prepared: Prepared, progress: Progress, paths: RunPaths, told: Observer) -> RunRecord:
    """Complete the record of a run whose trials have ended, and write what belongs to its winner.

    An interrupted or failed run gets the scores of what it has, and no model.
    """
    if prepared.spec.has_table:
        record = _with_profile(record, prepared, paths)
    if progress.best is None:
        return replace(record, error=_reason(record, progress))
    # A run that is resumed composes its own config, where options are written out: their names are those of its start.
    named = {key: value for key, value in record.params.items() if "." not in key}
    record = replace(record, params={**named, **prepared.composition.leaves(progress.best.params)})
    if not prepared.spec.has_table:
        return finish_repeated(record, prepared, progress.best, paths, told)
    trial = prepared.trial(progress.best.trial, progress.best.params)
    parts, bounds = prepared.maker.splits_of(trial), _bounds(prepared)
    splits = splits_info(parts, prepared.loaded)
    record = replace(record, metrics=summaries(progress.best, splits.test_share, bounds=bounds), splits=splits)
    record = with_baselines(record, prepared, parts, bounds)
    if prepared.spec.artifacts.predictions and progress.predictions:
        write_predictions(paths.predictions, out_of_fold(prepared, progress))
    if record.status is not RunStatus.COMPLETED:
        return record
    model = None
    if prepared.spec.artifacts.keep != "none" or prepared.loaded.test is not None:
        told(Stage("refit"))
        record, model = _with_model(record, prepared, trial, progress, paths, told)
    return _with_plots(record, prepared, model, told)


def _with_profile(record: RunRecord, prepared: Prepared, paths: RunPaths) -> RunRecord:
    """Write down what the training data looked like; whatever is odd in it, the run stands."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            write_profile(paths.profile, profile(prepared.loaded.train, prepared.loaded.task))
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        reason = f"the data could not be described: {type(error).__name__}: {error}"
        return replace(record, warnings=(*record.warnings, Notice("profile-failed", reason)))
    return record


def _with_plots(record: RunRecord, prepared: Prepared, model: Any, told: Observer) -> RunRecord:
    """Draw what the config asks for; whatever is wrong with a plot, the run stands."""
    if not prepared.spec.artifacts.plots:
        return record
    told(Stage("plots"))
    return replace(record, warnings=(*record.warnings, *plot_run(record, prepared, model)))


def _with_model(
    record: RunRecord, prepared: Prepared, trial: Trial, progress: Progress, paths: RunPaths, told: Observer
) -> tuple[RunRecord, Any]:
    """Return the record with what the refitted winner adds to it, and the winner; None where it cannot be fitted."""
    try:
        refitted = refit(prepared, trial)
    except Exception as error:  # noqa: BLE001 - whatever a component raises; the scores stand all the same
        reason = f"the best trial could not be fitted on all training rows: {type(error).__name__}: {error}"
        return replace(record, warnings=(*record.warnings, Notice("refit-failed", reason))), None
    scores, said = _test_scores(refitted.model, prepared, paths)
    record = replace(record, warnings=(*record.warnings, *said))
    if progress.best is not None and record.splits is not None:
        metrics = summaries(progress.best, record.splits.test_share, scores, _bounds(prepared))
        record = replace(record, metrics=metrics)
    known = progress.best.notices if progress.best is not None else ()
    record = replace(record, warnings=(*record.warnings, *(n for n in refitted.notices if n not in known)))
    if prepared.spec.artifacts.keep == "none":
        return record, refitted.model
    told(Stage("save"))
    record = _save(record, refitted.model, prepared, paths)
    return _with_reference(record, refitted.model, prepared, progress, paths), refitted.model


def _with_reference(
    record: RunRecord, model: Any, prepared: Prepared, progress: Progress, paths: RunPaths
) -> RunRecord:
    """Write down what new data will be held against; whatever is odd in the data, the run stands."""
    if not any(name.startswith("model/") for name in record.files):  # it was not saved, and is not watched
        return record
    try:
        said = progress.predictions if prepared.spec.artifacts.predictions else ()
        made = keep_reference(prepared, said, model, paths)
    except Exception as error:  # noqa: BLE001 - whatever the data or a model that is asked for clusters raises
        reason = f"what drift is measured from could not be written: {type(error).__name__}: {error}"
        return replace(record, warnings=(*record.warnings, Notice("reference-failed", reason)))
    return replace(record, files={**record.files, **made})


def _test_scores(model: Any, prepared: Prepared, paths: RunPaths) -> tuple[dict[str, float], list[Notice]]:
    """Score the winner on the held-out rows; whatever is wrong with those rows, the scores of the splits stand."""
    try:
        with warnings.catch_warnings(record=True) as caught, silent():
            warnings.simplefilter("always")
            return _score_test(model, prepared, paths), list(notices_of(caught))
    except Exception as error:  # noqa: BLE001 - whatever a component or a metric raises
        reason = f"the held-out rows could not be scored: {type(error).__name__}: {' '.join(str(error).split())}"
        return {}, [Notice("test-failed", reason)]


def _score_test(model: Any, prepared: Prepared, paths: RunPaths) -> dict[str, float]:
    """Score the winner on the held-out rows, once."""
    test = prepared.loaded.test
    if test is None or prepared.loaded.test_rows is None:
        return {}
    if prepared.plan.task is Task.CLUSTERING and not hasattr(model, "predict"):
        return {}
    scores, responses = evaluate(prepared.job.resolved_metrics, model, test.X, test.y, test.weights)
    if prepared.spec.artifacts.predictions:
        columns = prediction_columns(responses, model, test.X, np.arange(test.rows), prepared.job.scoring.classes)
        forecast = prepared.spec.data.forecast
        write_predictions(paths.test_predictions, _labelled(test, prepared.loaded.test_rows, columns, forecast))
    return scores


def _save(record: RunRecord, model: Any, prepared: Prepared, paths: RunPaths) -> RunRecord:
    try:
        files = save_model(
            model,
            signature(prepared),
            model_card(record),
            paths.model,
            model_format=prepared.spec.artifacts.model_format,
            trust=prepared.workspace.trust,
        )
    except MlopsError as error:
        return replace(record, warnings=(*record.warnings, Notice("model-not-saved", str(error))))
    return replace(record, files={**record.files, **{f"model/{name}": digest for name, digest in files.items()}})


def signature(prepared: Prepared) -> Signature:
    """Return what the model of a run takes and gives."""
    dataset = prepared.loaded.train
    return Signature(
        inputs=dataset.features,
        task=prepared.plan.task,
        output=prepared.spec.data.target or "cluster",
        output_dtype=str(dataset.y.dtype) if dataset.y is not None else "int64",
        classes=prepared.job.scoring.classes,
        id=prepared.spec.data.id,
    )


def _bounds(prepared: Prepared) -> dict[str, tuple[float, float]]:
    """Return where each metric of a known name ends; a user's own may share a name and know no bounds."""
    own = {m.name for m in prepared.job.scoring.metrics if m.component is not None}
    return {m.name: metric_bounds(m.name) for m in prepared.plan.metrics if m.name not in own}


def _reason(record: RunRecord, progress: Progress) -> Any:
    if record.status is not RunStatus.FAILED:
        return None
    return progress.error


# --- predictions -------------------------------------------------------------------------------------------------


def out_of_fold(prepared: Prepared, progress: Progress) -> dict[str, Any]:
    """Return the predictions of the best trial, each made by a model that had not seen the row.

    Returns
    -------
    dict of str to array
        ``split``, ``row`` (the position in the data as it was read), the id and the time, of a forecast the series
        and the ``horizon`` where there are several, the target, ``prediction``, and ``proba_CLASS`` where the model
        gives probabilities; a row appears once for each split that it is tested in, and for each horizon.
    """
    parts, loaded = progress.predictions, prepared.loaded
    columns = {name: np.concatenate([p[name] for p in parts]) for name in parts[0]}
    splits = np.concatenate([np.full(len(p["row"]), number) for number, p in enumerate(parts)])
    return {"split": splits, **_labelled(loaded.train, loaded.train_rows, columns, prepared.spec.data.forecast)}


def _labelled(
    dataset: Dataset, rows: Any, columns: Mapping[str, Any], forecast: ForecastSpec | None = None
) -> dict[str, Any]:
    """Return predictions with what each row is beside them, and its target just before the prediction."""
    at = columns["row"]
    named: dict[str, Any] = {"row": rows[at]}
    for suffix, series in _telling(dataset, forecast):
        named[_free(str(series.name), {*named, "split", "target", "prediction"}, suffix)] = series.iloc[at]
    if dataset.y is not None:
        named["target"] = dataset.y[at]
    return {**named, **{name: values for name, values in columns.items() if name != "row"}}


def _telling(dataset: Dataset, forecast: ForecastSpec | None) -> Iterator[tuple[str, pd.Series[Any]]]:
    """Yield the columns by which a row is known, each with what is added to its name where that is taken."""
    if dataset.ids is not None:
        yield "id", dataset.ids
    if dataset.times is not None:
        yield "time", dataset.times
    if forecast is None:
        return
    told = {series.name for series in (dataset.ids, dataset.times) if series is not None}
    for name in forecast.by:
        column = column_named(dataset, name)
        if column is not None and name not in told:
            yield "series", column
    if len(forecast.horizons) > 1:
        yield "steps", dataset.X[HORIZON]


def _free(name: str, taken: Collection[str], suffix: str) -> str:
    return name if name not in taken else f"{name}_{suffix}"
