"""Predict for a visitor: run the champion, store what was said (not the text), and name it by a signed token."""

import logging
import random
import time
import uuid
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core import signing
from django.utils import timezone
from django.utils.translation import gettext as _
from structlog.contextvars import bind_contextvars

from classifier.core.errors import ModelError
from classifier.core.marks import sabotage_of
from classifier.core.model import GenreModel
from classifier.core.model import Prediction as CorePrediction
from classifier.core.naming import hash_line, is_id_of, text_key
from classifier.core.shown import choose_shown
from classifier.core.text import Reading
from classifier.models import OWN_SOURCES, ModelVersion, Prediction
from classifier.recording import flush, record
from classifier.registry import ActiveModel, challenger, champion

logger = logging.getLogger(__name__)
_SALT = "classifier.prediction"
# A page may stay open for days before its correction is sent.
TOKEN_SECONDS = 7 * 24 * 3600
# How long a batch may take to be written.
_WRITING_SECONDS = 0.1


class BadToken(Exception):
    """A prediction token that is not ours, was changed, or is too old."""


@dataclass(frozen=True)
class Shown:
    """What one visitor was shown: enough to store a correction without looking the prediction up.

    The first ``n_chosen`` of ``genres`` reached their own threshold; none where the model has no thresholds.
    """

    uid: str
    # 0 and None while the site has not heard of the prediction service's prediction yet.
    number: int
    version_id: int | None
    source: str
    genres: list[tuple[str, float]]
    abstained: str
    n_words: int
    text_hash: str
    # A token from before there were thresholds, audits or sabotage lacks them.
    n_chosen: int = 0
    # The chance with which the visitor is asked whether the first genre is right; 0 when not asked.
    asked: float = 0.0
    # How the model was made bad on purpose, '' when it was not.
    sabotage: str = ""

    def token(self) -> str:
        """Return a signed text that ``from_token`` turns back."""
        return signing.dumps(asdict(self), salt=_SALT, compress=True)

    @classmethod
    def from_token(cls, token: str) -> "Shown":
        """Return what ``token`` names.

        Raises
        ------
        BadToken
        """
        try:
            fields: dict[str, Any] = signing.loads(token, salt=_SALT, max_age=TOKEN_SECONDS)
        except signing.BadSignature as error:
            raise BadToken(_("This prediction is too old or was changed. Show the genres again.")) from error
        fields["genres"] = [(slug, score) for slug, score in fields["genres"]]
        return cls(**fields)


def shown_of(uid: str, text: str) -> Shown | None:
    """Return what was shown as prediction ``uid``; None when no such prediction is stored.

    One that was recorded in a batch is waited for. One of the prediction service that was not imported yet is believed
    when its id proves that it is of this ``text``; what was shown is then not known.
    """
    row = _stored(uid)
    if row is None and (text_hash := _proven_hash(uid, text)):
        return Shown(
            uid=uid,
            number=0,
            version_id=None,
            source=Prediction.Source.SERVICE,
            genres=[],
            abstained="",
            n_words=0,
            text_hash=text_hash,
        )
    if row is None:
        flush()
        row = _stored(uid)
    if row is None and settings.GENRE_RECORD_SECONDS > 0:
        # Another process may hold it.
        time.sleep(settings.GENRE_RECORD_SECONDS + _WRITING_SECONDS)
        row = _stored(uid)
    if row is None:
        return None
    return Shown(
        uid=str(row.uid),
        number=row.version.number,
        version_id=row.version_id,
        source=row.source,
        genres=[(slug, score) for slug, score in row.shown],
        abstained=row.abstained,
        n_words=row.n_words,
        text_hash=row.text_hash,
        sabotage=row.version.sabotage,
    )


def _proven_hash(uid: str, text: str) -> str:
    """Return the hash of the text that the prediction service gave this id to; '' when it is no such id."""
    hashes = zip(_text_keys(), text_hashes(text), strict=True)
    return next((text_hash for key, text_hash in hashes if is_id_of(uid, text_hash, key)), "")


def _stored(uid: str) -> Prediction | None:
    return Prediction.objects.select_related("version").filter(uid=uid, shadow_of=None).first()


def hash_text(text: str | Reading) -> str:
    """Return a keyed hash that is equal for texts that are equal once cleaned, line breaks aside.

    Keyed, so that nobody without the site's key can test whether a known text was pasted.
    """
    return text_hashes(text)[0]


def text_hashes(text: str | Reading) -> list[str]:
    """Return ``hash_text`` and, while ``SECRET_KEY`` is being changed, what it was with each key that still holds."""
    line = Reading.of(text).line
    return [hash_line(line, key) for key in _text_keys()]


def _text_keys() -> list[bytes]:
    return [text_key(secret) for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]


@dataclass(frozen=True)
class Asked:
    """What a model said of a text, and what is shown of it."""

    active: ActiveModel
    prediction: CorePrediction
    shown: Shown


def predict_text(text: str | Reading, *, source: str, at: datetime | None = None) -> Shown:
    """Predict the genres of ``text`` as ``ask`` does, and store the prediction at once."""
    return ask(text, source=source, at=at).shown


def ask(text: str | Reading, *, source: str, at: datetime | None = None, at_once: bool = True) -> Asked:
    """Predict the genres of ``text`` with the champion and store the prediction, ``at_once`` or a moment later.

    A challenger reads its share of the texts too, never of our own; what it says is stored and shown to nobody.
    ``at`` is when it happened (default: now).

    Raises
    ------
    ModelError
        When no model can answer.
    """
    asked, rows = _ask(text, source=source, at=at)
    record(rows, at_once=at_once)
    return asked


def ask_many(texts: Iterable[str | Reading], *, source: str) -> list[Shown]:
    """Return what is shown of each text, as ``ask`` finds it; the predictions are stored a moment after the last, so that nothing is written meanwhile.

    Raises
    ------
    ModelError
        When no model can answer.
    """
    shown, rows = [], []
    for text in texts:
        asked, its_rows = _ask(text, source=source)
        shown.append(asked.shown)
        rows += its_rows
    record(rows, at_once=False)
    return shown


def _ask(text: str | Reading, *, source: str, at: datetime | None = None) -> tuple[Asked, list[Prediction]]:
    text = Reading.of(text)
    active, at = champion(), at or timezone.now()
    prediction, milliseconds = _timed(active.model, text)
    # For the line that is logged of the request.
    bind_contextvars(model=active.number)
    is_visitor = source not in OWN_SOURCES
    # A program has nobody to ask, and a table is no place to.
    is_asked = is_visitor and source not in (Prediction.Source.API, Prediction.Source.SEVERAL)
    share = settings.GENRE_AUDIT_SHARE if is_asked else 0.0
    asked = share if share and not prediction.abstained and random.random() < share else 0.0
    shown = _shown(active, prediction, text, source=source, asked=asked)
    facts: dict[str, Any] = {"source": source, "n_chars": len(text.text), "text_hash": shown.text_hash, "at": at}
    rows = [_row(active, prediction, milliseconds, shown.genres, uid=shown.uid, asked=shown.asked, **facts)]
    if is_visitor and (other := challenger()) is not None and random.random() < other.share:
        try:
            its, its_milliseconds = _timed(other.model, text)
            rows.append(_row(other, its, its_milliseconds, choose_shown(its)[0], shadow_of=shown.uid, **facts))
        except ModelError as error:
            logger.error("The challenger, version %s, failed and nobody saw it: %s", other.number, error)
    return Asked(active, prediction, shown), rows


def predict_with(version: ModelVersion, model: GenreModel, text: str, *, source: str) -> Shown:
    """Predict the genres of ``text`` with a version of one's choice, loaded as ``model``, and store the prediction.

    For texts of our own (``OWN_SOURCES``): no challenger reads along, and nobody is asked.
    """
    active = ActiveModel(version.number, version.pk, model)
    prediction, milliseconds = _timed(model, text)
    shown = _shown(active, prediction, text, source=source)
    facts: dict[str, Any] = {"source": source, "n_chars": len(text), "text_hash": shown.text_hash}
    Prediction.objects.bulk_create([_row(active, prediction, milliseconds, shown.genres, uid=shown.uid, **facts)])
    return shown


def _shown(
    active: ActiveModel, prediction: CorePrediction, text: str | Reading, *, source: str, asked: float = 0.0
) -> Shown:
    genres, n_chosen = choose_shown(prediction)
    return Shown(
        uid=str(uuid.uuid4()),
        number=active.number,
        version_id=active.version_id,
        source=source,
        genres=genres,
        abstained=prediction.abstained,
        n_words=prediction.n_words,
        text_hash=hash_text(text),
        n_chosen=n_chosen,
        asked=asked,
        sabotage=sabotage_of(active.model.meta),
    )


def _timed(model: GenreModel, text: str | Reading) -> tuple[CorePrediction, float]:
    start = time.perf_counter()
    prediction = model.predict(text)
    return prediction, (time.perf_counter() - start) * 1000


def _row(
    active: ActiveModel,
    prediction: CorePrediction,
    milliseconds: float,
    genres: list[tuple[str, float]],
    **facts: Any,
) -> Prediction:
    return Prediction(
        version_id=active.version_id,
        shown=genres,
        abstained=prediction.abstained,
        n_words=prediction.n_words,
        n_known=prediction.n_known,
        milliseconds=round(milliseconds, 3),
        **facts,
    )
