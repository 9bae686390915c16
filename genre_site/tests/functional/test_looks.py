"""Every page in both widths and both themes: no accessibility violation, nothing wider than the screen."""

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from classifier.registry import forget_champion, promote
from conftest import thresholds_meta

SHOTS = Path(__file__).resolve().parents[3] / "test-results"
TEXT = "The wizard and the sorceress cast an old spell on the dragon that guards the kingdom."


def paste(page):
    page.get_by_label("Text", exact=True).fill(TEXT)
    page.get_by_role("button", name="Show genres").click()
    expect(page.get_by_text("threshold of its own")).to_be_visible()


def result(page):
    page.get_by_label("Text", exact=True).fill(TEXT)
    page.get_by_role("button", name="Show genres").click()
    page.get_by_text("Correct these genres").click()
    expect(page.get_by_label("Young Adult")).to_be_visible()


def problem(page):
    result(page)
    page.get_by_role("button", name="Send the correction").click()
    expect(page.get_by_text("Nothing is ticked yet")).to_be_visible()


def receipt(page):
    result(page)
    page.get_by_label("Fantasy").check()
    page.get_by_role("button", name="Send the correction").click()
    page.locator("a.receipt").click()
    expect(page.get_by_role("heading", name="Your correction")).to_be_visible()


def why(page):
    page.get_by_label("Text", exact=True).fill(TEXT)
    page.get_by_role("button", name="Show genres").click()
    page.get_by_role("button", name="Why these genres?").click()
    expect(page.get_by_role("heading", name="Why these genres")).to_be_focused()
    page.locator(".reasons label").nth(1).click()


STATES = {
    "empty": ("/", None),
    "why": ("/", why),
    "result": ("/", result),
    "problem": ("/", problem),
    "receipt": ("/", receipt),
    "about": ("/about/", None),
    "privacy": ("/privacy/", None),
    "not-found": ("/nothing/here", None),
}


THRESHOLDS = {"unsure": {}, "chosen": {"fantasy": 0.5}}


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390, 320])
@pytest.mark.parametrize("state", STATES)
def test_it_looks_right(open_page, state, theme, width):
    look(open_page, state, theme, width, *STATES[state])


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390, 320])
@pytest.mark.parametrize("state", THRESHOLDS)
def test_genres_that_are_not_sure_look_right(open_page, make_version, state, theme, width):
    promote(make_version(**thresholds_meta(**THRESHOLDS[state])).number, by="tests")
    forget_champion()
    look(open_page, state, theme, width, "/", paste)


def look(open_page, state, theme, width, path, act):
    """Open a page, do something there, take its picture and judge it."""
    page = open_page(path, color_scheme=theme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 900})
    if act:
        act(page)
    # The 404 is this page's own answer.
    judge(open_page, page, f"{state}-{width}-{theme}", expected="404" if state == "not-found" else None)


def judge(open_page, page, name, *, expected=None):
    """Take the page's picture, and find nothing wrong with it; what it says with ``expected`` in it is meant."""
    found = list(open_page.said)
    violations = Axe().run(page).response["violations"]
    SHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SHOTS / f"{name}.png", full_page=True)
    wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert [(violation["id"], [node["html"] for node in violation["nodes"]]) for violation in violations] == []
    assert wider <= 0
    # The tools above add styles of their own, which the policy refuses.
    open_page.said[:] = [line for line in found if expected is None or expected not in line]
