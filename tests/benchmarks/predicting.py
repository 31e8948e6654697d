"""What predicting a large file costs beside the bare Pipeline, how memory grows, how long a forest takes to open.

The same rows come out on both sides, to the byte.
"""

from __future__ import annotations

import statistics
import sys
import time
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from pathlib import Path

    from measuring import Bench

ROWS = 1_000_000
PART = 100_000
TRAINED = 20_000
TREES = 200
TAKES = 5


def predicting(bench: Bench) -> None:
    """Predict a million rows of mixed columns as CSV and as parquet, then four times as many."""
    from measuring import compare, heading, mlops, rival

    _train(bench)
    for suffix in ("csv", "parquet"):
        rows = bench.scaled(ROWS)
        path = _write(bench.folder / "data" / f"large.{suffix}", rows)
        commands = {
            "mlops predict": mlops("predict", "predict:latest", str(path), "-o", "ours.csv", "--force", "--quiet"),
            "read, pipeline.predict, to_csv": rival("predict_bare", path, "theirs.csv"),
        }
        compare(bench, f"predict {rows:,} rows of {suffix}", commands, scored=False)
        if (bench.folder / "ours.csv").read_bytes() != (bench.folder / "theirs.csv").read_bytes():
            raise SystemExit("the predictions differ")
    heading("memory of mlops predict")
    for times in (1, 4):
        rows = bench.scaled(times * ROWS)
        path = _write(bench.folder / "data" / "larger.csv", rows)
        done = bench.run(mlops("predict", "predict:latest", str(path), "-o", "ours.csv", "--force", "--quiet"))
        print(f"  {rows:>12,} rows{done.cost.largest:>9.0f} MiB{done.cost.cpu:>8.1f} CPU s", flush=True)
    _open_forests(bench)


def _train(bench: Bench) -> None:
    from measuring import mlops

    _table(TRAINED, 0).to_csv(bench.folder / "data" / "train.csv", index=False)
    bench.configure(
        "predict",
        defaults=["experiment", {"data": "csv"}, {"transforms": "tabular"}, {"model": "logistic_regression"}, "_self_"],
        data={"path": "data/train.csv", "target": "y", "id": "id"},
        evaluation={"metrics": ["accuracy"]},
        artifacts={"plots": "none"},
    )
    bench.run(mlops("run", "config=predict", "--quiet"))


def _table(rows: int, begin: int) -> pd.DataFrame:
    chance = np.random.default_rng(begin)
    values: dict[str, object] = {"id": np.arange(begin, begin + rows)}
    values |= {f"x{i}": chance.normal(size=rows).round(4) for i in range(8)}
    values |= {f"n{i}": chance.integers(0, 1000, rows) for i in range(3)}
    values |= {f"colour{i}": chance.choice(["red", "green", "blue", "yellow"], rows) for i in range(3)}
    values["gaps"] = np.where(chance.random(rows) < 0.1, np.nan, chance.normal(size=rows).round(3))
    table = pd.DataFrame(values)
    return table.assign(y=(table["x0"] + table["x1"] + chance.normal(size=rows) > 0).astype(int))


def _write(path: Path, rows: int) -> Path:
    """Write unlabelled rows in parts, so that the benchmark itself needs no more memory than one."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path.unlink(missing_ok=True)
    parts = (_table(min(PART, rows - at), at).drop(columns="y") for at in range(0, rows, PART))
    if path.suffix == ".csv":
        for number, part in enumerate(parts):
            part.to_csv(path, index=False, header=number == 0, mode="a")
        return path
    writer = None
    for part in parts:
        table = pa.Table.from_pandas(part, preserve_index=False)
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
    writer.close()
    return path


# --- opening -----------------------------------------------------------------------------------------------------


def _open_forests(bench: Bench) -> None:
    from measuring import heading

    done = bench.run([sys.executable, __file__, str(bench.scaled(TREES))])
    heading("a random forest is written and opened, in this process")
    print(done.output.rstrip(), flush=True)


def _measure(trees: int) -> None:
    """Print how large a forest is in each form, and the median of how long it takes to be opened."""
    import io
    import zipfile

    import joblib
    import skops.io
    from sklearn.ensemble import RandomForestClassifier

    table = _table(TRAINED, 0)
    X, y = table.filter(regex=r"^[xn]\d").to_numpy(), table["y"].to_numpy()
    forest = RandomForestClassifier(trees, random_state=0, n_jobs=2).fit(X, y)
    pickled = io.BytesIO()
    joblib.dump(forest, pickled)
    forms = {
        "joblib": pickled.getvalue(),
        "skops, stored": skops.io.dumps(forest, compression=zipfile.ZIP_STORED),
        "skops, deflate 1": skops.io.dumps(forest, compression=zipfile.ZIP_DEFLATED, compresslevel=1),
        "skops, deflate 6": skops.io.dumps(forest, compression=zipfile.ZIP_DEFLATED, compresslevel=6),
    }
    print(f"  {trees} trees of {TRAINED:,} rows{'MB':>20}{'types s':>9}{'load s':>8}")
    for name, data in forms.items():
        types, load = _take(name, data)
        print(f"  {name:34}{len(data) / 1e6:>10.1f}{types:>9.2f}{load:>8.2f}")


def _take(name: str, data: bytes) -> tuple[float, float]:
    """Return the seconds that the look at a file's types takes, and the loading itself."""
    import io

    import joblib
    import skops.io

    if name == "joblib":
        return 0.0, _median(lambda: joblib.load(io.BytesIO(data)))
    types = skops.io.get_untrusted_types(data=data)
    return _median(lambda: skops.io.get_untrusted_types(data=data)), _median(
        lambda: skops.io.loads(data, trusted=types)
    )


def _median(act) -> float:
    taken = []
    for _ in range(TAKES):
        started = time.process_time()
        act()
        taken.append(time.process_time() - started)
    return statistics.median(taken)


if __name__ == "__main__":
    _measure(int(sys.argv[1]))
