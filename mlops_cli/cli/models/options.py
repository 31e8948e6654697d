"""Arguments that the commands about models share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mlops_cli.cli.screen import dump, line

if TYPE_CHECKING:
    from mlops_cli.records import VersionPage

ModelRef = Annotated[
    str,
    typer.Argument(metavar="MODEL", help="titanic/3, titanic@champion; titanic is the champion, else the newest one."),
]


def tell(found: VersionPage, text: str, *, json: bool, quiet: bool) -> None:
    """Print a version that was changed: as JSON, or by one line."""
    if json:
        from mlops_cli.views.models import version_json

        dump(version_json(found))
    elif not quiet:
        from mlops_cli.views.text import clean

        line(clean(text))
