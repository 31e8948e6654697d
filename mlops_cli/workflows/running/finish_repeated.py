"""What follows from the trials of a task without a table: its scores, and what the best of them wrote."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING

from mlops_cli.analysis.aggregate import summaries
from mlops_cli.components.commands import program_of
from mlops_cli.records import RunStatus, SplitsInfo, Stage
from mlops_cli.store.artifacts import drop_work, keep_artifacts
from mlops_cli.workflows.runs.plots import plot_run

if TYPE_CHECKING:
    from mlops_cli.contracts import Observer
    from mlops_cli.records import RunRecord, TrialResult
    from mlops_cli.store.layout import RunPaths
    from mlops_cli.workflows.running.prepare import Prepared


def finish_repeated(
    record: RunRecord, prepared: Prepared, best: TrialResult, paths: RunPaths, told: Observer
) -> RunRecord:
    """Complete the record, and keep the files of the best trial."""
    # Repetitions share nothing, so their mean is as certain as independent measurements make it.
    record = replace(record, metrics=summaries(best, 0.0), splits=_repetitions(prepared, best))
    if record.status is not RunStatus.COMPLETED:
        return record
    if prepared.spec.artifacts.keep == "none":
        drop_work(paths)
    else:
        told(Stage("save"))
        record = replace(record, files={**record.files, **keep_artifacts(paths, best.fingerprint)})
    if prepared.spec.artifacts.plots:
        told(Stage("plots"))
        record = replace(record, warnings=(*record.warnings, *plot_run(record, prepared, None)))
    return record


def _repetitions(prepared: Prepared, best: TrialResult) -> SplitsInfo:
    """Return what tells whether the scores of two runs can be compared one by one: the same work by the same seeds."""
    spec, count = prepared.trial(best.trial, best.params).spec, prepared.dataset.rows
    config = spec.model.params["config"]
    work = {**{key: config.get(key) for key in ("env", "script")}, "command": program_of(config.get("command") or "")}
    said = {"task": str(prepared.plan.task), "work": work, "seed": spec.seed, "repetitions": count}
    digest = hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode())
    return SplitsInfo(digest.hexdigest(), count, 0.0, count)
