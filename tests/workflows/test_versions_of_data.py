"""Runs on versions of named data sets: what they see, what they record, what is refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

import pandas as pd
import pytest
import yaml

import mlops_cli
from mlops_cli.errors import ConfigError, DataError, MlopsError, StoreError, UsageError
from mlops_cli.records import RunRecord, RunStatus
from mlops_cli.store.datasets import Datasets
from mlops_cli.store.layout import WorkspacePaths
from mlops_cli.workflows.data import adding, datasets
from mlops_cli.workflows.data.adding import AddOptions, add

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = """
defaults: [experiment, {model: logistic_regression}, _self_]
data: {name: points, target: label}
evaluation: {metrics: [accuracy]}
artifacts: {keep: none, predictions: false, plots: none}
"""


def points(path: Path, rows: int = 60, shift: int = 0) -> Path:
    lines = [f"{i},{i % 7 + (i % 2) + shift},{(i * 37) % 11},{i % 2}" for i in range(rows)]
    path.write_text("\n".join(["id,x,y,label", *lines]) + "\n")
    return path


@pytest.fixture
def file(workspace):
    (workspace / "configs" / "e.yaml").write_text(CONFIG)
    return points(workspace / "data" / "points.csv")


@pytest.fixture
def two(file, workspace):
    """Version 1 of 60 rows; version 2 of 80 with the tag ``moved``."""
    add(file, "points")
    add(points(workspace / "data" / "more.csv", 80, shift=3), "points", AddOptions(tag="moved"))
    return Datasets(WorkspacePaths(workspace))


def run(*overrides: str, config: str = "e", **settings) -> RunRecord:
    return mlops_cli.run(config, list(overrides), n_jobs=1, **settings).record


def saved(record: RunRecord) -> dict:
    return yaml.safe_load((record.path / "config.yaml").read_text())["data"]


# --- what a run sees ---------------------------------------------------------------------------------------------


def test_a_version_is_what_runs_on_the_file_record(file):
    added = add(file, "points")
    assert added.is_new
    on_file = run("data=csv", "data.path=data/points.csv", "~data.name")
    assert added.version.table.version == on_file.dataset.version
    assert added.version.table.rows == on_file.dataset.rows
    assert added.version.table.columns == on_file.dataset.columns


@pytest.mark.parametrize(
    ("overrides", "number", "rows"),
    [((), 2, 80), (("data.version=1",), 1, 60), (("data.version=moved",), 2, 80), (("data.version=latest",), 2, 80)],
)
def test_a_run_reads_the_version_that_its_config_means_and_pins_its_number(two, overrides, number, rows):
    record = run(*overrides)
    assert (record.dataset.source, record.dataset.rows) == (f"points@{number}", rows)
    assert saved(record)["version"] == number


def test_a_pinned_run_gives_its_scores_again_when_there_is_a_newer_version(two, file):
    first = run()
    add(points(file, 40, shift=9), "points")
    again = run(config=str(first.path / "config.yaml"), force=True)
    assert again.dataset == first.dataset
    assert again.metrics["accuracy"].splits == first.metrics["accuracy"].splits
    assert again.fingerprint == first.fingerprint
    assert run().dataset.source == "points@3"


def test_the_fingerprint_knows_contents_and_no_names(two, file):
    add(file, "other")
    by_name, by_other = run("data.version=1"), run("data.name=other", force=True)
    by_path = run("data=csv", "data.path=data/points.csv", "~data.name", force=True)
    assert by_name.fingerprint == by_other.fingerprint == by_path.fingerprint


def test_the_reader_and_its_options_come_from_the_version_and_the_config_adds_to_them(file, workspace):
    odd = workspace / "data" / "odd.dat"
    odd.write_text("id;x;label\n" + "".join(f"{i};{'?' if i == 3 else i % 5},5;{i % 2}\n" for i in range(30)))
    add(odd, "points", AddOptions(option="csv", read={"sep": ";", "decimal": ","}))
    texts = run("transforms=tabular").dataset
    numbers = run("+data.read.na_values='?,5'", "transforms=tabular").dataset
    assert texts.schema["x"] == "str"
    assert numbers.schema["x"] == "float64"


def test_data_set_files_may_be_a_folder_of_parts_or_a_glob(file, workspace):
    parts = workspace / "data" / "parts"
    (parts / "b").mkdir(parents=True)
    points(parts / "a.csv", 30)
    points(parts / "b" / "c.csv", 50)
    (parts / "README.md").write_text("parts")
    folder = add(parts, "points").version
    assert (folder.table.rows, len(folder.files), folder.is_folder) == (80, 3, True)
    assert run().dataset.rows == 80
    (parts / "one.dat").write_text((parts / "a.csv").read_text())
    (parts / "two.dat").write_text((parts / "a.csv").read_text())
    several = add("data/parts/*.dat", "points", AddOptions(option="csv")).version
    assert [f.path for f in several.files] == ["one.dat", "two.dat"]
    assert (several.number, run().dataset.rows) == (2, 60)


def test_a_data_set_may_be_one_side_of_a_join_by_its_number(two, workspace):
    labels = [{"id": i, "colour": "rb"[i % 2]} for i in range(60)]
    (workspace / "data" / "labels.json").write_text(json.dumps(labels))
    config = CONFIG.replace("{model:", "{data: join}, {model:").replace(
        "name: points,", "left: {name: points, version: 1}, right: data/labels.json, key: id,"
    )
    (workspace / "configs" / "j.yaml").write_text(config)
    record = run("transforms=tabular", config="j")
    assert (record.dataset.source, record.dataset.rows) == ("points@1", 60)
    with pytest.raises(ConfigError, match=r"data\.left\.version: 'latest' means another version later"):
        run("data.left.version=latest", config="j")


class Server(BaseHTTPRequestHandler):
    body = b""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_):
        pass


def test_an_address_is_added_by_what_it_gives_and_read_without_it(file, workspace):
    Server.body = file.read_bytes()
    server = HTTPServer(("127.0.0.1", 0), Server)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        address = f"http://127.0.0.1:{server.server_port}/points.csv"
        added = add(f"{address}?token=secret", "points").version
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert (added.files[0].path, added.origin) == ("points.csv", f"{address}?token=***")
    assert run().dataset.rows == 60
    assert not any("secret" in p.read_text() for p in (workspace / ".mlops" / "datasets" / "names").rglob("*.json"))


def test_a_folder_with_brackets_in_its_name_is_no_pattern(file, workspace):
    folder = workspace / "data" / "[raw]"
    folder.mkdir()
    points(folder / "a.csv", 30)
    points(folder / "b.csv", 50)
    version = add(str(folder / "*.csv"), "points").version
    assert ([f.path for f in version.files], version.table.rows) == (["a.csv", "b.csv"], 80)
    assert [f.path for f in add("data/[[]raw]/a.*", "points").version.files] == ["a.csv"]


def test_who_lists_csv_and_says_a_name_is_told_of_the_option(two, workspace):
    (workspace / "configs" / "e.yaml").write_text(CONFIG.replace("{model:", "{data: csv}, {model:"))
    with pytest.raises(ConfigError, match='"- data: dataset" in the defaults'):
        run()


def test_the_library_adds_finds_reads_and_compares(file, workspace):
    first = mlops_cli.data.add(file, "points", key="id", note="first")
    second = mlops_cli.data.add(points(file, 61), "points", key="id")
    assert mlops_cli.data.find("points") == second
    assert mlops_cli.data.find("points@1") == first
    assert mlops_cli.data.read("points@1").shape == (60, 4)
    assert mlops_cli.data.diff("points@1", "points@2").by_row.added == 1
    with pytest.raises(UsageError, match="did you mean 'note'"):
        mlops_cli.data.add(file, "points", noet="x")


# --- what is refused ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["data.name=pionts"], "data.name: there is no data set 'pionts' (did you mean 'points'?"),
        (["data.version=7"], "data.version: the data set 'points' has no version '7'"),
        (["data.version=moevd"], "did you mean 'moved'?"),
        (["data.version=true"], "must be a number, latest or a tag"),
        (["+data.verison=1"], "did you mean 'version'?"),
        (["data.read=5"], "data.read: must be a mapping"),
        (["+data.path=data/points.csv"], "data.path: a data set has files of its own"),
        (["data.name=../../etc"], "cannot be a folder's name"),
    ],
)
def test_a_slip_in_the_config_is_one_line_with_the_nearest(two, overrides, message):
    with pytest.raises(ConfigError) as caught:
        run(*overrides)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_cannot_be_read_is_refused_in_its_readers_words_and_nothing_is_added(workspace):
    bad = workspace / "data" / "bad.parquet"
    bad.write_bytes(b"no parquet")
    with pytest.raises(DataError, match=r"bad\.parquet"):
        add(bad, "bad")
    assert not (workspace / ".mlops" / "datasets" / "names").exists()
    assert not list((workspace / ".mlops").rglob("objects/*/*"))


@pytest.mark.parametrize(
    ("place", "name", "options", "message"),
    [
        ("data/none.csv", "x", {}, "no such file"),
        ("data/points.xyz", "x", {}, "--as OPTION"),
        ("data/points.csv", "x", {"option": "cvs"}, "did you mean 'csv'?"),
        ("data/points.csv", "x", {"key": "x"}, "'x' repeats in 52 of 60 rows"),
        ("data/points.csv", "x", {"key": "idd"}, "did you mean 'id'?"),
        ("data/points.csv", "x", {"tag": "3"}, "'3' means a version already"),
        ("data/points.csv", "x", {"read": {"seperator": ";"}}, "has no option 'seperator'"),
        ("data/points.csv", "../x", {}, "cannot be a folder's name"),
        ("data/points.csv", "x\x1b[31m", {}, "cannot be a folder's name"),
        ("data/points.csv", "größe", {}, "cannot be a folder's name"),
        ("https://me:pass@example.org/x.csv", "x", {}, "holds a password"),
        ("data/empty", "x", {}, "the folder is empty"),
        ("data/linked", "x", {}, "is a link"),
    ],
)
def test_what_is_asked_wrongly_adds_nothing(file, workspace, place, name, options, message):
    (workspace / "data" / "points.xyz").write_text("a\n")
    (workspace / "data" / "empty").mkdir()
    (workspace / "data" / "linked").mkdir()
    (workspace / "data" / "linked" / "a.csv").symlink_to(file)
    with pytest.raises(MlopsError) as caught:
        add(place, name, AddOptions(**options))
    assert message in str(caught.value)
    assert datasets.list_datasets() == ((), ())


def reading_also(monkeypatch, change):
    """Let something else happen while ``add`` reads."""
    read = adding._read

    def slow(*arguments):
        change()
        return read(*arguments)

    monkeypatch.setattr(adding, "_read", slow)


@pytest.mark.parametrize("change", ["a part comes", "a part goes", "a part is written into"])
def test_a_folder_that_changes_while_it_is_read_is_refused(workspace, monkeypatch, change):
    parts = workspace / "data" / "parts"
    parts.mkdir()
    for name in ("a.csv", "b.csv"):
        points(parts / name, 30)
    changes = {
        "a part comes": lambda: points(parts / "c.csv", 30),
        "a part goes": (parts / "b.csv").unlink,
        "a part is written into": lambda: points(parts / "b.csv", 40),
    }
    reading_also(monkeypatch, changes[change])
    with pytest.raises(DataError, match="data/parts: it changed while it was read"):
        add("data/parts", "points")
    assert datasets.list_datasets() == ((), ())


def test_a_part_that_comes_while_contents_are_stored_is_refused_too(workspace, monkeypatch):
    parts = workspace / "data" / "parts"
    parts.mkdir()
    points(parts / "a.csv", 30)
    take = Datasets.take

    def slow(*arguments, **options):
        points(parts / "b.csv", 30)
        return take(*arguments, **options)

    monkeypatch.setattr(Datasets, "take", slow)
    with pytest.raises(DataError, match="it changed while it was read"):
        add("data/parts", "points")


def test_a_file_that_changed_while_it_was_read_is_not_linked(file, monkeypatch):
    reading_also(monkeypatch, lambda: points(file, 61))
    with pytest.raises(DataError, match="it changed while it was read"):
        add(file, "points", AddOptions(link=True))
    assert (file.stat().st_mode & 0o777, file.stat().st_nlink) == (0o644, 1)


def test_a_note_for_a_content_that_is_there_is_not_dropped_in_silence(file):
    add(file, "points", AddOptions(note="as it came"))
    assert add(file, "points", AddOptions(note="as it came")).notices == ()
    (said,) = add(file, "points", AddOptions(note="checked")).notices
    assert said.message == (
        "points@1 has this content already, and keeps its note 'as it came'; a version never changes"
    )


def test_a_flipped_byte_ends_a_run_before_it_reads_and_verify_names_it(two):
    path = two.objects.path(two.find("points", 2).files[0].sha256)
    path.chmod(0o644)
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    path.write_bytes(data)
    with pytest.raises(StoreError, match=r"points@2: more\.csv: its content has changed"):
        run()
    assert run("data.version=1").dataset.rows == 60
    found = datasets.verify()
    assert found.versions == 2
    assert [fault[:36] for fault in found.faults] == ["points@2  more.csv: its content has "]
    with pytest.raises(StoreError, match="its content has changed"):
        datasets.checkout("points@2")


def test_a_place_that_somebody_has_touched_is_made_again(two):
    place = two.place(two.find("points", 1))
    place.unlink()
    place.write_text("something else")
    assert run("data.version=1").dataset.rows == 60
    assert place.read_text().startswith("id,x,y,label")


# --- taking away -------------------------------------------------------------------------------------------------


def test_a_version_that_a_run_read_stays_unless_it_is_forced(two):
    record = run("data.version=1")
    with pytest.raises(StoreError, match=record.id):
        datasets.removable("points@1")
    assert datasets.removable("points@2").number == 2
    datasets.remove(datasets.removable("points@1", force=True))
    with pytest.raises(ConfigError, match="has no version '1'"):
        run(config=str(record.path / "config.yaml"), force=True)


@pytest.mark.parametrize(
    ("key", "what"), [("dataset", "was trained on"), ("test_dataset", "was scored on held-out rows of")]
)
def test_a_version_that_a_registered_model_needs_always_stays(two, workspace, key, what):
    folder = workspace / "models" / "m" / "1"
    folder.mkdir(parents=True)
    (folder / "version.json").write_text(f'{{"schema_version": 1, "{key}": {{"source": "points@1"}}}}')
    with pytest.raises(StoreError, match=f"the registered model m/1 {what} it"):
        datasets.removable("points@1", force=True)


@pytest.mark.parametrize(("ref", "number"), [("points", 2), ("points@latest", 2), ("points@moved", 2)])
def test_only_a_number_says_which_version_is_removed(two, ref, number):
    with pytest.raises(UsageError, match=rf"'{ref}' does not say which version \(mlops data rm points@{number}\)"):
        datasets.removable(ref, force=True)
    with pytest.raises(StoreError, match="has no version ''"):
        datasets.removable("points@", force=True)


def test_collecting_keeps_what_versions_and_recorded_snapshots_need(two, workspace):
    datasets.remove(two.find("points", 1))
    kept = keep_snapshot(two, workspace, "a" * 64)
    keep_snapshot(two, workspace, "b" * 64)
    folder = workspace / "runs" / "e" / "20260101-000000-abcdef"
    folder.mkdir(parents=True)
    (folder / "trials.jsonl").touch()
    dataset = {"version": "a" * 64, "rows": 1, "columns": 0, "target": None, "source": "x", "schema": []}
    record = {
        "schema_version": 1,
        "id": "e/20260101-000000-abcdef",
        "experiment": "e",
        "status": str(RunStatus.COMPLETED),
        "started": "2026-01-01T00:00:00+00:00",
        "dataset": dataset,
    }
    (folder / "run.json").write_text(json.dumps(record))
    soon = datasets.collect()
    assert (soon.contents, soon.young) == (0, 1)  # of version 1; younger snapshots may still be recorded
    would = datasets.collect(dry_run=True, now=True)
    assert would.contents == 2
    assert datasets.collect(now=True) == would
    assert datasets.verify().orphans == 0
    assert two.objects.has(kept)
    assert two.find("points").number == 2
    assert not two.faults(two.find("points"))


def keep_snapshot(two, workspace, version: str) -> str:
    with two.objects.writing() as writer:
        writer.write(version.encode())
    place = workspace / ".mlops" / "datasets" / "snapshots" / f"{version}.json"
    place.parent.mkdir(exist_ok=True)
    value = {"schema_version": 1, "version": version, "source": "x", "readings": [], "table": writer.digest}
    place.write_text(json.dumps(value))
    return writer.digest


# --- comparing ---------------------------------------------------------------------------------------------------


def test_versions_and_files_are_compared_by_the_key_that_add_named(workspace, file):
    add(file, "points", AddOptions(key="id"))
    table = pd.read_csv(file)
    table["y"] = table["y"].astype(str) + "°"
    table["x"] += 4
    changed = workspace / "data" / "changed.csv"
    table.iloc[5:].assign(z=1).drop(columns="label").to_csv(changed, index=False)
    for b in ("data/changed.csv", add(changed, "points", AddOptions(key="id")).version.ref):
        found = datasets.diff("points@1", b)
        assert (found.a, found.b, found.rows) == ("points@1", b, (60, 55))
        assert {c.key: (c.a, c.b) for c in found.columns} == {
            "y": ("int64", "str"),
            "label": ("int64", None),
            "z": (None, "int64"),
        }
        assert (found.by_row.key, found.by_row.removed, found.by_row.changed) == ("id", 5, 55)
        assert min(found.shifts, key=lambda shift: shift.p or 1).column in {"x", "y"}


def test_what_is_neither_a_data_set_nor_a_file_is_said_with_the_nearest(two):
    with pytest.raises(DataError, match="'pionts' is neither a data set nor a file") as caught:
        datasets.diff("points@1", "pionts")
    assert "did you mean 'points'?" in str(caught.value)


def test_a_profile_of_a_version_or_a_file_needs_no_target(two):
    found = datasets.profile("points@1")
    assert (found.rows, {c.name: c.role for c in found.columns}["x"]) == (60, "feature")
    assert datasets.profile("data/points.csv", target="label").columns[0].name == "label"


# --- faults ------------------------------------------------------------------------------------------------------

ADD = "from mlops_cli.workflows.data.adding import add; print(add({file!r}, 'points').version.ref, flush=True)"


ADD_UNTIL_KILLED = """
import itertools, os, random, signal, sys, threading
from pathlib import Path
from mlops_cli.workflows.data.adding import add
def file(n):
    path = Path(f"data/{os.getpid()}-{n}.csv")
    path.write_text("a,b\\n" + "".join(f"{i},{os.getpid()}{n}\\n" for i in range(20_000)))
    return path
add(file(0), "points")  # all is imported now: what follows is reading and storing alone
threading.Timer(random.Random(sys.argv[1]).uniform(0, 0.6), os.kill, (os.getpid(), signal.SIGKILL)).start()
for n in itertools.count(1):
    add(file(n), "points")
"""


def test_adding_that_is_killed_at_any_moment_leaves_nothing_half_there(workspace):
    store = Datasets(WorkspacePaths(workspace))
    for turn in range(5):
        command = [sys.executable, "-c", ADD_UNTIL_KILLED]
        started = [subprocess.Popen([*command, f"{turn}-{n}"], cwd=workspace) for n in range(4)]
        assert [process.wait() for process in started] == [-9] * 4
        (found,), damaged = datasets.list_datasets()
        assert damaged == ()
        assert len(found.versions) >= 4
        for version in found.versions:
            assert store.place(version).stat().st_size == version.size
    verified = datasets.verify()
    assert (verified.versions, verified.faults) == (len(found.versions), ())
    assert add(points(workspace / "data" / "last.csv"), "points").is_new
    abandoned = workspace / ".mlops" / "datasets" / "objects" / ".new"
    for temp in abandoned.iterdir():
        os.utime(temp, (0, 0))  # an hour later
    datasets.collect(now=True)
    assert list(abandoned.iterdir()) == []
    assert datasets.verify().orphans == 0


def test_processes_that_add_and_collect_at_once_do_not_disturb_each_other(workspace):
    files = [points(workspace / "data" / f"{n}.csv", 30, shift=n) for n in range(6)]
    scripts = [ADD.format(file=str(file)) for file in files]
    collecting = "from mlops_cli.workflows.data import datasets\nfor _ in range(30): datasets.collect()"
    started = [
        subprocess.Popen([sys.executable, "-c", script], cwd=workspace, stdout=subprocess.PIPE, text=True)
        for script in (*scripts, collecting)
    ]
    said = [process.communicate()[0].strip() for process in started]
    assert [process.returncode for process in started] == [0] * 7
    assert sorted(said[:6]) == [f"points@{n}" for n in range(1, 7)]
    assert datasets.verify().faults == ()
