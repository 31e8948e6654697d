"""``mlops runs``: find runs and look at them."""

from __future__ import annotations

from typing import Annotated

import typer

from mlops_cli.cli.options import Json, Quiet, RunRef, Verbose
from mlops_cli.cli.screen import dump, line, out, say, show


def build() -> typer.Typer:
    """Return the group of commands about runs."""
    app = typer.Typer(help="Find runs and look at them.", no_args_is_help=True, rich_markup_mode=None)
    app.command("ls", epilog="Example: mlops runs ls titanic --limit 5", short_help="List runs, newest first.")(ls)
    app.command("show", epilog="Example: mlops runs show titanic:best", short_help="Show one run.")(show_run)
    return app


def ls(
    experiment: Annotated[str | None, typer.Argument(help="Only the runs of this experiment.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="At most so many, the newest first.")] = 20,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """List runs, newest first: status, trials, the best trial's score; where there is room, its spread and parameters.

    A terminal of 100 columns has room; --json tells all at any width.
    """
    from mlops_cli.workflows.runs import recorded

    found = recorded(experiment)
    chosen = found.records[:limit]
    if json:
        from mlops_cli.store.serialize import as_written

        dump([as_written(r) for r in chosen])
    elif quiet:
        for record in chosen:
            line(record.id)
    elif not found.records:
        say("no runs yet; start one with: mlops run config=NAME")
    else:
        from mlops_cli.views.runs import listing

        show(listing(chosen, width=out().width))
        if len(found.records) > limit:
            say(f"… {len(found.records) - limit} older runs; --limit shows more", "dim")
    for problem in found.damaged:
        say(f"! {problem}", "yellow")


def show_run(
    run: RunRef,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Show a run: scores, leaderboard, failures, warnings, data, code, where its files are."""
    from mlops_cli.workflows.runs import look_up

    record, trials = look_up(run, with_trials=not (json or quiet))
    if json:
        from mlops_cli.store.serialize import as_written

        dump(as_written(record))
    elif quiet:
        line(str(record.path))
    else:
        from mlops_cli.views.runs import page

        show(page(record, trials, tracebacks=verbose))
