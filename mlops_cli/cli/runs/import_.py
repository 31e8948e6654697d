"""``mlops runs import``: runs that were made elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mlops_cli.cli.options import Quiet, Verbose
from mlops_cli.cli.screen import line, say
from mlops_cli.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from mlops_cli.workflows.runs.importing import ImportedRuns

EXAMPLE = "Example: mlops runs import --from mlflow --uri http://127.0.0.1:5000 --experiment churn"


def import_runs(
    source: Annotated[str, typer.Option("--from", metavar="SOURCE", help="mlflow.")],
    uri: Annotated[
        str | None,
        typer.Option("--uri", metavar="URI", help="Else $MLFLOW_TRACKING_URI, else mlflow.db of the workspace."),
    ] = None,
    experiment: Annotated[
        str | None, typer.Option("--experiment", metavar="NAME", help="Only the runs of one experiment of theirs.")
    ] = None,
    run: Annotated[str | None, typer.Option("--run", metavar="ID", help="Only one run, by their id.")] = None,
    primary: Annotated[
        str | None,
        typer.Option("--primary", metavar="METRIC", help="What ranks runs that others wrote; else the likeliest one."),
    ] = None,
    minimize: Annotated[bool, typer.Option("--minimize", help="A small value of --primary is a good one.")] = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Write runs of MLflow's into this workspace, so that runs ls, show, compare, best and report read them.

    Runs that are nested in another one become its trials. What was imported before is left as it is, and so is what
    this workspace wrote itself. No model of theirs is opened. --quiet prints the new ids alone.
    """
    from mlops_cli.workflows.runs.imported import Ranked
    from mlops_cli.workflows.runs.importing import SOURCES, Wanted
    from mlops_cli.workflows.runs.importing import import_runs as write

    if source not in SOURCES:
        raise UsageError(f"--from: there is no '{source}'", hint=did_you_mean(source, SOURCES))
    if minimize and primary is None:
        raise UsageError("--minimize says which end of a metric is good, and no metric is given", hint="--primary loss")
    done = write(Wanted(uri, experiment, run, Ranked(primary, minimize)))
    for record in done.records:
        line(record.id)
    if not quiet:
        _tell(done)


def _tell(done: ImportedRuns) -> None:
    from mlops_cli.views.text import clean, plural

    was = "was" if len(done.known) == 1 else "were"
    there = f"; {plural(len(done.known), 'run')} {was} there already" if done.known else ""
    say(f"imported {plural(len(done.records), 'run')} from MLflow at {clean(done.place)}{there}")
