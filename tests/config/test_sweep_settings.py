"""How a sweep goes and where its trials run, as a config and the command line say it."""

# ruff: noqa: E501 - in the tables below a case is a line

import re
from pathlib import Path
from typing import Any

import pytest

from mlops_cli.config import Workspace, load_experiment, to_yaml
from mlops_cli.errors import ConfigError
from mlops_cli.records import ComponentSpec, Dimension, DimensionKind, LauncherSpec, PrunerSpec, SamplerSpec, SweepSpec

SWEEP = """\
    defaults: [experiment, {model: svm}, _self_]
    data: {path: x.csv, target: y}
    sweep:
      sampler: {name: tpe, multivariate: true}
      trials: 50
      pruner: {name: halving, factor: 4}
      constraint: model.C * model.gamma <= 64 or model.gamma is None
      patience: 20
      timeout: 2h
      window: 4
      space: {model.C: 'tag(log, interval(1e-3, 1e3))', model.gamma: [0.1, null]}
    """
UNION = """\
    defaults: [experiment, _self_]
    data: {path: x.csv, target: y}
    sweep:
      sampler: tpe
      trials: 20
      space:
        - {model: svm, model.C: 'interval(1, 10)', seed: 'range(0, 3)'}
        - {model: 'choice(ridge, nested)', model.alpha: 'int(interval(1, 10))'}
    """
CLUSTER = """\
    defaults: [experiment, {model: svm}, _self_]
    data: {path: x.csv, target: y}
    launcher: {backend: dask, address: "tcp://host:8786", n_jobs: 3, trial_timeout: 10m}
    """


@pytest.fixture
def sweep(load: Any, write: Any) -> Any:
    """Return a function that loads the sweep of one of the experiments above."""
    for name, text in (("sweep", SWEEP), ("union", UNION), ("cluster", CLUSTER)):
        write(name, text)

    def sweep(*overrides: str, name: str = "sweep") -> SweepSpec:
        found: SweepSpec = load(*overrides, name=name).spec.sweep
        return found

    return sweep


@pytest.fixture
def launcher(load: Any, sweep: Any) -> Any:
    """Return a function that loads where trials run."""

    def launcher(*overrides: str, name: str = "titanic") -> LauncherSpec:
        found: LauncherSpec = load(*overrides, name=name).spec.launcher
        return found

    return launcher


def test_everything_that_a_file_may_say_of_a_sweep(sweep: Any) -> None:
    assert sweep() == SweepSpec(
        sampler=SamplerSpec("tpe", {"multivariate": True}),
        trials=50,
        subspaces=(
            (
                Dimension("model.C", DimensionKind.INTERVAL, low=1e-3, high=1e3, log=True),
                Dimension("model.gamma", DimensionKind.CHOICE, (0.1, None)),
            ),
        ),
        pruner=PrunerSpec("halving", factor=4),
        constraint="model.C * model.gamma <= 64 or model.gamma is None",
        patience=20,
        timeout=7200.0,
        window=4,
    )


def test_a_sweep_says_nothing_that_is_not_said(load: Any) -> None:
    assert load().spec.sweep == SweepSpec()
    assert load().spec.launcher == LauncherSpec()


def test_a_union_takes_the_whole_grammar(sweep: Any) -> None:
    one, other = sweep(name="union").subspaces
    assert one == (
        Dimension("model", DimensionKind.CHOICE, ("svm",), is_group=True),
        Dimension("model.C", DimensionKind.INTERVAL, low=1.0, high=10.0),
        Dimension("seed", DimensionKind.CHOICE, (0, 1, 2)),
    )
    assert other == (
        Dimension("model", DimensionKind.CHOICE, ("ridge", "nested"), is_group=True),
        Dimension("model.alpha", DimensionKind.INTERVAL, low=1.0, high=10.0, integer=True),
    )


@pytest.mark.parametrize(
    ("override", "sampler"),
    [
        ("sweep.sampler=random", SamplerSpec("random")),
        ("sweep.sampler={name: random}", SamplerSpec("random")),
        ("sweep.sampler=tpe", SamplerSpec("tpe")),
        ("sweep.sampler={name: tpe}", SamplerSpec("tpe")),
        ("sweep.sampler={name: qmc, qmc_type: halton}", SamplerSpec("qmc", {"qmc_type": "halton"})),
        ("sweep.sampler.multivariate=false", SamplerSpec("tpe", {"multivariate": False})),
        ("sweep.sampler.group=true", SamplerSpec("tpe", {"multivariate": True, "group": True})),
        ("sweep.sampler={group: true}", SamplerSpec("tpe", {"multivariate": True, "group": True})),
        (
            "sweep.sampler={_target_: optuna.samplers.NSGAIISampler, population_size: 20}",
            SamplerSpec("custom", {"population_size": 20}, "optuna.samplers.NSGAIISampler"),
        ),
        (
            "sweep.sampler={name: cmaes, independent_sampler: {_target_: optuna.samplers.RandomSampler}}",
            SamplerSpec("cmaes", {"independent_sampler": ComponentSpec("optuna.samplers.RandomSampler")}),
        ),
    ],
)
def test_another_sampler_is_not_mixed_with_that_of_the_file(sweep: Any, override: str, sampler: SamplerSpec) -> None:
    assert sweep(override).sampler == sampler


@pytest.mark.parametrize(
    ("override", "pruner"),
    [
        ("sweep.pruner=none", PrunerSpec()),
        ("sweep.pruner=null", PrunerSpec()),
        ("sweep.pruner=halving", PrunerSpec("halving")),
        ("sweep.pruner={name: wilcoxon, p_threshold: 0.05}", PrunerSpec("wilcoxon", p_threshold=0.05)),
        ("sweep.pruner={name: hyperband, over: rows, least: 0.1}", PrunerSpec("hyperband", over="rows", least=0.1)),
        ("sweep.pruner={name: halving, least: 2}", PrunerSpec("halving", least=2.0)),
        ("sweep.pruner.over=rows", PrunerSpec("halving", over="rows", factor=4)),
    ],
)
def test_another_pruner_is_not_mixed_with_that_of_the_file(sweep: Any, override: str, pruner: PrunerSpec) -> None:
    assert sweep(override).pruner == pruner


def test_the_command_line_says_all_of_it(load: Any) -> None:
    spec = load("model.C=tag(log,interval(0.01,100))", "sweep.sampler=tpe", "sweep.trials=20", "sweep.timeout=90",
                "sweep.constraint='model.C < 50'", "sweep.objectives=[roc_auc,accuracy]", "sweep.warm_start=titanic:best").spec  # fmt: skip
    assert spec.sweep.sampler == SamplerSpec("tpe")
    assert (spec.sweep.trials, spec.sweep.timeout, spec.sweep.constraint) == (20, 90.0, "model.C < 50")
    assert (spec.sweep.objectives, spec.sweep.warm_start) == (("roc_auc", "accuracy"), "titanic:best")
    assert spec.sweep.subspaces == ((Dimension("model.C", DimensionKind.INTERVAL, low=0.01, high=100.0, log=True),),)


def test_the_first_objective_is_the_primary_metric(load: Any) -> None:
    assert load("sweep.objectives=[accuracy,roc_auc]", "evaluation.primary=null").spec.evaluation.primary == "accuracy"
    assert (
        load("sweep.objectives=[f1,precision]", "evaluation={metrics: [], primary: null}").spec.evaluation.primary
        == "f1"
    )


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (["sweep.objectives=[f1,accuracy]"], "sweep.pruner: a pruner judges trials by one metric, and there are several (sweep.pruner=none, or one objective)"),
        (["sweep.objectives=[f1,accuracy]", "sweep.pruner=none", "sweep.sampler=cmaes"], "sweep.objectives: the sampler cmaes takes one objective (sweep.sampler=tpe, gp or {_target_: optuna.samplers.NSGAIISampler}"),
        (["sweep.sampler=random", "sweep.warm_start=x:best"], "sweep.warm_start: the sampler random learns nothing"),
        (["sweep.sampler=qmc", "sweep.warm_start=x:best"], "sweep.warm_start: the sampler qmc learns nothing"),
        (["sweep.sampler=grid"], "sweep.trials: a grid tries every combination"),
        (["sweep.sampler={_target_: optuna.samplers.NSGAIISampler}", "sweep.trials=null"], "sweep.trials: the sampler optuna.samplers.NSGAIISampler needs a number of trials"),
        (["sweep.sampler=grid", "sweep.trials=null"], "model.C: a grid cannot try every value of an interval"),
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_one_line(sweep: Any, message: Any, overrides: list[str], said: str) -> None:
    assert said in message(*overrides, name="sweep")


# --- launchers -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        (["launcher.trial_timeout=10m", "launcher.trial_memory=1.5GB"], LauncherSpec(trial_timeout=600.0, trial_memory=1_500_000_000)),
        (["launcher.trial_timeout=2.5", "launcher.trial_memory=2 GiB"], LauncherSpec(trial_timeout=2.5, trial_memory=2 * 1024**3)),
        (["launcher.trial_timeout=1d", "launcher.trial_memory=500mb"], LauncherSpec(trial_timeout=86400.0, trial_memory=500_000_000)),
        (["launcher.backend=dask", "launcher.address='tcp://a:1'"], LauncherSpec("dask", address="tcp://a:1")),
        (["launcher.backend=dask", "launcher.options={threads_per_worker: 2}"], LauncherSpec("dask", options={"threads_per_worker": 2})),
        (["launcher.backend=ray", "launcher.options.num_cpus=2", "launcher.address=auto"], LauncherSpec("ray", address="auto", options={"num_cpus": 2})),
    ],
)  # fmt: skip
def test_what_may_be_said_of_a_launcher(launcher: Any, overrides: list[str], expected: LauncherSpec) -> None:
    assert launcher(*overrides) == expected


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (["launcher=threading", "launcher.trial_timeout=3"], "launcher.trial_timeout: with launcher.backend threading a trial cannot be ended from outside (remove it, or choose launcher=loky)"),
        (["launcher.backend=sequential", "launcher.trial_memory=3GB"], "launcher.trial_memory: with launcher.backend sequential"),
        (["launcher.backend=ray", "launcher.cluster={_target_: my.Cluster}"], "launcher.cluster._target_: 'my.Cluster' may not be named here: my is not trusted"),
        (["launcher.backend=dask", "launcher.address=x", "launcher.options={a: 1}"], "launcher.options: are for the local cluster, and none is started"),
        (["launcher.address=3", "launcher.backend=dask"], "launcher.address: found 3, must be text"),
    ],
)  # fmt: skip
def test_what_a_launcher_has_no_use_for_is_one_line(message: Any, overrides: list[str], said: str) -> None:
    assert said in message(*overrides)


def test_a_cluster_is_of_a_module_that_the_workspace_trusts(workspace: Workspace, sweep: Any) -> None:
    trusting = Workspace(workspace.root, trust=("dask_jobqueue",))
    overrides = ["launcher.backend=dask", "launcher.cluster={_target_: dask_jobqueue.SLURMCluster, cores: 8}"]
    found = load_experiment("titanic", overrides, trusting).spec.launcher
    assert found == LauncherSpec("dask", cluster=ComponentSpec("dask_jobqueue.SLURMCluster", {"cores": 8}))


def test_a_launcher_of_the_command_line_has_the_say_over_that_of_the_file(load: Any, launcher: Any) -> None:
    assert launcher(name="cluster").backend == "dask"
    chosen = load("launcher=threading", name="cluster")
    assert chosen.spec.launcher == LauncherSpec("threading", 3)
    assert [n.message for n in chosen.notices] == [
        "launcher.trial_timeout, launcher.address of configs/cluster.yaml:3 are left out: the backend threading has no use for it"
    ]
    assert launcher("launcher=loky", name="cluster") == LauncherSpec("loky", 3, trial_timeout=600.0)


# --- saved configs -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "overrides"),
    [
        ("sweep", []),
        ("sweep", ["sweep.sampler={_target_: optuna.samplers.NSGAIISampler, population_size: 20}"]),
        ("sweep", ["sweep.pruner=none", "sweep.objectives=[f1,accuracy]", "sweep.warm_start=titanic:latest"]),
        ("union", ["sweep.constraint='model != \"svm\" or model.C < 3'"]),
        ("cluster", []),
        ("cluster", ["launcher=threading"]),
        ("titanic", ["model.C=tag(log,interval(0.01,100))", "sweep.sampler=qmc", "sweep.trials=8", "launcher.trial_memory=1GB"]),
    ],
)  # fmt: skip
def test_a_runs_own_config_says_the_same_again(
    load: Any, sweep: Any, workspace: Workspace, tmp_path: Path, name: str, overrides: list[str]
) -> None:
    first = load(*overrides, name=name)
    (tmp_path / "config.yaml").write_text(to_yaml(first.config), encoding="utf-8")
    second = load_experiment(str(tmp_path / "config.yaml"), [], workspace)
    assert second.spec == first.spec
    assert second.config == first.config


def test_a_runs_own_config_can_be_given_another_sampler(
    load: Any, sweep: Any, workspace: Workspace, tmp_path: Path
) -> None:
    (tmp_path / "config.yaml").write_text(to_yaml(load(name="sweep").config), encoding="utf-8")
    again = load_experiment(str(tmp_path / "config.yaml"), ["sweep.sampler=random", "sweep.trials=5"], workspace)
    assert (again.spec.sweep.sampler, again.spec.sweep.trials) == (SamplerSpec("random"), 5)


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("model.CC", "model.C"),
        ("modle.C", "model.C"),
        ("svm.C", "model.C"),
        ("C", "model.C"),
        ("model.kernal", "model.kernel"),
        ("transforms.scael.with_mean", "transforms.scale.with_mean"),
    ],
)
def test_a_misspelt_key_of_a_constraint_is_told_the_key_that_is_meant(load: Any, key: str, meant: str) -> None:
    composition = load("+transforms.scale.with_mean=true")
    with pytest.raises(ConfigError, match=rf"'{re.escape(key)}' is no key of a trial \(did you mean '{meant}'\?"):
        composition.value({}, key)
