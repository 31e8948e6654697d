"""One model for each value of a column, and the naive forecast."""

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.base import clone
from sklearn.linear_model import LinearRegression
from sklearn.tree import DecisionTreeRegressor

from mlops_cli.components.forecasters import Naive, PerValue
from mlops_cli.store.trusted import check_types

AHEAD = np.repeat([1.0, 3.0], 20)
X = np.column_stack([np.arange(40.0), AHEAD])
Y = X[:, 0] * AHEAD


def test_each_value_has_a_model_of_its_own():
    model = PerValue(LinearRegression()).fit(X, Y)
    np.testing.assert_allclose(model.predict(X), Y)
    assert sorted(model.estimators_) == [1.0, 3.0]
    assert model.estimators_[3.0].coef_ == pytest.approx([3.0])


def test_a_column_may_be_named_where_there_are_names():
    table = pd.DataFrame(X[:, ::-1], columns=["horizon", "x"])
    np.testing.assert_allclose(PerValue(LinearRegression(), "horizon").fit(table, Y).predict(table), Y)
    with pytest.raises(ValueError, match="PerValue: the columns come without names here, so 'horizon' is not known"):
        PerValue(LinearRegression(), "horizon").fit(X, Y)


def test_a_value_that_was_not_in_training_is_told():
    model = PerValue(LinearRegression()).fit(X, Y)
    with pytest.raises(ValueError, match=r"column -1 holds 2, and in training held 1, 3"):
        model.predict([[0.0, 2.0]])


def test_the_inner_model_can_be_set_and_all_is_kept_by_skops():
    model = clone(PerValue(DecisionTreeRegressor())).set_params(estimator__max_depth=2).fit(X, Y)
    data = skops.io.dumps(model)
    types = skops.io.get_untrusted_types(data=data)
    check_types(types)
    np.testing.assert_array_equal(skops.io.loads(data, trusted=types).predict(X), model.predict(X))


def test_the_naive_forecast_is_a_column():
    table = pd.DataFrame({"sold_lag_7": [1.0, 2.0], "other": [5.0, 6.0]})
    assert Naive("sold_lag_7").fit(table, [0, 0]).predict(table).tolist() == [1.0, 2.0]
    with pytest.raises(ValueError, match=r"Naive: 'sold_lag_8' is none of the columns sold_lag_7, other"):
        Naive("sold_lag_8").fit(table, [0, 0])
    with pytest.raises(ValueError, match=r"feature names should match those that were passed during fit"):
        Naive("sold_lag_7").fit(table, [0, 0]).predict(table[["sold_lag_7"]])
    with pytest.raises(ValueError, match=r"it needs transforms=none; in a sweep"):
        Naive("sold_lag_7").fit(table.to_numpy(), [0, 0])
