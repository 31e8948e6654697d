"""A model as ONNX, held against the pipeline that it was made of."""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mlops_cli.components.onnx import FEATURES, conversions, require_onnx, said_in_onnx, unsupported
from mlops_cli.errors import MlopsError, UsageError
from mlops_cli.records import ExportCheck, Notice
from mlops_cli.store.values import encode
from mlops_cli.workflows.silence import silent

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from mlops_cli.components.onnx import OnnxModel, Said
    from mlops_cli.workflows.applying.model import Model, SavedModel

__all__ = ["TOLERANCE", "as_onnx", "require_onnx"]

TOLERANCE = 1e-4
"""How far ONNX may be off: of probabilities as they are, of amounts as a share of the largest prediction. What float32
leaves is a thousandth of it; a row that takes another branch of a tree is far beyond."""


@dataclass(frozen=True)
class Rows:
    """Rows that two models are asked."""

    X: pd.DataFrame  # in the form of the training data
    of: str  # what they are


def as_onnx(saved: SavedModel, model: Model, rows: Rows, tolerance: float) -> tuple[bytes, ExportCheck, list[Notice]]:
    """Return a model as an ONNX file, what came of comparing it, and what is to be said.

    Parameters
    ----------
    saved : SavedModel
        What is written into the file about the model.
    model : Model
        The same, open.
    rows : Rows
        What both are asked.
    tolerance : float
        How far they may be apart; see `TOLERANCE`.

    Raises
    ------
    UsageError
        The model has no form in ONNX, or each that it has says something else.
    """
    from sklearn.exceptions import InconsistentVersionWarning

    refused: list[str] = []
    with warnings.catch_warnings(), silent():
        warnings.simplefilter("ignore")
        warnings.simplefilter("default", InconsistentVersionWarning)
        for made in conversions(model.pipeline, model.signature.inputs, _about(saved, model)):
            try:
                check = _compared(said_in_onnx(made, model.pipeline, rows.X), model.pipeline, rows, tolerance)
            except MlopsError as error:
                refused.append(error.message)
            except Exception as error:  # noqa: BLE001 - whatever a runtime says of a graph
                refused.append(f"ONNX Runtime cannot run it: {' '.join(str(error).split())[:200]}")
            else:
                return made.data, check, _said(made, model, refused)
    raise UsageError(f"{saved.label} is not exported: {refused[-1]}", hint="--format folder keeps the pipeline itself")


def _about(saved: SavedModel, model: Model) -> dict[str, str]:
    record, signature = saved.record, model.signature
    told = {"name": saved.version.name if saved.version else record.experiment, "run": record.id}
    told |= {"version": str(saved.version.number)} if saved.version else {}
    told |= {"task": str(signature.task), "output": signature.output}
    told |= {"data": record.dataset.version} if record.dataset is not None else {}
    return told | ({"classes": json.dumps([encode(c) for c in signature.classes])} if signature.classes else {})


def _said(made: OnnxModel, model: Model, refused: Sequence[str]) -> list[Notice]:
    if not made.without:
        left = [c.name for c in model.signature.inputs if c.name not in made.inputs]
        return [Notice("onnx-inputs", f"the steps leave out {', '.join(left)}: no inputs of the file")] if left else []
    width = model.pipeline[-1].n_features_in_
    names = ", ".join(dict.fromkeys(unsupported(model.pipeline[:-1]) or made.without))
    why = f"{names} has no form in ONNX" if not refused else f"with {names} before it {refused[-1]}"
    text = f"the file holds the model alone, since {why}; its input '{FEATURES}' is the {width} columns that the steps "
    text += "make: pipeline[:-1].transform(rows)"
    return [Notice("onnx-model-alone", text)]


# --- compared ----------------------------------------------------------------------------------------------------


def _compared(said: Said, pipeline: Any, rows: Rows, tolerance: float) -> ExportCheck:
    predicted = np.asarray(pipeline.predict(rows.X))
    if not hasattr(pipeline, "classes_"):
        return _within(_amounts(said.predictions, predicted), 0, rows, tolerance)
    wrong = np.asarray(said.predictions).astype(predicted.dtype) != predicted
    if said.probabilities is None:
        if wrong.any():
            raise UsageError(f"ONNX says another class of {int(wrong.sum())} of {len(wrong)} {rows.of}")
        return ExportCheck(len(wrong), rows.of, None)
    expected = np.asarray(pipeline.predict_proba(rows.X))
    difference = float(np.abs(said.probabilities - expected).max())
    check = _within(difference, int(wrong.sum()), rows, tolerance)
    if (wrong & ~_tied(pipeline, expected, tolerance)).any():
        raise UsageError(f"ONNX says another class of {int(wrong.sum())} of {len(wrong)} {rows.of}")
    return check


def _amounts(found: Any, expected: Any) -> float:
    scale = float(np.abs(expected).max()) or 1.0
    return float(np.abs(found.astype("float64") - expected.astype("float64")).max()) / scale


def _tied(pipeline: Any, probabilities: Any, tolerance: float) -> Any:
    """Return of which rows two classes are as probable as each other, so that either may be said."""
    model = pipeline[-1]
    bound = getattr(model, "best_threshold_", getattr(model, "threshold", None))
    if isinstance(bound, float):
        return np.abs(probabilities - bound).min(axis=1) <= tolerance
    ordered = np.sort(probabilities, axis=1)
    return ordered[:, -1] - ordered[:, -2] <= 2 * tolerance


def _within(difference: float, labels: int, rows: Rows, tolerance: float) -> ExportCheck:
    if not difference <= tolerance:
        text = f"ONNX and the pipeline are up to {difference:.3g} apart on {len(rows.X)} {rows.of}"
        raise UsageError(f"{text}, and {tolerance:g} is allowed")
    return ExportCheck(len(rows.X), rows.of, difference, labels)
