"""``mlops data expect`` and ``mlops data check``: say what data must be like, and hold data against it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mlops_cli.cli.data.options import As, Config, Read, how_read
from mlops_cli.cli.options import Json, Verbose
from mlops_cli.cli.screen import dump, line, show
from mlops_cli.errors import ExitCode, UsageError

EXAMPLE = "Example: mlops data expect data/titanic.csv -o rules.yaml"
CHECK_EXAMPLE = "Example: mlops data check new.csv --expect rules.yaml"

Source = Annotated[
    str,
    typer.Argument(metavar="PATH|NAME|CONFIG", help="A file or address, a named data set, or an experiment's data."),
]


def expect(
    source: Source,
    output: Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE.yaml", help="Write it there.")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Without room for anything that is not there now.")] = False,
    read: Read = None,
    option: As = None,
    config: Config = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite a file that is there.")] = False,
    verbose: Verbose = False,
) -> None:
    """Write a first version of data.expect, which the data itself satisfies.

    Types, ranges with some room, values where they are few, the share of missing values. Change it, and put it below
    `data:` in a config, where a breach ends a run with exit code 3; or hold other data against it: `mlops data check`.
    """
    from mlops_cli.store.files import write_file
    from mlops_cli.workflows.data.expect import suggest_rules

    if output is not None:
        _check_place(output, force=force)
    text = suggest_rules(source, how=how_read(read, option, config), strict=strict)
    if output is None:
        line(text.rstrip("\n"))
        return
    write_file(output, text.encode("utf-8"))
    line(str(output))


def _check_place(path: Path, *, force: bool) -> None:
    if path.is_dir() or not path.parent.is_dir():
        raise UsageError(f"{path} cannot be written to", hint="-o FILE.yaml in a folder that is there")
    if path.exists() and not force:
        raise UsageError(f"{path} is there already", hint="another -o, or --force to overwrite it")


def check(
    source: Source,
    rules: Annotated[
        Path | None, typer.Option("--expect", metavar="FILE.yaml", help="The rules; else those of the experiment.")
    ] = None,
    read: Read = None,
    option: As = None,
    config: Config = None,
    json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Hold data against what is expected of it, and tell everything that is broken.

    The exit code is 3 where something is, so that cron and shell scripts can act on it.
    """
    from mlops_cli.views.expectations import as_json, checked_text
    from mlops_cli.workflows.data.expect import check_data, sentences

    found = check_data(source, rules, how=how_read(read, option, config))
    if json:
        dump(as_json(found))
    else:
        show(checked_text(found, sentences(found)))
    raise typer.Exit(ExitCode.OK if found.holds else ExitCode.DATA)
