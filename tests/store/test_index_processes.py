"""Twenty processes at one index: some ask, some write runs, one reindexes, one deletes the file."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from mlops_cli.records import Query
from mlops_cli.store import index
from mlops_cli.store.find import list_runs, read_run
from mlops_cli.store.runs import amend

HEAD = """
import json, sys
from dataclasses import replace
from pathlib import Path
from mlops_cli.records import *
from mlops_cli.store import index
from mlops_cli.store.find import read_run
from mlops_cli.store.layout import WorkspacePaths
from mlops_cli.store.runs import RunSources, RunWriter, amend
workspace, number = WorkspacePaths(Path(sys.argv[1])), int(sys.argv[2])
print("ready", flush=True)
sys.stdin.readline()
"""
WRITE = """
for turn in range(8):
    draft = RunRecord("", Path(), "iris", RunStatus.RUNNING, "2026-03-01T12:00:00+01:00", seed=number * 100 + turn,
                      tags={"by": f"writer{number}"})
    with RunWriter.create(workspace, draft, RunSources("name: iris\\n")) as writer:
        writer.finish(replace(writer.record, status=RunStatus.COMPLETED))
"""
ASK = """
seen = []
for turn in range(15):
    found = index.find(workspace, Query(where="seed >= 0 and not tags.by = nobody", sort="seed"))
    seeds = [read_run(place).seed for place in found.places]
    assert seeds == sorted(seeds), seeds
    assert found.total == len(seeds), (found.total, len(seeds))
    assert not found.damaged, found.damaged
    seen.append(len(seeds))
assert seen == sorted(seen), seen  # a run that was there once stays there
"""
REINDEX = """
for turn in range(8):
    index.reindex(workspace)
"""
DELETE = """
for turn in range(25):
    for end in ("", "-wal", "-shm"):
        workspace.index.with_name("index.sqlite" + end).unlink(missing_ok=True)
    index.find(workspace, Query())
"""
TAG = """
run = index.find(workspace, Query(where="tags.shared = true")).places[0]
for turn in range(5):
    amend(read_run(run), tags={f"of{number}.{turn}": "x"})
"""


@pytest.fixture
def together(workspace, python_env):
    """Run scripts as processes that begin at the same moment; each has to end well."""

    def run(scripts):
        processes = [
            subprocess.Popen(
                [sys.executable, "-c", HEAD + script, str(workspace.root), str(number)],
                env=python_env,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for number, script in enumerate(scripts)
        ]
        for process in processes:
            assert process.stdout.readline() == "ready\n", process.stderr.read()
        for process in processes:
            process.stdin.write("go\n")
            process.stdin.flush()
        errors = [process.communicate(timeout=300)[1] for process in processes]
        assert [p.returncode for p in processes] == [0] * len(processes), "\n".join(errors)

    return run


def test_whatever_twenty_processes_do_at_once_every_answer_is_right(together, finished, workspace):
    finished(tags={"by": "us"})
    together([WRITE] * 6 + [ASK] * 12 + [REINDEX, DELETE])
    runs = list_runs(workspace)
    assert runs.damaged == ()
    assert len(runs.runs) == 49
    found = index.find(workspace, Query(sort="seed"))
    assert sorted(found.places) == sorted(run.path for run in runs.runs)
    assert index.find(workspace, Query(where="tags.by = writer3")).total == 8


def test_twenty_processes_that_come_first_make_one_index(together, finished, workspace):
    for seed in range(30):
        finished(seed=seed, tags={"by": "us"})
    together([ASK] * 20)
    assert index.find(workspace, Query()).total == 30


def test_no_tag_is_lost_where_several_tag_one_run(together, finished):
    run = finished(tags={"shared": "true"})
    together([TAG] * 6)
    tags = read_run(run.path).tags
    assert set(tags) == {"shared", *(f"of{number}.{turn}" for number in range(6) for turn in range(5))}
    assert json.loads((run.path / "run.json").read_text())["tags"] == tags
    assert amend(run, tags={}) == run
