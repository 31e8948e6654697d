"""``mlops rerun``: run a run again from its own record, and compare."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mlops_cli.cli import screen
from mlops_cli.cli.options import Json, Quiet, Verbose
from mlops_cli.cli.run import exit_code, print_run
from mlops_cli.cli.screen import apart, dump, line, say
from mlops_cli.errors import ExitCode

if TYPE_CHECKING:
    from mlops_cli.records import Rerun

EXAMPLE = "Example: mlops rerun titanic:best --at-commit"

Run = Annotated[
    str,
    typer.Argument(
        metavar="RUN", help="An id, its beginning, a path, latest, NAME:best; or a registered model: titanic/3."
    ),
]


def rerun(
    run: Run,
    at_commit: Annotated[
        bool, typer.Option("--at-commit", help="With the code of its commit, in a temporary git worktree.")
    ] = False,
    tolerance: Annotated[
        float, typer.Option("--tolerance", help="Up to which share of the largest value numbers are equal.")
    ] = 1e-9,
    n_jobs: Annotated[int | None, typer.Option("--n-jobs", "-j", help="Workers; -1 is one per core.")] = None,
    notes: Annotated[list[str] | None, typer.Option("--say", hidden=True)] = None,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Run a run again with its own config, data and seed, as a new run, and say whether the same comes out.

    Identical bit for bit, equal within the tolerance, or different; then also why, as far as can be said, and the exit
    code is 4.
    """
    from mlops_cli.cli.progress import display
    from mlops_cli.workflows.running.prepare import RunOptions
    from mlops_cli.workflows.running.rerun import check_tolerance, compared, run_again

    check_tolerance(tolerance)
    if at_commit:
        raise typer.Exit(_at_commit(run, tolerance, n_jobs, json=json, quiet=quiet, verbose=verbose))
    told = notes or []
    for note in () if quiet or json else told:
        say(note, "dim")
    with display(quiet=quiet or json) as watch:
        again = run_again(run, RunOptions(n_jobs=n_jobs), observer=watch)
    if again.outcome.record.status == "interrupted":
        print_run(again.outcome, json=json, quiet=quiet, verbose=verbose, nothing="")
        raise typer.Exit(exit_code(again.outcome.record, strict=False))
    found = compared(again, tolerance, told if json else [])
    _print(found, json=json, quiet=quiet)
    raise typer.Exit(ExitCode.CHECK if found.agreement == "different" else ExitCode.OK)


def _print(found: Rerun, *, json: bool, quiet: bool) -> None:
    from mlops_cli.views.rerun import as_json, verdict

    if json:
        dump(as_json(found))
    elif quiet:
        line(str(found.agreement))
    else:
        apart()
        screen.show(verdict(found))


def _at_commit(run: str, tolerance: float, n_jobs: int | None, **flags: bool) -> int:
    from mlops_cli.workflows.running.at_commit import rerun_at_commit

    arguments = ["--tolerance", repr(tolerance), *(f"--{name}" for name, is_set in flags.items() if is_set)]
    if n_jobs is not None:
        arguments += ["--n-jobs", str(n_jobs)]
    return rerun_at_commit(run, arguments).code
