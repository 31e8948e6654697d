"""``mlops resume``: finish an interrupted run."""

from __future__ import annotations

from typing import Annotated

import typer

from mlops_cli.cli.options import Json, Quiet, RunRef, Verbose
from mlops_cli.cli.run import exit_code, print_run

EXAMPLE = "Example: mlops resume titanic:latest"

FINISHED = "this run is finished: there is nothing to resume"


def resume(
    run: RunRef,
    n_jobs: Annotated[int | None, typer.Option("--n-jobs", "-j", help="Workers; -1 is one per core.")] = None,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Run failed and lost trials again too, also of a finished run.")
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 if any trial failed.")] = False,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Finish an interrupted run in its own directory: only the trials that are missing run.

    Whatever ended it (Ctrl-C, a kill, a reboot), the finished run is the one that it would have been.
    """
    from mlops_cli.cli.progress import display
    from mlops_cli.workflows.running.prepare import RunOptions
    from mlops_cli.workflows.running.resume import resume as resumed

    options = RunOptions(n_jobs=n_jobs, retry_failed=retry_failed)
    with display(quiet=quiet or json) as watch:
        outcome = resumed(run, options, observer=watch)
    print_run(outcome, json=json, quiet=quiet, verbose=verbose, nothing=FINISHED)
    raise typer.Exit(exit_code(outcome.record, strict=strict))
