"""Predict for a visitor: run the champion, store what was said (not the text), and name it by a signed token."""

import time
import uuid
from dataclasses import asdict, dataclass
from typing import Any

from django.core import signing
from django.utils.crypto import salted_hmac

from classifier.core.model import Prediction as CorePrediction
from classifier.core.text import one_line
from classifier.models import Prediction
from classifier.registry import champion

SHOWN_LIMIT = 5
SHOWN_MINIMUM = 3
SHOWN_THRESHOLD = 0.1
_SALT = "classifier.prediction"
# A page may stay open for days before its correction is sent.
TOKEN_SECONDS = 7 * 24 * 3600


class BadToken(Exception):
    """A prediction token that is not ours, was changed, or is too old."""


@dataclass(frozen=True)
class Shown:
    """What one visitor was shown: enough to store a correction without looking the prediction up.

    The first ``n_chosen`` of ``genres`` reached their own threshold; none where the model has no thresholds.
    """

    uid: str
    number: int
    version_id: int
    source: str
    genres: list[tuple[str, float]]
    abstained: str
    n_words: int
    text_hash: str
    # A token from before there were thresholds lacks it.
    n_chosen: int = 0

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
            raise BadToken("This prediction is too old or was changed. Show the genres again.") from error
        fields["genres"] = [(slug, score) for slug, score in fields["genres"]]
        return cls(**fields)


def hash_text(text: str) -> str:
    """Return a keyed hash that is equal for texts that are equal once cleaned, line breaks aside.

    Keyed, so that nobody without the site's key can test whether a known text was pasted.
    """
    return salted_hmac("classifier.text", one_line(text), algorithm="sha256").hexdigest()


def choose_shown(prediction: CorePrediction) -> tuple[list[tuple[str, float]], int]:
    """Return the genres worth showing, and how many of them the model chose; these come first.

    At least three, at most five; one that is not chosen is beyond the third only above 10%.
    """
    chosen = prediction.chosen[:SHOWN_LIMIT]
    others = [genre for genre in prediction.scores if genre not in chosen][: SHOWN_LIMIT - len(chosen)]
    kept = [
        *chosen,
        *(
            genre
            for rank, genre in enumerate(others, start=len(chosen))
            if rank < SHOWN_MINIMUM or genre.score >= SHOWN_THRESHOLD
        ),
    ]
    return [(genre.slug, round(genre.score, 4)) for genre in kept], len(chosen)


def predict_text(text: str, *, source: str) -> Shown:
    """Predict the genres of ``text`` with the champion and store the prediction.

    Raises
    ------
    ModelError
        When no model can answer.
    """
    active = champion()
    start = time.perf_counter()
    prediction = active.model.predict(text)
    milliseconds = (time.perf_counter() - start) * 1000
    genres, n_chosen = choose_shown(prediction)
    shown = Shown(
        uid=str(uuid.uuid4()),
        number=active.number,
        version_id=active.version_id,
        source=source,
        genres=genres,
        abstained=prediction.abstained,
        n_words=prediction.n_words,
        text_hash=hash_text(text),
        n_chosen=n_chosen,
    )
    Prediction.objects.create(
        uid=shown.uid,
        version_id=shown.version_id,
        source=source,
        shown=shown.genres,
        abstained=shown.abstained,
        n_words=shown.n_words,
        milliseconds=round(milliseconds, 3),
        text_hash=shown.text_hash,
    )
    return shown
