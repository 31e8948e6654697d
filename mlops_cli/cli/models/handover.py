"""``mlops models handover``: what a model's owner answers before it goes to production."""

from __future__ import annotations

from typing import Annotated

import typer

from mlops_cli.cli.options import Json, Quiet, Verbose
from mlops_cli.cli.screen import dump, line, say, show
from mlops_cli.errors import ExitCode, UsageError

EXAMPLE = "Example: mlops models handover titanic --init && mlops models handover titanic/4"


def handover(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="titanic/4, titanic@champion; of --init and --show titanic too.")
    ],
    init: Annotated[bool, typer.Option("--init", help="Write the questions, where there is no such file yet.")] = False,
    shown: Annotated[bool, typer.Option("--show", help="Show what was answered, and change nothing.")] = False,
    file: Annotated[
        str | None,
        typer.Option("--file", metavar="FILE.yaml", help="Answers from here, not from configs/handover/NAME.yaml."),
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Keep with a version what its owner answers: who it is for, what it decides, how it is used, what if it fails.

    --init writes the questions to configs/handover/NAME.yaml. Once they are answered there, the command without an
    option keeps the answers with the version, and on its card; they hold for later versions until it is answered anew.
    What must be answered and is not is named, and the exit code is 4. The gate handover asks for them at promotion.
    """
    chosen = [word for word, given in (("--init", init), ("--show", shown), ("--file", file is not None)) if given]
    if len(chosen) > 1:
        raise UsageError(
            f"{' and '.join(chosen)} do not go together", hint=f"mlops models handover {model} {chosen[0]}"
        )
    if init:
        _begin(model, quiet=quiet)
    elif shown:
        _show(model, json=json)
    else:
        _keep(model, file, json=json, quiet=quiet)


def _begin(model: str, *, quiet: bool) -> None:
    from mlops_cli.views.handover import begun
    from mlops_cli.workflows.models.handover import begin

    found = begin(model)
    if found.said:
        say(found.said)
    if not quiet:
        line(begun(found))


def _show(model: str, *, json: bool) -> None:
    from datetime import datetime

    from mlops_cli.views.handover import answers, handover_json
    from mlops_cli.workflows.models.handover import require

    version, found = require(model)
    if json:
        dump(handover_json(found))
    else:
        show(answers(found, version, datetime.now().astimezone()))


def _keep(model: str, file: str | None, *, json: bool, quiet: bool) -> None:
    from mlops_cli.views.handover import handover_json, kept, lacking
    from mlops_cli.workflows.models.handover import keep

    found = keep(model, file)
    if json:
        dump(handover_json(found.handover))
    elif not quiet:
        line(kept(found))
    for text in lacking(found):
        say(text)
    if found.places:
        raise typer.Exit(ExitCode.CHECK)
