"""``mlops runs rm``: remove runs for good."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mlops_cli.cli.options import Quiet, Verbose, Where, Yes
from mlops_cli.cli.screen import line, require_person, say
from mlops_cli.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_cli.records import RunRecord
    from mlops_cli.store.find import DamagedRun

EXAMPLE = "Example: mlops runs rm --where 'status = failed and started < 30d' --yes"
_NAMED = 5


def rm(
    runs: Annotated[
        list[str] | None, typer.Argument(metavar="[RUN]...", help="As elsewhere: ids, their beginnings, paths …")
    ] = None,
    where: Where = "",
    yes: Yes = False,
    force: Annotated[bool, typer.Option("--force", "-f", help="The same as --yes.")] = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Remove runs for good, with their models and predictions.

    Asks first; away from a terminal it needs --yes. What is running stays, and so does a run that a registered model
    came from: then nothing is removed. A damaged run is removed like any other.
    """
    from mlops_cli.workflows.runs.manage import chosen, remove

    if not runs and not where.strip():
        raise UsageError("no run is given", hint="mlops runs rm RUN, or --where FILTER")
    found = chosen(runs or [], where)
    if not found:
        say("no run matches")
        return
    if yes or force:
        _say_damaged(found)
    else:
        _ask(found)
    remove(found)
    for run in () if quiet else found:
        line(f"removed {run.id}")


def _say_damaged(found: Sequence[RunRecord | DamagedRun]) -> None:
    from mlops_cli.store.find import DamagedRun

    for run in found:
        if isinstance(run, DamagedRun):
            say(f"{run.id} cannot be read: {run.reason}")


def _ask(found: Sequence[RunRecord | DamagedRun]) -> None:
    """Have a person agree.

    Raises
    ------
    UsageError
        There is nobody to ask.
    """
    from mlops_cli.views.text import clean, plural

    what = plural(len(found), "run")
    require_person(what)
    for run in found[:_NAMED] if len(found) > 1 else ():
        say(run.id)
    if len(found) > _NAMED:
        say(f"… and {len(found) - _NAMED} more")
    _say_damaged(found)
    try:
        agreed = typer.confirm(f"remove {clean(found[0].id) if len(found) == 1 else what} for good?", err=True)
    except typer.Abort as stop:  # Ctrl-C
        say("\nnothing is removed")
        raise typer.Exit(ExitCode.INTERRUPTED) from stop
    if not agreed:
        say("nothing is removed")
        raise typer.Exit(ExitCode.FAILED)
