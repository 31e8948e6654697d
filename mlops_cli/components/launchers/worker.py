"""The worker's side: a process that computes calls one after another and answers for each as it ends.

It holds no state that matters, so it may be killed at any moment. Two things run in it: the main thread computes, and
a second one reads what the parent sends and notices when the parent is gone.
"""

from __future__ import annotations

import ctypes
import faulthandler
import importlib
import json
import os
import pickle
import queue
import selectors
import signal
import socket
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_cli.components.launchers.channel import CHUNK_BYTES, Frames, framed
from mlops_cli.components.launchers.messages import Answer, Kind, Order
from mlops_cli.components.launchers.verdicts import OUTPUT_CHARACTERS, end_of, outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

DUMP_SIGNAL = signal.SIGUSR2
"""On this signal a worker writes where each of its threads is, even one that never gives Python's lock back."""

LOOK_S = 1.0
"""How often a worker makes sure that its parent lives; mostly it is told by the end of their connection."""

_SET_PARENT_DEATH_SIGNAL = 1
_HANDLED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM, signal.SIGUSR1)


def main(settings: str) -> None:
    """Run a worker until its parent ends it.

    Parameters
    ----------
    settings : str
        JSON: ``socket``, the descriptor to talk over; ``parent``, its process; ``preload``, modules to import; ``log``,
        the file that stdout and stderr go to.
    """
    given = json.loads(settings)
    end = socket.socket(fileno=given["socket"])
    end.set_inheritable(False)
    log = os.dup(2)
    _settle(given["parent"], log)
    os.register_at_fork(after_in_child=end.close)  # else the parent does not see that this process is gone
    orders: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    desk = _Desk(end, orders, log)
    threading.Thread(target=_serve, args=(desk, given["parent"], Path(given["log"])), daemon=True).start()
    _import(given["preload"])
    desk.work()


def _settle(parent: int, log: int) -> None:
    """Leave Ctrl-C to the parent, end with it however it ends, and say where a crash was."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    faulthandler.enable(file=log)
    faulthandler.register(DUMP_SIGNAL, file=log)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace", line_buffering=True)  # type: ignore[union-attr]
    end_soon_after_parent()
    if os.getppid() != parent:
        os._exit(1)


def end_soon_after_parent() -> None:
    """Have the kernel end this process a second after its parent, where Python itself is too busy to.

    The kernel's signal must not kill at once: the listening thread then has no time to end the processes that calls
    have started. It must need nothing of Python either. SIGHUP is 1, and so ``alarm`` as its handler means one second.
    """
    if not sys.platform.startswith("linux"):
        return
    with suppress(OSError, AttributeError):
        libc = ctypes.CDLL(None)
        libc.signal.argtypes = [ctypes.c_int, ctypes.c_void_p]
        libc.signal.restype = ctypes.c_void_p
        libc.signal(int(signal.SIGHUP), ctypes.cast(libc.alarm, ctypes.c_void_p))
        libc.prctl(_SET_PARENT_DEATH_SIGNAL, int(signal.SIGHUP))


def _serve(desk: _Desk, parent: int, log: Path) -> None:
    """Take orders as long as the parent lives; then end this process with what its calls have started."""
    desk.listen(parent)
    with suppress(OSError):
        log.unlink()
        log.parent.rmdir()  # by the last worker
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def _import(modules: Sequence[str]) -> None:
    for name in modules:
        with suppress(Exception):  # the call that needs it will say why it cannot be imported
            importlib.import_module(name)


class _Desk:
    """What a worker is asked and what it answers."""

    def __init__(self, end: socket.socket, orders: queue.SimpleQueue[bytes], log: int) -> None:
        self._socket = end
        self._orders = orders
        self._log = log
        self._pid = os.getpid()
        self._lock = threading.Lock()  # both threads answer
        self._surroundings = _Surroundings()

    def listen(self, parent: int) -> None:
        """Read orders until the parent is gone."""
        frames = Frames()
        with selectors.DefaultSelector() as selector:
            selector.register(self._socket, selectors.EVENT_READ)
            while os.getppid() == parent:
                if selector.select(LOOK_S):
                    piece = self._read()
                    if not piece:
                        break
                    for message in frames.add(piece):
                        self._take(message)

    def _read(self) -> bytes:
        try:
            return self._socket.recv(CHUNK_BYTES)
        except OSError:
            return b""

    def _take(self, message: bytes) -> None:
        if Order.read(message).recall:
            self._answer(Answer(Kind.RECALLED, value=pickle.dumps(self._not_begun())))
        else:
            self._orders.put(message)

    def _not_begun(self) -> list[int]:
        found = []
        with suppress(queue.Empty):
            while True:
                found.append(Order.read(self._orders.get_nowait()).number)
        return found

    def work(self) -> None:
        """Answer orders for ever."""
        self._answer(Answer(Kind.READY))
        while True:
            order = Order.read(self._orders.get())
            os.ftruncate(self._log, 0)
            self._answer(self._compute(order))
            self._surroundings.restore()

    def _compute(self, order: Order) -> Answer:
        started = time.perf_counter()
        value = outcome(order.call, dumps)
        seconds = time.perf_counter() - started
        if isinstance(value, bytes):
            return Answer(Kind.VALUE, order.number, seconds, value)
        return Answer(Kind.LOST, order.number, seconds, pickle.dumps((value, self._output()), protocol=5))

    def _output(self) -> str:
        for stream in (sys.stdout, sys.stderr):
            with suppress(Exception):  # a call may have put anything there
                stream.flush()
        return end_of(self._log)[-OUTPUT_CHARACTERS:]

    def _answer(self, answer: Answer) -> None:
        if os.getpid() != self._pid:
            os._exit(0)  # a call has forked, and both of them came back
        with self._lock:
            self._socket.sendall(framed(answer.write()))


def dumps(value: Any) -> bytes:
    """Pickle a value; what has no importable name is sent whole, as loky does."""
    try:
        return pickle.dumps(value, protocol=5)
    except Exception:  # noqa: BLE001 - of several kinds; the second attempt says what is wrong
        from joblib.externals.loky.backend import reduction

        return bytes(reduction.dumps(value))


class _Surroundings:
    """What a call could change for the next one: the current folder, the environment, signal handlers."""

    def __init__(self) -> None:
        self._folder = os.getcwd()  # noqa: PTH109 - as text, for chdir
        self._environment = dict(os.environ)
        self._handlers = {number: signal.getsignal(number) for number in _HANDLED}
        self._streams = sys.stdout, sys.stderr

    def restore(self) -> None:
        """Put back what has changed."""
        with suppress(OSError):
            os.chdir(self._folder)
        if dict(os.environ) != self._environment:
            os.environ.clear()
            os.environ.update(self._environment)
        sys.stdout, sys.stderr = self._streams
        self._restore_handlers()

    def _restore_handlers(self) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in self._handlers.items():
            if signal.getsignal(number) is not handler:
                signal.signal(number, handler)
                if number == signal.SIGHUP:
                    end_soon_after_parent()
