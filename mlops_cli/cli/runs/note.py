"""``mlops runs note``: write down what a person thinks of a run."""

from __future__ import annotations

from typing import Annotated

import typer

from mlops_cli.cli.options import Json, Quiet, RunRef, Verbose
from mlops_cli.cli.screen import dump, line

EXAMPLE = "Example: mlops runs note latest 'the first one without the leak'"


def note(
    run: RunRef,
    text: Annotated[str, typer.Argument(help='The note, in place of the one that is there; "" takes it away.')],
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Note something about a run that has ended."""
    from mlops_cli.workflows.runs.manage import label

    record = label(run, note=text)
    if json:
        from mlops_cli.store.serialize import as_written

        dump(as_written(record))
    elif not quiet:
        from mlops_cli.views.text import clean

        line(clean(f"{record.id} {record.note}".rstrip()))
