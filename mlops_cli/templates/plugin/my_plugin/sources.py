"""A data source: whatever has load, which returns a DataFrame."""

from pathlib import Path

import pandas as pd

from mlops_cli.errors import DataError


class Pairs:
    """A text file with a row in each line, as ``length=5.1 width=3.5 kind=setosa``."""

    def __init__(self, path):
        self.path = path

    def load(self):
        try:
            lines = Path(self.path).read_text(encoding="utf-8").splitlines()
        except OSError as error:
            raise DataError(f"{self.path}: {error.strerror}", hint="say another one: data.path=…") from error
        rows = [dict(pair.split("=", 1) for pair in line.split()) for line in lines if line.strip()]
        table = pd.DataFrame(rows)
        numbers = [name for name in table if pd.to_numeric(table[name], errors="coerce").notna().all()]
        return table.astype(dict.fromkeys(numbers, "float64"))
