"""``mlops data rm``: forget a version."""

from __future__ import annotations

from typing import Annotated

import typer

from mlops_cli.cli.options import Quiet, Verbose, Yes
from mlops_cli.cli.screen import agree_to_remove, line

EXAMPLE = "Example: mlops data rm titanic@1"


def rm(
    version: Annotated[str, typer.Argument(metavar="NAME@V", help="titanic@1")],
    yes: Yes = False,
    force: Annotated[
        bool, typer.Option("--force", "-f", help="Do not ask, and remove it although runs have read it.")
    ] = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Forget a version of a data set; its number is not given again, and gc frees its space.

    Asks first; away from a terminal it needs --yes. A version that a run has read stays without --force, and one
    that a registered model was trained on stays.
    """
    from mlops_cli.workflows.data.datasets import removable, remove

    found = removable(version, force=force)
    if not (yes or force):
        agree_to_remove(found.ref)
    remove(found)
    if not quiet:
        line(f"removed {found.ref}")
