from __future__ import annotations

import json
import stat
import subprocess
import sys
import threading

import pytest

from mlops_cli.errors import StoreError
from mlops_cli.store.files import json_bytes, read_bytes, read_json, replacing, write_file, write_files, write_json


def test_a_file_is_written_whole_and_leaves_nothing_beside_it(tmp_path):
    write_file(tmp_path / "new" / "a.txt", b"one")
    write_file(tmp_path / "new" / "a.txt", b"two")
    assert (tmp_path / "new" / "a.txt").read_bytes() == b"two"
    assert [file.name for file in (tmp_path / "new").iterdir()] == ["a.txt"]


def test_a_batch_that_fails_changes_nothing_and_leaves_nothing(tmp_path):
    (tmp_path / "a").write_bytes(b"old")
    with pytest.raises(TypeError):
        write_files({tmp_path / "a": b"new", tmp_path / "b": "not bytes"})
    assert (tmp_path / "a").read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir()] == ["a"]


def test_a_stream_that_fails_leaves_the_old_file(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"old")

    def write_half() -> None:
        with replacing(path) as file:
            file.write(b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_half()
    assert path.read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir()] == ["a"]


def test_new_files_have_the_permissions_that_the_user_wants_for_new_files(tmp_path):
    write_file(tmp_path / "a", b"")
    (tmp_path / "plain").touch()
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == stat.S_IMODE((tmp_path / "plain").stat().st_mode)


def test_a_reader_never_sees_half_a_file_while_it_is_written_again_and_again(tmp_path):
    path = tmp_path / "a.json"
    write_json(path, {"schema_version": 1, "text": "x" * 100_000})
    stop = threading.Event()

    def write() -> None:
        size = 100_000
        while not stop.is_set():
            size += 1000
            write_json(path, {"schema_version": 1, "text": "x" * size})

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(100):
            assert len(read_json(path)["text"]) >= 100_000
    finally:
        stop.set()
        writer.join()


def test_json_keeps_the_order_of_keys_reads_well_and_ends_in_a_newline():
    assert json_bytes({"b": 1, "a": "é"}) == '{\n  "b": 1,\n  "a": "é"\n}\n'.encode()


def test_json_never_holds_nan():
    with pytest.raises(ValueError, match="JSON"):
        json_bytes({"a": float("nan")})


def test_text_that_is_no_utf8_survives():
    assert json.loads(json_bytes({"file": "a\udcff"})) == {"file": "a\udcff"}


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"\xff\xfe", b'{"a": 1}', b'{"schema_version": "1"}', b"[" * 100_000]
)
def test_a_damaged_file_is_named_in_one_line(tmp_path, content):
    path = tmp_path / "run.json"
    path.write_bytes(content)
    with pytest.raises(StoreError, match="damaged") as caught:
        read_json(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_of_a_newer_version_is_refused_with_the_mend(tmp_path):
    write_json(tmp_path / "a.json", {"schema_version": 99})
    with pytest.raises(StoreError, match="schema_version 99") as caught:
        read_json(tmp_path / "a.json")
    assert "upgrade" in caught.value.hint


def test_a_link_in_the_place_of_a_file_is_not_followed(tmp_path):
    (tmp_path / "secret").write_text("{}")
    (tmp_path / "run.json").symlink_to(tmp_path / "secret")
    with pytest.raises(StoreError, match="cannot read"):
        read_bytes(tmp_path / "run.json")


def test_a_file_in_the_place_of_a_folder_is_said_in_one_line_with_the_mend(tmp_path):
    (tmp_path / "runs").touch()
    with pytest.raises(StoreError, match="cannot write") as caught:
        write_file(tmp_path / "runs" / "iris" / "a", b"")
    assert "a file stands where a folder is needed" in caught.value.hint


def test_a_read_only_folder_is_said_in_one_line(tmp_path, read_only):
    read_only(tmp_path)
    with pytest.raises(StoreError, match="cannot write") as caught:
        write_file(tmp_path / "a", b"")
    assert "permissions" in caught.value.hint


def test_reading_what_is_stored_loads_nothing_slow(python_env):
    script = """
import sys
import mlops_cli.store.find, mlops_cli.store.runs, mlops_cli.store.models, mlops_cli.store.provenance
slow = {"pandas", "sklearn", "numpy", "pyarrow", "skops", "hydra", "omegaconf", "optuna", "joblib"}
print(sorted(slow & set(sys.modules)))
"""
    output = subprocess.run([sys.executable, "-c", script], env=python_env, capture_output=True, check=True, text=True)
    assert output.stdout.strip() == "[]"
