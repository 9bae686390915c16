"""The API of the real gunicorn: limits and keys across its workers, and what a day leaves behind."""

import json
import time
import urllib.error
import urllib.request
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from genre_site.tests.running import Site, Visitor

TEXT = "The wizard and the sorceress cast an old spell on the dragon that guards the kingdom."
SUGGEST = "api/v1/models/champion/suggest"


@pytest.fixture
def site(tmp_path, model_folder):
    site = Site(tmp_path, [model_folder])
    site.env |= {"DEBUG": "false", "LOG_LEVEL": "INFO"}
    return site


def ask(url, key, body=None, method=None, **headers):
    """Return the status and the body of an answer, whatever it is."""
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"} | headers
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data, headers, method=method), timeout=20) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def all_at_once(n, call):
    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(lambda _: call(), range(n)))


def test_four_workers_count_together_and_a_revoked_key_fails_within_a_second(site):
    key = site.make_key("predict", per_minute=50)
    with site.serving(workers=4) as address:
        # The minute of the clock must not end meanwhile.
        if time.time() % 60 > 45:
            time.sleep(61 - time.time() % 60)
        statuses = Counter(
            status for status, _ in all_at_once(150, lambda: ask(address + SUGGEST, key, {"text": TEXT}))
        )
        assert statuses == {200: 50, 429: 100}
        site.write("UPDATE classifier_apikey SET revoked_at = CURRENT_TIMESTAMP")
        time.sleep(1)
        answers = all_at_once(40, lambda: ask(address + SUGGEST, key, {"text": TEXT}))
        assert {status for status, _ in answers} == {401}


def test_predictions_are_stored_within_a_second_and_all_of_them_when_the_server_ends(site):
    key = site.make_key("predict", "feedback", "read-monitor")
    with site.serving(workers=2) as address:
        status, body = ask(address + SUGGEST, key, {"text": TEXT})
        assert status == 200
        uid = json.loads(body)["prediction_id"]
        # Corrected at once, whichever worker is asked.
        correction = {"text": TEXT, "prediction_id": uid, "genres": ["cooking"]}
        assert ask(f"{address}api/v1/feedback", key, correction)[0] == 201
        assert len(site.rows("SELECT * FROM classifier_prediction")) == 1
        answers = all_at_once(60, lambda: ask(address + SUGGEST, key, {"text": TEXT}))
    assert {status for status, _ in answers} == {200}
    assert len(site.rows("SELECT * FROM classifier_prediction")) == 61


def test_a_day_leaves_no_key_and_no_text_but_where_a_person_agreed(site):
    key, agreed = site.make_key("predict", "feedback", "read-monitor"), TEXT + " Lanternfish."
    word = "Quizzlewick"
    secret_text = f"{TEXT} {word} {word}."
    documents = {"documents": [{"text": secret_text, "document_id": word}]}
    with site.serving(workers=2) as address:
        Visitor(address).ask(secret_text)
        ask(f"{address}?q={word}", key)
        for body in (
            {"text": secret_text, "explain": True},
            {"text": secret_text, word: 1},
            f'{{"text": "{word}'.encode(),
        ):
            ask(address + SUGGEST, key, body)
        ask(f"{address}api/v1/models/champion/suggest-batch", key, documents)
        ask(f"{address}api/v1/models/champion/text-classification", key, {"inputs": secret_text})
        ask(f"{address}api/v1/models/{word}/suggest", key, {"text": secret_text})
        ask(f"{address}api/v1/feedback", key, {"text": secret_text, "note": word})
        sent = ask(
            f"{address}api/v1/feedback", key, {"text": agreed, "genres": ["fantasy"]}, **{"Idempotency-Key": "x1"}
        )
        receipt = json.loads(sent[1])["receipt"]
        ask(f"{address}api/v1/feedback/{receipt}", key)
        ask(address + SUGGEST, "gd_" + word, {"text": secret_text})
        metrics = ask(f"{address}metrics", key)[1].decode()
        assert "genre_" in metrics
    left = {
        path.name: path.read_bytes().decode("utf-8", "replace")
        for path in (*site.root.glob("*.sqlite3*"), site.log)
        if path.is_file()
    } | {"metrics": metrics}
    assert {"site.sqlite3", "limits.sqlite3", "server.log"} <= set(left)
    for name, content in left.items():
        assert key not in content, name
        assert word not in content, name
        assert "Lanternfish" not in content or name.startswith("site.sqlite3"), name
    assert receipt not in left["server.log"] + metrics
    # Where corrections are stored, and nowhere else.
    assert [row["text"] for row in site.rows("SELECT text FROM feedback_correction")] == [agreed]
