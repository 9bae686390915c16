"""``manage.py drill``."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from classifier.commands import CommandError, GenreCommand, Table, existing_file
from classifier.registry import CHAMPION, get_version
from training.core.sabotage import KINDS
from training.drill import ALERT_WITHIN, LEAST_REQUESTS, REQUESTS_A_LOOK
from training.management.commands.evaluate import write_metrics
from training.management.commands.train import add_vectors, vectors_of
from training.rehearsal import Job, rehearse

REPORT = Path("var") / "drill.html"


class Command(GenreCommand):
    """Rehearse bad models on a copy of the site."""

    help = (
        "Rehearse what bad models do: on a copy of the site the champion takes replayed traffic, models are made bad on "
        "purpose, the gate must block each, the monitor must raise an alert once it is forced into service, and rolling "
        "back must restore the figures. The site itself is not touched."
    )
    examples = """
  manage.py drill
  manage.py drill --kind swap-genres --retrainings 0 --report swap.html
  manage.py drill --champion newest   (a candidate plays the good champion)
  manage.py drill --without-gate      (must fail: that is how one sees that the drill notices)
"""

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "--kind", action="append", choices=list(KINDS), help="may be repeated (default: every kind of sabotage)"
        )
        parser.add_argument(
            "--champion",
            default=CHAMPION,
            metavar="N|newest",
            help="the version that plays the good champion (default: the champion)",
        )
        parser.add_argument("--strength", type=float, help="of the sabotage, from 0 to 1 (default: each kind's own)")
        parser.add_argument(
            "--requests", type=int, default=5000, metavar="N", help="replayed for each kind (default: %(default)s)"
        )
        parser.add_argument(
            "--retrainings",
            type=int,
            default=20,
            metavar="N",
            help="honest trainings with other seeds; the gate may block one in twenty (default: %(default)s)",
        )
        parser.add_argument(
            "--data",
            type=existing_file,
            action="append",
            metavar="PATH",
            help="train on and replay the test side of this file (default: the champion's own files)",
        )
        add_vectors(parser)
        parser.add_argument("--without-gate", action="store_true", help="leave the gate out: the drill must fail")
        parser.add_argument(
            "--report", type=Path, default=REPORT, metavar="PATH", help="an HTML page (default: %(default)s)"
        )
        parser.add_argument("--metrics-file", "-M", type=Path, metavar="PATH", help="write the outcome as JSON")

    def handle(self, **options: Any) -> None:
        """Play, show, write; exit 1 when the drill fails."""
        strength = options["strength"]
        if options["requests"] < LEAST_REQUESTS:
            raise CommandError(f"--requests needs at least {LEAST_REQUESTS:,}.", returncode=2)
        if options["retrainings"] < 0:
            raise CommandError("--retrainings can't be negative.", returncode=2)
        if strength is not None and not 0 <= strength <= 1:
            raise CommandError(f"--strength must lie between 0 and 1, not {strength:g}.", returncode=2)
        vectors_of(options["vectors"])
        job = Job(
            kinds=tuple(dict.fromkeys(options["kind"] or KINDS)),
            requests=options["requests"],
            retrainings=options["retrainings"],
            champion=get_version(options["champion"]).number,
            paths=tuple(str(path.resolve()) for path in options["data"] or ()),
            strength=strength,
            use_gate=not options["without_gate"],
            vectors=options["vectors"],
            report=str(options["report"].resolve()),
        )
        with self.progress("copying the site") as report:
            story = rehearse(job, on_progress=report)
        self._show(story)
        write_metrics(self, options["metrics_file"], story)
        self.stdout.write(f"The report with its charts: {options['report']}")
        if story["problems"]:
            raise CommandError("The drill failed:\n" + "\n".join(f"- {problem}" for problem in story["problems"]))
        self.stdout.write("The drill passed.", self.style.SUCCESS)

    def _show(self, story: dict[str, Any]) -> None:
        table = Table(title=f"{story['requests']:,} requests a kind; right answers before, meanwhile, after")
        for name in (
            "bad on purpose",
            "gate",
            "alert as challenger",
            "alert as champion",
            "right answers",
            "recovered",
        ):
            table.add_column(name)
        for kind, act in story["kinds"].items():
            table.add_row(
                f"{kind} {act['strength']:g}",
                f"blocked ({', '.join(act['blocked_by'])})" if act["blocked"] else "let it pass",
                _after(act["requests_to_shadow_alert"]),
                f"{_after(act['requests_to_alert'])} ({', '.join(act['alerts'])})" if act["alerts"] else "none",
                " → ".join(f"{act[name]:.0%}" for name in ("right_before", "right_while_bad", "right_after")),
                "yes" if act["recovered"] else "no",
            )
        self.out.print(table)
        honest = story["retrainings"]
        if honest["n"]:
            self.out.print(
                f"Of {honest['n']} honest retrainings with other seeds the gate blocked {honest['blocked']}."
            )
        self.out.print(
            f"An alert must come within {ALERT_WITHIN:,} requests; the monitor looks every {REQUESTS_A_LOOK}."
        )


def _after(requests: int | None) -> str:
    return f"after {requests:,}" if requests else "none"
