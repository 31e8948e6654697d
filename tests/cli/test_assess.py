"""``mlops assess``: a file comes at once, what is below is named by the exit code too, and nothing is overwritten."""

from __future__ import annotations

import csv
import io
import json
import sys
from types import SimpleNamespace

import pytest
import yaml

from mlops_cli.cli.app import invoke

FILE = """\
name: Ours
actors: {scientist: Data scientist, platform: Platform}
phases: {training: Training, deployment: Deployment}
processes:
  train: {phase: training, actor: scientist, scan: runs-recorded, target: automated, effort: 2, gain: 4}
  tune: {phase: training, actor: scientist, from: [train], level: manual, note: '=1+1'}
  deploy: {phase: deployment, actor: platform, from: {train: a model}, scan: ci, level: automated}
"""
QUESTIONS = """\
platforms: {a: {name: A}, b: {name: B}}
concerns: {cost: Cost}
questions:
  idle: {concern: cost, ask: Is what is idle free?, must: true, answers: {a: 🟢, b: 🔴}}
"""


@pytest.fixture
def ws(workspace, monkeypatch):
    monkeypatch.setenv("COLUMNS", "110")
    (workspace / "configs" / "assess").mkdir()
    (workspace / "configs" / "assess" / "processes.yaml").write_text(FILE, encoding="utf-8")
    (workspace / "configs" / "assess" / "platforms.yaml").write_text(QUESTIONS, encoding="utf-8")
    return workspace


@pytest.fixture
def call(capsys, monkeypatch):
    """The command in this process: its exit code and what it prints."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["mlops", "assess", *map(str, arguments)])
        code = invoke()
        printed = capsys.readouterr()
        return SimpleNamespace(code=int(code), out=printed.out, err=printed.err)

    return run


def test_the_file_of_the_workspace_is_shown_where_none_is_named(ws, call):
    done = call()
    assert done.code == 0
    assert call("show").out == call("configs/assess/processes.yaml").out == done.out
    assert "absent" in done.out
    assert "there is no run" in done.out
    assert "declared automated; the workspace shows absent: no CI that this knows of" in done.out
    assert "try: mlops init" in done.out


def test_help_and_commands_of_the_group_are_still_there(ws, call):
    assert "scan" in call("--help").out
    assert call("init", "-q").code == 0
    assert "did you mean `mlops assess scan`?" in call("scna").err


# --- a level that is required --------------------------------------------------------------------------------------


def test_what_is_below_is_named_and_ends_in_exit_code_1(ws, call):
    done = call("--require", "training=semi-automated", "--require", "deployment=semi-automated", "-q")
    assert (done.code, done.out) == (1, "train absent\ntune manual\n")
    done = call("--require", "training=semi-automated")
    assert done.code == 1
    assert "below: train is absent, and semi-automated is required\n  try: mlops init" in done.err
    assert "below: tune is manual, and semi-automated is required" in done.err
    assert call("--require", "deploy=automated").code == 0
    assert call("--require", "absent").code == 0


def test_a_requirement_of_nothing_that_is_there_is_refused(ws, call):
    done = call("--require", "trianing=manual")
    assert done.code == 2
    assert "--require trianing=manual: no phase or process 'trianing'" in done.err
    assert "did you mean 'training'?" in done.err


# --- forms of it ---------------------------------------------------------------------------------------------------


def test_programs_get_all_of_it(ws, call):
    found = json.loads(call("--json", "--require", "train=manual").out)
    assert [one["level"] for one in found["processes"]] == ["absent", "manual", "automated"]
    assert found["shortfalls"] == [{"process": "train", "level": "absent", "required": "manual"}]
    assert found["next"][0] | {"process": "train", "value": 2.0} == found["next"][0]
    rows = list(csv.DictReader(io.StringIO(call("--csv").out)))
    assert [row["process"] for row in rows] == ["train", "tune", "deploy"]
    assert rows[1]["note"] == "'=1+1"  # no spreadsheet computes it
    assert (rows[2]["declared"], rows[2]["found"]) == ("automated", "absent")
    assert call("-q").out == "train absent\ntune manual\ndeploy automated\n"
    assert call("--mermaid").out.startswith("flowchart LR")


def test_one_form_at_a_time(ws, call):
    done = call("--json", "--csv")
    assert done.code == 2
    assert "one of --mermaid, --csv, --json and --quiet says what to print" in done.err


def test_a_chart_and_a_page_are_written_over_their_like_alone(ws, call):
    done = call("--svg", "a.svg", "--html", "a.html", "--target")
    assert (done.code, done.out) == (0, "a.svg\na.html\n")
    assert call("--svg", "a.svg", "--html", "a.html").code == 0
    before = (ws / "a.svg").read_bytes()
    (ws / "a.html").write_text("<p>mine</p>")
    done = call("--svg", "a.svg", "--html", "a.html", "--target")
    assert done.code == 2
    assert "a.html is there, and is no assessment" in done.err
    assert (ws / "a.svg").read_bytes() == before  # nothing is written where not all can be
    assert call("--html", "a.html", "--force").code == 0
    (ws / "b.svg").write_text("<svg/>")
    assert call("--svg", "b.svg").code == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--svg", "a.png"), "a.png does not end in .svg"),
        (("--html", "configs"), "configs does not end in .html"),
        (("--svg", "."), ". does not end in .svg\n  try: --svg assess.svg"),
        (("--html", ""), ". does not end in .html\n  try: --html assess.html"),
        (("--html", ".."), ".. does not end in .html\n  try: --html ../assess.html"),
        (("--html", "/"), "/ does not end in .html\n  try: --html /assess.html"),
        (("scan", "-o", ""), ". does not end in .yaml\n  try: -o assess.yaml"),
        (("--html", "no/where.html"), "there is no folder no"),
        (("configs/assess/proceses.yaml",), "did you mean configs/assess/processes.yaml?"),
        (("platform",), "did you mean configs/assess/platforms.yaml?"),
        (("configs",), "configs: is a folder, not a YAML file"),
        (("configs/assess/processes.yaml", "configs/assess/platforms.yaml"), "files of one kind at a time"),
        (("configs/assess/processes.yaml", "configs/assess/processes.yaml"), "one file of processes at a time, got 2"),
        (("configs/assess/platforms.yaml", "--target"), "--target is of processes, and the file is of platforms"),
    ],
)
def test_what_cannot_be_done_is_said(ws, call, arguments, said):
    done = call(*arguments)
    assert done.code == 2
    assert said in done.err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\n", "bad.yaml: has neither processes nor questions"),
        ("processes: !!python/object/apply:os.system [x]\n", "bad.yaml:1: the tag !!python/object/apply:os.system"),
        ("processes: {a: &a [*a]}\n", "bad.yaml:1"),
        ("processes:\n  a: {phase: b}\n", "bad.yaml: actors: there is none"),
        ("", "bad.yaml: has neither processes nor questions"),
    ],
)
def test_a_file_that_is_wrong_is_said_by_its_line(ws, call, text, said):
    (ws / "bad.yaml").write_text(text)
    done = call("bad.yaml")
    assert done.code == 2
    assert said in done.err


def test_no_file_at_all_says_how_one_is_begun(workspace, call):
    done = call()
    assert done.code == 2
    assert "there is no file configs/assess/processes.yaml" in done.err
    assert "mlops assess init" in done.err


def test_hostile_text_does_nothing_to_the_terminal(ws, call):
    text = FILE.replace("name: Ours", 'name: "\\x1b[31mred [bold]x[/bold]"')
    (ws / "hostile.yaml").write_text(text)
    for done in (call("hostile.yaml"), call("scan", "hostile.yaml")):
        assert "\x1b" not in done.out
    assert "\\x1b[31mred [bold]x[/bold]" in call("hostile.yaml").out
    (ws / "hostile.yaml").write_text(FILE.replace("'=1+1'", '"\\e[31m\\n=1+1"'))
    printed = call("hostile.yaml", "--csv").out
    assert "\x1b" not in printed
    assert "\\x1b[31m\\n=1+1" in printed
    (ws / "asked.yaml").write_text(QUESTIONS.replace("name: A}", 'name: "A\\e[31m"}'))
    assert "A\\x1b[31m" in call("asked.yaml", "--csv").out
    (ws / "hostile.yaml").write_text(FILE.replace("  tune:", '  "k\\e[31m\\n=1+1":'))
    for option in ("--quiet", "--csv", "--json"):
        done = call("hostile.yaml", option)
        assert (done.code, done.out) == (2, "")
        assert "is no key" in done.err
        assert "\x1b" not in done.err


# --- platforms -----------------------------------------------------------------------------------------------------


def test_platforms_are_shown_ranked_and_written(ws, call):
    path = "configs/assess/platforms.yaml"
    assert "Is what is idle free?" in call(path, "--verbose").out
    assert call(path, "-q").out == "a 1.000\n"  # b is out: a must-have fails
    assert len(list(csv.reader(io.StringIO(call(path, "--csv").out)))) == 3
    assert json.loads(call(path, "--json").out)["platforms"][1]["platform"] == "b"
    assert call(path, "--html", "p.html").out == "p.html\n"
    assert call(path, "--html", "p.html").code == 0


# --- init and scan -------------------------------------------------------------------------------------------------


def test_init_writes_what_is_not_there(workspace, call):
    done = call("init", "--json")
    said = json.loads(done.out)
    assert said["written"] == ["configs/assess/platforms.yaml", "configs/assess/processes.yaml"]
    assert json.loads(call("init", "--json").out)["kept"] == said["written"]
    assert call("init", "nowhere").code == 2


def test_scan_needs_no_file_and_says_what_it_looked_by(workspace, call):
    assert "of the starting file, as the workspace shows them" in call("scan").out
    assert not (workspace / "configs" / "assess").exists()
    assert "there is no file nowhere.yaml" in call("scan", "nowhere.yaml").err


def test_scan_tells_level_evidence_and_command(ws, call):
    done = call("scan")
    assert "2 processes of configs/assess/processes.yaml, as the workspace shows them" in done.out
    assert "1 process more, which no check looks for" in done.out
    found = json.loads(call("scan", "--json").out)
    assert found[0] == {
        "process": "train",
        "phase": "training",
        "check": "runs-recorded",
        "level": "absent",
        "declared": None,
        "found": "there is no run",
        "command": "mlops init",
    }
    assert call("scan", "-q").out == "train absent\ndeploy absent\n"


def test_a_record_keeps_what_was_found_and_is_not_looked_for_again(ws, call):
    assert call("scan", "-o", "record.yaml").out == "wrote record.yaml\n"
    said = yaml.safe_load((ws / "record.yaml").read_text())
    assert said["processes"]["train"]["level"] == "absent"
    assert said["processes"]["train"]["evidence"] == "there is no run"
    assert said["processes"]["deploy"]["evidence"].startswith("declared automated; the workspace shows absent: ")
    assert "scan" not in said["processes"]["train"]
    assert str(said["date"]) in (ws / "record.yaml").read_text().splitlines()[0]

    (ws / ".ci").mkdir()
    (ws / ".ci" / "run").write_text("mlops run config=x\n")
    now, then = (json.loads(call(*words, "--json").out)["processes"][2] for words in ((), ("record.yaml",)))
    assert now["evidence"]["level"] == "automated"
    assert then["evidence"]["found"].startswith("declared automated; the workspace shows absent: ")

    done = call("scan", "-o", "record.yaml")
    assert done.code == 2
    assert "record.yaml is there already" in done.err
    assert call("scan", "-o", "record.yaml", "--force").code == 0
    assert "does not end in .yaml" in call("scan", "-o", "record.txt").err


def test_a_file_behind_an_option_that_prints_is_refused_with_the_way_to_write_it(ws, call):
    done = call("--csv", "out.csv")
    assert done.code == 2
    assert "--csv > out.csv" in done.err


def test_another_file_is_kept_and_the_option_is_named_that_there_is(ws, call):
    (ws / "own.html").write_text("mine")
    assert "another --html, or --force" in call("--html", "own.html").err
