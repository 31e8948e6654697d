"""Plots of runs: drawn with the run, on request afterwards, and never at the cost of the run."""

import json
from threading import Event

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from threadpoolctl import threadpool_info

import mlops_cli as mlops
from mlops_cli import plots
from mlops_cli.cli.runs import plot as command
from mlops_cli.components.samplers import importances
from mlops_cli.errors import ConfigError, MissingExtraError, StoreError
from mlops_cli.records import PlotName, PlotSpec, RunStatus
from mlops_cli.store.plots import saved_plots
from mlops_cli.views.plots.style import UnsuitableError
from mlops_cli.workflows.runs import drawing
from mlops_cli.workflows.runs.curves import learning_scores, shuffled_drops, validation_scores
from mlops_cli.workflows.runs.material import Material
from mlops_cli.workflows.runs.plots import SHOWS, drawn, listing, saved

CONFIG = """
    defaults: [experiment, {data: csv}, {transforms: tabular}, {model: logistic_regression}, _self_]
    data: {path: data/mixed.csv, target: survived, drop: [note, weight, family, amount]}
    launcher: {backend: sequential}
    evaluation: {metrics: [roc_auc, accuracy]}
    """

WEIGHTED = CONFIG.replace("drop: [note, weight, family, amount]", "weight: weight, drop: [note, family, amount]")

REGRESSION = """
    defaults: [experiment, {data: csv}, {transforms: tabular}, {model: ridge}, _self_]
    data: {path: data/mixed.csv, target: amount, drop: [note, weight, family, survived]}
    launcher: {backend: sequential}
    """

CLUSTERS = """
    defaults: [experiment, {data: csv}, {transforms: tabular}, {model: kmeans}, _self_]
    task: clustering
    data: {path: data/mixed.csv, drop: [note, weight, family, amount, survived]}
    model: {n_clusters: 3}
    launcher: {backend: sequential}
    """


def without(config):
    """Return a config whose runs draw nothing."""
    return config + "\n    artifacts: {plots: none}\n"


@pytest.fixture
def quiet_run(experiment):
    """A run that has no plots."""
    return mlops.run(experiment(without(CONFIG)))


# --- with the run ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("config", "overrides", "expected"),
    [
        (CONFIG, [], {"scores", "confusion_matrix", "roc", "precision_recall", "calibration"}),
        (CONFIG, ["model=linear_svm"], {"scores", "confusion_matrix"}),
        (REGRESSION, [], {"scores", "prediction_error", "residuals"}),
        (
            REGRESSION,
            ["evaluation.test=0.2"],
            {"scores", "prediction_error", "residuals", "permutation_importance"},
        ),
        (
            REGRESSION,
            ["model.alpha=0.1,1,10"],
            {"scores", "prediction_error", "residuals"} | {"history", "top_trials", "parallel_coordinates", "slices"},
        ),
        (CLUSTERS, [], {"scores", "silhouette"}),
    ],
    ids=["probabilities", "classes alone", "numbers", "held-out rows", "a sweep", "clusters"],
)
def test_a_run_draws_what_suits_it_as_svg_and_png(experiment, config, overrides, expected):
    run = mlops.run(experiment(config), overrides)
    assert [w for w in run.record.warnings if w.code == "plot-failed"] == []
    files = {path.name for path in (run.path / "plots").iterdir()}
    assert files == {f"{name}.{kind}" for name in expected for kind in ("svg", "png")}
    assert list(saved(run.record)) == [name for name in SHOWS if name in expected]


@pytest.mark.parametrize("nothing", ["none", "false", "null", "[]"])
def test_a_run_that_asks_for_no_plots_has_none(experiment, nothing):
    run = mlops.run(experiment(CONFIG), [f"artifacts.plots={nothing}"])
    assert not (run.path / "plots").exists()
    assert saved(run.record) == {}


def test_a_config_asks_for_further_plots_with_what_they_are_of(experiment):
    name = experiment(
        CONFIG + "\n    artifacts: {plots: [scores, {validation_curve: {model.C: [0.1, 1]}}, learning_curve]}\n"
    )
    assert set(saved(mlops.run(name).record)) == {"scores", "validation_curve", "learning_curve"}


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("[auto,ruc]", r"artifacts\.plots\[1\]: found 'ruc' \(did you mean 'roc'\?"),
        ("validation_curve", "validation_curve needs a parameter and its values"),
        ("[{contour: [a, b, c]}]", "contour is of 2 parameters, found 3"),
        ("[{roc: [a]}]", "roc takes no parameter"),
        ("[{validation_curve: {model.C: 1}}]", "a list of two values or more"),
        ("[3]", "found 3, must be one of auto"),
    ],
)
def test_a_wrong_plot_is_refused_before_anything_runs(experiment, asked, message):
    with pytest.raises(ConfigError, match=message):
        mlops.run(experiment(CONFIG), [f"artifacts.plots={asked}"])


def test_a_plot_that_does_not_suit_is_a_notice_of_a_completed_run(experiment):
    run = mlops.run(experiment(CONFIG), ["artifacts.plots=[residuals,scores]"])
    assert run.status is RunStatus.COMPLETED
    (notice,) = [w for w in run.record.warnings if w.code == "plot-failed"]
    assert "residuals: the plot is for regression" in notice.message
    assert set(saved(run.record)) == {"scores"}


def test_a_plot_that_breaks_never_fails_the_run(experiment, monkeypatch):
    def broken(*_):
        raise ZeroDivisionError("no\x1b such thing")

    monkeypatch.setitem(drawing.DRAWN, PlotName.ROC, broken)
    run = mlops.run(experiment(CONFIG))
    assert run.status is RunStatus.COMPLETED
    assert "roc could not be drawn: ZeroDivisionError" in next(w.message for w in run.record.warnings)
    assert "calibration" in saved(run.record)


def test_plots_that_cannot_be_written_never_fail_the_run(experiment, monkeypatch):
    def full(*_):
        raise StoreError("cannot write plots: no space left")

    monkeypatch.setattr("mlops_cli.store.plots.write_plots", full)
    run = mlops.run(experiment(CONFIG))
    assert run.status is RunStatus.COMPLETED
    assert any("no space left" in w.message for w in run.record.warnings if w.code == "plot-failed")


def test_ctrl_c_while_plotting_leaves_a_run_that_is_resumed(experiment, monkeypatch):
    def pressed(*_):
        raise KeyboardInterrupt

    name = experiment(CONFIG)
    with monkeypatch.context() as patch:
        patch.setitem(drawing.DRAWN, PlotName.ROC, pressed)
        with pytest.raises(KeyboardInterrupt):
            mlops.run(name)
    run = mlops.find_run("latest")
    assert run.status is RunStatus.INTERRUPTED
    assert run.metrics
    resumed = mlops.resume("latest")
    assert resumed.status is RunStatus.COMPLETED
    assert "roc" in saved(resumed.record)


def test_an_identical_run_that_is_asked_for_another_plot_gets_it(experiment):
    name = experiment(CONFIG)
    first = mlops.run(name)
    again = mlops.run(name, ["artifacts.plots=[auto,learning_curve]"])
    assert again.id == first.id
    assert "learning_curve" in saved(again.record)


def test_where_optuna_is_missing_importances_are_left_out_and_a_request_says_what_installs_it(experiment, monkeypatch):
    monkeypatch.setattr(importances, "has_optuna", lambda: False)
    sweep = [
        "model.C=0.01,0.1,1,10",
        "model.fit_intercept=true,false",
        "transforms.impute_numeric.strategy=mean,median",
    ]
    run = mlops.run(experiment(CONFIG), sweep)
    assert {"contour", "slices"} <= set(saved(run.record))
    assert "param_importance" not in saved(run.record)
    with pytest.raises(MissingExtraError, match=r"pip install \"mlops-cli\[optuna\]\""):
        plots.param_importance(run)


# --- afterwards --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("config", [CONFIG, WEIGHTED], ids=["plain", "weights"])
def test_the_last_point_of_a_learning_curve_is_the_runs_own_score(experiment, config):
    run = mlops.run(experiment(without(config)))
    sizes, train, test = learning_scores(Material(run.record))
    assert test[-1] == pytest.approx(run.metrics["roc_auc"].splits, abs=1e-12)
    assert sizes == sorted(sizes)
    assert train.shape == test.shape == (len(sizes), 5)


def test_a_validation_curve_gives_the_scores_of_a_sweep_over_the_same_values(experiment):
    name = experiment(without(CONFIG))
    run = mlops.run(name)
    swept = mlops.run(name, ["model.C=0.01,1"])
    _, test = validation_scores(Material(run.record), "model.C", [0.01, 1])
    assert test == pytest.approx(np.array([result.scores["roc_auc"] for result in swept.results]), abs=1e-12)
    _, steps = validation_scores(Material(run.record), "transforms.impute_numeric.strategy", ["mean", "median"])
    assert steps.shape == (2, 5)


def test_a_value_that_cannot_be_fitted_is_named(quiet_run):
    with pytest.raises(ConfigError, match=r"LogisticRegression has no parameter 'D'"):
        plots.validation_curve(quiet_run, "model.D", [1, 2])
    with pytest.raises(UnsuitableError, match=r"model\.C=-1 cannot be fitted: .* must be a float in the range"):
        plots.validation_curve(quiet_run, "model.C", [1, -1])


def test_what_fits_anew_refuses_data_that_has_changed(quiet_run, workspace, mixed):
    mixed.assign(age=1.0).to_csv(workspace / "data" / "mixed.csv", index=False)
    with pytest.raises(StoreError, match="the data has changed since the run"):
        plots.learning_curve(quiet_run)
    assert plots.roc(quiet_run).axes  # what was recorded is drawn all the same


def test_importance_is_measured_on_rows_that_the_model_has_not_seen(experiment):
    run = mlops.run(experiment(without(CONFIG)))
    drops, rows = shuffled_drops(Material(run.record))
    assert rows == "one split"
    assert set(drops) == {"age", "fare", "sex", "port"}
    assert shuffled_drops(Material(run.record))[0] == drops
    held = mlops.run(experiment(without(CONFIG)), ["evaluation.test=0.25"])
    assert shuffled_drops(Material(held.record))[1] == "held-out rows"


@pytest.mark.parametrize("features", [(), ("sex", "age")], ids=["that matter", "by name"])
def test_partial_dependence_takes_numbers_gaps_and_categories(quiet_run, features):
    assert plots.partial_dependence(quiet_run, *features).axes
    with pytest.raises(UnsuitableError, match="'agee' is no feature"):
        plots.partial_dependence(quiet_run, "agee")


@pytest.mark.parametrize("keep", ["best", "none"])
def test_the_model_is_fitted_anew_where_none_was_kept(experiment, keep):
    run = mlops.run(experiment(without(CONFIG)), [f"artifacts.keep={keep}"])
    assert plots.partial_dependence(run, "age").axes


def test_a_page_gets_what_is_saved_and_what_can_be_drawn(experiment, quiet_run):
    found, reasons = drawn(quiet_run.record)
    assert set(found) == {"scores", "confusion_matrix", "roc", "precision_recall", "calibration"}
    assert reasons == {}
    found, reasons = drawn(quiet_run.record, ["roc", "residuals", "no such plot"])
    assert found["roc"].startswith(b"<?xml")
    assert reasons == {"residuals": "the plot is for regression, and the run's task is classification"}
    assert saved(quiet_run.record) == {}
    run = mlops.run(experiment(CONFIG), force=True)
    assert drawn(run.record, ["roc"]) == ({"roc": (run.path / "plots" / "roc.svg").read_bytes()}, {})


def test_a_page_leaves_out_what_needs_a_model_and_says_what_draws_it(experiment):
    run = mlops.run(experiment(without(REGRESSION)), ["evaluation.test=0.2"])
    found, reasons = drawn(run.record)
    command = f"mlops runs plot {run.id} permutation_importance"
    assert "permutation_importance" not in found
    assert reasons == {"permutation_importance": f"needs the data and a model: {command}"}
    assert "permutation_importance" in drawn(run.record, recorded_only=False)[0]


def test_predictions_that_are_damaged_are_said(quiet_run):
    next(quiet_run.path.glob("predictions*")).write_bytes(b"damaged")
    found, reasons = drawn(quiet_run.record)
    assert found == {}
    assert "predictions" in reasons["all"]


def test_the_positive_class_is_the_one_that_the_config_names(experiment):
    run = mlops.run(experiment(without(CONFIG)), ["data.positive=0"])
    assert Material(run.record).positive == "0"


def test_files_of_other_names_among_the_plots_are_no_plots(quiet_run, workspace):
    folder = quiet_run.path / "plots"
    folder.mkdir()
    for name in ("roc.svg", "mine.svg", "..svg", "a b.svg", "roc.png"):
        (folder / name).write_text("<svg/>")
    (folder / "link.svg").symlink_to(workspace / "data" / "mixed.csv")
    assert list(saved_plots(quiet_run.path)) == ["mine", "roc"]
    assert list(saved(quiet_run.record)) == ["roc", "mine"]


def test_every_plot_has_a_function_a_description_and_something_that_draws_it():
    names = set(PlotName) - {PlotName.AUTO}
    assert set(drawing.DRAWN) == names == set(SHOWS)
    assert set(plots.__all__) == {*names, "compared", "suiting"}
    assert mlops.plots is plots


def test_the_library_leaves_no_figure_open_and_no_setting_changed(quiet_run):
    from matplotlib import pyplot as plt

    before = dict(mpl.rcParams)
    figures = plots.suiting(quiet_run)
    assert set(figures) == {"scores", "confusion_matrix", "roc", "precision_recall", "calibration"}
    assert plt.get_fignums() == []
    assert dict(mpl.rcParams) == before


def test_labels_of_any_type_are_drawn(experiment, workspace, mixed):
    for values in ([True, False], [1.0, 2.0], ["$a_1$", "<b>"], [0, 1]):
        mixed.assign(survived=np.array(values, dtype=object)[mixed["survived"]]).to_csv("data/mixed.csv", index=False)
        run = mlops.run(experiment(CONFIG), ["task=classification"], force=True)
        assert not [w for w in run.record.warnings if w.code == "plot-failed"]
        assert "roc" in saved(run.record)


def test_an_id_column_is_not_taken_for_the_target(experiment, mixed):
    table = mixed.assign(target=[f"p{n}" for n in range(len(mixed))])
    table.to_csv("data/mixed.csv", index=False)
    run = mlops.run(experiment(CONFIG), ["data.id=target"])
    assert pd.Series(Material(run.record).classified.classes).tolist() == ["0", "1"]


# --- the command -------------------------------------------------------------------------------------------------


def test_the_command_prints_the_files_that_it_writes(quiet_run, workspace, mlops):
    done = mlops("runs", "plot", "latest", "roc", "learning_curve", "-o", "out", cwd=workspace)
    assert done.stdout.splitlines() == ["out/roc.svg", "out/learning_curve.svg"]
    assert {path.name for path in (workspace / "out").iterdir()} == {
        f"{name}.{kind}" for name in ("roc", "learning_curve") for kind in ("svg", "png")
    }
    one = mlops("runs", "plot", "latest", "validation_curve", "--param", "model.C=0.1,1", "-o", "v.pdf", cwd=workspace)
    assert one.stdout == "v.pdf\n"
    assert (workspace / "v.pdf").read_bytes().startswith(b"%PDF")
    assert saved(quiet_run.record) == {}
    assert mlops("runs", "plot", "latest", cwd=workspace).returncode == 0
    assert "calibration" in saved(quiet_run.record)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["ruc"], "there is no plot 'ruc'\n  try: did you mean 'roc'"),
        (["roc", "-o", "roc.jpg"], "roc.jpg ends in none of .svg, .png, .pdf"),
        (["residuals"], "the plot is for regression, and the run's task is classification"),
        (["roc", "calibration", "-o", "x.png"], "x.png is one file"),
        (["validation_curve"], "needs a parameter and its values\n  try: --param model.C=0.1,1,10"),
        (["contour", "--param", "model.C,model.tol"], "fewer than two trials have completed"),
        (["--param", "model.C=1,2"], "--param is of one plot"),
        (["validation_curve", "--param", "model.C=[1"], "cannot be read"),
    ],
)
def test_a_wrong_request_is_one_line_with_the_mend(quiet_run, workspace, mlops, arguments, message):
    done = mlops("runs", "plot", "latest", *arguments, cwd=workspace)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_the_list_tells_what_is_there(quiet_run, workspace, mlops):
    found = json.loads(mlops("runs", "plot", "latest", "--list", "--json", cwd=workspace).stdout)
    assert found["roc"] == {"shows": "true against false positives", "suits": True, "file": None}
    assert not found["learning_curve"]["suits"]
    assert not {"residuals", "contour"} & set(found)
    assert "by default" in mlops("runs", "plot", "latest", "--list", cwd=workspace).stdout


def test_the_list_offers_no_plot_of_two_parameters_where_one_was_swept(experiment, monkeypatch):
    one = mlops.run(experiment(without(CONFIG)), ["model.C=0.1,1"])
    assert {"history", "slices"} <= set(listing(one.record))
    assert not {"contour", "param_importance"} & set(listing(one.record))
    two = mlops.run(experiment(without(CONFIG)), ["model.C=0.1,1", "model.fit_intercept=true,false"])
    monkeypatch.setattr(importances, "has_optuna", lambda: False)
    assert "contour" in listing(two.record)
    assert "param_importance" not in listing(two.record)


def test_a_plot_that_takes_long_is_named_meanwhile(monkeypatch):
    said, heard = [], Event()
    monkeypatch.setattr(command, "SLOW_S", 0)
    monkeypatch.setattr(command, "say", lambda text: (said.append(text), heard.set()))
    with command.said_when_slow("learning_curve"):
        assert heard.wait(60)
    assert said == ["drawing learning_curve …"]


def threads():
    return {pool["num_threads"] for pool in threadpool_info()}


def test_what_predicts_again_and_again_keeps_to_one_thread(quiet_run, monkeypatch):
    import sklearn.inspection

    seen = []
    inside = sklearn.inspection.permutation_importance

    def watched(*args, **kwargs):
        seen.append(threads())
        return inside(*args, **kwargs)

    monkeypatch.setattr(sklearn.inspection, "permutation_importance", watched)
    monkeypatch.setattr("mlops_cli.views.plots.fitted.partial_dependence", lambda *_: seen.append(threads()))
    plots.permutation_importance(quiet_run)
    plots.partial_dependence(quiet_run, "age")
    assert seen == [{1}, {1}]


def test_partial_dependence_says_of_which_class(quiet_run):
    assert plots.partial_dependence(quiet_run, "age").get_suptitle() == "Partial dependence of class 1"


def test_a_spec_without_a_config_is_drawn(quiet_run):
    assert drawing.draw(Material(quiet_run.record), PlotSpec(PlotName.SCORES)).axes
