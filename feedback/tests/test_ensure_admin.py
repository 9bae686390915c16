import io
import sys

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command

from feedback.management.commands import ensure_admin


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """No administrator in the environment, and nobody at the keyboard, unless a test says so."""
    for name in ("DJANGO_SUPERUSER_USERNAME", "DJANGO_SUPERUSER_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DJANGO_SUPERUSER_EMAIL", "")
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False, raising=False)
    return monkeypatch


@pytest.fixture
def keyboard(environment):
    """Return a function that puts somebody at the keyboard, and the list of commands that were called."""

    def sit(answer):
        called = []
        environment.setattr("sys.stdin", type("Terminal", (io.StringIO,), {"isatty": lambda self: True})())
        environment.setattr("builtins.input", lambda question: answer)
        environment.setattr(ensure_admin, "call_command", lambda name, **options: called.append((name, options)))
        return called

    return sit


def run(*options):
    out = io.StringIO()
    call_command("ensure_admin", *options, stdout=out)
    return out.getvalue()


def test_without_an_administrator_it_says_how_to_make_one(db):
    assert "manage.py createsuperuser" in run()
    assert not User.objects.exists()


def test_the_administrator_of_the_environment_is_created_and_can_sign_in(db, client, environment):
    environment.setenv("DJANGO_SUPERUSER_USERNAME", "ada")
    environment.setenv("DJANGO_SUPERUSER_PASSWORD", "a long and good sentence")
    assert "Administrator created" in run()
    assert User.objects.get(username="ada").is_superuser
    client.post("/admin/login/", {"username": "ada", "password": "a long and good sentence"})
    assert client.get("/admin/").status_code == 200


def test_running_it_again_changes_nothing(admin_user, environment):
    environment.setenv("DJANGO_SUPERUSER_USERNAME", "eve")
    environment.setenv("DJANGO_SUPERUSER_PASSWORD", "a long and good sentence")
    assert run() == ""
    assert list(User.objects.all()) == [admin_user]


def test_a_user_name_without_a_password_creates_nobody(db, environment):
    environment.setenv("DJANGO_SUPERUSER_USERNAME", "ada")
    assert "DJANGO_SUPERUSER_PASSWORD" in run()
    assert not User.objects.exists()


@pytest.mark.parametrize("answer", ["", "y", " YES "])
def test_somebody_at_the_keyboard_is_asked_and_may_say_yes(db, keyboard, answer):
    called = keyboard(answer)
    assert run() == ""
    assert called == [("createsuperuser", {})]


def test_somebody_who_says_no_is_told_how_to_do_it_later(db, keyboard):
    called = keyboard("n")
    assert "manage.py createsuperuser" in run()
    assert called == []


def test_nobody_is_asked_when_no_input_is_wanted(db, keyboard):
    called = keyboard("y")
    assert "manage.py createsuperuser" in run("--no-input")
    assert called == []
