"""``mlops assess scan``: what the workspace shows of processes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mlops_cli.cli.options import Json, Quiet, Verbose
from mlops_cli.cli.screen import dump, line
from mlops_cli.cli.screen import show as print_result
from mlops_cli.errors import UsageError

if TYPE_CHECKING:
    from mlops_cli.records import Assessment

EXAMPLE = "Example: mlops assess scan -o configs/assess/2026-11.yaml"


def scan(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", help="Of processes; configs/assess/processes.yaml, or a starting one."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE.yaml", help="Write a file of processes with what was found."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="Print a row for each process that a check looks for.")] = False,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Look at what the workspace shows of each process: its level, the evidence, the command that would raise it.

    Read are runs, data sets, registered models, the audit log, batches of monitoring, and files of CI and schedules;
    nothing is run. -o keeps what was found today, whole, for git.
    """
    if csv + json + quiet > 1:
        raise UsageError("one of --csv, --json and --quiet says what to print", hint="leave the others out")
    from mlops_cli.config.workspace import find_workspace
    from mlops_cli.workflows.assess.processes import scan as look
    from mlops_cli.workflows.assess.processes import scanned_file, source_of

    workspace = find_workspace()
    found, source = look(file, workspace), source_of(scanned_file(file, workspace), workspace)
    if output is not None:
        from mlops_cli.workflows.assess.writing import write_record

        write_record(found, source, output, force=force)
    if csv:
        _rows(found)
    else:
        _print(found, source, output, json=json, quiet=quiet)


def _rows(found: Assessment) -> None:
    from mlops_cli.cli.assess.show import print_rows
    from mlops_cli.views.assess.scanned import COLUMNS, findings_json

    print_rows(findings_json(found), COLUMNS)


def _print(found: Assessment, source: str, output: Path | None, *, json: bool, quiet: bool) -> None:
    from mlops_cli.views.assess.scanned import findings, findings_json

    if json:
        dump(findings_json(found))
    elif quiet:
        for one in found.processes:
            if one.scan and one.evidence is not None:
                line(f"{one.key} {one.evidence.level}")
    elif output is not None:
        line(f"wrote {output}")
    else:
        print_result(findings(found, source), crop=False)
