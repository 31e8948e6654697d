"""Addresses that may be shown: what is secret in them is masked, and a secret written into one is refused."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from mlops_cli.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

_WEB = (
    r"(?P<scheme>(?<![A-Za-z0-9+.-])(?i:https?)://)"
    # user and password, or a password with a / ? # that should have been written as %XX: no port follows the colon
    r"(?P<userinfo>[^\s/?#]*@|[^\s/?#:@]*:(?!\d{0,5}(?:[/?#\s]|$))\S*@)"
)
_OTHER = (
    r"(?P<scheme>(?<![A-Za-z0-9+.-])(?!(?i:https?):)[A-Za-z0-9+.-]+://)"
    # data bases take passwords as they are, so up to the last @
    r"(?P<userinfo>[^\s/?#:@]*:(?!\0*@)\S*@|[^\s/?#]*@)"
)
_USERINFOS = {True: re.compile(_WEB), False: re.compile(_OTHER)}  # is it of the web?
_QUERY_VALUE = re.compile(r"(?P<name>[?&;#][^=&;#\s]{1,100}=)[^&#\s]+")
_REFERENCE = re.compile(r"\$\{(?:[^{}]|\{[^{}]*\})*\}")
_SECRET_NAME = re.compile(
    r"(?:passw(?:or)?d|passphrase|pwd|token|secret|signature|credentials?"
    r"|(?:^|[._-])(?:pass|sig|jwt|auth|authorization)|(?:^|[._-]|api|access|auth|account|private|shared|secret)key)$",
    re.IGNORECASE,
)


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
    for pattern in _USERINFOS.values():
        text = pattern.sub(r"\g<scheme>***@", text)
    return _QUERY_VALUE.sub(r"\g<name>***", text)


def refuse_secrets(value: Any, key: str) -> None:
    """Refuse passwords and tokens that are written into addresses: a config is saved with every run.

    Parameters
    ----------
    value : Any
        A part of a config as it may be saved; references such as ``${oc.env:NAME}`` are fine.
    key : str
        Where it stands.

    Raises
    ------
    ConfigError
        With the key, and without the secret.
    """
    if isinstance(value, Mapping):
        for name, child in value.items():
            refuse_secrets(child, f"{key}.{name}")
    elif isinstance(value, list | tuple):
        for position, child in enumerate(value):
            refuse_secrets(child, f"{key}[{position}]")
    elif isinstance(value, str) and (found := _secret_in(value)):
        raise ConfigError(
            f"holds {found}, and would be saved with every run",
            key=key,
            hint="put the whole address into an environment variable: ${oc.env:NAME}, or `url_env: NAME` of data=sql",
        )


def refuse_password(text: str, key: str) -> None:
    """Refuse a password in an address that is typed; a token in its query is part of many that expire soon.

    Raises
    ------
    ConfigError
        With the key, and without the password.
    """
    if _has_password(text):
        raise ConfigError("holds a password, which shells remember", key=key, hint="put it into ~/.netrc")


def _secret_in(text: str) -> str | None:
    if _has_password(text):
        return "a password"
    name = next(_secret_names(text), None) if "://" in text else None
    return None if name is None else f"a secret, the value of '{name}'"


def _has_password(text: str) -> bool:
    """Whether a password is written into an address; of the web, also a token in the place of the user."""
    plain = _REFERENCE.sub("\0", text)
    for is_web, pattern in _USERINFOS.items():
        for found in pattern.finditer(plain):
            user, _, password = found["userinfo"].removesuffix("@").partition(":")
            if (password or (user if is_web else "")).strip("\0"):
                return True
    return False


def _secret_names(text: str) -> Iterator[str]:
    """Yield the names in queries whose values are secret, and are no references."""
    for found in _QUERY_VALUE.finditer(_REFERENCE.sub("\0", text)):
        name = unquote(found["name"][1:-1])
        if _SECRET_NAME.search(name) and found[0].removeprefix(found["name"]).strip("\0"):
            yield name


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
