"""Tells a tracker of a run, in a process beside it: whatever the tracker does, the run goes on as it would have."""

from __future__ import annotations

import json
import os
import pickle
import re
import select
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING, Any

from mlops_cli.components.launchers.channel import Channel
from mlops_cli.components.sources.secrets import masked
from mlops_cli.components.trackers import make_tracker, telling_of, tracker_name
from mlops_cli.components.trackers.asked import asked_of
from mlops_cli.errors import ConfigError, StoreError
from mlops_cli.records import RunStarted, RunStatus, Stage, Tracked, TrialFinished
from mlops_cli.store.curves import read_curves
from mlops_cli.store.layout import RunPaths
from mlops_cli.store.log import RunLog
from mlops_cli.store.tracked import note_tracked, warning_of
from mlops_cli.workflows.running.recording import both
from mlops_cli.workflows.running.tell import CLOSE_S

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mlops_cli.config.workspace import Workspace
    from mlops_cli.contracts import Observer, Tracker
    from mlops_cli.records import ComponentSpec, Curve, Event, RunRecord, TrialResult
    from mlops_cli.workflows.running.prepare import Composed, Prepared
    from mlops_cli.workflows.running.recording import Outcome

MOST_BEHIND = 20_000
"""Trials that a tracker may lag behind before it is given up: they are kept in memory until it is told of them."""

SAMPLE_ROWS = 5

_START = (
    "import sys, json; sys.path[:] = json.loads(sys.argv[2]);"
    " from mlops_cli.workflows.running.tell import main; main(int(sys.argv[1]))"
)
_LONGEST = 300
_SECRET_NAME = re.compile(r"(KEY|TOKEN|SECRET|PASSWORD)$")
_LEAST_SECRET = 6


def tracker_of(composed: Composed) -> Tracker | None:
    """Return what a run is to be told to; None where to nobody. Nothing is told yet.

    Raises
    ------
    ConfigError
        A key of the tracker is wrong; the message names the file and the key.
    MissingExtraError
        It needs a package that is not installed.
    """
    spec = composed.spec.tracker
    if spec is None:
        return None
    try:
        return make_tracker(spec, composed.workspace.trust, composed.workspace.root)
    except ConfigError as error:
        if error.key is not None and error.file is None:
            error.file = composed.composition.where(error.key)
        raise


def tracking_of(prepared: Prepared) -> Tracking | None:
    """Return what tells of a run that is to begin; None where it is told to nobody.

    Raises
    ------
    ConfigError, MissingExtraError
        As `tracker_of`.
    """
    spec = prepared.spec.tracker
    if spec is None or tracker_of(prepared.composed) is None:
        return None
    return Tracking(TrackerProcess(spec, prepared.workspace), prepared.config, lambda: sample_of(prepared))


def sample_of(prepared: Prepared) -> bytes | None:
    """Return a pickle of a few of the rows that a run was trained on, as its model takes them."""
    return pickle.dumps(prepared.dataset.X.head(SAMPLE_ROWS)) if prepared.spec.has_table else None


def tracked(tracking: Tracking | None, observer: Observer, run: Callable[[Observer], Outcome]) -> Outcome:
    """Run what is told to an observer, and to a tracker where there is one; return how it ended."""
    if tracking is None:
        return run(observer)
    try:
        outcome = run(both(observer, tracking))
    except BaseException:
        tracking.abandon()
        raise
    told = both(observer, RunLog(RunPaths(outcome.record.path).log))
    return replace(outcome, record=tracking.end(outcome.record, told))


class TrackerProcess:
    """A tracker in its process, which is told of one run; no call here waits for it but `finish`.

    Parameters
    ----------
    spec : ComponentSpec
        The section ``tracker`` of a config, checked by `make_tracker`.
    workspace : Workspace
        Where the run is.
    """

    def __init__(self, spec: ComponentSpec, workspace: Workspace) -> None:
        self.name = tracker_name(spec)
        self.telling = telling_of(spec)
        self.told = 0  # trials that it has been told of
        self._sent = 0
        self._at: str | None = None
        self.is_over = False  # it was told all, or could not be
        self._problem: str | None = None
        self._asked = asked_of(spec, workspace.root)
        self._first = (spec, tuple(workspace.trust), workspace.root)
        self._channel: Channel | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, record: RunRecord, config: Mapping[str, Any]) -> None:
        """Start the process, and tell it that a run begins."""
        ours, theirs = socket.socketpair()
        path = [entry for entry in sys.path if isinstance(entry, str)]
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", _START, str(theirs.fileno()), json.dumps(path)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # Ctrl-C is for the parent, and a group can be killed
            )
        self._channel = Channel(ours)
        self._send(self._first)
        self._send(("start", record, config))
        with suppress(StoreError):  # it is said at the end again; a run that is killed by then has this
            unended = Tracked(self.name, problem="it has not been told how the run ended")
            note_tracked(record, unended, self._asked)

    def log_trial(self, result: TrialResult) -> None:
        """Tell of a trial that has ended."""
        self.hear(0.0)
        if self._sent - self.told > MOST_BEHIND and self._problem is None:
            self._problem = f"it lagged {MOST_BEHIND} trials behind"
        self._send(("log_trial", result))
        self._sent += 1

    def finish(self, record: RunRecord, sample: bytes | None, *, is_own: bool, seconds: float | None) -> Tracked:
        """Tell how a run ended, wait for the tracker for so many seconds at most, and write down what came of it."""
        self._send(("finish", record, self.telling, sample, is_own))
        deadline = None if seconds is None else monotonic() + seconds
        try:
            while not self.is_over and (left := _left(deadline)) != 0.0:
                self.hear(left)
        except KeyboardInterrupt:
            self._problem = self._problem or "it had not been told all before Ctrl-C"
        if not self.is_over and self._problem is None:
            self._problem = f"it had not been told all after {seconds:g} s"
        self.close(wait_s=CLOSE_S if self.is_over else 0.0)
        found = Tracked(self.name, None if self._at is None else masked(self._at), self._problem)
        try:
            note_tracked(record, found, self._asked)
        except StoreError as error:
            return replace(found, problem=found.problem or str(error))
        return found

    def hear(self, timeout: float | None) -> None:
        """Send what waits and take note of what was answered, for so many seconds; None is until there is any."""
        channel = self._channel
        if channel is None or not channel.is_open:
            return
        writing = [channel] if channel.has_more_to_send else []
        select.select([channel], writing, [], timeout)
        channel.flush()
        for message in channel.receive():
            self._note(json.loads(message))
        if not channel.is_open and not self.is_over:
            self.is_over, self._problem = True, self._problem or "its process ended before it was told all"

    def _note(self, answer: Mapping[str, Any]) -> None:
        self.told += answer.get("told", 0)
        if "problem" in answer:
            self._problem = self._problem or said(str(answer["problem"]))
        elif "at" in answer:
            self._at = answer["at"]
        self.is_over = self.is_over or "problem" in answer or "at" in answer

    def _send(self, message: Any) -> None:
        if self._channel is not None and self._problem is None and not self.is_over:
            self._channel.send(pickle.dumps(message))

    def close(self, *, wait_s: float) -> None:
        """Let go of the process, and end it where it does not end by itself; to close twice does nothing."""
        if self._process is None or self._channel is None:
            return
        self._channel.close()
        with suppress(subprocess.TimeoutExpired, KeyboardInterrupt):
            self._process.wait(timeout=wait_s)
        with suppress(OSError):
            os.killpg(self._process.pid, signal.SIGKILL)  # with what it has started
        self._process.wait()
        self._process = None


def _left(deadline: float | None) -> float | None:
    return None if deadline is None else max(0.0, deadline - monotonic())


class Tracking:
    """An observer that tells a tracker of one run.

    Parameters
    ----------
    tracker : TrackerProcess
        Not started yet.
    config : mapping
        As it is saved.
    sample : callable
        Returns a pickle of a few rows as the model takes them.
    """

    def __init__(self, tracker: TrackerProcess, config: Mapping[str, Any], sample: Callable[[], bytes | None]) -> None:
        self._tracker = tracker
        self._config = config
        self._sample = sample
        self._curves: Mapping[int, Mapping[int, Curve]] = {}  # of trials that ended before the run was resumed

    def __call__(self, event: Event) -> None:
        """Tell the tracker what concerns it; returns at once."""
        if isinstance(event, RunStarted):
            self._curves = read_curves(RunPaths(event.record.path).curves)
            self._tracker.start(event.record, self._config)
        elif isinstance(event, TrialFinished):
            known = self._curves.get(event.result.trial, {})
            self._tracker.log_trial(event.result if event.result.curves else replace(event.result, curves=known))

    def end(self, record: RunRecord, told: Observer) -> RunRecord:
        """Tell how a run ended, and wait for the tracker no longer than was asked for.

        Parameters
        ----------
        record : RunRecord
            As it was written: what is told here is kept beside it.
        told : Observer
            Told of the warning that the run was not tracked, if so.

        Returns
        -------
        RunRecord
            With that warning, which its file does not have: the run may be told of later.
        """
        told(Stage("track", self._tracker.name))
        seconds = self._tracker.telling.wait_s
        if record.status is RunStatus.INTERRUPTED:  # whoever pressed Ctrl-C waits; a resumed run is told on
            seconds = min(seconds, CLOSE_S)
        found = self._tracker.finish(record, self._sample(), is_own=True, seconds=seconds)
        if found.problem is None:
            return record
        notice = warning_of(record, found)
        told(notice)
        return replace(record, warnings=(*record.warnings, notice))

    def abandon(self) -> None:
        """Let go of the tracker of a run that broke off: ``mlops resume`` tells on."""
        self._tracker.close(wait_s=CLOSE_S)


def said(text: str) -> str:
    """Return an error's text in one line, without passwords of addresses and without keys of the environment."""
    secrets = [v for name, v in os.environ.items() if _SECRET_NAME.search(name) and len(v) >= _LEAST_SECRET]
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "***")
    line = masked(" ".join(text.split()))
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"
