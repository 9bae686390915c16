"""Scores in words, for people who would rather read than compare percentages."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from classifier.models import Genre

# Lower bounds; the words people use for such odds, after Kent's scale of estimative probability,
# with fewer steps because the scores are not that sharp.
WORDS = ((0.8, "very likely"), (0.5, "likely"), (0.2, "possibly"), (0.0, "unlikely"))
STANDS_OUT = 0.2
ABSTENTIONS = {
    "not-english": "This does not read like English, the only language this model has learned.",
    "not-prose": "This reads like a list, a table or code. The model has learned from prose alone.",
    "no-words": "There are no words in this text.",
    "no-genre": "The model is not sure enough of any genre for this text. The closest ones are below.",
    "nothing-known": "Not one word of this text occurs in what the model was trained on. It may be in another language.",
}


@dataclass(frozen=True)
class GenreLine:
    """One line of a result."""

    slug: str
    name: str
    description: str
    score: float
    percent: int
    words: str


def in_words(score: float) -> str:
    """Return the word for a score in [0, 1]."""
    return next(word for bound, word in WORDS if score >= bound)


def genre_lines(pairs: Iterable[tuple[str, float]]) -> list[GenreLine]:
    """Return lines for (slug, score) pairs; one query. A genre that is gone keeps its slug as name."""
    return _lines([(slug, "", score) for slug, score in pairs])


def lines_of(results: Iterable[dict[str, Any]]) -> list[GenreLine]:
    """Return lines for the results of an answer of before; one query. Genres keep the names that they had then."""
    return _lines([(each["slug"], each["name"], each["score"]) for each in results])


def _lines(named: list[tuple[str, str, float]]) -> list[GenreLine]:
    rows = {row.slug: row for row in Genre.objects.filter(slug__in=[slug for slug, _, _ in named])}
    return [
        GenreLine(
            slug=slug,
            name=name or (rows[slug].name if slug in rows else slug),
            description=rows[slug].description if slug in rows else "",
            score=score,
            percent=round(score * 100),
            words=in_words(score),
        )
        for slug, name, score in named
    ]
