"""``mlops data add``: the next version of a data set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mlops_cli.cli.data.options import As, Read, read_options
from mlops_cli.cli.options import Json, Quiet, Verbose
from mlops_cli.cli.screen import dump, err, line

if TYPE_CHECKING:
    from mlops_cli.workflows.data.adding import Added

EXAMPLE = "Example: mlops data add data/titanic.csv --name titanic --note 'as downloaded' --key passenger_id"


def add(
    path: Annotated[
        str, typer.Argument(metavar="PATH", help="A file, a folder of parts, a glob in quotes, or an address.")
    ],
    name: Annotated[str, typer.Option("--name", help="Of the data set.")],
    note: Annotated[str, typer.Option("--note", help="What is worth knowing of this version.")] = "",
    key: Annotated[
        str | None, typer.Option("--key", metavar="COLUMN", help="The column that tells rows apart, for data diff.")
    ] = None,
    read: Read = None,
    option: As = None,
    link: Annotated[
        bool, typer.Option("--link", help="Keep the files as hard links; they become read-only under their own names.")
    ] = False,
    tag: Annotated[str | None, typer.Option("--tag", metavar="WORD", help="Another name of this version.")] = None,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Add a version of a data set, and print what it is.

    It is read once as a run would read it: what cannot be read is not added. Contents are kept once whatever they are
    called, and where the newest version has the same, it stays the newest. --quiet prints titanic@3 alone.
    """
    from mlops_cli.workflows.data.adding import AddOptions
    from mlops_cli.workflows.data.adding import add as add_version

    asked = AddOptions(note, key, read_options(read or []), option, link=link, tag=tag)
    added = add_version(path, name, asked)
    if json:
        from mlops_cli.store.dataset_json import to_json

        dump({**to_json(added.version), "is_new": added.is_new})
    elif quiet:
        line(added.version.ref)
    else:
        _tell(added)


def _tell(added: Added) -> None:
    from mlops_cli.views.datasets import headline
    from mlops_cli.views.text import notice

    for item in added.notices:
        err().print(notice(item))
    line(headline(added.version) if added.is_new else f"unchanged: {added.version.ref} has this content")
