"""A table becomes a dataset: each column in its role, a target that suits the task, or one line that says why not."""

import numpy as np
import pandas as pd
import pytest

from mlops_cli.components.dataset import column_named, make_dataset, read_table
from mlops_cli.components.metrics import positive_class
from mlops_cli.components.sources import CsvSource
from mlops_cli.errors import ConfigError, DataError
from mlops_cli.records import ComponentSpec, DataSpec, Task

N = 40


@pytest.fixture
def table() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "id": [f"p{i}" for i in range(N)],
            "age": rng.normal(size=N),
            "fare": rng.normal(size=N),
            "sex": ["m", "f"] * (N // 2),
            "site": np.repeat(np.arange(8), 5),
            "w": rng.uniform(size=N),
            "when": pd.date_range("2020", periods=N).astype(str),
            "cost": rng.normal(size=N),
            "y": ["no", "yes"] * (N // 2),
        }
    )


def spec(**roles) -> DataSpec:
    return DataSpec(ComponentSpec(""), **roles)


def dataset_of(table, task=None, **roles):
    return make_dataset(table, spec(**roles), task)[0]


def task_of(table, **roles):
    return make_dataset(table, spec(**roles))[1]


def test_each_column_is_in_its_role(table):
    data = dataset_of(table, target="y", id="id", group="site", weight="w", time="when", drop=("cost",))
    assert [c.name for c in data.features] == list(data.X.columns) == ["age", "fare", "sex"]
    assert data.y.tolist() == table.y.tolist()
    assert data.ids.tolist() == table.id.tolist()
    assert data.groups.tolist() == table.site.tolist()
    assert data.weights.tolist() == table.w.tolist()
    assert data.times[0] == pd.Timestamp(2020, 1, 1)
    assert list(data.extra) == ["cost"]
    assert data.version.rows == N
    assert data.version.target == "y"
    assert list(data.version.schema) == list(table.columns)


def test_any_column_is_found_by_name(table):
    data = dataset_of(table, target="y", id="id", drop=("cost",))
    assert [column_named(data, n).name for n in ("cost", "age", "id")] == ["cost", "age", "id"]
    assert column_named(data, "nope") is None


def test_features_and_drop_take_globs(table):
    assert list(dataset_of(table, target="y", features=("a*", "fare")).X) == ["age", "fare"]
    assert list(dataset_of(table, target="y", features=("*",), drop=("[wsi]*", "when", "cost")).X) == ["age", "fare"]


def test_a_name_with_a_star_matches_itself(table):
    renamed = table.rename(columns={"age": "a*"}).assign(ab=1)
    assert "ab" in dataset_of(renamed, target="y", drop=("a*",)).X


@pytest.mark.parametrize(
    ("roles", "says"),
    [
        ({"target": "yy"}, r"data\.target: 'yy' is no column of the data .*did you mean 'y'"),
        ({"target": "y", "id": "idd"}, r"data\.id: .*did you mean 'id'"),
        ({"target": "y", "drop": ("farr",)}, r"data\.drop: 'farr' is no column.*did you mean 'fare'"),
        ({"target": "y", "drop": ("zz*",)}, r"data\.drop: 'zz\*' matches no column"),
        ({"target": "y", "features": ("q*",)}, r"data\.features: 'q\*' matches no column"),
        ({"target": "y", "features": ("age", "y")}, r"data\.features: 'y' is the target and is never a feature"),
        ({"target": "y", "drop": ("y",)}, r"data\.drop: 'y' is the target"),
        ({"target": "y", "id": "y"}, r"'y' cannot be the target and the id at once"),
        ({"target": "y", "drop": ("*",)}, "no column is left as a feature"),
        ({"target": "y", "positive": "yess"}, r"data\.positive: 'yess' is no class.*did you mean 'yes'"),
        ({"target": "y", "positive": True}, r"data\.positive: True is no class of the target .*'no', 'yes'"),
    ],
)
def test_a_role_that_does_not_fit_is_named(table, roles, says):
    with pytest.raises(ConfigError, match=says):
        dataset_of(table, **roles)


@pytest.mark.parametrize(
    ("target", "task"),
    [
        (["a", "b"], Task.CLASSIFICATION),
        ([True, False], Task.CLASSIFICATION),
        ([0, 1], Task.CLASSIFICATION),
        ([0.0, 1.0], Task.CLASSIFICATION),
        ([0.5, 1.5], Task.REGRESSION),
        (range(N), Task.REGRESSION),
        (range(20), Task.CLASSIFICATION),
        (range(21), Task.REGRESSION),
        (pd.Categorical(["a", "b"]), Task.CLASSIFICATION),
    ],
)
def test_the_task_is_found_from_the_target(table, target, task):
    values = list(target)
    column = pd.Series([values[i % len(values)] for i in range(N)], dtype=getattr(target, "dtype", None))
    assert task_of(table.assign(y=column), target="y") is task


def test_no_target_is_clustering(table):
    data, task = make_dataset(table, spec(id="id"))
    assert task is Task.CLUSTERING
    assert data.y is None


def test_labels_are_kept_as_they_came(table):
    assert dataset_of(table, target="y").y.dtype.kind == "U"
    assert dataset_of(table.assign(y=[1, 2] * 20), target="y").y.dtype == "int64"
    assert dataset_of(table.assign(y=[True, False] * 20), target="y").y.dtype == "bool"
    assert dataset_of(table.assign(y=pd.Categorical(["b", "a"] * 20)), target="y").y.tolist() == ["b", "a"] * 20
    assert dataset_of(table.assign(y=range(40)), target="y").y.dtype == "float64"


@pytest.mark.parametrize(
    ("column", "task", "says"),
    [
        (["a", None] * 20, None, r"'y' is missing in 20 of 40 rows \(rows 2, 4, 6, 8, 10, …\)"),
        (["a"] * 40, None, "one class only"),
        ([0.5, 1.5] * 20, Task.CLASSIFICATION, "holds fractions such as 0.5.*task: regression"),
        (["a", "b"] * 20, Task.REGRESSION, "holds text such as 'a'.*task: classification"),
        ([np.inf, 1.5] * 20, Task.REGRESSION, "infinite in 20 rows"),
        (list(pd.date_range("2020", periods=40)), None, "holds dates"),
    ],
)
def test_a_target_that_cannot_be_learned_is_refused(table, column, task, says):
    with pytest.raises(DataError, match=says):
        dataset_of(table.assign(y=column), task, target="y")


class Held:
    """A source of a table in memory."""

    def __init__(self, table):
        self.table = table

    def load(self):
        return self.table


def dropped(table, **roles):
    asked = spec(target="y", missing_target="drop", **roles)
    read, notices = read_table(Held(table), asked)
    return read, make_dataset(read, asked, notices=notices)[0]


def test_rows_without_a_target_are_left_out_where_that_is_asked_for(table):
    gaps = table.assign(y=[None, *table.y[1:20], np.nan, *table.y[21:]])
    read, data = dropped(gaps, id="id")
    assert [n.message for n in data.notices] == ["2 of 40 rows have no y and are left out"]
    assert read.index.tolist() == data.ids.str[1:].astype(int).tolist() == [*range(1, 20), *range(21, 40)]
    assert data.y.tolist() == table.y[read.index].tolist()
    assert data.X.index.equals(pd.RangeIndex(38))
    assert data.version == dropped(table.drop(index=[0, 20]), id="id")[1].version


def test_nothing_is_left_out_where_every_row_has_a_target(table):
    read, data = dropped(table)
    assert (len(read), data.notices) == (N, ())
    assert data.version == dataset_of(table, target="y").version


def test_classes_keep_their_type_where_rows_are_left_out(table):
    assert dropped(table.assign(y=[np.nan, 0.0] + [0, 1] * 19))[1].y.dtype == "int64"
    booleans = pd.Series([None, True] + [False, True] * 19, dtype=object)
    assert dropped(table.assign(y=booleans))[1].y.dtype == "bool"
    assert dropped(table.assign(y=[np.nan, 0.5] * 20))[1].y.dtype == "float64"


def test_a_missing_target_is_an_error_that_names_its_mend(table):
    with pytest.raises(DataError, match=r"'y' is missing in 1 of 40 rows \(row 1\).*data\.missing_target=drop"):
        dataset_of(table.assign(y=[None, *table.y[1:]]), target="y")
    with pytest.raises(DataError, match=r"at least 2 rows are needed\. Got 0"):
        dropped(table.assign(y=None))


@pytest.mark.parametrize(
    ("target", "task", "guessed"),
    [
        (range(6), None, "'y' has 6 distinct whole numbers, which are taken as classes; `task=regression`"),
        ([1.0, 2.0, 3.0], None, "'y' has 3 distinct whole numbers"),
        (range(6), Task.CLASSIFICATION, None),
        (range(6), Task.REGRESSION, None),
        ([0, 1], None, None),
        (range(21), None, None),
        ("abc", None, None),
        ([True, False], None, None),
    ],
)
def test_it_is_said_that_whole_numbers_are_taken_as_classes(table, target, task, guessed):
    values = list(target)
    data = dataset_of(table.assign(y=[values[i % len(values)] for i in range(N)]), task, target="y")
    assert [n.code for n in data.notices] == (["task-guessed"] if guessed else [])
    assert all(n.message.startswith(guessed or "") for n in data.notices)


@pytest.mark.parametrize(
    ("written", "classes"),
    [(["True", "False"], [False, True]), (["y", "n"], ["n", "y"]), (["yes", "no"], ["no", "yes"])],
)
def test_two_classes_in_words_are_told_apart(write, written, classes):
    source = CsvSource(write("t.csv", "x,y\n" + "".join(f"{i},{written[i % 2]}\n" for i in range(N))))
    table, notices = read_table(source, spec(target="y"))
    data, task = make_dataset(table, spec(target="y"), notices=notices)
    assert task is Task.CLASSIFICATION
    assert np.unique(data.y).tolist() == classes
    assert positive_class(np.unique(data.y)) == classes[1]


def test_a_task_without_a_target_is_refused(table):
    with pytest.raises(ConfigError, match=r"data\.target: classification needs a target"):
        dataset_of(table, Task.CLASSIFICATION)


@pytest.mark.parametrize(
    ("weights", "says"),
    [
        ([-1.0] + [1.0] * 39, r"at least 0. Got -1.0 instead \(1 in all, row 1\)"),
        ([np.inf] + [1.0] * 39, "finite"),
        ([None] + [1.0] * 39, "missing in 1 of 40"),
        ([0.0] * 40, "0 in every row"),
        (["a"] * 40, "no numbers"),
    ],
)
def test_weights_must_be_finite_and_not_negative(table, weights, says):
    with pytest.raises(DataError, match=says):
        dataset_of(table.assign(w=weights), target="y", weight="w")


def test_missing_groups_and_times_are_refused(table):
    with pytest.raises(DataError, match=r"data\.group: 'site' is missing in 1"):
        dataset_of(table.assign(site=[None] + ["a"] * 39), target="y", group="site")
    with pytest.raises(DataError, match=r"column 'when': 40 of 40 values are no dates"):
        dataset_of(table.assign(when="later"), target="y", time="when")


def test_infinities_in_features_are_counted(table):
    age = table.age.copy()
    age[[3, 5]] = np.inf
    with pytest.raises(DataError, match=r"infinite values in the features: 'age' \(2\)"):
        dataset_of(table.assign(age=age), target="y")
    assert dataset_of(table.assign(age=age), target="y", drop=("age",)).rows == N


def test_a_column_without_a_value_is_left_out_and_said(table):
    data = dataset_of(table.assign(empty=np.nan), target="y")
    assert "empty" not in data.X
    assert "empty" in data.extra
    assert [n.code for n in data.notices] == ["all-missing"]


def test_lists_in_cells_are_refused_as_features_and_allowed_elsewhere(table):
    nested = table.assign(tags=[["a"]] * N)
    with pytest.raises(DataError, match="'tags' holds lists or mappings"):
        dataset_of(nested, target="y")
    assert dataset_of(nested, target="y", drop=("tags",)).version.version


def test_one_row_is_too_few(table):
    with pytest.raises(DataError, match="at least 2 rows"):
        dataset_of(table.head(1), target="y")


def test_missing_text_in_features_is_the_empty_string(table):
    review = [f"a film like number {i}" for i in range(N - 1)] + [None]
    assert dataset_of(table.assign(review=review), target="y").X.review.iloc[-1] == ""


def test_a_source_of_a_users_own_is_held_to_its_word():
    class Broken:
        def load(self):
            raise KeyError("token")

    class Wrong:
        def load(self):
            return [1, 2]

    with pytest.raises(DataError, match=r"data source Broken: load\(\) raised KeyError"):
        read_table(Broken(), spec())
    with pytest.raises(
        DataError, match=r"data source Wrong: load\(\) must return a DataFrame of pandas or polars. Got list"
    ):
        read_table(Wrong(), spec())


def test_a_source_that_only_loads_is_enough(table):
    class Mine:
        def load(self):
            return table

    read, notices = read_table(Mine(), spec(dtypes={"site": "str"}))
    assert notices == ()
    assert read.site[0] == "0"
