"""A registered version is opened only as the registry knows it, and nothing in its files runs."""

from __future__ import annotations

import io
import json
import os
import shutil
import zipfile

import joblib
import pytest
import skops.io
from sklearn.linear_model import LogisticRegression

from mlops_cli.errors import StoreError
from mlops_cli.records import Column, Kind, Signature, Task
from mlops_cli.store.files import json_bytes, sha256
from mlops_cli.store.layout import RunPaths, VersionPaths
from mlops_cli.store.registry import Registry
from mlops_cli.store.registry.adding import Asked, add_version
from mlops_cli.store.serialize import run_to_json, signature_to_json
from mlops_cli.workflows.applying.model import find_model

SIGNATURE = Signature((Column("a", "float64", Kind.NUMERIC),), Task.CLASSIFICATION, "y", "int64", (0, 1))


class Bomb:
    """Ends the process that opens it."""

    def __reduce__(self):
        return (os._exit, (99,))


def a_model() -> LogisticRegression:
    return LogisticRegression().fit([[0.0], [1.0]], [0, 1])


def pickled(value: object) -> bytes:
    buffer = io.BytesIO()
    joblib.dump(value, buffer)
    return buffer.getvalue()


def holding(name: str) -> bytes:
    """Return a model file whose class is another one."""
    module, _, cls = name.rpartition(".")
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(skops.io.dumps(a_model()))) as source, zipfile.ZipFile(buffer, "w") as target:
        for member in source.namelist():
            data = source.read(member)
            if member == "schema.json":
                data = data.replace(b"sklearn.linear_model._logistic", module.encode())
                data = data.replace(b'"LogisticRegression"', f'"{cls}"'.encode())
            target.writestr(member, data)
    return buffer.getvalue()


@pytest.fixture
def version(workspace, run_with_model):
    """Register a model file, under the name that it has in a run."""

    def make(data: bytes, name: str = "model.skops") -> VersionPaths:
        record = run_with_model(data)
        paths = RunPaths(record.path)
        place = paths.model.skops.rename(paths.model.root / name)
        paths.model.signature.write_bytes(json_bytes(signature_to_json(SIGNATURE)))
        files = {k: v for k, v in record.files.items() if k != "model/model.skops"}
        files |= {f"model/{p.name}": sha256(p.read_bytes()) for p in (place, paths.model.signature)}
        told = {**run_to_json(record), "files": files}
        paths.run_json.write_bytes(json_bytes(told))
        found = add_version(Registry(workspace), record.path, Asked("side")).version
        shutil.rmtree(record.path)
        return VersionPaths(found.path)

    return make


def opened(workspace, **how):
    return find_model("side", workspace=workspace.root).open(**how)


def put(place, data: bytes) -> None:
    place.unlink()
    place.write_bytes(data)


def test_a_version_opens_and_predicts(version, workspace):
    version(skops.io.dumps(a_model()))
    assert opened(workspace).pipeline.predict([[1.0]]).tolist() == [1]


def test_a_changed_byte_is_found_before_anything_is_read_of_it(version, workspace):
    paths = version(skops.io.dumps(a_model()))
    data = bytearray(paths.model.skops.read_bytes())
    data[len(data) // 2] ^= 1
    put(paths.model.skops, bytes(data))
    with pytest.raises(StoreError, match="sha256 differs"):
        opened(workspace)


def test_a_file_that_was_exchanged_with_the_hashes_beside_it_is_refused(version, workspace):
    paths = version(skops.io.dumps(a_model()))
    other = skops.io.dumps(LogisticRegression().fit([[0.0], [1.0]], [1, 0]))
    put(paths.model.skops, other)
    told = json.loads(paths.model.hashes.read_text())
    told["files"]["model.skops"] = sha256(other)
    put(paths.model.hashes, json_bytes(told))
    with pytest.raises(StoreError, match="sha256 differs"):
        opened(workspace)


def test_an_exchanged_signature_is_refused(version, workspace):
    paths = version(skops.io.dumps(a_model()))
    put(paths.model.signature, paths.model.signature.read_bytes().replace(b'"a"', b'"b"'))
    with pytest.raises(StoreError, match=r"signature\.json is not the file that was recorded"):
        opened(workspace)


@pytest.mark.parametrize(
    "name", ["os.system", "numpy.memmap", "my_module.Thing", "scipy.stats._continuous_distns.norm_gen"]
)
def test_a_type_that_may_not_be_opened_is_refused_although_its_hash_is_registered(name, version, workspace):
    version(holding(name))
    with pytest.raises(StoreError, match="not among the types that may be opened") as caught:
        opened(workspace, allow_pickle=True)
    assert name in caught.value.message


def test_a_pickle_opens_only_where_that_is_allowed(version, workspace):
    version(pickled(a_model()), "model.joblib")
    with pytest.raises(StoreError, match="is a pickle") as caught:
        opened(workspace)
    assert "--allow-pickle" in caught.value.hint
    assert opened(workspace, allow_pickle=True).pipeline.predict([[1.0]]).tolist() == [1]


def test_a_pickle_that_was_exchanged_does_not_run_although_pickles_are_allowed(version, workspace):
    paths = version(pickled(a_model()), "model.joblib")
    put(paths.model.joblib, pickled(Bomb()))
    with pytest.raises(StoreError, match="sha256 differs"):
        opened(workspace, allow_pickle=True)


def test_a_pickle_in_the_place_of_a_skops_file_does_not_run(version, workspace):
    version(pickled(Bomb()))
    with pytest.raises(StoreError, match="cannot be opened"):
        opened(workspace, allow_pickle=True)


def test_a_pickle_beside_the_model_is_not_looked_at(version, workspace):
    paths = version(skops.io.dumps(a_model()))
    paths.model.joblib.write_bytes(pickled(Bomb()))
    assert opened(workspace, allow_pickle=True).pipeline.predict([[1.0]]).tolist() == [1]


def test_a_link_in_the_place_of_the_model_is_not_followed(version, workspace, tmp_path):
    paths = version(skops.io.dumps(a_model()))
    same = paths.model.skops.rename(tmp_path / "same.skops")
    paths.model.skops.symlink_to(same)
    with pytest.raises(StoreError, match="cannot read"):
        opened(workspace)
