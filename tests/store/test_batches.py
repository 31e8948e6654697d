"""Batches on disk: read as they were written, whole or not there at all, and in order, whoever is killed."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from dataclasses import replace

import pandas as pd
import pytest

from mlops_cli.errors import StoreError
from mlops_cli.records import (
    Batch,
    ColumnDrift,
    Direction,
    Drifted,
    DriftKind,
    DriftReport,
    Histogram,
    Kind,
    MetricDrift,
    Notice,
    Shift,
)
from mlops_cli.store.batches import Batches
from mlops_cli.store.layout import WorkspacePaths

AGE = ColumnDrift(
    Shift("age", Kind.NUMERIC, "ks", 0.4, 1e-9, 0.8, 0.41, (0.0, 0.25)),
    drifted=True,
    histogram=Histogram((), (0.0, 10.0, 20.0), (0.5, 0.5), (0.1, 0.9)),
    before={"mean": 40.0},
    after={"mean": 48.5},
)
TOWN = ColumnDrift(
    Shift("town", Kind.CATEGORICAL, "fisher", None, 0.5, None, None, (0.0, 0.0), ("Bern",), ("Oslo", "Rome")),
    drifted=False,
    new_share=0.02,
    histogram=Histogram(("Bern", "<b>"), (), (0.0, 1.0), (0.5, 0.5)),
)
METRIC = MetricDrift("roc_auc", Direction.MAXIMIZE, 0.9, 0.8, -0.1, (-0.15, -0.05), drifted=True)
REPORT = DriftReport(
    "shop/1",
    "data/new.csv",
    "abc",
    "2026-01-31T10:15:00+00:00",
    "the reference of shop/1",
    300,
    1500,
    (AGE, TOWN),
    (replace(AGE, shift=replace(AGE.shift, column="prediction")),),
    (METRIC, replace(METRIC, ci95=None, drifted=False)),
    120,
    (Drifted(DriftKind.DISTRIBUTION, "age", "age: moved"),),
    (Notice("no-id", "…"),),
    TOWN,
)
BATCH = Batch("", "shop", 1, "new.csv", REPORT, "2026-01-31T10:15:00.000+00:00", "me", "customer", content="c0")


@pytest.fixture
def kept(tmp_path):
    return Batches(WorkspacePaths(tmp_path), "shop")


def add(kept, **changes):
    with kept.changing(), kept.draft() as draft:
        batch = replace(BATCH, id=kept.new_id(), **changes)
        pd.DataFrame({"customer": ["a", "b"], "prediction": [0, 1]}).to_parquet(draft.predictions)
        kept.settle(draft, batch)
    return batch


def test_a_batch_is_read_as_it_was_written(kept):
    batch = add(kept, labels="labels.csv", labelled=7, metrics=(METRIC,))
    assert kept.read(batch.id) == batch
    assert kept.content_of(batch.id) == (1, "c0")
    assert kept.predictions(batch.id)["customer"].tolist() == ["a", "b"]
    assert kept.labels(batch.id) == {}
    kept.write_labels(batch.id, {"a": "yes", "b": "no"})
    assert kept.labels(batch.id) == {"a": "yes", "b": "no"}


def test_ids_go_up_although_the_clock_goes_back(kept):
    first = add(kept)
    later = "29991231-235959-999999"
    kept.paths(first.id).root.rename(kept.folder / later)
    assert add(kept).id == "30000101-000000-000000"
    assert kept.ids()[0] == later


def test_other_things_in_the_folder_are_no_batches(kept, tmp_path):
    add(kept)
    (kept.folder / "notes").mkdir()
    (kept.folder / "20260131-101500-000000").symlink_to(tmp_path)
    (kept.folder / "20260131-101500-000001").write_text("")
    assert len(kept.ids()) == 1


def test_a_newer_schema_is_refused(kept):
    batch = add(kept)
    path = kept.paths(batch.id).batch_json
    path.write_text(json.dumps({**json.loads(path.read_text()), "schema_version": 99}))
    with pytest.raises(StoreError, match="schema_version 99"):
        kept.read(batch.id)


# Forked by a process that does nothing else, so that each begins in a few milliseconds.
FORKS = """
import os, sys
from dataclasses import replace
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_batches import BATCH, add
from mlops_cli.store.batches import Batches
from mlops_cli.store.layout import WorkspacePaths

kept = Batches(WorkspacePaths(Path(sys.argv[1])), "shop")

def work(times):
    for number in range(times):
        batch = add(kept)
        with kept.changing():
            if batch.id in kept.ids():
                kept.write(replace(batch, labelled=number))
                kept.write_labels(batch.id, {"a": number})
                if number % 3 == 0:
                    kept.remove(batch.id)

children = []
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        work(int(line))
        os._exit(0)
    children.append(child)
    print(child, flush=True)
    if line.startswith(" "):
        print([os.waitpid(child, 0)[1] for child in children][-1], flush=True)
"""


@pytest.fixture
def forks(tmp_path):
    command = [sys.executable, "-c", FORKS, str(tmp_path), os.path.dirname(__file__)]  # noqa: PTH120 - a text is wanted
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1) as process:
        yield process
        process.stdin.close()


def start(process, times):
    process.stdin.write(f"{times}\n")
    return int(process.stdout.readline())


def finish(process, times):
    start(process, f" {times}")
    assert int(process.stdout.readline()) == 0


def test_a_kill_at_any_moment_leaves_whole_batches_or_none(kept, forks):
    rng = random.Random(0)
    for _ in range(25):
        child = start(forks, 1000)
        before = len(kept.ids())
        while len(kept.ids()) < before + rng.randint(0, 2):
            os.sched_yield()
        os.kill(child, signal.SIGKILL)
        assert all(kept.read(batch).report == REPORT for batch in kept.ids())
    finish(forks, 1)
    assert [path.name for path in kept.folder.iterdir() if path.name not in kept.ids()] == []
    assert list(kept.folder.glob("*/.*")) == []
    assert all(kept.labels(batch) is not None for batch in kept.ids())


def test_processes_at_once_lose_nothing(kept, forks):
    for _ in range(5):
        start(forks, 9)
    finish(forks, 9)
    assert len({kept.read(batch).id for batch in kept.ids()}) == 6 * 6
