"""What a run saw of data that lies elsewhere: seen again as it was, whatever is there by now, or refused."""

import hashlib
import json
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from mlops_cli.config.workspace import Workspace
from mlops_cli.errors import ConfigError, DataError, StoreError
from mlops_cli.records import ComponentSpec, DataSpec, EvaluationSpec, ExperimentSpec, TrialSpec
from mlops_cli.store.layout import WorkspacePaths
from mlops_cli.store.objects import Objects
from mlops_cli.store.remote import Remote, Wanted
from mlops_cli.store.snapshots import KeptFile, Snapshots
from mlops_cli.workflows.data import datasets
from mlops_cli.workflows.data.load import load

CSV = b"id,x,y\n1,0.5,a\n2,0.25,b\n3,1.5,a\n4,2.5,b\n"
OTHER = b"id,x,y\n1,0.5,a\n2,0.25,b\n3,1.5,a\n4,9.5,b\n"
SOURCES = "mlops_cli.components.sources."


def spec(source="CsvSource", **params):
    component = ComponentSpec(SOURCES + source, params)
    return ExperimentSpec("e", DataSpec(component, target="y"), TrialSpec(ComponentSpec("m")), config={"data": params})


def read(workspace, asked=None, **params):
    asked = spec(**params) if asked is None else asked
    return load(replace(asked, config={}), Workspace(workspace)).train


def refusal(workspace, kind=ConfigError, **params) -> str:
    with pytest.raises(kind) as caught:
        read(workspace, **params)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def codes(dataset):
    return [n.code for n in dataset.notices]


def objects(workspace) -> Objects:
    return Remote(WorkspacePaths(workspace)).objects


def damage(workspace, data=b"x"):
    (digest,) = objects(workspace).digests()
    objects(workspace).path(digest).chmod(0o644)
    objects(workspace).path(digest).write_bytes(data)


@pytest.fixture
def shop(workspace):
    """A data base whose table holds what ``CSV`` does."""
    path = workspace / "shop.db"
    base = sqlite3.connect(path)
    base.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, x REAL, y TEXT)")
    base.executemany("INSERT INTO t VALUES (?, ?, ?)", [(1, 0.5, "a"), (2, 0.25, "b"), (3, 1.5, "a"), (4, 2.5, "b")])
    base.commit()
    yield base
    base.close()


@pytest.fixture
def bucket():
    fsspec = pytest.importorskip("fsspec")
    memory = fsspec.filesystem("memory")
    memory.store.clear()
    yield memory
    memory.store.clear()


def test_what_a_run_saw_of_an_address_can_be_seen_again(workspace, served):
    served.answers["/x.csv"] = CSV
    first = read(workspace, path=f"{served.url}/x.csv")
    served.answers["/x.csv"] = OTHER
    assert read(workspace, path=f"{served.url}/x.csv").version != first.version
    served.stop()
    again = read(workspace, path=f"{served.url}/x.csv", snapshot=first.version.version[:12])
    assert again.version == first.version
    assert "snapshot-differs" not in codes(again)
    otherwise = read(workspace, path=f"{served.url}/x.csv", snapshot=first.version.version, read={"nrows": 3})
    assert "snapshot-differs" in codes(otherwise)


def test_a_snapshot_is_held_to_the_sha256_that_is_expected(workspace, served):
    served.answers["/x.csv"] = CSV
    asked = {"path": f"{served.url}/x.csv", "snapshot": read(workspace, path=f"{served.url}/x.csv").version.version}
    assert read(workspace, **asked, sha256=hashlib.sha256(CSV).hexdigest()).rows == 4
    assert "its sha256 is" in refusal(workspace, DataError, **asked, sha256="0" * 64)


def test_an_unknown_snapshot_names_what_is_kept(workspace, served):
    served.answers["/x.csv"] = CSV
    assert "none is kept" in refusal(workspace, StoreError, path=f"{served.url}/x.csv", snapshot="abc")
    version = read(workspace, path=f"{served.url}/x.csv").version.version
    assert version[:12] in refusal(workspace, StoreError, path=f"{served.url}/x.csv", snapshot="zzz")
    said = refusal(workspace, path=f"{served.url}/y.csv", snapshot=version)
    assert f"that version was not read from {served.url}/y.csv (did you mean '{served.url}/x.csv'?" in said


# --- the same content from several places ------------------------------------------------------------------------


def test_each_address_that_gave_a_content_can_be_asked_for_it_again(workspace, served):
    served.answers["/x.csv"] = served.answers["/y.csv"] = CSV
    (version,) = {read(workspace, path=f"{served.url}/{name}.csv").version.version for name in "xyxy"}
    served.stop()
    for name in "xy":
        assert read(workspace, path=f"{served.url}/{name}.csv", snapshot=version).version.version == version
    (snapshot,) = (workspace / ".mlops" / "datasets" / "snapshots").glob("*.json")
    assert len(json.loads(snapshot.read_text())["readings"]) == 2


def test_a_query_sees_its_table_again_where_a_file_gave_the_same_content_before(workspace, served, shop):
    served.answers["/x.csv"] = CSV
    version = read(workspace, path=f"{served.url}/x.csv").version.version
    assert read(workspace, source="SqlSource", path="shop.db", table="t").version.version == version
    shop.execute("DELETE FROM t")
    shop.commit()
    served.stop()
    again = read(workspace, source="SqlSource", path="shop.db", table="t", snapshot=version)
    assert (again.rows, again.version.version) == (4, version)
    assert read(workspace, path=f"{served.url}/x.csv", snapshot=version).version.version == version


def test_what_no_snapshot_of_files_can_give_is_never_asked_anew(workspace, served, shop):
    served.answers["/x.csv"] = CSV
    version = read(workspace, path=f"{served.url}/x.csv").version.version
    said = refusal(workspace, source="SqlSource", path="shop.db", table="t", snapshot=version)
    assert said.startswith(f"data.snapshot: the version {version[:12]} is kept as files, and this source asks somebody")
    assert f"it was read from {served.url}/x.csv" in said
    (workspace / "data" / "x.csv").write_bytes(OTHER)
    assert "this source reads nothing of it" in refusal(workspace, path="data/x.csv", snapshot=version)


def test_a_part_of_this_machine_that_has_changed_is_named_as_a_cause(workspace, served):
    served.answers["/x.csv"] = CSV
    (workspace / "data" / "x.csv").write_bytes(CSV)
    both = [f"{served.url}/x.csv", "data/x.csv"]
    version = read(workspace, path=both).version.version
    (workspace / "data" / "x.csv").write_bytes(OTHER)
    (said,) = [n.message for n in read(workspace, path=both, snapshot=version).notices if n.code == "snapshot-differs"]
    assert "or reads a file of this machine too, which has changed" in said


def test_processes_that_keep_one_content_at_once_lose_none_of_its_addresses(tmp_path):
    snapshots = Snapshots(tmp_path / "snapshots", Objects(tmp_path / "objects"))

    def keep(n: int):
        snapshots.keep_files("ab", [KeptFile(f"http://h/{n}.csv", f"http://h/{n}.csv", "0" * 64, "x.csv")], "x")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(keep, range(16)))
    assert sorted(snapshots.find("ab").addresses()) == sorted(f"http://h/{n}.csv" for n in range(16))


def test_held_out_rows_are_seen_again_once_however_many_addresses_gave_them(workspace, served):
    served.answers["/x.csv"] = served.answers["/a.csv"] = served.answers["/b.csv"] = CSV
    asked = spec(path=f"{served.url}/x.csv")
    for test in (f"{served.url}/a.csv", f"{served.url}/b.csv"):
        held = load(replace(asked, evaluation=EvaluationSpec(test=test)), Workspace(workspace)).test
    again = EvaluationSpec(test=f"snapshot:{held.version.version}")
    assert load(replace(asked, evaluation=again), Workspace(workspace)).test.rows == 4


# --- addresses that change -----------------------------------------------------------------------------------------


def test_an_address_whose_signature_is_another_by_now_is_seen_again(workspace, served):
    served.answers["/x.csv"] = CSV
    version = read(workspace, path=f"{served.url}/x.csv?sig=AAA").version.version
    read(workspace, path=f"{served.url}/x.csv?sig=BBB")
    served.stop()
    for signature in ("AAA", "BBB", "CCC"):
        again = read(workspace, path=f"{served.url}/x.csv?sig={signature}", snapshot=version)
        assert again.version.version == version
    (snapshot,) = (workspace / ".mlops" / "datasets" / "snapshots").glob("*.json")
    assert len(json.loads(snapshot.read_text())["readings"]) == 1


def test_of_addresses_that_only_differed_in_their_signatures_none_is_guessed(workspace, served):
    served.answers["/x.csv?sig=A"], served.answers["/x.csv?sig=B"] = CSV, OTHER
    version = read(workspace, path=[f"{served.url}/x.csv?sig={s}" for s in "AB"]).version.version
    said = refusal(workspace, path=f"{served.url}/x.csv?sig=C", snapshot=version)
    assert f"was not read from {served.url}/x.csv?sig=***" in said


@pytest.mark.parametrize("asked", ["memory://b/p/*.csv", "memory://b/p/"])
def test_a_glob_of_an_object_store_is_seen_again_without_asking_what_is_there(workspace, bucket, asked):
    bucket.pipe({"/b/p/1.csv": CSV, "/b/p/0.csv": OTHER, "/b/x.csv": CSV})
    paths = [asked, "memory://b/x.csv"]
    first = read(workspace, path=paths)
    bucket.pipe({"/b/p/2.csv": OTHER})
    assert read(workspace, path=paths, snapshot=first.version.version).version == first.version
    bucket.store.clear()
    assert read(workspace, path=paths, snapshot=first.version.version).version == first.version
    half = read(workspace, path=asked, snapshot=first.version.version)
    assert half.X.x.tolist() == [0.5, 0.25, 1.5, 9.5, 0.5, 0.25, 1.5, 2.5]


# --- damage, and what is collected ---------------------------------------------------------------------------------


def test_a_snapshot_whose_file_was_damaged_or_is_gone_is_refused(workspace, served):
    served.answers["/x.csv"] = CSV
    asked = {"path": f"{served.url}/x.csv"}
    asked["snapshot"] = read(workspace, **asked).version.version
    held = replace(spec(path=asked["path"]), evaluation=EvaluationSpec(test=f"snapshot:{asked['snapshot']}"))
    damage(workspace, OTHER)
    for call in (lambda: read(workspace, **asked), lambda: read(workspace, replace(held, data=local(workspace)))):
        with pytest.raises(StoreError, match=r"/x\.csv: what is kept of it has changed"):
            call()
    objects(workspace).path(next(objects(workspace).digests())).unlink()
    assert "is gone" in refusal(workspace, StoreError, **asked)


def local(workspace) -> DataSpec:
    (workspace / "data" / "x.csv").write_bytes(CSV)
    return spec(path="data/x.csv").data


def test_a_snapshot_whose_table_was_damaged_is_refused(workspace, shop):
    asked = {"source": "SqlSource", "path": "shop.db", "table": "t"}
    version = read(workspace, **asked).version.version
    damage(workspace)
    assert f"the table of the snapshot {version[:12]} has changed" in refusal(
        workspace, StoreError, **asked, snapshot=version
    )


def tick(path) -> float:
    """Wait until the clock of the file system moves on, and return a time between what came before and comes now."""
    path.touch()
    before = path.stat().st_ctime
    while path.stat().st_ctime == before:
        path.touch()
    return (before + path.stat().st_ctime) / 2


@pytest.mark.parametrize("how", ["again", "snapshot", "held out"])
def test_what_a_run_reads_again_counts_as_new_so_that_it_is_not_collected(workspace, served, monkeypatch, how):
    served.answers["/x.csv"] = lambda _, headers: (304 if "If-None-Match" in headers else 200, {"ETag": "1"}, CSV)
    address = f"{served.url}/x.csv"
    version = read(workspace, path=address).version.version
    for place in (workspace / ".mlops" / "datasets" / "snapshots").iterdir():
        place.touch()
    young = tick(workspace / "clock")
    again = {
        "again": spec(path=address),
        "snapshot": spec(path=address, snapshot=version),
        "held out": replace(spec(), data=local(workspace), evaluation=EvaluationSpec(test=f"snapshot:{version}")),
    }
    read(workspace, again[how])
    now = tick(workspace / "clock")
    monkeypatch.setattr("time.time", lambda: now)
    monkeypatch.setattr(datasets, "YOUNG_S", now - young)
    assert datasets.collect(workspace=workspace).contents == 0
    assert read(workspace, spec(path=address, snapshot=version)).version.version == version
    monkeypatch.setattr("time.time", lambda: now + 1000)
    assert datasets.collect(workspace=workspace).contents == 1


def test_what_a_run_has_just_fetched_is_not_collected_before_the_run_says_so(workspace, served, monkeypatch):
    served.answers["/x.csv"] = lambda _, headers: (304 if "If-None-Match" in headers else 200, {"ETag": "1"}, CSV)
    remote = Remote(WorkspacePaths(workspace))
    remote.fetch(Wanted(f"{served.url}/x.csv"))
    young = tick(workspace / "clock")
    fetched = remote.fetch(Wanted(f"{served.url}/x.csv"))
    now = tick(workspace / "clock")
    monkeypatch.setattr("time.time", lambda: now)
    monkeypatch.setattr(datasets, "YOUNG_S", now - young)
    assert datasets.collect(workspace=workspace).contents == 0
    assert fetched.path.read_bytes() == CSV


def test_what_tells_of_an_address_goes_with_its_content(workspace, served):
    served.answers["/x.csv"], served.answers["/y.csv"] = CSV, OTHER
    kept = read(workspace, path=f"{served.url}/x.csv").version.version
    read(workspace, path=f"{served.url}/y.csv")
    folder = workspace / ".mlops" / "datasets"
    (folder / "remote" / "odd.json").write_text("{")
    (folder / "snapshots" / f"{kept}.json").rename(workspace / "kept.json")
    datasets.collect(now=True, workspace=workspace)
    assert list((folder / "remote").iterdir()) == []
    read(workspace, path=f"{served.url}/x.csv")
    assert datasets.collect(workspace=workspace).contents == 0
    assert len(list((folder / "remote").iterdir())) == 1
