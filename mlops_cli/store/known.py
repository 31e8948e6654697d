"""Results that are there already, by fingerprint: of a run that is resumed, and of other runs of its experiment.

Only where each line is gets remembered, so that the memory of a sweep does not grow with what was there before it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from mlops_cli.errors import StoreError
from mlops_cli.records import TrialState
from mlops_cli.store.files import read_bytes
from mlops_cli.store.find import run_folders
from mlops_cli.store.journal import parse_line, whole_lines
from mlops_cli.store.layout import RunPaths, WorkspacePaths

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from mlops_cli.records import TrialResult

_FINGERPRINT = re.compile(rb'(?<!\\)"fingerprint": "([0-9a-f]{64})"')
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
class Known:
    """Results by fingerprint."""

    own: Mapping[str, _Place] = field(default_factory=dict)  # of the run itself
    others: Mapping[str, _Place] = field(default_factory=dict)

    def find(self, fingerprint: str) -> TrialResult | None:
        """Return a trial's result; ``reused`` names the run where that is another one."""
        place = self.own.get(fingerprint)
        if place is not None:
            return _read(place)
        place = self.others.get(fingerprint)
        if place is None:
            return None
        return replace(_read(place), reused=RunPaths(place.path.parent).id)


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
    return Known(own=_index(RunPaths(path).journal, NOT_FAILED if retry_failed else ALL))


def results_of_others(workspace: WorkspacePaths, experiment: str, data_version: str) -> Known:
    """Return the completed trials of all runs of an experiment that saw the same data."""
    found: dict[str, _Place] = {}
    for folder in run_folders(workspace, experiment):
        try:
            if data_version.encode() in read_bytes(RunPaths(folder).run_json):
                found |= _index(RunPaths(folder).journal, GOOD)
        except StoreError:
            continue  # a run that cannot be read has nothing to offer
    return Known(others=found)


def _index(journal: Path, states: frozenset[TrialState]) -> dict[str, _Place]:
    """Return where the last word on each fingerprint is, where it is in one of some states."""
    found: dict[str, _Place] = {}
    wanted = {str(state).encode() for state in states}
    for count, offset, line in whole_lines(journal):
        fingerprint, state = _FINGERPRINT.search(line), _STATE.search(line)
        if fingerprint is None or state is None:
            continue
        if state[1] in wanted:
            found[fingerprint[1].decode()] = _Place(journal, offset, count)
        else:
            found.pop(fingerprint[1].decode(), None)
    return found
