"""What is below what is required, and what comes next."""

from __future__ import annotations

from mlops_cli.analysis.assessing import next_steps, shortfalls
from mlops_cli.records import Assessment, Evidence, Level, Process, Requirement


def process(key, level, phase="training", **said):
    return Process(key, key, phase, ("a",), level=Level(level), **said)


def assessment(*processes):
    return Assessment("x", {"a": "A"}, {"training": "T", "deployment": "D"}, processes)


def test_the_highest_that_is_required_of_a_process_counts():
    found = assessment(process("a", "manual"), process("b", "automated"), process("c", "absent", "deployment"))
    asked = [Requirement("", Level.MANUAL), Requirement("training", Level.SEMI_AUTOMATED)]
    below = shortfalls(found, asked)
    assert [(short.process.key, short.required) for short in below] == [
        ("a", Level.SEMI_AUTOMATED),
        ("c", Level.MANUAL),
    ]
    assert shortfalls(found, [Requirement("b", Level.AUTOMATED)]) == ()
    assert shortfalls(found, []) == ()


def test_the_most_gain_for_the_effort_comes_first_and_what_nobody_valued_last():
    up = Level.AUTOMATED
    found = assessment(
        process("dear", "manual", target=up, effort=10, gain=5),
        process("near", "semi-automated", target=up),
        process("far", "absent", target=up),
        process("cheap", "manual", target=up, effort=1, gain=5),
        process("there", "automated", target=up, effort=1, gain=9),
        process("lower", "automated", target=Level.MANUAL, effort=1, gain=9),
        process("vain", "manual", target=up, effort=1, gain=0),
    )
    steps = next_steps(found)
    assert [step.process.key for step in steps] == ["cheap", "dear", "vain", "far", "near"]
    assert [step.value for step in steps] == [5.0, 0.5, 0.0, None, None]


def test_what_the_team_declares_counts_before_what_was_found():
    found = Evidence("ci", Level.ABSENT, "no CI")
    one = Process("ci", "CI", "training", ("a",), level=Level.AUTOMATED, scan="ci", evidence=found)
    assert shortfalls(assessment(one), [Requirement("", Level.AUTOMATED)]) == ()
