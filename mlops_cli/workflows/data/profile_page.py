"""``mlops data profile --html``: what data looks like, written as one page where the user says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_cli.analysis.checks import check_dataset, repeated_rows
from mlops_cli.analysis.profile import profile
from mlops_cli.analysis.ties import ties
from mlops_cli.components.dataset import make_dataset
from mlops_cli.config import find_workspace
from mlops_cli.records import ComponentSpec, DataSpec, Task
from mlops_cli.store.files import write_file
from mlops_cli.views.profile_page import MARK, profile_page
from mlops_cli.workflows.data.tables import read_ref
from mlops_cli.workflows.runs.report import check_place

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_cli.workflows.data.tables import HowRead


def write_profile_page(
    ref: str,
    place: Path,
    *,
    target: str | None = None,
    how: HowRead | None = None,
    force: bool = False,
    workspace: str | Path | None = None,
) -> Path:
    """Write the page, and return where it is.

    Parameters
    ----------
    ref : str
        ``titanic@3``, a path or an address.
    place : Path
        The file.
    target : str, optional
        The column that the others are compared with.
    how : HowRead, optional
        How a file is read.
    force : bool
        Overwrite a file that is no such page.
    workspace : str or Path, optional
        The workspace; the current folder's where not given.

    Raises
    ------
    UsageError
        A page cannot or should not be written there.
    DataError
        The data cannot be read.
    """
    check_place(place, force=force, mark=MARK)
    table = read_ref(ref, find_workspace(workspace), how=how)
    spec = DataSpec(ComponentSpec(""), target=target, id=table.key if table.key != target else None)
    asked = Task.CLUSTERING if target is None else None
    title = table.version.source
    dataset, task = make_dataset(table.values, spec, asked, source=title, notices=table.notices)
    page = profile_page(
        profile(dataset, task),
        title,
        ties=ties(dataset),
        notices=(*dataset.notices, *check_dataset(dataset, task)),
        duplicates=repeated_rows(dataset),
    )
    write_file(place, page.encode("utf-8", "backslashreplace"))
    return place
