"""Samplers: each keeps to the contract, on each kind of space, and says what is wrong in one line."""

import math
import os
import subprocess
import sys
import warnings
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_cli.components.samplers import make_sampler
from mlops_cli.contracts import Sampler
from mlops_cli.errors import ConfigError, MissingExtraError, TrustError
from mlops_cli.records import ComponentSpec, Dimension, DimensionKind, Direction, SamplerSpec, SweepSpec, TrialState
from mlops_cli.testing import check_sampler

# ruff: noqa: E501 - in the tables below a case is a line

CHOICE, INTERVAL = DimensionKind.CHOICE, DimensionKind.INTERVAL
C = Dimension("model.C", CHOICE, (0.1, 1, 10))
KERNEL = Dimension("model.kernel", CHOICE, ("rbf", None))
ODD = Dimension("model.weights", CHOICE, (None, "balanced", {0: 1, 1: [2.5]}, [1, "a"], True, 1))
WIDE = Dimension("model.C", INTERVAL, low=1e-3, high=1e3, log=True)
SHARE = Dimension("model.share", INTERVAL, low=0.0, high=1.0)
COUNT = Dimension("model.n", INTERVAL, low=2, high=5, integer=True)
DEEP = Dimension("model.depth", INTERVAL, low=1, high=10**6, integer=True, log=True)
SVM = Dimension("model", CHOICE, ("svm",), is_group=True)
FOREST = Dimension("model", CHOICE, ("forest",), is_group=True)

SPACES = {
    "choices": ((C, KERNEL),),
    "any values": ((ODD, KERNEL),),
    "intervals": ((WIDE, SHARE, COUNT),),
    "mixed": ((WIDE, KERNEL, ODD),),
    "one interval": ((SHARE,),),
    "one value": ((SVM,),),
    "union": ((SVM, WIDE, KERNEL), (FOREST, COUNT, DEEP)),
    "union with other choices of a key": ((SVM, C), (FOREST, Dimension("model.C", CHOICE, (5,)))),
    "union that overlaps": ((C,), (Dimension("model.C", CHOICE, (10, 1, 5)),)),
}
NSGA = SamplerSpec("custom", {"population_size": 5}, "optuna.samplers.NSGAIISampler")
SAMPLERS = {
    "random": SamplerSpec("random"),
    "tpe": SamplerSpec("tpe"),
    "tpe in groups": SamplerSpec("tpe", {"multivariate": True, "group": True}),
    "cmaes": SamplerSpec("cmaes"),
    "qmc": SamplerSpec("qmc"),
    "halton": SamplerSpec("qmc", {"qmc_type": "halton", "scramble": False}),
    "nsga": NSGA,
}
BLIND = {"random", "qmc", "halton"}


def sampler_of(name: str, space: str = "intervals", trials: int | None = 30, **given: Any) -> Sampler:
    spec = SAMPLERS.get(name, SamplerSpec(name))
    return make_sampler(SweepSpec(spec, trials, SPACES[space]), **{"seed": 1, **given})


def points_of(sampler: Sampler, score: Callable[[Any], float] = lambda _: 0.0) -> list[Any]:
    """Return all points, each told before the next is asked for."""
    points: list[Any] = []
    while (point := sampler.ask()) is not None:
        points.append(point)
        sampler.tell(len(points) - 1, TrialState.COMPLETED, [score(point)])
    return points


# --- the contract --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("space", ["choices", "any values", "one value", "union with other choices of a key"])
def test_a_grid_keeps_to_the_contract(space: str) -> None:
    check_sampler(lambda: sampler_of("grid", space, None))


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("name", SAMPLERS)
def test_a_sampler_keeps_to_the_contract(name: str, space: str) -> None:
    check_sampler(lambda: sampler_of(name, space))


@pytest.mark.parametrize("space", ["mixed", "union"])
def test_gaussian_processes_keep_to_the_contract(space: str) -> None:
    pytest.importorskip("torch")
    check_sampler(lambda: sampler_of("gp", space, 16))


def test_a_sampler_that_would_stop_by_itself_keeps_to_the_contract() -> None:
    check_sampler(
        lambda: make_sampler(
            SweepSpec(SamplerSpec("custom", {}, "optuna.samplers.BruteForceSampler"), 30, SPACES["choices"]), seed=1
        )
    )


@pytest.mark.parametrize("name", ["grid", "random", "tpe", "qmc", "nsga"])
def test_a_sampler_of_several_objectives_keeps_to_the_contract(name: str) -> None:
    directions = [Direction.MAXIMIZE, Direction.MINIMIZE]
    trials = None if name == "grid" else 30
    check_sampler(lambda: sampler_of(name, "choices", trials, directions=directions), objectives=2)


@pytest.mark.parametrize("name", ["grid", *SAMPLERS])
def test_a_sampler_under_a_constraint_keeps_to_the_contract(name: str) -> None:
    def feasible(point: Any) -> bool:
        return bool(point["model.kernel"] is None or point["model.C"] < 5)

    trials = None if name == "grid" else 30
    check_sampler(lambda: sampler_of(name, "choices", trials, feasible=feasible))
    assert all(feasible(point) for point in points_of(sampler_of(name, "choices", trials, feasible=feasible)))


@pytest.mark.parametrize("name", SAMPLERS)
def test_another_seed_gives_other_points(name: str) -> None:
    assert points_of(sampler_of(name, "mixed", seed=1)) != points_of(sampler_of(name, "mixed", seed=2))


def test_points_do_not_depend_on_the_hashes_of_a_process(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "from mlops_cli.components.samplers import make_sampler\n"
        "from mlops_cli.records import *\n"
        "I = DimensionKind.INTERVAL\n"
        "space = (tuple(Dimension(f'model.{k}', I, low=0.0, high=1.0) for k in 'abcdef'),)\n"
        "for name in ('tpe', 'cmaes', 'qmc'):\n"
        "    sampler = make_sampler(SweepSpec(SamplerSpec(name), 25, space), seed=1)\n"
        "    for number in range(25):\n"
        "        point = sampler.ask()\n"
        "        print(sorted(point.items()))\n"
        "        sampler.tell(number, TrialState.COMPLETED, [point['model.a']])\n"
    )
    said = [
        subprocess.run(
            [sys.executable, str(script)], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2")
    ]
    assert said[0] == said[1]


@pytest.mark.parametrize("name", SAMPLERS)
def test_nothing_is_logged_or_warned_of(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        points_of(sampler_of(name, "union"))
    assert [str(w.message) for w in caught] == []
    assert capfd.readouterr() == ("", "")


def test_the_users_own_level_of_logging_comes_back() -> None:
    from optuna import logging

    before = logging.get_verbosity()
    points_of(sampler_of("tpe"))
    assert logging.get_verbosity() == before


# --- what is given -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SAMPLERS)
def test_points_lie_in_the_space_and_keep_their_types(name: str) -> None:
    for point in points_of(sampler_of(name, "union")):
        if point["model"] == "svm":
            assert list(point) == ["model", "model.C", "model.kernel"]
            assert 1e-3 <= point["model.C"] <= 1e3
            assert type(point["model.C"]) is float
            assert point["model.kernel"] in {"rbf", None}
        else:
            assert list(point) == ["model", "model.n", "model.depth"]
            assert {type(point["model.n"]), type(point["model.depth"])} == {int}
            assert 2 <= point["model.n"] <= 5
            assert 1 <= point["model.depth"] <= 10**6


@pytest.mark.parametrize("name", SAMPLERS)
def test_both_parts_of_a_union_are_tried(name: str) -> None:
    assert {point["model"] for point in points_of(sampler_of(name, "union"))} == {"svm", "forest"}


@pytest.mark.parametrize("name", ["grid", *SAMPLERS])
def test_a_choice_may_be_any_value(name: str) -> None:
    trials = None if name == "grid" else 100
    found = [repr(point["model.weights"]) for point in points_of(sampler_of(name, "any values", trials))]
    assert {*found} == {repr(choice) for choice in ODD.choices}


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_small_space_is_given_to_its_end_each_point_once(name: str) -> None:
    sampler = sampler_of(name, "choices", 100)
    assert sampler.size == 6
    expected = {(c, k) for c, k in product(C.choices, KERNEL.choices)}
    points = points_of(sampler)
    assert len(points) == 6
    assert {tuple(point.values()) for point in points} == expected


@pytest.mark.parametrize("name", SAMPLERS)
def test_as_many_points_as_trials_are_given_though_the_sampler_repeats_itself(name: str) -> None:
    space = (
        (Dimension("model.a", CHOICE, tuple(range(12))), Dimension("model.b", INTERVAL, low=1, high=5, integer=True)),
    )
    sampler = make_sampler(SweepSpec(SAMPLERS[name], 50, space), seed=1)
    assert sampler.size == 50
    assert len(points_of(sampler, lambda point: -abs(point["model.a"] - 3))) == 50


def test_a_wide_range_of_whole_numbers_is_not_listed() -> None:
    space = ((Dimension("model.n", INTERVAL, low=1, high=10**15, integer=True),),)
    sampler = make_sampler(
        SweepSpec(SamplerSpec("random"), 20, space), feasible=lambda point: point["model.n"] < 10**13
    )
    assert 0 < len(points_of(sampler)) <= 20


def test_a_log_interval_is_drawn_by_its_orders_of_magnitude() -> None:
    space = ((WIDE,),)
    draws = [p["model.C"] for p in points_of(make_sampler(SweepSpec(SamplerSpec("random"), 400, space)))]
    assert 0.4 < sum(d < 1 for d in draws) / len(draws) < 0.6


# --- the grid ------------------------------------------------------------------------------------------------------


def test_nothing_swept_is_one_empty_point() -> None:
    for sweep in (SweepSpec(), SweepSpec(SamplerSpec("tpe"), 20), SweepSpec(subspaces=((),))):
        sampler = make_sampler(sweep)
        assert sampler.size == 1
        assert points_of(sampler) == [{}]


def test_a_grid_is_the_product_in_order() -> None:
    found = points_of(sampler_of("grid", "choices", None))
    assert found[:3] == [
        {"model.C": 0.1, "model.kernel": "rbf"},
        {"model.C": 0.1, "model.kernel": None},
        {"model.C": 1, "model.kernel": "rbf"},
    ]
    assert len(found) == 6


def test_a_union_adds_up_and_what_is_common_comes_once() -> None:
    assert [p["model.C"] for p in points_of(sampler_of("grid", "union that overlaps", None))] == [0.1, 1, 10, 5]


def test_true_and_one_are_different_points() -> None:
    both = Dimension("model.x", CHOICE, (1, True, 1.0))
    assert len(points_of(make_sampler(SweepSpec(subspaces=((both,),))))) == 3


def test_a_grid_lists_nothing_before_it_is_asked_for() -> None:
    space = (tuple(Dimension(f"model.{key}", CHOICE, tuple(range(1000))) for key in "abcdef"),)
    sampler = make_sampler(SweepSpec(subspaces=space))
    assert sampler.size == 1000**6
    assert sampler.ask() == dict.fromkeys((f"model.{key}" for key in "abcdef"), 0)


def test_a_grid_refuses_an_interval_and_says_which_sampler_takes_it() -> None:
    with pytest.raises(ConfigError, match=r"model.C: .*sweep.sampler=random sweep.trials=20"):
        make_sampler(SweepSpec(subspaces=((WIDE,),)))


CHOICES = st.lists(st.sampled_from([1, 2, True, "a", None, 1.0]), min_size=1, max_size=4, unique_by=repr)
SUBSPACE = st.dictionaries(st.sampled_from(["model.a", "model.b", "seed"]), CHOICES, min_size=1, max_size=3)


@settings(max_examples=200, deadline=None)
@given(st.lists(SUBSPACE, min_size=1, max_size=5))
def test_the_size_of_any_union_is_the_number_of_its_distinct_points(spaces: list[dict[str, list[Any]]]) -> None:
    subspaces = tuple(tuple(Dimension(k, CHOICE, tuple(v)) for k, v in space.items()) for space in spaces)
    every = {
        repr(sorted(zip(space, values, strict=True), key=lambda pair: pair[0]))
        for space in spaces
        for values in product(*space.values())
    }
    for spec, trials in ((SamplerSpec("grid"), None), (SamplerSpec("random"), 1000)):
        sampler = make_sampler(SweepSpec(spec, trials, subspaces))
        found = [repr(sorted(point.items())) for point in points_of(sampler)]
        assert len(found) == len(set(found)) == len(every) == sampler.size
        assert set(found) == every


# --- learning ------------------------------------------------------------------------------------------------------


def hill(point: Any) -> float:
    return -((math.log10(point["model.C"]) - 2) ** 2) - (point["model.share"] - 0.8) ** 2 * 4


def best_of(points: list[Any]) -> float:
    return max(map(hill, points))


@pytest.mark.parametrize("name", ["tpe", "cmaes"])
def test_a_sampler_that_learns_does_better_than_chance(name: str) -> None:
    def last(name: str, seed: int) -> float:
        points = points_of(sampler_of(name, "intervals", 80, seed=seed), hill)
        return sum(map(hill, points[40:])) / 40

    assert sum(last(name, seed) for seed in range(3)) > sum(last("random", seed) for seed in range(3)) + 1


@pytest.mark.parametrize("name", sorted(BLIND))
def test_a_sampler_that_learns_nothing_gives_the_same_points_whatever_it_is_told(name: str) -> None:
    untold = sampler_of(name, "union")
    assert list(iter(untold.ask, None)) == points_of(sampler_of(name, "union"), lambda _: 1.0)


def test_the_good_end_of_an_objective_is_known() -> None:
    up = points_of(sampler_of("tpe", "intervals", 60), hill)
    down = points_of(sampler_of("tpe", "intervals", 60, directions=[Direction.MINIMIZE]), lambda p: -hill(p))
    assert up == down


def test_a_pruned_trial_teaches_more_than_a_failed_one() -> None:
    def after(state: TrialState) -> list[Any]:
        sampler = sampler_of("tpe", "intervals", 40)
        points: list[Any] = []
        while (point := sampler.ask()) is not None:
            points.append(point)
            ended = state if len(points) % 2 else TrialState.COMPLETED
            sampler.tell(len(points) - 1, ended, [hill(point)])
        return points

    assert after(TrialState.PRUNED) != after(TrialState.FAILED) == after(TrialState.LOST)


def test_scores_that_are_no_numbers_are_taken_as_failures() -> None:
    def told(values: list[float] | None, state: TrialState) -> list[Any]:
        sampler = sampler_of("tpe", "intervals", 30)
        return [sampler.ask() for number in range(30) if sampler.tell(number - 1, state, values) is None]

    assert (
        told([math.nan], TrialState.COMPLETED) == told([math.inf], TrialState.PRUNED) == told(None, TrialState.FAILED)
    )


# --- earlier trials ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["tpe", "cmaes"])
def test_a_warm_start_begins_near_what_was_good(name: str) -> None:
    earlier = [(point, [hill(point)]) for point in points_of(sampler_of("random", "intervals", 200, seed=9))]
    cold = points_of(sampler_of(name, "intervals", 10), hill)
    warm = points_of(sampler_of(name, "intervals", 10, earlier=earlier), hill)
    assert sum(map(hill, warm)) > sum(map(hill, cold)) + 5


def test_earlier_trials_that_do_not_fit_the_space_are_left_out() -> None:
    good = {"model": "svm", "model.C": 1.0, "model.kernel": None}
    strange = [
        {"model": "svm", "model.C": 1.0},
        {**good, "model.C": 1e9},
        {**good, "model.kernel": "linear"},
        {**good, "model": "knn"},
        {**good, "extra": 1},
        {"model": "forest", "model.n": 2.5, "model.depth": 3},
        {"model": "forest", "model.n": True, "model.depth": 3},
        {},
    ]
    bad = [(point, [0.5]) for point in strange] + [(good, [math.nan]), (good, [0.5, 0.5]), (good, [])]
    plain = points_of(sampler_of("tpe", "union", 40), len)
    assert points_of(sampler_of("tpe", "union", 40, earlier=bad), len) == plain
    fits = [(good, [0.5]), ({"model": "forest", "model.n": 2, "model.depth": 3}, [0.5])] * 10
    assert points_of(sampler_of("tpe", "union", 40, earlier=fits), len) != plain


def test_a_few_earlier_trials_are_enough_for_every_sampler() -> None:
    earlier = [({"model.C": 1.0, "model.share": 0.5, "model.n": 3}, [0.5])]
    for name in SAMPLERS:
        assert len(points_of(sampler_of(name, "intervals", 10, earlier=earlier))) == 10


# --- constraints ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["grid", *SAMPLERS])
def test_a_constraint_that_allows_nothing_is_an_error(name: str) -> None:
    sampler = sampler_of(name, "choices", None if name == "grid" else 10, feasible=lambda _: False)
    with pytest.raises(ConfigError, match=r"^sweep.constraint: no point of the space was found that it allows"):
        sampler.ask()


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_tight_constraint_leaves_as_many_trials_as_there_are_points(name: str) -> None:
    def feasible(point: Any) -> bool:
        return bool(0.5 < point["model.share"] < 0.52)

    sampler = sampler_of(name, "one interval", 15, feasible=feasible)
    assert sampler.size is None
    points = points_of(sampler)
    assert len(points) == 15
    assert all(map(feasible, points))


# --- errors --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (SamplerSpec("tpe", {"multivariat": True}), "sweep.sampler.multivariat: TPESampler has no parameter 'multivariat' (did you mean 'multivariate'?"),
        (SamplerSpec("tpe", {"n_startup_trials": "many"}), "sweep.sampler: "),
        (SamplerSpec("qmc", {"qmc_type": "nope"}), "sweep.sampler: optuna.samplers.QMCSampler cannot be built: ValueError: "),
        (SamplerSpec("custom", {}, "optuna.samplers.NoSuchSampler"), "sweep.sampler._target_: optuna.samplers has no NoSuchSampler"),
        (SamplerSpec("custom", {}, "optuna.samplers.nsgaii.UniformCrossover"), "sweep.sampler._target_: optuna.samplers.nsgaii.UniformCrossover is no sampler of Optuna's"),
        (SamplerSpec("custom", {}, "optuna.samplers.intersection_search_space"), "sweep.sampler._target_: "),
        (SamplerSpec("custom", {}, "sklearn.linear_model.Ridge"), "sweep.sampler._target_: sklearn.linear_model.Ridge is not a sampler: it does not have the methods of a sampler of Optuna"),
    ],
)  # fmt: skip
def test_a_wrong_sampler_is_one_line(spec: SamplerSpec, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        points_of(make_sampler(SweepSpec(spec, 20, SPACES["intervals"])))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["os.system", "optuna.study.create_study", "optuna.artifacts.FileSystemArtifactStore"])
def test_what_is_not_a_sampler_is_not_even_imported(name: str) -> None:
    with pytest.raises(TrustError, match=r"sweep.sampler._target_: .*is not trusted"):
        make_sampler(SweepSpec(SamplerSpec("custom", {}, name), 3, SPACES["intervals"]))


def test_optuna_is_trusted_for_samplers_alone() -> None:
    from mlops_cli.components.targets import Role, resolve

    for role in Role:
        if role is not Role.SAMPLER:
            with pytest.raises(TrustError):
                resolve("optuna.samplers.TPESampler", role)


def test_what_a_sampler_is_made_of_may_be_named_inside_it_and_is_seeded() -> None:
    inner = ComponentSpec("optuna.samplers.nsgaii.UniformCrossover", {"swapping_prob": 0.3})
    other = ComponentSpec("optuna.samplers.RandomSampler")
    for params, target in (({"crossover": inner}, "NSGAIISampler"), ({"independent_sampler": other}, "CmaEsSampler")):
        spec = SamplerSpec("custom", params, f"optuna.samplers.{target}")
        check_sampler(lambda spec=spec: make_sampler(SweepSpec(spec, 20, SPACES["mixed"]), seed=1))  # type: ignore[misc]


def test_a_sampler_of_the_users_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_samplers.py").write_text(
        "from optuna.samplers import RandomSampler\n\nclass Mine(RandomSampler):\n    pass\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    sweep = SweepSpec(SamplerSpec("custom", {}, "own_samplers.Mine"), 10, SPACES["union"])
    check_sampler(lambda: make_sampler(sweep, seed=1, trust=["own_samplers"]))
    with pytest.raises(TrustError, match="own_samplers is not trusted"):
        make_sampler(sweep, seed=1)


def test_a_missing_package_is_named_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    find = importlib.util.find_spec
    for name, missing, extra in (("tpe", "optuna", "optuna"), ("cmaes", "cmaes", "optuna"), ("gp", "torch", "gp")):
        monkeypatch.setattr(importlib.util, "find_spec", lambda n, m=missing: None if n == m else find("os"))
        with pytest.raises(MissingExtraError) as caught:
            sampler_of(name)
        assert str(caught.value) == (
            f'sweep.sampler={name} needs the package {missing}, which is not installed (pip install "mlops-cli[{extra}]")'
        )


# --- the suite itself ----------------------------------------------------------------------------------------------


class Faulty:
    """A sampler with one fault of each kind."""

    size: int | None = None

    def __init__(self, fault: str) -> None:
        self.fault, self.asked, self.told = fault, 0, 0
        if fault == "size":
            self.size = 7

    def ask(self) -> dict[str, Any] | None:
        self.asked += 1
        if self.asked == 21 or (self.asked > 21 and self.fault != "end"):
            return None
        if self.fault == "twice":
            return {"model.C": self.asked % 10}
        return {"model.C": self.asked}

    def tell(self, number: int, state: TrialState, values: Any) -> None:
        if self.fault == "state" and state is TrialState.LOST:
            raise ValueError(state)


@pytest.mark.parametrize("fault", ["size", "twice", "end"])
def test_the_suite_finds_a_fault(fault: str) -> None:
    with pytest.raises(AssertionError):
        check_sampler(lambda: Faulty(fault))


def test_the_suite_finds_a_sampler_that_refuses_what_was_lost() -> None:
    with pytest.raises(ValueError, match="lost"):
        check_sampler(lambda: Faulty("state"))


def test_the_suite_finds_a_sampler_that_is_not_the_same_again() -> None:
    made: list[Faulty] = []

    def make() -> Faulty:
        made.append(Faulty(""))
        made[-1].asked = len(made) % 2
        return made[-1]

    with pytest.raises(AssertionError):
        check_sampler(make)
