"""The rows that were answered, as the commands that watch for drift read them; no request suffers by them."""

from __future__ import annotations

import json
import queue
import resource

import pytest

import mlops_cli as mlops
from mlops_cli.web.serving import requestlog
from mlops_cli.web.serving.counting import Counts
from mlops_cli.web.serving.requestlog import RequestLog
from mlops_cli.web.serving.tokens import Role

from .asking import as_rows, bearer, until


def test_what_was_answered_is_written_as_it_was_received(guarded, file, keys, table):
    folder, token = file.parent / "log", bearer(keys[Role.PREDICT])
    rows = [{**row, "key": f"logged {n}"} for n, row in enumerate(as_rows(table.drop(columns="died").head(20)))]
    assert guarded.ask([{"nothing": "of it"}], headers=token).status_code == 422
    said = guarded.ask(rows, headers=token).json()["predictions"]

    def logged():
        lines = [json.loads(line) for path in folder.iterdir() for line in path.read_text().splitlines()]
        return [line for line in lines if line["key"] in {row["key"] for row in rows}]

    until(lambda: len(logged()) == len(rows))
    assert [{k: v for k, v in line.items() if not k.startswith("_")} for line in logged()] == rows
    assert [line["_prediction"] for line in logged()] == [each["prediction"] for each in said]
    assert {line["_model"] for line in logged()} == {"people/1"}
    for path in folder.iterdir():
        assert path.name.startswith("requests-20")
        assert path.stat().st_mode & 0o077 == 0
        assert "mlops_" not in path.read_text(), "a token was written down"
        assert "nothing" not in path.read_text()


def test_mlops_predict_reads_the_log(shop, table, tmp_path):
    log, rows = RequestLog(tmp_path / "log", Counts()), table.drop(columns="died").head(9)
    log.add("people/1", as_rows(rows), ["yes"] * 9)
    log.close()
    found = mlops.predict("people/1", str(tmp_path / "log" / "*.jsonl"), workspace=shop)
    assert found["key"].tolist() == rows["key"].tolist()


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


def test_a_disk_that_is_full_leaves_whole_lines(tmp_path):
    counts, before = Counts(), resource.getrlimit(resource.RLIMIT_FSIZE)
    log = RequestLog(tmp_path, counts)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))  # of which the second batch gets a part
    try:
        for text in ("a" * 10, "b" * 200_000, "c" * 10):
            log.add("m/1", [{"text": text}], [0])
        log.close()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    (file,) = tmp_path.iterdir()
    assert [json.loads(line)["text"] for line in file.read_text().splitlines()] == ["a" * 10, "c" * 10]
    assert (counts.logged._value.get(), counts.dropped._value.get()) == (2, 1)


@pytest.mark.parametrize("name", ["_time", "_model", "_prediction"])
def test_a_column_of_the_same_name_stays_what_it_was(tmp_path, name):
    log = RequestLog(tmp_path, Counts())
    log.add("m/1", [{name: "own"}], [0])
    log.close()
    (file,) = tmp_path.iterdir()
    assert json.loads(file.read_text())[name] == "own"
