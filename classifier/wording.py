"""What people read of scores, genres and refusals, in their language; also for those who would rather not compare percentages."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext, ngettext, pgettext
from django.utils.translation import gettext_lazy as _

from classifier.core.errors import GenreError, Said
from classifier.models import Genre

# Lower bounds; the words people use for such odds, after Kent's scale of estimative probability,
# with fewer steps because the scores are not that sharp.
WORDS = ((0.8, _("very likely")), (0.5, _("likely")), (0.2, _("possibly")), (0.0, _("unlikely")))
STANDS_OUT = 0.2
ABSTENTIONS = {
    "not-english": _("This does not read like English, the only language this model has learned."),
    "not-prose": _("This reads like a list, a table or code. The model has learned from prose alone."),
    "no-words": _("There are no words in this text."),
    "no-genre": _("The model is not sure enough of any genre for this text. The closest ones are below."),
    "nothing-known": _(
        "Not one word of this text occurs in what the model was trained on. It may be in another language."
    ),
}


@dataclass(frozen=True)
class GenreWords:
    """A genre as people are offered it."""

    slug: str
    name: str
    description: str


@dataclass(frozen=True)
class GenreLine(GenreWords):
    """One line of a result."""

    score: float
    percent: int
    words: str

    @property
    def written_percent(self) -> str:
        """The percentage with its sign."""
        return percentage(self.percent)


def in_words(score: float) -> str:
    """Return the word for a score in [0, 1]."""
    return str(next(word for bound, word in WORDS if score >= bound))


def percentage(percent: float | str) -> str:
    """Return a percentage, a text of it for other digits, with its sign; languages differ in the blank between them."""
    return gettext("%(percent)s%%") % {
        "percent": number_format(percent if isinstance(percent, str) else f"{percent:g}")
    }


def genre_words(own: str) -> str:
    """Return a genre's name or description in the reader's language, where the shipped genre has it there.

    What an operator has written is shown as it is.
    """
    return pgettext("genre", own) if own else ""


def refusal(error: GenreError) -> str:
    """Return what an error of the core says, in the reader's language: the core speaks English alone."""
    sentence = ngettext(error.sentence, error.plural, error.figures["n"]) if error.plural else gettext(error.sentence)
    return sentence % {name: _figure(value) for name, value in error.figures.items()} if error.figures else sentence


def _figure(value: int | str) -> str:
    if isinstance(value, Said):
        return gettext(value)
    return value if isinstance(value, str) else whole(value)


def whole(number: int) -> str:
    """Return a whole number in groups of three digits."""
    return str(number_format(number, use_l10n=True, force_grouping=True))


def genres_offered() -> list[GenreWords]:
    """Return the genres that people may choose from, by their names in the reader's language; one query."""
    rows = Genre.objects.filter(retired=False)
    offered = (GenreWords(row.slug, genre_words(row.name), genre_words(row.description)) for row in rows)
    return sorted(offered, key=lambda genre: genre.name.casefold())


def genre_lines(pairs: Iterable[tuple[str, float]]) -> list[GenreLine]:
    """Return lines for (slug, score) pairs; one query. A genre that is gone keeps its slug as name."""
    return _lines([(slug, "", score) for slug, score in pairs])


def lines_of(results: Iterable[dict[str, Any]]) -> list[GenreLine]:
    """Return lines for the results of an answer of before; one query. Genres keep the names that they had then."""
    return _lines([(each["slug"], each["name"], each["score"]) for each in results])


def _lines(named: list[tuple[str, str, float]]) -> list[GenreLine]:
    rows = {row.slug: row for row in Genre.objects.filter(slug__in=[slug for slug, *_rest in named])}
    return [
        GenreLine(
            slug=slug,
            name=genre_words(name or (rows[slug].name if slug in rows else slug)),
            description=genre_words(rows[slug].description) if slug in rows else "",
            score=score,
            percent=round(score * 100),
            words=in_words(score),
        )
        for slug, name, score in named
    ]
