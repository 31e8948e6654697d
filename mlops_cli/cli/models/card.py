"""``mlops models card``: what a model is, for people."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from mlops_cli.cli.models.options import ModelRef
from mlops_cli.cli.options import Quiet, Verbose
from mlops_cli.cli.screen import line
from mlops_cli.errors import UsageError

EXAMPLE = "Example: mlops models card titanic@champion"


def card(
    model: ModelRef,
    edit: Annotated[
        str | None,
        typer.Option("--edit", metavar="FILE.md", help="Take your own words from this file; - is standard input."),
    ] = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Print a version's card: what it is for, data, scores, splits, limits, how it was made.

    It is models/NAME/NUMBER/card.md. What stands there between two comments is written from the record, anew at each
    change; all around them is yours, to be changed there or by --edit, which takes a whole card or your words alone.
    """
    from mlops_cli.views.models import card_lines
    from mlops_cli.workflows.models.registry import card as read_card
    from mlops_cli.workflows.models.registry import edit_card

    if edit is not None:
        version = edit_card(model, _text_in(edit))
        if not quiet:
            line(f"{version.ref} has a new card")
        return
    for text in card_lines(read_card(model)):
        line(text)


def _text_in(name: str) -> str:
    try:
        data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        return data.decode("utf-8")
    except OSError as error:
        raise UsageError(f"cannot read {name}: {error.strerror}", hint="--edit FILE.md") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{name} is no text in UTF-8", hint="save it as UTF-8") from error
