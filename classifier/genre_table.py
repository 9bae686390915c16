"""The genre table as a ``GenreList``, and seeding it from ``genres.toml``."""

from django.db import DatabaseError

from classifier.core.genres import GenreList, canonical_genres
from classifier.models import Genre


def sync_genres(*, using: str = "default") -> int:
    """Add the shipped genres the table lacks and return how many; nothing is changed or deleted."""
    known = set(Genre.objects.using(using).values_list("slug", flat=True))
    names = set(Genre.objects.using(using).values_list("name", flat=True))
    missing = [
        Genre(
            slug=genre.slug,
            name=genre.name,
            description=genre.description,
            headings="\n".join(genre.headings),
            aliases="\n".join(genre.aliases),
        )
        for genre in canonical_genres()
        if genre.slug not in known and genre.name not in names
    ]
    Genre.objects.using(using).bulk_create(missing)
    return len(missing)


def genres_at_hand() -> GenreList:
    """Return the table as a ``GenreList``; the shipped genres where no database answers, or it has none yet."""
    try:
        if Genre.objects.filter(retired=False).exists():
            return current_genres()
    except DatabaseError:
        pass
    return canonical_genres()


def current_genres() -> GenreList:
    """Return the table as a ``GenreList``; retired genres are left out. One query."""
    return GenreList(genre.as_core() for genre in Genre.objects.filter(retired=False))
