"""GridSearchCV; with ``memory`` the transforms are cached on disk."""

import shutil
import sys
import tempfile

import joblib
import mixed
import pandas as pd
from sklearn.model_selection import GridSearchCV

X, y = mixed.read()
cache = tempfile.mkdtemp(dir=".") if sys.argv[2:] == ["memory"] else None
search = GridSearchCV(
    mixed.pipeline(X, memory=cache),
    {"model__C": mixed.points(int(sys.argv[1]))},
    scoring="roc_auc",
    cv=mixed.splits(),
    n_jobs=2,
)
search.fit(X, y)
joblib.dump(search.best_estimator_, "model.joblib")
pd.DataFrame(search.cv_results_).to_csv("scores.csv")
if cache is not None:
    shutil.rmtree(cache)
print(search.best_score_)
