"""What the commands about tokens share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

TokenFile = Annotated[Path, typer.Option("--file", "-f", metavar="FILE", help="The file that holds their hashes.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="Whose it is: a person, a program.")]

DEFAULT = Path("tokens.json")
