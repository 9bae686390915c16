"""The real gunicorn: tokens, figures of all workers, an end under load without a failed request, lines of JSON."""

import hashlib
import http.client
import json
import os
import random
import re
import signal
import threading
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from classifier.core.model import GenreModel
from classifier.service_log import read_line
from conftest import FILLER, WORDS, copy_model, thresholds_meta
from cortex.store import SHARED_MEMORY
from cortex.tests.asking import TEXT
from cortex.tests.functional.server import running

BODY = json.dumps({"text": TEXT, "limit": 3})
CLIENTS = 4


def post(connection, **headers):
    connection.request("POST", "/", BODY, headers)
    response = connection.getresponse()
    return response.status, response.read().decode()


def connect(server):
    return closing(http.client.HTTPConnection(urlsplit(server.address).netloc, timeout=10))


def test_an_end_under_load_fails_no_request_and_is_announced_at_once(tmp_path, model_folder):
    """Clients keep their connections and go elsewhere when ``/ready`` says no, as a load balancer does."""
    said, is_over = [], threading.Event()
    with running(tmp_path, model_folder, DRAIN_SECONDS="2") as server:
        assert server.get("/ready")[0] == 200

        def ask():
            with connect(server) as connection:
                while not is_over.is_set():
                    try:
                        said.append(post(connection)[0])
                    except (OSError, http.client.HTTPException) as error:
                        said.append(repr(error))

        clients = [threading.Thread(target=ask) for _ in range(CLIENTS)]
        for client in clients:
            client.start()
        time.sleep(0.5)
        before = len(said)
        asked_to_end = time.monotonic()
        os.kill(server.process.pid, signal.SIGTERM)
        while server.get("/ready")[0] == 200:
            time.sleep(0.02)
        seconds = time.monotonic() - asked_to_end
        # It answers on, for whoever has not heard of it.
        time.sleep(0.5)
        after = len(said)
        is_over.set()
        for client in clients:
            client.join()
        assert server.process.wait(timeout=20) == 0
    assert set(said) == {200}
    assert 0 < before < after
    assert seconds < 1


def test_requests_that_are_under_way_at_the_end_are_all_answered(tmp_path, model_folder):
    """No draining, and long batches in every thread: gunicorn ends while it reads them."""
    said = []
    with running(tmp_path, model_folder, DRAIN_SECONDS="0", WORKERS="2", THREADS="2") as server:
        clients = [threading.Thread(target=lambda: said.append(server.post([TEXT] * 8000))) for _ in range(CLIENTS)]
        for client in clients:
            client.start()
        time.sleep(0.3)
        under_way = CLIENTS - len(said)
        os.kill(server.process.pid, signal.SIGTERM)
        for client in clients:
            client.join()
        assert server.process.wait(timeout=40) == 0
    assert under_way == CLIENTS
    assert [status for status, _ in said] == [200] * CLIENTS
    assert all(json.loads(answer)["failed"] == 0 for _, answer in said)


def test_a_thousand_texts_get_what_the_core_says_of_them_bit_for_bit(tmp_path, model_folder):
    folder = copy_model(model_folder, tmp_path / "m", **thresholds_meta(fantasy=0.4, cooking=0.5))
    texts = list(made_up(1000))
    model = GenreModel.load(folder)
    with running(tmp_path, folder) as server:
        batch = json.loads(server.post([{"text": text, "limit": 100} for text in texts])[1])["predictions"]
        one_by_one = [json.loads(server.post({"text": text, "limit": 100})[1]) for text in texts[:100]]
        tensor = {"name": "text", "datatype": "BYTES", "shape": [len(texts)], "data": texts}
        asked = {"inputs": [tensor], "parameters": {"limit": 100}}
        v2 = json.loads(server.post(asked, "/v2/models/genre/infer")[1])["outputs"]
    expected = [model.predict(text) for text in texts]
    # Floats come back to the bit: JSON writes the shortest digits that mean the same.
    assert [[(result["slug"], result["score"]) for result in answer["results"]] for answer in batch] == [
        [(genre.slug, genre.score) for genre in prediction.scores] for prediction in expected
    ]
    assert [answer["chosen"] for answer in batch] == [[genre.slug for genre in each.chosen] for each in expected]
    assert [answer["reason"] for answer in batch] == [each.abstained or None for each in expected]
    assert len({answer["reason"] for answer in batch}) > 1
    assert one_by_one == batch[:100]
    assert [json.loads(answer) for answer in v2[2]["data"]] == batch


def made_up(n):
    """Yield texts of 5 to 120 words: of one genre, of several, unknown ones, with odd characters between."""
    pick = random.Random(7)
    known = [word for words in WORDS.values() for word in words]
    pools = [*WORDS.values(), known, ["xyzzy", "plugh", "frotz"]]
    odd = ["", "", ",", "—", "“", "é", "🍰", "\n", "\x00", "__label__x", "100%"]
    for _ in range(n):
        pool = pick.choice(pools)
        words = (pick.choice(pool if pick.random() < 0.5 else FILLER) for _ in range(pick.randint(5, 120)))
        yield " ".join(f"{word}{pick.choice(odd)}" for word in words)


def test_tokens_are_asked_for_and_the_log_has_neither_token_nor_text_nor_address(tmp_path, model_folder):
    hashed = hashlib.sha256(b"sesame").hexdigest()
    with running(tmp_path, model_folder, TOKEN_SHA256=hashed) as server:
        with connect(server) as connection:
            assert post(connection)[0] == 401
            assert post(connection, Authorization="Bearer sesam")[0] == 401
            status, answer = post(connection, **{"Authorization": "Bearer sesame", "X-Request-ID": "r-7"})
        assert (status, json.loads(answer)["results"][0]["slug"]) == (200, "fantasy")
        assert (server.get("/ready")[0], server.get("/metrics?for=open-house")[0]) == (200, 401)
    lines = [json.loads(line) for line in server.log.splitlines()]
    (line,) = (line for line in lines if line.get("request_id") == "r-7")
    assert (line["route"], line["status"], line["texts"]) == ("predict", 200, 1)
    assert not any(word in server.log for word in ("wizard", "sesame", hashed, "open-house", "127.0.0.1 -"))


def test_every_worker_tells_the_figures_of_all_of_them_also_of_those_that_died(tmp_path, model_folder):
    before = set(SHARED_MEMORY.glob("genre-metrics-*"))
    with running(tmp_path, model_folder, WORKERS="2", THREADS="2") as server:
        children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()
        for _ in range(20):
            # A connection of its own for each, so that both workers get some.
            with connect(server) as connection:
                assert post(connection)[0] == 200
        os.kill(int(children[0]), signal.SIGKILL)
        figures = set()
        for _ in range(10):
            figures |= set(
                re.findall(r'requests_total\{route="predict",status="200"\} (\S+)', server.get("/metrics")[1])
            )
        assert figures == {"20.0"}
        assert 'genre_service_model_info{model_sha256="' in server.get("/metrics")[1]
    assert set(SHARED_MEMORY.glob("genre-metrics-*")) <= before


def test_without_a_model_it_is_live_and_says_why_it_is_not_ready(tmp_path):
    with running(tmp_path, tmp_path / "nothing") as server:
        status, said = server.get("/ready")
    assert (status, "there is no model" in said, str(tmp_path) in said) == (503, True, False)
    assert str(tmp_path) in server.log


def test_its_log_tells_the_site_of_every_prediction_whoever_asked_at_once(tmp_path, model_folder):
    batch, named = json.dumps([TEXT] * 50), []

    def ask():
        with connect(server) as connection:
            for _ in range(10):
                connection.request("POST", "/", batch)
                answers = json.loads(connection.getresponse().read())["predictions"]
                named.extend(answer["prediction_id"] for answer in answers)

    with running(tmp_path, model_folder, HASH_KEY="5a" * 32) as server:
        clients = [threading.Thread(target=ask) for _ in range(CLIENTS)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
    read = [item for line in server.log.encode().splitlines() for item in read_line(line, now=datetime.now(UTC))]
    assert sorted(str(item.uid) for item in read) == sorted(named)
    assert len(set(named)) == CLIENTS * 10 * 50
    assert "wizard" not in server.log
