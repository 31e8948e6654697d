"""``mlops models rm``: remove a version for good."""

from __future__ import annotations

from typing import Annotated

import typer

from mlops_cli.cli.options import Quiet, Verbose, Yes
from mlops_cli.cli.screen import agree_to_remove, line

EXAMPLE = "Example: mlops models rm titanic/1"


def rm(
    version: Annotated[str, typer.Argument(metavar="NAME/NUMBER", help="titanic/1")],
    yes: Yes = False,
    force: Annotated[bool, typer.Option("--force", "-f", help="Remove it although it has an alias.")] = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Remove a version for good; its number is not given again.

    Asks first; away from a terminal it needs --yes. A version that has an alias stays without --force, which takes the
    alias away and answers no question.
    """
    from mlops_cli.workflows.models.registry import removable, remove

    name, number = removable(version, force=force)
    if not yes:
        agree_to_remove(f"{name}/{number}")
    remove(version, force=force)
    if not quiet:
        line(f"removed {name}/{number}")
