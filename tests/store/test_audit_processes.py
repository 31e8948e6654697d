"""Many processes write the audit log at once, are killed, find the disk full: nothing acknowledged is lost."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time

import pytest

from mlops_cli.errors import StoreError
from mlops_cli.records import Action, RunStatus
from mlops_cli.store.audit import AuditLog
from mlops_cli.store.chain import read_chain
from mlops_cli.store.layout import WorkspacePaths

PROCESSES = 20
EACH = 10
ROUNDS = 12

WRITERS = """
import os, sys
from pathlib import Path
from mlops_cli.records import Action
from mlops_cli.store.audit import AuditLog
from mlops_cli.store.layout import WorkspacePaths

log, count, each = AuditLog(WorkspacePaths(Path(sys.argv[1]))), int(sys.argv[2]), int(sys.argv[3])

def write(process):
    for number in range(each):
        head = log.append(Action.LOADED, f"model/{process}", {"n": number, "x": "y" * (number * 37 % 900)})
        os.write(1, f"{head.number}:{head.hash}\\n".encode())

for process in range(count):
    if os.fork() == 0:
        write(process)
        os._exit(0)
sys.exit(any(os.wait()[1] for _ in range(count)))
"""


@pytest.fixture
def log(tmp_path):
    return AuditLog(WorkspacePaths(tmp_path / "ws"))


def command(log, processes, each):
    return [sys.executable, "-c", WRITERS, str(log.paths.root), str(processes), str(each)]


def acknowledged(output: bytes):
    whole, _, _ = output.rpartition(b"\n")
    return [(int(n), digest) for n, digest in (line.split(":") for line in whole.decode().splitlines())]


def test_twenty_writers_at_once_write_one_chain(log, python_env):
    done = subprocess.run(command(log, PROCESSES, EACH), env=python_env, capture_output=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    told, chain = acknowledged(done.stdout), read_chain(log.paths)
    assert chain.faults == ()
    assert sorted(told) == [(entry.number, entry.hash) for entry in chain.entries.values()]
    assert len(told) == PROCESSES * EACH
    for process in range(PROCESSES):
        assert [entry.details["n"] for entry in chain.about(f"model/{process}")] == list(range(EACH))


def test_kills_at_random_moments_lose_nothing_that_was_acknowledged(log, python_env):
    rng, told = random.Random(0), []
    for _ in range(ROUNDS):
        told += written_until_killed(log, python_env, rng)
        chain = read_chain(log.paths)
        assert chain.faults == ()
        known = {(entry.number, entry.hash) for entry in chain.entries.values()}
        assert set(told) <= known
        assert len(known) - len(told) <= 4 * ROUNDS  # of each process the one that it was writing
    assert len(told) > ROUNDS
    last = log.last()
    assert log.append(Action.LOADED, "model").number == last.number + 1
    assert read_chain(log.paths).faults == ()


def written_until_killed(log, env, rng):
    """Start four processes that write for ever, kill them all at a random moment, and return what they acknowledged."""
    writers = subprocess.Popen(command(log, 4, 100_000), env=env, stdout=subprocess.PIPE, start_new_session=True)
    first = writers.stdout.readline()
    time.sleep(rng.uniform(0, 0.1))  # the moment is what is random here
    os.killpg(writers.pid, signal.SIGKILL)
    rest, _ = writers.communicate()
    return acknowledged(first + rest)


@pytest.fixture
def small_disk(tmp_path):
    """A disk of one megabyte; only the superuser may have one."""
    place = tmp_path / "small"
    place.mkdir()
    mount = shutil.which("mount")
    making = [mount or "mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)]
    if mount is None or os.geteuid() != 0 or subprocess.run(making, capture_output=True, check=False).returncode:
        pytest.skip("a small disk cannot be mounted here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True, capture_output=True)


def test_a_full_disk_is_said_and_leaves_no_half_entry(small_disk):
    log = AuditLog(WorkspacePaths(small_disk / "ws"))
    log.append(Action.LOADED, "model")
    free = os.statvfs(small_disk)
    (small_disk / "filler").write_bytes(b"0" * (free.f_bavail * free.f_frsize))
    before = log.last().number
    with pytest.raises(StoreError, match="the disk is full: free some space"):
        fill(log)
    written = log.last().number
    assert written > before  # what was left of the last block
    chain = read_chain(log.paths)
    assert (chain.faults, len(chain.entries)) == ((), written)
    assert log.paths.audit.read_bytes().endswith(b"\n")
    (small_disk / "filler").unlink()
    assert log.append(Action.LOADED, "model").number == written + 1


def fill(log):
    for count in range(10_000):
        log.append(Action.LOADED, "model", {"x": "y" * (count * 37 % 900)})


def test_a_run_whose_end_finds_the_disk_full_ends_all_the_same_where_only_the_log_has_no_room(
    small_disk, workspace, start
):
    from dataclasses import replace

    from mlops_cli.store.auditing import run_ended
    from mlops_cli.store.find import read_run

    free = os.statvfs(small_disk)
    workspace.root.mkdir(parents=True)
    workspace.internal.symlink_to(small_disk, target_is_directory=True)
    writer = start()
    (small_disk / "filler").write_bytes(b"0" * (free.f_bavail * free.f_frsize))
    final = writer.finish(run_ended(replace(writer.record, status=RunStatus.COMPLETED)))
    assert [notice.code for notice in final.warnings] == ["audit-failed"]
    assert "the disk is full" in final.warnings[0].message
    assert read_run(final.path).status is RunStatus.COMPLETED
