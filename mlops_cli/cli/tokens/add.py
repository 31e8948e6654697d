"""``mlops tokens add``: make a token, and keep its hash."""

from __future__ import annotations

from typing import Annotated

import typer

from mlops_cli.cli.options import Json, Quiet, Verbose
from mlops_cli.cli.screen import dump, line, say
from mlops_cli.cli.tokens.options import DEFAULT, Name, TokenFile
from mlops_cli.errors import UsageError, did_you_mean

EXAMPLE = "Example: mlops tokens add shop --role predict"


def add(
    name: Name,
    role: Annotated[str, typer.Option("--role", help="predict, or admin: /metrics and reload too.")] = "predict",
    file: TokenFile = DEFAULT,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Make a token and print it, this once: the file keeps its hash alone.

    mlops serve MODEL --tokens FILE asks for it. A server that runs takes notice of the new token by itself.
    """
    from mlops_cli.views.serving import how_to_serve
    from mlops_cli.web.serving.tokens import Role, add_token

    if role not in set(Role):
        raise UsageError(f"there is no role '{role}'", hint=did_you_mean(role, Role))
    token = add_token(file, name, Role(role))
    if json:
        dump({"name": name, "role": role, "token": token, "file": str(file)})
        return
    line(token)
    if not quiet:
        say(f"the token of {name}, who may {role}; it is not kept anywhere, {file} has its hash", "dim")
        say(how_to_serve(file), "dim")
