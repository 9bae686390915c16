"""How the genres rise and fall through a long text: what the champion says of each passage, as a chart and a table.

The answer for the whole is the model's on the whole text, as everywhere else; docs/adr/0009 says why it is no mean of
the passages'. Before a very long text is read, what a sample of it says is shown as a first look, and stored nowhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from classifier.charts.drawing import lines
from classifier.charts.parts import STYLES, Axis, Chart, Series, Unit, percent
from classifier.core.errors import ModelError, TextError
from classifier.core.model import Prediction
from classifier.core.passages import Passage, sample, split_passages
from classifier.core.text import Reading, check_text
from classifier.predictions import Shown, choose_shown
from classifier.registry import champion
from classifier.wording import GenreLine, genre_lines, percentage, whole

# Shares as a chart writes them, in the reader's language.
SHARES = Unit(lambda share: percentage(percent(share).rstrip("%")), lambda share: percentage(100 * share))
# More lines than these can't be followed.
GENRES_DRAWN = 4
# Named beside a passage's text.
GENRES_NAMED = 3
# Reading a text of so many characters, passage by passage, takes a fifth of a second; a longer one gets a first look.
LOOK_FROM = 150_000
# 36,000 characters, read in a fiftieth of a second. How often their first genre is the whole's: docs/adr/0009.
_LOOK_PIECES, _LOOK_LENGTH = 24, 1500


@dataclass(frozen=True)
class Part:
    """A passage, and its reading."""

    passage: Passage
    reading: Reading


@dataclass(frozen=True)
class Read:
    """A passage as people read it: where it stands, its text, the nearest genres and their scores."""

    number: int
    place: str
    text: str
    n_words: int
    genres: Sequence[tuple[str, str]]
    is_first: bool
    is_last: bool

    @property
    def previous(self) -> int:
        """The number of the passage before."""
        return self.number - 1

    @property
    def next(self) -> int:
        """The number of the passage after."""
        return self.number + 1


@dataclass(frozen=True)
class Arc:
    """The chart and the passages it leads to."""

    chart: Chart
    passages: Sequence[Read]


def parts_of(reading: Reading) -> list[Part]:
    """Return the passages of a long text, none of a short one. Asked first, it saves taking the whole apart again."""
    passages = split_passages(reading.cleaned)
    if not passages:
        return []
    readings = reading.parts([(passage.start, passage.end) for passage in passages])
    return [Part(*pair) for pair in zip(passages, readings, strict=True)]


def arc_of(parts: Sequence[Part], shown: Shown) -> Arc | None:
    """Return how the genres of a text that was answered as ``shown`` go through its ``parts``.

    None for a short text, one without an answer, or when another version has become champion meanwhile.
    """
    active = champion()
    if not parts or not shown.genres or active.number != shown.number:
        return None
    said = [active.model.predict(part.reading) for part in parts]
    drawn = _drawn(said, shown)
    if not drawn:
        return None
    nearest = [choose_shown(prediction)[0][:GENRES_NAMED] for prediction in said]
    slugs = {*drawn, *(slug for pairs in nearest for slug, _ in pairs)}
    names = {line.slug: line.name for line in genre_lines((slug, 0.0) for slug in slugs)}
    return Arc(_chart(parts, said, drawn, names), _passages(parts, nearest, names))


def first_look(text: str) -> list[GenreLine]:
    """Return the genres of a sample of ``text``, best first; none where the sample tells nothing. Nothing is stored."""
    reading = Reading(sample(text, n_pieces=_LOOK_PIECES, length=_LOOK_LENGTH))
    try:
        check_text(reading)
        prediction = champion().model.predict(reading)
    except (TextError, ModelError):
        # Whoever reads the whole says so.
        return []
    return genre_lines(choose_shown(prediction)[0])


def _drawn(said: Sequence[Prediction], shown: Shown) -> list[str]:
    """Return the genres to draw: the whole's first, then those that the passages together give most."""
    totals: dict[str, float] = {}
    for prediction in said:
        for genre in prediction.scores:
            totals[genre.slug] = totals.get(genre.slug, 0.0) + genre.score
    first = shown.genres[0][0]
    others = sorted((slug for slug in totals if slug != first), key=lambda slug: (-totals[slug], slug))
    return [first, *others][:GENRES_DRAWN] if totals else []


def _chart(parts: Sequence[Part], said: Sequence[Prediction], drawn: Sequence[str], names: dict[str, str]) -> Chart:
    ends = _ends(parts)
    scores = [{genre.slug: genre.score for genre in prediction.scores} for prediction in said]
    axis = Axis(
        ends,
        [_("Passage %(number)s") % {"number": number} for number in range(1, len(parts) + 1)],
        [
            (0, _("Beginning")),
            (ends[-1] / 4, percentage(25)),
            (ends[-1] / 2, _("half")),
            (ends[-1] * 3 / 4, percentage(75)),
            (ends[-1], _("end")),
        ],
    )
    mean = round(ends[-1] / len(parts) / 10) * 10
    return lines(
        "arc",
        _("How the genres rise and fall"),
        axis=axis,
        series=[
            Series(names[slug], style, [score.get(slug) for score in scores])
            for slug, style in zip(drawn, STYLES, strict=False)
        ],
        unit=SHARES,
        top=0.5,
        note=ngettext(
            "%(n)s passage of about %(words)s words, from the beginning to the end. Choose one to read it.",
            "%(n)s passages of about %(words)s words, from the beginning to the end. Choose one to read it.",
            len(parts),
        )
        % {"n": len(parts), "words": whole(mean)},
        hrefs=[f"#passage-{number}" for number in range(1, len(parts) + 1)],
    )


def _passages(
    parts: Sequence[Part], nearest: Sequence[Sequence[tuple[str, float]]], names: dict[str, str]
) -> list[Read]:
    ends = _ends(parts)
    return [
        Read(
            number=number,
            place=_("from %(start)s to %(end)s")
            % {
                "start": percentage(round(100 * ends[number - 1] / ends[-1])),
                "end": percentage(round(100 * ends[number] / ends[-1])),
            },
            text=part.reading.text,
            n_words=part.passage.n_words,
            genres=[(names[slug], SHARES.write(score)) for slug, score in pairs],
            is_first=number == 1,
            is_last=number == len(parts),
        )
        for number, (part, pairs) in enumerate(zip(parts, nearest, strict=True), start=1)
    ]


def _ends(parts: Sequence[Part]) -> list[int]:
    """Return the words before each passage, and all of them."""
    return [0, *accumulate(part.passage.n_words for part in parts)]
