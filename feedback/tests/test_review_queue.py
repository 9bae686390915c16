"""The review queue: who gets which card, what an answer does, undo, skips, second opinions, conflicts."""

import uuid
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone

from classifier.models import Genre
from feedback.actions import ActionRefused, review, withdraw
from feedback.apps import REVIEWER_GROUP
from feedback.models import Claim, Opinion, QueueScore
from feedback.review.deciding import Said, answer, settle, skip, undo
from feedback.review.queue import CORRECTIONS, next_card
from feedback.tests.browser import form_of
from feedback.tests.conftest import trail

pytestmark = pytest.mark.usefixtures("genres")


@pytest.fixture
def genres(db):
    assert Genre.objects.filter(slug="fantasy").exists()


def member(name):
    user = User.objects.create_user(name, is_staff=True)
    user.groups.add(Group.objects.get(name=REVIEWER_GROUP))
    return user


@pytest.fixture
def bob(db):
    return member("bob")


@pytest.fixture
def rita(reviewer):
    return reviewer


@pytest.fixture
def every_second(settings):
    """Every correction goes to a second reviewer."""
    settings.GENRE_REVIEW_SECOND_SHARE = 1.0


def give(by, *genres, **flags):
    """Answer the card before this reviewer."""
    card = next_card(CORRECTIONS, by)
    said = Said(genres, **flags)
    return answer(queue=CORRECTIONS, card=card.claim.correction_id, uid=card.claim.uid, said=said, by=by)


def before(by):
    """Return the primary key of the correction that lies before a reviewer."""
    card = next_card(CORRECTIONS, by)
    return card and card.claim.correction_id


@pytest.mark.functional
def test_the_most_instructive_comes_first_and_one_without_a_score_has_its_place(make_correction, rita):
    sure = make_correction("one", shown=[["fantasy", 0.98], ["cooking", 0.01]], genres=("fantasy",))
    torn = make_correction("two", shown=[["fantasy", 0.4], ["cooking", 0.39]], genres=("cooking",))
    scored = make_correction("three", shown=[], genres=("cooking",))
    QueueScore.objects.create(correction=scored, score=0.5)
    seen = []
    while (key := before(rita)) is not None:
        seen.append(key)
        give(rita, "cooking")
    assert seen == [torn.pk, scored.pk, sure.pk]


def test_an_answer_is_the_outcome_and_on_record(make_correction, rita):
    correction = make_correction(genres=("cooking",))
    opinion = give(rita, "fantasy")
    correction.refresh_from_db()
    assert (correction.status, correction.slugs(), correction.reviewer) == ("approved", ("fantasy",), rita)
    assert correction.chosen == ["cooking"]
    assert trail(correction) == [("edited", "rita"), ("approved", "rita")]
    assert (opinion.by, opinion.genres, opinion.kind) == ("rita", ["fantasy"], "answer")
    assert not Claim.objects.exists()


@pytest.mark.parametrize(
    ("verdict", "flag", "status"),
    [
        ("none", "none_fits", "approved"),
        ("genres", "none_fits", "rejected"),
        ("none", "unusable", "rejected"),
    ],
)
def test_an_answer_without_genres(make_correction, rita, verdict, flag, status):
    correction = make_correction(verdict=verdict)
    give(rita, **{flag: True})
    correction.refresh_from_db()
    assert correction.status == status


@pytest.mark.parametrize("said", [Said(), Said(("fantasy",), none_fits=True), Said(none_fits=True, unusable=True)])
def test_an_answer_that_says_nothing_or_two_things_is_refused(make_correction, rita, said):
    make_correction()
    card = next_card(CORRECTIONS, rita)
    with pytest.raises(ActionRefused):
        answer(queue=CORRECTIONS, card=card.claim.correction_id, uid=card.claim.uid, said=said, by=rita)
    assert not Opinion.objects.exists()


def test_two_reviewers_never_have_the_same_card(make_correction, rita, bob):
    keys = {make_correction(f"text {number}").pk for number in range(2)}
    assert {before(rita), before(bob)} == keys
    # Whoever comes back finds the card that lies there.
    assert before(rita) == before(rita)
    assert before(member("eve")) is None


def test_a_card_left_lying_goes_to_somebody_else_and_a_late_answer_is_not_lost(make_correction, rita, bob):
    correction = make_correction()
    left = next_card(CORRECTIONS, rita)
    assert before(bob) is None
    Claim.objects.update(until=timezone.now() - timedelta(seconds=1))
    assert before(bob) == correction.pk
    said = Said(("fantasy",))
    answer(queue=CORRECTIONS, card=correction.pk, uid=left.claim.uid, said=said, by=rita)
    correction.refresh_from_db()
    assert correction.status == "approved"
    with pytest.raises(ActionRefused, match="Somebody else decided"):
        answer(queue=CORRECTIONS, card=correction.pk, uid=uuid.uuid4(), said=said, by=bob)


def test_an_answer_sent_twice_is_stored_once(make_correction, rita):
    correction = make_correction()
    card = next_card(CORRECTIONS, rita)
    for _ in range(2):
        answer(queue=CORRECTIONS, card=correction.pk, uid=card.claim.uid, said=Said(("fantasy",)), by=rita)
    assert Opinion.objects.count() == 1
    assert trail(correction) == [("edited", "rita"), ("approved", "rita")]


@pytest.mark.functional
def test_undo_puts_everything_back_and_lays_the_card_there_again_with_its_ticks(make_correction, rita):
    first, second = make_correction("one", genres=("cooking",)), make_correction("two")
    done = [before(rita), give(rita, "fantasy")][0]
    give(rita, "fantasy")
    assert [undo(queue=CORRECTIONS, by=rita).correction_id, before(rita)] == [second.pk, second.pk]
    assert undo(queue=CORRECTIONS, by=rita).correction_id == done == first.pk
    card = next_card(CORRECTIONS, rita)
    assert (card.claim.correction_id, card.undone.genres) == (first.pk, ["fantasy"])
    first.refresh_from_db()
    assert (first.status, first.slugs()) == ("pending", ("cooking",))
    assert trail(first)[-1] == ("undone", "rita")
    with pytest.raises(ActionRefused, match="nothing of yours"):
        undo(queue=CORRECTIONS, by=rita)


def test_nobody_undoes_what_another_built_on(make_correction, rita, admin_user):
    correction = make_correction()
    give(rita, "fantasy")
    review(corrections=[correction.pk], status="rejected", by=admin_user)
    with pytest.raises(ActionRefused, match="Somebody has gone on"):
        undo(queue=CORRECTIONS, by=rita)


def test_a_skipped_card_comes_back_after_all_others(make_correction, rita):
    keys = [make_correction(f"text {number}").pk for number in range(2)]
    card = next_card(CORRECTIONS, rita)
    skip(queue=CORRECTIONS, card=card.claim.correction_id, uid=card.claim.uid, by=rita)
    skip(queue=CORRECTIONS, card=card.claim.correction_id, uid=card.claim.uid, by=rita)
    seen = []
    for _ in keys:
        seen.append(before(rita))
        give(rita, "fantasy")
    assert seen == [*keys[1:], keys[0]]


def test_what_its_author_takes_back_is_gone_from_the_queue(make_correction, rita):
    correction = make_correction()
    card = next_card(CORRECTIONS, rita)
    withdraw(correction=correction)
    with pytest.raises(ActionRefused, match="took this one back"):
        answer(queue=CORRECTIONS, card=correction.pk, uid=card.claim.uid, said=Said(("fantasy",)), by=rita)
    assert before(rita) is None


def test_a_second_reviewer_who_agrees_makes_it_the_outcome(make_correction, every_second, rita, bob):
    correction = make_correction(shown=[["fantasy", 0.9]], genres=("cooking",))
    give(rita, "fantasy")
    correction.refresh_from_db()
    assert (correction.status, trail(correction), before(rita)) == ("pending", [], None)
    card = next_card(CORRECTIONS, bob)
    # What the first one said is nowhere on it: not a genre, not a tick.
    assert ([line.slug for line in card.chosen], card.undone) == (["cooking"], None)
    give(bob, "fantasy")
    correction.refresh_from_db()
    assert (correction.status, correction.slugs(), correction.reviewer) == ("approved", ("fantasy",), bob)
    assert "two reviewers agree" in correction.events.first().reason


def test_where_two_differ_a_third_person_settles_it(make_correction, every_second, rita, bob):
    correction = make_correction()
    give(rita, "fantasy")
    give(bob, "cooking")
    eve = member("eve")
    assert before(eve) is None
    with pytest.raises(ActionRefused, match="is yours"):
        settle(correction=correction.pk, said=Said(("fantasy",)), by=rita)
    settle(correction=correction.pk, said=Said(("fantasy", "young-adult")), by=eve)
    correction.refresh_from_db()
    assert (correction.status, set(correction.slugs())) == ("approved", {"fantasy", "young-adult"})
    assert "settled between rita and bob" in correction.events.first().reason
    with pytest.raises(ActionRefused):
        settle(correction=correction.pk, said=Said(("fantasy",)), by=eve)


def test_where_nobody_else_reviews_nothing_waits_for_a_second(make_correction, every_second, rita):
    correction = make_correction()
    give(rita, "fantasy")
    correction.refresh_from_db()
    assert correction.status == "approved"


def test_who_reopens_in_the_admin_wants_it_looked_at_anew(make_correction, rita, admin_user):
    correction = make_correction()
    give(rita, "fantasy")
    review(corrections=[correction.pk], status="pending", by=admin_user)
    assert before(rita) == correction.pk
    give(rita, "cooking")
    correction.refresh_from_db()
    assert (correction.status, correction.slugs()) == ("approved", ("cooking",))


@pytest.mark.functional
def test_the_page_is_a_plain_form_that_saves_skips_and_undoes(make_correction, reviewer_client):
    first, second = make_correction("The first text"), make_correction("The second text")
    page = reviewer_client.get("/review/")
    assert "The first text" in page.content.decode()
    fields = form_of(page, "/review/save/")
    assert "genres" not in fields
    page = reviewer_client.post("/review/save/", fields)
    assert "Nothing is ticked yet" in page.content.decode()
    page = reviewer_client.post("/review/save/", fields | {"genres": ["fantasy"], "none_fits": "on"})
    assert form_of(page, "/review/save/")["genres"] == ["fantasy"]
    page = reviewer_client.post("/review/save/", fields | {"genres": ["fantasy"]}, follow=True)
    assert page.redirect_chain == [("/review/", 302)]
    assert "Saved: fantasy" in page.content.decode()
    assert "The second text" in page.content.decode()
    page = reviewer_client.post("/review/undo/", follow=True)
    assert form_of(page, "/review/save/") | {"csrfmiddlewaretoken": 0} == {
        "csrfmiddlewaretoken": 0,
        "card": [str(first.pk)],
        "uid": [str(Claim.objects.get().uid)],
        "genres": ["fantasy"],
    }
    page = reviewer_client.post("/review/skip/", form_of(page, "/review/skip/"), follow=True)
    assert "The second text" in page.content.decode()
    assert [row.status for row in (first, second) if row.refresh_from_db() is None] == ["pending", "pending"]


def test_htmx_gets_the_card_alone(make_correction, reviewer_client):
    make_correction("The only text")
    fields = form_of(reviewer_client.get("/review/"), "/review/save/") | {"genres": ["fantasy"]}
    headers = {"HX-Request": "true", "HX-Target": "card"}
    page = reviewer_client.post("/review/save/", fields, headers=headers).content.decode()
    assert "<html" not in page
    assert "Saved: fantasy" in page
    assert "Nothing waits for you" in page


@pytest.mark.parametrize("address", ["/review/", "/review/labels/", "/review/agreement/", "/review/conflicts/"])
def test_others_stay_outside(client, address, django_user_model):
    assert client.get(address)["Location"].startswith("/admin/login/")
    client.force_login(django_user_model.objects.create_user("staff", is_staff=True))
    assert client.get(address).status_code == 403


def test_an_expired_form_keeps_the_ticks_and_stores_nothing(make_correction, reviewer):
    correction = make_correction()
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(reviewer)
    fields = form_of(browser.get("/review/"), "/review/save/") | {"csrfmiddlewaretoken": "old", "genres": ["fantasy"]}
    page = browser.post("/review/save/", fields)
    assert (page.status_code, "Nothing was saved" in page.content.decode()) == (403, True)
    assert form_of(page, "/review/save/")["genres"] == ["fantasy"]
    correction.refresh_from_db()
    assert correction.status == "pending"


def test_somebody_signed_out_meanwhile_is_told_so_and_keeps_the_ticks(client):
    answered = client.post("/review/save/", {}, headers={"HX-Request": "true"})
    assert answered.status_code == 403
    assert "What you ticked is still here" in answered.content.decode()


@pytest.mark.functional
def test_conflicts_show_both_answers_and_take_the_third(make_correction, every_second, rita, bob, client):
    correction = make_correction("A text that divides")
    give(rita, "fantasy")
    give(bob, none_fits=True)
    client.force_login(rita)
    assert "One of the answers is yours" in client.get("/review/conflicts/").content.decode()
    client.force_login(member("eve"))
    page = client.get("/review/conflicts/")
    assert all(words in page.content.decode() for words in ("A text that divides", "rita", "bob", "None of the genres"))
    fields = form_of(page, "/review/conflicts/")
    assert "Nothing is ticked yet" in client.post("/review/conflicts/", fields).content.decode()
    page = client.post("/review/conflicts/", fields | {"genres": ["cooking"]}, follow=True)
    assert "No two answers differ" in page.content.decode()
    correction.refresh_from_db()
    assert correction.slugs() == ("cooking",)
    page = client.get("/review/agreement/").content.decode()
    assert "rita" in page
