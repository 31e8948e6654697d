"""How far ML processes are automated, and what platforms would do: what ``mlops assess`` does, in Python.

import mlops_cli as mlops

found = mlops.assess.processes()                    # of configs/assess/processes.yaml, with what the workspace shows
found.process("deploy_model").now, found.process("deploy_model").evidence
mlops.assess.shortfalls(found, "deployment=semi-automated")
mlops.assess.write(found, html="assess.html", target=True)
mlops.assess.scores(mlops.assess.platforms("configs/assess/platforms.yaml"))[0].overall.score
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_cli.config.workspace import Workspace
    from mlops_cli.records import Assessment, Evaluation, NextStep, PlatformScore, Shortfall

__all__ = ["next_steps", "platforms", "processes", "scan", "scores", "shortfalls", "svg", "write"]


def processes(path: str | Path | None = None, *, workspace: str | Path | None = None) -> Assessment:
    """Return what a file of processes says, with what the workspace shows of those that name a check.

    Parameters
    ----------
    path : str or Path, optional
        The file; ``configs/assess/processes.yaml`` where not given.
    workspace : str or Path, optional
        The workspace; the current folder's where not given.

    Returns
    -------
    Assessment
        ``.processes``, each with ``.now``, ``.aim`` and ``.evidence``.

    Raises
    ------
    ConfigError
        With the file, the line, the key, what was found and what is allowed.
    UsageError
        There is no such file.
    """
    from mlops_cli.workflows.assess.processes import read_processes

    return read_processes(path, _workspace(workspace))


def scan(path: str | Path | None = None, *, workspace: str | Path | None = None) -> Assessment:
    """Return what the workspace shows, by the processes of a file; by those of a starting one where there is none.

    Parameters
    ----------
    path : str or Path, optional
        The file; ``configs/assess/processes.yaml`` where not given and there.
    workspace : str or Path, optional
        The workspace; the current folder's where not given.

    Raises
    ------
    ConfigError
        With the file, the line, the key, what was found and what is allowed.
    """
    from mlops_cli.workflows.assess.processes import scan as look

    return look(path, _workspace(workspace))


def shortfalls(assessment: Assessment, *required: str) -> tuple[Shortfall, ...]:
    """Return the processes that are below what is required of them.

    Parameters
    ----------
    assessment : Assessment
        The processes.
    *required : str
        ``deployment=semi-automated`` of a phase or a process; ``manual`` of all.

    Raises
    ------
    UsageError
        There is no such phase, process or level.
    """
    from mlops_cli.analysis import assessing
    from mlops_cli.config.assess import read_requirement

    return assessing.shortfalls(assessment, [read_requirement(text, assessment) for text in required])


def next_steps(assessment: Assessment) -> tuple[NextStep, ...]:
    """Return the processes that are below their targets, those first that give most for the effort."""
    from mlops_cli.analysis import assessing

    return assessing.next_steps(assessment)


def svg(assessment: Assessment, *, target: bool = False) -> str:
    """Return the flow chart as a picture that stands alone; with ``target`` tomorrow beside today."""
    from mlops_cli.workflows.assess.writing import picture

    return picture(assessment, target=target)


def write(
    assessment: Assessment,
    *,
    svg: Path | str | None = None,
    html: Path | str | None = None,
    target: bool = False,
    force: bool = False,
) -> None:
    """Write the flow chart, or a page that opens offline.

    Parameters
    ----------
    assessment : Assessment
        The processes.
    svg, html : str or Path, optional
        Where to.
    target : bool
        In the picture, tomorrow beside today; the page has both.
    force : bool
        Overwrite a file that is no such picture or page.

    Raises
    ------
    UsageError
        It cannot or should not be written there.
    """
    from pathlib import Path

    from mlops_cli.workflows.assess import writing

    picture, page = (None if place is None else Path(place) for place in (svg, html))
    writing.write(assessment, writing.Places(picture, page, force=force), target=target)


def platforms(*paths: str | Path, workspace: str | Path | None = None) -> Evaluation:
    """Return what files of questions say of platforms, side by side.

    Raises
    ------
    ConfigError
        With the file, the line, the key, what was found and what is allowed.
    """
    from mlops_cli.workflows.assess.platforms import read_platforms

    return read_platforms(paths, _workspace(workspace))


def scores(evaluation: Evaluation) -> tuple[PlatformScore, ...]:
    """Return how each platform does: ``.failed`` must-haves, ``.overall`` and ``.concerns``."""
    from mlops_cli.analysis import platforms as analysis

    return analysis.scores(evaluation)


def _workspace(place: str | Path | None) -> Workspace:
    from mlops_cli.config.workspace import find_workspace

    return find_workspace(place)
