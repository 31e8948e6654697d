"""Forecasts: rows that see their own past alone, scores as by hand, and errors in one line."""

from __future__ import annotations

from pathlib import Path

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
from mlops_cli.components.seasons import Season, season_of
from mlops_cli.components.transforms import dates
from mlops_cli.config.forecast import read_forecast
from mlops_cli.errors import ConfigError, DataError, MlopsError
from mlops_cli.records import (
    Baseline,
    ComponentSpec,
    Counts,
    DataSpec,
    Direction,
    ForecastSpec,
    MetricSummary,
    PairedDifference,
    RunRecord,
    RunStatus,
    Task,
    Verdict,
)
from mlops_cli.views.baselines import against_baselines
from mlops_cli.workflows.running.prepare import RunOptions
from mlops_cli.workflows.running.run import dry

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
    told = run.predictions().assign(error=lambda t: (t["target"] - t["prediction"]).abs())
    assert list(told.columns)[:6] == ["split", "row", "Month", "horizon", "target", "prediction"]
    assert not told.duplicated(["split", "Month", "horizon"]).any()
    np.testing.assert_allclose(told.groupby("split")["error"].mean(), expected)


@pytest.mark.parametrize("transforms", ["tabular", "[time_series,pca]"])
def test_a_model_for_each_horizon_is_refused_where_the_steps_change_the_horizon(air, transforms):
    each = (
        "model={_target_: mlops_cli.components.forecasters.PerValue, estimator: {_target_: sklearn.linear_model.Ridge}}"
    )
    several = ["data.forecast.horizon=[1,2]", "~model", f"+{each}"]
    with pytest.raises(
        ConfigError, match=r"the steps change horizon or leave it not last .choose transforms=time_series"
    ):
        mlops.run(air[0], [*several, f"transforms={transforms}"])


def test_a_column_that_is_called_as_the_origin_is_a_column(experiment, workspace):
    days = pd.date_range("2024-01-01", periods=40)
    table = pd.DataFrame({"day": days, "forecast_origin": days[::-1], "a": np.arange(40) % 7, "y": np.arange(40) % 5})
    table.to_csv(workspace / "data" / "d.csv", index=False)
    table.rename(columns={"forecast_origin": "planned"}).to_csv(workspace / "data" / "e.csv", index=False)
    name = experiment("""
        defaults: [experiment, {data: csv}, {transforms: tabular}, {model: ridge}, {split: forecast}, _self_]
        data: {path: data/d.csv, target: y, time: day, dtypes: {forecast_origin: datetime}}
        task: regression
        artifacts: {keep: none}
        """)
    other = ["data.path=data/e.csv", "~data.dtypes.forecast_origin", "+data.dtypes.planned=datetime"]
    found = [mlops.run(name, more).record.splits.digest for more in ([], ["data.drop=[forecast_origin]"], other)]
    assert found == [found[0]] * 3


def test_what_is_made_of_the_past_is_no_leak_of_the_target(air):
    name, table = air
    walk = table.assign(Passengers=np.arange(len(table)) * 1000 + table["Passengers"] % 7)
    walk.to_csv("data/air.csv", index=False)
    assert "target-leak" not in {n.code for n in dry(name, [], RunOptions()).notices}


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
    later = mlops.run(name, [*three, "split=kfold"])
    assert [n.message for n in later.record.warnings if n.code == "time-travel"] == [
        "a split trains on rows that are later than those it is scored on: choose split=forecast"
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
    told = shops().merge(held, on=["day", "shop"], validate="one_to_one")
    np.testing.assert_array_equal(told["sold"], told["target"])
    assert len(told) == len(held)
    assert len(held) == 3 * (7 - 1)  # seven of 33 days; the first of them is forecast when training is not yet over
    assert run.status == "completed"


def test_every_part_of_a_time_that_the_config_knows_is_made():
    spec = read_forecast({"calendar": [*dates.PARTS, dates.ELAPSED], "cycles": [*dates.CYCLES]}, "f")
    assert {*spec.calendar} == {*dates.PARTS, dates.ELAPSED}
    assert {*spec.cycles} == {*dates.CYCLES}


# --- against the naive forecasts -----------------------------------------------------------------------------------


def naive_of(run, name):
    """Return one of a run's naive forecasts by a part of its name."""
    (found,) = [b for b in run.record.baselines if name in b.name]
    return found


def test_a_forecast_is_held_against_the_value_of_a_year_ago_and_the_latest_one(air):
    name, table = air
    run = mlops.run(name, ["evaluation.test=0.2"])
    rows, y = by_hand(table, 1)
    seen = len(rows) - 26  # the others are held out
    for called, back in (("12 rows before", 12), ("latest known", 1)):
        errors = y.sub(table["Passengers"].shift(back).loc[y.index]).abs()
        found = naive_of(run, called).metrics["mae"]
        expected = [errors.iloc[test].mean() for _, test in TimeSeriesSplit(5).split(np.zeros(seen))]
        np.testing.assert_allclose(found.splits, expected)
        assert found.test == pytest.approx(errors.iloc[-26:].mean())
    assert naive_of(run, "12 rows before").about == "12 months are a year"
    latest, _ = (b.metrics["mae"].mean for b in run.record.baselines)  # the stronger one first
    assert naive_of(run, "latest known").metrics["mae"].mean == latest


def test_how_much_better_it_is_is_what_a_comparison_with_a_naive_run_says(air):
    name, _ = air
    many = ["split.n_splits=10", "split.test_size=6"]
    ridge, naive = mlops.run(name, many), mlops.run(name, [*NAIVE, *many])
    paired = mlops.compare(naive, ridge).found.pairings[0].differences[0]
    assert naive_of(ridge, "12 rows before").difference == paired
    assert paired.verdict is Verdict.BETTER
    assert naive_of(naive, "12 rows before").difference.verdict is Verdict.SAME


def test_what_came_of_it_is_told_at_the_end_in_the_listing_of_one_run_and_in_its_report(air, mlops):
    name, _ = air
    done = mlops("run", f"config={name}", "split.n_splits=10", "split.test_size=6", env={"COLUMNS": "200"})
    said = "beats the latest known value: mae 11.45 against 37.60, better on 10 of 10 splits (p < 0.001)"
    assert said in done.stdout
    assert said in mlops("runs", "show", "latest", env={"COLUMNS": "200"}).stdout
    mlops("report", "latest", "-o", "page.html")
    assert said.replace("<", "&lt;") in Path("page.html").read_text()


def test_what_is_not_known_yet_is_of_more_seasons_before(air):
    name, table = air
    run = mlops.run(name, ["data.forecast.horizon=[1,13]", "split.test_size=6"])
    found = naive_of(run, "12 or 24 rows before")
    y, errors = table["Passengers"], []
    for origin in range(143 - 30, 143, 6):
        near, far = [y.shift(back).sub(y).abs() for back in (12, 24)]
        errors.append(pd.concat([near.loc[origin + 1 : origin + 6], far.loc[origin + 13 : origin + 18]]).mean())
    np.testing.assert_allclose(found.metrics["mae"].splits, errors)


def test_of_a_series_that_has_just_begun_the_latest_value_is_taken_and_said(experiment, workspace):
    table = shops()
    late = (table["shop"] == "c") & (table["day"] < "2024-01-30")
    table[~late].to_csv(workspace / "data" / "shops.csv", index=False)
    name = experiment("""
        defaults: [experiment, {data: csv}, {transforms: time_series}, {model: ridge}, _self_]
        data: {path: data/shops.csv, target: sold, time: day, forecast: {lags: [1, 2], by: shop}}
        split: {_target_: mlops_cli.components.splitters.TimeSplit, column: day, n_splits: 1, test_size: 8}
        evaluation: {metrics: [mae]}
        """)
    run = mlops.run(name)
    ordered = table[~late].sort_values(["shop", "day"])
    past = ordered.groupby("shop")["sold"]
    naive = past.shift(7).fillna(past.shift(1))
    tested = ordered["day"] >= "2024-02-02"
    found = naive_of(run, "7 rows before")
    assert found.metrics["mae"].mean == pytest.approx((ordered["sold"] - naive)[tested].abs().mean())
    unknown = int(past.shift(7)[tested].isna().sum())
    assert unknown == 4
    told = f"not known of {unknown} of {tested.sum()} test rows, which take the latest value"
    assert found.about == f"7 days are a week; {told}"
    assert found.difference.verdict is Verdict.UNKNOWN  # a single split


@pytest.mark.parametrize(
    ("times", "lags", "expected"),
    [
        (pd.date_range("2024-01-01", periods=60, freq="h"), (1,), Season(24, "24 hours are a day")),
        (pd.date_range("2024-01-01", periods=300, freq="15min"), (), Season(96, "96 rows are a day")),
        (pd.date_range("2024-01-01", periods=60), (1, 30), Season(7, "7 days are a week")),
        (pd.bdate_range("2024-01-01", periods=60), (1,), Season(5, "5 days are a week")),
        (pd.date_range("2020-01-01", periods=120, freq="W"), (), Season(52, "52 weeks are a year")),
        (pd.date_range("2020-01-01", periods=30, freq="MS"), (1,), Season(12, "12 months are a year")),
        (pd.date_range("2020-01-31", periods=30, freq="QE"), (1,), Season(4, "4 quarters are a year")),
        (pd.date_range("2020-01-01", periods=24, freq="MS"), (1, 2), Season(2, "2 is the greatest lag")),  # too short
        (pd.date_range("1950-01-01", periods=30, freq="YS"), (1, 3), Season(3, "3 is the greatest lag")),
        (pd.RangeIndex(30), (1, 3), Season(3, "3 is the greatest lag")),
        (pd.RangeIndex(30), (), Season(1)),
    ],
)
def test_the_season_is_that_of_the_calendar_else_the_greatest_lag(times, lags, expected):
    assert season_of(pd.Series(times).repeat(2), ForecastSpec(lags=lags)) == expected


def test_a_gap_in_the_times_changes_no_season():
    days = pd.Series(pd.date_range("2024-01-01", periods=60)).drop([10, 11, 30])
    assert season_of(days, ForecastSpec()).rows == 7


def test_a_metric_that_cannot_take_the_naive_forecast_leaves_the_run_as_it_is(experiment, workspace):
    table = pd.DataFrame({"day": pd.date_range("2024-01-01", periods=30), "sold": np.arange(30) % 3 + 5.5})
    table.loc[24, "sold"] = 0  # no gamma deviance from a forecast of 0
    table.to_csv(workspace / "data" / "days.csv", index=False)
    name = experiment("""
        defaults: [experiment, {data: csv}, {transforms: time_series}, {model: dummy}, _self_]
        data: {path: data/days.csv, target: sold, time: day, forecast: {lags: [1]}}
        split: {_target_: mlops_cli.components.splitters.TimeSplit, column: day, n_splits: 1, test_size: 5}
        evaluation: {metrics: [mean_gamma_deviance]}
        """)
    run = mlops.run(name)
    assert run.status == "completed"
    assert run.record.baselines == ()
    (said,) = [n.message for n in run.record.warnings if n.code == "baseline-failed"]
    assert said.startswith("the naive forecast could not be scored: ValueError: ")


def record(verdict, p, ours, naive, *, direction=Direction.MINIMIZE, trials=1):
    summary, other = (MetricSummary(sum(v) / len(v), None, None, tuple(v), None) for v in (ours, naive))
    found = PairedDifference("mae", direction, summary.mean - other.mean, None, p, len(ours), verdict)
    return RunRecord(
        id="a/1",
        path=Path("runs/a/1"),
        experiment="a",
        status=RunStatus.COMPLETED,
        started="2026-01-01T00:00:00+00:00",
        primary="mae",
        direction=direction,
        metrics={"mae": summary},
        baselines=(Baseline("the latest known value", "", {"mae": other}, found),),
        counts=Counts(trials=trials, completed=trials),
    )


@pytest.mark.parametrize(
    ("found", "line"),
    [
        (
            record(Verdict.BETTER, 0.012, [1, 2], [3, 4]),
            "beats the latest known value: mae 1.5000 against 3.5000, better on 2 of 2 splits (p = 0.012)",
        ),
        (
            record(Verdict.NOISE, 0.3, [1, 5], [3, 4]),
            (
                "no evidence that it beats the latest known value: mae 3.0000 against 3.5000, better on 1 of 2 splits "
                "(p = 0.30, within noise)"
            ),
        ),
        (
            record(Verdict.NOISE, 0.3, [3, 5], [3, 4]),
            (
                "no better than the latest known value: mae 4.0000 against 3.5000, better on 0 of 2 splits "
                "(p = 0.30, within noise)"
            ),
        ),
        (
            record(Verdict.WORSE, 0.0001, [9, 9], [3, 4]),
            "worse than the latest known value: mae 9.0000 against 3.5000, better on 0 of 2 splits (p < 0.001)",
        ),
        (
            record(Verdict.SAME, None, [3, 4], [3, 4]),
            "the same as the latest known value on every split: mae 3.5000 against 3.5000",
        ),
        (
            record(Verdict.UNKNOWN, None, [1], [3]),
            "better than the latest known value: mae 1.0000 against 3.0000 (one split cannot tell that from chance)",
        ),
        (
            record(Verdict.UNKNOWN, None, [1, 2], [3, 4], direction=Direction.MAXIMIZE),
            (
                "no better than the latest known value: mae 1.5000 against 3.5000, better on 0 of 2 splits "
                "(no variance to test by)"
            ),
        ),
    ],
)
def test_what_is_said_follows_from_the_test(found, line):
    assert against_baselines(found) == [line]


def test_the_best_of_many_trials_owes_part_of_its_lead_to_luck():
    _, luck = against_baselines(record(Verdict.BETTER, 0.01, [1, 2], [3, 4], trials=9))
    assert luck == "it is the best of 9 trials by these scores: part of its lead is luck"


def test_a_model_and_a_naive_forecast_of_ones_own_are_tried_in_one_sweep(air, workspace):
    name, _ = air
    (workspace / "configs" / "model").mkdir()
    (workspace / "configs" / "model" / "naive.yaml").write_text(
        "{_target_: mlops_cli.components.forecasters.Naive, column: Passengers_lag_12}"
    )
    parts = "{model: ridge, transforms: time_series}, {model: naive, transforms: none}"
    run = mlops.run(name, [f"sweep.space=[{parts}]"], n_jobs=1)
    assert run.results[1].scores["mae"] == naive_of(run, "12 rows before").metrics["mae"].splits
    wrong = mlops.run(name, ["model=ridge,naive"], n_jobs=1)
    (error,) = [r.error.message for r in wrong.results if r.error]
    assert "it needs transforms=none; in a sweep: sweep.space=[{model: naive, transforms: none}" in error


def test_runs_that_see_another_past_are_told_to_see_the_same(air):
    name, _ = air
    first = mlops.run(name)
    other = mlops.run(name, ["data.forecast.differences=null", "data.forecast.cycles=null"])
    (pairing,) = mlops.compare(first, other).found.pairings
    assert pairing.refused == (
        "their rows were split differently (A has 5 splits of 131 rows, B 5 splits of 132 rows, those with a whole "
        "past): data.forecast.differences is [12] in A and null in B; run B again with data.forecast as in A, and "
        "leave columns out by a step: transforms.away={_target_: drop, columns: …}"
    )


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


def test_lags_that_are_not_known_yet_at_a_horizon_are_told_of(air):
    name, _ = air
    several = ["data.forecast.horizon=[1,2,13]", "data.forecast.lags=[1,12]"]
    told = {n.code: n.message for n in mlops.run(name, several).record.warnings}
    assert told["empty-lags"].startswith(
        "not known yet, and so missing: lag 1 for horizons 2, 13, lag 12 for horizon 13;"
    )
    naive = mlops.run(name, [*NAIVE, *several])
    (error,) = [r.error.message for r in naive.results]
    assert "column 'Passengers_lag_12' is missing in" in error
    assert "at horizon 13 (choose a lag that is no fewer rows than the greatest horizon)" in error


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
