"""What tests of launchers share: one that is closed, results by their keys, processes that are to be gone."""

import time
from contextlib import contextmanager
from pathlib import Path

from mlops_cli.components.launchers import make_launcher
from mlops_cli.contracts import Call
from mlops_cli.records import LauncherSpec

PATIENCE_S = 60


@contextmanager
def launched(backend="loky", n_jobs=2, *, inline=False, preload=(), **limits):
    launcher = make_launcher(LauncherSpec(backend, n_jobs, **limits), inline=inline, preload=preload)
    try:
        yield launcher
    finally:
        launcher.close(kill=True)


def submit(launcher, *calls):
    """Submit pairs of function and argument; their keys are their places."""
    for key, (function, argument) in enumerate(calls):
        launcher.submit(Call(key, function, argument))


def collect(launcher, count):
    """Return so many results by their keys."""
    found = {}
    deadline = time.monotonic() + PATIENCE_S
    while len(found) < count:
        assert time.monotonic() < deadline, f"{len(found)} of {count} came back"
        for returned in launcher.wait(timeout=1):
            assert returned.key not in found, "it came back twice"
            found[returned.key] = returned
    assert not launcher.wait(timeout=0)
    return found


def results(launcher, *calls):
    submit(launcher, *calls)
    found = collect(launcher, len(calls))
    return [found[key] for key in range(len(calls))]


def until(true, what):
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


def is_alive(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def gone(*pids):
    until(lambda: not any(map(is_alive, pids)), f"of {pids} some are left")


def children(pid):
    lists = Path(f"/proc/{pid}/task").glob("*/children")  # each thread has its own
    return [int(child) for found in lists for child in found.read_text().split()]


def pids_in(marker):
    until(marker.exists, "the call has not begun")
    return [int(pid) for pid in marker.read_text().split()]


def descendants(pid):
    found = children(pid)
    return found + [below for child in found for below in descendants(child)]
