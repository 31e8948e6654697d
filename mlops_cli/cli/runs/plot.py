"""``mlops runs plot``: draw a run, or list what can be drawn of it."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from pathlib import Path
from threading import Timer
from typing import TYPE_CHECKING, Annotated

import typer

from mlops_cli.cli.options import Json, Quiet, RunRef, Verbose
from mlops_cli.cli.screen import dump, line, say, show

if TYPE_CHECKING:
    from collections.abc import Iterator

SLOW_S = 2.0
"""After so many seconds it is said which plot is being drawn."""

EXAMPLE = "Example: mlops runs plot titanic:best roc learning_curve -o plots/"


def plot(
    run: RunRef,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Which plots; those that suit when none is named.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="A folder, or a .svg, .png or .pdf file; the run's plots/ if not given."),
    ] = None,
    param: Annotated[
        list[str] | None,
        typer.Option("--param", help="What a plot is of: model.C=0.1,1,10, or model.C,model.gamma, or features."),
    ] = None,
    list_: Annotated[bool, typer.Option("--list", help="List what can be drawn of the run.")] = False,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Draw a run, as SVG and PNG, and print the files.

    On request alone: partial_dependence, learning_curve, validation_curve --param KEY=VALUE,VALUE, which fit the run's
    best trial again on its own splits.
    """
    from mlops_cli.workflows.runs import plots
    from mlops_cli.workflows.runs.finding import look_up

    record, _ = look_up(run, with_trials=False)
    if list_:
        _list(plots.listing(record), json=json, quiet=quiet)
        return
    around = nullcontext if quiet or json else said_when_slow
    files = plots.save(record, plots.read_specs(names or [], param or []), output, around)
    if json:
        dump({name: str(path) for name, path in files.items()})
        return
    for path in files.values():
        line(str(path))
    if not files and not quiet:
        say(f"nothing can be drawn of {record.id} yet")


@contextmanager
def said_when_slow(name: str) -> Iterator[None]:
    """Say which plot is being drawn, where that takes long."""
    timer = Timer(SLOW_S, lambda: say(f"drawing {name} …"))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _list(found: dict[str, dict[str, object]], *, json: bool, quiet: bool) -> None:
    if json:
        dump(found)
    elif quiet:
        for name in found:
            line(name)
    else:
        from mlops_cli.views.plots.listing import listing

        show(listing(found))
