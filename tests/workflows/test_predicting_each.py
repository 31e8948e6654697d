"""File after file to a folder: each once, whatever is killed, changed, odd or bad on the way."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from random import Random

import numpy as np
import pandas as pd
import pytest

import mlops_cli as mlops
from mlops_cli.errors import DataError, StoreError, UsageError
from mlops_cli.store.scored import MANIFEST, read_manifest

CONFIG = """
defaults: [experiment, {data: csv}, {transforms: tabular}, {model: logistic_regression}, _self_]
data: {path: data/points.csv, target: side, id: point}
evaluation: {metrics: [accuracy], test: null}
split: {n_splits: 2}
artifacts: {plots: none}
"""


def points(rows=60, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=rows)
    return pd.DataFrame({"point": range(rows), "x": x.round(3), "side": np.where(x > 0, "right", "left")})


@pytest.fixture(scope="module")
def registered(tmp_path_factory):
    """A workspace whose model points has two versions, the first of which is the champion."""
    root = tmp_path_factory.mktemp("points")
    for name in ("configs", "data"):
        (root / name).mkdir()
    points().to_csv(root / "data" / "points.csv", index=False)
    (root / "configs" / "points.yaml").write_text(CONFIG)
    run = mlops.run("points", [], workspace=root, n_jobs=1)
    mlops.register(run.path, "points", alias="champion", workspace=root)
    mlops.register(run.path, "points", workspace=root)
    return root


@pytest.fixture
def place(registered, tmp_path, monkeypatch):
    """A copy of the workspace with an inbox of three files, and the current folder."""
    root = tmp_path / "ws"
    shutil.copytree(registered, root)
    (root / "inbox").mkdir()
    for seed, name in enumerate("abc", 1):
        put(root / "inbox" / f"{name}.csv", seed)
    monkeypatch.chdir(root)
    return root


def put(path, seed, rows=20):
    path.parent.mkdir(parents=True, exist_ok=True)
    points(rows, seed).drop(columns="side").to_csv(path, index=False)


def each(data="inbox/*.csv", output="scored", **settings):
    return mlops.predict_each("points", data, output, **settings)


def outputs():
    """Return each output with its content and the moment when it was written."""
    found = {}
    for path in Path("scored").rglob("*"):
        with suppress(FileNotFoundError):  # another process has just given it its name
            if path.is_file() and path.name != MANIFEST:
                found[os.path.relpath(path, "scored")] = (path.read_bytes(), path.stat().st_mtime_ns)
    return found


def named(files):
    return [file.output for file in files]


def test_each_file_is_predicted_as_it_would_be_alone(place):
    found = each()
    assert named(found.done) == ["a.csv", "b.csv", "c.csv"]
    for name in "abc":
        alone = mlops.predict("points", f"inbox/{name}.csv", f"{name}.csv")
        assert (place / "scored" / f"{name}.csv").read_bytes() == alone.read_bytes()


def test_what_is_done_is_left_alone_and_only_what_is_new_or_changed_is_predicted(place):
    each()
    before = outputs()
    again = each()
    assert (named(again.done), named(again.kept)) == ([], ["a.csv", "b.csv", "c.csv"])
    assert outputs() == before
    put(place / "inbox" / "b.csv", seed=9)
    put(place / "inbox" / "d.csv", seed=4)
    assert named(each().done) == ["b.csv", "d.csv"]
    after = outputs()
    assert [after[n] == before[n] for n in ("a.csv", "b.csv", "c.csv")] == [True, False, True]


def test_the_same_size_and_time_do_not_hide_other_content(place):
    each()
    path = place / "inbox" / "a.csv"
    state, text = path.stat(), path.read_text()
    path.write_text(text.replace("1", "2"))
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert path.stat().st_size == state.st_size
    assert named(each().done) == ["a.csv"]


def test_a_file_that_only_looks_newer_is_left_alone(place):
    each()
    os.utime(place / "inbox" / "a.csv")
    assert named(each().done) == []


def test_an_output_that_is_gone_or_cut_is_made_again(place):
    each()
    whole = outputs()
    (place / "scored" / "a.csv").unlink()
    (place / "scored" / "b.csv").write_bytes(whole["b.csv"][0][:10])
    assert named(each().done) == ["a.csv", "b.csv"]
    assert {name: data for name, (data, _) in outputs().items()} == {name: data for name, (data, _) in whole.items()}


def test_other_options_predict_again(place):
    each()
    assert named(each(proba=True).done) == ["a.csv", "b.csv", "c.csv"]
    assert "proba_left" in (place / "scored" / "a.csv").read_text()
    assert named(each(proba=True).done) == []


def test_a_new_version_predicts_new_files_and_the_old_ones_where_that_is_asked(place):
    each()
    mlops.models.alias("points/2", "champion")
    put(place / "inbox" / "d.csv", seed=4)
    found = each()
    assert (named(found.done), found.model, named(found.others)) == (["d.csv"], "points/2", ["a.csv", "b.csv", "c.csv"])
    assert named(each(again=True).done) == ["a.csv", "b.csv", "c.csv"]
    assert {file.model for file in read_manifest(place / "scored")} == {"points/2"}


def test_a_folder_of_another_models_predictions_is_refused(place):
    mlops.register("latest", "other")
    each()
    with pytest.raises(UsageError, match="holds what points/1 said"):
        mlops.predict_each("other", "inbox/*.csv", "scored")
    assert len(mlops.predict_each("other", "inbox/*.csv", "scored", again=True).done) == 3


def test_the_manifest_says_what_came_of_what(place):
    import hashlib

    each()
    first, *_ = [json.loads(line) for line in (place / "scored" / MANIFEST).read_text().splitlines()]
    assert first["schema_version"] == 1
    assert (first["output"], first["input"], first["model"], first["rows"]) == (
        "a.csv",
        "../inbox/a.csv",
        "points/1",
        20,
    )
    assert first["input_sha256"] == hashlib.sha256((place / "inbox" / "a.csv").read_bytes()).hexdigest()
    assert first["sha256"] == hashlib.sha256((place / "scored" / "a.csv").read_bytes()).hexdigest()
    assert first["columns"] == ["point", "prediction"]


def test_a_bad_file_does_not_stop_the_others_and_is_predicted_once_it_is_mended(place):
    (place / "inbox" / "b.csv").write_text("nothing,of,this\n1,2,3\n")
    (place / "inbox" / "aa.csv").write_text("")
    found = each()
    assert named(found.done) == ["a.csv", "c.csv"]
    assert [file.input for file in found.failed] == ["inbox/aa.csv", "inbox/b.csv"]
    assert "lacks" in found.failed[1].why
    assert set(outputs()) == {"a.csv", "c.csv"}
    put(place / "inbox" / "b.csv", seed=2)
    (place / "inbox" / "aa.csv").unlink()
    assert named(each().done) == ["b.csv"]


@pytest.fixture
def command(monkeypatch, capsys):
    """The command in this process: returns its exit code, stdout and stderr."""
    from mlops_cli.cli.app import invoke

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["mlops", *arguments])
        before = signal.getsignal(signal.SIGTERM)
        try:
            code = int(invoke())
        finally:
            signal.signal(signal.SIGTERM, before)
        return code, *capsys.readouterr()

    return call


def test_the_command_says_what_it_did_and_ends_in_3_where_a_file_failed(place, command):
    asked = ("predict", "points", "inbox", "-o", "scored/{}.parquet", "--each")
    code, out, err = command(*asked)
    assert (code, out.splitlines()) == (0, [f"20 rows in scored/{name}.parquet" for name in "abc"])
    assert "3 files predicted by points/1" in err
    (place / "inbox" / "d.csv").write_text("x\n")
    put(place / "inbox" / "e.csv", seed=5)
    code, out, err = command(*asked, "--quiet")
    assert (code, out) == (3, "scored/e.parquet\n")
    assert "inbox/d.csv: " in err
    code, out, err = command(*asked, "--json")
    said = json.loads(out)
    assert (code, said["done"], said["kept"]) == (3, [], 4)
    assert [file["input"] for file in said["failed"]] == ["inbox/d.csv"]
    assert "Traceback" not in err
    assert command("predict", "points", "inbox", "-o", "out.csv", "--again")[0] == 2


@pytest.fixture
def of_kinds(place):
    """A model of a category, in the place of points, and three files, two of which have what training had not."""
    table = points(80).assign(kind=np.resize(["round", "flat"], 80))
    table.to_csv(place / "data" / "points.csv", index=False)
    mlops.register(mlops.run("points", n_jobs=1), "points", alias="champion")
    for name, kind in (("a", "flat"), ("b", "hollow"), ("c", "hollow")):
        new = points(20, 1).drop(columns="side").assign(kind=kind, note=1)
        new.to_csv(place / "inbox" / f"{name}.csv", index=False)
    return place


def test_what_is_said_of_the_data_names_its_files_and_is_said_quietly_too_where_it_touches_predictions(
    of_kinds, command
):
    new = "kind: 20 of 20 rows have what training did not: 'hollow'"
    said = {notice.code: notice.message for notice in each(output="first").notices}
    assert said["unseen-categories"] == f"inbox/b.csv and 1 more: {new}"
    assert said["columns-ignored"].startswith("inbox/a.csv and 2 more: ")
    code, out, err = command("predict", "points", "inbox/b.csv", "-o", "second", "--each", "--quiet")
    assert (code, out, err) == (0, "second/b.csv\n", f"unseen-categories: inbox/b.csv: {new}\n")


def test_a_wrong_question_is_refused_before_any_file_is_read(place):
    with pytest.raises(UsageError, match="a threshold is a probability"):
        each(threshold=3.0)
    assert outputs() == {}


@pytest.mark.parametrize(
    ("data", "output", "said"),
    [
        ("https://example.org/a.csv", "scored", "files of this machine"),
        ("inbox/*.csv", "scored.csv", "is no folder"),
        ("inbox/*.csv", "-", "is no folder"),
        ("inbox/*.csv", "scored/{}", "does not end in the name of a form"),
        ("inbox/*.csv", "scored/{}{}.csv", "stands once"),
        ("inbox/*.csv", "{}/x", "stands once"),
        ("inbox/*.csv", "inbox", "lies where the outputs go"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(place, data, output, said):
    with pytest.raises(UsageError, match=said):
        each(data, output)


def test_an_empty_inbox_is_no_error_and_one_that_is_not_there_is(place):
    shutil.rmtree(place / "inbox")
    (place / "inbox").mkdir()
    assert each().done == ()
    assert each("inbox").done == ()
    with pytest.raises(DataError, match="inbx"):
        each("inbx/*.csv")
    with pytest.raises(DataError, match="no such file or folder"):
        each("inbox/a.csv")


def test_files_of_one_name_in_several_folders_keep_their_folders(place):
    for folder, seed in (("north", 5), ("south", 6)):
        put(place / "inbox" / folder / "part.csv", seed)
    assert named(each("inbox/*/part.csv").done) == ["north/part.csv", "south/part.csv"]
    assert (place / "scored" / "north" / "part.csv").read_bytes() != (
        place / "scored" / "south" / "part.csv"
    ).read_bytes()
    assert named(each("inbox/*/part.csv").kept) == ["north/part.csv", "south/part.csv"]


def test_files_of_one_stem_get_outputs_of_their_own_and_keep_them(place):
    points(20, 7).drop(columns="side").to_json(place / "inbox" / "a.jsonl", orient="records", lines=True)
    put(place / "inbox" / "manifest.csv", seed=8)
    expected = ["a.jsonl", "a.jsonl.jsonl", "b.jsonl", "c.jsonl", "manifest.csv.jsonl"]
    assert sorted(named(each("inbox", "scored/{}.jsonl").done)) == expected
    assert sorted(named(each("inbox", "scored/{}.jsonl").kept)) == expected


def test_another_folder_never_takes_the_place_of_a_first_ones_outputs(place):
    each()
    first = outputs()
    for name in ("second", "third"):
        put(place / name / "a.csv", seed=11)
    assert named(each("second/*.csv").done) == ["a.csv.csv"]
    (failed,) = each("third/*.csv").failed
    assert "is that of ../second/a.csv" in failed.why
    assert outputs()["a.csv"] == first["a.csv"]


def test_a_file_that_nothing_is_known_of_is_overwritten_where_that_is_asked_alone(place):
    (place / "scored").mkdir()
    (place / "scored" / "a.csv").write_text("mine")
    found = each()
    assert named(found.done) == ["b.csv", "c.csv"]
    assert "--force" in found.failed[0].why
    assert (place / "scored" / "a.csv").read_text() == "mine"
    assert named(each(force=True).done) == ["a.csv"]


@pytest.mark.parametrize(
    "name", ["ünïcode [1] {x}.csv", "two\nlines.csv", "-rf.csv", "points@1.csv", "a;b'c\"d$e.csv", "~.csv"]
)
def test_names_with_odd_characters(place, name):
    shutil.rmtree(place / "inbox")
    put(place / "inbox" / name, seed=3)
    for data in ("inbox/*.csv", "inbox", f"inbox/{name}"):
        found = each(data)
        assert not found.failed
        assert named(found.done or found.kept) == [name]


def test_a_name_that_is_no_text(place):
    raw = os.fsencode(place / "inbox") + b"/\xff\xfe.csv"
    shutil.copyfile(place / "inbox" / "a.csv", raw)
    assert len(each().done) == 4
    assert len(each().kept) == 4
    assert Path(os.fsdecode(os.fsencode(place / "scored") + b"/\xff\xfe.csv")).exists()


def test_links_are_read_and_never_written_through(place):
    outside = place.parent / "outside"
    outside.mkdir()
    put(outside / "far.csv", seed=5)
    (place / "inbox" / "d.csv").symlink_to(outside / "far.csv")
    (place / "scored").mkdir()
    (outside / "precious.csv").write_text("precious")
    (place / "scored" / "a.csv").symlink_to(outside / "precious.csv")
    (place / "scored" / "sub").symlink_to(outside)
    put(place / "inbox" / "sub" / "e.csv", seed=6)
    found = each("inbox")
    assert named(found.done) == ["b.csv", "c.csv", "d.csv"]
    assert [file.input for file in found.failed] == ["inbox/a.csv", "inbox/sub/e.csv"]
    assert (outside / "precious.csv").read_text() == "precious"
    assert sorted(p.name for p in outside.iterdir()) == ["far.csv", "precious.csv"]


def test_outputs_below_the_inbox_are_not_its_files(place):
    assert named(each("inbox/**/*.csv", "inbox/scored").done) == ["a.csv", "b.csv", "c.csv"]
    assert named(each("inbox/**/*.csv", "inbox/scored").done) == []


def test_the_folders_may_move_together(place):
    each()
    moved = place.parent / "elsewhere"
    moved.mkdir()
    for name in ("inbox", "scored"):
        (place / name).rename(moved / name)
    found = each(str(moved / "inbox" / "*.csv"), str(moved / "scored"))
    assert (named(found.done), len(found.kept)) == ([], 3)


def test_a_manifest_that_is_damaged_or_newer_is_named_with_its_line(place):
    each()
    path = place / "scored" / MANIFEST
    lines = path.read_text().splitlines(keepends=True)
    path.write_text(lines[0] + "{]\n" + lines[2])
    with pytest.raises(StoreError, match="line 2"):
        each()
    path.write_text(lines[0].replace('"schema_version": 1', '"schema_version": 99'))
    with pytest.raises(StoreError, match="schema_version 99"):
        each()


def test_a_file_that_is_written_to_while_it_is_read_waits_for_the_next_call(place, monkeypatch):
    from mlops_cli.workflows.applying import each as module

    def writing(*arguments):
        made = write_tables(*arguments)
        with (place / "inbox" / "b.csv").open("a") as file:
            file.write("99,0.5\n")
        return made

    write_tables = module.write_tables
    with monkeypatch.context() as patched:
        patched.setattr(module, "write_tables", writing)
        found = each("inbox/b.csv")
    assert "written to while it was read" in found.failed[0].why
    assert outputs() == {}
    assert each("inbox/b.csv").done[0].rows == 21


# --- kills and company -------------------------------------------------------------------------------------------

FORKS = """
import os, sys
from pathlib import Path
import sklearn.linear_model, sklearn.compose, sklearn.impute, skops.io, pyarrow.csv
import mlops_cli as mlops
from mlops_cli.workflows.applying import each

children = []
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        mlops.predict_each("points", "inbox/*.csv", "scored")
        os._exit(0)
    children.append(child)
    print(child, flush=True)
    if line == "wait\\n":
        print([os.waitpid(child, 0)[1] for child in children][-1], flush=True)
"""
FILES = 40


@pytest.fixture
def forks(place):
    """A process that has everything imported, and starts calls for the asking."""
    for number in range(FILES):
        put(place / "inbox" / f"n{number:02d}.csv", seed=number, rows=200)
    with subprocess.Popen(
        [sys.executable, "-c", FORKS], cwd=place, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as process:
        yield process
        process.stdin.close()


def start(process, line="go"):
    process.stdin.write(f"{line}\n")
    return int(process.stdout.readline())


def finish(process):
    start(process, "wait")
    assert int(process.stdout.readline()) == 0


def test_kills_at_any_moment_leave_whole_files_and_the_next_call_goes_on(place, forks):
    rng = Random(0)
    expected = {
        f"{p.stem}.csv": mlops.predict("points", str(p)).to_csv(index=False).encode()
        for p in (place / "inbox").iterdir()
    }
    for _ in range(25):
        child = start(forks)
        wait_a_moment(rng)
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        visible = {name: found for name, found in outputs().items() if not name.startswith(".")}
        assert {name: data for name, (data, _) in visible.items()} == {name: expected[name] for name in visible}
    seen = {name: found for name, found in outputs().items() if not name.startswith(".")}
    finish(forks)
    after = outputs()
    assert {name: data for name, (data, _) in after.items()} == expected
    lines = [json.loads(line)["output"] for line in (place / "scored" / MANIFEST).read_text().splitlines()]
    assert sum(after[name] != found for name, found in seen.items()) == 0, "what was done was done again"
    assert set(lines) == set(expected)


def wait_a_moment(rng):
    """Return when a few more files are there, or a part of one is."""
    wanted = len(outputs()) + rng.randint(0, 3)
    deadline = time.monotonic() + rng.uniform(0.0, 0.5)
    while time.monotonic() < deadline and len(outputs()) < wanted:
        time.sleep(rng.uniform(0, 0.003))


def test_two_calls_at_once_predict_each_file_once(place, forks):
    for _ in range(4):
        start(forks)
    finish(forks)
    lines = [json.loads(line)["output"] for line in (place / "scored" / MANIFEST).read_text().splitlines()]
    assert len(lines) == len(set(lines)) == FILES + 3
