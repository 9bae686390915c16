"""``manage.py deploy_cortex``."""

import json
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from classifier.commands import CommandError, GenreCommand, Table, operator_name
from classifier.models import ModelVersion
from classifier.registry import get_version, load_version
from cortex.deploy import rules, spec
from cortex.deploy.actions import Deployments, Proposal
from cortex.deploy.connecting import TRANSPORTS, trusting
from cortex.deploy.flow import Terms
from cortex.deploy.options import (
    TARGETS,
    WITHOUT_RELEASE,
    action_of,
    as_usage,
    assignment,
    percent,
    positive,
    refuse_what_does_not_fit,
    release_of,
    renderer_of,
    split_of,
    transport_of,
)
from cortex.deploy.release import Kind, Release
from cortex.deploy.smoke import Expected
from cortex.deploy.yaml_text import as_yaml


class Command(GenreCommand):
    """Put a model into production."""

    help = (
        "Put the champion, or the version you name, into production on Cortex 0.42.1: send it beside what is there, wait "
        "until it is ready, see that it answers as the model here does, and only then move the traffic. Whatever fails, "
        "the old version goes on answering. The site's own champion is not touched. For Kubernetes and KServe the "
        "manifests are written to standard output."
    )
    examples = """
  manage.py deploy_cortex --image REGISTRY/genre-service@sha256:… --operator https://OPERATOR
  manage.py deploy_cortex --model 7 --image REGISTRY/genre-service@sha256:… --dry-run
  manage.py deploy_cortex --model 7 --image REGISTRY/genre-service@sha256:… --canary 10
  manage.py deploy_cortex --promote
  manage.py deploy_cortex --rollback
  manage.py deploy_cortex --status
  manage.py deploy_cortex --kind batch --set BATCH_URI=s3://bucket/jobs
  manage.py deploy_cortex --target kubernetes --with gateway=public > genre.yaml
"""

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        what = parser.add_argument_group("what")
        what.add_argument("--model", metavar="N|champion", help="which version (default: the champion)")
        what.add_argument("--image", metavar="REF", help="best with its digest (default: GENRE_CORTEX_IMAGE)")
        what.add_argument("--name", help="what callers ask for (default: GENRE_CORTEX_NAME)")
        what.add_argument("--kind", choices=[*Kind], type=str, help="how Cortex calls it (default: realtime)")
        what.add_argument("--cpu", default=Release.cpu, help="of a replica (default: %(default)s)")
        what.add_argument("--memory", default=Release.memory, help="of a replica (default: %(default)s)")
        for name, default, words in (
            ("--min-replicas", Release.min_replicas, "replicas at least"),
            ("--max-replicas", Release.max_replicas, "replicas at most"),
            ("--workers", Release.workers, "processes of a replica"),
            ("--threads", Release.threads, "threads of a process"),
        ):
            what.add_argument(name, type=positive, default=default, metavar="N", help=f"{words} (default: {default})")
        what.add_argument(
            "--set", action="append", type=assignment, metavar="NAME=VALUE", help="a setting of the service; repeatable"
        )
        how = parser.add_argument_group("how")
        how.add_argument("--target", choices=TARGETS, default="cortex", help="default: %(default)s")
        how.add_argument(
            "--with",
            action="append",
            type=assignment,
            metavar="NAME=VALUE",
            help="what a target alone has, such as namespace or gateway of kubernetes; repeatable",
        )
        how.add_argument("--transport", choices=TRANSPORTS, default="http", help="cli: by the program of Cortex")
        where = how.add_mutually_exclusive_group()
        where.add_argument("--env", metavar="E", help="an environment of the cortex program")
        where.add_argument("--operator", metavar="URL", help="default: GENRE_CORTEX_OPERATOR")
        how.add_argument("--dry-run", action="store_true", help="show what would be sent, and send nothing")
        how.add_argument("-o", "--output", choices=("yaml", "json"), default="yaml", help="of --dry-run and --target")
        how.add_argument("--beside", metavar="VERSION", help="with --dry-run or --target: what keeps the rest")
        how.add_argument("--no-wait", action="store_true", help="send it and leave the traffic where it is")
        how.add_argument("--timeout", type=positive, default=900, metavar="S", help="seconds (default: %(default)s)")
        how.add_argument("--yes", action="store_true", help="with --delete: really")
        action = parser.add_argument_group("instead of giving it all of the traffic").add_mutually_exclusive_group()
        action.add_argument("--canary", type=percent, metavar="PCT", help="give it so much, beside the old version")
        action.add_argument(
            "--shadow", type=percent, metavar="PCT", help="give it copies of so much; answers are dropped"
        )
        for name, words in (
            ("promote", "give the canary or shadow all of the traffic"),
            ("rollback", "give the version before all of the traffic again"),
            ("refresh", "start the replicas anew, one after another"),
            ("status", "show what is deployed"),
            ("logs", "show where the logs are"),
            ("delete", "delete it all, or what is of one --kind"),
        ):
            action.add_argument(f"--{name}", action="store_true", help=words)

    def handle(self, **options: Any) -> None:
        """Do what the options say."""
        options["name"] = options["name"] or settings.GENRE_CORTEX_NAME
        chosen = next((name for name in WITHOUT_RELEASE if options[name]), "")
        refuse_what_does_not_fit(chosen, options)
        if options["dry_run"] or options["target"] != "cortex":
            self._render(**options)
            return
        deployments = Deployments(transport_of(options), name=options["name"], by=operator_name())
        self._terms = Terms(
            timeout=options["timeout"],
            waits=not options["no_wait"],
            token=settings.GENRE_CORTEX_TOKEN,
            trust=trusting(settings.GENRE_CORTEX_CA_FILE),
        )
        getattr(self, f"_{chosen or 'deploy'}")(deployments, options)

    def _deploy(self, deployments: Deployments, options: dict[str, Any]) -> None:
        version = get_version(options["model"] or "champion")
        release = release_of(version, options)
        self._warn(version, release)
        action, share = action_of(options)

        def expected() -> Expected:
            return Expected.of(load_version(version))

        self._carry_out(deployments, as_usage(lambda: deployments.propose(release, expected, action, percent=share)))

    def _promote(self, deployments: Deployments, options: dict[str, Any]) -> None:
        self._carry_out(deployments, deployments.propose_promotion())

    def _rollback(self, deployments: Deployments, options: dict[str, Any]) -> None:
        proposal = deployments.propose_way_back()
        if proposal is None:
            self.stdout.write(
                "Nothing to change: it was rolled back already. To go further back deploy that model: --model N --image REF."
            )
            return
        self._carry_out(deployments, proposal)

    def _carry_out(self, deployments: Deployments, proposal: Proposal) -> None:
        planned = proposal.plan
        if not planned.changes:
            self.stdout.write(f"Nothing to change: {planned.version} is deployed as it should be.")
            return
        for line in planned.lines(proposal.situation.shares):
            self.stdout.write(line)
        found = as_usage(lambda: self._with_progress(lambda terms: deployments.carry_out(proposal, terms)))
        self.stdout.write(f"{planned.version}: {found}.")
        if self._terms.waits:
            self.stdout.write("Done. Next: manage.py deploy_cortex --status", self.style.SUCCESS)

    def _refresh(self, deployments: Deployments, options: dict[str, Any]) -> None:
        for line in self._with_progress(deployments.refresh):
            self.stdout.write(line)

    def _with_progress(self, work: Callable[[Terms], Any]) -> Any:
        with self.progress("deploying") as report:
            return work(Terms(**{**vars(self._terms), "report": report}))

    def _status(self, deployments: Deployments, options: dict[str, Any]) -> None:
        lines = deployments.status()
        if not lines:
            self.stdout.write(f"Nothing is deployed as “{options['name']}”.")
            return
        table = Table("API", "kind", "traffic", "ready", "model", "image or address", box=None)
        for line in lines:
            table.add_row(line.api, line.kind, line.traffic, line.replicas, line.model, line.image)
        self.out.print(table)

    def _logs(self, deployments: Deployments, options: dict[str, Any]) -> None:
        for name, where in deployments.logs().items():
            self.stdout.write(f"{name}: {where}")

    def _delete(self, deployments: Deployments, options: dict[str, Any]) -> None:
        names = deployments.to_delete(Kind(options["kind"]) if options["kind"] else None)
        if not names:
            self.stdout.write("There is nothing to delete.")
            return
        if not options["yes"]:
            raise CommandError(f"This would delete {', '.join(names)}. Say --yes if you mean it.", returncode=2)
        deployments.delete(names)
        self.stdout.write(f"Deleted: {', '.join(names)}.")

    def _render(self, **options: Any) -> None:
        """Write what would be sent, or what Kubernetes is to be given."""
        version = get_version(options["model"] or "champion")
        release = release_of(version, options)
        self._warn(version, release, has_secret="token_secret" in dict(options["with"] or ()))
        is_cortex = options["target"] == "cortex"
        write = renderer_of(options["target"], dict(options["with"] or ()))
        documents = as_usage(lambda: write(release, split=split_of(release, options)))
        if is_cortex:
            as_usage(lambda: rules.check(documents))
        if options["output"] == "json":
            shown = json.dumps(documents, indent=2)
        else:
            # Cortex reads a list, kubectl a stream of documents.
            shown = spec.as_text(documents) if is_cortex else as_yaml(documents)
        self.stdout.write(shown.rstrip("\n"))

    def _warn(self, version: ModelVersion, release: Release, *, has_secret: bool = False) -> None:
        if version.sabotage:
            self.stderr.write(f"Warning: {version}.")
        if "@sha256:" not in release.image:
            self.stderr.write("Warning: the image has no digest (@sha256:…), so that its tag may come to mean another.")
        if release.kind in (Kind.REALTIME, Kind.ASYNC) and "TOKEN_SHA256" not in release.env and not has_secret:
            self.stderr.write("Warning: GENRE_CORTEX_TOKEN is not set: whoever reaches the service may use it.")
