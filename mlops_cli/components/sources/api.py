"""Records from a JSON API, page by page."""

from __future__ import annotations

import json
import re
import urllib.parse
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from mlops_cli.components.sources import http, inspection
from mlops_cli.components.sources.options import check_seconds, check_whole
from mlops_cli.components.sources.plain import plain_values
from mlops_cli.components.sources.secrets import from_environment, masked
from mlops_cli.errors import ConfigError, DataError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from mlops_cli.records import Notice

_PAGING = ("none", "page", "offset", "cursor", "link")
_PAGING_KEYS = ("by", "param", "start", "size", "size_param", "cursor_path")
_LINK = re.compile(r"<([^>]*)>((?:\"[^\"]*\"|[^,\"])*)")
_REL = re.compile(r";\s*rel\s*=\s*(?:\"([^\"]*)\"|([^\s;,\"]+))", re.IGNORECASE)
"""A link of the header ``Link`` with its parameters, and what it says that it is to this page (RFC 8288, 3)."""
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
        Pages are asked for until one is empty or, after the first, not there (404): a service may give fewer records
        than were asked for.
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
        for name in ("params", "paging", "headers", "headers_env"):
            if not isinstance(getattr(self, name), Mapping):
                raise ConfigError(f"must be a mapping. Got {getattr(self, name)!r} instead.", key=f"data.{name}")
        check_whole(self.max_pages, "data.max_pages", 1)
        check_whole(self.retries, "data.retries", 0)
        check_seconds(self.timeout, "data.timeout")
        check_seconds(self.backoff, "data.backoff", zero_ok=True)
        self._check_paging()

    def _check_paging(self) -> None:
        for name in self.paging:
            if name not in _PAGING_KEYS:
                raise ConfigError("unknown key", key=f"data.paging.{name}", hint=did_you_mean(name, _PAGING_KEYS))
        by = self.paging.get("by", "none")
        if by not in _PAGING:
            raise ConfigError(f"found {by!r}", key="data.paging.by", hint=did_you_mean(str(by), _PAGING))
        if by == "cursor" and not self.paging.get("cursor_path"):
            raise ConfigError("is needed", key="data.paging.cursor_path", hint="where the answer has the next cursor")
        for name, least in (("start", 0), ("size", 1)):
            if self.paging.get(name) is not None and (name == "size" or by in {"page", "offset"}):
                check_whole(self.paging[name], f"data.paging.{name}", least)

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
        before: list[Any] = []
        while url is not None:
            if url in seen:
                raise DataError(f"{self._shown(url)}: this page was given before", hint="check data.paging")
            if len(seen) == self.max_pages:
                raise DataError(f"{masked(self.url)}: has more than {self.max_pages} pages", hint="data.max_pages")
            seen.add(url)
            try:
                answer, link = self._asked(url)
            except http.NotThere:
                if len(seen) == 1 or self.paging.get("by") not in {"page", "offset"}:
                    raise
                return
            records = self._records(answer, url)
            if records and records == before:
                hint = "does the service know that parameter? data.paging.param"
                raise DataError(f"{self._shown(url)}: gives the records of the page before again", hint=hint)
            yield records
            url, before = self._next(url, answer, link, len(records), is_first=len(seen) == 1), records

    def _first(self) -> str:
        by, paging = self.paging.get("by", "none"), self.paging
        query = dict(self.params)
        if by in {"page", "offset"}:
            query[paging.get("param", by)] = paging.get("start", 1 if by == "page" else 0)
        if paging.get("size") is not None:
            query[paging.get("size_param", "limit")] = paging["size"]
        return _with_query(self.url, query)

    def _next(self, url: str, answer: Any, links: str, found: int, *, is_first: bool) -> str | None:
        """Return the address of the page after this one; None after the last."""
        by, paging = self.paging.get("by", "none"), self.paging
        if by == "link":
            following = _next_link(links)
            return self._same_host(urllib.parse.urljoin(url, following)) if following is not None else None
        if by == "cursor":
            cursor = _at(answer, str(paging["cursor_path"]))
            if cursor is _NOTHING and is_first:
                raise self._no_cursor(answer, url)
            if any(cursor is nothing for nothing in (_NOTHING, None, False)) or cursor == "":
                return None
            if isinstance(cursor, str) and http.is_web(cursor):
                return self._same_host(cursor)
            return _with_query(url, {paging.get("param", "cursor"): cursor})
        if by == "none" or not found:
            return None
        name = paging.get("param", by)
        return _with_query(url, {name: _number(url, name) + (found if by == "offset" else 1)})

    def _no_cursor(self, answer: Any, url: str) -> DataError:
        """Return the error for an answer that has no such place: a misspelt one would end after the first page."""
        path = str(self.paging["cursor_path"])
        parent, _, last = path.rpartition(".")
        above = _at(answer, parent) if parent else answer
        names = _keys(above) or _keys(answer)
        said = f"{self._shown(url)}: the answer has no '{path}', where the next cursor is to be"
        return DataError(said, hint=f"data.paging.cursor_path; {did_you_mean(last, names)}")

    def _shown(self, url: str) -> str:
        """Return an address of a page with its secrets masked, and which page it is."""
        by, shown = self.paging.get("by", "none"), masked(url)
        names = (self.paging.get("param", by), self.paging.get("size_param", "limit"))
        for name, value in urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query):
            if name in names and by in {"page", "offset"} and value.isdigit():
                shown = re.sub(rf"(?<=[?&]){re.escape(name)}=\*\*\*", f"{name}={value}", shown)
        return shown

    @contextmanager
    def _told(self, url: str) -> Iterator[None]:
        """Say in the errors of the block which page it is."""
        try:
            yield
        except DataError as error:
            error.message = error.message.replace(masked(url), self._shown(url))
            error.args = (error.message,)
            raise

    def _same_host(self, url: str) -> str:
        """Return the address of a next page, which the service must not send us elsewhere for."""
        here, there = urllib.parse.urlsplit(self.url), urllib.parse.urlsplit(url)
        if (here.scheme, here.netloc) != (there.scheme, there.netloc):
            raise DataError(f"{masked(self.url)}: its next page is at another place, {self._shown(url)}")
        return url

    def _asked(self, url: str) -> tuple[Any, str]:
        """Return what an address answers, and its links."""
        asking = http.Asking(self._headers(), self._secrets(), self.timeout, self.retries, self.backoff)
        with self._told(url), http.answer(url, asking) as response:
            body = b"".join(http.chunks(url, response, most=_LARGEST, hint="ask for smaller pages"))
            links = ", ".join(response.headers.get_all("Link", []))
        try:
            return json.loads(body), links
        except (ValueError, RecursionError):
            what = "a web page" if body.lstrip()[:1] == b"<" else "no JSON"
            raise DataError(f"{self._shown(url)}: answers with {what}", hint="is it the address of the API?") from None

    def _headers(self) -> dict[str, str]:
        given = {str(n): http.header(str(n), str(v), f"data.headers.{n}") for n, v in self.headers.items()}
        return {"Accept": "application/json", **given}

    def _secrets(self) -> dict[str, str]:
        def value(name: str, variable: str) -> str:
            key = f"data.headers_env.{name}"
            return http.header(name, from_environment(variable, key), key, variable)

        return {str(name): value(str(name), str(variable)) for name, variable in self.headers_env.items()}

    def _records(self, answer: Any, url: str) -> list[Any]:
        found = _at(answer, self.record_path) if self.record_path else answer
        if not isinstance(found, list) or not all(isinstance(r, Mapping) for r in found):
            place = f"'{self.record_path}'" if self.record_path else "the answer itself"
            raise DataError(f"{self._shown(url)}: {place} is no list of records", hint=_record_hint(answer))
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


def _keys(answer: Any) -> list[str]:
    return [str(name) for name in answer] if isinstance(answer, Mapping) else []


def _next_link(links: str) -> str | None:
    """Return where the link to the next page leads; None where there is none.

    Examples
    --------
    >>> _next_link('</a?p=1>; rel="first", </a?p=3>; title="3, of 9"; rel="next"')
    '/a?p=3'
    """
    for target, parameters in _LINK.findall(links):
        rels = [quoted or plain for quoted, plain in _REL.findall(parameters)]
        if rels and "next" in rels[0].lower().split():
            return str(target)
    return None


def _record_hint(answer: Any) -> str:
    """Return where in an answer lists of records are, the shallowest first; else what there is."""
    lists = [path for path, value in _inside(answer) if _is_records(value)]
    if lists:
        return f"data.record_path={lists[0]}" + (f", or {', '.join(lists[1:4])}" if len(lists) > 1 else "")
    names = ", ".join(map(str, answer))[:200] if isinstance(answer, Mapping) else type(answer).__name__
    return f"data.record_path; the answer has: {names}"


def _inside(answer: Any, above: str = "", depth: int = 4) -> list[tuple[str, Any]]:
    """Return everything in mappings in mappings with its dotted path, what is less deep first."""
    if not isinstance(answer, Mapping) or not depth:
        return []
    here = [(f"{above}{name}", value) for name, value in answer.items()]
    return here + [found for path, value in here for found in _inside(value, f"{path}.", depth - 1)]


def _is_records(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(record, Mapping) for record in value)


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
