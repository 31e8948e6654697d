"""One model on iris, scored, drawn, and saved in the format that is asked for."""

import json
import sys
from pathlib import Path

import joblib
import matplotlib as mpl
import numpy as np
import pandas as pd
from sklearn.calibration import CalibrationDisplay
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import ConfusionMatrixDisplay, PrecisionRecallDisplay, RocCurveDisplay
from sklearn.model_selection import StratifiedKFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, label_binarize

mpl.use("agg")
from matplotlib import pyplot as plt

table = pd.read_csv("data/iris.csv")
X, y = table.drop(columns="target"), table["target"].to_numpy()
pipeline = make_pipeline(SimpleImputer(strategy="median"), StandardScaler(), LogisticRegression())
splits = list(StratifiedKFold(5, shuffle=True, random_state=0).split(X, y))
found = cross_validate(
    pipeline, X, y, cv=splits, scoring=["accuracy", "f1_macro", "roc_auc_ovr"], return_estimator=True
)
proba = np.empty((len(y), 3))
for model, (_, rows) in zip(found["estimator"], splits, strict=True):
    proba[rows] = model.predict_proba(X.iloc[rows])
pipeline.fit(X, y)
scores = {name.removeprefix("test_"): v.tolist() for name, v in found.items() if name.startswith("test_")}


def save(name):
    for suffix in ("svg", "png") if sys.argv[2] == "plots" else ():
        plt.gcf().savefig(f"{name}.{suffix}")
    plt.close()


if sys.argv[2] == "plots":
    classes = pipeline.classes_
    plt.figure(layout="constrained").gca().boxplot(list(scores.values()), tick_labels=list(scores))
    save("scores")
    ConfusionMatrixDisplay.from_predictions(y, classes[proba.argmax(axis=1)])
    save("confusion_matrix")
    binary = label_binarize(y, classes=classes)
    for display in (RocCurveDisplay, PrecisionRecallDisplay, CalibrationDisplay):
        axes = plt.figure(layout="constrained").gca()
        for i, name in enumerate(classes):
            display.from_predictions(binary[:, i], proba[:, i], ax=axes, name=str(name))
        save(display.__name__)
if sys.argv[1] == "skops":
    import skops.io

    skops.io.dump(pipeline, "model.skops")
else:
    joblib.dump(pipeline, "model.joblib")
pd.DataFrame(proba).to_parquet("predictions.parquet")
Path("metrics.json").write_text(json.dumps(scores))
print(np.mean(scores["accuracy"]))
