"""``mlops runs tag``, ``note``, ``rm``, ``export`` and ``reindex`` as their users call them."""

import json
import os
import pty
import signal
import subprocess
import sys

import pytest

from mlops_cli.store.files import write_json


@pytest.fixture
def two(workspace):
    """Two finished runs; the ids, the older one first."""
    ids = []
    for day in (1, 2):
        name = f"2026010{day}-000000-abcde{day}"
        folder = workspace / "runs" / "iris" / name
        folder.mkdir(parents=True)
        (folder / "trials.jsonl").touch()
        record = {
            "schema_version": 1,
            "id": f"iris/{name}",
            "experiment": "iris",
            "status": "completed",
            "started": f"2026-01-0{day}T00:00:00+00:00",
            "seed": day,
        }
        write_json(folder / "run.json", record)
        ids.append(record["id"])
    return ids


def left(workspace):
    return sorted(f"iris/{path.name}" for path in (workspace / "runs" / "iris").iterdir())


def test_tag_and_note_are_kept_and_told(two, mlops):
    assert mlops("runs", "tag", "latest", "stage=draft", "by=me").stdout == f"{two[1]} stage=draft by=me\n"
    assert mlops("runs", "tag", "latest", "--remove", "by").stdout == f"{two[1]} stage=draft\n"
    assert mlops("runs", "note", "latest", "a \x1b[31mred one").stdout == f"{two[1]} a \\x1b[31mred one\n"
    shown = json.loads(mlops("runs", "show", "latest", "--json").stdout)
    assert shown["tags"] == {"stage": "draft"}
    assert shown["note"] == "a \x1b[31mred one"


def test_rm_away_from_a_terminal_needs_yes(two, workspace, mlops):
    done = mlops("runs", "rm", "latest")
    assert done.returncode == 2
    assert "1 run would be removed, and there is nobody to ask" in done.stderr
    assert "--yes" in done.stderr
    assert left(workspace) == two
    done = mlops("runs", "rm", "latest", "--yes")
    assert done.stdout == f"removed {two[1]}\n"
    assert left(workspace) == two[:1]


@pytest.mark.parametrize(("answer", "remain"), [("y", 1), ("n", 2), ("", 2)])
def test_rm_asks_on_a_terminal_and_says_how_many(two, workspace, answer, remain):
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "mlops_cli", "runs", "rm", "--where", "seed = 2"],
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.write(ours, f"{answer}\n".encode())
    _, said = process.communicate(timeout=60)
    os.close(ours)
    os.close(theirs)
    assert f"remove {two[1]} for good?" in said
    assert len(left(workspace)) == remain
    assert process.returncode == (0 if answer == "y" else 1)


def test_ctrl_c_at_the_question_removes_nothing(two, workspace):
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "mlops_cli", "runs", "rm", "latest"], stdin=theirs, stderr=subprocess.PIPE, text=True
    ) as process:
        while process.stderr.read(1) != "?":
            pass
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    os.close(ours)
    os.close(theirs)
    assert process.returncode == 130
    assert left(workspace) == two


def test_rm_says_of_a_damaged_run_what_is_wrong_and_removes_it(two, workspace, mlops):
    (workspace / "runs" / two[0] / "run.json").write_text("{")
    assert "--yes" in mlops("runs", "rm", two[0]).stderr
    done = mlops("runs", "rm", two[0], "--force")
    assert done.stdout == f"removed {two[0]}\n"
    assert f"{two[0]} cannot be read: damaged" in done.stderr
    assert left(workspace) == [two[1]]


def test_rm_by_filter_removes_what_matches(two, workspace, mlops):
    assert "no run matches" in mlops("runs", "rm", "--where", "seed > 5", "--force").stderr
    assert mlops("runs", "rm", "--where", "started > 2026-01-02", "-f").returncode == 0
    assert left(workspace) == two[:1]


def test_rm_keeps_what_a_registered_model_came_from(two, workspace, mlops):
    write_json(workspace / "models" / "m" / "1" / "version.json", {"schema_version": 1, "run": two[0]})
    done = mlops("runs", "rm", *two, "--force")
    assert done.returncode == 2
    assert "the registered model m/1 came from it" in done.stderr
    assert left(workspace) == two


def test_export_and_reindex_say_what_they_did(two, workspace, mlops):
    assert mlops("runs", "export", "-o", "runs.csv", "-w", "seed = 1").stdout == "wrote runs.csv: 1 run\n"
    assert (workspace / "runs.csv").read_text().splitlines()[1].startswith(f"{two[0]},iris,completed,")
    assert mlops("runs", "reindex").stdout == "2 runs in the index\n"


def test_one_run_can_be_exported_by_what_names_it(two, workspace, mlops):
    assert mlops("runs", "export", "iris:latest", "-o", "one.csv").stdout == "wrote one.csv: 1 run\n"
    assert mlops("runs", "ls", "-q", "iris", "--limit", "1").stdout.strip() in (workspace / "one.csv").read_text()
    assert mlops("runs", "export", two[0], "-w", "seed = 7", "-o", "none.csv").stdout == "wrote none.csv: 0 runs\n"
    assert "did you mean 'iris'?" in mlops("runs", "export", "irs", "-o", "no.csv").stderr
    assert "no run 'iris/1'" in mlops("runs", "export", "iris/1", "-o", "no.csv").stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["tag", "latest"], "no tag is given"),
        (["tag", "latest", "draft"], "KEY=VALUE"),
        (["tag", "latest", "--remove", "x"], "has no tag 'x', and no other either; nothing is changed"),
        (["note", "nothing", "x"], "no run"),
        (["rm"], "no run is given"),
        (["rm", "--where", " ", "--force"], "no run is given"),
        (["rm", "nothing", "--force"], "no run"),
        (["rm", "--where", "sed = 1", "--force"], "did you mean 'seed'?"),
        (["export"], "--output"),
        (["export", "-o", "runs.xls"], ".parquet"),
    ],
    ids=str,
)
def test_a_slip_is_one_clear_message(two, workspace, mlops, arguments, said):
    done = mlops("runs", *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert left(workspace) == two
