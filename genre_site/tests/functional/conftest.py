"""A real Chromium on the real pages. CHROMIUM names its executable; Debian's is found by itself."""

import os
import shutil

import pytest
from playwright.sync_api import expect, sync_playwright

# Playwright runs an event loop in the test's thread, and Django would take it for an async context.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
# A browser's own connections must be allowed; it is told to make none of its own.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
]


def pytest_collection_modifyitems(items):
    for item in items:
        if "/functional/" in str(item.path):
            item.add_marker(pytest.mark.functional)


@pytest.fixture(scope="session")
def browser():
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not path:
        pytest.skip("no Chromium here: install Debian's chromium or set CHROMIUM to an executable")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


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
