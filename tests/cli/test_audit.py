"""``mlops audit`` and the lineage of models, as their users call them."""

from __future__ import annotations

import csv
import json
import os
import pwd
import shutil
import subprocess
import sys
from types import SimpleNamespace

import pytest

import mlops_cli as mlops
from mlops_cli.cli.app import invoke
from mlops_cli.records import Action
from mlops_cli.store.audit import AuditLog, this_user
from mlops_cli.store.layout import WorkspacePaths

CONFIG = """
defaults: [experiment, {data: OPTION}, {transforms: tabular}, {model: logistic_regression}, _self_]
name: NAME
data: {target: label, DATA}
evaluation: {metrics: [accuracy]}
artifacts: {plots: none, predictions: false}
"""


def config(root, name, option, data):
    text = CONFIG.replace("NAME", name).replace("OPTION", option).replace("DATA", data)
    (root / "configs" / f"{name}.yaml").write_text(text)


FAULTY = """
from sklearn.linear_model import LogisticRegression

class Faulty(LogisticRegression):
    def fit(self, X, y, sample_weight=None):
        raise ValueError("no")
"""
EVIL = "[red]\x1b[31mhi[/x]\n=1+1"


def git(root, *arguments):
    identity = ("-c", "user.name=a", "-c", "user.email=a@b.c")
    done = subprocess.run(["git", *identity, *arguments], cwd=root, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A workspace in git with a data set in two versions, a run on each, one on a plain file, and models of them."""
    root = tmp_path_factory.mktemp("audit") / "ws"
    (root / "configs").mkdir(parents=True)
    config(root, "points", "dataset", "name: points")
    config(root, "plain", "csv", "path: points.csv")
    rows = ["x,y,kind,label", *(f"{i % 7 + (i % 2)},{(i * 37) % 11},{'ab'[i % 3 == 0]},{i % 2}" for i in range(60))]
    (root / "points.csv").write_text("\n".join(rows) + "\n")
    (root / "more.csv").write_text("\n".join([*rows, "3,4,a,1"]) + "\n")
    (root / ".gitignore").write_text("/runs/\n/models/\n/.mlops/\n")
    git(root, "init", "-q")
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "first")
    mlops.data.add(root / "points.csv", "points", workspace=root, note=EVIL)
    mlops.data.add(root / "more.csv", "points", workspace=root)
    first = mlops.run("points", ["data.version=1"], n_jobs=1, workspace=root)
    second = mlops.run("points", ["evaluation.test=points@1"], n_jobs=1, workspace=root)
    third = mlops.run("plain", n_jobs=1, workspace=root)
    for run, name in ((first, "points"), (second, "points"), (third, "plain")):
        mlops.register(run, name, workspace=root)
    mlops.models.alias("points/1", "champion", workspace=root)
    return SimpleNamespace(root=root, runs=[first.id, second.id, third.id], commit=git(root, "rev-parse", "HEAD"))


@pytest.fixture
def ws(made, tmp_path, monkeypatch):
    """A copy of it, and the current folder."""
    root = tmp_path / "ws"
    shutil.copytree(made.root, root)
    monkeypatch.chdir(root)
    monkeypatch.setenv("COLUMNS", "150")
    return SimpleNamespace(root=root, runs=made.runs, commit=made.commit, log=root / ".mlops" / "audit.jsonl")


@pytest.fixture
def call(capsys, monkeypatch):
    """The command in this process: ``call("audit")`` → its exit code and what it prints."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["mlops", *arguments])
        code = invoke()
        printed = capsys.readouterr()
        return SimpleNamespace(code=int(code), out=printed.out, err=printed.err)

    return run


# --- who did what ------------------------------------------------------------------------------------------------


def test_everything_that_changed_the_store_is_listed_newest_first(ws, call):
    told = json.loads(call("audit", "--json").out)
    assert [entry["action"] for entry in told] == [
        "alias",
        *["registered"] * 3,
        *["run"] * 3,
        *["data-added"] * 2,
    ]
    assert [entry["subject"] for entry in told][4:7] == ws.runs[::-1]
    assert [entry["number"] for entry in told] == list(range(9, 0, -1))
    assert call("audit", "-q", "-n", "2").out == "9 points/1\n8 plain/1\n"


def test_the_table_tells_who_did_what_to_what(ws, call, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    done = call("audit", "--limit", "3")
    header, _, newest, *_ = done.out.splitlines()
    assert header.split() == ["no.", "when", "who", "did", "to", "details"]
    assert newest.split()[0] == "9"
    assert newest.split()[-4:] == ["alias", "points/1", "alias=champion", "to=1"]
    assert "… and older ones; --limit shows more" in done.err
    assert call("audit", "--limit", "9").err == ""


def test_in_a_narrow_terminal_details_stand_below_and_ids_are_whole(ws, call, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    header, _, *lines = call("audit", "--action", "run", "--action", "alias").out.splitlines()
    assert header.split() == ["no.", "when", "who", "did,", "to"]
    assert lines[0].endswith("alias points/1")
    assert lines[1].strip() == "alias=champion to=1"
    assert lines[2].endswith(f"run {ws.runs[-1]}")
    assert lines[3].strip().startswith("status=completed ")
    assert len(lines) == 2 * 4
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("width", [80, 120])
def test_what_matters_of_a_promotion_comes_first_in_its_line(ws, call, monkeypatch, width):
    (ws.root / "configs" / "promotion").mkdir()
    (ws.root / "configs" / "promotion" / "points.yaml").write_text("metrics: {accuracy: {min: 2}}\nsize: {max_mb: 9}\n")
    call("models", "promote", "points/2")
    call("models", "promote", "points/2", "--override", "for the show")
    monkeypatch.setenv("COLUMNS", str(width))
    out = call("audit", "-n", "2").out
    assert "alias=champion override=for the show" in out
    assert "alias=champion gates=metrics.accuracy" in out


def test_lines_that_are_no_entries_hide_no_other_and_are_named(ws, call):
    log = ws.root / ".mlops" / "audit.jsonl"
    before = call("audit", "-q", "-n", "0").out
    first, *rest = log.read_text().splitlines()
    log.write_text("\n".join([first, "{}", *rest, "nothing", ""]))
    done = call("audit", "-q", "-n", "0")
    assert (done.code, done.out) == (0, before)
    last, second, advice = done.err.splitlines()
    assert last == f"! damaged: {log}, line {len(rest) + 3}: not an entry of the audit log: Expecting value"
    assert second.startswith(f"! damaged: {log}, line 2: ")
    assert advice == "mlops audit --verify tells all that is wrong with the log"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--action", "alias"], "9 points/1"),
        (["--action", "alias", "--action", "data-added", "-n", "2"], "9 points/1,2 points@2"),
        (["--subject", "points@*"], "2 points@2,1 points@1"),
        (["--subject", "p*/1", "--action", "registered"], "8 plain/1,6 points/1"),
        (["--subject", "POINTS/1"], ""),
        (["--user", "nobody-here"], ""),
        (["--since", "1h", "--until", "today", "-n", "1"], "9 points/1"),
        (["--until", "2020-01-01"], ""),
        (["--since", "2999-01-01"], ""),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_filters(ws, call, arguments, expected):
    done = call("audit", "-q", *arguments)
    assert (done.code, done.out.strip().replace("\n", ",")) == (0, expected)


def test_whoever_did_it_is_named_by_the_system_and_not_by_the_environment(ws, call, monkeypatch):
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "eve")
    who = pwd.getpwuid(os.getuid()).pw_name
    assert call("runs", "tag", ws.runs[0], "a=b").code == 0
    assert call("runs", "note", ws.runs[0], "seen").code == 0
    assert call("models", "approve", "points/1").out == f"points/1 approved by {who}\n"
    assert call("audit", "--user", who, "-q", "-n", "2").out == f"12 points/1\n11 {ws.runs[0]}\n"
    assert call("audit", "--user", "eve", "-q").out == ""


def test_a_user_without_a_name_is_who_the_environment_says_or_a_number(monkeypatch):
    def nobody(_):
        raise KeyError("getpwuid(): uid not found")

    monkeypatch.setattr(pwd, "getpwuid", nobody)
    monkeypatch.setenv("LOGNAME", "ada")
    assert this_user() == "ada"
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    assert this_user() == str(os.getuid())


def test_entries_go_into_a_spreadsheet_whose_formulas_are_none(ws, call):
    call("runs", "note", ws.runs[0], EVIL)
    rows = list(csv.DictReader(call("audit", "--csv").out.splitlines()))
    assert [row["number"] for row in rows] == [str(n) for n in range(10, 0, -1)]
    assert json.loads(rows[0]["details"])["note"] == EVIL
    assert list(rows[0]) == ["number", "at", "user", "host", "action", "subject", "details", "previous", "hash"]


def test_hostile_text_reaches_no_terminal(ws, call):
    call("runs", "note", ws.runs[0], EVIL)
    call("models", "describe", "points", EVIL)
    done = call("audit")
    assert done.code == 0
    assert "\x1b" not in done.out
    assert "[red]\\x1b[31mhi[/x] =1+1" in done.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--action", "promote"], "did you mean 'promoted'?"),
        (["--since", "soon"], "--since: 'soon' is no time"),
        (["--limit", "-1"], "--limit is 0, for all, or more; got -1"),
        (["--json", "--csv"], "one of --quiet, --csv and --json"),
        (["--head", "1:abc"], "--head is for --verify"),
        (["--verify", "--user", "x"], "takes no --user"),
        (["--verify", "--head", "1:abc"], "'1:abc' is no entry"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_what_cannot_be_asked_is_said_in_a_line(ws, call, arguments, message):
    done = call("audit", *arguments)
    assert (done.code, done.out) == (2, "")
    assert message in done.err


# --- whether it is whole -----------------------------------------------------------------------------------------


def test_verify_says_what_was_checked_and_the_head_that_is_worth_keeping(ws, call):
    done = call("audit", "--verify")
    head = json.loads(call("audit", "--json", "-n", "1").out)[0]["hash"]
    assert (done.code, done.err) == (0, "")
    assert done.out == f"9 entries hold together, 12 records keep theirs; head 9:{head}\n"
    assert call("audit", "--verify", "--head", f"9:{head}").code == 0
    assert call("audit", "--verify", "-q").out == ""
    told = json.loads(call("audit", "--verify", "--json").out)
    assert (told["whole"], told["head"], told["faults"]) == (True, {"number": 9, "hash": head}, [])


def test_verify_says_a_line_for_each_fault_and_ends_with_4(ws, call):
    lines = ws.log.read_bytes().splitlines(keepends=True)
    ws.log.write_bytes(b"".join([*lines[:1], lines[1].replace(b"points@2", b"points@\\u001b"), *lines[2:]]))
    record = ws.root / "runs" / ws.runs[0] / "run.json"
    record.write_text(record.read_text().replace('"seed": 0', '"seed": 1'))
    done = call("audit", "--verify")
    assert done.code == 4
    first, *others = done.out.splitlines()
    assert first.startswith("audit.jsonl, line 2: entry 2 (data-added points@\\x1b) is not as it was written")
    assert any("run.json: is not the record that entry 3 announced: it was edited" in text for text in others)
    told = json.loads(call("audit", "--verify", "--json").out)
    assert (told["whole"], len(told["faults"])) == (False, len(others) + 1)


def test_what_a_kill_may_have_left_is_said_beside_it(ws, call):
    aliases = WorkspacePaths(ws.root).aliases("points")  # which has the number before the log has the entry
    aliases.write_text(aliases.read_text().replace('"last": 2', '"last": 3'))
    AuditLog(WorkspacePaths(ws.root)).append(Action.REGISTERED, "points/3", {})
    done = call("audit", "--verify")
    assert done.code == 0
    assert done.out.startswith("10 entries hold together")
    assert "points/3: is not there: after entry 10" in done.err
    assert call("audit", "--verify", "-q").err == ""


def test_a_workspace_where_nothing_was_done_says_so(workspace, call):
    assert call("audit").err == "no entries\n"
    done = call("audit", "--verify")
    assert (done.code, done.out) == (0, "the audit log is empty: nothing was done yet\n")


def test_a_moved_workspace_is_as_whole_as_before(ws, call, monkeypatch, tmp_path):
    moved = tmp_path / "elsewhere"
    ws.root.rename(moved)
    monkeypatch.chdir(moved)
    assert call("audit", "--verify").code == 0


def test_runs_that_are_tagged_resumed_failed_and_removed_are_in_the_log_and_it_stays_whole(ws, call):
    (ws.root / "pyproject.toml").write_text('[tool.mlops]\ntrust = ["faulty"]\n')
    (ws.root / "faulty.py").write_text(FAULTY)
    config(ws.root, "faulty", "dataset", "name: points, version: 1")
    assert call("run", "config=faulty", "model._target_=faulty.Faulty", "-q", "-j", "1").code == 1
    failed = json.loads(call("runs", "show", "latest", "--json").out)["id"]
    assert call("resume", failed, "--retry-failed", "-q").code == 1
    assert call("runs", "tag", failed, "a=b").code == 0
    told = json.loads(call("audit", "--subject", failed, "--json").out)
    assert [entry["action"] for entry in told] == ["run-amended", "run", "run-resumed", "run"]
    assert [entry["details"].get("status") for entry in told] == [None, "failed", "failed", "failed"]
    assert call("audit", "--verify").code == 0
    assert call("runs", "rm", failed, "--force").code == 0
    assert call("data", "tag", "points@2", "clean").code == 0
    assert call("audit", "-q", "-n", "2").out == f"15 points@2\n14 {failed}\n"
    assert call("audit", "--verify").code == 0


def test_a_run_from_the_library_whose_log_cannot_be_written_is_done_and_says_so(ws, call):
    ws.log.unlink()
    ws.log.mkdir()
    run = mlops.run("points", ["model.C=3"], n_jobs=1, workspace=ws.root)
    assert (run.status, run.record.audit) == ("completed", None)
    assert "audit-failed" in [notice.code for notice in run.record.warnings]
    assert "audit-failed: the audit log has no entry" in call("runs", "show", run.id).out.replace("\n", " ")


# --- where a model came from -------------------------------------------------------------------------------------


def tree_of(text):
    return [line.lstrip("│├└─ ") for line in text.splitlines()]


def test_the_lineage_of_a_model_goes_back_to_the_source_of_its_data(ws, call):
    lines = tree_of(call("models", "show", "points/2", "--lineage").out)
    assert lines[0] == "points/2"
    assert lines[1].startswith("registered today ")
    assert lines[1].endswith(", entry 7 of the audit log")
    assert lines[2].startswith(f"run {ws.runs[1]}  completed  accuracy ")
    assert lines[3].startswith("training data points@2  61 rows × 4 columns  ")
    assert lines[4].startswith("added points@2 from ")
    assert "more.csv, 20" in lines[4]
    assert lines[5] == "kept as points@2"
    assert lines[6].startswith("held out data points@1  60 rows × 4 columns  ")
    assert "points.csv, 20" in lines[7]
    assert lines[8] == "kept as points@1"
    assert lines[9] == "also made from it 2 other runs; plain/1 points/1"
    assert lines[10] == f"code {ws.commit[:12]}"


def test_the_lineage_as_json(ws, call):
    told = json.loads(call("models", "show", "points@champion", "--lineage", "--json").out)
    assert (told["version"], told["aliases"], told["run"]["id"]) == ("points/1", ["champion"], ws.runs[0])
    assert told["git"] == {"commit": ws.commit, "dirty": False}
    (data,) = told["data"]
    assert (data["role"], data["source"], data["kept"], data["runs"]) == ("training", "points@1", "points@1", 3)
    assert data["models"] == {"plain/1": "training", "points/1": "training", "points/2": "held out"}
    assert (data["named"][0]["ref"], data["named"][0]["audit"]["number"]) == ("points@1", 1)
    assert mlops.models.lineage("points@champion").data[0].kept == "points@1"


def test_the_lineage_says_what_is_no_longer_there(ws, call):
    shutil.rmtree(ws.root / "runs" / ws.runs[2])
    for number in (1, 2):
        (ws.root / ".mlops" / "datasets" / "names" / "points" / f"{number}.json").unlink()
    plain = tree_of(call("models", "show", "plain", "--lineage").out)
    assert "removed the run is no longer there; its record and config are part of the version" in plain
    assert "from points.csv" in plain
    assert "not kept: only its source has it" in plain
    assert "removed points@1 is no longer there" in tree_of(call("models", "show", "points/1", "--lineage").out)


def test_a_file_with_the_content_of_a_named_version_is_told_as_kept(ws, call):
    lines = tree_of(call("models", "show", "plain", "--lineage").out)
    assert lines[4:7] == ["from points.csv", "same content points@1", "kept as points@1"]


def test_data_that_was_fetched_says_from_where_and_what_is_kept_of_it(ws, call):
    import sqlite3

    with sqlite3.connect(ws.root / "points.db") as database:
        database.execute("create table points (x, y, label)")
        database.executemany("insert into points values (?, ?, ?)", [(i % 7, i * 37 % 11, i % 2) for i in range(60)])
    database.close()
    config(ws.root, "asked", "sql", "url: 'sqlite:///points.db', query: 'select * from points'")
    run = mlops.run("asked", n_jobs=1, workspace=ws.root)
    mlops.register(run, "asked", workspace=ws.root)
    (data,) = json.loads(call("models", "show", "asked", "--lineage", "--json").out)["data"]
    assert data["kept"] == f"snapshot {data['version'][:12]}"
    assert data["from"] == ["sqlite:///points.db: select * from points"]


@pytest.mark.parametrize(
    ("source", "runs", "models"),
    [
        ("points@1", [2, 1, 0], ["plain/1", "points/1", "points/2"]),
        ("points@2", [1], ["points/2"]),
        ("points", [1], ["points/2"]),
        ("RUN", [0], ["points/1"]),
        ("COMMIT", [2, 1, 0], ["plain/1", "points/1", "points/2"]),
    ],
)
def test_what_was_made_from_data_a_run_or_a_commit(ws, call, source, runs, models):
    ref = {"RUN": ws.runs[0], "COMMIT": ws.commit[:9]}.get(source, source)
    told = json.loads(call("models", "ls", "--from", ref, "--json").out)
    assert told["runs"] == [ws.runs[n] for n in runs]
    assert [model["ref"] for model in told["models"]] == models
    assert call("models", "ls", "--from", ref, "-q").out.split() == models
    lines = tree_of(call("models", "ls", "--from", ref).out)
    assert [line.split()[1] for line in lines if line.startswith("run ")] == [ws.runs[n] for n in runs]
    assert sorted(line.split()[1] for line in lines if line.startswith("model ")) == models
    assert [m.ref for m in mlops.models.made_from(ref).models] == models


def made_from(call, ref):
    done = call("models", "ls", "--from", ref, "--json")
    told = json.loads(done.out)
    return done.code, told["kind"], len(told["runs"]), [model["ref"] for model in told["models"]]


def test_what_was_made_from_data_is_found_by_its_hash_and_by_its_place(ws, call):
    from mlops_cli.store.objects import digest_of

    (data,) = json.loads(call("models", "show", "plain", "--lineage", "--json").out)["data"]
    everything = (0, "data", 3, ["plain/1", "points/1", "points/2"])
    assert made_from(call, data["version"][:12]) == everything
    assert made_from(call, digest_of(ws.root / "points.csv")[:12]) == (0, "data", 1, ["plain/1"])
    for place in ("points.csv", "./points.csv", str(ws.root / "points.csv")):
        assert made_from(call, place) == (0, "data", 1, ["plain/1"])
    assert call("models", "ls", "--from", 'odd" or id = "\\').code == 2


def test_what_was_made_from_data_that_was_removed_is_still_known(ws, call):
    before = made_from(call, "points@1")
    (ws.root / ".mlops" / "datasets" / "names" / "points" / "1.json").unlink()
    assert made_from(call, "points@1") == before == (0, "data", 3, ["plain/1", "points/1", "points/2"])
    assert "removed points@1 is no longer there" in tree_of(call("models", "show", "points/1", "--lineage").out)


def test_types_that_a_config_gives_do_not_hide_whose_content_it_is(ws, call):
    run = mlops.run("plain", ["data.dtypes={x: categorical}"], n_jobs=1, workspace=ws.root)
    mlops.register(run, "typed", workspace=ws.root)
    lines = tree_of(call("models", "show", "typed", "--lineage").out)
    assert lines[4:7] == ["from points.csv", "same content points@1", "kept as points@1"]
    assert "typed/1" in made_from(call, "points@1")[3]
    assert made_from(call, "points@2")[3] == ["points/2"]
    (first,) = mlops.runs(where='id = "' + ws.runs[2] + '"', workspace=ws.root)["data.sha256"]
    assert run.record.dataset.sha256 == first
    assert run.record.dataset.version != mlops.find_run(ws.runs[2], workspace=ws.root).record.dataset.version


def test_data_show_lists_the_models_too(ws, call):
    out = call("data", "show", "points@1").out
    assert out.splitlines()[-1] == "models made from it  plain/1 points/1 points/2 (held out)"
    told = json.loads(call("data", "show", "points@1", "--json").out)
    assert told["models"] == {"plain/1": "training", "points/1": "training", "points/2": "held out"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["show", "pionts", "--lineage"], "did you mean 'points'?"),
        (["ls", "--from", "points@9"], "the data set 'points' has no version '9'"),
        (["ls", "--from", "pionts@1"], "there is no data set 'pionts'"),
        (["ls", "--from", "0123456789"], "no run and no model was made from the commit 0123456789"),
        (["ls", "--from", "no-such-run"], "no run 'no-such-run'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_what_is_not_there_is_said_in_a_line(ws, call, arguments, message):
    done = call("models", *arguments)
    assert (done.code, done.out) == (2, "")
    assert message in done.err


@pytest.mark.parametrize("arguments", [["audit"], ["audit", "--verify"]], ids=" ".join)
def test_to_look_at_the_log_loads_nothing_slow(ws, arguments):
    script = (
        f"import sys; sys.argv = ['mlops', *{arguments!r}]\n"
        "from mlops_cli.cli import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        "print(*sorted({'pandas', 'sklearn', 'hydra', 'omegaconf', 'numpy', 'pyarrow', 'skops'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == ""
