"""The index is a cache: it follows what is on disk, and nothing that happens to its file makes an answer wrong."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from mlops_cli.records import BestTrial, Query, RunStatus, TrialResult, TrialState
from mlops_cli.store import index
from mlops_cli.store.find import find_finished, find_run
from mlops_cli.store.index import upkeep
from mlops_cli.store.index.database import SCHEMA
from mlops_cli.store.runs import amend


@pytest.fixture
def ask(workspace):
    """The ids of the runs that a query finds."""

    def find(where="", **more):
        found = index.find(workspace, Query(where=where, **more))
        return [f"{place.parent.name}/{place.name}" for place in found.places]

    return find


def reads(monkeypatch):
    """The runs that are read from now on."""
    seen = []
    read = upkeep.read_run
    monkeypatch.setattr(upkeep, "read_run", lambda path: seen.append(path.name) or read(path))
    return seen


def test_new_changed_and_removed_runs_are_followed(finished, ask):
    first, second = finished(0.7), finished(0.9, started="2026-03-02T12:00:00+01:00")
    assert ask() == [second.id, first.id]
    assert ask("score > 0.8") == [second.id]
    amend(first, tags={"stage": "draft"})
    assert ask("tags.stage = draft") == [first.id]
    shutil.rmtree(second.path)
    assert ask() == [first.id]
    assert ask("score > 0.8") == []


def test_only_what_has_changed_is_read(finished, ask, monkeypatch):
    runs = [finished() for _ in range(3)]
    ask()
    seen = reads(monkeypatch)
    ask("score > 0.1")
    assert seen == []
    amend(runs[1], tags={"a": "b"})
    ask()
    assert seen == [runs[1].path.name]


def test_a_change_within_one_tick_of_the_clock_and_of_the_same_size_is_seen(finished, ask):
    run = finished()
    run = amend(run, tags={"stage": "aaaa"})
    ask()
    before = (run.path / "run.json").stat()
    amend(run, tags={"stage": "bbbb"})
    os.utime(run.path / "run.json", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert ask("tags.stage = bbbb") == [run.id]


def test_a_run_that_dies_is_interrupted_without_a_change_of_its_record(start, ask):
    writer = start(primary="accuracy")
    assert ask("status = running") == [writer.record.id]
    writer.append(TrialResult(0, TrialState.COMPLETED, {}, {"accuracy": (0.5,)}))
    writer.close()
    assert ask("status = running") == []
    assert ask("status = interrupted and completed = 1 and score = 0.5") == [writer.record.id]


def test_damaged_runs_are_told_of_every_time_and_the_others_are_found(finished, workspace):
    good = finished()
    folder = workspace.runs / "iris" / "20260101-000000-abcdef"
    folder.mkdir()
    (folder / "run.json").write_bytes(b"{")
    (workspace.runs / "iris" / "20260101-000001-abcdef").mkdir()
    (workspace.runs / "iris" / "notes").mkdir()
    for _ in range(2):
        found = index.find(workspace, Query())
        assert [place.name for place in found.places] == [good.path.name]
        assert len(found.damaged) == 2
    assert index.find(workspace, Query("wine")).damaged == ()


def test_a_workspace_without_runs_has_none(workspace):
    assert index.find(workspace, Query()) == index.Found((), 0)


def spoil(path):
    path.write_bytes(b"this is no database at all, and long enough to be looked at" * 100)


def truncate(path):
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


def scramble(path):
    data = bytearray(path.read_bytes())
    data[4096:] = os.urandom(len(data) - 4096)
    path.write_bytes(data)


def make_foreign(path):
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute('CREATE TABLE "runs""x" (a)')
        connection.execute("CREATE TABLE runs (n, folder)")
        connection.execute("CREATE VIEW some AS SELECT * FROM runs")
        connection.commit()


def make_newer(path):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA + 1}")
        connection.execute("DROP TABLE vals")


def lose_a_table(path):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TABLE vals")


def leave_a_journal(path):
    path.unlink()
    path.with_name("index.sqlite-wal").write_bytes(b"x" * 5000)
    path.with_name("index.sqlite-shm").write_bytes(b"x" * 32768)


def delete(path):
    path.unlink()


@pytest.mark.parametrize(
    "harm", [spoil, truncate, scramble, make_foreign, make_newer, lose_a_table, leave_a_journal, delete]
)
def test_a_file_that_is_not_our_index_is_replaced(finished, workspace, ask, harm):
    runs = [finished(0.1 * n, started=f"2026-03-0{n}T12:00:00+01:00") for n in range(1, 8)]
    ask()
    harm(workspace.index)
    assert ask("score > 0.35", sort="score") == [run.id for run in reversed(runs[3:])]
    with closing(sqlite3.connect(workspace.index)) as connection:
        assert connection.execute("SELECT count(*) FROM runs").fetchone() == (7,)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_link_in_the_place_of_the_file_is_not_followed(finished, workspace, ask, tmp_path):
    run = finished()
    with closing(sqlite3.connect(tmp_path / "theirs.sqlite")) as theirs:
        theirs.execute("CREATE TABLE precious (a)")
        workspace.index.unlink(missing_ok=True)
        workspace.index.parent.mkdir(exist_ok=True)
        workspace.index.symlink_to(tmp_path / "theirs.sqlite")
        assert ask("score > 0.5") == [run.id]
        assert theirs.execute("SELECT name FROM sqlite_master").fetchall() == [("precious",)]


def test_a_folder_in_the_place_of_the_file_is_no_obstacle(finished, workspace, ask):
    run = finished()
    workspace.index.mkdir(parents=True)
    assert ask("score > 0.5") == [run.id]


def test_a_read_only_workspace_is_searched_in_memory(finished, workspace, ask, read_only):
    run = finished()
    workspace.internal.mkdir(exist_ok=True)
    read_only(workspace.internal)
    assert ask("score > 0.5") == [run.id]
    assert not workspace.index.exists()


def test_a_place_that_nothing_can_be_made_in_is_searched_in_memory(finished, workspace, ask):
    run = finished()
    shutil.rmtree(workspace.internal, ignore_errors=True)
    workspace.internal.write_text("a file where the folder should be")
    assert ask("score > 0.5") == [run.id]


def test_reindexing_reads_every_run_again(finished, workspace, ask, monkeypatch):
    runs = [finished() for _ in range(3)]
    ask()
    seen = reads(monkeypatch)
    assert index.reindex(workspace).total == 3
    assert sorted(seen) == sorted(run.path.name for run in runs)
    assert sorted(ask()) == sorted(run.id for run in runs)


def test_values_keep_their_types(start, ask):
    params = {
        "a": 1,
        "b": 1.5,
        "c": True,
        "d": "1",
        "e": None,
        "f": [1, "x"],
        "g": 10**30,
        "h": float("inf"),
        "i": 10**400,
    }
    writer = start(note="\ud800 not text", tags={"k": "\x00\x1b"})
    record = replace(writer.record, status=RunStatus.COMPLETED, params=params, best=BestTrial(0, {"a": 2}))
    run = writer.finish(record)
    for where in (
        "params.a = 2",
        "params.b < 2",
        "params.c = true",
        "params.d = '1'",
        "params.e = null",
        "params.f ~ x",
        "params.g > 1e29",
        "params.h > 1e300",
        "tags.k ~ '\x1b'",
    ):
        assert ask(where) == [run.id], where
    for where in ("params.d = 1", "params.d < 2", "params.c = 1", "params.c < 2", "params.e < 1", "params.a = '2'"):
        assert ask(where) == [], where


def test_a_page_of_what_matches_is_given_with_the_number_of_all(finished, workspace, ask):
    runs = [finished(0.1 * n, started=f"2026-03-0{n}T12:00:00+01:00") for n in range(1, 8)]
    assert ask(limit=2, offset=3) == [runs[3].id, runs[2].id]
    assert index.find(workspace, Query(where="score > 0.25", limit=2)).total == 5
    assert index.find(workspace, Query(limit=2, offset=99)).total == 7


def test_the_best_and_the_finished_run_are_found_by_the_index(finished, workspace):
    low = finished(0.7, fingerprint="aa")
    high = finished(0.9, fingerprint="bb", started="2026-02-01T12:00:00+01:00")
    assert find_run(workspace, "iris:best").id == high.id
    assert [run.id for run in find_finished(workspace, "iris", "aa")] == [low.id]
    assert not list(find_finished(workspace, "wine", "aa"))
    shutil.rmtree(high.path)
    assert find_run(workspace, "iris:best").id == low.id
