"""The API of the classifier, as programs meet it."""

import json
import uuid

import pytest

from classifier.keys import create_key, forget_keys, revoke_key
from classifier.models import ApiKey, Genre, Prediction
from classifier.problems import CONTENT_TYPE
from classifier.tests.programs import SUGGEST, TEXT, asker, problem

pytestmark = pytest.mark.usefixtures("own_limits")


def test_a_text_gets_its_genres_with_the_version_that_said_it(api, champion):
    body = api.post(SUGGEST, {"text": TEXT, "limit": 2}).json()
    assert body["model"] == {"alias": "champion", "version": champion.number, "sabotage": None}
    assert body["results"][0]["slug"] == "fantasy"
    assert body["results"][0]["name"] == Genre.objects.get(slug="fantasy").name
    assert len(body["results"]) == 2
    assert (body["abstained"], body["reason"], body["explanation"]) == (False, None, None)
    stored = Prediction.objects.get(uid=body["prediction_id"])
    assert (stored.source, stored.version, stored.asked) == ("api", champion, 0)


def test_a_threshold_leaves_out_what_scores_less(api):
    results = api.post(SUGGEST, {"text": TEXT, "threshold": 0.5}).json()["results"]
    assert [result["slug"] for result in results] == ["fantasy"]


def test_the_words_that_tell_are_told_when_asked_for(api):
    body = api.post(SUGGEST, {"text": TEXT, "limit": 1, "explain": True}).json()
    (explained,) = body["explanation"]
    assert explained["slug"] == "fantasy"
    assert {"wizard", "dragon"} & {word["word"] for word in explained["words"][:4]}


@pytest.mark.parametrize(
    ("text", "reason"),
    [("", "no-words"), ("a dragon", "too-short"), ("1 2 3 4 5 6 7 8 9", "not-prose")],
    ids=["empty", "short", "numbers"],
)
def test_a_text_that_tells_nothing_is_abstained_from(api, text, reason):
    body = api.post(SUGGEST, {"text": text, "explain": True}).json()
    assert (body["abstained"], body["reason"], body["results"]) == (True, reason, [])
    assert body["prediction_id"] is None
    assert Prediction.objects.count() == 0


def test_an_unsure_model_abstains_and_tells_the_nearest(unsure_champion, client):
    body = asker(client, create_key("t", ["predict"], by="tests")[1]).post(SUGGEST, {"text": TEXT}).json()
    assert (body["abstained"], body["reason"]) == (True, "no-genre")
    assert not any(result["chosen"] for result in body["results"])
    assert body["results"]


def test_many_texts_come_back_in_order_with_their_ids(api):
    documents = [{"text": TEXT, "document_id": "b"}, {"text": "", "document_id": "a"}, {"text": TEXT}]
    body = api.post("/api/v1/models/champion/suggest-batch", {"documents": documents}).json()
    assert [each["document_id"] for each in body["documents"]] == ["b", "a", None]
    assert [each["abstained"] for each in body["documents"]] == [False, True, False]
    assert Prediction.objects.count() == 2


def test_hugging_faces_shape_is_a_list_for_one_text_and_a_list_of_lists_for_several(api):
    path = "/api/v1/models/champion/text-classification"
    one = api.post(path, {"inputs": TEXT, "parameters": {"top_k": 1}}).json()
    assert [each["label"] for each in one] == ["fantasy"]
    assert [len(each) for each in api.post(path, {"inputs": [TEXT, TEXT]}).json()] == [3, 3]


def test_a_version_may_be_asked_by_number_while_it_is_the_champion(api, champion):
    assert api.post(f"/api/v1/models/{champion.number}/suggest", {"text": TEXT}).status_code == 200
    problem(api.post("/api/v1/models/99/suggest", {"text": TEXT}), "unknown-model")


def test_genres_and_models_are_told(api, champion):
    slugs = [genre["slug"] for genre in api.get("/api/v1/genres").json()["genres"]]
    assert len(slugs) == Genre.objects.filter(retired=False).count()
    (told,) = api.get("/api/v1/models").json()["models"]
    assert (told["version"], told["sha256"]) == (champion.number, champion.sha256)


def test_without_a_model_it_says_so(model_dir, db, client):
    asking = asker(client, create_key("t", ["predict"], by="tests")[1])
    problem(asking.post(SUGGEST, {"text": TEXT}), "no-model")
    problem(asking.get("/api/v1/models"), "no-model")


# keys


def test_without_a_key_nobody_is_let_in_unless_the_operator_says_so(champion, client, settings):
    refused = asker(client).post(SUGGEST, {"text": TEXT})
    problem(refused, "no-key")
    assert refused["WWW-Authenticate"].startswith("Bearer")
    settings.GENRE_API_ANONYMOUS = True
    assert asker(client).post(SUGGEST, {"text": TEXT}).status_code == 200


@pytest.mark.parametrize("header", ["Bearer gd_wrong", "Bearer", "Basic dTpw", "Bearer \udcff"])
def test_a_wrong_key_opens_nothing_even_where_none_is_needed(champion, client, settings, header):
    settings.GENRE_API_ANONYMOUS = True
    response = client.post(SUGGEST, {"text": TEXT}, content_type="application/json", HTTP_AUTHORIZATION=header)
    problem(response, "wrong-key")


def test_a_key_opens_what_it_is_for(champion, client):
    _, secret = create_key("t", ["feedback"], by="tests")
    problem(asker(client, secret).post(SUGGEST, {"text": TEXT}), "missing-scope")
    assert asker(client, secret).get("/api/v1/genres").status_code == 200
    _, everything = create_key("t", ["admin"], by="tests")
    assert asker(client, everything).post(SUGGEST, {"text": TEXT}).status_code == 200


def test_a_revoked_key_is_refused(champion, client):
    key, secret = create_key("t", ["predict"], by="tests")
    asking = asker(client, secret)
    assert asking.get("/api/v1/genres").status_code == 200
    revoke_key(key)
    forget_keys()
    problem(asking.get("/api/v1/genres"), "wrong-key")


def test_a_key_for_the_monitor_reads_the_metrics(champion, client):
    _, secret = create_key("t", ["read-monitor"], by="tests")
    assert asker(client, secret).get("/metrics").status_code == 200
    _, other = create_key("t", ["predict"], by="tests")
    assert asker(client, other).get("/metrics").status_code == 401


# limits


def test_more_than_its_share_is_refused_with_when_to_come_back(champion, client, monkeypatch):
    monkeypatch.setattr("classifier.throttle.clock", lambda: 6000.0)
    asking = asker(client, create_key("t", ["predict"], by="tests", per_minute=3)[1])
    batch = {"documents": [{"text": TEXT}, {"text": TEXT}]}
    assert asking.post("/api/v1/models/champion/suggest-batch", batch).status_code == 200
    refused = asking.post("/api/v1/models/champion/suggest-batch", batch)
    problem(refused, "too-many")
    assert refused["Retry-After"] == "60"
    assert asking.post(SUGGEST, {"text": TEXT}).status_code == 200
    problem(asking.post(SUGGEST, {"text": TEXT}), "too-many")


def test_a_body_that_is_announced_too_large_is_not_read(api, settings):
    settings.GENRE_MAX_BODY_BYTES = 1000
    problem(api.post(SUGGEST, {"text": "x" * 1001}), "too-large")


def test_a_text_with_too_many_bytes_is_refused(api, settings):
    settings.GENRE_MAX_TEXT_BYTES = 10
    assert "10" in problem(api.post(SUGGEST, {"text": TEXT}), "too-large")["detail"]


# bad requests


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b'{"text": "\\ud800 one two three four five"}',
        b"[" * 100_000,
        b'{"text": "\xff\xfe"}',
        b'{"threshold": NaN}',
        '{"text": "x"}'.encode("utf-16"),
    ],
    ids=["cut", "surrogate", "deep", "not UTF-8", "NaN", "UTF-16"],
)
def test_what_is_not_json_is_a_problem(api, body):
    problem(api.post(SUGGEST, body), "invalid-json")


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (b"", "body"),
        ({}, "text"),
        ({"text": 3}, "text"),
        ({"text": TEXT, "limit": 0}, "limit"),
        ({"text": TEXT, "limit": True}, "limit"),
        ({"text": TEXT, "threshold": 1.5}, "threshold"),
        ({"text": TEXT, "treshold": 0.5}, "treshold"),
        ({"text": TEXT, "explain": "yes"}, "explain"),
    ],
    ids=str,
)
def test_a_wrong_value_is_named_and_not_repeated(api, body, where):
    found = problem(api.post(SUGGEST, body), "invalid")
    assert [error["where"] for error in found["errors"]] == [where]
    assert TEXT not in json.dumps(found)


def test_a_body_that_is_no_object_is_a_problem(api):
    problem(api.post(SUGGEST, [TEXT]), "invalid")


@pytest.mark.parametrize("size", [0, 257])
def test_a_batch_has_1_to_256_texts(api, size):
    problem(api.post("/api/v1/models/champion/suggest-batch", {"documents": [{"text": TEXT}] * size}), "invalid")


def test_addresses_and_methods_that_do_not_exist_are_problems(api, client):
    problem(api.get("/api/v1/nothing"), "not-found")
    refused = api.get(SUGGEST)
    problem(refused, "method-not-allowed")
    assert refused["Allow"] == "POST"


def test_a_fault_of_ours_is_a_problem_that_tells_nothing(api, client, monkeypatch):
    def broken(*_):
        raise RuntimeError(TEXT)

    monkeypatch.setattr("classifier.api.ask", broken)
    client.raise_request_exception = False
    assert TEXT not in json.dumps(problem(api.post(SUGGEST, {"text": TEXT}), "broken"))


def test_browsers_of_other_sites_may_call_it_only_where_they_are_named(api, client, settings):
    origin = {"Origin": "https://catalogue.example.org"}
    assert "Access-Control-Allow-Origin" not in client.get("/api/v1/openapi.json", headers=origin)
    settings.CORS_ALLOWED_ORIGINS = ["https://catalogue.example.org"]
    allowed = client.get("/api/v1/openapi.json", headers=origin)
    assert allowed["Access-Control-Allow-Origin"] == "https://catalogue.example.org"
    assert "Access-Control-Allow-Origin" not in client.get("/privacy/", headers=origin)


def test_the_documentation_comes_from_here_alone(client, db):
    page = client.get("/api/v1/docs").content.decode()
    assert "/static/ninja/swagger-ui" in page
    assert "//cdn" not in page


def test_the_schema_names_problems_as_what_they_are(client, db):
    schema = client.get("/api/v1/openapi.json").json()
    answers = schema["paths"]["/api/v1/models/{alias}/suggest"]["post"]["responses"]
    assert list(answers["422"]["content"]) == [CONTENT_TYPE]
    assert list(answers["200"]["content"]) == ["application/json"]


def test_a_name_of_a_prediction_is_a_uuid(api):
    assert uuid.UUID(api.post(SUGGEST, {"text": TEXT}).json()["prediction_id"])


def test_of_a_key_only_its_hash_is_stored(db):
    key, secret = create_key("t", ["predict"], by="tests")
    row = ApiKey.objects.filter(pk=key.pk).values().get()
    assert secret not in json.dumps(row, default=str)
    assert secret.startswith(key.prefix)
