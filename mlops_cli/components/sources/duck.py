"""A DuckDB query over files: what is to be read of large ones is chosen before it is in memory."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from mlops_cli.components.sources import inspection
from mlops_cli.components.sources.plain import check_names, plain_values
from mlops_cli.errors import ConfigError, DataError, MissingExtraError
from mlops_cli.records import Notice

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class DuckDbSource:
    """What DuckDB answers to one ``SELECT``, over files or a data base of its own.

    Parameters
    ----------
    query : str
        The query; files by their name, such as ``FROM 'data/*.parquet'``, relative ones from the workspace.
    params : mapping, optional
        The query's parameters: ``$name``.
    path : str or Path, optional
        A DuckDB data base, opened to be read.
    root : str or Path
        What relative names of files start from.
    """

    query: str
    params: Mapping[str, Any] = field(default_factory=dict)
    path: str | Path | None = None
    root: str | Path = "."

    is_remote: ClassVar[bool] = False
    """Files are here, and a dataset version tells whether they changed."""

    def __post_init__(self) -> None:
        if not isinstance(self.query, str) or not self.query.strip():
            raise ConfigError("a query is needed", key="data.query", hint="SELECT * FROM 'data/FILE.parquet'")
        if not isinstance(self.params, Mapping):
            raise ConfigError(f"must be a mapping. Got {self.params!r} instead.", key="data.params")

    def load(self) -> pd.DataFrame:
        """Return the answer.

        Raises
        ------
        DataError
            A file is not there or is not what it seems; the answer has no rows.
        ConfigError
            The query is wrong, or is not one ``SELECT``.
        MissingExtraError
            DuckDB is not installed.
        """
        try:
            import duckdb
        except ImportError:
            raise MissingExtraError("duckdb", "duckdb", "data=duckdb") from None
        try:
            with self._connection(duckdb) as connection:
                self._check(connection, duckdb)
                result = connection.execute(self.query, dict(self.params) or None)
                check_names(column[0] for column in result.description)
                table: pd.DataFrame = result.df()
        except duckdb.Error as error:
            raise _failed(error, duckdb) from None
        if table.empty:
            raise DataError("the query's answer has no rows", hint="check its conditions: data.query")
        return plain_values(table)

    def inspect(self, table: pd.DataFrame) -> list[Notice]:
        """Return what is suspicious: texts that are numbers or dates, and rows in no order."""
        said = inspection.of_texts(table)
        if re.search(r"\b(group\s+by|join|distinct)\b", self.query, re.IGNORECASE) and not re.search(
            r"\border\s+by\b", self.query, re.IGNORECASE
        ):
            text = "DuckDB may give the rows in another order each time, and splits go by it: end it in ORDER BY"
            said.append(Notice("no-order", f"the query has no ORDER BY; {text}"))
        return said

    def _connection(self, duckdb: Any) -> Any:
        settings = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
        place = str(self.path) if self.path is not None else ":memory:"
        connection = duckdb.connect(place, read_only=self.path is not None, config=settings)
        connection.execute("SET file_search_path = ?", [str(Path(self.root).resolve())])
        connection.execute("SET enable_progress_bar = false")
        connection.execute("SET lock_configuration = true")
        return connection

    def _check(self, connection: Any, duckdb: Any) -> None:
        """Refuse what is not one ``SELECT``: ``COPY``, ``ATTACH`` and ``INSTALL`` write, or fetch code."""
        statements = connection.extract_statements(self.query)
        if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
            raise ConfigError("must be one SELECT", key="data.query", hint="WITH … SELECT … is one")


def _failed(error: Any, duckdb: Any) -> DataError | ConfigError:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    said = " ".join(lines[:2])[:300] if lines else type(error).__name__
    if isinstance(error, duckdb.IOException | duckdb.InvalidInputException | duckdb.ConversionException):
        return DataError(f"DuckDB: {said}", hint="relative names start from the workspace")
    return ConfigError(f"DuckDB refuses the query: {said}", key="data.query")
