"""The whole of ``mlops drift``: the check, its page, and who is told."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_cli.errors import UsageError
from mlops_cli.store.files import write_file
from mlops_cli.workflows.applying.python import named
from mlops_cli.workflows.runs.report import check_place
from mlops_cli.workflows.settings import checked, told_in_python
from mlops_cli.workflows.watching.alerts import send
from mlops_cli.workflows.watching.drift import DriftOptions, drift

if TYPE_CHECKING:
    import pandas as pd

    from mlops_cli.records import DriftReport
    from mlops_cli.workflows.library import Run


@dataclass(frozen=True)
class Telling:
    """Who learns of a check.

    Parameters
    ----------
    html : Path, optional
        Where a page is written.
    force : bool
        Overwrite a file that is no such page.
    alerts : bool
        Send the alerts that are declared; those that fail become notices of the report.
    """

    html: Path | None = None
    force: bool = False
    alerts: bool = True


def check(
    ref: str,
    data: str | pd.DataFrame,
    options: DriftOptions | None = None,
    *,
    telling: Telling | None = None,
    workspace: str | Path | None = None,
) -> DriftReport:
    """Hold new data against what a model was trained on, write a page of it, and tell whoever is to be told.

    Parameters
    ----------
    ref : str
        A model: ``titanic/3``, ``titanic@champion``, a run.
    data : str or DataFrame
        New data.
    options : DriftOptions, optional
        How they are compared.
    telling : Telling, optional
        Who learns of it.
    workspace : str or Path, optional
        The workspace; the current folder's where not given.

    Raises
    ------
    UsageError
        A page cannot or should not be written there.
    DataError, StoreError, ConfigError
        As `drift`.
    """
    from mlops_cli.views.drift_page import MARK, drift_page

    asked = telling or Telling()
    if asked.html is not None:
        check_place(asked.html, force=asked.force, mark=MARK)
        if asked.html.suffix.lower() not in {".html", ".htm"} or (isinstance(data, str) and _is_same(asked.html, data)):
            raise UsageError(f"{asked.html} is no place for a page", hint=f"--html {asked.html.with_suffix('.html')}")
    found = drift(ref, data, options, workspace=workspace)
    report = found.report
    if asked.alerts:
        failed = send(report, found.spec.alerts, found.model.workspace)
        report = replace(report, notices=(*report.notices, *failed))
    if asked.html is not None:
        write_file(asked.html, drift_page(report).encode("utf-8", "backslashreplace"))
    return report


def _is_same(page: Path, data: str) -> bool:
    return page.exists() and Path(data).exists() and page.samefile(data)


@told_in_python()
def drift_of(
    model: str | Path | Run,
    data: str | Path | pd.DataFrame,
    *,
    html: str | Path | None = None,
    alerts: bool = False,
    workspace: str | Path | None = None,
    **settings: Any,
) -> DriftReport:
    """Hold new data against what a model was trained on: ``mlops.drift("titanic@champion", df).drifted``.

    Parameters
    ----------
    model : str, Path or Run
        As `load_model` takes it.
    data : str, Path or DataFrame
        A file, an address, a glob, a version of a data set; or a table. Has the target or not.
    html : str or Path, optional
        Where a page is written.
    alerts : bool
        Tell whoever is declared to be told.
    workspace : str or Path, optional
        The workspace; the current folder's where not given.
    **settings
        As the command has them: ``alpha``, ``psi``, ``exact``, ``resamples``, ``seed``, ``allow_pickle``, ``force``.

    Returns
    -------
    DriftReport
        ``.drifted``, ``.findings``, ``.columns``, ``.predictions``, ``.metrics``.

    Raises
    ------
    DataError
        The data cannot be read at all, or there is nothing that it could be compared with.
    """
    from mlops_cli.components.rows import as_table

    force = bool(settings.pop("force", False))
    options = DriftOptions(**checked(settings, DriftOptions, "drift", without={"how"}))
    if not isinstance(data, str | Path) and not hasattr(data, "columns"):
        raise UsageError(f"drift() takes a table or a path, got {type(data).__name__}")
    read = str(data) if isinstance(data, Path) else as_table(data) if not isinstance(data, str) else data
    place = None if html is None else Path(html)
    return check(named(model), read, options, telling=Telling(place, force, alerts), workspace=workspace)
