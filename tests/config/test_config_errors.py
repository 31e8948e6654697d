"""Every error is one line that names where, what was found, what is allowed and the nearest name."""

# ruff: noqa: E501 - in the tables below a case is a line

from typing import Any

import pytest

from mlops_cli.config import Workspace, load_experiment
from mlops_cli.errors import ConfigError, ExitCode


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("model=rigde", "command line: model: there is no option 'rigde' of model (did you mean 'ridge'?"),
        ("modle=svm", "command line: modle: unknown key (did you mean 'model'?"),
        ("+modle=svm", "command line: modle: unknown key (did you mean 'model'?"),
        ("+model2.x=1", "command line: model2: unknown key (did you mean 'model'?"),
        ("evaluation.tset=0.2", "command line: evaluation.tset: unknown key (did you mean 'test'? allowed: metrics, primary"),
        ("+evaluation.tset=0.2", "command line: evaluation.tset: unknown key (did you mean 'test'?"),
        ("launcher.n_job=2", "launcher.n_job: unknown key (did you mean 'n_jobs'?"),
        ("transforms.scael.with_mean=true", "transforms.scael.with_mean: unknown key (did you mean 'scale'?"),
        ("~transforms.scael", "transforms.scael: there is nothing to delete (did you mean 'scale'?"),
        ("~modl", "modl: there is nothing to delete (did you mean 'model'?"),
        ("~seed=3", "seed: cannot be deleted: it has another value"),
        ("+seed=3", "seed: is there already, and + only adds (write seed=…, without the +)"),
        ("model@x=svm", "command line"),
        ("nope@x=svm", "command line"),
        ("model=3", "command line: model: found 3, must be the name of an option"),
        ("calibration=null", "command line: calibration: found None, must be the name of an option"),
        ("seed=-1", "command line: seed: found -1, must be a whole number from 0 to 4294967295"),
        ("seed=4294967296", "command line: seed: found 4294967296, must be a whole number from 0 to 4294967295"),
        ("seed=1.5", "seed: found 1.5"),
        ("seed=true", "seed: found true"),
        ("seed=null", "seed: found null"),
        ("task=clasification", "task: found 'clasification' (did you mean 'classification'?"),
        ("task=3", "task: found 3, must be one of auto, classification, regression, clustering"),
        ("name=[a]", "name: found a list, ['a'], must be text"),
        ("name=3", "name: found 3, must be text (quote it)"),
        ("description=[a]", "description: found a list"),
        ("tags=3", "tags"),
        ("+tags.a=[1]", "tags.a: found a list, [1], must be text"),
        ("threshold=1.5", "threshold: found 1.5, must be a number between 0 and 1, the name of a metric, or null"),
        ("threshold=true", "threshold: found true"),
        ("launcher.backend=lok", "launcher.backend: found 'lok' (did you mean 'loky'?"),
        ("launcher.n_jobs=0", "launcher.n_jobs: found 0, must be -1 for all cores, or 1 or more"),
        ("artifacts.keep=all", "artifacts.keep: found 'all' (allowed: best, none)"),
        ("artifacts.model_format=pickle", "artifacts.model_format: found 'pickle' (allowed: joblib, skops)"),
        ("artifacts.predictions=1", "artifacts.predictions: found 1, must be true or false"),
        ("sweep=random", "command line: sweep: found 'random', must be a mapping (sweep.sampler=random)"),
        ("sweep=halving", "command line: sweep: found 'halving', must be a mapping (sweep.pruner=halving)"),
        ("sweep=x", "command line: sweep: found 'x', must be a mapping"),
        ("evaluation=[1,2]", "command line: evaluation: found a list, [1, 2], must be a mapping"),
        ("data.drop={a: null}", "command line: data.drop: found a mapping, {a: null}, must be a list"),
        ("sweep.sampler=radnom", "sweep.sampler: found 'radnom' (did you mean 'random'?"),
        ("sweep.sampler=tpe", "command line: sweep.trials: the sampler tpe needs a number of trials (sweep.trials=20)"),
        ("sweep.sampler={name: tpee}", "sweep.sampler.name: found 'tpee' (did you mean 'tpe'? allowed: cmaes, gp, grid, qmc, random, tpe)"),
        ("sweep.sampler={name: tpe, seed: 3}", "sweep.sampler.seed: a sampler has the seed of the experiment (seed=3 sets both)"),
        ("sweep.sampler={name: grid, depth: 3}", "sweep.sampler.depth: the sampler grid has no parameters (remove it)"),
        ("sweep.sampler={multivariate: true}", "sweep.sampler: has no name (must be the name of a sampler, or a mapping such as {name: tpe"),
        ("sweep.sampler=[tpe]", "sweep.sampler: found a list, ['tpe'], must be the name of a sampler, or a mapping"),
        ("sweep.sampler=3", "sweep.sampler: found 3, must be the name of a sampler"),
        ("sweep.sampler={name: tpe, _target_: optuna.samplers.TPESampler}", "sweep.sampler.name: a sampler has a name or a _target_, not both"),
        ("sweep.sampler={_target_: [a]}", "sweep.sampler._target_: "),
        ("sweep.sampler={_target_: os.system}", "sweep.sampler._target_: 'os.system' may not be named here: os is not trusted"),
        ("sweep.sampler={name: cmaes, independent_sampler: {_target_: os.system}}", "sweep.sampler.independent_sampler._target_: 'os.system' may not be"),
        ("model={_target_: optuna.samplers.TPESampler}", "model._target_: 'optuna.samplers.TPESampler' may not be named here: optuna is not trusted"),
        ("sweep.trial=3", "sweep.trial: unknown key (did you mean 'trials'?"),
        ("sweep.constraint=3", "sweep.constraint: found 3, must be text, or null"),
        ("sweep.objectives=[f1]", "sweep.objectives[0]: found 'f1' (allowed: accuracy, roc_auc)"),
        ("sweep.objectives=[roc_auc,roc_auc]", "sweep.objectives[1]: the metric 'roc_auc' is listed twice"),
        ("sweep.objectives=[accuracy,roc_auc]", "sweep.objectives: the first one ranks, found 'accuracy', and evaluation.primary is 'roc_auc' (put roc_auc first"),
        ("sweep.warm_start=titanic:best", "sweep.warm_start: the sampler grid learns nothing from earlier trials (remove it, or choose sweep.sampler=tpe)"),
        ("sweep.patience=0", "sweep.patience: found 0, must be a whole number of 1 or more"),
        ("sweep.window=0", "sweep.window: found 0, must be a whole number of 1 or more"),
        ("sweep.timeout=1:30", "sweep.timeout: found '1:30', must be a number of seconds, or text such as 90s, 10m, 2h"),
        ("sweep.timeout=0", "sweep.timeout: found 0, must be a number of seconds, or text such as 90s, 10m, 2h, and more than nothing"),
        ("sweep.timeout=-3", "sweep.timeout: found -3"),
        ("sweep.timeout=true", "sweep.timeout: found true"),
        ("sweep.timeout=inf", "sweep.timeout: found inf"),
        ("sweep.timeout=10MB", "sweep.timeout: found '10MB'"),
        ("launcher.trial_memory=2h", "launcher.trial_memory: found '2h', must be a number of bytes, or text such as 500MB, 2GB, 2GiB"),
        ("launcher.trial_timeout=[1]", "launcher.trial_timeout: found a list"),
        ("launcher.address=tcp://a:1", "launcher.address: launcher.backend loky is no cluster (remove it, or choose launcher=dask or launcher=ray)"),
        ("launcher.cluster={_target_: os.system}", "launcher.cluster._target_: 'os.system' may not be named here"),
        ("launcher.options={a: 1}", "launcher.options: launcher.backend loky is no cluster"),
        ("sweep.sampler=random", "sweep.trials: the sampler random needs a number of trials"),
        ("sweep.trials=5", "sweep.trials: a grid tries every combination"),
        ("sweep.trials=0", "sweep.trials: found 0, must be a whole number of 1 or more"),
        ("sweep.pruner=halvin", "sweep.pruner: found 'halvin' (did you mean 'halving'? allowed: halving, hyperband, none, wilcoxon)"),
        ("sweep.pruner={name: wilcoxon, factor: 3}", "sweep.pruner.factor: unknown key (allowed: name, p_threshold)"),
        ("sweep.pruner={name: none, factor: 3}", "sweep.pruner.factor: the pruner none has no parameters (remove it)"),
        ("sweep.pruner={name: wilcoxon, p_threshold: 1}", "sweep.pruner.p_threshold: found 1, must be a number between 0 and 1"),
        ("sweep.pruner={name: halving, over: row}", "sweep.pruner.over: found 'row' (did you mean 'rows'? allowed: rows, splits)"),
        ("sweep.pruner={name: halving, factor: 1}", "sweep.pruner.factor: found 1, must be a whole number of 2 or more"),
        ("sweep.pruner={name: halving, least: 0.1}", "sweep.pruner.least: found 0.1, must be a whole number of 1 or more"),
        ("sweep.pruner={name: halving, over: rows, least: 1}", "sweep.pruner.least: found 1, must be a share of the rows between 0 and 1"),
        ("sweep.space=3", "sweep.space: found 3"),
        ("evaluation.test=1.5", "evaluation.test: found 1.5, must be a number between 0 and 1, the path of a file"),
        ("evaluation.test=1", "evaluation.test: found 1"),
        ("evaluation.metrics=[3]", "evaluation.metrics[0]: found 3, must be the name of a metric"),
        ("evaluation.metrics=[f1,f1]", "evaluation.metrics[1]: the metric 'f1' is listed twice"),
        ("evaluation.metrics=[{name: a}]", "evaluation.metrics[0]: the metric has no _target_"),
        ("evaluation.primary=f2", "evaluation.primary: found 'f2' (allowed: accuracy, roc_auc)"),
        ("data.target=[a,b]", "data.target: found a list, ['a', 'b'], must be the name of a column"),
        ("data.drop=[[a]]", "data.drop[0]: found a list"),
        ("data.dtypes=[a]", "data.dtypes"),
        ("data.dtypes.a=3", "data.dtypes.a: found 3, must be text"),
        ("data.expect=3", "data.expect: found 3, must be a mapping"),
        ("data.positive=[1]", "data.positive: found a list, [1], must be one value"),
        ("data.taget=x", "data.taget: unknown key (did you mean 'target'?"),
        ("data.path=???", "command line: data.path: a value is needed"),
        ("~model", "model: no model is chosen"),
        ("model._args_=[1]", "model._args_: _args_ is not supported (give parameters by name)"),
        ("model._convert_=all", "model._convert_: _convert_ is not supported"),
        ("model._recursive_=false", "model._recursive_: _recursive_ is not supported"),
        ("model._partail_=true", "model._partail_: unknown key (did you mean '_partial_'?"),
        ("model._partial_=3", "model._partial_: found 3, must be true or false"),
        ("model._target_={clasification: sklearn.svm.SVC}", "did you mean 'classification'?"),
        ("model._target_=[a]", "model._target_"),
        ("calibration.method=sigmoid", "calibration.method: no calibration is chosen that could take this (calibration=NAME)"),
        ("model={_target_: null}", "model: no model is chosen"),
        ("transforms.scale.columns=[]", "transforms.scale.columns: found a list"),
        ("transforms.scale.columns={a: 1}", "command line: transforms.scale.columns: found a mapping, {a: 1}, must be a list"),
        ("transforms.scale=3", "transforms.scale: found 3, must be a mapping"),
        ("+transforms.a__b={_target_: drop}", "'a__b' cannot be a step's name"),
        ("+transforms.a={columns: all}", "transforms.a: the step has no _target_"),
        ("model.x=${nope}", "model.x: refers to 'nope', which there is not"),
        ("model.x=${evaluation.primry}", "did you mean 'evaluation.primary'?"),
        ("model.x=${model.x}", "model.x"),
        ("model.x=${nope:1}", "model.x"),
        ("model.x='${'", "model.x"),
        ("model.C=[1,2", "command line: the override 'model.C=[1,2' cannot be read"),
        ("model..C=1", "command line: "),
        ("=3", "command line: the override '=3' has no key"),
        ("seed", "command line: 'seed' is not an override (write KEY=VALUE or ~KEY)"),
        ("", "command line: '' is not an override"),
        ("model.C=interval(1,2)", "model.C: a grid cannot try every value of an interval (sweep.sampler=random"),
        ("hydra.nope=1", "command line: hydra.nope: has no meaning here (runs always lie in runs/<name>/; of hydra only hydra.searchpath"),
        ("hydra.run.dir=foo", "command line: hydra.run.dir: has no meaning here"),
        ("+hydra.run.dir=foo", "command line: hydra.run.dir: has no meaning here"),
        ("~hydra.run", "command line: hydra.run: has no meaning here"),
        ("hydra.mode=a,b", "command line: hydra.mode: has no meaning here"),
        ("hydra={run: {dir: foo}}", "command line: hydra: has no meaning here"),
        ("hydra/launcher=joblib", "command line: hydra/launcher: has no meaning here"),
        ("model.C=interval(1,2)", "for orders of magnitude as tag(log, interval(…))"),
        ("data.missing_target=dorp", "data.missing_target: found 'dorp' (did you mean 'drop'? allowed: drop, error)"),
        ("data.misssing_target=drop", "data.misssing_target: unknown key (did you mean 'missing_target'?"),
        ("~sweep.space.model.C", "command line: sweep.space.model.C: there is nothing to delete"),
        ("evaluation.metrics=[{profit: 3}]", "evaluation.metrics[0]: the metric has no _target_ (write {profit: {_target_: features.profit, greater_is_better: true}}"),
        ("evaluation.metrics=[{}]", "evaluation.metrics[0]: the metric has no _target_"),
        ("evaluation.metrics=[{_target_: sklearn.metrics.f1_score}]", "evaluation.metrics[0]: the metric has no name (write {profit: {_target_:"),
        ("evaluation.metrics=[{cost: {_target_: sklearn.metrics.f1_score, response: guess}}]", "evaluation.metrics[0].cost.response: found 'guess'"),
        ("evaluation.metrics=[{cost: {_target_: os.system}}]", "evaluation.metrics[0].cost._target_: 'os.system' may not be named here: os is not trusted"),
        ("evaluation.metrics=[accuracy,os.system]", "command line: evaluation.metrics[1]: 'os.system' may not be named here: os is not trusted"),
        ("evaluation.metrics=os.system", "command line: evaluation.metrics[0]: 'os.system' may not be named here"),
    ],
)  # fmt: skip
def test_a_wrong_override_is_one_line(message: Any, override: str, said: str) -> None:
    assert said in message(override)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "configs/bad.yaml: the file is empty"),
        ("[a, b]", "configs/bad.yaml: must be a mapping of keys to values"),
        ("just text", "configs/bad.yaml: must be a mapping"),
        ("defaults: {model: svm}", "defaults must be a list"),
        ("defaults: [experiment, model: rigde]", "configs/bad.yaml: model: there is no option 'rigde' of model (did you mean 'ridge'?"),
        ("defaults: [experiment, modle: svm]", "configs/bad.yaml: there is no config group 'modle' (did you mean 'model'?"),
        ("defaults: [experimnt, model: svm]", "configs/bad.yaml: defaults: there is no config 'experimnt' (did you mean 'experiment'?"),
        ("defaults: [experiment, model: svm, model: ridge]", "model: is chosen twice"),
        ("defaults: [titanic, model: ridge]", 'model: is chosen twice in the defaults (write "- override model: NAME"'),
        ("defaults: [bad]", "circle"),
        ("defaults: [experiment, {model: svm, split: kfold}]", "Too many keys"),
        ("defaults: [experiment, 3]", "configs/bad.yaml"),
        ("defaults: [experiment]\ndata: {path: x}", 'configs/bad.yaml: model: no model is chosen (add "- model: NAME" to the defaults'),
        ("defaults: [experiment, model: '???']\ndata: {path: x}", "model: no model is chosen"),
        ("defaults: [experiment, model: svm]", "configs/data/csv.yaml:2: data.path: a value is needed"),
        ("defaults: [experiment, model: svm]\ndata: {path: x}\nseed: zero", "configs/bad.yaml:3: seed: found 'zero'"),
        ("defaults: [experiment, model: svm]\ndata: {path: x}\nmodle: {C: 1}", "configs/bad.yaml:3: modle: unknown key (did you mean 'model'?"),
        ("defaults: [experiment, model: svm]\ndata:\n  path: x\n  drop: {a: 1}", "configs/bad.yaml:4: data.drop: found a mapping, {a: 1}, must be a list"),
        ("defaults: [experiment, model: svm]\ndata: [x]", "configs/bad.yaml:2: data: found a list, ['x'], must be a mapping"),
        ("defaults: [experiment, model: svm]\ndata: {path: x}\nsweep:\n  sampler: random\n  space: {model.C: [1]}", "configs/bad.yaml:3: sweep.trials: the sampler random needs a number"),
        ("defaults: [experiment, model: svm]\ndata: {path: x}\nevaluation:\n  metrics: [f1]\n  primary: f2", "configs/bad.yaml:5: evaluation.primary: found 'f2' (allowed: f1)"),
        ("defaults: [experiment, model: svm]\ndata: {path: x}\nevaluation:\n  metrics:\n    - f1\n    - 3", "configs/bad.yaml:4: evaluation.metrics[1]: found 3"),
        ("defaults: [experiment, model: svm]\ndata: {path: x}\nsweep: {space: {data.path: [a, b]}}", "configs/bad.yaml:3: data.path: cannot be swept"),
        ("defaults: [experiment, model: svm]\ndata: {path: x}\nsweep: {space: {model: [svm, rigde]}}", "configs/bad.yaml:3: model: there is no option 'rigde'"),
        ("defaults: [experiment, model: svm]\ndata: {path: x}\nsweep: {space: {model.C: 'range(1'}}", "configs/bad.yaml:3: sweep.space: "),
        ("defaults: [experiment, model: svm]\ndata: {path: x}\nsweep: {space: [3]}", "configs/bad.yaml:3: sweep.space: found 3, must be a mapping of keys to choices"),
        ("defaults: [experiment, model: svm]\ndata: {path: x}\nsweep: {space: {transforms.x.y: [1]}}", "configs/bad.yaml:3: transforms.x: the step has no _target_"),
        ("defaults: [experiment, model: svm]\ndata: {path: x}\nsweep: {sapce: {}}", "sweep.sapce: unknown key (did you mean 'space'?"),
        ("data: {path: x}\nmodel: {C: 1}", "configs/bad.yaml"),
        ("seed: ${nope}\ndefaults: [experiment, model: svm]\ndata: {path: x}", "configs/bad.yaml:1: seed: refers to 'nope', which there is not"),
        ("defaults: [experiment, model: svm]\ndata: {path: x}\nhydra:\n  run: {dir: foo}", "configs/bad.yaml:4: hydra.run: has no meaning here"),
        ("# @package\ndefaults: [experiment]", "configs/bad.yaml: Expected header format"),
        ("name: a/b\ndefaults: [experiment, model: svm]\ndata: {path: x}", "configs/bad.yaml:1: name: 'a/b' cannot be an experiment's name"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_one_line_with_its_line(message: Any, write: Any, text: str, said: str) -> None:
    write("bad", text)
    assert said in message(name="bad")


def test_a_mistake_in_an_option_names_the_options_file(message: Any, write: Any) -> None:
    write("model/broken", "_target_: sklearn.svm.SVC\nC: NO\n")
    assert message("model=broken").startswith("configs/model/broken.yaml:2: YAML reads NO as false")
    write("model/broken", "_target_: sklearn.svm.SVC\n_args_: [1]\n")
    assert message("model=broken").startswith("configs/model/broken.yaml:2: model._args_")


def test_a_point_that_fails_names_the_point(load: Any) -> None:
    composition = load("seed=1,2,x", "model.C=1,2")
    with pytest.raises(ConfigError) as caught:
        composition.point({"seed": "x", "model.C": 2})
    assert str(caught.value).startswith("command line: seed: found 'x', must be a whole number")
    assert "(at model.C=2)" in str(caught.value)
    with pytest.raises(ConfigError, match="cannot be swept"):
        composition.point({"data.path": "other"})


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("titanik", "config: there is no experiment 'titanik' (did you mean 'titanic'?"),
        ("nowhere/titanic.yaml", "config: there is no file 'nowhere/titanic.yaml'"),
        ("", "cannot be an experiment's name"),
        ("titanic,iris", "config: one experiment is run at a time, found 'titanic,iris' (run once for each)"),
        ("configs/titanic.yaml,x.yaml", "one experiment is run at a time"),
    ],
)
def test_an_unknown_experiment_is_named_with_the_nearest(workspace: Workspace, name: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_experiment(name, [], workspace)
    assert said in str(caught.value)
    assert caught.value.exit_code is ExitCode.USAGE


def test_a_path_may_have_a_comma(workspace: Workspace, tmp_path: Any) -> None:
    path = tmp_path / "a,b" / "x.yaml"
    path.parent.mkdir()
    path.write_text("defaults: [experiment, model: svm]\ndata: {path: x}\n")
    assert load_experiment(str(path), [], workspace).spec.name == "x"


def test_where_there_are_no_experiments_the_way_to_one_is_said(tmp_path: Any) -> None:
    with pytest.raises(ConfigError, match="mlops init"):
        load_experiment("titanic", [], Workspace(tmp_path))


def test_the_cause_is_kept_for_those_who_want_the_traceback(load: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        load("model.x=${nope}")
    assert caught.value.__cause__ is not None
