"""Gates are read from a config or from the owner's file; what is wrong with them is said by file, line and key."""

from __future__ import annotations

import pytest

from mlops_cli.config import load_experiment
from mlops_cli.config.declared import of_owner, of_run
from mlops_cli.config.promotion import SECTION, read_gates
from mlops_cli.config.workspace import Workspace
from mlops_cli.errors import ConfigError
from mlops_cli.records import (
    ApprovalGate,
    ChampionGate,
    DataGate,
    FairnessGate,
    Gates,
    HandoverGate,
    LatencyGate,
    MetricBound,
)

CONFIG = """
defaults: [experiment, {data: csv}, {model: logistic_regression}, _self_]
data: {path: data/x.csv, target: y}
"""
ALL = """
metrics:
  roc_auc: {min: 0.8, min_ci: 0.7}
  log_loss: {max: 0.5, max_ci: 0.6}
  roc_auc.test: {min: 0.78}
champion: {metric: roc_auc, data: titanic@3, margin: 0.01, confidence: 0.9, at_least: true}
fairness: {group: sex, metric: recall, max_difference: 0.1, min_ratio: 0.8, data: new.csv, min_rows: 10}
latency: {rows: 2, p50_ms: 20, p99_ms: 50}
size: {max_mb: 50}
data: {warnings: [target-leak, imbalance], verify: true, expect: true}
approval: {by: [alice, bob], count: 2}
handover: {questions: [business_owner, opening], max_age: 365d}
"""


@pytest.fixture
def owners(tmp_path):
    """The gates that a text of the owner's file declares."""
    (tmp_path / "configs" / "promotion").mkdir(parents=True)

    def read(text, name="titanic"):
        (tmp_path / "configs" / "promotion" / "titanic.yaml").write_text(text)
        return of_owner(Workspace(tmp_path), SECTION, name, read_gates)

    return read


def test_every_gate_is_read_with_its_numbers(owners):
    assert owners(ALL) == Gates(
        metrics=(
            MetricBound("roc_auc", least=0.8, least_ci=0.7),
            MetricBound("log_loss", most=0.5, most_ci=0.6),
            MetricBound("roc_auc", held_out=True, least=0.78),
        ),
        champion=ChampionGate("roc_auc", "titanic@3", 0.01, 0.9, at_least=True),
        fairness=(FairnessGate("sex", "recall", 0.1, 0.8, "new.csv", 10),),
        latency=LatencyGate(2, 20, 50),
        max_mb=50,
        data=DataGate(("target-leak", "imbalance"), verify=True, expect=True),
        approval=ApprovalGate(("alice", "bob"), 2),
        handover=HandoverGate(("business_owner", "opening"), 365 * 86_400),
    )


def test_what_is_not_said_has_its_default(owners):
    found = owners(
        "champion: {}\nhandover: {}\nfairness: [{group: sex, metric: recall, min_ratio: 0.8}]\napproval: {by: ann}\n"
    )
    assert found.champion == ChampionGate(None, None, 0.0, 0.95, at_least=False)
    assert found.handover == HandoverGate((), None)
    assert found.fairness[0].min_rows == 30
    assert found.approval == ApprovalGate(("ann",), 1)
    assert owners("data: {warnings: none}").data == DataGate(no_warnings=True)


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "{}"])
def test_a_file_may_declare_no_gates(owners, text):
    assert owners(text) == Gates()
    assert not owners(text)


GATES = ["metrics", "champion", "fairness", "latency", "size", "data", "approval", "handover"]
ALL_UNDERSTOOD = {("champion", "{}"), ("handover", "{}")}


@pytest.mark.parametrize(
    ("gate", "said"),
    [(gate, said) for gate in GATES for said in ("", "null", "[]", "{}") if (gate, said) not in ALL_UNDERSTOOD],
)
def test_a_gate_that_was_begun_and_says_nothing_is_no_leave_to_pass(owners, gate, said):
    with pytest.raises(ConfigError, match="asks nothing") as raised:
        owners(f"{gate}: {said}\n")
    assert str(raised.value).startswith(f"configs/promotion/titanic.yaml:1: {gate}: ")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("data: {warnings: [], verify: true}", "data.warnings"),
        ("data: {warnings: , verify: true}", "data.warnings"),
        ("data: {verify: false}", "data"),
        ("metrics: {roc_auc: {min: , max: 1}}", "metrics.roc_auc.min"),
        ("metrics: {roc_auc: }", "metrics.roc_auc"),
        ("fairness: {group: a, metric: b, max_difference: , min_ratio: 0.8}", "fairness.max_difference"),
        ("fairness: [null, {group: a, metric: b, min_ratio: 0.8}]", "fairness[0]"),
        ("latency: {p50_ms: 5, p99_ms: }", "latency.p99_ms"),
        ("handover: {questions: , max_age: 30d}", "handover.questions"),
        ("handover: {questions: [licence], max_age: }", "handover.max_age"),
    ],
)
def test_a_bound_that_was_begun_is_not_dropped_because_another_one_asks(owners, text, place):
    with pytest.raises(ConfigError) as raised:
        owners(text)
    assert str(raised.value).startswith(f"configs/promotion/titanic.yaml:1: {place}: asks nothing (")


def test_a_model_without_a_file_has_no_gates_of_its_owner(owners):
    owners(ALL)
    assert owners(ALL, name="other") is None


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("metrics:\n  roc_auc: {min: 0.8}\nchampoin: {}\n", "3: champoin", "did you mean 'champion'?"),
        ("metrics:\n  roc_auc:\n    mim: 0.8\n", "3: metrics.roc_auc.mim", "did you mean 'min'?"),
        ("fairness:\n- {group: sex, metrics: a, min_ratio: 1}\n", "1: fairness[0].metrics", "did you mean 'metric'?"),
        ("metrics: {roc_auc: {min: high}}", "1: metrics.roc_auc.min", "found 'high', must be a number"),
        ("metrics: {roc_auc: {min: .nan}}", "1: metrics.roc_auc.min", "must be a number"),
        ("metrics: {roc_auc: {min: .inf}}", "1: metrics.roc_auc.min", "must be a number"),
        ("metrics: {roc_auc: {min: true}}", "1: metrics.roc_auc.min", "found true, must be a number"),
        ("metrics: {roc_auc: {min: 1, max: 0}}", "1: metrics.roc_auc.min", "must be no more than max, 0"),
        ("metrics: {roc_auc: {}}", "1: metrics.roc_auc", "asks nothing"),
        ("metrics: {roc_auc.test: {min_ci: 1}}", "1: metrics.roc_auc.test.min_ci", "unknown key"),
        ("metrics: [roc_auc]", "1: metrics", "must be a mapping"),
        ("metrics: {1: {min: 0}}", "1: metrics", "must be a mapping whose keys are text"),
        ("champion: {margin: -1}", "1: champion.margin", "must be a number of 0 or more"),
        ("champion: {confidence: 95}", "1: champion.confidence", "must be a number between 0 and 1"),
        ("champion: {data: 3}", "1: champion.data", "must be text"),
        ("fairness: {metric: recall, min_ratio: 1}", "1: fairness.group", "must be the name of a column"),
        ("fairness: {group: a, min_ratio: 1}", "1: fairness.metric", "must be the name of a metric"),
        ("fairness: {group: a, metric: recall}", "1: fairness", "say max_difference or min_ratio"),
        ("fairness: {group: a, metric: b, min_ratio: 2}", "1: fairness.min_ratio", "from 0 to 1"),
        ("latency: {rows: 5}", "1: latency", "say p50_ms or p99_ms"),
        ("latency: {rows: 0, p50_ms: 1}", "1: latency.rows", "a whole number of 1 or more"),
        ("size: 50", "1: size", "must be a mapping"),
        ("size: {max_gb: 1}", "1: size.max_gb", "did you mean 'max_mb'?"),
        ("data: {warnings: [target-lek]}", "1: data.warnings", "did you mean 'target-leak'?"),
        ("data: {verify: 1}", "1: data.verify", "must be true or false"),
        ("approval: {count: 2}", "1: approval", "say by"),
        ("approval: {by: [alice, '']}", "1: approval.by", "must be the names of those who may approve"),
        ("approval: {by: []}", "1: approval.by", "asks nothing (give by a value, or leave it out)"),
        ("approval: {by: [a, a], count: 2}", "1: approval.count", "no more than the 1 who may approve"),
        ("handover: {question: [licence]}", "1: handover.question", "did you mean 'questions'?"),
        ("handover: {max_age: long}", "1: handover.max_age", "must be a number of seconds, or text such as 90s"),
        ("promotion:\n  size: {max_mb: 1}\n", "1: promotion", "leave the key promotion out"),
        ("- size", "", "must be a mapping"),
    ],
)
def test_what_is_wrong_is_said_with_file_line_and_key(owners, text, place, message):
    with pytest.raises(ConfigError) as raised:
        owners(text)
    assert str(raised.value).startswith(f"configs/promotion/titanic.yaml{f':{place}: ' if place else ': '}")
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("size: !!python/object/apply:os.system [id]", "the tag"),
        ("a: &a [*a]", "holds itself"),
        ("size: {max_mb: 1}\nsize: {max_mb: 2}", "appears twice"),
        ("approval: {by: [yes, bob]}", "YAML reads yes as true"),
        ("size: {max_mb: 1", "is not valid YAML"),
        ("[" * 200 + "]" * 200, "nested more than"),
    ],
)
def test_hostile_yaml_is_refused_before_it_is_parsed(owners, text, message):
    with pytest.raises(ConfigError, match=message):
        owners(text)


def test_gates_of_a_run_stand_below_promotion(tmp_path):
    (tmp_path / "config.yaml").write_text("name: x\npromotion: {size: {max_mb: 3}}\n")
    assert of_run(tmp_path / "config.yaml", SECTION, read_gates) == Gates(max_mb=3)
    (tmp_path / "config.yaml").write_text("name: x\n")
    assert of_run(tmp_path / "config.yaml", SECTION, read_gates) == Gates()


# --- as a part of an experiment ----------------------------------------------------------------------------------


@pytest.fixture
def experiment(workspace):
    def load(more="", *overrides):
        (workspace.root / "configs" / "x.yaml").write_text(CONFIG + more)
        return load_experiment("x", overrides, workspace)

    return load


def test_an_experiment_keeps_its_gates_and_its_config_composes_to_them_again(experiment, workspace):
    from mlops_cli.config import to_yaml

    found = experiment("promotion: {metrics: {roc_auc.test: {min: 0.5}}, champion: {}}\n", "promotion.size.max_mb=9")
    assert found.spec.promotion == read_gates(found.config["promotion"], "promotion")
    assert found.spec.promotion.metrics == (MetricBound("roc_auc", held_out=True, least=0.5),)
    assert found.spec.promotion.max_mb == 9
    (workspace.root / "saved.yaml").write_text(to_yaml(found.config))
    assert load_experiment(str(workspace.root / "saved.yaml"), (), workspace).spec.promotion == found.spec.promotion
    assert of_run(workspace.root / "saved.yaml", SECTION, read_gates) == found.spec.promotion


def test_a_wrong_gate_of_an_experiment_is_said_before_anything_runs(experiment):
    with pytest.raises(ConfigError, match=r"configs/x.yaml:4: promotion.metrics.roc_auc.mim: unknown key .*'min'"):
        experiment("promotion: {metrics: {roc_auc: {mim: 0.5}}}\n")


def test_gates_cannot_be_swept(experiment):
    with pytest.raises(ConfigError, match="promotion"):
        experiment("", "promotion.size.max_mb=1,2")
