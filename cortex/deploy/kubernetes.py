"""A release as plain Kubernetes runs it, with the Gateway API in front: weights for versions, copies for a shadow.

Everything of one version has its name, so that versions stand side by side and the route alone moves traffic.
"""

from collections.abc import Sequence
from typing import Any

from cortex.deploy.pod import PORT, annotations, container, is_fetched, labels, volumes, writes_batches
from cortex.deploy.release import Release, ReleaseError, Share

# Longer than a load balancer needs to hear that /ready says no (docs/service.md, "End it").
PRE_STOP_SECONDS = 10
# preStop, DRAIN_SECONDS (5) and gunicorn's 30 for what is under way.
GRACE_SECONDS = 60
CPU_PERCENT = 70
CALM_SECONDS = 300
SERVICE_PORT = 80
# What callers ask for. Figures are for who is inside, and each replica has its own.
ROUTED = (("Exact", "/"), ("PathPrefix", "/v2"), ("Exact", "/metadata"))


def documents(
    release: Release,
    *,
    split: Sequence[Share] = (),
    namespace: str = "",
    gateway: str = "",
    hostname: str = "",
    token_secret: str = "",
) -> list[dict[str, Any]]:
    """Return what ``kubectl apply`` takes: the version, and the route to all versions that answer.

    Parameters
    ----------
    release : Release
    split : sequence of Share, default=()
        Who gets which part of the traffic; () gives all of it to ``release``.
    namespace : str, default=''
        Where it runs; '' for the one that ``kubectl`` is told.
    gateway : str, default=''
        The Gateway that brings the traffic, ``NAME`` or ``NAMESPACE/NAME``; '' writes no route.
    hostname : str, default=''
        The host name that callers ask for; '' for any that the Gateway takes.
    token_secret : str, default=''
        The Secret whose key ``TOKEN_SHA256`` holds the hashes of the tokens.

    Raises
    ------
    ReleaseError
        For a split that is none, or a kind of service that only Cortex calls.
    """
    parts = [
        _deployment(release, token_secret),
        _service(release),
        _scaler(release),
        _budget(release),
        _network(release),
    ]
    if gateway:
        parts.append(_route(release, split or [Share(release.version, 100)], gateway, hostname))
    elif any(share.release_version != release.version for share in split):
        raise ReleaseError("Traffic is split by a Gateway: name it.")
    for part in parts:
        if namespace:
            part["metadata"] = {"name": part["metadata"]["name"], "namespace": namespace, **part["metadata"]}
    return parts


def _part(release: Release, api: str, kind: str, name: str = "", **rest: Any) -> dict[str, Any]:
    metadata = {"name": name or release.version, "labels": labels(release), "annotations": annotations(release)}
    return {"apiVersion": api, "kind": kind, "metadata": metadata, **rest}


def _selector(release: Release) -> dict[str, str]:
    return {"app.kubernetes.io/instance": release.version}


def _deployment(release: Release, token_secret: str) -> dict[str, Any]:
    ours = {"matchLabels": _selector(release)}
    inside = container(release, name="service", token_secret=token_secret)
    inside["lifecycle"] = {"preStop": {"sleep": {"seconds": PRE_STOP_SECONDS}}}
    pod = {
        # It asks Kubernetes nothing. Variables about other Services might carry the name of one of our settings.
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "terminationGracePeriodSeconds": GRACE_SECONDS,
        "topologySpreadConstraints": [
            {"maxSkew": 1, "topologyKey": key, "whenUnsatisfiable": "ScheduleAnyway", "labelSelector": ours}
            for key in ("kubernetes.io/hostname", "topology.kubernetes.io/zone")
        ],
        "containers": [inside],
        "volumes": volumes(release),
    }
    # How many replicas is for the autoscaler to say.
    spec = {
        "selector": ours,
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
        "template": {"metadata": {"labels": labels(release), "annotations": annotations(release)}, "spec": pod},
    }
    return _part(release, "apps/v1", "Deployment", spec=spec)


def _service(release: Release) -> dict[str, Any]:
    ports = [{"name": "http", "port": SERVICE_PORT, "targetPort": PORT, "protocol": "TCP"}]
    return _part(release, "v1", "Service", spec={"selector": _selector(release), "ports": ports})


def _scaler(release: Release) -> dict[str, Any]:
    busy = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": CPU_PERCENT}}
    spec = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": release.version},
        "minReplicas": release.min_replicas,
        "maxReplicas": release.max_replicas,
        "metrics": [{"type": "Resource", "resource": busy}],
        "behavior": {"scaleDown": {"stabilizationWindowSeconds": CALM_SECONDS}},
    }
    return _part(release, "autoscaling/v2", "HorizontalPodAutoscaler", spec=spec)


def _budget(release: Release) -> dict[str, Any]:
    # Not minAvailable: with one replica that would hold up the emptying of its node for ever.
    spec = {"maxUnavailable": 1, "selector": {"matchLabels": _selector(release)}}
    return _part(release, "policy/v1", "PodDisruptionBudget", spec=spec)


def _network(release: Release) -> dict[str, Any]:
    """Return who may speak to whom: anybody to the one port, and the service to nobody but its store."""
    to_store = [
        {"ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]},
        {"ports": [{"port": 443, "protocol": "TCP"}]},
    ]
    spec = {
        "podSelector": {"matchLabels": _selector(release)},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [{"ports": [{"port": PORT, "protocol": "TCP"}]}],
        "egress": to_store if is_fetched(release) or writes_batches(release) else [],
    }
    return _part(release, "networking.k8s.io/v1", "NetworkPolicy", spec=spec)


def _route(release: Release, split: Sequence[Share], gateway: str, hostname: str) -> dict[str, Any]:
    answering = [share for share in split if not share.shadow]
    shadows = [share for share in split if share.shadow]
    if any(not 0 <= share.percent <= 100 for share in split) or sum(share.percent for share in answering) != 100:
        raise ReleaseError("The versions that answer must get 100 percent of the traffic together.")
    namespace, _, name = gateway.rpartition("/")
    parent = {"name": name} | ({"namespace": namespace} if namespace else {})
    rule: dict[str, Any] = {
        "matches": [{"path": {"type": kind, "value": value}} for kind, value in ROUTED],
        "backendRefs": [{**_backend(share), "weight": share.percent} for share in answering],
    }
    if shadows:
        rule["filters"] = [
            {"type": "RequestMirror", "requestMirror": {"backendRef": _backend(share), "percent": share.percent}}
            for share in shadows
        ]
    spec = {"parentRefs": [parent]} | ({"hostnames": [hostname]} if hostname else {}) | {"rules": [rule]}
    # It belongs to all versions, and so has neither labels nor annotations of one of them.
    route = _part(release, "gateway.networking.k8s.io/v1", "HTTPRoute", release.name, spec=spec)
    route["metadata"] = {"name": release.name, "labels": {"app.kubernetes.io/name": release.name}}
    return route


def _backend(share: Share) -> dict[str, Any]:
    return {"name": share.release_version, "port": SERVICE_PORT}
