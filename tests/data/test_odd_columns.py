"""What is said of columns as they are written, and of which columns nothing is said."""

import numpy as np
import pytest

from mlops_cli.components.dataset import read_table
from mlops_cli.components.sources import CsvSource
from mlops_cli.records import ComponentSpec, DataSpec

ROWS = 200


@pytest.fixture
def said(write):
    """Return what is said when a file of one more column ``x`` is read: code → message."""

    def say(values, **roles):
        lines = [f"{i * 1.5},{value},{'ab'[i % 2]}" for i, value in enumerate(values)]
        path = write("d.csv", "\n".join(["a,x,y", *lines]) + "\n")
        spec = DataSpec(ComponentSpec(""), target="y", **roles)
        return {n.code: n.message for n in read_table(CsvSource(str(path)), spec)[1]}

    return say


@pytest.mark.parametrize("share", [0.05, 0.2, 0.45])
def test_a_word_among_numbers_is_said_however_often_it_stands_there(said, share):
    numbers = np.random.default_rng(0).integers(0, 1000, ROWS).astype(object)
    numbers[: int(share * ROWS)] = "unknown"
    message = said(numbers)["mixed-types"]
    assert f"{int(share * ROWS)} of 200 values are no numbers: 'unknown' (first in row 1)" in message
    assert "`data.read.na_values: {x: ['unknown']}`" in message


def test_codes_of_which_many_are_numbers_are_left_in_peace(said):
    tickets = [str(i * 37) if i % 3 else f"PC {i}" for i in range(ROWS)]
    assert "mixed-types" not in said(tickets)


def test_a_column_that_is_mostly_words_is_no_column_of_numbers(said):
    words = [str(i) if i % 5 == 0 else "none" for i in range(ROWS)]
    assert "mixed-types" not in said(words)


def test_values_that_differ_by_a_blank_at_the_end_are_said(said):
    message = said(["yes " if i % 9 == 0 else "yes" if i % 2 else "no" for i in range(ROWS)])["padded-values"]
    assert "differ by blanks alone, such as 'yes' and 'yes '" in message
    assert "padded-values" not in said(["yes " if i % 2 else "no" for i in range(ROWS)])


DATES = [f"2024-{1 + i % 12:02d}-{1 + i % 28:02d}" for i in range(ROWS)]


def test_dates_among_the_features_are_said(said):
    assert "dates-as-text" in said(DATES)
    assert "dates-as-text" in said(DATES, features=("a", "x"))


@pytest.mark.parametrize("roles", [{"time": "x"}, {"drop": ("x",)}, {"drop": ("x*",)}, {"features": ("a",)}])
def test_dates_that_are_no_feature_are_left_in_peace(said, roles):
    assert said(DATES, **roles) == {}


def test_dates_in_the_time_column_that_do_not_show_the_day_are_said(said):
    ambiguous = [f"{1 + i % 12:02d}/{1 + i % 11:02d}/2024" for i in range(ROWS)]
    assert "ambiguous-dates" in said(ambiguous, time="x")
