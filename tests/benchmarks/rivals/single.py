"""One model on iris, scored and saved in the format that is asked for."""

import json
import sys
from pathlib import Path

import joblib
import pandas as pd
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

table = pd.read_csv("data/iris.csv")
X, y = table.drop(columns="target"), table["target"].to_numpy()
pipeline = make_pipeline(SimpleImputer(strategy="median"), StandardScaler(), LogisticRegression())
splits = StratifiedKFold(5, shuffle=True, random_state=0)
scores = cross_validate(pipeline, X, y, cv=splits, scoring=["accuracy", "f1_macro", "roc_auc_ovr"])
pipeline.fit(X, y)
if sys.argv[1] == "skops":
    import skops.io

    skops.io.dump(pipeline, "model.skops")
else:
    joblib.dump(pipeline, "model.joblib")
Path("metrics.json").write_text(json.dumps({name: values.tolist() for name, values in scores.items()}))
print(scores["test_accuracy"].mean())
