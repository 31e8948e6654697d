"""The form of a model's rows as JSON: made from its signature, checked by pydantic, told by OpenAPI.

A body is one row, ``{"age": 22, …}``, or a list of rows. Knows nothing of HTTP.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any, Literal, NotRequired, Union

from pydantic import (
    AfterValidator,
    ConfigDict,
    FailFast,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    TypeAdapter,
    ValidationError,
    WithJsonSchema,
    with_config,
)
from pydantic_core import from_json
from typing_extensions import TypedDict

from mlops_cli.errors import nearest
from mlops_cli.records import Kind
from mlops_cli.web.serving.limits import LONGEST_NAME, SHOWN_FAULTS, Fault, Refused

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlops_cli.records import Column

    Json = dict[str, Any]

_DAY = r"[12][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_HOURS = r"([01][0-9]|2[0-3]):[0-5][0-9]"
_TIME = rf"{_HOURS}(:[0-5][0-9](\.[0-9]{{1,6}})?)?"
DATE = rf"^{_DAY}([T ]{_TIME}(Z|[+-]{_HOURS})?)?$"
"""A date, or a date and a time, of ISO 8601."""
NAIVE = rf"^{_DAY}([T ]{_TIME})?$"
"""The same without a zone."""

_MOST_COMPARED = 50
"""Names of a wrong row that a missing field's is looked for among: whoever asks chooses how many there are."""
_Float = Annotated[float, Field(strict=True, allow_inf_nan=False)]
_Int = Annotated[StrictInt, Field(ge=-(2**63), lt=2**63)]
_Number = Annotated[Union[_Int, _Float], WithJsonSchema({"type": "number"})]  # noqa: UP007  read at runtime
_Id = Union[StrictStr, StrictInt, _Float, None]  # noqa: UP007


@dataclass(frozen=True)
class Taken:
    """A column as requests have it.

    Parameters
    ----------
    column : Column
        As training had it.
    nullable : bool
        Whether the model can do without a value.
    allowed : tuple
        The only categories that the model takes, where it refuses others.
    examples : tuple
        Values to show, none of which only few rows had.
    """

    column: Column
    nullable: bool = True
    allowed: tuple[Any, ...] = ()
    examples: tuple[Any, ...] = ()

    @property
    def word(self) -> str:
        """What is expected, in words."""
        if self.allowed:
            return "one of " + ", ".join(map(str, self.allowed[:12])) + (", …" if len(self.allowed) > 12 else "")
        return _WORDS[form_of(self.column)]

    @property
    def annotation(self) -> Any:
        """The type by which pydantic checks a value."""
        plain: Any = Literal[self.allowed] if self.allowed else _TYPES[form_of(self.column)](self.column)
        told = Field(examples=list(self.examples) or None, description=self._described())
        return Annotated[plain | None if self.nullable else plain, told]

    def _described(self) -> str | None:
        zoned = self.column.dates is not None and self.column.dates.zoned
        if self.column.kind is Kind.DATETIME:
            return "A date, or a date and a time" + (", in UTC where it has no zone." if zoned else " without a zone.")
        return "Whole numbers in training." if self.column.dtype.startswith(("int", "uint")) else None


def form_of(column: Column) -> str:
    """Return the form of a column's values in JSON: number, boolean, truth, text, date or value."""
    if column.kind is Kind.DATETIME:
        return "date"
    if column.dtype == "bool":
        return "boolean"
    if column.kind is Kind.BOOLEAN:
        return "truth"
    if column.dtype == "str":
        return "text"
    if column.dtype != "category":
        return "number"
    return {"str": "text", "bool": "boolean", None: "value", "object": "value"}.get(column.categories, "number")


def _date_type(column: Column) -> Any:
    pattern = NAIVE if column.dates is None or column.dates.zoned is False else DATE
    return Annotated[StrictStr, Field(pattern=pattern), AfterValidator(_dated)]


def _dated(text: str) -> str:
    datetime.fromisoformat(text)
    return text


_TYPES: Mapping[str, Any] = {
    "number": lambda column: _Float if column.dtype.startswith("float") else _Number,
    "boolean": lambda _: StrictBool,
    "truth": lambda _: Union[StrictBool, _Float],  # noqa: UP007
    "text": lambda _: StrictStr,
    "date": _date_type,
    "value": lambda _: Union[StrictStr, StrictBool, _Number],  # noqa: UP007
}
_WORDS = {
    "number": "a number",
    "boolean": "true or false",
    "truth": "true or false",
    "text": "a text",
    "date": "a date such as 2024-05-17 or 2024-05-17T08:30:00",
    "value": "a text, a number, true or false",
}


@dataclass(frozen=True)
class RowForm:
    """What a request's body has to look like.

    Parameters
    ----------
    columns : tuple of Taken
        All that the model needs; a row may have more, which is left alone.
    id : str, optional
        The column that tells rows apart, which a row may have too.
    most : int
        Rows of a body.
    """

    columns: tuple[Taken, ...]
    id: str | None = None
    most: int = 10_000

    @cached_property
    def one(self) -> TypeAdapter[Any]:
        """Checks a row."""
        fields: dict[str, Any] = {taken.column.name: taken.annotation for taken in self.columns}
        if self.id is not None and self.id not in fields:
            told = Field(description="What tells rows apart: it comes back beside the prediction.")
            fields[self.id] = NotRequired[Annotated[_Id, told]]
        row = TypedDict("Row", fields)  # type: ignore[misc]  # columns may be called anything
        return TypeAdapter(with_config(ConfigDict(extra="ignore"))(row))

    @cached_property
    def many(self) -> TypeAdapter[Any]:
        """Checks a list of rows; the first wrong row is all that is looked for."""
        row: Any = self.one._type
        return TypeAdapter(Annotated[list[row], Field(min_length=1, max_length=self.most), FailFast()])

    def read(self, body: bytes | bytearray) -> list[Json]:
        """Return the rows of a body.

        Raises
        ------
        Refused
            It is no JSON, or not in this form; with the fields that are wrong.
        """
        is_list = body.lstrip()[:1] == b"["
        try:
            if is_list:
                rows: list[Json] = self.many.validate_json(body)
                return rows
            return [self.one.validate_json(body)]
        except ValidationError as error:
            raise self._refusal(error, body, is_list=is_list) from None

    def schema(self) -> Json:
        """Return the JSON schema of a body: a row, or a list of them."""
        row = self.row_schema()
        rows = {"type": "array", "items": row, "minItems": 1, "maxItems": self.most}
        return {"anyOf": [row, rows]}

    def row_schema(self) -> Json:
        """Return the JSON schema of a row."""
        found: Json = self.one.json_schema()
        return found

    def _refusal(self, error: ValidationError, body: bytes | bytearray, *, is_list: bool) -> Refused:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        broken = next((e for e in found if e["type"] == "json_invalid"), None)
        if broken is not None:
            return Refused(422, f"the body is no JSON: {broken['msg'].removeprefix('Invalid JSON: ')}")
        places = dict.fromkeys(_place(e["loc"], is_list=is_list) for e in found)
        missing = {_place(e["loc"], is_list=is_list) for e in found if e["type"] == "missing"}
        long = next((e["type"] for e in found if e["type"] in {"too_long", "too_short"}), None)
        if long is not None:
            return Refused(422, f"a list of rows has 1 to {self.most:,} of them")
        others = self._others(body, next((row for row, _ in missing), None) if is_list else None) if missing else []
        shown = [
            self._fault(row, name, others if (row, name) in missing else None)
            for row, name in islice(places, SHOWN_FAULTS)
        ]
        return Refused(422, "; ".join(told(f) for f in shown[:3]) + ("; …" if len(places) > 3 else ""), shown)

    def _others(self, body: bytes | bytearray, place: int | None) -> list[str]:
        """Return the names in a row that the model does not know, of which one may be meant for what is missing."""
        rows = from_json(body)
        row = rows if place is None else rows[place]
        unknown = (name for name in row if name not in self._by_name and len(name) <= LONGEST_NAME)
        return list(islice(unknown, _MOST_COMPARED))

    def _fault(self, row: int | None, name: str | None, others: list[str] | None) -> Fault:
        """Return what is wrong with a field; ``others`` are the row's unknown names where the field is missing."""
        taken = self._by_name.get(name or "")
        if name is None:
            return Fault(row, None, "a row is an object with a value for each column")
        if taken is None:
            return Fault(row, name, "a text, a number or null is expected")
        expected = f"{taken.word}{' or null' if taken.nullable else ''} is expected"
        if others is None:
            return Fault(row, name, expected)
        close = nearest(name, others)
        return Fault(row, name, f"is missing{f' (did you mean {close!r}?)' if close else ''}; {expected}")

    @cached_property
    def _by_name(self) -> dict[str, Taken]:
        return {taken.column.name: taken for taken in self.columns}


def told(fault: Fault) -> str:
    """Return what is wrong with a value in one line."""
    where = [f"row {fault.row}"] if fault.row is not None else []
    where += [f"'{fault.field}'"] if fault.field is not None else []
    return ": ".join([", ".join(where), fault.message]) if where else fault.message


def _place(loc: Sequence[int | str], *, is_list: bool) -> tuple[int | None, str | None]:
    """Return the row and the field of an error; what follows in pydantic's place is which type was tried."""
    row = int(loc[0]) if is_list and loc and isinstance(loc[0], int) else None
    rest = loc[1:] if row is not None else loc
    return (row if is_list else 0), (str(rest[0]) if rest else None)


def is_naive(text: str) -> bool:
    """Whether a date has no zone."""
    return re.fullmatch(NAIVE, text) is not None
