"""The site speaks the visitor's language to people and English to programs; its German is whole."""

import re
from html import unescape
from pathlib import Path

import polib
import pytest
from django.test import Client
from django.utils import translation

from classifier.core.errors import TextError
from classifier.core.genres import canonical_genres
from classifier.core.text import check_text, decode
from classifier.models import Genre
from classifier.predictions import predict_text
from classifier.wording import genre_lines, genre_words, percentage, refusal
from feedback.actions import Answer, submit_correction
from feedback.sharing import share_result
from feedback.tests.browser import form_of

CATALOGUE = Path(__file__).resolve().parents[1] / "translations" / "de" / "LC_MESSAGES" / "django.po"
TEXT = "The wizard and the sorceress cast an old spell on the dragon that guards the kingdom."
GERMAN = {"HTTP_ACCEPT_LANGUAGE": "de-DE,de;q=0.9,en;q=0.5"}
# What must be the same in a sentence and its translation: figures, and what scripts and browsers read.
FIXED = re.compile(r"%\(\w+\)[sr]|%%|\{\w+\}|</?\w+|(?:href|class)=\"[^\"]*\"")


@pytest.fixture(scope="module")
def catalogue():
    return polib.pofile(str(CATALOGUE))


@pytest.fixture
def german():
    with translation.override("de"):
        yield


def body(response):
    return response.content.decode()


def test_the_compiled_catalogue_is_that_of_the_sentences(catalogue):
    compiled = polib.mofile(str(CATALOGUE.with_suffix(".mo")))

    def told(entries):
        return {(e.msgctxt, e.msgid): e.msgstr or dict(e.msgstr_plural) for e in entries if e.msgid}

    assert told(compiled) == told(catalogue), "run `make messages`"


def test_every_sentence_has_its_german_with_the_same_figures_and_marks(catalogue):
    assert (catalogue.untranslated_entries(), catalogue.fuzzy_entries(), catalogue.obsolete_entries()) == ([], [], [])
    for entry in catalogue:
        for said in [entry.msgstr] if entry.msgstr else entry.msgstr_plural.values():
            meant = entry.msgid_plural or entry.msgid
            assert sorted(FIXED.findall(said)) == sorted(FIXED.findall(meant)), entry.msgid


def test_every_shipped_genre_has_a_german_name_of_its_own(catalogue):
    german = {entry.msgid: entry.msgstr for entry in catalogue if entry.msgctxt == "genre"}
    assert {genre.name for genre in canonical_genres()} | {genre.description for genre in canonical_genres()} == {
        *german
    }
    names = [german[genre.name] for genre in canonical_genres()]
    assert len(set(names)) == len(names)


def test_a_page_comes_in_the_language_that_the_browser_asks_for(client, db):
    page = client.get("/", **GERMAN)
    assert '<html lang="de">' in body(page)
    assert "Welches Genre hat dieser Text?" in body(page)
    assert page["Content-Language"] == "de"
    assert {"Accept-Language", "Cookie"} <= {name.strip() for name in page["Vary"].split(",")}
    assert '<html lang="en">' in body(client.get("/", headers={"accept-language": "fr"}))
    # A thread serves others next.
    assert translation.get_language() == "en"


def test_the_operator_says_what_is_spoken_to_those_who_ask_for_nothing(client, db, settings):
    settings.LANGUAGE_CODE = "de"
    assert '<html lang="de">' in body(client.get("/about/"))
    assert '<html lang="en">' in body(client.get("/about/", headers={"accept-language": "en"}))


def test_who_chooses_a_language_at_the_foot_of_a_page_stays_on_it(db):
    client = Client(enforce_csrf_checks=True)
    page = client.get("/about/?from=here")
    fields = form_of(page, "/language/")
    assert fields["next"] == ["/about/?from=here"]
    assert not page.cookies
    answer = client.post("/language/", {"next": fields["next"], "language": "de"})
    cookie = answer.cookies["django_language"]
    assert (answer.status_code, answer["Location"]) == (302, "/about/?from=here")
    assert (cookie["samesite"], cookie["httponly"], cookie["max-age"]) == ("Lax", True, 365 * 24 * 3600)
    assert "Über dieses Modell" in body(client.get("/about/", headers={"accept-language": "en"}))


def test_a_choice_leads_to_no_other_site_and_to_no_other_language(client, db):
    answer = client.post("/language/", {"next": "https://elsewhere.example/", "language": "xx"})
    assert answer["Location"] == "/"
    assert "django_language" not in answer.cookies


def test_the_answer_to_a_form_offers_no_choice_that_would_lose_its_text(client, champion):
    assert re.search(r'<form class="languages"[^>]* hidden>', body(client.post("/", {"text": TEXT})))
    assert not re.search(r'<form class="languages"[^>]* hidden>', body(client.get("/")))


def test_programs_are_told_in_english(api, settings):
    settings.LANGUAGE_CODE = "de"
    asked = {"text": TEXT, "genres": ["fantasy"], "none_fits": True}
    answer = api.post("/api/v1/feedback", asked, **{"Accept-Language": "de"}).json()
    assert "Keep the one that is right" in answer["detail"]
    told = api.post("/api/v1/models/champion/suggest", {"texts": [{"text": TEXT}]}, **{"Accept-Language": "de"})
    assert "Language" not in told.get("Vary", "")


def test_the_monitor_is_english_to_everybody(admin_client):
    page = admin_client.get("/monitor/", **GERMAN)
    assert ('<html lang="en">' in body(page), page["Content-Language"]) == (True, "en")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x " * 600_000, "Dieser Text hat 1.200.000 Byte; auf einmal können höchstens 1.000.000 gelesen werden."),
        ("zwei Wörter", "2 Wörter sind zu kurz"),
        ("Wort", "1 Wort ist zu kurz"),
        ("", "Noch ist kein Text da."),
        (b"%PDF-1.7", "Diese Datei ist ein PDF-Dokument und kein reiner Text."),
    ],
)
def test_what_the_core_refuses_is_said_in_german(german, text, said):
    with pytest.raises(TextError) as refused:
        decode(text) if isinstance(text, bytes) else check_text(text)
    assert refusal(refused.value).startswith(said)
    # The core itself speaks English.
    assert not str(refused.value).startswith(said)


def test_numbers_and_percentages_are_written_as_german_writes_them(german):
    assert (percentage(87), percentage(0.5)) == ("87\u00a0%", "0,5\u00a0%")


def test_a_genre_that_the_operator_renamed_keeps_its_own_name(german, db):
    Genre.objects.filter(slug="fantasy").update(name="Dragons")
    names = {line.slug: line.name for line in genre_lines([("fantasy", 0.9), ("cooking", 0.1)])}
    assert names == {"fantasy": "Dragons", "cooking": "Kochen & Backen"}
    assert genre_words("") == ""


@pytest.fixture
def german_pages(champion, client, admin_client):
    """Return the public pages and the reviewer's in German, by what they show."""
    correction = submit_correction(
        shown=predict_text(TEXT, source="page"), text=TEXT, answer=Answer(genres=("fantasy",)), visitor="x"
    )
    share = share_result(shown=predict_text(TEXT, source="page"), text=TEXT, visitor="x")
    client.defaults = GERMAN
    answer = client.post("/", {"text": TEXT})
    sent = {"token": form_of(answer, "/why/")["token"], "text": TEXT}
    pages = {
        "answer": answer,
        "why": client.post("/why/", sent),
        "mistake": client.post("/corrections/", sent),
        "links": client.post("/corrections/share/", sent, HTTP_HX_REQUEST="true"),
        "thanks": client.post("/corrections/", sent | {"genres": "fantasy"}, HTTP_HX_REQUEST="true"),
        "short": client.post("/", {"text": "two words"}),
        "long": client.post("/", {"text": "\n\n".join([f"{TEXT} " * 20] * 20)}),
    }
    addresses = {
        "first": "/",
        "about": "/about/",
        "privacy": "/privacy/",
        "table": "/several/",
        "thanked": "/corrections/audit/thanks/",
        "receipt": f"/corrections/{correction.receipt}/",
        "yours": "/corrections/mine/",
        "share": f"/corrections/share/{share.secret}/",
        "shared": f"/shared/{share.token}/",
        "nothing": "/no/such/page",
    }
    pages |= {name: client.get(address) for name, address in addresses.items()}
    admin_client.defaults = GERMAN
    for name in ("", "labels/", "conflicts/", "agreement/"):
        pages[f"review {name}"] = admin_client.get(f"/review/{name}")
    return {name: body(page) for name, page in pages.items()}


def literal_parts(sentence):
    """Return the pieces of a sentence between its figures that have more than two words."""
    return [part for part in re.split(r"%\(\w+\)[sr]|\{\w+\}", sentence) if len(part.split()) > 2]


def without_json(page):
    """Return a page without the result as the API answers it, which is English everywhere."""
    return re.sub(r'<textarea id="as-json".*?</textarea>', "", page, flags=re.DOTALL)


def test_german_pages_are_german_and_no_english_sentence_of_ours_is_left_on_them(german_pages, catalogue):
    ours = [
        part.replace("%%", "%")
        for entry in catalogue
        for sentence in filter(None, (entry.msgid, entry.msgid_plural))
        for part in literal_parts(sentence)
        if sentence != entry.msgstr
    ]
    assert len(ours) > 300
    pages = {name: (without_json(page), unescape(without_json(page))) for name, page in german_pages.items()}
    assert [(name, part) for name, page in pages.items() for part in ours if any(part in text for text in page)] == []
    said = {
        "first": ["Fügen Sie hier einen Klappentext", "{n} Wörter"],
        "answer": ["Seine Genres", "wahrscheinlich", "\u00a0%", "Diese Genres berichtigen", "Kochen &amp; Backen"],
        "why": ["Dafür sprachen", "Dagegen sprachen"],
        "mistake": ["Noch ist nichts angekreuzt."],
        "links": ["Ihr Link ist fertig"],
        "thanks": ["Vielen Dank: Ihre Berichtigung ist gespeichert"],
        "short": ["2 Wörter sind zu kurz"],
        "long": ["Wie die Genres steigen und fallen", "Abschnitt 1", "von 0\u00a0% bis"],
        "receipt": ["Ihre Berichtigung", "Sie wartet auf die Prüfung."],
        "nothing": ["Diese Seite gibt es nicht"],
        "review ": ["Kreuzen Sie alle Genres an, die passen"],
        "review agreement/": ["Krippendorffs Alpha"],
    }
    unsaid = [
        (name, words) for name, all_words in said.items() for words in all_words if words not in german_pages[name]
    ]
    assert unsaid == []
