"""Asking a web server: retries that honour ``Retry-After``, secrets that stay with their host, errors of one line.

Knows nothing of tables or files. Proxies and certificates are those of the environment (``HTTPS_PROXY``,
``SSL_CERT_FILE``), credentials those that the caller hands over, the address or ``~/.netrc`` has.
"""

from __future__ import annotations

import base64
import email.utils
import http.client
import math
import netrc
import re
import socket
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any

from mlops_cli.components.sources.secrets import masked
from mlops_cli.errors import ConfigError, DataError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Answers after which another try may go well."""

_LONGEST_WAIT = 120.0
_FOR_ANY_HOST = frozenset(
    {"accept", "accept-encoding", "accept-language", "user-agent", "if-none-match", "if-modified-since"}
)
"""Headers that go along where another host is redirected to; others may be secrets, whatever they are called."""

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_SENDABLE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
"""Names and values of headers (RFC 9110, 5.1 and 5.5)."""
_MENDS = {
    401: "it wants credentials: from the environment by name, or ~/.netrc",
    403: "the credentials do not suffice, or the address has expired",
    404: "check the address",
    407: "the proxy wants credentials: HTTPS_PROXY",
    410: "it is gone for good; look for a newer address",
    429: "it is asked too often: try later",
}


class Unreachable(DataError):  # noqa: N818 - it is caught as a state, not reported as a kind
    """Nobody answered: the network, the host or the server is not there. A copy kept from before may do."""


class NotThere(DataError):  # noqa: N818 - likewise
    """The server answered that there is no such thing (404)."""


@dataclass(frozen=True)
class Asking:
    """How to ask.

    Parameters
    ----------
    headers : mapping of str to str
        What every request says; another host that it is sent on to is told what it may answer with, and no more.
    secrets : mapping of str to str
        Headers for the asked host alone, which are not shown where this is.
    timeout : float
        Seconds without a byte after which the server is given up.
    retries : int
        How many more times to ask where another try may go well.
    backoff : float
        Seconds before the second try, doubled with each; where the server says ``Retry-After``, that.
    """

    headers: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    timeout: float = 30.0
    retries: int = 4
    backoff: float = 1.0


@contextmanager
def answer(url: str, asking: Asking) -> Iterator[http.client.HTTPResponse]:
    """Give a server's answer to be read; status 304 is one too.

    Raises
    ------
    Unreachable
        Nobody answers.
    DataError
        The server refuses, or fails again and again; the connection breaks while the answer is read.
    """
    with _errors(url, asking):
        response = _asked(url, asking)
    with response, _errors(url, asking):
        yield response


def chunks(
    url: str, response: http.client.HTTPResponse, size: int = 2**20, most: float = math.inf, hint: str | None = None
) -> Iterator[bytes]:
    """Yield the body of an answer piece by piece.

    Parameters
    ----------
    url : str
        What was asked, for messages.
    response : HTTPResponse
        The answer.
    size : int
        Bytes of a piece.
    most : float
        Bytes of the whole: more are refused.
    hint : str, optional
        What mends that.

    Raises
    ------
    Unreachable
        It ends before the length that the server said, which `HTTPResponse.read` of a size does not tell.
    DataError
        It is larger than allowed.
    """
    said, taken = response.headers.get("Content-Length"), 0
    while piece := response.read(size):
        taken += len(piece)
        if taken > most:
            raise DataError(f"{masked(url)}: answers with more than {most:,} bytes", hint=hint)
        yield piece
    if said and said.isdigit() and taken < int(said):
        raise _cut_off(masked(url), taken)


def header(name: str, value: str, key: str, called: str | None = None) -> str:
    """Return a header's value as it can be sent, without the blanks and line ends around it.

    Parameters
    ----------
    name, value : str
        Of the header.
    key : str
        Where it stands in the config.
    called : str, optional
        What messages call the value, which may be secret: the environment variable that holds it.

    Raises
    ------
    ConfigError
        It holds what no header may; http.client's own error would show the value.
    """
    if not _TOKEN.fullmatch(name):
        raise ConfigError(f"{name!r} is no name of a header", key=key, hint="Authorization, X-Api-Key …")
    plain = value.strip()
    if not _SENDABLE.fullmatch(plain):
        shown = f"the environment variable {called}" if called else "the value"
        said = f"{shown} holds a line end, a control or a character beyond latin-1"
        raise ConfigError(f"{said}, which no header may", key=key, hint="correct it")
    return plain


def is_web(url: str) -> bool:
    """Whether an address is one of http or https."""
    return url.lower().startswith(("http://", "https://"))


def _asked(url: str, asking: Asking) -> http.client.HTTPResponse:
    """Return the first answer that is none of a passing failure, or the last."""
    for tries in range(asking.retries + 1):
        is_last = tries == asking.retries
        try:
            response: Any = _opener().open(_request(url, asking), timeout=asking.timeout)
        except urllib.error.HTTPError as error:
            if error.code == 304:
                return error  # type: ignore[return-value]
            error.close()
            wait = _wait(error.headers.get("Retry-After"), asking.backoff * 2**tries)
            if error.code not in RETRIED or is_last or wait > _LONGEST_WAIT:
                raise
        except (http.client.HTTPException, ConnectionError):
            if is_last:
                raise
            wait = asking.backoff * 2**tries
        else:
            return response  # type: ignore[no-any-return]
        time.sleep(wait)
    raise AssertionError("unreachable")


def _request(url: str, asking: Asking) -> urllib.request.Request:
    try:
        bare, own = _without_user(url)
        request = urllib.request.Request(_plain(bare), headers=dict(asking.headers))  # noqa: S310 - http alone, see _opener
    except ValueError:
        raise DataError(
            f"{masked(url)}: is no web address", hint="https://HOST/PATH; %2F is a / in a password"
        ) from None
    if "Accept-encoding" not in request.headers:
        request.add_header("Accept-Encoding", "identity")
    request.add_header("User-Agent", "mlops-cli")
    for name, value in {**_from_netrc(bare), **own, **asking.secrets}.items():
        request.add_unredirected_header(name, value)
    return request


def _without_user(url: str) -> tuple[str, dict[str, str]]:
    """Return an address without the user and password before its host, and the header that says who they are.

    Raises
    ------
    ValueError
        It is no address; its port is none.
    """
    parts = urllib.parse.urlsplit(url)
    user, at, _ = parts.netloc.rpartition("@")
    _ = parts.port  # which says that it is none, where http.client would repeat what stands there
    if not at:
        return url, {}
    name, _, password = map(urllib.parse.unquote, user.partition(":"))
    return url.replace(f"{user}@", "", 1), {"Authorization": basic(name, password)}


def _plain(url: str) -> str:
    """Return the address with what no request line may hold written as %XX."""
    return urllib.parse.quote(url, safe="%/:?#[]@!$&'()*+,;=~")


def _from_netrc(url: str) -> dict[str, str]:
    host = urllib.parse.urlsplit(url).hostname or ""
    try:
        found = netrc.netrc().authenticators(host)
    except (OSError, netrc.NetrcParseError):
        return {}
    if found is None or url.lower().startswith("http://"):
        return {}
    return {"Authorization": basic(found[0], found[2] or "")}


def basic(user: str, password: str) -> str:
    """Return the header of HTTP's basic authentication (RFC 7617)."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def _opener() -> urllib.request.OpenerDirector:
    """Return an opener of http and https alone; urllib's own would also take ``file:`` and ``ftp:``."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        _Redirects(),
        urllib.request.UnknownHandler(),
    ):
        opener.add_handler(handler)
    return opener


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects; headers that may be secret go along to the same host alone, and never from https to http."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        if req.full_url.lower().startswith("https://") and not newurl.lower().startswith("https://"):
            fp.close()
            raise DataError(f"{masked(req.full_url)}: is redirected to {masked(newurl)}, which is not encrypted")
        try:
            bare, own = _without_user(newurl)
        except ValueError:
            fp.close()
            raise DataError(f"{masked(req.full_url)}: is redirected to {masked(newurl)}, no web address") from None
        new = super().redirect_request(req, fp, code, msg, headers, bare)
        if new is not None:
            _pass_on(req, new)
            for name, value in own.items():
                new.add_unredirected_header(name, value)
        return new


def _pass_on(old: urllib.request.Request, new: urllib.request.Request) -> None:
    """Give a request the headers of the one that was redirected to it, as far as its host may see them."""
    if _origin(new.full_url) == _origin(old.full_url):
        for name, value in old.unredirected_hdrs.items():
            if name.lower() != "host":
                new.add_unredirected_header(name, value)
    else:
        new.headers = {name: value for name, value in new.headers.items() if name.lower() in _FOR_ANY_HOST}


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urllib.parse.urlsplit(url)
    return parts.scheme.lower(), parts.hostname, parts.port


def _wait(asked: str | None, otherwise: float) -> float:
    """Return the seconds that ``Retry-After`` asks for: a number, or a date (RFC 9110, 10.2.3)."""
    if not asked:
        return otherwise
    with suppress(ValueError):
        return max(0.0, float(asked))
    with suppress(ValueError, TypeError):
        return max(0.0, email.utils.parsedate_to_datetime(asked).timestamp() - time.time())
    return otherwise


# --- errors ------------------------------------------------------------------------------------------------------


@contextmanager
def _errors(url: str, asking: Asking) -> Iterator[None]:
    shown = masked(url)
    try:
        yield
    except urllib.error.HTTPError as error:
        raise _refused(shown, error, asking) from None
    except urllib.error.URLError as error:
        raise _unreachable(shown, error.reason, asking) from None
    except http.client.IncompleteRead as error:
        raise _cut_off(shown, len(error.partial)) from None
    except (http.client.HTTPException, ConnectionError, TimeoutError, ssl.SSLError) as error:
        raise _unreachable(shown, error, asking) from None


def _cut_off(shown: str, received: int) -> Unreachable:
    return Unreachable(f"{shown}: the connection broke off after {received:,} bytes", hint="try again")


def _refused(shown: str, error: urllib.error.HTTPError, asking: Asking) -> DataError:
    tries = f" {asking.retries + 1} times" if error.code in RETRIED and asking.retries else ""
    after = error.headers.get("Retry-After") if error.headers is not None else None
    mend = f"it asks to wait: Retry-After {after}" if after else _MENDS.get(error.code)
    kinds = {404: NotThere, 502: Unreachable, 503: Unreachable, 504: Unreachable}
    return kinds.get(error.code, DataError)(
        f"{shown}: the server answered {error.code} {error.reason}{tries}".rstrip(), hint=mend
    )


def _unreachable(shown: str, reason: object, asking: Asking) -> DataError:
    if isinstance(reason, ssl.SSLCertVerificationError):
        said = reason.verify_message or reason.reason
        return DataError(
            f"{shown}: the server's certificate is not trusted: {said}", hint="SSL_CERT_FILE names the authorities"
        )
    if isinstance(reason, ssl.SSLError):
        return DataError(f"{shown}: no encrypted connection: {reason.reason or reason}", hint="is it http, not https?")
    host = urllib.parse.urlsplit(shown).netloc.rpartition("@")[2]
    if isinstance(reason, socket.gaierror):
        return Unreachable(f"{shown}: the host {host} is not known", hint="check its spelling, and the network")
    if isinstance(reason, TimeoutError):
        return Unreachable(f"{shown}: no answer within {asking.timeout:g} s", hint="`data.timeout` is in seconds")
    if isinstance(reason, ConnectionRefusedError):
        return Unreachable(f"{shown}: nothing answers at {host}", hint="is the server running?")
    return Unreachable(f"{shown}: cannot be reached: {reason or type(reason).__name__}", hint="try again")
