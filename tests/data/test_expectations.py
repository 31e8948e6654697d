"""``data.expect`` declares what data must satisfy; all that is broken is told: the rule, how many rows, the first."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_cli.analysis.expect import breaches_of, check_expect, count_of, sentence
from mlops_cli.analysis.suggest import suggest
from mlops_cli.components.tables import describe, normalise
from mlops_cli.errors import ConfigError, DataError, ExpectationError, TrustError, UsageError
from mlops_cli.views.expectations import as_yaml, can_be_named
from mlops_cli.workflows.data.expect import check_data, read_rules, suggest_rules
from mlops_cli.workflows.data.tables import HowRead
from mlops_cli.workflows.running.prepare import RunOptions
from mlops_cli.workflows.running.run import dry

TABLE = pd.DataFrame(
    {
        "age": [30.0, None, 121.0, -1.0],
        "sex": ["m", "f", "f", "x"],
        "code": ["A1", "A2", "B3", "A1"],
        "day": pd.to_datetime(["2020-01-01", "2021-01-01", "2022-01-01", "2023-01-01"]),
        "end": pd.to_datetime(["2020-02-01", "2021-02-01", None, "2022-01-01"]),
        "flag": [True, False, True, False],
    }
)
NOW = datetime(2023, 1, 5, tzinfo=UTC)


def rule(name, **rules) -> None:
    check_expect(TABLE, {"columns": {name: rules}})


def test_what_holds_passes():
    rule("age", type="numeric", min=-1, max=121, missing=0.25, mean={"min": 49, "max": 51}, std={"max": 70})
    rule("sex", type="categorical", allowed=["m", "f", "x"], missing=0, length=1)
    rule("code", pattern="[AB][0-9]", unique=False, length={"min": 2})
    rule("day", type="datetime", min="2020-01-01", unique=True)
    rule("flag", type="boolean")
    check_expect(TABLE, {"rows": {"min": 4, "max": 4}, "required": ["age"], "unique": ["code", "sex", "day"]})
    check_expect(TABLE, {"fresh": {"column": "day", "within": "5d"}, "compare": ["day >= 2020-01-01"]}, now=NOW)
    check_expect(TABLE, {"only": True, "required": list(TABLE), "columns": {"age": {}}})
    check_expect(TABLE, {})


@pytest.mark.parametrize(
    ("column", "rules", "says"),
    [
        (
            "age",
            {"max": 120},
            r"data\.expect\.columns\.age\.max: 1 of 4 rows \(25 %\): .*above 120 \(row 3: '121.0'\)",
        ),
        ("age", {"min": 0}, r"below 0 \(row 4: '-1.0'\)"),
        ("age", {"missing": 0.2}, r"missing \(a share of 0.25, allowed 0.2\) \(row 2\)"),
        ("age", {"type": "text"}, "text expected, float64 found"),
        ("age", {"mean": {"max": 40}}, "the mean is 50, at most 40 expected"),
        ("age", {"std": {"min": 1, "max": 2}}, "the std is 63.4114, 1 to 2 expected"),
        ("sex", {"mean": {"min": 1}}, "numbers expected to have a mean"),
        ("sex", {"type": "numeric"}, r"4 of 4 rows \(100 %\): numeric expected, str found"),
        ("sex", {"allowed": ["m", "f"]}, r"none of \['m', 'f'\] \(row 4: 'x'\)"),
        ("sex", {"min": 3}, "numbers or dates expected"),
        ("sex", {"min": "2020-01-01"}, "numbers or dates expected"),
        ("code", {"unique": True}, r"repeats an earlier value \(row 4: 'A1'\)"),
        ("code", {"pattern": "A[0-9]"}, r"does not match 'A\[0-9\]' \(row 3: 'B3'\)"),
        ("code", {"length": 3}, r"4 of 4 rows .* not of 3 characters \(row 1: 'A1'"),
        ("code", {"length": {"max": 1}}, "not of at most 1 characters"),
        ("day", {"max": "2022-06-01"}, r"above 2022-06-01 \(row 4"),
        ("agee", {"min": 0}, "no such column; did you mean 'age'"),
    ],
)
def test_a_breach_names_rule_count_and_rows(column, rules, says):
    with pytest.raises(DataError, match=says):
        rule(column, **rules)


@pytest.mark.parametrize(
    ("expect", "says"),
    [
        ({"rows": {"min": 100}}, r"data\.expect\.rows\.min: 100 rows expected, 4 found"),
        ({"rows": {"max": 3}}, r"data\.expect\.rows\.max: 3 rows expected, 4 found"),
        ({"required": ["age", "size"]}, r"required\.size: the data has no such column"),
        ({"only": True, "columns": {"age": {}}}, r"only: columns that are not expected: 'sex', 'code'"),
        ({"unique": ["sex", "flag"]}, None),
        (
            {"unique": ["code"]},
            r"unique: 1 of 4 rows \(25 %\): code together repeat an earlier row \(row 4: 'A1'\)",
        ),
        ({"unique": [["age"], ["code"]]}, "code together repeat"),
        ({"unique": ["cod"]}, "no such column; did you mean 'code'"),
        ({"compare": "end >= day"}, r"'end >= day' does not hold \(row 4: '2022-01-01 00:00:00', '2023-01-01"),
        ({"compare": ["age > 0"]}, r"'age > 0' does not hold \(row 4: '-1.0'\)"),
        ({"compare": ["age > day"]}, "do not compare"),
        ({"compare": ["age > soon"]}, "'soon' is no column, no number and no date"),
        ({"compare": ["age == soon"]}, "'soon' is no column, no number and no date"),
        ({"compare": ["age != soon"]}, "'soon' is no column, no number and no date"),
        ({"compare": ["code != 5"]}, "do not compare"),
        ({"compare": ["sex < code"]}, "text has no order; where dates are meant, data.dtypes: {sex: datetime}"),
        ({"compare": ["sex == m"]}, r"does not hold \(row 2: 'f'"),
        ({"compare": ["day <= 2022-06-01T00:00:00Z"]}, r"does not hold \(row 4: '2023-01-01 00:00:00'\)"),
        ({"fresh": {"column": "day", "within": "3d"}}, "the latest day is 2023-01-01 00:00:00"),
        ({"fresh": {"column": "sex", "within": "3d"}}, "sex"),
        ({"fresh": {"column": "when", "within": "3d"}}, "no such column"),
    ],
)
def test_rules_of_the_table(expect, says):
    if says is None:
        check_expect(TABLE, expect, now=NOW)
        return
    with pytest.raises(DataError, match=says):
        check_expect(TABLE, expect, now=NOW)


WRITTEN = pd.DataFrame(
    {
        "start": ["22/12/2018", "03/04/2019", "05/02/2019", None],
        "end": ["23/01/2019", "02/05/2019", "04/03/2019", "01/01/2019"],
        "iso": ["2018-12-22", "2019-04-03", "2019-02-05", "2019-01-01"],
        "version": ["1.9.0", "1.10.0", "1.11.0", "1.12.0"],
    }
)


@pytest.mark.parametrize("wanted", ["start <= end", "end >= 2019-01-01", "iso < 2019-04-04", "2018-12-01 < start"])
def test_dates_that_are_text_compare_as_dates(wanted):
    for table in (WRITTEN, WRITTEN.astype("category")):
        check_expect(table, {"compare": wanted})


@pytest.mark.parametrize(("wanted", "row"), [("start < 2019-04-01", 2), ("end <= iso", 1), ("end != 02/05/2019", 2)])
def test_a_date_that_is_text_breaks_a_comparison_as_a_date(wanted, row):
    (breach,) = breaches_of(WRITTEN, {"compare": wanted})
    assert breach.examples[0][0] == row


def test_the_day_comes_first_on_both_sides_where_one_shows_it():
    table = pd.DataFrame({"start": ["01/02/2019", "03/02/2019"], "end": ["25/01/2019", "02/03/2019"]})
    (breach,) = breaches_of(table, {"compare": "start <= end"})
    assert [row for row, _ in breach.examples] == [1]


def test_versions_have_no_order_that_letters_know():
    with pytest.raises(DataError, match=r"'1\.10\.0' is no column, no number and no date"):
        check_expect(WRITTEN, {"compare": "version < 1.10.0"})
    check_expect(WRITTEN, {"compare": "version != 1.1.0"})


def test_a_gap_changes_no_value_of_a_column():
    with_gap = pd.DataFrame({"zip": [10001.0, 20002.0, None], "flag": [1.0, 0.0, None], "n": [1.0, 2.5, None]})
    zip_rules = {"pattern": "[0-9]{5}", "length": 5, "type": "int64"}
    check_expect(with_gap, {"columns": {"zip": zip_rules, "flag": {"type": "boolean", "allowed": [True, False]}}})
    check_expect(with_gap.astype({"zip": "category"}), {"columns": {"zip": {"pattern": "[0-9]{5}"}}})
    for rules in ({"n": {"type": "int64"}}, {"zip": {"type": "boolean"}}, {"flag": {"type": "text"}}):
        with pytest.raises(DataError, match="expected, float64 found"):
            check_expect(with_gap, {"columns": rules})
    with pytest.raises(DataError, match="int64 expected, float64 found"):
        check_expect(with_gap.dropna(), {"columns": {"zip": {"type": "int64"}}})


def test_dates_that_are_allowed_may_be_written_in_any_way():
    check_expect(TABLE[:2], {"columns": {"day": {"allowed": ["2020-01-01", "1 January 2021"]}}})
    with pytest.raises(DataError, match=r"2 of 4 rows .* \(row 3"):
        rule("day", allowed=["2020-01-01", "2021-01-01T00:00:00Z"])
    for wanted in ({"allowed": ["soon"]}, {"min": 2020}, {"max": None}):
        with pytest.raises(ConfigError, match="must be a date"):
            rule("day", **wanted)


def test_what_is_missing_repeats_nothing():
    table = pd.DataFrame({"a": ["x", None, None], "b": [1, 2, 2]})
    check_expect(table, {"unique": ["a", "b"], "columns": {"a": {"unique": True}}})
    with pytest.raises(DataError, match=r"b together repeat an earlier row \(row 3"):
        check_expect(table, {"unique": ["b"]})


def test_what_is_still_to_come_is_not_fresh():
    check_expect(TABLE, {"fresh": {"column": "day", "within": "7d"}}, now=datetime(2022, 12, 31, 12, tzinfo=UTC))
    with pytest.raises(DataError, match="2023-01-01 00:00:00, which is still to come"):
        check_expect(TABLE, {"fresh": {"column": "day", "within": "7d"}}, now=datetime(2022, 12, 1, tzinfo=UTC))


def test_freshness_counts_from_now_in_utc():
    today = pd.DataFrame({"day": [datetime.now(UTC).replace(tzinfo=None)]})
    check_expect(today, {"fresh": {"column": "day", "within": "1h"}})
    with pytest.raises(DataError, match="within 1h of now"):
        check_expect(today - pd.Timedelta("2h"), {"fresh": {"column": "day", "within": "1h"}})


def test_all_that_is_broken_is_told_together():
    with pytest.raises(ExpectationError) as caught:
        check_expect(TABLE, {"rows": {"min": 5}, "columns": {"age": {"min": 0, "max": 120}, "size": {}}})
    assert caught.value.message == "data.expect: 4 rules are broken"
    assert [line.partition(":")[0] for line in caught.value.details] == [
        "columns.age.min",
        "columns.age.max",
        "columns.size",
        "rows.min",
    ]
    assert "columns.age.max: 1 of 4 rows" in str(caught.value)


@pytest.mark.parametrize(
    "expect",
    [
        {"columns": {"age": {"max": {"value": 120, "severity": "warn"}}}},
        {"columns": {"age": {"max": 120, "severity": "warn"}}},
        {"columns": {"age": {"max": 120}}, "severity": "warn"},
        {"rows": {"min": 9, "severity": "warn"}},
        {"columns": {"age": {"mean": {"max": 9, "severity": "warn"}}}},
        {"columns": {"no": {"severity": "warn"}}},
    ],
)
def test_a_rule_can_warn_only(expect):
    (notice,) = check_expect(TABLE, expect)
    assert notice.code == "expectation"
    assert notice.message.startswith("data.expect.")


def test_a_severity_holds_for_its_own_rule_alone():
    with pytest.raises(DataError, match=r"age\.min: 1 of 4"):
        check_expect(TABLE, {"columns": {"age": {"min": 0, "max": {"value": 120, "severity": "warn"}}}})


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
        ({"columns": {"age": {"length": "x"}}}, "must be a mapping"),
        ({"columns": {"age": {"mean": {"low": 1}}}}, "unknown rule 'low'"),
        ({"columns": {"age": 3}}, "must be a mapping"),
        ({"columns": ["age"]}, "must be a mapping"),
        ({"columns": {"age": {"severity": "warning"}}}, "found 'warning' .*did you mean 'warn'"),
        ({"only": "yes"}, "true or false"),
        ({"required": "age"}, "list of values"),
        ({"unique": []}, "must name columns"),
        ({"compare": "age"}, "is no comparison"),
        ({"compare": "ag > 3"}, "names no column .*did you mean 'age'"),
        ({"fresh": {"column": "day", "within": "soon"}}, "must be an age"),
    ],
)
def test_a_rule_written_wrongly_is_named(expect, says):
    with pytest.raises(ConfigError, match=says):
        check_expect(TABLE, expect)


def test_a_misspelt_rule_is_an_error_of_the_config_whatever_the_data_breaks():
    with pytest.raises(ConfigError, match="unknown rule"):
        check_expect(TABLE, {"columns": {"age": {"max": 1}, "sex": {"alowed": []}}})


def test_rows_are_counted_in_the_file_and_values_are_shown_harmlessly():
    table = pd.DataFrame({"a": ["fine", "x\x1b[31m[/b]\u202e"]}, index=[4, 9])
    (breach,) = breaches_of(table, {"columns": {"a": {"pattern": "[a-z]+"}}})
    assert breach.examples == ((10, "x\x1b[31m[/b]\u202e"),)
    assert r"(row 10: 'x\x1b[31m[/b]\u202e')" in sentence(breach)


# --- in a config -----------------------------------------------------------------------------------------------------

CONFIG = """
defaults: [experiment, {data: csv}, {transforms: tabular}, {model: logistic_regression}, _self_]
data: {path: data/d.csv, target: y}
"""


@pytest.fixture
def data(workspace):
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"a": rng.normal(size=60).round(3), "n": rng.integers(0, 9, 60), "y": ["no", "yes"] * 30})
    table.to_csv(workspace / "data" / "d.csv", index=False)
    (workspace / "configs" / "e.yaml").write_text(CONFIG)
    return workspace


def test_a_run_on_data_that_breaks_rules_ends_in_exit_3_and_tells_them_all(data, mlops):
    done = mlops("run", "config=e", "+data.expect.columns.n={max: 5}", "+data.expect.rows={min: 90}", cwd=data)
    assert done.returncode == 3
    lines = done.stderr.splitlines()
    assert "error: data.expect: 2 rules are broken" in lines
    assert any(line.startswith("  columns.n.max: ") and "above 5 (row " in line for line in lines)
    assert "  rows.min: 90 rows expected, 60 found" in lines
    assert not (data / "runs").exists()


def test_a_warning_lets_the_run_go_on_and_stays_in_its_record(data, mlops):
    done = mlops("run", "config=e", "+data.expect={rows: {min: 90, severity: warn}}", "--json", cwd=data)
    assert done.returncode == 0, done.stderr
    assert "expectation" in [w["code"] for w in json.loads(done.stdout)["warnings"]]


SCHEMA = """
import pandera.pandas as pa

Good = pa.DataFrameSchema({"a": pa.Column(float), "y": pa.Column(str, pa.Check.isin(["no", "yes"]))})
Bad = pa.DataFrameSchema({"n": pa.Column(int, pa.Check.le(7)), "z": pa.Column(float)})

class Model(pa.DataFrameModel):
    n: int = pa.Field(ge=1)

nothing = 3

def function(): ...
"""


@pytest.fixture
def schemas(data):
    pytest.importorskip("pandera", reason='pip install "mlops-cli[pandera]"')
    (data / "expected_schemas.py").write_text(SCHEMA)
    (data / "pyproject.toml").write_text('[tool.mlops]\ntrust = ["expected_schemas"]\n')
    return lambda name: dry("e", [f"+data.expect._target_=expected_schemas.{name}"], RunOptions())


def test_a_schema_of_pandera_is_held_against_the_data(schemas):
    schemas("Good")
    with pytest.raises(ExpectationError) as caught:
        schemas("Bad")
    first, second = sorted(caught.value.details)
    assert first.startswith("columns.n.less_than_or_equal_to(7): ")
    assert "(row " in first
    assert second == "columns.z: the data has no such column"
    with pytest.raises(DataError, match=r"columns\.n\.greater_than_or_equal_to\(1\): .* rows .*: '0'"):
        schemas("Model")


def test_what_is_no_schema_is_said(schemas):
    with pytest.raises(ConfigError, match="is a int, not a component"):
        schemas("nothing")
    with pytest.raises(ConfigError, match=r"has no validate and so is no schema .*DataFrameSchema"):
        schemas("function")
    with pytest.raises(TrustError):
        dry("e", ["+data.expect._target_=os.system"], RunOptions())


# --- a first version -------------------------------------------------------------------------------------------------

NAMES = st.text(min_size=1, max_size=8).filter(lambda n: can_be_named(n) and n == n.strip())
TEXTS = st.text(max_size=6)
VALUES = [
    st.integers(-(2**62), 2**62),
    st.integers(0, 5),
    st.floats(),
    st.floats(0, 1e-6),
    st.booleans(),
    TEXTS,
    st.sampled_from(["no", "1e5", "~", "${oc.env:HOME}", "012", "null", "a: b", "# x"]),
    st.datetimes(datetime(1700, 1, 1), datetime(2200, 1, 1)),
]


@st.composite
def tables(draw):
    rows = draw(st.integers(1, 40))
    names = draw(st.lists(NAMES, min_size=1, max_size=4, unique=True))
    columns = {}
    for name in names:
        kind = draw(st.sampled_from(VALUES))
        values = kind | st.none() if draw(st.booleans()) else kind
        columns[name] = pd.Series(draw(st.lists(values, min_size=rows, max_size=rows)))
    return normalise(pd.DataFrame(columns))


@given(tables(), st.booleans())
@settings(max_examples=150, deadline=None)
def test_data_satisfies_the_first_version_that_was_made_of_it(tmp_path_factory, table, strict):
    path = tmp_path_factory.mktemp("rules") / "rules.yaml"
    path.write_text(as_yaml(suggest(table, describe(table), strict=strict), "here"), encoding="utf-8")
    assert breaches_of(table, read_rules(path)) == ()


def test_a_first_version_says_what_a_person_would(data):
    text = suggest_rules("data/d.csv")
    rules = read_rules_of(data, text)
    assert rules["rows"] == {"min": 30}
    assert rules["columns"]["y"] == {"type": "categorical", "allowed": ["no", "yes"], "missing": 0.07}
    assert rules["columns"]["n"]["min"] == 0
    assert rules["columns"]["n"]["max"] == 9
    assert rules["only"] == {"value": True, "severity": "warn"}
    strict = read_rules_of(data, suggest_rules("data/d.csv", strict=True))
    assert (strict["rows"], strict["only"]) == ({"min": 60, "max": 60}, True)
    assert strict["columns"]["n"]["max"] == 8


def rules_for(table, **options):
    return {c.name: dict(c.rules) for c in suggest(normalise(table), describe(normalise(table)), **options).columns}


DRAWS = {
    "normal": lambda rng: rng.normal(size=300),
    "exponential": lambda rng: rng.exponential(size=300),
    "lognormal": lambda rng: rng.lognormal(0, 0.5, size=300),
    "whole": lambda rng: rng.poisson(4, size=300) + rng.poisson(4, size=300),
    "rare": lambda rng: np.where(rng.random(300) < 0.01, np.nan, 1.5),
    "often missing": lambda rng: np.where(rng.random(300) < 0.9, np.nan, 1.5),
    "classes": lambda rng: rng.choice(list("abcd"), size=300, p=[0.5, 0.3, 0.19, 0.01]),
    "counts": lambda rng: rng.poisson(0.5, size=300),
    "ranks": lambda rng: rng.choice(5, size=300, p=[0.3, 0.3, 0.2, 0.1, 0.1]),
    "days": lambda rng: pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 10**7, size=300), unit="s"),
}


@pytest.mark.parametrize("kind", DRAWS)
def test_as_many_more_rows_of_the_same_kind_rarely_break_a_first_version(kind):
    rng = np.random.default_rng(3)
    broken = 0
    for _ in range(100):
        one, another = (normalise(pd.DataFrame({"x": DRAWS[kind](rng)})) for _ in range(2))
        broken += bool(breaches_of(another, {"columns": rules_for(one)}))
    assert broken <= 5


def test_a_first_version_is_no_wider_than_its_column_needs():
    rng = np.random.default_rng(0)
    even = rules_for(pd.DataFrame({"x": rng.uniform(10, 20, size=1000)}))["x"]
    assert 5 < even["min"] < 9.1
    assert 20.9 < even["max"] < 25
    assert even["missing"] == 0.004
    skewed = rng.exponential(size=1000)
    assert 1.5 < rules_for(pd.DataFrame({"x": skewed}))["x"]["max"] / skewed.max() < 3


def test_a_strict_first_version_is_what_is_there():
    table = pd.DataFrame(
        {"x": [1.5, 2.5] * 20, "when": pd.date_range("2024-01-01", periods=40), "g": ["a"] * 39 + ["b"]}
    )
    found = rules_for(table, strict=True)
    assert found["x"] == {"type": "numeric", "min": 1.5, "max": 2.5, "missing": 0}
    assert found["when"]["max"] == "2024-02-09 00:00:00"
    assert found["g"]["allowed"] == ["a", "b"]


def test_what_names_rows_is_never_missing_and_dates_name_none():
    table = pd.DataFrame(
        {"id": [f"k{i}" for i in range(40)], "day": pd.date_range("2024-01-01", periods=40).astype(str)}
    )
    found = rules_for(table)
    assert (found["id"]["unique"], found["id"]["missing"]) == (True, 0)
    assert "unique" not in found["day"]


def read_rules_of(folder, text):
    (folder / "rules.yaml").write_text(text)
    return read_rules(folder / "rules.yaml")


def test_a_first_version_can_be_pasted_into_the_config(data):
    head, _, _ = CONFIG.partition("data: {path")
    pasted = f"{head}data:\n  path: data/d.csv\n  target: y\n{suggest_rules('data/d.csv')}"
    (data / "configs" / "pasted.yaml").write_text(pasted)
    prepared = dry("pasted", [], RunOptions())
    assert count_of(prepared.spec.data.expect) == 2 + 4 + 4 + 3
    with pytest.raises(DataError, match=r"columns\.n\.max"):
        dry("pasted", ["data.expect.columns.n.max=5"], RunOptions())


def test_what_a_config_cannot_say_is_left_out(data):
    name, value = "${oc.env:HOME}", "${x}"
    pd.DataFrame({name: [1, 2], "_target_": [1, 2], "a": [value] * 2}).to_csv("data/odd.csv", index=False)
    rules = read_rules_of(data, suggest_rules("data/odd.csv"))
    assert list(rules["columns"]) == ["a"]


def test_new_data_is_held_against_the_rules_of_a_file_or_of_an_experiment(data):
    (data / "rules.yaml").write_text(suggest_rules("data/d.csv"))
    new = pd.read_csv("data/d.csv").assign(n=99).drop(columns="a")
    new.to_csv("new.csv", index=False)
    assert check_data("data/d.csv", data / "rules.yaml").holds
    found = check_data("new.csv", data / "rules.yaml")
    assert not found.holds
    assert [(b.key, b.count) for b in found.breaches] == [("columns.a", None), ("columns.n.max", 60)]
    text = CONFIG.replace("target: y}", "target: y, read: {sep: ';'}, expect: {columns: {n: {max: 8}}}}")
    (data / "configs" / "own.yaml").write_text(text)
    new.to_csv("new.csv", index=False, sep=";")
    assert [b.key for b in check_data("new.csv", how=HowRead(config="own")).breaches] == ["columns.n.max"]


def test_data_without_rules_and_what_is_no_data_are_said(data):
    with pytest.raises(UsageError, match=r"nothing is expected of data/d\.csv .*mlops data expect"):
        check_data("data/d.csv")
    with pytest.raises(DataError, match=r"'f' is neither a data set nor a file"):
        check_data("f", None)
    (data / "empty.yaml").write_text("expect: {}\n")
    with pytest.raises(ConfigError, match="holds no rules"):
        check_data("data/d.csv", data / "empty.yaml")


# --- the commands ----------------------------------------------------------------------------------------------------


def test_cron_can_act_on_the_answer(data, mlops):
    made = mlops("data", "expect", "data/d.csv", "-o", "rules.yaml", cwd=data)
    assert (made.returncode, made.stdout) == (0, "rules.yaml\n"), made.stderr
    good = mlops("data", "check", "data/d.csv", "--expect", "rules.yaml", cwd=data)
    assert good.returncode == 0
    assert "rules hold" in good.stdout
    pd.read_csv("data/d.csv").assign(n=[*range(50), 99, *[None] * 9]).to_csv("new.csv", index=False)
    bad = mlops("data", "check", "new.csv", "--expect", "rules.yaml", "--json", cwd=data)
    assert bad.returncode == 3
    found = json.loads(bad.stdout)
    assert not found["holds"]
    by_rule = {breach["rule"]: breach for breach in found["breaches"]}
    assert by_rule["columns.n.max"]["count"] == 41
    assert by_rule["columns.n.max"]["rows"][0] == {"row": 11, "value": 10.0}
    assert by_rule["columns.n.missing"]["rows"] == [{"row": row, "value": None} for row in range(52, 57)]
    told = mlops("data", "check", "new.csv", "--expect", "rules.yaml", cwd=data)
    assert told.returncode == 3
    assert "✗ columns.n.max: 41 of 60 rows (68 %)" in told.stdout


def test_a_file_that_is_there_is_not_overwritten_unasked(data, mlops):
    (data / "rules.yaml").write_text("mine")
    refused = mlops("data", "expect", "e", "-o", "rules.yaml", cwd=data)
    assert refused.returncode == 2
    assert "is there already" in refused.stderr
    assert (data / "rules.yaml").read_text() == "mine"
    assert mlops("data", "expect", "e", "-o", "rules.yaml", "--force", cwd=data).returncode == 0


def test_a_named_data_set_has_rules_made_of_it_too(data, mlops):
    assert mlops("data", "add", "data/d.csv", "--name", "points", cwd=data).returncode == 0
    made = mlops("data", "expect", "points@1", cwd=data)
    assert made.returncode == 0, made.stderr
    assert read_rules_of(data, made.stdout)["rows"] == {"min": 30}
