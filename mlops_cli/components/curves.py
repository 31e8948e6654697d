"""What a fitted estimator says of how its fit went: a curve over epochs, iterations or rounds."""

from __future__ import annotations

from typing import Any

from mlops_cli.records import Curve


def curve_of(model: Any) -> Curve | None:
    """Return the curve of a fitted estimator, in whatever it is wrapped; None where it has none."""
    inner = _innermost(model)
    own = getattr(inner, "curve_", None)
    if isinstance(own, Curve):
        return own
    losses = getattr(inner, "loss_curve_", None)  # of scikit-learn's networks
    return None if losses is None else _of_losses(inner, losses)


def _of_losses(model: Any, losses: Any) -> Curve:
    values = {"loss": tuple(map(float, losses))}
    scores = getattr(model, "validation_scores_", None)
    if scores is not None and len(scores) == len(losses):
        values["validation_score"] = tuple(map(float, scores))
    return Curve("iteration", tuple(range(1, len(losses) + 1)), dict(values))


def _innermost(model: Any) -> Any:
    """Return what is fitted inside pipelines and wrappers."""
    seen = 0
    while seen < 10:
        seen += 1
        if hasattr(model, "steps") and model.steps:
            model = model.steps[-1][1]
        elif hasattr(model, "regressor_"):
            model = model.regressor_
        elif hasattr(model, "estimator_"):
            model = model.estimator_
        else:
            break
    return model
