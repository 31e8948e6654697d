"""What a check for drift costs beside scipy's tests over both tables in memory, and how memory grows with the rows.

Both compare fifty columns; the check reads what was kept with the model in place of the training data, and asks the
model about every row too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from pathlib import Path

    from measuring import Bench

ROWS = 1_000_000
PART = 50_000
TRAINED = 100_000
NUMBERS, WHOLE, WORDS = 34, 8, 8


def drifting(bench: Bench) -> None:
    """Compare a million rows of fifty columns with a model of a hundred thousand, then four times as many."""
    from measuring import compare, heading, mlops, rival

    train = _write(bench.folder / "data" / "train.parquet", bench.scaled(TRAINED), 0.0, labelled=True)
    bench.configure(
        "drift",
        defaults=[
            "experiment",
            {"data": "parquet"},
            {"transforms": "tabular"},
            {"model": "logistic_regression"},
            "_self_",
        ],
        data={"path": "data/train.parquet", "target": "y"},
        evaluation={"metrics": ["accuracy"]},
        artifacts={"plots": "none"},
    )
    bench.run(mlops("run", "config=drift", "--quiet"))
    for suffix in ("parquet", "csv"):
        rows = bench.scaled(ROWS)
        path = _write(bench.folder / "data" / f"new.{suffix}", rows, 0.0)
        commands = {
            "mlops drift": mlops("drift", "drift:latest", str(path), "--json"),
            "scipy over both tables": rival("drift_scipy", train, path),
        }
        compare(bench, f"drift of {rows:,} rows of 50 columns, {suffix}", commands, scored=False)
    heading("memory of mlops drift")
    for times in (1, 4):
        rows = bench.scaled(times * ROWS)
        path = _write(bench.folder / "data" / "larger.parquet", rows, 0.0)
        done = bench.run(mlops("drift", "drift:latest", str(path), "--json"))
        print(f"  {rows:>12,} rows{done.cost.largest:>9.0f} MiB{done.cost.wall:>8.1f} s", flush=True)


def _table(rows: int, begin: int, moved: float) -> pd.DataFrame:
    chance = np.random.default_rng([begin, rows])
    values: dict[str, object] = {f"x{i}": chance.normal(moved, 1, rows) for i in range(NUMBERS)}
    values |= {f"n{i}": chance.integers(0, 10 ** (i % 4 + 1), rows) for i in range(WHOLE)}
    values |= {f"w{i}": chance.choice([f"word{k}" for k in range(4 ** (i % 4 + 1))], rows) for i in range(WORDS)}
    table = pd.DataFrame(values)
    return table.assign(y=(table["x0"] + table["x1"] + chance.normal(size=rows) > 0).astype(int))


def _write(path: Path, rows: int, moved: float, *, labelled: bool = False) -> Path:
    """Write rows in parts, so that the benchmark itself needs no more memory than one."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path.unlink(missing_ok=True)
    parts = (_table(min(PART, rows - at), at + 7 * (not labelled), moved) for at in range(0, rows, PART))
    chosen = (part if labelled else part.drop(columns="y") for part in parts)
    if path.suffix == ".csv":
        for number, part in enumerate(chosen):
            part.to_csv(path, index=False, header=number == 0, mode="a")
        return path
    writer = None
    for part in chosen:
        table = pa.Table.from_pandas(part, preserve_index=False)
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
    writer.close()
    return path
