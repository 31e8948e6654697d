"""``mlops retrain``: a registered model made anew on new data, and promoted where it is better."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mlops_cli.cli.options import Json, Quiet, Verbose
from mlops_cli.cli.predict import AllowPickle
from mlops_cli.cli.screen import apart, dump, line, say, show
from mlops_cli.errors import ExitCode

if TYPE_CHECKING:
    from mlops_cli.records import Retrained

EXAMPLE = "Example: mlops retrain titanic --data data/2027.csv    In cron: mlops retrain titanic --if-needed --quiet"


def retrain(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="titanic, whose champion is meant; or whose recipe: titanic/3.")
    ],
    data: Annotated[
        str | None,
        typer.Option("--data", metavar="INPUT", help="New rows; the source of the recipe, read again, without it."),
    ] = None,
    rows: Annotated[
        str | None, typer.Option("--rows", metavar="WHICH", help="all (of before too), new, or window.")
    ] = None,
    window: Annotated[
        str | None, typer.Option("--window", metavar="SIZE", help="The latest 10000 rows, or 90d by data.time.")
    ] = None,
    hold_out: Annotated[
        float | None,
        typer.Option("--hold-out", metavar="SHARE", help="Of the new rows, on which both are compared; 0.2."),
    ] = None,
    sweep: Annotated[
        str | None,
        typer.Option("--sweep", metavar="HOW", help="none: its parameters; around them; again, the whole space."),
    ] = None,
    warm_start: Annotated[
        bool | None,
        typer.Option("--warm-start/--from-scratch", help="Let the fitted model go on learning, on the new rows."),
    ] = None,
    promote: Annotated[
        bool | None, typer.Option("--promote/--no-promote", help="Give the alias where the gates pass.")
    ] = None,
    forget: Annotated[
        bool | None,
        typer.Option("--forget/--remember", help="The world has changed: be worse on the rows of before."),
    ] = None,
    alias: Annotated[
        str | None, typer.Option("--alias", metavar="WORD", help="Whose version may be replaced; champion.")
    ] = None,
    if_needed: Annotated[
        bool, typer.Option("--if-needed", help="Do nothing where the policy does not call for it.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Also where nothing is new.")] = False,
    n_jobs: Annotated[int | None, typer.Option("--n-jobs", "-j", help="Workers; -1 is one per core.")] = None,
    allow_pickle: AllowPickle = False,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Run a model's recipe on new data, register what comes of it, and promote it where it is better.

    A share of the new rows is held out: champion and challenger are compared on rows that neither has learned from.
    Where the champion fails on the new rows and the challenger is worse than it on those of before, the world has
    changed or the new labels are wrong: it is refused without --forget. What is not said is as
    configs/retrain/NAME.yaml has it, else retrain: in the config of its run.

    Exit code: 0 where it was promoted (with --no-promote: would be) or nothing was to be done, 1 where a gate refused
    or the run failed. --quiet prints the new version alone, titanic/4, promoted or not, and nothing where none was
    made; a refusal is a line on stderr. --json says promoted: true or false.
    """
    from mlops_cli.cli.progress import display
    from mlops_cli.workflows.renewing.asked import RetrainOptions
    from mlops_cli.workflows.renewing.retrain import retrain as make_anew

    options = RetrainOptions(
        data=data,
        rows=rows,
        window=window,
        hold_out=hold_out,
        sweep=sweep,
        warm_start=warm_start,
        promote=promote,
        forget=forget,
        alias=alias,
        if_needed=if_needed,
        force=force,
        n_jobs=n_jobs,
        allow_pickle=allow_pickle,
    )
    with display(quiet=quiet or json) as watch:
        found = make_anew(model, options, observer=watch)
    _print(found, json=json, quiet=quiet)
    raise typer.Exit(exit_code(found))


def exit_code(found: Retrained) -> int:
    """Return what a retraining says to the shell."""
    from mlops_cli.records import RunStatus

    if found.status is RunStatus.INTERRUPTED:
        return ExitCode.INTERRUPTED
    is_refused = found.promotion is not None and not (found.promotion.passed or found.promotion.done)
    return ExitCode.FAILED if is_refused or found.status is RunStatus.FAILED else ExitCode.OK


def _print(found: Retrained, *, json: bool, quiet: bool) -> None:
    from mlops_cli.views.retrain import refusal, retrained, retrained_json, stays, steps

    if json:
        dump(retrained_json(found))
    elif quiet:
        if found.version is not None:
            line(found.version)
        if text := refusal(found):
            say(text)
    elif not found.needed:
        line(stays(found))
    else:
        apart()
        show(retrained(found))
        for text in steps(found):
            say(text, "dim")
