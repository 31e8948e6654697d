"""``mlops runs diff``: what differs between two runs."""

from __future__ import annotations

from typing import Annotated

import typer

from mlops_cli.cli import screen
from mlops_cli.cli.options import Json, Quiet, Verbose
from mlops_cli.cli.screen import dump, line

EXAMPLE = "Example: mlops runs diff titanic:best titanic:latest"


def diff(
    a: Annotated[str, typer.Argument(metavar="A", help="The old run: an id, its beginning, a path, latest …")],
    b: Annotated[str, typer.Argument(metavar="B", help="The new one.")],
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Show what differs between two runs: params, scores, data, columns, code, packages, environment, config."""
    from mlops_cli.workflows.diff import diff_runs

    found = diff_runs(a, b)
    if json:
        from mlops_cli.views.diff import as_json

        dump(as_json(found))
    elif quiet:
        for name in found.sections:
            line(name)
    else:
        from mlops_cli.views.diff import difference

        screen.show(difference(found))
