"""A release in the words of Cortex 0.42.1: the API of a version, and the splitter that shares the traffic out."""

from collections.abc import Sequence
from typing import Any

from cortex.deploy.release import Kind, Release, Share
from cortex.deploy.yaml_text import as_yaml

Document = dict[str, Any]

CORTEX_VERSION = "0.42.1"
API_KINDS = {
    Kind.REALTIME: "RealtimeAPI",
    Kind.ASYNC: "AsyncAPI",
    Kind.BATCH: "BatchAPI",
    Kind.TASK: "TaskAPI",
}
SPLITTER = "TrafficSplitter"
PORT = 8080
# Cortex runs no image's own command for jobs; it wants to be told.
COMMANDS = {
    Kind.BATCH: [".venv/bin/gunicorn", "--config", "cortex/gunicorn_config.py"],
    Kind.TASK: [".venv/bin/python", "-m", "cortex.task"],
}
# Requests that wait in the sidecar for a free thread; more are answered 503 at once.
_QUEUE = 128
_MOST_ASYNC = 100
# The sidecar and the service get SIGTERM together, and what waits in the sidecar must still be answered.
_PRE_STOP = {"exec": {"command": ["sleep", "10"]}}


def documents(release: Release, *, split: Sequence[Share] = ()) -> list[Document]:
    """Return what is deployed: the version, and the splitter if there is traffic to share out."""
    return [api(release), *([splitter(release.name, split)] if split else [])]


def api(release: Release) -> Document:
    """Return the API of one version."""
    kind = release.kind
    container: Document = {"name": "api", "image": release.image, "env": release.environment}
    if kind in COMMANDS:
        container["command"] = COMMANDS[kind]
    if kind != Kind.TASK:
        container["readiness_probe"] = _probe("/ready", period=5)
    if kind in (Kind.REALTIME, Kind.ASYNC):
        container["liveness_probe"] = _probe("/live", period=10)
        container["pre_stop"] = _PRE_STOP
    container["compute"] = {"cpu": release.cpu, "mem": release.memory}
    pod: Document = {"containers": [container]}
    if kind != Kind.TASK:
        pod = {"port": PORT, **pod}
    document = {"name": release.version, "kind": API_KINDS[kind], "pod": pod}
    if kind in (Kind.REALTIME, Kind.ASYNC):
        at_once = release.workers * release.threads
        pod["max_concurrency"] = at_once if kind == Kind.REALTIME else min(at_once, _MOST_ASYNC)
        document["autoscaling"] = {"min_replicas": release.min_replicas, "max_replicas": release.max_replicas}
    if kind == Kind.REALTIME:
        pod["max_queue_length"] = _QUEUE
    return document


def splitter(name: str, shares: Sequence[Share]) -> Document:
    """Return the splitter that callers address by ``name``."""
    return {
        "name": name,
        "kind": SPLITTER,
        "apis": [
            {"name": share.release_version, "weight": share.percent, "shadow": share.shadow}
            for share in sorted(shares, key=lambda share: share.release_version)
        ],
    }


def as_text(documents: Sequence[Document]) -> str:
    """Return what is sent: one YAML document, which is a list."""
    return as_yaml([list(documents)])  # type: ignore[list-item]


def _probe(path: str, *, period: int) -> Document:
    return {
        "http_get": {"path": path, "port": PORT},
        "timeout_seconds": 5,
        "period_seconds": period,
        "failure_threshold": 3,
    }
