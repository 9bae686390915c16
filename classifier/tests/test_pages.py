"""The page: plain, with HTMX, with mistakes, without a model; the about and error pages."""

import io
import logging
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from classifier.models import Genre, Prediction
from classifier.registry import promote
from classifier.sample_texts import sample_texts

pytestmark = pytest.mark.django_db
TEXT = "The wizard and the sorceress cast an old spell on the dragon that guards the kingdom."
HOME = reverse("classifier:text-classify")
HTMX = {"HX-Request": "true", "HX-Target": "result"}


def body(response):
    return response.content.decode()


def zipped(name, text):
    """Return an archive whose text is there to be read, as archives may hold it."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(name, text * 100)
    return stream.getvalue()


def test_the_empty_page_says_what_to_do(client, champion):
    response = client.get(HOME)
    assert response.status_code == 200
    assert "Genres appear here" in body(response)
    assert 'name="text"' in body(response)


def test_a_pasted_text_gets_its_genres_with_words_and_figures(client, champion):
    response = client.post(HOME, {"text": TEXT})
    assert response.status_code == 200
    assert response.context["lines"][0].name == "Fantasy"
    assert "very likely" in body(response)
    assert TEXT in body(response)
    assert "<html" in body(response)


def test_htmx_gets_the_result_alone(client, champion):
    response = client.post(HOME, {"text": TEXT}, headers=HTMX)
    assert "Fantasy" in body(response)
    assert "<html" not in body(response)
    assert 'id="text"' not in body(response)
    assert {"HX-Request", "HX-Target"} <= {name.strip() for name in response["Vary"].split(",")}


def test_a_boosted_navigation_gets_the_whole_page(client, champion):
    response = client.get(HOME, headers={"HX-Request": "true", "HX-Boosted": "true"})
    assert "<html" in body(response)


def test_what_was_shown_is_stored_without_the_text(client, champion):
    client.post(HOME, {"text": TEXT})
    prediction = Prediction.objects.get()
    assert prediction.version == champion
    assert prediction.shown[0][0] == "fantasy"
    assert prediction.source == "page"
    assert "wizard" not in str(vars(prediction))


def test_equal_texts_get_equal_hashes_and_others_do_not(client, champion):
    for text in (TEXT, f"  {TEXT}\r\n", f"{TEXT} And more."):
        client.post(HOME, {"text": text})
    first, second, third = Prediction.objects.order_by("pk").values_list("text_hash", flat=True)
    assert first == second != third


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "There is no text yet"),
        (" \r\n ", "There is no text yet"),
        ("two words", "too short"),
        ("1234 5678 {} [] == ++ 1.5 2.5 99", "does not read like prose"),
    ],
)
def test_each_mistake_has_its_message_and_the_text_stays(client, champion, text, message):
    response = client.post(HOME, {"text": text})
    assert response.status_code == 200
    assert message in body(response)
    assert response.context["text"] == text
    assert not Prediction.objects.exists()


def test_a_text_that_is_too_long_comes_back_into_its_box(client, champion, settings):
    settings.GENRE_MAX_TEXT_BYTES = 1000
    text = "é and some words " * 70
    response = client.post(HOME, {"text": text})
    assert "the most that can be read at once is 1,000" in body(response)
    assert response.context["text"] == text


def test_a_mistake_is_told_to_htmx_with_200(client, champion):
    response = client.post(HOME, {"text": "two words"}, headers=HTMX)
    assert response.status_code == 200
    assert 'role="alert"' in body(response)
    assert "<html" not in body(response)


def test_a_file_is_read_and_its_text_put_into_the_box(client, champion):
    upload = SimpleUploadedFile("blurb.txt", ("\ufeff" + TEXT).encode())
    response = client.post(HOME, {"text": "", "file": upload}, headers=HTMX)
    assert response.context["lines"][0].slug == "fantasy"
    assert 'hx-swap-oob="true"' in body(response)
    assert Prediction.objects.get().source == "file"


@pytest.mark.parametrize("headers", [{}, HTMX])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00", "This file is a PNG picture, not plain text. Save it as"),
        (zipped("chapter.txt", TEXT), "This file is a ZIP archive"),
        (b"%PDF-1.4\n" + TEXT.encode(), "This file is a PDF document"),
        (bytes(range(256)), "This file is not plain text. Save it as"),
        (b"", "There is no text yet"),
    ],
)
def test_a_file_that_is_no_text_is_refused_in_words_and_what_stands_in_the_box_stays(
    client, champion, headers, content, message
):
    files = {"text": "What was pasted before", "file": SimpleUploadedFile("x.txt", content, content_type="text/plain")}
    response = client.post(HOME, files, headers=headers)
    assert response.status_code == 200
    assert message in body(response)
    assert ">\nWhat was pasted before</textarea>" in body(response) or not content
    assert not Prediction.objects.exists()


def test_pasted_markup_stays_text(client, champion):
    response = client.post(HOME, {"text": f"<script>alert(1)</script></textarea> {TEXT}"})
    assert "<script>alert" not in body(response)
    assert "&lt;script&gt;alert(1)" in body(response)


def test_a_leading_line_break_survives_the_round_trip(client, champion):
    response = client.post(HOME, {"text": f"\n{TEXT}"})
    # HTML drops the first line break in a textarea, so the template writes one of its own.
    assert f">\n\n{TEXT}" in body(response)


def test_a_text_of_unknown_words_gets_no_answer_but_can_be_corrected(client, champion):
    response = client.post(HOME, {"text": "xyzzy plugh frotz gnusto rezrov ozmoo"})
    assert "Not one word of this text" in body(response)
    assert 'class="genres"' not in body(response)
    assert "Send the correction" in body(response)


def test_without_a_model_the_text_stays_and_the_next_step_is_named(client, model_dir, caplog):
    caplog.set_level(logging.CRITICAL)
    response = client.post(HOME, {"text": TEXT})
    assert response.status_code == 200
    assert "manage.py ensure_model" in body(response)
    assert TEXT in body(response)


def test_a_damaged_champion_is_not_asked(client, champion, model_dir, caplog):
    caplog.set_level(logging.CRITICAL)
    path = model_dir / champion.folder / "model.bin"
    path.write_bytes(path.read_bytes()[:1000])
    response = client.post(HOME, {"text": TEXT})
    assert response.status_code == 200
    assert "No model answers yet" in body(response)


def test_an_example_is_a_plain_link_that_fills_the_box(client, champion):
    sample = next(iter(sample_texts().values()))
    response = client.get(HOME, {"example": sample.slug})
    assert response.context["text"] == sample.text
    assert Prediction.objects.get().source == "example"


def test_an_unknown_example_is_not_found(client, champion):
    assert client.get(HOME, {"example": "nope"}).status_code == 404


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_other_methods_are_refused(client, method):
    assert getattr(client, method)(HOME).status_code == 405


def test_every_genre_has_its_definition_where_it_is_offered(client, champion):
    page = body(client.post(HOME, {"text": TEXT}))
    for genre in Genre.objects.filter(retired=False):
        assert f'value="{genre.slug}"' in page
        assert genre.description.replace("'", "&#x27;") in page


def test_nothing_is_ticked_beforehand(client, champion):
    _, form = body(client.post(HOME, {"text": TEXT})).split('<div id="correction">')
    assert " checked" not in form


def test_about_says_which_model_answers_and_how_good_it_is(client, make_version):
    champion = make_version(
        inputs=[{"name": "books.csv", "rows": 40, "examples": 36, "sha256": "ab" * 32}],
        evaluation={"n_examples": 9, "methods": {"fasttext": {"accuracy": 0.75}, "majority": {"accuracy": 0.25}}},
    )
    promote(champion.number, by="tests")
    page = body(client.get(reverse("classifier:model-about")))
    for words in (f"version {champion.number}", "books.csv", "0.75", "0.25", "Fantasy", "Magic, invented worlds"):
        assert words in page


def test_about_without_a_model_says_how_to_get_one(client, model_dir):
    page = body(client.get(reverse("classifier:model-about")))
    assert "manage.py ensure_model" in page
    assert "Fantasy" in page


def test_the_privacy_page_names_the_receipt(client):
    assert "receipt link" in body(client.get(reverse("classifier:privacy-read")))


def test_the_privacy_page_says_for_how_long_as_the_settings_do(client, settings):
    settings.GENRE_KEEP_PREDICTIONS_DAYS = 321
    settings.GENRE_KEEP_REJECTED_DAYS, settings.GENRE_KEEP_VISITORS_DAYS = 54, 0
    page = body(client.get(reverse("classifier:privacy-read")))
    assert page.count("321 days") == 2
    assert "54 days after the decision" in page
    fingerprint = page.split("Fingerprint of your address beside a correction or a shared result")[1]
    assert "for good" in fingerprint[: fingerprint.index("</dd>")]


def test_the_privacy_page_tells_of_shared_results_and_of_what_the_browser_remembers(client, settings):
    address = reverse("classifier:privacy-read")
    settings.GENRE_SHARE_DAYS, settings.GENRE_REMEMBER_DAYS = 17, 43
    page = body(client.get(address))
    assert (page.count("17 days"), page.count("43 days")) == (2, 1)
    settings.GENRE_SHARE_DAYS = settings.GENRE_REMEMBER_DAYS = 0
    page = body(client.get(address))
    assert ("makes no links" in page, "one more remembers" in page) == (True, False)


def test_pages_forbid_inline_and_foreign_code(client, champion):
    response = client.post(HOME, {"text": TEXT})
    assert "default-src 'none'" in response["Content-Security-Policy"]
    assert " style=" not in body(response)
    assert "<script>" not in body(response)
    assert "//cdn" not in body(response)
