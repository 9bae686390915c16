"""One deployment: send, wait, try, and only then move the traffic. Until then the old version answers, whatever happens."""

import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cortex.deploy import rules, spec
from cortex.deploy.apis import HOPELESS, Api, Transport
from cortex.deploy.asking import Asker
from cortex.deploy.errors import DeployError, OperatorError, RolloutFailed, Unreachable
from cortex.deploy.plan import Plan, Situation
from cortex.deploy.release import Kind, Release, Share
from cortex.deploy.smoke import Expected, check

POLL_SECONDS = 5.0
# A state that the next look does not see any more was no failure; an operator that is away for a moment is not down.
_LOOKS = 2
_MOST_SILENT = 3
# For how long an endpoint may be unknown to the load balancer after its replicas are ready.
_PATIENCE_SECONDS = 60.0

NOT_WAITED = "not waited for: run it again without --no-wait, which tries it and moves the traffic"

Report = Callable[[str, float], object]


@dataclass(frozen=True, kw_only=True)
class Terms:
    """How a deployment is done.

    Attributes
    ----------
    timeout : float
        Seconds until a version must be ready.
    waits : bool
        Otherwise the version is sent and the traffic stays where it is.
    token : str
        Of the service.
    trust : ssl.SSLContext, optional
    report : callable
        Is told what happens and how far it is, in [0, 1].
    sleep, clock : callable
        Of ``time``.
    """

    timeout: float
    waits: bool = True
    token: str = ""
    trust: ssl.SSLContext | None = None
    report: Report = lambda what, share: None
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic


class Flow:
    """Carries plans out on one cluster."""

    def __init__(self, transport: Transport, terms: Terms) -> None:
        self._transport, self._terms = transport, terms
        patience = min(_PATIENCE_SECONDS, terms.timeout)
        self._asker = Asker(
            token=terms.token, trust=terms.trust, patience=patience, sleep=terms.sleep, clock=terms.clock
        )

    def carry_out(self, plan: Plan, situation: Situation, release: Release, expected: Expected) -> str:
        """Do what is planned and return what was found, for people.

        Raises
        ------
        DeployError
            The traffic is where it was; a version that failed and gets none of it is deleted.
        """
        rules.check(spec.documents(release, split=plan.shares))
        try:
            found = self._prepare(plan, release, expected)
            if plan.moves and self._terms.waits:
                self._move(situation, plan.shares)
        except DeployError as error:
            error.args = (f"{error}\n{self._clean_up(plan.version)}",)
            raise
        except KeyboardInterrupt as error:
            raise DeployError(f"Stopped.\n{self._clean_up(plan.version)}") from error
        return found + self._tidy(plan.drops if self._terms.waits else ())

    def _prepare(self, plan: Plan, release: Release, expected: Expected) -> str:
        """Send the version, wait for its replicas and try it."""
        until = self._terms.clock() + self._terms.timeout
        if plan.deploys:
            self._terms.report(f"sending {plan.version}", 0.05)
            self._transport.deploy([spec.api(release)])
        if not self._terms.waits:
            return NOT_WAITED
        api = self.wait_ready(plan.version, release, until)
        self._terms.report(f"trying {plan.version}", 0.8)
        return check(release.kind, api.endpoint, expected, self._asker, until=until)

    def _tidy(self, names: Sequence[str]) -> str:
        """Delete versions that nobody goes back to; that one can't be deleted undoes nothing."""
        said = ""
        for name in names:
            self._terms.report(f"deleting {name}", 0.95)
            try:
                self._transport.delete(name)
            except OperatorError as error:
                said += f"; {name} is still there: {error}"
        return said

    def wait_ready(self, name: str, release: Release, until: float, *, again: bool = False) -> Api:
        """Return the API as soon as its replicas are ready; ``again``: after the cluster saw that new ones are wanted.

        Raises
        ------
        RolloutFailed
            When they can't become so, or not in time.
        Unreachable
            When the operator says nothing for several looks.
        """
        began, hopeless, silent = self._terms.clock(), 0, 0
        if again:
            self._terms.sleep(POLL_SECONDS)
        while True:
            try:
                api, counts = self._transport.find(name), self._transport.replicas(name)
            except Unreachable:
                silent += 1
                if silent >= _MOST_SILENT:
                    raise
                self._terms.sleep(POLL_SECONDS)
                continue
            silent = 0
            if api is None:
                raise RolloutFailed(f"{name} is not deployed any more: somebody deleted it meanwhile.")
            if release.kind in (Kind.BATCH, Kind.TASK) or api.is_ready(release.min_replicas):
                return api
            states = [state for state in HOPELESS if counts.get(state)]
            hopeless = hopeless + 1 if states else 0
            if hopeless >= _LOOKS:
                raise RolloutFailed(self._why(name, states, counts))
            waited = self._terms.clock() - began
            if self._terms.clock() > until:
                raise RolloutFailed(
                    f"{name} is not ready after {waited:.0f} seconds: {api.ready} of {api.requested} replicas are"
                    f"{_told(counts)}.{self._log(name)}"
                )
            share = 0.1 + 0.65 * min(1.0, waited / self._terms.timeout)
            self._terms.report(f"waiting for {name}: {api.ready} of {api.requested} ready", share)
            self._terms.sleep(POLL_SECONDS)

    def _why(self, name: str, states: Sequence[str], counts: dict[str, int]) -> str:
        reasons = "; ".join(f"{counts[state]} × {state}: {HOPELESS[state]}" for state in states)
        return f"{name} can't become ready. The operator says {reasons}.{self._log(name)}"

    def _log(self, name: str) -> str:
        try:
            return f"\nIts log: {self._transport.logs(name)}"
        except OperatorError:
            return ""

    def _move(self, situation: Situation, shares: Sequence[Share]) -> None:
        """Give the versions their shares, and see that the name answers; else everything is as before."""
        now = self._transport.find(situation.name)
        if set(now.shares if now else ()) != set(situation.shares):
            raise DeployError("Somebody else moved the traffic meanwhile: look at --status, and run this again.")
        self._terms.report("moving the traffic", 0.9)
        self._transport.deploy([spec.splitter(situation.name, shares)])
        try:
            public = self._transport.find(situation.name)
            self._asker.ask(
                public.endpoint if public else "", {"text": "Does the name lead to a version of the service?"}
            )
        except DeployError:
            if situation.shares:
                self._transport.deploy([spec.splitter(situation.name, situation.shares)])
            else:
                self._transport.delete(situation.name)
            raise

    def _clean_up(self, version: str) -> str:
        """Delete a version that failed, unless it gets traffic, and say what there is now."""
        try:
            situation = Situation.read(self._transport, version[: version.rindex("-m")])
            if version not in situation.versions or version in {share.release_version for share in situation.shares}:
                return _who_answers(situation)
            self._transport.delete(version)
        except DeployError as error:
            return f"{version} may be there still and gets no traffic: {error} Run this again, or --delete."
        return f"{version} is deleted again. {_who_answers(situation)}"


def _told(counts: dict[str, int]) -> str:
    told = ", ".join(f"{number} {state}" for state, number in counts.items() if state != "requested")
    return f" ({told})" if told else ""


def _who_answers(situation: Situation) -> str:
    return f"{situation.main} answers as before." if situation.main else "Nothing answers under this name."
