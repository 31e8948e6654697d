"""``mlops data add``: the next version of a data set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from mlops_cli.cli.options import Json, Quiet, Verbose, read_pairs
from mlops_cli.cli.screen import dump, err, line
from mlops_cli.errors import UsageError

if TYPE_CHECKING:
    from mlops_cli.workflows.adding import Added

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
    read: Annotated[
        list[str] | None,
        typer.Option("--read", metavar="K=V", help="Of the reader: sep=';' decimal=','; may be given several times."),
    ] = None,
    option: Annotated[
        str | None, typer.Option("--as", metavar="OPTION", help="How it is read: csv, parquet …; else by the suffix.")
    ] = None,
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
    from mlops_cli.workflows.adding import AddOptions
    from mlops_cli.workflows.adding import add as add_version

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


def read_options(pairs: list[str]) -> dict[str, Any]:
    r"""Return options of a reader as they were typed: ``header=null``, ``sep=;``, ``sep=\t``, ``na_values=['?', '-']``.

    Raises
    ------
    UsageError
        One is not K=V.
    """
    return {key: _value(key, value) for key, value in read_pairs(pairs, "--read is K=V", "--read 'sep=;'").items()}


def _value(key: str, text: str) -> Any:
    """Return a value as YAML reads it; a separator, which means something else there, is itself."""
    if len(text) <= 2 and not text.isalnum():
        return text.replace("\\t", "\t")
    import yaml

    from mlops_cli.config.yaml_guard import check_text
    from mlops_cli.errors import ConfigError

    try:
        check_text(text, "--read")
        return yaml.safe_load(text)
    except (ConfigError, yaml.YAMLError) as error:
        if text.startswith(("[", "{")):
            hint = "quote what is inside it: \"['?', '-']\""
            raise UsageError(f"--read {key}: is no list or mapping as YAML has it: {text}", hint=hint) from error
        return text
