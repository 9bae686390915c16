"""Whole journeys in a real Chromium: by mouse, by keyboard alone, without JavaScript; a reviewer's; and mistakes."""

import re

import pytest
from django.contrib.auth.models import Group, User
from playwright.sync_api import expect

from feedback.models import Correction

TEXT = "The wizard and the sorceress cast an old spell on the dragon that guards the kingdom."


def paste(page, text=TEXT):
    page.get_by_label("Text", exact=True).fill(text)
    page.get_by_role("button", name="Show genres").click()


def test_a_person_corrects_by_mouse_and_withdraws_by_the_receipt(open_page):
    page = open_page()
    paste(page)
    expect(page.get_by_role("heading", name="Its genres")).to_be_visible()
    expect(page.locator(".genres li").first).to_contain_text("Fantasy")
    page.get_by_text("Correct these genres").click()
    expect(page.locator(".correct textarea[name=text]")).to_be_hidden()
    page.get_by_role("button", name="Send the correction").click()
    expect(page.get_by_text("Nothing is ticked yet")).to_be_visible()
    page.get_by_label("Young Adult").check()
    page.get_by_label("Fantasy").check()
    page.get_by_label("A note for the reviewer").fill("for teenagers")
    page.get_by_role("button", name="Send the correction").click()
    expect(page.get_by_text("Thank you")).to_be_visible()
    correction = Correction.objects.get()
    assert set(correction.chosen) == {"fantasy", "young-adult"}
    assert (correction.text, correction.note, correction.status) == (TEXT, "for teenagers", "pending")

    page.locator("a.receipt").click()
    expect(page.get_by_role("heading", name="Your correction")).to_be_visible()
    expect(page.get_by_text("It waits for a reviewer")).to_be_visible()
    page.get_by_role("button", name="Withdraw and erase").click()
    expect(page.get_by_text("Withdrawn.")).to_be_visible()
    correction.refresh_from_db()
    assert (correction.status, correction.text, correction.note) == ("withdrawn", "", "")


def test_a_mistake_in_the_correction_keeps_everything_entered(open_page):
    page = open_page()
    paste(page)
    page.get_by_text("Correct these genres").click()
    page.get_by_label("Cooking").check()
    page.get_by_label("None of these fits").check()
    page.get_by_label("The genre it should be").fill("Solarpunk")
    page.get_by_label("A note for the reviewer").fill("hard to say")
    page.get_by_role("button", name="Send the correction").click()
    expect(page.get_by_text("Keep the one that is right")).to_be_visible()
    expect(page.get_by_label("Cooking")).to_be_checked()
    expect(page.get_by_label("None of these fits")).to_be_checked()
    expect(page.get_by_label("The genre it should be")).to_have_value("Solarpunk")
    expect(page.get_by_label("A note for the reviewer")).to_have_value("hard to say")
    page.get_by_label("Cooking").uncheck()
    page.get_by_role("button", name="Send the correction").click()
    expect(page.get_by_text("Thank you")).to_be_visible()
    assert (Correction.objects.get().verdict, Correction.objects.get().proposal) == ("none", "Solarpunk")


def tab_to(page, locator, limit=80):
    """Press Tab until ``locator`` has the focus."""
    for _ in range(limit):
        if locator.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    pytest.fail(f"{locator} is not reached by Tab")


def test_the_whole_journey_works_by_keyboard_alone(open_page):
    page = open_page()
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to the text")).to_be_focused()
    tab_to(page, page.get_by_label("Text", exact=True))
    page.keyboard.type(TEXT)
    tab_to(page, page.get_by_role("button", name="Show genres"))
    outline = page.get_by_role("button", name="Show genres").evaluate(
        "element => getComputedStyle(element).outlineStyle"
    )
    assert outline == "solid"
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Its genres")).to_be_visible()
    tab_to(page, page.get_by_text("Correct these genres"))
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_label("Fantasy"))
    page.keyboard.press("Space")
    tab_to(page, page.get_by_role("button", name="Send the correction"))
    page.keyboard.press("Enter")
    expect(page.get_by_text("Thank you")).to_be_visible()
    assert Correction.objects.get().chosen == ["fantasy"]


def test_control_enter_in_the_box_shows_the_genres(open_page):
    page = open_page()
    page.get_by_label("Text", exact=True).fill(TEXT)
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("heading", name="Its genres")).to_be_visible()


def test_the_whole_journey_works_without_javascript(open_page):
    page = open_page(java_script_enabled=False)
    paste(page, "two words")
    expect(page.get_by_text("too short to tell a genre")).to_be_visible()
    expect(page.get_by_label("Text", exact=True)).to_have_value("two words")
    paste(page)
    expect(page.get_by_label("Text", exact=True)).to_have_value(TEXT)
    page.get_by_text("Correct these genres").click()
    page.get_by_role("button", name="Send the correction").click()
    expect(page.get_by_text("Nothing is ticked yet")).to_be_visible()
    expect(page.get_by_label("Text", exact=True)).to_have_value(TEXT)
    page.get_by_label("I'm not sure").check()
    page.get_by_role("button", name="Send the correction").click()
    expect(page.get_by_role("heading", name="Your correction")).to_be_visible()
    page.get_by_role("button", name="Withdraw and erase").click()
    expect(page.get_by_text("Withdrawn.")).to_be_visible()
    assert Correction.objects.get().verdict == "unsure"


def test_a_file_fills_the_box_and_an_example_too(open_page):
    page = open_page()
    page.set_input_files("#file", {"name": "blurb.txt", "mimeType": "text/plain", "buffer": TEXT.encode()})
    expect(page.get_by_role("heading", name="Its genres")).to_be_visible()
    expect(page.get_by_label("Text", exact=True)).to_have_value(TEXT)
    expect(page.locator("#text-count")).to_have_text("16 words")
    page.get_by_role("navigation", name="Examples").get_by_role("link").first.click()
    expect(page.get_by_label("Text", exact=True)).not_to_have_value(TEXT)


def test_when_the_server_is_out_of_reach_the_text_stays(open_page):
    page = open_page()
    page.context.set_offline(True)
    paste(page)
    expect(page.get_by_text("The server can't be reached")).to_be_visible()
    expect(page.get_by_label("Text", exact=True)).to_have_value(TEXT)
    page.context.set_offline(False)
    paste(page)
    expect(page.get_by_role("heading", name="Its genres")).to_be_visible()
    expect(page.get_by_text("The server can't be reached")).to_be_hidden()
    # The browser and htmx report the failed request themselves.
    open_page.said[:] = [
        line for line in open_page.said if "ERR_INTERNET_DISCONNECTED" not in line and not line.startswith("htmx:")
    ]


def test_an_error_of_the_server_is_told_beside_the_form(open_page, settings):
    page = open_page()
    settings.GENRE_MAX_FORM_BYTES = 100
    paste(page)
    expect(page.get_by_text("That is too much at once")).to_be_visible()
    expect(page.get_by_label("Text", exact=True)).to_have_value(TEXT)
    # The browser and htmx report the refusal too.
    open_page.said[:] = [line for line in open_page.said if "413" not in line]


def test_a_reviewer_approves_in_bulk_and_edits_one(open_page, django_user_model):
    for name in ("Fantasy", "Cooking"):
        page = open_page()
        paste(page, f"{name}. {TEXT}")
        page.get_by_text("Correct these genres").click()
        page.get_by_label(name).check()
        page.get_by_role("button", name="Send the correction").click()
        expect(page.get_by_text("Thank you")).to_be_visible()
    reviewer = User.objects.create_user("rita", password="a long pass phrase", is_staff=True)
    reviewer.groups.add(Group.objects.get(name="Reviewer"))

    page = open_page("/admin/feedback/correction/")
    page.get_by_label("Username").fill("rita")
    page.get_by_label("Password").fill("a long pass phrase")
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("link", name=re.compile("Cooking. The wizard")).click()
    page.get_by_label("Cooking").uncheck()
    page.get_by_label("Fantasy").check()
    page.get_by_label("approve").check()
    page.get_by_label("Reason").fill("no recipe in it")
    page.get_by_role("button", name="Save", exact=True).first.click()
    expect(page.get_by_text("was changed successfully")).to_be_visible()

    page.locator("#action-toggle").check()
    page.locator("select[name=action]").select_option(label="Approve the selected corrections")
    page.get_by_role("button", name="Go").click()
    expect(page.get_by_text("1 left alone: approved already.")).to_be_visible()
    assert [correction.status for correction in Correction.objects.all()] == ["approved", "approved"]
    edited = Correction.objects.get(chosen=["cooking"])
    assert edited.slugs() == ("fantasy",)
    assert edited.events.filter(action="edited", by="rita", reason="no recipe in it").count() == 1


def test_why_is_read_genre_by_genre_with_the_arrow_keys(open_page):
    page = open_page()
    paste(page)
    page.get_by_role("button", name="Why these genres?").press("Enter")
    expect(page.get_by_role("heading", name="Why these genres")).to_be_focused()
    # The browser moves the focus first, htmx once more when it has settled.
    expect(page.locator(".htmx-settling")).to_have_count(0)
    page.keyboard.press("Tab")
    expect(page.get_by_role("radio", name="Fantasy")).to_be_focused()
    dragon = page.locator(".told").get_by_text("dragon", exact=True)
    line = "element => getComputedStyle(element).textDecorationStyle + getComputedStyle(element).textDecorationLine"
    assert dragon.evaluate(line) == "solidunderline"
    expect(page.get_by_role("group", name="Fantasy")).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("group", name="Fantasy")).to_be_hidden()
    assert dragon.evaluate(line) == "dottedunderline"


def test_why_is_told_without_javascript(open_page):
    page = open_page(java_script_enabled=False)
    paste(page)
    page.get_by_role("button", name="Why these genres?").click()
    expect(page.get_by_role("heading", name="Why these genres")).to_be_visible()
    expect(page.get_by_label("Text", exact=True)).to_have_value(TEXT)
    expect(page.locator(".told")).to_have_text(TEXT)
    other = page.get_by_role("radio").nth(1)
    page.locator("label[for=why-2]").click()
    expect(other).to_be_checked()
    expect(page.locator("#reasons-2")).to_be_visible()
