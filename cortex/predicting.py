"""From what a body says to what the model answers: one text, or many of which some may be unusable."""

import math
import time
from collections.abc import Sequence
from typing import Any

from classifier.core.errors import TextError
from classifier.core.marks import sabotage_of
from classifier.core.model import GenreModel
from classifier.core.text import Reading, check_text
from cortex.noting import Notes
from cortex.wire import Problem

# More than fit into a batch of Cortex (256 KiB) as texts of five words; bounds the memory that an answer takes.
MAX_ITEMS = 10_000
MAX_LIMIT = 100


def predict_one(model: GenreModel, item: Any, notes: Notes) -> dict[str, Any]:
    """Return the answer to ``{"text": …, "limit": 5, "threshold": 0}``, and take note of it.

    Raises
    ------
    Problem
    """
    if not isinstance(item, dict) or not isinstance(text := item.get("text"), str):
        raise Problem(422, 'The body needs a string "text".')
    limit, threshold = item.get("limit", 5), item.get("threshold", 0.0)
    if type(limit) is not int or not 1 <= limit <= MAX_LIMIT or not _is_number(threshold):
        raise Problem(422, f'"limit" must be 1 to {MAX_LIMIT} and "threshold" a number.')
    began = time.perf_counter()
    try:
        text.encode()
        reading = Reading(text)
        check_text(reading)
    except UnicodeEncodeError as error:
        raise Problem(400, "The text holds half of a surrogate pair, which is no character.") from error
    except TextError as error:
        raise Problem(422, str(error)) from error
    prediction = model.predict(reading)
    name = notes.take(reading, prediction, time.perf_counter() - began)
    return {
        "prediction_id": name,
        "results": [{"slug": genre.slug, "score": genre.score} for genre in prediction.top(limit, threshold)],
        "chosen": [genre.slug for genre in prediction.chosen],
        "abstained": bool(prediction.abstained),
        "reason": prediction.abstained or None,
        "model_sha256": model.meta["model_sha256"],
        "sabotage": sabotage_of(model.meta) or None,
    }


def predict_each(model: GenreModel, items: Sequence[Any], notes: Notes) -> list[dict[str, Any]]:
    """Return an answer for each item, in their order; ``{"error": …}`` for one that can't be read.

    An item is an object as for ``predict_one``, or the text alone.

    Raises
    ------
    Problem
        When there are more than ``MAX_ITEMS``.
    """
    if len(items) > MAX_ITEMS:
        raise Problem(413, f"At most {MAX_ITEMS:,} texts can be read at once; these are {len(items):,}.")
    answers = []
    for item in items:
        try:
            answers.append(predict_one(model, {"text": item} if isinstance(item, str) else item, notes))
        except Problem as problem:
            answers.append({"error": problem.as_json()})
    return answers


def _is_number(value: Any) -> bool:
    # A whole number may be too large for a float.
    return (isinstance(value, int) and not isinstance(value, bool)) or (
        isinstance(value, float) and math.isfinite(value)
    )
