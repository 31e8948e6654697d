"""Many values of C on iris."""

import sys

import joblib
import numpy as np
import pandas as pd
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

table = pd.read_csv("data/iris.csv")
X, y = table.drop(columns="target"), table["target"].to_numpy()
pipeline = make_pipeline(SimpleImputer(strategy="median"), StandardScaler(), LogisticRegression(max_iter=1000))
space = {"logisticregression__C": np.logspace(-3, 2, int(sys.argv[1]))}
splits = StratifiedKFold(5, shuffle=True, random_state=0)
search = GridSearchCV(pipeline, space, scoring="accuracy", cv=splits, n_jobs=2).fit(X, y)
joblib.dump(search.best_estimator_, "model.joblib")
print(search.best_score_)
