"""Arguments that the commands about data share."""

from __future__ import annotations

from typing import Annotated

import typer

VersionRef = Annotated[
    str, typer.Argument(metavar="NAME[@V]", help="titanic@3, titanic@clean (a tag); titanic is the newest version.")
]
DataRef = "titanic@3, titanic (its newest version), a path or an address."
