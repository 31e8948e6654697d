"""``mlops models rollback``: give an alias back to the version that had it before."""

from __future__ import annotations

from typing import Annotated

import typer

from mlops_cli.cli.models.promote import AliasOption
from mlops_cli.cli.options import Json, Quiet, Verbose
from mlops_cli.cli.screen import dump, line, say
from mlops_cli.records import CHAMPION

EXAMPLE = "Example: mlops models rollback titanic"


def rollback(
    model: Annotated[str, typer.Argument(metavar="NAME", help="Of the model: titanic")],
    alias: AliasOption = CHAMPION,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Give an alias back to the version that had it before, @champion where no other is said; recorded.

    Once more goes further back. Versions that were removed, rejected or archived meanwhile are passed over and named.
    No gate is asked. --quiet prints titanic/3 alone.
    """
    from mlops_cli.views.promotion import rollback_json, rolled_back
    from mlops_cli.workflows.models.rollback import rollback as give_back

    found = give_back(model, alias)
    if json:
        dump(rollback_json(found))
        return
    done, *skipped = rolled_back(found)
    line(f"{found.model}/{found.to}" if quiet else done)
    for text in skipped:
        say(text)
