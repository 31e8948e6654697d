"""The built-in trackers say of a run what there is to say, as their own readers read it, and to nobody else."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
import zipfile
from dataclasses import replace

import pytest

from mlops_cli.components.trackers import build_tracker, make_tracker, telling_of, tracker_name
from mlops_cli.components.trackers.comet import Comet
from mlops_cli.components.trackers.tensorboard import TensorBoard
from mlops_cli.components.trackers.wandb import Wandb
from mlops_cli.contracts import Ended
from mlops_cli.errors import ConfigError, MissingExtraError
from mlops_cli.records import ComponentSpec
from mlops_cli.testing import check_tracker
from mlops_cli.testing.trackers import _run, _tell

pytestmark = pytest.mark.filterwarnings("ignore")  # what trackers' libraries warn of when they are imported

HOME = "mlops_cli.components.trackers."


def skip_without(package):
    """Skip where a package is not installed; it is not imported, which would connect before it is told not to."""
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed")


def comet(root):
    return Comet(online=False, root=str(root))


def tensorboard(root):
    return TensorBoard(root=str(root))


def wandb(root):
    return Wandb(root=str(root))


MAKERS = [("comet_ml", comet), ("tensorboard", tensorboard), ("wandb", wandb)]


def counted(root):
    """How many runs there are, in whatever folder a tracker has."""
    found = [*root.glob("comet/*.zip"), *root.glob("tensorboard/checked/*"), *root.glob("wandb/offline-run-*")]
    return len(found)


@pytest.mark.parametrize(("package", "make"), MAKERS)
def test_each_keeps_to_the_contract(package, make):
    skip_without(package)
    check_tracker(make, count=counted)


# --- what they say -------------------------------------------------------------------------------------------------


def scalars(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder)).Reload()
    return {tag: {e.step: e.value for e in events.Scalars(tag)} for tag in events.Tags()["scalars"]}, events


def test_tensorboard_reads_metrics_curves_and_hyperparameters(tmp_path):
    skip_without("tensorboard")
    record, trials = _run(tmp_path)
    _tell(tensorboard(tmp_path), record, trials)
    found, events = scalars(tmp_path / "tensorboard" / record.id)
    assert found["trials/accuracy"] == {0: pytest.approx(0.5), 3: pytest.approx(0.2)}
    assert found["best/accuracy.split_1"] == {0: pytest.approx(0.6)}
    assert found["best/trials.failed"] == {0: 2}
    assert b"stage: draft" in events.Tensors("tags/text_summary")[0].tensor_proto.string_val[0]
    trial = tmp_path / "tensorboard" / record.id / "trial-0000"
    assert scalars(trial / "split-1")[0]["curves/loss"] == {1: pytest.approx(0.9), 3: pytest.approx(0.3)}
    content = scalars(trial)[1].summary_metadata["_hparams_/session_start_info"].plugin_data.content
    assert b"model.kernel" in content


def test_comet_writes_a_zip_that_its_own_upload_reads(tmp_path):
    skip_without("comet_ml")
    record, trials = _run(tmp_path)
    _tell(comet(tmp_path), record, trials)
    (path,) = (tmp_path / "comet").glob("*.zip")
    with zipfile.ZipFile(path) as found:
        lines = [json.loads(line) for line in found.read("messages.json").decode().splitlines()]
        about = json.loads(found.read("experiment.json"))
    metrics = [(m["metricName"], m["metricValue"], m["step"]) for m in of(lines, "metric_msg", "metric")]
    assert about["project_name"] == "checked"
    assert ("trials/accuracy", 0.5, 0) in metrics
    assert ("accuracy.test", 0.5) in {(name, value) for name, value, _ in metrics}
    assert ("curves/split_1/loss", 0.3, 3) in metrics
    params = {p["paramName"]: p["paramValue"] for p in of(lines, "parameter_msg", "param")}
    assert params["model.C"] in {0.1, "0.1"}
    sent = {
        line["payload"].get("file_name") or line["payload"].get("additional_params", {}).get("fileName")
        for line in lines
    }
    assert "config.yaml" in sent


def of(lines, kind, name):
    return [line["payload"][name] for line in lines if line["type"] == kind]


def _records_in(path, block=32768, head=7):
    """Return what wandb wrote down: its file is in blocks, as LevelDB's logs are, and a word may lie across the end."""
    data, place, found = path.read_bytes(), head, []
    while place + head <= len(data):
        if block - place % block < head:  # what is left of a block is empty
            place += block - place % block
            continue
        length = int.from_bytes(data[place + 4 : place + 6], "little")
        found.append(data[place + head : place + head + length])
        place += head + length
    return b"".join(found)


def test_wandb_writes_a_folder_that_its_own_sync_reads(tmp_path):
    skip_without("wandb")
    record, trials = _run(tmp_path)
    _tell(wandb(tmp_path), record, trials)
    (path,) = tmp_path.glob("wandb/offline-run-*/*.wandb")
    words = {
        b"trials/accuracy",
        b"accuracy.split_1",
        b"curves/split_1/loss",
        b"model.kernel",
        b"config.yaml",
        b"draft",
    }
    deadline = time.monotonic() + 30  # a process of wandb's own writes it
    while (left := {word for word in words if word not in _records_in(path)}) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not left


@pytest.mark.parametrize(("package", "make"), MAKERS)
def test_files_that_are_not_given_are_not_sent(tmp_path, package, make):
    skip_without(package)
    record, trials = _run(tmp_path)
    secret = record.path / "predictions.parquet"
    tracker = make(tmp_path)
    tracker.start(record, {})
    tracker.log_trial(record, trials[0])
    secret.write_bytes(b"rows of data")
    tracker.finish(Ended(record, {"config.yaml": record.path / "config.yaml"}))
    tracker.close()
    written = [p for p in tmp_path.rglob("*") if p.is_file() and p != secret]
    assert not [p for p in written if b"rows of data" in p.read_bytes()]


# --- no connection -------------------------------------------------------------------------------------------------

WATCHED = """
import socket, sys
from pathlib import Path
from mlops_cli.testing.trackers import _run, _tell
from mlops_cli.components.trackers.{name} import {kind}

record, trials = _run(Path(sys.argv[1]))
_tell({kind}(root=sys.argv[1], **{keys}), record, trials)
"""


@pytest.mark.parametrize(
    ("name", "kind", "keys"),
    [("comet", "Comet", {"online": False}), ("wandb", "Wandb", {}), ("tensorboard", "TensorBoard", {})],
)
def test_offline_no_connection_is_made_by_any_of_its_processes(tmp_path, name, kind, keys):
    skip_without({"comet": "comet_ml"}.get(name, name))
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not installed")
    log = tmp_path / "calls"
    script = WATCHED.format(name=name, kind=kind, keys=keys)
    watched = [strace, "-f", "-e", "trace=connect,sendto,sendmsg", "-o", str(log), sys.executable, "-c", script]
    home = tmp_path / "w"
    home.mkdir()
    quiet = {k: v for k, v in os.environ.items() if not k.startswith(("COMET", "WANDB"))}
    subprocess.run([*watched, str(home)], check=True, env=quiet, capture_output=True)
    assert counted(home) == 1
    assert not [line for line in log.read_text().splitlines() if "AF_INET" in line]


# --- how they are made ---------------------------------------------------------------------------------------------


def spec(name="tensorboard.TensorBoard", **params):
    return ComponentSpec(HOME + name, params)


def test_a_tracker_is_made_with_the_workspace_as_its_root(tmp_path):
    made = make_tracker(spec(folder="here", files=["plots/*"], wait_s=3), (), tmp_path)
    assert made._folder == tmp_path / "here"


@pytest.mark.parametrize(
    ("params", "key", "found"),
    [
        ({"fodler": "x"}, "tracker.fodler", "did you mean 'folder'"),
        ({"wait_s": "long"}, "tracker.wait_s", "'long'"),
        ({"wait_s": -1}, "tracker.wait_s", "-1"),
        ({"files": "plots"}, "tracker.files", "list of paths"),
        ({"root": "/"}, "tracker.root", "cannot be chosen"),
        ({"folder": "https://me:hunter22@example.org"}, "tracker.folder", "password"),
    ],
)
def test_a_wrong_key_is_named_and_no_secret_is(tmp_path, params, key, found):
    with pytest.raises(ConfigError, match=found) as caught:
        make_tracker(spec(**params), (), tmp_path)
    assert caught.value.key == key
    assert "hunter22" not in str(caught.value)


@pytest.mark.parametrize("name", ["comet.Comet", "wandb.Wandb", "tensorboard.TensorBoard"])
def test_a_package_that_is_not_there_is_named_with_what_installs_it(tmp_path, monkeypatch, name):
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    extra = name.partition(".")[0]
    with pytest.raises(MissingExtraError, match=rf'pip install "mlops-cli\[{extra}\]"'):
        make_tracker(spec(name), (), tmp_path)


def test_comet_online_without_a_key_is_refused_before_anything_is_told(tmp_path, monkeypatch):
    skip_without("comet_ml")
    monkeypatch.delenv("COMET_API_KEY", raising=False)
    monkeypatch.setenv("COMET_CONFIG", str(tmp_path / "none"))
    with pytest.raises(ConfigError, match="COMET_API_KEY"):
        make_tracker(spec("comet.Comet"), (), tmp_path)


def test_what_is_no_tracker_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="start, log_trial, finish and close"):
        make_tracker(ComponentSpec("sklearn.linear_model.Ridge"), (), tmp_path)


def test_a_name_is_what_export_takes():
    assert tracker_name(spec("wandb.Wandb")) == "wandb"
    assert tracker_name(ComponentSpec("my_module.Mine")) == "my_module.Mine"


def test_no_data_is_among_the_files_that_are_sent_unasked():
    usual = telling_of(spec())
    assert not any("predictions" in glob or "profile" in glob or glob == "*" for glob in usual.files)


def test_a_tracker_that_is_built_again_in_its_process_is_the_same(tmp_path):
    given = replace(spec(), params={"folder": "x", "wait_s": 1.0})
    assert build_tracker(given, (), tmp_path)._folder == make_tracker(given, (), tmp_path)._folder
