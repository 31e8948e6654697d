"""``mlops data verify``: read every byte again."""

from __future__ import annotations

from typing import Annotated

import typer

from mlops_cli.cli.options import Json, Quiet, Verbose
from mlops_cli.cli.screen import dump, line, say
from mlops_cli.errors import ExitCode

EXAMPLE = "Example: mlops data verify titanic"


def verify(
    version: Annotated[
        str | None, typer.Argument(metavar="[NAME[@V]]", help="One version, or all of a data set; else everything.")
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Read every byte that is kept and say what is not as it was, a line for each; the exit code is then 4."""
    from dataclasses import asdict

    from mlops_cli.views.pages.words import size
    from mlops_cli.views.text import clean, plural
    from mlops_cli.workflows.data.datasets import verify as check

    found = check(version)
    if json:
        dump(asdict(found))
    else:
        for fault in found.faults:
            line(clean(fault))
        if not found.faults and not quiet:
            line(f"{plural(found.versions, 'version')} as added")
        if found.orphans and not quiet:
            what = plural(found.orphans, "content")
            say(f"{what} ({size(found.orphan_bytes)}) without a version or a run; mlops data gc removes such", "dim")
    if found.faults:
        raise typer.Exit(ExitCode.CHECK)
