"""All parameters of a run's winner, also where the run did not live to record them.

Pure and plain Python.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_cli.records import RunRecord

GROUPS = frozenset({"model", "transforms", "target_transform", "calibration", "threshold", "split", "seed"})
"""The parts of a config that make a trial."""


def has_params(record: RunRecord) -> bool:
    """Whether a run recorded its winner's parameters: at its start it knows no more than its options' names.

    One that others made has no task and no fingerprint; its parameters, whatever their names, are all that there are.
    """
    is_of_others = record.task is None and not record.fingerprint and record.best is not None
    return is_of_others or any("." in key for key in record.params)


def winner_params(record: RunRecord, leaves: Mapping[str, Any]) -> dict[str, Any]:
    """Return all parameters of a run's winner by dotted key.

    Parameters
    ----------
    record : RunRecord
        Of any state: one that was killed, or that an older version wrote, knows only what was swept.
    leaves : mapping
        The leaves of its config: they fill in what the record lacks, except of a group for which the winner has an
        option of its own.
    """
    if has_params(record):
        return dict(record.params)
    swept = dict(record.best.params) if record.best is not None else {}
    chosen = {key for key in swept if "." not in key}
    parts = {key: key.partition(".")[0] for key in leaves}
    configured = {key: leaves[key] for key, part in parts.items() if part in GROUPS - chosen}
    return {**record.params, **configured, **swept}
