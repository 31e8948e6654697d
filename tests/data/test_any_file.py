"""Whatever a file holds, reading it ends in a table or in one line; and the catalogue's options fit the classes."""

import inspect
from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

import mlops_cli
from mlops_cli.components.dataset import make_dataset, read_table
from mlops_cli.components.sources import CsvSource, ExcelSource, JsonLinesSource, JsonSource, ParquetSource
from mlops_cli.errors import MlopsError
from mlops_cli.records import ComponentSpec, DataSpec

OPTIONS = sorted((Path(mlops_cli.__file__).parent / "conf" / "data").glob("*.yaml"))
CLASSES = [path for path in OPTIONS if path.stem != "dataset"]  # which is read as its version says
ROLES = {"target", "id", "drop", "features", "group", "weight", "time", "dtypes", "expect", "positive"}

any_text = st.text(st.sampled_from("ab1,5.;|\t\"' \n\r#NA-é\ufeff\x1b{}[]:"), max_size=60).map(str.encode)
any_bytes = st.one_of(any_text, st.binary(max_size=60))


@pytest.mark.parametrize("source", [CsvSource, JsonSource, JsonLinesSource, ParquetSource, ExcelSource])
@given(content=any_bytes)
@example(content=b"\r")
@example(content=b'"')
@example(content=b"a,b\n1\n")
@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_content_is_a_table_or_one_line(tmp_path, source, content):
    path = tmp_path / "file"
    path.write_bytes(content)
    spec = DataSpec(ComponentSpec(""))
    try:
        table, notices = read_table(source(path), spec)
        make_dataset(table, spec)
        said = [n.message for n in notices]
    except MlopsError as error:
        said = [str(error)]
    assert not any("\n" in text for text in said)


@pytest.mark.parametrize("path", CLASSES, ids=lambda p: p.stem)
def test_the_catalogues_data_options_fit_their_classes(path):
    option = OmegaConf.to_container(OmegaConf.load(path))
    module, _, name = option.pop("_target_").rpartition(".")
    parameters = inspect.signature(getattr(import_module(module), name)).parameters
    assert set(option) - ROLES <= set(parameters)
    assert path.read_text().startswith("# ")
