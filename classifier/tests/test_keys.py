"""Keys of programs: made, rotated, revoked, expired, and known again within a second."""

import io
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from classifier import keys
from classifier.keys import KeyRefused, create_key, find_key, forget_keys, revoke_key, rotate_key
from classifier.models import ApiKey

pytestmark = pytest.mark.django_db


def run(*arguments):
    """Run a command; return what it wrote."""
    out = io.StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def refused(*arguments):
    """Run a command that must fail; return its exit code and message."""
    with pytest.raises(CommandError) as caught:
        run(*arguments)
    return caught.value.returncode, str(caught.value)


@pytest.fixture(autouse=True)
def nothing_believed():
    """Each test asks the database."""
    forget_keys()


def test_a_key_is_found_by_its_secret_alone():
    key, secret = create_key("catalogue", ["predict"], by="olga")
    assert find_key(secret).pk == key.pk
    assert find_key(secret).opens("predict")
    assert not find_key(secret).opens("feedback")
    for other in (secret[:-1], secret + "x", key.prefix, key.sha256, "", "gd_", "\udcff"):
        assert find_key(other) is None


def test_an_admin_key_opens_everything():
    _, secret = create_key("operator", ["admin"], by="olga")
    assert all(find_key(secret).opens(scope) for scope in ApiKey.Scope.values)


def test_a_key_that_expires_opens_nothing_afterwards(monkeypatch):
    end = timezone.now() + timedelta(hours=1)
    _, secret = create_key("guest", ["predict"], by="olga", expires_at=end)
    assert find_key(secret)
    # Believed or read again, it is over.
    monkeypatch.setattr("classifier.keys.timezone.now", lambda: end)
    assert find_key(secret) is None
    forget_keys()
    monkeypatch.setattr("classifier.models.timezone.now", lambda: end)
    assert find_key(secret) is None


def test_a_revoked_key_fails_within_a_second(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr("classifier.keys.time.monotonic", lambda: now[0])
    key, secret = create_key("leaked", ["predict"], by="olga")
    assert find_key(secret)
    assert revoke_key(key)
    assert not revoke_key(key)
    now[0] += 0.9
    assert find_key(secret) is None


def test_a_key_is_believed_for_a_moment_without_asking_the_database(django_assert_num_queries):
    _, secret = create_key("busy", ["predict"], by="olga")
    find_key(secret)
    with django_assert_num_queries(0):
        assert find_key(secret)


def test_guesses_do_not_fill_the_memory(monkeypatch):
    monkeypatch.setattr(keys, "_BELIEVED_MOST", 10)
    for number in range(25):
        find_key(f"gd_{number}")
    assert len(keys._believed._said) <= 10


def test_when_it_was_used_last_is_known_to_the_minute():
    key, secret = create_key("seldom", ["predict"], by="olga")
    find_key(secret)
    key.refresh_from_db()
    assert timezone.now() - key.last_used_at < timedelta(minutes=1)


def test_a_rotated_key_has_the_same_rights_and_the_old_one_ends():
    key, old = create_key("catalogue", ["predict", "feedback"], by="olga", per_minute=7)
    new_key, new = rotate_key(key, by="pavel")
    assert find_key(old) is None
    assert (find_key(new).scopes, find_key(new).per_minute) == ({"predict", "feedback"}, 7)
    assert new_key.created_by == "pavel"
    with pytest.raises(KeyRefused, match="revoked"):
        rotate_key(key, by="pavel")


def test_a_rotated_key_may_go_on_for_a_while():
    key, old = create_key("catalogue", ["predict"], by="olga")
    rotate_key(key, by="olga", overlap=timedelta(hours=1))
    key.refresh_from_db()
    assert find_key(old)
    assert timedelta(minutes=59) < key.expires_at - timezone.now() <= timedelta(hours=1)


@pytest.mark.parametrize(
    ("name", "scopes"), [("", ["predict"]), ("x", []), ("x", ["everything"])], ids=["no name", "no scope", "unknown"]
)
def test_a_key_without_name_or_scope_is_refused(name, scopes):
    with pytest.raises(KeyRefused):
        create_key(name, scopes, by="olga")
    assert not ApiKey.objects.exists()


# the command


def test_the_command_shows_a_key_once_and_lists_it_without():
    said = run("api_key", "create", "catalogue", "--scope", "predict", "--scope", "feedback", "--days", "30")
    secret = next(word for word in said.split() if word.startswith("gd_") and len(word) > 20)
    facts = find_key(secret)
    assert facts.scopes == {"predict", "feedback"}
    assert timedelta(days=29) < facts.expires_at - timezone.now() <= timedelta(days=30)
    listed = run("api_key", "list")
    assert "catalogue" in listed and facts.prefix in listed
    assert secret not in listed


def test_the_command_rotates_and_revokes_by_prefix():
    key, _ = create_key("catalogue", ["predict"], by="olga")
    said = run("api_key", "rotate", key.prefix)
    new = next(word for word in said.split() if word.startswith("gd_") and len(word) > 20)
    assert find_key(new)
    assert "revoked" in run("api_key", "revoke", find_key(new).prefix)
    forget_keys()
    assert find_key(new) is None
    code, said = refused("api_key", "rotate", key.prefix)
    assert (code, "is revoked" in said) == (1, True)
    code, said = refused("api_key", "revoke", "gd_nobody")
    assert (code, "No key begins" in said) == (1, True)


def test_without_keys_the_list_says_how_to_make_one():
    assert "api_key create" in run("api_key", "list")


# the admin


@pytest.mark.functional
def test_the_admin_shows_a_new_key_once_and_keeps_only_its_hash(admin_client):
    form = {"name": "catalogue", "scopes": ["predict"], "per_minute": "", "expires_at_0": "", "expires_at_1": ""}
    page = admin_client.post("/admin/classifier/apikey/add/", form)
    assert page.status_code == 200
    assert "no-store" in page["Cache-Control"]
    key = ApiKey.objects.get()
    secret = page.context["made"][0][1]
    assert secret in page.content.decode()
    assert find_key(secret).pk == key.pk
    assert (key.created_by, key.scopes) == ("admin", ["predict"])
    for path in ("", f"{key.pk}/change/"):
        assert secret not in admin_client.get(f"/admin/classifier/apikey/{path}").content.decode()


@pytest.mark.parametrize("action", ["rotate", "revoke"])
def test_the_admin_ends_keys(admin_client, action):
    key, secret = create_key("catalogue", ["predict"], by="olga")
    page = admin_client.post("/admin/classifier/apikey/", {"action": action, "_selected_action": [key.pk]})
    key.refresh_from_db()
    assert key.state == "revoked"
    assert find_key(secret) is None
    made = page.context["made"] if action == "rotate" else []
    assert [find_key(secret).scopes for _, secret in made] == [{"predict"}] * len(made)


def test_a_key_is_never_changed_or_deleted_in_the_admin(admin_client):
    key, _ = create_key("catalogue", ["predict"], by="olga")
    admin_client.post(f"/admin/classifier/apikey/{key.pk}/change/", {"name": "other", "scopes": ["admin"]})
    admin_client.post(f"/admin/classifier/apikey/{key.pk}/delete/", {"post": "yes"})
    key.refresh_from_db()
    assert (key.name, key.scopes) == ("catalogue", ["predict"])
