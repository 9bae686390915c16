import io

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command

from classifier.predictions import hash_text, predict_text
from feedback.actions import ActionRefused, Answer, review, set_genres, submit_correction, withdraw
from feedback.models import Correction, ReviewEvent
from feedback.tests.conftest import DRAGON, trail


def test_a_correction_keeps_the_text_what_was_shown_and_what_was_chosen(send, champion):
    correction = send(DRAGON, genres=("fantasy", "cooking"), note="Both, really")
    correction.refresh_from_db()
    assert (correction.text, correction.text_hash) == (DRAGON, hash_text(DRAGON))
    assert (correction.verdict, correction.status, correction.source) == ("genres", "pending", "page")
    assert (correction.chosen, correction.note, correction.version) == (
        ["fantasy", "cooking"],
        "Both, really",
        champion,
    )
    assert correction.shown[0][0] == "fantasy"
    assert 0 < correction.shown[0][1] <= 1


def test_the_genres_stay_in_the_order_they_were_ticked(send):
    assert send(genres=("romance", "cooking", "fantasy")).slugs() == ("romance", "cooking", "fantasy")


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        ({"genres": ("fantasy",)}, "genres"),
        ({"none_fits": True, "proposal": "Cli-fi"}, "none"),
        ({"not_sure": True, "note": "A hymn?"}, "unsure"),
    ],
)
def test_each_kind_of_answer_has_its_verdict(send, answer, verdict):
    correction = send(**answer)
    assert correction.verdict == verdict
    assert correction.slugs() == answer.get("genres", ())
    assert (correction.proposal, correction.note) == (answer.get("proposal", ""), answer.get("note", ""))


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ({}, "Nothing is ticked yet"),
        ({"note": "hello"}, "Nothing is ticked yet"),
        ({"proposal": "Cli-fi"}, "You proposed a genre"),
        ({"genres": ("fantasy",), "none_fits": True}, "Keep the one that is right"),
        ({"genres": ("fantasy",), "not_sure": True}, "Keep the one that is right"),
        ({"none_fits": True, "not_sure": True}, "Choose either"),
        ({"genres": ("fantasy",), "none_fits": True, "not_sure": True}, "Keep the one that is right"),
        ({"genres": ("no-such-genre",)}, "There is no genre “no-such-genre”"),
    ],
)
def test_an_answer_that_says_nothing_or_contradicts_itself_is_refused(champion, answer, sentence):
    shown = predict_text(DRAGON, source="page")
    with pytest.raises(ActionRefused, match=sentence):
        submit_correction(shown=shown, text=DRAGON, answer=Answer(**answer), visitor="v")
    assert not Correction.objects.exists()


def test_sending_the_same_answer_again_returns_the_first(champion):
    shown = predict_text(DRAGON, source="page")
    first, second = (
        submit_correction(shown=shown, text=DRAGON, answer=Answer(genres=(slug,)), visitor="v")
        for slug in ("fantasy", "cooking")
    )
    assert first == second
    assert second.slugs() == ("fantasy",)
    assert Correction.objects.count() == ReviewEvent.objects.count() == 1


def test_a_second_prediction_of_the_same_text_is_a_second_correction(send):
    assert send().pk != send().pk


def test_a_text_changed_after_its_genres_were_shown_is_refused(champion):
    shown = predict_text(DRAGON, source="page")
    with pytest.raises(ActionRefused, match="The text was changed"):
        submit_correction(shown=shown, text=DRAGON + " again", answer=Answer(genres=("fantasy",)), visitor="v")
    assert not Correction.objects.exists()


def test_a_text_whose_line_breaks_the_browser_rewrote_is_the_same_text(champion):
    shown = predict_text("The dragon of the castle\nand the wizard", source="page")
    sent = "The dragon of the castle\r\nand the wizard"
    assert submit_correction(shown=shown, text=sent, answer=Answer(not_sure=True), visitor="v").text == sent


def test_approving_leaves_who_when_and_a_trail_with_before_and_after(send, reviewer):
    correction = send(genres=("fantasy",))
    result = review(corrections=[correction.pk], status="approved", by=reviewer, reason="plain")
    correction.refresh_from_db()
    assert (result.changed, result.skipped) == (1, {})
    assert (correction.status, correction.reviewer) == ("approved", reviewer)
    assert correction.reviewed_at >= correction.created_at
    assert trail(correction) == [("submitted", "visitor"), ("approved", "rita")]
    event = correction.events.get(action="approved")
    assert event.before == {"status": "pending", "genres": ["fantasy"]}
    assert event.after == {"status": "approved", "genres": ["fantasy"]}
    assert event.reason == "plain"


def test_a_rejected_correction_can_be_reopened_and_approved(send, reviewer):
    correction = send()
    for status in ("rejected", "pending", "approved"):
        assert review(corrections=[correction.pk], status=status, by=reviewer).changed == 1
        correction.refresh_from_db()
        assert correction.status == status
    assert [action for action, _ in trail(correction)] == ["submitted", "rejected", "pending", "approved"]


def test_a_bulk_decision_changes_what_it_may_and_counts_why_it_left_the_rest(send, reviewer):
    fine, unsure, none, done, gone = send(), send(not_sure=True), send(none_fits=True), send(), send()
    review(corrections=[done.pk], status="approved", by=reviewer)
    withdraw(correction=gone)
    every = [each.pk for each in (fine, unsure, none, done, gone)]
    result = review(corrections=every, status="approved", by=reviewer)
    assert result.changed == 2
    assert result.skipped == {
        "no genre chosen: set genres first, or reject it": 1,
        "approved already": 1,
        "withdrawn by its author": 1,
    }
    statuses = [Correction.objects.get(pk=pk).status for pk in every]
    assert statuses == ["approved", "pending", "approved", "approved", "withdrawn"]
    assert trail(unsure) == [("submitted", "visitor")]


def test_an_unsure_answer_can_be_approved_once_it_has_genres(send, reviewer):
    correction = send(not_sure=True)
    set_genres(corrections=[correction.pk], slugs=["cooking"], by=reviewer)
    assert review(corrections=[correction.pk], status="approved", by=reviewer).changed == 1
    assert list(Correction.objects.all().approved_examples()) == [correction]


def test_training_learns_only_from_approved_corrections_that_name_a_genre(send, reviewer):
    approved, none, rejected, pending = send(genres=("fantasy", "cooking")), send(none_fits=True), send(), send()
    review(corrections=[approved.pk, none.pk], status="approved", by=reviewer)
    review(corrections=[rejected.pk], status="rejected", by=reviewer)
    assert list(Correction.objects.all().approved_examples()) == [approved]
    assert pending.status == "pending"


def test_setting_other_genres_keeps_what_the_person_ticked(send, reviewer):
    correction = send(genres=("fantasy",))
    result = set_genres(corrections=[correction.pk], slugs=["cooking", "romance"], by=reviewer, reason="a cookbook")
    correction.refresh_from_db()
    assert result.changed == 1
    assert (correction.chosen, correction.slugs()) == (["fantasy"], ("cooking", "romance"))
    assert correction.reviewer == reviewer
    event = correction.events.get(action="edited")
    assert (event.before["genres"], event.after["genres"]) == (["fantasy"], ["cooking", "romance"])
    assert (event.by, event.reason) == ("rita", "a cookbook")


def test_setting_genres_leaves_alone_what_it_must(send, reviewer):
    same, gone, other = send(genres=("cooking",)), send(), send()
    withdraw(correction=gone)
    result = set_genres(corrections=[same.pk, gone.pk, other.pk], slugs=["cooking"], by=reviewer)
    assert (result.changed, result.skipped) == (1, {"these genres already": 1, "withdrawn by its author": 1})
    assert gone.slugs() == ("fantasy",)


def test_an_approved_correction_is_never_left_without_genre(send, reviewer):
    approved, pending = send(), send()
    review(corrections=[approved.pk], status="approved", by=reviewer)
    result = set_genres(corrections=[approved.pk, pending.pk], slugs=[], by=reviewer)
    assert (result.changed, result.skipped) == (1, {"approved: needs a genre": 1})
    assert (approved.slugs(), pending.slugs()) == (("fantasy",), ())


def test_setting_an_unknown_genre_changes_none_of_them(send, reviewer):
    correction = send()
    with pytest.raises(ActionRefused, match="no-such-genre"):
        set_genres(corrections=[correction.pk], slugs=["cooking", "no-such-genre"], by=reviewer)
    assert correction.slugs() == ("fantasy",)


def test_withdrawing_erases_the_text_the_note_and_the_proposal(send):
    correction = send("My secret wish is the dragon of Ilmen", none_fits=True, proposal="Secretive", note="Secret note")
    withdraw(correction=correction)
    correction.refresh_from_db()
    assert (correction.status, correction.text, correction.note, correction.proposal) == ("withdrawn", "", "", "")
    event = correction.events.get(action="withdrawn")
    assert (event.by, event.before["status"], event.after["status"]) == ("visitor", "pending", "withdrawn")
    rows = [*Correction.objects.values(), *ReviewEvent.objects.values()]
    assert "secret" not in str(rows).lower()


def test_after_a_withdrawal_no_word_of_the_person_is_left_in_any_table(send, reviewer):
    words = ("Xylophagous", "quotidian", "Zarzuela")
    correction = send(f"The dragon and the {words[0]} wizard", none_fits=True, note=words[1], proposal=words[2])
    set_genres(corrections=[correction.pk], slugs=["fantasy"], by=reviewer)
    review(corrections=[correction.pk], status="approved", by=reviewer)
    dump = io.StringIO()
    call_command("dumpdata", stdout=dump)
    assert all(word in dump.getvalue() for word in words)
    withdraw(correction=correction)
    dump = io.StringIO()
    call_command("dumpdata", stdout=dump)
    assert [word for word in words if word in dump.getvalue()] == []


def test_a_text_that_was_deleted_can_be_neither_judged_nor_labelled(make_correction, reviewer):
    gone = make_correction("", genres=("fantasy",), status="rejected")
    assert review(corrections=[gone.pk], status="approved", by=reviewer).skipped == {"its text was deleted": 1}
    assert set_genres(corrections=[gone.pk], slugs=["romance"], by=reviewer).skipped == {"its text was deleted": 1}


def test_withdrawing_twice_leaves_one_trace(send):
    correction = send()
    withdraw(correction=correction)
    assert withdraw(correction=correction).status == "withdrawn"
    assert trail(correction) == [("submitted", "visitor"), ("withdrawn", "visitor")]


def test_an_approved_correction_that_is_withdrawn_teaches_nobody(send, reviewer):
    correction = send()
    review(corrections=[correction.pk], status="approved", by=reviewer)
    withdraw(correction=correction)
    assert not Correction.objects.all().approved_examples().exists()
    assert review(corrections=[correction.pk], status="pending", by=reviewer).changed == 0


def test_the_trail_is_never_changed(send):
    event = send().events.get()
    event.by = "somebody else"
    with pytest.raises(ValidationError):
        event.save()
    with pytest.raises(ValidationError):
        ReviewEvent.objects.update(by="somebody else")
    assert ReviewEvent.objects.get().by == "visitor"


def test_the_trail_is_never_deleted(send):
    event = send().events.get()
    with pytest.raises(ValidationError):
        event.delete()
    with pytest.raises(ValidationError):
        ReviewEvent.objects.all().delete()
    assert ReviewEvent.objects.count() == 1
