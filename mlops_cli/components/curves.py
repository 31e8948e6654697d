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
    return _of_rounds(inner) if losses is None else _of_losses(inner, losses)


def _of_losses(model: Any, losses: Any) -> Curve:
    values = {"loss": tuple(map(float, losses))}
    scores = getattr(model, "validation_scores_", None)
    if scores is not None and len(scores) == len(losses):
        values["validation_score"] = tuple(map(float, scores))
    return Curve("iteration", tuple(range(1, len(losses) + 1)), dict(values))


def _of_rounds(model: Any) -> Curve | None:
    """Return the curve of a boosting: of its training rows under a metric's own name, of those set apart beside it."""
    watched = _watched(model)
    values = {
        (name if place == 0 else f"validation_{name}"): tuple(map(float, row))
        for place, metrics in enumerate(watched.values())
        for name, row in metrics.items()
    }
    count = max(map(len, values.values()), default=0)
    if not count:
        return None
    # scikit-learn's histograms begin with how good the constant was that they start from
    first = 0 if hasattr(model, "train_score_") and hasattr(model, "n_iter_") else 1
    return Curve("round", tuple(range(first, count + first)), {k: v for k, v in values.items() if len(v) == count})


def _watched(model: Any) -> dict[str, dict[str, Any]]:
    """Return what was reckoned of each round: training rows first, then those set apart, by metric."""
    if hasattr(model, "get_evals_result"):  # CatBoost
        return dict(model.get_evals_result())
    found = getattr(model, "evals_result_", None)  # XGBoost, LightGBM
    if found is not None:
        return dict(found)
    scores = getattr(model, "train_score_", None)  # scikit-learn: of histograms empty where none stop early
    if scores is None or not len(scores):
        return {}
    if not hasattr(model, "n_iter_"):
        return {"training": {"loss": scores}}
    apart = getattr(model, "validation_score_", ())
    return {"training": {"score": scores}, **({"apart": {"score": apart}} if len(apart) else {})}


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
