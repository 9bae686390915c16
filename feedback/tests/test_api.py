"""The API of corrections, as programs meet it."""

import json
import uuid

import pytest

from classifier.keys import create_key
from classifier.models import IdempotentAnswer, Prediction
from classifier.tests.programs import SUGGEST, TEXT, asker, problem
from feedback.models import Correction

FEEDBACK = "/api/v1/feedback"
pytestmark = pytest.mark.usefixtures("own_limits")


def test_a_prediction_is_corrected_by_its_id(api, champion):
    uid = api.post(SUGGEST, {"text": TEXT}).json()["prediction_id"]
    sent = api.post(FEEDBACK, {"text": TEXT, "prediction_id": uid, "genres": ["cooking"], "note": "a cookbook"})
    assert sent.status_code == 201
    body = sent.json()
    assert (body["status"], body["genres"], body["prediction_id"]) == ("pending", ["cooking"], uid)
    stored = Correction.objects.get(receipt=body["receipt"])
    assert (stored.text, stored.version, stored.source, stored.note) == (TEXT, champion, "api", "a cookbook")
    assert stored.shown[0][0] == "fantasy"
    assert body["url"].endswith(f"/corrections/{stored.receipt}/")


def test_a_text_nobody_asked_about_is_predicted_and_corrected(api):
    body = api.post(FEEDBACK, {"text": TEXT, "none_fits": True, "proposal": "Dragons"}).json()
    stored = Correction.objects.get(receipt=body["receipt"])
    assert (stored.verdict, stored.proposal) == ("none", "Dragons")
    assert Prediction.objects.get().uid == stored.prediction_uid


def test_the_same_prediction_corrected_twice_is_one_correction(api):
    uid = api.post(SUGGEST, {"text": TEXT}).json()["prediction_id"]
    first, second = (
        api.post(FEEDBACK, {"text": TEXT, "prediction_id": uid, "genres": [slug]}).json()
        for slug in ("cooking", "fantasy")
    )
    assert first == second
    assert Correction.objects.count() == 1


@pytest.mark.parametrize(
    "answer",
    [{}, {"genres": ["cooking"], "not_sure": True}, {"genres": ["no-such-genre"]}, {"proposal": "Dragons"}],
    ids=["nothing", "contradiction", "unknown genre", "proposal alone"],
)
def test_an_answer_that_makes_no_sense_is_refused_and_nothing_is_stored(api, answer):
    problem(api.post(FEEDBACK, {"text": TEXT} | answer), "refused")
    assert not Correction.objects.exists()


def test_another_text_than_was_shown_is_refused(api):
    uid = api.post(SUGGEST, {"text": TEXT}).json()["prediction_id"]
    problem(api.post(FEEDBACK, {"text": TEXT + " More.", "prediction_id": uid, "genres": ["cooking"]}), "refused")


def test_a_prediction_that_was_not_made_is_unknown(api):
    body = {"text": TEXT, "prediction_id": str(uuid.uuid4()), "genres": ["cooking"]}
    problem(api.post(FEEDBACK, body), "unknown-prediction")


def test_characters_that_no_database_stores_are_left_out(api):
    body = api.post(FEEDBACK, {"text": TEXT + "\x00", "genres": ["cooking"], "note": "a\x00b"}).json()
    stored = Correction.objects.get(receipt=body["receipt"])
    assert (stored.text, stored.note) == (TEXT, "ab")


def test_sending_needs_a_key_for_it(champion, client):
    _, secret = create_key("t", ["predict"], by="tests")
    problem(asker(client, secret).post(FEEDBACK, {"text": TEXT, "not_sure": True}), "missing-scope")
    problem(asker(client).post(FEEDBACK, {"text": TEXT, "not_sure": True}), "no-key")


def test_without_a_key_the_limit_of_a_visitor_holds(champion, client, settings):
    settings.GENRE_API_ANONYMOUS, settings.GENRE_CORRECTIONS_PER_MINUTE = True, 1
    asking = asker(client)
    assert asking.post(FEEDBACK, {"text": TEXT, "not_sure": True}).status_code == 201
    refused = asking.post(FEEDBACK, {"text": TEXT, "not_sure": True})
    problem(refused, "too-many")
    assert int(refused["Retry-After"]) > 0
    _, secret = create_key("t", ["feedback"], by="tests")
    assert asker(client, secret).post(FEEDBACK, {"text": TEXT, "not_sure": True}).status_code == 201


# receipts


def test_a_receipt_reads_and_deletes_without_a_key(api, client):
    receipt = api.post(FEEDBACK, {"text": TEXT, "genres": ["cooking"]}).json()["receipt"]
    told = client.get(f"{FEEDBACK}/{receipt}").json()
    assert (told["status"], told["verdict"], told["reviewed_genres"]) == ("pending", "genres", [])
    for _ in range(2):
        assert client.delete(f"{FEEDBACK}/{receipt}").status_code == 204
    assert client.get(f"{FEEDBACK}/{receipt}").json()["status"] == "withdrawn"
    assert Correction.objects.get().text == ""


@pytest.mark.parametrize("receipt", ["nobody", "%00", "a%20b", "x" * 41])
def test_a_receipt_that_was_never_given_is_a_problem(db, client, receipt):
    response = client.get(f"{FEEDBACK}/{receipt}")
    assert response.status_code in (404, 422)
    assert response["Content-Type"] == "application/problem+json"


def test_receipts_can_not_be_guessed_at_any_speed(db, client, settings, monkeypatch):
    monkeypatch.setattr("classifier.throttle.clock", lambda: 6000.0)
    settings.GENRE_API_ANONYMOUS_PER_MINUTE = 2
    for _ in range(2):
        problem(client.get(f"{FEEDBACK}/guess"), "unknown-receipt")
    problem(client.get(f"{FEEDBACK}/guess"), "too-many")


# sent twice


def test_the_same_request_with_the_same_idempotency_key_is_done_once(api):
    sent = [api.post(FEEDBACK, {"text": TEXT, "genres": ["cooking"]}, **{"Idempotency-Key": "k1"}) for _ in range(2)]
    assert sent[0].json() == sent[1].json()
    assert [each.status_code for each in sent] == [201, 201]
    assert ["Idempotent-Replayed" in each for each in sent] == [False, True]
    assert Correction.objects.count() == Prediction.objects.count() == 1


def test_an_idempotency_key_with_another_request_is_refused(api):
    key = {"Idempotency-Key": "k1"}
    api.post(FEEDBACK, {"text": TEXT, "genres": ["cooking"]}, **key)
    problem(api.post(FEEDBACK, {"text": TEXT, "genres": ["fantasy"]}, **key), "same-key-other-request")
    assert Correction.objects.count() == 1


def test_idempotency_keys_of_two_programs_are_two(api, client):
    other = asker(client, create_key("other", ["feedback"], by="tests")[1])
    for program in (api, other):
        program.post(FEEDBACK, {"text": TEXT, "genres": ["cooking"]}, **{"Idempotency-Key": "k1"})
    assert Correction.objects.count() == 2


def test_a_refused_request_may_be_mended_under_the_same_key(api):
    key = {"Idempotency-Key": "k1"}
    problem(api.post(FEEDBACK, {"text": TEXT}, **key), "refused")
    assert api.post(FEEDBACK, {"text": TEXT, "genres": ["cooking"]}, **key).status_code == 201


@pytest.mark.parametrize("key", ["", "a b", "x" * 201, "é"])
def test_an_unusable_idempotency_key_is_a_problem(api, key):
    problem(api.post(FEEDBACK, {"text": TEXT, "not_sure": True}, **{"Idempotency-Key": key}), "bad-request")


def test_what_is_kept_for_a_repeat_holds_no_text_and_no_key(api):
    api.post(FEEDBACK, {"text": TEXT, "genres": ["cooking"], "note": "secret"}, **{"Idempotency-Key": "k1-unguessable"})
    kept = json.dumps(IdempotentAnswer.objects.values().get(), default=str)
    assert not any(part in kept for part in (TEXT, "secret", "k1-unguessable"))


@pytest.mark.django_db(transaction=True)
def test_a_correction_that_is_refused_takes_no_waiting_prediction_along(api, settings):
    settings.GENRE_RECORD_SECONDS = 1
    uid = api.post(SUGGEST, {"text": TEXT}).json()["prediction_id"]
    sent = {"text": TEXT, "prediction_id": uid, "genres": ["no-such-genre"]}
    problem(api.post(FEEDBACK, sent, **{"Idempotency-Key": "k1"}), "refused")
    assert Prediction.objects.filter(uid=uid).exists()
