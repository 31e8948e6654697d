"""``mlops runs``: find runs, look at them, compare them. One file per command."""

from __future__ import annotations

import typer

from mlops_cli.cli.runs import ls, show


def build() -> typer.Typer:
    """Return the group of commands about runs."""
    app = typer.Typer(help="Find runs, look at them, compare them.", no_args_is_help=True, rich_markup_mode=None)
    app.command("ls", epilog=ls.EXAMPLE, short_help="List runs, newest first.")(ls.ls)
    app.command("show", epilog=show.EXAMPLE, short_help="Show one run.")(show.show)
    return app
