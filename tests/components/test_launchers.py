# ruff: noqa: T201 - what is printed is what is tested
"""Calls come back whole wherever they are computed, and none of them disturbs another or the user's screen."""

from __future__ import annotations

import os

import launcher_faults as faults
import pytest
from launching import PATIENCE_S, children, collect, gone, launched, pids_in, results, submit, until

from mlops_cli.components.launchers import make_launcher, workers
from mlops_cli.records import LauncherSpec
from mlops_cli.testing import check_launcher

# --- the contract ----------------------------------------------------------------------------------------------------


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


# --- raising ---------------------------------------------------------------------------------------------------------


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
def test_what_a_call_raises_is_its_verdict(backend, inline, kind, name):
    with launched(backend, inline=inline) as launcher:
        before, found, after = results(launcher, (faults.double, 1), (faults.raises, kind), (faults.double, 2))
    assert found.lost.type == name
    assert found.lost.message
    assert "in raises" in found.lost.traceback
    assert (before.value, after.value) == (2, 4)


def test_what_was_printed_before_it_raised_comes_with_it():
    with launched() as launcher:
        (found,) = results(launcher, (faults.prints_and_raises, "seen"))
    assert found.output.splitlines() == ["seen", "to stderr"]


# --- odd answers and traces ------------------------------------------------------------------------------------------


def test_what_cannot_travel_is_the_fault_of_its_call_alone():
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


def test_large_things_travel_both_ways_at_once():
    size = 20_000_000
    with launched() as launcher:
        found = results(launcher, *[(faults.returns_bytes, size), (faults.measures, b"x" * size)] * 4)
    assert [len(returned.value) if key % 2 == 0 else returned.value for key, returned in enumerate(found)] == [size] * 8


def test_functions_of_no_module_travel():
    factor = 3
    with launched() as launcher:
        (found,) = results(launcher, (lambda x: factor * x, 5))
    assert found.value == 15


@pytest.mark.parametrize("inline", [True, False], ids=["here", "in workers"])
def test_what_calls_print_is_not_seen(inline, capfd):
    with launched(inline=inline) as launcher:
        print("before")
        submit(launcher, *[(faults.prints_in_python, 1_000_000)] * 3)
        collect(launcher, 3)
        print("after")
    shown = capfd.readouterr()
    assert shown.out == "before\nafter\n"
    assert shown.err == ""


def test_megabytes_of_print_at_every_level_are_not_seen(capfd):
    with launched() as launcher:
        results(launcher, *[(faults.prints, 5_000_000)] * 4)
    assert capfd.readouterr() == ("", "")


def test_a_call_cannot_upset_the_next_one(tmp_path):
    with launched(n_jobs=1) as launcher:
        before, _, after = results(
            launcher,
            (faults.surroundings, None),
            (faults.upsets_its_surroundings, tmp_path),
            (faults.surroundings, None),
        )
    assert before.value == after.value


def test_threads_that_a_call_leaves_keep_nothing_from_ending():
    with launched(n_jobs=1) as launcher:
        left, worker = results(launcher, (faults.leaves_threads, None), (faults.where, None))
    assert left.value > 1
    gone(worker.value)


def test_processes_that_a_call_leaves_end_with_the_launcher():
    with launched(n_jobs=1) as launcher:
        (found,) = results(launcher, (faults.leaves_children, None))
    gone(*found.value)


def test_processes_of_a_call_that_dies_end_with_it(tmp_path):
    with launched(n_jobs=1, trial_timeout=1.0) as launcher:
        (found,) = results(launcher, (faults.hangs_beside_the_others, tmp_path / "pids"))
        assert found.lost.type == "TimeLimit"
        gone(*pids_in(tmp_path / "pids"))


def test_a_call_that_forks_and_comes_back_twice_answers_once():
    with launched(n_jobs=1) as launcher:
        first, second = results(launcher, (faults.comes_back_twice, None), (faults.where, None))
    assert first.value == second.value


def test_processes_times_threads_is_cores(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setenv("MKL_NUM_THREADS", "3")
    monkeypatch.setattr("joblib.cpu_count", lambda: 8)
    with launched(n_jobs=2) as launcher:
        omp, mkl = results(launcher, *[(faults.environment, name) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")])
    assert (omp.value, mkl.value) == ("4", "3")


# --- here or in workers ----------------------------------------------------------------------------------------------


def test_no_worker_is_started_for_what_is_quicker_without():
    with launched(inline=True) as launcher:
        found = results(launcher, *[(faults.where, None)] * 20)
    assert {returned.value for returned in found} == {os.getpid()}


def test_nothing_waits_for_a_long_call_in_this_process(tmp_path):
    with launched(inline=True) as launcher:
        submit(launcher, (faults.waits_for, tmp_path / "go"), *[(faults.where, None)] * 40)
        found = []
        while len(found) < 40:
            found += launcher.wait(timeout=PATIENCE_S)
        (tmp_path / "go").touch()
        (last,) = collect(launcher, 1).values()
    assert os.getpid() not in {returned.value for returned in found}
    assert last.value == os.getpid()


def test_long_calls_go_to_workers_once_they_are_known_to_be_worth_it():
    with launched(inline=True) as launcher:
        launcher.expect(1000)
        found = results(launcher, *[(faults.sleeps_and_says_where, 0.02)] * 120)
    own = [returned.value == os.getpid() for returned in found]
    assert own[0]
    assert not own[-1]


def test_own_code_never_runs_in_this_process():
    with launched(inline=False) as launcher:
        (found,) = results(launcher, (faults.where, None))
    assert found.value != os.getpid()


def test_calls_with_limits_never_run_in_this_process():
    with launched(inline=True, trial_timeout=60.0) as launcher:
        (found,) = results(launcher, (faults.where, None))
    assert found.value != os.getpid()


def test_warm_starts_workers_and_imports_what_they_need(tmp_path, monkeypatch):
    (tmp_path / "announces.py").write_text(f"open({str(tmp_path / 'imported')!r}, 'w').close()")
    monkeypatch.syspath_prepend(str(tmp_path))
    with launched(inline=True, preload=["announces", "no_such_module"]) as launcher:
        launcher.warm()
        until((tmp_path / "imported").exists, "nothing was imported")


def test_no_more_workers_are_started_than_there_are_calls():
    before = set(children(os.getpid()))
    with launched(n_jobs=8) as launcher:
        results(launcher, (faults.double, 1), (faults.double, 2))
        assert len(set(children(os.getpid())) - before) <= 2


def test_short_calls_behind_a_long_one_are_given_to_the_idle(tmp_path):
    with launched() as launcher:
        results(launcher, *[(faults.double, n) for n in range(200)])  # so short that many are sent at a time
        submit(launcher, (faults.waits_for, tmp_path / "go"), *[(faults.double, n) for n in range(200)])
        found = {}
        while len(found) < 200:
            found |= {returned.key: returned for returned in launcher.wait(timeout=PATIENCE_S)}
        assert 0 not in found
        (tmp_path / "go").touch()
        assert set(collect(launcher, 1)) == {0}
