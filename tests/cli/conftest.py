"""A small workspace that the command runs in as a process."""

import pytest

CONFIG = """
defaults: [experiment, {data: csv}, {transforms: tabular}, {model: logistic_regression}, _self_]
data: {path: data/points.csv, target: label}
evaluation: {metrics: [roc_auc, accuracy]}
"""


@pytest.fixture
def small(workspace):
    """A workspace with the experiment ``points``."""
    rows = ["x,y,kind,label"]
    rows += [f"{i % 7 + (i % 2)},{(i * 37) % 11},{'ab'[i % 3 == 0]},{i % 2}" for i in range(60)]
    (workspace / "data" / "points.csv").write_text("\n".join(rows) + "\n")
    (workspace / "configs" / "points.yaml").write_text(CONFIG)
    return workspace
