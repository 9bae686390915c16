"""The drill: bad models are trained, stopped by the gate, forced into service, noticed by the monitor, rolled back.

Everything goes through what a real day goes through: ``train_model``, the gate, the registry, ``predict_text``,
``submit_correction``, ``answer_audit``, ``watch``. Only the visitors and the clock are simulated: texts of the test
side, whose genres are known, come at so many an hour, and the visitors correct and answer by chance. It writes into
the database it is given: give it a copy (``training.rehearsal``).
"""

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from math import sqrt
from pathlib import Path
from typing import Any

from django.utils import timezone

from classifier import registry
from classifier.core.errors import CorpusError
from classifier.genre_table import current_genres
from classifier.models import Alert, ModelVersion, Prediction
from classifier.predictions import Shown, predict_text
from feedback.actions import Answer, answer_audit, submit_correction
from training.core.books import Example
from training.core.gate import GateReport
from training.core.judge import ALARMS, SHADOW_KEYS
from training.core.sabotage import KINDS
from training.core.vectors import WordVectors
from training.gating import gate, promote_gated, texts_of
from training.inputs import InputFile, find_inputs
from training.monitor.watch import watch
from training.pipeline import TrainingPlan, train_model

# A look of the monitor after so many requests, and so many requests an hour.
REQUESTS_A_LOOK = 250
# An alert must come within so many requests of a bad champion.
ALERT_WITHIN = 2000
SHADOW_SHARE = 1.0
WHO = "drill"
# The bad model is challenger for two fifths of the requests, champion for two, and gone for the last; each needs a look.
LEAST_REQUESTS = 5 * REQUESTS_A_LOOK

Report = Callable[[str, float], None]


@dataclass(frozen=True)
class Visitors:
    """How simulated visitors behave: chances in [0, 1].

    People who see a wrong answer report it far more often than those who see a right one; that is the bias the
    audit is there to correct.
    """

    reports_wrong: float = 0.15
    confirms_right: float = 0.01
    answers_audit: float = 0.6


@dataclass(frozen=True)
class Look:
    """What the monitor and the truth say after another ``REQUESTS_A_LOOK`` requests.

    ``right`` is the true share of right first genres among these requests; the other shares are the monitor's
    figures of the version's recent traffic: of the last day, and of nothing before its promotion or the rollback to it.
    None without enough data.
    """

    at: datetime
    phase: str
    version: int
    n: int
    right: float
    expected: float | None
    audit: float | None
    reported_wrong: float | None
    alerts: tuple[str, ...]


@dataclass
class Act:
    """One bad model from its training to its end, and what went wrong with the rehearsal (``problems``)."""

    kind: str
    strength: float
    version: int = 0
    blocked: bool = False
    blocked_by: tuple[str, ...] = ()
    gate: GateReport | None = None
    requests_to_shadow_alert: int | None = None
    requests_to_alert: int | None = None
    alerts: tuple[str, ...] = ()
    right_before: float = 0.0
    right_while_bad: float = 0.0
    right_after: float = 0.0
    recovered: bool = False
    looks: list[Look] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return plain data without the looks."""
        names = (
            "strength blocked blocked_by requests_to_shadow_alert requests_to_alert alerts"
            " right_before right_while_bad right_after recovered problems"
        )
        return {name: getattr(self, name) for name in names.split()}


@dataclass
class Drill:
    """The whole rehearsal; it is ``passed`` when nothing in it went wrong."""

    champion: int
    requests: int
    looks: list[Look] = field(default_factory=list)
    acts: list[Act] = field(default_factory=list)
    honest: list[GateReport] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def all_problems(self) -> list[str]:
        """What went wrong, in the order of the story."""
        return [*self.problems, *(f"{act.kind}: {problem}" for act in self.acts for problem in act.problems)]

    @property
    def passed(self) -> bool:
        """Whether nothing went wrong."""
        return not self.all_problems

    def as_json(self) -> dict[str, Any]:
        """Return plain data for ``benchmarks/results/drill.json``."""
        return {
            "passed": self.passed,
            "requests": self.requests,
            "kinds": {act.kind: act.as_json() for act in self.acts},
            "retrainings": {"n": len(self.honest), "blocked": sum(not report.passed for report in self.honest)},
            "problems": self.all_problems,
        }


class Traffic:
    """Visitors who bring texts whose genres are known, on a clock of their own."""

    def __init__(self, examples: Sequence[Example], start: datetime, *, visitors: Visitors, seed: int) -> None:
        if not examples:
            raise CorpusError("There is no text to replay: the test side of the champion's data is empty.")
        self.examples = examples
        self.now = start
        self.visitors = visitors
        self._random = random.Random(seed)
        self._step = timedelta(hours=1) / REQUESTS_A_LOOK

    def replay(self, n: int) -> tuple[int, Counter[int]]:
        """Let ``n`` visitors come; return how many saw a right first genre, and how often each version answered."""
        n_right, answered_by = 0, Counter[int]()
        for _ in range(n):
            self.now += self._step
            example = self._random.choice(self.examples)
            shown = predict_text(example.text, source=Prediction.Source.PAGE, at=self.now)
            is_right = not shown.abstained and shown.genres[0][0] in example.genres
            n_right += is_right
            answered_by[shown.number] += 1
            self._react(shown, example, is_right=is_right)
        return n_right, answered_by

    def _react(self, shown: Shown, example: Example, *, is_right: bool) -> None:
        chance = self.visitors.confirms_right if is_right else self.visitors.reports_wrong
        if self._random.random() < chance:
            submit_correction(
                shown=shown,
                text=example.text,
                answer=Answer(genres=example.genres),
                visitor=self._visitor(),
                at=self.now,
            )
        if shown.asked and self._random.random() < self.visitors.answers_audit:
            answer_audit(shown=shown, answer="yes" if is_right else "no", visitor=self._visitor(), at=self.now)

    def _visitor(self) -> str:
        return f"{WHO}-{self._random.getrandbits(64):x}"


class Rehearsal:
    """Plays the drill on the database at hand."""

    def __init__(
        self,
        *,
        plan: TrainingPlan,
        requests: int,
        strength: float | None = None,
        use_gate: bool = True,
        visitors: Visitors | None = None,
        seed: int = 0,
        report: Report,
    ) -> None:
        self.plan = plan
        self.strength = strength
        self.use_gate = use_gate
        self.report = report
        self.champion = registry.get_version("champion")
        self.genres = current_genres()
        self.story = Drill(self.champion.number, requests)
        # The monitor counts what is a few seconds old; a clock that runs ahead of this one's never meets real traffic.
        start = timezone.now().replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
        data, _, _ = texts_of([self.champion], [InputFile(path) for path in plan.paths], is_chosen=True)
        # The site itself draws whom it asks and what the challenger reads: of one seed, one story.
        random.seed(seed)
        self.traffic = Traffic(data.examples, start, visitors=visitors or Visitors(), seed=seed)

    def play(self, kinds: Sequence[str], *, retrainings: int) -> Drill:
        """Play all of it and return the story."""
        total = 1 + len(kinds) + retrainings / 6
        done = 0.0
        self._opening()
        done += 1
        for kind in kinds:
            self.report(f"{kind}: training", done / total)
            self.story.acts.append(self._act(kind, done / total))
            done += 1
        for number in range(retrainings):
            self.report(f"honest retraining {number + 1} of {retrainings}", done / total)
            self._retrain_honestly(seed=self._seed() + 1 + number)
            done += 1 / 6
        n_blocked = sum(not report.passed for report in self.story.honest)
        if n_blocked > retrainings // 20:
            self.story.problems.append(f"the gate blocked {n_blocked} of {retrainings} honest retrainings")
        return self.story

    def _opening(self) -> None:
        """Let the good champion take undisturbed traffic: what everything after is held against."""
        self.report("the good champion answers", 0.0)
        for look in self._looks("good", self.story.requests):
            self.story.looks.append(look)
            if look.alerts:
                self.story.problems.append(f"an alert without a reason: {', '.join(look.alerts)}")

    def _act(self, kind: str, share: float) -> Act:
        strength = KINDS[kind].strength if self.strength is None else self.strength
        act = Act(kind, strength)
        act.right_before = self._right(self.story.looks)
        plan = replace(self.plan, sabotage=kind, strength=strength)
        bad = train_model(plan, self.genres, by=WHO, report=lambda *_: None).version
        act.version = bad.number
        self.report(f"{kind}: at the gate", share)
        self._meet_gate(act, bad)
        self.report(f"{kind}: as challenger", share)
        self._run_as_shadow(act, bad)
        self.report(f"{kind}: forced into service", share)
        self._run_as_champion(act, bad)
        self.report(f"{kind}: rolled back", share)
        self._roll_back(act)
        return act

    def _meet_gate(self, act: Act, bad: ModelVersion) -> None:
        if self.use_gate:
            promotion = promote_gated(bad.number, by=WHO, paths=self.plan.paths, at=self.traffic.now)
            act.gate = promotion.report
            act.blocked_by = promotion.report.blocked_by if promotion.report else ()
        else:
            self._now(registry.promote, bad.number, by=WHO, reason="without the gate")
        act.blocked = registry.get_version("champion") != bad
        if not act.blocked:
            act.problems.append("the gate let it pass")
            self._now(registry.roll_back, by=WHO, reason="the gate should have blocked it")

    def _run_as_shadow(self, act: Act, bad: ModelVersion) -> None:
        self._now(registry.shadow, bad.number, share=SHADOW_SHARE, by=WHO, reason=f"drill: {act.kind}")
        n = 0
        for look in self._looks("shadow", self.story.requests * 2 // 5):
            act.looks.append(look)
            n += look.n
            if SHADOW_KEYS.intersection(look.alerts) and act.requests_to_shadow_alert is None:
                act.requests_to_shadow_alert = n
            if wrong := [key for key in look.alerts if key not in SHADOW_KEYS]:
                act.problems.append(f"an alert about visitors while they saw the good model: {', '.join(wrong)}")
        if act.requests_to_shadow_alert is None:
            act.problems.append(f"no alert within {n:,} requests that it read as challenger")
        self._now(registry.stop_shadow, by=WHO, reason="drill: enough seen")
        self._look("shadow", 0, 0)

    def _run_as_champion(self, act: Act, bad: ModelVersion) -> None:
        self._now(registry.promote, bad.number, by=WHO, reason=f"drill: {act.kind}", forced=True)
        looks, n = [], 0
        for look in self._looks("bad", self.story.requests * 2 // 5):
            looks.append(look)
            n += look.n
            raised = tuple(key for key in look.alerts if key in ALARMS - SHADOW_KEYS)
            if raised and act.requests_to_alert is None:
                act.requests_to_alert, act.alerts = n, raised
        act.looks += looks
        act.right_while_bad = self._right(looks)
        if act.right_while_bad >= act.right_before:
            act.problems.append("it did no damage: its answers were right as often as before")
        if act.requests_to_alert is None:
            act.problems.append(f"no alert within {n:,} requests")
        elif act.requests_to_alert > ALERT_WITHIN:
            act.problems.append(f"the alert came only after {act.requests_to_alert:,} requests")

    def _roll_back(self, act: Act) -> None:
        version = self._now(registry.roll_back, by=WHO, reason=f"drill: {act.kind}")
        if version.number != self.champion.number:
            act.problems.append(f"rolled back to version {version.number}, not to {self.champion.number}")
        looks = list(self._looks("recovered", self.story.requests // 5))
        act.looks += looks
        act.right_after = self._right(looks)
        last = looks[-1]
        act.recovered = (
            version.number == self.champion.number
            and not last.alerts
            and self._is_as_before("expected", last)
            and self._is_as_before("reported_wrong", last)
            and _are_alike(act.right_before, _count(self.story.looks), act.right_after, _count(looks))
        )
        if not act.recovered:
            act.problems.append(
                "the figures did not recover" + (f": still open: {', '.join(last.alerts)}" if last.alerts else "")
            )

    def _now(self, change: Callable[..., ModelVersion], *arguments: Any, **options: Any) -> ModelVersion:
        """Change the registry at this moment of the story, and serve by it at once."""
        version = change(*arguments, **options, at=self.traffic.now)
        registry.forget_champion()
        return version

    def _is_as_before(self, name: str, look: Look) -> bool:
        """Return whether a figure lies within what the opening showed, with a margin for chance."""
        before = [getattr(each, name) for each in self.story.looks if getattr(each, name) is not None]
        now = getattr(look, name)
        if not before or now is None:
            return False
        margin = 0.03
        return bool(min(before) - margin <= now <= max(before) + margin)

    def _looks(self, phase: str, requests: int) -> Iterator[Look]:
        for _ in range(requests // REQUESTS_A_LOOK):
            n_right, answered_by = self.traffic.replay(REQUESTS_A_LOOK)
            if len(answered_by) > 1:
                self.story.problems.append(f"versions {sorted(answered_by)} answered at the same time")
            yield self._look(phase, REQUESTS_A_LOOK, n_right)

    def _look(self, phase: str, n: int, n_right: int) -> Look:
        # What the monitor counts must be some seconds old.
        figures = watch(now=self.traffic.now + timedelta(seconds=6))
        recent = figures["recent"]
        keys = Alert.objects.filter(closed_at=None).order_by("pk").values_list("key", flat=True)
        return Look(
            at=self.traffic.now,
            phase=phase,
            version=figures["champion"],
            n=n,
            right=n_right / n if n else 0.0,
            expected=recent["expected_accuracy"]["value"],
            audit=recent["audit_accuracy"]["value"],
            reported_wrong=recent["reported_wrong"]["value"],
            alerts=tuple(keys),
        )

    def _retrain_honestly(self, *, seed: int) -> None:
        plan = replace(self.plan, overrides={**self.plan.overrides, "seed": seed})
        version = train_model(plan, self.genres, by=WHO, report=lambda *_: None).version
        self.story.honest.append(gate(version, self.champion, paths=self.plan.paths))

    def _seed(self) -> int:
        return int(self.champion.meta.get("parameters", {}).get("seed", 0))

    @staticmethod
    def _right(looks: Sequence[Look]) -> float:
        n = _count(looks)
        return round(sum(look.right * look.n for look in looks) / n, 4) if n else 0.0


def _count(looks: Sequence[Look]) -> int:
    return sum(look.n for look in looks)


def _are_alike(share: float, n: int, other: float, n_other: int) -> bool:
    """Return whether chance alone may make two shares differ as much: by three standard errors of their difference."""
    spread = share * (1 - share) / n + other * (1 - other) / n_other
    return abs(share - other) <= 3 * sqrt(spread)


def plan_of(paths: Sequence[Path], *, vectors: WordVectors | None) -> TrainingPlan:
    """Return the plan by which the drill trains: on ``paths``, or else on the champion's own files.

    Raises
    ------
    CorpusError
        When these files are gone.
    """
    if not paths:
        files, lost = find_inputs(registry.get_version("champion").meta)
        if lost:
            raise CorpusError(f"The champion was trained on {', '.join(lost)}: gone or changed. Name other --data.")
        paths = [file.path for file in files]
    return TrainingPlan(paths=tuple(paths), vectors=vectors)
