"""mlops: machine learning experiments from YAML, resolved, run in parallel, recorded.

The library says what the commands say:

    import mlops_cli as mlops

    run = mlops.run("titanic", ["model.C=0.1,1,10"])
    run.best.params, run.metrics["roc_auc"].mean, run.trials, run.path
    run.model().predict(df)
    mlops.runs("titanic")
    mlops.compare("titanic:best", run)
    mlops.resume("titanic:latest")
    mlops.rerun("titanic:best").agreement
    mlops.data.add("data/titanic.csv", "titanic")
    mlops.register("titanic:best", alias="challenger")
    mlops.models.ls()
    mlops.load_model("titanic@champion").predict(df)
    mlops.load_agent("frozen_lake:best").act(observation)
    mlops.predict("titanic@champion", "data/test.csv", "predictions.parquet", proba=True)
    mlops.predict_each("titanic@champion", "inbox/*.csv", "scored/").done
    mlops.evaluate("titanic@champion", "data/labelled.csv").metrics["roc_auc"].ci95
    mlops.drift("titanic@champion", "data/june.csv").drifted
    mlops.monitor.log("titanic@champion", "data/june.csv").batch.report
    mlops.retrain("titanic", data="data/2027.csv").promotion
    mlops.serve("titanic@champion", port=8000)
    mlops.assess.processes().process("deploy_model").now

Everything is imported when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlops_cli.web.serving.library import serve
    from mlops_cli.workflows.library import (
        Compared,
        Model,
        Run,
        compare,
        drift,
        evaluate,
        find_run,
        load_agent,
        load_model,
        predict,
        predict_each,
        register,
        rerun,
        resume,
        retrain,
        run,
        runs,
    )

__all__ = [
    "Compared",
    "Model",
    "Run",
    "compare",
    "drift",
    "evaluate",
    "find_run",
    "load_agent",
    "load_model",
    "predict",
    "predict_each",
    "register",
    "rerun",
    "resume",
    "retrain",
    "run",
    "runs",
    "serve",
]


def __getattr__(name: str) -> Any:
    if name in {
        "assess",
        "data",
        "models",
        "monitor",
        "plots",
    }:  # modules, so that `mlops.plots.roc(run)` needs no import of its own
        import importlib

        return importlib.import_module(f"mlops_cli.{name}")
    if name not in __all__:
        raise AttributeError(f"module 'mlops_cli' has no attribute '{name}'")
    if name == "serve":
        from mlops_cli.web.serving.library import serve as function

        return function
    from mlops_cli.workflows import library

    return getattr(library, name)


def __dir__() -> list[str]:
    return sorted(__all__)
