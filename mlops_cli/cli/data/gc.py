"""``mlops data gc``: free the space of what nothing needs."""

from __future__ import annotations

from typing import Annotated

import typer

from mlops_cli.cli.options import Json, Quiet, Verbose
from mlops_cli.cli.screen import dump, line, say

EXAMPLE = "Example: mlops data gc --dry-run"


def gc(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, and remove nothing.")] = False,
    now: Annotated[
        bool, typer.Option("--now", help="Also what came within the last hour; nothing else may be under way.")
    ] = False,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Remove contents that no version has and no run's snapshot needs: those of removed versions and runs."""
    from dataclasses import asdict

    from mlops_cli.views.pages.words import size
    from mlops_cli.views.text import plural
    from mlops_cli.workflows.data.datasets import collect

    found = collect(dry_run=dry_run, now=now)
    if json:
        dump(asdict(found))
        return
    verb = "would remove" if dry_run else "removed"
    line(f"{verb} {plural(found.contents, 'content')}, {size(found.size)}")
    if found.young and not quiet:
        say(f"{plural(found.young, 'more content')} came within the last hour; --now removes them too", "dim")
