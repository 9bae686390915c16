"""What is written for Kubernetes and KServe follows their schemas, and says what docs/service.md promises."""

import copy
import io
from functools import partial

import pytest
import yaml
from django.core.management import call_command
from hypothesis import given
from hypothesis import strategies as st

from cortex.deploy import kserve, kubernetes
from cortex.deploy.release import Kind, Release, ReleaseError, Share
from cortex.deploy.yaml_text import as_yaml
from cortex.settings import NAMES, Settings

SHA256 = "12e4" * 16
BAKED = Release(name="genre", image="registry.example/genre@sha256:" + "ab" * 32, model_number=7, model_sha256=SHA256)
FETCHED = Release(
    name="genre",
    image="registry.example/genre:2",
    model_number=8,
    model_sha256="cd" * 32,
    env={"MODEL_URI": "s3://models/m8"},
    min_replicas=2,
)
SPLIT = [Share(BAKED.version, 90), Share(FETCHED.version, 10), Share("genre-m00000000", 25, shadow=True)]
ROUTED = {"gateway": "web/shared", "hostname": "genre.example", "namespace": "books", "token_secret": "genre-token"}


@pytest.fixture(scope="module")
def parts():
    return {part["kind"]: part for part in kubernetes.documents(FETCHED, split=SPLIT, **ROUTED)}


@pytest.fixture
def pod(parts):
    return parts["Deployment"]["spec"]["template"]["spec"]


def the_container(document):
    (found,) = document["containers"]
    return found


def test_a_replica_may_do_nothing_but_answer(pod):
    inside = the_container(pod)
    assert inside["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": 10001,
        "runAsGroup": 10001,
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert (pod["automountServiceAccountToken"], pod["enableServiceLinks"]) == (False, False)


def test_it_is_told_of_its_end_before_sigterm_and_given_the_time_that_the_service_takes(pod):
    assert the_container(pod)["lifecycle"]["preStop"]["sleep"]["seconds"] == 10
    # preStop, draining and gunicorn's graceful_timeout.
    assert pod["terminationGracePeriodSeconds"] >= 10 + Settings.drain_seconds + 30


def test_probes_ask_what_the_service_answers_on_the_port_it_listens_to(pod, parts):
    inside = the_container(pod)
    asked = {name: inside[f"{name}Probe"]["httpGet"] for name in ("startup", "readiness", "liveness")}
    assert {name: get["path"] for name, get in asked.items()} == {
        "startup": "/live",
        "readiness": "/ready",
        "liveness": "/live",
    }
    assert {get["port"] for get in asked.values()} == {Settings.port, inside["ports"][0]["containerPort"]}
    assert parts["Service"]["spec"]["ports"][0]["targetPort"] == Settings.port


def test_its_settings_are_those_that_the_service_reads_as_texts_and_the_token_is_a_reference(pod):
    env = {entry["name"]: entry for entry in the_container(pod)["env"]}
    assert set(env) <= set(NAMES)
    assert all(
        isinstance(entry["value"], str) for name, entry in env.items() if name not in ("TOKEN_SHA256", "HASH_KEY")
    )
    assert (env["MODEL_URI"]["value"], env["MODEL_SHA256"]["value"]) == ("s3://models/m8", FETCHED.model_sha256)
    secret = {"secretKeyRef": {"name": "genre-token", "key": "TOKEN_SHA256"}}
    assert env["TOKEN_SHA256"] == {"name": "TOKEN_SHA256", "valueFrom": secret}
    key = {"secretKeyRef": {"name": "genre-token", "key": "HASH_KEY", "optional": True}}
    assert env["HASH_KEY"] == {"name": "HASH_KEY", "valueFrom": key}


def test_a_model_that_is_fetched_gets_a_place_in_memory_and_a_way_to_its_store_and_a_baked_one_does_not(pod, parts):
    where = {mount["mountPath"] for mount in the_container(pod)["volumeMounts"]}
    assert where == {"/dev/shm", "/tmp"}
    assert all(volume["emptyDir"]["medium"] == "Memory" for volume in pod["volumes"])
    assert parts["NetworkPolicy"]["spec"]["egress"]
    baked = {part["kind"]: part for part in kubernetes.documents(BAKED)}
    inside = baked["Deployment"]["spec"]["template"]["spec"]
    assert [mount["mountPath"] for mount in the_container(inside)["volumeMounts"]] == ["/dev/shm"]
    assert (baked["NetworkPolicy"]["spec"]["egress"], "HTTPRoute" in baked) == ([], False)


def test_every_part_finds_the_version_and_no_other(parts):
    named = {"app.kubernetes.io/instance": FETCHED.version}
    deployment = parts["Deployment"]["spec"]
    assert named.items() <= deployment["template"]["metadata"]["labels"].items()
    assert deployment["selector"]["matchLabels"] == parts["Service"]["spec"]["selector"] == named
    assert parts["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"] == named
    assert parts["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"] == named
    scaler = parts["HorizontalPodAutoscaler"]["spec"]
    assert (scaler["scaleTargetRef"]["name"], scaler["minReplicas"], scaler["maxReplicas"]) == (FETCHED.version, 2, 10)
    # The autoscaler and a number here would fight.
    assert "replicas" not in deployment
    assert {part["metadata"]["namespace"] for part in parts.values()} == {"books"}


def test_the_route_gives_weights_to_versions_and_copies_to_the_shadow(parts):
    route = parts["HTTPRoute"]
    (rule,) = route["spec"]["rules"]
    assert (route["metadata"]["name"], route["spec"]["hostnames"]) == ("genre", ["genre.example"])
    assert route["spec"]["parentRefs"] == [{"name": "shared", "namespace": "web"}]
    assert {backend["name"]: backend["weight"] for backend in rule["backendRefs"]} == {
        BAKED.version: 90,
        FETCHED.version: 10,
    }
    (mirror,) = rule["filters"]
    assert mirror == {
        "type": "RequestMirror",
        "requestMirror": {"backendRef": {"name": "genre-m00000000", "port": 80}, "percent": 25},
    }
    paths = {match["path"]["value"] for match in rule["matches"]}
    assert paths == {"/", "/v2", "/metadata"}


def test_without_a_split_the_release_gets_everything():
    assert kubernetes.documents(BAKED, split=[Share(BAKED.version, 100)]) == kubernetes.documents(BAKED)
    route = kubernetes.documents(BAKED, gateway="shared")[-1]
    assert route["spec"]["rules"][0]["backendRefs"] == [{"name": BAKED.version, "port": 80, "weight": 100}]
    (service,) = kserve.documents(BAKED)
    assert "canaryTrafficPercent" not in service["spec"]["predictor"]


def test_kserve_runs_the_same_container_and_gives_the_newest_its_percent(pod):
    (service,) = kserve.documents(FETCHED, split=SPLIT[:2], namespace="books", token_secret="genre-token")
    predictor = service["spec"]["predictor"]
    assert (service["apiVersion"], service["kind"]) == ("serving.kserve.io/v1beta1", "InferenceService")
    assert (service["metadata"]["name"], service["metadata"]["namespace"]) == ("genre", "books")
    assert predictor["canaryTrafficPercent"] == 10
    inside, plain = the_container(predictor), the_container(pod)
    assert inside["name"] == "kserve-container"
    same = ("image", "env", "ports", "securityContext", "resources", "volumeMounts", "readinessProbe")
    assert {key: inside[key] for key in same} == {key: plain[key] for key in same}
    assert inside["livenessProbe"]["initialDelaySeconds"] >= 60


@pytest.mark.parametrize(
    ("write", "word"),
    [
        (partial(kubernetes.documents, BAKED, split=SPLIT), "name it"),
        (partial(kubernetes.documents, BAKED, split=SPLIT[:1], gateway="g"), "100 percent"),
        (
            partial(kubernetes.documents, BAKED, split=[Share("a", 150), Share("b", -50)], gateway="g"),
            "100 percent",
        ),
        (partial(kserve.documents, BAKED, split=SPLIT), "shadow"),
        (partial(kserve.documents, BAKED, split=[Share("a", 50), Share("b", 50)]), "newest"),
        (partial(kserve.documents, BAKED, split=[*SPLIT[:2], Share("c", 0)]), "newest"),
        (
            partial(
                kubernetes.documents,
                Release(name="g", image="i", model_number=1, model_sha256="", kind=Kind.BATCH),
            ),
            "Only Cortex",
        ),
        (
            partial(
                kserve.documents,
                Release(name="g", image="i", model_number=1, model_sha256="", env={"TOKEN_SHA256": "ab" * 32}),
                token_secret="s",
            ),
            "give one",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_written_is_refused_in_words(write, word):
    with pytest.raises(ReleaseError, match=word):
        write()


odd = st.text(st.sampled_from("aNo01ex:_.#&*!%@`'\"\\|>-?~{}[], \n\té\u2028\x85"))


@given(st.dictionaries(odd, odd | st.integers() | st.booleans() | st.none(), max_size=4))
def test_yaml_says_what_the_document_says(document):
    assert list(yaml.safe_load_all(as_yaml([document, document]))) == [document, document]


@pytest.mark.parametrize(
    "word", ["on", "No", "null", "1e3", SHA256, "0x1f", "1:30", "1_000", "08", "~", "", "a: b", "x #"]
)
def test_a_text_that_some_reader_takes_for_something_else_is_quoted(word):
    assert as_yaml([{"value": word}]) == f'---\nvalue: "{word}"\n'


def test_yaml_is_the_same_each_time_and_has_no_aliases():
    text = as_yaml(kubernetes.documents(FETCHED, split=SPLIT, **ROUTED))
    assert text == as_yaml(copy.deepcopy(kubernetes.documents(FETCHED, split=SPLIT, **ROUTED)))
    assert not any(mark in text for mark in (" &", " *"))
    assert list(yaml.safe_load_all(text)) == kubernetes.documents(FETCHED, split=SPLIT, **ROUTED)


@pytest.mark.functional
def test_the_command_writes_them_for_the_champion(champion):
    image = ["--image", BAKED.image]
    canary = [*image, "--canary", "10", "--beside", BAKED.version]
    shown, _ = run("deploy_cortex", "--target", "kubernetes", *canary, "--with", "gateway=web/shared")
    *version, route = yaml.safe_load_all(shown)
    assert [part["kind"] for part in version] == [part["kind"] for part in kubernetes.documents(BAKED)]
    weights = [backend["weight"] for backend in route["spec"]["rules"][0]["backendRefs"]]
    assert sorted(weights) == [10, 90]
    shown, _ = run("deploy_cortex", "--target", "kserve", *canary)
    (service,) = yaml.safe_load_all(shown)
    assert service["spec"]["predictor"]["canaryTrafficPercent"] == 10
    assert the_container(service["spec"]["predictor"])["image"] == BAKED.image
    assert len(list(yaml.safe_load_all(run("deploy_cortex", "--target", "kubernetes", *image)[0]))) == 5


def run(*arguments):
    out, err = io.StringIO(), io.StringIO()
    call_command(*arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()
