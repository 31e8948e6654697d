"""``mlops models verify``: read every byte of versions again."""

from __future__ import annotations

from typing import Annotated

import typer

from mlops_cli.cli.options import Json, Quiet, Verbose
from mlops_cli.cli.screen import dump, line, say
from mlops_cli.errors import ExitCode

EXAMPLE = "Example: mlops models verify titanic"


def verify(
    model: Annotated[
        str | None, typer.Argument(metavar="[MODEL]", help="titanic (all versions), titanic/3; else everything.")
    ] = None,
    allow_pickle: Annotated[
        bool, typer.Option("--allow-pickle", help="Open models that are pickles too, which can run any code.")
    ] = False,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Read every byte again, hold it against the record and the audit log, and open the models.

    A line for each fault; the exit code is then 4.
    """
    from dataclasses import asdict

    from mlops_cli.views.models import faults, verdict
    from mlops_cli.workflows.models.registry import verify as check

    found = check(model, allow_pickle=allow_pickle)
    wrong = faults(found)
    if json:
        dump([asdict(item) for item in found])
    else:
        for text in wrong:
            line(text)
        for item in found:
            for note in () if quiet else item.notes:
                say(f"{item.version}: {note}", "dim")
        if not wrong and not quiet:
            line(verdict(found))
    if wrong:
        raise typer.Exit(ExitCode.CHECK)
