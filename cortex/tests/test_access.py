"""Who brings a token may ask; probes are open; a setting that can't be meant stops the start."""

import hashlib

import pytest

from cortex.settings import Settings, SettingsError
from cortex.tests.asking import TEXT, call, serve

TOKENS = ("correct horse battery staple", "second")
HASHES = tuple(hashlib.sha256(token.encode()).hexdigest() for token in TOKENS)
PROBES = ("/live", "/ready", "/v2/health/live", "/v2/health/ready", "/v2/models/genre/ready")
GUARDED = (("POST", "/"), ("GET", "/metadata"), ("GET", "/metrics"), ("GET", "/v2"), ("GET", "/v2/models/genre"))
GUARDED += (("POST", "/v2/models/genre/infer"), ("POST", "/on-job-complete"), ("GET", "/nowhere"))


@pytest.fixture(scope="module")
def service(model_folder):
    return serve(model_folder, token_sha256=HASHES)


@pytest.mark.parametrize("token", TOKENS)
def test_each_token_opens_it(service, token):
    assert call(service, "POST", "/", {"text": TEXT}, authorization=f"Bearer {token}")[0] == 200


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer wrong", f"Bearer {HASHES[0]}", f"Basic {TOKENS[0]}", "Bearer \xff"]
)
def test_nothing_else_opens_it(service, header):
    status, _, headers = call(service, "POST", "/", {"text": TEXT}, authorization=header)
    assert (status, headers["WWW-Authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize(("method", "path"), GUARDED)
def test_everything_but_probes_is_guarded(service, method, path):
    assert call(service, method, path)[0] == 401


@pytest.mark.parametrize("path", PROBES)
def test_probes_need_no_token(service, path):
    assert call(service, "GET", path)[0] == 200


def test_without_a_hash_it_is_open_and_says_so_when_it_starts(model_folder, caplog):
    open_to_all = serve(model_folder)
    open_to_all.start()
    assert "TOKEN_SHA256 is not set" in caplog.text
    assert call(open_to_all, "POST", "/", {"text": TEXT})[0] == 200


@pytest.mark.parametrize(
    "variable",
    [
        {"TOKEN_SHA256": "the token itself"},
        {"TOKEN_SHA256": ""},
        {"TOKEN_SHA256": f"{HASHES[0]},"},
        {"MODEL_SHA256": "abc"},
        {"MODEL_SHA256": ",".join(HASHES)},
        {"CORTEX_PORT": "http"},
        {"CORTEX_PORT": "0"},
        {"WORKERS": "-1"},
        {"DRAIN_SECONDS": "1.5"},
        {"LOG_LEVEL": "loud"},
    ],
    ids=str,
)
def test_a_wrong_setting_is_named_and_its_value_is_not(variable):
    ((name, value),) = variable.items()
    with pytest.raises(SettingsError, match=name) as caught:
        Settings.from_environ(variable)
    assert not value or value not in str(caught.value) or value in "0"


def test_settings_come_from_the_environment():
    found = Settings.from_environ({"TOKEN_SHA256": f"{HASHES[0]}, {HASHES[1].upper()}", "CORTEX_PORT": "9000"})
    assert (found.token_sha256, found.port, found.workers) == (HASHES, 9000, 2)
