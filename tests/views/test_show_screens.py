"""One run in full, as it stands in an 80-column terminal."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path

from mlops_cli.analysis.aggregate import summarize
from mlops_cli.analysis.compare import lead
from mlops_cli.records import (
    BestTrial,
    Column,
    Counts,
    DatasetVersion,
    Direction,
    ErrorInfo,
    GitState,
    Kind,
    Notice,
    RunRecord,
    RunStatus,
    SplitsInfo,
    Task,
    TrialResult,
    TrialState,
)
from mlops_cli.views.show import page

NOW = datetime.fromisoformat("2026-11-21T15:00:00+00:00")
BEST = {"roc_auc": (0.85, 0.87, 0.86), "rmse": (1210.0, 1350.5, 1288.25)}
RECORD = RunRecord(
    id="titanic/20260102-030405-abcdef",
    path=Path("/w/runs/titanic/20260102-030405-abcdef"),
    experiment="titanic",
    status=RunStatus.COMPLETED,
    started="2026-01-02T03:04:05.000+00:00",
    task=Task.CLASSIFICATION,
    primary="roc_auc",
    direction=Direction.MAXIMIZE,
    best=BestTrial(1, {"model.C": 1.0}),
    metrics={name: summarize(values, 0.5) for name, values in BEST.items()},
    splits=SplitsInfo("d", 3, 0.5),
    counts=Counts(trials=3, completed=2, failed=1),
    dataset=DatasetVersion("0123456789abcdef", 891, (Column("a", "int64", Kind.NUMERIC),), "y", "data/t.csv"),
    git=GitState("fedcba9876543210", dirty=True),
    environment={"python": "3.11.7"},
    duration_s=75.2,
    warnings=(Notice("target-leak", "alive gives survived away"),),
    tags={"stage": "draft"},
    fingerprint="00112233445566778899",
)
TRIALS = (
    TrialResult(0, TrialState.COMPLETED, {"model.C": 0.1}, {"roc_auc": (0.8, 0.82, 0.85), "rmse": (1.0, 2.0, 3.0)}),
    TrialResult(1, TrialState.COMPLETED, {"model.C": 1.0}, BEST),
    TrialResult(2, TrialState.FAILED, {"model.C": -1}, error=ErrorInfo("ValueError", "C must be positive", "Trace")),
)


def test_the_page_of_a_sweep(shown):
    files = ("model/", "predictions.parquet", "plots/", "trials.csv", "config.yaml", "run.log")
    assert (
        shown(page(RECORD, TRIALS, lead=lead(RECORD, TRIALS), files=files, now=NOW))
        == """\
titanic/20260102-030405-abcdef  completed  3 trials, 1 failed  1 min 15 s

metric           mean ± std     95 % interval
─────────────────────────────────────────────
roc_auc ↑   0.8600 ± 0.0100   0.8207 … 0.8993
rmse              1283 ± 70       1006 … 1559

trial   roc_auc     rmse   params
──────────────────────────────────────
    1    0.8600     1283   model.C=1
    0    0.8233   2.0000   model.C=0.1
    2    failed   failed   model.C=-1
no evidence that trial 1 is better than trial 0, the next: roc_auc +0.037 ±
0.091 (3 paired splits, p = 0.22)

split          0        1        2
──────────────────────────────────
roc_auc   0.8500   0.8700   0.8600
rmse        1210     1350     1288

1 of 3 trials failed:
  1 × ValueError: C must be positive  trial 2
  --verbose shows where

! target-leak: alive gives survived away

task         classification
seed         0
started      2026-01-02 03:04:05
tags         stage=draft
data         data/t.csv  891 rows × 1 column  0123456789ab
code         fedcba987654, uncommitted changes in source.diff
python       3.11.7
fingerprint  001122334455
files        /w/runs/titanic/20260102-030405-abcdef
             model/  predictions.parquet  plots/  trials.csv  config.yaml
             run.log"""
    )


def with_splits(count):
    scores = tuple(0.8 + n / 1000 for n in range(count))
    return replace(RECORD, metrics={"roc_auc": summarize(scores, 0.1)}, counts=Counts(trials=1, completed=1))


def test_ten_splits_are_folded_into_two_rows(shown):
    lines = shown(page(with_splits(10), ())).splitlines()
    heads = [line.split() for line in lines if line.startswith("split ")]
    assert heads == [["split", "0", "1", "2", "3", "4"], ["split", "5", "6", "7", "8", "9"]]
    assert "roc_auc   0.8050   0.8060   0.8070   0.8080   0.8090" in lines


def test_of_many_splits_the_spread_is_shown(shown):
    text = shown(page(with_splits(51), ()))
    assert "over 51 splits    least     25 %   median     75 %   greatest" in text
    assert "roc_auc          0.8000   0.8125   0.8250   0.8375     0.8500" in text


def test_one_split_needs_no_table(shown):
    assert "split" not in shown(page(with_splits(1), ()))


def test_tracebacks_are_shown_when_they_are_asked_for(shown):
    assert "    Trace" in shown(page(RECORD, TRIALS, tracebacks=True))


def test_hostile_text_is_text(shown):
    name = "f1[/b]\x1b[2J"
    hostile = replace(
        RECORD,
        primary=name,
        metrics={name: summarize((0.1, 0.2), 0.5)},
        tags={"[/x]": "\x07"},
        description="\x1b]0;t\x07[red]",
        splits=None,
    )
    text = shown(page(hostile, (), files=("model[/]",)))
    assert "\x1b" not in text
    assert "\x07" not in text
    for part in ("f1[/b]\\x1b[2J", "[/x]=\\x07", "\\x1b]0;t\\x07[red]", "model[/]"):
        assert part in text


def test_a_network_that_goes_on_learning_says_from_where_and_what_stays(shown):
    params = {
        "model": "cnn",
        "model.start.version": "digits/1",
        "model.start.sha256": "46c2" * 16,
        "model.freeze": ["features.*"],
        "model.epochs": 1,
        "model.lr": 0.0005,
    }
    assert "cnn  start=digits/1  freeze=[features.*]  epochs=1  lr=0.0005\n" in shown(
        page(replace(RECORD, params=params, best=BestTrial(0, {})), ())
    )


def test_a_run_says_which_model_it_is(shown):
    params = {
        "model": "svm",
        "transforms": "tabular",
        "split": "kfold",
        "model._target_.classification": "sklearn.svm.SVC",
        "model.C": 1.0,
        "model.kernel": "rbf",
        "model.epsilon.regression": 0.1,
        "transforms.scale._target_": "sklearn.preprocessing.StandardScaler",
        "split.n_splits": 5,
    }
    sweep = replace(RECORD, params=params)
    single = replace(sweep, best=BestTrial(0, {}))
    custom = replace(single, params={"model._target_": "mine.Forest", "model.depth": 3})
    lines = [shown(page(record, ())).splitlines() for record in (sweep, single, custom)]
    assert "model        svm  C=1" in lines[0]
    assert "model        svm  C=1  kernel=rbf" in lines[1]
    assert "model        Forest  depth=3" in lines[2]
    assert "transforms   tabular: scale" in lines[1]
    assert "split        kfold  n_splits=5" in lines[1]
