"""``tracked.json``: where else a run was told of, or why it was not; beside the record, which stays as it is."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mlops_cli.errors import StoreError
from mlops_cli.records import SCHEMA_VERSION, Notice, RunStatus, Tracked
from mlops_cli.store.files import locked, read_json, write_json
from mlops_cli.store.layout import RunPaths
from mlops_cli.store.values import stamp

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlops_cli.records import RunRecord

NOT_TRACKED = "not-tracked"
"""The code of the warning that a tracker was not told of a run, or not of all of it."""


def note_tracked(record: RunRecord, told: Tracked, asked: Mapping[str, Any]) -> None:
    """Write down how a tracker was told of a run, in the place of what was said of that tracker before.

    Parameters
    ----------
    record : RunRecord
        The run.
    told : Tracked
        Where it is to be seen, or what went wrong.
    asked : mapping
        The tracker's keys: kept beside those of other places that it was told of before, where nothing went wrong.

    Raises
    ------
    StoreError
        The disk refuses.
    """
    paths = RunPaths(record.path)
    with locked(paths.workspace.amend_lock):
        found = {one.tracker: one for one in read_tracked(record)}
        before = found[told.tracker].keys if told.tracker in found else ()
        keys = (*(one for one in before if one != asked), *([dict(asked)] if told.problem is None else []))
        found[told.tracker] = replace(told, keys=keys)
        trackers = {name: _to_json(one) for name, one in sorted(found.items())}
        write_json(paths.tracked, {"schema_version": SCHEMA_VERSION, "trackers": trackers})


def read_tracked(record: RunRecord) -> tuple[Tracked, ...]:
    """Return where else a run was told of; nothing where that cannot be read, since the run is whole without it."""
    path = RunPaths(record.path).tracked
    if not path.is_file():
        return ()
    try:
        trackers = read_json(path)["trackers"]
        return tuple(_from_json(str(name), value) for name, value in trackers.items())
    except (StoreError, KeyError, TypeError, ValueError, AttributeError):
        return ()


def untold(record: RunRecord) -> tuple[Notice, ...]:
    """Return a warning for each tracker that was not told of a run, or not of all of it; none while it goes on.

    They are no part of the record: a tracker may be told later.
    """
    if record.status is RunStatus.RUNNING:
        return ()
    return tuple(warning_of(record, told) for told in read_tracked(record) if told.problem is not None)


def warning_of(record: RunRecord, told: Tracked, settings: Sequence[str] = ()) -> Notice:
    """Return what is said of a run that a tracker was not told of, with the command that tells it.

    Parameters
    ----------
    record : RunRecord
        The run.
    told : Tracked
        Which tracker, and why it was not told.
    settings : sequence of str
        ``KEY=VALUE`` that the command needs besides the tracker's name.
    """
    command = " ".join(["mlops runs export", record.id, "--to", told.tracker, *map(shlex.quote, settings)])
    return Notice(NOT_TRACKED, f"{told.tracker}: {told.problem}; `{command}` tells it later")


def _to_json(told: Tracked) -> dict[str, Any]:
    return {"at": told.at, "problem": told.problem, "keys": list(map(dict, told.keys)), "told": stamp()}


def _from_json(name: str, value: Mapping[str, Any]) -> Tracked:
    at, problem = value.get("at"), value.get("problem")
    keys = tuple(map(dict, value.get("keys") or ()))
    return Tracked(name, None if at is None else str(at), None if problem is None else str(problem), keys)
