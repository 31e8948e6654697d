"""``mlops data tag``: call a version by a word."""

from __future__ import annotations

from typing import Annotated

import typer

from mlops_cli.cli.data.options import VersionRef
from mlops_cli.cli.options import Json, Quiet, Verbose
from mlops_cli.cli.screen import dump, line

EXAMPLE = "Example: mlops data tag titanic@3 clean"


def tag(
    version: VersionRef,
    word: Annotated[str, typer.Argument(metavar="TAG", help="A word, such as clean.")],
    remove: Annotated[bool, typer.Option("--remove", help="Take the tag away.")] = False,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Call a version by a word: data: {name: titanic, version: clean}. A tag that another version has moves here."""
    from mlops_cli.workflows.data.datasets import tag as call

    found = call(version, word, remove=remove)
    if json:
        dump({"version": found.ref, "tag": None if remove else word})
    elif not quiet:
        line(f"{found.ref} is no longer {word}" if remove else f"{found.ref} is {word}")
