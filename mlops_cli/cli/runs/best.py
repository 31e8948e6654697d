"""``mlops runs best``: the best run."""

from __future__ import annotations

from typing import Annotated

import typer

from mlops_cli.cli.options import Json, Quiet, Verbose
from mlops_cli.cli.screen import dump, line, say, show

EXAMPLE = "Example: mlops runs best titanic --metric roc_auc"


def best(
    experiment: Annotated[str | None, typer.Argument(help="Only the runs of this experiment.")] = None,
    metric: Annotated[
        str | None, typer.Option("--metric", help="What to rank by; else the newest run's primary metric.")
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Show the completed run whose best trial has the best score; --quiet prints its id."""
    from mlops_cli.workflows.runs.finding import best_run

    found = best_run(experiment, metric)
    if json:
        from mlops_cli.store.serialize import as_written

        dump(as_written(found.run))
    elif quiet:
        line(found.run.id)
    else:
        from mlops_cli.views.best import ranked
        from mlops_cli.views.listing import head

        show(head(found.run))
        for told in ranked(found.ranking, asked=metric is not None, task=found.run.task):
            say(told, "dim")
        say(f"more: mlops runs show {found.run.id}", "dim")
