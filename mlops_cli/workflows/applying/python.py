"""Models applied to data in Python: what ``mlops predict`` and ``mlops evaluate`` do, on tables in memory too."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_cli.errors import UsageError
from mlops_cli.workflows.applying.model import Model, find_model
from mlops_cli.workflows.settings import checked

if TYPE_CHECKING:
    import pandas as pd

    from mlops_cli.workflows.applying.evaluate import Evaluation
    from mlops_cli.workflows.library import Run


def load_model(ref: str | Path | Run, *, workspace: Path | None = None, allow_pickle: bool = False) -> Model:
    """Open a model: ``mlops.load_model("titanic@champion").predict(df)``.

    Parameters
    ----------
    ref : str, Path or Run
        ``titanic@champion``, ``titanic/3``, ``titanic``; or a run: an id, ``titanic:best``, ``latest``, a path.
    workspace : Path, optional
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


def predict(
    model: str | Path | Run,
    data: str | Path | pd.DataFrame,
    output: str | Path | None = None,
    *,
    workspace: Path | None = None,
    **settings: Any,
) -> Any:
    """Predict rows, in their order, with the id column beside the predictions.

    Parameters
    ----------
    model : str, Path or Run
        As `load_model` takes it.
    data : str, Path or DataFrame
        A file, an address, a glob, a version of a data set; or a table.
    output : str or Path, optional
        A file, whose ending says in which form it is written; a table is then not returned, and never all in memory.
    workspace : Path, optional
        The workspace; the current folder's where not given.
    **settings
        As the command has them: ``proba``, ``threshold``, ``keep``, ``id``, ``submission``, ``sample``, ``force``,
        ``allow_pickle``.

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
    read = str(data) if isinstance(data, Path) else data
    return predicting.predicted(named(model), read, options, workspace=workspace)


def evaluate(
    model: str | Path | Run,
    data: str | Path | pd.DataFrame,
    *,
    output: str | Path | None = None,
    workspace: Path | None = None,
    **settings: Any,
) -> Evaluation:
    """Score a model on labelled rows, with a 95 % interval for each metric.

    Parameters
    ----------
    model : str, Path or Run
        As `load_model` takes it.
    data : str, Path or DataFrame
        A file, an address, a glob, a version of a data set; or a table. It has the target.
    output : str or Path, optional
        A folder for the metrics, the predictions and the plots.
    workspace : Path, optional
        The workspace; the current folder's where not given.
    **settings
        As the command has them: ``metrics``, ``group``, ``resamples``, ``seed``, ``force``, ``allow_pickle``.

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
    read = str(data) if isinstance(data, Path) else data
    place = None if output is None else Path(output)
    return evaluate_model(named(model), read, options, workspace=workspace, output=place)


def named(ref: str | Path | Run) -> str:
    """Return what a run or a model is called: of a run that was found, where it is."""
    return str(getattr(ref, "path", ref))


def _asked(settings: dict[str, Any], options: type[Any], function: str) -> dict[str, Any]:
    return {name: _read(name, value) for name, value in checked(settings, options, function, without={"how"}).items()}


def _read(name: str, value: Any) -> Any:
    """Return a setting as the options have it: one name is a list of one."""
    if name == "sample" and value is not None:
        return Path(value)
    return (value,) if name in {"keep", "metrics"} and isinstance(value, str) else value
