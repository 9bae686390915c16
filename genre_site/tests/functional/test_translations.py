"""German in a real browser, with scripts and without; and whether a sentence was marked that the catalogue lacks."""

import re
import shutil

import polib
import pytest
from django.core.management import call_command
from playwright.sync_api import expect

from feedback.models import Correction
from genre_site.tests.functional.test_looks import judge
from genre_site.tests.test_language import CATALOGUE, TEXT

NARROW = {"width": 320, "height": 900}
LONG = "\n\n".join(["The wizard and the sorceress cast an old spell on the dragon that guards the kingdom. " * 20] * 20)


@pytest.mark.skipif(not shutil.which("xgettext"), reason="no gettext here: install Debian's gettext")
def test_no_sentence_is_marked_that_the_catalogue_lacks(settings, tmp_path, monkeypatch):
    copy = tmp_path / "de" / "LC_MESSAGES" / "django.po"
    copy.parent.mkdir(parents=True)
    shutil.copy(CATALOGUE, copy)
    settings.LOCALE_PATHS = [tmp_path]
    monkeypatch.chdir(CATALOGUE.parents[4])
    call_command("makemessages", locale=["de"], verbosity=0)

    def sentences(path):
        return {(e.msgctxt, e.msgid, e.msgid_plural, e.obsolete, e.fuzzy) for e in polib.pofile(str(path))}

    assert sentences(copy) == sentences(CATALOGUE), "run `make messages`, then translate what is new"


def correct(page):
    """Paste a text, see its genres, name others, and withdraw them again, all in German."""
    page.get_by_label("Text", exact=True).fill(TEXT)
    page.get_by_role("button", name="Genres zeigen").click()
    expect(page.get_by_role("heading", name="Seine Genres")).to_be_visible()
    page.get_by_text("Diese Genres berichtigen").click()
    page.get_by_role("button", name="Berichtigung senden").click()
    expect(page.get_by_text("Noch ist nichts angekreuzt")).to_be_visible()
    page.get_by_label("Jugendbücher").check()
    page.get_by_role("button", name="Berichtigung senden").click()


def withdraw(page):
    expect(page.get_by_role("heading", name="Ihre Berichtigung")).to_be_visible()
    page.get_by_role("button", name="Zurückziehen und löschen").click()
    expect(page.get_by_text("Zurückgezogen. Der Text")).to_be_visible()
    assert (Correction.objects.get().chosen, Correction.objects.get().status) == (["young-adult"], "withdrawn")


def test_a_correction_in_german(open_page):
    page = open_page(locale="de-DE")
    page.set_viewport_size(NARROW)
    correct(page)
    judge(open_page, page, "german-thanks-320")
    page.locator("a.receipt").click()
    withdraw(page)


def test_a_correction_in_german_without_javascript(open_page):
    page = open_page(locale="de-DE", java_script_enabled=False)
    page.set_viewport_size(NARROW)
    correct(page)
    withdraw(page)


def why(page):
    page.get_by_label("Text", exact=True).fill(TEXT)
    expect(page.get_by_text("16 Wörter")).to_be_visible()
    page.get_by_role("button", name="Genres zeigen").click()
    page.get_by_role("button", name="Warum diese Genres?").click()
    expect(page.get_by_role("heading", name="Warum diese Genres")).to_be_focused()
    page.get_by_text("Diese Genres berichtigen").click()
    page.get_by_text("Dieses Ergebnis teilen").click()


def long_text(page):
    page.get_by_label("Text", exact=True).fill(LONG)
    page.get_by_role("button", name="Genres zeigen").click()
    expect(page.get_by_text("Wie die Genres steigen und fallen").first).to_be_visible()


STATES = {
    "first": ("/", None),
    "why": ("/", why),
    "long": ("/", long_text),
    "table": ("/several/", None),
    "about": ("/about/", None),
    "privacy": ("/privacy/", None),
    "yours": ("/corrections/mine/", None),
}


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (390, "dark"), (320, "light")])
@pytest.mark.parametrize("state", STATES)
def test_german_words_have_room(open_page, state, width, theme):
    path, act = STATES[state]
    page = open_page(path, locale="de-DE", color_scheme=theme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 900})
    if act:
        act(page)
    judge(open_page, page, f"german-{state}-{width}-{theme}")


def test_another_language_takes_the_text_along(open_page):
    page = open_page(locale="en-GB")
    page.get_by_label("Text", exact=True).fill(TEXT)
    page.get_by_role("button", name="Deutsch").click()
    expect(page.get_by_role("heading", name="Seine Genres")).to_be_visible()
    expect(page.get_by_label("Text", exact=True)).to_have_value(TEXT)
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", name="Its genres")).to_be_visible()
    expect(page.get_by_label("Text", exact=True)).to_have_value(TEXT)


def test_another_language_keeps_the_page_without_javascript(open_page):
    page = open_page("/about/", locale="en-GB", java_script_enabled=False)
    page.get_by_role("button", name="Deutsch").click()
    expect(page.get_by_role("heading", name="Über dieses Modell")).to_be_visible()
    expect(page).to_have_url(re.compile(r"/about/$"))
    page.goto(page.url.replace("/about/", "/"))
    page.get_by_label("Text", exact=True).fill(TEXT)
    page.get_by_role("button", name="Genres zeigen").click()
    expect(page.get_by_role("heading", name="Seine Genres")).to_be_visible()
    expect(page.get_by_role("button", name="English")).to_be_hidden()
