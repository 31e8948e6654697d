"""``mlops models tag`` and ``describe``: what is said of a version."""

from __future__ import annotations

from typing import Annotated

import typer

from mlops_cli.cli.models.options import ModelRef, tell
from mlops_cli.cli.options import Json, Quiet, Verbose, read_tags
from mlops_cli.errors import UsageError

EXAMPLE = "Example: mlops models tag titanic/4 ticket=ML-17"
DESCRIBE_EXAMPLE = "Example: mlops models describe titanic/4 'who would have lived, for the exhibition'"


def tag(
    model: ModelRef,
    tags: Annotated[list[str] | None, typer.Argument(metavar="[KEY=VALUE]...", help="Tags to add or replace.")] = None,
    remove: Annotated[
        list[str] | None, typer.Option("--remove", metavar="KEY", help="Take a tag away; may be given several times.")
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Add tags to a version, or take some away; print those that it has then."""
    from mlops_cli.workflows.models.registry import tag as change

    if not tags and not remove:
        raise UsageError("no tag is given", hint=f"mlops models tag {model} stage=draft")
    found = change(model, read_tags(tags or [], "a tag"), remove or [])
    words = [found.version.ref, *(f"{key}={value}" for key, value in found.status.tags.items())]
    tell(found, " ".join(words), json=json, quiet=quiet)


def describe(
    model: ModelRef,
    text: Annotated[str, typer.Argument(help='What it is for, in place of what is there; "" takes it away.')],
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Say what a version is for; it stands in its card."""
    from mlops_cli.workflows.models.registry import describe as change

    found = change(model, text)
    tell(found, f"{found.version.ref} {found.status.description}".rstrip(), json=json, quiet=quiet)
