"""Versions of a data set never change, never share a number, and cost their content once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mlops_cli.errors import StoreError
from mlops_cli.records import DatasetVersion, NamedDataset
from mlops_cli.store.datasets import Datasets, files_in, from_json, to_json
from mlops_cli.store.layout import WorkspacePaths


@pytest.fixture
def datasets(tmp_path):
    return Datasets(WorkspacePaths(tmp_path / "ws"))


@pytest.fixture
def add(datasets, tmp_path):
    def make(text: str, name: str = "iris", **more):
        file = tmp_path / "iris.csv"
        file.write_text(text)
        return add_path(datasets, file, name, **more)

    return make


def add_path(datasets, path, name="iris", **more):
    with datasets.changing():
        files = datasets.take([(path.name, path)] if path.is_file() else list(files_in(path)))
        table = DatasetVersion("c0ffee", 2, ())
        draft = NamedDataset(name, 0, files, path.is_dir(), more.pop("option", "csv"), table, **more)
        return datasets.add(draft)


def test_each_content_is_a_version_and_the_same_one_is_not_added_twice(add):
    first, again, other = add("a\n1\n"), add("a\n1\n"), add("a\n2\n")
    assert (first[0].number, first[1]) == (1, True)
    assert (again[0].number, again[1]) == (1, False)
    assert (other[0].number, other[1]) == (2, True)


def test_the_same_content_read_in_another_way_is_another_version(add):
    add("a;b\n1;2\n")
    assert add("a;b\n1;2\n", read={"sep": ";"})[0].number == 2


def test_an_old_content_that_comes_back_is_a_new_version_and_costs_nothing(add, datasets):
    for text in ("a\n1\n", "a\n2\n", "a\n1\n"):
        add(text)
    assert [v.number for v in datasets.versions("iris")] == [1, 2, 3]
    assert len(list(datasets.objects.digests())) == 2


def test_a_version_is_found_by_number_tag_and_latest(add, datasets):
    add("a\n1\n")
    second = add("a\n2\n")[0]
    datasets.tag(datasets.find("iris", 1), "clean")
    assert datasets.find("iris", "clean").number == 1
    assert datasets.find("iris", "1").number == 1
    assert datasets.find("iris") == datasets.find("iris", "latest") == second
    datasets.tag(second, "clean")
    assert datasets.find("iris", "clean").number == 2
    datasets.tag(second, without="clean")
    assert datasets.tags("iris") == {}


@pytest.mark.parametrize(
    ("name", "version", "message"),
    [
        ("iriss", "latest", "did you mean 'iris'"),
        ("iris", "7", "no version '7'"),
        ("iris", "claen", "did you mean 'clean'"),
        ("../x", "latest", "cannot be a folder's name"),
        ("iris", "", "no version ''"),
    ],
)
def test_what_is_not_there_is_one_line_with_what_is(add, datasets, name, version, message):
    datasets.tag(add("a\n1\n")[0], "clean")
    with pytest.raises(StoreError) as caught:
        datasets.find(name, version)
    assert message in str(caught.value)


@pytest.mark.parametrize("tag", ["3", "latest", "../x", ""])
def test_a_tag_never_means_something_else(add, datasets, tag):
    with pytest.raises(StoreError):
        datasets.tag(add("a\n1\n")[0], tag)


@pytest.mark.parametrize(
    "tag", ["007", "0", "1_0", "1e3", "0x1F", "1.5", "nan", "inf", "yes", "Off", "true", "null", "Null"]
)
def test_a_tag_is_no_word_that_a_config_reads_as_a_number_or_as_true_or_false(add, datasets, tag):
    with pytest.raises(StoreError, match=f"'{tag}' is read as a number, as true, false or null"):
        datasets.tag(add("a\n1\n")[0], tag)
    assert datasets.tags("iris") == {}


@pytest.mark.parametrize("tag", ["clean", "v1", "2024-01-01", "1e3x", "y", "_1"])
def test_a_tag_may_be_any_other_word(add, datasets, tag):
    datasets.tag(add("a\n1\n")[0], tag)
    assert datasets.find_ref(f"iris@{tag}").number == 1


def test_a_version_that_is_removed_while_others_look_is_none_to_them(add, datasets, monkeypatch):
    first, second = add("a\n1\n")[0], add("a\n2\n")[0]
    numbers, listed = Datasets.numbers, iter([[1, 2]])
    datasets.remove(second)
    monkeypatch.setattr(Datasets, "numbers", lambda self, name: next(listed, None) or numbers(self, name))
    assert datasets.versions("iris") == [first]
    listed = iter([[1, 2]])
    assert datasets.find("iris") == first
    listed = iter([[1, 2]])
    with pytest.raises(StoreError, match="has no version '2'"):
        datasets.find("iris", 2)


def test_a_place_that_is_read_stays_when_its_version_is_removed(add, datasets, tmp_path, monkeypatch):
    version, clock = add("a\n1\n")[0], tmp_path / "clock"
    place = datasets.place(version)
    made = place.parent.stat().st_ctime
    while clock.touch() or clock.stat().st_ctime == made:  # until the clock of the file system moves on
        pass
    datasets.place(version)
    datasets.remove(version)
    now = time.time()
    monkeypatch.setattr("time.time", lambda: now)
    datasets.collect(frozenset(), min_age=now - (made + clock.stat().st_ctime) / 2)
    assert place.read_text() == "a\n1\n"
    datasets.collect(frozenset())
    assert not place.exists()


def test_the_number_of_a_removed_version_is_not_given_again(add, datasets):
    add("a\n1\n")
    second = add("a\n2\n")[0]
    datasets.tag(second, "clean")
    datasets.remove(second)
    assert datasets.tags("iris") == {}
    assert add("a\n3\n")[0].number == 3


def test_a_file_is_read_under_its_own_name(add, datasets):
    version = add("a\n1\n")[0]
    place = datasets.place(version)
    assert place.name == "iris.csv"
    assert place.read_text() == "a\n1\n"
    assert datasets.place(version) == place
    if os.geteuid() != 0:
        with pytest.raises(PermissionError):
            place.write_text("b")


def test_a_folder_keeps_its_shape_without_what_is_hidden_or_linked(datasets, tmp_path):
    parts = tmp_path / "parts"
    (parts / "2025").mkdir(parents=True)
    (parts / "2025" / "a.csv").write_text("a\n1\n")
    (parts / "b.csv").write_text("a\n2\n")
    (parts / ".hidden").write_text("x")
    (parts / "link.csv").symlink_to("/etc/passwd")
    version = add_path(datasets, parts)[0]
    assert [f.path for f in version.files] == ["b.csv", "2025/a.csv"]
    place = datasets.place(version)
    assert sorted(p.relative_to(place).as_posix() for p in place.rglob("*.csv")) == ["2025/a.csv", "b.csv"]


def test_the_added_file_may_change_afterwards(add, datasets, tmp_path):
    version = add("a\n1\n")[0]
    (tmp_path / "iris.csv").write_text("a\n99\n")
    assert datasets.place(version).read_text() == "a\n1\n"


def test_a_flipped_byte_is_found_and_so_is_a_lost_content(add, datasets):
    version, other = add("a\n1\n")[0], add("a\n2\n")[0]
    assert datasets.faults(version) == []
    path = datasets.objects.path(version.files[0].sha256)
    path.chmod(0o644)
    path.write_bytes(b"a\n9\n")
    assert "iris.csv: its content has changed" in datasets.faults(version)[0]
    datasets.objects.path(other.files[0].sha256).unlink()
    assert "iris.csv: its content is gone" in datasets.faults(other)[0]


def test_adding_a_damaged_content_again_mends_it(add, datasets):
    version = add("a\n1\n")[0]
    place = datasets.place(version)
    path = datasets.objects.path(version.files[0].sha256)
    path.chmod(0o644)
    path.write_bytes(b"a\n9\n")
    with pytest.raises(StoreError, match=r"iris@1: iris\.csv: its content has changed"):
        datasets.place(version)
    assert add("a\n1\n") == (version, False)
    assert datasets.faults(version) == []
    assert datasets.place(version) == place
    assert place.read_text() == "a\n1\n"


def test_a_version_that_says_it_is_another_one_is_damaged(add, datasets):
    add("a\n1\n")
    folder = datasets.paths.dataset_names / "iris"
    (folder / "2.json").write_bytes((folder / "1.json").read_bytes())
    with pytest.raises(StoreError, match="it says that it is iris@1"):
        datasets.find("iris", 2)


def test_a_checkout_is_a_copy_and_overwrites_nothing(add, datasets, tmp_path):
    version = add("a\n1\n")[0]
    target = tmp_path / "out" / "copy.csv"
    assert datasets.checkout(version, target) == target
    target.write_text("mine")
    assert datasets.faults(version) == []
    with pytest.raises(StoreError, match="is there already"):
        datasets.checkout(version, target)
    assert target.read_text() == "mine"


def test_collecting_removes_what_no_version_and_nobody_else_needs(add, datasets):
    kept, gone, needed = add("a\n1\n")[0], add("a\n2\n")[0], add("a\n3\n")[0]
    place = datasets.place(gone)
    for version in (gone, needed):
        datasets.remove(version)
    keep = frozenset({needed.files[0].sha256})
    assert datasets.unused(keep) == [gone.files[0].sha256]
    assert datasets.collect(keep) == (1, 4)
    assert not place.exists()
    assert set(datasets.objects.digests()) == {kept.files[0].sha256, needed.files[0].sha256}


def test_a_forged_record_leads_nowhere_else(add, datasets):
    value = to_json(add("a\n1\n")[0])
    with pytest.raises(ValueError, match="digest"):
        from_json({**value, "files": [{**value["files"][0], "path": "../../x"}]})
    forged = from_json(value)
    object.__setattr__(forged.files[0], "path", "../../escaped.csv")
    with pytest.raises(StoreError, match="no place inside"):
        datasets.place(forged)


def test_a_version_comes_back_from_its_file(add):
    version = add("a\n1\n", read={"na_values": ["", "?"], "sep": ";"}, note="as it came", key="id")[0]
    assert from_json(json.loads(json.dumps(to_json(version)))) == version


ADDING = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from test_named_datasets import add_path
from mlops_cli.store.datasets import Datasets
from mlops_cli.store.layout import WorkspacePaths
file = Path({folder!r}) / (sys.argv[1] + ".csv")
file.write_text("a\\n" + sys.argv[1] + "\\n")
print(add_path(Datasets(WorkspacePaths(Path({workspace!r}))), file)[0].number)
"""


def test_processes_that_add_at_once_never_share_a_number(datasets, tmp_path):
    script = ADDING.format(tests=str(Path(__file__).parent), folder=str(tmp_path), workspace=str(datasets.paths.root))
    started = [
        subprocess.Popen([sys.executable, "-c", script, str(n)], stdout=subprocess.PIPE, text=True) for n in range(8)
    ]
    numbers = [int(process.communicate()[0]) for process in started]
    assert sorted(numbers) == list(range(1, 9))
    assert all(datasets.faults(version) == [] for version in datasets.versions("iris"))
