"""Plots: what they show, that they are only text and lines, and that they leave the user's matplotlib alone."""

import math
import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from xml.etree import ElementTree as ET

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, confusion_matrix, roc_auc_score

from mlops_cli.components.samplers.importances import param_importances
from mlops_cli.records import (
    Comparison,
    Contender,
    Curve,
    Direction,
    MetricSummary,
    PairedDifference,
    Pairing,
    TrialResult,
    TrialState,
    Verdict,
)
from mlops_cli.views.plots import classification, fitted, regression, scores, sweeps
from mlops_cli.views.plots.predictions import classified
from mlops_cli.views.plots.style import UnsuitableError, render, styled
from mlops_cli.views.plots.swept import sweep_of
from mlops_cli.views.plots.training import training_curve

HOSTILE = ("cost in $ of $x_1$", "--><script>alert(1)</script>", "\x1b[31m[bold]red\x00", "ü" * 90, r"\frac{$}{")


def table(rows=300, classes=("no", "yes"), splits=5, *, proba=True, seed=0):
    """Return predictions of a model that is right more often than not."""
    rng = np.random.default_rng(seed)
    truth = rng.permutation(np.arange(rows) % len(classes))
    weights = rng.normal(size=(rows, len(classes)))
    weights[np.arange(rows), truth] += 1.3
    chances = np.exp(weights) / np.exp(weights).sum(axis=1, keepdims=True)
    names = np.array(classes, dtype=object)
    columns = {"split": np.sort(np.arange(rows) % splits), "row": np.arange(rows)}
    columns |= {"target": names[truth], "prediction": names[chances.argmax(axis=1)]}
    if proba:
        columns |= {f"proba_{name}": chances[:, i] for i, name in enumerate(classes)}
    return pd.DataFrame(columns)


def trial(number, params, score=0.5, state=TrialState.COMPLETED):
    splits = {"auc": tuple(score + d for d in (-0.01, 0.0, 0.01))} if state is TrialState.COMPLETED else {}
    return TrialResult(number, state, params, splits)


def mixed_sweep(count, seed=0):
    """Return trials with numbers, categories, parameters that only some have, failures and hopeless scores."""
    rng, found = random.Random(seed), []
    for number in range(count):
        params = {"model": rng.choice(["svm", "forest"]), HOSTILE[0]: rng.choice([True, False])}
        if params["model"] == "svm":
            params["model.C"] = 10 ** rng.uniform(-3, 3)
        else:
            params["model.max_depth"] = rng.choice([3, 10, None])
        state = rng.choices([*TrialState], [8, 1, 1, 1])[0]
        good = 0.7 + 0.05 * math.log10(params.get("model.C", 1)) + rng.gauss(0, 0.01)
        found.append(trial(number, params, -50.0 if number == 3 else good, state))
    return found


def legend(axes):
    shown = axes.get_legend() or axes.figure.legends[0]
    return [text.get_text() for text in shown.get_texts()]


def check(figure):
    """Draw a figure: an image of a sensible size, and well-formed XML without a word of code."""
    files = render(figure)
    assert files["png"].startswith(b"\x89PNG")
    assert len(files["svg"]) < 1_000_000
    root = ET.fromstring(files["svg"])
    assert root.tag.endswith("svg")
    assert b"<script" not in files["svg"]
    assert not any(element.tag.endswith("script") for element in root.iter())
    return figure


# --- what is shown -----------------------------------------------------------------------------------------------


def test_the_confusion_matrix_shows_the_counts_and_their_share_of_the_true_class():
    rows = table()
    figure = check(classification.confusion_matrix(classified(rows)))
    shown = [text.get_text().split("\n") for text in figure.axes[0].texts]
    counts = confusion_matrix(rows["target"], rows["prediction"])
    assert [int(lines[0]) for lines in shown] == counts.ravel().tolist()
    shares = (counts / counts.sum(axis=1, keepdims=True)).ravel()
    assert [lines[1] for lines in shown] == [f"{share:.1%}" for share in shares]


@pytest.mark.parametrize(
    ("draw", "area"), [(classification.roc, roc_auc_score), (classification.precision_recall, average_precision_score)]
)
def test_curves_tell_the_mean_of_the_areas_over_splits(draw, area):
    rows, held = table(), table(seed=1)
    figure = check(draw(classified(rows), "yes", classified(held.drop(columns="split"))))
    areas = [area(part["target"] == "yes", part["proba_yes"]) for _, part in rows.groupby("split")]
    texts = legend(figure.axes[0])
    assert any(f"mean, {'AUC' if area is roc_auc_score else 'AP'} {np.mean(areas):.3f}" in text for text in texts)
    assert any(f"{area(held['target'] == 'yes', held['proba_yes']):.3f}" in t for t in texts if "held-out" in t)


def test_curves_are_of_the_positive_class():
    no = classification.roc(classified(table()), "no")
    texts = legend(no.axes[0])
    rows = table()
    areas = [roc_auc_score(part["target"] == "no", part["proba_no"]) for _, part in rows.groupby("split")]
    assert any(f"{np.mean(areas):.3f}" in text for text in texts)


def test_rows_that_are_tested_one_at_a_time_make_one_curve():
    rows = table(rows=60, splits=60)
    texts = legend(check(classification.roc(classified(rows))).axes[0])
    assert any(
        text == f"out of fold, AUC {roc_auc_score(rows['target'] == 'yes', rows['proba_yes']):.3f}" for text in texts
    )


def test_titles_say_which_rows_were_predicted():
    rows, held = classified(table()), classified(table(seed=1).drop(columns="split"))
    figures = [
        classification.confusion_matrix(rows),
        classification.roc(rows),
        classification.precision_recall(rows, "yes", held),
        classification.calibration(rows),
    ]
    assert [figure.axes[0].get_title(loc="left") for figure in figures] == [
        "Confusion matrix, out of fold",
        "ROC, out of fold",
        "Precision and recall, out of fold and held-out",
        "Calibration, out of fold",
    ]


@pytest.mark.parametrize("count", [3, 12, 70])
def test_many_classes_are_drawn(count):
    rows = classified(table(rows=2_000, classes=[f"class {i}" for i in range(count)]))
    for draw in (classification.confusion_matrix, classification.roc, classification.precision_recall):
        check(draw(rows))
    check(classification.calibration(rows))


def test_a_model_without_probabilities_has_no_curve_and_the_message_says_what_helps():
    rows = classified(table(proba=False))
    check(classification.confusion_matrix(rows))
    with pytest.raises(UnsuitableError, match=r"no probabilities \(run it with calibration=sigmoid\)"):
        classification.roc(rows)


def test_residuals_of_many_rows_are_an_image_of_some_of_them():
    rng = np.random.default_rng(0)
    true = rng.lognormal(2, 1, 50_000)
    rows = pd.DataFrame(
        {"split": 0, "row": range(50_000), "target": true, "prediction": true + rng.normal(size=50_000)}
    )
    figure = check(regression.prediction_error(rows, HOSTILE[0], rows[:50].drop(columns="split")))
    assert legend(figure.axes[0]) == ["out of fold, 2,000 of 50,000 rows", "held-out rows, 50 rows"]
    check(regression.residuals(rows, HOSTILE[1]))


def test_scores_have_a_dot_per_split_the_mean_and_the_held_out_score():
    summary = MetricSummary(0.8, 0.1, (0.7, 0.9), (0.7, 0.8, 0.9), test=0.75)
    figure = check(scores.scores({"auc": summary, HOSTILE[1]: summary}, {"auc": Direction.MAXIMIZE}))
    dots = sorted(x for dots in figure.axes[0].collections for x, _ in dots.get_offsets())
    assert dots == [0.7, 0.75, 0.8, 0.9]
    assert figure.axes[0].get_ylabel() == "auc ↑"


def test_a_comparison_shows_to_the_right_what_is_better_also_where_less_is():
    def side(name):
        return Contender(name=name, label=f"e/{HOSTILE[0]}", run="r", trial=0, metrics={}, directions={}, params={})

    less = PairedDifference("rmse", Direction.MINIMIZE, -2.0, (-3.0, -1.0), 0.01, 5, Verdict.BETTER)
    comparison = Comparison(side("A"), (Pairing(side("B"), (less,)), Pairing(side("C"), (), "other splits")), "rmse")
    figure = check(scores.compared(comparison))
    (dot,) = [line for line in figure.axes[0].lines if line.get_marker() == "o"]
    assert list(dot.get_xdata()) == [2.0]
    assert "cannot be paired" in [text.get_text() for text in figure.axes[0].texts]


# --- sweeps ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [40, 10_000])
def test_a_sweep_of_mixed_parameters_is_drawn_whatever_its_length(count):
    trials = mixed_sweep(count)
    sweep = sweep_of(trials, "auc", Direction.MAXIMIZE)
    check(sweeps.history(trials, "auc", Direction.MAXIMIZE))
    check(sweeps.parallel_coordinates(sweep))
    check(sweeps.slices(sweep))
    check(sweeps.contour(sweep, ["model.C", "model"]))
    check(scores.top_trials(trials, "auc", Direction.MAXIMIZE))


def test_the_history_marks_what_failed_and_follows_the_best():
    trials = [trial(0, {}, 0.6), trial(1, {}, 0.5), trial(2, {}, state=TrialState.FAILED), trial(3, {}, 0.9)]
    trials += [trial(4, {}, state=TrialState.PRUNED), trial(5, {}, state=TrialState.LOST)]
    axes = check(sweeps.history(trials, "auc", Direction.MAXIMIZE)).axes[0]
    assert legend(axes) == ["completed", "best so far", "1 pruned", "2 failed"]
    assert axes.lines[0].get_ydata() == pytest.approx([0.6, 0.6, 0.9])


def test_the_best_of_a_loss_is_the_lowest():
    trials = [trial(0, {"a": 1}, 3.0), trial(1, {"a": 2}, 1.0), trial(2, {"a": 3}, 2.0)]
    axes = sweeps.history(trials, "auc", Direction.MINIMIZE).axes[0]
    assert axes.lines[0].get_ydata() == pytest.approx([3.0, 1.0, 1.0])
    top = scores.top_trials(trials, "auc", Direction.MINIMIZE).axes[0]
    assert [text.get_text() for text in top.get_yticklabels()] == ["trial 1", "trial 2", "trial 0"]


def dots(axes):
    """Return the places of all points, the best trial's star last."""
    return [tuple(place) for marks in axes.collections for place in marks.get_offsets()]


def test_slices_show_the_best_trial_once_and_categories_around_their_ticks():
    points = [{"kind": "ab"[n % 2], "depth": [2, 4, 8][n % 3]} for n in range(12)]
    trials = [trial(n, point, 0.5 + n / 100) for n, point in enumerate(points)]
    sweep = sweep_of(trials, "auc", Direction.MAXIMIZE)
    kind, depth = check(sweeps.slices(sweep)).axes[:2]
    for axes in (kind, depth):
        assert sorted(y for _, y in dots(axes)) == pytest.approx(sorted(sweep.scores))
        assert dots(axes)[-1][1] == pytest.approx(0.61)
    across = np.array([x for x, _ in dots(kind)])
    assert [across[across < 0.5].mean(), across[across > 0.5].mean()] == pytest.approx([0, 1])
    assert np.ptp(across[across < 0.5]) > 0.1
    assert [text.get_text() for text in depth.get_xticklabels()] == ["2", "4", "8"]


def test_whole_numbers_have_no_ticks_between_them():
    few = [trial(n, {"depth": [3, 5, 10, 32][n % 4]}, n / 20) for n in range(20)]
    many = [trial(n, {"leaf": n + 1}, n / 20) for n in range(20)]
    told = {}
    for name, trials in (("few", few), ("many", many)):
        axes = check(sweeps.parallel_coordinates(sweep_of(trials, "auc", Direction.MAXIMIZE))).axes[0]
        told[name] = [text.get_text() for text in axes.texts if text.get_position()[0] < 1]
    assert told == {"few": ["3", "5", "10", "32"], "many": ["1", "6", "10", "15", "20"]}


@pytest.mark.parametrize(("values", "surface"), [(3, False), (4, True)])
def test_a_contour_has_a_surface_only_where_enough_values_were_tried(values, surface):
    points = [{"a": n % values, "b": n} for n in range(20)]
    trials = [trial(n, point, n / 20) for n, point in enumerate(points)]
    axes = check(sweeps.contour(sweep_of(trials, "auc", Direction.MAXIMIZE))).axes[0]
    assert (len(axes.collections) > 2) is surface


def test_the_contour_of_very_many_trials_is_a_small_file():
    rng = random.Random(0)
    points = [{"a": rng.random(), "b": 10 ** rng.uniform(-3, 3)} for _ in range(10_000)]
    trials = [trial(n, point, rng.random()) for n, point in enumerate(points)]
    check(sweeps.contour(sweep_of(trials, "auc", Direction.MAXIMIZE)))


def test_a_sweep_of_failures_has_a_history_and_nothing_to_compare():
    trials = [trial(n, {"a": n}, state=TrialState.FAILED) for n in range(5)]
    check(sweeps.history(trials, "auc", Direction.MAXIMIZE))
    with pytest.raises(UnsuitableError, match="fewer than two trials"):
        sweep_of(trials, "auc", Direction.MAXIMIZE)


@pytest.mark.parametrize(
    "points",
    [
        [{"a": "x"}, {"a": "y"}, {"a": "z"}],
        [{"a": 1.0}, {"a": 2.0}],
        [{"a": n, "b": 2 * n} for n in range(8)],  # on a line: no surface
        [{"a": n % 3, "b": n // 3} for n in range(9)],
        [{"a": [1, 2]}, {"a": {"_target_": "sklearn.svm.SVC"}}, {"a": None}, {"b": 1}],
    ],
    ids=["categories", "one parameter", "a line", "a grid", "odd values"],
)
@pytest.mark.parametrize("score", [lambda n: 0.5, lambda n: n / 10], ids=["constant", "rising"])
def test_any_sweep_is_drawn(points, score):
    trials = [trial(number, params, score(number)) for number, params in enumerate(points)]
    sweep = sweep_of(trials, "auc", Direction.MAXIMIZE)
    check(sweeps.parallel_coordinates(sweep))
    check(sweeps.slices(sweep))
    if len(sweep.params) > 1:
        check(sweeps.contour(sweep))


def test_a_parameter_that_is_not_swept_is_refused_with_the_nearest_one():
    sweep = sweep_of(mixed_sweep(30), "auc", Direction.MAXIMIZE)
    with pytest.raises(UnsuitableError, match=r"did you mean 'model\.C'"):
        sweeps.slices(sweep, ["model.c"])


def test_importance_finds_the_parameter_that_matters():
    pytest.importorskip("optuna")
    rng = random.Random(0)
    points = [{"a": rng.uniform(0, 1), "b": rng.choice("xyz"), "c": 10 ** rng.uniform(-4, 4)} for _ in range(60)]
    for point in points[::3]:
        del point["b"]  # a parameter that some trials do not have
    found = param_importances(points, [math.log10(p["c"]) + 0.01 * p["a"] for p in points])
    assert next(iter(found)) == "c"
    assert found["c"] > 0.8
    assert sum(found.values()) == pytest.approx(1)
    check(sweeps.param_importance({**found, HOSTILE[1]: 0.0}, "auc"))


def test_scores_that_are_all_the_same_make_nothing_important():
    pytest.importorskip("optuna")
    assert param_importances([{"a": n} for n in range(20)], [0.5] * 20) == {}


# --- curves ------------------------------------------------------------------------------------------------------


def test_curves_of_one_panel_have_colours_of_their_own():
    names = ("return", "training_return", "train_loss", "valid_loss", "test_loss", "length")
    axes = training_curve([Curve("episode", (1, 2), dict.fromkeys(names, (0.1, 0.2)))]).axes
    assert len(axes) == 3
    for panel in axes:
        colours = [line.get_color() for line in panel.lines]
        assert len(set(colours)) == len(colours)


def test_the_mean_of_a_training_curve_does_not_jump_where_one_ends_early():
    early, late = Curve("episode", (1, 2), {"return": (0.0, 9.0)}), Curve("episode", (1, 2, 3), {"return": (0, 1, 1)})
    lines = check(training_curve([early, late, late])).axes[0].lines
    assert lines[-1].get_ydata() == pytest.approx([0, 11 / 3, 11 / 3])
    assert np.isnan(lines[0].get_ydata()[-1])


def test_curves_name_their_rows_and_values():
    train, test = np.array([[1.0, 0.9], [0.9, 0.8]]), np.array([[0.5, 0.6], [0.6, 0.7]])
    axes = check(fitted.learning_curve([10, 20], train, test, "auc", Direction.MAXIMIZE)).axes[0]
    assert [line.get_label().partition(",")[0] for line in axes.lines] == ["training rows", "test rows"]
    assert axes.lines[1].get_ydata() == pytest.approx([0.55, 0.65])
    axes = check(fitted.validation_curve(("model.k", ["a", None]), train, test, "auc", Direction.MAXIMIZE)).axes[0]
    assert [text.get_text() for text in axes.get_xticklabels()] == ["a", "null"]


def test_noise_is_grey_and_left_out_of_the_mean_silhouette():
    values, labels = np.array([0.5, 0.7, 0.1, 0.3, np.nan]), np.array([0, 0, 1, 1, -1])
    axes = check(fitted.silhouette(values, labels, ", fitted on all rows")).axes[0]
    assert legend(axes) == ["mean without noise 0.400"]
    assert axes.get_title(loc="left") == "Silhouettes of clusters, fitted on all rows"
    assert [text.get_text() for text in axes.texts] == ["noise  (1)", "0  (2)", "1  (2)"]
    assert len(axes.collections) == 2  # a shape for each cluster, none for noise


def test_silhouettes_of_noise_and_of_many_clusters_are_drawn():
    rng = np.random.default_rng(0)
    check(fitted.silhouette(rng.uniform(-0.2, 1, 200), rng.integers(-1, 40, 200)))


# --- manners -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_only_text(name):
    rows = classified(table(classes=(name, "other")))
    for draw in (classification.confusion_matrix, classification.roc, classification.calibration):
        check(draw(rows))
    trials = [trial(n, {name: n, "b": f"{name}{n}"}, n / 10) for n in range(5)]
    sweep = sweep_of([replace(t, scores={name: t.scores["auc"]}) for t in trials], name, Direction.MAXIMIZE)
    check(sweeps.slices(sweep))
    check(sweeps.contour(sweep))
    check(sweeps.parallel_coordinates(sweep))
    check(fitted.permutation_importance({name: [0.1, 0.2]}, name, "held-out rows"))


@pytest.mark.parametrize("draw", [classification.roc, classification.confusion_matrix, classification.calibration])
def test_the_same_plot_is_the_same_bytes(draw):
    rows = classified(table())
    assert render(draw(rows)) == render(draw(rows))


def test_the_users_own_style_is_kept_and_has_no_say_in_ours():
    rows = classified(table())
    plain = render(classification.roc(rows))
    with mpl.rc_context({"axes.facecolor": "black", "font.size": 30, "text.color": "white", "svg.fonttype": "none"}):
        before = dict(mpl.rcParams)
        ours = render(classification.roc(rows))
        assert dict(mpl.rcParams) == before
    assert ours == plain


def test_four_threads_that_draw_at_once_leave_the_users_style_alone():
    rows, before, ready = classified(table()), dict(mpl.rcParams), Barrier(4)

    def drawn(_number):
        ready.wait(60)
        for _ in range(50):
            with styled():
                assert mpl.rcParams["svg.hashsalt"] == "mlops"
        return [render(classification.roc(rows), "svg")]

    with ThreadPoolExecutor(4) as pool:
        found = [files for several in pool.map(drawn, range(4)) for files in several]
    assert dict(mpl.rcParams) == before
    assert all(files == found[0] for files in found)


def test_no_figure_stays_open_in_pyplot_and_a_notebook_shows_the_one_that_is_returned():
    from matplotlib import pyplot as plt

    before = plt.get_fignums(), mpl.get_backend()
    figure = classification.roc(classified(table()))
    assert figure._repr_png_().startswith(b"\x89PNG")
    assert (plt.get_fignums(), mpl.get_backend()) == before
