"""``mlops tokens rm``: take a token away."""

from __future__ import annotations

from mlops_cli.cli.options import Quiet, Verbose
from mlops_cli.cli.screen import line, say
from mlops_cli.cli.tokens.options import DEFAULT, Name, TokenFile

EXAMPLE = "Example: mlops tokens rm shop"


def rm(name: Name, file: TokenFile = DEFAULT, quiet: Quiet = False, verbose: Verbose = False) -> None:
    """Take a token away: a server that runs refuses it from the next second on."""
    from mlops_cli.views.serving import how_to_admit
    from mlops_cli.web.serving.tokens import read_tokens, remove_token

    gone = remove_token(file, name)
    if not quiet:
        line(f"{gone.name} may no longer {gone.role}")
        if not read_tokens(file):
            say(f"{file} has no token left: a server that reads it admits nobody", "dim")
            say(how_to_admit(file), "dim")
