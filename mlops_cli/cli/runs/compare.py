"""``mlops runs compare``: is one better than another, or was it luck."""

from __future__ import annotations

from typing import Annotated

import typer

from mlops_cli.cli import screen
from mlops_cli.cli.options import Json, Quiet, Verbose
from mlops_cli.cli.screen import dump, line, say

EXAMPLE = "Example: mlops runs compare titanic:best titanic:latest titanic:latest#4"


def compare(
    runs: Annotated[
        list[str],
        typer.Argument(metavar="RUN RUN...", help="Runs, or trials of a sweep as RUN#NUMBER; each against the first."),
    ],
    metric: Annotated[str | None, typer.Option("--metric", help="Compare by this metric alone.")] = None,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Compare runs over the same splits: paired differences, and whether they are more than chance.

    By the corrected resampled t-test (Nadeau & Bengio 2003). What was split differently is not paired.
    """
    from mlops_cli.views.compare import as_json, comparison
    from mlops_cli.workflows.runs.compare import compare_runs

    found = compare_runs(runs, metric=metric)
    for told in found.repeated:
        say(told)
    if json:
        dump(as_json(found))
    elif quiet:
        from mlops_cli.analysis.wording import sentence
        from mlops_cli.views.text import clean

        for pairing in found.pairings:
            line(clean(sentence(pairing, found)))
    else:
        screen.show(comparison(found))
