"""``make soak-registry``: promotions and rollbacks while several clients ask two gunicorn workers without pause.

It holds when no request fails, every answer names the version that made it, is what that version's model says and
is stored so, and no version answers more than 5 s after it ceased to be champion. Times are those of the history of
the registry and those of the clients, by one clock; an answer is as late as its last byte.
"""

import math
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from itertools import cycle
from pathlib import Path
from typing import Any

from benchmarks.clients import Clients, times_of
from benchmarks.report import QUICK, publish
from conftest import make_examples
from genre_site.tests.running import Answer, Site, Visitor
from training.core.fit import FitParameters, fit

NAME = "soak-registry"
WORKERS, CLIENTS = 2, 6
# So many that each is out of office for longer than FOLLOW_SECONDS before its turn comes again: with two, a worker
# that follows nothing would look right.
VERSIONS = 6
CHANGES = 6 if QUICK else 50
# Pause before each change of the champion, in seconds.
PAUSE = (1.2, 2.4)
FOLLOW_SECONDS = 5.0
TEXTS = (
    "The wizard and the sorceress cast an old spell on the dragon that guards the kingdom.",
    "Whisk the butter and the flour in the kitchen, then bake the dough with garlic in the oven.",
    "The company and the customer: a new strategy for the market of every investor and manager.",
    "A baker whose recipe for magic bread made the throne of the kingdom rise with the dough.",
)


@dataclass(frozen=True)
class Reign:
    """A time in which a version was champion, in seconds of the clock; ``until`` is infinite for the last."""

    number: int
    since: float
    until: float


@dataclass(frozen=True)
class Asked:
    """A request that was answered: the text, when it was sent and when the answer was complete."""

    text: str
    start: float
    end: float
    answer: Answer

    @property
    def seconds(self) -> float:
        """How long the answer took."""
        return self.end - self.start


def reigns_of(promotions: Sequence[tuple[int, float]]) -> list[Reign]:
    """Return the reigns that (version, time) of each change of champion, oldest first, make."""
    ends = [since for _, since in promotions[1:]] + [math.inf]
    return [Reign(number, since, until) for (number, since), until in zip(promotions, ends, strict=True)]


def lateness(number: int | None, start: float, end: float, reigns: Iterable[Reign]) -> float:
    """Return for how many seconds a version was no longer champion when its answer came.

    0 when it was champion at some time during the request; infinite when it had never been.
    """
    found = math.inf
    for reign in reigns:
        if reign.number == number and reign.since <= end:
            found = min(found, 0.0 if reign.until >= start else end - reign.until)
    return found


class Load(Clients):
    """Clients that ask until they are told to stop."""

    def __init__(self, address: str) -> None:
        super().__init__(CLIENTS)
        self.asked: list[Asked] = []
        self.failures: list[str] = []
        self._address = address

    def client(self, number: int) -> tuple[Visitor, random.Random]:
        """Return a visitor and what it chooses its texts by."""
        return Visitor(self._address), random.Random(number)

    def work(self, client: tuple[Visitor, random.Random]) -> None:
        """Ask for the genres of a text."""
        visitor, chance = client
        text, start = chance.choice(TEXTS), time.time()
        try:
            answer = visitor.ask(text)
        except (OSError, HTTPException) as error:
            self.failures.append(f"{error!r} after {time.time() - start:.1f} s")
        else:
            self.asked.append(Asked(text, start, time.time(), answer))


def save_models(folder: Path) -> list[Path]:
    """Train small models that all answer differently."""
    return [
        fit(make_examples(), FitParameters(epoch=20 + 5 * seed, dim=10, seed=seed)).save(folder / str(seed))
        for seed in range(1, VERSIONS + 1)
    ]


def change_champion() -> None:
    """Promote one version and another, roll back to the one, and so on in a circle."""
    from classifier.registry import promote, roll_back

    chance, others = random.Random(1), cycle([*range(2, VERSIONS + 1), 1])
    for change in range(CHANGES):
        time.sleep(chance.uniform(*PAUSE))
        if change % 3 == 2:
            roll_back(by=NAME, reason="soak")
        else:
            promote(next(others), by=NAME, reason="soak")


def what_is_wrong() -> Callable[[Asked], str]:
    """Return a function that compares an answer with the stored row and with the model, and says what differs."""
    from django.core import signing

    from classifier.core.shown import choose_shown
    from classifier.models import ModelVersion, Prediction
    from classifier.predictions import Shown
    from classifier.registry import load_version
    from classifier.wording import genre_lines

    rows = {str(uid): rest for uid, *rest in Prediction.objects.values_list("uid", "version__number", "shown")}
    models = {version.number: load_version(version) for version in ModelVersion.objects.all()}
    said = {
        (number, text): [list(genre) for genre in choose_shown(model.predict(text))[0]]
        for number, model in models.items()
        for text in TEXTS
    }
    lines = {key: tuple((line.name, line.percent) for line in genre_lines(shown)) for key, shown in said.items()}

    def compare(asked: Asked) -> str:
        answer, key = asked.answer, (asked.answer.number, asked.text)
        if key not in said:
            return f"it names version {answer.number}"
        if answer.genres != lines[key]:
            return f"not what version {answer.number} says: {answer.genres}"
        try:
            shown = Shown.from_token(answer.token)
        except (signing.BadSignature, ValueError) as error:
            return f"its token can't be read: {error}"
        if shown.number != answer.number or rows.get(shown.uid) != [answer.number, said[key]]:
            return f"stored as {rows.get(shown.uid)}, shown as version {answer.number}"
        return ""

    return compare


def row_of(number: int, reigns: Sequence[Reign], answers: Sequence[tuple[Asked, float]]) -> dict[str, Any]:
    """Return a version's line of the table, from all answers and how late each was."""
    mine = [(asked, late) for asked, late in answers if asked.answer.number == number]
    return {
        "version": number,
        "times_champion": sum(reign.number == number for reign in reigns),
        "answers": len(mine),
        "after_its_time": sum(late > 0 for _, late in mine),
        "slowest_follow_seconds": max((late for _, late in mine), default=0.0),
        **times_of(asked.seconds for asked, _ in mine),
    }


def judge(load: Load, seconds: float) -> list[str]:
    """Print and write the figures; return what does not hold."""
    from classifier.models import ModelEvent, Prediction

    events = ModelEvent.objects.filter(to_state="champion").order_by("pk").select_related("version")
    reigns = reigns_of([(event.version.number, event.at.timestamp()) for event in events])
    actions = Counter(event.action for event in events if event.by == NAME)
    late = [lateness(asked.answer.number, asked.start, asked.end, reigns) for asked in load.asked]
    stale = sum(lag > FOLLOW_SECONDS for lag in late)
    compare = what_is_wrong()
    wrong = [words for asked in load.asked if (words := compare(asked))]
    answers = list(zip(load.asked, late, strict=True))
    rows = [row_of(number, reigns, answers) for number in sorted({reign.number for reign in reigns})]
    publish(
        NAME,
        rows,
        requests=len(load.asked) + len(load.failures),
        failures=len(load.failures),
        stale_answers=stale,
        wrong_answers=len(wrong),
        promotions=actions["promote"],
        roll_backs=actions["roll-back"],
        slowest_follow_seconds=round(max(late, default=math.inf), 3),
        **times_of(asked.seconds for asked in load.asked),
        clients=CLIENTS,
        workers=WORKERS,
        seconds=round(seconds, 1),
    )
    n_answers, n_stored = len(load.asked), Prediction.objects.count()
    checks = {
        f"{len(load.failures)} requests failed: {load.failures[:1]}": not load.failures,
        f"{len(wrong)} answers are wrong: {wrong[:1]}": not wrong,
        f"{stale} answers came more than {FOLLOW_SECONDS:g} s after their version's time": not stale,
        f"{actions.total()} changes of champion instead of {CHANGES}": actions.total() == CHANGES,
        f"{n_stored} predictions are stored for {n_answers} answers": n_stored == n_answers,
    }
    return [problem for problem, holds in checks.items() if not holds]


def main() -> int:
    """Serve, ask, change, judge; 0 when it holds."""
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        site = Site(root, save_models(root / "trained"))
        site.env["GENRE_MONITOR_SECONDS"] = "10"
        os.environ |= site.env
        import django

        django.setup()
        start = time.monotonic()
        with site.serving(workers=WORKERS) as address, Load(address) as load:
            change_champion()
            # Until every worker has followed the last one.
            time.sleep(2)
        problems = judge(load, time.monotonic() - start)
        from django.db import connections

        connections.close_all()
    for problem in problems:
        sys.stderr.write(f"{NAME} does not hold: {problem}\n")
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
