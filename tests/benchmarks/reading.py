"""What reading large files costs beside pandas alone: all of it, some of the columns, some of the rows.

``--scale 10`` takes 2 GB for the 200 MB. Each line is a whole process, imports too; pandas has to read every row before
it can draw some.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterator

    from measuring import Bench

MEGABYTES = 200
ROWS = 100_000  # of a part
COLUMNS = ("x1", "x2", "colour1", "y")
SHARE = 0.01
WAYS = ("whole", "columns", "sample", "both")


def reading(bench: Bench) -> None:
    """Read one CSV and one parquet file of the same rows, in four ways."""
    from measuring import compare

    size = bench.scaled(MEGABYTES)
    written = write(bench.folder / "data" / "large", size)
    for suffix, way in ((s, w) for s in ("csv", "parquet") for w in WAYS):
        path = written.with_suffix(f".{suffix}")
        sides = {side: [sys.executable, __file__, side, str(path), way] for side in ("mlops", "pandas")}
        compare(bench, f"{suffix}, {path.stat().st_size / 1e6:,.0f} MB, {way}", sides, scored=False)


def write(path: Path, megabytes: int) -> Path:
    """Write a table as CSV of about a size, and as parquet with a row group for each part."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    parts = _parts()
    first = next(parts)
    csv, schema = path.with_suffix(".csv"), pa.Schema.from_pandas(first, preserve_index=False)
    with csv.open("w") as text, pq.ParquetWriter(path.with_suffix(".parquet"), schema) as groups:
        while csv.stat().st_size < megabytes * 1_000_000:
            first.to_csv(text, index=False, header=text.tell() == 0)
            groups.write_table(pa.Table.from_pandas(first, schema, preserve_index=False))
            text.flush()
            first = next(parts)
    return path


def _parts() -> Iterator[pd.DataFrame]:
    chance = np.random.default_rng(0)
    while True:
        values: dict[str, object] = {f"x{i}": chance.normal(size=ROWS).round(4) for i in range(8)}
        values |= {f"n{i}": chance.integers(0, 100_000, ROWS) for i in range(4)}
        values |= {f"colour{i}": chance.choice(["red", "green", "blue", "yellow"], ROWS) for i in range(3)}
        values["city"] = np.char.add("city-", chance.integers(0, 5_000, ROWS).astype(str))
        values["gaps"] = np.where(chance.random(ROWS) < 0.1, np.nan, chance.normal(size=ROWS).round(3))
        yield pd.DataFrame({**values, "y": chance.integers(0, 2, ROWS)})


# --- the processes that are measured -----------------------------------------------------------------------------


def _read_by_pandas(path: Path, way: str) -> int:
    columns = list(COLUMNS) if way in {"columns", "both"} else None
    read = pd.read_parquet if path.suffix == ".parquet" else partial(pd.read_csv, low_memory=False)
    table = read(path, **({"columns": columns} if path.suffix == ".parquet" else {"usecols": columns}))
    return len(table.sample(frac=SHARE, random_state=0) if way in {"sample", "both"} else table)


def _read_by_mlops(path: Path, way: str) -> int:
    from mlops_cli.components.dataset import read_table
    from mlops_cli.components.sources import CsvSource, ParquetSource
    from mlops_cli.records import ComponentSpec, DataSpec, SampleSpec

    source = (ParquetSource if path.suffix == ".parquet" else CsvSource)(path)
    columns = COLUMNS if way in {"columns", "both"} else None
    sample = SampleSpec(SHARE) if way in {"sample", "both"} else None
    table, _ = read_table(source, DataSpec(ComponentSpec(""), target="y", columns=columns, sample=sample))
    return len(table)


if __name__ == "__main__":
    side, place, how = sys.argv[1:]
    print({"mlops": _read_by_mlops, "pandas": _read_by_pandas}[side](Path(place), how))
