"""A transform: fitted on the training rows of each split alone, whatever it learns."""

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data


class Limit(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Bring each value between two quantiles of its column."""

    def __init__(self, share=0.02):
        self.share = share

    def fit(self, X, y=None):
        X = validate_data(self, X, dtype="float64")
        self.low_, self.high_ = np.quantile(X, [self.share, 1 - self.share], axis=0)
        return self

    def transform(self, X):
        check_is_fitted(self)
        X = validate_data(self, X, dtype="float64", reset=False)
        return np.clip(X, self.low_, self.high_)
