"""Addresses that may be shown: what is secret in them is masked, and a password written into one is refused."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

from mlops_cli.errors import ConfigError

_USERINFO = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*://)[^\s/?#]*@")
_PASSWORD = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s/?#:]*:[^\s/?#]+@")
_QUERY_VALUE = re.compile(r"(?P<name>[?&;][^=&;#\s]{1,100}=)[^&;#\s]+")


def masked(text: str) -> str:
    """Return a text in which the users, passwords and query values of addresses are masked.

    Every value of a query is: a signature or token may go by any name.

    Examples
    --------
    >>> masked("https://me:secret@example.org/a.csv?sig=1234")
    'https://***@example.org/a.csv?sig=***'
    """
    if "://" not in text:
        return text
    return _QUERY_VALUE.sub(r"\g<name>***", _USERINFO.sub(r"\g<scheme>***@", text))


def refuse_passwords(value: Any, key: str) -> None:
    """Refuse a password that is written into an address: a config is saved with every run.

    Parameters
    ----------
    value : Any
        A part of a config as it may be saved; references such as ``${oc.env:NAME}`` are fine.
    key : str
        Where it stands.

    Raises
    ------
    ConfigError
        With the key, and without the password.
    """
    if isinstance(value, Mapping):
        for name, child in value.items():
            refuse_passwords(child, f"{key}.{name}")
    elif isinstance(value, list | tuple):
        for position, child in enumerate(value):
            refuse_passwords(child, f"{key}[{position}]")
    elif isinstance(value, str) and any("${" not in found for found in _PASSWORD.findall(value)):
        raise ConfigError(
            "holds a password, and would be saved with every run",
            key=key,
            hint="put the whole address into an environment variable: ${oc.env:NAME}, or `url_env: NAME` of data=sql",
        )


def from_environment(name: str, key: str) -> str:
    """Return an environment variable's value.

    Raises
    ------
    ConfigError
        It is not set.
    """
    value = os.environ.get(name)
    if not value:
        raise ConfigError(f"the environment variable {name} is not set", key=key, hint=f"export {name}=…")
    return value
