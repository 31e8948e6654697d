"""A saved model as its users meet it: columns are matched by name, and what does not fit is said in one line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops_cli.components.tables import conform
from mlops_cli.config.workspace import trusted_workspace
from mlops_cli.errors import UsageError
from mlops_cli.execution.job import make_importable
from mlops_cli.store.layout import RunPaths
from mlops_cli.store.models import load_model, load_signature

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from mlops_cli.records import RunRecord, Signature


@dataclass(frozen=True)
class Model:
    """A fitted Pipeline with what it takes and gives.

    Parameters
    ----------
    pipeline : sklearn.pipeline.Pipeline
        The steps and the model; scikit-learn's own, so that everything of scikit-learn works on it.
    signature : Signature
        The columns that it was trained on, and what it predicts.
    """

    pipeline: Any
    signature: Signature

    def predict(self, table: pd.DataFrame) -> np.ndarray[Any, Any]:
        """Return a prediction for each row, shape (rows,).

        Parameters
        ----------
        table : DataFrame
            Has the columns of the training data, in any order; others are ignored.

        Raises
        ------
        DataError
            Columns are missing, with the nearest names, or hold values of another kind.
        """
        predicted: np.ndarray[Any, Any] = self.pipeline.predict(self.features(table))
        return predicted

    def predict_proba(self, table: pd.DataFrame) -> np.ndarray[Any, Any]:
        """Return the probability of each class for each row, shape (rows, classes); see `Signature.classes`.

        Raises
        ------
        DataError
            As in `predict`.
        UsageError
            The model gives no probabilities.
        """
        if not hasattr(self.pipeline, "predict_proba"):
            name = type(self.pipeline[-1]).__name__
            raise UsageError(f"{name} gives no probabilities", hint="run it with calibration=sigmoid")
        probabilities: np.ndarray[Any, Any] = self.pipeline.predict_proba(self.features(table))
        return probabilities

    def features(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return the table in the form of the training data: by name, in order, with the same types."""
        return conform(table, self.signature.inputs)


def open_model(record: RunRecord, *, allow_pickle: bool = False) -> Model:
    """Open the model of a run, after its files are checked against the record.

    Parameters
    ----------
    record : RunRecord
        The run.
    allow_pickle : bool
        Open a model that was saved by ``artifacts.model_format: joblib``; a pickle can run any code.

    Raises
    ------
    StoreError
        The run has no model, or its files are not those that were recorded.
    ConfigError
        The run is of another workspace, which trusts modules that this one does not.
    """
    workspace = trusted_workspace(record.path)
    make_importable(str(workspace.root), workspace.trust)
    paths = RunPaths(record.path).model
    hashes = {k.removeprefix("model/"): v for k, v in record.files.items() if k.startswith("model/")}
    pipeline = load_model(paths, hashes, trust=workspace.trust, allow_pickle=allow_pickle)
    return Model(pipeline, load_signature(paths, hashes))
