"""``/healthz`` and ``/readyz`` tell a load balancer the truth, by any name and without HTTPS, and no secret."""

import shutil
from types import SimpleNamespace

import pytest
from django.db import OperationalError
from django.test import RequestFactory

from genre_site import probes
from genre_site.middleware import answer_probes

FROM_INSIDE = {"HTTP_HOST": "10.1.2.3:8000"}


def test_a_process_that_answers_is_alive_without_database_and_model(client):
    response = client.get("/healthz", **FROM_INSIDE)
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


def test_a_site_with_a_champion_is_ready_and_names_its_version(client, champion):
    response = client.get("/readyz", **FROM_INSIDE)
    assert (response.status_code, response.json()) == (200, {"status": "ready", "version": champion.number})


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_a_probe_is_not_sent_to_https_and_its_answer_is_not_kept(client, champion, settings, path):
    settings.SECURE_SSL_REDIRECT = True
    response = client.get(path, **FROM_INSIDE)
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    assert client.get("/", HTTP_HOST="localhost").status_code == 301


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_a_probe_only_reads(client, path):
    assert client.post(path, **FROM_INSIDE).status_code == 405


def test_without_a_model_it_is_not_ready_and_says_why(client, db, model_dir):
    response = client.get("/readyz")
    assert (response.status_code, response.json()["reason"]) == (503, "no model has been promoted")


def test_with_a_damaged_model_and_no_other_it_is_not_ready_and_names_no_folder(client, champion, model_dir):
    shutil.rmtree(model_dir / champion.folder)
    response = client.get("/readyz")
    assert (response.status_code, response.json()["reason"]) == (503, "no model can be loaded")
    assert str(model_dir) not in response.content.decode()


def test_without_a_database_it_is_not_ready_and_names_no_address_but_stays_alive(champion, monkeypatch):
    def refuse():
        raise OperationalError('connection to "db.internal" failed: password authentication failed for "genre"')

    monkeypatch.setattr(probes, "connection", SimpleNamespace(cursor=refuse))
    ask = answer_probes(lambda request: pytest.fail("a probe is answered at once"))
    response = ask(RequestFactory().get("/readyz"))
    assert (response.status_code, response.content) == (
        503,
        b'{"status": "not ready", "reason": "the database can\'t be read"}',
    )
    assert ask(RequestFactory().get("/healthz")).status_code == 200
