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
from mlops_cli.store.index.hints import hints
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
    hints: tuple[str, ...] = ()  # why nothing may match


@dataclass(frozen=True)
class Ranking:
    """The best run, and what it was ranked by and against."""

    place: Path
    metric: str
    direction: Direction
    experiments: tuple[str, ...]  # of all that were ranked
    total: int  # runs that were ranked
    otherwise: int  # of those, how many were split otherwise than the best one, or read other data


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
        told = () if total else hints(connection, query.where, names)
    return Found(tuple(workspace.runs / folder for folder in folders), total, columns, damaged, told)


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


def find_best(workspace: WorkspacePaths, experiment: str | None = None, metric: str | None = None) -> Ranking | None:
    """Return the best completed run: by a metric, or by the primary one of the newest completed run.

    Raises
    ------
    UsageError
        No run has the metric, or which of its ends is good is not recorded.
    """

    def look(connection: sqlite3.Connection) -> Ranking | None:
        sync(connection, workspace)
        key = None if metric is None else _metric_key(metric, connection)
        value = Sql('"score"') if key is None else value_of(key)
        newest = _completed(connection, experiment, value)
        if not newest:
            return None
        run = read_run(workspace.runs / newest[0][0])
        if key is None:
            value = Sql('CASE WHEN "primary" = ? THEN "score" END', (run.primary,))
        name = (run.primary or "") if key is None else key.removeprefix("metrics.")
        direction = _direction(run, name)
        end = "ASC" if direction is Direction.MINIMIZE else "DESC"
        return _ranking(workspace, _completed(connection, experiment, value, f"value {end}"), name, direction)

    return with_database(workspace, look)


def _metric_key(metric: str, connection: sqlite3.Connection) -> str:
    found = [key for key in _keys(connection) if key.startswith("metrics.")]
    for key in (metric, f"metrics.{metric}"):
        if key in found:
            return key
    means = [key.removeprefix("metrics.") for key in found if key.rpartition(".")[2] not in {"std", "test"}]
    raise UsageError(f"no run has the metric '{metric}'", hint=did_you_mean(metric, means))


def _direction(run: RunRecord, metric: str) -> Direction:
    """Return which end of a metric is good, as a run says it."""
    direction = run.direction if metric == run.primary else run.directions.get(metric)
    if direction is None:
        raise UsageError(f"{run.id} does not record which end of {metric} is good", hint=f"--sort=-metrics.{metric}")
    return direction


def _completed(
    connection: sqlite3.Connection, experiment: str | None, which: Sql, *order: str
) -> list[tuple[str, str, str | None, str | None]]:
    """Return folder, experiment, splits and data of the completed runs with a value; newest first if in no order."""
    rows = connection.execute(
        f"""SELECT folder, "experiment", "splits.digest", "data.version", {which.text} AS value FROM runs
        WHERE "status" = 'completed' AND value IS NOT NULL AND (? IS NULL OR "experiment" = ?)
        ORDER BY {", ".join([*order, NEWEST_FIRST])}""",  # noqa: S608
        (*which.values, experiment, experiment),
    )
    return [row[:4] for row in rows]


def _ranking(
    workspace: WorkspacePaths,
    rows: list[tuple[str, str, str | None, str | None]],
    metric: str,
    direction: Direction,
) -> Ranking:
    (folder, _, *parted), total = rows[0], len(rows)
    otherwise = sum([splits, data] != parted for _, _, splits, data in rows)
    experiments = tuple(sorted({experiment for _, experiment, _, _ in rows}))
    return Ranking(workspace.runs / folder, metric, direction, experiments, total, otherwise)


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
