"""``mlops assess scan``: commands can be copied from a terminal as they are, and a spreadsheet takes all of it."""

from __future__ import annotations

import csv
import io
import sys

import pytest

from mlops_cli.cli.app import invoke

FILE = """\
phases: [training]
actors: [scientist]
processes:
  try: {phase: training, actor: scientist, scan: ci}
  tune: {phase: training, actor: scientist, level: manual}
"""


@pytest.fixture
def call(workspace, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    (workspace / "one.yaml").write_text(FILE)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["mlops", "assess", *arguments])
        code = invoke()
        printed = capsys.readouterr()
        return int(code), printed.out, printed.err

    return run


@pytest.mark.parametrize("begin", [("scan", "one.yaml"), ("one.yaml",)])
def test_a_command_is_on_one_line_whatever_the_terminal_and_what_was_found_is_wrapped(call, workspace, begin):
    (workspace / "Makefile").write_text("night:\n\tmlops run config=a-name-of-many-words\n")
    lines = call(*begin)[1].splitlines()
    [command] = [line for line in lines if "try: mkdir" in line]
    assert "printf 'on: push" in command
    assert len(command) > 150
    assert all(len(line) <= 60 for line in lines if line is not command)
    assert sum("which a person" in line or "starts" in line for line in lines) == 2


def test_the_whole_recipe_is_printed_by_scan(call):
    out = call("scan", "one.yaml")[1]
    assert "> .github/workflows/ml.yml\n" in out


def test_programs_get_rows_of_what_was_found(call):
    code, out, _ = call("scan", "one.yaml", "--csv")
    [row] = csv.DictReader(io.StringIO(out))
    assert code == 0
    assert (row["process"], row["check"], row["level"], row["declared"]) == ("try", "ci", "absent", "")
    assert row["command"].startswith("mkdir -p .github/workflows")


def test_one_form_at_a_time(call):
    code, _, said = call("scan", "--csv", "--json")
    assert code == 2
    assert "one of --csv, --json and --quiet says what to print" in said
