"""``mlops run``: resolve, plan, execute, record."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from mlops_cli.cli.options import Json, Quiet, Verbose, read_tags
from mlops_cli.cli.screen import apart, dump, line, results_of, say, show
from mlops_cli.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from mlops_cli.records import RunRecord
    from mlops_cli.workflows.running.prepare import Prepared
    from mlops_cli.workflows.running.recording import Outcome

EXAMPLE = "Example: mlops run config=titanic model=random_forest model.max_depth=3,5,null -j 4"

FOUND = "this run was there already, with the same config, data and code; --force runs it again"

Arguments = Annotated[
    list[str],
    typer.Argument(
        metavar="config=NAME [OVERRIDE]",
        help="The experiment (a name in configs/ or a path to YAML), then Hydra overrides: model=svm model.C=0.1,1,10",
    ),
]


def run(
    arguments: Arguments,
    n_jobs: Annotated[int | None, typer.Option("--n-jobs", "-j", help="Workers; -1 is one per core.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan and write nothing.")] = False,
    tag: Annotated[list[str] | None, typer.Option("--tag", metavar="KEY=VALUE", help="Tag the run.")] = None,
    note: Annotated[str, typer.Option("--note", help="Say in words what this run is for.")] = "",
    force: Annotated[bool, typer.Option("--force", help="Run although an identical finished run exists.")] = False,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Run failed trials of an identical finished run again.")
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 if any trial failed.")] = False,
    multirun: Annotated[bool, typer.Option("--multirun", "-m", help="As in Hydra; a sweep needs no flag.")] = False,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Run an experiment: resolve its config, run its trials in parallel, record everything.

    Prints the scores; with --quiet the run's directory alone, with --json its run.json.
    """
    from mlops_cli.cli.progress import display
    from mlops_cli.workflows.running.prepare import RunOptions
    from mlops_cli.workflows.running.run import dry, execute

    name, overrides = split_config(arguments)
    options = RunOptions(n_jobs=n_jobs, tags=read_tags(tag or []), note=note, force=force, retry_failed=retry_failed)
    if dry_run:
        _print_plan(dry(name, overrides, options), json=json)
        return
    with display(quiet=quiet or json) as watch:
        outcome = execute(name, overrides, options, observer=watch)
    print_run(outcome, json=json, quiet=quiet, verbose=verbose, nothing=FOUND)
    raise typer.Exit(exit_code(outcome.record, strict=strict))


def split_config(arguments: list[str]) -> tuple[str, list[str]]:
    """Return the experiment that ``config=`` names, and the overrides.

    Raises
    ------
    UsageError
        There is no ``config=``, or more than one.
    """
    names = [a.removeprefix("config=") for a in arguments if a.startswith("config=")]
    names = [name for name in names if name]
    if len(names) != 1:
        from mlops_cli.config.catalogue import experiments
        from mlops_cli.config.workspace import find_workspace

        known = ", ".join(experiments(find_workspace()))
        found = "no config=NAME" if not names else f"config= {len(names)} times"
        raise UsageError(
            f"found {found} in the arguments; one experiment is run at a time",
            hint=f"mlops run config=NAME, one of: {known}" if known else "mlops init makes a workspace with one",
        )
    return names[0], [a for a in arguments if not a.startswith("config=")]


def _print_plan(prepared: Prepared, *, json: bool) -> None:
    from mlops_cli.views.plan import SHOWN, as_json, preview

    if json:
        points = prepared.first_points(sys.maxsize)
        dump(as_json(prepared.plan, prepared.workers, points, prepared.notices))
    else:
        points = prepared.first_points(SHOWN)
        show(preview(prepared.plan, prepared.dataset, prepared.workers, points, prepared.notices))


def print_run(outcome: Outcome, *, json: bool, quiet: bool, verbose: bool, nothing: str) -> None:
    """Print a run that has ended, in the way that is asked for; ``nothing`` says why nothing was done, if so."""
    with results_of(outcome.record.path):
        if json or quiet:
            _print_for_scripts(outcome, json=json)
        else:
            _print_outcome(outcome, tracebacks=verbose, nothing=nothing if outcome.found else None)


def _print_for_scripts(outcome: Outcome, *, json: bool) -> None:
    from mlops_cli.store.serialize import as_written

    if json:
        dump(as_written(outcome.record))
    else:
        line(str(outcome.record.path))
    if outcome.record.error is not None:
        say(outcome.record.error.headline, "red")


def _print_outcome(outcome: Outcome, *, tracebacks: bool, nothing: str | None) -> None:
    from mlops_cli.store.tracked import read_tracked
    from mlops_cli.views.runs import next_steps, summary
    from mlops_cli.views.show import places
    from mlops_cli.workflows.running.earlier import earlier_run

    record = outcome.record
    said = () if outcome.found else outcome.said  # while it ran
    apart()
    show(summary(record, outcome.trials, said=said, tracebacks=tracebacks))
    earlier = earlier_run(record)
    apart()
    for step in next_steps(record, nothing=nothing, earlier=None if earlier is None else earlier.id):
        say(step)
    for place in places(read_tracked(record)):
        say(place)


def exit_code(record: RunRecord, *, strict: bool) -> int:
    """Return what a run that has ended says to the shell."""
    from mlops_cli.records import RunStatus

    if record.status is RunStatus.INTERRUPTED:
        return ExitCode.INTERRUPTED
    failed = record.status is RunStatus.FAILED or (strict and record.counts.failed > 0)
    return ExitCode.FAILED if failed else ExitCode.OK
