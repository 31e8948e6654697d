"""Where data comes from: files and scikit-learn's bundled sets.

A source knows how to read and what is suspicious in the raw form; it knows nothing of targets, tasks or models.
"""

from mlops_cli.components.sources.bundled import SklearnSource
from mlops_cli.components.sources.files import ExcelSource, JsonLinesSource, JsonSource, ParquetSource
from mlops_cli.components.sources.text import CsvSource

__all__ = ["CsvSource", "ExcelSource", "JsonLinesSource", "JsonSource", "ParquetSource", "SklearnSource"]
