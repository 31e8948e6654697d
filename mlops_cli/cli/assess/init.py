"""``mlops assess init``: files of processes and of questions about platforms to begin with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mlops_cli.cli.options import Json, Quiet, Verbose
from mlops_cli.cli.screen import dump, line, say

EXAMPLE = "Example: mlops assess init && mlops assess"


def init(
    directory: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="A workspace; that of the current folder if not given.")
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Write configs/assess/processes.yaml and platforms.yaml to begin with. Never overwrites a file."""
    from mlops_cli.workflows.assess.init import begin

    made = begin(directory)
    if json:
        dump({"path": str(made.root), "written": list(made.written), "kept": list(made.kept)})
        return
    if quiet:
        for name in made.written:
            line(name)
        return
    for name in made.written:
        line(f"wrote {name}")
    for name in made.kept:
        line(f"kept  {name}, which was there")
    here = "" if directory is None or made.root == Path.cwd() else f"cd {directory} && "
    say(f"next: {here}mlops assess; change the file until it says what you do", "dim")
