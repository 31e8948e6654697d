"""The same facts have the same fingerprint, whatever their order; other facts another one."""

from hypothesis import given
from hypothesis import strategies as st

from mlops_cli.planning.fingerprint import combined, fingerprint

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
