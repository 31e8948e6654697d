"""A table or a query's answer from a data base, by SQLAlchemy, read in a transaction that may write nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from mlops_cli.components.sources import inspection, opening
from mlops_cli.components.sources.plain import check_names, plain_values
from mlops_cli.components.sources.secrets import from_environment, masked
from mlops_cli.errors import ConfigError, DataError, MissingExtraError, MlopsError, did_you_mean
from mlops_cli.records import Notice

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    from sqlalchemy import Connection, Engine

_DRIVERS = {"psycopg": "postgres", "psycopg2": "postgres"}
_NO_TABLE = re.compile(
    r"no such table: (\S+)|relation \"([^\"]+)\" does not exist|Table '([^']+)' doesn't exist", re.IGNORECASE
)
_NO_COLUMN = re.compile(r"no such column: \S+|column \S+ does not exist", re.IGNORECASE)
_NO_CODE = re.compile(
    r"\bE'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|\"[^\"]*\"|`[^`]*`|(\$\w*\$).*?\1|--[^\n]*|/\*.*?\*/",
    re.DOTALL | re.IGNORECASE,
)
"""Strings, quoted names and comments of SQL."""
_SELECT = re.compile(r"[\s(]*(?:select|with|values|table)\b", re.IGNORECASE)


@dataclass(frozen=True)
class SqlSource:
    """What a data base answers.

    Parameters
    ----------
    url : str, optional
        SQLAlchemy's address of the data base, such as ``postgresql://host/name`` or ``sqlite:///data/x.db``.
    url_env : str, optional
        The environment variable that holds the address, where it has a password in it.
    path : str or Path, optional
        In place of an address: an SQLite file.
    query : str, optional
        A ``SELECT``; ``:name`` stands for a parameter.
    table : str, optional
        In place of a query: a whole table, as ``name`` or ``schema.name``, in the order of its primary key.
    params : mapping, optional
        The query's parameters.
    root : str or Path
        What a relative SQLite path starts from.
    """

    url: str | None = None
    url_env: str | None = None
    path: str | Path | None = None
    query: str | None = None
    table: str | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    root: str | Path = "."

    is_remote: ClassVar[bool] = True

    def __post_init__(self) -> None:
        places = [n for n in ("url", "url_env", "path") if getattr(self, n) is not None]
        if len(places) != 1:
            found = " and ".join(places) or "none"
            raise ConfigError(f"one of url, url_env and path is needed, found {found}", key="data.url")
        if (self.query is None) == (self.table is None):
            raise ConfigError("either a query or a table is needed", key="data.query", hint="`data.table: NAME`")
        if not isinstance(self.params, Mapping):
            raise ConfigError(f"must be a mapping. Got {self.params!r} instead.", key="data.params")

    def load(self) -> pd.DataFrame:
        """Return what the data base answers.

        Raises
        ------
        DataError
            It cannot be reached, refuses the credentials, or does not know the table or column.
        ConfigError
            The query is wrong, or is not one ``SELECT``; two columns of its answer go by one name.
        MissingExtraError
            SQLAlchemy or the driver is not installed.
        """
        if self.query is not None:
            _check_is_select(str(self.query))
        engine = self._engine()
        try:
            with self._errors(engine), engine.connect() as connection:
                _forbid_writing(connection)
                table = self._answer(connection)
                connection.rollback()
        finally:
            engine.dispose()
        if table.empty:
            raise DataError(f"{self._shown}: the answer has no rows", hint="check the query's conditions")
        return plain_values(table)

    def inspect(self, table: pd.DataFrame) -> list[Notice]:
        """Return what is suspicious: texts that are numbers or dates, and rows in no order."""
        said = inspection.of_texts(table)
        if self.query is not None and not re.search(r"\border\s+by\b", self.query, re.IGNORECASE):
            text = "a data base may give the rows in another order each time, and splits go by it: end it in ORDER BY"
            said.append(Notice("no-order", f"the query has no ORDER BY; {text}"))
        return said

    @property
    def _shown(self) -> str:
        """What messages call the data base: never with a password."""
        if self.path is not None:
            return str(self.path)
        return f"${self.url_env}" if self.url_env is not None else masked(str(self.url))

    def _address(self) -> str:
        if self.path is not None:
            return f"sqlite:///{self.path}"
        return from_environment(self.url_env, "data.url_env") if self.url_env is not None else str(self.url)

    def _engine(self) -> Engine:
        try:
            import sqlalchemy as sa
        except ImportError:
            raise MissingExtraError("sqlalchemy", "sql", "reading a data base") from None
        try:
            url = sa.make_url(self._address())
        except (sa.exc.ArgumentError, ValueError):  # which may repeat a part of a password
            raise self._no_address() from None
        if url.get_backend_name() == "sqlite":  # whichever driver is named: only ours opens a file to be read alone
            return self._sqlite(url)
        if url.drivername in {"postgresql", "postgres"}:
            url = url.set(drivername="postgresql+psycopg")
        try:
            return sa.create_engine(url, pool_pre_ping=False)
        except sa.exc.NoSuchModuleError:
            raise ConfigError(
                f"SQLAlchemy has no dialect '{url.drivername}'", key="data.url", hint="postgresql://…, mysql://…"
            ) from None
        except ImportError as error:
            extra = _DRIVERS.get(error.name or "", "sql")
            raise MissingExtraError(error.name or "of the driver", extra, f"reading {url.drivername}") from None

    def _no_address(self) -> ConfigError:
        key = "data.url_env" if self.url_env is not None else "data.url"
        return ConfigError(f"{self._shown} holds no address of a data base", key=key, hint="DIALECT://HOST/NAME")

    def _sqlite(self, url: Any) -> Engine:
        """Return the engine of a file, opened to be read: SQLite would else make one that is not there."""
        import sqlite3

        import sqlalchemy as sa

        if not url.database or url.database == ":memory:":
            raise ConfigError("an SQLite data base in memory is empty", key="data.url", hint="sqlite:///data/FILE.db")
        path = Path(self.root) / url.database
        opening.check_file(path)
        with path.open("rb") as file:
            head = file.read(16)
        if not head.startswith(b"SQLite format 3\x00"):
            raise DataError(f"{path}: is not an SQLite data base", hint="is it the right file?")
        address = f"{path.resolve().as_uri()}?mode=ro"
        return sa.create_engine("sqlite://", creator=lambda: sqlite3.connect(address, uri=True))

    def _answer(self, connection: Connection) -> pd.DataFrame:
        import pandas as pd
        import sqlalchemy as sa

        if self.table is not None:
            result = connection.execute(_whole_table(connection, self.table, self._shown))
        else:
            asked = sa.text(str(self.query)).execution_options(stream_results=connection.dialect.name == "postgresql")
            result = connection.execute(asked, dict(self.params))
        names = list(result.keys())
        check_names(names)
        # not by pandas.read_sql, which makes the data base's own words into an error of its own
        return pd.DataFrame.from_records(result.fetchall(), columns=names, coerce_float=True)

    @contextmanager
    def _errors(self, engine: Engine) -> Iterator[None]:
        import sqlalchemy as sa

        try:
            yield
        except MlopsError:
            raise
        except sa.exc.InterfaceError as error:
            raise DataError(f"{self._shown}: {_said(error)}") from None
        except sa.exc.DBAPIError as error:
            raise self._failed(error, engine) from None
        except sa.exc.StatementError as error:
            hint = "data.params: NAME: VALUE for each :NAME"
            raise ConfigError(f"the query cannot be asked: {_said(error)}", key="data.query", hint=hint) from None
        except (sa.exc.SQLAlchemyError, sa.exc.ResourceClosedError) as error:
            raise DataError(
                f"{self._shown}: {_said(error)}", hint="only a query that answers with rows can be read"
            ) from None

    def _failed(self, error: Any, engine: Engine) -> MlopsError:
        said = _said(error)
        low = said.lower()
        if match := _NO_TABLE.search(said):
            name = next(filter(None, match.groups()))
            return DataError(f"{self._shown}: there is no table '{name}'", hint=_near_tables(engine, name))
        if "password" in low or "authentication" in low or "no pg_hba.conf" in low:
            return DataError(f"{self._shown}: the credentials are refused: {said}", hint="check the user and password")
        if any(
            word in low for word in ("connection refused", "could not translate", "resolve host", "timeout expired")
        ):
            return DataError(
                f"{self._shown}: the data base cannot be reached: {said}", hint="is it running, is it there?"
            )
        if "read-only" in low or "readonly" in low:
            return DataError(f"{self._shown}: the query would write, which a data source may not: {said}")
        if _NO_COLUMN.search(said) or "syntax" in low:
            return ConfigError(f"the data base refuses the query: {said}", key="data.query")
        return DataError(f"{self._shown}: {said}")


def _check_is_select(query: str) -> None:
    """Refuse what is not one query: a second statement could end the transaction that may only read."""
    code = _NO_CODE.sub(" ", query).rstrip("; \t\r\n")
    if not _SELECT.match(code) or ";" in code or re.search(r"\binto\b", code, re.IGNORECASE):
        raise ConfigError(
            "must be one SELECT that writes nothing", key="data.query", hint="WITH … SELECT …, VALUES and TABLE are too"
        )


def _forbid_writing(connection: Connection) -> None:
    """Begin a transaction that may only read, where the data base has such; an SQLite file is opened so."""
    import sqlalchemy as sa

    if connection.dialect.name == "postgresql":
        connection.execution_options(postgresql_readonly=True)
        connection.execute(sa.text("SET default_transaction_read_only = on"))  # for a query that ends the transaction
        connection.commit()
    elif connection.dialect.name in {"mysql", "mariadb"}:
        connection.execute(sa.text("SET SESSION TRANSACTION READ ONLY"))
        connection.commit()


def _whole_table(connection: Connection, name: str, shown: str) -> Any:
    import sqlalchemy as sa

    schema, _, table = name.rpartition(".")
    inspector = sa.inspect(connection)
    if not inspector.has_table(table, schema=schema or None):
        raise DataError(f"{shown}: there is no table '{name}'", hint=_near_names(inspector, schema or None, table))
    columns: list[Any] = [sa.column(str(c["name"])) for c in inspector.get_columns(table, schema=schema or None)]
    source = sa.table(table, *columns, schema=schema or None)
    key = inspector.get_pk_constraint(table, schema=schema or None)["constrained_columns"]
    return sa.select(source).order_by(*(source.c[c] for c in key))


def _near_tables(engine: Engine, name: str) -> str | None:
    import sqlalchemy as sa

    schema, _, table = name.rpartition(".")
    try:
        return _near_names(sa.inspect(engine), schema or None, table)
    except sa.exc.SQLAlchemyError:
        return None


def _near_names(inspector: Any, schema: str | None, table: str) -> str:
    known = [*inspector.get_table_names(schema=schema), *inspector.get_view_names(schema=schema)]
    return did_you_mean(table, known)


def _said(error: Any) -> str:
    """Return what the data base itself said, in one line and without the query and its parameters."""
    lines = [line.strip() for line in str(getattr(error, "orig", None) or error).splitlines() if line.strip()]
    return masked(lines[0] if lines else type(error).__name__)[:300]
