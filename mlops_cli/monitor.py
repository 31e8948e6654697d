"""Models watched over time: what ``mlops monitor`` does, in Python.

import mlops_cli as mlops

mlops.monitor.log("titanic", "data/monday.csv").batch.report.drifted
mlops.monitor.labels("titanic", "data/outcomes.csv").batches[-1].metrics
mlops.monitor.show("titanic")                   # a DataFrame, a row for each batch
mlops.monitor.rm("titanic", "monday.csv")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from mlops_cli.records import Batch
    from mlops_cli.workflows.watching.labels import Joined
    from mlops_cli.workflows.watching.monitor import Logged

__all__ = ["batches", "labels", "log", "rm", "show"]


def log(
    model: str,
    data: str | Path | pd.DataFrame,
    *,
    name: str | None = None,
    id: str | None = None,  # noqa: A002 - as the command and predict call it
    alerts: bool = True,
    workspace: str | Path | None = None,
    **settings: Any,
) -> Logged:
    """Hold a batch of new data against a model, and keep what was found and predicted.

    Parameters
    ----------
    model : str
        A registered version: ``titanic/3``, ``titanic@champion``, ``titanic``.
    data : str, Path or DataFrame
        A file, an address, a glob, a version of a data set; or a table.
    name : str, optional
        What the batch is called; as its file where not given.
    id : str, optional
        The column that tells rows apart, by which labels are joined later; as in training where not given.
    alerts : bool
        Tell whoever is declared to be told.
    workspace : str or Path, optional
        The workspace; the current folder's where not given.
    **settings
        As `drift` takes them: ``alpha``, ``psi``, ``exact``, ``resamples``, ``seed``, ``allow_pickle``.

    Returns
    -------
    Logged
        ``batch`` with its ``report``; ``is_new`` is false where the same content was logged before.

    Raises
    ------
    DataError
        The data cannot be read.
    UsageError
        A run is meant, which has no batches.
    """
    from mlops_cli.workflows.settings import checked, told_in_python
    from mlops_cli.workflows.watching import monitor
    from mlops_cli.workflows.watching.drift import DriftOptions

    drifting = DriftOptions(**checked(settings, DriftOptions, "log", without={"how", "declared"}))
    asked = monitor.LogOptions(name, id, drifting, alerts)
    with told_in_python():
        return monitor.log_batch(model, _read(data), asked, workspace=workspace)


def labels(
    model: str, labels: str | Path | pd.DataFrame, *, workspace: str | Path | None = None, **settings: Any
) -> Joined:
    """Join labels that have come later to the predictions of earlier batches, and score those again.

    Parameters
    ----------
    model : str
        The model.
    labels : str, Path or DataFrame
        A file, an address, a glob, a version of a data set; or a table. It has the id and the target.
    workspace : str or Path, optional
        The workspace; the current folder's where not given.
    **settings
        As the command has them: ``id`` (the column of the labels; that of the batches where not given), ``batch`` (the
        one batch that they are of), ``alerts``, ``allow_pickle``.

    Returns
    -------
    Joined
        ``batches`` as they are now, with their ``metrics``.

    Raises
    ------
    DataError
        They cannot be read, or contradict each other or what is known; nothing is changed then.
    """
    from mlops_cli.workflows.settings import checked, told_in_python
    from mlops_cli.workflows.watching.labels import LabelOptions, join_labels

    options = LabelOptions(**checked(settings, LabelOptions, "labels", without={"how"}))
    with told_in_python():
        return join_labels(model, _read(labels), options, workspace=workspace)


def batches(model: str, *, limit: int | None = None, workspace: str | Path | None = None) -> tuple[Batch, ...]:
    """Return the batches of a model as they were kept, the first one first."""
    from mlops_cli.workflows.watching import history

    return history.batches(model, limit=limit, workspace=workspace)


def show(model: str, *, limit: int | None = None, workspace: str | Path | None = None) -> pd.DataFrame:
    """Return a table of the batches of a model, the first one first.

    Returns
    -------
    DataFrame
        Shape (batches, …): ``id``, ``name``, ``logged`` (in UTC), ``version``, ``rows``, ``drifted``, ``judged``
        (false of too few rows), ``findings``, ``features`` (those that have drifted), ``psi`` (the largest, beyond
        chance), ``psi_of``, ``predictions.psi``, ``labelled``, ``metrics.NAME``.
    """
    import pandas as pd

    from mlops_cli.views.monitor import row_of

    table = pd.DataFrame([row_of(batch) for batch in batches(model, limit=limit, workspace=workspace)])
    if len(table):
        table["logged"] = pd.to_datetime(table["logged"], utc=True, format="ISO8601")
    return table


def rm(model: str, batch: str, *, workspace: str | Path | None = None) -> str:
    """Remove a batch for good, and return its id."""
    from mlops_cli.workflows.watching import history

    return history.remove_batch(model, batch, workspace=workspace)


def _read(data: str | Path | pd.DataFrame) -> Any:
    from pathlib import Path

    return str(data) if isinstance(data, Path) else data
