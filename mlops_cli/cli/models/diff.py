"""``mlops models diff``: what differs between two versions."""

from __future__ import annotations

from typing import Annotated

import typer

from mlops_cli.cli.differences import tell
from mlops_cli.cli.options import Json, Quiet, Verbose

EXAMPLE = "Example: mlops models diff titanic@champion titanic/4"


def diff(
    a: Annotated[str, typer.Argument(metavar="A", help="The old version: titanic/2, titanic@champion, titanic")],
    b: Annotated[str, typer.Argument(metavar="B", help="The new one.")],
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Show what differs between two versions: params, scores, data, columns, code, packages, environment, config.

    Packages are all that each was made with. --quiet prints the names of the sections that differ.
    """
    from mlops_cli.workflows.models.registry import diff as compare

    found = compare(a, b)
    tell(found, json=json, quiet=quiet)
