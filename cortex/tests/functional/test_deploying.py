"""`deploy_cortex` against a loopback cluster whose replicas are the real service: the whole life, and every way to fail."""

import hashlib
import http.client
import io
import json
import os
import re
import shutil
import threading
from collections import Counter
from contextlib import closing
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command

from classifier.models import Deployment, DeploymentEvent
from classifier.registry import get_version, promote, register
from conftest import copy_model, thresholds_meta
from cortex.deploy import flow
from cortex.tests.asking import TEXT
from cortex.tests.functional.loopback import ACCESS, SECRET, cluster_at

pytestmark = pytest.mark.django_db(transaction=True)
TOKEN = "sesame-of-the-tests"
DIGEST = "@sha256:" + "0" * 64
OLD, NEW = f"registry/genre-service-1{DIGEST}", f"registry/genre-service-2{DIGEST}"
REQUESTS = 2_000


@pytest.fixture
def site(tmp_path, make_site):
    """A site with two models, a cluster with an image of each, and the command."""
    with cluster_at(tmp_path) as cluster:
        yield make_site(cluster)


@pytest.fixture(scope="module")
def shared_cluster(tmp_path_factory):
    """A cluster for all that fails: it must be afterwards as it was before, so that a version is started once."""
    with cluster_at(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


@pytest.fixture
def make_site(model_dir, model_folder, other_model_folder, settings, monkeypatch):
    """Return a function that makes a site for a cluster."""
    for number, folder in enumerate((model_folder, other_model_folder), start=1):
        shutil.copytree(folder, model_dir / f"m{number}")
        register(model_dir / f"m{number}", by="tests")
    promote(1, by="tests")
    for name, value in {"AWS_ACCESS_KEY_ID": ACCESS, "AWS_SECRET_ACCESS_KEY": SECRET}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    monkeypatch.setattr(flow, "POLL_SECONDS", 0.2)
    settings.GENRE_CORTEX_TOKEN = TOKEN

    def make(cluster):
        cluster.images |= {OLD: model_folder, NEW: other_model_folder}
        settings.GENRE_CORTEX_OPERATOR = cluster.address

        def deploy(*arguments):
            out = io.StringIO()
            call_command("deploy_cortex", "--timeout=60", *arguments, stdout=out, stderr=io.StringIO())
            return out.getvalue()

        return SimpleNamespace(cluster=cluster, deploy=deploy, settings=settings)

    return make


def refused(site, *arguments):
    """Return the message and the exit code of a command that must fail."""
    with pytest.raises(CommandError) as error:
        site.deploy(*arguments)
    return str(error.value), error.value.returncode


def ask(site, number, clients=4):
    """Ask what callers ask so many times, and count which model answered; another status fails."""
    found, address = Counter(), site.cluster.endpoint("genre")
    _, _, place, path = address.split("/")

    def work():
        with closing(http.client.HTTPConnection(place, timeout=20)) as connection:
            for _ in range(number // clients):
                body = json.dumps({"text": TEXT})
                connection.request("POST", f"/{path}", body, {"Authorization": f"Bearer {TOKEN}"})
                response = connection.getresponse()
                said = json.loads(response.read())
                found[get_number[said["model_sha256"]] if response.status == 200 else response.status] += 1

    get_number = {get_version(number).sha256: number for number in (1, 2)}
    threads = [threading.Thread(target=work) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(found.values()) == number // clients * clients
    return found


def test_a_life_from_the_first_version_to_the_last(site):
    assert "traffic: none → genre-m" in site.deploy("--image", OLD)
    assert ask(site, 20) == {1: 20}
    assert "Nothing to change" in site.deploy("--image", OLD)

    said = site.deploy("--model", "2", "--image", NEW, "--canary", "10")
    assert "the scores of" in said
    found = ask(site, REQUESTS)
    assert set(found) == {1, 2}
    assert abs(found[2] / REQUESTS - 0.10) < 0.03
    assert "Nothing to change" in site.deploy("--model", "2", "--image", NEW, "--canary", "10")

    site.deploy("--rollback")
    assert ask(site, 40) == {1: 40}
    site.deploy("--model", "2", "--image", NEW, "--shadow", "50")
    site.cluster.mirrored = 0
    assert ask(site, 400) == {1: 400}
    assert 120 < site.cluster.mirrored < 280

    site.deploy("--promote")
    assert ask(site, 40) == {2: 40}
    # The site's own champion is another matter.
    assert get_version("champion").number == 1

    status = site.deploy("--status")
    assert len(re.findall("genre-m[0-9a-f]{8}", status)) == 2
    assert "TrafficSplitter" in status

    site.deploy("--rollback")
    assert ask(site, 40) == {1: 40}
    assert "Nothing to change" in site.deploy("--rollback")

    is_over, found = threading.Event(), Counter()

    def go_on():
        while not is_over.is_set():
            found.update(ask(site, 4))

    visitor = threading.Thread(target=go_on)
    visitor.start()
    pid = next(api.replica.process.pid for api in site.cluster.apis.values() if api.replica)
    assert "updating genre-m" in site.deploy("--refresh")
    is_over.set()
    visitor.join()
    assert set(found) == {1}
    assert pid not in {api.replica.process.pid for api in site.cluster.apis.values() if api.replica}

    assert "https://console.aws.amazon.com" in site.deploy("--logs")
    message, code = refused(site, "--delete")
    assert ("--yes" in message, code) == (True, 2)
    assert "Deleted: genre, genre-m" in site.deploy("--delete", "--yes")
    assert site.cluster.apis == {}
    assert "Nothing is deployed" in site.deploy("--status")

    done = DeploymentEvent.objects.order_by("pk").values_list("action", "succeeded")
    expected = ["deploy", "canary", "rollback", "shadow", "promote", "rollback", "refresh", "delete", "delete"]
    assert [action for action, _ in done] == expected
    assert all(succeeded for _, succeeded in done)
    sent = json.dumps(list(Deployment.objects.values("release")))
    assert hashlib.sha256(TOKEN.encode()).hexdigest() in sent
    assert TOKEN not in sent


def test_new_code_alone_is_a_new_version_and_the_oldest_is_deleted(site):
    images = [OLD, *(OLD.replace("service-1", f"service-1{letter}") for letter in "bc")]
    for image in images:
        site.cluster.images[image] = site.cluster.images[OLD]
        said = site.deploy("--image", image)
    assert "- genre-m" in said
    left = [api.container["image"] for api in site.cluster.apis.values() if api.kind == "RealtimeAPI"]
    assert sorted(left) == sorted(images[1:])
    # The way back to a version that was deleted leads over what was written down.
    site.deploy("--rollback")
    main = site.cluster.apis["genre"].document["apis"]
    assert [site.cluster.apis[api["name"]].container["image"] for api in main] == [images[1]]


def test_a_version_that_is_not_waited_for_gets_nothing_until_it_was_tried(site):
    site.deploy("--image", OLD)
    assert "run it again without --no-wait" in site.deploy("--image", NEW, "--model", "2", "--no-wait")
    assert ask(site, 20) == {1: 20}
    site.deploy("--image", NEW, "--model", "2")
    assert ask(site, 20) == {2: 20}


@pytest.mark.parametrize("kind", ["async", "batch"])
def test_a_queue_and_a_batch_are_tried_too_and_have_addresses_of_their_own(site, tmp_path, kind):
    site.deploy("--image", OLD, "--kind", kind, "--set", f"BATCH_URI={tmp_path}/jobs")
    (api,) = site.cluster.apis.values()
    assert re.fullmatch("genre-m[0-9a-f]{8}", api.name)
    assert ("TOKEN_SHA256" in api.container["env"]) == (kind == "async")
    if kind == "batch":
        ((number, job),) = site.cluster.jobs.items()
        assert job["status"] == "succeeded"
        summary = json.loads((tmp_path / "jobs" / number / "job.json").read_text())
        assert (summary["texts"], summary["failed"]) == (1, 0)
    assert "Nothing to change" in site.deploy("--image", OLD, "--kind", kind, "--set", f"BATCH_URI={tmp_path}/jobs")
    assert "Deleted" in site.deploy("--delete", "--kind", kind, "--yes")


@pytest.fixture
def serving(shared_cluster, make_site):
    """The site, with the first model in production."""
    site = make_site(shared_cluster)
    site.deploy("--image", OLD)
    before = dict(shared_cluster.apis)
    yield site
    shared_cluster.before_answer = lambda method, path: None
    assert shared_cluster.apis == before
    assert ask(site, 20) == {1: 20}


def see_what_is_written_down(*outcomes):
    assert list(
        DeploymentEvent.objects.filter(action="deploy", deployment__version__number=2).values_list(
            "succeeded", flat=True
        )
    ) == [*outcomes]


def test_wrong_credentials(serving, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of somebody else")
    message, code = refused(serving, "--model", "2", "--image", NEW)
    assert ("SignatureDoesNotMatch" in message, code) == (True, 1)
    see_what_is_written_down()


def test_no_credentials(serving, monkeypatch, tmp_path):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "nothing"))
    message, code = refused(serving, "--model", "2", "--image", NEW)
    assert ("AWS_PROFILE" in message, code) == (True, 1)


def test_a_specification_that_cortex_would_refuse_is_not_sent(serving):
    serving.cluster.seen.clear()
    message, code = refused(serving, "--model", "2", "--image", NEW, "--cpu", "plenty")
    assert ("cpu “plenty”" in message, code) == (True, 2)
    assert {method for method, _ in serving.cluster.seen} == {"GET"}
    see_what_is_written_down(False)


def test_what_the_operator_alone_refuses(serving, monkeypatch):
    monkeypatch.setattr("cortex.deploy.rules.check", lambda documents: None)
    message, code = refused(serving, "--model", "2", "--image", NEW, "--cpu", "plenty")
    assert ("genre-m" in message, "plenty is no quantity" in message, code) == (True, True, 1)
    see_what_is_written_down(False)


def test_an_image_that_cannot_be_pulled(serving):
    message, code = refused(serving, "--model", "2", "--image", f"registry/nothing{DIGEST}")
    assert ("err_image_pull" in message, "Its log: https://" in message, code) == (True, True, 1)
    assert re.search("genre-m[0-9a-f]{8} answers as before", message)
    see_what_is_written_down(False)


def test_a_container_that_ends_by_itself(serving):
    message, code = refused(serving, "--model", "2", "--image", NEW, "--set", "LOG_LEVEL=LOUD")
    assert ("1 × failed" in message, "is deleted again" in message, code) == (True, True, 1)
    see_what_is_written_down(False)


def test_one_that_is_never_ready(serving):
    message, code = refused(serving, "--model", "2", "--image", NEW, "--set", "MODEL_URI=/nowhere", "--timeout=3")
    assert ("is not ready after" in message, "1 not_ready" in message, code) == (True, True, 1)
    see_what_is_written_down(False)


def test_an_image_of_another_model_than_the_one_meant_is_never_ready(serving):
    message, code = refused(serving, "--model", "2", "--image", OLD, "--timeout=3")
    assert ("is not ready after" in message, code) == (True, 1)
    see_what_is_written_down(False)


def test_one_that_answers_otherwise_than_the_model_here(serving, tmp_path, model_dir):
    # The hash is that of model.bin; meta.json, with the calibration, is not under it.
    serving.cluster.images[NEW] = copy_model(model_dir / "m2", tmp_path / "image", **thresholds_meta(fantasy=0.1))
    message, code = refused(serving, "--model", "2", "--image", NEW)
    assert ("answers otherwise than the model here" in message, code) == (True, 1)
    see_what_is_written_down(False)


def test_a_token_that_the_service_does_not_know(serving):
    known = hashlib.sha256(b"another").hexdigest()
    message, code = refused(serving, "--model", "2", "--image", NEW, "--set", f"TOKEN_SHA256={known}")
    assert ("GENRE_CORTEX_TOKEN" in message, code) == (True, 1)
    see_what_is_written_down(False)


def test_an_operator_that_goes_down_in_the_middle(site):
    site.deploy("--image", OLD)

    def go_down(method, path):
        if path.startswith("/describe/"):
            site.cluster.is_down = True

    site.cluster.before_answer = go_down
    message, code = refused(site, "--model", "2", "--image", NEW)
    assert ("can't be reached" in message, "may be there still and gets no traffic" in message, code) == (True, True, 1)
    assert ask(site, 20) == {1: 20}
    site.cluster.is_down, site.cluster.before_answer = False, lambda method, path: None
    # It comes back: the same command finishes what it began.
    site.deploy("--model", "2", "--image", NEW)
    assert ask(site, 20) == {2: 20}


def test_traffic_that_somebody_else_moved_meanwhile(serving):
    def move(method, path):
        if path.startswith("/describe/"):
            shadow = {"name": "genre-other", "weight": 5, "shadow": True}
            serving.cluster.apis["genre"].document["apis"] = [*before, shadow]

    before = serving.cluster.apis["genre"].document["apis"]

    serving.cluster.before_answer = move
    message, code = refused(serving, "--model", "2", "--image", NEW)
    assert ("Somebody else moved the traffic" in message, code) == (True, 1)
    serving.cluster.apis["genre"].document["apis"] = before


def test_an_interruption(serving):
    original = flow.Flow.wait_ready

    def wait(*arguments, **named):
        original(*arguments, **named)
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flow.Flow, "wait_ready", wait)
        message, code = refused(serving, "--model", "2", "--image", NEW)
    assert ("Stopped." in message, "is deleted again" in message, code) == (True, True, 1)
    see_what_is_written_down(False)


def test_the_name_of_something_that_is_no_splitter(serving):
    (name,) = (name for name in serving.cluster.apis if name != "genre")
    message, code = refused(serving, "--image", NEW, "--name", name)
    assert ("can't become a TrafficSplitter" in message, code) == (True, 1)


@pytest.mark.skipif(not os.environ.get("CORTEX_CLI_PATH"), reason="CORTEX_CLI_PATH names no program of Cortex 0.42.1")
def test_the_same_by_the_real_program(site):
    site.settings.CORTEX_CLI_PATH = os.environ["CORTEX_CLI_PATH"]
    site.deploy("--image", OLD, "--transport", "cli")
    assert ask(site, 20) == {1: 20}
    site.deploy("--model", "2", "--image", NEW, "--transport", "cli", "--canary", "10")
    assert set(ask(site, 200)) == {1, 2}
    site.deploy("--rollback", "--transport", "cli")
    assert ask(site, 20) == {1: 20}
    site.deploy("--delete", "--yes", "--transport", "cli")
    assert site.cluster.apis == {}
