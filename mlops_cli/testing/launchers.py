"""The contract suite of launchers."""

from __future__ import annotations

import ctypes
import os
import signal
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_cli.contracts import Call

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from mlops_cli.contracts import Launcher, Returned

_WINDOW = 8
_MANY = 200
_PATIENCE_S = 120.0


def check_launcher(make: Callable[..., Launcher], *, isolates: bool = True) -> None:
    """Check that a launcher keeps to `mlops_cli.contracts.Launcher`.

    Every call comes back once, with its value or with why it was lost, whatever the calls beside it do; `wait` comes
    back when it should; what is cancelled never comes back; and closing waits for nothing that hangs.

    Parameters
    ----------
    make : callable
        Returns a new launcher; where it isolates, takes limits as keyword arguments: ``trial_timeout`` in seconds,
        ``trial_memory`` in bytes.
    isolates : bool
        Whether a call may kill, block or fill the process that it runs in.

    Examples
    --------
    >>> from mlops_cli.components.launchers import make_launcher
    >>> from mlops_cli.records import LauncherSpec
    >>> check_launcher(lambda: make_launcher(LauncherSpec("sequential"), inline=True), isolates=False)
    """
    with tempfile.TemporaryDirectory() as folder:
        for number, check in enumerate([_check_calls, _check_raising, _check_waiting, _check_cancelling]):
            with _closed_after(make()) as launcher:
                check(launcher, Path(folder, str(number)))
        if isolates:
            _check_isolation(make, Path(folder))


@contextmanager
def _closed_after(launcher: Launcher) -> Iterator[Launcher]:
    try:
        yield launcher
    finally:
        started = time.monotonic()
        launcher.close(kill=True)
        launcher.close()  # to close twice does nothing
        seconds = time.monotonic() - started
        assert seconds < _PATIENCE_S / 4, f"it took {seconds:.0f} s to close"  # noqa: S101


def _collected(launcher: Launcher, count: int) -> dict[Any, Returned]:
    """Return so many results by their keys."""
    found: dict[Any, Returned] = {}
    deadline = time.monotonic() + _PATIENCE_S
    while len(found) < count:
        assert time.monotonic() < deadline, f"{len(found)} of {count} calls came back"  # noqa: S101
        for returned in launcher.wait(timeout=1.0):
            assert returned.key not in found, f"{returned.key} came back twice"  # noqa: S101
            found[returned.key] = returned
    assert not launcher.wait(timeout=0.1), "more came back than was submitted"  # noqa: S101
    return found


def _check_innocent(found: Mapping[Any, Returned], numbers: range) -> None:
    for number in numbers:
        returned = found[number]
        assert returned.lost is None, f"an innocent call was lost: {returned.lost}"  # noqa: S101
        assert returned.value == 2 * number, f"{returned.value} came back for {number}"  # noqa: S101


def _check_calls(launcher: Launcher, _folder: Path) -> None:
    assert launcher.workers >= 1  # noqa: S101
    assert not launcher.wait(), "something came back before anything was submitted"  # noqa: S101
    launcher.expect(_MANY)
    launcher.warm()
    for number in range(_MANY // 2):
        launcher.submit(Call(number, _double, number))
    first = {returned.key: returned for returned in launcher.wait()}
    assert first, "waiting without a limit brought nothing"  # noqa: S101
    for number in range(_MANY // 2, _MANY):
        launcher.submit(Call(number, _double, number))
    _check_innocent(first | _collected(launcher, _MANY - len(first)), range(_MANY))


def _check_raising(launcher: Launcher, _folder: Path) -> None:
    for number in range(_WINDOW):
        launcher.submit(Call(number, _double, number))
    for kind in (ValueError, SystemExit, KeyboardInterrupt, _OddError):
        launcher.submit(Call(kind.__name__, _raise, kind))
    found = _collected(launcher, _WINDOW + 4)
    _check_innocent(found, range(_WINDOW))
    for kind in (ValueError, SystemExit, KeyboardInterrupt, _OddError):
        lost = found[kind.__name__].lost
        assert lost is not None, f"a call that raised {kind.__name__} came back as if it had not"  # noqa: S101
        assert lost.type == kind.__name__, f"{kind.__name__} came back as {lost.type}: {lost.message}"  # noqa: S101
        assert "_raise" in lost.traceback, "the traceback does not say where it was raised"  # noqa: S101


def _check_waiting(launcher: Launcher, marker: Path) -> None:
    launcher.submit(Call("long", _wait_for, str(marker)))
    assert not launcher.wait(timeout=0.2), "it waited for longer than its timeout"  # noqa: S101
    marker.touch()
    assert _collected(launcher, 1)["long"].lost is None  # noqa: S101


def _check_cancelling(launcher: Launcher, marker: Path) -> None:
    launcher.submit(Call("long", _wait_for, str(marker)))
    launcher.wait(timeout=0.0)
    for number in range(_MANY):
        launcher.submit(Call(number, _double, number))
    dropped = launcher.cancel(range(_MANY // 2, 2 * _MANY))
    assert dropped <= set(range(_MANY // 2, _MANY)), "it dropped what it was not to, or does not have"  # noqa: S101
    marker.touch()
    found = _collected(launcher, 1 + _MANY - len(dropped))
    assert not dropped & set(found), "what was dropped came back"  # noqa: S101
    assert set(range(_MANY // 2)) <= set(found), "what was not to be dropped did not come back"  # noqa: S101


def _check_isolation(make: Callable[..., Launcher], folder: Path) -> None:
    with _closed_after(make()) as launcher:
        _check_deaths(launcher, folder)
    with _closed_after(make(trial_timeout=2.0)) as launcher:
        _check_verdicts(launcher, {"TimeLimit": (_hang, None)})
    with _closed_after(make(trial_memory=1 << 30)) as launcher:
        _check_verdicts(launcher, {"MemoryLimit": (_grow, 3 << 29)})
    with _closed_after(make()) as launcher:
        launcher.submit(Call("hangs", _hang, None))
        launcher.wait(timeout=1.0)  # and now it is closed


def _check_deaths(launcher: Launcher, folder: Path) -> None:
    tried = folder / "tried"
    _check_verdicts(launcher, {"WorkerLost": (_exit, str(tried))})
    times = len(tried.read_text().split())
    assert times == 2, f"a call that kills its worker was tried {times} times, not twice"  # noqa: S101
    _check_verdicts(launcher, {"WorkerLost": (_kill_own_process, None)})
    _check_verdicts(launcher, {"WorkerLost": (_crash, None)})


def _check_verdicts(launcher: Launcher, culprits: Mapping[str, tuple[Callable[[Any], Any], Any]]) -> None:
    for number in range(_WINDOW):
        launcher.submit(Call(number, _double, number))
    for verdict, (function, argument) in culprits.items():
        launcher.submit(Call(verdict, function, argument))
    for number in range(_WINDOW, 2 * _WINDOW):
        launcher.submit(Call(number, _double, number))
    found = _collected(launcher, 2 * _WINDOW + len(culprits))
    _check_innocent(found, range(2 * _WINDOW))
    for verdict in culprits:
        lost = found[verdict].lost
        assert lost is not None, f"a call that should end in {verdict} came back"  # noqa: S101
        assert lost.type == verdict, f"a call that should end in {verdict} ended in {lost}"  # noqa: S101


class _OddError(Exception):
    """Cannot be made from its own arguments, and so not be unpickled."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(f"{first} and {second}")


def _double(number: int) -> int:
    return 2 * number


def _raise(kind: type[BaseException]) -> None:
    raise kind("this", "that") if kind is _OddError else kind("this")


def _wait_for(marker: str) -> None:
    while not Path(marker).exists():
        time.sleep(0.01)


def _exit(tried: str) -> None:
    with Path(tried).open("a", encoding="utf-8") as file:
        file.write("once ")
    os._exit(3)


def _kill_own_process(_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _crash(_: object) -> None:
    ctypes.string_at(0)


def _hang(_: object) -> None:
    while True:
        time.sleep(60)


def _grow(size: int) -> None:
    kept: list[bytes] = []
    while sum(map(len, kept)) < size:
        kept.append(b"x" * (16 << 20))
        time.sleep(0.005)
    _hang(None)
