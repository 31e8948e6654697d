"""Contents by their sha256: each once, never changed, whole or not there, whoever writes or dies."""

import errno
import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mlops_cli.errors import StoreError
from mlops_cli.store.objects import Objects


@pytest.fixture
def objects(tmp_path):
    return Objects(tmp_path / "objects")


def content(tmp_path, data=b"some data\n", name="a.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(data)
    return path


def test_a_file_is_kept_by_its_sha256_and_read_only(tmp_path, objects):
    path = content(tmp_path)
    digest = objects.add(path)
    assert digest == hashlib.sha256(b"some data\n").hexdigest()
    assert objects.path(digest) == tmp_path / "objects" / digest[:2] / digest
    assert objects.path(digest).read_bytes() == path.read_bytes()
    assert objects.path(digest).stat().st_mode & 0o777 == 0o444
    assert objects.has(digest)
    assert list(objects.digests()) == [digest]


def test_the_same_content_is_kept_once(tmp_path, objects):
    first = objects.add(content(tmp_path))
    node = objects.path(first).stat().st_ino
    assert objects.add(content(tmp_path, name="b.csv")) == first
    assert objects.path(first).stat().st_ino == node
    assert not list((tmp_path / "objects" / ".new").iterdir())


def test_a_content_that_another_user_has_added_is_kept_as_it_is(tmp_path, objects, monkeypatch):
    digest = objects.add(content(tmp_path))
    place, chmod = objects.path(digest), Path.chmod

    def refuse(path, mode):
        if path == place:
            raise PermissionError(errno.EPERM, "Operation not permitted", str(path))
        chmod(path, mode)

    monkeypatch.setattr(Path, "chmod", refuse)
    assert objects.add(content(tmp_path, name="b.csv")) == digest
    assert objects.usable(digest)


def test_to_change_the_file_does_not_change_the_object(tmp_path, objects):
    path = content(tmp_path)
    digest = objects.add(path)
    path.write_bytes(b"other data")
    assert path.stat().st_mode & 0o200
    assert objects.verify(digest)


def test_a_hard_link_is_made_where_asked_for_and_guards_the_file(tmp_path, objects):
    path = content(tmp_path)
    digest = objects.add(path, link=True)
    assert objects.path(digest).stat().st_ino == path.stat().st_ino
    assert path.stat().st_mode & 0o777 == 0o444
    assert objects.add(path, link=True) == digest
    assert not list((tmp_path / "objects" / ".new").iterdir())


def test_a_flipped_byte_is_found(tmp_path, objects):
    digest = objects.add(content(tmp_path))
    assert objects.verify(digest)
    objects.path(digest).chmod(0o644)
    objects.path(digest).write_bytes(b"some dat\x00\n")
    assert not objects.verify(digest)


def write_half(objects):
    with objects.writing() as writer:
        writer.write(b"half")
        raise ValueError("too long")


def test_what_is_written_is_kept_only_when_it_ends_well(objects):
    with objects.writing() as writer:
        writer.write(b"ab")
        writer.write(b"c")
    assert (writer.digest, writer.size) == (hashlib.sha256(b"abc").hexdigest(), 3)
    assert objects.path(writer.digest).read_bytes() == b"abc"
    with pytest.raises(ValueError, match="too long"):
        write_half(objects)
    assert list(objects.digests()) == [hashlib.sha256(b"abc").hexdigest()]
    assert not list((objects.root / ".new").iterdir())


def test_what_is_no_digest_or_not_there_is_refused(tmp_path, objects):
    for digest in ("../../etc/passwd", "ab", "", "A" * 64):
        with pytest.raises(StoreError, match="is no sha256"):
            objects.path(digest)
    with pytest.raises(StoreError, match="has no object"):
        objects.path("0" * 64)
    assert not objects.has("0" * 64)
    with pytest.raises(StoreError, match="is not a file"):
        objects.add(tmp_path)
    with pytest.raises(StoreError, match="cannot read"):
        objects.add(tmp_path / "nowhere")
    assert list(objects.digests()) == []


WRITER = """
import sys
from pathlib import Path
from mlops_cli.store.objects import Objects
objects = Objects(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
for path in sys.argv[2:]:
    print(objects.add(Path(path)), flush=True)
"""


def start(objects, *files):
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(objects.root), *map(str, files)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_twenty_processes_add_the_same_contents_at_once(tmp_path, objects):
    files = [content(tmp_path, os.urandom(200_000), f"{i}.bin") for i in range(10)]
    writers = [start(objects, *files) for _ in range(20)]
    for writer in writers:
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        writer.stdin.write("\n")
        writer.stdin.flush()
    digests = [writer.communicate()[0].split() for writer in writers]
    assert [writer.returncode for writer in writers] == [0] * 20
    assert all(found == digests[0] for found in digests)
    assert sorted(digests[0]) == list(objects.digests())
    assert all(map(objects.verify, objects.digests()))


def test_a_killed_writer_leaves_only_whole_objects(tmp_path, objects):
    files = [content(tmp_path, os.urandom(2_000_000), f"{i}.bin") for i in range(20)]
    for lines in range(5):
        writer = start(objects, *files)
        assert writer.stdout.readline() == "ready\n"
        writer.stdin.write("\n")
        writer.stdin.flush()
        for _ in range(lines):
            writer.stdout.readline()
        writer.send_signal(signal.SIGKILL)
        writer.communicate()
        assert all(map(objects.verify, objects.digests()))
    for file in files:
        objects.add(file)
    assert len(list(objects.digests())) == 20
