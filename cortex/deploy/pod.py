"""The container that Kubernetes and KServe run, and who may do what in it: the same for both."""

from typing import Any

from cortex.deploy.release import Kind, Release, ReleaseError
from cortex.settings import Settings
from cortex.store import SHARED_MEMORY

PORT = Settings.port
# As in cortex/Dockerfile.
USER = 10001
TOKEN = "TOKEN_SHA256"  # noqa: S105 - the name of a setting
HASH_KEY = "HASH_KEY"
PROBE_SECONDS = 5
# A model is loaded before the first answer, and a store may be slow.
START_SECONDS = 300
# What metrics and workers write, as Docker gives it.
SHARED_MEMORY_SIZE = "64Mi"


def is_fetched(release: Release) -> bool:
    """Return whether the model comes from a store, and not from the image."""
    uri = release.env.get("MODEL_URI", "")
    return "://" in uri and not uri.startswith("file://")


def writes_batches(release: Release) -> bool:
    """Return whether the service is told to write to a store."""
    return "://" in release.env.get("BATCH_URI", "")


def labels(release: Release) -> dict[str, str]:
    """Return what finds the parts of one version, ``app.kubernetes.io/instance``, and of all, ``…/name``."""
    return {
        "app.kubernetes.io/name": release.name,
        "app.kubernetes.io/instance": release.version,
        "app.kubernetes.io/part-of": "genre-detector",
    }


def annotations(release: Release) -> dict[str, str]:
    """Return which model it is; a hash is too long for a label."""
    return {
        "genre-detector/model-number": str(release.model_number),
        "genre-detector/model-sha256": release.model_sha256,
    }


def container(release: Release, *, name: str, token_secret: str = "", has_startup_probe: bool = True) -> dict[str, Any]:
    """Return the container.

    Parameters
    ----------
    token_secret : str, default=''
        The Secret whose key ``TOKEN_SHA256`` holds the hashes of the tokens, and ``HASH_KEY``, if it is there, the key
        that ids of predictions are made with; '' for a service that is open.
    has_startup_probe : bool, default=True
        Whether a probe of its own waits for the start; else the others leave it that time.

    Raises
    ------
    ReleaseError
        For a kind that only Cortex calls, and when the hashes come from two places.
    """
    if release.kind is not Kind.REALTIME:
        raise ReleaseError(f"Only Cortex runs a service of the kind {release.kind}; here it must be {Kind.REALTIME}.")
    env: list[dict[str, Any]] = [{"name": key, "value": value} for key, value in sorted(release.environment.items())]
    if token_secret:
        if TOKEN in release.env:
            raise ReleaseError(f"{TOKEN} is set, and a Secret is named for it: give one of them.")
        env.append(_from_secret(token_secret, TOKEN))
        # Without it predictions have no id, and can't be corrected.
        env.append(_from_secret(token_secret, HASH_KEY, is_optional=True))
    return {
        "name": name,
        "image": release.image,
        "ports": [{"containerPort": PORT, "protocol": "TCP"}],
        "env": env,
        **_probes(has_startup_probe=has_startup_probe),
        # No limit for the processor: one that is throttled answers late while others idle.
        "resources": {
            "requests": {"cpu": release.cpu, "memory": release.memory},
            "limits": {"memory": release.memory},
        },
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "volumeMounts": [{"name": volume, "mountPath": path} for volume, path, _ in _memory(release)],
    }


def _from_secret(secret: str, name: str, *, is_optional: bool = False) -> dict[str, Any]:
    reference = {"name": secret, "key": name} | ({"optional": True} if is_optional else {})
    return {"name": name, "valueFrom": {"secretKeyRef": reference}}


def volumes(release: Release) -> list[dict[str, Any]]:
    """Return what the container may write to. It is memory, and counts as the container's."""
    return [{"name": name, "emptyDir": {"medium": "Memory", "sizeLimit": size}} for name, _, size in _memory(release)]


def _probes(*, has_startup_probe: bool) -> dict[str, Any]:
    ready = {**_ask("/ready"), "periodSeconds": PROBE_SECONDS, "failureThreshold": 1}
    live = {**_ask("/live"), "periodSeconds": 2 * PROBE_SECONDS, "failureThreshold": 3}
    # gunicorn listens only after the first attempt to load the model.
    if not has_startup_probe:
        return {"readinessProbe": ready, "livenessProbe": {**live, "initialDelaySeconds": START_SECONDS}}
    attempts = START_SECONDS // PROBE_SECONDS
    start = {**_ask("/live"), "periodSeconds": PROBE_SECONDS, "failureThreshold": attempts}
    return {"startupProbe": start, "readinessProbe": ready, "livenessProbe": live}


def _ask(path: str) -> dict[str, Any]:
    return {"httpGet": {"path": path, "port": PORT}, "timeoutSeconds": PROBE_SECONDS - 1}


def _memory(release: Release) -> list[tuple[str, str, str]]:
    shared = ("shared-memory", str(SHARED_MEMORY), SHARED_MEMORY_SIZE)
    # A model that is fetched lies there while it is loaded.
    return [shared, ("scratch", "/tmp", release.memory)] if is_fetched(release) else [shared]  # noqa: S108
