"""``mlops assess FILE``: processes by phase and level, or platforms side by side."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mlops_cli.cli.options import Json, Quiet, Verbose
from mlops_cli.cli.screen import dump, line, say
from mlops_cli.cli.screen import show as print_result
from mlops_cli.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlops_cli.config.workspace import Workspace
    from mlops_cli.records import Assessment, Shortfall

EXAMPLE = "Example: mlops assess configs/assess/processes.yaml --target --require deployment=semi-automated"

_STEPS = 8
_FILES = (".yaml", ".yml")


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """What is to be written and printed."""

    target: bool
    require: tuple[str, ...]
    svg: Path | None
    html: Path | None
    mermaid: bool
    csv: bool
    json: bool
    force: bool
    quiet: bool
    verbose: bool


def show(
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[FILE]...", help="Of processes, or several of platforms; the workspace's processes."),
    ] = None,
    target: Annotated[bool, typer.Option("--target", help="Today beside where it should be.")] = False,
    require: Annotated[
        list[str] | None,
        typer.Option("--require", metavar="WHAT=LEVEL", help="Of a phase, a process, or LEVEL alone; exit code 1."),
    ] = None,
    svg: Annotated[Path | None, typer.Option("--svg", metavar="FILE.svg", help="Write the flow chart.")] = None,
    html: Annotated[Path | None, typer.Option("--html", metavar="FILE.html", help="Write a page.")] = None,
    mermaid: Annotated[bool, typer.Option("--mermaid", help="Print the chart as text for a README.")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="Print a row for each process, or question.")] = False,
    json: Json = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite a file that is no such chart or page.")] = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Show ML processes by phase, who does them, and how far each is automated; or platforms side by side.

    A process that names a check has the level that the workspace shows. What is below a --require is named, and the
    exit code is 1. Of a file of questions: what rules a platform out, how each does by concern; --verbose has every
    question. --quiet prints keys and levels, with --require of those that are below.
    """
    from mlops_cli.config.platforms import QUESTIONS
    from mlops_cli.config.workspace import find_workspace
    from mlops_cli.workflows.assess.processes import files_of_a_kind

    asked = _Asked(
        target=target,
        require=tuple(require or ()),
        svg=svg,
        html=html,
        mermaid=mermaid,
        csv=csv,
        json=json,
        force=force,
        quiet=quiet,
        verbose=verbose,
    )
    if mermaid + csv + json + quiet > 1:
        raise UsageError("one of --mermaid, --csv, --json and --quiet says what to print", hint="leave the others out")
    _refuse_places(files or (), {"--csv": csv, "--json": json, "--mermaid": mermaid})
    workspace = find_workspace()
    kind, found = files_of_a_kind(files or (), workspace)
    if kind == QUESTIONS:
        _platforms(found, asked, workspace)
    else:
        _processes(found[0], asked, workspace)


def _refuse_places(files: Sequence[Path], printed: Mapping[str, bool]) -> None:
    """Refuse a file behind an option that takes none: what it prints is led into one."""
    for option, is_asked in printed.items():
        place = next((file for file in files if file.suffix.lower() not in _FILES and not file.exists()), None)
        if is_asked and place is not None and place.suffix:
            raise UsageError(f"{option} takes no file, and prints", hint=f"{option} > {place}")


# --- processes ---------------------------------------------------------------------------------------------------


def _processes(path: Path, asked: _Asked, workspace: Workspace) -> None:
    from mlops_cli.analysis.assessing import shortfalls
    from mlops_cli.config.assess import read_requirement
    from mlops_cli.workflows.assess.processes import read_processes

    found = read_processes(path, workspace)
    below = shortfalls(found, [read_requirement(text, found) for text in asked.require])
    written = _write(found, below, asked)
    _print(found, below, asked, written)
    if below:
        raise typer.Exit(ExitCode.FAILED)


def _write(found: Assessment, below: Sequence[Shortfall], asked: _Asked) -> list[Path]:
    if asked.svg is None and asked.html is None:
        return []
    from mlops_cli.workflows.assess.writing import Places, write

    return write(found, Places(asked.svg, asked.html, force=asked.force), below, target=asked.target)


def _print(found: Assessment, below: Sequence[Shortfall], asked: _Asked, written: Sequence[Path]) -> None:
    if asked.json:
        from mlops_cli.analysis.assessing import next_steps
        from mlops_cli.views.assess.tables import assessment_json

        dump(assessment_json(found, next_steps(found), below))
        return
    if asked.csv:
        from mlops_cli.views.assess.tables import COLUMNS, assessment_rows

        print_rows(assessment_rows(found), COLUMNS)
    elif asked.mermaid:
        from mlops_cli.views.assess.mermaid import mermaid

        line(mermaid(found, target=asked.target).rstrip("\n"))
    elif asked.quiet:
        for one in [short.process for short in below] if asked.require else found.processes:
            line(f"{one.key} {one.now}")
        return
    elif written:
        for place in written:
            line(str(place))
    else:
        _screen(found, asked)
    _say(below)


def print_rows(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """Print rows; a terminal may be what reads them, and so control characters of text are made visible."""
    from mlops_cli.store.tables import csv_text
    from mlops_cli.views.text import clean

    cells = [{name: clean(value) if isinstance(value, str) else value for name, value in row.items()} for row in rows]
    line(csv_text(cells, columns).rstrip("\n"))


def _screen(found: Assessment, asked: _Asked) -> None:
    from mlops_cli.analysis.assessing import next_steps
    from mlops_cli.views.assess.tables import steps_table
    from mlops_cli.views.assess.tree import tree

    print_result(tree(found, target=asked.target), crop=False)
    steps = next_steps(found)
    if steps:
        line("")
        print_result(steps_table(steps[:_STEPS]))
    if len(steps) > _STEPS:
        say(f"and {len(steps) - _STEPS} more; --json has all", "dim")


def _say(below: Sequence[Shortfall]) -> None:
    """Name what is below what is required: on stderr, for stdout may be a picture or a table."""
    for one in below:
        command = "" if one.process.evidence is None else one.process.evidence.command
        say(f"below: {one.process.key} is {one.process.now}, and {one.required} is required", "red")
        if command:
            say(f"  try: {command}")


# --- platforms ---------------------------------------------------------------------------------------------------


def _platforms(paths: Sequence[Path], asked: _Asked, workspace: Workspace) -> None:
    from mlops_cli.analysis.platforms import ranking
    from mlops_cli.workflows.assess.platforms import read_platforms, scores

    _refuse_of_processes(asked)
    found = read_platforms(paths, workspace)
    scored = scores(found)
    if asked.html is not None:
        from mlops_cli.workflows.assess.writing import write_platforms_page

        write_platforms_page(found, scored, asked.html, force=asked.force)
    from mlops_cli.views.assess import platforms_data as data

    if asked.json:
        dump(data.evaluation_json(found, scored))
    elif asked.csv:
        rows = data.evaluation_rows(found)
        print_rows(rows, list(rows[0]) if rows else [])
    elif asked.quiet:
        for _, one in ranking(scored):
            line(f"{one.platform.key} {one.overall.score:.3f}")
    elif asked.html is not None:
        line(str(asked.html))
    else:
        from mlops_cli.views.assess.platforms import screen

        for part in screen(found, scored, every=asked.verbose):
            print_result(part)


def _refuse_of_processes(asked: _Asked) -> None:
    named = {"--svg": asked.svg, "--mermaid": asked.mermaid, "--target": asked.target, "--require": asked.require}
    for option, value in named.items():
        if value:
            raise UsageError(f"{option} is of processes, and the file is of platforms", hint="--html FILE.html")
