"""Rows as JSON become the very table that prediction makes of a file; what is wrong with them is said by field."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_cli.components.tables import conform
from mlops_cli.errors import DataError
from mlops_cli.records import Column, Dates, Kind
from mlops_cli.web.serving.frames import frame, plain
from mlops_cli.web.serving.limits import Refused
from mlops_cli.web.serving.rows import RowForm, Taken

whole = st.integers(-(2**40), 2**40)
real = st.floats(allow_nan=False, allow_infinity=False, width=64)
dates = st.datetimes(pd.Timestamp("1700-01-01"), pd.Timestamp("2200-01-01")).map(lambda d: d.replace(microsecond=0))
words = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8)
KINDS = {
    "float": (Column("c", "float64", Kind.NUMERIC), st.one_of(real, whole)),
    "float32": (Column("c", "float32", Kind.NUMERIC), st.floats(-(2.0**60), 2.0**60, width=32)),
    "int": (Column("c", "int64", Kind.NUMERIC), whole),
    "int or float": (Column("c", "int64", Kind.NUMERIC), st.one_of(whole, st.floats(-1e6, 1e6))),
    "int8": (Column("c", "int8", Kind.NUMERIC), st.integers(-300, 300)),
    "bool": (Column("c", "bool", Kind.BOOLEAN), st.booleans()),
    "truth": (Column("c", "float64", Kind.BOOLEAN), st.booleans()),
    "category of text": (Column("c", "str", Kind.CATEGORICAL), words),
    "text": (Column("c", "str", Kind.TEXT), words),
    "pandas category": (Column("c", "category", Kind.CATEGORICAL, categories="str"), words),
    "category of numbers": (Column("c", "category", Kind.CATEGORICAL, categories="int64"), whole),
    "date": (
        Column("c", "datetime64[us]", Kind.DATETIME, dates=Dates(None, False)),
        dates.map(lambda d: d.isoformat()),
    ),
    "day": (Column("c", "datetime64[ns]", Kind.DATETIME, dates=Dates(True, False)), dates.map(lambda d: str(d.date()))),
    "zoned date": (
        Column("c", "datetime64[us]", Kind.DATETIME, dates=Dates(None, True)),
        st.tuples(dates, st.sampled_from(["", "Z", "+02:00"])).map(lambda d: d[0].isoformat() + d[1]),
    ),
}


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
@settings(max_examples=25)
def test_the_quick_way_into_a_table_gives_what_the_careful_way_gives(kind, data):
    column, values = KINDS[kind]
    given_values = data.draw(st.lists(st.one_of(values, st.none()), min_size=1, max_size=5))
    rows = RowForm((Taken(column),)).read(json.dumps([{"c": v} for v in given_values]).encode())
    carefully = conform(plain({"c": [row["c"] for row in rows]}, [column]), [column])
    pd.testing.assert_frame_equal(frame(rows, [column], {}), carefully, check_exact=True)


@given(values=st.lists(st.sampled_from(["1,5", "2,25", None]), min_size=1, max_size=4))
def test_a_word_of_the_config_is_followed_as_in_training(values):
    columns = (Column("a", "float64", Kind.NUMERIC), Column("b", "category", Kind.CATEGORICAL, categories="str"))
    rows = [{"a": 1.5, "b": value} for value in values]
    dtypes = {"b": "categorical"}
    carefully = conform(plain({n: [r[n] for r in rows] for n in "ab"}, columns), columns, dtypes)
    pd.testing.assert_frame_equal(frame(rows, columns, dtypes), carefully)


@pytest.mark.filterwarnings("ignore:overflow")
def test_a_number_beyond_what_its_column_can_hold_is_refused_as_in_prediction():
    column = Column("c", "float32", Kind.NUMERIC)
    with pytest.raises(DataError, match="infinite values"):
        frame([{"c": 1e300}], [column], {})


FORM = RowForm(
    (
        Taken(Column("the age", "float64", Kind.NUMERIC), nullable=False),
        Taken(Column("class", "str", Kind.CATEGORICAL), allowed=("first", "second")),
        Taken(Column("alone", "bool", Kind.BOOLEAN)),
        Taken(Column("since", "datetime64[us]", Kind.DATETIME, dates=Dates(None, False))),
    ),
    id="key",
    most=3,
)
FINE = {"the age": 3, "class": "first", "alone": None, "since": "2024-02-29", "more": [1]}


def test_white_space_before_a_list_does_not_make_a_row_of_it():
    assert len(FORM.read(b"\n " * 200 + json.dumps([FINE, FINE]).encode())) == 2


def test_a_row_is_read_without_what_the_model_does_not_know():
    assert FORM.read(json.dumps(FINE).encode()) == [{k: v for k, v in FINE.items() if k != "more"}]
    assert FORM.read(json.dumps([FINE, {**FINE, "key": 7}]).encode())[1]["key"] == 7


@pytest.mark.parametrize(
    ("change", "field", "expected"),
    [
        ({"the age": "3"}, "the age", "a number is expected"),
        ({"the age": None}, "the age", "a number is expected"),
        ({"the age": True}, "the age", "a number is expected"),
        ({"class": "third"}, "class", "one of first, second or null is expected"),
        ({"alone": 1}, "alone", "true or false or null is expected"),
        ({"alone": "yes"}, "alone", "true or false or null is expected"),
        ({"since": "2023-02-29"}, "since", "a date such as"),
        ({"since": "29/02/2024"}, "since", "a date such as"),
        ({"since": "2024-02-29T10:00:00+02:00"}, "since", "a date such as"),
        ({"since": "2024-02-29\n"}, "since", "a date such as"),
        ({"since": 20240229}, "since", "a date such as"),
        ({"key": {"a": 1}}, "key", "a text, a number or null is expected"),
    ],
)
def test_the_field_that_is_wrong_is_named(change, field, expected):
    with pytest.raises(Refused) as caught:
        FORM.read(json.dumps([FINE, {**FINE, **change}]).encode())
    (fault,) = caught.value.faults
    assert (caught.value.status, fault.row, fault.field) == (422, 1, field)
    assert fault.message.startswith(expected)


def test_a_field_that_is_called_otherwise_is_told_with_the_name_that_the_row_has():
    wrong = {"THE AGE": 3, "klass": "first", **{k: v for k, v in FINE.items() if k not in {"the age", "class"}}}
    for body in (wrong, [FINE, wrong]):
        with pytest.raises(Refused) as caught:
            FORM.read(json.dumps(body).encode())
        age, kind = caught.value.faults
        assert age.message == "is missing (did you mean 'THE AGE'?); a number is expected"
        assert kind.message.startswith("is missing (did you mean 'klass'?); one of")


def test_what_a_row_has_too_much_is_not_all_compared():
    """Whoever asks could else keep the server busy with names alone."""
    many = {f"{place:06d}": 0 for place in range(100_000)} | {"x" * 1000: 0, "klass": "first"}
    with pytest.raises(Refused) as caught:
        FORM.read(json.dumps(many).encode())
    assert len(caught.value.faults) == 4
    assert all(fault.message.startswith("is missing; ") for fault in caught.value.faults)


def test_a_field_that_is_missing_is_named():
    with pytest.raises(Refused) as caught:
        FORM.read(json.dumps({k: v for k, v in FINE.items() if k != "class"}).encode())
    assert caught.value.message == "row 0, 'class': is missing; one of first, second or null is expected"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "the body is no JSON"),
        (b"{", "the body is no JSON"),
        (b"\xff\xfe", "the body is no JSON"),
        (b'{"the age": NaN}', "row 0"),
        (b"[" * 100_000, "the body is no JSON"),
        (b'{"a":' * 100_000, "the body is no JSON"),
        (b"3", "an object with a value for each column"),
        (b"[[]]", "row 0: a row is an object"),
        (b"[]", "1 to 3"),
        (b"[" + b",".join([json.dumps(FINE).encode()] * 4) + b"]", "1 to 3"),
        (json.dumps({**FINE, "the age": 0}).replace(" 0", " 1e999").encode(), "'the age'"),
        (json.dumps({**FINE, "the age": 0}).replace(" 0", " 1" + "0" * 4000).encode(), "'the age'"),
    ],
)
def test_a_body_that_is_none_is_refused_in_one_line(body, message):
    with pytest.raises(Refused) as caught:
        FORM.read(body)
    assert caught.value.status == 422
    assert message in caught.value.message
    assert "\n" not in caught.value.message
    assert len(caught.value.message) < 400


def test_the_first_wrong_row_is_all_that_is_told():
    many = RowForm(FORM.columns, most=10_000)
    with pytest.raises(Refused) as caught:
        many.read(json.dumps([{}] * 10_000).encode())
    assert {fault.row for fault in caught.value.faults} == {0}
