"""``mlops runs show``: one run in full."""

from __future__ import annotations

from typing import Annotated

import typer

from mlops_cli.cli import screen
from mlops_cli.cli.options import Json, Quiet, RunRef, Verbose
from mlops_cli.cli.screen import dump, line

EXAMPLE = "Example: mlops runs show titanic:best"


def show(
    run: RunRef,
    profile: Annotated[bool, typer.Option("--profile", help="Show what its training data looked like.")] = False,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Show a run: scores, leaderboard, splits, failures, warnings, data, code, where its files are."""
    if profile:
        _show_profile(run, json=json)
    elif json or quiet:
        _show_record(run, json=json)
    else:
        from mlops_cli.views.show import page, places
        from mlops_cli.workflows.runs.show import show_run

        found = show_run(run)
        screen.show(page(found.record, found.trials, lead=found.lead, files=found.files, tracebacks=verbose))
        for place in places(found.tracked):
            line(place)


def _show_record(run: str, *, json: bool) -> None:
    from mlops_cli.workflows.runs.show import record_of

    record = record_of(run)
    if not json:
        line(str(record.path))
        return
    from mlops_cli.store.serialize import as_written

    dump(as_written(record))


def _show_profile(run: str, *, json: bool) -> None:
    from mlops_cli.workflows.runs.show import profile_of

    found = profile_of(run)
    if json:
        from mlops_cli.store.profiles import profile_to_json

        dump(profile_to_json(found))
        return
    from mlops_cli.views.profile import profile_table

    screen.show(profile_table(found))
