"""Corrections on which two reviewers differ, as a third person reads them."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, OuterRef, Subquery

from classifier.models import Genre
from classifier.wording import GenreLine, genre_lines
from feedback.models import Correction, Opinion
from feedback.review.deciding import may_settle

# More at once nobody reads; the next ones follow when these are settled.
SHOWN = 20


@dataclass(frozen=True)
class Side:
    """One reviewer's answer."""

    by: str
    genres: list[GenreLine]
    verdict: str


@dataclass(frozen=True)
class Conflict:
    """A correction that waits for a third person; ``may_settle`` says whether the reader is one."""

    correction: Correction
    shown: list[GenreLine]
    chosen: list[GenreLine]
    sides: list[Side]
    first_genres: list[Genre]
    other_genres: list[Genre]
    may_settle: bool


def open_conflicts(by: Any) -> list[Conflict]:
    """Return the oldest conflicts."""
    genres = list(Genre.objects.filter(retired=False))
    given = Opinion.objects.in_force().filter(correction=OuterRef("pk")).order_by()
    counts = given.values("correction").annotate(n=Count("pk")).values("n")
    rows = Correction.objects.filter(status=Correction.Status.PENDING).exclude(text="")
    rows = rows.alias(n_given=Subquery(counts)).filter(n_given__gte=2).order_by("pk")[:SHOWN]
    return [_conflict(row, genres, by) for row in rows]


def _conflict(row: Correction, genres: list[Genre], by: Any) -> Conflict:
    opinions = list(row.opinions.in_force())
    named = {slug for opinion in opinions for slug in opinion.genres}
    return Conflict(
        correction=row,
        shown=genre_lines(row.shown),
        chosen=genre_lines((slug, 0.0) for slug in row.chosen),
        sides=[
            Side(each.by, genre_lines((slug, 0.0) for slug in each.genres), each.get_verdict_display())
            for each in opinions
        ],
        first_genres=[genre for genre in genres if genre.slug in named],
        other_genres=[genre for genre in genres if genre.slug not in named],
        may_settle=may_settle(opinions, by),
    )
