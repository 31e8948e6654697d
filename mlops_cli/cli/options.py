"""Options that several commands share, so that they read the same everywhere."""

from __future__ import annotations

from typing import Annotated

import typer

from mlops_cli.errors import UsageError

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON on stdout.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print the essential alone, and no progress.")]
NoAlerts = Annotated[bool, typer.Option("--no-alerts", help="Tell nobody.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
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
    return read_pairs(pairs, f"{what} is KEY=VALUE", hint="stage=draft")


def read_pairs(pairs: list[str], form: str, hint: str) -> dict[str, str]:
    """Return what stands on both sides of each =.

    Parameters
    ----------
    pairs : list of str
        As they were typed.
    form : str
        How each is to be written, for the error: ``--tag is KEY=VALUE``.
    hint : str
        An example.

    Raises
    ------
    UsageError
        One is no such pair.
    """
    found = {}
    for pair in pairs:
        key, sign, value = pair.partition("=")
        if not sign or not key:
            raise UsageError(f"{form}, got '{pair}'", hint=hint)
        found[key] = value
    return found
