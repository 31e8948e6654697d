"""Options that several commands share, so that they read the same everywhere."""

from __future__ import annotations

from typing import Annotated

import typer

from mlops_cli.errors import UsageError

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
Where = Annotated[
    str, typer.Option("--where", "-w", help='Only runs that match: "score > 0.8 and model = svm"; see runs ls --help.')
]


def read_tags(pairs: list[str], what: str = "--tag") -> dict[str, str]:
    """Return tags as they were typed.

    Raises
    ------
    UsageError
        One is not KEY=VALUE.
    """
    tags = {}
    for pair in pairs:
        key, sign, value = pair.partition("=")
        if not sign or not key:
            raise UsageError(f"{what} is KEY=VALUE, got '{pair}'", hint="stage=draft")
        tags[key] = value
    return tags
