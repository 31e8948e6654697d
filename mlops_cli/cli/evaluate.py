"""``mlops evaluate``: a model's scores on labelled data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mlops_cli.cli.data.options import As, Read, how_read
from mlops_cli.cli.options import Json, Quiet, Verbose
from mlops_cli.cli.predict import AllowPickle, Model
from mlops_cli.cli.screen import dump, line, say, show

EXAMPLE = "Example: mlops evaluate titanic@champion data/labelled.csv -o evaluation/"


def evaluate(
    model: Model,
    data: Annotated[
        str,
        typer.Argument(
            metavar="INPUT", help="Labelled rows: a path, an address, a glob, a folder, titanic@3; - is stdin."
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FOLDER", help="Write metrics, predictions and plots there."),
    ] = None,
    metric: Annotated[
        list[str] | None, typer.Option("--metric", metavar="NAME", help="Beside those of the run; several times.")
    ] = None,
    group: Annotated[
        str | None, typer.Option("--group", metavar="COLUMN", help="Draw again whole groups, whose rows hang together.")
    ] = None,
    resamples: Annotated[
        int, typer.Option("--resamples", min=0, help="How often rows are drawn again; 0 leaves intervals out.")
    ] = 1000,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the draws.")] = 0,
    force: Annotated[bool, typer.Option("--force", help="Overwrite an earlier evaluation.")] = False,
    read: Read = None,
    option: As = None,
    allow_pickle: AllowPickle = False,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Score a model on labelled rows: the run's metrics, each with a 95 % interval by bootstrap.

    The interval says how far the score could be another on other rows of the same kind; it says nothing of another
    training.
    """
    from mlops_cli.workflows.applying.evaluate import EvaluateOptions, evaluate_model

    how = how_read(read, option, None)
    options = EvaluateOptions(tuple(metric or ()), group, resamples, seed, force, allow_pickle, how)
    made = evaluate_model(model, data, options, output=output)
    if json:
        from mlops_cli.store.evaluations import evaluated_to_json

        dump(evaluated_to_json(made.found))
    elif quiet:
        line(str(output) if output is not None else f"{made.found.metrics[made.found.primary].value!r}")
    else:
        from mlops_cli.views.evaluate import evaluation

        show(evaluation(made.found, made.model.saved.record))
        if output is not None:
            say(f"metrics, predictions and plots are in {output}", "dim")
