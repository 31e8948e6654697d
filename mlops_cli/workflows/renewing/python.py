"""A model made anew from Python: settings by their names."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from mlops_cli.errors import UsageError
from mlops_cli.workflows.renewing.asked import RetrainOptions
from mlops_cli.workflows.renewing.retrain import retrain as make_anew
from mlops_cli.workflows.running.recording import ignore
from mlops_cli.workflows.settings import checked

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_cli.contracts import Observer
    from mlops_cli.records import Retrained


def retrain(
    model: str,
    *,
    data: str | Path | None = None,
    workspace: str | Path | None = None,
    observer: Observer = ignore,
    **settings: Any,
) -> Retrained:
    """Make a registered model anew on new data, and promote what comes of it where it is better.

    Parameters
    ----------
    model : str
        ``titanic``, whose champion is meant; or whose recipe is taken: ``titanic/3``.
    data : str or Path, optional
        New rows: a path, an address, a glob, a data set. The source of the recipe, read again, where not given.
    workspace : str or Path, optional
        The workspace; the current folder's where not given.
    observer : callable
        Told of each event while the run goes.
    **settings
        ``rows``, ``window``, ``hold_out``, ``sweep``, ``warm_start``, ``promote``, ``forget``, ``alias``,
        ``if_needed``, ``force``, ``n_jobs``, ``allow_pickle``; as the model's policy has them where not given.

    Returns
    -------
    Retrained
        ``needed`` and ``reasons``, ``run``, ``version``, ``rows``, and ``promotion`` with its ``gates``.

    Raises
    ------
    UsageError
        There is no such setting, or it is not allowed.
    StoreError
        There is no such version, or another process is making the model anew.
    DataError
        The new data cannot be read, or too few of its rows are new.
    """
    if data is not None and not isinstance(data, str | os.PathLike):
        raise UsageError(f"retrain() takes data by a path or a name. Got {type(data).__name__} instead.")
    known = checked(settings, RetrainOptions, "retrain", without=("data",))
    options = RetrainOptions(data=None if data is None else os.fspath(data), **known)
    return make_anew(model, options, workspace=workspace, observer=observer)
