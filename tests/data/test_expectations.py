"""``data.expect`` declares what a table must satisfy; a breach names the rule, how many rows, and the first."""

import pandas as pd
import pytest

from mlops_cli.analysis.expect import check_expect
from mlops_cli.errors import ConfigError, DataError

TABLE = pd.DataFrame(
    {
        "age": [30.0, None, 121.0, -1.0],
        "sex": ["m", "f", "f", "x"],
        "code": ["A1", "A2", "B3", "A1"],
        "day": pd.to_datetime(["2020-01-01", "2021-01-01", "2022-01-01", "2023-01-01"]),
        "flag": [True, False, True, False],
    }
)


def rule(name, **rules) -> None:
    check_expect(TABLE, {"columns": {name: rules}})


def test_what_holds_passes():
    rule("age", type="numeric", min=-1, max=121, missing=0.25)
    rule("sex", type="categorical", allowed=["m", "f", "x"], missing=0)
    rule("code", pattern="[AB][0-9]", unique=False)
    rule("day", type="datetime", min="2020-01-01", unique=True)
    rule("flag", type="boolean")
    check_expect(TABLE, {"rows": {"min": 4, "max": 4}})
    check_expect(TABLE, {})


@pytest.mark.parametrize(
    ("column", "rules", "says"),
    [
        ("age", {"max": 120}, r"data\.expect\.columns\.age\.max: 1 of 4 rows break it: .*above 120 \(row 3: '121.0'\)"),
        ("age", {"min": 0}, r"below 0 \(row 4: '-1.0'\)"),
        ("age", {"missing": 0.2}, r"missing \(a share of 0.25, allowed 0.2\) \(row 2\)"),
        ("age", {"type": "text"}, "text expected, float64 found"),
        ("sex", {"type": "numeric"}, "numeric expected"),
        ("sex", {"allowed": ["m", "f"]}, r"none of \['m', 'f'\] \(row 4: 'x'\)"),
        ("sex", {"min": 3}, "numbers or dates expected"),
        ("code", {"unique": True}, r"repeats an earlier value \(row 4: 'A1'\)"),
        ("code", {"pattern": "A[0-9]"}, r"does not match 'A\[0-9\]' \(row 3: 'B3'\)"),
        ("day", {"max": "2022-06-01"}, r"above 2022-06-01 \(row 4"),
        ("agee", {"min": 0}, "no such column .*did you mean 'age'"),
    ],
)
def test_a_breach_names_rule_count_and_rows(column, rules, says):
    with pytest.raises(DataError, match=says):
        rule(column, **rules)


def test_too_few_or_many_rows_are_a_breach():
    with pytest.raises(DataError, match=r"data\.expect\.rows\.min: 100 rows expected, 4 found"):
        check_expect(TABLE, {"rows": {"min": 100}})
    with pytest.raises(DataError, match=r"data\.expect\.rows\.max: 3 rows expected, 4 found"):
        check_expect(TABLE, {"rows": {"max": 3}})


@pytest.mark.parametrize(
    ("expect", "says"),
    [
        ({"colums": {}}, r"data\.expect: unknown rule 'colums' .*did you mean 'columns'"),
        ({"columns": {"age": {"maximum": 3}}}, r"data\.expect\.columns\.age: unknown rule 'maximum'"),
        ({"rows": {"mim": 3}}, r"data\.expect\.rows: unknown rule 'mim' .*did you mean 'min'"),
        ({"columns": {"age": {"min": "x"}}}, "must be a number"),
        ({"columns": {"age": {"missing": 20}}}, "share from 0 to 1"),
        ({"columns": {"age": {"type": "numerical"}}}, "unknown type 'numerical' .*did you mean 'numeric'"),
        ({"columns": {"age": {"unique": "yes"}}}, "true or false"),
        ({"columns": {"sex": {"allowed": "m"}}}, "list of values"),
        ({"columns": {"sex": {"pattern": "("}}}, "no regular expression"),
        ({"columns": {"day": {"min": "soon"}}}, "must be a date"),
        ({"columns": {"age": 3}}, "must be a mapping"),
        ({"columns": ["age"]}, "must be a mapping"),
    ],
)
def test_a_rule_written_wrongly_is_named(expect, says):
    with pytest.raises(ConfigError, match=says):
        check_expect(TABLE, expect)
