"""Student's t in plain Python is scipy's."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mlops_cli.analysis.student import critical_value, two_sided_p

degrees = st.integers(1, 5000)


@given(st.floats(1e-3, 40), degrees)
def test_p_is_that_of_scipy(t, df):
    assert two_sided_p(t, df) == pytest.approx(2 * stats.t.sf(t, df), rel=1e-10, abs=1e-290)


@given(st.floats(1e-4, 0.999), degrees)
def test_a_critical_value_is_that_of_scipy(p, df):
    assert critical_value(p, df) == pytest.approx(stats.t.isf(p / 2, df), rel=1e-10)


@given(st.floats(allow_nan=False), degrees)
def test_p_is_a_probability_and_does_not_depend_on_the_sign(t, df):
    assert 0 <= two_sided_p(t, df) <= 1
    assert two_sided_p(t, df) == two_sided_p(-t, df)


def test_one_degree_of_freedom_is_the_cauchy_distribution():
    assert two_sided_p(1e-9, 1) == pytest.approx(1 - 2 * math.atan(1e-9) / math.pi, rel=1e-15)
    assert two_sided_p(math.inf, 1) == 0
