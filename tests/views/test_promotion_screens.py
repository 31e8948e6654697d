"""What is told of a promotion, as whole text; what comes from elsewhere cannot act on the terminal."""

from __future__ import annotations

from rich.console import Console

from mlops_cli.records import GateResult, Promotion, RolledBack
from mlops_cli.views.promotion import gates, notes, rolled_back, verdict

GATES = (
    GateResult("metrics.auc.min", passed=True, wanted="≥ 0.8", found="0.9", detail="mean over 5 splits"),
    GateResult("metrics.auc.max", passed=True, wanted="≤ 1", found="0.9", detail="mean over 5 splits"),
    GateResult("approval", passed=False, wanted="approved by [red]ann\x1b[31m", found="by none of them"),
)
REFUSED = Promotion("x/2", "champion", "x/1", GATES, done=False, declared="configs/promotion/x.yaml", said=("so\x07",))


def printed(renderable):
    console = Console(width=90, color_system=None)
    with console.capture() as captured:
        console.print(renderable)
    return [line.rstrip() for line in captured.get().splitlines()]


def test_the_table_of_gates_tells_each_and_below_it_how_it_was_found():
    assert printed(gates(REFUSED)) == [
        "         gate              wanted                         found",
        "─" * 73,
        "passed   metrics.auc.min   ≥ 0.8                          0.9",
        "passed   metrics.auc.max   ≤ 1                            0.9",
        "failed   approval          approved by [red]ann\\x1b[31m   by none of them",
        "",
        "metrics.auc.min, metrics.auc.max: mean over 5 splits",
    ]
    assert notes(REFUSED) == ["gates of configs/promotion/x.yaml", "so\\x07"]


def test_one_line_says_what_came_of_it():
    assert verdict(REFUSED) == "x/2 is not promoted: 1 of 3 gates failed"
    done = Promotion("x/2", "champion", "x/1", GATES, done=True, override="in a\nhurry\x1b")
    assert verdict(done) == "x/2 is @champion; x/1 was; 1 of 3 gates failed, and that was overridden: in a\\nhurry\\x1b"
    nothing = Promotion("x/2", "staging", None, (), done=True)
    assert notes(nothing) == ["no gates are declared for x: nothing was asked but that it opens"]
    assert verdict(nothing) == "x/2 is @staging"


def test_what_was_passed_over_when_an_alias_is_given_back_is_said():
    found = RolledBack("x", "champion", 1, None, ("x/2 has been removed",))
    assert rolled_back(found) == ["x/1 is @champion again", "x/2 has been removed"]
