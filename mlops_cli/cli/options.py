"""Options that several commands share, so that they read the same everywhere."""

from __future__ import annotations

from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON on stdout.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print the essential alone, and no progress.")]
Verbose = Annotated[bool, typer.Option("--verbose", help="Add tracebacks to errors and failed trials.")]
Overrides = Annotated[
    list[str] | None,
    typer.Argument(metavar="[OVERRIDE]...", help="Hydra overrides: model=svm model.C=0.1,1,10 ~transforms.scale"),
]
RunRef = Annotated[
    str, typer.Argument(metavar="RUN", help="An id, its beginning, a path, latest, NAME:latest, NAME:best.")
]
