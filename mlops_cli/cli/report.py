"""``mlops report``: runs as one page that opens offline."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mlops_cli.cli.options import Quiet, Verbose
from mlops_cli.cli.screen import line, say

EXAMPLE = "Example: mlops report titanic:best -o titanic.html"

RunRefs = Annotated[
    list[str],
    typer.Argument(metavar="RUN...", help="One, or several to compare: ids, their beginnings, paths, NAME:latest …"),
]


def report(
    runs: RunRefs,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE.html", help="Where to; named after the runs if left out."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite a file that is no report.")] = False,
    browse: Annotated[bool, typer.Option("--open", help="Open it in a browser.")] = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Write one page with everything about a run, or about several beside each other; print where it is.

    Scores, trials that sort and filter, plots, the data, failures, where it came from, how to reproduce it. The page
    holds all that it shows: it opens without a network, and can be mailed, printed or put in an archive.
    """
    from mlops_cli.workflows.runs.report import write_report

    place = write_report(runs, output, force=force)
    line(str(place))
    if browse:
        _open(place)


def _open(page: Path) -> None:
    import webbrowser

    if not webbrowser.open(page.resolve().as_uri()):
        say("no browser was found to open it in; set BROWSER to one", "yellow")
