"""What is deployed: a model in an image with its settings, under a name that tells them apart from any other."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum

from cortex.deploy.errors import DeployError

# DNS-1035, which Cortex and Kubernetes ask for; Cortex takes 42 characters, of which "-m" and the digest need ten.
_NAME = re.compile("[a-z]([-a-z0-9]*[a-z0-9])?")
_MOST_NAME = 42
_DIGEST = 8
# What the release itself says, so that a setting can't say otherwise.
_OWN = ("MODEL_SHA256", "WORKERS", "THREADS")
# Names that Cortex keeps for itself in a container's environment.
_RESERVED = ("CORTEX_", "KUBEXIT_")


class Kind(StrEnum):
    """How Cortex calls the service."""

    REALTIME = "realtime"
    ASYNC = "async"
    BATCH = "batch"
    TASK = "task"


class ReleaseError(DeployError, ValueError):
    """A release that no engine would take; the message says what to change."""


@dataclass(frozen=True, kw_only=True)
class Release:
    """One version of the service.

    Attributes
    ----------
    name : str
        What callers ask for; the same for all versions.
    image : str
        The image's reference, best with its digest.
    model_number : int
        The version in the registry.
    model_sha256 : str
        The hash that the model in the image, or at ``MODEL_URI``, must have.
    kind : Kind
    env : mapping of str to str
        What ``cortex/settings.py`` reads; ``MODEL_SHA256`` is added by ``environment``.
    cpu, memory : str
        What one replica asks for, as Kubernetes writes quantities.
    min_replicas, max_replicas : int
    workers, threads : int
        Processes of a replica, and threads of each.
    """

    name: str
    image: str
    model_number: int
    model_sha256: str
    kind: Kind = Kind.REALTIME
    env: Mapping[str, str] = field(default_factory=dict)
    cpu: str = "1"
    memory: str = "1Gi"
    min_replicas: int = 1
    max_replicas: int = 10
    workers: int = 2
    threads: int = 4

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name) or len(self.name) > _MOST_NAME - _DIGEST - len("-m"):
            raise ReleaseError(
                f"“{self.name}” can't be a name: small letters, digits and hyphens, at most "
                f"{_MOST_NAME - _DIGEST - len('-m')}, beginning with a letter."
            )
        if not self.image:
            raise ReleaseError("An image is needed: --image REF.")
        for name in self.env:
            if name in _OWN:
                raise ReleaseError(f"{name} can't be set: model, workers and threads have options of their own.")
            if name.startswith(_RESERVED):
                raise ReleaseError(f"{name} can't be set: names that begin with {' or '.join(_RESERVED)} are Cortex's.")
        if not 1 <= self.min_replicas <= self.max_replicas:
            raise ReleaseError("Replicas must be at least 1, and the most not below the least.")

    @property
    def digest(self) -> str:
        """The first 8 hexadecimal digits of a hash of everything here: new code is a new version as a new model is."""
        said = json.dumps(asdict(self), sort_keys=True)
        return hashlib.sha256(said.encode()).hexdigest()[:_DIGEST]

    @property
    def version(self) -> str:
        """The name of this version alone, ``NAME-mDIGEST``."""
        return f"{self.name}-m{self.digest}"

    @property
    def environment(self) -> dict[str, str]:
        """What the container is told; a text each, as engines want them."""
        own = {"MODEL_SHA256": self.model_sha256, "WORKERS": str(self.workers), "THREADS": str(self.threads)}
        return own | {name: str(value) for name, value in self.env.items()}


@dataclass(frozen=True)
class Share:
    """What one version gets of the traffic; a shadow gets copies of ``percent`` of it, and its answers are dropped."""

    release_version: str
    percent: int
    shadow: bool = False

    @property
    def amount(self) -> str:
        """How much, as people read it."""
        return f"{self.percent}%{' (shadow)' * self.shadow}"
