"""What a release is, what Cortex is told of it, and what Cortex would refuse."""

from dataclasses import replace

import pytest

from cortex.deploy.apis import Api
from cortex.deploy.errors import DeployError, SpecError
from cortex.deploy.plan import Action, Situation, beside, in_words, plan
from cortex.deploy.release import Kind, Release, ReleaseError, Share
from cortex.deploy.rules import check
from cortex.deploy.spec import api, documents, splitter

RELEASE = Release(name="genre", image="registry/genre@sha256:00", model_number=7, model_sha256="ab" * 32)
BATCH = replace(RELEASE, kind=Kind.BATCH)


@pytest.mark.parametrize(
    "change",
    [
        {"image": "registry/genre@sha256:01"},
        {"model_sha256": "cd" * 32},
        {"env": {"LOG_LEVEL": "DEBUG"}},
        {"workers": 4},
        {"kind": Kind.ASYNC},
    ],
)
def test_any_change_is_a_new_version_and_none_is_not(change):
    assert replace(RELEASE).version == RELEASE.version
    assert replace(RELEASE, **change).version != RELEASE.version
    assert replace(RELEASE, **change).version.startswith("genre-m")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": "Genre"}, "can't be a name"),
        ({"name": "g" * 33}, "at most 32"),
        ({"image": ""}, "--image REF"),
        ({"env": {"CORTEX_PORT": "1"}}, "CORTEX_PORT"),
        ({"env": {"MODEL_SHA256": "cd" * 32}}, "options of their own"),
        ({"min_replicas": 3, "max_replicas": 2}, "Replicas"),
    ],
)
def test_what_no_engine_would_take_is_refused_with_what_to_change(change, words):
    with pytest.raises(ReleaseError, match=words):
        replace(RELEASE, **change)


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_keeps_to_the_rules_of_cortex(kind):
    check(documents(replace(RELEASE, kind=kind)))


def test_a_replica_gets_its_model_its_probes_and_time_to_end():
    document = api(RELEASE)
    (container,) = document["pod"]["containers"]
    assert (document["name"], document["kind"]) == (RELEASE.version, "RealtimeAPI")
    assert container["env"] == {"MODEL_SHA256": "ab" * 32, "WORKERS": "2", "THREADS": "4"}
    assert container["readiness_probe"]["http_get"] == {"path": "/ready", "port": document["pod"]["port"]}
    assert container["pre_stop"] == {"exec": {"command": ["sleep", "10"]}}
    # As many at once as threads can answer.
    assert document["pod"]["max_concurrency"] == 8


def broken(change):
    document = api(BATCH if change.pop("batch", False) else RELEASE)
    for path, value in change.items():
        *way, last = path.split(".")
        place = document
        for step in way:
            place = place[int(step) if step.isdigit() else step]
        place[last] = value
    return document


CONTAINER = "pod.containers.0."


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": "b-genre"}, "begins with a letter"),
        ({"name": "g" * 43}, "at most 42"),
        ({"kind": "Realtime"}, "no kind of API"),
        ({"predictor": {}}, "“predictor” is not supported"),
        ({"pod.port": 8888}, "port 8888"),
        ({"pod.port": 15000}, "port 15000"),
        ({"pod.max_concurrency": 30001}, "max_concurrency"),
        ({"pod.containers": []}, "a container is needed"),
        ({CONTAINER + "name": "dequeuer"}, "“dequeuer”"),
        ({CONTAINER + "image": "two words"}, "no reference of an image"),
        ({CONTAINER + "env": {"KUBEXIT_X": "1"}}, "KUBEXIT_X"),
        ({CONTAINER + "env": {"A": 1}}, "A must be a text"),
        ({CONTAINER + "compute": {"cpu": "10m"}}, "at least 20m"),
        ({CONTAINER + "compute": {"mem": "10Mi"}}, "at least 20Mi"),
        ({CONTAINER + "compute": {"mem": "much"}}, "“much”"),
        ({CONTAINER + "readiness_probe": {}, CONTAINER + "liveness_probe": {"period_seconds": 1}}, "needs one of"),
        ({"autoscaling.min_replicas": 11}, r"\(11 > 10\)"),
        ({"autoscaling.target_in_flight": 200}, "target_in_flight"),
        ({"autoscaling.window": "15s"}, "multiple of 10s"),
        ({"update_strategy": {"max_surge": 0, "max_unavailable": "0%"}}, "cannot both be zero"),
        ({"networking": {"endpoint": "/" * 1001}}, "1,000 characters"),
        ({"batch": True, CONTAINER + "command": None}, "needs a command"),
        ({"batch": True, CONTAINER + "pre_stop": {"exec": {}}}, "“pre_stop” is not supported"),
        ({"batch": True, "autoscaling": {}}, "“autoscaling” is not supported"),
    ],
)
def test_what_cortex_would_refuse_is_refused_before_it_is_sent(change, words):
    with pytest.raises(SpecError, match=words):
        check([broken(dict(change))])


@pytest.mark.parametrize(
    ("shares", "words"),
    [
        ((Share("a", 90), Share("b", 5)), "sum to 100"),
        ((Share("a", 100), Share("b", 5, shadow=True), Share("c", 5, shadow=True)), "one shadow"),
        ((Share("a", 150),), "from 0 to 100"),
        ((Share("a", 50), Share("a", 50)), "there twice"),
    ],
)
def test_shares_that_are_none_are_refused(shares, words):
    with pytest.raises(SpecError, match=words):
        check([splitter("genre", shares)])


def situation(*shares, versions=()):
    names = {share.release_version for share in shares} | set(versions)
    main = Api("genre", "TrafficSplitter", shares=shares) if shares else None
    return Situation("genre", main, {name: Api(name, "RealtimeAPI") for name in names})


def test_the_first_version_gets_everything_and_a_second_run_nothing_to_do():
    first = plan(situation(), Action.DEPLOY, "a")
    assert (first.deploys, first.moves, first.shares) == (True, True, (Share("a", 100),))
    assert first.lines(()) == ["+ a", "~ traffic: none → a 100%"]
    assert not plan(situation(Share("a", 100)), Action.DEPLOY, "a").changes


def test_a_canary_and_a_shadow_leave_the_rest_to_the_old_version():
    now = situation(Share("a", 100))
    assert plan(now, Action.CANARY, "b", percent=10).shares == (Share("a", 90), Share("b", 10))
    assert in_words(plan(now, Action.SHADOW, "b", percent=10).shares) == "a 100%, b 10% (shadow)"
    assert beside("a", "b", 50, shadow=False) == (Share("a", 50), Share("b", 50))


def test_a_canary_needs_something_else_to_be_put_beside():
    with pytest.raises(DeployError, match="deploy once without --canary"):
        plan(situation(), Action.CANARY, "a", percent=10)
    with pytest.raises(DeployError, match="nothing to try beside it"):
        plan(situation(Share("a", 100)), Action.CANARY, "a", percent=10)


def test_what_nobody_goes_back_to_is_deleted_when_the_traffic_moves():
    now = situation(Share("b", 100), versions=("a", "c"))
    assert plan(now, Action.DEPLOY, "d").drops == ("a", "c")
    assert plan(now, Action.DEPLOY, "d", keep=["a"]).drops == ("c",)
    assert plan(now, Action.CANARY, "d", percent=5).drops == ()


def test_a_batch_has_no_traffic_to_share():
    planned = plan(situation(Share("a", 100)), Action.DEPLOY, "b", kind=Kind.BATCH)
    assert (planned.shares, planned.moves, planned.drops, planned.deploys) == ((), False, (), True)
