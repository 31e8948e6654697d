"""Small data of every kind, and experiments over it."""

from __future__ import annotations

import textwrap

import numpy as np
import pandas as pd
import pytest

ROWS = 120


@pytest.fixture(scope="session")
def mixed():
    """Numbers with gaps, categories, text, a class, an amount, weights and groups."""
    rng = np.random.default_rng(0)
    age = rng.normal(40, 12, ROWS).round(2)
    fare = rng.lognormal(3, 1, ROWS).round(3)
    sex = rng.choice(["female", "male"], ROWS)
    word = np.where(rng.random(ROWS) < 0.5, "cheap", "dear")
    signal = (age - 40) / 12 + (sex == "male") + (word == "dear") + rng.logistic(size=ROWS)
    table = pd.DataFrame(
        {
            "age": age,
            "fare": fare,
            "sex": sex,
            "port": rng.choice(["S", "C", "Q"], ROWS),
            "note": [f"a {w} place number {i} by the old sea wall" for i, w in enumerate(word)],
            "weight": rng.uniform(0.5, 2.0, ROWS).round(3),
            "family": np.arange(ROWS) // 4,
            "survived": (signal > 0.8).astype(int),
            "amount": (fare * 2 + age + rng.normal(size=ROWS)).round(4),
        }
    )
    table.loc[::9, "age"] = np.nan
    table.loc[::11, "port"] = None
    return table


@pytest.fixture
def experiment(workspace, mixed):
    """Write ``configs/e.yaml`` with the given body over the mixed data, and return its name."""
    mixed.to_csv(workspace / "data" / "mixed.csv", index=False)

    def write(body: str, name: str = "e") -> str:
        (workspace / "configs" / f"{name}.yaml").write_text(textwrap.dedent(body))
        return name

    return write
