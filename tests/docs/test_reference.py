"""The pages of docs/reference are what the code says."""

from __future__ import annotations

import importlib.util

import pytest

from .pages import REPO


@pytest.fixture(scope="module")
def made():
    spec = importlib.util.spec_from_file_location("make_docs", REPO / "docs" / "make.py")
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules[spec.name] = module  # where dataclasses look up their annotations
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


def test_the_committed_pages_are_what_the_script_makes(made):
    folder = REPO / "docs" / "reference"
    found = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.md")}
    stale = [name for name, text in made.pages().items() if found.get(name) != text]
    assert stale == [], "make docs writes them anew"
    assert set(found) == set(made.pages())


def test_every_key_of_an_experiment_is_told_with_a_comment(made):
    text = (REPO / "mlops_cli" / "conf" / "experiment.yaml").read_text(encoding="utf-8")
    keys = list(made.keys(text))
    assert "data.target" in {key.name for key in keys}
    bare = {key.name for key in keys if key.default and not key.comment}
    assert bare <= {"description", "artifacts.predictions"}
