"""The data of a run as an input of MLflow's, by our own digest."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from mlops_cli.components.trackers.mlflow_model import column_type
from mlops_cli.components.trackers.mlflow_names import cut

if TYPE_CHECKING:
    from mlops_cli.records import DatasetVersion, RunRecord

_DIGEST, _NAME, _SCHEMA = 36, 500, 1_048_000
CONTEXT = "mlflow.data.context"


def log_data(client: Any, run_id: str, record: RunRecord) -> None:
    """Say which data a run read: what trials saw, and held-out rows that come from somewhere else.

    MLflow's digests have at most 36 characters: these are the first ones of ours, and the tag
    ``mlops.dataset.version`` has all 64.
    """
    from mlflow.entities import DatasetInput, InputTag

    inputs = [
        DatasetInput(_dataset(version), [InputTag(CONTEXT, context)])
        for version, context in ((record.dataset, "training"), (record.test_dataset, "testing"))
        if version is not None
    ]
    if inputs:
        client.log_inputs(run_id, inputs)


def _dataset(version: DatasetVersion) -> Any:
    from mlflow.entities import Dataset

    source = version.source or "unknown"
    columns = [
        {"type": column_type(column), "name": column.name, "required": column.name != version.target}
        for column in version.columns
    ]
    schema = json.dumps({"mlflow_colspec": columns})
    return Dataset(
        name=cut(source.rpartition("/")[2] or source, _NAME),
        digest=version.version[:_DIGEST],
        source_type="local",
        source=json.dumps({"uri": cut(source, 60_000)}),
        schema=schema if len(schema) < _SCHEMA else None,
        profile=json.dumps({"num_rows": version.rows, "num_elements": version.rows * len(version.columns)}),
    )
