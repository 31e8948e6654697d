"""Settings that a function of the library takes by name, as a record of options has them."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from mlops_cli.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


def checked(
    settings: Mapping[str, Any], options: type[Any], function: str, *, without: Collection[str] = ()
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

    Raises
    ------
    UsageError
        There is no such setting; with the nearest name.
    """
    known = [field.name for field in fields(options) if field.name not in without]
    for name in settings:
        if name not in known:
            raise UsageError(f"{function}() takes no '{name}'", hint=did_you_mean(name, known))
    return dict(settings)
