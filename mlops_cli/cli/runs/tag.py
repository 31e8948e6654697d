"""``mlops runs tag``: add tags to a run, or take some away."""

from __future__ import annotations

from typing import Annotated

import typer

from mlops_cli.cli.options import Json, Quiet, RunRef, Verbose, read_tags
from mlops_cli.cli.screen import dump, line
from mlops_cli.errors import UsageError

EXAMPLE = "Example: mlops runs tag titanic:best stage=candidate by=me"


def tag(
    run: RunRef,
    tags: Annotated[list[str] | None, typer.Argument(metavar="[KEY=VALUE]...", help="Tags to add or replace.")] = None,
    remove: Annotated[
        list[str] | None, typer.Option("--remove", metavar="KEY", help="Take a tag away; may be given several times.")
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Add tags to a run that has ended, or take some away; print those that it has then."""
    from mlops_cli.workflows.runs.manage import label

    if not tags and not remove:
        raise UsageError("no tag is given", hint=f"mlops runs tag {run} stage=draft")
    record = label(run, tags=read_tags(tags or [], "a tag"), without=remove or [])
    if json:
        from mlops_cli.store.serialize import as_written

        dump(as_written(record))
    elif not quiet:
        from mlops_cli.views.text import clean

        line(clean(" ".join([record.id, *(f"{key}={value}" for key, value in record.tags.items())])))
