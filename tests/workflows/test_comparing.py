"""Which of two is better: asked of real runs by the real command, and answered the same way in Python."""

import json
import math
import shutil

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import mlops_cli as mlops
from mlops_cli.errors import StoreError, UsageError
from mlops_cli.store.layout import RunPaths

CONFIG = """
defaults: [experiment, {data: csv}, {transforms: none}, {model: logistic_regression}, {split: kfold}, _self_]
data: {path: data/points.csv, target: label}
evaluation: {metrics: [roc_auc, accuracy]}
"""


@pytest.fixture(scope="module")
def points(tmp_path_factory):
    """A workspace where a linear model is right, a shallow tree is not, and C hardly matters."""
    root = tmp_path_factory.mktemp("points")
    (root / "configs").mkdir()
    (root / "data").mkdir()
    rng = np.random.default_rng(11)
    X = rng.normal(size=(400, 6))
    label = (X.sum(axis=1) + rng.normal(scale=0.8, size=400) > 0).astype(int)
    table = pd.DataFrame(X.round(4), columns=list("abcdef")).assign(label=label)
    table.to_csv(root / "data" / "points.csv", index=False)
    table.drop(columns="f").to_csv(root / "data" / "fewer.csv", index=False)
    table.iloc[:300].to_csv(root / "data" / "short.csv", index=False)
    (root / "configs" / "points.yaml").write_text(CONFIG)
    runs = {
        "linear": mlops.run("points", workspace=root),
        "nearly": mlops.run("points", ["model.C=0.5"], workspace=root),
        "tree": mlops.run("points", ["model=decision_tree", "model.max_depth=1"], workspace=root),
        "sweep": mlops.run("points", ["model.C=0.001,0.9,1.1"], workspace=root),
        "seeds": mlops.run("points", ["seed=0,1"], workspace=root),
        "more": mlops.run("points", ["split.n_splits=10"], workspace=root),
        "held": mlops.run("points", ["evaluation.test=0.2"], workspace=root),
        "single": mlops.run("points", ["split=hold_out"], workspace=root),
        "single_other": mlops.run("points", ["split=hold_out", "model.C=0.01"], workspace=root),
        "fewer": mlops.run("points", ["data.path=data/fewer.csv"], workspace=root),
        "short": mlops.run("points", ["data.path=data/short.csv"], workspace=root),
    }
    return root, runs


def test_a_difference_that_is_noise_is_named_so(points, mlops):
    root, runs = points
    done = mlops("runs", "compare", runs["linear"].id, runs["nearly"].id, cwd=root)
    assert done.returncode == 0, done.stderr
    assert "no evidence" in done.stdout
    assert "noise" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_a_difference_that_is_real_is_named_so(points, mlops):
    root, runs = points
    done = mlops("runs", "compare", runs["tree"].id, runs["linear"].id, cwd=root)
    assert "B is better: roc_auc +0." in done.stdout
    assert "(5 paired splits, p < 0.001)" in done.stdout
    turned = mlops("runs", "compare", runs["linear"].id, runs["tree"].id, cwd=root)
    assert "B is worse: roc_auc -0." in turned.stdout


@pytest.mark.parametrize("other", ["nearly", "tree"])
def test_the_statistic_is_that_of_a_direct_computation(points, mlops, other):
    root, runs = points
    done = mlops("runs", "compare", runs["linear"].id, runs[other].id, "--json", cwd=root)
    found = json.loads(done.stdout)["pairings"][0]["differences"]["roc_auc"]
    lines = [(root / runs[name].path / "trials.jsonl").read_text() for name in ("linear", other)]
    a, b = (np.array(json.loads(line)["scores"]["roc_auc"]) for line in lines)
    d = b - a
    error = math.sqrt(d.var(ddof=1) * (1 / 5 + 80 / 320))  # 400 rows in five parts
    assert found["difference"] == pytest.approx(d.mean(), abs=1e-15)
    assert found["p"] == pytest.approx(2 * stats.t.sf(abs(d.mean()) / error, df=4), rel=1e-10)
    assert found["ci95"] == pytest.approx(stats.t.interval(0.95, 4, loc=d.mean(), scale=error), rel=1e-10)


def test_trials_of_a_sweep_are_compared_by_their_numbers(points):
    root, runs = points
    ref = runs["sweep"].id
    found = mlops.compare(f"{ref}#2", f"{ref}#0", f"{ref}#1", workspace=root)
    assert not any(pairing.refused for pairing in found.found.pairings)
    assert found.found.pairings[0].other.params["model.C"] == 0.001
    assert found.found.pairings[0].other.params["split.n_splits"] == 5


def test_a_run_that_is_named_twice_counts_once_and_that_is_said(points, mlops):
    root, runs = points
    linear, tree = runs["linear"].id, runs["tree"].id
    done = mlops("runs", "compare", linear, f"{linear}#0", tree, "--json", cwd=root)
    assert f"{linear}#0 is trial 0 of {linear}, which is A already" in done.stderr
    assert [c["label"] for c in json.loads(done.stdout)["contenders"]] == [linear, tree]


def test_diff_takes_no_trial(points, mlops):
    root, runs = points
    done = mlops("runs", "diff", f"{runs['sweep'].id}#1", runs["tree"].id, cwd=root)
    assert done.returncode == 2
    assert "runs diff takes no #TRIAL" in done.stderr


def test_runs_of_other_features_pair_on_the_same_rows(points):
    root, runs = points
    found = mlops.compare(runs["linear"], runs["fewer"], workspace=root)
    assert "B is worse" in found.sentences[0]


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ("more", "split.n_splits is 5 in A and 10 in B; run B again with split.n_splits=5"),
        ("held", "evaluation.test is null in A and 0.2 in B; run B again with evaluation.test=null"),
        ("short", "with 300 rows; run both on the same data"),
    ],
)
def test_what_was_split_differently_is_not_paired_and_shown_all_the_same(points, mlops, other, said):
    root, runs = points
    done = mlops("runs", "compare", runs["linear"].id, runs[other].id, cwd=root)
    assert done.returncode == 0
    assert said in " ".join(done.stdout.split())
    assert "unpaired" in done.stdout
    assert f"{runs[other].metrics['roc_auc'].mean:.4f}" in done.stdout


def test_trials_of_a_sweep_over_seeds_are_not_paired(points):
    root, runs = points
    ref = runs["seeds"].id
    found = mlops.compare(f"{ref}#0", f"{ref}#1", workspace=root)
    assert "seed is 0 in A and 1 in B" in found.sentences[0]
    assert list(found.table.verdict) == ["unpaired", "unpaired"]
    assert found.table.first_mean.notna().all()


def test_clusterings_of_other_data_are_not_paired(points):
    root, _ = points
    asked = ["data.target=null", "model=kmeans", "evaluation.metrics=[silhouette]"]
    same, again, other = (
        mlops.run("points", [*asked, f"data.path={path}", f"model.n_clusters={count}"], workspace=root)
        for path, count in (("data/points.csv", 2), ("data/points.csv", 3), ("data/fewer.csv", 2))
    )
    assert "cannot be paired with A: their data differs" in mlops.compare(same, other, workspace=root).sentences[0]
    assert "cannot be paired" not in mlops.compare(same, again, workspace=root).sentences[0]


@pytest.fixture
def killed(points, tmp_path):
    """The sweep's run as a kill before its end would have left it, in a workspace with one that lived."""
    root, runs = points
    for name in ("sweep", "nearly"):
        shutil.copytree(root / runs[name].path, tmp_path / "runs" / runs[name].id)
    (tmp_path / "configs").mkdir()
    file = tmp_path / "runs" / runs["sweep"].id / "run.json"
    record = json.loads(file.read_text()) | {"status": "running", "best": None, "metrics": {}, "splits": None}
    record["params"] = {key: value for key, value in record["params"].items() if "." not in key and key != "seed"}
    file.write_text(json.dumps(record))
    return tmp_path, runs["sweep"].id, runs["nearly"].id


def test_a_killed_run_is_not_said_to_be_split_differently(killed):
    root, dead, alive = killed
    (said,) = mlops.compare(dead, alive, workspace=root).sentences
    assert said.endswith(f"nothing tells how the rows of A were split; mlops resume {dead}")


def test_trials_of_a_killed_run_are_compared_as_if_it_had_lived(points, killed):
    root, dead, _ = killed
    there, lived = (mlops.compare(f"{dead}#0", f"{dead}#1", workspace=place) for place in (root, points[0]))
    assert there.table.p.tolist() == pytest.approx(lived.table.p.tolist())


def test_a_killed_run_differs_from_another_one_in_what_was_asked_alone(killed, mlops):
    root, dead, alive = killed
    found = json.loads(mlops("runs", "diff", dead, alive, "--json", cwd=root).stdout)
    assert "split.n_splits" not in json.dumps(found)
    assert "model.C" in json.dumps(found)


def test_the_best_of_a_sweep_owes_some_of_its_lead_to_luck_and_a_trial_by_its_number_none(points, mlops):
    root, runs = points
    tree, sweep = runs["tree"].id, runs["sweep"].id
    done = mlops("runs", "compare", tree, sweep, cwd=root)
    assert "B is the best of 3 trials by these same scores: part of its lead is luck" in " ".join(done.stdout.split())
    best = runs["sweep"].best.trial
    found = json.loads(mlops("runs", "compare", tree, f"{sweep}#{best}", "--json", cwd=root).stdout)
    assert "luck" not in found["pairings"][0]["sentence"]
    assert [one["chosen_from"] for one in found["contenders"]] == [1, 1]
    found = json.loads(mlops("runs", "compare", tree, sweep, "--json", cwd=root).stdout)
    assert [one["chosen_from"] for one in found["contenders"]] == [1, 3]


def test_one_split_tells_nothing(points):
    root, runs = points
    assert (
        "one split cannot tell B from chance"
        in mlops.compare(runs["single"], runs["single_other"], workspace=root).sentences[0]
    )


def test_in_python_there_is_a_table_and_a_repr_that_says_it(points):
    root, runs = points
    found = mlops.compare(runs["tree"], runs["linear"], workspace=root)
    assert repr(found).splitlines()[2].startswith("B is better: roc_auc +0.")
    row = found.table.set_index("metric").loc["roc_auc"]
    assert row.verdict == "better"
    assert row.low < row.difference < row.high
    assert row.difference == pytest.approx(row.other_mean - row.first_mean)


@pytest.mark.parametrize(
    ("refs", "message"),
    [
        (["{linear}"], "at least two runs are compared"),
        (["{linear}", "{linear}#0"], "which is A already"),
        (["{sweep}", "{sweep}#7"], "has no trial 7"),
        (["{sweep}", "{sweep}#x"], "after # stands the number of a trial"),
        (["{linear}", "nowhere"], "no run 'nowhere'"),
    ],
)
def test_what_cannot_be_compared_is_one_line(points, mlops, refs, message):
    root, runs = points
    ids = {name: run.id for name, run in runs.items()}
    done = mlops("runs", "compare", *(ref.format(**ids) for ref in refs), cwd=root)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unknown_metric_gets_the_nearest_name(points):
    from mlops_cli.workflows.runs.compare import compare_runs

    root, runs = points
    with pytest.raises(UsageError, match="did you mean 'roc_auc'"):
        compare_runs([runs["linear"].id, runs["tree"].id], metric="roc_auk", workspace=root)


# --- diff --------------------------------------------------------------------------------------------------------


def test_diff_says_what_differs_and_nothing_else(points, mlops):
    root, runs = points
    done = mlops("runs", "diff", runs["linear"].id, runs["nearly"].id, "--json", cwd=root)
    sections = json.loads(done.stdout)["sections"]
    assert sections.pop("scores").keys() <= {"roc_auc", "accuracy"}
    assert sections == {"params": {"model.C": {"a": 1.0, "b": 0.5}}}


def test_diff_names_columns_and_data(points, mlops):
    root, runs = points
    done = mlops("runs", "diff", runs["linear"].id, runs["fewer"].id, cwd=root)
    text = done.stdout
    assert "data.path  data/points.csv → data/fewer.csv" in text
    assert "f  removed  float64, numeric" in text
    assert max(map(len, text.splitlines())) <= 80


def test_a_run_does_not_differ_from_itself(points, mlops):
    root, runs = points
    done = mlops("runs", "diff", runs["linear"].id, runs["linear"].id, cwd=root)
    assert done.stdout.splitlines()[-1] == "no difference"


def test_diff_names_the_files_of_uncommitted_changes(points, tmp_path):
    import shutil

    from mlops_cli.workflows.runs.diff import diff_runs

    _, runs = points
    other = tmp_path / "runs" / "points" / runs["linear"].path.name
    shutil.copytree(runs["linear"].path, other)
    (other / "source.diff").write_text("diff --git a/model.py b/model.py\n")
    (change,) = diff_runs(str(runs["linear"].path), str(other)).sections["code"]
    assert change.key == "source.diff"
    assert change.b.startswith("model.py (")


# --- show --------------------------------------------------------------------------------------------------------


def test_show_says_how_far_the_winner_leads_and_which_files_there_are(points, mlops):
    root, runs = points
    done = mlops("runs", "show", runs["sweep"].id, cwd=root)
    text = " ".join(done.stdout.split())
    assert "no evidence that trial" in text
    assert "the next: roc_auc" in text
    assert "model/ predictions.parquet" in text
    assert "split 0 1 2 3 4" in text


def test_show_prints_the_profile_that_a_run_wrote_of_its_data(points, mlops):
    root, runs = points
    done = mlops("runs", "show", runs["linear"].id, "--profile", cwd=root)
    assert done.stdout.splitlines()[0] == "400 rows × 7 columns"
    assert "label target" in done.stdout
    data = json.loads(mlops("runs", "show", runs["linear"].id, "--profile", "--json", cwd=root).stdout)
    assert [c["role"] for c in data["columns"]] == ["target", *["feature"] * 6]


def test_a_run_without_a_profile_says_so(points):
    from mlops_cli.workflows.runs.show import profile_of

    root, runs = points
    file = RunPaths(runs["tree"].path).profile
    kept = file.read_bytes()
    file.unlink()
    try:
        with pytest.raises(StoreError, match="has no profile"):
            profile_of(runs["tree"].id, workspace=root)
    finally:
        file.write_bytes(kept)
