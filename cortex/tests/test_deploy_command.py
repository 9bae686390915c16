"""`deploy_cortex` before it speaks to anybody: what it refuses, what it shows, how it signs, and the program it may use."""

import base64
import http.server
import io
import json
import re
import socket
import sys
import threading
from types import SimpleNamespace

import pytest
import yaml
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from django.core.management import CommandError, call_command

from cortex.deploy.cli import Cli
from cortex.deploy.connecting import connect, trusting
from cortex.deploy.environments import operator_of
from cortex.deploy.errors import DeployError, OperatorError, Unreachable
from cortex.deploy.operator import Operator
from cortex.deploy.release import Share
from cortex.deploy.signing import authorization

IMAGE = "registry/genre@sha256:" + "0" * 64


def run(*arguments):
    out, err = io.StringIO(), io.StringIO()
    call_command("deploy_cortex", *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--promote", "--image", "x"], "leave out --image"),
        (["--status", "--target", "kserve"], "leave out --target"),
        (["--yes"], "--delete"),
        (["--kind", "batch", "--canary", "10"], "realtime"),
        (["--beside", "genre-m1"], "--canary"),
        (["--canary", "100"], "from 1 to 99"),
        (["--set", "LOG_LEVEL"], "NAME=VALUE"),
        (["--set", "HASH_KEY=00"], "is a secret"),
        (["--min-replicas", "0"], "at least 1"),
        (["--canary", "1", "--shadow", "1"], "not allowed with"),
        (["--env", "a", "--operator", "b"], "not allowed with"),
    ],
)
def test_arguments_that_do_not_fit_are_wrong_usage(arguments, words):
    with pytest.raises(CommandError) as error:
        run(*arguments)
    assert words in str(error.value)
    # A parser that is called from Python raises without a code; on the command line it is 2.
    assert error.value.returncode == 2 or "Error: argument" in str(error.value)


def test_what_would_be_sent_is_shown_and_nothing_is_sent(champion, settings):
    settings.GENRE_CORTEX_TOKEN = "sesame"
    shown, _ = run("--image", IMAGE, "--dry-run", "--set", "LOG_LEVEL=DEBUG")
    version, splitter = yaml.safe_load(shown)
    assert version["pod"]["containers"][0]["env"]["MODEL_SHA256"] == champion.sha256
    assert splitter["apis"] == [{"name": version["name"], "weight": 100, "shadow": False}]
    assert "sesame" not in shown
    as_json, _ = run("--image", IMAGE, "--dry-run", "--set", "LOG_LEVEL=DEBUG", "-o", "json")
    assert json.loads(as_json) == [version, splitter]


def test_a_canary_is_shown_beside_the_version_that_is_named(champion):
    shown, warned = run("--image", "registry/genre:7", "--dry-run", "--canary", "5", "--beside", "genre-m00000000")
    assert sorted(api["weight"] for api in yaml.safe_load(shown)[1]["apis"]) == [5, 95]
    assert "no digest" in warned
    assert "whoever reaches the service may use it" in warned
    with pytest.raises(CommandError, match="--beside VERSION"):
        run("--image", IMAGE, "--dry-run", "--canary", "5")


def test_manifests_for_other_engines_are_written_by_who_knows_them(champion, monkeypatch):
    seen = []

    def documents(release, *, split, gateway=""):
        seen.append((release, split))
        return [{"kind": "Deployment", "metadata": {"name": release.version}}, {"kind": "Service"}]

    monkeypatch.setitem(sys.modules, "cortex.deploy.kubernetes", SimpleNamespace(documents=documents))
    shown, _ = run("--image", IMAGE, "--target", "kubernetes")
    assert [document["kind"] for document in yaml.safe_load_all(shown)] == ["Deployment", "Service"]
    ((release, split),) = seen
    with pytest.raises(CommandError, match="knows no gate; --with takes gateway"):
        run("--image", IMAGE, "--target", "kubernetes", "--with", "gate=x")
    assert split == (Share(release.version, 100),)


def test_without_a_champion_an_image_or_a_cluster_it_says_what_is_missing(db, make_version, champion):
    for arguments, words in (
        (["--model", "9", "--image", IMAGE], "GENRE_CORTEX_OPERATOR"),
        (["--model", "9", "--image", IMAGE, "--dry-run"], "There is no version 9"),
        (["--dry-run"], "--image REF"),
        (["--operator", "http://example.org"], "HTTPS alone"),
    ):
        with pytest.raises(CommandError, match=words), pytest.MonkeyPatch.context() as patch:
            patch.setattr("cortex.deploy.signing.aws_credentials", lambda: None)
            run(*arguments)


def test_the_signature_is_one_that_sts_would_take():
    credentials = Credentials("AKIA", "secret", "session")
    said = json.loads(base64.urlsafe_b64decode(authorization(credentials) + "=="))
    assert (said["URL"], said["Method"], said["ContentLength"]) == ("https://sts.amazonaws.com/", "POST", 43)
    headers = {name: value for name, (value,) in said["Header"].items()}
    sent = headers.pop("Authorization")
    assert re.search("SignedHeaders=content-length;content-type;host;x-amz-date;x-amz-security-token,", sent)
    again = AWSRequest(method="POST", url=said["URL"], data=said["Body"], headers=headers)
    again.context["timestamp"] = headers["X-Amz-Date"]
    signer = SigV4Auth(credentials, "sts", "us-east-1")
    text = signer.string_to_sign(again, signer.canonical_request(again))
    assert sent.endswith(f"Signature={signer.signature(text, again)}")


@pytest.mark.parametrize("address", ["operator.example.org", "ftp://x", "https://name:word@x", "http://10.0.0.1"])
def test_the_authorization_is_not_sent_to_an_address_that_may_leak_it(address):
    with pytest.raises(DeployError):
        Operator(address, authorize=lambda: "x")


def test_certificates_that_cannot_be_read_are_an_error_and_not_passed_over(tmp_path):
    assert trusting("") is None
    with pytest.raises(DeployError, match="GENRE_CORTEX_CA_FILE"):
        trusting(str(tmp_path / "none.pem"))
    with pytest.raises(DeployError, match="CORTEX_CLI_PATH"):
        connect("https://x", transport="cli", cli_path="", trust=None)


@pytest.fixture
def stranger():
    """Return a function that serves one answer to everything, and returns an operator at its address."""
    servers = []

    def serve(status, body, **headers):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments):
                pass

        servers.append(http.server.HTTPServer(("127.0.0.1", 0), Handler))
        threading.Thread(target=servers[-1].serve_forever, args=(0.01,), daemon=True).start()
        return Operator(f"http://127.0.0.1:{servers[-1].server_port}", authorize=lambda: "signed")

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (200, b'{"cluster_config": {"api_version": "0.41.0"}}', "is Cortex 0.41.0"),
        (200, b"<html>", "no JSON"),
        (500, b"<html>", "with status 500"),
        (403, b'{"kind": "auth", "message": "another account"}', "another account"),
    ],
)
def test_an_operator_that_is_none_or_says_no_is_told_in_a_sentence(stranger, status, body, words):
    with pytest.raises(OperatorError, match=words):
        stranger(status, body).check()


def test_no_redirect_is_followed_with_the_authorization(stranger):
    there = stranger(200, b'{"cluster_config": {"api_version": "0.42.1"}}')
    there.check()
    with pytest.raises(OperatorError, match="with status 302"):
        stranger(302, b"", Location=f"{there.place}/info").check()


def test_an_operator_that_nobody_is_at_cannot_be_reached():
    with socket.socket() as taken:
        # Bound and not listening: nobody else gets the port meanwhile.
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(Unreachable, match="can't be reached"):
            Operator(f"http://127.0.0.1:{taken.getsockname()[1]}", authorize=lambda: "signed").check()


def test_an_environment_of_the_cortex_program_names_an_operator(tmp_path):
    known = [{"name": "prod", "operator_endpoint": "operator.example.org"}, {"name": "broken"}]
    (tmp_path / "cli.yaml").write_text(yaml.safe_dump({"environments": known}))
    assert operator_of("prod", tmp_path) == "https://operator.example.org"
    with pytest.raises(DeployError, match="has no environment “test”; it has prod"):
        operator_of("test", tmp_path)
    with pytest.raises(DeployError, match="--operator URL"):
        operator_of("prod", tmp_path / "nowhere")


@pytest.fixture
def program(tmp_path):
    """Return a function that makes a stand-in for the cortex program, which says and does what it is told."""

    def make(says, code=0, error=""):
        path, seen = tmp_path / "cortex", tmp_path / "seen"
        script = f"""#!/bin/sh
printf '%s\\n' "$*" "$(cat "$CORTEX_CLI_CONFIG_DIR/cli.yaml")" > {seen}
[ "$1" = deploy ] && cat cortex.yaml >> {seen}
printf '%s' '{says}'
printf '%s' '{error}' >&2
exit {code}
"""
        path.write_text(script)
        path.chmod(0o755)
        return Cli(str(path), "https://operator.example.org"), seen

    return make


def test_the_program_is_called_as_it_wants_with_telemetry_off(program):
    cli, seen = program('[{"message": "creating x (RealtimeAPI)", "error": ""}]')
    assert cli.deploy([{"name": "x"}]) == ["creating x (RealtimeAPI)"]
    arguments, configuration, *document = seen.read_text().splitlines()
    assert arguments == "deploy cortex.yaml --env deploy -o json -y"
    assert json.loads(configuration)["telemetry"] is False
    assert document == ["---", "- name: x"]


def test_an_error_of_one_api_is_not_lost_as_the_program_loses_it(program):
    cli, _ = program('[{"api": null, "message": "", "error": "x: no such image"}]', code=1)
    with pytest.raises(OperatorError, match="x: no such image"):
        cli.deploy([{"name": "x"}])


def test_what_is_not_deployed_is_not_found_and_other_errors_are_errors(program):
    assert program("", code=1, error="error: x is not deployed")[0].find("x") is None
    with pytest.raises(OperatorError, match="no credentials"):
        program("", code=1, error="error: no credentials")[0].find("x")
    with pytest.raises(OperatorError, match="is not Cortex 0.42.1"):
        program("cli version: 0.41.0")[0].check()
