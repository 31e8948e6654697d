"""When a model is made anew by itself: as its owner's policy says, by drift, by the calendar, or by a metric."""

from __future__ import annotations

import shutil

import numpy as np
import pandas as pd
import pytest

import mlops_cli as mlops
from mlops_cli.config import Workspace, load_experiment
from mlops_cli.errors import ConfigError
from mlops_cli.records import Action
from mlops_cli.store.audit import AuditLog
from mlops_cli.store.layout import WorkspacePaths
from mlops_cli.workflows.watching.drift import drift
from mlops_cli.workflows.watching.monitor import log_batch

CONFIG = """
defaults: [experiment, {data: csv}, {transforms: tabular}, {model: logistic_regression}, _self_]
name: loans
data: {path: data/loans.csv, target: bad, id: key, time: day}
split: {_target_: sklearn.model_selection.TimeSeriesSplit, n_splits: 3}
evaluation: {metrics: [roc_auc], test: 0.2}
artifacts: {plots: none}
"""


def loans(rows, start, *, seed, sign=1.0, shift=0.0):
    """Loans of which income tells who cannot pay: the day each was given, three a day, and what came of it."""
    rng = np.random.default_rng(seed)
    income, age = rng.normal(shift, 1, rows), rng.normal(40, 10, rows)
    return pd.DataFrame(
        {
            "key": np.arange(start, start + rows),
            "day": pd.Timestamp("2025-01-01") + pd.to_timedelta(np.arange(start, start + rows) // 3, unit="D"),
            "income": income.round(4),
            "age": age.round(1),
            "bad": (sign * income + rng.normal(0, 0.7, rows) < 0).astype(int),
        }
    )


BEFORE = loans(450, 0, seed=0)
ALIKE = loans(300, 450, seed=1)
OTHER = loans(300, 450, seed=2, sign=-1.0, shift=1.5)


@pytest.fixture(scope="module")
def champion(tmp_path_factory):
    """A workspace whose model ``loans`` has learned from the first 150 days."""
    root = tmp_path_factory.mktemp("loans")
    for name in ("configs/retrain", "data"):
        (root / name).mkdir(parents=True)
    (root / "configs" / "loans.yaml").write_text(CONFIG)
    BEFORE.to_csv(root / "data" / "loans.csv", index=False)
    mlops.register(mlops.run("loans", n_jobs=1, workspace=root).id, alias="champion", workspace=root)
    return root


@pytest.fixture
def home(champion, tmp_path, monkeypatch):
    """A copy of that workspace, and the current folder."""
    root = tmp_path / "home"
    shutil.copytree(champion, root, symlinks=True)
    monkeypatch.chdir(root)
    return root


def policy(home, text):
    (home / "configs" / "retrain" / "loans.yaml").write_text(f"{text}forget: true\n")  # whose world turns round


def come(home, *parts):
    """Let the file have grown."""
    pd.concat([BEFORE, *parts]).to_csv(home / "data" / "loans.csv", index=False)


def test_the_story_of_a_model_that_the_world_has_left_behind(home):
    policy(home, "when: drift\nwindow: 60d\n")
    ALIKE.to_csv("alike.csv", index=False)
    log_batch("loans@champion", "alike.csv")
    come(home, ALIKE)
    quiet = mlops.retrain("loans", if_needed=True)
    assert (quiet.needed, quiet.run) == (False, None)
    assert quiet.reasons == ("the latest batch, alike.csv, has not drifted",)

    OTHER.to_csv("other.csv", index=False)
    log_batch("loans@champion", "other.csv")
    come(home, OTHER)
    found = mlops.retrain("loans", if_needed=True, n_jobs=1)
    assert found.needed
    assert found.reasons[0].startswith("the latest batch, other.csv, has drifted: ")
    assert found.promotion.done
    assert found.promotion.gates[0].found.endswith("better")
    held_out = mlops.evaluate("loans@champion", found.held_out).metrics["roc_auc"]
    before = mlops.evaluate("loans/1", found.held_out).metrics["roc_auc"]
    assert held_out.value > 0.7 > 0.5 > before.value

    again = mlops.retrain("loans", if_needed=True)
    assert (again.needed, again.before) == (False, "loans/2")
    assert "no batch of loans/2 was logged" in again.reasons[0]
    did = [entry.action for entry in AuditLog(WorkspacePaths(home)).entries()]
    assert did[-5:] == [Action.RUN, Action.REGISTERED, Action.ALIAS, Action.RETRAINED, Action.PROMOTED]


def test_the_latest_days_are_held_out_and_a_window_is_of_those_before(home):
    come(home, OTHER)
    found = mlops.retrain("loans", window="60d", promote=False, n_jobs=1)
    train, held_out = (pd.concat([BEFORE, OTHER]).set_index("key").loc[rows["key"]] for rows in kept(home, found))
    assert held_out["day"].min() > train["day"].max()
    assert (train["day"].max() - train["day"].min()).days == 59
    assert found.rows == {"before": 450, "new": 300, "trained": 180, "held_out": 60}


def kept(home, found):
    import yaml

    from mlops_cli.config.workspace import Workspace
    from mlops_cli.workflows.data.keep import snapshots_of

    snapshots = snapshots_of(Workspace(home))
    config = yaml.safe_load((mlops.models.find(found.version).path / "config.yaml").read_text())
    for version in (config["data"]["snapshot"], found.held_out.removeprefix("snapshot:")):
        yield snapshots.read_table(snapshots.find(version))


def test_rows_of_one_day_are_never_on_both_sides(home):
    come(home, OTHER)
    train, held_out = kept(home, mlops.retrain("loans", hold_out=0.25, promote=False, n_jobs=1))
    assert not set(train["day"]) & set(held_out["day"])


def test_without_batches_the_new_data_itself_is_looked_at(home):
    policy(home, "when: drift\ndata: data/new.csv\n")  # from the workspace, wherever the command is given
    ALIKE.to_csv("data/new.csv", index=False)
    assert not drift("loans@champion", "data/new.csv").report.drifted
    assert not mlops.retrain("loans", if_needed=True).needed
    OTHER.to_csv("data/new.csv", index=False)
    found = mlops.retrain("loans", if_needed=True, n_jobs=1)
    assert found.needed
    assert "data/new.csv has drifted: " in found.reasons[0]
    assert found.promotion.done


def test_without_batches_and_data_nobody_knows(home):
    policy(home, "when: drift\n")
    found = mlops.retrain("loans", if_needed=True)
    assert found.reasons == ("no batch of loans/1 was logged, and no --data given: nobody knows of drift",)


def test_by_the_calendar(home):
    policy(home, "when: schedule\nevery: 30d\n")
    come(home, OTHER)
    assert "is made anew every 30 days" in mlops.retrain("loans", if_needed=True).reasons[0]
    policy(home, "when: schedule\nevery: 1e-3s\n".replace("1e-3s", "0.001s"))
    assert mlops.retrain("loans", if_needed=True, n_jobs=1).promotion.done


def test_by_a_metric_of_the_latest_labelled_batch(home):
    policy(home, "when: [roc_auc < 0.8, drift]\n")
    come(home, OTHER)
    found = mlops.retrain("loans", if_needed=True)
    assert found.reasons[1] == "no batch of loans/1 has labels yet, so nobody knows of roc_auc < 0.8"
    policy(home, "when: roc_auc < 0.8\n")
    ALIKE.to_csv("alike.csv", index=False)
    log_batch("loans@champion", "alike.csv")
    assert mlops.retrain("loans", if_needed=True).reasons[0].endswith("roc_auc < 0.8 is not so")
    OTHER.to_csv("other.csv", index=False)
    log_batch("loans@champion", "other.csv")
    found = mlops.retrain("loans", if_needed=True, n_jobs=1)
    assert found.needed
    assert found.reasons[0].startswith("roc_auc of the latest labelled batch, other.csv, is 0.")
    assert found.promotion.done


def test_what_the_command_says_comes_before_the_policy(home):
    policy(home, "when: drift\nrows: new\nhold_out: 0.3\npromote: false\n")
    come(home, OTHER)
    found = mlops.retrain("loans", n_jobs=1)
    assert (found.rows["trained"], found.promotion.done) == (210, False)
    assert mlops.retrain("loans", rows="all", n_jobs=1).rows["trained"] == 660
    assert mlops.retrain("loans", promote=True, n_jobs=1).promotion.done


def test_a_policy_of_the_experiment_is_followed_where_the_owner_has_no_file(home):
    (home / "configs" / "loans.yaml").write_text(f"{CONFIG}\nretrain: {{when: schedule, every: 1s, rows: new}}\n")
    mlops.register(mlops.run("loans", force=True, n_jobs=1), alias="champion")
    come(home, OTHER)
    assert mlops.retrain("loans", n_jobs=1).rows["trained"] == 240
    policy(home, "rows: all\n")
    with pytest.raises(ConfigError, match=r"retrain\.when: says nothing"):
        mlops.retrain("loans", if_needed=True)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("when: sometimes\n", "configs/retrain/loans.yaml:1: when: "),
        ("when: schedule\n", "every"),
        ("warm_start: true\nrows: all\n", "configs/retrain/loans.yaml:2: rows: a model that goes on learning"),
        ("wehn: drift\n", "did you mean 'when'"),
    ],
)
def test_a_policy_that_is_wrong_is_told_with_its_line(home, text, said):
    policy(home, text)
    with pytest.raises(ConfigError) as error:
        mlops.retrain("loans", if_needed=True)
    assert said in str(error.value)


def test_a_metric_that_nobody_computes_is_told_with_the_nearest(home):
    policy(home, "when: roc_acu < 0.8\n")
    with pytest.raises(
        ConfigError, match=r"configs/retrain/loans\.yaml:1: when: no metric 'roc_acu' is computed"
    ) as told:
        mlops.retrain("loans")
    assert told.value.hint.startswith("did you mean 'roc_auc'?")


def test_at_composing_too_where_the_experiment_lists_its_metrics(home):
    (home / "configs" / "slip.yaml").write_text(f"{CONFIG}retrain: {{when: roc_acu < 0.8}}\n")
    with pytest.raises(ConfigError, match=r"slip\.yaml:\d+: retrain\.when: no metric 'roc_acu' is computed"):
        load_experiment("slip", (), Workspace(home))
    (home / "configs" / "slip.yaml").write_text(f"{CONFIG}retrain: {{when: roc_auc < 0.8}}\n")
    assert load_experiment("slip", (), Workspace(home)).spec.retrain.metrics


@pytest.mark.parametrize("when", ["drift", "schedule\nevery: 0.001s"])
@pytest.mark.parametrize("data", ["inbox/*.csv", "inbox"])
def test_an_empty_inbox_is_no_fault_of_a_cron_line(home, mlops, when, data):
    (home / "inbox").mkdir()
    policy(home, f"when: {when}\ndata: {data}\n")
    done = mlops("retrain", "loans", "--if-needed", "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    done = mlops("retrain", "loans", "--if-needed")
    assert (done.returncode, done.stdout.endswith(f"nothing is new: no file is in {data}\n")) == (0, True)
    assert mlops("retrain", "loans").returncode == 3
    policy(home, f"when: {when}\ndata: inbix/*.csv\n")  # a folder that is not there is a slip
    assert mlops("retrain", "loans", "--if-needed").returncode == 3


def test_one_line_of_cron_says_nothing_where_nothing_is_to_be_done(home, mlops):
    policy(home, "when: drift\ndata: data/new.csv\n")
    ALIKE.to_csv("data/new.csv", index=False)
    done = mlops("retrain", "loans", "--if-needed", "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    done = mlops("retrain", "loans", "--if-needed")
    assert done.stdout == "loans/1 stays: data/new.csv has not drifted\n"
