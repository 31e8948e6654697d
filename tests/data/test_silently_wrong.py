"""Data that pandas and scikit-learn take without a word, though it is not what it seems: each is said, with the way on.

One table: what is in the file, what is said of it, and what the user writes who means it so.
"""

from __future__ import annotations

import bz2
import gzip
import re
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from mlops_cli.components.codes import CODES
from mlops_cli.errors import ConfigError, ExitCode, MlopsError
from mlops_cli.workflows.running.prepare import RunOptions
from mlops_cli.workflows.running.run import dry, execute

if TYPE_CHECKING:
    from collections.abc import Callable

PACKAGE = Path(__file__).resolve().parents[2] / "mlops_cli"

CONFIG = """
defaults: [experiment, {data: csv}, {transforms: tabular}, {model: logistic_regression}, _self_]
data: {path: data/d.csv, target: y}
artifacts: {plots: none}
"""
ROWS = 60
RNG = np.random.default_rng(0)
A = RNG.normal(size=ROWS).round(4)
Y = np.where(A + RNG.normal(size=ROWS) > 0, "yes", "no")


def table(**columns) -> str:
    """An honest table with further columns; a column that is there already is replaced."""
    return pd.DataFrame({"a": A, "b": RNG.normal(size=ROWS).round(4), "y": Y, **columns}).to_csv(index=False)


def cycle(*values: object) -> list[object]:
    return [values[i % len(values)] for i in range(ROWS)]


def lines(change: Callable[[list[str]], list[str]], text: str | None = None) -> str:
    return "\n".join(change((text or table()).splitlines())) + "\n"


@dataclass(frozen=True)
class Case:
    """One way to be wrong."""

    name: str
    content: str | bytes | Callable[[Path], None]
    said: str  # the code of a warning, or what an error says
    accept: tuple[str, ...] | None  # overrides with which it is meant; None where nobody can mean it
    config: tuple[str, ...] = ()
    way: str | None = None  # what the message names; the keys of accept where not given
    code: ExitCode = ExitCode.DATA
    more: dict[str, str] = field(default_factory=dict)  # further files

    @property
    def is_error(self) -> bool:
        return self.said not in CODES


ERRORS = [
    Case(
        "a row longer than the header",
        lines(lambda rows: [*rows[:5], rows[5] + ",9", *rows[6:]]),
        r"line 6 has 4 fields where 3 were expected",
        ("+data.read.on_bad_lines=skip",),
    ),
    Case(
        "every row longer than the header",
        lines(lambda rows: [rows[0], *(row + "," for row in rows[1:])]),
        r"rows have 4 fields where 3 columns are named",
        ("+data.read.index_col=false",),
    ),
    Case(
        "a row shorter than the header",
        pd.DataFrame({"a": A, "y": Y, "b": A}).to_csv(index=False) + "1,yes\n",
        r"line 62 has 2 fields where the header has 3",
        ("data.short_rows=fill",),
    ),
    Case(
        "a name twice",
        table().replace("a,b,y", "a,a,y"),
        r"column names must be unique\. Got 'a' more than once",
        ("+data.read.header=0", "+data.read.names=[a,b,y]"),
        way="data.read: {header: 0, names: [...]}",
    ),
    Case(
        "a blank name",
        table().replace("a,b,y", "a,,y"),
        r"every column must have a name\. Column 2 has none",
        ("+data.read.header=0", "+data.read.names=[a,b,y]"),
        way="data.read: {header: 0, names: [...]}",
    ),
    Case(
        "an index without a name",
        pd.DataFrame({"a": A, "y": Y}).to_csv(),
        r"the first column has no name",
        ("+data.read.index_col=0",),
    ),
    Case(
        "no header",
        lines(lambda rows: rows[1:]),
        r"no header found: the first line looks like data",
        ("+data.read.header=null", "+data.read.names=[a,b,y]"),
        way="data.read: {header: null, names: [3 names]}",
    ),
    Case(
        "another separator",
        table().replace(",", ";"),
        r"one column found with the separator ',', though ';' splits every line alike",
        ("+data.read.sep=';'",),
    ),
    Case(
        "one class only",
        table(y="yes"),
        r"data\.target: 'y' has one class only \(yes\)",
        None,
        way="another data.target, or rows of another class",
    ),
    Case(
        "infinities",
        table(b=cycle(1.0, np.inf, 3.0)),
        r"infinite values in the features: 'b' \(20\)",
        ("+data.read.na_values=[inf,-inf]",),
    ),
    Case(
        "an infinite target",
        table(y=cycle(1.5, np.inf, 3.0)),
        r"data\.target: 'y' is infinite in 20 rows",
        None,
        config=("model=ridge",),
        way="correct them or leave those rows out",
    ),
    Case(
        "targets that are missing",
        table(y=cycle("yes", None, "no")),
        r"data\.target: 'y' is missing in 20 of 60 rows",
        ("data.missing_target=drop",),
    ),
    Case(
        "columns that new data lacks",
        table(),
        r"evaluation\.test: the data lacks 1 of 2 columns that the model takes: 'b'",
        ("data.drop=[b]",),
        config=("evaluation.test=data/new.csv",),
        way="the model takes a, b",
        more={"new.csv": "y,a\nyes,1.5\nno,0.25\nyes,2\n"},
    ),
    # --- what else would be a traceback
    Case("an empty file", b"", r"d\.csv: the file is empty", None, way="write or download it again"),
    Case("blanks alone", " \n\n", r"d\.csv: ", None, way="write"),
    Case("a header alone", "a,b,y\n", r"has a header and no rows", None, way="write or download it again"),
    Case(
        "a folder",
        lambda path: path.mkdir(),
        r"the folder holds no \.csv files",
        None,
        way="it is empty",
    ),
    Case("no file", lambda path: None, r"d\.csv: no such file", None, way="the folder is empty"),
    Case(
        "a quote that is never closed",
        lines(lambda rows: [*rows[:5], '"' + rows[5], *rows[6:]]),
        r"is never closed; is the file cut off",
        None,
        way="data.read.quoting: 3",
    ),
    Case(
        "another encoding",
        table(b=cycle("café", "thé")).encode("latin-1"),
        r"line 2 is not utf-8 text",
        ("+data.read.encoding=latin-1",),
        way="data.read.encoding",
    ),
    Case(
        "plain text named gz",
        lambda path: path.with_suffix(".csv.gz").write_text(table()),
        r"does not decompress as gzip",
        ("+data.read.compression=null",),
        config=("data.path=data/d.csv.gz",),
    ),
    Case(
        "a gz file cut off",
        lambda path: path.with_suffix(".csv.gz").write_bytes(gzip.compress(table().encode())[:-200]),
        r"ends too early",
        None,
        config=("data.path=data/d.csv.gz",),
        way="download",
    ),
    Case(
        "bz2 named gz",
        lambda path: path.with_suffix(".csv.gz").write_bytes(bz2.compress(table().encode())),
        r"does not decompress as gzip",
        ("+data.read.compression=bz2",),
        config=("data.path=data/d.csv.gz",),
    ),
    Case(
        "gz without its name",
        gzip.compress(table().encode()),
        r"is compressed by gzip though its name does not say so",
        ("+data.read.compression=gzip",),
    ),
    Case(
        "a parquet file cut off",
        lambda path: path.with_suffix(".parquet").write_bytes(parquet()[:-100]),
        r"is not a whole parquet file",
        None,
        config=("data=parquet", "data.path=data/d.parquet"),
        way="write or download it again",
    ),
    Case(
        "a table that is not in the data base",
        lambda path: database(path.with_suffix(".db")),
        r"there is no table 'peple'",
        ("data.table=people",),
        config=("data=sql", "data.path=data/d.db", "data.table=peple"),
        way="people",
    ),
    Case(
        "fewer rows than folds",
        "a,b,y\n1,2,yes\n2,3,no\n4,2,yes\n",
        r"split: StratifiedKFold cannot split the data: 5 splits of 3 rows",
        ("split=kfold", "split.n_splits=2", "evaluation.metrics=[accuracy]"),
        way="split=kfold",
    ),
    Case(
        "fewer rows to score on than classes",
        "a,b,y\n1,2,yes\n2,3,no\n4,2,yes\n5,5,no\n",
        r"split: .*: 1 row to test cannot have each of 2 classes",
        ("split=shuffle", "evaluation.metrics=[accuracy]"),
        config=("split=hold_out",),
        way="split=shuffle",
    ),
    Case(
        "fewer groups than folds",
        table(g=cycle("p", "q")),
        r"split: .*Group.* cannot split the data",
        ("split=group_kfold", "split.n_splits=2"),
        config=("data.group=g",),
        way="split.n_splits=2",
    ),
    Case(
        "a metric that there is not",
        table(),
        r"evaluation\.metrics.*acuracy",
        ("evaluation.metrics=[accuracy]",),
        config=("evaluation.metrics=[acuracy]",),
        way="accuracy",
        code=ExitCode.USAGE,
    ),
    Case(
        "a parameter that there is not",
        table(),
        r"model\.Cc",
        ("~model.Cc", "model.C=2"),
        config=("+model.Cc=2",),
        way="C",
        code=ExitCode.USAGE,
    ),
    Case(
        "a parameter of another type",
        table(),
        r"model\.C: .*'high'",
        ("model.C=2",),
        config=("model.C=high",),
        way="must be a float",
        code=ExitCode.USAGE,
    ),
]

WARNINGS = [
    Case("padded names", table().replace("a,b,y", "a, b ,y"), "padded-names", (), way="use the names without them"),
    Case(
        "NA that is a value",
        table(b=cycle("NA", "EU", "AS"), c=cycle(1.5, None, 2.5)),
        "na-texts",
        ("+data.read.keep_default_na=false", "+data.read.na_values=['']"),
        way="data.read: {keep_default_na: false, na_values: ['']}",
    ),
    Case(
        "None that is a value",
        table(b=cycle("None", "few", "many")),
        "na-texts",
        ("+data.read.keep_default_na=false", "+data.read.na_values=['']"),
        way="data.read: {keep_default_na: false, na_values: ['']}",
    ),
    Case("codes with leading zeros", table(b=cycle("007", "010", "123")), "leading-zeros", ("+data.dtypes.b=str",)),
    Case(
        "ids over 2^53",
        table(b=[2**53 + 1 + 3 * int(i) for i in RNG.permutation(ROWS)]),
        "large-integers",
        ("+data.dtypes.b=str", "data.accept=[id-like-columns]"),
        way="data.dtypes.b: str",
    ),
    Case(
        "a decimal comma",
        table(b=cycle("1,5", "2,25", "3,75"), a=np.arange(ROWS) % 7),
        "decimal-comma",
        ("+data.read.decimal=','",),
    ),
    Case(
        "a decimal comma among columns with points",
        table(b=cycle("1,5", "2,25", "3,75")),
        "decimal-comma",
        ("+data.dtypes.b=decimal_comma",),
    ),
    Case(
        "points where the comma was said to be the decimal mark",
        table(b=cycle("1.5", "2.25", "3.75"), a=np.arange(ROWS) % 7),
        "decimal-point",
        ("+data.dtypes.b=decimal_point",),
        config=("+data.read.decimal=','",),
    ),
    Case(
        "thousands",
        table(b=cycle("1,000", "12,500", "7,250")),
        "thousands",
        ("+data.read.thousands=','",),
    ),
    Case(
        "numbers and a word",
        table(b=[*range(ROWS - 1), "unknown"]),
        "mixed-types",
        ("+data.read.na_values={b: [unknown]}", "data.accept=[id-like-columns]"),
        way="data.read.na_values: {b: ['unknown']}",
    ),
    Case(
        "dates that can be read two ways",
        table(b=cycle("01/02/2020", "03/04/2020", "05/06/2021")),
        "ambiguous-dates",
        ("+data.read.parse_dates=[b]", "+data.read.dayfirst=true"),
        way="data.read: {parse_dates: ['b'], dayfirst: true}",
    ),
    Case(
        "dates that can be read two ways and are said to be dates",
        table(b=cycle("01/02/2020", "03/04/2020", "05/06/2021")),
        "ambiguous-dates",
        ("+data.read.parse_dates=[b]", "+data.read.dayfirst=true"),
        config=("+data.dtypes.b=datetime",),
        way="dayfirst: true",
    ),
    Case(
        "NA that is a category",
        table(b=cycle("NA", "EU", "AS")),
        "na-texts",
        ("+data.read.keep_default_na=false",),
        config=("+data.dtypes.b=categorical",),
        way="keep_default_na",
    ),
    Case(
        "dates as text",
        table(b=cycle("2020-01-02", "2020-02-03", "2021-03-04")),
        "dates-as-text",
        ("+data.dtypes.b=datetime", "transforms=dates"),
        way="data.dtypes.b: datetime",
    ),
    Case(
        "a class smaller than the folds",
        table(y=["rare"] * 3 + ["usual"] * (ROWS - 3)),
        "rare-classes",
        ("split=hold_out",),
        config=("evaluation.metrics=[f1]", "data.positive=usual"),
        way="fewer splits",
    ),
    Case("a copy of the target", table(b=np.where(Y == "yes", "alive", "dead")), "target-leak", ("data.drop=[b]",)),
    Case(
        "a near copy of the target",
        table(b=(Y == "yes") + RNG.uniform(0, 0.9, ROWS).round(3)),
        "target-leak",
        ("data.drop=[b]",),
    ),
    Case("a sorted id", table(b=np.arange(ROWS) * 7 + 1000), "id-like-columns", ("data.id=b",), way="data.id"),
    Case("a name in each row", table(b=[f"p{i}" for i in range(ROWS)]), "id-like-columns", ("data.drop=[b]",)),
    Case(
        "rows that are there twice",
        lines(lambda rows: [*rows, *rows[1:]]),
        "duplicates-across-splits",
        ("data.group=g", "split=group_kfold"),
        way="data.group",
    ),
    Case("a column of nothing", table(b=np.nan), "all-missing", ("data.drop=[b]",), way="data.drop"),
    Case(
        "a column of nearly nothing",
        table(b=[1.0, 2.0] + [None] * (ROWS - 2)),
        "near-empty-columns",
        ("data.drop=[b]",),
        way="data.drop",
    ),
    Case("a column of one value", table(b=1), "constant-columns", ("data.drop=[b]",)),
    Case(
        "blanks before values", table(b=cycle("x", " x", "z")), "padded-values", ("+data.read.skipinitialspace=true",)
    ),
    Case(
        "classes that may be amounts",
        table(y=cycle(1, 2, 3)),
        "task-guessed",
        ("task=classification",),
        way="task=regression",
    ),
    Case(
        "ids that repeat",
        table(b=cycle(*range(30))),
        "duplicate-ids",
        ("data.group=b",),
        config=("data.id=b",),
        way="data.group",
    ),
    Case(
        "classes out of balance",
        table(y=["rare"] * 6 + ["usual"] * (ROWS - 6)),
        "imbalance",
        ("evaluation.metrics=[balanced_accuracy]",),
        config=("evaluation.metrics=[accuracy,balanced_accuracy]", "data.positive=usual"),
        way="evaluation.primary",
    ),
]


def parquet() -> bytes:
    return pd.DataFrame({"a": A, "y": Y}).to_parquet()


def database(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        pd.DataFrame({"a": A, "y": Y}).to_sql("people", connection)
    connection.close()


@pytest.fixture
def looked_at(workspace):
    """Return what is said of a case under further overrides: notices by code."""

    def look(case: Case, *more: str) -> dict[str, str]:
        (workspace / "configs" / "e.yaml").write_text(CONFIG)
        path = workspace / "data" / "d.csv"
        if callable(case.content):
            case.content(path)
        else:
            path.write_bytes(case.content.encode() if isinstance(case.content, str) else case.content)
        for name, text in case.more.items():
            (workspace / "data" / name).write_text(text)
        replaced = keys(more)
        kept = [override for override in case.config if keys((override,))[0] not in replaced]
        prepared = dry("e", [*kept, *(override for override in more if override[0] != "~")], RunOptions())
        return {n.code: n.message for n in prepared.notices}

    return look


def names(cases: list[Case]) -> list[str]:
    return [case.name for case in cases]


def keys(overrides: tuple[str, ...]) -> list[str]:
    return [override.lstrip("+~").partition("=")[0] for override in overrides]


@pytest.mark.parametrize("case", ERRORS, ids=names(ERRORS))
def test_what_cannot_be_learned_from_is_refused_in_a_line_that_names_the_way(looked_at, case):
    with pytest.raises(MlopsError, match=case.said) as caught:
        looked_at(case)
    text = str(caught.value)
    assert caught.value.exit_code == case.code, text
    assert "\n" not in text
    assert (keys(case.accept or ("",))[0] if case.way is None else case.way) in text


TAKEN = [case for case in ERRORS if case.accept]


@pytest.mark.parametrize("case", TAKEN, ids=names(TAKEN))
def test_what_is_meant_so_is_taken(looked_at, case):
    looked_at(case, *case.accept)


@pytest.mark.parametrize("case", WARNINGS, ids=names(WARNINGS))
def test_what_is_suspicious_is_said_with_a_code_and_the_way(looked_at, case):
    message = looked_at(case)[case.said]
    assert (keys(case.accept or ("",))[0] if case.way is None else case.way) in message


MENDED = [case for case in WARNINGS if case.accept and case.said != "duplicates-across-splits"]


@pytest.mark.parametrize("case", MENDED, ids=names(MENDED))
def test_the_way_that_is_named_silences_it(looked_at, case):
    assert case.said not in looked_at(case, *case.accept)


@pytest.mark.parametrize("case", WARNINGS, ids=names(WARNINGS))
def test_each_can_be_accepted_by_its_code_alone(looked_at, case):
    before = looked_at(case)
    after = looked_at(case, f"data.accept=[{case.said}]")
    assert {code: text for code, text in before.items() if code != case.said} == after


def test_copies_are_kept_together_by_their_group(looked_at):
    rows = pd.DataFrame({"a": A, "y": Y, "g": np.arange(ROWS)})
    case = Case("", pd.concat([rows, rows]).to_csv(index=False), "duplicates-across-splits", None)
    assert case.said in looked_at(case, "data.drop=[g]")
    assert case.said not in looked_at(case, "data.group=g", "split=group_kfold")


def test_columns_of_new_data_may_come_in_another_order(looked_at, workspace):
    """The scores are those of the right columns, not of the right places."""
    new = pd.DataFrame({"a": A, "b": np.arange(ROWS) % 7, "y": Y})
    scores = []
    for columns in (["a", "b", "y"], ["y", "b", "a"]):
        case = Case("", new.to_csv(index=False), "", None, more={"new.csv": new[columns].head(30).to_csv(index=False)})
        looked_at(case, "evaluation.test=data/new.csv")
        outcome = execute(
            "e", ["evaluation.test=data/new.csv", "artifacts.keep=none"], RunOptions(force=True, n_jobs=1)
        )
        scores.append({name: item.test for name, item in outcome.record.metrics.items()})
    assert scores[0] == scores[1]


def test_a_code_that_there_is_not_is_named(looked_at):
    with pytest.raises(ConfigError, match=r"data\.accept: found 'target-leek' .*did you mean 'target-leak'"):
        looked_at(Case("", table(), "", None), "data.accept=[target-leek]")


def test_what_is_accepted_changes_no_result(looked_at):
    case = Case("", table(b=1), "constant-columns", None)
    looked_at(case)
    prints = [dry("e", list(more), RunOptions()).plan.fingerprint for more in ((), ("data.accept=[constant-columns]",))]
    assert prints[0] == prints[1]


def test_every_code_of_a_notice_about_data_can_be_accepted():
    said = set()
    for folder in ("analysis", "components"):
        for file in (PACKAGE / folder).rglob("*.py"):
            said |= set(re.findall(r'Notice\(\s*"([a-z-]+)"', file.read_text()))
    assert said - set(CODES) == {"columns-left-out"}  # of transforms


def test_no_traceback_and_the_exit_code_3(workspace, mlops):
    (workspace / "configs" / "e.yaml").write_text(CONFIG)
    (workspace / "data" / "d.csv").write_text(table(y="yes"))
    done = mlops("run", "config=e", cwd=workspace)
    assert done.returncode == 3
    assert "Traceback" not in done.stderr
    assert [line.split(":")[0].strip() for line in done.stderr.splitlines()] == ["error", "try"]


def test_codes_that_are_said_to_be_categories_are_read_as_they_are_written(looked_at):
    looked_at(Case("", table(b=cycle("00501", "501", "7")), "", None), "+data.dtypes.b=categorical")
    record = execute("e", ["+data.dtypes.b=categorical"], RunOptions(force=True, n_jobs=1)).record
    assert {c.name: c.unique for c in record.dataset.columns}["b"] == 3


@pytest.mark.parametrize(
    ("values", "word", "left"),
    [
        (("2020-01-02", "2020-02-03"), "datetime", set()),
        (("007", "010"), "numeric", set()),
        (("007", "010"), "categorical", set()),
        (("1,5", "2,25"), "str", set()),
        (("x", " x"), "str", {"padded-values"}),
        (("x", " x"), "categorical", {"padded-values"}),
        (("yes", " no"), "boolean", set()),
    ],
)
def test_a_word_of_dtypes_answers_what_it_says_and_nothing_else(looked_at, values, word, left):
    found = looked_at(Case("", table(b=cycle(*values)), "", None), f"+data.dtypes.b={word}", "transforms=everything")
    of_reading = {"ambiguous-dates", "dates-as-text", "decimal-comma", "leading-zeros", "mixed-types", "padded-values"}
    assert found.keys() & of_reading == left


# --- far from the head of a file -----------------------------------------------------------------------------------


def codes_of(workspace: Path, path: str) -> set[str]:
    (workspace / "configs/e.yaml").write_text(CONFIG.replace("data/d.csv", path))
    return {notice.code for notice in dry("e", ["transforms=tree", "model=random_forest"], RunOptions()).notices}


def grown(rows: int, turns: int) -> list[str]:
    """Rows whose code begins with 0, and whose land is NA, from one of them on."""
    numbers = RNG.normal(size=rows).round(3)
    code = [f"{i % 900 + (1000 if i < turns else 0):04d}" for i in range(rows)]
    return [
        f"{x},{c},{'NA' if i >= turns and i % 3 else 'DE'},{'yes' if i % 2 else 'no'}"
        for i, (x, c) in enumerate(zip(numbers, code, strict=True))
    ]


def test_a_file_that_changes_on_its_way_is_looked_at_to_its_end(workspace):
    (workspace / "data/d.csv").write_text("\n".join(["a,code,land,y", *grown(24_000, turns=20_000)]) + "\n")
    assert {"leading-zeros", "na-texts"} <= codes_of(workspace, "data/d.csv")


def test_every_part_may_be_the_one_that_is_written_otherwise(workspace):
    first, last = grown(200, turns=999), grown(200, turns=0)
    for number, rows in enumerate([first, first, last]):
        (workspace / f"data/part{number}.csv").write_text("\n".join(["a,code,land,y", *rows]) + "\n")
    assert {"leading-zeros", "na-texts"} <= codes_of(workspace, "'data/part*.csv'")
