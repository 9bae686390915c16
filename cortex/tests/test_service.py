"""The prediction service answers as the core does, and refuses in words."""

import io
import json
import subprocess
import sys

import pytest

from classifier.core.thresholds import NEVER
from conftest import copy_model, thresholds_meta
from cortex import service

TEXT = "The wizard and the sorceress cast an old spell on the dragon of the kingdom."


@pytest.fixture(autouse=True)
def served(model_folder, monkeypatch):
    monkeypatch.setenv("MODEL_DIR", str(model_folder))
    service.model.cache_clear()
    yield
    service.model.cache_clear()


def call(method, path, body=b"", length=None):
    said = []
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "CONTENT_LENGTH": str(len(body)) if length is None else length,
        "wsgi.input": io.BytesIO(body),
    }
    parts = service.application(environ, lambda status, headers: said.append((status, dict(headers))))
    status, headers = said[0]
    return int(status[:3]), json.loads(b"".join(parts)), headers


def test_it_answers_the_same_scores_as_the_core(model):
    status, answer, headers = call("POST", "/", json.dumps({"text": TEXT, "limit": 3}).encode())
    expected = [{"slug": genre.slug, "score": genre.score} for genre in model.predict(TEXT).top(3)]
    assert (status, answer["results"]) == (200, expected)
    assert answer["results"][0]["slug"] == "fantasy"
    assert headers["Content-Type"] == "application/json"


def test_it_names_the_model_that_answered(model_folder):
    meta = json.loads((model_folder / "meta.json").read_text())
    assert call("POST", "/", json.dumps({"text": TEXT}).encode())[1]["model_sha256"] == meta["model_sha256"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"not json", 400),
        (b'{"text": 3}', 422),
        (b"[]", 422),
        (b'{"text": "too short"}', 422),
        (json.dumps({"text": TEXT, "limit": 0}).encode(), 422),
        (json.dumps({"text": TEXT, "threshold": "high"}).encode(), 422),
        (b"[" * 100_000, 400),
    ],
)
def test_it_refuses_bad_bodies_in_words(body, status):
    found, answer, headers = call("POST", "/", body)
    assert (found, answer["status"]) == (status, status)
    assert answer["title"]
    assert headers["Content-Type"] == "application/problem+json"


def test_it_refuses_a_body_that_is_announced_as_too_large():
    assert call("POST", "/", length=str(service.MAX_BODY + 1))[0] == 413


def test_it_says_when_it_knows_no_word():
    answer = call("POST", "/", json.dumps({"text": "xyzzy plugh frotz gnusto rezrov"}).encode())[1]
    assert (answer["abstained"], answer["reason"], answer["results"]) == (True, "nothing-known", [])


@pytest.mark.parametrize(("bar", "chosen"), [(0.5, ["fantasy"]), (NEVER, [])])
def test_it_says_which_genres_reach_their_threshold_and_when_none_does(
    model, model_folder, tmp_path, monkeypatch, bar, chosen
):
    monkeypatch.setenv("MODEL_DIR", str(copy_model(model_folder, tmp_path / "m", **thresholds_meta(fantasy=bar))))
    status, answer, _ = call("POST", "/", json.dumps({"text": TEXT, "limit": 3}).encode())
    assert (status, answer["chosen"], answer["abstained"]) == (200, chosen, not chosen)
    assert answer["reason"] == (None if chosen else "no-genre")
    assert [result["slug"] for result in answer["results"]] == [genre.slug for genre in model.predict(TEXT).scores]


def test_it_is_ready_only_with_a_sound_model(tmp_path, monkeypatch):
    assert call("GET", "/ready")[:2] == (200, {"ready": True, "genres": 3, "sabotage": None})
    service.model.cache_clear()
    monkeypatch.setenv("MODEL_DIR", str(tmp_path))
    assert call("GET", "/ready")[0] == 503
    assert call("GET", "/live")[0] == 200


def test_it_says_of_a_model_that_was_made_bad_on_purpose_that_it_was(model_folder, tmp_path, monkeypatch):
    body = json.dumps({"text": TEXT}).encode()
    assert call("POST", "/", body)[1]["sabotage"] is None
    service.model.cache_clear()
    mark = {"kind": "swap-genres", "strength": 0.5}
    monkeypatch.setenv("MODEL_DIR", str(copy_model(model_folder, tmp_path / "bad", sabotage=mark)))
    assert call("GET", "/ready")[1]["sabotage"] == "swap-genres 0.5"
    assert call("POST", "/", body)[1]["sabotage"] == "swap-genres 0.5"


def test_an_unknown_address_is_404():
    assert call("GET", "/nope")[0] == 404


def test_it_runs_without_django_pandas_or_scikit_learn():
    code = "import sys, cortex.service; print([m for m in ('django', 'pandas', 'sklearn') if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
