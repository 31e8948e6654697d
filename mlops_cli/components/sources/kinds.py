"""Which source reads a file, by its suffix: for sources inside a source, which need not name a class."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from mlops_cli.components.sources.secrets import masked
from mlops_cli.errors import ConfigError
from mlops_cli.records import NAMED_DATASET, ComponentSpec, is_named_dataset

_PACKAGE = "mlops_cli.components.sources"
_BY_SUFFIX = {
    ".csv": "CsvSource",
    ".txt": "CsvSource",
    ".tsv": "CsvSource",
    ".parquet": "ParquetSource",
    ".pq": "ParquetSource",
    ".json": "JsonSource",
    ".jsonl": "JsonLinesSource",
    ".ndjson": "JsonLinesSource",
    ".xlsx": "ExcelSource",
    ".xls": "ExcelSource",
    ".feather": "FeatherSource",
    ".arrow": "FeatherSource",
    ".orc": "OrcSource",
    ".arff": "ArffSource",
    ".svm": "SvmlightSource",
    ".svmlight": "SvmlightSource",
    ".libsvm": "SvmlightSource",
    ".db": "SqlSource",
    ".sqlite": "SqlSource",
    ".sqlite3": "SqlSource",
    ".duckdb": "DuckDbSource",
}
_PACKED = frozenset({".gz", ".bz2", ".zip", ".xz", ".zst", ".tar", ".tgz"})


def source_spec(value: Any, key: str) -> ComponentSpec:
    """Return the spec of a source that a config gives in short.

    Parameters
    ----------
    value : str, mapping or ComponentSpec
        A path, whose suffix says how it is read; a mapping with ``path`` and what that source takes; one with the
        ``name`` and ``version`` of a data set; or one with ``_target_``.
    key : str
        Where it stands.

    Raises
    ------
    ConfigError
        It is none of these, or the suffix says nothing.
    """
    if isinstance(value, ComponentSpec):
        return value
    params = {"path": value} if isinstance(value, str) else value
    if not isinstance(params, Mapping) or not params:
        raise ConfigError(f"must be a path, or a mapping with path or _target_. Got {value!r} instead.", key=key)
    if is_named_dataset(params) and params.get("path") is None:
        return ComponentSpec(NAMED_DATASET, {str(k): v for k, v in params.items()})
    path = params.get("path")
    first = path[0] if isinstance(path, list) and path else path
    if not isinstance(first, str):
        raise ConfigError("has neither a path nor a _target_", key=key, hint="path: data/FILE.csv")
    return spec_for_file(first, {str(k): v for k, v in params.items()}, key)


def spec_for_file(name: str, params: Mapping[str, Any], key: str) -> ComponentSpec:
    """Return the spec of the source that reads a file of that name."""
    suffix = suffix_of(str(params.get("member") or name))
    target = _BY_SUFFIX.get(suffix)
    if target is None:
        said = f"the suffix {suffix!r}" if suffix else "a name without a suffix"
        raise ConfigError(
            f"{masked(name)}: {said} does not tell how it is read",
            key=key,
            hint=f"`_target_: {_PACKAGE}.CsvSource`, or another of them",
        )
    separated = {"read": {"sep": "\t", **dict(params.get("read") or {})}} if suffix == ".tsv" else {}
    return ComponentSpec(f"{_PACKAGE}.{target}", {**params, **separated})


def suffix_of(name: str) -> str:
    """Return the suffix that tells the form of a file, below that of its compression.

    Examples
    --------
    >>> suffix_of("https://example.org/a.csv.gz?x=1"), suffix_of("a.tsv"), suffix_of("parts/*.parquet")
    ('.csv', '.tsv', '.parquet')
    """
    path = PurePosixPath(name.partition("?")[0] if "://" in name else name)
    suffixes = [s.lower() for s in path.suffixes]
    while suffixes and suffixes[-1] in _PACKED:
        suffixes.pop()
    return suffixes[-1] if suffixes else ""
