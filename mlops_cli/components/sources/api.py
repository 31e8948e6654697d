"""Records from a JSON API, page by page."""

from __future__ import annotations

import json
import re
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from mlops_cli.components.sources import http, inspection
from mlops_cli.components.sources.plain import plain_values
from mlops_cli.components.sources.secrets import from_environment, masked
from mlops_cli.errors import ConfigError, DataError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from mlops_cli.records import Notice

_PAGING = ("none", "page", "offset", "cursor", "link")
_PAGING_KEYS = ("by", "param", "start", "size", "size_param", "cursor_path")
_NEXT = re.compile(r"<([^>]*)>\s*;[^,]*\brel\s*=\s*\"?[^\",;]*\bnext\b", re.IGNORECASE)
_LARGEST = 2**30
"""Bytes of one answer."""


@dataclass(frozen=True)
class ApiSource:
    """Records that a web service gives as JSON; mappings inside a record become columns such as ``owner.name``.

    Parameters
    ----------
    url : str
        The address.
    params : mapping, optional
        Of the query of the address.
    record_path : str, optional
        Where in the answer the list of records is, such as ``data.items``; the answer itself where not given.
    paging : mapping, optional
        ``by``: ``page`` (a number that counts up), ``offset`` (of the first record), ``cursor`` (found in the answer
        at ``cursor_path``) or ``link`` (the header ``Link``, RFC 8288). ``param`` is the name of the query's
        parameter, ``start`` its first value, ``size`` how many records to ask for, as the parameter ``size_param``.
    headers : mapping, optional
        Headers to be sent, which are saved with the config.
    headers_env : mapping, optional
        Header → the environment variable that holds its value. They are sent to the host of ``url`` alone.
    max_pages : int
        More pages are an error, not a silent end.
    timeout : float
        Seconds without an answer.
    retries : int
        How many more times to ask after 429 and 5xx.
    backoff : float
        Seconds before the second try, doubled with each, unless the server says ``Retry-After``.
    """

    url: str
    params: Mapping[str, Any] = field(default_factory=dict)
    record_path: str | None = None
    paging: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    headers_env: Mapping[str, str] = field(default_factory=dict)
    max_pages: int = 1000
    timeout: float = 30.0
    retries: int = 4
    backoff: float = 1.0

    is_remote: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not isinstance(self.url, str) or not http.is_web(self.url):
            raise ConfigError("must begin with https:// or http://", key="data.url")
        for name in self.paging:
            if name not in _PAGING_KEYS:
                raise ConfigError("unknown key", key=f"data.paging.{name}", hint=did_you_mean(name, _PAGING_KEYS))
        by = self.paging.get("by", "none")
        if by not in _PAGING:
            raise ConfigError(f"found {by!r}", key="data.paging.by", hint=did_you_mean(str(by), _PAGING))
        if by == "cursor" and not self.paging.get("cursor_path"):
            raise ConfigError("is needed", key="data.paging.cursor_path", hint="where the answer has the next cursor")

    def load(self) -> pd.DataFrame:
        """Return the records of all pages.

        Raises
        ------
        DataError
            The service cannot be reached, refuses, or answers with something else than records.
        """
        import pandas as pd

        records = [record for page in self._pages() for record in page]
        if not records:
            raise DataError(f"{masked(self.url)}: the answer has no records", hint="data.params and data.record_path")
        return plain_values(pd.json_normalize(records))

    def inspect(self, table: pd.DataFrame) -> list[Notice]:
        """Return what text columns show of being numbers or dates."""
        return inspection.of_texts(table)

    def _pages(self) -> Iterator[list[Any]]:
        url: str | None = self._first()
        seen: set[str] = set()
        while url is not None:
            if url in seen:
                raise DataError(f"{masked(url)}: this page was given before", hint="check data.paging")
            if len(seen) == self.max_pages:
                raise DataError(f"{masked(self.url)}: has more than {self.max_pages} pages", hint="data.max_pages")
            seen.add(url)
            answer, link = self._asked(url)
            records = self._records(answer, url)
            yield records
            url = self._next(url, answer, link, len(records))

    def _first(self) -> str:
        by, paging = self.paging.get("by", "none"), self.paging
        query = dict(self.params)
        if by in {"page", "offset"}:
            query[paging.get("param", by)] = paging.get("start", 1 if by == "page" else 0)
        if paging.get("size") is not None:
            query[paging.get("size_param", "limit")] = paging["size"]
        return _with_query(self.url, query)

    def _next(self, url: str, answer: Any, link: str | None, found: int) -> str | None:
        """Return the address of the page after this one; None after the last."""
        by, paging = self.paging.get("by", "none"), self.paging
        if by == "link":
            match = _NEXT.search(link or "")
            return self._same_host(urllib.parse.urljoin(url, match[1])) if match else None
        if by == "cursor":
            cursor = _at(answer, str(paging["cursor_path"]))
            if any(cursor is nothing for nothing in (_NOTHING, None, False)) or cursor == "":
                return None
            if isinstance(cursor, str) and http.is_web(cursor):
                return self._same_host(cursor)
            return _with_query(url, {paging.get("param", "cursor"): cursor})
        if by == "none" or not found or found < (paging.get("size") or 0):
            return None
        name = paging.get("param", by)
        return _with_query(url, {name: _number(url, name) + (found if by == "offset" else 1)})

    def _same_host(self, url: str) -> str:
        """Return the address of a next page, which the service must not send us elsewhere for."""
        here, there = urllib.parse.urlsplit(self.url), urllib.parse.urlsplit(url)
        if (here.scheme, here.netloc) != (there.scheme, there.netloc):
            raise DataError(f"{masked(self.url)}: its next page is at another place, {masked(url)}")
        return url

    def _asked(self, url: str) -> tuple[Any, str | None]:
        secrets = {
            str(header): from_environment(str(name), f"data.headers_env.{header}")
            for header, name in self.headers_env.items()
        }
        headers = {"Accept": "application/json", **{str(k): str(v) for k, v in self.headers.items()}}
        asking = http.Asking(headers, secrets, self.timeout, self.retries, self.backoff)
        with http.answer(url, asking) as response:
            body = bytearray()
            for piece in http.chunks(url, response):
                body += piece
                if len(body) > _LARGEST:
                    said = f"{masked(url)}: answers with more than {_LARGEST:,} bytes"
                    raise DataError(said, hint="ask for smaller pages")
            link = response.headers.get("Link")
        try:
            return json.loads(body), link
        except (ValueError, RecursionError):
            what = "a web page" if body.lstrip()[:1] == b"<" else "no JSON"
            raise DataError(f"{masked(url)}: answers with {what}", hint="is it the address of the API?") from None

    def _records(self, answer: Any, url: str) -> list[Any]:
        found = _at(answer, self.record_path) if self.record_path else answer
        if not isinstance(found, list) or not all(isinstance(r, Mapping) for r in found):
            place = f"'{self.record_path}'" if self.record_path else "the answer itself"
            raise DataError(f"{masked(url)}: {place} is no list of records", hint=_record_hint(answer))
        return found


_NOTHING = object()


def _at(answer: Any, path: str) -> Any:
    """Return what is at a dotted path of an answer."""
    for part in path.split("."):
        if isinstance(answer, list) and part.isdigit() and int(part) < len(answer):
            answer = answer[int(part)]
        elif isinstance(answer, Mapping) and part in answer:
            answer = answer[part]
        else:
            return _NOTHING
    return answer


def _record_hint(answer: Any) -> str:
    lists = [name for name, value in answer.items() if isinstance(value, list)] if isinstance(answer, Mapping) else []
    if lists:
        return f"data.record_path={lists[0]}"
    names = ", ".join(map(str, answer))[:200] if isinstance(answer, Mapping) else type(answer).__name__
    return f"data.record_path; the answer has: {names}"


def _number(url: str, param: str) -> int:
    """Return the value of a counting parameter of an address."""
    values = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query))
    return int(values[param])


def _with_query(url: str, params: Mapping[str, Any]) -> str:
    """Return the address with these parameters of its query set, the others as they are."""
    parts = urllib.parse.urlsplit(url)
    kept = [(k, v) for k, v in urllib.parse.parse_qsl(parts.query, keep_blank_values=True) if k not in params]
    query = urllib.parse.urlencode([*kept, *params.items()], doseq=True)
    return urllib.parse.urlunsplit(parts._replace(query=query))
