"""The contract suite of trackers."""

from __future__ import annotations

import math
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_cli.contracts import Ended
from mlops_cli.records import (
    BestTrial,
    Counts,
    Curve,
    Direction,
    ErrorInfo,
    MetricSummary,
    Notice,
    RunRecord,
    RunStatus,
    Task,
    TrialResult,
    TrialState,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mlops_cli.contracts import Tracker

_METRICS = ("accuracy", "top 2 accuracy!", "größe/µ")
_PARAMS: dict[str, Any] = {
    "model.C": 0.1,
    "model.kernel": "rbf",
    "model.layers": [64, 32],
    "model.weights": {"a": 1.0},
    "model.none": None,
    "model.limit": math.inf,
    "transforms.note": "two\nlines, <b>markup</b> and \x1b[31mred",
    "transforms.long": "x" * 20_000,
    "größe {0} %": True,
}


def check_tracker(make: Callable[[Path], Tracker], *, count: Callable[[Path], int] | None = None) -> None:
    """Check that a tracker keeps to `mlops_cli.contracts.Tracker`.

    It takes trials that ended in any state, names and values of any kind, runs without a single score, and runs that
    broke off; it can be closed at any time; and a run that it is told of again, with other scores, is one.

    Parameters
    ----------
    make : callable
        Takes the folder of a workspace, and returns a new tracker.
    count : callable, optional
        Takes that folder, and returns how many runs the tracker has recorded.

    Examples
    --------
    >>> class Silent:
    ...     def start(self, record, config): ...
    ...     def log_trial(self, record, result): ...
    ...     def finish(self, ended): return None
    ...     def close(self): ...
    >>> check_tracker(lambda root: Silent())
    """
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        make(root).close()  # before anything was told
        assert not list(root.iterdir()), "building it left something behind"  # noqa: S101
        record, trials = _run(root)
        _tell(make(root), record, trials, ends=False)
        _tell(make(root), record, trials)
        _tell(make(root), replace(record, metrics=_metrics(0.75)), trials)
        _check_count(count, root, 1)
        other, _ = _run(root, "20260102-000000-bbbbbb", status=RunStatus.FAILED)
        _tell(make(root), other, trials[1:3])
        _check_count(count, root, 2)


def _check_count(count: Callable[[Path], int] | None, root: Path, expected: int) -> None:
    if count is not None:
        found = count(root)
        assert found == expected, f"of {expected} runs it has {found} records"  # noqa: S101


def _tell(tracker: Tracker, record: RunRecord, trials: Sequence[TrialResult], *, ends: bool = True) -> None:
    begun = replace(record, status=RunStatus.RUNNING, metrics={}, best=None, ended=None)
    try:
        tracker.start(begun, {"name": record.experiment, "model": {"_target_": "a.B", "C": 0.1}, "tags": {}})
        for result in trials:
            tracker.log_trial(begun, result)
        if ends:
            files = {p.relative_to(record.path).as_posix(): p for p in record.path.rglob("*") if p.is_file()}
            at = tracker.finish(Ended(record, files))
            assert at is None or isinstance(at, str), f"finish returned {at!r}"  # noqa: S101
    finally:
        tracker.close()


def _run(
    root: Path, name: str = "20260101-000000-aaaaaa", status: RunStatus = RunStatus.COMPLETED
) -> tuple[RunRecord, list[TrialResult]]:
    """Return a run that has ended with the trials that it had, and write a few of its files."""
    path = root / "runs" / "checked" / name
    (path / "plots").mkdir(parents=True)
    (path / "config.yaml").write_text("name: checked\n", encoding="utf-8")
    (path / "plots" / "roc.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>", encoding="utf-8")
    done = status is RunStatus.COMPLETED
    record = RunRecord(
        id=f"checked/{name}",
        path=path,
        experiment="checked",
        status=status,
        started="2026-01-01T00:00:00.000+00:00",
        ended="2026-01-01T00:01:00.000+00:00",
        duration_s=60.0,
        task=Task.CLASSIFICATION,
        primary="accuracy",
        direction=Direction.MAXIMIZE,
        directions=dict.fromkeys(_METRICS, Direction.MAXIMIZE),
        best=BestTrial(0, {"model.C": 0.1}) if done else None,
        metrics=_metrics(0.5) if done else {},
        params=_PARAMS if done else {},
        counts=Counts(trials=4, completed=2, failed=2, lost=1) if done else Counts(trials=2, failed=2, lost=1),
        tags={"stage": "draft", "größe": "<b>x</b>"},
        note="two\nlines",
        warnings=(Notice("not-converged", "it did not"),),
        error=None if done else ErrorInfo("ValueError", "no trial\nworked"),
        fingerprint="ab" * 32,
    )
    return record, _trials()


def _metrics(mean: float) -> dict[str, MetricSummary]:
    return {name: MetricSummary(mean, 0.1, (0.3, 0.7), (mean - 0.1, mean + 0.1), 0.5) for name in _METRICS}


def _trials() -> list[TrialResult]:
    curve = Curve("epoch", (1, 2, 3), {"loss": (0.9, None, 0.3), "valid/loss": (1.0, 0.8, math.nan)})
    scores = dict.fromkeys(_METRICS, (0.4, 0.6))
    error = ErrorInfo("ValueError", "two\nlines", "Traceback …")
    return [
        TrialResult(0, TrialState.COMPLETED, _PARAMS, scores, 1.0, 0.1, "aa", curves={0: curve, 1: curve}),
        TrialResult(1, TrialState.FAILED, {"model.C": -1}, error=error, fingerprint="bb"),
        TrialResult(2, TrialState.LOST, {"model.C": 2}, error=ErrorInfo("WorkerLost", ""), fingerprint="cc"),
        TrialResult(3, TrialState.PRUNED, {"model.C": 3}, {"accuracy": (0.2,)}, 0.1, 0.1, "dd", steps=(0.2,)),
    ]
