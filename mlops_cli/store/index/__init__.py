"""The index over all runs: which ones match a filter, in which order, without reading each of them.

``.mlops/index.sqlite`` is a cache: whatever happens to it, runs are found by their records. `find` brings it up to
date first; what it answers are places, whose records the caller reads, so that what is shown is true.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from mlops_cli.errors import UsageError, did_you_mean
from mlops_cli.records import Direction
from mlops_cli.store.find import read_run
from mlops_cli.store.index.database import reading, with_database
from mlops_cli.store.index.names import Names
from mlops_cli.store.index.sql import NEWEST_FIRST, Context, Sql, condition, order, storable, value_of
from mlops_cli.store.index.upkeep import rebuild, sync

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping
    from pathlib import Path

    from mlops_cli.records import Query, RunRecord
    from mlops_cli.store.layout import WorkspacePaths


@dataclass(frozen=True)
class Found:
    """What an index answers."""

    places: tuple[Path, ...]  # of the runs that match, in order, between offset and limit
    total: int  # of those that match
    columns: tuple[str, ...] = ()  # the keys that were asked for, whole
    damaged: tuple[str, ...] = ()


def find(workspace: WorkspacePaths, query: Query) -> Found:
    """Return where the runs are that a query asks for.

    Raises
    ------
    UsageError
        The filter or the order cannot be understood, or names a field that no run has.
    """
    return with_database(workspace, lambda connection: _answer(connection, workspace, query))


def _answer(connection: sqlite3.Connection, workspace: WorkspacePaths, query: Query) -> Found:
    damaged = _of(query.experiment, sync(connection, workspace))
    with reading(connection):
        names = Names.of(_keys(connection))
        columns = tuple(names.resolve(name) for name in query.columns)
        folders, total = _page(connection, query, names)
    return Found(tuple(workspace.runs / folder for folder in folders), total, columns, damaged)


def _page(connection: sqlite3.Connection, query: Query, names: Names) -> tuple[list[str], int]:
    """Return the folders between offset and limit, and how many match at all."""
    which = _which(query, names)
    by = order(query.sort, names)
    limit = -1 if query.limit is None else query.limit
    rows = connection.execute(
        f"SELECT folder FROM runs WHERE {which.text} ORDER BY {by.text} LIMIT ? OFFSET ?",  # noqa: S608
        (*which.values, *by.values, limit, query.offset),
    ).fetchall()
    total = connection.execute(f"SELECT count(*) FROM runs WHERE {which.text}", which.values).fetchone()[0]  # noqa: S608
    return [folder for (folder,) in rows], total


def _of(experiment: str | None, damaged: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(why for folder, why in damaged.items() if experiment in {None, folder.partition("/")[0]})


def _keys(connection: sqlite3.Connection) -> list[str]:
    """Return the keys that some run has."""
    rows = connection.execute("SELECT name FROM keys WHERE EXISTS (SELECT 1 FROM vals WHERE key = keys.id)")
    return [name for (name,) in rows]


def _which(query: Query, names: Names) -> Sql:
    found = condition(query.where, Context(names, datetime.now().astimezone()))
    if query.experiment is None:
        return found
    return Sql(f'"experiment" = ? AND {found.text}', (storable(query.experiment), *found.values))


def reindex(workspace: WorkspacePaths) -> Found:
    """Forget the index, read every run again, and return how many there are."""

    def again(connection: sqlite3.Connection) -> Found:
        damaged = rebuild(connection, workspace)
        total = connection.execute("SELECT count(*) FROM runs").fetchone()[0]
        return Found((), total, (), tuple(damaged.values()))

    return with_database(workspace, again)


def find_best(workspace: WorkspacePaths, experiment: str | None = None, metric: str | None = None) -> Path | None:
    """Return where the best completed run is: by a metric, or by the primary one of the newest completed run.

    Raises
    ------
    UsageError
        No run has the metric, or which of its ends is good is not recorded.
    """

    def look(connection: sqlite3.Connection) -> Path | None:
        sync(connection, workspace)
        key = None if metric is None else _metric_key(metric, connection)
        value = Sql('"score"') if key is None else value_of(key)
        newest = _first(connection, workspace, experiment, value)
        if newest is None:
            return None
        run = read_run(newest)
        if key is None:
            value = Sql('CASE WHEN "primary" = ? THEN "score" END', (run.primary,))
        return _first(connection, workspace, experiment, value, _best_first(run, key))

    return with_database(workspace, look)


def _metric_key(metric: str, connection: sqlite3.Connection) -> str:
    found = [key for key in _keys(connection) if key.startswith("metrics.")]
    for key in (metric, f"metrics.{metric}"):
        if key in found:
            return key
    means = [key.removeprefix("metrics.") for key in found if key.rpartition(".")[2] not in {"std", "test"}]
    raise UsageError(f"no run has the metric '{metric}'", hint=did_you_mean(metric, means))


def _best_first(run: RunRecord, key: str | None) -> str:
    """Return the order in which a metric's good end comes first, as a run says it."""
    metric = run.primary if key is None else key.removeprefix("metrics.")
    direction = run.direction if metric == run.primary else run.directions.get(metric or "")
    if direction is None:
        raise UsageError(f"{run.id} does not record which end of {metric} is good", hint=f"--sort=-{key}")
    return "value ASC" if direction is Direction.MINIMIZE else "value DESC"


def _first(
    connection: sqlite3.Connection, workspace: WorkspacePaths, experiment: str | None, which: Sql, *order: str
) -> Path | None:
    """Return where the first completed run is that meets a condition; the newest one where no other order is given."""
    row = connection.execute(
        f"""SELECT folder, {which.text} AS value FROM runs WHERE "status" = 'completed' AND value IS NOT NULL
        AND (? IS NULL OR "experiment" = ?) ORDER BY {", ".join([*order, NEWEST_FIRST])}""",  # noqa: S608
        (*which.values, experiment, experiment),
    ).fetchone()
    return None if row is None else workspace.runs / row[0]


def find_completed(workspace: WorkspacePaths, experiment: str, fingerprint: str) -> list[Path]:
    """Return where the completed runs of an experiment with a fingerprint are, the newest first."""

    def look(connection: sqlite3.Connection) -> list[Path]:
        sync(connection, workspace)
        rows = connection.execute(
            f"""SELECT folder FROM runs WHERE "experiment" = ? AND "fingerprint" = ? AND "status" = 'completed'
            ORDER BY {NEWEST_FIRST}""",  # noqa: S608
            (experiment, fingerprint),
        )
        return [workspace.runs / folder for (folder,) in rows]

    return with_database(workspace, look)
