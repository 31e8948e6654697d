"""``mlops runs export``: runs as a table for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mlops_cli.cli.options import Quiet, Verbose, Where
from mlops_cli.cli.screen import line, say

EXAMPLE = "Example: mlops runs export titanic -o runs.parquet --where 'status = completed'"


def export(
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="A file that ends in .csv, .parquet or .json.")
    ],
    experiment: Annotated[str | None, typer.Argument(help="Only the runs of this experiment.")] = None,
    where: Where = "",
    sort: Annotated[str, typer.Option("--sort", help="As of runs ls.")] = "",
    trials: Annotated[bool, typer.Option("--trials", help="One row per trial.")] = False,
    force: Annotated[bool, typer.Option("--force", "-f", help="Overwrite the file.")] = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Write one row per run, or per trial: the fields of --where, params and metrics each in a column of its own.

    In .json a run is what its run.json has.
    """
    from mlops_cli.views.text import plural
    from mlops_cli.workflows.runs.finding import Query
    from mlops_cli.workflows.runs.manage import export as write

    found = write(Query(experiment, where, sort), output, with_trials=trials, force=force)
    if not quiet:
        line(f"wrote {output}: {'the trials of ' if trials else ''}{plural(len(found.records), 'run')}")
    for problem in found.damaged:
        say(f"! {problem}", "yellow")
