"""``mlops data ls``: all data sets."""

from __future__ import annotations

from mlops_cli.cli import screen
from mlops_cli.cli.options import Json, Quiet, Verbose
from mlops_cli.cli.screen import dump, line, say

EXAMPLE = "Example: mlops data ls"


def ls(json: Json = False, quiet: Quiet = False, verbose: Verbose = False) -> None:
    """List data sets: how many versions, what the newest one is, tags. --quiet prints names, --json all versions."""
    from datetime import datetime

    from mlops_cli.workflows.data.datasets import list_datasets

    found, damaged = list_datasets()
    if json:
        from mlops_cli.views.datasets import listing_json

        dump(listing_json(found))
    elif quiet:
        for item in found:
            line(item.name)
    elif found:
        from mlops_cli.views.datasets import listing

        screen.show(listing(found, datetime.now().astimezone()))
    elif not damaged:
        say("no data sets yet; add one with: mlops data add FILE --name NAME")
    for problem in damaged:
        say(f"! {problem}", "yellow")
