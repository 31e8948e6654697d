"""``mlops ui`` as a real process, and what runs are made of."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import httpx

from mlops_cli.records import BestTrial, Counts, MetricSummary, RunRecord, RunStatus, TrialResult, TrialState

if TYPE_CHECKING:
    from pathlib import Path


class Server(NamedTuple):
    """A server that answers."""

    url: str  # without a / at its end
    process: subprocess.Popen[str]

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def get(self, path: str, **options) -> httpx.Response:
        return httpx.get(self.url + path, timeout=30, **options)


@contextmanager
def serving(folder: Path, *arguments: str):
    """Start ``mlops ui`` on a free port; it ends with the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "mlops_cli", "ui", "--no-open", *(arguments or ("--port", "0"))],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        yield Server(process.stdout.readline().strip().rstrip("/"), process)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)


def trial(number, score, **more) -> TrialResult:
    """A completed trial with three splits around a score."""
    scores = {"accuracy": (score - 0.01, score, score + 0.01)}
    return TrialResult(number, TrialState.COMPLETED, {"model.C": float(number)}, scores, **more)


def finish(writer, score=0.9, **more) -> RunRecord:
    """Finish a run as completed by one trial."""
    writer.append(trial(0, score))
    metric = MetricSummary(score, 0.01, (score - 0.02, score + 0.02), (score - 0.01, score, score + 0.01))
    return writer.finish(
        replace(
            writer.record,
            status=RunStatus.COMPLETED,
            best=BestTrial(0, {"model.C": 0.0}),
            metrics={"accuracy": metric},
            counts=Counts(1, 1),
            duration_s=1.5,
            **more,
        )
    )
