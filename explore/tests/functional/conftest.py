"""The lab in the real Chromium."""

import pytest
from playwright.sync_api import expect

# Streamlit looks for these under each address that the lab might have been given, and takes no for an answer.
ASKED_EVERYWHERE = ("/_stcore/health", "/_stcore/host-config")
SECONDS = 60_000
# Those in a closed tab are drawn when it is opened.
DRAWN = """[...document.querySelectorAll('[data-testid="stVegaLiteChart"]')]
    .every(chart => chart.offsetParent === null || chart.querySelector("svg.marks"))"""


def settle(page):
    """Wait until nothing is worked out any more, nothing fades in, and all charts are drawn."""
    for _ in range(2):
        page.wait_for_timeout(300)
        expect(page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]')).to_be_visible(
            timeout=SECONDS
        )
        expect(page.locator('[data-testid="stSkeleton"]')).to_have_count(0, timeout=SECONDS)
    page.wait_for_function(DRAWN, timeout=SECONDS)
    expect(page.locator('[data-testid="stException"]')).to_have_count(0)


def choose_data(page, path):
    """Give the path of a file at the side."""
    field = page.get_by_role("textbox", name="Or its path")
    field.fill(str(path))
    field.press("Enter")
    settle(page)


def tables(page):
    """Return the tables of a page, without those in closed parts."""
    return page.get_by_test_id("stDataFrame").filter(visible=True)


def cells(table):
    """Return the texts of a table's rows and columns that are in sight: the header, then a list for each row."""
    # The table that a screen reader gets, within the canvas that everybody else sees; it is made a moment later.
    rows = table.locator("canvas [role=row]")
    expect(rows.locator("[role=columnheader]").first).to_be_attached()
    return [row.locator("[role=columnheader], [role=gridcell]").all_text_contents() for row in rows.all()]


@pytest.fixture
def open_lab(browser, address):
    """Return a function that opens a page of the lab; errors in its console, and requests to others, fail the test."""
    contexts, said = [], []

    def hear(message):
        if message.type == "error" and not message.location["url"].endswith(ASKED_EVERYWHERE):
            said.append(message.text)

    def opener(path="", width=1280, **options):
        context = browser.new_context(viewport={"width": width, "height": 900}, reduced_motion="reduce", **options)
        contexts.append(context)
        context.set_default_timeout(SECONDS)
        page = context.new_page()
        page.on("console", hear)
        page.on("pageerror", lambda error: said.append(str(error)))
        ours = (address, address.replace("http", "ws"), "data:", "blob:")
        page.on("request", lambda asked: said.append(f"foreign {asked.url}") if not asked.url.startswith(ours) else 0)
        page.goto(f"{address}/{path}")
        expect(page.get_by_role("heading", level=1)).to_be_visible(timeout=SECONDS)
        settle(page)
        return page

    yield opener
    for context in contexts:
        context.close()
    assert said == []
