"""Reads files of questions about platforms, with the team's own processes, and lays their answers side by side."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_cli.analysis.platforms import in_order, scores
from mlops_cli.config.declared import of_file
from mlops_cli.config.platforms import CHART, chart_of, read_evaluation
from mlops_cli.config.workspace import find_workspace
from mlops_cli.errors import ConfigError, UsageError
from mlops_cli.records import Notice
from mlops_cli.workflows.assess.processes import found_file, read_processes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from mlops_cli.config.workspace import Workspace
    from mlops_cli.records import Assessment, Evaluation, Platform, Question

__all__ = ["read_platforms", "scores"]

_MOST = 5  # questions that are named, of those that one file has alone


@dataclass(frozen=True)
class _File:
    """What one file says."""

    called: str  # by messages
    chart: Path | None
    evaluation: Evaluation


def read_platforms(paths: Sequence[str | Path], workspace: Workspace | None = None) -> Evaluation:
    """Return what files of questions say, their platforms side by side.

    Parameters
    ----------
    paths : sequence of str or Path
        The files. What a question asks, and how much it weighs, is as the first file says that has it; the processes
        are those that the first file names which names any.
    workspace : Workspace, optional
        Where processes are looked for that declare no level; the one around the current folder if not given.

    Raises
    ------
    ConfigError
        With the file, the line, the key, what was found and what is allowed.
    UsageError
        No file is given, or there is no such file.
    """
    if not paths:
        raise UsageError("no file of questions is given", hint="mlops assess configs/assess/platforms.yaml")
    read: list[_File] = []
    for path in paths:
        read.append(_read(path, workspace or find_workspace(), read))
    found = _beside(read) if len(read) > 1 else read[0].evaluation
    return replace(found, platforms=in_order(found.platforms))


def _read(name: str | Path, workspace: Workspace, before: Sequence[_File]) -> _File:
    """Return what a file says; its platforms must be told apart from those of the files before."""
    path = found_file(name, workspace)
    called = workspace.shown(path)
    chart = of_file(path, called, lambda value, _: _chart(value, path, workspace))
    assessment = None if chart is None else _assessment(chart, workspace, before)

    def reader(value: object, _: str) -> Evaluation:
        evaluation = read_evaluation(value, assessment)
        for one in evaluation.platforms:
            _require_apart(one, before)
        return evaluation

    return _File(called, chart, of_file(path, called, reader))


def _assessment(chart: Path, workspace: Workspace, before: Sequence[_File]) -> Assessment:
    """Return the processes of a file; those that a file before names too are read once."""
    for one in before:
        if one.chart is not None and one.chart.samefile(chart) and one.evaluation.assessment is not None:
            return one.evaluation.assessment
    return read_processes(chart, workspace)


def _chart(value: object, path: Path, workspace: Workspace) -> Path | None:
    """Return the file of processes that a file of questions names.

    Such a file may come from others, and what is wrong with a file is told with what it says: one that lies neither in
    the workspace nor beside the file that names it is not opened.
    """
    said = chart_of(value)
    if said is None:
        return None
    chart = path.parent / said
    if not _is_near(chart, path, workspace):
        hint = f"a path from {path.parent} that stays in the workspace, or beside the file"
        raise ConfigError(f"{said} leads out of the workspace", key=CHART, hint=hint)
    if not _is_file(chart):
        hint = f"a path from {path.parent}; `mlops assess init` writes one, or leave {CHART} out"
        raise ConfigError(f"there is no file {chart}", key=CHART, hint=hint)
    return chart


def _is_near(chart: Path, path: Path, workspace: Workspace) -> bool:
    """Whether a file lies in the workspace or in the folder of another, where links lead too."""
    if "\0" in str(chart):
        return True  # it is no file
    full = Path(os.path.realpath(chart))
    return any(full.is_relative_to(home) for home in (workspace.root.resolve(), path.resolve().parent))


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that is too long
        return False


def _require_apart(platform: Platform, before: Sequence[_File]) -> None:
    for other in before:
        for one in other.evaluation.platforms:
            if (one.key, one.date) == (platform.key, platform.date):
                when = f"as of {one.date}" if one.date else "without a date"
                hint = f"give each its date, or one of them another key than {one.key}"
                raise ConfigError(f"{other.called} has it too, {when}", key=f"platforms.{one.key}", hint=hint)


# --- several files -----------------------------------------------------------------------------------------------


def _beside(read: Sequence[_File]) -> Evaluation:
    """Return all platforms with all questions; a key that several files have becomes ``key@date``."""
    first, keys = read[0].evaluation, [one.key for file in read for one in file.evaluation.platforms]
    again = {key for key in keys if keys.count(key) > 1}
    files = [replace(file, evaluation=_told_apart(file.evaluation, again)) for file in read]
    asked: dict[str, Question] = {}
    for file in files:
        for one in file.evaluation.questions:
            known = asked.get(one.key, one)
            asked[one.key] = replace(known, answers={**known.answers, **one.answers})
    concerns = {key: name for file in reversed(files) for key, name in file.evaluation.concerns.items()}
    order = dict.fromkeys(key for file in files for key in file.evaluation.concerns)
    return replace(
        first,
        concerns={key: concerns[key] for key in order},
        platforms=tuple(one for file in files for one in file.evaluation.platforms),
        questions=tuple(asked.values()),
        assessment=next((f.evaluation.assessment for f in files if f.evaluation.assessment is not None), None),
        notices=(*_alone(files), *_otherwise(files, asked), *_charts(files)),
    )


def _told_apart(evaluation: Evaluation, again: Iterable[str]) -> Evaluation:
    names = {one.key: f"{one.key}@{one.date}" for one in evaluation.platforms if one.key in again and one.date}
    return replace(
        evaluation,
        platforms=tuple(replace(one, key=names.get(one.key, one.key)) for one in evaluation.platforms),
        questions=tuple(
            replace(one, answers={names.get(key, key): answer for key, answer in one.answers.items()})
            for one in evaluation.questions
        ),
    )


# --- what does not agree -----------------------------------------------------------------------------------------


def _alone(files: Sequence[_File]) -> list[Notice]:
    """Return which questions not every file has: platforms of the others are open there."""
    found = []
    for file in files:
        others = [{one.key for one in other.evaluation.questions} for other in files if other is not file]
        alone = [one.key for one in file.evaluation.questions if not any(one.key in known for known in others)]
        if alone:
            found.append(
                Notice("question-alone", f"{file.called} alone asks {_listed(alone)}; of other files it is open")
            )
    return found


def _otherwise(files: Sequence[_File], asked: Mapping[str, Question]) -> list[Notice]:
    """Return which questions a later file asks in other words, weighs otherwise or takes for a must-have or not."""
    found = []
    for file in files[1:]:
        other = [one.key for one in file.evaluation.questions if not _same(one, asked[one.key])]
        if other:
            message = f"{file.called} asks or weighs {_listed(other)} otherwise; the first file counts"
            found.append(Notice("question-differs", message))
    return found


def _same(one: Question, other: Question) -> bool:
    return replace(one, answers={}) == replace(other, answers={})


def _charts(files: Sequence[_File]) -> list[Notice]:
    """Return which files name other processes than those that count."""
    named = [file for file in files if file.chart is not None]
    return [
        Notice(
            "processes-differ", f"{file.called} names other processes, {file.chart}; what counts is {named[0].chart}"
        )
        for file in named[1:]
        if file.evaluation.assessment != named[0].evaluation.assessment
    ]


def _listed(keys: Sequence[str]) -> str:
    left = len(keys) - _MOST
    return ", ".join(keys[:_MOST]) + (f" and {left} more" if left > 0 else "")
