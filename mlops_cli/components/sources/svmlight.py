"""The sparse text form of svmlight and libsvm: a target and pairs of column and value in each line."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from mlops_cli.components.sources import opening
from mlops_cli.components.sources.from_files import FileSource
from mlops_cli.components.sources.options import first_line
from mlops_cli.errors import ConfigError, DataError

if TYPE_CHECKING:
    import pandas as pd

    from mlops_cli.records import Notice

_INDEX_0 = "Invalid index 0 "
"""How scikit-learn's message begins where columns are said to be counted from 1 and a 0 is found."""


@dataclass(frozen=True)
class SvmlightSource(FileSource):
    """A svmlight or libsvm file as a dense table: the columns ``f0``, ``f1`` … and ``target``.

    Parameters
    ----------
    path : str, Path or list of these
        As `FileSource`; compressed by its extension.
    n_columns : int, optional
        How many columns there are; where not given, up to the last one that has a value. Files that belong together,
        such as training and test rows, need it.
    zero_based : bool
        Whether columns are counted from 0. It is never guessed: a file in which the first column happens to have no
        value would be read as another table than the next one.
    query_id : bool
        Whether lines have a ``qid``, which becomes a column of that name, for ``data.group``.
    max_dense_bytes : int
        A larger table is refused.
    """

    n_columns: int | None = None
    zero_based: bool = False
    query_id: bool = False
    max_dense_bytes: int = 4 * 2**30

    SUFFIXES: ClassVar[tuple[str, ...]] = (".svm", ".svmlight", ".libsvm", ".txt")

    def __post_init__(self) -> None:
        if self.n_columns is not None and (not isinstance(self.n_columns, int) or self.n_columns < 1):
            raise ConfigError(f"must be a whole number above 0. Got {self.n_columns!r}.", key="data.n_columns")

    def _load_file(self) -> pd.DataFrame:
        import pandas as pd

        path = Path(str(self.path))
        parts = self._read(path)
        X, y = parts[0], parts[1]
        if not X.shape[0]:
            raise DataError(f"{path}: has no rows")
        self._check_size(path, X)
        table = pd.DataFrame(X.toarray(), columns=[f"f{i}" for i in range(X.shape[1])])
        if self.query_id:
            table["qid"] = parts[2]
        whole = bool((y == y.round()).all())
        return table.assign(target=y.astype("int64") if whole else y)

    def _inspect_file(self, table: pd.DataFrame) -> list[Notice]:  # noqa: ARG002 - all are numbers
        return []

    def _read(self, path: Path) -> Any:
        from sklearn.datasets import load_svmlight_file

        opening.check_file(path)
        with opening.open_binary(path, opening.compression_of(path)) as file:
            data = file.read()
        opening.check_head(path, data[:4096], None)
        try:
            return load_svmlight_file(
                io.BytesIO(data), n_features=self.n_columns, zero_based=bool(self.zero_based), query_id=self.query_id
            )
        except (ValueError, OverflowError, IndexError) as error:
            if not self.zero_based and _INDEX_0 in str(error):
                raise DataError(
                    f"{path}: counts columns from 0", hint="`data.zero_based: true`, for all files that belong together"
                ) from error
            raise DataError(
                f"{path}: is not in the form of svmlight: {first_line(error)}",
                hint="lines are `TARGET COLUMN:VALUE …`, with one number as the target",
            ) from error

    def _check_size(self, path: Path, X: Any) -> None:
        """Refuse what does not fit: models here take dense tables."""
        rows, columns = X.shape
        size = 8 * rows * columns
        if size > self.max_dense_bytes:
            raise DataError(
                f"{path}: {rows:,} rows of {columns:,} columns are {size / 2**30:.1f} GiB as a dense table, of which "
                f"{X.nnz / max(rows * columns, 1):.2%} have a value",
                hint="choose columns before, or data.max_dense_bytes",
            )
