"""Where data comes from: files, data bases, web services, public collections, and joins of these.

A source knows how to read and what is suspicious in the raw form; it knows nothing of targets, tasks or models, nor of
what is kept of it.
"""

from mlops_cli.components.sources.api import ApiSource
from mlops_cli.components.sources.arff import ArffSource
from mlops_cli.components.sources.bundled import SklearnSource
from mlops_cli.components.sources.columnar import FeatherSource, FixedWidthSource, OrcSource
from mlops_cli.components.sources.duck import DuckDbSource
from mlops_cli.components.sources.files import ExcelSource, JsonLinesSource, JsonSource, ParquetSource
from mlops_cli.components.sources.images import ImagesSource
from mlops_cli.components.sources.join import JoinSource
from mlops_cli.components.sources.kaggle import KaggleSource
from mlops_cli.components.sources.openml import OpenmlSource
from mlops_cli.components.sources.sql import SqlSource
from mlops_cli.components.sources.svmlight import SvmlightSource
from mlops_cli.components.sources.text import CsvSource

__all__ = [
    "ApiSource",
    "ArffSource",
    "CsvSource",
    "DuckDbSource",
    "ExcelSource",
    "FeatherSource",
    "FixedWidthSource",
    "ImagesSource",
    "JoinSource",
    "JsonLinesSource",
    "JsonSource",
    "KaggleSource",
    "OpenmlSource",
    "OrcSource",
    "ParquetSource",
    "SklearnSource",
    "SqlSource",
    "SvmlightSource",
]
