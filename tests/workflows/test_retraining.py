"""A model made anew: which rows are new, which are held out, and that no worse one takes the champion's place."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

import mlops_cli as mlops
from mlops_cli import models
from mlops_cli.errors import DataError, StoreError, UsageError
from mlops_cli.records import Action, TrialFinished
from mlops_cli.store.audit import AuditLog
from mlops_cli.store.files import locked
from mlops_cli.store.layout import WorkspacePaths

CONFIG = """
defaults: [experiment, {data: csv}, {transforms: tabular}, {model: logistic_regression}, _self_]
name: points
data: {path: data/points.csv, target: label, id: key}
evaluation: {metrics: [roc_auc, accuracy], test: 0.2}
sweep: {space: {model.C: [0.1, 1.0]}}
artifacts: {plots: none, predictions: false}
"""


def table(rows, start=0, sign=1, seed=0):
    """Rows of which ``x`` tells the class; the other way round where the sign is -1."""
    rng = np.random.default_rng(seed)
    x, z = rng.normal(size=(2, rows)).round(4)
    return pd.DataFrame(
        {
            "key": np.arange(start, start + rows),
            "x": x,
            "z": z,
            "kind": rng.choice(["a", "b"], rows),
            "label": (sign * x + z / 2 + rng.normal(0, 0.5, rows) > 0).astype(int),
        }
    )


OLD, DRIFTED = table(200), table(200, start=200, sign=-1, seed=1)


@pytest.fixture(scope="module")
def champion(tmp_path_factory):
    """A workspace whose model ``points`` has a champion, made from 200 rows."""
    root = tmp_path_factory.mktemp("champion")
    (root / "configs").mkdir()
    (root / "data").mkdir()
    (root / "configs" / "points.yaml").write_text(CONFIG)
    OLD.to_csv(root / "data" / "points.csv", index=False)
    (root / "configs" / "retrain").mkdir()
    (root / "configs" / "retrain" / "points.yaml").write_text("forget: true\n")  # whose world turns round
    mlops.register(mlops.run("points", n_jobs=1, workspace=root).id, alias="champion", workspace=root)
    return root


@pytest.fixture
def home(champion, tmp_path, monkeypatch):
    """A copy of that workspace, and the current folder."""
    root = tmp_path / "home"
    shutil.copytree(champion, root, symlinks=True)
    monkeypatch.chdir(root)
    return root


def grow(home, *parts):
    pd.concat([OLD, *parts]).to_csv(home / "data" / "points.csv", index=False)


def config_of(ref):
    return yaml.safe_load((mlops.models.find(ref).path / "config.yaml").read_text())


def kept(home, version):
    """Return a table as it was kept under the version that a config names."""
    from mlops_cli.config.workspace import Workspace
    from mlops_cli.workflows.data.keep import snapshots_of

    snapshots = snapshots_of(Workspace(home))
    return snapshots.read_table(snapshots.find(version))


def tables_of(home, ref):
    config = config_of(ref)
    test = config["evaluation"]["test"].removeprefix("snapshot:")
    return kept(home, config["data"]["snapshot"]), kept(home, test)


def actions(home):
    return [entry.action for entry in AuditLog(WorkspacePaths(home)).entries()]


# --- what is new -------------------------------------------------------------------------------------------------


def test_where_nothing_is_new_nothing_is_done(home):
    before = actions(home)
    found = mlops.retrain("points")
    assert (found.needed, found.run, found.version) == (False, None, None)
    assert found.reasons == ("nothing is new: points/1 has seen all 200 rows of data/points.csv",)
    assert actions(home) == before


def test_a_file_that_has_grown_is_learned_from_once_and_its_new_rows_alone_are_held_out(home):
    grow(home, DRIFTED)
    found = mlops.retrain("points", n_jobs=1)
    assert found.rows == {"before": 200, "new": 200, "trained": 360, "held_out": 40}
    train, held_out = tables_of(home, found.version)
    assert not set(train["key"]) & set(held_out["key"])
    assert set(held_out["key"]) <= set(range(200, 400))
    assert sorted([*train["key"], *held_out["key"]]) == list(range(400))


def test_a_column_that_has_gaps_in_its_new_rows_does_not_hide_the_old_ones(home):
    new = DRIFTED.assign(z=DRIFTED["z"].where(DRIFTED.index % 10 > 0))
    whole = OLD.assign(count=range(200))
    whole.to_csv(home / "data" / "points.csv", index=False)
    mlops.register(mlops.run("points", n_jobs=1).id, alias="champion")
    pd.concat([whole, new]).to_csv(home / "data" / "points.csv", index=False)  # count is missing, and so of floats
    assert mlops.retrain("points", n_jobs=1).rows["new"] == 200


def test_a_file_that_is_another_by_now_is_not_guessed_at(home):
    OLD.iloc[20:].to_csv(home / "data" / "points.csv", index=False)
    with pytest.raises(DataError, match="no longer what points/1 saw, so nobody knows which of its rows are new"):
        mlops.retrain("points")
    DRIFTED.to_csv("new.csv", index=False)
    with pytest.raises(DataError, match="so it cannot be learned from again"):
        mlops.retrain("points", data="new.csv")
    found = mlops.retrain("points", data="new.csv", rows="new", n_jobs=1)
    assert found.rows == {"before": 0, "new": 200, "trained": 160, "held_out": 40}
    assert "taken on trust" in found.notices[0].message


def test_new_rows_alone_are_joined_with_those_of_before(home):
    DRIFTED.to_csv("new.csv", index=False)
    found = mlops.retrain("points", data="new.csv", n_jobs=1)
    assert found.rows == {"before": 200, "new": 200, "trained": 360, "held_out": 40}
    assert mlops.models.find(found.version).record.dataset.source == "data/points.csv, new.csv"


def test_rows_that_were_corrected_replace_the_old_ones_and_are_never_held_out(home):
    corrected = OLD.iloc[:10].assign(x=9.5)
    pd.concat([corrected, DRIFTED]).to_csv("new.csv", index=False)
    found = mlops.retrain("points", data="new.csv", n_jobs=1)
    assert found.rows == {"before": 200, "new": 200, "changed": 10, "trained": 360, "held_out": 40}
    train, held_out = tables_of(home, found.version)
    assert (train.set_index("key").loc[range(10), "x"] == 9.5).all()
    assert held_out["key"].min() >= 200


def test_without_ids_equal_rows_count_as_often_as_they_are_there(home):
    text = CONFIG.replace(", id: key", ", drop: [key]").replace("name: points", "name: plain")
    (home / "configs" / "plain.yaml").write_text(text)
    old, new = OLD.assign(key=0), DRIFTED.assign(key=0)
    old = pd.concat([old, old.iloc[:5]])  # five cases came twice
    old.to_csv("data/points.csv", index=False)
    mlops.register(mlops.run("plain", n_jobs=1).id, alias="champion")
    pd.concat([old, old.iloc[:3], new]).to_csv("data/points.csv", index=False)  # and three of them once more
    found = mlops.retrain("plain", n_jobs=1)
    assert found.rows == {"before": 205, "new": 203, "trained": 368, "held_out": 40}
    train, held_out = tables_of(home, found.version)
    assert not len(held_out.merge(train))  # of equal rows none is on both sides


def test_a_data_set_is_read_at_its_newest_version(home):
    (home / "configs" / "points.yaml").write_text(
        CONFIG.replace("{data: csv}", "{data: dataset}").replace("path: data/points.csv", "name: points")
    )
    mlops.data.add("data/points.csv", "points")
    mlops.register(mlops.run("points", n_jobs=1).id, alias="champion")
    grow(home, DRIFTED)
    mlops.data.add("data/points.csv", "points")
    found = mlops.retrain("points", n_jobs=1)
    assert found.data == "points@2"
    (train, held_out) = mlops.models.lineage(found.version).data
    assert [version.ref for version in train.named] == ["points@1", "points@2"]
    assert [version.ref for version in held_out.named] == ["points@2"]
    assert train.kept.startswith("snapshot ")
    assert mlops.retrain("points").reasons[0].startswith("nothing is new")


def test_columns_that_are_gone_are_refused_and_new_ones_are_left_out(home):
    DRIFTED.drop(columns="z").to_csv("new.csv", index=False)
    with pytest.raises(DataError, match=r"new\.csv lacks 1 of 3 features: 'z'"):
        mlops.retrain("points", data="new.csv")
    DRIFTED.drop(columns=["label", "key"]).to_csv("new.csv", index=False)
    with pytest.raises(DataError, match=r"new\.csv lacks the id column 'key' and the target column 'label' \("):
        mlops.retrain("points", data="new.csv")
    DRIFTED.assign(more=1).to_csv("new.csv", index=False)
    found = mlops.retrain("points", data="new.csv", n_jobs=1)
    assert [notice.code for notice in found.notices] == ["new-columns"]
    assert "more" not in tables_of(home, found.version)[0]


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_whatever_the_columns_hold_the_rows_of_before_are_known_again(home, form):
    rng = np.random.default_rng(0)
    whole = pd.DataFrame(
        {
            "code": [f"{i % 30:03d}" for i in range(300)],
            "number": [str(i) if i % 50 else "none yet" for i in range(300)],
            "port": rng.choice(["S", "C", None], 300),
            "paid": rng.choice([True, False], 300),
            "gaps": np.where(rng.random(300) < 0.1, np.nan, rng.normal(size=300)),
            "day": pd.date_range("2026-01-01", periods=300).strftime("%d/%m/%Y"),
            "note": [f"a note of some words number {i}" for i in range(300)],
            "label": rng.choice(["yes", "no"], 300),
        }
    )
    whole["label"] = np.where(whole["paid"], "yes", whole["label"])
    if form == "parquet":
        whole = whole.assign(port=whole["port"].astype("category"), day=pd.to_datetime(whole["day"], dayfirst=True))
    (home / "configs" / "kinds.yaml").write_text(
        CONFIG.replace("data: csv", f"data: {form}")
        .replace("path: data/points.csv, target: label, id: key", f"path: data/kinds.{form}, target: label, time: day")
        .replace("name: points", "name: kinds")
        .replace("_self_]", "{split: kfold}, _self_]")
    )

    def write(rows):
        path = home / "data" / f"kinds.{form}"
        rows.to_csv(path, index=False) if form == "csv" else rows.to_parquet(path)

    write(whole.iloc[:150])
    mlops.register(mlops.run("kinds", n_jobs=1).id, alias="champion")
    assert mlops.retrain("kinds").reasons[0].startswith("nothing is new")
    write(whole)
    found = mlops.retrain("kinds", n_jobs=1)
    assert found.rows == {"before": 150, "new": 150, "trained": 270, "held_out": 30}
    assert mlops.rerun(found.run, n_jobs=1).agreement == "identical"
    assert mlops.retrain(found.version).reasons[0].startswith("nothing is new")


# --- which rows --------------------------------------------------------------------------------------------------


def test_new_alone_and_a_window_of_the_latest(home):
    grow(home, DRIFTED)
    alone = mlops.retrain("points", rows="new", promote=False, n_jobs=1)
    assert alone.rows["trained"] == 160
    assert tables_of(home, alone.version)[0]["key"].min() >= 200
    window = mlops.retrain("points", window="250", promote=False, n_jobs=1)
    assert window.rows["trained"] == 250
    train, held_out = tables_of(home, window.version)
    rest = sorted({*range(400)} - {*held_out["key"]})
    assert sorted(train["key"]) == rest[-250:]


def test_a_window_of_days_needs_dates(home):
    grow(home, DRIFTED)
    with pytest.raises(UsageError, match=r"a window of 90d needs dates, and there is no data\.time"):
        mlops.retrain("points", window="90d")


def test_held_out_rows_are_as_many_of_each_class(home):
    rare = DRIFTED.assign(label=(DRIFTED.index % 10 == 0).astype(int))
    grow(home, rare)
    found = mlops.retrain("points", promote=False, n_jobs=1)
    assert tables_of(home, found.version)[1]["label"].sum() == 4


def test_held_out_groups_are_whole_and_were_never_seen(home):
    (home / "configs" / "points.yaml").write_text(CONFIG.replace("id: key", "group: key"))
    grouped = OLD.assign(key=OLD["key"] // 4)
    grouped.to_csv("data/points.csv", index=False)
    mlops.register(mlops.run("points", n_jobs=1).id, alias="champion")
    new = DRIFTED.assign(key=40 + np.arange(200) // 4)  # the first ten groups are known
    new.to_csv("new.csv", index=False)
    found = mlops.retrain("points", data="new.csv", n_jobs=1)
    train, held_out = tables_of(home, found.version)
    assert not set(train["key"]) & set(held_out["key"])
    assert held_out["key"].min() >= 50
    assert len(held_out) == 32  # 0.2 of the 160 rows of new groups


def test_too_few_new_rows_are_refused_with_the_share_that_is_enough(home):
    grow(home, DRIFTED.iloc[:60])
    with pytest.raises(DataError, match=r"12 of 60 new rows would be held out, and to compare models takes 20") as said:
        mlops.retrain("points")
    assert said.value.hint == "--hold-out 0.34, or more rows"
    assert mlops.retrain("points", hold_out=0.34, promote=False, n_jobs=1).rows["held_out"] >= 20
    grow(home, DRIFTED.iloc[:5])
    with pytest.raises(DataError, match="1 of 5 new rows"):
        mlops.retrain("points")


def test_what_a_person_has_set_apart_is_never_learned_from(home):
    DRIFTED.iloc[:30].to_csv("data/apart.csv", index=False)
    (home / "configs" / "points.yaml").write_text(CONFIG.replace("test: 0.2", "test: data/apart.csv"))
    mlops.register(mlops.run("points", n_jobs=1).id, alias="champion")
    grow(home, DRIFTED)  # with the same 30 rows in it
    found = mlops.retrain("points", n_jobs=1)
    assert found.rows == {"before": 200, "new": 170, "trained": 336, "held_out": 34}
    assert all(part["key"].isin(range(200, 230)).sum() == 0 for part in tables_of(home, found.version))


def test_what_was_held_out_is_learned_from_the_next_time(home):
    grow(home, DRIFTED)
    first = mlops.retrain("points", n_jobs=1)
    table(150, start=400, sign=-1, seed=3).to_csv("more.csv", index=False)
    second = mlops.retrain("points", data="more.csv", promote=False, n_jobs=1)
    assert second.before == first.version == "points/2"
    assert second.rows == {"before": 400, "new": 150, "trained": 520, "held_out": 30}
    assert set(tables_of(home, first.version)[1]["key"]) <= set(tables_of(home, second.version)[0]["key"])


def test_rows_that_the_champion_has_seen_are_not_held_out_though_the_recipe_is_an_older_ones(home):
    grow(home, DRIFTED)
    assert mlops.retrain("points", n_jobs=1).promotion.done
    found = mlops.retrain("points/1", rows="all", n_jobs=1)
    assert found.reasons[0].startswith("nothing is new: points/1 or points/2 has seen all 400 rows")


def test_ids_that_were_made_anew_are_told_of(home):
    OLD.assign(key=OLD["key"] + 1000).to_csv("new.csv", index=False)
    found = mlops.retrain("points", data="new.csv", promote=False, n_jobs=1)
    assert [notice.code for notice in found.notices] == ["held-out-twins"]
    assert "40 of 40 held-out rows equal rows that were learned from" in found.notices[0].message


# --- the run and the version -------------------------------------------------------------------------------------


def test_the_run_is_an_ordinary_one_with_the_parameters_of_before_and_runs_again_alike(home):
    grow(home, DRIFTED)
    found = mlops.retrain("points", n_jobs=1)
    before, after = (mlops.models.find(ref).record for ref in ("points/1", found.version))
    assert after.best.params == before.best.params
    assert after.tags["retrain_of"] == "points/1"
    (home / "data" / "points.csv").unlink()  # what it saw is kept
    assert mlops.rerun(found.run, n_jobs=1).agreement == "identical"


def test_lineage_leads_to_the_source(home):
    grow(home, DRIFTED)
    found = mlops.retrain("points", n_jobs=1)
    train, held_out = mlops.models.lineage(found.version).data
    assert (train.places, held_out.places) == (("data/points.csv",), ("data/points.csv",))
    assert all(origin.kept.startswith("snapshot ") for origin in (train, held_out))


def test_kept_rows_survive_collecting_after_their_run_is_gone(home, mlops):
    grow(home, DRIFTED)
    found = json.loads(mlops("retrain", "points", "-j1", "--json").stdout)
    shutil.rmtree(home / "runs")
    assert mlops("data", "gc", "--now").returncode == 0
    done = mlops("evaluate", found["version"], found["held_out"], "--json")
    assert done.returncode == 0, done.stderr


# --- gates -------------------------------------------------------------------------------------------------------


def test_a_better_challenger_becomes_the_champion(home):
    grow(home, DRIFTED)
    found = mlops.retrain("points", n_jobs=1)
    gate = found.promotion.gates[0]
    assert found.promotion.done
    assert gate.wanted == "roc_auc better than points/1, beyond noise at 95%"
    assert f"both on the same 40 rows of {found.held_out}" in gate.detail
    assert mlops.models.find("points@champion").ref == found.version
    assert mlops.models.find("points@challenger").ref == found.version
    done = actions(home)[-4:]
    assert done == [Action.REGISTERED, Action.ALIAS, Action.RETRAINED, Action.PROMOTED]


def test_a_worse_challenger_stays_one(home):
    noise = DRIFTED.assign(label=np.random.default_rng(0).integers(0, 2, 200))
    grow(home, noise)
    found = mlops.retrain("points", rows="new", n_jobs=1)
    assert not found.promotion.done
    assert not found.promotion.passed
    assert mlops.models.find("points@champion").ref == "points/1"
    assert mlops.models.find("points@challenger").ref == found.version
    assert actions(home)[-2:] == [Action.RETRAINED, Action.PROMOTION_REFUSED]


def test_the_same_data_does_not_make_it_champion_by_luck(home):
    grow(home, table(200, start=200, seed=7))  # of the same kind: more rows of it make hardly a difference
    found = mlops.retrain("points", n_jobs=1)
    assert not found.promotion.done
    assert "no more than noise" in found.promotion.gates[0].found


def test_what_the_owner_declares_is_asked_and_on_the_held_out_rows(home):
    (home / "configs" / "promotion").mkdir()
    gates = home / "configs" / "promotion" / "points.yaml"
    gates.write_text(
        "champion: {at_least: true, margin: 0.1, metric: accuracy}\nmetrics: {accuracy.test: {min: 0.5}}\n"
    )
    grow(home, table(200, start=200, seed=7))
    found = mlops.retrain("points", n_jobs=1)
    assert found.promotion.done
    assert [gate.gate for gate in found.promotion.gates] == ["metrics.accuracy.test.min", "champion"]
    assert found.promotion.gates[1].wanted.startswith("accuracy not worse than points/1 by more than 0.1")
    assert found.held_out in found.promotion.gates[1].detail
    assert found.promotion.declared == "configs/promotion/points.yaml"


def test_without_promotion_it_is_compared_all_the_same(home):
    grow(home, DRIFTED)
    found = mlops.retrain("points", promote=False, n_jobs=1)
    assert (found.promotion.passed, found.promotion.done) == (True, False)
    assert mlops.models.find("points@champion").ref == "points/1"
    assert mlops.models.promote(found.version).done


def test_without_a_champion_nothing_is_promoted(home):
    mlops.models.alias("points@champion", "champion", remove=True)
    grow(home, DRIFTED)
    with pytest.raises(StoreError, match="no version of 'points' has the alias 'champion'"):
        mlops.retrain("points")
    found = mlops.retrain("points/1", n_jobs=1)
    assert found.promotion is None
    assert found.notices[0].code == "no-champion"


def remember(home):
    """Let the world be as it was: who does worse on the rows of before is not promoted."""
    (home / "configs" / "retrain" / "points.yaml").unlink()


def test_what_learned_from_a_corrupted_batch_is_refused_by_the_rows_of_before(home):
    remember(home)
    table(200, start=200, seed=1).assign(label=lambda rows: 1 - rows["label"]).to_csv("new.csv", index=False)
    found = mlops.retrain("points", data="new.csv", rows="new", n_jobs=1)
    better, before = found.promotion.gates
    assert (better.gate, better.passed) == ("champion", True)
    assert (before.gate, before.passed) == ("champion.before", False)
    assert re.match(
        r"0\.\d+ against 0\.9\d+: -0\.\d+ \(.*\), worse; points/1 itself fell from 0\.9\d+ to 0\.\d+", before.found
    )
    assert "both on the 40 rows that points/1 held out; points/2 was trained on none of them" in before.detail
    assert not found.promotion.done
    again = mlops.models.promote("points/2")
    assert ([gate.passed for gate in again.gates], again.done) == ([True, False], False)
    assert mlops.models.promote("points/2", override="the law has changed").done


def test_a_world_that_has_changed_is_said_to_have_and_what_is_forgotten_is_told(home):
    remember(home)
    grow(home, DRIFTED)
    found = mlops.retrain("points", rows="new", forget=True, n_jobs=1)
    assert found.promotion.done
    assert [gate.gate for gate in found.promotion.gates] == ["champion"]
    assert any(
        said.startswith("points/2 has forgotten: on the rows of before roc_auc is 0.") for said in found.promotion.said
    )


def test_of_a_champion_that_held_no_rows_out_nobody_knows_what_is_forgotten(home):
    remember(home)
    mlops.register(mlops.run("points", ["evaluation.test=null"], n_jobs=1).id, alias="champion")
    grow(home, DRIFTED)
    found = mlops.retrain("points", rows="new", n_jobs=1)
    assert found.promotion.done
    assert "what points/3 has forgotten is not known: points/2 held no rows out" in found.promotion.said


# --- promoted by hand, later -------------------------------------------------------------------------------------


def test_what_retraining_made_is_promoted_by_the_same_gate_and_told_what_it_found(home):
    grow(home, table(200, start=200, seed=7))
    made = mlops.retrain("points", promote=False, n_jobs=1)
    (first,) = made.promotion.gates
    assert not first.passed
    found = mlops.models.promote(made.version)
    assert (found.gates, found.done) == ((first,), False)
    assert "points/2 was made by mlops retrain, and is compared on the rows that it held out then" in found.said
    assert any(re.fullmatch(rf"points/2 failed on .*: champion, {re.escape(first.found)}", said) for said in found.said)
    assert mlops.models.find("points@champion").ref == "points/1"
    assert mlops.models.promote(made.version, override="more rows are better").done


def test_a_version_that_retraining_refused_is_refused_by_hand_too(home):
    grow(home, table(200, start=200, seed=7))
    made = mlops.retrain("points", n_jobs=1)
    found = mlops.models.promote(made.version)
    assert (found.gates, found.done) == (made.promotion.gates, False)


def test_the_owners_gate_is_void_on_rows_that_the_version_has_learned_from(home):
    (home / "configs" / "promotion").mkdir()
    (home / "configs" / "promotion" / "points.yaml").write_text("champion: {at_least: true, margin: 0.9}\n")
    text = CONFIG.replace("id: key", "drop: [key]")
    (home / "configs" / "points.yaml").write_text(text)
    few = OLD.assign(x=OLD["x"].round(0), z=OLD["z"].round(0))
    few.to_csv("data/points.csv", index=False)
    mlops.register(mlops.run("points", n_jobs=1).id, alias="champion")
    few.assign(key=few["key"] + 1000).to_csv("new.csv", index=False)  # the same cases, named anew
    (gate,) = mlops.retrain("points", data="new.csv", n_jobs=1).promotion.gates
    assert not gate.passed
    assert "but that is void: 40 of them have a twin" in gate.found


def test_in_a_world_of_few_values_rows_with_ids_of_their_own_are_not_taken_for_learned_ones(home):
    (home / "configs" / "promotion").mkdir()
    (home / "configs" / "promotion" / "points.yaml").write_text("champion: {at_least: true, margin: 0.9}\n")
    few = OLD.assign(x=OLD["x"].round(0), z=OLD["z"].round(0))
    few.to_csv("data/points.csv", index=False)
    mlops.register(mlops.run("points", n_jobs=1).id, alias="champion")
    few.assign(key=few["key"] + 1000).to_csv("new.csv", index=False)
    found = mlops.retrain("points", data="new.csv", n_jobs=1)
    (gate,) = found.promotion.gates
    assert gate.passed
    assert "points/3 was trained on none of them" in gate.detail


# --- faults ------------------------------------------------------------------------------------------------------


def test_two_at_once_do_not_make_two_challengers(home):
    grow(home, DRIFTED)
    with (
        locked(WorkspacePaths(home).retraining_lock("points")),
        pytest.raises(StoreError, match="points is being made anew by another process"),
    ):
        mlops.retrain("points")
    assert mlops.retrain("points", n_jobs=1).version == "points/2"


KILLED = """
import os, sys
from mlops_cli.workflows.renewing import retrain as steps

def die(*arguments, **named):
    os.kill(os.getpid(), 9)

setattr(steps, sys.argv[1], die)
steps.retrain("points", steps.RetrainOptions(n_jobs=1))
"""


@pytest.mark.parametrize("step", ["_kept", "_run", "_registered", "_write_down", "promote"])
def test_killed_before_any_step_the_same_command_goes_on(home, step):
    grow(home, DRIFTED)
    done = subprocess.run([sys.executable, "-c", KILLED, step], cwd=home, check=False, capture_output=True)
    assert done.returncode == -9
    runs = len(mlops.runs("points"))
    registered = {"_kept": 1, "_run": 1, "_registered": 1}.get(step, 2)
    assert len(mlops.models.ls("points")) == registered
    assert mlops.models.find("points@champion").ref == "points/1"
    found = mlops.retrain("points", n_jobs=1)
    assert found.version == "points/2"
    assert found.promotion.done
    assert len(mlops.models.ls("points")) == 2
    assert len(mlops.runs("points")) == (2 if step in {"_kept", "_run"} else runs)
    assert actions(home).count(Action.RETRAINED) == 1


def test_interrupted_it_goes_on_with_the_trials_that_are_done(home):
    def interrupt(event):
        if isinstance(event, TrialFinished):
            raise KeyboardInterrupt

    grow(home, DRIFTED)
    found = mlops.retrain("points", sweep="again", observer=interrupt, n_jobs=1)
    assert (str(found.status), found.version) == ("interrupted", None)
    assert len(mlops.models.ls("points")) == 1
    again = mlops.retrain("points", sweep="again", n_jobs=1)
    assert again.version == "points/2"
    assert mlops.find_run(again.run).record.counts.reused == 1


def test_rows_that_nothing_can_be_learned_from_leave_the_registry_as_it_was(home):
    DRIFTED.assign(label=1).to_csv("new.csv", index=False)
    before = actions(home)
    with pytest.raises(DataError, match="has one class only"):
        mlops.retrain("points", data="new.csv", rows="new", n_jobs=1)
    assert actions(home) == before


def test_forced_it_is_made_again_from_the_rows_of_before(home):
    found = mlops.retrain("points", force=True, sweep="again", n_jobs=1)
    assert found.rows == {"before": 200, "new": 0, "trained": 160, "held_out": 40}
    assert found.notices[0].code == "nothing-new"
    assert not found.promotion.done  # the same rows make the same model


def test_a_model_does_not_learn_the_rows_of_before_a_second_time(home):
    (home / "configs" / "points.yaml").write_text(
        CONFIG.replace("logistic_regression", "naive_bayes").split("sweep:")[0]
    )
    mlops.register(mlops.run("points", n_jobs=1).id, alias="champion")
    with pytest.raises(UsageError, match="nothing is new, and points/2 would learn the rows of before a second time"):
        mlops.retrain("points", force=True, warm_start=True, n_jobs=1)


def test_rows_that_a_window_passed_over_survive_collecting(home, mlops):
    grow(home, DRIFTED)
    made = json.loads(mlops("retrain", "points", "--window", "50", "--no-promote", "-j1", "--json").stdout)
    shutil.rmtree(home / "runs")
    assert mlops("data", "gc", "--now").returncode == 0
    passed = models.find(made["version"]).record.tags["retrain_passed"]
    assert len(kept(home, passed)) == 400 - 200 - made["rows"]["held_out"] - 50


# --- the command -------------------------------------------------------------------------------------------------


def test_the_command_says_what_was_done_and_its_exit_code_what_came_of_it(home, mlops):
    assert "points/1 stays: nothing is new" in mlops("retrain", "points").stdout
    grow(home, DRIFTED)
    done = mlops("retrain", "points", "-j1")
    assert done.returncode == 0
    for part in (
        "rows     200 seen before, 200 new, 360 learned from, 40 held out",
        "points/2 is @champion; points/1 was",
    ):
        assert part in done.stdout
    noise = table(200, start=400, seed=5).assign(label=np.arange(200) % 2)
    noise.to_csv("noise.csv", index=False)
    refused = mlops("retrain", "points", "--data", "noise.csv", "-j1", "-q")
    assert (refused.returncode, refused.stdout) == (1, "points/3\n")
    assert refused.stderr.startswith("points/3 is not promoted: champion, ")
    shown = mlops("retrain", "points", "--data", "noise.csv", "-j1", "--json", "--no-promote")
    told = json.loads(shown.stdout)
    assert (told["promoted"], told["promotion"]["gates"][0]["passed"]) == (False, False)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["pints"], "there is no registered model 'pints'"),
        (["points", "--rows", "some"], "--rows: found 'some'"),
        (["points", "--window", "soon"], "--window: "),
        (["points", "--hold-out", "2"], "--hold-out: "),
        (["points", "--sweep", "wide"], "--sweep: found 'wide'"),
        (["points", "--data", "none.csv"], "none.csv"),
        (["points", "--if-needed"], "retrain.when: says nothing"),
        (["points", "--warm-start", "--rows", "all"], "--rows: a model that goes on learning"),
    ],
)
def test_what_is_asked_wrongly_is_one_line(home, mlops, arguments, said):
    done = mlops("retrain", *arguments)
    assert done.returncode in {2, 3}
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) <= 2


def test_the_library_takes_paths_and_refuses_unknown_settings(home):
    with pytest.raises(UsageError, match=r"retrain\(\) takes no 'row'"):
        mlops.retrain("points", row="new")
    with pytest.raises(UsageError, match=r"takes data by a path or a name\. Got DataFrame instead"):
        mlops.retrain("points", data=DRIFTED)
    grow(home, DRIFTED)
    place = Path.cwd()
    os.chdir("/")
    assert mlops.retrain("points", data=place / "data" / "points.csv", workspace=home, n_jobs=1).version == "points/2"
