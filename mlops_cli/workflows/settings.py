"""Settings that a function of the library takes by name, as a record of options has them."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from mlops_cli.errors import MlopsError, UsageError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

_FORMAT = re.compile(r"--format (folder|zip|onnx|joblib|pickle)\b")
_FLAG = re.compile(r"--(force|allow-pickle)\b")
_OPTION = re.compile(r"--([a-z]+(?:-[a-z]+)*)")
_PLURAL = {"metric": "metrics"}  # of options that are given several times


def checked(
    settings: Mapping[str, Any],
    options: type[Any],
    function: str,
    *,
    without: Collection[str] = (),
    beside: Collection[str] = (),
) -> dict[str, Any]:
    """Return settings, all of which a record of options has.

    Parameters
    ----------
    settings : mapping
        Name → value, as they were given.
    options : type
        A dataclass.
    function : str
        Whose settings they are, for the message.
    without : collection of str
        Fields of the record that are no settings.
    beside : collection of str
        Settings that the function takes and looks at itself, for the message.

    Raises
    ------
    UsageError
        There is no such setting; with the nearest name.
    """
    known = [field.name for field in fields(options) if field.name not in without]
    for name in settings:
        if name not in known:
            raise UsageError(f"{function}() takes no '{name}'", hint=did_you_mean(name, [*known, *beside]))
    return dict(settings)


@contextmanager
def told_in_python() -> Iterator[None]:
    """Name settings in the errors of the block, where a command would name its options.

    Raises
    ------
    MlopsError
        As it was raised, in other words.
    """
    try:
        yield
    except MlopsError as error:
        error.message = as_settings(error.message)
        error.hint = error.hint and as_settings(error.hint)
        error.args = (error.message,)
        raise


def as_settings(text: str) -> str:
    """Return a text in which options of a command are settings of a function; whole commands stay as they are.

    Examples
    --------
    >>> as_settings("--force overwrites it"), as_settings("--format folder keeps the pipeline itself")
    ('force=True overwrites it', "format='folder' keeps the pipeline itself")
    """
    if "mlops " in text:
        return text
    formatted = _FORMAT.sub(r"format='\1'", text)
    flagged = _FLAG.sub(lambda found: f"{found[1].replace('-', '_')}=True", formatted)
    return _OPTION.sub(lambda found: _PLURAL.get(found[1], found[1].replace("-", "_")), flagged)
