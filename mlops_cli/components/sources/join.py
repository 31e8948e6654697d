"""Several sources as one table, by key; no row is lost or multiplied without having been declared."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import pandas as pd

from mlops_cli.components.sources.hints import below
from mlops_cli.components.sources.stacking import kind_of
from mlops_cli.contracts import InspectsItself
from mlops_cli.errors import ConfigError, DataError, MlopsError, did_you_mean
from mlops_cli.records import Notice

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_HOW = ("inner", "left")
_VALIDATE = ("one_to_one", "many_to_one", "one_to_many")


@dataclass(frozen=True)
class JoinSource:
    """The rows of one source with the columns of others.

    Parameters
    ----------
    left : source
        Whose rows they are. In a config: a path, a mapping with ``path``, or one with ``_target_``.
    right : source or list of sources
        What is joined to it, one after the other.
    key : str or list of str, optional
        The columns that tell which rows belong together, where they go by the same names in all.
    left_key, right_key : str or list of str, optional
        Its names in the left and the right ones, where they differ; the left ones are kept.
    how : {"inner", "left"}
        Whether rows of the left without a partner are left out, or kept with missing values.
    validate : {"one_to_one", "many_to_one", "one_to_many"}, optional
        How often a key may come on each side; None allows all, and so multiplied rows.
    allow_loss : bool
        Whether rows without a partner may be left out.
    """

    left: Any
    right: Any
    key: str | list[str] | None = None
    left_key: str | list[str] | None = None
    right_key: str | list[str] | None = None
    how: str = "inner"
    validate: str | None = "one_to_one"
    allow_loss: bool = False

    SOURCES: ClassVar[tuple[str, ...]] = ("left", "right")
    """The parameters that are sources themselves."""

    def __post_init__(self) -> None:
        if self.how not in _HOW:
            raise ConfigError(f"found {self.how!r}", key="data.how", hint=did_you_mean(str(self.how), _HOW))
        if self.validate is not None and self.validate not in _VALIDATE:
            hint = did_you_mean(str(self.validate), [*_VALIDATE, "null"])
            raise ConfigError(f"found {self.validate!r}", key="data.validate", hint=hint)
        left, right = self._keys
        if not left or len(left) != len(right):
            raise ConfigError(
                "name the key", key="data.key", hint="data.key, or data.left_key and data.right_key alike"
            )

    @property
    def is_remote(self) -> bool:
        """Whether one of the sources is."""
        return any(getattr(source, "is_remote", False) for source in self._all)

    def reading_as_text(self, names: Iterable[str]) -> JoinSource:
        """Return the same join whose sources keep these columns as they are written, where they can."""
        wanted = list(names)

        def told(source: Any) -> Any:
            tell = getattr(source, "reading_as_text", None)
            return source if tell is None else tell(wanted)

        rest = [told(s) for s in self.right] if isinstance(self.right, list) else told(self.right)
        return replace(self, left=told(self.left), right=rest)

    def load(self) -> pd.DataFrame:
        """Return the joined table, in the order of the left one.

        Raises
        ------
        DataError
            Rows would be lost or multiplied, keys are missing or of other types, or columns go by one name.
        ConfigError
            A key is no column.
        """
        whole, *others = self._tables
        for number, other in enumerate(others):
            whole = self._joined(whole, other, _called(number, len(others)))
        return whole

    def inspect(self, table: pd.DataFrame) -> list[Notice]:
        """Return what each of the sources says of its own part."""
        said: list[Notice] = []
        for key, source, part in zip(self._places, self._all, self._tables, strict=True):
            if isinstance(source, InspectsItself):
                found = source.inspect(part[[n for n in part.columns if n in table.columns]])
                said += [replace(notice, message=below(notice.message, key)) for notice in found]
        gaps = self._gaps() if self.how == "left" else 0
        if gaps:
            said.append(Notice("unmatched-rows", f"{gaps:,} of {len(table):,} rows found no partner: missing values"))
        return said + (self._left_out() if self.validate is None and not self.allow_loss else [])

    @property
    def _keys(self) -> tuple[list[str], list[str]]:
        both = _list(self.key)
        return (both, both) if both else (_list(self.left_key), _list(self.right_key))

    @property
    def _all(self) -> list[Any]:
        return [self.left, *(self.right if isinstance(self.right, list | tuple) else [self.right])]

    @property
    def _places(self) -> list[str]:
        """Where each source is in the config."""
        count = len(self._all) - 1
        return ["data.left", *(f"data.{_called(number, count)}" for number in range(count))]

    @cached_property
    def _tables(self) -> list[pd.DataFrame]:
        """What each source holds: read once, though it is joined and inspected."""
        return [_loaded(source, key) for key, source in zip(self._places, self._all, strict=True)]

    def _gaps(self) -> int:
        left, right = self._keys
        first = self._tables[0]
        unmatched = [~_keys_of(first, left).isin(_keys_of(t, right)) for t in self._tables[1:]]
        return int(pd.concat(unmatched, axis=1).any(axis=1).sum()) if unmatched else 0

    def _left_out(self) -> list[Notice]:
        """Return which rows of the right have no partner; where no count of keys is declared, that is not refused."""
        mine, theirs = self._keys
        first, *others = self._tables
        said = []
        for number, other in enumerate(others):
            alone = int((~_keys_of(other, theirs).isin(_keys_of(first, mine))).sum())
            text = f"{alone:,} of the {len(other):,} rows of data.{_called(number, len(others))} have no partner"
            said += [Notice("unmatched-rows", f"{text} in data.left and are left out")] if alone else []
        return said

    def _joined(self, left: pd.DataFrame, right: pd.DataFrame, name: str) -> pd.DataFrame:
        mine, theirs = self._keys
        _check_keys(left, mine, "left")
        _check_keys(right, theirs, name)
        _check_types(left, right, mine, theirs, name)
        _check_names(left, right, mine, theirs, name)
        self._check_counts(_keys_of(left, mine), _keys_of(right, theirs), name)
        renamed = right.rename(columns=dict(zip(theirs, mine, strict=True)))
        # A left merge keeps the order of the left rows; an inner one does not promise to.
        merged = left.merge(renamed, how="left", on=mine, indicator=_FOUND)
        kept = merged if self.how == "left" else merged[merged[_FOUND] == "both"]
        if kept.empty:
            raise DataError(f"data.{name}: no key is in both", hint=_example(_keys_of(left, mine), "the left has"))
        dtypes = {n: t for n, t in renamed.dtypes.items() if kept[n].dtype != t and not kept[n].isna().any()}
        return kept.drop(columns=_FOUND).reset_index(drop=True).astype(dtypes)

    def _check_counts(self, left: pd.Series, right: pd.Series, name: str) -> None:
        """Refuse keys that come more often, or less often, than was declared."""
        once_left = self.validate in {"one_to_one", "one_to_many"}
        once_right = self.validate in {"one_to_one", "many_to_one"}
        if once_left and left.duplicated().any():
            raise _repeated(left, "left", name, "many_to_one")
        if once_right and right.duplicated().any():
            raise _repeated(right, name, "left", "one_to_many")
        if self.allow_loss:
            return
        alone = left[~left.isin(right)]
        if self.how == "inner" and len(alone):
            raise _lost(alone, len(left), "left", name, "data.how=left keeps them with missing values, or ")
        # A table that is looked up in may have entries that nobody asks for.
        alone = right[~right.isin(left)]
        if self.validate in {"one_to_one", "one_to_many"} and len(alone):
            raise _lost(alone, len(right), name, "left", "")


_FOUND = "__mlops_found__"


def _loaded(source: Any, key: str) -> pd.DataFrame:
    """Return what a source holds; what mends it is said of the source inside this one."""
    try:
        table: pd.DataFrame = source.load()
    except MlopsError as error:
        error.hint = error.hint and below(error.hint, key)
        if isinstance(error, ConfigError) and (error.key or "").startswith("data."):
            error.key = f"{key}.{str(error.key).removeprefix('data.')}"
        raise
    return table


def _called(number: int, count: int) -> str:
    return "right" if count == 1 else f"right[{number}]"


def _list(value: str | list[str] | None) -> list[str]:
    return [] if value is None else [str(v) for v in value] if isinstance(value, list | tuple) else [str(value)]


def _keys_of(table: pd.DataFrame, names: Sequence[str]) -> pd.Series:
    """Return the key of each row as one value."""
    if len(names) == 1:
        return table[names[0]]
    return pd.Series(list(table[list(names)].itertuples(index=False, name=None)), index=table.index)


def _check_keys(table: pd.DataFrame, names: Sequence[str], side: str) -> None:
    for name in names:
        if name not in table.columns:
            hint = did_you_mean(name, map(str, table.columns))
            raise ConfigError(f"'{name}' is no column of data.{side}", key="data.key", hint=hint)
        missing = table[name].isna()
        if missing.any():
            raise DataError(
                f"data.{side}: the key '{name}' is missing in {int(missing.sum()):,} of {len(table):,} rows",
                hint="a row without a key has no partner: leave those rows out before",
            )


def _check_types(
    left: pd.DataFrame, right: pd.DataFrame, mine: Sequence[str], theirs: Sequence[str], name: str
) -> None:
    for a, b in zip(mine, theirs, strict=True):
        kinds = kind_of(left[a]), kind_of(right[b])
        alike = {k if k != "categories" else "text" for k in kinds if k is not None}
        if len(alike) > 1:
            raise DataError(
                f"the key '{a}' is {kinds[0]} in data.left and {kinds[1]} in data.{name}",
                hint=f"`data.dtypes.{a}: str` reads both as text, where they are CSV or Excel",
            )


def _check_names(
    left: pd.DataFrame, right: pd.DataFrame, mine: Sequence[str], theirs: Sequence[str], name: str
) -> None:
    both = [str(c) for c in right.columns if c not in theirs and (c in left.columns or c in mine)]
    if both:
        shown = ", ".join(f"'{c}'" for c in both[:5])
        raise DataError(
            f"data.left and data.{name} both have the column {shown}",
            hint="make it part of the key, or read only one of them: `read: {usecols: […]}` or `columns`",
        )


def _repeated(keys: pd.Series, side: str, other: str, mend: str) -> DataError:
    counts = keys[keys.duplicated(keep=False)].value_counts()
    key, times = counts.index.tolist()[0], int(counts.iloc[0])
    return DataError(
        f"data.{side}: {len(counts):,} keys come more than once, such as {key!r} ({times} times), so that rows of "
        f"data.{other} would be multiplied",
        hint=f"if that is meant: data.validate={mend}, or null for any",
    )


def _lost(alone: pd.Series, total: int, side: str, other: str, mend: str) -> DataError:
    return DataError(
        f"{len(alone):,} of the {total:,} rows of data.{side} have no partner in data.{other} and would be lost"
        f" ({_example(alone, 'such as')})",
        hint=f"{mend}data.allow_loss=true leaves them out",
    )


def _example(keys: pd.Series, words: str) -> str:
    return f"{words} {', '.join(repr(k) for k in keys.drop_duplicates().head(3).tolist())}"
