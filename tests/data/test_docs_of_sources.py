"""What docs/data.md shows composes and fits the classes; every source of the catalogue is in it."""

import inspect
import re
from importlib import import_module
from pathlib import Path

import pytest

from mlops_cli.analysis.rules import RULES
from mlops_cli.components.codes import CODES
from mlops_cli.config import load_experiment
from mlops_cli.config.workspace import Workspace
from mlops_cli.records import NAMED_DATASET

REPO = Path(__file__).resolve().parents[2]
TEXT = (REPO / "docs" / "data.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```yaml\n(.*?)^```", TEXT, flags=re.DOTALL | re.MULTILINE)
OF_THE_TOOL = {"sha256", "refresh", "max_bytes", "timeout", "snapshot"}


@pytest.mark.parametrize("block", BLOCKS, ids=lambda b: re.sub(r"\W+", "-", b.splitlines()[0])[20:40])
def test_each_example_composes_and_fits_its_class(workspace, block):
    (workspace / "configs" / "example.yaml").write_text(block)
    source = load_experiment("example", [], Workspace(workspace, ("my_sources",))).spec.data.source
    if source.target == NAMED_DATASET:  # whose reader the version names
        assert set(source.params) <= {"name", "version", "read"}
        return
    module, _, name = source.target.rpartition(".")
    if module == "my_sources":
        return
    known = set(inspect.signature(getattr(import_module(module), name)).parameters)
    assert set(source.params) - OF_THE_TOOL <= known


def test_every_source_is_shown_or_named():
    options = {p.stem for p in (REPO / "mlops_cli" / "conf" / "data").glob("*.yaml")} - {"sklearn"}
    named = set(re.findall(r"\{data: (\w+)\}", TEXT)) | set(re.findall(r"`(\w+)`", TEXT))
    assert options <= named


def test_every_code_and_every_rule_is_told():
    named = set(re.findall(r"^\| `([\w-]+)` \|", TEXT, flags=re.MULTILINE))
    assert named >= set(CODES)
    rules = TEXT.partition("  expect:\n")[2].partition("```")[0]
    assert {rule for rule in RULES if f"{rule}:" not in rules} == set()
