"""The command as its users call it: what goes to which stream, and which exit code the shell gets."""

import json
import re

import pytest


def test_run_prints_scores_on_stdout_and_progress_on_stderr(small, mlops):
    done = mlops("run", "config=points")
    assert done.returncode == 0, done.stderr
    assert re.search(r"roc_auc ↑ +0\.\d{4} ± ", done.stdout)
    assert "1 of 1 trial, best roc_auc" in done.stderr
    assert "1 of 1 trial" not in done.stdout
    assert "next: mlops report " in done.stderr


def test_quiet_prints_the_run_directory_alone(small, mlops):
    done = mlops("run", "config=points", "--quiet")
    assert re.fullmatch(rf"{small}/runs/points/\d{{8}}-\d{{6}}-[0-9a-f]{{6}}\n", done.stdout)
    assert done.stderr == ""


def test_json_prints_run_json(small, mlops):
    done = mlops("run", "config=points", "model.C=0.1,1", "--json")
    record = json.loads(done.stdout)
    assert record["status"] == "completed"
    assert record["counts"]["trials"] == 2
    assert record == json.loads((small / record["path"] / "run.json").read_text())


def test_a_sweep_shows_its_leaderboard(small, mlops):
    done = mlops("run", "config=points", "model=logistic_regression,knn", "-m")
    assert "params" in done.stdout
    assert "model=knn" in done.stdout


def test_dry_run_prints_the_very_plan_and_writes_nothing(small, mlops):
    done = mlops("run", "config=points", "model.C=0.1,1,10", "--dry-run", "--json")
    plan = json.loads(done.stdout)
    assert [t["params"] for t in plan["trials"]] == [{"model.C": 0.1}, {"model.C": 1}, {"model.C": 10}]
    assert not (small / "runs").exists()
    assert not (small / ".mlops").exists()
    run = json.loads(mlops("run", "config=points", "model.C=0.1,1,10", "--json").stdout)
    journal = [json.loads(line) for line in (small / run["path"] / "trials.jsonl").read_text().splitlines()]
    assert {t["fingerprint"] for t in plan["trials"]} == {line["fingerprint"] for line in journal}
    assert plan["fingerprint"] == run["fingerprint"]


def test_dry_run_reads_well(small, mlops):
    done = mlops("run", "config=points", "model.C=0.1,1", "--dry-run")
    assert "points  classification (positive: 1), 60 rows × 3 features, 2 trials × 5" in done.stdout
    assert "model.C=0.1" in done.stdout


def test_an_identical_run_costs_nothing_twice(small, mlops):
    first = mlops("run", "config=points", "--quiet").stdout
    again = mlops("run", "config=points")
    assert "was there already" in again.stderr
    assert first.strip() in again.stderr
    assert mlops("run", "config=points", "--quiet", "--force").stdout != first


def test_a_failed_trial_leaves_exit_code_0_and_strict_makes_it_1(small, mlops):
    done = mlops("run", "config=points", "model.C=1,-1")
    assert done.returncode == 0
    assert "1 of 2 trials failed:" in done.stdout
    assert "1 × InvalidParameterError: The 'C' parameter of LogisticRegression must be" in done.stdout
    strict = mlops("run", "config=points", "model.C=1,-1", "--strict", "--force", "--quiet")
    assert strict.returncode == 1
    assert strict.stdout.strip()


def test_a_run_of_which_nothing_completes_exits_with_1(small, mlops):
    (small / "bad.py").write_text(
        "from sklearn.tree import DecisionTreeClassifier\n"
        "class Bad(DecisionTreeClassifier):\n"
        "    def fit(self, X, y, sample_weight=None):\n"
        "        raise ValueError('no cheese')\n"
    )
    (small / "pyproject.toml").write_text('[tool.mlops]\ntrust = ["bad"]\n')
    (small / "configs" / "model").mkdir()
    (small / "configs" / "model" / "bad.yaml").write_text("_target_: bad.Bad\n")
    done = mlops("run", "config=points", "model=bad")
    assert done.returncode == 1
    assert "ValueError: no cheese" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["run"], 2, "config=NAME"),
        (["run", "model=svm"], 2, "no config=NAME"),
        (["run", "config=pionts"], 2, "points"),
        (["run", "config=points", "model=logistic_regresion"], 2, "logistic_regression"),
        (["run", "config=points", "model.CC=1"], 2, "LogisticRegression"),
        (["run", "config=points", "model.C=-1"], 2, "The 'C' parameter of LogisticRegression must be"),
        (["run", "config=points", "evaluation.metric=x"], 2, "metrics"),
        (["run", "config=points", "evaluation.metrics=[rocauc]"], 2, "roc_auc"),
        (["run", "config=points", "data.target=lable"], 2, "label"),
        (["run", "config=points", "data.path=data/pionts.csv"], 3, "points.csv"),
        (["run", "config=points", "model.C=interval(0,1)"], 2, "sweep.sampler=random"),
        (["run", "config=points", "--tag", "draft"], 2, "KEY=VALUE"),
        (["run", "config=points", "-j", "0"], 2, "n_jobs"),
        (["runs", "show", "nothing"], 2, "no run"),
        (["config", "points", "model=svn"], 2, "svm"),
        (["completion", "fish"], 2, "bash"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_is_one_clear_message(small, mlops, arguments, code, said):
    done = mlops(*arguments)
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_verbose_adds_the_traceback(small, mlops):
    assert "Traceback" in mlops("run", "config=points", "model=svn", "--verbose").stderr


def test_runs_ls_lists_what_ran(small, mlops):
    mlops("run", "config=points", "--quiet")
    mlops("run", "config=points", "model=knn", "--quiet")
    done = mlops("runs", "ls")
    assert done.stdout.count("today") == 2
    listed = json.loads(mlops("runs", "ls", "points", "--json").stdout)
    assert [r["experiment"] for r in listed] == ["points", "points"]
    assert mlops("runs", "ls", "--quiet", "--limit", "1").stdout == f"{listed[0]['id']}\n"


def test_runs_ls_in_an_empty_workspace_says_what_to_do(workspace, mlops):
    done = mlops("runs", "ls")
    assert done.returncode == 0
    assert "mlops run config=NAME" in done.stderr


def test_runs_show_tells_all_of_one_run(small, mlops):
    path = mlops("run", "config=points", "--quiet", "--note", "first", "--tag", "stage=draft").stdout.strip()
    for ref in ("latest", "points:latest", "points:best", path, path.rpartition("/")[2]):
        done = mlops("runs", "show", ref)
        assert done.returncode == 0, done.stderr
        assert "roc_auc" in done.stdout
    assert "first" in done.stdout
    assert "stage=draft" in done.stdout
    assert "data/points.csv  60 rows × 4 columns" in done.stdout


def test_config_prints_what_runs_again(small, mlops):
    done = mlops("config", "points", "model.C=3")
    (small / "frozen.yaml").write_text(done.stdout)
    plain = json.loads(mlops("run", "config=points", "model.C=3", "--json").stdout)
    again = json.loads(mlops("run", "config=frozen.yaml", "--json").stdout)
    assert again["metrics"] == plain["metrics"]


def test_config_explains_where_a_value_came_from(small, mlops):
    done = mlops("config", "points", "model.C=3", "--explain", "model.C")
    assert "model.C=3" in done.stdout
    assert "command line" in done.stdout
    assert "logistic_regression.yaml" in done.stdout


def test_config_lists_the_catalogue(small, mlops):
    done = mlops("config", "--list")
    for word in ("points", "random_forest", "tabular", "stratified_kfold", "csv"):
        assert word in done.stdout
    listed = json.loads(mlops("config", "--list", "--json").stdout)
    assert listed["experiments"] == ["points"]
    assert "svm" in listed["groups"]["model"]


def test_config_lists_what_each_option_of_a_group_is(small, mlops):
    (small / "configs" / "split").mkdir()
    (small / "configs" / "split" / "mine.yaml").write_text("# Two folds\n_target_: sklearn.model_selection.KFold\n")
    done = mlops("config", "--list", "split")
    assert "Folds at random" in done.stdout
    assert "mine*" in done.stdout
    listed = json.loads(mlops("config", "--list", "split", "model", "--json").stdout)
    assert listed["split"]["mine"] == {"origin": "workspace", "about": "Two folds"}
    assert all(option["about"] for group in listed.values() for option in group.values())
    assert "mine" in mlops("config", "--list", "split", "-q").stdout.split()
    assert "did you mean 'split'?" in mlops("config", "--list", "splti").stderr


def test_doctor_finds_what_works(small, mlops):
    done = mlops("doctor", "--json")
    found = {f["check"]: f["state"] for f in json.loads(done.stdout)}
    assert found["python"] == found["scikit-learn"] == found["config=points"] == "ok"
    assert found["worker processes"] == "ok"


def test_doctor_finds_a_broken_config_and_exits_with_1(small, mlops):
    (small / "configs" / "broken.yaml").write_text("defaults: [experiment, {model: nothing}, _self_]\n")
    done = mlops("doctor")
    assert done.returncode == 1
    assert "config=broken" in done.stdout


def test_no_color_and_a_pipe_leave_plain_text(small, mlops):
    assert "\x1b" not in mlops("run", "config=points").stdout
    assert "\x1b" not in mlops("runs", "show", "latest", env={"NO_COLOR": "1", "FORCE_COLOR": ""}).stdout


def test_version(mlops):
    assert re.fullmatch(r"mlops \d+\.\d+\.\d+\n", mlops("--version").stdout)


def test_init_makes_a_workspace_that_runs_at_once(tmp_path, mlops):
    made = mlops("init", "here", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    assert "wrote configs/iris.yaml" in made.stdout
    assert (tmp_path / "here" / ".gitignore").is_file()
    done = mlops("run", "config=iris", cwd=tmp_path / "here")
    assert done.returncode == 0, done.stderr
    assert "accuracy" in done.stdout


def test_init_never_overwrites(tmp_path, mlops):
    (tmp_path / "Makefile").write_text("mine:\n")
    done = mlops("init", cwd=tmp_path)
    assert "kept  Makefile" in done.stdout
    assert (tmp_path / "Makefile").read_text() == "mine:\n"
    assert "wrote" not in mlops("init", cwd=tmp_path).stdout


def test_markup_and_escapes_in_names_are_shown_as_text(small, mlops):
    (small / "configs" / "odd.yaml").write_text(
        (small / "configs" / "points.yaml").read_text() + 'description: "[/x] \\e[31mred"\n'
    )
    done = mlops("run", "config=odd", "--tag", "k=[bold]\x1b[31m")
    assert done.returncode == 0, done.stderr
    shown = mlops("runs", "show", "odd:latest")
    assert "[/x] \\x1b[31mred" in shown.stdout
    assert "k=[bold]\\x1b[31m" in shown.stdout
    assert "\x1b" not in shown.stdout
