"""``mlops runs diff``: what differs between two recorded runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_cli.analysis.difference import Side, difference
from mlops_cli.errors import UsageError
from mlops_cli.store.files import read_bytes
from mlops_cli.store.layout import RunPaths
from mlops_cli.workflows.runs.asked import config_leaves
from mlops_cli.workflows.runs.finding import look_up

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_cli.records import RunDiff


def diff_runs(a: str, b: str, *, workspace: str | Path | None = None) -> RunDiff:
    """Return what differs between two runs.

    Parameters
    ----------
    a, b : str
        An id, its beginning, a path, ``latest`` …
    workspace : str or Path, optional
        The workspace; the current folder's where not given.

    Raises
    ------
    UsageError
        A trial is named.
    StoreError
        No run or several are meant, or a file of one cannot be read.
    ConfigError
        The config of one cannot be read.
    """
    return difference(_side(a, workspace), _side(b, workspace))


def _side(ref: str, workspace: str | Path | None) -> Side:
    run, mark, number = ref.rpartition("#")
    if run and mark and number.isdigit():
        raise UsageError(f"runs diff takes no #TRIAL, got {ref!r}", hint="mlops runs compare does")
    record, _ = look_up(ref, with_trials=False, workspace=workspace)
    patch = RunPaths(record.path).source_diff
    return Side(record, config_leaves(record), read_bytes(patch) if patch.exists() else b"")
