"""The rows that were answered, as the commands that watch for drift read them; no request suffers by them."""

from __future__ import annotations

import json
import queue

import pandas as pd
import pytest

from mlops_cli.web.serving import requestlog
from mlops_cli.web.serving.counting import Counts
from mlops_cli.web.serving.requestlog import RequestLog

from .asking import as_rows, served


def test_what_was_answered_is_written_as_it_was_received(shop, table, tmp_path):
    rows = as_rows(table.drop(columns="died").head(20))
    with served(shop, "people@champion", "--log-requests", str(tmp_path / "log")) as server:
        said = server.ask(rows).json()["predictions"]
        server.ask([{"nothing": "of it"}])
    (file,) = (tmp_path / "log").iterdir()
    assert file.name.startswith("requests-20")
    assert file.stat().st_mode & 0o077 == 0
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert [{k: v for k, v in line.items() if not k.startswith("_")} for line in lines] == rows
    assert [line["_prediction"] for line in lines] == [each["prediction"] for each in said]
    assert {line["_model"] for line in lines} == {"people/1"}


def test_mlops_predict_reads_the_log(shop, table, tmp_path, mlops):
    log, counts = RequestLog(tmp_path / "log", Counts()), table.drop(columns="died").head(9)
    log.add("people/1", as_rows(counts), ["yes"] * 9)
    log.close()
    done = mlops("predict", "people/1", str(tmp_path / "log" / "*.jsonl"), "-o", "logged.parquet", cwd=shop)
    assert done.returncode == 0, done.stderr
    assert pd.read_parquet(shop / "logged.parquet")["key"].tolist() == counts["key"].tolist()


def test_what_there_is_no_room_for_is_dropped_and_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(requestlog, "MOST_WAITING", 5)
    counts = Counts()
    log = RequestLog(tmp_path, counts)
    held, log._queue = log._queue, queue.SimpleQueue()
    log.add("m/1", [{"a": 1}] * 5, [0] * 5)
    log.add("m/1", [{"a": 1}] * 3, [0] * 3)
    assert counts.dropped._value.get() == 3
    held.put(None)


def test_a_disk_that_refuses_fails_no_request(tmp_path):
    counts = Counts()
    log = RequestLog(tmp_path / "log", counts)
    (tmp_path / "log").rmdir()
    log.add("m/1", [{"a": 1}] * 2, [0] * 2)
    log.close()
    assert counts.dropped._value.get() == 2
    assert counts.logged._value.get() == 0


@pytest.mark.parametrize("name", ["_time", "_model", "_prediction"])
def test_a_column_of_the_same_name_stays_what_it_was(tmp_path, name):
    log = RequestLog(tmp_path, Counts())
    log.add("m/1", [{name: "own"}], [0])
    log.close()
    (file,) = tmp_path.iterdir()
    assert json.loads(file.read_text())[name] == "own"
