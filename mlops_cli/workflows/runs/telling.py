"""``mlops runs export --to``: tell a tracker of runs that are there, as it would have been told while they ran."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mlops_cli.components.construct import spec_from
from mlops_cli.components.trackers import make_tracker, tracker_name
from mlops_cli.components.trackers.asked import asked_of, is_told
from mlops_cli.config.tracker import read_tracker, settings_of
from mlops_cli.config.workspace import find_workspace
from mlops_cli.config.yaml_guard import read_text
from mlops_cli.errors import MlopsError, StoreError
from mlops_cli.execution.job import make_importable
from mlops_cli.records import ComponentSpec, RunStatus, Tracked
from mlops_cli.store.curves import read_curves
from mlops_cli.store.find import DamagedRun, is_alive, read_trials
from mlops_cli.store.layout import RunPaths
from mlops_cli.store.tracked import read_tracked, warning_of
from mlops_cli.workflows.running.tracking import TrackerProcess
from mlops_cli.workflows.runs.manage import chosen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from mlops_cli.config.workspace import Workspace
    from mlops_cli.records import Notice, RunRecord, TrialResult

    Watch = Callable[[RunRecord, int, int], None]  # how many trials of a run have been told, of how many

MOST_AHEAD = 100
"""Trials that are sent before the tracker has said that it has them: a long sweep is not held in memory twice."""


class NotTrackedError(MlopsError):
    """A tracker could not be told of a run."""


def ignore(_record: RunRecord, _told: int, _of: int) -> None:
    """Watch without doing anything."""


def tell(
    refs: Sequence[str],
    to: str,
    settings: Sequence[str] = (),
    *,
    where: str = "",
    watch: Watch = ignore,
    workspace: str | Path | None = None,
) -> Iterator[tuple[RunRecord, Tracked]]:
    """Tell a tracker of runs, and yield each with where it is to be seen then.

    Parameters
    ----------
    refs : sequence of str
        Which runs.
    to : str
        An option of the group ``tracker``, or the dotted name of a class.
    settings : sequence of str
        ``KEY=VALUE`` for keys of the tracker.
    where : str
        And those runs that match this filter.
    watch : callable
        Told how far it is.
    workspace : str or Path, optional
        The one around the current folder where not given.

    Raises
    ------
    UsageError, ConfigError, MissingExtraError
        There is no such tracker, or a key of it is wrong: nothing is told then.
    StoreError
        There is no such run, or it is running.
    NotTrackedError
        The tracker could not be told, with why; no other run is told after that.
    """
    home = find_workspace(workspace)
    make_importable(str(home.root), home.trust)
    told_by = [(run, _spec(run, to, settings, home)) for run in map(_told_of, chosen(refs, where, workspace))]
    for spec in [spec for _, spec in told_by] or [read_tracker(to, settings, home)]:
        make_tracker(spec, home.trust, home.root)  # what is wrong with it is said before anything is told
    for record, spec in told_by:
        yield record, _tell(record, spec, home, watch)


def tell_of(record: RunRecord, to: str, settings: Mapping[str, Any]) -> str | None:
    """Tell a tracker of one run, with keys as values of Python; return where it is to be seen then."""
    home = find_workspace(record.path)
    make_importable(str(home.root), home.trust)
    spec = _spec(record, to, (), home)
    spec = replace(spec, params={**spec.params, **settings})
    make_tracker(spec, home.trust, home.root)
    return _tell(_told_of(record), spec, home, ignore).at


def warnings_of(record: RunRecord, spec: ComponentSpec | None, workspace: Workspace) -> tuple[Notice, ...]:
    """Return what is to be said of a run that was there already, where a tracker is asked for that was not told of it.

    One that was told of it at another place, or with less, was not told of it as it is asked for.

    Parameters
    ----------
    record : RunRecord
        The run.
    spec : ComponentSpec, optional
        The tracker that is asked for now.
    workspace : Workspace
        Where the run is.
    """
    if spec is None:
        return ()
    name, asked = tracker_name(spec), asked_of(spec, workspace.root)
    try:
        known = _spec(record, name, (), workspace)
    except MlopsError:  # its config cannot be read any more, or the option is gone
        known = ComponentSpec(spec.target)
    told = next((one for one in read_tracked(record) if one.tracker == name), None)
    problem = _unlike(asked, told, asked_of(known, workspace.root))
    return () if problem is None else (warning_of(record, Tracked(name, problem=problem), settings_of(spec, known)),)


def _unlike(asked: Mapping[str, Any], told: Tracked | None, known: Mapping[str, Any]) -> str | None:
    """Return why a tracker was not told what is asked for; None where it was.

    Of a run whose keys were not written down as it was told, those of its config are ``known``.
    """
    if told is None:
        return "it was never told of this run, which was there already"
    keys = told.keys or (() if told.problem else (known,))
    if is_told(asked, keys):
        return None
    if told.problem is not None:
        return told.problem
    other = settings_of(ComponentSpec("", asked), ComponentSpec("", keys[-1])) or ["these keys"]
    return f"it was told of this run, which was there already, but not with {' '.join(other)}"


def _spec(record: RunRecord, to: str, settings: Sequence[str], workspace: Workspace) -> ComponentSpec:
    """Return the tracker of a name: as the run's own config sets its keys, where that names it too."""
    own = _config(record).get("tracker")
    named = isinstance(own, dict) and own.get("_target_") is not None and tracker_name(spec_from(own)) == to
    return read_tracker(to, settings, workspace, own if named else None)


def _told_of(run: RunRecord | DamagedRun) -> RunRecord:
    if isinstance(run, DamagedRun):
        raise StoreError(f"the run in {run.path} is damaged: {run.reason}")
    if is_alive(run.path):
        raise StoreError(f"the run {run.id} is running", hint="wait for it to end")
    # Of a run that was killed the record may still say that it goes on.
    return replace(run, status=RunStatus.INTERRUPTED) if run.status is RunStatus.RUNNING else run


def _tell(record: RunRecord, spec: ComponentSpec, workspace: Workspace, watch: Watch) -> Tracked:
    tracker = TrackerProcess(spec, workspace)
    trials = _trials(record)
    try:
        tracker.start(record, _config(record))
        for sent, result in enumerate(trials):
            tracker.log_trial(result)
            _wait(tracker, sent + 1 - MOST_AHEAD)
            watch(record, tracker.told, len(trials))
        _wait(tracker, len(trials), lambda told: watch(record, told, len(trials)))
        found = tracker.finish(record, None, is_own=False, seconds=None)
    finally:
        tracker.close(wait_s=0.0)
    if found.problem is not None:
        raise NotTrackedError(f"{found.tracker} was not told of {record.id}: {found.problem}")
    return found


def _wait(tracker: TrackerProcess, least: int, watch: Callable[[int], None] = lambda _: None) -> None:
    while tracker.told < least and not tracker.is_over:
        tracker.hear(None)
        watch(tracker.told)


def _trials(record: RunRecord) -> list[TrialResult]:
    curves = read_curves(RunPaths(record.path).curves)
    return [replace(result, curves=curves.get(result.trial, {})) for result in read_trials(record.path)]


def _config(record: RunRecord) -> dict[str, Any]:
    """Return a run's config as it was saved."""
    import yaml

    path = RunPaths(record.path).config
    config = yaml.safe_load(read_text(path, str(path)))
    return config if isinstance(config, dict) else {}
