"""What was deployed, by whom and with what outcome, in the database; also the way back to an earlier version."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from classifier.models import Deployment, DeploymentEvent, ModelVersion
from cortex.deploy.flow import NOT_WAITED
from cortex.deploy.release import Kind, Release, Share

Action = DeploymentEvent.Action
# What may give a version all of the traffic.
_MOVES = (Action.DEPLOY, Action.PROMOTE, Action.ROLL_BACK)


def record(
    place: str,
    release: Release,
    action: str,
    *,
    by: str,
    succeeded: bool,
    message: str,
    shares: Sequence[Share] = (),
    replaced: str = "",
) -> DeploymentEvent:
    """Write down what was done with a version."""
    deployment, _ = Deployment.objects.get_or_create(
        place=place,
        release_version=release.version,
        defaults={
            "name": release.name,
            "version": ModelVersion.objects.get(number=release.model_number),
            "kind": str(release.kind),
            "image": release.image,
            "release": asdict(release),
        },
    )
    told = {share.release_version: share.amount for share in shares}
    return DeploymentEvent.objects.create(
        deployment=deployment,
        action=action,
        succeeded=succeeded,
        message=message,
        shares=told,
        replaced=replaced,
        by=by,
    )


def find(place: str, release_version: str) -> Deployment | None:
    """Return what is known of a version; None when it was not deployed from here."""
    return Deployment.objects.select_related("version").filter(place=place, release_version=release_version).first()


def release_of(deployment: Deployment) -> Release:
    """Return the release as it was sent."""
    told: dict[str, Any] = dict(deployment.release)
    return Release(**{**told, "kind": Kind(told["kind"])})


def was_tried(place: str, release_version: str) -> bool:
    """Return whether the version was ready once, and answered as it should."""
    events = DeploymentEvent.objects.filter(deployment__place=place, deployment__release_version=release_version)
    return events.filter(succeeded=True).exclude(message=NOT_WAITED).exists()


def last_move(name: str, place: str = "") -> DeploymentEvent | None:
    """Return what gave a version all of the traffic last, in one place or anywhere."""
    return next(_moves(name, place), None)


def previous(place: str, name: str, current: str) -> Deployment | None:
    """Return the version that had the traffic before ``current`` and was not rolled back itself; None without one."""
    passed_over = {current}
    for event in _moves(name, place):
        if event.action == Action.ROLL_BACK:
            passed_over.add(event.replaced)
        if event.deployment.release_version not in passed_over:
            return event.deployment
    return None


def _moves(name: str, place: str) -> Iterator[DeploymentEvent]:
    known = DeploymentEvent.objects.select_related("deployment", "deployment__version").filter(
        deployment__name=name, succeeded=True, action__in=_MOVES, **({"deployment__place": place} if place else {})
    )
    return (event for event in known if event.shares == {event.deployment.release_version: "100%"})
