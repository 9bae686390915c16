"""What a visit costs and how it feels: bytes sent, nothing that moves by itself, and words when the server is slow or away."""

import time

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from genre_site.tests.functional.test_journeys import TEXT, paste
from genre_site.tests.functional.test_looks import SHOTS
from genre_site.tests.running import Installation

MOST_BYTES = 60_000
# A shift that follows a press within half a second is not counted as one by browsers; an answer that comes later is.
LATER = 0.8
SHIFTS = """
    window.shifts = [];
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        const moved = entry.sources.map((source) => source.node && (source.node.id || source.node.className || source.node.nodeName));
        shifts.push([entry.value, entry.hadRecentInput, ...moved]);
      }
    }).observe({ type: "layout-shift", buffered: true });
"""


def test_the_first_visit_takes_few_bytes_and_asks_this_site_alone(browser, tmp_path, model_folder):
    site = Installation(tmp_path, [model_folder])
    with site.serving() as address:
        context = browser.new_context()
        page = context.new_page()
        session = context.new_cdp_session(page)
        session.send("Network.enable")
        asked, taken = [], []
        session.on("Network.requestWillBeSent", lambda event: asked.append(event["request"]["url"]))
        session.on("Network.loadingFinished", lambda event: taken.append(event["encodedDataLength"]))
        page.goto(address, wait_until="networkidle")
        paste(page)
        expect(page.get_by_role("heading", name="Its genres")).to_be_visible()
        context.close()
    assert [url for url in asked if not url.startswith((address, "data:"))] == []
    assert len(asked) >= 6
    assert 5_000 < sum(taken) <= MOST_BYTES, (sum(taken), list(zip(asked, taken, strict=False)))


@pytest.mark.parametrize(("width", "height"), [(1280, 900), (1280, 600), (390, 844), (320, 640)])
@pytest.mark.parametrize("how", ["text", "example"])
def test_nothing_moves_when_the_page_and_its_results_arrive(open_page, width, height, how):
    page = open_page("/about/")
    page.set_viewport_size({"width": width, "height": height})
    page.context.add_init_script(SHIFTS)
    page.get_by_role("link", name="Genre Detector").click()
    page.route("**/*", lambda route: (time.sleep(LATER), route.continue_()))
    for _ in range(2):
        if how == "text":
            paste(page)
        else:
            page.get_by_role("navigation", name="Examples").get_by_role("link").first.click()
        expect(page.locator("#result .correct")).to_be_visible()
        expect(page.locator("[aria-busy]")).to_have_count(0)
        page.wait_for_timeout(200)
    shifts = page.evaluate("shifts")
    assert [shift for shift in shifts if not shift[1]] == []


def away(route):
    """Answer as a proxy does whose site is away."""
    route.fulfill(status=502, content_type="text/html", body="<h1>502 Bad Gateway</h1><p>proxy/1.2</p>")


@pytest.mark.parametrize(
    ("handler", "words"),
    [
        (away, "The site is away for a moment"),
        (lambda route: route.abort("connectionrefused"), "The server can't be reached"),
    ],
    ids=["proxy", "refused"],
)
def test_when_the_site_is_away_it_is_said_and_the_text_stays(open_page, handler, words):
    page = open_page()
    page.route("**/*", handler)
    paste(page)
    expect(page.get_by_role("alert").filter(has_text=words)).to_contain_text("Nothing that you entered is lost")
    expect(page.get_by_text("Bad Gateway")).to_have_count(0)
    expect(page.get_by_label("Text", exact=True)).to_have_value(TEXT)
    expect(page.locator("[aria-busy]")).to_have_count(0)
    page.unroute_all()
    paste(page)
    expect(page.get_by_role("heading", name="Its genres")).to_be_visible()
    expect(page.get_by_text(words)).to_have_count(0)
    # The browser and htmx report it too.
    open_page.said[:] = [
        line for line in open_page.said if "502" not in line and "ERR_" not in line and "htmx:" not in line
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_slow_server_is_said_and_one_that_does_not_answer_is_given_up(open_page, theme):
    page = open_page(color_scheme=theme, reduced_motion="reduce")
    held = []
    page.route("**/*", lambda route: held.append(route))
    page.evaluate("htmx.config.timeout = 15000")
    paste(page)
    expect(page.locator("#result")).to_have_attribute("aria-busy", "true")
    expect(page.get_by_text("Reading…")).to_be_visible()
    expect(page.get_by_role("status").filter(has_text="Still waiting")).to_be_visible()
    found = list(open_page.said)
    SHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SHOTS / f"slow-{theme}.png")
    assert Axe().run(page).response["violations"] == []
    open_page.said[:] = found
    expect(page.get_by_role("alert")).to_contain_text("The server does not answer", timeout=20_000)
    expect(page.get_by_text("Still waiting")).to_have_count(0)
    expect(page.get_by_label("Text", exact=True)).to_have_value(TEXT)
    assert Axe().run(page).response["violations"] == []
    page.screenshot(path=SHOTS / f"gone-{theme}.png")
    open_page.said[:] = []
    # Not aborted: the console would tell of it, sooner or later.
    for route in held:
        route.fulfill(status=204)
