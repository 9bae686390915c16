"""The site in the real Chromium."""

import pytest
from playwright.sync_api import expect

from feedback.tests.conftest import make_correction

__all__ = ["make_correction"]


@pytest.fixture
def site(transactional_db, live_server, champion):
    """The address of the running site, with a champion that answers."""
    return live_server.url


@pytest.fixture
def open_page(browser, site):
    """Return a function that opens a page in a context of its own; errors in its console fail the test."""
    contexts, said = [], []

    def opener(path="/", **options):
        context = browser.new_context(viewport={"width": 1280, "height": 900}, **options)
        contexts.append(context)
        context.set_default_timeout(10_000)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on(
            "request",
            lambda request: (
                said.append(f"foreign request {request.url}") if not request.url.startswith((site, "data:")) else None
            ),
        )
        page.goto(site + path)
        return page

    opener.said = said
    yield opener
    for context in contexts:
        context.close()
    assert said == []


expect.set_options(timeout=10_000)
