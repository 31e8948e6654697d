"""``mlops data diff``: what differs between two versions of data."""

from __future__ import annotations

from typing import Annotated

import typer

from mlops_cli.cli import screen
from mlops_cli.cli.data.options import As, Config, DataRef, Read, how_read
from mlops_cli.cli.options import Json, Quiet, Verbose
from mlops_cli.cli.screen import dump, line
from mlops_cli.errors import ExitCode

EXAMPLE = "Example: mlops data diff titanic@2 titanic@3 --key passenger_id"


def diff(
    a: Annotated[str, typer.Argument(metavar="A", help=f"The old one: {DataRef}")],
    b: Annotated[str, typer.Argument(metavar="B", help="The new one.")],
    key: Annotated[
        str | None,
        typer.Option("--key", metavar="COLUMN", help="The column that tells rows apart; else the one that add named."),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Show the columns whose values have not moved too.")] = False,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="End with 4 where they differ.")] = False,
    read: Read = None,
    option: As = None,
    config: Config = None,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Show what differs: rows added, removed and changed, columns, and whose values have moved by more than chance.

    --quiet prints the names of the columns that differ.
    """
    from mlops_cli.views.datadiff import as_json, data_difference, has_moved
    from mlops_cli.workflows.data.datasets import diff as compare

    found = compare(a, b, key=key, how=how_read(read, option, config))
    if json:
        dump(as_json(found))
    elif quiet:
        from mlops_cli.views.text import clean

        moved = [shift.column for shift in found.shifts if has_moved(shift)]
        for name in dict.fromkeys([*(change.key for change in found.columns), *found.by_row.cells, *moved]):
            line(clean(name))
    else:
        screen.show(data_difference(found, every=every))
    rows = found.by_row
    if exit_code and (found.columns or rows.added or rows.removed or rows.changed):
        raise typer.Exit(ExitCode.CHECK)
