"""The comparison of runs, as it stands in an 80-column terminal."""

import json
from dataclasses import replace

import pytest

from mlops_cli.analysis.aggregate import summarize
from mlops_cli.analysis.compare import compare
from mlops_cli.records import Contender, Direction, SplitsInfo
from mlops_cli.views.compare import as_json, comparison

AUC = (0.80, 0.82, 0.79, 0.85, 0.81)
BETTER = (0.86, 0.87, 0.86, 0.90, 0.87)
NOISY = (0.83, 0.80, 0.82, 0.84, 0.83)
RMSE = (1210.0, 1350.5, 1288.25, 1300.0, 1190.0)
HOSTILE = "f1[/bold]\x1b[2J"


def contender(name, auc, rmse=RMSE, test=None, **params):
    metrics = {"roc_auc": summarize(auc, 0.25, test), "rmse": summarize(rmse, 0.25)}
    return Contender(
        name=name,
        label=f"titanic/20260102-03040{ord(name) - ord('A')}-abcdef",
        run=name,
        trial=0,
        metrics=metrics,
        directions={"roc_auc": Direction.MAXIMIZE, "rmse": Direction.MINIMIZE},
        params={"model": "svm", "model.C": 1.0, "seed": 0, **params},
        primary="roc_auc",
        splits=SplitsInfo("d", 5, 0.25),
    )


A = contender("A", AUC, test=0.8123)
B = contender("B", BETTER, tuple(r - 31 for r in reversed(RMSE)), 0.8712, **{"model.C": 10})


def test_two_runs(shown):
    assert (
        shown(comparison(compare([A, B])))
        == """\
A  titanic/20260102-030400-abcdef  svm
B  titanic/20260102-030401-abcdef  svm

metric                    A                 B            B - A   verdict
─────────────────────────────────────────────────────────────────────────
roc_auc ↑   0.8140 ± 0.0230   0.8720 ± 0.0164   +0.058 ± 0.016   B better
rmse ↓            1268 ± 66         1237 ± 66         -31 ± 72   noise

B is better: roc_auc +0.058 ± 0.016 (5 paired splits, p < 0.001)
± of a difference: 95 % interval, corrected resampled t-test (Nadeau & Bengio)

on held-out rows        A        B
──────────────────────────────────
roc_auc ↑          0.8123   0.8712
single numbers: they have no spread to judge a difference by

params that differ   A   B
───────────────────────────
model.C              1   10"""
    )


def test_three_runs(shown):
    rivals = [contender("B", NOISY, model="ridge"), contender("C", BETTER, RMSE)]
    assert (
        shown(comparison(compare([contender("A", AUC), *rivals])))
        == """\
A  titanic/20260102-030400-abcdef  svm
B  titanic/20260102-030401-abcdef  ridge
C  titanic/20260102-030402-abcdef  svm

metric      run        mean ± std          minus A         p   verdict
───────────────────────────────────────────────────────────────────────
roc_auc ↑   A     0.8140 ± 0.0230
            B     0.8240 ± 0.0152   +0.010 ± 0.044      0.56   noise
            C     0.8720 ± 0.0164   +0.058 ± 0.016   < 0.001   C better

rmse ↓      A           1268 ± 66
            B           1268 ± 66                0         -   same
            C           1268 ± 66                0         -   same

no evidence that B is better than A: roc_auc +0.010 ± 0.044 (5 paired splits, p
= 0.56 by Holm)
C is better than A: roc_auc +0.058 ± 0.016 (5 paired splits, p < 0.001 by Holm)
± of a difference: 95 % interval, corrected resampled t-test (Nadeau & Bengio)
p is adjusted by Holm for 2 pairs; each interval is its pair's own

params that differ   A     B       C
──────────────────────────────────────
model                svm   ridge   svm"""
    )


def test_runs_that_do_not_pair_stand_beside_each_other_all_the_same(shown):
    other = replace(B, splits=SplitsInfo("e", 5, 0.25), params={**B.params, "seed": 1})
    assert (
        shown(comparison(compare([A, other])))
        == """\
A  titanic/20260102-030400-abcdef  svm
B  titanic/20260102-030401-abcdef  svm

metric                    A                 B   B - A   verdict
────────────────────────────────────────────────────────────────
roc_auc ↑   0.8140 ± 0.0230   0.8720 ± 0.0164       -   unpaired
rmse ↓            1268 ± 66         1237 ± 66       -   unpaired

B cannot be paired with A: their rows were split differently: seed is 0 in A and
1 in B; run B again with seed=0

on held-out rows        A        B
──────────────────────────────────
roc_auc ↑          0.8123   0.8712
single numbers: they have no spread to judge a difference by

params that differ   A   B
───────────────────────────
model.C              1   10
seed                 0   1"""
    )


def test_hostile_names_are_text(shown):
    metrics = {HOSTILE: summarize(AUC, 0.25)}
    a, b = (
        replace(
            c,
            label=f"{c.label}[red]\x07",
            metrics=metrics,
            directions={HOSTILE: Direction.MAXIMIZE},
            primary=HOSTILE,
            params={"model[/x]": value, "\x1b]0;t\x07": "[link=x]"},
        )
        for c, value in ((A, "\x1b[31m[/]"), (B, "b"))
    )
    text = shown(comparison(compare([a, b])))
    assert "\x1b" not in text
    assert "\x07" not in text
    for part in ("f1[/bold]\\x1b[2J", "abcdef[red]\\x07", "model[/x]", "\\x1b[31m[/]"):
        assert part in text


def test_a_long_name_is_folded_and_no_number_cut(shown):
    long = "neg_mean_absolute_percentage_error"
    a, b = (
        replace(c, metrics={long: c.metrics["roc_auc"]}, directions={long: Direction.MAXIMIZE}, primary=long)
        for c in (A, B)
    )
    text = shown(comparison(compare([a, b])))
    assert "+0.058 ± 0.016   B better" in text
    assert "0.8140 ± 0.0230   0.8720 ± 0.0164" in text


@pytest.mark.parametrize("contenders", [[A, B], [A, B, replace(B, name="C", splits=None)]], ids=["pair", "several"])
def test_as_data_it_has_every_number_and_sentence(contenders):
    found = json.loads(json.dumps(as_json(compare(contenders)), allow_nan=False))
    assert [c["name"] for c in found["contenders"]] == [c.name for c in contenders]
    first = found["pairings"][0]
    assert first["sentence"].startswith("B is better")
    assert set(first["differences"]["roc_auc"]) == {"difference", "ci95", "p", "splits", "direction", "verdict"}
    assert [p["refused"] is None for p in found["pairings"]] == [True, False][: len(contenders) - 1]
