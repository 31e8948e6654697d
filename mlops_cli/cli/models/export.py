"""``mlops models export``: a model as something that others can use."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mlops_cli.cli.options import Json, Quiet, Verbose
from mlops_cli.cli.screen import dump, err, line
from mlops_cli.errors import UsageError
from mlops_cli.records import ExportFormat

if TYPE_CHECKING:
    from mlops_cli.records import Exported
    from mlops_cli.workflows.models.export_mlflow import Sent

EXAMPLE = "Example: mlops models export titanic@champion -o titanic.onnx"


def export(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="titanic/3, titanic@champion, titanic; or a run.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="OUT", help="Its ending says the format; without one, a folder."),
    ] = None,
    kind: Annotated[ExportFormat | None, typer.Option("--format", help="Where the ending does not say it.")] = None,
    tolerance: Annotated[
        float | None,
        typer.Option(
            "--tolerance",
            metavar="X",
            help="How far ONNX may be off: of probabilities, or as a share of the largest prediction; else 0.0001.",
        ),
    ] = None,
    to: Annotated[
        str | None, typer.Option("--to", metavar="REGISTRY", help="mlflow: a version of its registry.")
    ] = None,
    uri: Annotated[
        str | None,
        typer.Option("--uri", metavar="URI", help="Of MLflow; else as for tracker=mlflow."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", "-f", help="Replace what was exported there before.")] = False,
    allow_pickle: Annotated[
        bool, typer.Option("--allow-pickle", help="Open a model that is a pickle, which can run any code.")
    ] = False,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Write a model for use without mlops, after what is written was held against the model.

    A folder has the model file, predict.py that runs it with what requirements.txt names, its signature, its card, an
    example of an input and the code that it needs; .zip is the same in one file. .onnx holds the whole pipeline, with
    an input for each column, where ONNX has a form for each step, else the model behind its steps; it needs
    mlops-cli[onnx]. .joblib and .pkl are scikit-learn's Pipeline as a pickle. --to mlflow makes a version one of
    MLflow's registry, with its aliases and what it came from. --quiet prints the place alone.
    """
    if to is not None:
        _send(model, to, output, uri, allow_pickle=allow_pickle, json=json, quiet=quiet)
        return
    if output is None or uri is not None:
        what = "--uri is of MLflow" if uri is not None else "nothing says where the model goes"
        raise UsageError(what, hint="--to mlflow" if uri is not None else "-o titanic.onnx, or --to mlflow")
    from mlops_cli.workflows.models.export_model import ExportOptions
    from mlops_cli.workflows.models.export_model import export as write

    done = write(model, output, ExportOptions(kind, force, allow_pickle, tolerance))
    if json:
        from mlops_cli.views.exported import exported_json

        dump(exported_json(done))
    elif quiet:
        line(str(output))
    else:
        _tell(done)


def _send(
    model: str, to: str, output: Path | None, uri: str | None, *, allow_pickle: bool, json: bool, quiet: bool
) -> None:
    from mlops_cli.workflows.models.export_mlflow import to_mlflow

    if to != "mlflow":
        raise UsageError(f"--to: there is no '{to}'", hint="--to mlflow")
    if output is not None:
        raise UsageError("--to and --output are two places", hint="export twice")
    sent = to_mlflow(model, uri, allow_pickle=allow_pickle)
    if json:
        dump({**vars(sent), "uri": sent.uri, "notices": [vars(notice) for notice in sent.notices]})
    elif quiet:
        line(sent.uri)
    else:
        _tell_sent(sent)


def _tell_sent(sent: Sent) -> None:
    from mlops_cli.views.text import clean, notice

    for item in sent.notices:
        err().print(notice(item))
    called = "".join(f", @{alias}" for alias in sent.aliases)
    line(f"{sent.model} is {sent.uri}{called} in MLflow at {clean(sent.place)}")


def _tell(done: Exported) -> None:
    from mlops_cli.views.exported import exported_lines
    from mlops_cli.views.text import notice

    for item in done.notices:
        err().print(notice(item))
    for text in exported_lines(done):
        line(text)
