"""``mlops runs diff``: what differs between two runs."""

from __future__ import annotations

from typing import Annotated

import typer

from mlops_cli.cli.differences import tell
from mlops_cli.cli.options import Json, Quiet, Verbose

EXAMPLE = "Example: mlops runs diff titanic:best titanic:latest"


def diff(
    a: Annotated[str, typer.Argument(metavar="A", help="The old run: an id, its beginning, a path, latest …")],
    b: Annotated[str, typer.Argument(metavar="B", help="The new one.")],
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Show what differs between two runs: params, scores, data, columns, code, packages, environment, config."""
    from mlops_cli.workflows.runs.diff import diff_runs

    found = diff_runs(a, b)
    tell(found, json=json, quiet=quiet)
