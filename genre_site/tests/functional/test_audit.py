"""The question "is this right?" in a real Chromium: by mouse, by keyboard alone, without JavaScript; and its looks."""

import pytest
from playwright.sync_api import expect

from feedback.models import AuditAnswer, Correction
from genre_site.tests.functional.test_journeys import TEXT, paste, tab_to
from genre_site.tests.functional.test_looks import look


@pytest.fixture(autouse=True)
def everyone_is_asked(settings):
    settings.GENRE_AUDIT_SHARE = 1.0


def answer(page, name):
    paste(page)
    page.get_by_role("group", name="Is Fantasy right for this text?").get_by_role(
        "button", name=name, exact=True
    ).click()
    expect(page.get_by_text("your answer is counted")).to_be_visible()


def said():
    return [(row.genre, row.answer) for row in AuditAnswer.objects.all()]


def test_a_person_says_no_by_mouse_and_is_led_into_the_correction(open_page):
    page = open_page()
    answer(page, "No")
    expect(page.get_by_role("button", name="Not sure")).to_have_count(0)
    expect(page.get_by_role("heading", name="Its genres")).to_be_visible()
    expect(page.get_by_label("Cooking")).to_be_hidden()
    page.get_by_role("link", name="Name it below").click()
    page.get_by_label("Cooking").check()
    page.get_by_role("button", name="Send the correction").click()
    expect(page.get_by_text("your correction is stored")).to_be_visible()
    assert (said(), Correction.objects.get().chosen) == ([("fantasy", "no")], ["cooking"])


def test_the_question_is_answered_by_keyboard_alone_and_tab_goes_on_from_there(open_page):
    page = open_page()
    tab_to(page, page.get_by_label("Text", exact=True))
    page.keyboard.type(TEXT)
    page.keyboard.press("Control+Enter")
    unsure = page.get_by_role("button", name="Not sure", exact=True)
    expect(unsure).to_be_visible()
    tab_to(page, unsure)
    assert unsure.evaluate("element => getComputedStyle(element).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text="your answer is counted")).to_be_focused()
    # The browser moves the focus first, htmx once more when it has settled.
    expect(page.locator(".htmx-settling")).to_have_count(0)
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Why these genres?")).to_be_focused()
    assert said() == [("fantasy", "unsure")]


def test_without_javascript_the_text_is_still_there_one_page_back(open_page):
    page = open_page(java_script_enabled=False)
    answer(page, "Yes")
    expect(page.get_by_text("Back button")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Its genres")).to_be_visible()
    expect(page.get_by_label("Text", exact=True)).to_have_value(TEXT)
    page.get_by_role("button", name="No", exact=True).click()
    expect(page.get_by_text("your answer is counted")).to_be_visible()
    assert said() == [("fantasy", "yes")]


STATES = {
    "audit": lambda page: (paste(page), expect(page.get_by_role("button", name="Not sure")).to_be_visible()),
    "audit-no": lambda page: answer(page, "No"),
}


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390, 320])
@pytest.mark.parametrize("state", STATES)
def test_the_question_and_the_thanks_look_right(open_page, state, theme, width):
    look(open_page, state, theme, width, "/", STATES[state])


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390, 320])
def test_the_page_of_thanks_looks_right(open_page, theme, width):
    look(open_page, "audit-thanks", theme, width, "/corrections/audit/thanks/", None)
