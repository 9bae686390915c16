"""Copy, share and find again in a real Chromium: by mouse, by keyboard alone, without JavaScript; and the looks of it all."""

import json

import pytest
from playwright.sync_api import expect

from feedback.models import Correction, SharedResult
from feedback.sharing import end_shares
from genre_site.tests.functional.test_journeys import TEXT, paste, tab_to
from genre_site.tests.functional.test_looks import SHOTS, look, result

MAKE = "Store the text and make a link"


def make_link(page):
    paste(page)
    page.get_by_text("Share this result").click()
    expect(page.get_by_text("stores your text here")).to_be_visible()
    page.get_by_role("button", name=MAKE).click()
    expect(page.locator("#shared-link")).to_be_visible()


def send_correction(page):
    page.get_by_text("Correct these genres").click()
    page.get_by_label("Cooking").check()
    page.get_by_role("button", name="Send the correction").click()
    expect(page.get_by_text("Thank you")).to_be_visible()


def own_page(page):
    make_link(page)
    page.locator("#secret-link").click()
    expect(page.get_by_role("heading", name="Your shared result")).to_be_visible()


def shared(page):
    make_link(page)
    page.locator("#shared-link").click()
    expect(page.get_by_role("heading", name="A shared result")).to_be_visible()


def mine(page):
    make_link(page)
    send_correction(page)
    page.get_by_role("link", name="What you sent").first.click()
    expect(page.get_by_role("heading", name="Your shared results")).to_be_visible()


def copying(page):
    paste(page)
    page.get_by_text("Copy this result").click()
    page.get_by_role("button", name="Copy the JSON").click()
    expect(page.get_by_role("status").filter(has_text="Copied")).to_be_visible()


def offered(page):
    paste(page)
    page.get_by_text("Share this result").click()


def ended(page):
    shared(page)
    end_shares(shares=[SharedResult.objects.get().pk])
    page.reload()
    expect(page.get_by_role("heading", name="no longer shared")).to_be_visible()


def test_a_person_shares_by_mouse_another_reads_it_and_the_first_deletes_it(open_page):
    page = open_page()
    make_link(page)
    address = page.locator("#shared-link").get_attribute("href")
    other = open_page(address.removeprefix(page.url.rstrip("/")))
    expect(other.get_by_text(TEXT)).to_be_visible()
    expect(other.locator(".genres li").first).to_contain_text("Fantasy")
    expect(other.get_by_role("button", name="Delete")).to_have_count(0)
    page.locator("#secret-link").click()
    page.get_by_role("button", name="Delete the text and the link").click()
    expect(page.get_by_text("Deleted.")).to_be_visible()
    other.reload()
    expect(other.get_by_role("heading", name="no longer shared")).to_be_visible()
    assert SharedResult.objects.get().text == ""
    # 410 is the page's own answer.
    open_page.said[:] = [line for line in open_page.said if "410" not in line]


def test_sharing_and_finding_it_again_works_by_keyboard_alone(open_page):
    page = open_page()
    tab_to(page, page.get_by_label("Text", exact=True))
    page.keyboard.type(TEXT)
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", name="Its genres")).to_be_visible()
    tab_to(page, page.get_by_text("Share this result"))
    page.keyboard.press("Enter")
    button = page.get_by_role("button", name=MAKE)
    tab_to(page, button)
    assert button.evaluate("element => getComputedStyle(element).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text="Your link is made")).to_be_focused()
    expect(page.locator(".htmx-settling")).to_have_count(0)
    page.keyboard.press("Tab")
    expect(page.locator("#shared-link")).to_be_focused()
    tab_to(page, page.locator("#share").get_by_role("link", name="what you sent"))
    page.keyboard.press("Enter")
    expect(page.get_by_text("Can be read")).to_be_visible()
    tab_to(page, page.get_by_role("button", name="Forget them"))
    page.keyboard.press("Enter")
    expect(page.get_by_text("remembers nothing")).to_be_visible()
    assert SharedResult.objects.get().text == TEXT


def test_without_javascript_it_is_shared_copied_found_again_and_deleted(open_page):
    page = open_page(java_script_enabled=False)
    paste(page)
    page.get_by_text("Copy this result").click()
    expect(page.get_by_label("As text")).to_contain_text("Fantasy: ")
    expect(page.get_by_role("button", name="Copy the text")).to_be_hidden()
    page.get_by_text("Correct these genres").click()
    page.get_by_label("I'm not sure").check()
    page.get_by_role("button", name="Send the correction").click()
    paste(open_home(page))
    page.get_by_text("Share this result").click()
    page.get_by_role("button", name=MAKE).click()
    expect(page.get_by_role("heading", name="Your shared result")).to_be_visible()
    page.get_by_role("link", name="What you sent").first.click()
    expect(page.get_by_text("Waits for a reviewer")).to_be_visible()
    page.locator(".sent").nth(1).get_by_role("link").click()
    page.get_by_role("button", name="Delete the text and the link").click()
    expect(page.get_by_text("Deleted.")).to_be_visible()
    assert (Correction.objects.get().verdict, SharedResult.objects.get().text) == ("unsure", "")


def open_home(page):
    page.get_by_role("link", name="Genre Detector").click()
    return page


def test_a_result_is_copied_as_text_and_as_json(open_page):
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    paste(page)
    page.get_by_text("Copy this result").click()
    held = {}
    for name in ("text", "JSON"):
        button = page.get_by_role("button", name=f"Copy the {name}")
        button.click()
        expect(button.locator("xpath=..").get_by_role("status")).to_have_text("Copied")
        held[name] = page.evaluate("navigator.clipboard.readText()")
    assert held["text"].startswith("Fantasy: ")
    assert json.loads(held["JSON"])["results"][0]["slug"] == "fantasy"


STATES = {
    "copy": copying,
    "share-offered": offered,
    "share-made": make_link,
    "share-own-page": own_page,
    "shared": shared,
    "shared-ended": ended,
    "sent": mine,
    "sent-nothing": lambda page: page.goto(page.url + "corrections/mine/"),
}


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390, 320])
@pytest.mark.parametrize("state", STATES)
def test_it_looks_right(open_page, state, theme, width):
    look(open_page, state, theme, width, "/", STATES[state])
    open_page.said[:] = [line for line in open_page.said if "410" not in line]


def receipt(page):
    paste(page)
    send_correction(page)
    page.locator("#correction a.receipt").click()
    expect(page.get_by_role("heading", name="Your correction")).to_be_visible()


@pytest.mark.parametrize(("name", "act"), [("result", paste), ("receipt", receipt), ("shared", shared)])
def test_on_paper_the_text_and_its_genres_stand_and_nothing_to_press(open_page, name, act):
    page = open_page()
    act(page)
    if name == "result":
        expect(page.get_by_role("heading", name="Its genres")).to_be_visible()
    page.emulate_media(media="print", color_scheme="dark")
    page.set_viewport_size({"width": 700, "height": 990})
    for shown in (TEXT, "Fantasy"):
        assert page.get_by_text(shown).or_(page.locator("#text")).locator("visible=true").count()
    for hidden in (page.get_by_role("button"), page.get_by_role("navigation"), page.locator("summary")):
        assert hidden.locator("visible=true").count() == 0
    box = page.locator(".quoted, #text").first
    assert box.evaluate("element => element.scrollHeight - element.clientHeight") <= 1
    # Paper is white, whatever the system's theme.
    for part, colour in (("color", "rgb(29, 32, 38)"), ("backgroundColor", "rgb(255, 255, 255)")):
        assert page.evaluate(f"getComputedStyle(document.documentElement).{part}") == colour
    SHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SHOTS / f"print-{name}.png", full_page=True)


@pytest.mark.parametrize("state", ["result", "shared", "sent"])
def test_letters_twice_as_large_need_no_scrolling_sideways(open_page, state):
    page = open_page()
    page.set_viewport_size({"width": 640, "height": 900})
    {"result": result, "shared": shared, "sent": mine}[state](page)
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    page.screenshot(path=SHOTS / f"large-{state}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
