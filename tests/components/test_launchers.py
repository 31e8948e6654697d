# ruff: noqa: T201 - what is printed is what is tested
"""Calls come back with the right verdict wherever they are computed, and nothing is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from mlops_cli.components.launchers import make_launcher, workers
from mlops_cli.contracts import Call
from mlops_cli.errors import ExecutionError
from mlops_cli.records import LauncherSpec
from mlops_cli.testing import check_launcher

HERE = Path(__file__).parent
PATIENCE_S = 60


@pytest.fixture
def faults(monkeypatch):
    """The module of misbehaving calls, where workers can import it."""
    monkeypatch.syspath_prepend(str(HERE))
    import launcher_faults

    return launcher_faults


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


# --- the contract --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("inline", [True, False], ids=["short ones here", "all in workers"])
def test_processes_keep_to_the_contract(inline):
    check_launcher(
        lambda **limits: make_launcher(LauncherSpec("loky", 2, **limits), inline=inline), isolates=not inline
    )


def test_one_worker_keeps_to_the_contract():
    check_launcher(lambda **limits: make_launcher(LauncherSpec("loky", 1, **limits), inline=False))


@pytest.mark.parametrize("backend", ["sequential", "threading"])
def test_this_process_keeps_to_the_part_of_the_contract_that_it_can(backend):
    check_launcher(lambda: make_launcher(LauncherSpec(backend, 2), inline=True), isolates=False)


def test_negative_numbers_of_workers_count_back_from_all_cores(monkeypatch):
    monkeypatch.setattr("joblib.cpu_count", lambda: 8)
    assert [workers(LauncherSpec("loky", n)) for n in (3, -1, -2, -8, -20)] == [3, 8, 7, 1, 1]
    assert workers(LauncherSpec("sequential", 4)) == 1


# --- raising -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("backend", "inline"), [("loky", False), ("loky", True), ("threading", True), ("sequential", True)]
)
@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("value", "ValueError"),
        ("odd", "OddError"),
        ("unspeakable", "UnspeakableError"),
        ("group", "BaseExceptionGroup"),
        ("exit", "SystemExit"),
        ("interrupt", "KeyboardInterrupt"),
        ("memory", "MemoryError"),
    ],
)
def test_what_a_call_raises_is_its_verdict(faults, backend, inline, kind, name):
    with launched(backend, inline=inline) as launcher:
        before, found, after = results(launcher, (faults.double, 1), (faults.raises, kind), (faults.double, 2))
    assert found.lost.type == name
    assert found.lost.message
    assert "in raises" in found.lost.traceback
    assert (before.value, after.value) == (2, 4)


def test_what_was_printed_before_it_raised_comes_with_it(faults):
    with launched() as launcher:
        (found,) = results(launcher, (faults.prints_and_raises, "seen"))
    assert found.output.splitlines() == ["seen", "to stderr"]


# --- dying ---------------------------------------------------------------------------------------------------------


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
def test_a_call_that_kills_its_worker_is_lost_alone(faults, name, argument, how):
    innocent = [(faults.double, number) for number in range(20)]
    with launched() as launcher:
        found = results(launcher, *innocent, (getattr(faults, name), argument), *innocent)
    culprit = found.pop(20)
    assert (culprit.lost.type, culprit.lost.message) == ("WorkerLost", f"its worker process {how}")
    assert [returned.value for returned in found] == [2 * number for number in range(20)] * 2


def test_a_crash_says_where_it_was(faults):
    with launched() as launcher:
        (found,) = results(launcher, (faults.segfaults, None))
    assert "Segmentation fault" in found.lost.traceback
    assert "in segfaults" in found.lost.traceback


def test_what_was_printed_before_the_end_comes_with_it(faults):
    with launched() as launcher:
        (found,) = results(launcher, (faults.exits, 3))
    assert found.output == "about to exit\n"


def test_a_call_whose_worker_died_is_tried_again(faults, tmp_path):
    with launched() as launcher:
        (found,) = results(launcher, (faults.dies_once, tmp_path))
    assert found.value == "lived"


def test_a_call_that_cuts_its_worker_off_is_lost_alone(faults):
    with launched() as launcher:
        found = results(launcher, (faults.closes_everything, None), (faults.double, 1))
    assert [returned.lost and returned.lost.type for returned in found] == ["WorkerLost", None]


def test_a_worker_that_is_killed_from_outside_costs_no_call(faults, tmp_path):
    with launched() as launcher:
        submit(launcher, *[(faults.double, n) for n in range(10)], (faults.hangs_the_first_time, tmp_path / "pid"))
        found = {}
        while not (tmp_path / "pid").exists():
            found |= {returned.key: returned for returned in launcher.wait(timeout=0.05)}
        os.kill(*pids_in(tmp_path / "pid"), signal.SIGKILL)
        found |= collect(launcher, 11 - len(found))
    assert found.pop(10).value == "second"
    assert [found[n].value for n in range(10)] == [2 * n for n in range(10)]


def test_workers_that_cannot_start_are_said_so(faults, tmp_path, monkeypatch):
    (tmp_path / "deadly.py").write_text("import os; print('no good'); os._exit(7)")
    monkeypatch.syspath_prepend(str(tmp_path))
    with launched(preload=["deadly"]) as launcher, pytest.raises(ExecutionError, match="exit code 7"):
        results(launcher, (faults.double, 1))


# --- limits --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["hangs", "hangs_with_the_lock", "hangs_deaf", "stops_itself"])
def test_a_call_that_hangs_is_ended_at_its_time(faults, name):
    with launched(trial_timeout=1.0) as launcher:
        found = results(launcher, (getattr(faults, name), None), *[(faults.double, n) for n in range(5)])
    culprit, *innocent = found
    assert (culprit.lost.type, culprit.lost.message) == ("TimeLimit", "it took more than 1 s")
    assert [returned.value for returned in innocent] == [0, 2, 4, 6, 8]


@pytest.mark.parametrize("name", ["hangs", "hangs_with_the_lock"])
def test_a_hang_says_where_it_was(faults, name):
    with launched(trial_timeout=0.5) as launcher:
        (found,) = results(launcher, (getattr(faults, name), None))
    assert f"in {name}" in found.lost.traceback


def test_a_call_that_grows_is_ended_at_its_size(faults):
    with launched(trial_memory=400 << 20) as launcher:
        found = results(launcher, (faults.grows, 1 << 30), *[(faults.double, n) for n in range(5)])
    culprit, *innocent = found
    assert (culprit.lost.type, culprit.lost.message) == ("MemoryLimit", "it held more than 400 MiB")
    assert [returned.value for returned in innocent] == [0, 2, 4, 6, 8]


def test_what_one_call_leaves_in_memory_is_not_held_against_the_next(faults):
    with launched(n_jobs=1, trial_memory=400 << 20) as launcher:
        found = results(launcher, *[(faults.leaks, 150 << 20)] * 6)
    assert all(returned.lost is None for returned in found)


def test_time_is_counted_from_the_start_of_the_call_and_not_of_its_worker(faults, tmp_path, monkeypatch):
    (tmp_path / "slow_to_import.py").write_text("import time; time.sleep(1.5)")
    monkeypatch.syspath_prepend(str(tmp_path))
    with launched(preload=["slow_to_import"], trial_timeout=1.0) as launcher:
        (found,) = results(launcher, (faults.double, 4))
    assert found.value == 8


# --- odd answers and traces ------------------------------------------------------------------------------------------


def test_what_cannot_travel_is_the_fault_of_its_call_alone(faults):
    with launched() as launcher:
        sent, read, given, fine = results(
            launcher,
            (faults.returns_what_cannot_be_sent, None),
            (faults.returns_what_cannot_be_read, None),
            (faults.measures, faults.Unsendable()),
            (faults.double, 1),
        )
    assert sent.lost.message == "its result cannot be sent back: it stays here"
    assert read.lost.message == "its result cannot be sent back: told"
    assert given.lost.message == "it cannot be sent to a worker: it stays here"
    assert fine.value == 2


def test_large_things_travel_both_ways_at_once(faults):
    size = 20_000_000
    with launched() as launcher:
        found = results(launcher, *[(faults.returns_bytes, size), (faults.measures, b"x" * size)] * 4)
    assert [len(returned.value) if key % 2 == 0 else returned.value for key, returned in enumerate(found)] == [size] * 8


def test_functions_of_no_module_travel(faults):
    factor = 3
    with launched() as launcher:
        (found,) = results(launcher, (lambda x: factor * x, 5))
    assert found.value == 15


@pytest.mark.parametrize("inline", [True, False], ids=["here", "in workers"])
def test_what_calls_print_is_not_seen(faults, inline, capfd):
    with launched(inline=inline) as launcher:
        print("before")
        submit(launcher, *[(faults.prints_in_python, 1_000_000)] * 3)
        collect(launcher, 3)
        print("after")
    shown = capfd.readouterr()
    assert shown.out == "before\nafter\n"
    assert shown.err == ""


def test_megabytes_of_print_at_every_level_are_not_seen(faults, capfd):
    with launched() as launcher:
        results(launcher, *[(faults.prints, 5_000_000)] * 4)
    assert capfd.readouterr() == ("", "")


def test_a_call_cannot_upset_the_next_one(faults, tmp_path):
    with launched(n_jobs=1) as launcher:
        before, _, after = results(
            launcher,
            (faults.surroundings, None),
            (faults.upsets_its_surroundings, tmp_path),
            (faults.surroundings, None),
        )
    assert before.value == after.value


def test_threads_that_a_call_leaves_keep_nothing_from_ending(faults):
    with launched(n_jobs=1) as launcher:
        left, worker = results(launcher, (faults.leaves_threads, None), (faults.where, None))
    assert left.value > 1
    gone(worker.value)


def test_processes_that_a_call_leaves_end_with_the_launcher(faults):
    with launched(n_jobs=1) as launcher:
        (found,) = results(launcher, (faults.leaves_children, None))
    gone(*found.value)


def test_processes_of_a_call_that_dies_end_with_it(faults, tmp_path):
    with launched(n_jobs=1, trial_timeout=1.0) as launcher:
        (found,) = results(launcher, (faults.hangs_beside_the_others, tmp_path / "pids"))
        assert found.lost.type == "TimeLimit"
        gone(*pids_in(tmp_path / "pids"))


def test_a_call_that_forks_and_comes_back_twice_answers_once(faults):
    with launched(n_jobs=1) as launcher:
        first, second = results(launcher, (faults.comes_back_twice, None), (faults.where, None))
    assert first.value == second.value


def test_processes_times_threads_is_cores(faults, monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setenv("MKL_NUM_THREADS", "3")
    monkeypatch.setattr("joblib.cpu_count", lambda: 8)
    with launched(n_jobs=2) as launcher:
        omp, mkl = results(launcher, *[(faults.environment, name) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")])
    assert (omp.value, mkl.value) == ("4", "3")


# --- here or in workers ----------------------------------------------------------------------------------------------


def test_no_worker_is_started_for_what_is_quicker_without(faults):
    with launched(inline=True) as launcher:
        found = results(launcher, *[(faults.where, None)] * 20)
    assert {returned.value for returned in found} == {os.getpid()}


def test_nothing_waits_for_a_long_call_in_this_process(faults, tmp_path):
    with launched(inline=True) as launcher:
        submit(launcher, (faults.waits_for, tmp_path / "go"), *[(faults.where, None)] * 40)
        found = []
        while len(found) < 40:
            found += launcher.wait(timeout=PATIENCE_S)
        (tmp_path / "go").touch()
        (last,) = collect(launcher, 1).values()
    assert os.getpid() not in {returned.value for returned in found}
    assert last.value == os.getpid()


def test_long_calls_go_to_workers_once_they_are_known_to_be_worth_it(faults):
    with launched(inline=True) as launcher:
        launcher.expect(1000)
        found = results(launcher, *[(faults.sleeps_and_says_where, 0.02)] * 120)
    own = [returned.value == os.getpid() for returned in found]
    assert own[0]
    assert not own[-1]


def test_own_code_never_runs_in_this_process(faults):
    with launched(inline=False) as launcher:
        (found,) = results(launcher, (faults.where, None))
    assert found.value != os.getpid()


def test_calls_with_limits_never_run_in_this_process(faults):
    with launched(inline=True, trial_timeout=60.0) as launcher:
        (found,) = results(launcher, (faults.where, None))
    assert found.value != os.getpid()


def test_warm_starts_workers_and_imports_what_they_need(faults, tmp_path, monkeypatch):
    (tmp_path / "announces.py").write_text(f"open({str(tmp_path / 'imported')!r}, 'w').close()")
    monkeypatch.syspath_prepend(str(tmp_path))
    with launched(inline=True, preload=["announces", "no_such_module"]) as launcher:
        launcher.warm()
        until((tmp_path / "imported").exists, "nothing was imported")


def test_no_more_workers_are_started_than_there_are_calls(faults):
    before = set(children(os.getpid()))
    with launched(n_jobs=8) as launcher:
        results(launcher, (faults.double, 1), (faults.double, 2))
        assert len(set(children(os.getpid())) - before) <= 2


def test_short_calls_behind_a_long_one_are_given_to_the_idle(faults, tmp_path):
    with launched() as launcher:
        results(launcher, *[(faults.double, n) for n in range(200)])  # so short that many are sent at a time
        submit(launcher, (faults.waits_for, tmp_path / "go"), *[(faults.double, n) for n in range(200)])
        found = {}
        while len(found) < 200:
            found |= {returned.key: returned for returned in launcher.wait(timeout=PATIENCE_S)}
        assert 0 not in found
        (tmp_path / "go").touch()
        assert set(collect(launcher, 1)) == {0}


# --- the end ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["hangs", "hangs_with_the_lock", "hangs_deaf", "stops_itself"])
@pytest.mark.parametrize("kill", [True, False])
def test_closing_waits_for_nothing(faults, tmp_path, monkeypatch, name, kill):
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


def descendants(pid):
    found = children(pid)
    return found + [below for child in found for below in descendants(child)]
