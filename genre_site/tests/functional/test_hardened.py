"""In the real Chromium: a form that has expired loses nothing, and no page of the admin breaks the strict policy."""

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

from classifier.predictions import predict_text
from feedback.actions import Answer, submit_correction
from feedback.models import Correction

TEXT = "The wizard and the sorceress cast an old spell on the dragon that guards the kingdom."
RIGHT = "a long pass phrase"


def forget_403(open_page):
    """The browser and htmx report the refusal themselves; nothing else may have been said."""
    open_page.said[:] = [line for line in open_page.said if "403" not in line]


@pytest.mark.parametrize("scripts", [True, False])
def test_a_text_sent_from_a_page_that_was_open_too_long_is_in_the_box_and_can_be_sent_again(open_page, scripts):
    page = open_page(java_script_enabled=scripts)
    page.context.clear_cookies()
    page.get_by_label("Text", exact=True).fill(TEXT)
    page.get_by_role("button", name="Show genres").click()
    expect(page.get_by_text("This page was open too long")).to_be_visible()
    expect(page.get_by_label("Text", exact=True)).to_have_value(TEXT)
    expect(page.locator("main")).to_have_count(1)
    page.get_by_role("button", name="Show genres").click()
    expect(page.locator(".genres li").first).to_contain_text("Fantasy")
    forget_403(open_page)


@pytest.mark.parametrize("scripts", [True, False])
def test_a_correction_sent_from_such_a_page_is_as_it_was_entered_and_can_be_sent_again(open_page, scripts):
    page = open_page(java_script_enabled=scripts)
    page.get_by_label("Text", exact=True).fill(TEXT)
    page.get_by_role("button", name="Show genres").click()
    page.get_by_text("Correct these genres").click()
    page.get_by_label("Young Adult").check()
    page.get_by_label("A note for the reviewer").fill("for teenagers")
    page.context.clear_cookies()
    page.get_by_role("button", name="Send the correction").click()
    expect(page.get_by_text("Nothing was stored")).to_be_visible()
    assert not Correction.objects.exists()
    expect(page.get_by_label("Young Adult")).to_be_checked()
    expect(page.get_by_label("A note for the reviewer")).to_have_value("for teenagers")
    page.get_by_role("button", name="Send the correction").click()
    expect(page.get_by_text("Thank you" if scripts else "It waits for a reviewer")).to_be_visible()
    forget_403(open_page)


def test_a_picture_named_as_a_text_is_told_beside_the_text_that_was_pasted(open_page):
    page = open_page()
    page.get_by_label("Text", exact=True).fill(TEXT)
    picture = {"name": "chapter.txt", "mimeType": "text/plain", "buffer": b"\x89PNG\r\n\x1a\n" + bytes(100)}
    page.set_input_files("#file", picture)
    expect(page.get_by_text("This file is a PNG picture, not plain text.")).to_be_visible()
    expect(page.get_by_label("Text", exact=True)).to_have_value(TEXT)


def test_the_admin_runs_under_the_strict_policy(open_page, site):
    correction = submit_correction(
        shown=predict_text(TEXT, source="page"), text=TEXT, answer=Answer(genres=("fantasy",)), visitor="x"
    )
    user = User.objects.create_superuser("ada", password=RIGHT)
    page = open_page("/admin/")
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Password").fill(RIGHT)
    page.get_by_role("button", name="Log in").click()
    for address in (
        "",
        "auth/user/add/",
        f"auth/user/{user.pk}/change/",
        "auth/group/add/",
        "classifier/genre/",
        "classifier/modelversion/",
        "feedback/correction/?status=pending",
        f"feedback/correction/{correction.pk}/change/",
        f"feedback/correction/{correction.pk}/history/",
        "password_change/",
    ):
        page.goto(f"{site}/admin/{address}")
        expect(page.locator("#content")).to_be_visible()
    # Widgets that the admin's scripts make.
    page.goto(f"{site}/admin/auth/user/{user.pk}/change/")
    page.get_by_role("link", name="Choose all").first.or_(page.locator("#id_groups_add_all")).first.click()
    expect(page.locator(".datetimeshortcuts").first).to_be_visible()
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_text("Logged out")).to_be_visible()
