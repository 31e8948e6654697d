"""``mlops runs export``: runs as a table for other programs, or told to a tracker."""

from __future__ import annotations

import re
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mlops_cli.cli.options import Json, Quiet, Verbose, Where
from mlops_cli.cli.screen import dump, err, line, say
from mlops_cli.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mlops_cli.records import RunRecord

    Watch = Callable[[RunRecord, int, int], None]

EXAMPLE = (
    "Example: mlops runs export titanic -o runs.parquet --where 'status = completed', or: "
    "mlops runs export titanic:best --to mlflow uri=sqlite:///mlflow.db"
)

PLAIN_EVERY_S = 10.0
_SETTING = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*=")


def export(
    arguments: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[EXPERIMENT | RUN...] [KEY=VALUE]...",
            help="With -o only the runs of this experiment, or one run; with --to the runs, and keys of the tracker.",
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="A file that ends in .csv, .parquet or .json.")
    ] = None,
    to: Annotated[
        str,
        typer.Option("--to", metavar="TRACKER", help="mlflow, comet, wandb, tensorboard, an option or class of yours."),
    ] = "",
    where: Where = "",
    sort: Annotated[str, typer.Option("--sort", help="As of runs ls; with -o.")] = "",
    trials: Annotated[bool, typer.Option("--trials", help="One row per trial; with -o.")] = False,
    force: Annotated[bool, typer.Option("--force", "-f", help="Overwrite the file.")] = False,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Write runs as a table with -o FILE, or tell a tracker of them with --to TRACKER.

    A table has one row per run, or per trial: the fields of --where, params and metrics each in a column of its own; in
    .json a run is what its run.json has. A tracker is told what it would have been told while the runs went; one that
    knows a run already has one record of it after that too.
    """
    given = arguments or []
    if bool(to) == (output is not None):
        raise UsageError("runs go into a file or to a tracker", hint="one of --output FILE and --to TRACKER")
    if to:
        _tell([a for a in given if not _SETTING.match(a)], to, _settings(given), where, json=json, quiet=quiet)
        return
    if len(given) > 1:
        message = f"found {len(given)} arguments, -o takes one experiment or run"
        raise UsageError(message, hint="--where chooses among runs")
    _write(given[0] if given else None, output or Path(), where, sort, trials=trials, force=force, quiet=quiet)


def _settings(arguments: list[str]) -> list[str]:
    return [argument for argument in arguments if _SETTING.match(argument)]


def _write(
    experiment: str | None, output: Path, where: str, sort: str, *, trials: bool, force: bool, quiet: bool
) -> None:
    from mlops_cli.views.text import plural
    from mlops_cli.workflows.runs.finding import Query
    from mlops_cli.workflows.runs.manage import export as write

    found = write(Query(experiment, where, sort), output, with_trials=trials, force=force)
    if not quiet:
        line(f"wrote {output}: {'the trials of ' if trials else ''}{plural(len(found.records), 'run')}")
    for problem in found.damaged:
        say(f"! {problem}", "yellow")


def _tell(runs: list[str], to: str, settings: list[str], where: str, *, json: bool, quiet: bool) -> None:
    from mlops_cli.views.text import clean
    from mlops_cli.workflows.runs.telling import tell

    if not runs and not where.strip():
        raise UsageError("no run is given", hint=f"mlops runs export RUN --to {to}, or --where FILTER")
    told = []
    with _display(to, quiet=quiet or json) as watch:
        for record, tracked in tell(runs, to, settings, where=where, watch=watch):
            told.append({"run": record.id, "tracker": tracked.tracker, "at": tracked.at})
            if not json and not quiet:
                line(clean(f"{record.id}  {tracked.at or tracked.tracker}"))
    if json:
        dump(told)
    elif not told:
        say("no run matches")


@contextmanager
def _display(to: str, *, quiet: bool) -> Iterator[Watch]:
    """Say how far it is: in one line that renews itself on a terminal, in a line now and then elsewhere."""
    from mlops_cli.cli.progress import is_live
    from mlops_cli.views.text import clean, plain

    def text(record: RunRecord, told: int, of: int) -> str:
        return clean(f"telling {to} of {record.id}: {told} of {of} trials")

    console = err()
    if quiet:
        yield lambda _record, _told, _of: None
    elif is_live(console):
        with console.status(plain(f"telling {to}")) as status:
            yield lambda record, told, of: status.update(plain(text(record, told, of)))
    else:
        yield _now_and_then(text)


def _now_and_then(text: Callable[[RunRecord, int, int], str]) -> Watch:
    last = time.monotonic()

    def watch(record: RunRecord, told: int, of: int) -> None:
        nonlocal last
        if time.monotonic() - last >= PLAIN_EVERY_S:
            last = time.monotonic()
            say(text(record, told, of))

    return watch
