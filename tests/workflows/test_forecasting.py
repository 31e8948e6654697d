"""Forecasts: rows that see their own past alone, scores as by hand, and errors in one line."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import Ridge
from sklearn.metrics import mean_absolute_error
from sklearn.model_selection import TimeSeriesSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import mlops_cli as mlops
from mlops_cli.components.dataset import make_dataset
from mlops_cli.components.forecasting import ORIGIN, supervised
from mlops_cli.components.transforms import dates
from mlops_cli.config.forecast import CYCLES, PARTS, read_forecast
from mlops_cli.errors import ConfigError, DataError, MlopsError
from mlops_cli.records import ComponentSpec, DataSpec, Task

AIR = """
    defaults: [experiment, {data: csv}, {transforms: time_series}, {model: ridge}, {split: forecast}, _self_]
    data:
      path: data/air.csv
      target: Passengers
      time: Month
      forecast:
        horizon: 1
        lags: [1, 2, 12]
        differences: [12]
        rolling: {window: [3, 12], stats: [mean, std]}
        calendar: [year]
        cycles: [month]
    evaluation: {metrics: [mae]}
    """
NAIVE = [
    "transforms=none",
    "~model",
    "+model={_target_: mlops_cli.components.forecasters.Naive, column: Passengers_lag_12}",
]


@pytest.fixture
def air(experiment, workspace, real_data):
    """The airline's passengers by month, as an experiment and as a table."""
    table = pd.read_csv(real_data("airline-passengers.csv"))
    table.to_csv(workspace / "data" / "air.csv", index=False)
    return experiment(AIR), table.assign(Month=pd.to_datetime(table["Month"]))


def by_hand(table, horizon):
    """Return the features of the experiment above as a person would write them with pandas."""
    y, past = table["Passengers"], table["Passengers"].shift(horizon)
    angle = 2 * np.pi * (table["Month"].dt.month - 1) / 12
    made = {f"lag_{k}": y.shift(k) for k in (1, 2, 12) if k >= horizon}
    made["difference_12"] = past - y.shift(horizon + 12)
    made |= {f"{s}_{w}": past.rolling(w).agg(s) for s in ("mean", "std") for w in (3, 12)}
    made |= {"year": table["Month"].dt.year, "sin": np.sin(angle), "cos": np.cos(angle)}
    rows = pd.DataFrame(made).dropna()
    return rows, y.loc[rows.index]


@pytest.mark.parametrize("horizon", [1, 2])
def test_scores_are_those_of_a_loop_by_hand(air, horizon):
    name, table = air
    lags = [k for k in (1, 2, 12) if k >= horizon]
    run = mlops.run(name, [f"data.forecast.horizon={horizon}", f"data.forecast.lags={lags}"])
    X, y = by_hand(table, horizon)
    expected = []
    for train, test in TimeSeriesSplit(5, gap=horizon - 1).split(X):
        model = make_pipeline(StandardScaler(), Ridge()).fit(X.iloc[train], y.iloc[train])
        expected.append(mean_absolute_error(y.iloc[test], model.predict(X.iloc[test])))
    np.testing.assert_allclose(run.metrics["mae"].splits, expected, rtol=0, atol=1e-9)


def test_a_ridge_on_its_past_beats_the_value_of_a_year_ago(air):
    name, table = air
    ridge = mlops.run(name, ["evaluation.test=0.2"])
    naive = mlops.run(name, [*NAIVE, "evaluation.test=0.2"])
    assert ridge.metrics["mae"].mean < naive.metrics["mae"].mean / 2
    assert ridge.metrics["mae"].test < naive.metrics["mae"].test / 2
    held = table["Passengers"].diff(12).abs().iloc[-26:]  # a fifth of the rows that have a whole past
    assert naive.metrics["mae"].test == pytest.approx(held.mean())


def test_several_horizons_are_rows_of_their_own_and_a_model_each(air, experiment):
    _, table = air
    name = experiment(
        """
        defaults: [experiment, {data: csv}, {transforms: time_series}, {split: forecast}, _self_]
        data:
          path: data/air.csv
          target: Passengers
          time: Month
          forecast: {horizon: [1, 3], lags: [1, 3, 12]}
        model:
          _target_: mlops_cli.components.forecasters.PerValue
          estimator: {_target_: sklearn.linear_model.Ridge}
        split: {test_size: 12}
        evaluation: {metrics: [mae]}
        """,
        "several",
    )
    run = mlops.run(name)
    y = table["Passengers"]
    seen = pd.DataFrame({"lag_1": y.shift(1), "lag_3": y.shift(3), "lag_12": y.shift(12), "y": y}).iloc[12:]
    expected = []
    for start in range(144 - 1 - 60, 144 - 1, 12):  # the month whose value is the last one known
        errors = []
        for ahead, names in ((1, ["lag_1", "lag_3", "lag_12"]), (3, ["lag_3", "lag_12"])):
            train, test = seen.loc[:start], seen.loc[start + ahead : start + ahead + 11]
            # what is scaled is scaled over the rows of both horizons; where a lag is unknown it is one number for all
            scale = StandardScaler().fit(pd.concat([seen.loc[:start]] * 2)[names])
            if ahead == 1:
                both = pd.concat([train["lag_1"], pd.Series(train["lag_1"].median(), train.index)])
                scale.mean_[0], scale.scale_[0] = both.mean(), both.std(ddof=0)
            model = Ridge().fit(scale.transform(train[names]), train["y"])
            errors.extend((test["y"] - model.predict(scale.transform(test[names]))).abs())
        expected.append(np.mean(errors))
    np.testing.assert_allclose(run.metrics["mae"].splits, expected, rtol=0, atol=1e-9)


def test_trees_take_several_horizons_and_the_gaps_in_what_is_known(air):
    name, _ = air
    run = mlops.run(name, ["data.forecast.horizon=[1,2,3]", "model=hist_gradient_boosting", "transforms=none"])
    assert [c.name for c in run.record.dataset.columns] == ["Month", "Passengers"]  # the version of what was read
    assert run.status == "completed"


def test_the_past_can_be_swept_over_by_leaving_columns_out(air):
    name, _ = air
    space = 'sweep.space={transforms.away: [null, {_target_: drop, columns: "*_std_*"}]}'
    run = mlops.run(name, [space, "launcher.n_jobs=1"])
    assert len({r.scores["mae"] for r in run.results}) == 2


def test_a_saved_forecast_opens_and_predicts(air):
    name, table = air
    run = mlops.run(name)
    X, y = by_hand(table, 1)
    hand = make_pipeline(StandardScaler(), Ridge()).fit(X, y).predict(X)
    order = [c.name for c in run.model().signature.inputs]
    np.testing.assert_allclose(run.model().predict(X.set_axis(order, axis=1)), hand)


def test_an_ordinary_split_that_trains_on_what_is_not_known_yet_is_told_of(air):
    name, _ = air
    three = ["data.forecast.horizon=3", "data.forecast.lags=[3,12]"]
    early = mlops.run(name, [*three, "split=time_series"])
    assert [n.message for n in early.record.warnings if n.code == "time-travel"] == [
        "a split trains on values that are not yet known when its test rows are forecast: choose split=forecast"
    ]
    fine = [mlops.run(name, [*three, "split=time_series", "split.gap=2"]), mlops.run(name, three)]
    assert [n for run in fine for n in run.record.warnings if n.code == "time-travel"] == []


# --- many series ---------------------------------------------------------------------------------------------------


def shops(days=40, shops_=3, seed=0):
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "day": np.tile(pd.date_range("2024-01-01", periods=days), shops_),
            "shop": np.repeat(list("abcdef")[:shops_], days),
            "holiday": rng.integers(0, 2, days * shops_),
            "visitors": rng.normal(100, 10, days * shops_).round(),
            "sold": rng.normal(50, 5, days * shops_).round(2),
        }
    )
    return table.sample(frac=1, random_state=seed).reset_index(drop=True)


FORECAST = {
    "horizon": 2,
    "lags": [2, 3, 7],
    "differences": [1],
    "rolling": {"window": [3], "stats": ["mean", "std", "min", "max", "ewm"]},
    "by": "shop",
    "known": ["holiday"],
    "past": ["visitors"],
    "calendar": ["day_of_week", "elapsed"],
}


def rows_of(table, forecast=FORECAST, **roles):
    """Return the rows to learn from, and the table in the order of time that they come from."""
    ordered = table.sort_values("day", kind="stable").reset_index(drop=True)
    spec = DataSpec(ComponentSpec("x"), target="sold", time="day", forecast=read_forecast(forecast, "f"), **roles)
    dataset, task = make_dataset(ordered, spec)
    return supervised(dataset, spec.forecast, task), ordered


def test_each_series_sees_its_own_past():
    made, ordered = rows_of(shops())
    for shop, rows in ordered.groupby("shop"):
        mine = np.flatnonzero(ordered["shop"].to_numpy()[made.rows] == shop)
        X, past = made.X.iloc[mine].reset_index(drop=True), rows.loc[made.rows[mine]].reset_index(drop=True)
        full = rows.assign(
            lag=rows["sold"].shift(7),
            mean=rows["sold"].shift(2).rolling(3).mean(),
            ewm=rows["sold"].shift(2).ewm(span=3).mean(),
            difference=rows["sold"].shift(2) - rows["sold"].shift(3),
            visited=rows["visitors"].shift(3),
        ).iloc[7:]
        assert len(full) == len(X)
        for ours, theirs in [
            ("sold_lag_7", "lag"),
            ("sold_mean_3", "mean"),
            ("sold_ewm_3", "ewm"),
            ("sold_difference_1", "difference"),
            ("visitors_lag_3", "visited"),
        ]:
            np.testing.assert_allclose(X[ours], full[theirs])
        np.testing.assert_array_equal(X["holiday"], past["holiday"])
        assert (X["shop"] == shop).all()


def test_what_nobody_says_is_known_is_left_out_aloud():
    made, _ = rows_of(shops(), {"lags": [1], "by": "shop", "past": ["visitors"]})
    assert "holiday" not in made.X
    (notice,) = made.notices
    assert notice.code == "columns-left-out"
    assert notice.message.startswith(
        "holiday: left out, since nothing says it is known 1 step ahead; name what is known"
    )


CHANGES = st.tuples(st.integers(0, 39), st.sampled_from(["sold", "visitors"]), st.floats(-1e6, 1e6))


@settings(max_examples=60)
@given(st.lists(CHANGES, min_size=1, max_size=8), st.sampled_from([1, 2, 3, [1, 3]]), st.integers(0, 3))
def test_no_feature_of_a_row_depends_on_what_comes_later_than_its_horizon_allows(changes, horizon, seed):
    table = shops(seed=seed)
    forecast = {**FORECAST, "horizon": horizon, "lags": [3, 7]}
    before, _ = rows_of(table, forecast)
    changed = table.copy()
    days = pd.date_range("2024-01-01", periods=40)
    first = min(days[day] for day, _, _ in changes)
    for day, column, value in changes:
        changed.loc[changed["day"] == days[day], column] += value
    after, _ = rows_of(changed, forecast)
    untouched = (before.extra[ORIGIN] < first).to_numpy()
    pd.testing.assert_frame_equal(before.X[untouched], after.X[untouched], check_exact=True)


def test_the_origin_of_a_row_is_its_horizon_before_it():
    made, ordered = rows_of(shops(), {**FORECAST, "horizon": [2, 5]})
    ahead = pd.to_timedelta(made.X["horizon"], unit="D")
    times = ordered["day"].iloc[made.rows].reset_index(drop=True)
    assert (times - ahead == made.extra[ORIGIN]).all()
    assert times.is_monotonic_increasing
    assert made.X.columns[-1] == "horizon"


def test_shops_are_split_by_whole_days_and_held_out_by_them(experiment, workspace):
    shops().to_csv(workspace / "data" / "shops.csv", index=False)
    name = experiment("""
        defaults: [experiment, {data: csv}, {transforms: time_series}, {model: ridge}, {split: forecast}, _self_]
        data:
          path: data/shops.csv
          target: sold
          time: day
          forecast: {horizon: 2, lags: [2, 7], by: shop, known: [holiday], past: [visitors]}
        evaluation: {metrics: [mae], test: 0.2}
        """)
    run = mlops.run(name)
    made, _ = rows_of(shops(), {"horizon": 2, "lags": [2, 7], "by": "shop", "known": ["holiday"], "past": ["visitors"]})
    assert [c.name for c in run.model().signature.inputs] == list(made.X.columns)
    held = pd.read_parquet(run.path / "predictions_test.parquet")
    assert len(held) == 3 * (7 - 1)  # seven of 33 days; the first of them is forecast when training is not yet over
    assert run.status == "completed"


def test_every_part_of_a_time_that_the_config_knows_is_made():
    assert {*PARTS} == {*dates.PARTS, dates.ELAPSED}
    assert {*CYCLES} == {*dates.CYCLES}


# --- what cannot be ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("forecast", "message"),
    [
        ({"horizon": 3, "lags": [1, 12]}, r"f\.lags: found 1, must be 3 or more: what happened 1 back is not known 3"),
        ({}, r"f\.lags: found null, must be how many rows back, such as \[1, 2, 12\]"),
        ({"lags": [0]}, r"f\.lags: found 0, must be"),
        ({"lag": [1]}, r"f\.lag: unknown key .*did you mean 'lags'"),
        ({"lags": [1], "rolling": {"stats": ["mean"]}}, r"f\.rolling\.window: found null"),
        ({"rolling": {"window": 3, "stats": ["meen"]}}, r"f\.rolling\.stats: found 'meen' .*did you mean 'mean'"),
        ({"lags": [1], "calendar": ["mont"]}, r"f\.calendar: found 'mont' .*did you mean 'month'"),
        ({"horizon": [], "lags": [1]}, r"f\.horizon: found a list, \[\], must be how many steps ahead"),
        ({"lags": [1], "known": ["holidy"]}, r"known: 'holidy' is no feature of the data .*did you mean 'holiday'"),
        ({"lags": [1], "by": "shp"}, r"by: the data has no column 'shp' .*did you mean 'shop'"),
        ({"lags": [1], "by": "shop", "past": ["shop"]}, r"past: 'shop' holds no numbers, so it has no lags"),
        ({"lags": [1]}, r"data\.forecast: the series has several rows at 2024-01-01 .*data\.forecast\.by"),
        ({"lags": [50], "by": "shop"}, r"data\.forecast: no row has a past of 50 rows"),
        (
            {"lags": [1], "by": "shop", "known": ["holiday"], "past": ["holiday"]},
            r"'holiday' is known in advance",
        ),
    ],
)
def test_what_is_wrong_is_told_in_one_line(forecast, message):
    with pytest.raises(MlopsError, match=message) as caught:
        rows_of(shops(), forecast)
    assert "\n" not in str(caught.value)


def test_times_that_are_missing_are_told_of():
    table = shops()
    made, _ = rows_of(table[table["day"] != pd.Timestamp("2024-01-20")], {"lags": [1], "by": "shop"})
    assert "irregular-times" in {n.code for n in made.notices}
    months = pd.DataFrame({"day": pd.date_range("2020-01-01", periods=30, freq="MS"), "sold": np.arange(30.5, 60)})
    made, _ = rows_of(months, {"lags": [1]})
    assert made.notices == ()  # months differ in days, and are regular


def test_a_forecast_without_a_time_or_of_a_class_is_refused():
    table = shops()
    spec = DataSpec(ComponentSpec("x"), target="sold", forecast=read_forecast({"lags": [1]}, "f"))
    dataset, _ = make_dataset(table, spec)
    with pytest.raises(ConfigError, match=r"data\.time: a forecast needs the time of each row .*data\.time=COLUMN"):
        supervised(dataset, spec.forecast, Task.REGRESSION)
    spec = DataSpec(ComponentSpec("x"), target="shop", time="day", forecast=read_forecast({"lags": [1]}, "f"))
    dataset, task = make_dataset(table, spec)
    with pytest.raises(ConfigError, match=r"data\.forecast: a forecast is of a number; the task is classification"):
        supervised(dataset, spec.forecast, task)


def test_a_test_file_is_refused_since_its_past_lies_elsewhere(air):
    name, _ = air
    with pytest.raises(ConfigError, match=r"evaluation\.test: the past of a file's rows lies in another file"):
        mlops.run(name, ["evaluation.test=data/air.csv"])


def test_a_series_too_short_for_its_splits_is_told(air):
    name, _ = air
    with pytest.raises(DataError, match=r"split: TimeSplit cannot split the data: 200 splits need at least 201 times"):
        mlops.run(name, ["split.n_splits=200"])


def test_trees_by_hand_agree_on_the_past_of_many_series(experiment, workspace):
    shops(days=60).to_csv(workspace / "data" / "shops.csv", index=False)
    name = experiment("""
        defaults: [experiment, {data: csv}, {model: hist_gradient_boosting}, {split: forecast}, _self_]
        data: {path: data/shops.csv, target: sold, time: day, forecast: {lags: [1, 7], by: shop, known: [holiday]}}
        transforms: {away: {_target_: drop, columns: shop}}
        evaluation: {metrics: [mae]}
        """)
    table = pd.read_csv("data/shops.csv").sort_values("day", kind="stable").reset_index(drop=True)
    by = table.groupby("shop")["sold"]
    seen = table.assign(lag_1=by.shift(1), lag_7=by.shift(7)).dropna().reset_index(drop=True)
    X, y, days = seen[["lag_1", "lag_7", "holiday"]], seen["sold"], np.unique(seen["day"])
    expected = []
    for train, test in TimeSeriesSplit(5).split(days):
        rows, held = seen["day"].isin(days[train]), seen["day"].isin(days[test])
        model = HistGradientBoostingRegressor(random_state=0).fit(X[rows].to_numpy(), y[rows])
        expected.append(mean_absolute_error(y[held], model.predict(X[held].to_numpy())))
    np.testing.assert_allclose(mlops.run(name).metrics["mae"].splits, expected, rtol=0, atol=1e-9)
