"""Calls that die, hang or grow get the right verdict, no other call is lost, and nothing is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

import launcher_faults as faults
import pytest
from launching import PATIENCE_S, children, collect, descendants, gone, launched, pids_in, results, submit

from mlops_cli.errors import ExecutionError

HERE = Path(__file__).parent

# --- dying -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "argument", "how"),
    [
        ("exits", 0, "ended with exit code 0"),
        ("exits", 3, "ended with exit code 3"),
        ("segfaults", None, "was killed by SIGSEGV"),
        ("aborts", None, "was killed by SIGABRT"),
        ("kills_itself", signal.SIGKILL, "was killed by SIGKILL (out of memory?)"),
        ("kills_itself", signal.SIGTERM, "was killed by SIGTERM"),
    ],
)
def test_a_call_that_kills_its_worker_is_lost_alone(name, argument, how):
    innocent = [(faults.double, number) for number in range(20)]
    with launched() as launcher:
        found = results(launcher, *innocent, (getattr(faults, name), argument), *innocent)
    culprit = found.pop(20)
    assert (culprit.lost.type, culprit.lost.message) == ("WorkerLost", f"its worker process {how}")
    assert [returned.value for returned in found] == [2 * number for number in range(20)] * 2


def test_a_crash_says_where_it_was():
    with launched() as launcher:
        (found,) = results(launcher, (faults.segfaults, None))
    assert "Segmentation fault" in found.lost.traceback
    assert "in segfaults" in found.lost.traceback


def test_what_was_printed_before_the_end_comes_with_it():
    with launched() as launcher:
        (found,) = results(launcher, (faults.exits, 3))
    assert found.output == "about to exit\n"


def test_a_call_whose_worker_died_is_tried_again(tmp_path):
    with launched() as launcher:
        (found,) = results(launcher, (faults.dies_once, tmp_path))
    assert found.value == "lived"


def test_a_call_that_cuts_its_worker_off_is_lost_alone():
    with launched() as launcher:
        found = results(launcher, (faults.closes_everything, None), (faults.double, 1))
    assert [returned.lost and returned.lost.type for returned in found] == ["WorkerLost", None]


def test_a_worker_that_is_killed_from_outside_costs_no_call(tmp_path):
    with launched() as launcher:
        submit(launcher, *[(faults.double, n) for n in range(10)], (faults.hangs_the_first_time, tmp_path / "pid"))
        found = {}
        while not (tmp_path / "pid").exists():
            found |= {returned.key: returned for returned in launcher.wait(timeout=0.05)}
        os.kill(*pids_in(tmp_path / "pid"), signal.SIGKILL)
        found |= collect(launcher, 11 - len(found))
    assert found.pop(10).value == "second"
    assert [found[n].value for n in range(10)] == [2 * n for n in range(10)]


def test_workers_that_cannot_start_are_said_so(tmp_path, monkeypatch):
    (tmp_path / "deadly.py").write_text("import os; print('no good'); os._exit(7)")
    monkeypatch.syspath_prepend(str(tmp_path))
    with launched(preload=["deadly"]) as launcher, pytest.raises(ExecutionError, match="exit code 7"):
        results(launcher, (faults.double, 1))


# --- limits ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["hangs", "hangs_with_the_lock", "hangs_deaf", "stops_itself"])
def test_a_call_that_hangs_is_ended_at_its_time(name):
    with launched(trial_timeout=1.0) as launcher:
        found = results(launcher, (getattr(faults, name), None), *[(faults.double, n) for n in range(5)])
    culprit, *innocent = found
    assert (culprit.lost.type, culprit.lost.message) == ("TimeLimit", "it took more than 1 s, launcher.trial_timeout")
    assert [returned.value for returned in innocent] == [0, 2, 4, 6, 8]


@pytest.mark.parametrize("name", ["hangs", "hangs_with_the_lock"])
def test_a_hang_says_where_it_was(name):
    with launched(trial_timeout=0.5) as launcher:
        (found,) = results(launcher, (getattr(faults, name), None))
    assert f"in {name}" in found.lost.traceback


def test_a_call_that_grows_is_ended_at_its_size():
    with launched(trial_memory=400 << 20) as launcher:
        found = results(launcher, (faults.grows, 1 << 30), *[(faults.double, n) for n in range(5)])
    culprit, *innocent = found
    assert (culprit.lost.type, culprit.lost.message) == (
        "MemoryLimit",
        "it held more than 400 MiB, launcher.trial_memory",
    )
    assert [returned.value for returned in innocent] == [0, 2, 4, 6, 8]


def test_what_one_call_leaves_in_memory_is_not_held_against_the_next():
    with launched(n_jobs=1, trial_memory=400 << 20) as launcher:
        found = results(launcher, *[(faults.leaks, 150 << 20)] * 6)
    assert all(returned.lost is None for returned in found)


def test_time_is_counted_from_the_start_of_the_call_and_not_of_its_worker(tmp_path, monkeypatch):
    (tmp_path / "slow_to_import.py").write_text("import time; time.sleep(1.5)")
    monkeypatch.syspath_prepend(str(tmp_path))
    with launched(preload=["slow_to_import"], trial_timeout=1.0) as launcher:
        (found,) = results(launcher, (faults.double, 4))
    assert found.value == 8


# --- the end ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["hangs", "hangs_with_the_lock", "hangs_deaf", "stops_itself"])
@pytest.mark.parametrize("kill", [True, False])
def test_closing_waits_for_nothing(tmp_path, monkeypatch, name, kill):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = set(children(os.getpid()))
    with launched() as launcher:
        submit(launcher, *[(getattr(faults, name), None)] * 2)
        assert not launcher.wait(timeout=0.3)
        started = set(children(os.getpid())) - before
        assert started
        launcher.close(kill=kill)
        assert not set(children(os.getpid())) & started
    assert not list(tmp_path.iterdir())


PARENT = """
import signal, sys
from pathlib import Path
sys.path.insert(0, {here!r})
import launcher_faults as faults
from mlops_cli.components.launchers import make_launcher
from mlops_cli.contracts import Call
from mlops_cli.records import LauncherSpec

launcher = make_launcher(LauncherSpec("loky", 2), inline={inline})
for key in range(2):
    launcher.submit(Call(key, faults.{call}, Path({folder!r}) / str(key)))
{wait}
"""

JUST_WAIT = "while True: launcher.wait()"
CLOSE_ON_INTERRUPT = """
try:
    while True: launcher.wait()
except KeyboardInterrupt:
    launcher.close(kill=True)
    sys.exit(130)
"""


@contextmanager
def parent(folder, call, wait=JUST_WAIT, *, inline=False):
    """A process whose two workers are in the midst of a call."""
    code = PARENT.format(here=str(HERE), call=call, folder=str(folder), wait=wait, inline=inline)
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "start_new_session": True}
    (folder / "tmp").mkdir()
    options["env"] = {**os.environ, "TMPDIR": str(folder / "tmp")}
    with subprocess.Popen([sys.executable, "-c", code], **options) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGSEGV])
def test_nothing_outlives_a_parent_that_dies(tmp_path, number):
    with parent(tmp_path, "hangs_beside_the_others") as process:
        pids = pids_in(tmp_path / "0") + pids_in(tmp_path / "1")
        mine = descendants(process.pid)
        assert set(pids) <= set(mine)
        os.killpg(process.pid, number)  # as a terminal does
        process.communicate(timeout=PATIENCE_S)
    gone(*mine)
    assert not list((tmp_path / "tmp").iterdir())


def test_a_worker_that_never_gives_the_lock_back_dies_with_its_parent(tmp_path):
    with parent(tmp_path, "says_where_and_hangs_with_the_lock") as process:
        pids = pids_in(tmp_path / "0") + pids_in(tmp_path / "1")
        process.kill()
    gone(*pids)


def test_ctrl_c_is_for_the_parent(tmp_path):
    with parent(tmp_path, "hangs_beside_the_others", CLOSE_ON_INTERRUPT) as process:
        pids = pids_in(tmp_path / "0") + pids_in(tmp_path / "1")
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, out, err) == (130, "", "")
    gone(*pids)


def test_ctrl_c_reaches_the_parent_while_a_call_runs_in_it(tmp_path):
    with parent(tmp_path, "says_where_and_swallows_interrupts", CLOSE_ON_INTERRUPT, inline=True) as process:
        assert pids_in(tmp_path / "0") == [process.pid]
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, out, err) == (130, "", "")
