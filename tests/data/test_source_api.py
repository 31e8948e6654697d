"""Records of a JSON API, however it pages, from a server on this machine."""

import email.utils
import json
import time
import urllib.parse

import pytest

from mlops_cli.components.sources import ApiSource, http
from mlops_cli.errors import ConfigError, DataError

ROWS = [{"id": i, "owner": {"name": f"n{i}"}, "v": i / 2} for i in range(7)]


def refusal(source, kind=(DataError, ConfigError)) -> str:
    with pytest.raises(kind) as caught:
        source.load()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def query(path):
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(path).query))


def answers(value, **headers):
    return 200, {"Content-Type": "application/json", **headers}, json.dumps(value).encode()


def test_records_inside_an_answer_are_rows_with_flat_names(served):
    served.answers["/items"] = json.dumps({"data": {"items": ROWS}}).encode()
    table = ApiSource(f"{served.url}/items", {"q": "a b"}, record_path="data.items").load()
    assert table.columns.tolist() == ["id", "v", "owner.name"]
    assert len(table) == 7
    assert query(served.paths()[0]) == {"q": "a b"}


def by_page(path, headers):
    page, size = int(query(path)["page"]), int(query(path)["limit"])
    return answers(ROWS[(page - 1) * size : page * size])


def by_offset(path, headers):
    start = int(query(path)["skip"])
    return answers(ROWS[start : start + 3])


def by_cursor(path, headers):
    start = int(query(path).get("after", 0))
    following = str(start + 3) if start + 3 < len(ROWS) else None
    return answers({"items": ROWS[start : start + 3], "meta": {"next": following}})


def by_link(path, headers):
    start = int(query(path).get("p", 0))
    link = f'</items?p={start + 3}>; rel="next", </items?p=0>; rel="first"' if start + 3 < 7 else ""
    return answers(ROWS[start : start + 3], Link=link)


@pytest.mark.parametrize(
    ("answer", "options", "pages"),
    [
        (by_page, {"paging": {"by": "page", "size": 3}}, 4),  # the last is empty
        (by_offset, {"paging": {"by": "offset", "param": "skip"}}, 4),
        (
            by_cursor,
            {"paging": {"by": "cursor", "param": "after", "cursor_path": "meta.next"}, "record_path": "items"},
            3,
        ),
        (by_link, {"paging": {"by": "link"}}, 3),
    ],
)
def test_all_pages_are_read_once(served, answer, options, pages):
    served.answers["/items"] = answer
    table = ApiSource(f"{served.url}/items?keep=1", **options).load()
    assert table.id.tolist() == list(range(7))
    assert len(served.asked) == pages


def test_a_service_that_gives_fewer_records_than_asked_for_is_read_to_its_end(served):
    def capped(path, headers):
        start = 2 * (int(query(path)["page"]) - 1)
        return answers(ROWS[start : start + 2])

    served.answers["/items"] = capped
    assert len(ApiSource(f"{served.url}/items", paging={"by": "page", "size": 20}).load()) == 7


def test_a_page_after_the_last_may_be_not_there(served):
    served.answers["/items"] = lambda path, headers: by_page(path, headers) if "page=3" not in path else (404, {}, b"")
    assert len(ApiSource(f"{served.url}/items", paging={"by": "page", "size": 4}).load()) == 7
    served.answers["/items"] = lambda *_: (404, {}, b"")
    assert "404" in refusal(ApiSource(f"{served.url}/items", paging={"by": "page", "size": 4}))


def test_a_service_that_does_not_know_the_parameter_of_pages_is_left(served):
    served.answers["/items"] = json.dumps(ROWS).encode()
    said = refusal(ApiSource(f"{served.url}/items", paging={"by": "page", "param": "p"}))
    assert "gives the records of the page before again" in said
    assert "data.paging.param" in said
    assert len(served.asked) == 2


@pytest.mark.parametrize(
    "links",
    [
        ['</items?p=0>; rel="first"', '</items?p={}>; rel="next"'],
        ['</items?p={}>; title="3, or more"; rel="next"'],
        ['</items?p=0>; rel="first", </items?p={}>; rel="last next"'],
        ["</items?p={}>;rel=next"],
    ],
)
def test_links_may_come_in_several_headers_and_with_other_parameters(served, links):
    def linked(path, headers):
        start = int(query(path).get("p", 0))
        following = [("Link", link.format(start + 3)) for link in links] if start + 3 < 7 else []
        return 200, following, json.dumps(ROWS[start : start + 3]).encode()

    served.answers["/items"] = linked
    assert len(ApiSource(f"{served.url}/items", paging={"by": "link"}).load()) == 7


def test_a_cursor_path_that_is_not_there_is_no_end(served):
    served.answers["/items"] = by_cursor
    paging = {"by": "cursor", "param": "after", "cursor_path": "meta.nxt"}
    said = refusal(ApiSource(f"{served.url}/items", paging=paging, record_path="items"))
    assert "the answer has no 'meta.nxt', where the next cursor is to be" in said
    assert "did you mean 'next'?" in said
    served.answers["/items"] = lambda *_: answers({"items": ROWS, "meta": {"next": None}})
    whole = ApiSource(f"{served.url}/items", paging={**paging, "cursor_path": "meta.next"}, record_path="items")
    assert len(whole.load()) == 7


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({"paging": {"by": "page", "size": "20"}}, "data.paging.size"),
        ({"paging": {"by": "page", "start": "a"}}, "data.paging.start"),
        ({"paging": {"by": "offset", "start": True}}, "data.paging.start"),
        ({"max_pages": "10"}, "data.max_pages"),
        ({"max_pages": 0}, "data.max_pages"),
        ({"retries": 1.5}, "data.retries"),
        ({"timeout": "30"}, "data.timeout"),
        ({"timeout": 0}, "data.timeout"),
        ({"backoff": -1}, "data.backoff"),
        ({"params": "a=1"}, "data.params"),
        ({"headers": ["a"]}, "data.headers"),
    ],
)
def test_what_is_no_number_or_mapping_is_refused_before_anybody_is_asked(options, key):
    with pytest.raises(ConfigError) as caught:
        ApiSource("https://h", **options)
    assert caught.value.key == key


def test_more_pages_than_allowed_are_an_error_not_an_end(served):
    served.answers["/items"] = by_page
    source = ApiSource(f"{served.url}/items", paging={"by": "page", "size": 3}, max_pages=2)
    assert "has more than 2 pages (data.max_pages)" in refusal(source)


def test_a_service_that_goes_in_circles_is_left(served):
    served.answers["/items"] = lambda *_: answers(ROWS, Link='</items>; rel="next"')
    assert "was given before" in refusal(ApiSource(f"{served.url}/items", paging={"by": "link"}))


def test_a_next_page_elsewhere_is_not_asked_for(served):
    served.answers["/items"] = lambda *_: answers(ROWS, Link='<http://169.254.0.1/x>; rel="next"')
    assert "is at another place" in refusal(ApiSource(f"{served.url}/items", paging={"by": "link"}))


def test_secret_headers_come_from_the_environment(served, monkeypatch):
    served.answers["/items"] = json.dumps(ROWS).encode()
    source = ApiSource(f"{served.url}/items", headers={"X-Kind": "a"}, headers_env={"Authorization": "API_TOKEN"})
    assert refusal(source).startswith("data.headers_env.Authorization: the environment variable API_TOKEN is not set")
    monkeypatch.setenv("API_TOKEN", "Bearer hunter2")
    source.load()
    assert served.asked[0][1]["Authorization"] == "Bearer hunter2"
    assert served.asked[0][1]["X-Kind"] == "a"
    assert "hunter2" not in repr(source)


def test_a_secret_header_is_sent_without_its_line_end_and_never_shown(served, monkeypatch):
    served.answers["/items"] = json.dumps(ROWS).encode()
    source = ApiSource(f"{served.url}/items", headers_env={"Authorization": "API_TOKEN"})
    monkeypatch.setenv("API_TOKEN", "hunter2\n")
    source.load()
    assert served.asked[0][1]["Authorization"] == "hunter2"
    for value in ("hunter2\nX: y", "hunter2…", "hunter2\x7f"):
        monkeypatch.setenv("API_TOKEN", value)
        said = refusal(source)
        assert said.startswith("data.headers_env.Authorization: the environment variable API_TOKEN holds")
        assert "hunter2" not in said
        assert "hunter2" not in refusal(ApiSource(f"{served.url}/items", headers={"X-Token": value}))
    assert "is no name of a header" in refusal(ApiSource(f"{served.url}/items", headers={"X Token": "a"}))
    assert len(served.asked) == 1


def test_passing_failures_are_asked_again(served):
    tries = iter([(500, {}, b""), (429, {"Retry-After": "0"}, b""), answers(ROWS)])
    served.answers["/items"] = lambda *_: next(tries)
    assert len(ApiSource(f"{served.url}/items", backoff=0.001).load()) == 7
    served.answers["/items"] = lambda *_: (500, {}, b"")
    said = refusal(ApiSource(f"{served.url}/items?key=hunter2", backoff=0.001, retries=2))
    assert "the server answered 500 Internal Server Error 3 times" in said
    assert "hunter2" not in said


def test_retry_after_may_be_a_number_or_a_date():
    assert http._wait("7", 1) == 7
    assert http._wait(email.utils.formatdate(time.time() - 60, usegmt=True), 1) == 0
    assert http._wait("soon", 1) == 1
    assert http._wait(None, 3) == 3


@pytest.mark.parametrize(
    ("body", "options", "says"),
    [
        (b"<html>", {}, "answers with a web page"),
        (b"{", {}, "answers with no JSON"),
        (b"[1, 2]", {}, "the answer itself is no list of records"),
        (b'{"rows": [], "n": 1}', {}, "data.record_path=rows"),
        (b'{"n": 1}', {"record_path": "a.b"}, "'a.b' is no list of records"),
        (b'{"data": {"items": [{"a": 1}], "ids": [1]}}', {"record_path": "data.rows"}, "data.record_path=data.items)"),
        (b"[]", {}, "has no records"),
    ],
)
def test_what_is_no_list_of_records_is_one_line(served, body, options, says):
    served.answers["/items"] = body
    assert says in refusal(ApiSource(f"{served.url}/items", **options))


def test_which_page_it_is_is_told_and_nothing_secret(served):
    served.answers["/items"] = lambda path, _: (500, {}, b"") if "page=2" in path else (200, {}, b'[{"a": 1}]')
    paging = {"by": "page", "size": 1, "size_param": "per_page"}
    said = refusal(ApiSource(f"{served.url}/items?auth=s3cret", paging=paging, retries=0))
    assert "auth=***&page=2&per_page=1: the server answered 500" in said or "per_page=1&page=2" in said
    assert "s3cret" not in said


def test_a_wrong_paging_is_named():
    with pytest.raises(ConfigError, match=r"data\.paging\.by: .*did you mean 'page'"):
        ApiSource("https://h", paging={"by": "pages"})
    with pytest.raises(ConfigError, match=r"data\.paging\.parm: .*did you mean 'param'"):
        ApiSource("https://h", paging={"parm": "x"})
    with pytest.raises(ConfigError, match="cursor_path"):
        ApiSource("https://h", paging={"by": "cursor"})
    with pytest.raises(ConfigError, match=r"data\.url"):
        ApiSource("file:///etc/passwd")
