"""What a file of labelled books becomes: examples, and an account of every row."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from classifier.core.genres import GenreList

# Under this many words a description says nothing about its book ("No description available.").
MIN_WORDS = 5

NO_TEXT = "no text"
SHORT_TEXT = f"text of fewer than {MIN_WORDS} words"
NO_LABEL = "no genre given"
NO_GENRE = "no label that maps to a genre"
DELETED = "deleted by whoever sent it, or as old"
SAME_TEXT = "same text and labels as an earlier row"


@dataclass(frozen=True)
class Example:
    """One book or text with its genres.

    ``genres`` are slugs, the primary genre first. ``row`` counts the file's data rows from 1, and
    ``n_rows`` of them hold this text; ``uid`` names the correction an example of feedback came from. ``document_ids``
    are those that the rows of a file have: in an export of corrections their receipts.
    """

    text: str
    genres: tuple[str, ...]
    title: str = ""
    author: str = ""
    source: str = ""
    row: int = 0
    uid: str = ""
    n_rows: int = 1
    document_ids: tuple[str, ...] = ()


@dataclass
class Corpus:
    """The examples of one file, which is at ``path``, and the account of its rows.

    ``n_rows == n_used_rows + sum(map(len, unusable.values()))``; ``unusable`` maps a reason to the
    numbers of its rows; ``unmapped`` counts labels that mean no genre; ``notes`` are findings for people;
    ``genres_digest`` is that of the ``GenreList``.
    """

    name: str
    file_format: str
    sha256: str = ""
    n_rows: int = 0
    examples: list[Example] = field(default_factory=list)
    unusable: dict[str, list[int]] = field(default_factory=dict)
    unmapped: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    path: Path | None = None
    genres_digest: str = ""

    @property
    def key(self) -> str:
        """Names what was read: the file's content, and the genres that its labels were mapped to."""
        return f"{self.sha256}-{self.genres_digest}"

    @property
    def n_used_rows(self) -> int:
        """Rows that contribute to an example."""
        return self.n_rows - sum(map(len, self.unusable.values()))

    def refuse(self, row: int, reason: str) -> None:
        """Record that ``row`` is not used."""
        self.unusable.setdefault(reason, []).append(row)

    def genre_counts(self) -> Counter[str]:
        """Return how many examples have each genre (slugs)."""
        return Counter(slug for example in self.examples for slug in example.genres)

    def account(self) -> dict[str, object]:
        """Return the account as plain data, for ``meta.json`` and reports."""
        return {
            "name": self.name,
            "format": self.file_format,
            "sha256": self.sha256,
            "rows": self.n_rows,
            "used_rows": self.n_used_rows,
            "examples": len(self.examples),
            "unusable_rows": {reason: len(rows) for reason, rows in self.unusable.items()},
            "unmapped_labels": dict(self.unmapped.most_common()),
        }


def map_labels(labels: Iterable[str], genres: GenreList, unmapped: Counter[str]) -> list[str]:
    """Return the slug of each label that means a genre; count the others in ``unmapped``."""
    slugs = []
    for label in labels:
        genre = genres.find(label)
        if genre is None:
            unmapped[label] += 1
        else:
            slugs.append(genre.slug)
    return slugs


def by_frequency(counts: Counter[str]) -> tuple[str, ...]:
    """Return the keys, most frequent first; equal counts in the order first seen."""
    return tuple(slug for slug, _ in counts.most_common())
