"""A run is told to a tracker as it goes; whatever the tracker does, the run is the one that it would have been."""

import json
import os
import shlex
import signal
import subprocess
import sys
import textwrap
import time

import pytest

import mlops_cli as mlops
from mlops_cli.components.trackers.asked import asked_of, is_told
from mlops_cli.errors import ConfigError, MissingExtraError
from mlops_cli.records import ComponentSpec
from mlops_cli.store.layout import RunPaths
from mlops_cli.store.tracked import read_tracked
from mlops_cli.workflows.init import init_workspace
from mlops_cli.workflows.running.tracking import said
from mlops_cli.workflows.runs.show import record_of

QUICK = ["artifacts.plots=none", "artifacts.keep=none", "artifacts.predictions=false"]

NOTES = """
    import json, os, time, warnings
    from pathlib import Path


    class Notes:
        '''Writes down what it is told, and fails where it is asked to.'''

        def __init__(self, fails="", hangs="", folder="notes", root="."):
            self.fails, self.hangs, self.folder = fails, hangs, Path(root, folder)

        def _note(self, call, **told):
            self.folder.mkdir(exist_ok=True)
            with (self.folder / "calls.jsonl").open("a") as file:
                file.write(json.dumps({"call": call, "process": os.getpid(), **told}) + "\\n")
            print("the tracker prints")
            warnings.warn("the tracker warns")
            if self.hangs == call:
                time.sleep(600)
            if self.fails == call:
                raise ConnectionError(f"https://me:hunter22@example.org said {os.environ.get('NOTES_API_KEY')}")

        def start(self, record, config):
            self._note("start", run=record.id, config=config, record=(record.path / "run.json").read_text())

        def log_trial(self, record, result):
            self._note("log_trial", trial=result.trial, state=str(result.state), curves=sorted(result.curves))

        def finish(self, ended):
            written = json.loads((ended.record.path / "run.json").read_text())
            model = None if ended.open_model is None else type(ended.open_model()).__name__
            rows = None if ended.sample is None else len(ended.sample())
            self._note("finish", written=written["status"], files=sorted(ended.files), model=model, rows=rows)
            return "https://me:hunter22@example.org/runs/1"

        def close(self):
            self._note("close")
"""


@pytest.fixture
def home(tmp_path, monkeypatch):
    init_workspace(tmp_path)
    (tmp_path / "notes_tracker.py").write_text(textwrap.dedent(NOTES))
    (tmp_path / "configs" / "tracker").mkdir()
    (tmp_path / "configs" / "tracker" / "notes.yaml").write_text("_target_: notes_tracker.Notes\n")
    (tmp_path / "pyproject.toml").write_text('[tool.mlops]\ntrust = ["notes_tracker"]\n')
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*overrides, **options):
    return mlops.run("iris", ["tracker=notes", *QUICK, *overrides], n_jobs=1, **options)


def calls(home):
    path = home / "notes" / "calls.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def untracked(run):
    return [w.message for w in run.record.warnings if w.code == "not-tracked"]


def test_a_tracker_is_told_of_start_trials_end_and_close_in_order_by_one_other_process(home):
    made = run("model.C=0.1,1,10")
    told = calls(home)
    assert [c["call"] for c in told] == ["start", *["log_trial"] * 3, "finish", "close"]
    assert [c["trial"] for c in told if c["call"] == "log_trial"] == [0, 1, 2]
    assert {c["process"] for c in told} != {os.getpid()}
    assert len({c["process"] for c in told}) == 1
    assert told[0]["run"] == made.id
    assert told[0]["config"]["name"] == "iris"


def test_the_end_is_told_after_the_record_is_written_with_files_that_hold_no_data(home):
    mlops.run("iris", ["tracker=notes", "artifacts.plots=none"], n_jobs=1)
    end = next(c for c in calls(home) if c["call"] == "finish")
    assert end["written"] == "completed"
    assert end["files"] == ["config.yaml", "metrics.json", "model/card.md", "trials.csv"]
    assert (end["model"], end["rows"]) == ("Pipeline", 5)


def test_which_files_are_sent_is_chosen(home):
    run("+tracker.files=[run.json]")
    assert next(c for c in calls(home) if c["call"] == "finish")["files"] == ["run.json"]


def test_where_it_is_to_be_seen_is_kept_beside_the_record_without_its_password(home):
    made = run()
    (told,) = read_tracked(made.record)
    assert told.tracker == "notes_tracker.Notes"
    assert told.at.endswith("@example.org/runs/1")
    assert "hunter22" not in RunPaths(made.path).tracked.read_text()
    assert "tracked" not in json.loads((made.path / "run.json").read_text())


@pytest.mark.parametrize("call", ["start", "log_trial", "finish"])
def test_a_tracker_that_fails_fails_no_run_and_is_told_no_more(home, monkeypatch, call):
    monkeypatch.setenv("NOTES_API_KEY", "sesame-open")
    made = run("model.C=0.1,1", f"+tracker.fails={call}")
    assert made.status == "completed"
    told = [c["call"] for c in calls(home)]
    assert told[-1] == "close"
    assert told.count(call) == 1
    (message,) = untracked(made)
    assert "ConnectionError" in message
    assert f"`mlops runs export {made.id} --to notes_tracker.Notes` tells it later" in message
    written = [p.read_text() for p in made.path.rglob("*") if p.suffix in {".json", ".log", ".yaml"}]
    assert not [text for text in [message, *written] if "hunter22" in text or "sesame-open" in text]
    assert "not-tracked" in (made.path / "run.log").read_text()


def test_closing_may_fail_when_all_is_told(home):
    assert not untracked(run("+tracker.fails=close"))


@pytest.mark.parametrize("call", ["start", "finish"])
def test_a_tracker_that_hangs_is_waited_for_no_longer_than_was_asked(home, call):
    made = run(f"+tracker.hangs={call}", "+tracker.wait_s=0.5")
    (message,) = untracked(made)
    assert "it had not been told all after 0.5 s" in message
    if told := calls(home):
        with pytest.raises(ProcessLookupError):
            os.kill(told[0]["process"], 0)


def test_the_record_is_the_same_with_and_without_a_tracker(home):
    plain = mlops.run("iris", QUICK, n_jobs=1)
    told = run(force=True)
    assert told.record.fingerprint == plain.record.fingerprint
    assert told.record.warnings == plain.record.warnings
    assert [r.fingerprint for r in told.results] == [r.fingerprint for r in plain.results]
    assert told.record.params == plain.record.params
    assert told.record.environment.keys() == plain.record.environment.keys()


def test_a_run_that_is_there_already_is_not_told_again_and_the_command_that_tells_it_is_said(home, mlops):
    import mlops_cli

    first = mlops_cli.run("iris", QUICK, n_jobs=1)
    found = run("+tracker.folder=my notes")
    assert found.id == first.id
    assert not calls(home)
    (message,) = untracked(found)
    assert "it was never told of this run, which was there already" in message
    command = message.partition("`")[2].partition("`")[0]
    assert command == f"mlops runs export {first.id} --to notes_tracker.Notes 'folder=\"my notes\"'"
    done = mlops(*shlex.split(command)[1:], cwd=home)
    assert done.returncode == 0, done.stderr
    assert (home / "my notes" / "calls.jsonl").is_file()
    assert not untracked(run("+tracker.folder=my notes"))


def test_a_run_that_a_tracker_was_told_of_elsewhere_says_so_until_it_was_told_there_too(home, mlops):
    made = run()
    assert not untracked(run("+tracker.wait_s=30"))
    (message,) = untracked(run("+tracker.folder=second"))
    assert "it was told of this run, which was there already, but not with folder=second" in message
    command = message.partition("`")[2].partition("`")[0]
    assert command == f"mlops runs export {made.id} --to notes_tracker.Notes folder=second"
    assert mlops(*shlex.split(command)[1:], cwd=home).returncode == 0
    assert not untracked(run("+tracker.folder=second"))
    assert not untracked(run())


def test_a_run_that_was_told_before_keys_were_written_down_was_told_with_those_of_its_config(home):
    made = run("+tracker.folder=mine")
    path = RunPaths(made.path).tracked
    told = json.loads(path.read_text())
    del told["trackers"]["notes_tracker.Notes"]["keys"]
    path.write_text(json.dumps(told))
    assert not untracked(run("+tracker.folder=mine"))
    assert len(untracked(run())) == 1


@pytest.mark.parametrize(
    ("told", "asked", "environment", "expected"),
    [
        ({}, {"uri": "sqlite:///mlflow.db"}, None, True),
        ({}, {"uri": "sqlite:///second.db"}, None, False),
        ({}, {}, "http://me:hunter22@there:5000", False),
        ({}, {"register": "iris"}, None, False),
        ({"register": "iris", "alias": ["a"]}, {"register": None, "alias": None}, None, True),
        ({"register": "iris", "alias": "a"}, {"register": "iris", "alias": "b"}, None, False),
        ({"model": False}, {"model": True}, None, False),
        ({"experiment": None}, {"experiment": "x"}, None, False),
    ],
)
def test_mlflow_was_told_what_is_asked_for_at_the_same_place_only(
    tmp_path, monkeypatch, told, asked, environment, expected
):
    target = "mlops_cli.components.trackers.mlflow.MlflowTracker"
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    before = asked_of(ComponentSpec(target, told), tmp_path)
    if environment is not None:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", environment)
    now = asked_of(ComponentSpec(target, asked), tmp_path)
    assert is_told(now, [before]) is expected
    assert "hunter22" not in str(now)


def test_a_run_that_a_tracker_failed_to_be_told_says_so_when_it_is_found_again(home):
    made = run("+tracker.fails=finish")
    assert untracked(run("+tracker.fails=finish")) == untracked(made)


def test_what_was_not_told_is_found_a_day_later_and_is_no_part_of_the_record(home, mlops):
    made = run("+tracker.fails=finish")
    assert "not-tracked" not in (made.path / "run.json").read_text()
    page = " ".join(mlops("runs", "show", "latest", cwd=home).stdout.split())
    assert f"`mlops runs export {made.id} --to notes_tracker.Notes` tells it later" in page
    shown = json.loads(mlops("runs", "show", "latest", "--json", cwd=home).stdout)
    assert [w["message"] for w in shown["warnings"] if w["code"] == "not-tracked"] == untracked(made)


def test_a_dry_run_tells_nobody_and_says_what_is_wrong(home, mlops):
    planned = mlops("run", "config=iris", "tracker=notes", "--dry-run", cwd=home)
    assert planned.returncode == 0, planned.stderr
    assert not calls(home)
    wrong = mlops("run", "config=iris", "tracker=tensorboard", "tracker.fodler=x", "--dry-run", cwd=home)
    assert wrong.returncode == 2
    assert "did you mean 'folder'?" in wrong.stderr


def test_what_is_wrong_with_a_tracker_is_said_before_anything_is_written(home, monkeypatch):
    with pytest.raises(ConfigError, match="has no parameter 'fialed'"):
        run("+tracker.fialed=start")
    real = __import__("importlib.util").util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name, *a: None if name == "wandb" else real(name, *a))
    with pytest.raises(MissingExtraError, match="mlops-cli\\[wandb\\]"):
        mlops.run("iris", ["tracker=wandb", *QUICK], n_jobs=1)
    assert not list(home.glob("runs/iris/*"))


def test_what_a_tracker_prints_is_not_among_the_results(home, mlops):
    done = mlops("run", "config=iris", "tracker=notes", "--json", *QUICK, cwd=home)
    assert json.loads(done.stdout)["status"] == "completed"
    assert "the tracker" not in done.stderr


def test_a_run_that_was_killed_is_told_on_when_it_is_resumed(home):
    (home / "slow.py").write_text(
        "import time\nfrom sklearn.dummy import DummyClassifier\n"
        "class Slow(DummyClassifier):\n    def fit(self, X, y):\n"
        "        from pathlib import Path\n"
        "        while self.random_state == 2 and Path('hold').exists():\n            time.sleep(0.01)\n"
        "        return super().fit(X, y)\n"
    )
    (home / "pyproject.toml").write_text('[tool.mlops]\ntrust = ["notes_tracker", "slow"]\n')
    (home / "hold").touch()
    swept = ["model={_target_: slow.Slow}", "+model.random_state=0,1,2", "tracker=notes", *QUICK]
    begun = subprocess.Popen(
        [sys.executable, "-m", "mlops_cli", "run", "config=iris", "-j", "1", *swept],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 120
    while not calls(home):
        assert begun.poll() is None
        assert time.monotonic() < deadline, "the tracker was not told that the run began"
        time.sleep(0.02)
    os.killpg(begun.pid, signal.SIGKILL)
    begun.wait()
    (home / "hold").unlink()
    before = len(calls(home))
    (unheard,) = record_of("iris:latest").warnings[-1:]
    assert "it has not been told how the run ended; `mlops runs export" in unheard.message
    made = mlops.resume("iris:latest", n_jobs=1)
    told = [c for c in calls(home)[before:] if c["call"] != "close"]
    assert [c["call"] for c in told] == ["start", *["log_trial"] * 3, "finish"]
    assert told[0]["run"] == made.id == calls(home)[0]["run"]
    assert not [w for w in record_of("iris:latest").warnings if w.code == "not-tracked"]


def test_a_message_has_neither_passwords_nor_keys(monkeypatch):
    monkeypatch.setenv("MY_API_KEY", "sesame-open")
    found = said("no\nat https://me:hunter22@example.org with sesame-open")
    assert "hunter22" not in found
    assert "sesame" not in found
    assert "\n" not in found


# --- runs export --to ----------------------------------------------------------------------------------------------


def test_a_run_is_told_later_what_it_would_have_been_told(home, mlops):
    import mlops_cli

    made = mlops_cli.run("iris", [*QUICK, "model.C=0.1,-1,10"], n_jobs=1)
    done = mlops("runs", "export", "latest", "--to", "notes", "folder=later", cwd=home)
    assert done.returncode == 0, done.stderr
    assert made.id in done.stdout
    assert "hunter22" not in done.stdout
    told = [json.loads(line) for line in (home / "later" / "calls.jsonl").read_text().splitlines()]
    assert [c["call"] for c in told] == ["start", *["log_trial"] * 3, "finish", "close"]
    assert [c["state"] for c in told[1:4]] == ["completed", "failed", "completed"]
    assert json.loads(RunPaths(made.path).tracked.read_text())["trackers"]["notes_tracker.Notes"]["problem"] is None
    assert "notes_tracker.Notes: " in mlops("runs", "show", "latest", cwd=home).stdout


def test_what_failed_is_told_later_with_the_keys_that_the_run_had(home, mlops):
    made = run("+tracker.fails=finish", "+tracker.folder=mine")
    assert untracked(made)
    done = mlops("runs", "export", made.id, "--to", "notes_tracker.Notes", "fails=''", cwd=home)
    assert done.returncode == 0, done.stderr
    lines = (home / "mine" / "calls.jsonl").read_text().splitlines()
    assert [json.loads(line)["call"] for line in lines].count("finish") == 2
    assert "not-tracked" not in mlops("runs", "show", "latest", cwd=home).stdout


def test_what_cannot_be_told_ends_in_1_with_why(home, mlops):
    run()
    done = mlops("runs", "export", "latest", "--to", "notes", "fails=log_trial", cwd=home)
    assert done.returncode == 1
    assert "ConnectionError" in done.stderr
    assert "hunter22" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "found"),
    [
        (["latest", "--to", "tensorbord"], 2, "did you mean 'tensorboard'?"),
        (["latest", "--to", "tensorboard", "fodler=x"], 2, "did you mean 'folder'?"),
        (["latest", "--to", "os.system"], 2, "os is not trusted"),
        (["--to", "tensorboard"], 2, "no run is given"),
        (["latest"], 2, "one of --output FILE and --to TRACKER"),
        (["nothing", "--to", "tensorboard"], 2, "nothing"),
    ],
)
def test_a_wrong_export_is_refused_in_one_line(home, mlops, arguments, code, found):
    import mlops_cli

    mlops_cli.run("iris", QUICK, n_jobs=1)
    done = mlops("runs", "export", *arguments, cwd=home)
    assert (done.returncode, "Traceback" in done.stderr) == (code, False)
    assert found in done.stderr


def test_a_thousand_trials_are_told(home, mlops):
    import mlops_cli

    made = mlops_cli.run("iris", QUICK, n_jobs=1)
    journal = RunPaths(made.path).journal
    line = json.loads(journal.read_text().splitlines()[0])
    journal.write_text("".join(json.dumps({**line, "trial": n}) + "\n" for n in range(1000)))
    done = mlops("runs", "export", "latest", "--to", "notes", "--json", cwd=home)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)[0]["run"] == made.id
    assert [c["trial"] for c in calls(home) if c["call"] == "log_trial"] == list(range(1000))


def test_trackers_are_listed_with_what_they_are_for(home, mlops):
    listed = mlops("config", "--list", cwd=home).stdout
    for name in ("comet", "mlflow", "none", "tensorboard", "wandb", "notes"):
        assert name in listed
