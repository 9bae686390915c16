"""A release as KServe runs it: an InferenceService with the same image as its predictor.

KServe keeps the versions of one InferenceService apart itself, so that all releases have one name, and
``canaryTrafficPercent`` says what the newest gets. It does so in its serverless mode (Knative) alone, which also ends pods
and spreads them in its own way; what Knative would refuse is left out.
"""

from collections.abc import Sequence
from typing import Any

from cortex.deploy.pod import annotations, container, labels, volumes
from cortex.deploy.release import Release, ReleaseError, Share

API = "serving.kserve.io/v1beta1"
# The name that KServe looks for in a predictor of one's own.
CONTAINER = "kserve-container"
# As long as gunicorn lets a request take.
TIMEOUT_SECONDS = 60


def documents(
    release: Release, *, split: Sequence[Share] = (), namespace: str = "", token_secret: str = ""
) -> list[dict[str, Any]]:
    """Return the InferenceService, as a list of one.

    Parameters
    ----------
    release : Release
    split : sequence of Share, default=()
        What ``release`` gets; the rest goes to the version that had all of it before.
    namespace, token_secret : str, default=''
        As for plain Kubernetes.

    Raises
    ------
    ReleaseError
        For a split that KServe has no words for: a shadow, or two earlier versions.
    """
    predictor: dict[str, Any] = {
        "labels": labels(release),
        "annotations": annotations(release),
        "minReplicas": release.min_replicas,
        "maxReplicas": release.max_replicas,
        "timeout": TIMEOUT_SECONDS,
        # More would wait for a thread; here they wait before the pod, where another can be started for them.
        "containerConcurrency": release.workers * release.threads,
    }
    percent = _canary(release, split)
    if percent < 100:
        predictor["canaryTrafficPercent"] = percent
    # Knative has no startup probe in each of its versions, and lets a new pod be unready for ten minutes.
    inside = container(release, name=CONTAINER, token_secret=token_secret, has_startup_probe=False)
    predictor |= {"containers": [inside], "volumes": volumes(release)}
    metadata: dict[str, Any] = {"name": release.name} | ({"namespace": namespace} if namespace else {})
    metadata["labels"] = {"app.kubernetes.io/name": release.name}
    return [{"apiVersion": API, "kind": "InferenceService", "metadata": metadata, "spec": {"predictor": predictor}}]


def _canary(release: Release, split: Sequence[Share]) -> int:
    if not split:
        return 100
    if any(share.shadow for share in split):
        raise ReleaseError("KServe can't copy traffic to a shadow; plain Kubernetes and Cortex can.")
    ours = [share.percent for share in split if share.release_version == release.version]
    if len(split) > 2 or len(ours) != 1 or sum(share.percent for share in split) != 100:
        raise ReleaseError("KServe splits between the newest version and the one before, 100 percent together.")
    return ours[0]
