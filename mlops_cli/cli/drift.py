"""``mlops drift``: how far new data is from what a model was trained on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mlops_cli.cli.data.options import As, Read, how_read
from mlops_cli.cli.options import Json, NoAlerts, Quiet, Verbose
from mlops_cli.cli.predict import AllowPickle, Model
from mlops_cli.cli.screen import dump, line, say, show
from mlops_cli.errors import ExitCode

if TYPE_CHECKING:
    from mlops_cli.records import DriftReport

EXAMPLE = "Example: mlops drift titanic@champion data/june.csv --html drift.html"


def drift(
    model: Model,
    data: Annotated[
        str, typer.Argument(metavar="INPUT", help="New data: a path, an address, a glob, a folder, titanic@3.")
    ],
    alpha: Annotated[
        float | None, typer.Option("--alpha", metavar="P", help="Level of all tests together, in place of 0.01.")
    ] = None,
    psi: Annotated[
        float | None, typer.Option("--psi", metavar="X", help="Stability index from which a column has drifted.")
    ] = None,
    exact: Annotated[
        bool, typer.Option("--exact", help="Compare with the training rows themselves, read again.")
    ] = False,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE.html", help="Write a page with all distributions.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite a file that is no such page.")] = False,
    every: Annotated[bool, typer.Option("--all", help="Show all columns that have not drifted too.")] = False,
    no_alerts: NoAlerts = False,
    read: Read = None,
    option: As = None,
    allow_pickle: AllowPickle = False,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Compare new data with what a model was trained on; the exit code is 4 where it has drifted.

    Columns, missing values, categories, each distribution, what the model predicts, and with the target in INPUT its
    metrics. What counts as drift, and who is told, is declared in configs/drift/NAME.yaml, else under drift: in the
    config of its run. --quiet prints the columns, outputs and metrics that drifted alone.
    """
    from mlops_cli.workflows.watching.check import Telling, check
    from mlops_cli.workflows.watching.drift import DriftOptions

    options = DriftOptions(alpha, psi, exact, allow_pickle=allow_pickle, how=how_read(read, option, None))
    report = check(model, data, options, telling=Telling(html, force, not no_alerts))
    _tell(report, json=json, quiet=quiet, every=every)
    if html is not None and not quiet:
        say(f"the page is {html}", "dim")
    if report.drifted:
        raise typer.Exit(ExitCode.CHECK)


def _tell(report: DriftReport, *, json: bool, quiet: bool, every: bool) -> None:
    if json:
        from mlops_cli.store.drift_reports import report_to_json

        dump(report_to_json(report))
    elif quiet:
        from mlops_cli.views.text import clean

        for name in dict.fromkeys(finding.subject for finding in report.findings):
            line(clean(name))
        for notice in report.notices:
            say(f"! {notice.code}: {notice.message}")
    else:
        from mlops_cli.views.drift import drift_report

        show(drift_report(report, every=every))
