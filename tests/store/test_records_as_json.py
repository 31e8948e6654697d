from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_cli.records import (
    Baseline,
    BestTrial,
    Column,
    Counts,
    DatasetVersion,
    Dates,
    Direction,
    ErrorInfo,
    GitState,
    Kind,
    MetricSummary,
    Notice,
    PairedDifference,
    ProcessInfo,
    RunRecord,
    RunStatus,
    Signature,
    SplitsInfo,
    Task,
    TrialResult,
    TrialState,
    Verdict,
)
from mlops_cli.store.files import json_bytes, json_line
from mlops_cli.store.serialize import (
    column_from_json,
    column_to_json,
    run_from_json,
    run_to_json,
    signature_from_json,
    signature_to_json,
    trial_from_json,
    trial_to_json,
)
from mlops_cli.store.values import decode, encode

law = settings(deadline=None, max_examples=60)

real = st.floats(allow_nan=False, allow_infinity=False)
scalar = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
key = st.text() | st.integers() | st.booleans()
value = st.recursive(scalar, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(key, inner, max_size=3))
params = st.dictionaries(st.text(), value, max_size=4)
count = st.integers(0, 10**6)
error = st.builds(ErrorInfo, st.text(), st.text(), st.text())
notices = st.lists(st.builds(Notice, st.text(), st.text()), max_size=2).map(tuple)
column = st.builds(Column, st.text(), st.text(), st.sampled_from(Kind), count, st.none() | count)
metric = st.builds(
    MetricSummary,
    real,
    st.none() | real,
    st.none() | st.tuples(real, real),
    st.lists(real, max_size=4).map(tuple),
    st.none() | real,
)
trial = st.builds(
    TrialResult,
    trial=count,
    state=st.sampled_from(TrialState),
    params=params,
    scores=st.dictionaries(st.text(), st.lists(real, max_size=4).map(tuple), max_size=3),
    fit_s=real,
    score_s=real,
    fingerprint=st.text(),
    error=st.none() | error,
    notices=notices,
)
dataset = st.builds(
    DatasetVersion, st.text(), count, st.lists(column, max_size=3).map(tuple), st.none() | st.text(), st.text()
)
difference = st.builds(
    PairedDifference,
    st.text(),
    st.sampled_from(Direction),
    real,
    st.none() | st.tuples(real, real),
    st.none() | real,
    count,
    st.sampled_from(Verdict),
)
baseline = st.builds(
    Baseline, st.text(), st.text(), st.dictionaries(st.text(), metric, max_size=2), st.none() | difference
)
run = st.builds(
    RunRecord,
    id=st.text(),
    path=st.just(Path("/ws/runs/iris/x")),
    experiment=st.text(),
    status=st.sampled_from(RunStatus),
    started=st.datetimes(timezones=st.timezones()).map(lambda t: t.isoformat()),
    task=st.none() | st.sampled_from(Task),
    primary=st.none() | st.text(),
    direction=st.none() | st.sampled_from(Direction),
    directions=st.dictionaries(st.text(), st.sampled_from(Direction), max_size=2),
    best=st.none() | st.builds(BestTrial, count, params),
    metrics=st.dictionaries(st.text(), metric, max_size=2),
    params=params,
    splits=st.none() | st.builds(SplitsInfo, st.text(), count, real, st.none() | count),
    baselines=st.lists(baseline, max_size=2).map(tuple),
    counts=st.builds(Counts, count, count, count, count, count, count),
    dataset=st.none() | dataset,
    git=st.builds(GitState, st.none() | st.text(), st.none() | st.booleans()),
    environment=params,
    seed=st.integers(0),
    ended=st.none() | st.text(),
    duration_s=st.none() | real,
    warnings=notices,
    tags=st.dictionaries(st.text(), st.text(), max_size=2),
    note=st.text(),
    description=st.text(),
    fingerprint=st.text(),
    files=st.dictionaries(st.text(), st.text(), max_size=2),
    process=st.none() | st.builds(ProcessInfo, count, st.text(), st.none() | st.text()),
    error=st.none() | error,
)
signature = st.builds(
    Signature,
    inputs=st.lists(column, max_size=3).map(tuple),
    task=st.sampled_from(Task),
    output=st.text(),
    output_dtype=st.text(),
    classes=st.none() | st.lists(scalar, max_size=3).map(tuple),
    id=st.none() | st.text(),
)


def typed(thing):
    """The value with its types, since 1 == True == 1.0 in Python."""
    if isinstance(thing, dict):
        return {(type(k), k): typed(v) for k, v in thing.items()}
    if isinstance(thing, list | tuple):
        return [typed(v) for v in thing]
    return (type(thing), thing)


@law
@given(value)
def test_a_parameter_comes_back_equal_and_of_its_type(before):
    after = decode(json.loads(json_bytes(encode(before))))
    assert typed(after) == typed(before)


@law
@given(trial)
def test_a_trial_comes_back_from_its_line(before):
    line = json_line(trial_to_json(before))
    assert line.count(b"\n") == 1
    assert trial_from_json(json.loads(line)) == before


@law
@given(run)
def test_a_run_comes_back_from_its_record(before):
    assert run_from_json(json.loads(json_bytes(run_to_json(before))), before.path) == before


@law
@given(signature)
def test_a_signature_comes_back(before):
    assert signature_from_json(json.loads(json_bytes(signature_to_json(before)))) == before


def a_run(**more: object) -> RunRecord:
    return RunRecord(
        id="iris/20260301-120000-abcdef",
        path=Path("/ws/runs/iris/20260301-120000-abcdef"),
        experiment="iris",
        status=RunStatus.COMPLETED,
        started="2026-03-01T12:00:00+01:00",
        **more,
    )


def test_a_record_has_the_keys_that_scripts_depend_on():
    record = a_run(
        task=Task.CLASSIFICATION,
        best=BestTrial(3, {"model.C": 1.0}),
        metrics={"accuracy": MetricSummary(0.9, 0.1, (0.8, 1.0), (0.8, 1.0), 0.85)},
        dataset=DatasetVersion("ab12", 150, (Column("a", "float64", Kind.NUMERIC, 2),), "species", "data/iris.csv"),
        warnings=(Notice("constant", "a is constant"),),
    )
    data = run_to_json(record)
    assert list(data)[:5] == ["schema_version", "id", "path", "experiment", "status"]
    stable = "task primary direction best metrics counts dataset git environment seed started ended duration_s"
    assert set(stable.split()) | {"warnings", "tags", "fingerprint"} <= set(data)
    assert data["best"] == {"trial": 3, "params": {"model.C": 1.0}}
    assert data["metrics"] == {
        "accuracy": {"mean": 0.9, "std": 0.1, "ci95": [0.8, 1.0], "splits": [0.8, 1.0], "test": 0.85}
    }
    assert data["dataset"]["columns"] == 1
    assert data["dataset"]["schema"][0]["name"] == "a"
    assert data["warnings"] == [{"code": "constant", "message": "a is constant"}]
    assert set(data["counts"]) == {"trials", "completed", "failed", "pruned", "reused", "lost"}
    assert data["git"] == {"commit": None, "dirty": None}


def test_a_column_says_how_its_dates_are_written_and_an_old_one_that_does_not_is_read():
    written = {"name": "day", "dtype": "datetime64[us]", "kind": "datetime", "missing": 0, "unique": 3}
    old = Column("day", "datetime64[us]", Kind.DATETIME, 0, 3)
    assert column_from_json(written) == old
    assert column_to_json(old) == written
    for column in (replace(old, dates=Dates(day_first=True, zoned=False)), replace(old, categories="str")):
        assert column_from_json(json.loads(json_bytes(column_to_json(column)))) == column


def test_a_journal_line_has_the_keys_that_scripts_depend_on():
    result = TrialResult(0, TrialState.FAILED, {"a": 1}, error=ErrorInfo("ValueError", "no", "Traceback"))
    assert list(trial_to_json(result)) == [
        *("trial", "state", "params", "scores", "fit_s", "score_s", "fingerprint", "error")
    ]
    assert trial_to_json(result)["error"] == {"type": "ValueError", "message": "no", "traceback": "Traceback"}


def test_the_path_is_written_relative_to_the_workspace_so_that_it_can_be_moved():
    assert run_to_json(a_run(), Path("/ws"))["path"] == "runs/iris/20260301-120000-abcdef"
    assert run_to_json(a_run(), Path("/other"))["path"] == "/ws/runs/iris/20260301-120000-abcdef"
    assert run_from_json(run_to_json(a_run(), Path("/ws")), Path("/moved/x")).path == Path("/moved/x")


def test_a_score_that_is_not_finite_is_null_and_reads_as_nan():
    result = TrialResult(0, TrialState.FAILED, scores={"r2": (0.5, math.nan, -math.inf)})
    line = trial_to_json(result)
    assert line["scores"] == {"r2": [0.5, None, None]}
    assert [math.isnan(s) for s in trial_from_json(line).scores["r2"]] == [False, True, True]


def test_numpy_values_are_written_as_what_they_hold():
    params = {"a": np.int64(3), "b": np.float32(0.5), "c": np.bool_(True), "d": np.array([1, 2]), "e": np.str_("x")}
    assert json.loads(json_bytes(encode(params))) == {"a": 3, "b": 0.5, "c": True, "d": [1, 2], "e": "x"}
    result = TrialResult(np.int64(1), TrialState.COMPLETED, scores={"a": (np.float64(0.5), np.float32(1))})
    assert trial_from_json(json.loads(json_line(trial_to_json(result)))).scores == {"a": (0.5, 1.0)}


def test_a_parameter_of_an_unknown_kind_is_written_as_its_text_rather_than_losing_the_trial():
    assert encode({"path": Path("a/b")}) == {"path": "a/b"}


def test_nan_as_a_parameter_stays_nan():
    assert math.isnan(decode(json.loads(json_bytes(encode({"missing_values": math.nan}))))["missing_values"])


def test_class_weights_by_number_keep_their_numbers():
    weights = {"model.class_weight": {0: 1, 1: 5.5}}
    assert decode(json.loads(json_bytes(encode(weights)))) == weights


def test_keys_that_a_later_version_added_are_ignored():
    data = {**run_to_json(a_run()), "energy_kwh": 3, "counts": {"trials": 1, "sleeping": 2}}
    assert run_from_json(data, a_run().path) == replace(a_run(), counts=Counts(trials=1))


def test_keys_that_an_earlier_version_did_not_have_are_defaults():
    short = {k: v for k, v in run_to_json(a_run()).items() if k in {"id", "experiment", "status", "started"}}
    assert run_from_json(short, a_run().path) == a_run()


@pytest.mark.parametrize(
    "change",
    [{"id": 5}, {"started": "noon"}, {"status": "asleep"}, {"metrics": {"a": 3}}, {"best": {}}, {"warnings": 3}],
)
def test_a_record_that_makes_no_sense_is_refused(change):
    with pytest.raises((KeyError, TypeError, ValueError, AttributeError)):
        run_from_json({**run_to_json(a_run()), **change}, Path("/x"))
