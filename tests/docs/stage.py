"""The workspace that pages speak of: what ``mlops init`` gives, and a made-up Titanic with its runs and models."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import sqlite3
import subprocess
import sys
import tomllib
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

from mlops_cli.config.catalogue import PACKAGE_CONF
from mlops_cli.workflows.init import TEMPLATES, init_workspace

from .pages import REPO, blocks

TITANIC = """
defaults: [experiment, {data: csv}, {transforms: tabular}, {model: logistic_regression}, _self_]
data: {path: data/titanic.csv, target: survived, id: passenger_id, drop: [alive, ticket]}
evaluation: {test: 0.2, metrics: [roc_auc, accuracy, f1]}
sweep: {space: {model.C: [0.03, 0.1, 0.3, 1, 3]}}
"""
VERSIONS = ("titanic", "2027", "titanic")
RETRAIN = "when: [drift, roc_auc < 0.8]\ndata: data/2027.csv\n"


def passengers(rows, *, first=1, seed=0, older=0.0):
    """Return a table with Titanic's columns, of people who never were."""
    draw = np.random.default_rng(seed)
    sex = draw.choice(["male", "female"], rows, p=[0.64, 0.36])
    pclass = draw.choice([1, 2, 3], rows, p=[0.24, 0.21, 0.55])
    fare = np.round(draw.lognormal(4.6 - 0.8 * pclass, 0.4), 2)
    age = np.round(draw.normal(30 + older, 12, rows).clip(1, 80), 1)
    odds = 2.6 * (sex == "female") - 0.8 * (pclass - 2) - 0.02 * (age - 30) - 1.2
    survived = (draw.random(rows) < 1 / (1 + np.exp(-odds))).astype(int)
    age[draw.random(rows) < 0.15] = np.nan
    ids = np.arange(first, first + rows)
    return pd.DataFrame({
        "passenger_id": ids, "survived": survived, "pclass": pclass, "sex": sex, "age": age,
        "sibsp": draw.poisson(0.5, rows), "parch": draw.poisson(0.4, rows), "fare": fare,
        "ticket": [f"{n * 7919 % 10007}/{n}" for n in ids],
        "embarked": draw.choice(["S", "C", "Q"], rows, p=[0.7, 0.2, 0.1]),
        "alive": np.where(survived == 1, "yes", "no"),
    })  # fmt: skip


def stage(root):
    """Make the workspace in a folder, with two runs and three versions of a model."""
    init_workspace(root)
    for folder in ("configs", "data"):
        shutil.copytree(REPO / folder, root / folder, dirs_exist_ok=True)
    keep_small(root)
    shutil.copy(TEMPLATES / "plugin" / "data" / "flowers.txt", root / "data")
    _files(root)
    git = "git -c user.name=ann -c user.email=ann@example.org"
    assert shell(root, f"git init -q && git add . && {git} commit -qm all").code == 0
    for words in (
        *(["data", "add", f"data/{name}.csv", "--name", "titanic", "--key", "passenger_id"] for name in VERSIONS),
        ["run", "config=iris", "--tag", "stage=draft"],
        *(
            words
            for option in (["model=dummy"], ["model=decision_tree", "model.max_depth=3"], ["--note", "the baseline"])
            for words in (["run", "config=titanic", *option], ["models", "register", "titanic:latest"])
        ),
        ["models", "alias", "titanic/2", "champion"],
        ["models", "alias", "titanic/3", "champion"],
        ["run", "config=titanic", "model=random_forest", "model.n_estimators=10"],
        ["models", "register", "titanic:latest", "--alias", "challenger"],
    ):
        done = call(root, words)
        assert done.code == 0, f"{words}: {done.err}"


def keep_small(root):
    """Let every experiment run in this process and draw nothing: a workspace's own file stands before the package's."""
    text = (PACKAGE_CONF / "experiment.yaml").read_text(encoding="utf-8")
    text = text.replace("n_jobs: -1 ", "n_jobs: 1 ").replace("plots: auto ", "plots: none ")
    (root / "configs" / "experiment.yaml").write_text(text, encoding="utf-8")
    (root / "configs" / "launcher").mkdir()
    (root / "configs" / "launcher" / "loky.yaml").write_text("backend: loky\nn_jobs: 1\n", encoding="utf-8")


def _files(root):
    (root / "configs" / "titanic.yaml").write_text(TITANIC)
    (root / "configs" / "retrain").mkdir()
    (block,) = [block for block in blocks("docs/scripts.md") if block.path == "train.py"]
    (root / "train.py").write_text(block.text.replace('["params"]["steps"]', '["params"].get("steps", 5)'))
    settle(root, '[tool.mlops]\ntrust = ["train"]')
    (root / "configs" / "retrain" / "titanic.yaml").write_text(RETRAIN)
    data, inbox = root / "data", root / "inbox"
    inbox.mkdir()
    passengers(240).to_csv(data / "titanic.csv", index=False)
    fresh = passengers(120, first=1001, seed=1)
    for name in ("test", "new", "labelled", "2027"):
        fresh.to_csv(data / f"{name}.csv", index=False)
    fresh.to_parquet(data / "new.parquet", index=False)
    june = passengers(120, first=2001, seed=2, older=15)
    for path in (root / "june.csv", data / "june.csv", data / "monday.csv", data / "today.csv", inbox / "monday.csv"):
        june.to_csv(path, index=False)
    fresh.to_csv(inbox / "tuesday.csv", index=False)
    for path in (root / "june-labels.csv", data / "outcomes.csv"):
        june[["passenger_id", "survived"]].to_csv(path, index=False)
    (data / "odd.txt").write_text("a;b;y\n1,5;2;0\n2,5;1;1\n")
    with contextlib.closing(sqlite3.connect(data / "ship.db")) as ship:
        fresh.rename(columns={"passenger_id": "id"}).assign(passenger_id=fresh["passenger_id"]).to_sql(
            "new", ship, index=False
        )


def competition(root):
    """Put the files of the competition where ``kaggle`` would."""
    (root / "data").mkdir(exist_ok=True)
    names = {"passenger_id": "PassengerId", "sibsp": "SibSp"}
    known = (
        passengers(160)
        .drop(columns="alive")
        .assign(name=[f"Roe {n}, {title}. Richard" for n, title in enumerate(["Mr", "Mrs"] * 80)], cabin=None)
    )
    table = known.rename(columns=lambda name: names.get(name, name.capitalize()))
    table.to_csv(root / "data" / "train.csv", index=False)
    test = table.head(40).assign(PassengerId=range(1001, 1041)).drop(columns="Survived")
    test.to_csv(root / "data" / "test.csv", index=False)
    test[["PassengerId"]].assign(Survived=0).to_csv(root / "data" / "gender_submission.csv", index=False)


class Done:
    """What came of a command."""

    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err


def call(folder, words):
    """Run ``mlops`` in this process, as quick as a function, from a folder."""
    from mlops_cli.cli.app import invoke

    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    before = sys.argv, Path.cwd()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            sys.argv = ["mlops", *words]
            os.chdir(folder)
            code = invoke()
        finally:
            sys.argv = before[0]
            os.chdir(before[1])
    return Done(int(code), *(stream.buffer.getvalue().decode() for stream in (out, err)))


def python(block, names):
    """Run a block of Python, as quietly as an interpreter would."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(compile(block.text, str(block), "exec"), names)


def shell(folder, text):
    """Run another program."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", "-c", text], cwd=folder, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False
    )
    return Done(done.returncode, done.stdout, done.stderr)


def settle(root, block):
    """Add to the workspace's settings what a block of TOML says, list by list."""
    path = root / "pyproject.toml"
    known = tomllib.loads(path.read_text())["tool"]["mlops"]
    for key, value in tomllib.loads(block).get("tool", {}).get("mlops", {}).items():
        known[key] = [*known.get(key, []), *value] if isinstance(value, list) else value
    path.write_text("[tool.mlops]\n" + "".join(f"{key} = {value!r}\n" for key, value in known.items()))


def copied(base, root):
    """Return a copy of the workspace; its index is a cache, and of the place that it was made for."""
    shutil.copytree(base, root, ignore=shutil.ignore_patterns("index.sqlite*"))
    return root
