"""Models applied to data in Python: what ``mlops predict`` and ``mlops evaluate`` do, on tables in memory too."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_cli.errors import UsageError
from mlops_cli.workflows.applying.model import Model, find_model
from mlops_cli.workflows.settings import checked, told_in_python

_READING = ("read", "option")
"""What is said of how the data is read, where that is not as the training data was."""

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from mlops_cli.records import Scored
    from mlops_cli.workflows.applying.evaluate import Evaluation
    from mlops_cli.workflows.library import Run


@told_in_python()
def load_model(ref: str | Path | Run, *, workspace: str | Path | None = None, allow_pickle: bool = False) -> Model:
    """Open a model: ``mlops.load_model("titanic@champion").predict(df)``.

    Parameters
    ----------
    ref : str, Path or Run
        ``titanic@champion``, ``titanic/3``, ``titanic``; or a run: an id, ``titanic:best``, ``latest``, a path.
    workspace : str or Path, optional
        The workspace; the current folder's where not given.
    allow_pickle : bool
        Open a model that is a pickle, which can run any code.

    Returns
    -------
    Model
        With `predict`, `predict_proba`, and scikit-learn's own ``pipeline``.

    Raises
    ------
    StoreError
        There is no such model, or its files are not those that were recorded.
    """
    return find_model(named(ref), workspace=workspace).open(allow_pickle=allow_pickle)


@told_in_python()
def predict(
    model: str | Path | Run,
    data: str | Path | pd.DataFrame | Sequence[Mapping[str, Any]],
    output: str | Path | None = None,
    *,
    workspace: str | Path | None = None,
    **settings: Any,
) -> Any:
    """Predict rows, in their order, with the id column beside the predictions.

    Parameters
    ----------
    model : str, Path or Run
        As `load_model` takes it.
    data : str, Path, DataFrame or list of mapping
        A file, an address, a glob, a version of a data set; or a table, or a mapping for each row.
    output : str or Path, optional
        A file, whose ending says in which form it is written; a table is then not returned, and never all in memory.
    workspace : str or Path, optional
        The workspace; the current folder's where not given.
    **settings
        As the command has them: ``proba``, ``threshold``, ``keep``, ``id``, ``submission``, ``sample``, ``force``,
        ``allow_pickle``, ``read`` (options of the reader), ``option`` (csv, sql …).

    Returns
    -------
    DataFrame or Path
        The predictions, shape (rows, …), of a table with its index; where there is an output, that.

    Raises
    ------
    DataError
        The data does not suit the model.
    UsageError
        The model cannot be asked this, or the output is there already.
    """
    from mlops_cli.workflows.applying import predict as predicting
    from mlops_cli.workflows.applying.asking import PredictOptions

    options = PredictOptions(**_asked(settings, PredictOptions, "predict"))
    if output is not None:
        if not isinstance(data, str | Path):
            raise UsageError("a table in memory is predicted in memory", hint="predict(model, table).to_csv(path)")
        return predicting.predict(named(model), str(data), Path(output), options, workspace=workspace).path
    return predicting.predicted(named(model), _rows(data), options, workspace=workspace)


@told_in_python()
def predict_each(
    model: str | Path | Run,
    data: str | Path,
    output: str | Path,
    *,
    again: bool = False,
    workspace: str | Path | None = None,
    **settings: Any,
) -> Scored:
    """Predict every file that is new or has changed since the last call, each to a file of its own.

    Parameters
    ----------
    model : str, Path or Run
        As `load_model` takes it.
    data : str or Path
        A glob, a folder or a file.
    output : str or Path
        A folder; ``scored/{}.parquet`` for another form than CSV. ``manifest.jsonl`` in it says what came of what.
    again : bool
        Also what another version of the model has predicted.
    workspace : str or Path, optional
        The workspace; the current folder's where not given.
    **settings
        As `predict` takes them; ``force`` replaces files that the manifest says nothing of.

    Returns
    -------
    Scored
        ``done``, ``kept`` and ``failed``: a file that cannot be predicted does not stop the others.

    Raises
    ------
    DataError
        There is no such file or folder.
    UsageError
        The model cannot be asked this.
    """
    from mlops_cli.workflows.applying import each
    from mlops_cli.workflows.applying.asking import PredictOptions

    options = PredictOptions(**_asked(settings, PredictOptions, "predict_each"))
    return each.predict_each(
        named(model), str(data), str(output), each.EachOptions(options, again), workspace=workspace
    )


@told_in_python()
def evaluate(
    model: str | Path | Run,
    data: str | Path | pd.DataFrame | Sequence[Mapping[str, Any]],
    *,
    output: str | Path | None = None,
    workspace: str | Path | None = None,
    **settings: Any,
) -> Evaluation:
    """Score a model on labelled rows, with a 95 % interval for each metric.

    Parameters
    ----------
    model : str, Path or Run
        As `load_model` takes it.
    data : str, Path, DataFrame or list of mapping
        A file, an address, a glob, a version of a data set; or a table, or a mapping for each row. It has the target.
    output : str or Path, optional
        A folder for the metrics, the predictions and the plots.
    workspace : str or Path, optional
        The workspace; the current folder's where not given.
    **settings
        As the command has them: ``metrics``, ``group``, ``resamples``, ``seed``, ``force``, ``allow_pickle``,
        ``read``, ``option``.

    Returns
    -------
    Evaluation
        ``metrics["roc_auc"].value``, ``.ci95``; ``table()`` has the predictions.

    Raises
    ------
    DataError
        The rows have no target, or do not suit the model.
    """
    from mlops_cli.workflows.applying.evaluate import EvaluateOptions, evaluate_model

    options = EvaluateOptions(**_asked(settings, EvaluateOptions, "evaluate"))
    place = None if output is None else Path(output)
    return evaluate_model(named(model), _rows(data), options, workspace=workspace, output=place)


def _rows(data: Any) -> str | pd.DataFrame:
    """Return where data is, or the table that it is."""
    if isinstance(data, str | Path):
        return str(data)
    from mlops_cli.components.rows import as_table

    return as_table(data)


def named(ref: str | Path | Run) -> str:
    """Return what a run or a model is called: of a run that was found, where it is."""
    return str(getattr(ref, "path", ref))


def _asked(settings: dict[str, Any], options: type[Any], function: str) -> dict[str, Any]:
    from mlops_cli.workflows.data.tables import HowRead

    how = {name: settings[name] for name in _READING if name in settings}
    rest = {name: value for name, value in settings.items() if name not in how}
    asked = checked(rest, options, function, without={"how"}, beside=_READING)
    return {**{name: _read(name, value) for name, value in asked.items()}, "how": HowRead(**how)}


def _read(name: str, value: Any) -> Any:
    """Return a setting as the options have it: one name is a list of one."""
    if name == "sample" and value is not None:
        return Path(value)
    return (value,) if name in {"keep", "metrics"} and isinstance(value, str) else value
