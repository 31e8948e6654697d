"""The page that explains a model, in a browser that reaches nothing else."""

from __future__ import annotations

from mlops_cli.web.serving.tokens import Role, add_token

from .asking import served


def test_it_explains_the_model_asks_it_and_loads_nothing_from_elsewhere(server, chromium):
    page = chromium.new_page()
    asked, wrong = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: wrong.append(message.text) if "422" not in message.text else None)
    page.goto(server.url + "/docs")
    page.wait_for_selector("#rows tr")
    assert page.inner_text("#title") == "people/1"
    assert "größe (cm)" in page.inner_text("#rows")
    page.check("#proba")
    page.click("button.go")
    page.wait_for_selector("#answer:not([hidden])")
    assert '"prediction"' in page.inner_text("#answer")
    assert "?proba=true" in page.inner_text("#curl")
    page.fill("#body", '{"the age": "old"}')
    page.click("button.go")
    page.wait_for_selector("#answer.wrong")
    assert "a number or null is expected" in page.inner_text("#answer")
    assert wrong == []
    assert all(url.startswith((server.url, "data:")) for url in asked)
    page.close()


def test_it_asks_for_a_token_where_one_is_needed(shop, tmp_path, chromium):
    token = add_token(tmp_path / "tokens.json", "ann", Role.PREDICT)
    with served(shop, "people@champion", "--tokens", str(tmp_path / "tokens.json")) as server:
        page = chromium.new_page()
        page.goto(server.url + "/docs")
        page.fill("#token", token)
        page.click("#key button")
        page.wait_for_selector("#rows tr")
        page.click("button.go")
        page.wait_for_selector("#answer:not([hidden])")
        assert '"prediction"' in page.inner_text("#answer")
        page.close()
