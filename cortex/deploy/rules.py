"""What Cortex 0.42.1 takes: a specification is held against its rules before anything is sent."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from cortex.deploy.errors import SpecError
from cortex.deploy.spec import SPLITTER, Document

MOST_NAME = 42
_NAME = re.compile("[a-z]([-a-z0-9]*[a-z0-9])?")
_TAKEN_PORTS = (8888, 15000)
_TAKEN_CONTAINERS = ("proxy", "dequeuer")
_TAKEN_ENV = ("CORTEX_", "KUBEXIT_")
_MOST_REQUESTS = 30_000
_MOST_ASYNC = 100
_MOST_ENDPOINT = 1_000
_LIVE = ("RealtimeAPI", "AsyncAPI")
_JOBS = ("BatchAPI", "TaskAPI")
_ACTIONS = ("http_get", "tcp_socket", "exec")

_TOP = {"name", "kind", "pod", "networking", "node_groups"}
_POD = {"containers", "port", "max_concurrency", "max_queue_length"}
_CONTAINER = {"name", "image", "env", "command", "args", "readiness_probe", "liveness_probe", "pre_stop", "compute"}
_PROBE = {*_ACTIONS, "initial_delay_seconds", "timeout_seconds", "period_seconds", "success_threshold"}
_PROBE |= {"failure_threshold"}
_UNITS = {"": 1.0, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40}
_QUANTITY = re.compile(r"([0-9]+(?:\.[0-9]+)?)([a-zA-Z]*)")


def check(documents: Sequence[Document]) -> None:
    """Raise every complaint that Cortex would have, in one ``SpecError``."""
    found = [f"{document.get('name')}: {said}" for document in documents for said in _complaints(document)]
    names = [document.get("name") for document in documents]
    found += [f"{name}: the name is there twice." for name in sorted({str(n) for n in names if names.count(n) > 1})]
    if found:
        raise SpecError("Cortex would refuse this. " + " ".join(found))


def _complaints(document: Document) -> Iterator[str]:
    name, kind = str(document.get("name", "")), str(document.get("kind", ""))
    if not _NAME.fullmatch(name) or len(name) > MOST_NAME or name.startswith("b-"):
        yield (
            f"a name has small letters, digits and hyphens, begins with a letter (and not with “b-”), and is at most "
            f"{MOST_NAME} characters long."
        )
    if len(str((document.get("networking") or {}).get("endpoint", ""))) > _MOST_ENDPOINT:
        yield f"the endpoint may have {_MOST_ENDPOINT:,} characters."
    if kind == SPLITTER:
        yield from _unknown(document, {"name", "kind", "apis", "networking"})
        yield from _of_splitter(document.get("apis") or [])
    elif kind in _LIVE or kind in _JOBS:
        yield from _unknown(document, _TOP | ({"autoscaling", "update_strategy"} if kind in _LIVE else set()))
        yield from _of_pod(document.get("pod") or {}, kind)
        yield from _of_scaling(document, kind)
    else:
        yield f"“{kind}” is no kind of API."


def _unknown(given: Document, known: set[str]) -> Iterator[str]:
    for key in sorted(set(given) - known):
        yield f"“{key}” is not supported here."


def _of_splitter(apis: Sequence[Document]) -> Iterator[str]:
    weights = [api.get("weight") for api in apis]
    if not all(isinstance(weight, int) and 0 <= weight <= 100 for weight in weights):
        yield "a weight is a whole number from 0 to 100."
    elif sum(int(api["weight"]) for api in apis if not api.get("shadow")) != 100:
        yield "the weights of all that are no shadows must sum to 100."
    if sum(bool(api.get("shadow")) for api in apis) > 1:
        yield "there may be one shadow."
    names = [api.get("name") for api in apis]
    if len(set(names)) < len(names):
        yield "an API is there twice."


def _of_pod(pod: Document, kind: str) -> Iterator[str]:
    known = set(_POD)
    if kind == "TaskAPI":
        known -= {"port"}
    if kind in _JOBS:
        known -= {"max_concurrency", "max_queue_length"}
    if kind == "AsyncAPI":
        known -= {"max_queue_length"}
    yield from _unknown(pod, known)
    port = pod.get("port", 8080)
    if not isinstance(port, int) or not 1 <= port <= 65_535 or port in _TAKEN_PORTS:
        yield f"the port {port} is not allowed."
    for key, most in (
        ("max_concurrency", _MOST_ASYNC if kind == "AsyncAPI" else _MOST_REQUESTS),
        ("max_queue_length", _MOST_REQUESTS),
    ):
        if not 1 <= pod.get(key, 1) <= most:
            yield f"{key} must be from 1 to {most:,}."
    containers = pod.get("containers") or []
    if not containers:
        yield "a container is needed."
    for container in containers:
        yield from _of_container(container, kind)


def _of_container(container: Document, kind: str) -> Iterator[str]:
    known = set(_CONTAINER)
    if kind in _JOBS:
        known -= {"pre_stop"}
    if kind == "TaskAPI":
        known -= {"readiness_probe"}
    yield from _unknown(container, known)
    name, image = str(container.get("name", "")), str(container.get("image", ""))
    if name in _TAKEN_CONTAINERS or not name:
        yield f"a container can't be called “{name}”."
    if not image or image != "".join(image.split()):
        yield f"“{image}” is no reference of an image."
    if kind in _JOBS and not container.get("command"):
        yield f"a {kind} needs a command."
    for key, value in (container.get("env") or {}).items():
        if str(key).startswith(_TAKEN_ENV):
            yield f"{key}: names that begin with {' or '.join(_TAKEN_ENV)} are Cortex's own."
        if not isinstance(value, str):
            yield f"{key} must be a text."
    for key in ("readiness_probe", "liveness_probe", "pre_stop"):
        if container.get(key):
            yield from _of_probe(key, container[key])
    compute = container.get("compute") or {}
    for key, least, words in (("cpu", 0.02, "20m"), ("mem", 20 * 2.0**20, "20Mi")):
        if key in compute and (amount(compute[key]) or 0) < least:
            yield f"{key} “{compute[key]}” must be a quantity of at least {words}."


def _of_probe(key: str, probe: Document) -> Iterator[str]:
    yield from _unknown(probe, _PROBE if key != "pre_stop" else {"http_get", "exec"})
    if sum(action in probe for action in _ACTIONS) != 1:
        yield f"{key} needs one of {', '.join(_ACTIONS)}."


def _of_scaling(document: Document, kind: str) -> Iterator[str]:
    scaling, pod = document.get("autoscaling") or {}, document.get("pod") or {}
    least, most = scaling.get("min_replicas", 1), scaling.get("max_replicas", 100)
    if least > most:
        yield f"min_replicas cannot be greater than max_replicas ({least} > {most})."
    at_once = pod.get("max_concurrency", 1)
    bound = at_once + (pod.get("max_queue_length", 100) if kind == "RealtimeAPI" else 0)
    if kind == "RealtimeAPI" and scaling.get("target_in_flight", at_once) > bound:
        yield f"target_in_flight cannot be greater than {bound}, max_concurrency and max_queue_length together."
    window = re.fullmatch("([0-9]+)s", str(scaling.get("window", "60s")))
    if not window or int(window[1]) < 10 or int(window[1]) % 10:
        yield "the window must be a multiple of 10s."
    strategy = document.get("update_strategy") or {}
    if all(str(strategy.get(key, "25%")).rstrip("%") == "0" for key in ("max_surge", "max_unavailable")):
        yield "max_surge and max_unavailable cannot both be zero."


def amount(quantity: Any) -> float | None:
    """Return a quantity such as 200m or 1Gi as a number; None when it is none."""
    found = _QUANTITY.fullmatch(str(quantity))
    return float(found[1]) * _UNITS[found[2]] if found and found[2] in _UNITS else None
