"""``mlops rerun``, as its users call it."""

from __future__ import annotations

import json
import sys
from types import SimpleNamespace

import pytest

import mlops_cli as mlops
from mlops_cli.cli.app import invoke
from mlops_cli.views.rerun import from_json


@pytest.fixture
def call(capsys, monkeypatch):
    """The command in this process: its exit code and what it prints."""
    monkeypatch.setenv("COLUMNS", "120")

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["mlops", "rerun", *arguments])
        code = invoke()
        printed = capsys.readouterr()
        return SimpleNamespace(code=int(code), out=printed.out, err=printed.err)

    return run


@pytest.fixture
def first(small):
    return mlops.run("points", ["model.C=0.1,1", "artifacts.plots=none"], n_jobs=1)


def moved(small):
    """Change the data by one value."""
    file = small / "data" / "points.csv"
    file.write_text(file.read_text().replace("\n0,0,", "\n5,0,", 1))


def test_the_same_is_said_in_a_line_and_ends_well(first, call):
    done = call(first.id, "-j", "1")
    assert done.code == 0
    head, _, verdict = done.out.splitlines()
    assert head.startswith(f"{first.id} run again as points/")
    assert verdict.startswith("identical, bit for bit: 2 trials, out-of-fold predictions, the model's predictions")
    assert "2 of 2 trials" in done.err


def test_another_is_told_with_its_reason_and_ends_in_4(first, small, call):
    moved(small)
    done = call(first.id, "-j", "1")
    assert done.code == 4
    assert "different, 2 of 2 trials, out-of-fold predictions" in done.out
    assert "since then\n  the data has changed (" in done.out
    assert f"changed-since: since {first.id}, the data has changed (" in done.err


def test_quiet_prints_a_word_and_json_all_that_there_is(first, small, call):
    quiet = call("latest", "-j", "1", "-q")
    assert (quiet.code, quiet.out, quiet.err) == (0, "identical\n", "")
    moved(small)
    done = call(first.id, "-j", "1", "--json", "--tolerance", "1e-6")
    found = json.loads(done.out)
    assert (done.code, done.err) == (4, "")
    assert (found["first"], found["agreement"], found["tolerance"]) == (first.id, "different", 1e-6)
    assert [trial["params"] for trial in found["trials"]] == [{"model.C": 0.1}, {"model.C": 1}]
    assert from_json(found).again == mlops.find_run("latest").id


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["nothing"], 2, "'nothing' is neither a registered model nor a run"),
        (["latest", "--tolerance", "-1"], 2, "the tolerance is a share from 0 to 1. Got -1.0 instead."),
        (["latest", "--at-commit"], 2, "is in no git repository"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(first, small, call, monkeypatch, arguments, code, message):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(small.parent))
    done = call(*arguments)
    assert (done.code, done.out) == (code, "")
    assert message in done.err
    assert done.err.count("\n") <= 2


def test_data_that_is_gone_is_said_in_a_line(first, small, call):
    (small / "data" / "points.csv").unlink()
    done = call(first.id, "--quiet")
    assert (done.code, done.out) == (3, "")
    assert f"error: {first.id} cannot be run again: " in done.err
    assert done.err.count("\n") <= 2
