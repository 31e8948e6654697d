"""What it costs to find runs among many, beside reading the record of each: seconds of whole processes."""

from __future__ import annotations

import random
import shutil
import sys
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch

from measuring import heading, mlops

from mlops_cli.records import (
    BestTrial,
    Column,
    Counts,
    DatasetVersion,
    Direction,
    GitState,
    Kind,
    MetricSummary,
    RunRecord,
    RunStatus,
    Task,
    TrialResult,
    TrialState,
)
from mlops_cli.store.layout import WorkspacePaths
from mlops_cli.store.runs import RunSources, RunWriter

if TYPE_CHECKING:
    from measuring import Bench, Done

COUNTS = (100, 2_000, 20_000)
METRICS = ("roc_auc", "accuracy", "f1", "log_loss")
MODELS = ("logistic_regression", "random_forest", "svm", "knn")
SPLITS = 5
READ_ALL = (
    "from pathlib import Path; from mlops_cli.store.find import list_runs; "
    "from mlops_cli.store.layout import WorkspacePaths; "
    "print(max(list_runs(WorkspacePaths(Path.cwd())).runs, key=lambda run: run.metrics['roc_auc'].mean).id)"
)
FILTER = "roc_auc > 0.8 and model.C < 1 and not model = svm"


def seeing(bench: Bench) -> None:
    """Find runs among 100, 2,000 and 20,000."""
    for count in COUNTS:
        runs = bench.scaled(count)
        fabricate(bench.folder, runs)
        heading(f"{runs:,} runs")
        start = bench.run(mlops("--help"))
        _line("mlops --help, in all that follows", start)
        for name, command in _commands().items():
            done = bench.run(command)
            _line(name, done, start)
        print(f"  the index is of {(bench.folder / '.mlops' / 'index.sqlite').stat().st_size / 2**20:.1f} MiB")
        shutil.rmtree(bench.folder / "runs")
        shutil.rmtree(bench.folder / ".mlops")


def _commands() -> dict[str, list[str]]:
    return {
        "read every run.json": [sys.executable, "-c", READ_ALL],
        "mlops runs --help": mlops("runs", "--help"),
        "mlops runs reindex": mlops("runs", "reindex"),
        "mlops runs ls": mlops("runs", "ls"),
        "mlops runs ls --where": mlops("runs", "ls", "--where", FILTER),
        "mlops runs ls --sort=-roc_auc": mlops("runs", "ls", "--sort=-roc_auc"),
        "mlops runs ls, both": mlops("runs", "ls", "--where", FILTER, "--sort=-roc_auc"),
        "mlops runs best": mlops("runs", "best"),
        "mlops runs show one0:best": mlops("runs", "show", "one0:best"),
        "mlops runs show latest": mlops("runs", "show", "latest"),
        "mlops report latest, with its plots": mlops("report", "latest", "-o", "report.html", "--force"),
    }


def _line(name: str, done: Done, start: Done | None = None) -> None:
    """Print what a command took, and what is left of that without the start."""
    cost = done.cost
    beyond = "" if start is None else f"{cost.cpu - start.cost.cpu:>8.2f} CPU s beyond the start"
    print(f"  {name:34}{cost.wall:>8.2f} s{cost.cpu:>8.2f} CPU s{beyond}", flush=True)


# --- runs that nobody has run ------------------------------------------------------------------------------------


def fabricate(folder: Path, count: int, *, experiments: int = 10) -> None:
    """Write finished runs through the store as a workflow does, though not all the way to the disk.

    Parameters
    ----------
    folder : Path
        The workspace.
    count : int
        How many runs.
    experiments : int
        How many experiments they are of.
    """
    rng = random.Random(0)
    begin = datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=1)))
    with patch("os.fsync"), patch("mlops_cli.store.files.sync_paths"), patch("mlops_cli.store.runs.sync_paths"):
        for number in range(count):
            started = begin + timedelta(minutes=20 * number)
            _write(WorkspacePaths(folder), f"one{number % experiments}", started, rng)


def _write(workspace: WorkspacePaths, experiment: str, started: datetime, rng: random.Random) -> None:
    params = _params(rng)
    swept = {key: params[key] for key in ("model.C", "model")}
    draft = RunRecord(
        id="",
        path=Path(),
        experiment=experiment,
        status=RunStatus.RUNNING,
        started=started.isoformat(),
        task=Task.CLASSIFICATION,
        primary="roc_auc",
        direction=Direction.MAXIMIZE,
        dataset=_dataset(rng),
        git=GitState(f"{rng.randrange(16**40):040x}", dirty=False),
        environment={"python": "3.11.7", "packages": {f"package{n}": f"1.{n}.0" for n in range(30)}},
        tags={"stage": rng.choice(["draft", "candidate"])},
        fingerprint=f"{rng.randrange(16**64):064x}",
        counts=Counts(trials=1),
    )
    metrics = {name: _metric(rng) for name in METRICS}
    with RunWriter.create(workspace, draft, RunSources("name: fabricated\n", ["model.C=1"])) as writer:
        scores = {name: metric.splits for name, metric in metrics.items()}
        writer.append(TrialResult(0, TrialState.COMPLETED, swept, scores, 0.1, 0.01))
        record = replace(writer.record, status=RunStatus.COMPLETED, metrics=metrics, params=params)
        ended = {"ended": (started + timedelta(seconds=9)).isoformat(), "duration_s": 9.0}
        writer.finish(replace(record, best=BestTrial(0, swept), counts=Counts(1, 1), **ended))


def _params(rng: random.Random) -> dict[str, object]:
    fixed = {f"transforms.step{n}.option{m}": m * 0.5 for n in range(5) for m in range(8)}
    own = {"model": rng.choice(MODELS), "model.C": 10 ** rng.uniform(-3, 3), "model.max_iter": 100, "seed": 0}
    return {**own, "model.class_weight": None, **fixed}


def _metric(rng: random.Random) -> MetricSummary:
    splits = tuple(rng.uniform(0.5, 1.0) for _ in range(SPLITS))
    mean = sum(splits) / SPLITS
    return MetricSummary(mean, 0.02, (mean - 0.03, mean + 0.03), splits, mean - 0.01)


def _dataset(rng: random.Random) -> DatasetVersion:
    columns = tuple(Column(f"column{n}", "float64", Kind.NUMERIC, 0, 1000) for n in range(60))
    return DatasetVersion(f"{rng.choice('abc') * 64}", 20_000, columns, "target", "data/mixed.csv")
