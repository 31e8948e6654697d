"""What a process and all that it starts cost, and two or more of them in turn as a table of ratios."""

from __future__ import annotations

import ctypes
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

RIVALS = Path(__file__).parent / "rivals"
WATCH_S = 0.1  # between two looks at the memory
ORPHANS_S = 10.0  # that processes may outlive the one that has started them
SAME = 1e-9  # best scores that differ by less are equal


@dataclass(frozen=True)
class Cost:
    """What a process took, with all that it started."""

    wall: float  # seconds
    cpu: float  # seconds, user and system
    largest: float  # MiB resident in the largest process
    tree: float | None = None  # MiB of all processes together at the worst moment, where it was watched


@dataclass(frozen=True)
class Done:
    """A process that has ended well."""

    cost: Cost
    output: str

    @property
    def last(self) -> str:
        """The last line that it printed."""
        return self.output.strip().rpartition("\n")[2]

    @property
    def best(self) -> float:
        """The best score: of the run whose directory was printed, or as it was printed."""
        if not Path(self.last).is_dir():
            return float(self.last)
        record = json.loads((Path(self.last) / "run.json").read_text())
        return float(record["metrics"][record["primary"]]["mean"])


@dataclass(frozen=True)
class Bench:
    """A workspace to measure in."""

    folder: Path
    rounds: int = 3
    scale: float = 1.0

    @classmethod
    def create(cls, folder: Path, repository: Path, rounds: int, scale: float) -> Bench:
        """Fill a folder with the configs and the data of this repository."""
        for name in ("configs", "data"):
            shutil.copytree(repository / name, folder / name)
        return cls(folder, rounds, scale)

    def scaled(self, count: int, least: int = 2) -> int:
        """Return a number of rows or points as it was asked for."""
        return max(least, round(count * self.scale))

    def configure(self, name: str, **sections: object) -> None:
        """Write an experiment; JSON is YAML."""
        (self.folder / "configs" / f"{name}.yaml").write_text(json.dumps(sections))

    def run(self, command: Sequence[str], *, watch: bool = False) -> Done:
        """Run a command to its end; watching its memory takes some of the machine's time."""
        return run(command, self.folder, watch=watch)

    def journal(self, done: Done) -> list[dict]:
        """Return the trials of a run in the order in which they ended."""
        return [json.loads(line) for line in (self.folder / done.last / "trials.jsonl").read_text().splitlines()]


def mlops(*arguments: str) -> list[str]:
    """Return a command of the tool."""
    return [sys.executable, "-m", "mlops_cli", *arguments]


def sweep(name: str, *arguments: str) -> list[str]:
    """Return the command that runs an experiment on two workers, whatever was run before, and prints its directory."""
    return mlops("run", f"config={name}", "--force", "--quiet", "-j", "2", *arguments)


def rival(script: str, *arguments: object) -> list[str]:
    """Return the command of a script that we are compared with."""
    return [sys.executable, str(RIVALS / f"{script}.py"), *map(str, arguments)]


# --- one process -------------------------------------------------------------------------------------------------


def adopt_orphans() -> None:
    """Have processes whose parent has died become children of this one, so that what they took is counted."""
    if sys.platform.startswith("linux"):
        set_child_subreaper = 36
        ctypes.CDLL(None).prctl(set_child_subreaper, 1, 0, 0, 0)


def run(command: Sequence[str], folder: Path, *, watch: bool = False) -> Done:
    """Run a command and wait for all that it has started.

    Raises
    ------
    SystemExit
        It failed, or left processes behind.
    """
    output, errors = folder / "stdout.txt", folder / "stderr.txt"
    before, started = _children_cpu(), time.perf_counter()
    with output.open("wb") as out, errors.open("wb") as err, _watched(watch) as peak:
        process = subprocess.Popen(command, cwd=folder, stdout=out, stderr=err)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        _wait_for_orphans(command)
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(command)} failed:\n{output.read_text()}{errors.read_text()}")
    largest = usage.ru_maxrss / (2**20 if sys.platform == "darwin" else 1024)
    return Done(Cost(wall, _children_cpu() - before, largest, max(peak, default=None)), output.read_text())


def _children_cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _wait_for_orphans(command: Sequence[str]) -> None:
    deadline = time.monotonic() + ORPHANS_S
    with suppress(ChildProcessError):
        while True:
            found, _ = os.waitpid(-1, os.WNOHANG)
            if not found and time.monotonic() > deadline:
                raise SystemExit(f"{' '.join(command)} left processes behind: {_descendants(os.getpid())}")
            time.sleep(0 if found else 0.01)


# --- its memory --------------------------------------------------------------------------------------------------


@contextmanager
def _watched(watch: bool) -> Iterator[list[float]]:
    """Yield a list that fills with the memory of all processes below this one, in MiB, while they run."""
    seen: list[float] = []
    if not watch or not Path("/proc/self/smaps_rollup").exists():
        yield seen
        return
    ended = threading.Event()
    watcher = threading.Thread(target=_watch, args=(seen, ended), daemon=True)
    watcher.start()
    try:
        yield seen
    finally:
        ended.set()
        watcher.join()


def _watch(seen: list[float], ended: threading.Event) -> None:
    while not ended.wait(WATCH_S):
        seen.append(sum(_proportional(pid) for pid in _descendants(os.getpid())) / 1024)


def _proportional(pid: int) -> int:
    """Return the KiB of a process, with what several have mapped divided among them: a sum counts nothing twice."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0


def _descendants(pid: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):  # it has ended meanwhile
                parent = (entry / "stat").read_text().rpartition(")")[2].split()[1]
                children.setdefault(int(parent), []).append(int(entry.name))
    found = list(children.get(pid, ()))
    for child in found:
        found.extend(children.get(child, ()))  # grows while it is gone through
    return found


# --- several in turn ---------------------------------------------------------------------------------------------


@dataclass
class _Column:
    """One command of a comparison, with what its turns took."""

    name: str
    command: list[str]
    costs: list[Cost] = field(default_factory=list)
    tree: float | None = None
    best: float | None = None

    def median(self, part: str) -> float:
        return statistics.median(getattr(cost, part) for cost in self.costs)

    def ratio(self, part: str, other: _Column) -> float:
        """Return the median over the turns of how many times as much this one took as the other in the same turn."""
        pairs = zip(self.costs, other.costs, strict=True)
        return statistics.median(getattr(mine, part) / getattr(theirs, part) for mine, theirs in pairs)


def compare(bench: Bench, title: str, commands: Mapping[str, list[str]], *, scored: bool = True) -> None:
    """Run commands in turn and print what the first one takes beside each other one.

    Parameters
    ----------
    bench : Bench
        Where, and how many rounds. One more comes first, to warm up; it alone is watched for memory.
    title : str
        What they do.
    commands : mapping
        Name → command, our own first.
    scored : bool
        Whether each tells its best score: then that has to be the same.
    """
    columns = [_Column(name, command) for name, command in commands.items()]
    for column in columns:
        done = bench.run(column.command, watch=True)
        column.tree, column.best = done.cost.tree, done.best if scored else None
    if scored:
        _require_same_best(columns)
    for _ in range(bench.rounds):
        for column in columns:
            column.costs.append(bench.run(column.command).cost)
    heading(title)
    _print(columns)


def _require_same_best(columns: Sequence[_Column]) -> None:
    first, *others = columns
    for other in others:
        if abs((first.best or 0.0) - (other.best or 0.0)) > SAME:
            raise SystemExit(f"the best score of {first.name} is {first.best}, of {other.name} {other.best}")


def heading(title: str) -> None:
    """Print what comes next, with how busy the machine is: there is no reading numbers without that."""
    print(f"\n{title}  (load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores)", flush=True)


def _print(columns: Sequence[_Column]) -> None:
    ours = columns[0]
    print(f"  {'':34}{'wall s':>8}{'CPU s':>8}{'MiB':>7}{'largest':>9}{'wall ×':>9}{'CPU ×':>8}")
    for column in columns:
        tree = "" if column.tree is None else f"{column.tree:.0f}"
        ratios = "" if column is ours else f"{ours.ratio('wall', column):>9.2f}{ours.ratio('cpu', column):>8.2f}"
        numbers = f"{column.median('wall'):>8.2f}{column.median('cpu'):>8.2f}{tree:>7}{column.median('largest'):>9.0f}"
        print(f"  {column.name:34}{numbers}{ratios}", flush=True)
