"""``mlops data``, as its users call it."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys

import pytest


@pytest.fixture
def added(small, mlops):
    """The workspace with two versions of the data set ``points``; the second lacks rows and a column."""
    assert mlops("data", "add", "data/points.csv", "--name", "points", "--note", "a [b]n\x1b[31m").returncode == 0
    lines = (small / "data" / "points.csv").read_text().splitlines()[:41]
    cut = small / "data" / "cut.csv"
    cut.write_text("\n".join(line.rsplit(",", 2)[0] + "," + line.rsplit(",", 1)[1] for line in lines) + "\n")
    assert mlops("data", "add", "data/cut.csv", "--name", "points", "--tag", "short").returncode == 0
    return small


def test_add_says_what_was_added_and_what_was_there_already(small, mlops):
    done = mlops("data", "add", "data/points.csv", "--name", "points")
    assert (done.returncode, done.stdout, done.stderr) == (0, "points@1  60 rows × 4 columns  500 B\n", "")
    assert mlops("data", "add", "data/points.csv", "--name", "points").stdout == (
        "unchanged: points@1 has this content\n"
    )
    assert mlops("data", "add", "data/points.csv", "--name", "other", "-q").stdout == "other@1\n"
    told = json.loads(mlops("data", "add", "data/points.csv", "--name", "points", "--json").stdout)
    assert (told["number"], told["is_new"], told["table"]["rows"]) == (1, False, 60)


def test_options_of_the_reader_are_typed_as_they_are_meant(small, mlops):
    (small / "data" / "odd.txt").write_text("a;b\n1,5;x\n?;y\n2,5;z\n")
    done = mlops(
        *("data", "add", "data/odd.txt", "--name", "odd", "--json"),
        *("--read", "sep=;", "--read", "decimal=,", "--read", "na_values=['?', '-']", "--read", "header=0"),
    )
    told = json.loads(done.stdout)
    assert told["read"] == {"sep": ";", "decimal": ",", "na_values": ["?", "-"], "header": 0}
    assert [(c["name"], c["dtype"], c["missing"]) for c in told["table"]["schema"]] == [
        ("a", "float64", 1),
        ("b", "str", 0),
    ]


def test_every_command_that_reads_files_takes_the_options_that_its_hints_name(small, mlops):
    rows = "".join(f"{i},5;{'uv'[i % 2]}\n" for i in range(30))
    (small / "data" / "odd.csv").write_text("a;b\n" + rows)
    rules = small / "rules.yaml"
    rules.write_text("columns: {a: {type: numeric}}\n")
    for command in (["profile", "data/odd.csv"], ["expect", "data/odd.csv"], ["diff", "data/odd.csv", "data/odd.csv"]):
        refused = mlops("data", *command)
        assert (refused.returncode, refused.stderr.splitlines()[1]) == (3, "  try: `--read 'sep=;'`")
        assert mlops("data", *command, "--read", "sep=;").returncode == 0
    check = ["data", "check", "data/odd.csv", "--expect", "rules.yaml", "--read", "sep=;"]
    assert mlops(*check).returncode == 3
    assert mlops(*check, "--read", "decimal=,").returncode == 0
    told = mlops("data", "add", "data/odd.csv", "--name", "odd", "--read", "sep=;").stderr
    assert "--read decimal=," in " ".join(told.split())
    refused = mlops("data", "profile", "odd", "--read", "sep=;")
    assert refused.stderr.startswith("error: odd@1 is read as it was added")
    (small / "configs" / "odd.yaml").write_text(
        "defaults: [experiment, {data: csv}, {model: logistic_regression}, _self_]\n"
        "data: {path: data/none.csv, target: b, read: {sep: ;, decimal: ','}}\n"
    )
    assert mlops("data", "check", "data/odd.csv", "--expect", "rules.yaml", "--config", "odd").returncode == 0


def test_a_recorded_key_that_the_other_table_has_not_is_said_and_left_out(small, mlops):
    (small / "data" / "keyed.csv").write_text("k,a\n1,2\n2,3\n3,4\n")
    (small / "data" / "plain.csv").write_text("a\n2\n3\n5\n")
    assert mlops("data", "add", "data/keyed.csv", "--name", "keyed", "--key", "k").returncode == 0
    done = mlops("data", "diff", "data/plain.csv", "keyed")
    assert done.returncode == 0, done.stderr
    assert "the key 'k' that was recorded is not in both, so it is not used" in done.stdout
    assert mlops("data", "diff", "data/plain.csv", "keyed", "--key", "k").returncode == 3


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["add", "data/none.csv", "--name", "x"], 3, "none.csv: no such file"),
        (["add", "data/points.csv", "--name", "[/x]"], 2, "'[/x]' cannot be a folder's name"),
        (["add", "data/points.csv", "--name", "x", "--read", "sep"], 2, "--read is K=V, got 'sep'"),
        (["add", "data/points.csv", "--name", "x", "--read", "names=[?, a]"], 2, "--read names: is no list"),
        (["add", "data/points.csv", "--name", "x", "--as", "cvs"], 2, "did you mean 'csv'?"),
        (["show", "pionts"], 2, "did you mean 'points'?"),
        (["show", "points@shrot"], 2, "did you mean 'short'?"),
        (["show", "points@\x1b[31m"], 2, "has no version '\\x1b[31m'"),
        (["diff", "points@1", "pionts"], 3, "neither a data set nor a file"),
        (["diff", "points@1", "points@2", "--key", "lable"], 3, "did you mean 'label'?"),
        (["verify", "pionts"], 2, "did you mean 'points'?"),
        (["tag", "points@1", "latest"], 2, "means a version already"),
        (["tag", "points@1", "short", "--remove"], 2, "points@1 has no tag 'short'"),
        (["rm", "points"], 2, "does not say which version"),
        (["rm", "points@2"], 2, "there is nobody to ask"),
        (["checkout", "points@1", "-o", "data/points.csv"], 2, "is there already"),
        (["profile", "points", "--target", "lable"], 2, "lable"),
    ],
)
def test_what_goes_wrong_is_one_line_with_its_mend(added, mlops, arguments, code, message):
    done = mlops("data", *arguments)
    assert done.returncode == code, done.stderr
    assert message in done.stderr
    assert done.stderr.startswith("error: ")
    assert len(done.stderr.splitlines()) <= 2
    assert "\x1b" not in done.stderr
    assert done.stdout == ""


def test_ls_and_show_tell_of_versions(added, mlops):
    listed = mlops("data", "ls").stdout.splitlines()
    assert listed[0].split() == ["data", "set", "versions", "newest", "size", "tags", "added"]
    assert listed[2].split()[:6] == ["points", "2", "40", "×", "3", "253"]
    assert mlops("data", "ls", "-q").stdout == "points\n"
    (told,) = json.loads(mlops("data", "ls", "--json").stdout)
    assert (told["tags"], [v["table"]["rows"] for v in told["versions"]]) == ({"short": 2}, [60, 40])
    shown = mlops("data", "show", "points@1").stdout
    assert "note     a [b]n\\x1b[31m" in shown
    assert "no run has read it yet" in shown
    assert mlops("data", "show", "points", "-q").stdout == "points@2\n"


def test_a_version_knows_its_runs_and_runs_are_found_by_it(added, mlops):
    (added / "configs" / "named.yaml").write_text(
        (added / "configs" / "points.yaml")
        .read_text()
        .replace("{data: csv}, ", "")
        .replace("path: data/points.csv", "name: points")
    )
    path = mlops("run", "config=named", "-q").stdout.strip()
    run = "/".join(path.split("/")[-2:])
    assert mlops("runs", "ls", "--where", "data.source = points@2", "-q").stdout == f"{run}\n"
    assert mlops("runs", "ls", "--where", "data.source = points@1", "-q").stdout == ""
    assert json.loads(mlops("data", "show", "points", "--json").stdout)["runs"] == [run]
    done = mlops("data", "rm", "points@2")
    assert (done.returncode, f"the run {run} read it" in done.stderr) == (2, True)
    assert mlops("data", "rm", "points@2", "--force").stdout == "removed points@2\n"
    assert mlops("data", "gc", "--now").stdout == "removed 1 content, 253 B\n"
    by_name = ("run", "config=points", "data=dataset", "data.name=points", "--dry-run")
    assert "data.path: a data set has files of its own" in mlops(*by_name).stderr
    assert mlops(*by_name, "~data.path").returncode == 0


def test_diff_shows_what_changed_and_ends_with_4_where_that_is_asked(added, mlops):
    done = mlops("data", "diff", "points@1", "points@2")
    assert done.returncode == 0
    assert "rows  60 → 40\n  0 came, 20 went" in done.stdout
    assert "kind  removed  str" in done.stdout
    told = json.loads(mlops("data", "diff", "data/points.csv", "points@short", "--json").stdout)
    assert (told["rows"]["removed"], told["columns"]) == (20, {"kind": {"a": "str"}})
    assert mlops("data", "diff", "points@1", "points@2", "--exit-code", "-q").returncode == 4
    assert mlops("data", "diff", "points@1", "data/points.csv", "--exit-code", "-q").returncode == 0


def test_verify_ends_with_4_and_names_the_file(added, mlops):
    assert mlops("data", "verify").stdout == "2 versions as added\n"
    assert mlops("data", "verify", "points@2").stdout == "1 version as added\n"
    told = json.loads(mlops("data", "show", "points@1", "--json").stdout)
    digest = told["files"][0]["sha256"]
    content = added / ".mlops" / "datasets" / "objects" / digest[:2] / digest
    content.chmod(0o644)
    content.write_bytes(content.read_bytes().replace(b"3", b"4", 1))
    done = mlops("data", "verify")
    assert done.returncode == 4
    assert done.stdout == f"points@1  points.csv: its content has changed (sha256 {digest[:12]} was recorded)\n"
    assert mlops("data", "verify", "points@2").returncode == 0


def test_checkout_tag_and_profile(added, mlops):
    out = mlops("data", "checkout", "points@1", "-o", "mine.csv").stdout.strip()
    assert out == str(added / "mine.csv")
    assert (added / "mine.csv").read_bytes() == (added / "data" / "points.csv").read_bytes()
    (added / "mine.csv").write_text("can be changed")
    assert mlops("data", "tag", "points@1", "whole").stdout == "points@1 is whole\n"
    assert mlops("data", "show", "points@whole", "-q").stdout == "points@1\n"
    assert mlops("data", "tag", "points@1", "whole", "--remove").stdout == "points@1 is no longer whole\n"
    assert mlops("data", "profile", "points@1", "--target", "label").stdout.startswith("60 rows × 4 columns\n")
    assert json.loads(mlops("data", "profile", "data/points.csv", "--json").stdout)["rows"] == 60


@pytest.mark.parametrize(("answer", "remain"), [("y", 1), ("n", 2), ("", 2)])
def test_rm_asks_on_a_terminal(added, answer, remain, mlops):
    ours, theirs = pty.openpty()
    try:
        os.write(ours, f"{answer}\n".encode())
        subprocess.run(
            [sys.executable, "-m", "mlops_cli", "data", "rm", "points@1"],
            stdin=theirs,
            capture_output=True,
            check=False,
        )
    finally:
        os.close(ours)
        os.close(theirs)
    assert len(json.loads(mlops("data", "ls", "--json").stdout)[0]["versions"]) == remain


def test_one_damaged_version_hides_no_other(added, mlops):
    (added / ".mlops" / "datasets" / "names" / "points" / "1.json").write_text("{")
    done = mlops("data", "ls")
    assert "40 × 3" in done.stdout
    assert "! points@1  damaged" in done.stderr
    done = mlops("data", "verify")
    assert done.returncode == 4
    assert "points@1  damaged" in done.stdout
    assert mlops("data", "gc").returncode == 2  # whatever that version was made of is to stay


def test_a_linked_file_is_the_content_and_read_only(small, mlops):
    file = small / "data" / "points.csv"
    assert mlops("data", "add", str(file), "--name", "points", "--link").returncode == 0
    assert file.stat().st_nlink > 1
    assert not file.stat().st_mode & 0o222
