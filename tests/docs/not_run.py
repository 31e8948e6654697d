"""The one list of what pages show and no test can run, each with its reason; its arguments are parsed all the same."""

from __future__ import annotations

NOT_RUN = {
    r"pip install": "installs from the network",
    r"make (run|test)": "installs from the network; the Makefile has its own tests",
    r"kaggle ": "needs the network and an account; the files that it fetches stand in the workspace",
    r"unzip ": "of what kaggle would have fetched",
    r"(dask|ray) ": "starts a cluster",
    r"jq ": "prints a number by a program that need not be there",
    r"docker ": "needs a daemon; tests/web/serve/test_container.py holds what it is given",
    r"curl ": "asks a server; tests/web/serve asks the same",
    r"mlops .*launcher\.address=": "needs a cluster; tests/components/test_clusters.py has one",
    r"mlops run config=there ": "starts a cluster; tests/components/test_clusters.py has one",
    r"mlops run .*model\.start=": "needs a network that has learned; tests/workflows/test_networks.py begins with one",
    r"mlops ui": "serves until it is ended; tests/web has it",
    r"mlops serve (?!.*--export)": "serves until it is ended; tests/web/serve has it",
    r"mlops .*postgresql://": "needs a server; tests/data has one where it can",
    r"mlops .*(--to|tracker=|--from) ?(comet|wandb|mlflow|tensorboard)": (
        "tests/workflows/test_docs_of_trackers.py and test_docs_of_mlflow.py run them"
    ),
}
"""Pattern of a command's beginning → why it is not run."""

PYTHON_NOT_RUN = {
    "docs/serving.md": "asks a server; tests/web/serve runs it",
    "docs/mlflow.md": "reads what a tracker was told; tests/workflows/test_docs_of_mlflow.py does",
    "docs/networks.md": "of a table X, y of the reader's; tests/components/test_networks.py fits such",
    "docs/export.md": "tests of ONNX run it with the file that it opens",
}
"""Page → why its Python is not run here."""

OUTCOMES = {
    r"mlops drift ": {0, 4},
    r"mlops monitor (log|labels)": {0, 4},
    r"mlops models promote": {0, 1},
    r"mlops retrain": {0, 1},
    r"mlops audit --verify --head": {4},
}
"""Pattern → the exit codes between which the made-up data may decide; the head of another log is not in this one."""

BESIDES = {
    r"mlops run config=breast_cancer_boosted": ["sweep.space=null", "split.n_splits=2", "model.n_estimators=5"],
    r"mlops run config=breast_cancer": ["sweep.space=[{model.C:[0.1,1]}]"],
    r"mlops run config=iris model=network": ["model.epochs=2", "split.n_splits=2"],
    r"mlops run config=titanic model=svm,": ["split.n_splits=2", "data.sample=60"],
    r"mlops run config=titanic model=random_forest": ["model.n_estimators=5"],
    r"mlops run config=titanic 'model.C=tag": ["sweep.trials=5"],
    r"mlops run config=iris model=random_forest": ["model.n_estimators=5"],
    r"mlops run config=titanic model=xgboost": ["split.n_splits=2", "model.n_estimators=5"],
    r"mlops run config=titanic$": ["sweep.space=[{model.C:[0.1,1]}]"],
    r"mlops retrain titanic --if-needed --quiet": ["--window", "100"],
    r"mlops run config=digits_cnn": ["model.epochs=1", "data.sample=100", "split.n_splits=2"],
    r"mlops run config=cart_pole": ["training.episodes=20", "evaluation.repetitions=2"],
    r"mlops run config=frozen_lake 'env=\{id: Cliff": ["env.max_episode_steps=50", "training.episodes=50"],
    r"mlops run config=frozen_lake": ["training.episodes=50", "evaluation.repetitions=2"],
}
"""Pattern → what is said besides: minutes of learning are seconds, and the made-up Titanic has no dates."""

VARIABLES = {"$c": "0.1", "$*": "titanic"}
"""What stands in scripts of a shell and in Makefiles → what it would be."""

SHELL = frozenset({"mkdir", "make", "python", "cp", "cat"})
"""Programs that are run as they are."""
