"""What counts as better: the corrected paired test, its edges, and what is refused."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mlops_cli.analysis.aggregate import summarize
from mlops_cli.analysis.compare import compare, holm, lead, paired
from mlops_cli.analysis.wording import difference_in_words, names, sentence
from mlops_cli.records import (
    BestTrial,
    Contender,
    DatasetVersion,
    Direction,
    RunRecord,
    RunStatus,
    SplitsInfo,
    Task,
    TrialResult,
    TrialState,
    Verdict,
)

UP, DOWN = Direction.MAXIMIZE, Direction.MINIMIZE
A = (0.80, 0.82, 0.79, 0.85, 0.81)
CLEARLY_MORE = (0.86, 0.87, 0.86, 0.90, 0.87)
LUCKILY_MORE = (0.83, 0.80, 0.82, 0.84, 0.83)


def contender(name, *, params=None, setting=None, digest="d", share=0.25, version="v", **scores):
    scores = scores or {"roc_auc": A}
    return Contender(
        name=name,
        label=f"titanic/{name}",
        run=f"titanic/{name}",
        trial=0,
        metrics={metric: summarize(values, share) for metric, values in scores.items()},
        directions=dict.fromkeys(scores, UP),
        params={"split.n_splits": 5, "seed": 0, "split.random_state": 0, "model": "svm", **(params or {})},
        primary=next(iter(scores)),
        splits=SplitsInfo(digest, len(next(iter(scores.values()))), share),
        data=DatasetVersion(version * 8, 100, (), "y", "data/t.csv"),
        setting=setting or {},
    )


def test_the_statistic_is_that_of_nadeau_and_bengio():
    found = paired("f1", UP, A, LUCKILY_MORE, test_share=0.25)
    d = np.subtract(LUCKILY_MORE, A)
    error = math.sqrt(d.var(ddof=1) * (1 / 5 + 0.25))
    assert found.difference == pytest.approx(d.mean(), abs=1e-15)
    assert found.p == pytest.approx(2 * stats.t.sf(abs(d.mean() / error), 4), rel=1e-10)
    assert found.ci95 == pytest.approx(stats.t.interval(0.95, 4, d.mean(), error), rel=1e-10)
    assert found.verdict is Verdict.NOISE


def test_the_uncorrected_test_would_have_called_it_better():
    scores = (0.815, 0.825, 0.815, 0.855, 0.825)
    assert stats.ttest_rel(scores, A).pvalue < 0.05
    assert paired("f1", UP, A, scores, test_share=0.25).verdict is Verdict.NOISE


@pytest.mark.parametrize(("direction", "verdict"), [(UP, Verdict.BETTER), (DOWN, Verdict.WORSE)])
def test_which_way_is_better_depends_on_the_metric(direction, verdict):
    assert paired("m", direction, A, CLEARLY_MORE, test_share=0.25).verdict is verdict


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=12), st.floats(0.01, 2))
def test_the_other_way_round_is_the_same_with_the_other_sign(pairs, share):
    a, b = zip(*pairs, strict=True)
    there, back = paired("m", UP, a, b, share), paired("m", UP, b, a, share)
    assert there.difference == pytest.approx(-back.difference, abs=1e-12)
    turned = {Verdict.BETTER: Verdict.WORSE, Verdict.WORSE: Verdict.BETTER}
    if there.p is None or abs(there.p - 0.05) > 1e-9:
        assert there.verdict is turned.get(back.verdict, back.verdict)


def test_equal_scores_are_the_same_also_where_sums_were_taken_in_another_order():
    found = paired("m", UP, A, tuple(a + 1e-16 for a in A), 0.25)
    assert (found.verdict, found.difference, found.p) == (Verdict.SAME, 0.0, None)


def test_the_very_same_difference_on_every_split_is_no_proof():
    found = paired("m", UP, A, tuple(a + 0.01 for a in A), 0.25)
    assert found.verdict is Verdict.UNKNOWN
    assert (found.p, found.ci95) == (None, None)
    assert found.difference == pytest.approx(0.01)


def test_one_split_tells_nothing_and_the_mend_is_said():
    found = compare([contender("A", f1=(0.8,)), contender("B", f1=(0.9,))])
    assert found.pairings[0].differences[0].verdict is Verdict.UNKNOWN
    assert "one split cannot tell B from chance: f1 +0.1; run both with" in sentence(found.pairings[0], found)


def test_with_several_pairs_p_is_adjusted_by_holm():
    noisy = (0.83, 0.83, 0.80, 0.86, 0.84)
    others = [contender("B", roc_auc=CLEARLY_MORE), contender("C", roc_auc=noisy), contender("D", roc_auc=LUCKILY_MORE)]
    alone = [compare([contender("A"), other]).pairings[0].differences[0].p for other in others]
    together = compare([contender("A"), *others])
    assert [pairing.differences[0].p for pairing in together.pairings] == pytest.approx(holm(alone))
    assert alone[1] < 0.1 < together.pairings[1].differences[0].p
    assert sentence(together.pairings[1], together).endswith("by Holm)")


def test_holm_is_that_of_the_paper():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]


# --- what is refused ---------------------------------------------------------------------------------------------


def refusal(first, other, metric=None):
    (pairing,) = compare([first, other], metric).pairings
    assert pairing.differences == ()
    return pairing.refused


def test_another_number_of_splits_is_named_with_its_mend():
    other = contender("B", digest="e", params={"split.n_splits": 10})
    assert refusal(contender("A"), other) == (
        "their rows were split differently: split.n_splits is 5 in A and 10 in B; run B again with split.n_splits=5"
    )


def test_another_seed_is_named_once_though_the_split_follows_it():
    other = contender("B", digest="e", params={"seed": 1, "split.random_state": 1})
    assert refusal(contender("A"), other).endswith("seed is 0 in A and 1 in B; run B again with seed=0")


def test_another_share_of_held_out_rows_is_named():
    a = contender("A", setting={"evaluation.test": 0.2})
    b = contender("B", digest="e", setting={"evaluation.test": None})
    assert refusal(a, b).endswith("evaluation.test is 0.2 in A and null in B; run B again with evaluation.test=0.2")


def test_other_data_is_named_by_its_versions():
    text = refusal(contender("A"), contender("B", digest="e", version="w"))
    assert "A has data/t.csv vvvvvvvv with 100 rows, B has data/t.csv wwwwwwww with 100 rows" in text


def test_other_columns_on_the_same_rows_do_pair():
    found = compare([contender("A"), contender("B", version="w", roc_auc=CLEARLY_MORE)])
    assert found.pairings[0].differences[0].verdict is Verdict.BETTER


def test_another_positive_class_makes_scores_mean_something_else():
    other = contender("B", setting={"data.positive": "yes"})
    assert "data.positive is null in A and yes in B" in refusal(contender("A"), other)


def test_metrics_of_ones_own_pair_only_where_they_are_defined_alike():
    a, b = (contender(n, profit=A, setting={"evaluation.metrics.profit": {"cost": c}}) for n, c in (("A", 1), ("B", 5)))
    assert "they mean different things by profit" in refusal(a, b)
    assert not compare([a, replace(b, setting=a.setting)]).pairings[0].refused


def test_without_a_common_metric_both_are_named():
    text = refusal(contender("A", f1=A), contender("B", recall=A))
    assert text == "they share no metric: A has f1, B has recall; run B again with evaluation.metrics=[f1]".replace(
        ", B", " and B"
    )


def test_a_metric_that_one_lacks_is_refused_by_name():
    text = refusal(contender("A", f1=A, recall=A), contender("B", f1=A), metric="recall")
    assert text.startswith("they share no metric: A has f1, recall and B has f1")


def test_a_run_that_does_not_tell_its_splits_is_not_guessed_at():
    text = refusal(contender("A"), replace(contender("B"), splits=None))
    assert text == "nothing tells how the rows of B were split; run B again with --force"


@pytest.mark.parametrize(
    ("status", "mend"),
    [
        (RunStatus.INTERRUPTED, "mlops resume titanic/A"),
        (RunStatus.RUNNING, "wait for it to end"),
        (RunStatus.COMPLETED, "run A again with --force"),
    ],
)
def test_what_a_run_does_not_tell_is_not_taken_for_a_difference(status, mend):
    killed = replace(contender("A"), splits=None, params={}, setting={}, status=status)
    other = contender("B", version="w", setting={"evaluation.test": None})
    assert refusal(killed, other) == f"nothing tells how the rows of A were split; {mend}"
    assert refusal(other, killed).startswith("nothing tells how the rows of A were split")


def test_what_a_run_without_splits_does_tell_is_named():
    killed = replace(contender("A", params={"split.n_splits": 10}), splits=None, status=RunStatus.INTERRUPTED)
    assert "split.n_splits is 10 in A and 5 in B" in refusal(killed, contender("B"))


FOLDS = {"split._target_": "sklearn.model_selection.KFold", "split.n_splits": 5}


@pytest.mark.parametrize("params", [FOLDS, {"split.test_size": 0.2}])
def test_trials_of_one_run_pair_by_what_they_say_of_their_splits(params):
    a, b = contender("A", params=params), contender("B", params={**params, "model.C": 9}, roc_auc=CLEARLY_MORE)
    known = compare([a, b]).pairings[0].differences
    killed = [replace(one, run="e/1", splits=None) for one in (a, b)]
    (found,) = compare(killed).pairings[0].differences
    assert found.p == pytest.approx(known[0].p)
    other_seed = replace(killed[1], params={**killed[1].params, "seed": 1})
    assert "seed is 0 in A and 1 in B" in refusal(killed[0], other_seed)
    assert "nothing tells" in refusal(killed[0], replace(killed[1], run="e/2"))


def test_the_metric_that_all_share_ranks():
    first, second = contender("A", f1=A, recall=A), contender("B", recall=A)
    assert compare([first, second]).primary == "recall"


def test_one_metric_alone_is_compared_where_it_is_asked_for():
    found = compare([contender("A", f1=A, recall=A), contender("B", f1=A, recall=CLEARLY_MORE)], "recall")
    assert (found.primary, list(found.first.metrics)) == ("recall", ["recall"])
    assert [d.metric for d in found.pairings[0].differences] == ["recall"]


# --- words -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        (CLEARLY_MORE, "B is better: roc_auc +0.058 ± 0.016 (5 paired splits, p < 0.001)"),
        (LUCKILY_MORE, "no evidence that B is better: roc_auc +0.010 ± 0.044 (5 paired splits, p = 0.56)"),
        (A, "B and A have the same roc_auc on every split (5 paired splits)"),
        (
            tuple(a - 0.05 for a in A),
            (
                "B is worse by the very same on each of 5 splits: roc_auc -0.05; with no variance there is nothing to "
                "test by: more splits or rows may tell"
            ),
        ),
    ],
)
def test_each_verdict_has_its_sentence(scores, expected):
    found = compare([contender("A"), contender("B", roc_auc=scores)])
    assert sentence(found.pairings[0], found) == expected


def test_the_best_of_many_is_said_to_owe_some_of_its_lead_to_luck():
    best = replace(contender("B", roc_auc=CLEARLY_MORE), chosen_from=100)
    found = compare([contender("A"), best])
    text = "B is the best of 100 trials by these same scores: part of its lead is luck; "
    assert sentence(found.pairings[0], found).endswith(f"{text}scores of held-out rows (evaluation.test) have none")
    turned = compare([best, contender("A")])
    assert text in sentence(turned.pairings[0], turned)
    held = [
        replace(c, metrics={"roc_auc": summarize(c.metrics["roc_auc"].splits, 0.25, 0.8)}) for c in (found.first, best)
    ]
    found = compare(held)
    assert sentence(found.pairings[0], found).endswith(f"{text}the held-out scores have none")


@pytest.mark.parametrize("scores", [LUCKILY_MORE, tuple(a - b + a for a, b in zip(A, CLEARLY_MORE, strict=True))])
def test_no_luck_is_spoken_of_where_the_best_of_many_leads_by_nothing(scores):
    found = compare([contender("A"), replace(contender("B", roc_auc=scores), chosen_from=100)])
    assert "luck" not in sentence(found.pairings[0], found)


def test_differences_have_as_many_digits_as_their_interval_bears():
    found = compare([contender("A", rmse=(1210.0, 1350.0, 1288.0)), contender("B", rmse=(1190.0, 1420.0, 1250.0))])
    assert difference_in_words(found.pairings[0].differences[0]) == "+4 ± 190"


def test_there_are_names_for_many():
    found = names(60)
    assert found[:2] == ["A", "B"]
    assert found[25:27] == ["Z", "A2"]
    assert len(set(found)) == 60


# --- the winner of a sweep ---------------------------------------------------------------------------------------


SPLITS = SplitsInfo("d", 5, 0.25)


def sweep(tmp_path, *trials, splits=SPLITS):
    results = [
        TrialResult(n, TrialState.COMPLETED, params, {"roc_auc": scores}) for n, (params, scores) in enumerate(trials)
    ]
    best = max(results, key=lambda r: r.mean("roc_auc"))
    record = RunRecord("e/r", tmp_path, "e", RunStatus.COMPLETED, "2026-01-01T00:00:00+00:00", direction=UP)
    return replace(record, primary="roc_auc", best=BestTrial(best.trial, best.params), splits=splits), results


def test_the_winner_is_compared_with_the_next_one(tmp_path):
    number, found = lead(*sweep(tmp_path, ({"C": 1}, A), ({"C": 2}, CLEARLY_MORE), ({"C": 3}, LUCKILY_MORE)))
    assert number == 2
    assert found.difference == pytest.approx(np.mean(CLEARLY_MORE) - np.mean(LUCKILY_MORE))


def test_trials_on_other_splits_are_not_paired(tmp_path):
    assert lead(*sweep(tmp_path, ({"seed": 1}, A), ({"seed": 2}, CLEARLY_MORE))) is None
    assert lead(*sweep(tmp_path, ({"C": 1}, A), ({"C": 2}, CLEARLY_MORE), splits=None)) is None
    assert lead(*sweep(tmp_path, ({"C": 1}, A))) is None


# --- repetitions in place of splits --------------------------------------------------------------------------------


def repeated(name, *, task=Task.SCRIPT, known=True, **scores):
    one = contender(name, share=0.0, params={"split.n_splits": None}, **scores)
    return replace(
        one, task=task, data=None, splits=one.splits if known else None, run="train/x", label=f"train/{name}"
    )


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        (CLEARLY_MORE, "B is better: roc_auc +0.058 ± 0.010 (5 paired repetitions, p < 0.001)"),
        (A, "B and A have the same roc_auc on every repetition (5 paired repetitions)"),
        (
            tuple(a - 0.05 for a in A),
            (
                "B is worse by the very same on each of 5 repetitions: roc_auc -0.05; with no variance there is "
                "nothing to test by: more repetitions may tell"
            ),
        ),
    ],
)
def test_repetitions_are_paired_in_their_own_words(scores, expected):
    found = compare([repeated("A", roc_auc=A), repeated("B", roc_auc=scores)])
    assert sentence(found.pairings[0], found) == expected


def test_one_repetition_tells_nothing_and_how_there_would_be_more():
    found = compare([repeated("A", loss=(0.5,)), repeated("B", loss=(0.4,))])
    assert sentence(found.pairings[0], found).endswith("loss -0.1; run both with evaluation.repetitions=5")
    assert "one repetition cannot tell B from chance" in sentence(found.pairings[0], found)


def test_the_luck_of_the_best_of_many_is_left_behind_by_other_seeds():
    best = replace(repeated("B", roc_auc=CLEARLY_MORE), chosen_from=9)
    found = compare([repeated("A", roc_auc=A), best])
    assert sentence(found.pairings[0], found).endswith("scores by other seeds (seed=1000) have none")


def test_trials_of_a_run_that_was_killed_have_the_same_seeds():
    found = compare([repeated("A", known=False, roc_auc=A), repeated("B", known=False, roc_auc=CLEARLY_MORE)])
    assert found.pairings[0].differences[0].verdict is Verdict.BETTER


def test_of_another_run_that_was_killed_nothing_tells_the_seeds():
    other = replace(repeated("B", known=False, roc_auc=CLEARLY_MORE), run="train/y", status=RunStatus.INTERRUPTED)
    found = compare([repeated("A", roc_auc=A), other])
    assert found.pairings[0].refused == "nothing tells by which seeds B was repeated; mlops resume train/y"


def test_agents_in_two_environments_are_not_compared():
    a, b = repeated("A", mean_return=A), repeated("B", mean_return=CLEARLY_MORE)
    lake, slippery = replace(a, params={"env.is_slippery": False}), replace(b, params={"env.is_slippery": True})
    refused = compare([lake, slippery]).pairings[0].refused
    assert refused.startswith("env.is_slippery is false in A and true in B, so their scores do not mean the same")
