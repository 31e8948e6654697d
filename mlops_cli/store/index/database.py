"""The file ``.mlops/index.sqlite``: made, opened, replaced where it is not ours. It is a cache and never the truth.

Whoever uses the file holds a shared lock beside it. A file that is damaged is removed under the exclusive one: the
journal that SQLite keeps beside a database would else be taken for that of the next one. Where no file can be
had, all is done in memory.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, TypeVar

from mlops_cli.store.index.fields import FIELDS
from mlops_cli.store.index.sql import FALSE, TRUE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from mlops_cli.store.layout import WorkspacePaths

T = TypeVar("T")

SCHEMA = 0x6D6C_0003
"""``user_version`` of the file: "ml" and the number of the schema. Raise it with any change of tables or fields."""

WAIT_S = 20.0  # for another process that writes
_REPLACE_WAIT_S = 5.0
# Whoever gets these would get them from a new file too.
_USELESS = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_NOMEM,
}
_COLUMNS = ", ".join(f'"{field.name}"' for field in FIELDS)
# A key of a run is found by (key, run). An index by run would double the file, and only deleting would use it: that
# looks each key up instead.
_TABLES = (
    f"""CREATE TABLE runs (n INTEGER PRIMARY KEY, folder TEXT UNIQUE NOT NULL, mtime_ns INTEGER, size INTEGER,
        inode INTEGER, journal TEXT, {_COLUMNS})""",
    "CREATE TABLE keys (id INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL)",
    "CREATE TABLE vals (key INTEGER, run INTEGER, value, PRIMARY KEY (key, run)) WITHOUT ROWID",
)


def with_database(workspace: WorkspacePaths, use: Callable[[sqlite3.Connection], T]) -> T:
    """Call a function with a connection to the index: of the file, of a new file, or in memory.

    Parameters
    ----------
    workspace : WorkspacePaths
        Whose index.
    use : callable
        May be called again with another connection where the file turns out to be damaged.
    """
    for _ in range(2):
        try:
            with _opened(workspace) as connection:
                return use(connection)
        except OSError:
            break
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF in _USELESS or not _removed(workspace):
                break
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        _prepare(connection)
        return use(connection)


@contextmanager
def writing(connection: sqlite3.Connection) -> Iterator[None]:
    """Make all changes inside the block one transaction."""
    # One that reads first could not become one that writes where another process has written in between.
    with _transaction(connection, "BEGIN IMMEDIATE"):
        yield


@contextmanager
def reading(connection: sqlite3.Connection) -> Iterator[None]:
    """Have all that is read inside the block be of one moment."""
    with _transaction(connection, "BEGIN"):
        yield


@contextmanager
def _transaction(connection: sqlite3.Connection, begin: str) -> Iterator[None]:
    connection.execute(begin)
    try:
        yield
    except BaseException:
        if connection.in_transaction:  # SQLite ends some itself, as where the disk is full
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


@contextmanager
def _opened(workspace: WorkspacePaths) -> Iterator[sqlite3.Connection]:
    if workspace.index.is_symlink():
        raise OSError("a link: what it leads to is not ours to clear")
    workspace.index.parent.mkdir(parents=True, exist_ok=True)
    with (
        _lock(workspace, fcntl.LOCK_SH),
        closing(sqlite3.connect(workspace.index, timeout=WAIT_S, isolation_level=None)) as connection,
    ):
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        _prepare(connection)
        yield connection


def _prepare(connection: sqlite3.Connection) -> None:
    connection.create_function("contains", 2, _contains, deterministic=True)
    connection.create_function("number", 1, _number, deterministic=True)
    if _version(connection) == SCHEMA:
        return
    with writing(connection):
        if _version(connection) != SCHEMA:  # else another process was quicker
            clear(connection)


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def clear(connection: sqlite3.Connection) -> None:
    """Drop whatever is in the database and make the tables, inside the caller's transaction."""
    found = connection.execute("SELECT type, name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'").fetchall()
    for kind in ("view", "trigger", "index", "table"):
        for _, name in (item for item in found if item[0] == kind):
            quoted = name.replace('"', '""')
            connection.execute(f'DROP {kind} IF EXISTS "{quoted}"')
    for statement in _TABLES:
        connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {SCHEMA}")


def _contains(value: object, part: str) -> bool:
    shown = {TRUE: "true", FALSE: "false"}.get(value, value) if isinstance(value, bytes) else value
    return shown is not None and part.casefold() in str(shown).casefold()


def _number(value: object) -> float | None:
    try:
        return float(str(value))
    except ValueError:
        return None


# --- the file ----------------------------------------------------------------------------------------------------


@contextmanager
def _lock(workspace: WorkspacePaths, how: int) -> Iterator[None]:
    workspace.locks.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(workspace.index_lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
    try:
        _take(descriptor, how)
        yield
    finally:
        os.close(descriptor)


def _take(descriptor: int, how: int) -> None:
    deadline = time.monotonic() + _REPLACE_WAIT_S
    while True:
        try:
            fcntl.flock(descriptor, how | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def _removed(workspace: WorkspacePaths) -> bool:
    """Remove a damaged file; False where that cannot be done."""
    try:
        with _lock(workspace, fcntl.LOCK_EX):
            if not _is_sound(workspace.index):  # else another process has replaced it meanwhile
                for path in _files(workspace.index):
                    path.unlink(missing_ok=True)
    except OSError:
        return False
    return True


def _files(index: Path) -> list[Path]:
    return [index.with_name(index.name + end) for end in ("", "-wal", "-shm", "-journal")]


def _is_sound(index: Path) -> bool:
    try:
        with closing(sqlite3.connect(index, timeout=1.0)) as connection:
            found = connection.execute("PRAGMA quick_check").fetchone()
            return found == ("ok",) and _version(connection) == SCHEMA
    except sqlite3.Error:
        return False
