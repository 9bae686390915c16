"""Long texts and several texts on the pages: arc, first look, files, tables; with HTMX and without."""

import base64
import csv
import io
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from classifier import arc
from classifier.models import Prediction
from classifier.predictions import hash_text
from classifier.registry import promote
from classifier.tests.books import docx, epub, paragraph
from classifier.turns import a_turn

pytestmark = pytest.mark.django_db
HOME, SEVERAL = reverse("classifier:text-classify"), reverse("classifier:texts-classify")
HTMX = {"HX-Request": "true", "HX-Target": "result"}
FANTASY = "The wizard and the sorceress cast an old spell on the dragon that guards the kingdom. "
COOKING = "Whisk the butter and the flour with sugar, then bake the dough with garlic in the oven. "
LONG = FANTASY * 40 + "\n\n" + COOKING * 40
TABLE = (
    f"title,blurb\nOne,{FANTASY}\nTwo,{COOKING.replace(',', ';')}\nThree,short\n=1+1,xyzzy plugh frotz gnusto rezrov\n"
)


def body(response):
    return response.content.decode()


def test_a_long_text_is_answered_with_how_its_genres_rise_and_fall(client, champion):
    response = client.post(HOME, {"text": LONG})
    found = response.context["arc"]
    assert len(found.passages) == 6
    assert [passage.genres[0][0] for passage in found.passages] == ["Fantasy"] * 3 + ["Cooking"] * 3
    assert " ".join(" ".join(passage.text for passage in found.passages).split()) == " ".join(LONG.split())
    page = body(response)
    for number in range(1, 7):
        assert f'href="#passage-{number}"' in page
        assert f'id="passage-{number}"' in page


def test_the_answer_for_the_whole_is_the_models_on_the_whole(client, champion, model):
    shown = client.post(HOME, {"text": LONG}).context["shown"]
    assert shown.genres[0] == (model.predict(LONG).scores[0].slug, round(model.predict(LONG).scores[0].score, 4))
    assert Prediction.objects.get().text_hash == hash_text(LONG)


def test_a_short_text_has_no_arc(client, champion):
    assert 'id="arc"' not in body(client.post(HOME, {"text": FANTASY}))


def test_a_very_long_text_gets_a_first_look_and_then_everything(client, champion, monkeypatch):
    monkeypatch.setattr("classifier.forms.LOOK_FROM", 1000)
    first = body(client.post(HOME, {"text": LONG}, headers=HTMX))
    assert "At first sight" in first
    assert "Fantasy" in first or "Cooking" in first
    assert LONG[:200] not in first
    assert not Prediction.objects.exists(), "a first look is stored nowhere"
    sent = re.search(r"hx-vals='([^']+)'", first)[1]
    assert sent == '{"stage": "whole", "read": "page"}'
    whole = body(client.post(HOME, {"text": LONG, "stage": "whole", "read": "page"}, headers=HTMX))
    assert 'id="arc"' in whole
    assert Prediction.objects.get().source == "page"


def test_without_scripts_everything_is_in_one_page(client, champion, monkeypatch):
    monkeypatch.setattr("classifier.forms.LOOK_FROM", 1000)
    assert 'id="arc"' in body(client.post(HOME, {"text": LONG}))


def test_what_can_t_be_read_is_told_after_the_first_look(client, champion, monkeypatch):
    monkeypatch.setattr("classifier.forms.LOOK_FROM", 1000)
    text = "1234 [] " * 500
    assert "At first sight" in body(client.post(HOME, {"text": text}, headers=HTMX))
    assert "does not read like prose" in body(client.post(HOME, {"text": text, "stage": "whole"}, headers=HTMX))


@pytest.mark.parametrize("upload", [epub(FANTASY), docx(paragraph(FANTASY))])
@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_book_is_read_by_its_content_whatever_its_name(client, champion, upload, headers):
    response = client.post(HOME, {"text": "", "file": SimpleUploadedFile("x.txt", upload)}, headers=headers)
    assert response.context["lines"][0].slug == "fantasy"
    assert "The wizard and the sorceress" in response.context["text"]
    assert Prediction.objects.get().source == "file"


def test_a_whole_book_is_read_up_to_the_limit_and_says_so(client, champion, settings):
    settings.GENRE_MAX_TEXT_BYTES = 5000
    response = client.post(HOME, {"file": SimpleUploadedFile("b.epub", epub(LONG, LONG))})
    assert "its first 5,000 bytes of text were read" in body(response)
    assert response.context["lines"]


def test_a_file_that_is_too_large_is_refused_and_the_box_stays(client, champion, settings):
    settings.GENRE_MAX_UPLOAD_BYTES = 1000
    response = client.post(HOME, {"text": "What was there", "file": SimpleUploadedFile("b.txt", b"word " * 300)})
    assert "1,500 bytes; the most that can be sent is 1,000" in body(response)
    assert "What was there</textarea>" in body(response)


def test_no_upload_is_written_to_the_disk(settings):
    assert settings.FILE_UPLOAD_HANDLERS == ["django.core.files.uploadhandler.MemoryFileUploadHandler"]
    assert settings.FILE_UPLOAD_MAX_MEMORY_SIZE >= settings.GENRE_MAX_FORM_BYTES > settings.GENRE_MAX_UPLOAD_BYTES


def send(client, table=TABLE, **fields):
    return client.post(SEVERAL, {"table": SimpleUploadedFile("t.csv", table.encode())} | fields)


def downloaded(page):
    held = re.search(r'href="data:text/csv;base64,([^"]+)" download', page)[1]
    return list(csv.DictReader(io.StringIO(base64.b64decode(held).decode("utf-8-sig"), newline="")))


def test_a_table_comes_back_with_genres_the_least_certain_first(client, champion):
    response = send(client)
    assert [line.row for line in response.context["lines"]][:2] == [3, 4]
    assert response.context["n_unanswered"] == 2
    rows = downloaded(body(response))
    assert [row["predicted_genre"] for row in rows] == ["Fantasy", "Cooking", "", ""]
    assert 0.5 < float(rows[0]["score"]) <= 1
    assert rows[0]["model_version"] == str(champion.number)
    assert "too short" in rows[2]["no_answer_because"]
    assert rows[3]["title"] == "'=1+1", "no spreadsheet runs it"
    assert {prediction.source for prediction in Prediction.objects.all()} == {"several"}
    assert all("wizard" not in str(vars(prediction)) for prediction in Prediction.objects.all())


def test_nobody_is_asked_about_a_table_s_rows(client, champion, settings):
    settings.GENRE_AUDIT_SHARE = 1.0
    send(client)
    assert {prediction.asked for prediction in Prediction.objects.all()} == {0.0}


def test_htmx_gets_the_table_alone(client, champion):
    headers = {"HX-Request": "true", "HX-Target": "several-result"}
    response = client.post(SEVERAL, {"table": SimpleUploadedFile("t.csv", TABLE.encode())}, headers=headers)
    assert "<html" not in body(response)
    assert "the least certain first" in body(response)


def test_a_column_may_be_chosen_and_stays_when_it_is_not_there(client, champion):
    response = send(client, column="genre")
    assert "There is no column “genre”" in body(response)
    assert 'value="genre"' in body(response)
    assert send(client, column="2").context["text_column"] == "blurb"


def test_a_closest_guess_is_no_predicted_genre(client, unsure_champion):
    row = downloaded(body(send(client)))[0]
    assert (row["predicted_genre"], row["score"]) == ("", "")
    assert "Fantasy" in row["other_genres"]


def test_no_table_no_model_and_no_turn_are_told(client, model_dir, caplog):
    assert "Choose a CSV file first" in body(client.post(SEVERAL))
    assert "No model answers yet" in body(send(client))
    with a_turn():
        assert "Another table is being read" in body(send(client))


def test_an_arc_is_of_the_version_that_answered(client, champion, make_version, monkeypatch):
    shown = client.post(HOME, {"text": LONG}).context["shown"]
    parts = arc.parts_of(arc.Reading(LONG))
    assert arc.arc_of(parts, shown) is not None
    promote(make_version().number, by="tests")
    from classifier.registry import forget_champion

    forget_champion()
    assert arc.arc_of(parts, shown) is None
