"""The list of genres: canonical names, and how headings and labels in other spellings map to them."""

import hashlib
import html
import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeVar

from classifier.core.errors import GenreListError

CANONICAL_FILE = Path(__file__).with_name("genres.toml")
# The blank after a mark may also be the one before the next: "Fiction , , General" has an empty level.
_SEPARATOR = re.compile(r"\s+[,/>](?=\s)")
_Key = TypeVar("_Key")
_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


@dataclass(frozen=True)
class Genre:
    """One genre: ``slug`` for machines, ``name`` and one line of ``description`` for people."""

    slug: str
    name: str
    description: str = ""
    headings: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()


def slugify(name: str) -> str:
    """Return ``name`` as a slug of ASCII letters, digits and hyphens, or '' when none is left."""
    ascii_name = name.replace("'", "").encode("ascii", "ignore").decode()
    return "-".join(re.findall(r"[a-z0-9]+", ascii_name.lower()))


def split_heading(path: str) -> tuple[str, ...]:
    """Return the levels of a heading path, outermost first.

    Levels stand between `` , `` (the Kaggle file), `` / `` (BISAC) or `` > ``, always with blanks
    around, so that the plain comma of ``Body, Mind & Spirit`` stays. ``&amp,`` (the Kaggle file),
    ``&amp;`` and ``&`` are one spelling. ``none`` and empty levels are dropped.
    """
    unescaped = html.unescape(path.replace("&amp,", "&amp;"))
    levels = (level.strip() for level in _SEPARATOR.split(unescaped.strip()))
    kept = []
    for level in levels:
        # One row of the Kaggle file has "none, Irish, Scottish, Welsh" where a level was lost.
        level = re.sub(r"^none(?:,\s*|$)", "", level, flags=re.IGNORECASE)
        if level:
            kept.append(level)
    return tuple(kept)


def _key(label: str) -> str:
    label = re.sub(r"\band\b", "&", label.casefold().replace("’", "'"))
    return " ".join(re.sub(r"[^\w&/]+", " ", label).split())


class GenreList:
    """Genres in display order, with look-up by slug, name, alias or heading path.

    Parameters
    ----------
    genres : iterable of Genre
        At least one; slugs, names, aliases and headings must not collide.

    Raises
    ------
    GenreListError
        When it is empty, a slug is malformed, or two genres claim the same name or heading.
    """

    def __init__(self, genres: Iterable[Genre]) -> None:
        self._by_slug: dict[str, Genre] = {}
        self._by_name: dict[str, Genre] = {}
        self._by_heading: dict[tuple[str, ...], Genre] = {}
        for genre in genres:
            self._add(genre)
        if not self._by_slug:
            raise GenreListError("The list of genres is empty.")

    def _add(self, genre: Genre) -> None:
        if not _SLUG.fullmatch(genre.slug):
            raise GenreListError(f"{genre.slug!r} is not a slug: use small letters, digits and single hyphens.")
        if genre.slug in self._by_slug:
            raise GenreListError(f"The slug {genre.slug!r} stands twice.")
        self._by_slug[genre.slug] = genre
        # dict.fromkeys: a name may spell its own slug.
        # An empty key comes from a blank line in the admin's box; two genres may have one each.
        for name in filter(None, dict.fromkeys(_key(word) for word in (genre.slug, genre.name, *genre.aliases))):
            self._claim(self._by_name, name, genre)
        for heading in filter(None, map(split_heading, genre.headings)):
            self._claim(self._by_heading, tuple(map(_key, heading)), genre)

    @staticmethod
    def _claim(table: dict[_Key, Genre], key: _Key, genre: Genre) -> None:
        other = table.setdefault(key, genre)
        if other is not genre:
            raise GenreListError(f"{genre.name} and {other.name} both claim {key!r}.")

    def __iter__(self) -> Iterator[Genre]:
        return iter(self._by_slug.values())

    def __len__(self) -> int:
        return len(self._by_slug)

    def __contains__(self, slug: object) -> bool:
        return slug in self._by_slug

    def __getitem__(self, slug: str) -> Genre:
        return self._by_slug[slug]

    @property
    def slugs(self) -> tuple[str, ...]:
        """Slugs in display order."""
        return tuple(self._by_slug)

    @property
    def digest(self) -> str:
        """Names this list: another genre, name, alias, heading or order gives another digest."""
        return hashlib.sha256(repr(list(self)).encode()).hexdigest()[:16]

    def find(self, label: str) -> Genre | None:
        """Return the genre a label means, or None.

        A slug, name or alias in any capitals; else the genre whose heading is the longest beginning
        of the label read as a heading path.
        """
        named = self._by_name.get(_key(label))
        if named is not None:
            return named
        path = tuple(_key(level) for level in split_heading(label))
        for length in range(len(path), 0, -1):
            genre = self._by_heading.get(path[:length])
            if genre is not None:
                return genre
        return None


def read_genres(path: Path) -> GenreList:
    """Read a genre list from a TOML file shaped like ``genres.toml``.

    Raises
    ------
    GenreListError
        When the file is missing, is not TOML, or contradicts itself.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise GenreListError(f"{path} can't be read as a list of genres: {error}") from error
    try:
        for entry in table["genre"]:
            for key in ("headings", "aliases"):
                if not isinstance(entry.get(key, []), list):
                    raise GenreListError(f'{path}: {key} of {entry["slug"]} must be a list: ["…", "…"].')
        return GenreList(
            Genre(
                slug=entry["slug"],
                name=entry["name"],
                description=entry.get("description", ""),
                headings=tuple(entry.get("headings", ())),
                aliases=tuple(entry.get("aliases", ())),
            )
            for entry in table["genre"]
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise GenreListError(f"{path}: every [[genre]] needs a slug and a name ({error!r}).") from error


@cache
def canonical_genres() -> GenreList:
    """Return the genres this product ships."""
    return read_genres(CANONICAL_FILE)
