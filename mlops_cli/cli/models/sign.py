"""``mlops models approve``, ``reject`` and ``archive``: where a version stands with those who answer for it."""

from __future__ import annotations

from typing import Annotated

import typer

from mlops_cli.cli.models.options import ModelRef, tell
from mlops_cli.cli.options import Json, Quiet, Verbose
from mlops_cli.cli.screen import say
from mlops_cli.records import Approval

APPROVE_EXAMPLE = "Example: mlops models approve titanic/4 --note 'checked against last year'"
REJECT_EXAMPLE = "Example: mlops models reject titanic/4 --note 'wrong for children'"
ARCHIVE_EXAMPLE = "Example: mlops models archive titanic/1"

Note = Annotated[str, typer.Option("--note", help="Why, for those who come later.")]


def approve(
    model: ModelRef, note: Note = "", json: Json = False, quiet: Quiet = False, verbose: Verbose = False
) -> None:
    """Approve a version, in the name of who is logged in. The last word counts; all are kept."""
    _sign(model, Approval.APPROVED, note, json=json, quiet=quiet)


def reject(
    model: ModelRef, note: Note = "", json: Json = False, quiet: Quiet = False, verbose: Verbose = False
) -> None:
    """Reject a version, in the name of who is logged in. The last word counts; all are kept.

    Aliases that it has stay, and are named: it gets no new one.
    """
    _sign(model, Approval.REJECTED, note, json=json, quiet=quiet)


def archive(
    model: ModelRef, note: Note = "", json: Json = False, quiet: Quiet = False, verbose: Verbose = False
) -> None:
    """Say that a version is no longer to be used; it stays where it is."""
    _sign(model, Approval.ARCHIVED, note, json=json, quiet=quiet)


def _sign(model: str, verdict: Approval, note: str, *, json: bool, quiet: bool) -> None:
    from mlops_cli.views.models import still_called
    from mlops_cli.workflows.models.registry import sign

    found = sign(model, verdict, note)
    tell(found, f"{found.version.ref} {verdict} by {found.status.sign_offs[-1].by}", json=json, quiet=quiet)
    if not quiet:
        for text in still_called(found):
            say(text)
