"""Plots of a run: what each needs is loaded, the figure drawn by ``views``, and the files written by ``store``."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from mlops_cli.errors import ConfigError, MlopsError, UsageError, did_you_mean
from mlops_cli.records import Notice, PlotName, PlotSpec, RunStatus, Task

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from mlops_cli.records import RunRecord
    from mlops_cli.workflows.running.prepare import Prepared
    from mlops_cli.workflows.runs.material import Material

    Around = Callable[[str], AbstractContextManager[object]]

LEAST_TRIALS = 16
"""Completed trials from which on the importance of parameters says something."""

AUTO = (PlotSpec(PlotName.AUTO),)
"""Those that suit."""

SHOWS: Mapping[PlotName, str] = {
    PlotName.SCORES: "every metric on each split or repetition, its mean and interval",
    PlotName.CONFUSION_MATRIX: "how often each class is predicted as which",
    PlotName.ROC: "true against false positives",
    PlotName.PRECISION_RECALL: "precision over recall",
    PlotName.CALIBRATION: "how often a predicted probability comes true",
    PlotName.PREDICTION_ERROR: "true against predicted values",
    PlotName.RESIDUALS: "what is left between true and predicted values",
    PlotName.SILHOUETTE: "how well each row lies in its cluster",
    PlotName.PERMUTATION_IMPORTANCE: "how much worse the model is where a feature is shuffled",
    PlotName.PARTIAL_DEPENDENCE: "how the prediction depends on a feature",
    PlotName.TRAINING_CURVE: "loss and scores over the epochs, episodes or steps of each fit or repetition",
    PlotName.LEARNING_CURVE: "the score over the number of training rows",
    PlotName.VALIDATION_CURVE: "the score over the values of a parameter",
    PlotName.HISTORY: "the trials in their order, and the best so far",
    PlotName.TOP_TRIALS: "the best ten trials on each split or repetition",
    PlotName.PARALLEL_COORDINATES: "all parameters of each trial and its score",
    PlotName.SLICES: "the score over each parameter",
    PlotName.PARAM_IMPORTANCE: "which parameters matter (needs Optuna)",
    PlotName.CONTOUR: "the score over two parameters",
}
"""What there is to draw, in the order in which a page shows it."""

_OF_SWEEPS = frozenset(
    {
        PlotName.HISTORY,
        PlotName.TOP_TRIALS,
        PlotName.PARALLEL_COORDINATES,
        PlotName.SLICES,
        PlotName.PARAM_IMPORTANCE,
        PlotName.CONTOUR,
    }
)
_OF_SEVERAL = frozenset({PlotName.PARAM_IMPORTANCE, PlotName.CONTOUR})
_FITTED = frozenset(
    {
        PlotName.SILHOUETTE,
        PlotName.PERMUTATION_IMPORTANCE,
        PlotName.PARTIAL_DEPENDENCE,
        PlotName.LEARNING_CURVE,
        PlotName.VALIDATION_CURVE,
    }
)
"""Those that need the data and a model."""

_TASKS: Mapping[PlotName, tuple[Task, ...]] = {
    PlotName.CONFUSION_MATRIX: (Task.CLASSIFICATION,),
    PlotName.ROC: (Task.CLASSIFICATION,),
    PlotName.PRECISION_RECALL: (Task.CLASSIFICATION,),
    PlotName.CALIBRATION: (Task.CLASSIFICATION,),
    PlotName.PREDICTION_ERROR: (Task.REGRESSION,),
    PlotName.RESIDUALS: (Task.REGRESSION,),
    PlotName.SILHOUETTE: (Task.CLUSTERING,),
    PlotName.PERMUTATION_IMPORTANCE: (Task.CLASSIFICATION, Task.REGRESSION),
    PlotName.PARTIAL_DEPENDENCE: (Task.CLASSIFICATION, Task.REGRESSION),
    PlotName.LEARNING_CURVE: tuple(task for task in Task if task.has_table),
    PlotName.VALIDATION_CURVE: tuple(task for task in Task if task.has_table),
}
_SUFFIXES = (".svg", ".png", ".pdf")


def saved(record: RunRecord) -> Mapping[str, Path]:
    """Return the SVG files of the plots that a run has, by name, in the order of `SHOWS`."""
    from mlops_cli.store.plots import saved_plots

    order = [str(name) for name in SHOWS]
    found = saved_plots(record.path)
    return dict(
        sorted(found.items(), key=lambda item: order.index(PlotName(item[0])) if item[0] in order else len(order))
    )


def drawn(
    record: RunRecord, names: Sequence[str] = (), *, recorded_only: bool = True
) -> tuple[dict[str, bytes], dict[str, str]]:
    """Return plots of a run as SVG, by name, and why others are left out: saved ones are read, the others drawn.

    Parameters
    ----------
    record : RunRecord
        The run; it may still be running.
    names : sequence of str
        Which plots; those that suit the run where none are named.
    recorded_only : bool
        Draw only from what is recorded: scores, trials, predictions. Else data is read and models fitted, for which
        code of the run's workspace is imported: a page about a run that came from elsewhere must not do that.
    """
    from mlops_cli.store.files import read_bytes
    from mlops_cli.workflows.runs.material import Material

    files, material = saved(record), Material(record)
    found: dict[str, bytes] = {}
    reasons: dict[str, str] = {}
    try:
        wanted = [PlotName(name) for name in names if name in [*PlotName]] or suiting(material)
    except Exception as error:  # noqa: BLE001 - predictions that are damaged; a page shows what there is
        return {}, {"all": _said(error)}
    for name in wanted:
        if name not in files and recorded_only and name in _FITTED:
            reasons[str(name)] = f"needs the data and a model: mlops runs plot {record.id} {name}"
            continue
        try:
            found[str(name)] = (
                read_bytes(files[name]) if name in files else _files(material, PlotSpec(name), "svg")["svg"]
            )
        except Exception as error:  # noqa: BLE001 - a page shows the plots that there are
            reasons[str(name)] = _said(error)
    return found, reasons


def _said(error: Exception) -> str:
    """Return an error in one line; of those that are no fault of the user's with their type."""
    return str(error) if isinstance(error, MlopsError) else f"{type(error).__name__}: {' '.join(str(error).split())}"


def plot_run(record: RunRecord, prepared: Prepared, model: Any = None) -> list[Notice]:
    """Draw and save the plots that the config of a run asks for, and return what is to be said of them.

    Parameters
    ----------
    record : RunRecord
        With the winner and its metrics.
    prepared : Prepared
        The run as it was prepared.
    model : Pipeline, optional
        The winner fitted on all training rows.

    Returns
    -------
    list of Notice
        ``plot-failed`` for each plot that was asked for by name and could not be drawn, and for each fault.
    """
    from mlops_cli.workflows.runs.material import Material

    return _plotted(record, Material(record, prepared, model), prepared.spec.artifacts.plots)


def _plotted(record: RunRecord, material: Material, wanted: Sequence[PlotSpec]) -> list[Notice]:
    from mlops_cli.store.plots import write_plots

    found: dict[str, Mapping[str, bytes]] = {}
    notices: list[Notice] = []
    for spec, asked in _listed(wanted, material):
        files, notice = _attempt(material, spec, asked=asked)
        if files:
            found[str(spec.name)] = files
        notices.extend([notice] if notice is not None else [])
    try:
        write_plots(record.path, found)
    except MlopsError as error:
        notices.append(Notice("plot-failed", f"the plots could not be written: {error}"))
    return notices


def plot_missing(record: RunRecord, prepared: Prepared) -> list[Notice]:
    """Draw the plots that are asked for by name and that a finished run does not have; see `plot_run`."""
    from mlops_cli.workflows.runs.material import Material

    there = saved(record)
    missing = tuple(s for s in prepared.spec.artifacts.plots if s.name is not PlotName.AUTO and s.name not in there)
    return _plotted(record, Material(record, prepared), missing)


def _attempt(material: Material, spec: PlotSpec, *, asked: bool) -> tuple[Mapping[str, bytes], Notice | None]:
    from mlops_cli.views.plots.style import UnsuitableError

    try:
        return _files(material, spec), None
    except UnsuitableError as error:
        return {}, Notice("plot-failed", f"{spec.name}: {error}") if asked else None
    except Exception as error:  # noqa: BLE001 - whatever a component or a library raises; the run stands all the same
        return {}, Notice("plot-failed", f"{spec.name} could not be drawn: {_said(error)}")


def _files(material: Material, spec: PlotSpec, *formats: str) -> Mapping[str, bytes]:
    from mlops_cli.views.plots.style import render
    from mlops_cli.workflows.runs.drawing import draw

    return render(draw(material, spec), *formats)


def _listed(asked: Sequence[PlotSpec], material: Material) -> list[tuple[PlotSpec, bool]]:
    """Return each plot once, and whether it was asked for by its name."""
    listed: dict[PlotName, tuple[PlotSpec, bool]] = {}
    if any(spec.name is PlotName.AUTO for spec in asked):
        listed |= {name: (PlotSpec(name), False) for name in suiting(material)}
    listed |= {spec.name: (spec, True) for spec in asked if spec.name is not PlotName.AUTO}
    return list(listed.values())


# --- on request --------------------------------------------------------------------------------------------------


def read_specs(names: Sequence[str], params: Sequence[str] = ()) -> tuple[PlotSpec, ...]:
    """Return the plots that are asked for in words; those that suit where none are named.

    Parameters
    ----------
    names : sequence of str
        Names of plots.
    params : sequence of str
        What the one plot is of: ``model.C=0.01,0.1,1`` for a validation curve, else keys, with or without commas.

    Raises
    ------
    UsageError
        A plot is unknown, or does not go with the parameters.
    """
    from mlops_cli.config.artifacts import read_plots

    if params and len(names) != 1:
        raise UsageError("--param is of one plot", hint="mlops runs plot RUN contour --param model.C,model.gamma")
    for name in names:
        if name not in [*PlotName]:
            raise UsageError(f"there is no plot '{name}'", hint=did_you_mean(name, [*PlotName], limit=len(PlotName)))
    if PlotName.VALIDATION_CURVE in names and not any("=" in param for param in params):
        raise UsageError("validation_curve needs a parameter and its values", hint="--param model.C=0.1,1,10")
    try:
        return read_plots([{names[0]: _of(params)}] if params else list(names), "") or AUTO
    except ConfigError as error:
        raise UsageError(error.message, hint=error.hint) from error


def _of(params: Sequence[str]) -> Any:
    """Return parameters as a config says them."""
    import yaml

    if "=" not in params[0]:
        return [key.strip() for param in params for key in param.split(",") if key.strip()]
    if len(params) > 1:
        raise UsageError("a curve is over one parameter", hint="give --param KEY=VALUE,VALUE once")
    key, _, values = params[0].partition("=")
    try:
        return {key.strip(): yaml.safe_load(f"[{values}]")}
    except yaml.YAMLError as error:
        raise UsageError(f"--param {params[0]!r} cannot be read", hint="--param model.C=0.01,0.1,1") from error


def save(
    record: RunRecord, asked: Sequence[PlotSpec] = AUTO, output: Path | None = None, around: Around = nullcontext
) -> dict[str, Path]:
    """Draw plots of a recorded run and write them, and return the files by name.

    Parameters
    ----------
    record : RunRecord
        The run.
    asked : sequence of PlotSpec
        Which plots.
    output : Path, optional
        A folder, or a file ending in ``.svg``, ``.png`` or ``.pdf`` for a single plot; the run's own folder of plots
        where not given.
    around : callable, optional
        Name of a plot → the context that it is drawn in.

    Raises
    ------
    UsageError
        The file ends in something else.
    MlopsError
        A plot that is asked for by name cannot be drawn, or a file cannot be written.
    """
    from mlops_cli.store.files import write_files
    from mlops_cli.store.plots import write_plots

    if output is None:
        return write_plots(record.path, _made(record, asked, around))
    if output.suffix.lower() in _SUFFIXES:
        return _save_one(record, asked, output, around)
    if output.suffix and not output.is_dir():
        raise UsageError(f"{output} ends in none of {', '.join(_SUFFIXES)}", hint="or give a folder, without a suffix")
    plots = _made(record, asked, around)
    write_files({output / f"{name}.{kind}": data for name, files in plots.items() for kind, data in files.items()})
    return {name: output / f"{name}.svg" for name in plots}


def _save_one(record: RunRecord, asked: Sequence[PlotSpec], output: Path, around: Around) -> dict[str, Path]:
    from mlops_cli.store.files import write_file

    if len(asked) != 1 or asked[0].name is PlotName.AUTO:
        raise UsageError(f"{output} is one file", hint="name one plot, or give a folder")
    kind = output.suffix.lower()[1:]
    ((name, files),) = _made(record, asked, around, kind).items()
    write_file(output, files[kind])
    return {name: output}


def _made(
    record: RunRecord, asked: Sequence[PlotSpec], around: Around, *formats: str
) -> dict[str, Mapping[str, bytes]]:
    from mlops_cli.views.plots.style import UnsuitableError
    from mlops_cli.workflows.runs.material import Material

    material = Material(record)
    found: dict[str, Mapping[str, bytes]] = {}
    for spec, by_name in _listed(asked, material):
        try:
            with around(str(spec.name)):
                found[str(spec.name)] = _files(material, spec, *formats)
        except UnsuitableError:
            if by_name:
                raise
    return found


def listing(record: RunRecord) -> dict[str, dict[str, Any]]:
    """Return the plots that a run can have, by name: what each shows, whether it suits, its file if it is saved."""
    from mlops_cli.workflows.runs.material import Material

    suit, files = suiting(Material(record)), saved(record)
    return {
        str(name): {"shows": shows, "suits": name in suit, "file": str(files[name]) if name in files else None}
        for name, shows in SHOWS.items()
        if name in suit or name in files or _is_for(name, record)
    }


def _is_for(name: PlotName, record: RunRecord) -> bool:
    """Whether there may be something to draw, where it is asked for."""
    from mlops_cli.components.samplers import importances

    if name in _OF_SEVERAL and record.best is not None and len(record.best.params) < 2:
        return False
    if name is PlotName.PARAM_IMPORTANCE and not importances.has_optuna():
        return False
    if name in _OF_SWEEPS:
        return record.counts.trials > 1
    if name is PlotName.TRAINING_CURVE:
        return False  # where there is none, none can be had
    return record.task is None or record.task in _TASKS.get(name, tuple(Task))


# --- what suits --------------------------------------------------------------------------------------------------


def suiting(material: Material) -> list[PlotName]:
    """Return the plots that suit a run and cost little, in the order in which a page shows them."""
    record = material.record
    if record.best is None:
        return [PlotName.HISTORY] if record.counts.trials > 1 else []
    return [*_of_winner(material), *(_of_sweep(material) if record.best.params else [])]


def _of_winner(material: Material) -> list[PlotName]:
    record, paths = material.record, material.paths
    found = [PlotName.SCORES, *([PlotName.TRAINING_CURVE] if material.curves else [])]
    if paths.predictions.is_file():
        found += {
            Task.CLASSIFICATION: [PlotName.CONFUSION_MATRIX],
            Task.REGRESSION: [PlotName.PREDICTION_ERROR, PlotName.RESIDUALS],
        }.get(record.task or Task.CLUSTERING, [])
        if record.task is Task.CLASSIFICATION and material.classified.proba is not None:
            found += [PlotName.ROC, PlotName.PRECISION_RECALL, PlotName.CALIBRATION]
    if record.task is Task.CLUSTERING and record.status is RunStatus.COMPLETED:
        found.append(PlotName.SILHOUETTE)
    tested = any(summary.test is not None for summary in record.metrics.values())
    if tested and record.task is not Task.CLUSTERING:
        found.append(PlotName.PERMUTATION_IMPORTANCE)
    return found


def _of_sweep(material: Material) -> list[PlotName]:
    from mlops_cli.components.samplers import importances

    found = [PlotName.HISTORY, PlotName.TOP_TRIALS, PlotName.PARALLEL_COORDINATES, PlotName.SLICES]
    several = len(material.record.best.params) > 1 if material.record.best is not None else False
    if several:
        found.append(PlotName.CONTOUR)
    if several and importances.has_optuna() and material.record.counts.completed >= LEAST_TRIALS:
        found.append(PlotName.PARAM_IMPORTANCE)
    return found
