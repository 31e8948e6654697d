"""``mlops init``: a workspace that runs at once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mlops_cli.cli.options import Json, Quiet, Verbose
from mlops_cli.cli.screen import dump, line, say

EXAMPLE = "Example: mlops init churn && cd churn && mlops run config=iris"


def init(
    directory: Annotated[Path, typer.Argument(help="The folder; made where it is missing.")] = Path(),
    template: Annotated[
        str,
        typer.Option(
            "--template",
            metavar="NAME",
            help="iris; kaggle, a competition and its submission; or plugin, classes of your own.",
        ),
    ] = "iris",
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Make a workspace that runs at once: a config, data, a Makefile, a .gitignore. Never overwrites a file."""
    from mlops_cli.workflows.init import FIRST, init_workspace

    made = init_workspace(directory, template)
    if json:
        found = {"written": list(made.written), "kept": list(made.kept), "missing": list(made.missing)}
        dump({"path": str(made.root), **found})
        return
    if quiet:
        line(str(made.root))
        return
    for name in made.written:
        line(f"wrote {name}")
    for name in made.kept:
        line(f"kept  {name}, which was there")
    here = "" if made.root == Path.cwd() else f"cd {directory} && "
    if made.missing:
        say(f"next: {here}make, which fetches {' and '.join(made.missing)} by the command kaggle", "dim")
        say(f"or put these into {made.root / 'data'} by hand; README.md says where they are", "dim")
    else:
        say(f"next: {here}mlops run config={FIRST[template]}", "dim")
