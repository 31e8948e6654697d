"""``mlops tokens``: who may ask a served model. One file per command."""

from __future__ import annotations

import typer

from mlops_cli.cli.tokens import add, ls, rm


def build() -> typer.Typer:
    """Return the group of commands about tokens."""
    app = typer.Typer(help="Who may ask a served model.", no_args_is_help=True, rich_markup_mode=None)
    app.command("add", epilog=add.EXAMPLE, short_help="Make a token, which is shown once.")(add.add)
    app.command("ls", epilog=ls.EXAMPLE, short_help="List the tokens of a file.")(ls.ls)
    app.command("rm", epilog=rm.EXAMPLE, short_help="Take a token away.")(rm.rm)
    return app
