"""Made-up traffic for the tests of the monitor: predictions, corrections and audit answers as they are stored."""

import itertools
import uuid
from datetime import UTC, datetime, timedelta

from classifier.models import Prediction
from feedback.models import AuditAnswer, Correction

# Noon of some day: the hours before and after it are whole.
NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
GENRES = ("fantasy", "cooking", "business-economics")


def made_prediction(version, at, *, genre="fantasy", score=0.7, **fields):
    """A prediction that is not stored yet."""
    values = {
        "source": "page",
        "shown": [[genre, score], ["romance", 0.1]],
        "n_words": 40,
        "n_known": 36,
        "n_chars": 250,
        "milliseconds": 0.5,
        "text_hash": uuid.uuid4().hex,
        "at": at,
    }
    return Prediction(version=version, **values | fields)


def store_traffic(version, n, *, start, hours=1.0, genres=GENRES, score=0.7, **fields):
    """Store ``n`` predictions spread over ``hours`` from ``start``, their genres in turn, and return them."""
    step = timedelta(hours=hours) / max(n, 1)
    rows = [
        made_prediction(version, start + at * step, genre=genre, score=score, **fields)
        for at, genre in zip(range(n), itertools.cycle(genres))
    ]
    return Prediction.objects.bulk_create(rows)


def store_shadow(version, shown, *, genre_of=lambda row: row.shown[0][0], **fields):
    """Store what a challenger said in the shadow of ``shown`` predictions."""
    rows = [made_prediction(version, row.at, genre=genre_of(row), shadow_of=row.uid, **fields) for row in shown]
    return Prediction.objects.bulk_create(rows)


def correct(predictions, chosen=None, **fields):
    """Store a correction of each prediction; without ``chosen`` it confirms the first genre."""
    rows = []
    for row in predictions:
        values = {
            "source": "page",
            "text": "a text",
            "text_hash": row.text_hash,
            "verdict": "genres",
            "chosen": [row.shown[0][0]] if chosen is None else chosen,
            "created_at": row.at + timedelta(minutes=1),
        }
        rows.append(Correction(prediction_uid=row.uid, version_id=row.version_id, shown=row.shown, **values | fields))
    return Correction.objects.bulk_create(rows)


def answer(predictions, said="yes", share=0.05):
    """Store an answer to the audit about each prediction."""
    return AuditAnswer.objects.bulk_create(
        AuditAnswer(
            prediction_uid=row.uid,
            version_id=row.version_id,
            genre=row.shown[0][0],
            score=row.shown[0][1],
            share=share,
            answer=said,
            predicted_at=row.at,
            at=row.at + timedelta(minutes=1),
        )
        for row in predictions
    )
