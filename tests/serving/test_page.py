"""The pages in a real browser: a dropped picture is named, and the API is listed."""

from __future__ import annotations

import pytest
from support import browser

pytestmark = pytest.mark.skipif(browser.NAME is None, reason="there is no Chromium")


def test_a_dropped_picture_is_named_and_a_bad_one_gets_the_sentence(address, shelf, tmp_path):
    (tmp_path / "bad.png").write_bytes(b"no picture")
    with browser.page(tmp_path / "profile") as page:
        page.call("Page.navigate", url=address + "/")
        page.wait_for("document.querySelectorAll('#model option').length === 2")
        page.drop("#drop", shelf / "green.png")
        page.wait_for("/%/.test(document.querySelector('#answer').textContent)")
        rows = page.value("[...document.querySelectorAll('#answer tr')].map((r) => r.innerText)")
        assert rows[0].split()[0] == "green"
        assert len(rows) == 3
        page.drop("#drop", tmp_path / "bad.png")
        page.wait_for("/expected a picture/.test(document.querySelector('#answer').textContent)")
        page.call("Page.navigate", url=address + "/docs")
        page.wait_for("document.querySelectorAll('h3').length > 8")
        assert "POST /v1/models/{name}:classify" in page.value("document.body.innerText")
        assert {url.startswith((address, "data:")) for url in page.requested} == {True}
