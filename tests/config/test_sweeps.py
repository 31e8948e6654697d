"""What a sweep says, on the command line and in a file."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_cli.config.overrides import parse_overrides
from mlops_cli.config.space import read_space, write_space
from mlops_cli.records import ComponentSpec, Dimension, DimensionKind

CHOICE, INTERVAL = DimensionKind.CHOICE, DimensionKind.INTERVAL


def options(group: str) -> tuple[str, ...] | None:
    return {"model": ("knn", "ridge", "svm", "svm_linear"), "split": ("auto", "kfold")}.get(group)


def dimension(text: str) -> Dimension:
    (found,) = parse_overrides([text], options).dimensions
    return found


@pytest.mark.parametrize(
    ("text", "choices"),
    [
        ("model.C=1,10", (1, 10)),
        ("model.C=1,0.5,1e-3", (1, 0.5, 0.001)),
        ("model.C=a,'b,c',null,true", ("a", "b,c", None, True)),
        ("model.C=choice(1,2)", (1, 2)),
        ("model.C=[1,2],[3]", ([1, 2], [3])),
        ("model.C={a:1},{a:2}", ({"a": 1}, {"a": 2})),
        ("model.C=range(3)", (0, 1, 2)),
        ("model.C=range(1,10,4)", (1, 5, 9)),
        ("model.C=range(3,0,-1)", (3, 2, 1)),
        ("model.C=range(0,0.45,0.15)", (0.0, 0.15, 0.3)),
        ("model.C=sort(3,1,2)", (1, 2, 3)),
        ("model.C=sort(3,1,2,reverse=true)", (3, 2, 1)),
        ("model.C=int(1.5,2.5)", (1, 2)),
        ("model.C=str(1,2)", ("1", "2")),
        ("model.C=1,2,1", (1, 2)),
        ("model.C=1,1.0,true", (1, 1.0, True)),
        ("threshold=0.3,f1", (0.3, "f1")),
        ("seed=range(3)", (0, 1, 2)),
        ("+model.new=1,2", (1, 2)),
    ],
)
def test_values_keep_their_types(text: str, choices: tuple[Any, ...]) -> None:
    found = dimension(text)
    assert (found.kind, found.is_group) == (CHOICE, False)
    assert [(type(c), c) for c in found.choices] == [(type(c), c) for c in choices]


def test_shuffle_is_the_same_each_time() -> None:
    first = dimension("model.C=shuffle(range(20))").choices
    assert sorted(first) == list(range(20))
    assert first != tuple(range(20))
    assert dimension("model.C=shuffle(range(20))").choices == first


@pytest.mark.parametrize(
    ("text", "low", "high", "integer", "log"),
    [
        ("interval(0, 1)", 0.0, 1.0, False, False),
        ("tag(log, interval(1e-3, 1e3))", 0.001, 1000.0, False, True),
        ("int(interval(1, 10))", 1.0, 10.0, True, False),
        ("tag(log, int(interval(1, 10)))", 1.0, 10.0, True, True),
    ],
)
def test_intervals(text: str, low: float, high: float, integer: bool, log: bool) -> None:
    expected = Dimension("model.C", INTERVAL, low=low, high=high, integer=integer, log=log)
    assert dimension(f"model.C={text}") == expected


@pytest.mark.parametrize(
    ("text", "choices"),
    [
        ("model=svm,ridge", ("svm", "ridge")),
        ("model=choice(svm,ridge)", ("svm", "ridge")),
        ("model=glob(svm*)", ("svm", "svm_linear")),
        ("model=glob(*,exclude=[svm*])", ("knn", "ridge")),
        ("split=auto,kfold", ("auto", "kfold")),
    ],
)
def test_options_of_a_group_are_swept_as_such(text: str, choices: tuple[str, ...]) -> None:
    assert dimension(text) == Dimension(text.partition("=")[0], CHOICE, choices, is_group=True)


@pytest.mark.parametrize(
    "text", ["model.C=3", "model.kernel='a,b'", "model.C=[1,2]", "model=svm", "~model.C", "model.C={a:1,b:2}", "name=x"]
)
def test_single_values_are_not_sweeps(text: str) -> None:
    parsed = parse_overrides([text], options)
    assert (len(parsed.fixed), parsed.dimensions) == (1, ())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("data.path=a,b", "share their data and scoring (run once for each value)"),
        ("data.read.sep=a,b", "(run once for each value)"),
        ("data.drop=a,b", "for a list write 'data.drop=[a,b]', else run once for each value"),
        ("evaluation.metrics=f1,recall", "for a list write 'evaluation.metrics=[f1,recall]'"),
        ("name=a,b", "the trials of a run share their data and scoring"),
        ("model=svm,rigde", "did you mean 'ridge'?"),
        ("model=glob(x*)", "nothing to choose from"),
        ("model.C=glob(x*)", "this is not one"),
        ("model.C=range(1,5,0)", "a step other than 0"),
        ("model.C=range(5,1)", "nothing to choose from"),
        ("model.C=range(1000000000)", "are too many"),
        ("model.C=interval(3,1)", "from a smaller to a larger"),
        ("model.C=interval(1,inf)", "from a smaller to a larger"),
        ("model.C=tag(log,interval(0,1))", "begins above 0"),
        ("model.C=tag(lgo,interval(1,2))", "did you mean 'log'?"),
        ("model.C=tag(log,choice(1,2))", "only interval() takes tag(log, …)"),
        ("model.C=interval(a,b)", "cannot be read"),
        ("~model.C=1,2", "deletes and sweeps"),
        ("sweep.space.model.C=1,2", "sweep model.C"),
        ("model@other=svm,ridge", "is not possible"),
        ("model=svm,3", "must all be names"),
        ("model.=1,2", ""),
        ("seed.=1,2", ""),
    ],
)  # fmt: skip
def test_sweeps_that_make_no_sense_are_one_line(text: str, said: str) -> None:
    from mlops_cli.errors import ConfigError

    with pytest.raises(ConfigError) as caught:
        parse_overrides([text], options)
    assert "\n" not in str(caught.value)
    assert said in str(caught.value)


def test_the_last_sweep_of_a_key_is_meant() -> None:
    parsed = parse_overrides(["model.C=1,2", "model.C=3,4"], options)
    assert [d.choices for d in parsed.dimensions] == [(3, 4)]


# --- in a file -----------------------------------------------------------------------------------------------------


def test_a_space_is_lists_or_hydras_grammar() -> None:
    ((c, kernel, model, one),) = read_space(
        {"model.C": "tag(log, interval(1e-3, 1e3))", "model.kernel": ["a,b", None], "model": "svm,ridge", "seed": 3},
        options,
    )
    assert c == Dimension("model.C", INTERVAL, low=0.001, high=1000.0, log=True)
    assert kernel.choices == ("a,b", None)
    assert (model.choices, model.is_group) == (("svm", "ridge"), True)
    assert one.choices == (3,)


def test_a_list_of_mappings_is_a_union_and_nested_keys_are_the_same_as_dotted_ones() -> None:
    space = [{"model": ["svm"], "model.C": [1, 2]}, {"model": ["ridge"]}, {"split": {"n_splits": [3]}}]
    found = read_space(space, options)
    assert [[d.key for d in subspace] for subspace in found] == [["model", "model.C"], ["model"], ["split.n_splits"]]
    assert read_space(None, options) == read_space({}, options) == read_space([], options) == ()


def test_the_command_line_settles_a_key_and_multiplies_the_rest(load: Any, write: Any) -> None:
    write(
        "space",
        """\
        defaults: [experiment, model: svm]
        data: {path: x.csv}
        sweep:
          space:
            - {model: [svm], model.C: [1, 10]}
            - {model: [ridge], model.alpha: [1, 2, 3]}
        """,
    )

    def keys(*overrides: str) -> list[list[str]]:
        return [[d.key for d in s] for s in load(*overrides, name="space").spec.sweep.subspaces]

    assert keys() == [["model", "model.C"], ["model", "model.alpha"]]
    assert keys("split=auto,kfold") == [["model", "model.C", "split"], ["model", "model.alpha", "split"]]
    assert keys("model.C=5") == [["model"], ["model", "model.alpha"]]
    assert keys("model.C=5,6") == [["model", "model.C"], ["model", "model.alpha", "model.C"]]
    assert keys("sweep.space=null") == []
    swept = load("model.C=5,6", name="space").spec.sweep.subspaces[0][1]
    assert swept.choices == (5, 6)


def test_the_base_of_a_group_sweep_is_its_first_point(load: Any) -> None:
    composition = load("model=ridge,svm", "~transforms.scale")
    assert composition.spec.trial.model.target == "sklearn.linear_model.Ridge"
    assert composition.point({}) == composition.spec.trial == composition.point({"model": "ridge"})


def test_a_model_may_be_chosen_by_the_sweep_alone(load: Any, write: Any) -> None:
    write("open", "defaults: [experiment]\ndata: {path: x}\nsweep: {space: {model: [ridge, nested]}}\n")
    write("undecided", "defaults:\n  - experiment\n  - model: ???\ndata: {path: x}\n")
    assert load(name="open").spec.trial.model.target == "sklearn.linear_model.Ridge"
    assert load("model=nested,ridge", name="undecided").spec.trial.model.target == "sklearn.ensemble.BaggingRegressor"
    assert load("model=ridge", name="undecided").spec.trial.model.target == "sklearn.linear_model.Ridge"


def test_points_are_trials(load: Any) -> None:
    composition = load(
        "model=svm,ridge", "model.C=1,10", "+transforms.scale.with_std=true,false", "seed=1,2", "threshold=0.3,f1"
    )
    point = {"model": "ridge", "model.C": 10, "transforms.scale.with_std": False, "seed": 2, "threshold": "f1"}
    trial = composition.point(point)
    assert trial.model == ComponentSpec("sklearn.linear_model.Ridge", {"alpha": 1.0, "C": 10})
    assert trial.transforms[1].component.params == {"with_std": False}
    assert (trial.seed, trial.threshold) == (2, "f1")
    assert trial.split.params["random_state"] == 2  # ${seed} is resolved at the point
    plain = composition.point_config(point)
    assert plain["seed"] == 2
    assert plain["model"] == {"_target_": "sklearn.linear_model.Ridge", "alpha": 1.0, "C": 10}
    assert set(plain) == {"model", "transforms", "target_transform", "calibration", "threshold", "split", "seed"}


def test_a_point_with_a_null_step_leaves_it_out(load: Any) -> None:
    composition = load("transforms.scale=null,{with_mean: false}")
    assert [t.name for t in composition.point({"transforms.scale": None}).transforms] == ["impute", "leave_out"]
    kept = composition.point({"transforms.scale": {"with_mean": False}}).transforms[1]
    assert (kept.component.params, kept.columns) == ({"with_mean": False}, ("numeric", "x*"))


VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-99, 99), st.floats(-9, 9), st.text("ab,c' {}[]$\\:~", max_size=8),
    st.lists(st.integers(0, 3), max_size=2),
)  # fmt: skip


@given(
    choices=st.lists(VALUES, min_size=1, max_size=5),
    low=st.floats(1e-9, 1),
    span=st.floats(1e-3, 1e9),
    log=st.booleans(),
)
def test_a_space_is_written_as_it_is_read(choices: list[Any], low: float, span: float, log: bool) -> None:
    space = read_space({"model.x": choices}, options)
    space = ((*space[0], Dimension("model.y", INTERVAL, low=low, high=low + span, log=log)),)
    assert repr(read_space(write_space(space), options)) == repr(space)
