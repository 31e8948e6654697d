"""Which trials are stopped early, and that it depends on nothing but the trials before them."""

import pytest

from mlops_cli.execution.pruning import Step, make_pruning
from mlops_cli.records import Direction, ErrorInfo, PrunerSpec, TrialResult, TrialState


def result(number, *scores, steps=()):
    return TrialResult(number, TrialState.COMPLETED, scores={"m": scores}, steps=steps)


def pruning(name, direction=Direction.MAXIMIZE, **options):
    return make_pruning(PrunerSpec(name, **options), "m", direction)


def taught(made, *results, splits=5):
    for one in results:
        made.learn(one, splits)
    return made


def test_without_a_pruner_there_is_one_step_and_no_bar():
    made = pruning("none")
    assert made.steps(0, 5) == (Step(5),)
    assert made.bar(0, 5).verdict(0, [0.0]) is None


def test_halving_multiplies_the_splits_up_to_all():
    assert [s.splits for s in pruning("halving").steps(0, 10)] == [1, 3, 9, 10]
    assert [s.splits for s in pruning("halving", factor=2, least=2).steps(0, 10)] == [2, 4, 8, 10]
    assert [s.splits for s in pruning("halving").steps(0, 1)] == [1]


def test_halving_over_rows_has_all_splits_in_every_step():
    steps = pruning("halving", over="rows").steps(0, 5)
    assert [s.splits for s in steps] == [5, 5, 5]
    assert [s.share for s in steps] == [pytest.approx(1 / 9), pytest.approx(1 / 3), 1.0]
    assert [s.share for s in pruning("halving", over="rows", least=0.5).steps(0, 5)] == [0.5, 1.0]


def test_of_those_that_reached_a_rung_one_in_three_goes_on():
    made = taught(pruning("halving"), *(result(n, *[n / 10] * 5) for n in range(5)))  # 0.0 … 0.4 at each rung
    bar = made.bar(5, 5)
    assert bar.verdict(0, [0.3]) is None  # the second best of six
    assert bar.verdict(0, [0.35]) is None
    assert "not among the best 1 in 3 of 6" in bar.verdict(0, [0.29])


def test_less_is_better_where_the_metric_says_so():
    made = taught(pruning("halving", Direction.MINIMIZE), *(result(n, *[n / 10] * 5) for n in range(5)))
    bar = made.bar(5, 5)
    assert bar.verdict(0, [0.1]) is None
    assert bar.verdict(0, [0.11]) is not None


def test_the_first_trial_is_never_stopped():
    assert pruning("halving").bar(0, 5).verdict(0, [-1e9]) is None


def test_a_bar_does_not_move_once_a_trial_has_begun():
    made = taught(pruning("halving"), result(0, *[0.5] * 5))
    bar = made.bar(1, 5)
    taught(made, *(result(n, *[0.9] * 5) for n in range(1, 9)))
    assert bar.verdict(0, [0.6]) is None
    assert made.bar(9, 5).verdict(0, [0.6]) is not None


def test_trials_that_have_no_score_are_no_rivals():
    failed = TrialResult(0, TrialState.FAILED, error=ErrorInfo("ValueError", "no"))
    assert taught(pruning("halving"), failed).bar(1, 5).verdict(0, [-1.0]) is None


def test_a_pruned_trial_counts_at_the_rungs_that_it_reached():
    pruned = [TrialResult(n, TrialState.PRUNED, scores={"m": (0.5,)}, steps=(0.5,)) for n in range(3)]
    assert taught(pruning("halving"), *pruned).bar(3, 5).verdict(0, [0.4]) is not None


def test_hyperband_begins_trials_at_different_rungs():
    made = pruning("hyperband")
    firsts = [made.steps(n, 9)[0].splits for n in range(200)]
    assert set(firsts) == {1, 3, 9}
    assert firsts.count(1) > firsts.count(9) > 0


def test_hyperband_compares_within_a_bracket_alone():
    made = pruning("hyperband")
    short = [n for n in range(100) if made.steps(n, 9)[0].splits == 1]
    others = [n for n in range(100) if made.steps(n, 9)[0].splits == 3]
    taught(made, *(result(n, *[0.9] * 9) for n in others[:20]), splits=9)
    assert made.bar(short[0], 9).verdict(0, [0.1]) is None


def test_wilcoxon_waits_until_it_can_tell():
    assert [s.splits for s in pruning("wilcoxon").steps(0, 6)] == [4, 5, 6]
    assert [s.splits for s in pruning("wilcoxon", p_threshold=0.01).steps(0, 5)] == [5]


def test_wilcoxon_stops_what_is_worse_on_every_split_and_not_what_is_worse_on_some():
    made = taught(pruning("wilcoxon"), result(0, 0.8, 0.7, 0.9, 0.85, 0.8))
    bar = made.bar(1, 5)
    assert "p = 0.0625" in bar.verdict(0, [0.7, 0.6, 0.8, 0.7])
    assert bar.verdict(0, [0.7, 0.75, 0.8, 0.9]) is None
    assert bar.verdict(0, [0.9, 0.8, 0.95, 0.9]) is None


def test_wilcoxon_measures_against_the_best_so_far():
    made = taught(pruning("wilcoxon"), result(0, *[0.5] * 5), result(1, *[0.9] * 5), result(2, *[0.6] * 5))
    assert made.bar(3, 5).verdict(0, [0.8, 0.81, 0.82, 0.83]) is not None
