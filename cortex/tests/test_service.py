"""The prediction service answers as the core does, and refuses in words."""

import json
import logging
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from classifier.core.model import GenreModel
from classifier.core.thresholds import NEVER
from conftest import copy_model, thresholds_meta
from cortex import draining
from cortex.predicting import MAX_ITEMS
from cortex.service import VERSION
from cortex.tests.asking import TEXT, call, raw, serve
from cortex.wire import MAX_BODY

ROOT = Path(__file__).resolve().parents[2]
SURROGATE = b'{"text": "The wizard cast an old spell \\ud800 on the dragon"}'


@pytest.fixture(scope="module")
def service(model_folder):
    return serve(model_folder)


def test_it_answers_what_the_model_of_the_same_folder_says(service, model_folder):
    status, answer, headers = call(service, "POST", "/", {"text": TEXT, "limit": 3})
    expected = GenreModel.load(model_folder).predict(TEXT).top(3)
    assert (status, answer["results"]) == (200, [{"slug": genre.slug, "score": genre.score} for genre in expected])
    assert answer["results"][0]["slug"] == "fantasy"
    assert headers["Content-Type"] == "application/json"


def test_it_names_the_model_that_answered(service, model_folder):
    meta = json.loads((model_folder / "meta.json").read_text())
    assert call(service, "POST", "/", {"text": TEXT})[1]["model_sha256"] == meta["model_sha256"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"not json", 400),
        (b"", 400),
        (b"[" * 100_000, 400),
        (b'{"text": "x", "threshold": NaN}', 400),
        (b'{"text": "x", "threshold": -Infinity}', 400),
        (b'{"limit": ' + b"9" * 5_000 + b"}", 400),
        (b'{"text": "\xff\xfe"}', 400),
        (SURROGATE, 400),
        (b"3", 422),
        (b'{"text": 3}', 422),
        (b'{"text": "too short"}', 422),
        ({"text": TEXT, "limit": 0}, 422),
        ({"text": TEXT, "limit": True}, 422),
        ({"text": TEXT, "threshold": "high"}, 422),
        (json.dumps({"text": TEXT}).encode()[:-1] + b', "threshold": 1e999}', 422),
        ([TEXT] * (MAX_ITEMS + 1), 413),
    ],
    ids=lambda value: str(value)[:40],
)
def test_it_refuses_bad_bodies_in_words(service, body, status):
    found, answer, headers = call(service, "POST", "/", body)
    assert (found, answer["status"]) == (status, status)
    assert answer["title"]
    assert headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(("length", "status"), [(str(MAX_BODY + 1), 413), ("-1", 400), ("²", 400), ("1e3", 400)])
def test_it_refuses_a_body_by_its_announced_length(service, length, status):
    assert call(service, "POST", "/", length=length)[0] == status


def test_it_reads_a_body_that_comes_in_chunks_up_to_the_same_size(service):
    body = json.dumps({"text": TEXT}).encode()
    assert call(service, "POST", "/", body, length="", transfer_encoding="chunked")[0] == 200
    assert call(service, "POST", "/", b" " * (MAX_BODY + 1), length="", transfer_encoding="chunked")[0] == 413


def test_it_says_when_it_knows_no_word(service):
    answer = call(service, "POST", "/", {"text": "xyzzy plugh frotz gnusto rezrov"})[1]
    assert (answer["abstained"], answer["reason"], answer["results"]) == (True, "nothing-known", [])


@pytest.mark.parametrize(("bar", "chosen"), [(0.5, ["fantasy"]), (NEVER, [])])
def test_it_says_which_genres_reach_their_threshold_and_when_none_does(model, model_folder, tmp_path, bar, chosen):
    service = serve(copy_model(model_folder, tmp_path / "m", **thresholds_meta(fantasy=bar)))
    status, answer, _ = call(service, "POST", "/", {"text": TEXT, "limit": 3})
    assert (status, answer["chosen"], answer["abstained"]) == (200, chosen, not chosen)
    assert answer["reason"] == (None if chosen else "no-genre")
    assert [result["slug"] for result in answer["results"]] == [genre.slug for genre in model.predict(TEXT).scores]


def test_a_batch_has_an_answer_for_each_text_in_its_order_and_an_error_where_one_cannot_be_read(service):
    items = [TEXT, {"text": TEXT, "limit": 1}, "too short", 7, json.loads(SURROGATE)]
    status, answer, headers = call(service, "POST", "/", items, x_cortex_job_id="69d6faf82e4660d3")
    whole, first, *refused = answer["predictions"]
    assert (status, answer["failed"], headers["X-Cortex-Job-ID"]) == (200, 3, "69d6faf82e4660d3")
    assert whole == call(service, "POST", "/", {"text": TEXT})[1]
    assert first["results"] == whole["results"][:1]
    assert [entry["error"]["status"] for entry in refused] == [422, 422, 400]


def test_an_empty_batch_has_no_answers(service):
    assert call(service, "POST", "/", [])[:2] == (200, {"predictions": [], "failed": 0})


def test_an_asynchronous_request_gets_its_id_back_and_one_that_could_not_be_a_header_does_not(service):
    assert (
        call(service, "POST", "/", {"text": TEXT}, x_cortex_request_id="b5f9-1")[2]["X-Cortex-Request-ID"] == "b5f9-1"
    )
    assert "X-Cortex-Request-ID" not in call(service, "POST", "/", {"text": TEXT}, x_cortex_request_id="a\r\nb")[2]


def test_the_end_of_a_batch_job_is_taken_note_of(service):
    said = call(service, "POST", "/on-job-complete", x_cortex_job_id="69d6")[:2]
    assert said == (200, {"job_id": "69d6", "complete": True})


def test_it_is_live_without_a_model_and_ready_only_with_a_sound_one(service, tmp_path):
    assert call(service, "GET", "/ready")[:2] == (200, {"ready": True, "genres": 3, "sabotage": None})
    empty = serve(tmp_path)
    assert call(empty, "GET", "/live")[0] == 200
    status, answer, headers = call(empty, "GET", "/ready")
    assert (status, answer["title"]) == (503, "Not ready: there is no model at MODEL_URI.")
    assert (call(empty, "POST", "/", {"text": TEXT})[0], "Retry-After" in headers) == (503, True)


def test_it_is_not_ready_with_a_model_file_that_was_changed(model_folder, tmp_path):
    folder = copy_model(model_folder, tmp_path / "m")
    with (folder / "model.bin").open("ab") as file:
        file.write(b"x")
    status, answer, _ = call(serve(folder), "GET", "/ready")
    assert (status, str(tmp_path) in answer["title"]) == (503, False)
    assert "damaged" in answer["title"]


def test_it_is_ready_no_more_while_the_server_ends_but_goes_on_answering(service, monkeypatch):
    monkeypatch.setattr(draining, "has_begun", lambda: True)
    assert call(service, "GET", "/ready")[1]["title"] == "Not ready: the server is ending."
    assert call(service, "GET", "/v2/health/ready")[:2] == (503, {"error": "Not ready: the server is ending."})
    assert call(service, "POST", "/", {"text": TEXT})[0] == 200


def test_it_says_of_a_model_that_was_made_bad_on_purpose_that_it_was(service, model_folder, tmp_path):
    assert call(service, "POST", "/", {"text": TEXT})[1]["sabotage"] is None
    bad = serve(copy_model(model_folder, tmp_path / "bad", sabotage={"kind": "swap-genres", "strength": 0.5}))
    for method, path in (("GET", "/ready"), ("GET", "/metadata"), ("POST", "/")):
        assert call(bad, method, path, {"text": TEXT})[1]["sabotage"] == "swap-genres 0.5"
    assert b'sabotage="swap-genres 0.5"' in raw(bad, "GET", "/metrics")[1]


def test_its_metadata_tell_model_genres_and_versions(service, model):
    about = call(service, "GET", "/metadata")[1]
    assert (about["genres"], about["service_version"]) == (list(model.slugs), VERSION)
    assert about["versions"]["fasttext-community"]
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == VERSION


def test_its_metrics_count_requests_texts_and_refusals(model_folder):
    service = serve(model_folder)
    call(service, "POST", "/", [TEXT, "xyzzy plugh frotz gnusto rezrov", "short"])
    call(service, "GET", "/secret/name")
    status, data, headers = raw(service, "GET", "/metrics")
    lines = data.decode().splitlines()
    assert (status, headers["Content-Type"].partition(";")[0]) == (200, "text/plain")
    assert 'genre_service_requests_total{route="predict",status="200"} 1.0' in lines
    assert 'genre_service_requests_total{route="unknown",status="404"} 1.0' in lines
    assert 'genre_service_request_seconds_count{route="predict"} 1.0' in lines
    assert "genre_service_texts_total 2.0" in lines
    assert "genre_service_refused_total 1.0" in lines
    assert 'genre_service_abstained_total{reason="nothing-known"} 1.0' in lines
    assert "secret" not in data.decode()


def test_the_log_has_a_line_for_each_request_and_no_word_of_its_text(service, caplog):
    caplog.set_level(logging.INFO)
    call(service, "POST", "/", {"text": TEXT}, x_request_id="r-1")
    fields = caplog.records[-1].fields
    assert (fields["request_id"], fields["route"], fields["status"], fields["texts"]) == ("r-1", "predict", 200, 1)
    assert "wizard" not in str([record.__dict__ for record in caplog.records])


def test_what_breaks_is_logged_without_its_words_and_answered_as_a_problem(model_folder, monkeypatch, caplog):
    from cortex.logs import Line

    def broken(_, body, notes):
        raise RuntimeError(body["text"])

    monkeypatch.setattr("cortex.service.predict_one", broken)
    status, answer, headers = call(serve(model_folder), "POST", "/", {"text": TEXT})
    assert (status, headers["Content-Type"]) == (500, "application/problem+json")
    lines = [Line().format(record) for record in caplog.records]
    assert any('"exception": "RuntimeError"' in line for line in lines)
    assert "wizard" not in str((lines, answer))


def test_other_addresses_and_methods_are_refused(service):
    assert call(service, "GET", "/nope")[0] == 404
    status, _, headers = call(service, "GET", "/")
    assert (status, headers["Allow"]) == (405, "POST")
    assert raw(service, "HEAD", "/live")[:2] == (200, b"")


@pytest.mark.functional
def test_it_imports_the_core_and_what_its_requirements_name_and_no_more():
    code = """
import sys, cortex.service
print(*sorted({module.__file__.split("site-packages/")[1].split("/")[0].removesuffix(".py").split(".")[0]
    for module in list(sys.modules.values()) if "site-packages/" in str(getattr(module, "__file__", ""))}))
print(*sorted(name for name in sys.modules if name.startswith(("classifier", "django", "training"))))
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    installed, ours = (line.split() for line in result.stdout.splitlines())
    # NumPy comes with fastText, as do its own modules.
    allowed = {"fasttext", "fasttext_pybind", "numpy", "py3langid", "prometheus_client", "fsspec"}
    assert set(installed) <= allowed | {name for name in installed if name.startswith(("_", "distutils"))}
    assert all(name == "classifier" or name.startswith("classifier.core") for name in ours)
