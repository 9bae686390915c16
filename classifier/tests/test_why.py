"""Why a text has its genres: the page's part of it, plain and with HTMX, and what it can't say."""

import re
from html import unescape

import pytest
from django.urls import reverse

from classifier.core.highlight import SHOWN_CHARS
from classifier.core.neighbours import Passage, place_neighbours
from classifier.models import Prediction
from classifier.predictions import predict_text
from classifier.registry import folder_of, forget_champion, load_version, promote

pytestmark = pytest.mark.django_db
TEXT = "The Wizard’s sorceress cast an old spell on the dragon that guards the kingdom, & whisked butter."
WHY = reverse("classifier:text-explain")
HTMX = {"HX-Request": "true", "HX-Target": "why"}
PASSAGES = [
    Passage("Scales", "A dragon sits on the throne of the kingdom.", ("fantasy",)),
    Passage("Crumbs", "Whisk the butter into the flour.", ("cooking",)),
]


@pytest.fixture
def ask(client, champion):
    """Return a function that has the genres of a text shown, and then asks why."""

    def ask(text=TEXT, sent=None, headers=HTMX):
        token = predict_text(text, source="page").token()
        return client.post(WHY, {"token": token, "text": text if sent is None else sent}, headers=headers)

    return ask


@pytest.fixture
def shelf(champion):
    """Passages beside the champion."""
    found = place_neighbours(load_version(champion), PASSAGES, [passage.text for passage in PASSAGES])
    found.save(folder_of(champion))
    forget_champion()
    return folder_of(champion)


def body(response):
    return response.content.decode()


def told(response):
    """Return the text as it is shown, with its marks."""
    return re.search(r'aria-label="Your text with its words marked">(.*?)</div>', body(response), flags=re.DOTALL)[1]


def test_the_plain_answer_offers_it_and_holds_none_of_it(client, champion):
    page = body(client.post("/", {"text": TEXT}))
    assert "Why these genres?" in page
    assert "Your text with its words marked" not in page


def test_the_own_text_comes_back_with_its_words_marked_and_nothing_changed(ask):
    text = told(ask())
    assert re.search(r'<span class="[^"]*\bf1[123]\b[^"]*">dragon</span>', text)
    assert re.search(r'<span class="[^"]*\bn1[123]\b[^"]*">butter</span>', text)
    assert unescape(re.sub(r"<[^>]+>", "", text)) == TEXT


def test_every_genre_shown_has_its_words_with_signed_figures_that_make_its_sum(ask):
    for reasons in ask().context["why"].reasons:
        listed = [*reasons.words_for, *reasons.words_against]
        assert all(word.value > 0 for word in reasons.words_for)
        assert all(word.signed.startswith("\u2212") for word in reasons.words_against)
        others = float(reasons.others.replace("\u2212", "-"))
        total = float(reasons.total.replace("\u2212", "-"))
        assert sum(word.value for word in listed) + others == pytest.approx(total, abs=0.011)


def test_htmx_gets_that_part_and_a_browser_without_javascript_the_page(ask):
    assert "<html" not in body(ask())
    page = body(ask(headers={}))
    assert "<html" in page
    assert "Why these genres" in page
    assert "Its genres" in page


def test_pasted_markup_stays_text(ask):
    text = f'</div><script>alert("dragon")</script> <b onclick=x>{TEXT}'
    response = ask(text)
    assert unescape(re.sub(r"</?span[^>]*>", "", told(response))) == text
    assert "<script>alert" not in body(response)
    assert "<b onclick" not in body(response)


def test_asking_why_stores_nothing(ask):
    ask()
    assert Prediction.objects.count() == 1


def test_of_a_long_text_a_part_is_shown(ask):
    response = ask(f"{'It was a long and old day. ' * 900} {TEXT}")
    assert response.context["why"].is_excerpt
    assert "Long texts are shown in part" in body(response)
    assert "dragon" in told(response)
    assert len(re.sub(r"<[^>]+>", "", told(response))) < 1.5 * SHOWN_CHARS


@pytest.mark.parametrize("token", ["", "forged"])
def test_a_token_that_is_not_ours_is_refused_in_words(client, champion, token):
    response = client.post(WHY, {"token": token, "text": TEXT}, headers=HTMX)
    assert response.status_code == 200
    assert "Show the genres again" in body(response)


def test_another_text_than_was_read_is_refused(ask):
    assert "not the text that was read" in body(ask(sent=f"{TEXT} And more."))


def test_after_a_promotion_the_reasons_of_another_model_are_not_given(client, champion, make_version):
    token = predict_text(TEXT, source="page").token()
    promote(make_version().number, by="tests")
    forget_champion()
    assert "Another model answers by now" in body(client.post(WHY, {"token": token, "text": TEXT}, headers=HTMX))


def test_a_model_that_cannot_tell_says_so_in_one_line(client, make_version):
    promote(make_version(parameters={"loss": "hs"}).number, by="tests")
    token = predict_text(TEXT, source="page").token()
    response = client.post(WHY, {"token": token, "text": TEXT}, headers=HTMX)
    assert "can&#x27;t tell what each word adds" in body(response)
    assert 'class="reasons"' not in body(response)


def test_other_methods_are_refused(client):
    assert client.get(WHY).status_code == 405


def test_it_reads_like_the_nearest_passage_of_those_beside_the_model(ask, shelf):
    (passage,) = ask().context["why"].reads_like
    assert (passage.title, passage.text, passage.genres) == ("Scales", PASSAGES[0].text, "Fantasy")


def test_a_passage_that_stands_in_the_text_is_not_what_it_reads_like(ask, shelf):
    assert "Scales" not in body(ask(f"{PASSAGES[0].text} {TEXT}"))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut", None], ids=["empty", "cut", "none"])
def test_without_sound_passages_the_rest_is_there(ask, shelf, content, caplog):
    path = shelf / "neighbours.npz"
    path.unlink() if content is None else path.write_bytes(content)
    forget_champion()
    response = ask()
    assert 'class="reasons"' in body(response)
    assert "It reads like" not in body(response)


def test_passages_of_another_model_are_not_shown(ask, shelf, other_model_folder):
    from classifier.core.model import GenreModel

    other = GenreModel.load(other_model_folder)
    place_neighbours(other, PASSAGES, [passage.text for passage in PASSAGES]).save(shelf)
    forget_champion()
    assert ask().context["why"].reads_like == []


def test_the_api_tells_where_each_word_stands_and_what_the_text_reads_like(shelf, api):
    answer = api.post("/api/v1/models/champion/suggest", {"text": TEXT, "limit": 1, "explain": True}).json()
    (explained,) = answer["explanation"]
    for word in explained["words"]:
        for start, end in word["places"]:
            assert word["word"] in TEXT[start:end].lower().replace("’", "'")
    assert {"wizard's", "sorceress", "dragon"} & {word["word"] for word in explained["words"] if word["places"]}
    assert [passage["title"] for passage in answer["reads_like"]] == ["Scales"]
    assert answer["reads_like"][0]["similarity"] > 0.4


def test_the_api_tells_none_of_it_unasked(shelf, api):
    answer = api.post("/api/v1/models/champion/suggest", {"text": TEXT, "limit": 1}).json()
    assert (answer["explanation"], answer["reads_like"]) == (None, None)
