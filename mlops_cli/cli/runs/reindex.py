"""``mlops runs reindex``: build the index again."""

from __future__ import annotations

from mlops_cli.cli.options import Quiet, Verbose
from mlops_cli.cli.screen import line, say

EXAMPLE = "Example: mlops runs reindex"


def reindex(quiet: Quiet = False, verbose: Verbose = False) -> None:
    """Read every run again and build the index that filters and sorts use, .mlops/index.sqlite.

    It keeps itself up to date, and may be deleted at any time: this is for when you doubt it.
    """
    from mlops_cli.views.text import plural
    from mlops_cli.workflows.runs.manage import reindex as build_again

    found = build_again()
    if not quiet:
        line(f"{plural(found.total, 'run')} in the index")
    for problem in found.damaged:
        say(f"! {problem}", "yellow")
