"""The process that a tracker lives in: it is told of one run, message by message, and answers how far it is.

It has a process of its own because trackers' libraries change the one that they are in: they set filters of warnings,
which Python has one of for all threads, so that a run would record other warnings than without them; they change the
methods of other libraries, and wait for the network when the process ends. One that hangs can be killed.
"""

from __future__ import annotations

import json
import os
import pickle
import socket
import threading
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_cli.components.launchers.channel import CHUNK_BYTES, Frames, framed
from mlops_cli.components.launchers.verdicts import raised
from mlops_cli.components.launchers.worker import end_soon_after_parent
from mlops_cli.components.trackers import build_tracker
from mlops_cli.contracts import Ended

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_cli.components.trackers import Telling
    from mlops_cli.contracts import Tracker
    from mlops_cli.records import RunRecord

CLOSE_S = 5.0
"""How long a tracker may take to close when all is told, or its parent is gone."""


def main(end: int) -> None:
    """Tell a tracker what comes over a socket, and end the process.

    The first message is the spec, the trusted modules and the workspace's folder; each further one the name of a method
    of `Tracker` and its arguments. Answers are JSON: ``told`` counts trials, ``at`` comes after `finish`, and
    ``problem`` is the last one of all.
    """
    end_soon_after_parent()
    sock = socket.socket(fileno=end)
    tracker: Tracker | None = None
    try:
        messages = _messages(sock)
        spec, trust, root = next(messages)
        tracker = build_tracker(spec, trust, root)
        _tell(tracker, messages, sock)
    except BaseException as error:  # noqa: BLE001 - whatever a tracker raises; its parent says it
        _answer(sock, problem=raised(error).headline)
    _leave(tracker)


def _tell(tracker: Tracker, messages: Iterator[Any], sock: socket.socket) -> None:
    _, record, config = next(messages)
    tracker.start(record, config)
    for method, *arguments in messages:
        if method == "log_trial":
            tracker.log_trial(record, *arguments)
            _answer(sock, told=1)
        else:
            at = tracker.finish(ended(*arguments))
            _answer(sock, at=None if at is None else str(at))
            return


def _messages(sock: socket.socket) -> Iterator[Any]:
    """Yield what the parent sends, as long as there is one; it is a pickle of our own parent's alone."""
    frames = Frames()
    while piece := sock.recv(CHUNK_BYTES):
        for message in frames.add(piece):
            yield pickle.loads(message)  # noqa: S301 - over a pair of sockets that nobody else has an end of


def _answer(sock: socket.socket, **said: Any) -> None:
    try:
        sock.sendall(framed(json.dumps(said).encode()))
    except OSError:
        return  # the parent is gone, or waits no more


def _leave(tracker: Tracker | None) -> None:
    """Close the tracker, and end at once: what its library would do at the end of a process may take minutes."""
    closing = threading.Thread(target=_close, args=(tracker,), daemon=True)
    closing.start()
    closing.join(CLOSE_S)
    os._exit(0)


def _close(tracker: Tracker | None) -> None:
    try:
        if tracker is not None:
            tracker.close()
    except BaseException:  # noqa: BLE001, S110 - all has been told, or its failure is known
        pass


def ended(record: RunRecord, telling: Telling, sample: bytes | None, is_own: bool) -> Ended:
    """Return a run that has ended as trackers are told of it.

    Parameters
    ----------
    record : RunRecord
        As it was written.
    telling : Telling
        Which of its files may be sent.
    sample : bytes, optional
        A pickle of a few rows as the model takes them.
    is_own : bool
        Whether this very program has just written it: then its model is opened though it be a pickle.
    """
    files = _files(record, telling)
    if not any(name.startswith("model/model.") for name in record.files):
        return Ended(record, files)
    from mlops_cli.workflows.applying.model import saved_by

    saved = saved_by(record)
    return Ended(
        record,
        files,
        signature=saved.signature(),
        open_model=lambda: saved.open(allow_pickle=is_own).pipeline,
        sample=None if sample is None else lambda: pickle.loads(sample),  # noqa: S301 - as of every message
    )


def _files(record: RunRecord, telling: Telling) -> dict[str, Path]:
    """Return the files of a run that match any glob, by their path inside it; links are not followed."""
    found = {}
    for folder, _, names in os.walk(record.path):
        for name in names:
            path = Path(folder, name)
            inside = path.relative_to(record.path).as_posix()
            if any(fnmatchcase(inside, glob) for glob in telling.files) and path.is_file() and not path.is_symlink():
                found[inside] = path
    return dict(sorted(found.items()))
