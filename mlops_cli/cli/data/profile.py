"""``mlops data profile``: what data looks like."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mlops_cli.cli import screen
from mlops_cli.cli.data.options import As, Config, DataRef, Read, how_read
from mlops_cli.cli.options import Json, Quiet, Verbose
from mlops_cli.cli.screen import dump, line

EXAMPLE = "Example: mlops data profile data/titanic.csv --target survived"


def profile(
    data: Annotated[str, typer.Argument(metavar="DATA", help=DataRef)],
    target: Annotated[
        str | None, typer.Option("--target", metavar="COLUMN", help="Say how strongly each column goes with this one.")
    ] = None,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE.html", help="Write a page with more, which opens offline.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite a file that is no such page.")] = False,
    read: Read = None,
    option: As = None,
    config: Config = None,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Show what data looks like: for each column missing values, mean and spread, distribution."""
    how = how_read(read, option, config)
    if html is not None:
        from mlops_cli.workflows.data.profile_page import write_profile_page

        line(str(write_profile_page(data, html, target=target, how=how, force=force)))
        return
    from mlops_cli.workflows.data.datasets import profile as describe

    found = describe(data, target=target, how=how)
    if json:
        from mlops_cli.store.profiles import profile_to_json

        dump(profile_to_json(found))
    elif quiet:
        line(f"{found.rows}")
    else:
        from mlops_cli.views.profile import profile_table

        screen.show(profile_table(found))
