"""``mlops tokens ls``: who may ask."""

from __future__ import annotations

from mlops_cli.cli.options import Json, Quiet, Verbose
from mlops_cli.cli.screen import dump, line, say, show
from mlops_cli.cli.tokens.options import DEFAULT, TokenFile

EXAMPLE = "Example: mlops tokens ls --file tokens.json"


def ls(file: TokenFile = DEFAULT, json: Json = False, quiet: Quiet = False, verbose: Verbose = False) -> None:
    """List the tokens of a file by name; none of them can be read from it. --quiet prints the names alone."""
    from mlops_cli.web.serving.tokens import read_tokens, token_json

    found = read_tokens(file)
    if json:
        dump([token_json(token) for token in found])
    elif quiet:
        for token in found:
            line(token.name)
    else:
        from mlops_cli.views.serving import how_to_admit, how_to_serve
        from mlops_cli.views.tokens import token_table

        show(token_table([token_json(token) for token in found]))
        say(how_to_serve(file) if found else how_to_admit(file), "dim")
