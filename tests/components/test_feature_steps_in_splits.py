"""Each option of transforms learns from training rows alone, and is the Pipeline that would be written by hand."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hydra import compose, initialize_config_dir
from imblearn.pipeline import Pipeline as ImblearnPipeline
from omegaconf import OmegaConf
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin, clone

import mlops_cli
from mlops_cli.components.assemble import Assembly, unsuitable
from mlops_cli.components.tables import describe
from mlops_cli.config.schema import read_transforms
from mlops_cli.errors import ConfigError
from mlops_cli.execution.fitting import _Fits
from mlops_cli.execution.job import Job, Scoring
from mlops_cli.records import ComponentSpec, Task, TrialSpec

CONF = Path(mlops_cli.__file__).parent / "conf"
ROWS, TRAIN = 120, 80
ALONE = ("tabular", "tree", "text", "dates", "everything", "interactions", "missing", "rare", "target_encoding")
BEFORE = ("clip", "log", "power", "quantile", "ratios")
AFTER = ("bins", "eliminate", "pca", "polynomial", "reshape", "select", "select_model", "smote", "splines", "svd")
CHOICES = [
    *[(name,) for name in ALONE],
    *[(name, "tabular") for name in BEFORE],
    *[("tabular", name) for name in (*AFTER, "select_forward", "undersample")],
    ("clip", "target_encoding", "smote", "select"),
    ("time_series",),
]
ELSEWHERE = {
    "native",
    "smote_categories",
}  # for models that take categories: tests/components/test_categories_as_they_are.py


def table_of(rng):
    days = pd.Series(pd.date_range("2023-01-01", periods=ROWS, freq="31h"))
    days[::13] = pd.NaT
    size = pd.Series(rng.normal(10, 2, ROWS))
    size[::7] = np.nan
    return pd.DataFrame(
        {
            "size": size,
            "width": rng.lognormal(1, 0.5, ROWS),
            "height": rng.normal(5, 1, ROWS),
            "shop": rng.choice(list("ABCDEFGH"), ROWS, p=[0.3, 0.2, 0.2, 0.1, 0.1, 0.05, 0.04, 0.01]),
            "bought": days,
            "note": [f"a {rng.choice(['cheap', 'dear', 'fair'])} thing number {i} by the wall" for i in range(ROWS)],
        }
    )


def other_rows(table, rng):
    """Return the table with every third test row as far from all others as can be."""
    wild = table.copy()
    rows = np.arange(TRAIN, ROWS, 3)
    for name in ("size", "width", "height"):
        wild.loc[rows, name] = rng.uniform(1e4, 1e6, len(rows))
    wild.loc[rows, "shop"] = "never seen"
    wild.loc[rows, "bought"] = pd.Timestamp("1999-01-01")
    wild.loc[rows, "note"] = "words unheard of"
    return wild, np.setdiff1d(np.arange(TRAIN, ROWS), rows) - TRAIN


def steps_of(*choices, overrides=()):
    with initialize_config_dir(str(CONF), version_base=None):
        config = compose(overrides=[f"+transforms=[{','.join(choices)}]", "+seed=0", *overrides])
    node = OmegaConf.to_container(config, resolve=True)["transforms"]
    shapes = {
        "svd": {"n_components": 3},
        "select": {"k": 4},
        "quantile": {"n_quantiles": 20},
    }
    return read_transforms({k: v and {**v, **shapes.get(k, {})} for k, v in node.items()}, "transforms")


def assembly(table, steps, model="sklearn.linear_model.LogisticRegression", task=Task.CLASSIFICATION):
    return Assembly(TrialSpec(ComponentSpec(model), steps), task, describe(table))


def blocks(made, table, y):
    rows = np.arange(ROWS)
    job = Job(table, y, None, made.columns, made.task, Scoring(()))
    return _Fits(job, (rows[:TRAIN], rows[TRAIN:]), made.builder).blocks(made.layout.root)


def dense(values):
    plain = values.toarray() if sparse.issparse(values) else np.asarray(values)
    return plain if plain.dtype == object else plain.astype(float)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def table(rng):
    return table_of(rng)


@pytest.fixture
def y(rng):
    return (rng.random(ROWS) > 0.7).astype(int)


@pytest.mark.parametrize("choices", CHOICES, ids="+".join)
def test_what_test_rows_hold_changes_nothing_but_themselves(choices, table, y, rng):
    wild, as_before = other_rows(table, rng)
    made = assembly(table, steps_of(*choices))
    first, second = blocks(made, table, y), blocks(made, wild, y)
    np.testing.assert_array_equal(dense(first.train), dense(second.train))
    np.testing.assert_array_equal(dense(first.test)[as_before], dense(second.test)[as_before])


@pytest.mark.parametrize("choices", CHOICES, ids="+".join)
def test_the_target_of_test_rows_has_no_say(choices, table, y):
    made = assembly(table, steps_of(*choices))
    flipped = np.r_[y[:TRAIN], 1 - y[TRAIN:]]
    first, second = blocks(made, table, y), blocks(made, table, flipped)
    np.testing.assert_array_equal(dense(first.train), dense(second.train))
    np.testing.assert_array_equal(dense(first.test), dense(second.test))


@pytest.mark.parametrize("choices", CHOICES, ids="+".join)
def test_the_pipeline_that_is_saved_computes_the_same(choices, table, y):
    made = assembly(table, steps_of(*choices))
    ours = blocks(made, table, y)
    pipeline = made.pipeline().set_params(model=Keeper()).fit(table[:TRAIN], y[:TRAIN])
    train, target = pipeline[-1].seen_
    np.testing.assert_array_equal(dense(ours.train), dense(train))
    np.testing.assert_array_equal(y[:TRAIN] if ours.y is None else ours.y, target)
    np.testing.assert_array_equal(dense(ours.test), dense(pipeline.predict(table[TRAIN:])))


class Keeper(ClassifierMixin, BaseEstimator):
    """Keeps what it is fitted on, and predicts what it is given."""

    def fit(self, X, y):
        self.seen_, self.classes_ = (X, y), np.unique(y)
        return self

    def predict(self, X):
        return X


def test_every_option_is_looked_at_here():
    there = {path.stem for path in (CONF / "transforms").glob("*.yaml")}
    assert there - {name for names in CHOICES for name in names} == {"auto", "none"} | ELSEWHERE


def test_a_regression_encodes_categories_by_the_mean_of_a_whole_number_target(table, rng):
    counts = rng.integers(0, 5, ROWS).astype(float)
    made = assembly(table, steps_of("target_encoding"), "sklearn.linear_model.Ridge", Task.REGRESSION)
    assert blocks(made, table, counts).train.shape == (TRAIN, 4)


# --- rows that are made, not found ---------------------------------------------------------------------------------


def test_resampling_evens_out_the_classes_of_training_and_leaves_test_rows_alone(table, y):
    even = blocks(assembly(table, steps_of("tabular", "smote")), table, y)
    plain = blocks(assembly(table, steps_of("tabular")), table, y)
    assert np.bincount(even.y).tolist() == [np.bincount(y[:TRAIN]).max()] * 2
    assert even.train.shape[0] == len(even.y) > TRAIN
    np.testing.assert_array_equal(dense(even.test), dense(plain.test))


def test_the_pipeline_of_a_resampled_model_is_imbalanced_learns_and_passes_the_step_by_to_predict(table, y):
    made = assembly(table, steps_of("tabular", "smote"))
    pipeline = made.pipeline()
    assert isinstance(pipeline, ImblearnPipeline)
    assert [name for name, _ in pipeline.steps] == ["columns", "resample", "model"]
    assert pipeline.fit(table, y).predict(table[:7]).shape == (7,)


STEPS = {
    "raw": {
        "away": {"_target_": "drop", "columns": ["note", "bought", "shop", "size"]},
        "resample": {"_target_": "imblearn.over_sampling.RandomOverSampler"},
    },
    "first": {
        "resample": {"_target_": "imblearn.under_sampling.RandomUnderSampler"},
        "fill": {"_target_": "sklearn.impute.SimpleImputer", "columns": "numeric"},
        "encode": {"_target_": "sklearn.preprocessing.OneHotEncoder", "columns": "shop", "handle_unknown": "ignore"},
        "away": {"_target_": "drop", "columns": ["text", "datetime"]},
    },
    "between": {
        "fill": {"_target_": "sklearn.impute.SimpleImputer", "columns": "numeric"},
        "encode": {"_target_": "sklearn.preprocessing.OneHotEncoder", "columns": "shop", "handle_unknown": "ignore"},
        "away": {"_target_": "drop", "columns": ["text", "datetime"]},
        "resample": {"_target_": "imblearn.over_sampling.RandomOverSampler"},
        "scale": {"_target_": "sklearn.preprocessing.MaxAbsScaler"},
    },
    "twice": {
        "away": {"_target_": "drop", "columns": ["text", "datetime", "shop"]},
        "fill": {"_target_": "sklearn.impute.SimpleImputer", "columns": "numeric"},
        "more": {"_target_": "imblearn.over_sampling.SMOTE", "k_neighbors": 2},
        "less": {"_target_": "imblearn.under_sampling.TomekLinks"},
    },
    "words_of_categories": {
        "away": {"_target_": "drop", "columns": ["text", "datetime"]},
        "fill": {"_target_": "sklearn.impute.SimpleImputer", "columns": "size"},
        "encode": {"_target_": "sklearn.preprocessing.OneHotEncoder", "columns": "shop", "handle_unknown": "ignore"},
        "more": {"_target_": "imblearn.over_sampling.SMOTE", "k_neighbors": 2},
        "components": {"_target_": "sklearn.decomposition.PCA", "n_components": 2},
    },
}


@pytest.mark.parametrize("model", ["sklearn.linear_model.LogisticRegression", "sklearn.naive_bayes.GaussianNB"])
@pytest.mark.parametrize("steps", STEPS.values(), ids=STEPS)
def test_wherever_rows_are_resampled_the_saved_pipeline_is_the_same(steps, model, table, y):
    made = assembly(table, read_transforms(steps, "transforms"), model)
    ours = blocks(made, table, y)
    pipeline = clone(made.pipeline()).set_params(model=Keeper()).fit(table[:TRAIN], y[:TRAIN])
    train, target = pipeline[-1].seen_
    np.testing.assert_array_equal(dense(ours.train), dense(train))
    np.testing.assert_array_equal(ours.y, target)
    np.testing.assert_array_equal(dense(ours.test), dense(pipeline.predict(table[TRAIN:])))
    assert sparse.issparse(ours.train) == sparse.issparse(train)


# --- what cannot be ------------------------------------------------------------------------------------------------


def test_resampling_a_part_of_the_columns_is_refused(table):
    steps = {"resample": {"_target_": "imblearn.over_sampling.SMOTE", "columns": "numeric"}}
    with pytest.raises(
        ConfigError, match=r"transforms\.resample\.columns: .*takes whole rows, and this leaves out bought"
    ):
        assembly(table, read_transforms(steps, "transforms")).layout  # noqa: B018 - computing it is the test


def test_resampling_what_has_no_classes_is_refused(table):
    made = assembly(table, steps_of("tabular", "smote"), "sklearn.linear_model.Ridge", Task.REGRESSION)
    assert "SMOTE evens out classes; the task is regression (transforms.resample=null)" in str(unsuitable(made))


def test_a_step_after_tensors_is_refused(table):
    steps = {
        "reshape": {"_target_": "mlops_cli.components.transforms.Reshape", "shape": [1, -1]},
        "scale": {"_target_": "sklearn.preprocessing.StandardScaler"},
    }
    with pytest.raises(ConfigError, match=r"transforms\.reshape: .*gives tensors, which the step scale cannot take"):
        assembly(table, read_transforms(steps, "transforms")).layout  # noqa: B018 - computing it is the test


def test_columns_can_be_left_out_of_a_kind(table):
    steps = {
        "scale": {"_target_": "sklearn.preprocessing.StandardScaler", "columns": ["numeric", "~width", "~nothing*"]},
        "away": {"_target_": "drop", "columns": ["~size", "~width", "~height"]},
    }
    out = blocks(assembly(table, read_transforms(steps, "transforms")), table, None)
    np.testing.assert_array_equal(dense(out.test)[:, -1], table["width"][TRAIN:])
    assert out.train.shape == (TRAIN, 3)
