"""Many processes register at once, are killed, find the disk full: whole versions or none, and no number twice."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from mlops_cli.errors import StoreError
from mlops_cli.records import Action
from mlops_cli.store.audit import AuditLog
from mlops_cli.store.layout import WorkspacePaths
from mlops_cli.store.registry import Registry
from mlops_cli.store.registry.adding import Asked, add_version
from mlops_cli.store.registry.checking import announced, check_aliases, check_version
from mlops_cli.store.registry.removing import remove_version

if TYPE_CHECKING:
    from pathlib import Path

PROCESSES = 20
EACH = 3
ROUNDS = 6

# Forked by a process that does nothing else: all begin at once, each in a few milliseconds.
WRITERS = """
import os, sys
from pathlib import Path
from mlops_cli.store.layout import WorkspacePaths
from mlops_cli.store.registry import Registry
from mlops_cli.store.registry.adding import Asked, add_version

root, run, count, each = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
registry = Registry(WorkspacePaths(root))

def write(alias):
    for _ in range(each):
        print(add_version(registry, run, Asked("iris", alias=alias)).version.number, flush=True)

children = []
for number in range(count):
    child = os.fork()
    if child == 0:
        try:
            write(f"from-{number}")
            os._exit(0)
        except BaseException as error:
            print(f"process {number}: {error!r}", file=sys.stderr, flush=True)
            os._exit(1)
    children.append(child)
sys.exit(any([os.waitpid(child, 0)[1] for child in children]))
"""

ENDLESS = """
import sys
from pathlib import Path
from mlops_cli.store.layout import WorkspacePaths
from mlops_cli.store.registry import Registry
from mlops_cli.store.registry.adding import Asked, add_version
from mlops_cli.store.registry.removing import remove_version

registry = Registry(WorkspacePaths(Path(sys.argv[1])))
print("ready", flush=True)
while True:
    number = add_version(registry, Path(sys.argv[2]), Asked("iris", alias="champion")).version.number
    if number % 3 == 0:
        remove_version(registry, "iris", number, force=True)
"""


def check_all(registry: Registry, name: str = "iris") -> list[str]:
    entries = announced(registry)
    found = [check_version(registry, name, number, entries) for number in registry.numbers(name)]
    return [f"{item.version}: {fault}" for item in [check_aliases(registry, name), *found] for fault in item.faults]


def test_twenty_processes_never_share_a_number(workspace, run_with_model, python_env):
    record, registry = run_with_model(os.urandom(200_000)), Registry(workspace)
    command = [sys.executable, "-c", WRITERS, str(workspace.root), str(record.path), str(PROCESSES), str(EACH)]
    done = subprocess.run(command, env=python_env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    every = list(range(1, PROCESSES * EACH + 1))
    assert sorted(map(int, done.stdout.split())) == every
    assert registry.numbers("iris") == every
    assert check_all(registry) == []
    assert len(registry.aliases("iris").versions) == PROCESSES
    assert list(registry.paths.new_models.iterdir()) == []


def test_a_kill_at_any_moment_leaves_whole_versions_or_none(workspace, run_with_model, python_env):
    record, registry = run_with_model(os.urandom(500_000)), Registry(workspace)
    rng = random.Random(0)
    for _ in range(ROUNDS):
        kill_a_few(registry, record.path, python_env, rng)
        assert check_all(registry) == []
        assert add_version(registry, record.path, Asked("iris")).version.number == max(registry.numbers("iris"))
        assert list(registry.paths.new_models.iterdir()) == []
    registered = [e.subject for e in AuditLog(registry.paths).entries() if e.action is Action.REGISTERED]
    assert len(set(registered)) == len(registered)
    for number in registry.numbers("iris"):
        remove_version(registry, "iris", number, force=True)
    assert list(registry.paths.models_trash.iterdir()) == []


def kill_a_few(registry: Registry, run: Path, env: dict[str, str], rng: random.Random) -> None:
    """Start a few processes that register and remove for ever, and kill each at a random moment."""
    command = [sys.executable, "-c", ENDLESS, str(registry.paths.root), str(run)]
    writers = [subprocess.Popen(command, env=env, stdout=subprocess.PIPE) for _ in range(3)]
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"ready\n"
    for writer in writers:
        time.sleep(rng.uniform(0.005, 0.15))  # the moment is what is random here
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        writer.stdout.close()


@pytest.fixture
def small_disk(tmp_path):
    """A disk of two megabytes; only the superuser may have one."""
    place = tmp_path / "small"
    place.mkdir()
    mount = shutil.which("mount")
    command = [mount or "mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)]
    if mount is None or os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a small disk cannot be mounted here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True, capture_output=True)


def test_a_full_disk_is_said_and_leaves_nothing_half_written(small_disk, workspace, run_with_model):
    record = run_with_model(os.urandom(100_000))
    root = small_disk / "ws"
    shutil.copytree(workspace.root, root)
    registry = Registry(WorkspacePaths(root))
    run = root / record.path.relative_to(workspace.root)
    add_version(registry, run, Asked("iris", alias="champion"))
    filler = small_disk / "filler"
    outcomes = []
    for room in range(0, 240_000, 8_192):  # from no room at all, through each file that may be the first not to fit
        before = registry.numbers("iris")
        filler.write_bytes(b"0" * max(0, free_on(small_disk) - room))
        outcomes.append(problem := problem_of(registry, run))
        filler.unlink()
        is_new = registry.numbers("iris") != before
        assert is_new is (problem is None or "is registered, but not as @champion" in problem)
        assert check_all(registry) == []
        assert not any(path.is_dir() for path in registry.paths.new_models.iterdir())
        for number in registry.numbers("iris")[:-1]:
            remove_version(registry, "iris", number, force=True)
    refusals = [problem for problem in outcomes if problem is not None]
    assert 0 < len(refusals) < len(outcomes)
    assert all("the disk is full: free some space" in problem for problem in refusals)
    numbers = [entry.number for entry in AuditLog(registry.paths).entries()]
    assert numbers == list(range(1, len(numbers) + 1))


def problem_of(registry: Registry, run: Path) -> str | None:
    try:
        add_version(registry, run, Asked("iris", alias="champion"))
    except StoreError as error:
        return str(error)
    return None


def free_on(disk: Path) -> int:
    found = os.statvfs(disk)
    return found.f_bavail * found.f_frsize
