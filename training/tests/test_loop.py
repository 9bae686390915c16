"""The whole loop through the real pages: predict, correct, review, export, import, train, promote, answer."""

import io
import json
import random
from collections import Counter

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import call_command

from classifier import registry
from classifier.core.text import one_line
from classifier.models import ModelVersion
from conftest import FILLER, WORDS
from feedback.apps import REVIEWER_GROUP
from feedback.models import Correction
from feedback.tests.browser import form_of
from feedback.tests.conftest import empty_corrections
from feedback.tests.nasty import NASTY
from training.core.books import Example
from training.tests.helpers import write_books

pytestmark = pytest.mark.functional
LIST = "/admin/feedback/correction/"


def ordinary_text(number, genre):
    """Return a text plainly of its genre that nearly repeats no other."""
    chance = random.Random(number)
    return " ".join(chance.choice(WORDS[genre]) + " " + chance.choice(FILLER) for _ in range(12))


def answers():
    """Return 30 texts with what a visitor says of each: 22 name genres, 4 say none fits, 4 are not sure."""
    slugs = list(WORDS)
    told = [(text, {"genres": [slugs[at % 3], slugs[(at + 1) % 3]][: 1 + at % 2]}) for at, text in enumerate(NASTY)]
    told += [(ordinary_text(at, slugs[at % 3]), {"genres": [slugs[at % 3]]}) for at in range(22 - len(NASTY))]
    told += [
        (ordinary_text(at, "cooking"), {"none_fits": ["on"], "proposal": [f"=Genre {at}"]}) for at in range(100, 104)
    ]
    told += [
        (ordinary_text(at, "fantasy"), {"not_sure": ["on"], "note": ['\'=x, or\r\nmaybe "y"']})
        for at in range(104, 108)
    ]
    return told


def predict(browser, text):
    """Paste a text on the front page; return the answer."""
    fields = form_of(browser.get("/"), "/") | {"text": [text]}
    response = browser.post("/", fields)
    assert response.status_code == 200
    assert response.context["lines"], f"no answer for {text!r}"
    return response


def correct(browser, text, answer):
    """Predict, fill the form that comes with the result, send it; return the receipt page."""
    result = predict(browser, text)
    fields = form_of(result, "/corrections/")
    assert fields["token"] == [result.context["token"]]
    assert not {"genres", "none_fits", "not_sure"} & set(fields), "the form starts with nothing ticked"
    response = browser.post("/corrections/", fields | answer, follow=True)
    assert "It waits for a reviewer" in response.content.decode()
    return response


def decide(browser, action, keys):
    response = browser.post(LIST, {"action": action, "_selected_action": keys}, follow=True)
    assert [str(message) for message in response.context["messages"]] == [f"{len(keys)} changed."]


def snapshot():
    return {
        row.receipt: (
            row.text,
            row.slugs(),
            row.status,
            row.verdict,
            row.chosen,
            row.shown,
            row.note,
            row.proposal,
        )
        for row in Correction.objects.all()
    }


def run(*arguments):
    out = io.StringIO()
    call_command(*map(str, arguments), stdout=out, stderr=io.StringIO())
    return out.getvalue()


@pytest.fixture
def reviewed(champion, client, settings):
    """30 corrections sent through the page; 20 of them approved and 5 rejected in the admin by a reviewer."""
    settings.GENRE_CORRECTIONS_PER_MINUTE = settings.GENRE_CORRECTIONS_PER_DAY = 1000
    for text, answer in answers():
        correct(client, text, answer)
    reviewer = User.objects.create_user("rita", is_staff=True)
    reviewer.groups.add(Group.objects.get(name=REVIEWER_GROUP))
    client.force_login(reviewer)
    keys = list(Correction.objects.order_by("pk").values_list("pk", flat=True))
    decide(client, "approve", keys[:20])
    decide(client, "reject", keys[20:25])
    client.logout()
    return client


@pytest.fixture
def books(tmp_path):
    """A small file of labelled books."""
    return write_books(tmp_path / "books.csv")


@pytest.fixture
def more_books(tmp_path):
    """Enough other books for the gate to measure on."""
    examples = [
        Example(ordinary_text(number, genre), (genre,), title=f"{genre} {number}")
        for number in range(1000, 1120)
        for genre in WORDS
    ]
    return write_books(tmp_path / "more.csv", examples)


def test_corrections_from_the_page_reach_the_table_as_they_were_sent(reviewed):
    rows = list(Correction.objects.order_by("pk"))
    assert [row.text for row in rows] == [text for text, _ in answers()]
    assert [row.chosen for row in rows] == [answer.get("genres", []) for _, answer in answers()]
    assert Counter(row.verdict for row in rows) == {"genres": 22, "none": 4, "unsure": 4}
    assert Counter(row.status for row in rows) == {"approved": 20, "rejected": 5, "pending": 5}
    assert {row.proposal for row in rows} == {"", *(f"=Genre {at}" for at in range(100, 104))}
    assert {row.note for row in rows} == {"", '\'=x, or\r\nmaybe "y"'}
    assert all(row.shown and row.version.number == 1 for row in rows)


def test_corrections_are_exported_imported_and_train_a_version_that_answers(
    reviewed, books, more_books, tmp_path, monkeypatch
):
    before = snapshot()
    approved = Counter((one_line(row[0]), frozenset(row[1])) for row in before.values() if row[2] == "approved")
    for file_format in ("csv", "jsonl"):
        run("export_feedback", "--format", file_format, "--status", "all", "-O", tmp_path / f"all.{file_format}")
    for file_format in ("fasttext", "annif"):
        run("export_feedback", "--format", file_format, "-O", tmp_path / f"approved.{file_format}")

    for file_format in ("fasttext", "annif"):
        empty_corrections()
        run("import_feedback", tmp_path / f"approved.{file_format}", "--status", "approved")
        rows = Correction.objects.all()
        assert Counter((row.text, frozenset(row.slugs())) for row in rows) == approved
        assert approved.total() == 20
    for file_format in ("csv", "jsonl"):
        empty_corrections()
        run("import_feedback", tmp_path / f"all.{file_format}")
        assert snapshot() == before
        assert len(before) == 30

    told = run("train", "--data", books, "--epoch", 20, "--dim", 10)
    version = ModelVersion.objects.get(number=2)
    meta = json.loads((registry.folder_of(version) / "meta.json").read_text())
    trained, held_out = set(meta["feedback_train_ids"]), set(meta["feedback_held_out_ids"])
    assert len(meta["feedback_train_ids"]) == meta["feedback_train"] > 0
    assert len(meta["feedback_held_out_ids"]) == meta["feedback_held_out"] > 0
    assert meta["feedback_train"] + meta["feedback_held_out"] == 20
    assert not trained & held_out
    assert trained | held_out == set(Correction.objects.filter(status="approved").values_list("pk", flat=True))
    assert f"feedback: {len(trained)} trained on, {len(held_out)} held out." in told
    assert not any(text[:30] in json.dumps(meta, ensure_ascii=False) for text, _ in answers())

    assert predict(reviewed, ordinary_text(1, "cooking")).context["shown"].number == 1
    monkeypatch.setattr(registry, "RECHECK_SECONDS", 0)
    run("promote", 2, "--reason", "learned 20 corrections", "--data", more_books)
    answer = predict(reviewed, ordinary_text(1, "cooking"))
    assert answer.context["shown"].number == 2
    assert answer.context["lines"][0].slug == "cooking"
    assert "model version 2" in answer.content.decode()
    correct(reviewed, ordinary_text(2, "cooking"), {"genres": ["cooking"]})
    assert Correction.objects.latest("pk").version == version


def test_training_without_feedback_uses_no_correction(reviewed, books, fit_here):
    run("train", "--data", books, "--epoch", 5, "--dim", 5, "--no-feedback")
    meta = ModelVersion.objects.get(number=2).meta
    assert (meta["feedback_train"], meta["feedback_held_out"]) == (0, 0)


def test_a_withdrawn_correction_teaches_the_next_version_nothing(reviewed, books, fit_here):
    first = Correction.objects.filter(status="approved").earliest("pk")
    page = reviewed.post(f"/corrections/{first.receipt}/", follow=True)
    assert "Withdrawn" in page.content.decode()
    run("train", "--data", books, "--epoch", 5, "--dim", 5)
    meta = ModelVersion.objects.get(number=2).meta
    assert meta["feedback_train"] + meta["feedback_held_out"] == 19
    assert first.pk not in meta["feedback_train_ids"] + meta["feedback_held_out_ids"]
