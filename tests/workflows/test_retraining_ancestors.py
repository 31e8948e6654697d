"""What a champion has seen is what all versions saw that it was made from: none of it is new, and none is held out."""

from __future__ import annotations

import shutil

import numpy as np
import pandas as pd
import pytest
import yaml

import mlops_cli as mlops
from mlops_cli.errors import DataError, UsageError
from mlops_cli.store.audit import AuditLog
from mlops_cli.store.layout import WorkspacePaths

CONFIG = """
defaults: [experiment, {data: csv}, {transforms: tabular}, {model: MODEL}, _self_]
name: points
data: {path: data/points.csv, target: label, id: key}
evaluation: {metrics: [roc_auc], test: 0.2}
artifacts: {plots: none, predictions: false}
"""
TIME = "split: {_target_: sklearn.model_selection.TimeSeriesSplit, n_splits: 2}\n"
LENIENT = "champion: {at_least: true, margin: 0.9}\n"


def table(rows, start=0, sign=1, seed=0):
    """Rows of which ``x`` tells the class; the other way round where the sign is -1."""
    rng = np.random.default_rng(seed)
    x, z = rng.normal(size=(2, rows)).round(4)
    label = (sign * x + z / 2 + rng.normal(0, 0.5, rows) > 0).astype(int)
    return pd.DataFrame({"key": np.arange(start, start + rows), "x": x, "z": z, "label": label})


OLD = table(150)
FIRST, SECOND = table(120, start=1000, sign=-1, seed=1), table(110, start=2000, sign=-1, seed=2)


BAYES = CONFIG.replace("MODEL", "naive_bayes")


def made(root, text=BAYES, rows=OLD):
    for name in ("configs/promotion", "configs/retrain", "data"):
        (root / name).mkdir(parents=True, exist_ok=True)
    (root / "configs" / "points.yaml").write_text(text)
    rows.to_csv(root / "data" / "points.csv", index=False)
    mlops.register(mlops.run("points", n_jobs=1, workspace=root).id, alias="champion", workspace=root)
    return root


@pytest.fixture(scope="module")
def champion(tmp_path_factory):
    """A workspace whose model ``points`` has a champion, made from 150 rows."""
    return made(tmp_path_factory.mktemp("champion"))


@pytest.fixture
def home(champion, tmp_path, monkeypatch):
    """A copy of that workspace, whose gates any model passes; and the current folder."""
    root = tmp_path / "home"
    shutil.copytree(champion, root, symlinks=True)
    (root / "configs" / "promotion" / "points.yaml").write_text(LENIENT)
    policy(root, "")
    monkeypatch.chdir(root)
    return root


@pytest.fixture
def empty(tmp_path, monkeypatch):
    """A folder for a workspace of another kind."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def grow(*parts):
    pd.concat([OLD, *parts]).to_csv("data/points.csv", index=False)


def again(**settings):
    return mlops.retrain("points", n_jobs=1, **settings)


def keys_of(home, ref):
    """Return the keys that a version learned from, and those that it held out."""
    from mlops_cli.config.workspace import Workspace
    from mlops_cli.workflows.data.keep import snapshots_of

    snapshots = snapshots_of(Workspace(home))
    config = config_of(ref)
    names = (config["data"]["snapshot"], config["evaluation"]["test"].removeprefix("snapshot:"))
    return [set(snapshots.read_table(snapshots.find(name))["key"]) for name in names]


def config_of(ref):
    return yaml.safe_load((mlops.models.find(ref).path / "config.yaml").read_text())


# --- whose rows --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("settings", [{"rows": "new"}, {"window": "100"}, {"window": "40"}], ids=str)
def test_the_same_file_makes_no_second_version_though_the_first_took_a_part(home, settings):
    grow(FIRST)
    assert again(**settings).promotion.done
    found = again(**settings)
    assert (found.needed, found.version) == (False, None)
    assert found.reasons == ("nothing is new: points/2 has seen all 270 rows of data/points.csv",)


def test_rows_from_before_a_warm_start_are_neither_held_out_nor_forgotten(home):
    grow(FIRST)
    assert again(warm_start=True).promotion.done
    grow(FIRST, SECOND)
    second = again(warm_start=True)
    train, held_out = keys_of(home, second.version)
    assert train | held_out == set(SECOND["key"])
    assert "points/2, with what it goes on from, was trained on none of them" in second.promotion.gates[0].detail
    more = table(100, start=3000, sign=-1, seed=5)
    more.to_csv("more.csv", index=False)
    whole = again(data="more.csv")
    assert whole.rows == {"before": 380, "new": 100, "trained": 460, "held_out": 20}
    assert keys_of(home, whole.version)[0] >= {*OLD["key"], *FIRST["key"], *SECOND["key"]}


def test_the_gate_knows_what_a_model_learned_before_it_went_on(home):
    FIRST.to_csv("first.csv", index=False)
    again(data="first.csv", warm_start=True)
    SECOND.to_csv("second.csv", index=False)
    (home / "configs" / "promotion" / "points.yaml").write_text(
        "champion: {at_least: true, margin: 0.9, data: data/points.csv}\n"
    )
    found = again(data="second.csv", warm_start=True)
    detail = found.promotion.gates[0].detail
    assert "points/3, with what it goes on from, was trained on 120 of them" in detail  # of 150, a fifth held out


def test_what_is_set_apart_is_so_for_every_generation(empty):
    apart = table(60, start=5000, seed=7)
    (empty / "data").mkdir()
    apart.to_csv("data/apart.csv", index=False)
    made(empty, BAYES.replace("test: 0.2", "test: data/apart.csv"))
    (empty / "configs" / "promotion" / "points.yaml").write_text(LENIENT)
    FIRST.to_csv("first.csv", index=False)
    assert again(data="first.csv").promotion.done
    pd.concat([SECOND, apart]).to_csv("second.csv", index=False)
    found = again(data="second.csv")
    assert found.rows["new"] == len(SECOND)
    assert not set(apart["key"]) & set.union(*keys_of(empty, found.version))


def test_rows_before_a_file_grew_are_kept_and_the_gate_knows_them(home):
    grow(FIRST)
    found = again(rows="new")
    assert "points/1 was trained on none of them" in found.promotion.gates[0].detail
    FIRST.to_csv("data/points.csv", index=False)  # the old ones have gone from it
    assert again(rows="new").reasons[0].startswith("nothing is new")
    both = pd.concat([OLD, SECOND])
    both.to_csv("both.csv", index=False)
    assert again(data="both.csv").rows["new"] == len(SECOND)


def test_an_ancestor_that_was_removed_is_told_of(home):
    FIRST.to_csv("first.csv", index=False)
    again(data="first.csv", rows="new")
    mlops.models.rm("points/1", force=True)
    SECOND.to_csv("second.csv", index=False)
    (notice,) = again(data="second.csv").notices
    assert notice.code == "rows-unknown"
    assert "points/1, which points/2 was made from, is not there any more" in notice.message
    grow(FIRST, SECOND)
    with pytest.raises(DataError, match="so nobody knows which of its rows are new"):
        again()


def test_the_recipe_of_an_older_version_tells_what_it_leaves_out(home):
    FIRST.to_csv("first.csv", index=False)
    again(data="first.csv")
    SECOND.to_csv("second.csv", index=False)
    found = mlops.retrain("points/1", data="second.csv", n_jobs=1)
    (notice,) = [notice for notice in found.notices if notice.code == "rows-left-out"]
    assert notice.message.startswith("120 rows that points/2 has seen are not learned from")


# --- equal rows --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["id: key", "drop: [key]"])
def test_equal_rows_under_other_keys_are_never_on_both_sides(empty, role):
    made(empty, CONFIG.replace("MODEL", "decision_tree").replace("id: key", role))
    copies = pd.concat([table(60, seed=3)] * 4, ignore_index=True).assign(key=range(1000, 1240))
    copies.to_csv("copies.csv", index=False)
    found = again(data="copies.csv")
    train, held_out = keys_of(empty, found.version)
    rows = copies.set_index("key")
    assert len(held_out) == 48  # whole, a fifth of the 60
    assert not len(rows.loc[sorted(held_out)].merge(rows.loc[sorted(train & set(rows.index))]))
    assert not found.notices


def test_what_has_learned_from_held_out_rows_does_not_pass_by_itself(home):
    (home / "configs" / "promotion" / "points.yaml").unlink()
    OLD.assign(key=OLD["key"] + 1000).to_csv("new.csv", index=False)
    found = again(data="new.csv", hold_out=0.3)
    (gate,) = found.promotion.gates
    assert not gate.passed
    assert (
        "void: 45 of them have a twin, equal in all features and the target, that points/2 was trained on" in gate.found
    )


def test_rows_on_which_the_owners_gate_compares_are_not_learned_from(home):
    FIRST.to_csv("data/latest.csv", index=False)
    (home / "configs" / "promotion" / "points.yaml").write_text("champion: {data: data/latest.csv}\n")
    found = again(data="data/latest.csv")
    assert found.reasons == ("nothing is new: points/1 has seen, or keeps apart, all 120 rows of data/latest.csv",)
    pd.concat([FIRST, SECOND]).to_csv("both.csv", index=False)
    assert again(data="both.csv").rows["new"] == len(SECOND)


def test_rows_set_apart_that_lack_the_id_are_known_by_what_they_say(home):
    FIRST.drop(columns="key").to_csv("data/latest.csv", index=False)
    (home / "configs" / "promotion" / "points.yaml").write_text("champion: {data: data/latest.csv}\n")
    pd.concat([FIRST, SECOND]).to_csv("both.csv", index=False)
    found = again(data="both.csv")
    assert found.rows["new"] == len(SECOND)
    assert keys_of(home, found.version)[0] >= set(OLD["key"])


def test_rows_that_were_corrected_are_no_news_twice(home):
    pd.concat([OLD.iloc[:10].assign(x=9.5), FIRST]).to_csv("new.csv", index=False)
    assert again(data="new.csv", rows="new").rows["changed"] == 10
    assert again(data="new.csv", rows="new").reasons[0].startswith("nothing is new")


def test_an_id_that_comes_twice_is_refused_by_name(home):
    pd.concat([FIRST, FIRST.iloc[:1].assign(x=9.0)]).to_csv("new.csv", index=False)
    with pytest.raises(DataError, match=r"new\.csv: data\.id: 'key' has 1 ids in more than one row: 1000"):
        again(data="new.csv")


def test_where_ids_told_nothing_before_no_row_of_a_known_id_is_held_out(empty):
    made(empty, rows=pd.concat([OLD, OLD.iloc[:1]]))
    corrected = OLD.iloc[:60].assign(z=9.5)
    pd.concat([FIRST, corrected]).to_csv("new.csv", index=False)
    assert keys_of(empty, again(data="new.csv").version)[1] <= set(FIRST["key"])


# --- dates, groups, classes --------------------------------------------------------------------------------------


def test_windows_are_by_the_dates_that_are_meant(empty):
    def dated(rows, first):
        return rows.assign(day=pd.date_range(first, periods=len(rows)).strftime("%d/%m/%Y"))

    text = BAYES.replace("id: key", "id: key, time: day")
    made(empty, text + TIME, dated(OLD, "2025-01-01"))
    dated(FIRST, "2025-05-31").to_csv("new.csv", index=False)
    for window in ("60d", "60"):
        found = again(data="new.csv", window=window, promote=False, force=True)
        assert keys_of(empty, found.version)[0] == set(FIRST["key"][36:96])  # the last 24 are held out


def test_a_window_that_one_wild_date_leaves_empty_names_it(empty):
    days = pd.date_range("2025-01-01", periods=270)
    wild = OLD.assign(day=days[:150].where(OLD.index != 5, pd.Timestamp("2099-01-01")))
    made(empty, BAYES.replace("id: key", "id: key, time: day") + TIME, wild)
    FIRST.assign(day=days[150:]).to_csv("new.csv", index=False)
    with pytest.raises(DataError, match="a window of 90d up to 2099-01-01 00:00:00, the latest day, has 1 rows"):
        again(data="new.csv", window="90d")


def test_groups_that_were_learned_from_are_told_of_where_time_comes_first(empty):
    def grouped(rows, first):
        return rows.assign(day=pd.date_range(first, periods=len(rows)), who=np.arange(len(rows)) % 5)

    text = BAYES.replace("id: key", "id: key, time: day, group: who")
    made(empty, text + TIME, grouped(OLD, "2025-01-01"))
    grouped(FIRST, "2025-05-31").to_csv("new.csv", index=False)
    (notice,) = again(data="new.csv").notices
    assert notice.message.startswith("5 of 5 held-out groups of who were learned from too")


def test_classes_that_are_written_otherwise_are_told_before_anything_is_run(home):
    FIRST.assign(label=FIRST["label"].map({0: "no", 1: "yes"})).to_csv("new.csv", index=False)
    with pytest.raises(DataError, match=r"new\.csv: 'label' has classes that points/1 does not know: ") as error:
        again(data="new.csv")
    assert error.value.hint == "it knows 0, 1"


def test_gaps_are_told_by_the_rows_of_the_new_file(home):
    FIRST.assign(label=FIRST["label"].where(FIRST.index != 3)).to_csv("new.csv", index=False)
    with pytest.raises(DataError, match=r"new\.csv: data\.target: 'label' is missing in 1 of 120 rows \(row 4\)"):
        again(data="new.csv")


def test_a_sample_cannot_grow_and_that_is_said(empty):
    made(empty, BAYES.replace("id: key", "id: key, sample: 100"), table(300))
    pd.concat([table(300), FIRST]).to_csv("data/points.csv", index=False)
    with pytest.raises(DataError, match=r"data\.sample draws other rows from what has grown"):
        again()


# --- by the clock ------------------------------------------------------------------------------------------------


def policy(home, text):
    (home / "configs" / "retrain" / "points.yaml").write_text(f"{text}forget: true\n")


def test_a_challenger_that_was_refused_or_rejected_stays_so_without_a_fault(home):
    (home / "configs" / "promotion" / "points.yaml").write_text("metrics: {roc_auc: {min: 1.1}}\n")
    policy(home, "when: schedule\nevery: 0.001s\n")
    grow(FIRST)
    assert not again(if_needed=True).promotion.passed
    before = len(list(AuditLog(WorkspacePaths(home)).entries()))
    found = again(if_needed=True)
    assert (found.needed, found.promotion) == (False, None)
    assert "points/2, of the same rows, was refused already: metrics.roc_auc.min" in found.reasons[-1]
    assert len(list(AuditLog(WorkspacePaths(home)).entries())) == before
    mlops.models.reject("points/2", note="no")
    assert "points/2 is rejected by" in again(if_needed=True).reasons[-1]
    mlops.models.approve("points/2")
    (home / "configs" / "promotion" / "points.yaml").write_text(LENIENT)  # its owner has thought again
    assert again(if_needed=True).promotion.done


def test_the_calendar_counts_from_the_last_attempt(home):
    (home / "configs" / "promotion" / "points.yaml").write_text("metrics: {roc_auc: {min: 1.1}}\n")
    grow(FIRST)
    again()
    grow(FIRST, SECOND)
    policy(home, "when: schedule\nevery: 1d\n")
    found = again(if_needed=True)
    assert not found.needed
    assert found.reasons[0].startswith("points was made anew ")


def test_too_few_new_rows_are_no_fault_of_a_cron_line(home):
    policy(home, "when: schedule\nevery: 0.001s\n")
    grow(FIRST.iloc[:30])
    found = again(if_needed=True)
    assert (found.needed, found.version) == (False, None)
    assert found.reasons[-1] == "6 of 30 new rows would be held out, and to compare models takes 20"


def test_a_pickle_is_opened_to_look_for_drift_where_that_is_allowed(empty):
    text = BAYES.replace("plots: none", "plots: none, model_format: joblib")
    made(empty, text)
    policy(empty, "when: drift\n")
    FIRST.assign(x=FIRST["x"] + 5).to_csv("new.csv", index=False)
    assert again(data="new.csv", if_needed=True, allow_pickle=True).needed


def test_secrets_of_an_address_are_not_in_the_reasons(home):
    from mlops_cli.config.workspace import Workspace
    from mlops_cli.workflows.renewing.tables import shown

    said = shown("https://bob:hunter2@example.org/new.csv?sig=s3cr3t", Workspace(home))
    assert "hunter2" not in said
    assert "s3cr3t" not in said


# --- what is asked -----------------------------------------------------------------------------------------------


def test_the_challenger_itself_is_replaced_by_no_alias(home):
    with pytest.raises(UsageError, match="--alias: every version that is made anew is called challenger"):
        again(alias="challenger")


def test_from_scratch_over_a_policy_that_goes_on_takes_all_rows(home):
    policy(home, "warm_start: true\n")
    FIRST.to_csv("new.csv", index=False)
    assert again(data="new.csv", warm_start=False).rows["trained"] == 150 + 96


def test_the_window_of_the_policy_is_that_of_the_command(home):
    policy(home, "window: 70\n")
    FIRST.to_csv("new.csv", index=False)
    assert again(data="new.csv", rows="window").rows["trained"] == 70


def test_trees_are_added_by_all_rows_that_the_model_has_learned_from(empty):
    made(empty, CONFIG.replace("MODEL", "random_forest") + "model: {n_estimators: 30}\n")
    (empty / "configs" / "promotion" / "points.yaml").write_text(LENIENT)
    more = []
    for number, rows in enumerate((FIRST, SECOND)):
        rows.to_csv(f"{number}.csv", index=False)
        more.append(config_of(again(data=f"{number}.csv", warm_start=True).version)["model"]["more"])
    assert more == [round(30 * 96 / 150), round((30 + more[0]) * 88 / (150 + 96))]


def test_a_model_that_stopped_early_has_as_many_trees_as_it_grew():
    from sklearn.ensemble import GradientBoostingClassifier

    from mlops_cli.components.continued import size_of

    model = GradientBoostingClassifier(n_estimators=500, n_iter_no_change=2, random_state=0)
    model.fit(OLD[["x", "z"]], OLD["label"])
    assert size_of(model) == len(model.estimators_) < 500
