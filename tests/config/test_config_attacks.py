"""A config is input from outside: what it must not be able to do."""

# ruff: noqa: E501 - in the tables below a case is a line

import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlops_cli.config import Workspace, load_experiment, to_yaml
from mlops_cli.errors import ConfigError, TrustError

TARGETS = [
    "os.system", "posix.system", "builtins.eval", "builtins.exec", "eval", "open", "builtins.open", "io.open",
    "subprocess.run", "importlib.import_module", "joblib.load", "pandas.read_pickle", "pickle.loads",
    "numpy.testing.measure", "numpy.lib.npyio.load", "sklearn._loss.loss.os.system",
    "sklearn.utils._testing.os.system", "sklearn.svm._classes.SVC", "sklearn.svm.SVC.__init__", "sklearn.__builtins__.eval",
    "sklearn..svm.SVC", ".sklearn.svm.SVC", "sklearn.svm.SVC ", "sklearn.svm\n.SVC", "sklearn/svm/SVC", "sklearnx.svm.SVC",
    "sklearn", "mlops_cli.store.anything", "mlops_cli.config.yaml_guard.read_text", "s\u212alearn.svm.SVC", "hydra.utils.instantiate",
    "code.interact", "ctypes.CDLL", "runpy.run_path",
]  # fmt: skip


PLACES = [
    "model: {{_target_: {}}}",
    "model: {{_target_: {{classification: {}}}}}",
    "model: {{_target_: sklearn.svm.SVC, estimator: {{_target_: {}}}}}",
    "model: {{_target_: sklearn.svm.SVC, steps: [[a, {{_target_: {}}}]]}}",
    "data: {{_target_: {}}}",
    "data: {{path: x, read: {{converters: {{a: {{_target_: {}, _partial_: true}}}}}}}}",
    "transforms: {{a: {{_target_: {}}}}}",
    "split: {{_target_: {}}}",
    "evaluation: {{metrics: [{{name: a, _target_: {}}}]}}",
    "sweep: {{space: {{model._target_: [sklearn.svm.SVC, {}]}}}}",
    "sweep: {{space: {{model: [{{_target_: sklearn.svm.SVC}}, {{_target_: {}}}]}}}}",
]


@pytest.mark.parametrize("target", TARGETS)
def test_a_target_that_is_not_trusted_is_refused(message: Any, write: Any, target: str) -> None:
    import json

    write(
        "bad", f"defaults: [experiment, model: ridge]\ndata: {{path: x}}\nmodel: {{_target_: {json.dumps(target)}}}\n"
    )
    assert message(name="bad").startswith("configs/bad.yaml:3: model._target_: ")


@pytest.mark.parametrize("target", ["os.system", "open", "joblib.load"])
@pytest.mark.parametrize("place", PLACES)
def test_a_target_that_is_not_trusted_is_refused_wherever_it_is(
    workspace: Workspace, write: Any, place: str, target: str
) -> None:
    write("bad", "defaults: [experiment, model: ridge]\n" + place.format(target) + "\n")
    with pytest.raises(TrustError) as caught:
        load_experiment("bad", ["data.path=x"] if not place.startswith("data") else [], workspace)
    assert "\n" not in str(caught.value)
    assert caught.value.key is not None
    assert "_target_" in caught.value.key or "sweep" in place


@pytest.mark.parametrize(
    "override", ["model._target_=os.system", "model._target_=sklearn.svm.SVC,os.system", "split={_target_: os.system}"]
)
def test_overrides_are_held_to_the_same(load: Any, override: str) -> None:
    with pytest.raises(TrustError, match="os is not trusted"):
        load(override)


def test_a_point_is_held_to_the_same(load: Any) -> None:
    composition = load("model.C=1,2")
    for params in (
        {"model._target_": "os.system"},
        {"model.C": {"_target_": "os.system"}},
        {"model": {"_target_": "os.system"}},
    ):
        with pytest.raises(TrustError):
            composition.point(params)


def test_options_that_a_config_brings_along_are_held_to_the_same(workspace: Workspace, write: Any) -> None:
    write(
        "bad",
        "data: {_target_: sklearn.x.Y}\nsweep: {space: {model: [svm]}, options: {model: {svm: {_target_: os.system}}}}\n",
    )
    with pytest.raises(TrustError, match="os is not trusted"):
        load_experiment("bad", ["split={_target_: sklearn.model_selection.KFold}"], workspace)


def test_a_config_cannot_add_to_what_is_trusted(message: Any, write: Any) -> None:
    for text in ("trust: [os]", "tool: {mlops: {trust: [os]}}", "workspace: {trust: [os]}"):
        write("bad", f"defaults: [experiment, model: ridge]\ndata: {{path: x}}\n{text}\n")
        assert "unknown key" in message(name="bad")


def test_drop_and_passthrough_are_for_steps_alone(load: Any) -> None:
    assert (
        load("+transforms.x={_target_: passthrough, columns: all}").spec.trial.transforms[-1].component.target
        == "passthrough"
    )
    for override in ("model._target_=drop", "split._target_=passthrough", "model.x={_target_: drop}"):
        with pytest.raises(TrustError, match="for the steps of transforms only"):
            load(override)


def test_nothing_is_imported_while_a_config_is_checked(load: Any, write: Any, workspace: Workspace) -> None:
    import sys

    (workspace.root / "trap.py").write_text("raise SystemExit('imported')\n")
    write("trap", "defaults: [experiment, model: ridge]\ndata: {path: x}\nmodel: {_target_: trap.Model}\n")
    load_experiment("trap", [], Workspace(workspace.root, ("trap",)))
    assert "trap" not in sys.modules


# --- YAML ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "seed: !!python/object/apply:os.system ['touch pwned']",
            "the tag !!python/object/apply:os.system is not allowed",
        ),
        ("description: " + "[" * 3000, "nested more than 50 levels"),
        ("seed: " + "9" * 5000, "more than 300 digits"),
        ("model: {C: 1e999}", "too large for a number"),
        ("description: NO", "YAML reads NO as false"),
        ("description: 012", "octal"),
        ("description: 1:30", "base 60"),
        ("seed: 1\nseed: 2", "appears twice"),
    ],
)
def test_dangerous_yaml_is_refused_with_its_place(message: Any, write: Any, text: str, said: str) -> None:
    write("bad", f"defaults: [experiment, model: ridge]\n{text}\n")
    found = message(name="bad")
    assert said in found
    assert found.startswith("configs/bad.yaml:")


def test_a_billion_laughs_take_milliseconds(message: Any, write: Any) -> None:
    lines = ["a: &a0 [x, x, x, x, x, x, x, x, x]"] + [
        f"b{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)
    ]
    write("bad", "\n".join(lines))
    start = time.perf_counter()
    assert "unfolds to more than" in message(name="bad")
    assert time.perf_counter() - start < 2


@pytest.mark.parametrize(
    "override",
    [
        "model.C=" + "9" * 5000, "model.C=" + "[" * 3000, "model.C=" + "[" * 3000 + "]" * 3000, "model" + ".a" * 3000 + "=1",
        "model.C=1e999", "model.C=[1,{a: -1e999}]", "model.C=1,1e999", "model.C=" + "x" * 200_000, "model.C=a\0b",
        "model.C=" + "int(" * 1000, "a" * 5000 + "=1", "model.C=range(0,1e300)", "model=" + "a/" * 3000,
        "model=" + "a" * 5000,
    ],
    ids=range(14),
)  # fmt: skip
def test_dangerous_overrides_are_one_short_line(message: Any, override: str) -> None:
    start = time.perf_counter()
    assert len(message(override)) < 6000
    assert time.perf_counter() - start < 5


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    key=st.sampled_from(["", "model", "model.C", "seed", "data.path", "transforms.scale", "sweep.space", "~", "+"]),
    text=st.text(max_size=15),
)
def test_any_override_composes_or_is_one_line(workspace: Workspace, key: str, text: str) -> None:
    said = ""
    try:
        load_experiment("titanic", [f"{key}={text}"], workspace)
    except ConfigError as error:
        said = str(error)
    assert "\n" not in said


# --- names and paths -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["..", ".", "a\0b", "a\nb", "-rf", "--help", "latest", "best", "Latest", "experiment", "nul", "con.x", "a b", "ä", "a:b",
     "a" * 101, ".hidden", "a..b", "a.", "*", "$(x)", "~"],
)  # fmt: skip
def test_a_name_that_cannot_be_a_folder_is_refused(workspace: Workspace, message: Any, name: str) -> None:
    with pytest.raises(ConfigError, match="cannot be an experiment's name"):
        load_experiment(name, [], workspace)
    quoted = name.replace("\n", "\\n").replace("\0", "\\0")
    assert "name" in message(f'name="{quoted}"') or "'~'" in message(f'name="{quoted}"')


@pytest.mark.parametrize("name", ["../x", "../../etc/passwd", "/etc/passwd", "configs/../../x.yaml", "a\0/b.yaml"])
def test_a_path_that_is_no_config_is_refused(workspace: Workspace, name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_experiment(name, [], workspace)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", ["../../x", "../outside", "a/../../../x", "..", "'a\\\\..\\\\b'"])
def test_an_option_outside_its_folder_is_refused(message: Any, workspace: Workspace, value: str) -> None:
    (workspace.root / "outside.yaml").write_text("_target_: sklearn.svm.SVC\n")
    (workspace.root.parent / "x.yaml").write_text("_target_: sklearn.svm.SVC\n")
    assert "option" in message(f"model={value}")


@pytest.mark.parametrize(
    "entry", ["model: ../../x", "/../x", "../x", "model: /../../x", "model@..x: svm", "/model/../../x: y"]
)
def test_a_defaults_list_cannot_leave_the_folders(message: Any, write: Any, workspace: Workspace, entry: str) -> None:
    (workspace.root / "x.yaml").write_text("seed: 42\n")
    write("bad", f"defaults: [experiment, {entry}]\ndata: {{path: x}}\n")
    assert message(name="bad")


def test_links_out_of_the_folders_are_refused(message: Any, workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "x.yaml").write_text("_target_: sklearn.svm.SVC\n")
    (workspace.configs / "model" / "link.yaml").symlink_to(tmp_path / "secret" / "x.yaml")
    (workspace.configs / "split2").symlink_to(tmp_path / "secret")
    (workspace.configs / "linked.yaml").symlink_to(tmp_path / "secret" / "x.yaml")
    assert "is a link that leads out" in message("model=link")
    assert "is a link that leads out" in message("+split2=x")
    assert "is a link that leads out" in message(name="linked")


@pytest.mark.parametrize("place", ["pkg://os", "structured://this", "pkg://antigravity", "nowhere", "http://x"])
def test_a_search_path_imports_nothing(message: Any, write: Any, place: str) -> None:
    import sys

    write("bad", f"defaults: [experiment, model: ridge]\ndata: {{path: x}}\nhydra: {{searchpath: ['{place}']}}\n")
    assert "hydra.searchpath" in message(name="bad")
    assert "hydra.searchpath" in message(f"hydra.searchpath=['{place}']")
    assert "this" not in sys.modules
    assert "antigravity" not in sys.modules


def test_a_folder_may_be_searched_as_in_hydra(load: Any, workspace: Workspace) -> None:
    (workspace.root / "more" / "model").mkdir(parents=True)
    (workspace.root / "more" / "model" / "extra.yaml").write_text("_target_: sklearn.svm.NuSVC\n")
    assert load("hydra.searchpath=[more]", "model=extra").spec.trial.model.target == "sklearn.svm.NuSVC"


# --- secrets -------------------------------------------------------------------------------------------------------


def test_a_secret_from_the_environment_reaches_the_source_and_nothing_that_is_saved(
    load: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLOPS_TEST_SECRET", "hunter2")
    reference = "${oc.env:MLOPS_TEST_SECRET}"
    composition = load(
        f"data.path=db://me:{reference}@host", f"+data.token={reference}", "+data.copy=${data.token}", "model.C=1,2"
    )
    params = composition.spec.data.source.params
    assert (params["path"], params["token"], params["copy"]) == ("db://me:hunter2@host", "hunter2", "hunter2")
    assert composition.config["data"]["path"] == f"db://me:{reference}@host"
    assert composition.config["data"]["copy"] == reference
    saved = [to_yaml(composition.config), repr(composition.spec.config), repr(composition.point_config({"model.C": 2}))]
    saved += [repr(composition.explain("data.path")), repr(composition.overrides)]
    assert not any("hunter2" in text for text in saved)


def test_a_test_set_may_be_in_a_place_from_the_environment(load: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLOPS_TEST_PLACE", "/data")
    composition = load(
        "evaluation.test=${oc.env:MLOPS_TEST_PLACE}/test.csv", "data.path=${oc.env:MLOPS_NOT_SET,here.csv}"
    )
    assert composition.spec.evaluation.test == "/data/test.csv"
    assert composition.config["evaluation"]["test"] == "${oc.env:MLOPS_TEST_PLACE}/test.csv"
    assert composition.spec.data.source.params["path"] == "here.csv"
    assert load("data.token=${oc.env:MLOPS_NOT_SET,null}").spec.data.source.params["token"] is None


@pytest.mark.parametrize(
    "override",
    [
        "description=${oc.env:MLOPS_TEST_SECRET}", "name=${oc.env:MLOPS_TEST_SECRET}", "tags={a: '${oc.env:MLOPS_TEST_SECRET}'}",
        "model.C=${oc.env:MLOPS_TEST_SECRET}", "+tags.a=${data.path}", "model.C=1,${oc.env:MLOPS_TEST_SECRET}",
        "data.token='${oc.decode:${oc.env:MLOPS_TEST_SECRET}}'", "data.token='${oc.env:${data.target}}'", "model.C=${data.path}",
        "evaluation.primary=${oc.env:MLOPS_TEST_SECRET}", "model._target_=${oc.env:MLOPS_TEST_SECRET}",
        "model={C: '${data.path}'},{C: 1}",
    ],
)  # fmt: skip
def test_elsewhere_the_environment_is_refused_without_showing_it(
    load: Any, monkeypatch: pytest.MonkeyPatch, override: str
) -> None:
    monkeypatch.setenv("MLOPS_TEST_SECRET", "hunter2")

    def try_all_points() -> None:
        composition = load("data.path=${oc.env:MLOPS_TEST_SECRET}", override)
        (dimension,) = composition.spec.sweep.subspaces[0]
        for choice in dimension.choices:
            composition.point({dimension.key: choice})

    with pytest.raises(ConfigError) as caught:
        try_all_points()
    assert "environment variable" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_variable_that_is_not_set_is_one_line(message: Any) -> None:
    found = message("data.path=${oc.env:MLOPS_NOT_SET}/x.csv")
    assert found.startswith(
        "command line: data.path: the environment variable MLOPS_NOT_SET is not set (export MLOPS_NOT_SET=…"
    )


def test_the_environment_cannot_name_a_source(load: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLOPS_TEST_SECRET", "os.system")
    with pytest.raises(ConfigError):
        load("data._target_=${oc.env:MLOPS_TEST_SECRET}")
