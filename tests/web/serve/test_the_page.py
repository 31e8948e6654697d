"""The page that explains a model, in a browser that reaches nothing else."""

from __future__ import annotations

from mlops_cli.web.serving.tokens import Role


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


def test_it_says_what_its_scores_are_of_and_fits_a_phone(server, chromium):
    page = chromium.new_page(viewport={"width": 400, "height": 800})
    page.goto(server.url + "/docs")
    page.wait_for_selector("#rows tr")
    scores = server.get("/model").json()["metrics"]["accuracy"]
    assert f"Over the splits\naccuracy {scores['mean']:.4g}" in page.inner_text("#facts")
    assert "Metrics" not in page.inner_text("#facts")
    beyond = "[...document.querySelectorAll('main *')].filter(e => e.getBoundingClientRect().right > innerWidth)"
    assert page.evaluate(f"{beyond}.map(e => e.outerHTML)") == []
    page.close()


def test_it_asks_for_a_token_where_one_is_needed(guarded, keys, chromium):
    page = chromium.new_page()
    page.goto(guarded.url + "/docs")
    page.fill("#token", keys[Role.PREDICT])
    page.click("#key button")
    page.wait_for_selector("#rows tr")
    page.click("button.go")
    page.wait_for_selector("#answer:not([hidden])")
    assert '"prediction"' in page.inner_text("#answer")
    page.close()
