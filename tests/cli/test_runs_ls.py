"""``mlops runs ls`` and ``best`` as their users call them."""

import csv
import io
import json
import subprocess
import sys

import pytest

from mlops_cli.store.files import write_json


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """A workspace in which three runs have ended, one of them a sweep; no test writes to it."""
    folder = tmp_path_factory.mktemp("ran")
    for arguments in (
        ["init"],
        ["run", "config=iris", "model.C=0.001,1", "-j", "1"],
        ["run", "config=iris", "model=knn", "--tag", "stage=draft"],
        ["run", "config=iris", "model.C=10", "name=flowers"],
    ):
        subprocess.run([sys.executable, "-m", "mlops_cli", *arguments], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture
def ls(ran, mlops):
    def call(*arguments, **env):
        return mlops("runs", "ls", *arguments, cwd=ran, env=env)

    return call


def test_the_table_says_what_differs(ls):
    wide = ls(COLUMNS="140")
    header, _, *rows = wide.stdout.splitlines()
    assert [name for name in ("run", "when", "status", "trials", "accuracy ↑", "model", "C") if name in header] == [
        "run",
        "when",
        "status",
        "trials",
        "accuracy ↑",
        "model",
        "C",
    ]
    assert len(rows) == 3
    assert all(" today " in row and "completed" in row and " ± " in row for row in rows)
    assert any("knn" in row for row in rows)
    assert wide.stderr == ""
    narrow = ls(COLUMNS="80")
    assert max(map(len, narrow.stdout.splitlines())) <= 80
    assert all(row.split()[0] in narrow.stdout for row in rows)


def test_filters_orders_and_limits(ls):
    ids = [r["id"] for r in json.loads(ls("--json").stdout)]
    assert ls("-q", "--where", "model = knn").stdout.split() == [ids[1]]
    assert ls("-q", "flowers").stdout.split() == [ids[0]]
    assert ls("-q", "-w", "C < 1e9 and trials > 1 and not stage = draft").stdout.split() == [ids[2]]
    assert ls("-q", "--sort", "started").stdout.split() == ids[::-1]
    assert ls("-q", "--sort=-started", "--limit", "2").stdout.split() == ids[:2]
    scores = [r["metrics"]["accuracy"]["mean"] for r in json.loads(ls("--json", "--sort", "score").stdout)]
    assert scores == sorted(scores, reverse=True)
    cut = ls("--limit", "1")
    assert "… 2 more; --limit shows more" in cut.stderr
    assert len(ls("-q", "--limit", "0").stdout.split()) == 3


def test_csv_is_flat_with_a_header(ls):
    rows = list(csv.DictReader(io.StringIO(ls("--csv").stdout)))
    assert {row["params.model"] for row in rows} == {"knn", "logistic_regression"}
    assert float(rows[0]["metrics.accuracy"]) > 0.5
    assert ls("--csv", "--columns", "model,tags.stage").stdout.splitlines()[0] == "params.model,tags.stage"


def test_columns_are_those_that_are_asked_for(ls):
    header = ls("--columns", "id,C,accuracy.std").stdout.splitlines()[0].split()
    assert header == ["id", "C", "accuracy.std"]
    (first, *_) = json.loads(ls("--columns", "id,C,tags.never", "--json").stdout)
    assert list(first) == ["id", "params.model.C", "tags.never"]
    assert first["tags.never"] is None


def test_what_has_no_room_is_counted(ls):
    assert "left out; --columns, --csv or a wider terminal show them" in ls(COLUMNS="50").stderr
    rows = ls("iris", COLUMNS="80").stdout.splitlines()[2:]
    ids = ls("iris", "-q").stdout.split()
    assert [row.split()[0] for row in rows] == [run.removeprefix("iris/") for run in ids]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--where", "acuracy > 1"], "did you mean 'metrics.accuracy'?"),
        (["--where", "accuracy >"], "a value was expected, found the end, at the arrow: accuracy >-->"),
        (["--sort", "acuracy"], "did you mean 'metrics.accuracy'?"),
        (["--columns", "scroe"], "did you mean 'score'?"),
        (["flwers"], "did you mean 'flowers'?"),
        (["--limit", "-1"], "--limit is 0, for all, or more; got -1"),
        (["-q", "--json"], "one of --quiet, --csv and --json"),
        (["-q", "--csv"], "one of --quiet, --csv and --json"),
    ],
)
def test_a_slip_is_one_clear_message(ls, arguments, said):
    done = ls(*arguments)
    assert done.returncode == 2
    assert said in done.stderr.replace("\n  try: ", " ")
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_nothing_that_matches_is_no_error(ls):
    done = ls("--where", "score > 2")
    assert done.returncode == 0
    assert "no run matches" in done.stderr
    assert json.loads(ls("--where", "score > 2", "--json").stdout) == []


def test_best_shows_the_best(ran, mlops):
    runs = json.loads(mlops("runs", "ls", "--json", cwd=ran).stdout)
    expected = max(runs, key=lambda r: (r["metrics"]["accuracy"]["mean"], r["started"]))
    assert mlops("runs", "best", "-q", cwd=ran).stdout.strip() == expected["id"]
    assert json.loads(mlops("runs", "best", "--json", "--metric", "accuracy", cwd=ran).stdout) == expected
    shown = mlops("runs", "best", "iris", cwd=ran)
    assert "accuracy ↑" in shown.stdout
    assert "best of 2 completed runs of iris by accuracy ↑" in shown.stderr
    assert "mlops runs show iris/" in shown.stderr
    assert "did you mean 'accuracy'?" in mlops("runs", "best", "--metric", "acuracy", cwd=ran).stderr


def test_hostile_runs_are_shown_as_text(workspace, mlops):
    folder = workspace / "runs" / "iris" / "20260101-000000-abcdef"
    folder.mkdir(parents=True)
    record = {
        "schema_version": 1,
        "id": "iris/[red]\x1b[2J",
        "experiment": "iris",
        "status": "completed",
        "started": "2026-01-01T00:00:00+00:00",
        "primary": "[/x]\x1b]0;t\x07",
        "metrics": {"[/x]\x1b]0;t\x07": {"mean": 0.5}},
        "params": {"[/x]": "\x1b[31m"},
        "tags": {"=cmd": "@x"},
        "note": "=1+1",
    }
    write_json(folder / "run.json", record)
    for arguments in ([], ["--columns", "id,note,primary,params.[/x]"], ["--where", "`params.[/x]` ~ 31"]):
        done = mlops("runs", "ls", *arguments, env={"COLUMNS": "200"})
        assert done.returncode == 0, done.stderr
        assert "[red]\\x1b[2J" in done.stdout
        assert "\x1b" not in done.stdout
    (row,) = csv.DictReader(io.StringIO(mlops("runs", "ls", "--csv").stdout))
    assert row["note"] == "'=1+1"
    assert row["tags.=cmd"] == "'@x"
    done = mlops("runs", "ls", "--where", "\x1b[31m = 1")
    assert done.returncode == 2
    assert "\x1b" not in done.stderr
