"""``mlops monitor show --html``: a model over time, written as one page where the user says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_cli.store.files import write_file
from mlops_cli.views.monitor_page import MARK, monitor_page
from mlops_cli.workflows.runs.report import check_place
from mlops_cli.workflows.watching.history import history

if TYPE_CHECKING:
    from pathlib import Path


def write_trend_page(
    name: str, place: Path, *, force: bool = False, limit: int | None = None, workspace: str | Path | None = None
) -> Path:
    """Write the page, and return where it is.

    Parameters
    ----------
    name : str
        The model.
    place : Path
        The file.
    force : bool
        Overwrite a file that is no such page.
    limit : int, optional
        The newest batches alone.
    workspace : str or Path, optional
        The workspace; the current folder's where not given.

    Raises
    ------
    UsageError
        A page cannot or should not be written there.
    StoreError
        There is no such model, or a batch is damaged.
    """
    check_place(place, force=force, mark=MARK)
    found = history(name, limit=limit, workspace=workspace)
    write_file(place, monitor_page(found.name, found.batches).encode("utf-8", "backslashreplace"))
    return place
