"""What a model said of a text, as programs get it: the one shape of the API, of copies and of shared results."""

import json
import time
from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _

from classifier.models import Genre
from classifier.predictions import Shown
from classifier.registry import CHAMPION
from classifier.wording import genre_words, in_words, percentage

# Names of genres are read again after so many seconds.
_NAMES_SECONDS = 1.0
_DIGITS = 6
# Without being asked, and of a model that can't tell its words apart.
UNEXPLAINED: dict[str, Any] = {"explanation": None, "reads_like": None}


def suggestion(*, uid: str | None, scores: Iterable[tuple[str, float, bool]], abstained: str) -> dict[str, Any]:
    """Return what was said of one text. ``scores`` are (slug, score, whether the model chose it), best first."""
    names = genre_names()
    return {
        "prediction_id": uid,
        "results": [
            {"slug": slug, "name": names.get(slug, slug), "score": round(score, _DIGITS), "chosen": is_chosen}
            for slug, score, is_chosen in scores
        ],
        "abstained": bool(abstained),
        "reason": abstained or None,
    }


def reference(number: int, sabotage: str) -> dict[str, Any]:
    """Return which version said it."""
    return {"alias": CHAMPION, "version": number, "sabotage": sabotage or None}


def answer_of(shown: Shown) -> dict[str, Any]:
    """Return what a visitor was shown as the API answers it, to be handed on.

    Without the prediction's id: who has it and the text may send the correction of that prediction to the API, and is
    answered the receipt of the author's own where there is one.
    """
    scores = ((slug, score, rank < shown.n_chosen) for rank, (slug, score) in enumerate(shown.genres))
    said = suggestion(uid=None, scores=scores, abstained=shown.abstained)
    return {"model": reference(shown.number, shown.sabotage)} | said | UNEXPLAINED


def as_json(answer: dict[str, Any]) -> str:
    """Return an answer as people read JSON."""
    return json.dumps(answer, indent=2, ensure_ascii=False)


def as_text(answer: dict[str, Any]) -> str:
    """Return an answer in lines, to be pasted into a letter or a note."""
    lines = [
        f"{genre_words(each['name'])}: {percentage(round(each['score'] * 100))} ({in_words(each['score'])})"
        for each in answer["results"]
    ]
    n_chosen = sum(each["chosen"] for each in answer["results"])
    if answer["abstained"]:
        lines.insert(0, _("Not sure enough of any genre. The closest:"))
    elif 0 < n_chosen < len(lines):
        lines.insert(n_chosen, _("Not sure enough:"))
    sabotage = answer["model"]["sabotage"]
    figures = {"version": answer["model"]["version"], "sabotage": sabotage}
    if sabotage:
        by = _("Genre Detector, model version %(version)s, made bad on purpose (%(sabotage)s)") % figures
    else:
        by = _("Genre Detector, model version %(version)s") % figures
    return "\n".join([*lines, by])


_named_at: tuple[float, dict[str, str]] = (float("-inf"), {})


def genre_names() -> dict[str, str]:
    """Return the genres' names by slug, at most a second old."""
    global _named_at
    at, names = _named_at
    if time.monotonic() - at > _NAMES_SECONDS:
        names = dict(Genre.objects.values_list("slug", "name"))
        _named_at = (time.monotonic(), names)
    return names
