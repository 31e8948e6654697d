"""A way to split: whatever has split and get_n_splits as scikit-learn's have."""

import numpy as np


class EveryNth:
    """Test on every n-th row, from the first, the second, … on."""

    def __init__(self, n_splits=5):
        self.n_splits = n_splits

    def split(self, X, y=None, groups=None):
        rows = np.arange(len(X))
        for first in range(self.n_splits):
            is_test = rows % self.n_splits == first
            yield rows[~is_test], rows[is_test]

    def get_n_splits(self, X=None, y=None, groups=None):
        return self.n_splits
