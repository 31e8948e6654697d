"""``mlops models register``: the model of a run becomes a version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mlops_cli.cli.models.alias import tell_gates
from mlops_cli.cli.options import Json, Quiet, RunRef, Verbose, read_tags
from mlops_cli.cli.screen import dump, err, line

if TYPE_CHECKING:
    from mlops_cli.store.registry.adding import Added

EXAMPLE = "Example: mlops models register titanic:best --alias challenger --description 'who would have lived'"


def register(
    run: RunRef,
    name: Annotated[str | None, typer.Option("--name", help="Of the model; else the experiment's.")] = None,
    alias: Annotated[
        str | None, typer.Option("--alias", metavar="WORD", help="Call the version so, such as challenger.")
    ] = None,
    tag: Annotated[
        list[str] | None, typer.Option("--tag", metavar="K=V", help="Of the version; may be given several times.")
    ] = None,
    description: Annotated[str, typer.Option("--description", help="What it is for.")] = "",
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Register the model of a run that has completed: copy it whole into models/NAME/NUMBER, where it stands alone.

    With it go its card, config, data profile, code, packages and the sha256 of each file. A number is never given
    twice. --quiet prints titanic/3 alone.
    """
    from mlops_cli.workflows.models.register import register as add_version

    added = add_version(run, name, alias=alias, tags=read_tags(tag or []), description=description)
    if alias is not None:
        tell_gates(added.version, alias)
    if json:
        from mlops_cli.views.models import version_json
        from mlops_cli.workflows.models.registry import show

        dump(version_json(show(added.version.ref)))
    elif quiet:
        line(added.version.ref)
    else:
        _tell(added)


def _tell(added: Added) -> None:
    from mlops_cli.views.models import registered
    from mlops_cli.views.text import notice

    for item in added.notices:
        err().print(notice(item))
    for text in registered(added.version):
        line(text)
