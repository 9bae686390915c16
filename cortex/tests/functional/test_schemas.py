"""What is written for Kubernetes and KServe, held against what their makers publish, in packages that carry it.

The built-in kinds: Kubernetes' own schemas, strict, so that an unknown field is an error (kubernetes-validate). HTTPRoute and
InferenceService: models generated from the Go types of the Gateway API and of KServe, which `make check-manifests` installs
beside ours, since KServe's package wants older versions of what we use; without them these two tests are skipped.
"""

import copy
import json
import subprocess

import kubernetes_validate
import pytest

from cortex.deploy import kserve, kubernetes
from cortex.tests.test_manifests import BAKED, FETCHED, ROUTED, SPLIT
from genre_site.tests.running import ROOT

PEERS = ROOT / "var" / "manifests"
# The oldest that knows `preStop: sleep` as a field of its own, and one that is new.
VERSIONS = ("1.30", "1.37")
ROUTES = """
import {HTTPRoute} from "@kubernetes-models/gateway-api/gateway.networking.k8s.io/v1";
import {readFileSync} from "node:fs";
const said = JSON.parse(readFileSync(0, "utf8")).map((route) => {
  try { new HTTPRoute(route).validate(); return ""; } catch (error) { return error.message; }
});
console.log(JSON.stringify(said));
"""
# Walks KServe's own model classes: each says its fields, their types and their names in JSON.
SERVICES = """
import json, re, sys
import kserve.models
import kubernetes.client

def check(value, kind, where):
    if found := re.fullmatch(r"[lL]ist\\[(.*)\\]", kind):
        assert isinstance(value, list), f"{where} is no list"
        for number, each in enumerate(value):
            check(each, found[1], f"{where}[{number}]")
    elif found := re.fullmatch(r"[dD]ict[(\\[]str, (.*)[)\\]]", kind):
        for name, each in value.items():
            check(each, found[1], f"{where}.{name}")
    elif kind in PLAIN:
        assert isinstance(value, PLAIN[kind]) and (kind == "bool" or not isinstance(value, bool)), f"{where} is no {kind}"
    elif kind != "object" and kind not in ("ResourceQuantity", "IntstrIntOrString"):
        model = getattr(kserve.models, kind, None) or getattr(kubernetes.client, kind)
        assert isinstance(value, dict), f"{where} is no {kind}"
        names = {json_name: name for name, json_name in model.attribute_map.items()}
        for name, each in value.items():
            assert name in names, f"{where} knows no {name}"
            check(each, model.openapi_types[names[name]], f"{where}.{name}")
        # The classes refuse a missing field that must be there.
        model(**{names[name]: each for name, each in value.items()})

PLAIN = {"str": str, "int": int, "bool": bool, "float": (int, float)}
said = []
for service in json.load(sys.stdin):
    try:
        check(service, "V1beta1InferenceService", "service")
        said.append("")
    except (AssertionError, ValueError, TypeError) as error:
        said.append(str(error))
print(json.dumps(said))
"""


def built_in():
    parts = [*kubernetes.documents(BAKED), *kubernetes.documents(FETCHED, split=SPLIT, **ROUTED)]
    return [part for part in parts if part["kind"] != "HTTPRoute"]


@pytest.mark.parametrize("version", VERSIONS)
def test_the_built_in_kinds_follow_kubernetes_own_schemas(version):
    parts = built_in()
    assert len(parts) == 10
    for part in parts:
        assert kubernetes_validate.validate(part, version, strict=True) == version


def broken(part, *path, value=None):
    """Return the part with another value at a path; None takes it out."""
    part = copy.deepcopy(part)
    inner = part
    for key in path[:-1]:
        inner = inner[key]
    if value is None:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return part


@pytest.mark.parametrize(
    ("kind", "path", "value"),
    [
        ("Deployment", ("spec", "selector"), None),
        ("Deployment", ("spec", "template", "spec", "securityContexts"), {}),
        ("Deployment", ("spec", "template", "spec", "containers", 0, "env", 0, "value"), 5),
        ("Deployment", ("spec", "template", "spec", "containers", 0, "resources", "limit"), {"memory": "1Gi"}),
        ("Service", ("spec", "ports", 0, "port"), None),
        ("HorizontalPodAutoscaler", ("spec", "maxReplicas"), "many"),
        ("PodDisruptionBudget", ("spec", "maxUnavailable"), [1]),
        ("NetworkPolicy", ("spec", "ingres"), []),
    ],
    ids=str,
)
def test_the_check_of_the_built_in_kinds_refuses_what_is_broken(kind, path, value):
    (part,) = (part for part in built_in()[:5] if part["kind"] == kind)
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(broken(part, *path, value=value), VERSIONS[-1], strict=True)


def judged(command, documents, folder):
    """Return what the check of a peer says of each document; '' when it finds nothing wrong."""
    if not folder.exists():
        pytest.skip("make check-manifests installs what this is held against")
    done = subprocess.run(command, cwd=PEERS, input=json.dumps(documents), capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def test_the_route_follows_the_gateway_api_and_broken_ones_are_refused():
    routes = [kubernetes.documents(FETCHED, split=SPLIT, **ROUTED)[-1], kubernetes.documents(BAKED, gateway="g")[-1]]
    rule = ("spec", "rules", 0)
    breaks = [
        ((*rule, "backendRefs", 0, "weight"), "most"),
        ((*rule, "matches", 0, "path", "type"), "Glob"),
        ((*rule, "filters", 0, "requestMirror", "percent"), 101),
        ((*rule, "filters", 0, "requestMirror", "backendRef"), None),
        (("spec", "parentRefs", 0, "name"), None),
    ]
    command = ["node", "--input-type=module", "--eval", ROUTES]
    documents = [*routes, *(broken(routes[0], *path, value=value) for path, value in breaks)]
    said = judged(command, documents, PEERS / "node_modules" / "@kubernetes-models" / "gateway-api")
    assert said[:2] == ["", ""]
    for (path, _), refusal in zip(breaks, said[2:], strict=True):
        assert path[-1] in refusal


def test_the_inference_service_follows_kserve_and_broken_ones_are_refused():
    (whole,) = kserve.documents(BAKED)
    (split,) = kserve.documents(FETCHED, split=SPLIT[:2], namespace="books", token_secret="genre-token")
    predictor = ("spec", "predictor")
    breaks = [
        ((*predictor, "canaryTraffic"), 10),
        ((*predictor, "canaryTrafficPercent"), "10"),
        ((*predictor, "containers", 0, "livenessProb"), {}),
        (predictor, None),
        ((*predictor, "volumes", 0, "name"), None),
    ]
    python = PEERS / "kserve" / "bin" / "python"
    documents = [whole, split, *(broken(split, *path, value=value) for path, value in breaks)]
    said = judged([str(python), "-W", "ignore", "-c", SERVICES], documents, python)
    assert said[:2] == ["", ""]
    for (path, _), refusal in zip(breaks, said[2:], strict=True):
        assert path[-1] in refusal
