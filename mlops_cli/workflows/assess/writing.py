"""Assessments as files: the chart, the page, and a record of what the workspace showed on a day."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from mlops_cli.analysis.assessing import next_steps
from mlops_cli.errors import UsageError
from mlops_cli.store.files import write_file
from mlops_cli.views.assess.words import evidence
from mlops_cli.workflows.runs.report import check_place

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mlops_cli.records import Assessment, Evaluation, PlatformScore, Process, Shortfall

CHART = "mlops assessment chart"
"""What a picture says of itself, by which it is known from another file."""

_PAGES = (".html", ".htm")


@dataclass(frozen=True)
class Places:
    """Where an assessment is written to.

    Parameters
    ----------
    svg : Path, optional
        The flow chart as a picture.
    html : Path, optional
        A page that opens offline.
    force : bool
        Overwrite a file of another kind.
    """

    svg: Path | None = None
    html: Path | None = None
    force: bool = False


def write(
    assessment: Assessment, places: Places, shortfalls: Sequence[Shortfall] = (), *, target: bool = False
) -> list[Path]:
    """Write an assessment, and return where it was written to; every place is looked at before the first is written.

    Raises
    ------
    UsageError
        It cannot or should not be written there.
    """
    from mlops_cli.views.assess.page import MARK

    if places.svg is not None:
        check_file(places.svg, (".svg",), "--svg", CHART, force=places.force)
    if places.html is not None:
        check_file(places.html, _PAGES, "--html", MARK, force=places.force)
    if places.svg is not None:
        write_file(places.svg, picture(assessment, target=target).encode("utf-8", "backslashreplace"))
    if places.html is not None:
        _write_page(assessment, shortfalls, places.html)
    return [place for place in (places.svg, places.html) if place is not None]


def picture(assessment: Assessment, *, target: bool = False) -> str:
    """Return the flow chart as SVG that says what it is."""
    from mlops_cli.views.assess.svg import svg

    return svg(assessment, target=target).replace("<svg ", f'<svg data-content="{CHART}" ', 1)


def _write_page(assessment: Assessment, shortfalls: Sequence[Shortfall], place: Path) -> None:
    from mlops_cli.views.assess.page import assess_page

    page = assess_page(assessment, next_steps(assessment), shortfalls)
    write_file(place, page.encode("utf-8", "backslashreplace"))


def write_platforms_page(
    evaluation: Evaluation, scores: Sequence[PlatformScore], place: Path, *, force: bool = False
) -> Path:
    """Write an evaluation of platforms as a page that opens offline.

    Raises
    ------
    UsageError
        It cannot or should not be written there.
    """
    from mlops_cli.views.assess.platforms_page import MARK, platforms_page

    check_file(place, _PAGES, "--html", MARK, force=force)
    write_file(place, platforms_page(evaluation, scores).encode("utf-8", "backslashreplace"))
    return place


def check_file(place: Path, endings: Sequence[str], option: str, mark: str, *, force: bool) -> None:
    """Refuse a place that a picture or a page cannot or should not be written to.

    Raises
    ------
    UsageError
        It has another ending, is a folder, lies in none, or is a file of another kind.
    """
    if place.suffix.lower() not in endings:
        raise UsageError(f"{place} does not end in {endings[0]}", hint=f"{option} {_ending(place, endings[0])}")
    check_place(place, force=force, mark=mark, option=option)


def _ending(place: Path, ending: str) -> Path:
    """Return a place of that ending; one in it, where it is a folder."""
    is_named = place.name.strip(".") and not place.is_dir()
    return place.with_suffix(ending) if is_named else place / f"assess{ending}"


# --- a record ----------------------------------------------------------------------------------------------------


def write_record(assessment: Assessment, source: str, place: Path, *, force: bool = False) -> Path:
    """Write a file of processes with the levels, the evidence and the commands that were found, as of today.

    It names no check: what it says stays as it was found.

    Parameters
    ----------
    assessment : Assessment
        As it was scanned.
    source : str
        The file that it was scanned by.
    place : Path
        Where to.
    force : bool
        Overwrite a file that is there.

    Raises
    ------
    UsageError
        It cannot or should not be written there.
    """
    import yaml

    if place.suffix.lower() not in {".yaml", ".yml"}:
        raise UsageError(f"{place} does not end in .yaml", hint=f"-o {_ending(place, '.yaml')}")
    if place.is_dir() or not place.parent.is_dir() or not os.access(place.parent, os.W_OK):
        raise UsageError(f"{place} cannot be written to", hint="-o FILE.yaml in a folder that you may write in")
    if place.exists() and not force:
        raise UsageError(f"{place} is there already", hint="another -o, or --force to overwrite it")
    today = date.today().isoformat()
    by = ascii(source)[1:-1]
    head = f"# What mlops assess scan found on {today} by {by}. A record: no check is made again of it.\n"
    text = yaml.safe_dump(_record(assessment, today), sort_keys=False, allow_unicode=True, width=120)
    write_file(place, (head + text).encode("utf-8", "backslashreplace"))
    return place


def _record(assessment: Assessment, today: str) -> dict[str, Any]:
    only = {"models": list(assessment.models), "experiments": list(assessment.experiments)}
    return {
        "name": assessment.name,
        "date": today,
        "actors": dict(assessment.actors),
        "phases": dict(assessment.phases),
        **{key: names for key, names in only.items() if names},
        "processes": {one.key: _said(one) for one in assessment.processes},
    }


def _said(one: Process) -> dict[str, Any]:
    """Return a process as a file has it: what says nothing is left out."""
    said = {
        "name": one.name,
        "phase": one.phase,
        "actor": list(one.actors),
        "purpose": one.purpose,
        "from": {flow.source: flow.what or None for flow in one.flows},
        "level": str(one.now),
        "target": None if one.target is None else str(one.aim),  # declared now, a higher level would be to fall
        "effort": one.effort,
        "gain": one.gain,
        "note": one.note,
        "evidence": evidence(one),
        "command": "" if one.evidence is None else one.evidence.command,
    }
    return {key: value for key, value in said.items() if value not in (None, "", {})}
