"""Steps over columns: the tree of fits and the Pipeline written from it are the same computation."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline

from mlops_cli.components.assemble import Assembly
from mlops_cli.components.layout import Columns, Step, Union, columns_of, select, untouched
from mlops_cli.errors import ConfigError
from mlops_cli.execution.fitting import _Fits
from mlops_cli.execution.job import Job, Scoring
from mlops_cli.records import Column, ComponentSpec, Kind, Task, TransformSpec, TrialSpec

ROWS = 60
COLUMNS = (
    Column("age", "float64", Kind.NUMERIC),
    Column("fare", "float64", Kind.NUMERIC),
    Column("sex", "str", Kind.CATEGORICAL),
    Column("deck", "str", Kind.CATEGORICAL),
    Column("note", "str", Kind.TEXT),
)


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    age = rng.normal(40, 10, ROWS)
    age[::7] = np.nan
    words = ["red", "green", "blue", "dark", "light"]
    return pd.DataFrame(
        {
            "age": age,
            "fare": rng.lognormal(3, 1, ROWS),
            "sex": rng.choice(["f", "m"], ROWS),
            "deck": rng.choice(list("ABCDEFGH"), ROWS),
            "note": [" ".join(rng.choice(words, 4)) for _ in range(ROWS)],
        }
    )


def step(name, target, *columns, **params):
    return TransformSpec(name, ComponentSpec(target, params), columns or ("all",))


IMPUTE = step("impute", "sklearn.impute.SimpleImputer", "numeric", strategy="median")
SCALE = step("scale", "sklearn.preprocessing.StandardScaler", "numeric")
ENCODE = step("encode", "sklearn.preprocessing.OneHotEncoder", "categorical", handle_unknown="ignore")
TEXT = step("words", "sklearn.feature_extraction.text.TfidfVectorizer", "text")
DROP_TEXT = step("leave_out", "drop", "text")
SELECT = step("select", "sklearn.feature_selection.SelectKBest", "all", k=3)
PCA = step("pca", "sklearn.decomposition.PCA", "numeric", n_components=1)
LOG_FARE = step("root", "sklearn.preprocessing.PowerTransformer", "fare")
BINS = step("bins", "sklearn.preprocessing.KBinsDiscretizer", "fare", n_bins=3, quantile_method="averaged_inverted_cdf")


def assembly(*steps, model="sklearn.linear_model.LogisticRegression", columns=COLUMNS):
    return Assembly(TrialSpec(ComponentSpec(model), tuple(steps)), Task.CLASSIFICATION, columns)


def blocks(made, table, y):
    rows = np.arange(ROWS)
    job = Job(table, y, None, made.columns, Task.CLASSIFICATION, Scoring(()))
    return _Fits(job, (rows[:40], rows[40:]), made.builder).blocks(made.layout.root)


def dense(values):
    return values.toarray() if sparse.issparse(values) else np.asarray(values, dtype=float)


def same_as_pipeline(made, table):
    y = (np.arange(ROWS) % 3 == 0).astype(int)
    train, test, _ = blocks(made, table, y)
    pipeline = Pipeline(made.pipeline().steps[:-1]) if len(made.pipeline().steps) > 1 else None
    expected = pipeline.fit_transform(table[:40], y[:40])
    np.testing.assert_array_equal(dense(train), dense(expected))
    np.testing.assert_array_equal(dense(test), dense(pipeline.transform(table[40:])))
    assert sparse.issparse(train) == sparse.issparse(expected)


def test_steps_on_the_same_columns_make_one_chain():
    root = assembly(IMPUTE, SCALE, columns=COLUMNS[:2]).layout.root
    assert root == Step(Step(Columns(("age", "fare")), IMPUTE), SCALE)


def test_steps_on_other_columns_stand_side_by_side():
    root = assembly(IMPUTE, ENCODE, DROP_TEXT).layout.root
    assert isinstance(root, Union)
    assert [columns_of(part) for part in root.parts] == [("age", "fare"), ("sex", "deck")]


def test_columns_without_a_step_pass_through():
    assert untouched(assembly(ENCODE, DROP_TEXT).layout.root) == ("age", "fare")


def test_a_chain_over_all_columns_is_a_plain_pipeline():
    names = [name for name, _ in assembly(IMPUTE, SCALE, columns=COLUMNS[:2]).pipeline().steps]
    assert names == ["impute", "scale", "model"]


def test_the_written_pipeline_is_what_a_person_would_write():
    columns = assembly(IMPUTE, SCALE, ENCODE, DROP_TEXT).pipeline().named_steps["columns"]
    assert isinstance(columns, ColumnTransformer)
    assert [(name, where) for name, _, where in columns.transformers] == [
        ("scale", ["age", "fare"]),
        ("encode", ["sex", "deck"]),
    ]


def test_a_model_that_takes_no_sparse_matrix_gets_a_dense_one(table):
    made = assembly(ENCODE, DROP_TEXT, IMPUTE, model="sklearn.naive_bayes.GaussianNB")
    train, _, _ = blocks(made, table, np.arange(ROWS) % 2)
    assert not sparse.issparse(train)
    same_as_pipeline(made, table)


def test_leaving_out_what_nobody_named_is_said():
    (notice,) = assembly(DROP_TEXT).layout.notices
    assert notice.code == "columns-left-out"
    assert "note (text)" in notice.message


def test_a_column_that_is_not_there_is_named_with_the_nearest():
    with pytest.raises(ConfigError, match=r"transforms.scale.columns: 'fair' is no column .*did you mean 'fare'"):
        select(["fair"], COLUMNS, key="transforms.scale.columns")


def test_a_kind_that_is_absent_selects_nothing():
    assert select(["datetime"], COLUMNS, key="k") == []


def test_globs_and_names_select_in_the_order_of_the_data():
    assert select(["fare", "a*"], COLUMNS, key="k") == ["age", "fare"]


def test_dropping_everything_is_refused():
    with pytest.raises(ConfigError, match="leave no column"):
        assembly(step("away", "drop", "all")).layout  # noqa: B018 - computing it is the test


def test_text_that_was_changed_before_is_refused():
    changed = step("ordinal", "sklearn.preprocessing.OrdinalEncoder", "note")
    with pytest.raises(ConfigError, match="takes raw text, and an earlier step has changed note"):
        assembly(changed, TEXT).layout  # noqa: B018 - computing it is the test


@pytest.mark.parametrize(
    "steps",
    [
        (IMPUTE, SCALE, ENCODE, DROP_TEXT),
        (ENCODE, IMPUTE, SCALE, TEXT),
        (IMPUTE, LOG_FARE, SCALE, ENCODE, DROP_TEXT),  # a step on a part of what another has made
        (IMPUTE, PCA, ENCODE, TEXT, SELECT),
        (DROP_TEXT, IMPUTE, ENCODE, SELECT),
        (IMPUTE, BINS, SCALE, ENCODE, DROP_TEXT),
        (IMPUTE, step("away", "drop", "fare"), SCALE, ENCODE, DROP_TEXT),
    ],
    ids=lambda steps: "-".join(s.name for s in steps),
)
def test_the_tree_gives_what_the_pipeline_gives(steps, table):
    same_as_pipeline(assembly(*steps), table)


@settings(max_examples=25, deadline=None)
@given(st.permutations([IMPUTE, SCALE, ENCODE, LOG_FARE]), st.sampled_from([TEXT, DROP_TEXT]))
def test_in_any_order_the_tree_gives_what_the_pipeline_gives(steps, last):
    rng = np.random.default_rng(1)
    table = pd.DataFrame(
        {
            "age": rng.normal(40, 10, ROWS),
            "fare": rng.lognormal(3, 1, ROWS),
            "sex": rng.choice(["f", "m"], ROWS),
            "deck": rng.choice(list("ABC"), ROWS),
            "note": ["dark red"] * 30 + ["light blue"] * 30,
        }
    )
    same_as_pipeline(assembly(*steps, last), table)
