"""Named data sets in versions that never change: what ``mlops data`` does, in Python.

import mlops_cli as mlops

version = mlops.data.add("data/titanic.csv", "titanic", key="passenger_id")
version.ref, version.table.rows
mlops.data.read("titanic@3")                    # a DataFrame
mlops.data.diff("titanic@2", "titanic@3").by_row.changed
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from mlops_cli.records import DataDiff, NamedDataset

__all__ = ["add", "diff", "find", "read"]


def add(path: str | Path, name: str, *, workspace: str | Path | None = None, **settings: Any) -> NamedDataset:
    """Give a data set its next version; the newest one where that has the same content.

    Parameters
    ----------
    path : str or Path
        A file, a folder of parts, a glob or an address.
    name : str
        Of the data set.
    workspace : str or Path, optional
        The workspace; the current folder's where not given.
    **settings
        ``note``, ``key``, ``read`` (options of the reader), ``option`` (csv, parquet …), ``link``, ``tag``.

    Raises
    ------
    DataError
        It cannot be read; nothing is added.
    """
    from mlops_cli.workflows.data import adding
    from mlops_cli.workflows.settings import checked

    options = adding.AddOptions(**checked(settings, adding.AddOptions, "add"))
    return adding.add(path, name, options, workspace=workspace).version


def find(ref: str, *, workspace: str | Path | None = None) -> NamedDataset:
    """Return a version: ``titanic@3``, ``titanic@clean``; ``titanic`` is the newest one."""
    from mlops_cli.workflows.data import datasets

    return datasets.find(ref, workspace=workspace)


def read(ref: str, *, workspace: str | Path | None = None) -> pd.DataFrame:
    """Return a version's table as runs read it, shape (rows, columns)."""
    from mlops_cli.config.workspace import find_workspace
    from mlops_cli.workflows.data.tables import read_ref

    return read_ref(ref, find_workspace(workspace)).values


def diff(a: str, b: str, *, key: str | None = None, workspace: str | Path | None = None) -> DataDiff:
    """Return what differs between two versions, or files: rows, columns, and how values are distributed.

    Parameters
    ----------
    a, b : str
        ``titanic@3``, or a path.
    key : str, optional
        The column that tells rows apart; the one that `add` was told where not given.
    workspace : str or Path, optional
        The workspace; the current folder's where not given.
    """
    from mlops_cli.workflows.data import datasets

    return datasets.diff(a, b, key=key, workspace=workspace)
