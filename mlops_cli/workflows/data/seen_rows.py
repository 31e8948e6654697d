"""The very rows that a recorded run saw, read again: only where they are still the same."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mlops_cli.config.flat import texts
from mlops_cli.errors import DataError
from mlops_cli.workflows.data.as_seen import as_seen
from mlops_cli.workflows.data.load import load

if TYPE_CHECKING:
    import pandas as pd

    from mlops_cli.config.workspace import Workspace
    from mlops_cli.records import ExperimentSpec, RunRecord
    from mlops_cli.workflows.applying.labelled import Labelled
    from mlops_cli.workflows.data.load import Loaded


def rows_of_run(spec: ExperimentSpec, record: RunRecord, workspace: Workspace) -> Loaded:
    """Return what a run learned from, and what it held out.

    Parameters
    ----------
    spec : ExperimentSpec
        The run's own config.
    record : RunRecord
        The run.
    workspace : Workspace
        Where its data is.

    Raises
    ------
    DataError
        The rows are no longer there, or others by now.
    """
    found = load(as_seen(spec, record, workspace), workspace)
    for before, now in ((record.dataset, found.train.version), (record.test_dataset, found.test_version)):
        if before is not None and (now is None or now.version != before.version):
            raise DataError(f"{before.source} is no longer what {record.id} saw", hint="mlops data add keeps versions")
    return found


def is_at_hand(spec: ExperimentSpec, record: RunRecord, workspace: Workspace) -> bool:
    """Whether the rows of a run can be read again without asking anybody elsewhere for them."""
    source = as_seen(spec, record, workspace).data.source
    return source.params.get("snapshot") is not None or not any("://" in text for text in texts(source.params))


@dataclass(frozen=True)
class Known:
    """How many of some rows a run has learned from."""

    count: int
    by: str  # the column of ids that tells; nothing: its twins are counted
    twins: int  # rows that equal one of the run's own in all features and the target: they may be other cases


def seen_in_training(loaded: Loaded, rows: Labelled) -> Known:
    """Return how many of some labelled rows a run has learned from, by ``data.id`` where it tells rows apart."""
    from mlops_cli.analysis.checks import twins

    ids, equal = loaded.train.ids, twins(loaded.train, replace(loaded.train, X=rows.X, y=rows.y))
    if ids is None or rows.ids is None or not (_tells(ids) and _tells(rows.ids)):
        return Known(equal, "", equal)
    own, others = (ids, rows.ids) if _are_alike(ids, rows.ids) else (ids.astype(str), rows.ids.astype(str))
    return Known(int(others.isin(own).sum()), str(ids.name), equal)


def _tells(ids: pd.Series[Any]) -> bool:
    return bool(ids.notna().all() and ids.is_unique)


def _are_alike(one: pd.Series[Any], other: pd.Series[Any]) -> bool:
    from pandas.api.types import is_numeric_dtype

    return one.dtype == other.dtype or (is_numeric_dtype(one) and is_numeric_dtype(other))
