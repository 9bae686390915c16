"""Thirty days of a busy site in an empty database: versions, predictions, corrections, answers to the audit.

The rows are made up, of the sizes and shapes that the site itself stores; Django must be set up before this is imported.
"""

import random
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count, islice
from pathlib import Path
from typing import Any

from django.utils import timezone

from classifier.models import Genre, ModelEvent, ModelVersion, Prediction
from classifier.registry import register
from feedback.models import AuditAnswer, Correction

DAYS = 30
BATCH = 5_000
# Of the life of the site: from when to when a version answers. The third is bad and rolled back.
CHAMPIONS = ((1, 0.0), (2, 0.4), (3, 0.8), (2, 0.82), (4, 0.9))
SHADOW, SHADOW_SINCE, SHADOW_SHARE = 5, 0.93, 0.2
N_VERSIONS = 5
AUDIT_SHARE = 0.05
ANSWERS_AUDIT = 0.6

Story = list[tuple[datetime, ModelVersion]]


def make_versions(folders: list[Path], start: datetime, span: timedelta) -> tuple[Story, ModelVersion]:
    """Register the folders and write their history; return who was champion from when, and the challenger."""
    versions = {number: register(folder, by="bench") for number, folder in enumerate(folders, start=1)}
    story: Story = []
    for number, share in CHAMPIONS:
        at, version = start + share * span, versions[number]
        is_back = any(version == earlier for _, earlier in story)
        action = ModelEvent.Action.ROLL_BACK if is_back else ModelEvent.Action.PROMOTE
        if story:
            left = ModelEvent.Action.ROLL_BACK if is_back else ModelEvent.Action.RETIRE
            _move(story[-1][1], "retired", left, at)
        _move(version, "champion", action, at)
        story.append((at, version))
    challenger = versions[SHADOW]
    ModelVersion.objects.filter(pk=challenger.pk).update(shadow_share=SHADOW_SHARE)
    _move(challenger, "challenger", ModelEvent.Action.SHADOW, start + SHADOW_SINCE * span)
    return story, challenger


def _move(version: ModelVersion, state: str, action: str, at: datetime) -> None:
    ModelEvent.objects.create(
        version=version, action=action, from_state=version.state, to_state=state, at=at, by="bench"
    )
    version.state = state
    version.save(update_fields=["state"])


def fill(folders: list[Path], *, n_predictions: int, n_corrections: int) -> dict[str, int]:
    """Store ``n_predictions`` predictions (shadow ones among them) and what people said of them; return the counts."""
    now = timezone.now() - timedelta(minutes=1)
    span = timedelta(days=DAYS) - timedelta(hours=1)
    story, challenger = make_versions(folders, now - span, span)
    rng = random.Random(1)
    slugs = list(Genre.objects.values_list("slug", flat=True))
    # The challenger's come on top.
    n_shown = round(n_predictions / (1 + SHADOW_SHARE * (1 - SHADOW_SINCE)))
    stream = islice(_predictions(rng, slugs, story, challenger, now - span, span, n_shown), n_predictions)
    shown: list[Prediction] = []
    while rows := list(islice(stream, BATCH)):
        Prediction.objects.bulk_create(rows)
        shown += [row for row in rows if row.shadow_of is None and not row.abstained]
    corrected = rng.sample(shown, min(n_corrections, len(shown)))
    _store(Correction, (_correction(rng, slugs, row) for row in corrected))
    _store(AuditAnswer, (_answer(rng, row) for row in shown if row.asked and rng.random() < ANSWERS_AUDIT))
    return {
        "predictions": Prediction.objects.count(),
        "corrections": Correction.objects.count(),
        "audit_answers": AuditAnswer.objects.count(),
    }


def _predictions(
    rng: random.Random,
    slugs: list[str],
    story: Story,
    challenger: ModelVersion,
    start: datetime,
    span: timedelta,
    n_shown: int,
) -> Iterator[Prediction]:
    """Yield predictions in the order of time, each followed by the challenger's if it read the text too.

    The last of ``n_shown`` is at the end of the span, and so are all after it.
    """
    weights = [1 / rank for rank in range(1, len(slugs) + 1)]
    firsts = rng.choices(range(len(slugs)), weights, k=n_shown)
    shadow_since = start + SHADOW_SINCE * span
    for at in count():
        first = firsts[at % n_shown]
        moment = start + min(1.0, at / n_shown) * span
        version = next(version for since, version in reversed(story) if since <= moment)
        row = _prediction(rng, slugs, first, version, moment)
        yield row
        if moment >= shadow_since and rng.random() < SHADOW_SHARE:
            yield _prediction(rng, slugs, first, challenger, moment, shadow_of=row.uid)


def _prediction(
    rng: random.Random, slugs: list[str], first: int, version: ModelVersion, at: datetime, shadow_of: Any = None
) -> Prediction:
    is_bad = version.number == CHAMPIONS[2][0]
    score = min(0.99, max(0.1, rng.gauss(0.5 if is_bad else 0.75, 0.17)))
    n_words = rng.randint(12, 250)
    abstained = "no-genre" if rng.random() < (0.2 if is_bad else 0.05) else ""
    return Prediction(
        uid=uuid.UUID(int=rng.getrandbits(128)),
        version=version,
        source=Prediction.Source.PAGE,
        shown=[
            [slugs[(first + step) % len(slugs)], round(score if not step else (1 - score) / (step + 1), 4)]
            for step in range(3)
        ],
        abstained=abstained,
        n_words=n_words,
        n_known=round(n_words * rng.uniform(0.85, 1)),
        n_chars=n_words * 9,
        milliseconds=round(rng.lognormvariate(0.1, 0.5), 3),
        text_hash=f"{rng.getrandbits(256):064x}",
        asked=AUDIT_SHARE if shadow_of is None and not abstained and rng.random() < AUDIT_SHARE else 0.0,
        shadow_of=shadow_of,
        at=at,
    )


def _correction(rng: random.Random, slugs: list[str], row: Prediction) -> Correction:
    chosen = [row.shown[0][0]] if rng.random() < 0.3 else [rng.choice(slugs)]
    return Correction(
        prediction_uid=row.uid,
        version_id=row.version_id,
        shown=row.shown,
        source=row.source,
        text="A made-up text of a made-up visitor. " * 20,
        text_hash=row.text_hash,
        verdict=Correction.Verdict.GENRES,
        chosen=chosen,
        visitor=f"{rng.getrandbits(256):064x}",
        created_at=row.at + timedelta(minutes=1),
    )


def _answer(rng: random.Random, row: Prediction) -> AuditAnswer:
    slug, score = row.shown[0]
    is_right = rng.random() < score
    return AuditAnswer(
        prediction_uid=row.uid,
        version_id=row.version_id,
        genre=slug,
        score=score,
        share=row.asked,
        answer=AuditAnswer.Answer.YES if is_right else AuditAnswer.Answer.NO,
        predicted_at=row.at,
        at=row.at + timedelta(minutes=1),
    )


def _store(kind: Any, rows: Iterator[Any]) -> None:
    while batch := list(islice(rows, BATCH)):
        kind.objects.bulk_create(batch)
