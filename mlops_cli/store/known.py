"""Results that are there already, by fingerprint: of a run that is resumed, and of other runs of its experiment.

Only where each line is gets remembered, so that the memory of a sweep does not grow with what was there before it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from mlops_cli.errors import StoreError
from mlops_cli.records import TrialState
from mlops_cli.store.curves import curves_at, places_of_curves
from mlops_cli.store.files import read_bytes
from mlops_cli.store.find import run_folders
from mlops_cli.store.journal import parse_line, whole_lines
from mlops_cli.store.layout import RunPaths, WorkspacePaths

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from mlops_cli.records import Curve, RunRecord, TrialResult

_FINGERPRINT = re.compile(rb'(?<!\\)"fingerprint": "([0-9a-f]{64})"')
_NUMBER = re.compile(rb'\{"trial": (\d+),')
_STATE = re.compile(rb'(?<!\\)"state": "([a-z]+)"')

ALL = frozenset(TrialState)
GOOD = frozenset({TrialState.COMPLETED})
NOT_FAILED = frozenset({TrialState.COMPLETED, TrialState.PRUNED})


@dataclass(frozen=True)
class _Place:
    path: Path
    offset: int
    line: int


@dataclass(frozen=True)
class _Line:
    """What a line of a journal is about."""

    number: int
    fingerprint: str
    state: str
    place: _Place


@dataclass(frozen=True)
class Known:
    """Results by fingerprint."""

    own: Mapping[str, _Place] = field(default_factory=dict)  # of the run itself
    others: Mapping[str, _Place] = field(default_factory=dict)
    numbers: Mapping[int, str] = field(default_factory=dict)  # what the run's journal has last of each trial
    places: dict[Path, Mapping[int, tuple[int, ...]]] = field(default_factory=dict)  # of curves of others, as met

    def is_written(self, result: TrialResult) -> bool:
        """Whether the run's journal says this of the trial already."""
        return bool(result.fingerprint) and self.numbers.get(result.trial) == f"{result.fingerprint} {result.state}"

    def find(self, fingerprint: str) -> TrialResult | None:
        """Return a trial's result; of another run with its curves, and ``reused`` names that one."""
        place = self.own.get(fingerprint)
        if place is not None:
            return _read(place)
        place = self.others.get(fingerprint)
        if place is None:
            return None
        run, result = RunPaths(place.path.parent), _read(place)
        # How far it was from being pruned there says nothing here.
        return replace(result, reused=run.id, steps=(), curves=self._curves(run.curves, result.trial))

    def _curves(self, path: Path, trial: int) -> Mapping[int, Curve]:
        if path not in self.places:
            self.places[path] = places_of_curves(path)
        return curves_at(path, self.places[path].get(trial, ()))


def _read(place: _Place) -> TrialResult:
    with place.path.open("rb") as file:
        file.seek(place.offset)
        return parse_line(file.readline(), place.path, place.line)


def own_results(path: Path, *, retry_failed: bool = False) -> Known:
    """Return the results of the run in the directory ``path``.

    Parameters
    ----------
    path : Path
        The run's directory.
    retry_failed : bool
        Leave out the trials that failed or were lost, so that they run again.
    """
    lines = list(_lines(RunPaths(path).journal))
    numbers = {line.number: f"{line.fingerprint} {line.state}" for line in lines}
    return Known(own=_index(lines, NOT_FAILED if retry_failed else ALL), numbers=numbers)


def results_of_others(
    workspace: WorkspacePaths, experiment: str, data_version: str, before: RunRecord | None = None
) -> dict[str, _Place]:
    """Return where the completed trials are of all runs of an experiment that saw the same data, by fingerprint.

    Parameters
    ----------
    workspace : WorkspacePaths
        Where to look.
    experiment : str
        Whose runs.
    data_version : str
        What they saw; empty where they read no table.
    before : RunRecord, optional
        A run that goes on: only what had begun before it counts.
    """
    found: dict[str, _Place] = {}
    for folder in sorted(run_folders(workspace, experiment)):
        try:
            data = read_bytes(RunPaths(folder).run_json)
            if data_version.encode() in data and (before is None or _is_before(data, before)):
                found |= _index(_lines(RunPaths(folder).journal), GOOD)
        except (StoreError, ValueError, KeyError, TypeError):
            continue  # a run that cannot be read has nothing to offer
    return found


def _is_before(data: bytes, run: RunRecord) -> bool:
    started = json.loads(data)["started"]
    return datetime.fromisoformat(started) < datetime.fromisoformat(run.started)


def _lines(journal: Path) -> Iterator[_Line]:
    """Yield what the lines of a journal are about, which takes a tenth of parsing them."""
    for count, offset, line in whole_lines(journal):
        number, fingerprint, state = _NUMBER.match(line), _FINGERPRINT.search(line), _STATE.search(line)
        if number is not None and fingerprint is not None and state is not None:
            place = _Place(journal, offset, count)
            yield _Line(int(number[1]), fingerprint[1].decode(), state[1].decode(), place)


def _index(lines: Iterable[_Line], states: frozenset[TrialState]) -> dict[str, _Place]:
    """Return where the last word on each fingerprint is, where it is in one of some states."""
    found: dict[str, _Place] = {}
    for line in lines:
        if line.state in states:
            found[line.fingerprint] = line.place
        else:
            found.pop(line.fingerprint, None)
    return found
