"""What there is, what is wanted, and what must be done: decided before anything is sent."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from cortex.deploy.apis import Api, Transport
from cortex.deploy.errors import DeployError
from cortex.deploy.release import Kind, Share
from cortex.deploy.spec import API_KINDS, SPLITTER


class Action(StrEnum):
    """What is done with a version."""

    DEPLOY = "deploy"
    CANARY = "canary"
    SHADOW = "shadow"
    PROMOTE = "promote"
    ROLL_BACK = "rollback"


@dataclass(frozen=True)
class Situation:
    """What is deployed under a name.

    Attributes
    ----------
    name : str
    splitter : Api or None
    versions : dict of str to Api
        All versions, of any kind, by name.
    """

    name: str
    splitter: Api | None
    versions: dict[str, Api]

    @classmethod
    def read(cls, transport: Transport, name: str) -> "Situation":
        """Ask the cluster.

        Raises
        ------
        OperatorError
        DeployError
            When the name is taken by something that is no splitter.
        """
        is_version = re.compile(re.escape(name) + "-m[0-9a-f]{8}").fullmatch
        found = {api.name: api for api in transport.list()}
        taken = found.get(name)
        if taken and taken.kind != SPLITTER:
            raise DeployError(f"“{name}” is a {taken.kind} there, and can't become a {SPLITTER}: use another --name.")
        versions = {each: api for each, api in found.items() if is_version(each)}
        return cls(name, transport.find(name) if taken else None, versions)

    @property
    def shares(self) -> tuple[Share, ...]:
        """How the traffic is shared out."""
        return self.splitter.shares if self.splitter else ()

    @property
    def main(self) -> str:
        """The version with most of the traffic; '' without one."""
        answering = [share for share in self.shares if not share.shadow]
        # Of a canary with half of the traffic the caller does not get here: there the order of the names decides.
        return max(answering, key=lambda share: share.percent).release_version if answering else ""

    def newcomer(self, main: str) -> str:
        """Return the version that is beside ``main``, as a canary or shadow; '' without one."""
        return next((share.release_version for share in self.shares if share.release_version != main), "")


@dataclass(frozen=True)
class Plan:
    """What is to be done.

    Attributes
    ----------
    action : Action
    version : str
        Which one it is about; it must be ready and answer rightly before the traffic moves.
    shares : tuple of Share
        Of the traffic, afterwards; empty for kinds that have no splitter.
    deploys : bool
        Whether the version must be deployed first.
    drops : tuple of str
        Versions that are deleted in the end.
    moves : bool
        Whether the traffic is shared out otherwise now.
    tries : bool
        Whether the version, which is there already, was never seen to answer.
    """

    action: Action
    version: str
    shares: tuple[Share, ...] = ()
    deploys: bool = False
    drops: tuple[str, ...] = ()
    moves: bool = False
    tries: bool = False

    @property
    def changes(self) -> bool:
        """Whether there is anything to do."""
        return self.deploys or self.moves or self.tries

    def lines(self, before: Sequence[Share]) -> list[str]:
        """Say what will be different."""
        said = [f"+ {self.version}"] if self.deploys else [f"? {self.version}"] if self.tries else []
        if self.moves:
            said.append(f"~ traffic: {in_words(before) or 'none'} → {in_words(self.shares)}")
        return said + [f"- {name}" for name in self.drops]


def in_words(shares: Sequence[Share]) -> str:
    """Return shares as people read them."""
    ordered = sorted(shares, key=lambda share: (share.shadow, -share.percent, share.release_version))
    return ", ".join(f"{each.release_version} {each.amount}" for each in ordered)


def beside(main: str, version: str, percent: int, *, shadow: bool) -> tuple[Share, ...]:
    """Return the shares of a version that gets ``percent`` of the traffic, or copies of it, beside ``main``."""
    if shadow:
        return Share(main, 100), Share(version, percent, shadow=True)
    return Share(main, 100 - percent), Share(version, percent)


def plan(
    situation: Situation,
    action: Action,
    version: str,
    *,
    kind: Kind = Kind.REALTIME,
    percent: int = 0,
    main: str = "",
    keep: Sequence[str] = (),
    tried: bool = True,
) -> Plan:
    """Decide what must be done so that ``version`` gets what ``action`` gives it.

    Parameters
    ----------
    situation : Situation
    action : Action
    version : str
    kind : Kind
        Only a realtime version gets traffic; the others are addressed by their own names.
    percent : int
        Of a canary or a shadow.
    main : str, default=''
        The version that keeps the rest of it; by default the one with most of the traffic.
    keep : sequence of str
        Versions that are not deleted, because there may be a way back to them.
    tried : bool
        Whether the version was seen to answer.

    Raises
    ------
    DeployError
        When a canary or shadow has nothing to be put beside.
    """
    deploys = version not in situation.versions
    if kind != Kind.REALTIME:
        return Plan(action, version, deploys=deploys, tries=not tried)
    shares: tuple[Share, ...] = (Share(version, 100),)
    drops: tuple[str, ...] = ()
    main = main or situation.main
    if action in (Action.CANARY, Action.SHADOW):
        if not main:
            raise DeployError(f"Nothing answers as “{situation.name}” yet: deploy once without --{action}.")
        if main == version:
            raise DeployError(f"{version} gets the traffic already; there is nothing to try beside it.")
        shares = beside(main, version, percent, shadow=action == Action.SHADOW)
    else:
        before = {share.release_version for share in situation.shares}
        drops = tuple(
            sorted(
                name
                for name, api in situation.versions.items()
                if api.kind == API_KINDS[Kind.REALTIME] and name not in {version, *before, *keep}
            )
        )
    moves = set(shares) != set(situation.shares)
    # What is not touched is not tidied up either: a second run has nothing to do.
    return Plan(action, version, shares, deploys, drops if moves or deploys else (), moves)
