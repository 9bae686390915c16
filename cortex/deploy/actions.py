"""What can be done with the deployments of one name in one place; each is written down, whatever comes of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from classifier.core.errors import ModelError
from classifier.registry import load_version
from cortex.deploy import recording
from cortex.deploy.apis import Transport
from cortex.deploy.errors import DeployError
from cortex.deploy.flow import Flow, Terms
from cortex.deploy.plan import Action, Plan, Situation, plan
from cortex.deploy.release import Kind, Release, Share
from cortex.deploy.smoke import Expected
from cortex.deploy.spec import API_KINDS


@dataclass(frozen=True)
class Proposal:
    """What would be done: shown first, carried out then."""

    plan: Plan
    release: Release
    situation: Situation
    expected: Callable[[], Expected]


@dataclass(frozen=True)
class Line:
    """One line of the status."""

    api: str
    kind: str
    traffic: str
    replicas: str
    model: str
    image: str


class Deployments:
    """The deployments called ``name`` in the cluster behind ``transport``."""

    def __init__(self, transport: Transport, *, name: str, by: str) -> None:
        self._transport, self._name, self._by = transport, name, by

    def propose(
        self, release: Release, expected: Callable[[], Expected], action: Action = Action.DEPLOY, *, percent: int = 0
    ) -> Proposal:
        """Propose that a release gets the traffic, or ``percent`` of it beside what has it."""
        situation = self._look()
        old = self._old(situation)
        # Of a version that goes on answering the one before stays too; a new one can go back to the old.
        before = recording.previous(self._transport.place, self._name, old) if release.version == old else None
        planned = plan(
            situation,
            action,
            release.version,
            kind=release.kind,
            percent=percent,
            main=old,
            keep=[before.release_version] if before else (),
            tried=recording.was_tried(self._transport.place, release.version),
        )
        return Proposal(planned, release, situation, expected)

    def propose_promotion(self) -> Proposal:
        """Propose that what is beside the old version gets all of the traffic."""
        situation = self._look()
        version = situation.newcomer(self._old(situation))
        if not version:
            raise DeployError("There is neither a canary nor a shadow to promote: deploy one with --canary PCT.")
        return self._proposal(version, Action.PROMOTE)

    def propose_way_back(self) -> Proposal | None:
        """Propose that the version before gets all of the traffic again; None after that was done."""
        situation = self._look()
        old = self._old(situation)
        if not situation.main:
            raise DeployError(f"Nothing answers as “{self._name}”, so there is no way back.")
        if situation.newcomer(old):
            return self._proposal(old, Action.ROLL_BACK)
        last = recording.last_move(self._name, self._transport.place)
        if last and last.action == Action.ROLL_BACK and last.deployment.release_version == situation.main:
            return None
        before = recording.previous(self._transport.place, self._name, situation.main)
        if before is None:
            raise DeployError(f"No version before {situation.main} is known here. Deploy one: --model N --image REF.")
        return self._proposal(before.release_version, Action.ROLL_BACK)

    def carry_out(self, proposal: Proposal, terms: Terms) -> str:
        """Do it, write down what came of it, and return what was found."""
        planned, situation = proposal.plan, proposal.situation
        replaced = situation.newcomer(planned.version)
        try:
            found = Flow(self._transport, terms).carry_out(planned, situation, proposal.release, proposal.expected())
        except DeployError as error:
            self._record(proposal.release, planned.action, False, str(error), situation.shares, replaced)
            raise
        shares = planned.shares if terms.waits else situation.shares
        self._record(proposal.release, planned.action, True, found, shares, replaced)
        return found

    def refresh(self, terms: Terms) -> list[str]:
        """Start the replicas of all versions with traffic anew; return what was done of each."""
        situation, said = self._look(), []
        if not situation.shares:
            raise DeployError(f"Nothing answers as “{self._name}”.")
        for share in situation.shares:
            release = self._known(share.release_version)
            try:
                said.append(self._transport.refresh(share.release_version))
                Flow(self._transport, terms).wait_ready(
                    share.release_version, release, terms.clock() + terms.timeout, again=True
                )
            except DeployError as error:
                self._record(release, "refresh", False, str(error), situation.shares)
                raise
            self._record(release, "refresh", True, said[-1], situation.shares)
        return said

    def to_delete(self, kind: Kind | None) -> list[str]:
        """Return what would be deleted, in order: what the traffic comes through first."""
        situation = self._look()
        names = sorted(name for name, api in situation.versions.items() if kind is None or api.kind == API_KINDS[kind])
        is_public = situation.splitter is not None and kind in (None, Kind.REALTIME)
        return [self._name, *names] if is_public else names

    def delete(self, names: Sequence[str]) -> None:
        """Delete them."""
        for name in names:
            self._transport.delete(name)
            known = recording.find(self._transport.place, name)
            if known:
                self._record(recording.release_of(known), "delete", True, "deleted")

    def status(self) -> list[Line]:
        """Return a line for what callers ask and for each version."""
        situation = self._look()
        lines = []
        if situation.splitter:
            lines.append(Line(self._name, situation.splitter.kind, "100%", "", "", situation.splitter.endpoint))
        shares = {share.release_version: share for share in situation.shares}
        for name, api in sorted(situation.versions.items()):
            known = recording.find(self._transport.place, name)
            replicas = f"{api.ready} of {api.requested}" if api.requested else ""
            lines.append(
                Line(
                    name,
                    api.kind,
                    _traffic(shares.get(name)),
                    replicas,
                    str(known.version.number) if known else "?",
                    known.image if known else "?",
                )
            )
        return lines

    def logs(self) -> dict[str, str]:
        """Return where the logs of the versions are, those with traffic if there are such."""
        situation = self._look()
        names = [share.release_version for share in situation.shares] or sorted(situation.versions)
        return {name: self._transport.logs(name) for name in names}

    def _look(self) -> Situation:
        self._transport.check()
        return Situation.read(self._transport, self._name)

    def _old(self, situation: Situation) -> str:
        """Return the version that had the traffic before a canary came; of equal shares the record tells which."""
        last = recording.last_move(self._name, self._transport.place)
        known = last.deployment.release_version if last else ""
        return known if known in {share.release_version for share in situation.shares} else situation.main

    def _known(self, version: str) -> Release:
        known = recording.find(self._transport.place, version)
        if known is None:
            raise DeployError(f"{version} was not deployed from this site. Deploy it from here: --model N --image REF.")
        return recording.release_of(known)

    def _proposal(self, version: str, action: Action) -> Proposal:
        release = self._known(version)

        def expected() -> Expected:
            known = recording.find(self._transport.place, version)
            try:
                return Expected.of(load_version(known.version)) if known else Expected(release.model_sha256)
            except ModelError:
                # The way back must be open without the files of an old model.
                return Expected(release.model_sha256)

        return self.propose(release, expected, action)

    def _record(
        self,
        release: Release,
        action: str,
        succeeded: bool,
        message: str,
        shares: Sequence[Share] = (),
        replaced: str = "",
    ) -> None:
        recording.record(
            self._transport.place,
            release,
            action,
            by=self._by,
            succeeded=succeeded,
            message=message,
            shares=shares,
            replaced=replaced,
        )


def _traffic(share: Share | None) -> str:
    return "" if share is None else f"{share.percent}%{' (shadow)' * share.shadow}"
