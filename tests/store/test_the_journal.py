from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from mlops_cli.errors import StoreError
from mlops_cli.records import Counts, ErrorInfo, TrialResult, TrialState
from mlops_cli.store.journal import Journal, is_locked, latest_trials, read_journal

if TYPE_CHECKING:
    from pathlib import Path


def a_trial(number: int, state: TrialState = TrialState.COMPLETED) -> TrialResult:
    return TrialResult(number, state, {"model.C": number / 10}, {"accuracy": (0.5, 0.75)}, 0.1, 0.2, f"f{number}")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "trials.jsonl"


def test_trials_are_read_back_as_they_were_appended(path):
    trials = [a_trial(2), a_trial(0), a_trial(1)]
    with Journal(path) as journal:
        for trial in trials:
            journal.append(trial)
        assert list(read_journal(path)) == trials
    assert list(read_journal(path)) == trials


def test_a_journal_that_is_not_there_has_no_trials(path):
    assert list(read_journal(path)) == []


def test_a_traceback_of_many_lines_is_one_line_of_the_journal(path):
    failed = TrialResult(0, TrialState.FAILED, error=ErrorInfo("E", "no\u2028\r\nno", "Trace\n  back\n"))
    with Journal(path) as journal:
        journal.append(failed)
    assert path.read_bytes().count(b"\n") == 1
    assert list(read_journal(path)) == [failed]


@pytest.mark.parametrize("cut", [1, 2, 40, 100])
def test_a_torn_last_line_is_left_out_and_cut_off_before_the_next_one(path, cut):
    with Journal(path) as journal:
        for number in range(3):
            journal.append(a_trial(number))
    os.truncate(path, path.stat().st_size - cut)
    assert list(read_journal(path)) == [a_trial(0), a_trial(1)]
    with Journal(path) as journal:
        journal.append(a_trial(7))
    assert list(read_journal(path)) == [a_trial(0), a_trial(1), a_trial(7)]


def test_a_torn_line_longer_than_what_is_read_at_once_is_cut_off_too(path):
    with Journal(path) as journal:
        journal.append(a_trial(0))
    with path.open("ab") as file:
        file.write(b"x" * 200_000)
    Journal(path).close()
    assert list(read_journal(path)) == [a_trial(0)]


def test_a_journal_that_is_one_torn_line_begins_anew(path):
    path.write_bytes(b'{"trial": 0')
    with Journal(path) as journal:
        journal.append(a_trial(1))
    assert list(read_journal(path)) == [a_trial(1)]


@pytest.mark.parametrize(
    "line", [b"garbage", b"[]", b'{"trial": 1}', b'{"trial": 1, "state": "asleep"}', b"\0\0\0", b""]
)
def test_damage_in_the_middle_is_named_with_its_line(path, line):
    with Journal(path) as journal:
        journal.append(a_trial(0))
    good = path.read_bytes()
    path.write_bytes(good + line + b"\n" + good)
    with pytest.raises(StoreError, match="line 2") as caught:
        list(read_journal(path))
    assert str(path) in str(caught.value)


def test_of_a_trial_that_was_tried_again_the_last_try_counts(path):
    with Journal(path) as journal:
        journal.append(a_trial(1, TrialState.FAILED))
        journal.append(a_trial(0, TrialState.LOST))
        journal.append(a_trial(1))
    assert latest_trials(path) == [a_trial(0, TrialState.LOST), a_trial(1)]
    assert Counts.of_results(latest_trials(path), planned=9) == Counts(trials=9, completed=1, failed=1, lost=1)


def test_a_second_writer_is_refused_in_one_line_and_let_in_afterwards(path):
    with Journal(path):
        with pytest.raises(StoreError, match="being written by another process"):
            Journal(path)
        assert is_locked(path)
    assert not is_locked(path)
    Journal(path).close()


def test_closing_twice_does_nothing_and_appending_after_it_is_an_error(path):
    journal = Journal(path)
    journal.close()
    journal.close()
    with pytest.raises(StoreError):
        journal.append(a_trial(0))


def test_a_child_process_does_not_keep_its_dead_parents_lock(path, python_env):
    script = f"""
import os, subprocess, sys
from pathlib import Path
from mlops_cli.store.journal import Journal
journal = Journal(Path({str(path)!r}))
child = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
print(child.pid, flush=True)
input()
"""
    with subprocess.Popen(
        [sys.executable, "-c", script], env=python_env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        child = int(parent.stdout.readline())
        os.kill(child, 0)
        assert is_locked(path)
        parent.kill()
        parent.wait()
        assert not is_locked(path)


def test_a_full_disk_is_said_in_one_line_and_the_lines_before_it_stay(path):
    # A file size limit stands for a disk that fills up in the middle of a line.
    import resource
    import signal

    old_limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    old_handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        with Journal(path) as journal:
            journal.append(a_trial(0))
            size = path.stat().st_size
            resource.setrlimit(resource.RLIMIT_FSIZE, (size + 10, old_limit[1]))
            with pytest.raises(StoreError, match="cannot write"):
                journal.append(a_trial(1))
            resource.setrlimit(resource.RLIMIT_FSIZE, old_limit)
            journal.append(a_trial(2))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old_limit)
        signal.signal(signal.SIGXFSZ, old_handler)
    assert list(read_journal(path)) == [a_trial(0), a_trial(2)]
