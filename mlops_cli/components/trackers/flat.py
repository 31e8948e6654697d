"""A run in the flat words that trackers take: parameters, numbers, tags. All of it is in the run's record."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mlops_cli.records import Direction

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mlops_cli.records import Curve, RunRecord, TrialResult


def key_of(record: RunRecord) -> str:
    """Return a run's id as 40 hexadecimal digits, the same at each telling, for services that want such keys."""
    return hashlib.sha256(record.id.encode()).hexdigest()[:40]


def params_of(record: RunRecord) -> dict[str, Any]:
    """Return the parameters of the best trial by dotted key; a list is its text."""
    best = dict(record.best.params) if record.best is not None else {}
    found = {**record.params, **best}
    return {key: value if _is_plain(value) else str(value) for key, value in found.items()}


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, bool | int | str) or (isinstance(value, float) and math.isfinite(value))


def metrics_of(record: RunRecord) -> dict[str, float]:
    """Return the best trial's metrics: the mean, ``.std``, ``.test``, and ``.split_0`` and so on for each split."""
    found: dict[str, float | None] = {}
    for name, summary in record.metrics.items():
        found |= {name: summary.mean, f"{name}.std": summary.std, f"{name}.test": summary.test}
        found |= {f"{name}.split_{number}": score for number, score in enumerate(summary.splits)}
    found |= {f"trials.{name}": getattr(record.counts, name) for name in ("completed", "failed", "pruned", "lost")}
    found["duration_s"] = record.duration_s
    return {name: float(value) for name, value in found.items() if value is not None and math.isfinite(value)}


def tags_of(record: RunRecord) -> dict[str, str]:
    """Return what a run is known by: its tags, and beside them where it came from."""
    dataset, git = record.dataset, record.git
    found = {
        "mlops.run": record.id,
        "mlops.experiment": record.experiment,
        "mlops.status": str(record.status),
        "mlops.task": str(record.task or ""),
        "mlops.fingerprint": record.fingerprint,
        "mlops.seed": "" if record.seed is None else str(record.seed),
        "mlops.dataset": "" if dataset is None else dataset.version,
        "mlops.git": git.commit or "",
        "mlops.note": record.note,
        "mlops.description": record.description,
        "mlops.warnings": "\n".join(f"{notice.code}: {notice.message}" for notice in record.warnings),
        "mlops.error": "" if record.error is None else record.error.headline,
    }
    return {**record.tags, **{key: value for key, value in found.items() if value}}


def scores_of(result: TrialResult) -> dict[str, float]:
    """Return the mean of each metric of a trial; of one that has no scores nothing."""
    means = {name: result.mean(name) for name in result.scores}
    return {name: mean for name, mean in means.items() if math.isfinite(mean)}


def points_of(curve: Curve) -> Iterator[tuple[int, Mapping[str, float]]]:
    """Yield each step of a curve with what was measured at it."""
    for place, step in enumerate(curve.steps):
        values = {name: series[place] for name, series in curve.values.items()}
        told = {name: float(v) for name, v in values.items() if v is not None and math.isfinite(v)}
        if told:
            yield step, told


@dataclass
class BestCurves:
    """The curves of the best trial so far: services draw a few well, and those of each of a thousand trials not."""

    trial: int | None = None
    curves: Mapping[int, Curve] = field(default_factory=dict)  # by split
    _score: float = math.nan

    def take(self, record: RunRecord, result: TrialResult) -> None:
        """Note a trial; of two that are equally good the one with the lower number is the better."""
        score = result.mean(record.primary or "")
        signed = score if record.direction is Direction.MAXIMIZE else -score
        if math.isnan(signed) or not result.curves:
            return
        if self.trial is None or (-signed, result.trial) < (-self._score, self.trial):
            self.trial, self.curves, self._score = result.trial, result.curves, signed
