"""What is shown of a model that was made anew."""

from __future__ import annotations

from dataclasses import replace

from rich.console import Console

from mlops_cli.records import GateResult, Notice, Promotion, Retrained, RunStatus
from mlops_cli.views.retrain import refusal, retrained, retrained_json, steps

GATE = GateResult("champion", passed=True, wanted="better than titanic/3", found="+0.04 (+0.01 … +0.07), better")
MADE = Retrained(
    "titanic",
    needed=True,
    reasons=("the latest batch, may.csv, has drifted: age: its mean is 40",),
    before="titanic/3",
    data="may\x1b[31m.csv",
    run="titanic/20270301-060000-a1b2c3",
    status=RunStatus.COMPLETED,
    version="titanic/4",
    held_out="snapshot:abc",
    promotion=Promotion("titanic/4", "champion", "titanic/3", (GATE,), done=True, declared="configs/promotion/t.yaml"),
    rows={"before": 891, "new": 400, "trained": 1211, "held_out": 80},
    changed={"model.C": 0.3},
    notices=(Notice("new-columns", "may.csv has more columns"),),
)


def shown(found):
    console = Console(width=110, color_system=None, highlight=False)
    with console.capture() as capture:
        console.print(retrained(found))
    return "\n".join(line.rstrip() for line in capture.get().splitlines())


def test_all_that_was_done_is_told_line_by_line():
    assert shown(MADE) == "\n".join(
        [
            "! new-columns: may.csv has more columns",
            "why      the latest batch, may.csv, has drifted: age: its mean is 40",
            "recipe   titanic/3, on may\\x1b[31m.csv",
            "rows     891 seen before, 400 new, 1,211 learned from, 80 held out",
            "run      titanic/20270301-060000-a1b2c3",
            "changed  model.C=0.3",
            "version  titanic/4, @challenger",
            "",
            "gates of configs/promotion/t.yaml",
            "         gate       wanted                  found",
            "─" * 73,
            "passed   champion   better than titanic/3   +0.04 (+0.01 … +0.07), better",
            "",
            "",
            "titanic/4 is @champion; titanic/3 was",
        ]
    )
    assert steps(MADE) == ["mlops models rollback titanic    gives the alias back"]


def test_a_refusal_is_one_line():
    failed = replace(GATE, passed=False, found="0.8 against 0.81: -0.01 (-0.03 … +0.01), no more than noise")
    refused = replace(MADE, promotion=replace(MADE.promotion, gates=(failed,), done=False))
    assert refusal(refused) == f"titanic/4 is not promoted: champion, {failed.found}"
    assert refusal(MADE) == ""


def test_json_has_all_of_it():
    found = retrained_json(MADE)
    assert found["rows"] == {"before": 891, "new": 400, "trained": 1211, "held_out": 80}
    assert (found["status"], found["promoted"], found["promotion"]["done"]) == ("completed", True, True)
    assert found["warnings"] == [{"code": "new-columns", "message": "may.csv has more columns"}]
