"""What a recorded run was asked: its config, read as plain text without composing it again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mlops_cli.analysis.params import has_params
from mlops_cli.config.flat import flat
from mlops_cli.config.repeated import REPEATED_KEYS
from mlops_cli.config.yaml_guard import read_text
from mlops_cli.errors import ConfigError
from mlops_cli.store.layout import RunPaths

if TYPE_CHECKING:
    from mlops_cli.records import RunRecord


def config_leaves(record: RunRecord) -> dict[str, Any]:
    """Return the leaves of a run's ``config.yaml`` by dotted key.

    Raises
    ------
    ConfigError
        The file is missing, damaged or hostile.
    """
    import yaml

    file = RunPaths(record.path).config
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    value = yaml.load(read_text(file, str(file)), Loader=loader)  # noqa: S506 - either loader is a safe one
    leaves = flat(value) if isinstance(value, Mapping) else {}
    return {key: _resolved(item, leaves) for key, item in leaves.items()}


def work_of(record: RunRecord) -> dict[str, Any]:
    """Return by dotted key what the best trial of a task without a table did; nothing of one with a table.

    Where no trial was the best, what its config says: of a sweep the place of what was swept.
    """
    if record.task is None or record.task.has_table:
        return {}
    try:
        leaves = record.params if has_params(record) else config_leaves(record)
    except ConfigError:  # what else there is to see of the run needs no config
        return {}
    parts = {key: key.partition(".")[0] for key in leaves}
    return {key: leaves[key] for key, part in parts.items() if part in REPEATED_KEYS}


def _resolved(value: Any, leaves: Mapping[str, Any]) -> Any:
    """Return what a whole value such as ``${seed}`` stands for; a sweep's config keeps it, a single run's does not."""
    if isinstance(value, str) and value.startswith("${") and value.endswith("}"):
        return leaves.get(value[2:-1], value)
    return value


def own_metrics(leaves: Mapping[str, Any]) -> dict[str, Any]:
    """Return the definitions of the metrics that are no names of scikit-learn's, by their names."""
    listed = leaves.get("evaluation.metrics") or []
    found: dict[str, Any] = {}
    for item in listed if isinstance(listed, list) else [listed]:
        if isinstance(item, Mapping):
            found[str(item.get("name") or next(iter(item), ""))] = item
        elif "." in str(item):
            found[str(item).rpartition(".")[2]] = item
    return found
