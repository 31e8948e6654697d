"""``mlops models``, as its users call it."""

from __future__ import annotations

import json
import shutil
import sys
from types import SimpleNamespace

import pytest

import mlops_cli as mlops
from mlops_cli.cli.app import invoke

CONFIG = """
defaults: [experiment, {data: dataset}, {transforms: tabular}, {model: logistic_regression}, _self_]
name: points
description: Which side a point is on
data: {name: points, target: label}
evaluation: {metrics: [roc_auc, accuracy]}
artifacts: {plots: none, predictions: false}
"""
EVIL = "[red]\x1b[31mhi[/x] <script>alert(1)</script> | `x`\n# Big"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A workspace with two runs over a named data set; the second one has a pickle."""
    root = tmp_path_factory.mktemp("models")
    (root / "configs").mkdir()
    (root / "configs" / "points.yaml").write_text(CONFIG)
    rows = ["x,y,kind,label"]
    rows += [f"{i % 7 + (i % 2)},{(i * 37) % 11},{'ab'[i % 3 == 0]},{i % 2}" for i in range(60)]
    (root / "points.csv").write_text("\n".join(rows) + "\n")
    mlops.data.add(root / "points.csv", "points", workspace=root)
    first = mlops.run("points", n_jobs=1, workspace=root)
    second = mlops.run("points", ["model.C=0.01", "artifacts.model_format=joblib"], n_jobs=1, workspace=root)
    return SimpleNamespace(root=root, first=first.id, second=second.id)


@pytest.fixture
def ws(made, tmp_path, monkeypatch):
    """A copy of it, and the current folder."""
    root = tmp_path / "ws"
    shutil.copytree(made.root, root)
    monkeypatch.chdir(root)
    monkeypatch.setenv("COLUMNS", "100")
    return SimpleNamespace(root=root, first=made.first, second=made.second)


@pytest.fixture
def call(capsys, monkeypatch):
    """The command in this process: ``call("models", "ls")`` → its exit code and what it prints."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["mlops", *arguments])
        code = invoke()
        printed = capsys.readouterr()
        return SimpleNamespace(code=int(code), out=printed.out, err=printed.err)

    return run


def test_register_says_which_version_it_is_and_where(ws, call):
    done = call("models", "register", ws.first, "--name", "side", "--alias", "challenger", "--tag", "team=a")
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines()[0].startswith("side/1  9 files, ")
    assert done.out.splitlines()[1] == f"in {ws.root / 'models' / 'side' / '1'}"
    assert call("models", "register", ws.first, "-q").out == "points/1\n"
    told = json.loads(call("models", "register", ws.first, "--alias", "best-yet", "--json").out)
    assert (told["name"], told["version"], told["run"], told["aliases"]) == ("points", 2, ws.first, ["best-yet"])


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["register", "pionts:best"], 2, "did you mean 'points'?"),
        (["register", "latest", "--name", "../x"], 2, "the model name '../x' cannot be a folder's name"),
        (["register", "latest", "--name", ""], 2, "a model's name cannot be empty"),
        (["register", "latest", "--alias", "7"], 2, "would be taken for a number"),
        (["alias", "points/1", "a b"], 2, "the alias name 'a b' is not one word"),
        (["register", "latest", "--tag", "x"], 2, "--tag is KEY=VALUE, got 'x'"),
        (["show", "pionts"], 2, "did you mean 'points'?"),
        (["show", "points/9"], 2, "has no version '9'"),
        (["show", "points@chalenger"], 2, "did you mean 'points@challenger'?"),
        (["show", "../points"], 2, "there is no registered model '..'"),
        (["ls", "\x1b[31m"], 2, "there is no registered model '\\x1b[31m'"),
        (["alias", "points/1", "latest"], 2, "is a reserved word"),
        (
            ["alias", "points/1", "champion", "--remove"],
            2,
            "points/1 has no alias 'champion'\n  try: allowed: challenger",
        ),
        (["tag", "points/1"], 2, "no tag is given"),
        (["tag", "points/1", "--remove", "x"], 2, "points/1 has no tag 'x', and no other either; nothing is changed\n"),
        (["card", "points", "--edit", "none.md"], 2, "cannot read none.md"),
        (["rm", "points"], 2, "mlops models rm points/1"),
        (["rm", "points@challenger"], 2, "say the number: mlops models rm points/1"),
        (["rm", "points/1"], 2, "points/1 stays: it is @challenger"),
        (["rm", "points/1", "--yes"], 2, "points/1 stays: it is @challenger"),
        (["rm", "points/1", "--force"], 2, "there is nobody to ask"),
        (["rm", "points/01", "-y"], 2, "has no version '01'"),
        (["verify", "points/9"], 2, "has no version '9'"),
    ],
    ids=lambda value: " ".join(map(repr, value)) if isinstance(value, list) else None,
)
def test_what_cannot_be_done_is_said_in_a_line_with_its_mend(ws, call, arguments, code, message):
    call("models", "register", ws.first, "--alias", "challenger")
    done = call("models", *arguments)
    assert (done.code, done.out) == (code, "")
    assert message in done.err
    assert done.err.count("\n") <= 2


def test_ls_tells_models_and_versions(ws, call):
    assert "register one with: mlops models register RUN" in call("models", "ls").err
    call("models", "register", ws.first, "--alias", "champion")
    call("models", "register", ws.second)
    call("models", "register", ws.first, "--name", "other")
    assert call("models", "ls", "-q").out == "other\npoints\n"
    assert call("models", "ls", "points", "-q").out == "points/1\npoints/2\n"
    (line,) = [text for text in call("models", "ls").out.splitlines() if text.startswith("points")]
    assert line.split()[:6] == ["points", "2", "points/2", "roc_auc", "↑", line.split()[5]]
    assert "@champion=1" in line
    newest, oldest = call("models", "ls", "points").out.splitlines()[2:]
    assert newest.split()[:2] == ["points/2", "pending"]
    assert oldest.split()[:3] == ["points/1", "@champion", "pending"]
    (found,) = [m for m in json.loads(call("models", "ls", "--json").out) if m["name"] == "points"]
    assert (found["aliases"], [v["version"] for v in found["versions"]]) == ({"champion": 1}, [1, 2])


def test_a_damaged_version_is_said_and_hides_no_other(ws, call):
    call("models", "register", ws.first)
    call("models", "register", ws.first)
    file = ws.root / "models" / "points" / "1" / "version.json"
    file.chmod(0o644)
    file.write_text("{")
    done = call("models", "ls", "points", "-q")
    assert done.out == "points/2\n"
    assert "! damaged:" in done.err
    assert call("models", "verify", "points/1").code == 4
    assert call("models", "rm", "points/1", "-y").code == 0
    assert call("models", "verify").code == 0


def test_show_tells_all_of_a_version(ws, call):
    call("models", "register", ws.first, "--alias", "champion", "--tag", "team=a", "--description", "for the map")
    call("models", "approve", "points", "--note", "seen")
    out = call("models", "show", "points@champion").out
    assert out.splitlines()[0] == "points/1  @champion  approved"
    for words in ("about       for the map", "tags        team=a", f"run         {ws.first}", "model/model.skops"):
        assert words in out
    assert "approved    by " in out
    assert call("models", "show", "points", "-q").out == "points/1\n"
    told = json.loads(call("models", "show", "points", "--json").out)
    assert (told["approval"], told["tags"], told["aliases"]) == ("approved", {"team": "a"}, ["champion"])


def test_diff_tells_params_scores_and_code(ws, call):
    call("models", "register", ws.first)
    call("models", "register", ws.second)
    told = json.loads(call("models", "diff", "points/1", "points/2", "--json").out)
    assert (told["a"], told["b"]) == ("points/1", "points/2")
    assert told["sections"]["params"] == {"model.C": {"a": 1.0, "b": 0.01}}
    assert "artifacts.model_format" in told["sections"]["config"]
    assert call("models", "diff", "points/1", "points/1").out.endswith("no difference\n")
    assert call("models", "diff", "points/1", "points/2", "-q").out.splitlines()[0] == "params"


def test_aliases_tags_descriptions_and_verdicts_change_the_card(ws, call):
    call("models", "register", ws.first)
    assert call("models", "alias", "points/1", "champion").out == "points/1 is @champion\n"
    assert call("models", "tag", "points", "a=1", "b=2").out == "points/1 a=1 b=2\n"
    assert call("models", "tag", "points", "--remove", "a").out == "points/1 b=2\n"
    assert call("models", "describe", "points", "of the map").out == "points/1 of the map\n"
    assert call("models", "reject", "points", "--note", "wrong").out.startswith("points/1 rejected by ")
    assert "points/1 is rejected by " in call("models", "alias", "points/1", "fit").err
    card = call("models", "card", "points").out
    for words in ("of the map", "called `@champion`; rejected", "`b=2`", "wrong"):
        assert words in card
    assert card == (ws.root / "models" / "points" / "1" / "card.md").read_text()
    assert call("models", "alias", "points/1", "champion", "--remove").out == "points/1 is no longer @champion\n"
    assert "called no alias" in call("models", "card", "points").out
    assert call("models", "archive", "points").out.startswith("points/1 archived by ")


def test_a_version_that_is_out_of_use_keeps_its_aliases_and_that_is_said(ws, call):
    call("models", "register", ws.first, "--alias", "champion")
    call("models", "alias", "points/1", "fit")
    assert call("models", "approve", "points").err == ""
    done = call("models", "reject", "points@champion", "--note", "wrong")
    assert done.err.splitlines() == [
        f"! points/1 stays @{alias}: mlops models rollback points{option} gives it to the version before, "
        f"mlops models promote points/N{option} to another"
        for alias, option in (("champion", ""), ("fit", " --alias fit"))
    ]
    assert call("models", "archive", "points", "-q").err == ""


def test_who_asks_a_version_that_is_out_of_use_is_told_so_once(ws, call):
    call("models", "register", ws.first, "--alias", "champion")
    assert "out-of-use" not in call("predict", "points", "points.csv", "-o", "a.csv").err
    call("models", "reject", "points", "--note", "wrong")
    said = call("predict", "points", "points.csv", "-o", "b.csv").err
    assert said.count("out-of-use: points/1 is rejected by ") == 1
    assert said.count(": wrong") == 1


def test_the_same_run_twice_is_said(ws, call):
    assert call("models", "register", ws.first).err == ""
    assert call("models", "register", ws.second).err == ""
    assert call("models", "register", ws.first).err == "! same-run: it is of the same run as points/1\n"
    assert call("models", "register", ws.first, "--name", "other").err == ""


def test_an_alias_by_hand_says_which_gates_it_did_not_ask(ws, call):
    call("models", "register", ws.first)
    assert call("models", "alias", "points/1", "fit").err == ""
    (ws.root / "configs" / "promotion").mkdir()
    (ws.root / "configs" / "promotion" / "points.yaml").write_text("metrics: {accuracy: {min: 0.999}}\n")
    done = call("models", "alias", "points/1", "champion")
    assert (done.code, done.out) == (0, "points/1 is @champion\n")
    assert "! no gate of configs/promotion/points.yaml was asked; mlops models promote points/1" in done.err
    assert "was asked" in call("models", "register", ws.first, "--alias", "champion").err


def test_the_owners_own_words_are_taken_from_a_file_and_kept(ws, call):
    call("models", "register", ws.first)
    (ws.root / "own.md").write_text("## Ethics\n\nNot for people.\n")
    assert call("models", "card", "points", "--edit", "own.md").out == "points/1 has a new card\n"
    whole = call("models", "card", "points").out
    assert whole.endswith("\n\n## Ethics\n\nNot for people.\n")
    (ws.root / "whole.md").write_text(whole.replace("people", "cats").replace("# points/1", "# forged"))
    call("models", "card", "points", "--edit", "whole.md")
    call("models", "describe", "points", "new")
    again = call("models", "card", "points").out
    assert again.endswith("Not for cats.\n")
    assert "# points/1" in again
    assert "forged" not in again
    (ws.root / "bad.md").write_bytes(b"\xff\xfe")
    assert "is no text in UTF-8" in call("models", "card", "points", "--edit", "bad.md").err


def test_hostile_text_reaches_no_terminal(ws, call):
    call("models", "register", ws.first, "--description", EVIL, "--tag", f"k={EVIL}")
    call("models", "approve", "points", "--note", EVIL)
    for arguments in (["ls", "points"], ["show", "points"], ["card", "points"], ["describe", "points", EVIL]):
        done = call("models", *arguments)
        assert done.code == 0
        assert "\x1b" not in done.out
    assert "[red]\\x1b[31mhi[/x]" in call("models", "show", "points").out.replace("\n", "")
    own = ws.root / "own.md"
    own.write_text("\x1b]0;owned\x07 mine\n")
    call("models", "card", "points", "--edit", "own.md")
    assert "\\x1b]0;owned\\x07 mine" in call("models", "card", "points").out


def test_verify_opens_models_and_pickles_only_where_it_may(ws, call):
    call("models", "register", ws.first)
    call("models", "register", ws.second)
    done = call("models", "verify", "points")
    assert done.code == 0
    assert done.out.startswith("2 versions as registered, ")
    assert "points/2: its model is a pickle and was not opened; --allow-pickle opens it" in done.err
    assert call("models", "verify", "--allow-pickle").err == ""


def test_verify_says_a_line_for_each_fault_and_ends_with_4(ws, call):
    call("models", "register", ws.first)
    place = ws.root / "models" / "points" / "1"
    (place / "model" / "model.skops").chmod(0o644)
    (place / "model" / "model.skops").write_bytes(b"evil")
    (place / "extra\x1b[31m").touch()
    done = call("models", "verify", "points/1")
    assert done.code == 4
    assert [text.partition(" (")[0] for text in done.out.splitlines()] == [
        "points/1: extra\\x1b[31m: was not there when it was registered",
        "points/1: model/model.skops: its content has changed",
    ]
    (checked,) = [c for c in json.loads(call("models", "verify", "--json").out) if c["version"] == "points/1"]
    assert len(checked["faults"]) == 2


def test_a_log_that_was_cut_is_found(ws, call):
    call("models", "register", ws.first)
    call("models", "register", ws.first)
    log = ws.root / ".mlops" / "audit.jsonl"
    log.write_text("".join(log.read_text().splitlines(keepends=True)[:-1]))
    done = call("models", "verify")
    assert done.code == 4
    assert "points/2: version.json: keeps entry" in done.out


def test_what_a_version_came_from_stays(ws, call):
    call("models", "register", ws.first)
    assert "the registered model points/1 came from it" in call("runs", "rm", ws.first, "--force").err
    assert "the registered model points/1 was trained on it" in call("data", "rm", "points@1", "--force").err
    assert "--yes removes without asking" in call("models", "rm", "points/1").err
    assert call("models", "rm", "points/1", "--yes").out == "removed points/1\n"
    assert call("runs", "rm", ws.first, "--force").code == 0
    assert call("data", "rm", "points@1", "--yes").code == 2  # the other run has read it
    assert call("data", "rm", "points@1", "--force").code == 0


def test_the_library_says_the_same(ws):
    run = mlops.find_run(ws.first)
    version = mlops.register(run, alias="champion", tags={"a": "b"}, description="x")
    assert mlops.models.find("points@champion") == version
    mlops.models.tag("points", {"c": "d"}, without=["a"])
    page = mlops.models.approve("points", note="fine")
    assert repr(page) == "VersionPage('points/1', approved, @champion)"
    assert repr(version) == f"ModelVersion('points/1', run='{ws.first}')"
    table = mlops.models.ls()
    (row,) = table.to_dict("records")
    assert (row["name"], row["version"], row["aliases"], row["approval"]) == ("points", 1, ("champion",), "approved")
    assert (row["tags.c"], row["metrics.roc_auc"]) == ("d", run.metrics["roc_auc"].mean)
    assert mlops.models.show("points").status.tags == {"c": "d"}
    assert "mine" in mlops.models.card("points", edit="mine")
    assert not any(item.faults for item in mlops.models.verify())
    mlops.models.alias("points", "champion", remove=True)
    assert mlops.models.diff("points/1", "points/1").sections == {}
    mlops.models.rm("points/1")
    assert mlops.models.ls().empty
