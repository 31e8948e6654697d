"""``mlops models show``: one version in full."""

from __future__ import annotations

from typing import Annotated

import typer

from mlops_cli.cli import screen
from mlops_cli.cli.models.options import ModelRef
from mlops_cli.cli.options import Json, Quiet, Verbose
from mlops_cli.cli.screen import dump, line

EXAMPLE = "Example: mlops models show titanic@champion"


def show(
    model: ModelRef,
    lineage: Annotated[
        bool,
        typer.Option(
            "--lineage", help="Where it came from: run, data, their sources, code; what else was made of them."
        ),
    ] = False,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Show a version: scores, what is said of it, data, run, code, files. --quiet prints titanic/3 alone."""
    from datetime import datetime

    if lineage:
        _trace(model, json=json)
        return
    from mlops_cli.workflows.models.registry import show as show_version

    found = show_version(model)
    if json:
        from mlops_cli.views.models import version_json

        dump(version_json(found))
    elif quiet:
        line(found.version.ref)
    else:
        from mlops_cli.views.models import page

        screen.show(page(found, datetime.now().astimezone()))


def _trace(model: str, *, json: bool) -> None:
    from datetime import datetime

    from mlops_cli.views.lineage import lineage_json, tree
    from mlops_cli.workflows.models.lineage import lineage

    found = lineage(model)
    if json:
        dump(lineage_json(found))
    else:
        screen.show(tree(found, datetime.now().astimezone()))
