"""What the options of `deploy_cortex` mean: a release, its share of the traffic, a cluster; what fits together and what not."""

import argparse
import hashlib
import importlib
import inspect
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from django.conf import settings

from classifier.commands import CommandError
from classifier.models import ModelVersion
from cortex.deploy import recording
from cortex.deploy.apis import Transport
from cortex.deploy.connecting import connect, trusting
from cortex.deploy.environments import operator_of
from cortex.deploy.errors import SpecError
from cortex.deploy.plan import Action, beside
from cortex.deploy.release import Kind, Release, ReleaseError, Share

# Who renders a release; each has `documents(release, *, split)`.
TARGETS = {
    "cortex": "cortex.deploy.spec",
    "kubernetes": "cortex.deploy.kubernetes",
    "kserve": "cortex.deploy.kserve",
}
# Settings that are secrets: what is deployed is written down here, and Cortex shows it to whoever may ask it.
_SECRET = ("HASH_KEY",)
# What is done with what is deployed already, so that no release is described.
WITHOUT_RELEASE = ("promote", "rollback", "status", "logs", "refresh", "delete")
_OF_RELEASE = ("model", "image", "dry_run", "canary", "shadow", "no_wait", "beside", "set", "with")


def percent(value: str) -> int:
    """Return a share of the traffic, or refuse it as wrong usage (exit 2)."""
    number = int(value.removesuffix("%")) if value.removesuffix("%").isdecimal() else 0
    if not 1 <= number <= 99:
        raise argparse.ArgumentTypeError(f"a share is a whole number of percent from 1 to 99, not {value}")
    return number


def assignment(value: str) -> tuple[str, str]:
    """Return the name and the value of ``NAME=VALUE``."""
    name, sign, given = value.partition("=")
    if not sign or not name.isidentifier():
        raise argparse.ArgumentTypeError(f"NAME=VALUE is needed, not {name}")
    if name in _SECRET:
        raise argparse.ArgumentTypeError(f"{name} is a secret, and what is deployed is written where others read it")
    return name, given


def positive(value: str) -> int:
    """Return a whole number of at least 1."""
    if not value.isdecimal() or int(value) < 1:
        raise argparse.ArgumentTypeError(f"a whole number of at least 1 is needed, not {value}")
    return int(value)


def refuse_what_does_not_fit(chosen: str, options: dict[str, Any]) -> None:
    """Refuse options that would be passed over in silence."""
    superfluous = [name for name in _OF_RELEASE if options[name]] if chosen else []
    if chosen and options["target"] != "cortex":
        superfluous.append("target")
    if superfluous:
        words = ", ".join(f"--{name.replace('_', '-')}" for name in superfluous)
        raise CommandError(f"--{chosen} is about what is deployed already: leave out {words}.", returncode=2)
    if options["yes"] and chosen != "delete":
        raise CommandError("--yes goes with --delete.", returncode=2)
    has_shares = options["canary"] or options["shadow"]
    if has_shares and options["kind"] not in (None, Kind.REALTIME):
        raise CommandError(
            "Cortex shares out the traffic of realtime APIs alone: no --canary, no --shadow.", returncode=2
        )
    if options["beside"] and not (has_shares and (options["dry_run"] or options["target"] != "cortex")):
        raise CommandError("--beside goes with --canary or --shadow, and with --dry-run or --target.", returncode=2)


def release_of(version: ModelVersion, options: dict[str, Any]) -> Release:
    """Return the release that is asked for."""
    kind = Kind(options["kind"] or Kind.REALTIME)
    env = dict(options["set"] or ())
    # Cortex itself calls a batch and brings no token; of a secret of Kubernetes that holds the hash it is told by --with.
    has_token = kind in (Kind.REALTIME, Kind.ASYNC) and "token_secret" not in dict(options["with"] or ())
    if settings.GENRE_CORTEX_TOKEN and has_token:
        env.setdefault("TOKEN_SHA256", hashlib.sha256(settings.GENRE_CORTEX_TOKEN.encode()).hexdigest())
    release: Release = as_usage(
        lambda: Release(
            name=options["name"],
            image=options["image"] or settings.GENRE_CORTEX_IMAGE,
            model_number=version.number,
            model_sha256=version.sha256,
            kind=kind,
            env=env,
            **{key: options[key] for key in ("cpu", "memory", "min_replicas", "max_replicas", "workers", "threads")},
        )
    )
    return release


def as_usage(work: Callable[[], Any]) -> Any:
    """Do ``work``; what can't be deployed at all is wrong usage (exit 2)."""
    try:
        return work()
    except (ReleaseError, SpecError) as error:
        raise CommandError(str(error), returncode=2) from error


def action_of(options: dict[str, Any]) -> tuple[Action, int]:
    """Return what the version is to be, and how much of the traffic it gets."""
    if options["canary"]:
        return Action.CANARY, options["canary"]
    return (Action.SHADOW, options["shadow"]) if options["shadow"] else (Action.DEPLOY, 100)


def split_of(release: Release, options: dict[str, Any]) -> Sequence[Share]:
    """Return the shares to be shown; without a cluster the record tells, or --beside, which version has the rest."""
    if release.kind != Kind.REALTIME:
        return ()
    action, share = action_of(options)
    if action == Action.DEPLOY:
        return (Share(release.version, 100),)
    last = recording.last_move(release.name)
    main = options["beside"] or (last.deployment.release_version if last else "")
    if main in ("", release.version):
        raise CommandError("Beside which version? Name it: --beside VERSION.", returncode=2)
    return beside(main, release.version, share, shadow=action == Action.SHADOW)


def renderer_of(target: str, choices: dict[str, str]) -> Callable[..., list[dict[str, Any]]]:
    """Return what writes the documents for ``target``, with the choices that it alone offers."""
    try:
        write = importlib.import_module(TARGETS[target]).documents
    except ModuleNotFoundError as error:
        raise CommandError(f"Nothing here writes manifests for {target}.") from error
    offered = [name for name in inspect.signature(write).parameters if name not in ("release", "split")]
    if unknown := sorted(set(choices) - set(offered)):
        raise CommandError(
            f"--target {target} knows no {unknown[0]}; --with takes {', '.join(offered) or 'nothing there'}.",
            returncode=2,
        )
    return partial(write, **choices)


def transport_of(options: dict[str, Any]) -> Transport:
    """Return the way to the cluster that is named."""
    address = options["operator"] or settings.GENRE_CORTEX_OPERATOR
    if options["env"]:
        address = operator_of(options["env"], settings.CORTEX_CLI_CONFIG_DIR)
    return connect(
        address,
        transport=options["transport"],
        cli_path=settings.CORTEX_CLI_PATH,
        trust=trusting(settings.GENRE_CORTEX_CA_FILE),
    )
