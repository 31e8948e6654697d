"""One worker process, as its parent sees it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlops_cli.components.launchers.channel import Channel
from mlops_cli.components.launchers.limits import held_memory
from mlops_cli.components.launchers.messages import Answer, Kind, Order
from mlops_cli.components.launchers.verdicts import end_of, split_log, too_large, too_long
from mlops_cli.components.launchers.worker import DUMP_SIGNAL

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from mlops_cli.components.launchers.limits import Limits
    from mlops_cli.contracts import Call
    from mlops_cli.records import ErrorInfo

LOG_LIMIT = 1 << 24
"""A log that has grown past this is begun anew: a call that prints without end must not fill the disk."""

START_S = 300.0
"""How long a worker may take to start; one that takes longer hangs in an import."""

DUMP_S = 0.1
"""How long a worker past its time has to write down where it is, before it is killed."""

_START = (
    "import sys, json; settings = json.loads(sys.argv[1]); sys.path[:] = settings['path'];"
    " from mlops_cli.components.launchers.worker import main; main(sys.argv[1])"
)


@dataclass(frozen=True)
class Setting:
    """What all workers of a launcher start with."""

    folder: Path  # for their logs
    environment: Mapping[str, str]
    preload: tuple[str, ...] = ()


class Slot:
    """A worker process and the calls that it has been sent.

    Parameters
    ----------
    setting : Setting
        What it starts with.
    number : int
        Names its log.
    """

    def __init__(self, setting: Setting, number: int) -> None:
        self.calls: dict[int, Call] = {}  # sent and not answered, in the order in which they run
        self.ready = False
        self.answered = 0
        self.broken: ErrorInfo | None = None  # the limit for which it is killed
        self._log = setting.folder / f"worker-{number}.log"
        self._begun = time.monotonic()
        self._ended = False
        self._kill_at: float | None = None
        self._recalling = False
        self.channel, self._process = self._start(setting)

    def _start(self, setting: Setting) -> tuple[Channel, subprocess.Popen[bytes]]:
        """Start the process in a session of its own: Ctrl-C is for the parent, and a group can be killed."""
        ours, theirs = socket.socketpair()
        path = [entry for entry in sys.path if isinstance(entry, str)]
        given = {
            "path": path,
            "socket": theirs.fileno(),
            "parent": os.getpid(),
            "preload": setting.preload,
            "log": str(self._log),
        }
        with theirs, self._log.open("a+b") as log:  # appending: what is written after a truncation begins at 0
            process = subprocess.Popen(
                [sys.executable, "-P", "-c", _START, json.dumps(given)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=dict(setting.environment),
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        return Channel(ours), process

    @property
    def pid(self) -> int:
        """The process, which is also the name of its group."""
        return self._process.pid

    @property
    def idle(self) -> bool:
        """Whether it has started, may go on, and has nothing to do."""
        return self.ready and not self.calls and self.broken is None

    @property
    def seconds(self) -> float:
        """How long its present call has run."""
        return time.monotonic() - self._begun

    def send(self, number: int, call: Call, message: bytes) -> None:
        """Have it compute a call after those that it has."""
        if not self.calls:
            self._begun = time.monotonic()
        self.calls[number] = call
        self.channel.send(message)

    def recall(self) -> None:
        """Ask for the calls back that it has not begun."""
        if not self._recalling:
            self._recalling = True
            self.channel.send(Order().write())

    def answers(self) -> Iterator[Answer]:
        """Yield what it has said since, taking note of what that means for it."""
        for message in self.channel.receive():
            answer = Answer.read(message)
            self._note(answer)
            yield answer

    def _note(self, answer: Answer) -> None:
        self._begun = time.monotonic()
        if answer.kind is Kind.READY:
            self.ready = True
        elif answer.kind is Kind.RECALLED:
            self._recalling = False
        else:
            self.answered += 1

    def is_dead(self) -> bool:
        """Whether it has ended, or will say nothing more."""
        return self._ended or not self.channel.is_open

    def look(self, limits: Limits) -> None:
        """Hold the limits: end a worker that breaks one."""
        self._shorten_log()
        self._ended = self._process.poll() is not None  # mostly its channel tells before, if nobody else has hold of it
        if self._ended:
            return
        if not self.ready:
            if time.monotonic() > self._begun + START_S:
                self.kill()
        elif self._kill_at is not None:
            if time.monotonic() >= self._kill_at:
                self.kill()
        elif self.calls and self.broken is None:
            self._hold(limits)

    def _hold(self, limits: Limits) -> None:
        if limits.seconds is not None and self.seconds > limits.seconds:
            self.broken = too_long(limits.seconds)
            self._ask_where_it_is()
        elif limits.memory is not None and held_memory(self.pid) > limits.memory:
            self.broken = too_large(limits.memory)
            self.kill()

    def _ask_where_it_is(self) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.pid, DUMP_SIGNAL)
        self._kill_at = time.monotonic() + DUMP_S

    def patience(self, limits: Limits) -> float | None:
        """Return the seconds after which `look` is due; None where nothing but an answer will make a difference."""
        if self._kill_at is not None:
            return max(0.0, self._kill_at - time.monotonic())
        if limits.seconds is None or not self.calls:
            return None
        return max(0.0, limits.seconds - self.seconds) + 0.001

    def _shorten_log(self) -> None:
        with suppress(OSError):
            if self._log.stat().st_size > LOG_LIMIT:
                os.truncate(self._log, 0)

    def log(self) -> tuple[str, str]:
        """Return the end of what it printed since its present call began, and where it was when it crashed."""
        try:
            with self._log.open("rb") as file:
                return split_log(end_of(file.fileno()))
        except OSError:
            return "", ""

    def kill(self) -> None:
        """End it at once, with whatever its calls have started."""
        with suppress(OSError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.kill()

    def end(self) -> int | None:
        """Wait for its end, which is near, and let go of all that it had; return how it ended."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=0.2)  # one that has closed its connection may be about to say how it ends
        ended = self._process.returncode
        self.kill()  # what its calls have started may go on without it
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=1)  # longer only where the kernel itself is stuck
        self.channel.close()
        with suppress(OSError):
            self._log.unlink()
        return ended
