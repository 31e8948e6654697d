"""``mlops models alias``: call a version by a word."""

from __future__ import annotations

from typing import Annotated

import typer

from mlops_cli.cli.models.options import ModelRef
from mlops_cli.cli.options import Json, Quiet, Verbose
from mlops_cli.cli.screen import dump, line

EXAMPLE = "Example: mlops models alias titanic/4 challenger"


def alias(
    model: ModelRef,
    word: Annotated[str, typer.Argument(metavar="ALIAS", help="A word, such as challenger.")],
    remove: Annotated[bool, typer.Option("--remove", help="Take the alias away.")] = False,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Call a version by a word: titanic@challenger. An alias that another version has moves here.

    No gate is asked: promote does that.
    """
    from mlops_cli.workflows.registry import alias as call

    version = call(model, word, remove=remove)
    if json:
        dump({"version": version.ref, "alias": None if remove else word})
    elif not quiet:
        line(f"{version.ref} is no longer @{word}" if remove else f"{version.ref} is @{word}")
