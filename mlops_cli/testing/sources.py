"""The contract suite of data sources."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from mlops_cli.contracts import InspectsItself, ReadsLess
from mlops_cli.errors import ConfigError, DataError
from mlops_cli.records import ComponentSpec, DataSpec, Notice, SampleSpec

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from mlops_cli.contracts import DataSource, Wanted

_NOT_THERE = "no such column"


def check_data_source(make: Callable[[], DataSource], *, broken: Callable[[], DataSource] | None = None) -> None:
    """Check that a data source keeps to `mlops_cli.contracts.DataSource`.

    It is made by keys that a config can give it; what it loads is a table whose columns have names of their own, the
    same each time, whatever was done to the last one; it says nothing but notices of its raw form, and leaves the table
    alone; and where it can read less than the whole, that is the same as less of the whole.

    Parameters
    ----------
    make : callable
        Returns a new source, of the same data at each call.
    broken : callable, optional
        Returns a source of data that is not there; its error has to be a `DataError` of one line.

    Examples
    --------
    >>> from mlops_cli.components.sources import SklearnSource
    >>> check_data_source(lambda: SklearnSource("iris"))
    """
    source = make()
    _check_keys(type(source))
    whole = source.load()
    _check_table(whole)
    _check_again(make, source, whole)
    if isinstance(source, InspectsItself):
        _check_notices(source, whole)
    if isinstance(source, ReadsLess):
        _check_less(make, whole)
    if broken is not None:
        _check_refusal(broken)


def _check_keys(kind: type) -> None:
    """Check that each parameter can be given by name, and under a name that is not the tool's own."""
    from mlops_cli.config.schema import ROLE_KEYS

    for name, parameter in inspect.signature(kind).parameters.items():
        unnamed = parameter.kind in {parameter.POSITIONAL_ONLY, parameter.VAR_POSITIONAL}
        assert not unnamed, f"{kind.__name__} takes {name} by its place; keys of a config are given by name"  # noqa: S101
        taken = f"{kind.__name__} takes {name}, but data.{name} is what mlops itself reads, and would not get there"
        assert name not in ROLE_KEYS, taken  # noqa: S101


def _check_table(table: Any) -> None:
    import pandas as pd

    assert isinstance(table, pd.DataFrame), f"load returned a {type(table).__name__}, not a DataFrame"  # noqa: S101
    names = list(map(str, table.columns))
    twice = sorted({name for name in names if names.count(name) > 1})
    assert not twice, f"columns have the same name: {', '.join(twice)}"  # noqa: S101
    assert names, "the table has no columns"  # noqa: S101


def _check_again(make: Callable[[], DataSource], source: DataSource, whole: pd.DataFrame) -> None:
    kept = whole.copy(deep=True)
    _assert_equal(make().load(), kept, "another source of the same data loaded another table")
    whole["added by the check"] = 0
    _assert_equal(source.load(), kept, "loading again gave another table, after the first one was changed")
    del whole["added by the check"]


def _check_notices(source: InspectsItself, whole: pd.DataFrame) -> None:
    before = whole.copy(deep=True)
    found = source.inspect(whole)
    assert isinstance(found, list), f"inspect returned a {type(found).__name__}, not a list"  # noqa: S101
    odd = [notice for notice in found if not isinstance(notice, Notice)]
    assert not odd, f"inspect returned {odd[0]!r}, which is no Notice" if odd else ""  # noqa: S101
    _assert_equal(whole, before, "inspect changed the table")


# --- less than the whole ------------------------------------------------------------------------------------------


def _check_less(make: Callable[[], Any], whole: pd.DataFrame) -> None:
    from mlops_cli.components.wanted import portion_of

    names = list(map(str, whole.columns))
    for columns in (None, tuple(names[:1]), tuple(names[::-2])):
        for size in (None, 1, max(1, len(whole) // 3), 0.5):
            wanted = _wanted(columns, size)
            found, expected = make().load_less(wanted), portion_of(whole, wanted)
            asked = f"columns={columns}, sample={size}"
            assert found.rows == expected.rows, f"{asked}: of {expected.rows} rows it says {found.rows}"  # noqa: S101
            assert list(found.places) == list(expected.places), f"{asked}: it drew other rows"  # noqa: S101
            _assert_same_values(found.table, expected.table, f"{asked}: less is not the same of the whole")
    _check_unknown_column(make())


def _wanted(columns: tuple[str, ...] | None, size: float | None) -> Wanted:
    from mlops_cli.components.wanted import every_row, wanted_of

    sample = SampleSpec(1.0 if size is None else size)
    found = wanted_of(DataSpec(ComponentSpec(""), columns=columns, sample=sample))
    assert found is not None  # noqa: S101 - a sample is always wanted
    return every_row(found) if size is None else found


def _check_unknown_column(source: Any) -> None:
    try:
        source.load_less(_wanted((_NOT_THERE,), None))
    except ConfigError:
        return
    raise AssertionError("load_less gave a column that is not there: wanted.names has to be asked with all names")


def _assert_same_values(found: pd.DataFrame, expected: pd.DataFrame, message: str) -> None:
    """Hold a part to be the whole's; of a column with gaps none may have been drawn, and its dtype be the plainer."""
    import pandas as pd

    plain = [n for n in expected if n in found and found[n].dtype != expected[n].dtype]
    castable = {n: found[n].dtype for n in plain if not pd.isna(expected[n]).any()}
    _assert_equal(found.reset_index(drop=True), expected.astype(castable), message)


# --- what goes wrong ----------------------------------------------------------------------------------------------


def _check_refusal(broken: Callable[[], DataSource]) -> None:
    message = _refusal(broken)
    assert "\n" not in message, f"an error is one line: {message!r}"  # noqa: S101


def _refusal(broken: Callable[[], DataSource]) -> str:
    try:
        table = broken().load()
    except DataError as error:
        return error.message
    except Exception as error:
        raise AssertionError(f"of data that is not there it raised {error!r}, which is no DataError") from error
    raise AssertionError(f"of data that is not there it gave a table of shape {table.shape}")


def _assert_equal(found: pd.DataFrame, expected: pd.DataFrame, message: str) -> None:
    from pandas.testing import assert_frame_equal

    try:
        assert_frame_equal(found, expected)
    except AssertionError as error:
        raise AssertionError(f"{message}: {error}") from error
