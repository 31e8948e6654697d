"""A workspace with a registered model in three versions, and servers over it."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

import mlops_cli as mlops
from mlops_cli.web.serving.tokens import Role, add_token

from .asking import people, served

CONFIG = {
    "defaults": [
        "experiment",
        {"data": "csv"},
        {"transforms": "tabular"},
        {"model": "logistic_regression"},
        {"split": "hold_out"},
        "_self_",
    ],
    "data": {"path": "data/people.csv", "target": "died", "id": "key", "read": {"parse_dates": ["since"]}},
    "evaluation": {"metrics": ["accuracy"]},
    "artifacts": {"plots": "none"},
}


@pytest.fixture(scope="session")
def _registry(tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    (folder / "configs").mkdir()
    (folder / "data").mkdir()
    people().to_csv(folder / "data" / "people.csv", index=False)
    before = Path.cwd()
    os.chdir(folder)
    try:
        for drop, versions in (([], 2), (["port"], 1)):
            config = {**CONFIG, "data": {**CONFIG["data"], "drop": drop}}
            (folder / "configs" / "people.yaml").write_text(json.dumps(config))
            run = mlops.run("people", n_jobs=1)
            for _ in range(versions):
                mlops.register(run, "people")
        mlops.models.alias("people/1", "champion")
    finally:
        os.chdir(before)
    return folder


@pytest.fixture(scope="session")
def shop(_registry, tmp_path_factory):
    """A workspace in which ``people@champion`` is ``people/1``; 2 is the same, and 3 takes no column ``port``.

    Many share it and leave it as it is.
    """
    folder = tmp_path_factory.mktemp("shop") / "shop"
    shutil.copytree(_registry, folder)
    return folder


@pytest.fixture(scope="session")
def server(shop):
    """A server of ``people@champion`` with tight limits, for tests that leave it as it is."""
    limits = ("--max-body", "0.1", "--max-rows", "500", "--timeout", "3", "--max-concurrent", "40")
    with served(shop, "people@champion", *limits) as started:
        yield started


@pytest.fixture(scope="session")
def file(tmp_path_factory):
    """The tokens of `guarded`."""
    return tmp_path_factory.mktemp("tokens") / "tokens.json"


@pytest.fixture(scope="session")
def keys(file):
    """A token of each role."""
    return {role: add_token(file, str(role), role) for role in Role}


@pytest.fixture(scope="session")
def guarded(shop, file, keys):
    """A server on all networks that asks for tokens, and writes down what it answered in ``log`` beside them."""
    log = file.parent / "log"
    arguments = ("--host", "0.0.0.0", "--tokens", str(file), "--log-requests", str(log))
    with served(shop, "people@champion", *arguments) as started:
        yield started


@pytest.fixture(scope="session")
def table():
    """The rows that the model was trained on."""
    return people()
