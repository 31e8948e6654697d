"""``mlops data show``: one version in full."""

from __future__ import annotations

from mlops_cli.cli import screen
from mlops_cli.cli.data.options import VersionRef
from mlops_cli.cli.options import Json, Quiet, Verbose
from mlops_cli.cli.screen import dump, line

EXAMPLE = "Example: mlops data show titanic@3"


def show(version: VersionRef, json: Json = False, quiet: Quiet = False, verbose: Verbose = False) -> None:
    """Show a version: where it came from, how it is read, its columns and files, and the runs that read it."""
    from datetime import datetime

    from mlops_cli.workflows.data.datasets import show as show_version

    found = show_version(version)
    if json:
        from mlops_cli.views.datasets import page_json

        dump(page_json(found))
    elif quiet:
        line(found.version.ref)
    else:
        from mlops_cli.views.datasets import page

        screen.show(page(found, datetime.now().astimezone()))
