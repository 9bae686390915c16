"""Many texts of one table: the champion's answer for each, what is least certain first. No text is stored."""

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.conf import settings

from classifier.core.errors import TextError
from classifier.core.sheet import Sheet
from classifier.core.text import Reading, check_text
from classifier.models import Genre, Prediction
from classifier.predictions import Shown, ask_many
from classifier.wording import ABSTENTIONS, genre_words, in_words, percentage, refusal

MOST_ROWS = 5000
# Rows on the page; the file has all. More take a browser longer to draw than the model to read them.
SHOWN_ROWS = 200
# So many characters of a text are shown, to recognise it by.
_EXCERPT = 110
COLUMNS = ("predicted_genre", "score", "likelihood", "other_genres", "no_answer_because", "model_version")


@dataclass(frozen=True)
class Line:
    """What is said of one row: its number in the table, the beginning of its text, genres with scores, or why there are none.

    With ``problem`` the genres are the closest guesses, or none.
    """

    row: int
    excerpt: str
    genres: Sequence[tuple[str, float]]
    problem: str
    version: str

    @property
    def name(self) -> str:
        """The first genre."""
        return self.genres[0][0] if self.genres else ""

    @property
    def score(self) -> float:
        """The first genre's score; 0 for none."""
        return self.genres[0][1] if self.genres else 0.0

    @property
    def percent(self) -> int:
        """The score as people write it."""
        return round(self.score * 100)

    @property
    def written_percent(self) -> str:
        """The percentage with its sign."""
        return percentage(self.percent)

    @property
    def words(self) -> str:
        """The score in words."""
        return in_words(self.score)

    @property
    def second(self) -> str:
        """The second genre with its score; '' for none."""
        return f"{self.genres[1][0]} {percentage(round(100 * self.genres[1][1]))}" if len(self.genres) > 1 else ""

    def cells(self) -> list[str]:
        """Return what is added to the row, in the order of ``COLUMNS``. A closest guess is no predicted genre."""
        others = " | ".join(f"{name} {score:.2f}" for name, score in self.genres[0 if self.problem else 1 :])
        if self.problem:
            return ["", "", "", others, self.problem, self.version]
        return [self.name, f"{self.score:.4f}", self.words, others, "", self.version]


@dataclass(frozen=True)
class Answers:
    """What is said of all rows of a table, in its order."""

    sheet: Sheet
    lines: Sequence[Line]

    def uncertain_first(self) -> list[Line]:
        """Return the rows without an answer, then the others by their scores, the lowest first."""
        return sorted(self.lines, key=lambda line: (not line.problem, line.score, line.row))

    def csv(self) -> str:
        """Return the table with ``COLUMNS`` added."""
        return self.sheet.with_columns(COLUMNS, (line.cells() for line in self.lines))

    def link(self) -> str:
        """Return an address that holds the file itself, so that nothing is kept here to be fetched."""
        # With a byte order mark, by which spreadsheets know UTF-8.
        return "data:text/csv;base64," + base64.b64encode(self.csv().encode("utf-8-sig", "replace")).decode()


def answer(sheet: Sheet) -> Answers:
    """Return what the champion says of each row, and store the predictions.

    Raises
    ------
    ModelError
        When no model can answer.
    """
    names = {slug: genre_words(name) for slug, name in Genre.objects.values_list("slug", "name")}
    texts, problems = sheet.texts(), {}

    def readable() -> Iterator[Reading]:
        # One after the other: the words of all texts at once would be some hundred megabytes.
        for row, text in enumerate(texts, start=1):
            reading = Reading(text)
            try:
                check_text(reading, max_bytes=settings.GENRE_MAX_TEXT_BYTES)
            except TextError as error:
                problems[row] = Line(row, _excerpt(text), (), refusal(error).split(". ")[0].rstrip(".:") + ".", "")
            else:
                yield reading

    shown = iter(ask_many(readable(), source=Prediction.Source.SEVERAL))
    lines = [problems.get(row) or _line(row, text, next(shown), names) for row, text in enumerate(texts, start=1)]
    return Answers(sheet, lines)


def _line(row: int, text: str, shown: Shown, names: dict[str, str]) -> Line:
    genres = [(names.get(slug, slug), score) for slug, score in shown.genres]
    return Line(row, _excerpt(text), genres, str(ABSTENTIONS.get(shown.abstained, shown.abstained)), str(shown.number))


def _excerpt(text: str) -> str:
    excerpt = " ".join(text[: 4 * _EXCERPT].split())
    return excerpt if len(excerpt) <= _EXCERPT else f"{excerpt[:_EXCERPT].rstrip()}…"
