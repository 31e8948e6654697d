"""Tasks that read no table: a function or a command of the user's is swept, resumed, compared and kept as any other."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import mlops_cli as mlops
from mlops_cli.errors import ConfigError, DataError, MlopsError, TrustError
from mlops_cli.store.curves import read_curves
from mlops_cli.store.layout import RunPaths

TRAIN = """
import random


def main(config, run):
    lr, draw = config["params"]["lr"], random.Random(run.seed)
    for step in range(3):
        run.log(step, loss=lr / (step + 1))
    (run.folder / "weights.txt").write_text(f"{lr} by {run.seed}")
    return {"loss": (lr - 0.3) ** 2 + draw.random() / 1000, "accuracy": 1 - lr, "more": 7}


def logs_alone(config, run):
    run.log(1, loss=0.5)
    run.log(2, loss=0.25)


def forgets(config, run):
    return {"acuracy": 1.0}


def not_finite(config, run):
    return {"loss": float("nan")}


def takes_one(config):
    return {"loss": 1.0}
"""

JOB = """
import argparse, os, pathlib, sys
parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float)
parser.add_argument("--seed", type=int)
said = parser.parse_args()
for epoch in range(3):
    print(f"epoch {epoch}: loss={said.lr / (epoch + 1) + said.seed / 1000}")
assert os.environ["MLOPS_SEED"] == str(said.seed)
if said.lr > 10:
    sys.exit("the rate is too large")
"""

EXPERIMENT = {
    "task": "script",
    "script": "train.main",
    "params": {"lr": 0.1},
    "evaluation": {"metrics": ["loss", "accuracy"], "repetitions": 2},
    "artifacts": {"plots": "none"},
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "configs").mkdir()
    (tmp_path / "train.py").write_text(TRAIN)
    (tmp_path / "job.py").write_text(JOB)
    (tmp_path / "pyproject.toml").write_text('[tool.mlops]\ntrust = ["train"]\ncommands = ["python job.py"]\n')
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder, name="own", **changes):
    config = {key: value for key, value in {**EXPERIMENT, **changes}.items() if value is not None}
    (folder / "configs" / f"{name}.yaml").write_text(json.dumps(config))
    return name


def run(name, *overrides, **options):
    return mlops.run(name, list(overrides), n_jobs=1, **options)


def command(**changes):
    asked = "python job.py --lr ${params.lr} --seed {seed}"
    return {"script": None, "command": asked, "evaluation": {"metrics": ["loss"], "repetitions": 2}, **changes}


# --- a function ----------------------------------------------------------------------------------------------------


def test_a_function_is_swept_and_its_measures_are_ranked(folder):
    found = run(write(folder), "params.lr=0.1,0.2,0.5")
    record = found.record
    assert record.best.params == {"params.lr": 0.2}
    assert record.direction == "minimize"
    assert record.directions["accuracy"] == "maximize"
    assert len(record.metrics["loss"].splits) == 2
    assert record.metrics["accuracy"].mean == pytest.approx(0.8)
    assert record.dataset is None


def test_each_repetition_has_a_seed_of_its_own_and_all_trials_have_the_same(folder):
    found = run(write(folder), "params.lr=0.3,0.31", "seed=5")
    first = found.record.metrics["loss"].splits
    assert first[0] != first[1]
    other = run(write(folder), "seed=6", "params.lr=0.3")
    assert other.record.metrics["loss"].splits[0] == pytest.approx(first[1])


def test_what_the_best_trial_wrote_is_kept_and_nothing_else(folder):
    found = run(write(folder), "params.lr=0.1,0.2,0.5")
    paths = RunPaths(found.path)
    assert {p.name: (p / "weights.txt").read_text() for p in paths.artifacts.iterdir()} == {
        "0": "0.2 by 0",
        "1": "0.2 by 1",
    }
    assert not paths.work.exists()
    assert "artifacts/0/weights.txt" in found.record.files


def test_with_keep_none_nothing_is_kept(folder):
    paths = RunPaths(run(write(folder), "artifacts.keep=none").path)
    assert not paths.artifacts.exists()
    assert not paths.work.exists()


def test_curves_are_kept_of_every_trial(folder):
    found = run(write(folder), "params.lr=0.1,0.2")
    curves = read_curves(RunPaths(found.path).curves)
    assert curves[1][0].values["loss"] == pytest.approx((0.2, 0.1, 0.2 / 3))
    assert set(curves) == {0, 1}
    assert set(curves[0]) == {0, 1}


def test_a_function_that_returns_nothing_comes_to_what_it_logged_last(folder):
    found = run(write(folder, script="train.logs_alone", evaluation={"metrics": ["loss"]}))
    assert found.record.metrics["loss"].mean == 0.25


def test_an_identical_run_is_found_and_a_changed_function_is_another(folder):
    first = run(write(folder))
    assert run("own").path == first.path
    (folder / "train.py").write_text(TRAIN.replace("0.3", "0.4"))
    assert run("own").path != first.path


def test_a_wider_sweep_reuses_trials_and_brings_their_files_along(folder):
    run(write(folder), "params.lr=0.1,0.2")
    wider = run("own", "params.lr=0.2,0.5")
    assert wider.record.counts.reused == 1
    assert (wider.path / "artifacts/0/weights.txt").read_text() == "0.2 by 0"


def test_a_changed_input_is_another_run(folder):
    (folder / "data.txt").write_text("a")
    first = run(write(folder, inputs=["data.txt"]))
    assert run("own").path == first.path
    (folder / "data.txt").write_text("b")
    assert run("own").path != first.path


def test_an_input_that_is_not_there_is_said(folder):
    with pytest.raises(DataError, match=r"inputs: there is no file 'data\.txt'"):
        run(write(folder, inputs=["data.txt"]))


def test_a_rerun_is_identical(folder):
    found = run(write(folder), "params.lr=0.1,0.2")
    assert mlops.rerun(found.record.id, n_jobs=1).agreement == "identical"


@pytest.mark.parametrize(
    ("script", "said"),
    [("train.forgets", "did not give loss, accuracy; it gave: acuracy"), ("train.not_finite", "did not give accuracy")],
)
def test_measures_that_are_lacking_fail_the_trial_with_what_was_given(folder, script, said):
    found = run(write(folder, script=script))
    assert found.record.status == "failed"
    assert said in found.record.error.message


def test_a_measure_that_is_not_finite_fails_the_trial(folder):
    found = run(write(folder, script="train.not_finite", evaluation={"metrics": ["loss"]}))
    assert "loss is nan" in found.record.error.message


# --- what is refused -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"script": "os.system"}, "may not be named"),
        ({"script": "train.takes_one"}, "cannot be called with the config and the run"),
        ({"script": "train.mian"}, "train has no mian"),
        ({"script": None}, "nothing is to be done"),
        ({"command": "python job.py"}, "script and command are said"),
        ({"evaluation": {}}, "a measure is needed to rank by"),
        ({"evaluation": {"metrics": ["beta"]}}, "which end of 'beta' is the good one"),
        ({"evaluation": {"metrics": ["loss"], "test": 0.2}}, "no table to hold rows out of"),
        ({"evaluation": {"metrics": ["loss"], "repetitions": 0}}, "repetitions"),
        ({"data": {"_target_": "mlops_cli.components.sources.csv.CsvSource", "path": "x.csv"}}, "reads no table"),
        ({"data": {"accept": ["different-splits"]}}, "reads no table"),
        ({"model": {"_target_": "sklearn.linear_model.Ridge"}}, "reads no table"),
    ],
)
def test_what_cannot_be_is_one_clear_error(folder, changes, said):
    with pytest.raises(MlopsError) as found:
        run(write(folder, **changes))
    assert said in str(found.value)
    assert "\n" not in str(found.value)


def test_repetitions_are_not_for_tables(folder):
    (folder / "configs/table.yaml").write_text("defaults: [experiment, data: sklearn, model: dummy]\n")
    with pytest.raises(ConfigError, match="has splits"):
        run("table", "data.dataset=iris", "evaluation.repetitions=3")


def test_such_a_run_is_no_model(folder):
    found = run(write(folder))
    with pytest.raises(MlopsError, match="of task script, which leaves files and no model"):
        mlops.register(found.record.id, "own")


def test_a_parameter_is_found_by_the_name_that_screens_show(folder):
    write(folder)
    one, _ = (run("own", f"params.lr={lr}").record.id for lr in (0.1, 0.5))
    for name in ("params.lr", "params.params.lr", "lr"):
        assert list(mlops.runs(where=f"{name} < 0.3")["id"]) == [one]


# --- compared ------------------------------------------------------------------------------------------------------


def said_of(first, other):
    return mlops.compare(first, other).sentences[0]


def test_a_swept_seed_is_the_one_that_is_drawn_by(folder):
    found = run(write(folder), "seed=0,5")
    single = run("own", "seed=5")
    assert "have the same loss on every repetition" in said_of(f"{found.record.id}#1", single.record.id)
    assert found.trials["loss"][0] != found.trials["loss"][1]


def test_trials_by_other_seeds_are_not_paired_and_said_so_without_words_of_tables(folder):
    found = run(write(folder), "seed=0,5").record
    refused = said_of(f"{found.id}#0", f"{found.id}#1")
    assert "they were repeated otherwise: seed is 0 in A and 5 in B; run B again with seed=0" in refused
    assert [notice.code for notice in found.warnings] == ["different-seeds"]
    longer = run("own", "evaluation.repetitions=3").record.id
    assert "evaluation.repetitions is 2 in A and 3 in B" in said_of(f"{found.id}#0", longer)


def test_the_scores_of_two_scripts_are_not_paired_whichever_was_the_best(folder):
    (folder / "train.py").write_text(
        TRAIN + "\n\ndef other(config, run):\n    return {**main(config, run), 'loss': 9}\n"
    )
    swept = run(write(folder), "script=train.other,train.main").record.id
    for number, script in enumerate(["train.other", "train.main"]):
        again = run("own", f"script={script}", "params.lr=0.2").record.id
        assert "cannot be paired" not in said_of(f"{swept}#{number}", again)
        assert f"script is {script} in A" in said_of(f"{swept}#{number}", f"{swept}#{1 - number}")


def test_a_program_is_other_work_and_what_it_is_told_is_not(folder):
    (folder / "pyproject.toml").write_text('[tool.mlops]\ncommands = ["python"]\n')
    (folder / "job2.py").write_text(JOB)
    first = run(write(folder, **command())).record.id
    assert "B is worse by the very same on each of 2 repetitions" in said_of(
        first, run("own", "params.lr=0.2").record.id
    )
    other = run(write(folder, "two", **command(command="python job2.py --lr 0.1 --seed {seed}"))).record.id
    refused = said_of(first, other)
    assert "command is python job.py in A and python job2.py in B" in refused
    assert refused.endswith("run B again with the same command")


# --- a command -----------------------------------------------------------------------------------------------------


def test_a_command_is_swept_and_its_lines_are_read(folder):
    found = run(write(folder, **command()), "params.lr=0.3,0.6")
    assert found.record.best.params == {"params.lr": 0.3}
    assert found.record.metrics["loss"].splits == pytest.approx((0.1, 0.101))
    assert read_curves(RunPaths(found.path).curves)[0][1].values["loss"][0] == pytest.approx(0.301)
    assert read_curves(RunPaths(found.path).curves)[0][1].unit == "epoch"  # as it was printed
    assert "epoch 2" in (found.path / "artifacts/0/output.log").read_text()


def test_a_command_with_an_open_quote_is_one_clear_error(folder):
    with pytest.raises(ConfigError, match=r"command: cannot be read as words: No closing quotation"):
        run(write(folder, **command(command="python job.py 'x")))


def test_a_command_that_the_owner_does_not_list_is_refused(folder):
    with pytest.raises(TrustError, match=r"'python other\.py' is not among the commands"):
        run(write(folder, **command(command="python other.py")))


@pytest.mark.parametrize("where", ["params.db=postgres://me:hush@host/db", "command='python job.py s3://me:hush@x/y'"])
def test_a_password_in_an_address_is_refused_before_it_is_recorded(folder, where):
    with pytest.raises(ConfigError, match="holds a password, and would be saved") as caught:
        run(write(folder, **command()), f"+{where}" if where.startswith("params") else where)
    assert "hush" not in str(caught.value)
    assert not (folder / "runs").exists()


@pytest.mark.parametrize(
    ("asked", "key"),
    [
        ('+params.db="postgres://me:hush2@host/a","postgres://me:hush2@host/b"', "params.db"),
        ("+params.password=hush2abc", "params.password"),
        ("+params.password=1,hush2abc", "params.password"),
        ("+params.service.api_key=hush2abc", "params.service.api_key"),
        ("+params.auth={pass:hush2abc}", "params.auth.pass"),
        ("+params.hf_token=hf_hush2abcdef", "params.hf_token"),
        ("command='python job.py --db-password hush2'", "command"),
        ("command='python job.py --api-key=hush2'", "command"),
        ("command=[python,job.py,--token,hush2]", "command"),
        ("+sweep.space.params.pwd=[a,hush2]", "params.pwd"),
    ],
)
def test_a_secret_is_refused_wherever_a_script_would_be_told_it(folder, asked, key):
    with pytest.raises(ConfigError, match=r"holds a (password|secret).*os\.environ") as caught:
        run(write(folder, **command()), asked)
    assert caught.value.key == key
    assert "hush" not in str(caught.value)
    assert not (folder / "runs").exists()


def test_what_only_sounds_like_a_secret_is_run(folder):
    told = ['pad_token="<pad>"', "max_token=512", "sort_key=loss", "password=null", "token=50256", "use_password=true"]
    found = run(write(folder), *(f"+params.{word}" for word in told), "+params.auth=basic")
    assert found.record.status == "completed"


@pytest.mark.parametrize("begin", ["python", "python job.pyc", "./python job.py"])
def test_what_is_allowed_goes_by_whole_words(folder, begin):
    (folder / "pyproject.toml").write_text(f'[tool.mlops]\ncommands = ["{begin}"]\n')
    name = write(folder, **command())
    if begin == "python":
        assert run(name).record.status == "completed"
    else:
        with pytest.raises(TrustError):
            run(name)


def test_a_command_that_ends_badly_fails_its_trial_with_its_last_line(folder):
    found = run(write(folder, **command()), "params.lr=0.3,60")
    assert found.record.counts.failed == 1
    failed = found.trials[found.trials["state"] == "failed"]
    assert "ended with code 1: the rate is too large" in failed["error"].iloc[0]


def test_measures_may_come_from_a_file(folder):
    (folder / "job.py").write_text(
        "import json, os, pathlib\n"
        "pathlib.Path(os.environ['MLOPS_FOLDER'], 'metrics.json').write_text(json.dumps({'loss': 0.125}))\n"
        "print('loss=9')\n"
    )
    found = run(write(folder, **command()))
    assert found.record.metrics["loss"].mean == 0.125


def test_an_edited_script_of_a_command_is_another_run(folder):
    first = run(write(folder, **command()))
    assert run("own").path == first.path
    (folder / "job.py").write_text(JOB + "\n")
    assert run("own").path != first.path


def test_nothing_of_a_command_goes_through_a_shell(folder):
    (folder / "job.py").write_text("import sys\nprint('loss=1')\nprint(sys.argv[1:])\n")
    asked = "python job.py '; touch pwned' $(touch pwned) `touch pwned`"
    found = run(write(folder, **command(command=asked)))
    assert found.record.status == "completed"
    assert not (folder / "pwned").exists()


def _wait_for(path, seconds=60):
    deadline = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} did not come"
        time.sleep(0.05)


def test_a_killed_run_leaves_no_command_behind_and_goes_on_from_its_checkpoint(folder):
    (folder / "job.py").write_text(
        "import os, pathlib, time\n"
        "kept = pathlib.Path(os.environ['MLOPS_CHECKPOINTS'], 'half')\n"
        "if not kept.exists():\n"
        "    kept.write_text('half')\n"
        "    pathlib.Path('pid').write_text(str(os.getpid()))\n"
        "    pathlib.Path('begun').touch()\n"
        "    time.sleep(600)\n"
        "print('loss=0.5')\n"
    )
    write(folder, **command(evaluation={"metrics": ["loss"]}))
    going = subprocess.Popen([sys.executable, "-m", "mlops_cli", "run", "config=own", "-j1"], start_new_session=True)
    _wait_for(folder / "begun")
    child = int((folder / "pid").read_text())
    os.killpg(going.pid, signal.SIGKILL)
    going.wait()
    deadline = time.monotonic() + 60
    while Path(f"/proc/{child}").exists() and "Z" not in Path(f"/proc/{child}/stat").read_text().split()[2]:
        assert time.monotonic() < deadline, "the command outlived its run"
        time.sleep(0.05)
    ended = mlops.resume("own:latest")
    assert ended.record.status == "completed"
    assert ended.record.metrics["loss"].mean == 0.5
    assert not RunPaths(ended.path).checkpoints.exists()


@pytest.mark.parametrize(
    ("override", "said"), [("split=kfold", "repetitions"), ("threshold=0.3", "leave threshold out")]
)
def test_what_is_for_tables_is_refused_with_what_is_for_scripts(folder, override, said):
    with pytest.raises(ConfigError, match="reads no table") as found:
        run(write(folder), override)
    assert said in found.value.hint


def test_a_pruner_with_nothing_to_prune_by_says_what_a_script_can_do(folder):
    found = run(write(folder, evaluation={"metrics": ["loss"]}), "params.lr=0.1,0.2", "sweep.pruner=wilcoxon")
    (notice,) = [w.message for w in found.record.warnings if w.code == "idle-pruner"]
    assert "evaluation.repetitions=" in notice
    assert "over: rows" not in notice
