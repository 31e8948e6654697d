"""Spaces become points: every combination once, or draws that follow the seed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_cli.errors import ConfigError
from mlops_cli.planning.fingerprint import combined, fingerprint
from mlops_cli.planning.space import points
from mlops_cli.records import Dimension, DimensionKind, SweepSpec

C = Dimension("model.C", DimensionKind.CHOICE, (0.1, 1, 10))
KERNEL = Dimension("model.kernel", DimensionKind.CHOICE, ("rbf", None))
WIDE = Dimension("model.C", DimensionKind.INTERVAL, low=1e-3, high=1e3, log=True)
COUNT = Dimension("model.n", DimensionKind.INTERVAL, low=2, high=5, integer=True)


def test_nothing_swept_is_one_empty_point():
    assert points(SweepSpec(), 0) == [{}]


def test_a_grid_is_the_product_in_order():
    found = points(SweepSpec(subspaces=((C, KERNEL),)), 0)
    assert found[:3] == [
        {"model.C": 0.1, "model.kernel": "rbf"},
        {"model.C": 0.1, "model.kernel": None},
        {"model.C": 1, "model.kernel": "rbf"},
    ]
    assert len(found) == 6


def test_a_union_adds_up_and_what_is_common_comes_once():
    one = Dimension("model.C", DimensionKind.CHOICE, (1, 5))
    assert [p["model.C"] for p in points(SweepSpec(subspaces=((C,), (one,))), 0)] == [0.1, 1, 10, 5]


def test_true_and_one_are_different_points():
    both = Dimension("model.x", DimensionKind.CHOICE, (1, True))
    assert len(points(SweepSpec(subspaces=((both,),)), 0)) == 2


def test_a_grid_refuses_an_interval_and_says_which_sampler_takes_it():
    with pytest.raises(ConfigError, match=r"model.C: .*sweep.sampler=random sweep.trials=20"):
        points(SweepSpec(subspaces=((WIDE,),)), 0)


def test_random_draws_follow_the_seed():
    sweep = SweepSpec("random", 10, ((WIDE, COUNT),))
    assert points(sweep, 1) == points(sweep, 1)
    assert points(sweep, 1) != points(sweep, 2)
    assert len(points(sweep, 1)) == 10


def test_random_draws_stay_in_their_interval_and_keep_their_type():
    for point in points(SweepSpec("random", 200, ((WIDE, COUNT, KERNEL),)), 3):
        assert 1e-3 <= point["model.C"] <= 1e3
        assert point["model.n"] in {2, 3, 4, 5}
        assert isinstance(point["model.n"], int)
        assert point["model.kernel"] in {"rbf", None}


def test_a_log_interval_is_drawn_by_its_orders_of_magnitude():
    draws = [p["model.C"] for p in points(SweepSpec("random", 400, ((WIDE,),)), 0)]
    assert 0.4 < sum(d < 1 for d in draws) / len(draws) < 0.6


def test_a_small_space_gives_no_point_twice():
    assert len(points(SweepSpec("random", 50, ((C,),)), 0)) == 3


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), json_like, max_size=4))
def test_a_fingerprint_does_not_depend_on_the_order_of_keys(facts):
    assert fingerprint(facts) == fingerprint(dict(reversed(facts.items())))


@given(st.dictionaries(st.text(), json_like, max_size=3), st.text(min_size=1), json_like, json_like)
def test_a_fingerprint_tells_values_apart(facts, key, one, other):
    same = repr(one) == repr(other) or (one == other and type(one) is type(other) and not isinstance(one, list | dict))
    if not same and one != other:
        assert fingerprint({**facts, key: one}) != fingerprint({**facts, key: other})


def test_a_runs_fingerprint_does_not_depend_on_the_order_of_its_trials():
    assert combined(["a", "b"], {}) == combined(["b", "a"], {})
    assert combined(["a", "b"], {}) != combined(["a"], {})
