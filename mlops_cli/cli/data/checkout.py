"""``mlops data checkout``: a version's files where they can be changed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mlops_cli.cli.data.options import VersionRef
from mlops_cli.cli.options import Json, Quiet, Verbose
from mlops_cli.cli.screen import dump, line

EXAMPLE = "Example: mlops data checkout titanic@2 -o data/titanic-2.csv"


def checkout(
    version: VersionRef,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="PATH", help="Where to; else its own name, in this folder.")
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Copy a version's file, or its folder, to where it can be changed; print where. Nothing is overwritten."""
    from mlops_cli.views.text import clean
    from mlops_cli.workflows.data.datasets import checkout as copy

    place = copy(version, out)
    if json:
        dump({"path": str(place)})
    else:
        line(clean(place))
