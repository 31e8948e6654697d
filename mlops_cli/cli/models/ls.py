"""``mlops models ls``: all registered models, or the versions of one."""

from __future__ import annotations

from typing import Annotated

import typer

from mlops_cli.cli import screen
from mlops_cli.cli.options import Json, Quiet, Verbose
from mlops_cli.cli.screen import dump, line, say

EXAMPLE = "Example: mlops models ls titanic"


def ls(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Only this model, each version.")] = None,
    source: Annotated[
        str,
        typer.Option("--from", metavar="SOURCE", help="Only what was made from titanic@3, a file, a run, a commit."),
    ] = "",
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """List models: how many versions, the newest one and its score, aliases. With NAME, a line for each version.

    --from shows the runs that were made from a version of a data set, a run or a commit, and their models below them.
    --quiet prints names, or versions; --json all versions.
    """
    from datetime import datetime

    from mlops_cli.workflows.models.registry import list_models

    if source:
        _made_from(source, name, json=json, quiet=quiet)
        return
    found, damaged = list_models(name)
    if json:
        from mlops_cli.views.models import listing_json

        dump(listing_json(found))
    elif quiet:
        for text in [m.name for m in found] if name is None else [v.ref for m in found for v in m.versions]:
            line(text)
    elif found:
        from mlops_cli.views.models import listing, versions
        from mlops_cli.views.text import plural

        now, width = datetime.now().astimezone(), screen.out().width
        made, left = listing(found, now, width) if name is None else versions(found[0], now, width)
        screen.show(made)
        if left:
            say(f"{plural(left, 'column')} left out; --json or a wider terminal show them", "dim")
    elif not damaged:
        say("no models yet; register one with: mlops models register RUN")
    for problem in damaged:
        say(f"! {problem}", "yellow")


def _made_from(source: str, name: str | None, *, json: bool, quiet: bool) -> None:
    from dataclasses import replace

    from mlops_cli.views.lineage import descent, descent_json
    from mlops_cli.workflows.models.lineage import made_from

    found = made_from(source)
    found = replace(found, models=tuple(model for model in found.models if name in {None, model.name}))
    if json:
        dump(descent_json(found))
    elif quiet:
        for model in found.models:
            line(model.ref)
    else:
        screen.show(descent(found))
