"""What it costs that no trial of a user's own model can harm another one or the run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from measuring import compare, mlops
from tiny import IRIS

if TYPE_CHECKING:
    from measuring import Bench

OWN = '''
from sklearn.linear_model import LogisticRegression


class Own(LogisticRegression):
    """A model that the tool does not know."""
'''


def faults(bench: Bench) -> None:
    """200 trials of an own model in a process of their own, and held to a time limit, beside one after another here."""
    (bench.folder / "own.py").write_text(OWN)
    (bench.folder / "pyproject.toml").write_text('[tool.mlops]\ntrust = ["own"]\n')
    trials = bench.scaled(200)
    model = {"_target_": "own.Own", "max_iter": 1000, "C": 1.0}
    defaults = [part for part in IRIS["defaults"] if part != {"model": "logistic_regression"}]
    values = np.logspace(-3, 2, trials).tolist()
    bench.configure("own", **{**IRIS, "model": model, "defaults": defaults}, sweep={"space": {"model.C": values}})
    here = [*_own(), "launcher.backend=sequential"]
    limited = [*_own(), "launcher.trial_timeout=60", "launcher.trial_memory=2GiB"]
    title = f"{trials} trials × 5 splits of an own model, one worker"
    compare(bench, title, {"mlops, in a worker": _own(), "in this process (sequential)": here})
    compare(bench, f"{title}, with limits", {"mlops, in a worker": limited, "in this process (sequential)": here})


def _own() -> list[str]:
    return mlops("run", "config=own", "--force", "--quiet", "-j", "1")
