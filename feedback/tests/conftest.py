"""Fixtures of corrections and of the people who review them."""

from itertools import count

import pytest
from django.contrib.auth.models import Group, User

from classifier.models import Genre
from classifier.predictions import hash_text, predict_text
from feedback.actions import Answer, submit_correction
from feedback.apps import REVIEWER_GROUP
from feedback.models import Correction, ReviewEvent

DRAGON = "The dragon and the wizard guard the old kingdom"


@pytest.fixture
def send(champion):
    """Return a function that predicts a text and submits an answer to it, each time as another visitor."""
    visitors = count()

    def send(text=DRAGON, *, visitor="", **answer):
        said = Answer(**answer) if answer else Answer(genres=("fantasy",))
        return submit_correction(
            shown=predict_text(text, source="page"),
            text=text,
            answer=said,
            visitor=visitor or f"visitor {next(visitors)}",
        )

    return send


@pytest.fixture
def make_correction(db):
    """Return a function that stores a correction as it stands, whatever the rules say."""

    def make(text=DRAGON, *, genres=(), **fields):
        values = {
            "source": "page",
            "text_hash": hash_text(text),
            "verdict": "genres" if genres else "unsure",
            "chosen": list(genres),
        }
        correction = Correction.objects.create(text=text, **(values | fields))
        correction.genres.set(Genre.objects.filter(slug__in=genres))
        return correction

    return make


@pytest.fixture
def reviewer(db):
    """A member of the Reviewer group, with no other right."""
    user = User.objects.create_user("rita", password="rita", is_staff=True)
    user.groups.add(Group.objects.get(name=REVIEWER_GROUP))
    return user


@pytest.fixture
def reviewer_client(client, reviewer):
    """A browser in which the reviewer has signed in."""
    client.force_login(reviewer)
    return client


@pytest.fixture(params=["superuser", "reviewer"])
def desk(request, client, admin_user, reviewer):
    """A browser in which somebody who may review has signed in."""
    client.force_login(admin_user if request.param == "superuser" else reviewer)
    return client


def empty_corrections():
    """Delete every correction; the trail refuses to be deleted politely."""
    ReviewEvent.objects.all()._raw_delete("default")
    Correction.objects.all().delete()


def trail(correction):
    """Return (action, by) of what happened to a correction, oldest first."""
    return list(correction.events.order_by("pk").values_list("action", "by"))
