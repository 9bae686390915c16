"""The extension driven once in a real Chromium, from a selection on a page to the receipt on the site."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from classifier.models import Prediction
from classifier.registry import forget_champion, promote
from conftest import thresholds_meta
from extension.tests.conftest import READING
from feedback.models import Correction

pytestmark = pytest.mark.functional

TEXT = "The wizard and the sorceress <b>cast</b> an old spell on the dragon that guards the kingdom."
ARTICLE = f"""<!doctype html><html lang="en"><title>Blurb</title><p>Something else.</p>
<p id="blurb">{TEXT.replace("<", "&lt;")}</p><label>Draft <textarea id="draft">Whisk the butter, the sugar and the flour.</textarea></label>"""
THEMES = ("light", "dark")


@pytest.fixture
def read(extended):
    """Return a function that opens the page and selects what is in an element of it."""
    context, _ = extended
    context.route(f"{READING}/**", lambda route: route.fulfill(content_type="text/html", body=ARTICLE))

    def read(element="#blurb"):
        page = context.new_page()
        page.goto(READING)
        page.locator(element).select_text()
        return page

    return read


@pytest.fixture
def open_part(extended):
    """Return a function that opens a page of the extension in a tab of its own; errors in its console fail the test.

    But for the line that Chromium itself writes of an answer that is an error.
    """
    context, base = extended
    said = []

    def opener(name):
        page = context.new_page()
        page.set_viewport_size({"width": 320, "height": 700})
        page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(f"{base}/{name}.html")
        return page

    yield opener
    assert [line for line in said if not line.startswith("Failed to load resource")] == []


@pytest.fixture
def set_up(served, open_part):
    """Return a function that saves the address and a key in the options, and closes them."""

    def set_up(address=served[0], key=served[1]):
        page = open_part("options")
        page.get_by_label("Server address").fill(f"{address}/")
        page.get_by_label("Key").fill(key)
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("status")).to_have_text("Saved.")
        expect(page.get_by_label("Server address")).to_have_value(address)
        return page

    return set_up


def judge(page):
    """Find nothing wrong with a page in either theme, and nothing wider than it."""
    for theme in THEMES:
        page.emulate_media(color_scheme=theme)
        violations = Axe().run(page).response["violations"]
        assert [(theme, each["id"], [node["html"] for node in each["nodes"]]) for each in violations] == []
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0


def test_a_selection_is_read_corrected_and_its_receipt_opened(served, asked, read, open_part, set_up):
    options = set_up()
    assert asked == []
    options.get_by_role("button", name="Test").click()
    expect(options.get_by_role("status")).to_have_text("The server answers and knows 35 genres.")
    judge(options)
    options.close()
    asked.clear()

    read()
    popup = open_part("popup")
    expect(popup.locator("#start")).to_have_text(TEXT)
    expect(popup.get_by_text("Nothing has been sent yet")).to_contain_text(served[0])
    expect(popup.get_by_role("button", name="Show genres")).to_be_focused()
    judge(popup)
    assert (asked, Prediction.objects.count()) == ([], 0)

    popup.keyboard.press("Enter")
    expect(popup.get_by_role("heading", name="Its genres")).to_be_focused()
    expect(popup.locator(".genres li").first).to_have_text(re.compile(r"^Fantasy very likely, \d+%$"))
    expect(popup.locator("h3, .unsure")).to_have_count(0)
    assert asked == [("POST", "/api/v1/models/champion/suggest")]
    judge(popup)

    popup.get_by_text("Correct these genres").click()
    expect(popup.get_by_role("checkbox", name="Fantasy")).to_be_visible()
    expect(popup.get_by_role("checkbox")).to_have_count(37)
    expect(popup.locator(":checked")).to_have_count(0)
    expect(popup.get_by_text("where reviewers read them")).to_contain_text(served[0])
    judge(popup)
    popup.get_by_role("button", name="Send the correction").click()
    expect(popup.locator(".correct").get_by_role("alert")).to_contain_text("Nothing is ticked yet")
    assert Correction.objects.count() == 0
    popup.get_by_role("checkbox", name="Young Adult").check()
    popup.get_by_label("A note for the reviewer").fill("for teenagers")
    popup.get_by_role("button", name="Send the correction").click()
    expect(popup.get_by_role("heading", name="Thank you")).to_be_focused()
    correction = Correction.objects.get()
    assert (correction.text, correction.chosen, correction.note) == (TEXT, ["young-adult"], "for teenagers")
    assert str(correction.prediction_uid) == str(Prediction.objects.get().uid)
    judge(popup)

    link = popup.locator("a.receipt")
    popup.get_by_role("button", name="Copy the link").click()
    expect(popup.get_by_text("The link is copied.")).to_be_visible()
    with popup.context.expect_page() as opened:
        link.click()
    receipt = opened.value
    expect(receipt.get_by_role("heading", name="Your correction")).to_be_visible()
    assert receipt.url == link.text_content() == f"{served[0]}/corrections/{correction.receipt}/"


def test_a_text_that_is_not_sure_can_be_named_and_what_goes_wrong_has_a_next_step(
    served, read, open_part, set_up, make_version, settings
):
    promote(make_version(**thresholds_meta()).number, by="tests")
    forget_champion()
    read("#draft")
    popup = open_part("popup")
    expect(popup.get_by_role("alert")).to_contain_text("No server is set yet")
    expect(popup.get_by_role("link", name="Open the options")).to_have_attribute("href", "options.html")
    popup.close()

    options = open_part("options")
    options.get_by_label("Server address").fill("genres.example.org")
    options.get_by_role("button", name="Save").click()
    expect(options.get_by_role("alert")).to_contain_text("must begin with http:// or https://")
    options.get_by_label("Server address").fill("https://never.example.org")
    options.get_by_role("button", name="Test").click()
    expect(options.get_by_role("alert")).to_contain_text("may not ask https://never.example.org yet")
    judge(options)
    options.close()

    set_up(key="gd_wrong").close()
    read("#draft")
    popup = open_part("popup")
    popup.get_by_role("button", name="Show genres").click()
    expect(popup.get_by_role("alert")).to_contain_text("The key is unknown, expired or revoked.")
    expect(popup.get_by_role("link", name="Open the options")).to_be_visible()
    judge(popup)
    popup.close()

    set_up().close()
    read("#draft")
    popup = open_part("popup")
    popup.get_by_role("button", name="Show genres").click()
    expect(popup.get_by_role("heading", name="No sure answer")).to_be_focused()
    expect(popup.get_by_text("not sure enough of any genre")).to_be_visible()
    expect(popup.locator(".unsure li").first).to_contain_text("Cooking")
    judge(popup)
    popup.get_by_text("Name its genres").click()
    popup.get_by_label("I'm not sure").check()
    popup.context.set_offline(True)
    popup.get_by_role("button", name="Send the correction").click()
    expect(popup.locator(".correct").get_by_role("alert")).to_contain_text("can't be reached")
    popup.context.set_offline(False)
    expect(popup.get_by_label("I'm not sure")).to_be_checked()
    popup.get_by_role("button", name="Send the correction").click()
    expect(popup.get_by_role("heading", name="Thank you")).to_be_visible()
    assert Correction.objects.get().verdict == "unsure"


def test_genres_below_their_thresholds_stand_apart(read, open_part, set_up, make_version):
    promote(make_version(**thresholds_meta(fantasy=0.5)).number, by="tests")
    forget_champion()
    set_up().close()
    read()
    popup = open_part("popup")
    popup.get_by_role("button", name="Show genres").click()
    expect(popup.locator(".genres:not(.unsure) li")).to_have_count(1)
    expect(popup.locator("h3:text('Not sure enough') + .unsure li")).to_have_count(2)
    judge(popup)


def test_without_a_selection_nothing_can_be_sent(asked, read, open_part, set_up):
    set_up().close()
    read().get_by_text("Something else").click()
    popup = open_part("popup")
    expect(popup.get_by_role("alert")).to_contain_text("No text is selected.")
    expect(popup.get_by_role("button", name="Show genres")).to_be_hidden()
    judge(popup)
    assert asked == []
