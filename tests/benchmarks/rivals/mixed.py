"""What the scripts on the mixed table have in common."""

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler


def read():
    """Return the features and the target."""
    table = pd.read_csv("data/mixed.csv")
    return table.drop(columns="target"), table["target"].to_numpy()


def columns(X):
    """Return the transforms."""
    numeric = [name for name in X if name.startswith("n")]
    categorical = [name for name in X if name.startswith("c")]
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    categories = make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore"))
    return ColumnTransformer([("numeric", numbers, numeric), ("categorical", categories, categorical)])


def model(C=1.0):
    """Return the model."""
    return LogisticRegression(max_iter=1000, C=C)


def pipeline(X, C=1.0, memory=None):
    """Return both."""
    return Pipeline([("columns", columns(X)), ("model", model(C))], memory=memory)


def points(count):
    """Return the values of C."""
    return np.logspace(-3, 2, count)


def splits():
    """Return the splitter."""
    return StratifiedKFold(5, shuffle=True, random_state=0)
