"""Arguments that the commands about data share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from mlops_cli.cli.options import read_pairs
from mlops_cli.errors import UsageError

if TYPE_CHECKING:
    from mlops_cli.workflows.data.tables import HowRead

VersionRef = Annotated[
    str, typer.Argument(metavar="NAME[@V]", help="titanic@3, titanic@clean (a tag); titanic is the newest version.")
]
DataRef = "titanic@3, titanic (its newest version), a path or an address."

Read = Annotated[
    list[str] | None,
    typer.Option("--read", metavar="K=V", help="Of the reader: sep=';' decimal=','; may be given several times."),
]
As = Annotated[
    str | None, typer.Option("--as", metavar="OPTION", help="How it is read: csv, parquet …; else by the suffix.")
]
Config = Annotated[
    str | None, typer.Option("--config", metavar="NAME", help="Read files as this experiment reads its data.")
]


def how_read(read: list[str] | None, option: str | None, config: str | None) -> HowRead:
    """Return how files are read, as it was typed.

    Raises
    ------
    UsageError
        An option of the reader is not K=V.
    """
    from mlops_cli.workflows.data.tables import HowRead

    return HowRead(read_options(read or []), option, config)


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
