"""What a cluster says of its APIs, and who can be asked for it: the operator itself, or the ``cortex`` program."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from cortex.deploy.errors import OperatorError
from cortex.deploy.release import Share
from cortex.deploy.spec import Document

# What replicas can be in that no waiting mends, and what to do.
HOPELESS = {
    "err_image_pull": "the image can't be pulled; check its name, and that the cluster may read it",
    "failed": "the container ends by itself",
    "killed": "the container is killed",
    "killed_oom": "it needs more memory than --memory gives it",
    "stalled": "the cluster has no room for it; ask for less --cpu or --memory, or add nodes",
}


@dataclass(frozen=True)
class Api:
    """One API of the cluster.

    Attributes
    ----------
    ready, requested, up_to_date : int
        Replicas; 0 where the kind has none.
    shares : tuple of Share
        Of a splitter.
    """

    name: str
    kind: str
    endpoint: str = ""
    ready: int = 0
    requested: int = 0
    up_to_date: int = 0
    shares: tuple[Share, ...] = ()

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> "Api":
        """Read what the operator says of one."""
        spec, status = said.get("spec") or {}, said.get("status") or {}
        about = {**spec, **(said.get("metadata") or {})}
        try:
            return cls(
                str(about["name"]),
                str(about["kind"]),
                endpoint=str(said.get("endpoint") or ""),
                ready=int(status.get("ready") or 0),
                requested=int(status.get("requested") or 0),
                up_to_date=int(status.get("up_to_date") or 0),
                shares=tuple(
                    Share(api["name"], int(api["weight"]), bool(api.get("shadow"))) for api in spec.get("apis") or ()
                ),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise OperatorError(f"The operator's description of an API can't be read: {error!r}.") from error

    def is_ready(self, least: int = 1) -> bool:
        """Return whether all replicas that are wanted run and are of the newest."""
        return self.requested == self.ready == self.up_to_date >= least


class Transport(Protocol):
    """A way to the cluster. Every method may raise an ``OperatorError``."""

    # How messages and records name the cluster.
    place: str

    def check(self) -> None:
        """Raise when the cluster can't be spoken to, or is of another version."""

    def deploy(self, documents: Sequence[Document]) -> list[str]:
        """Create or change APIs; return what was done of each, in the operator's words."""

    def list(self) -> Sequence[Api]:
        """Return all APIs, without endpoints and shares."""

    def find(self, name: str) -> Api | None:
        """Return one API; None when it is not deployed."""

    def replicas(self, name: str) -> dict[str, int]:
        """Return how many replicas are in which state; empty when this way does not tell."""

    def refresh(self, name: str) -> str:
        """Start its replicas anew, one after another."""

    def delete(self, name: str) -> str:
        """Delete it."""

    def logs(self, name: str) -> str:
        """Return where its log is."""


def results(answers: Any) -> list[str]:
    """Return what was done of each API, of the answer to a deployment.

    Raises
    ------
    OperatorError
        When one was refused; the answer as a whole is 200 then, too.
    """
    if not isinstance(answers, list) or not all(isinstance(each, dict) for each in answers):
        raise OperatorError("The operator's answer to the deployment can't be read.")
    refused = [str(each["error"]) for each in answers if each.get("error")]
    if refused:
        raise OperatorError(f"The operator refuses: {' '.join(refused)}")
    return [str(each.get("message", "")) for each in answers]
