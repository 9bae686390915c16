"""Texts of the starter corpus that the page offers for a first try."""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

STARTER_FILE = Path(__file__).resolve().parent.parent / "training" / "assets" / "starter_books.csv"
# Books of the frozen test side: the model never trained on them, so the answers are honest.
TITLES = (
    "The Wet Room",
    "The Perihelion Accord",
    "Two Front Doors",
    "Salt, Credit and Canvas",
    "Tram 9, Tram 11",
    "Wrong Platform: Europe by Mistake",
)


@dataclass(frozen=True)
class SampleText:
    """A title and its text; ``slug`` names it in addresses."""

    slug: str
    title: str
    text: str


@cache
def sample_texts() -> dict[str, SampleText]:
    """Return the samples by slug, in the order of ``TITLES``; none when the file is absent."""
    from classifier.core.genres import slugify

    if not STARTER_FILE.exists():
        return {}
    with STARTER_FILE.open(encoding="utf-8", newline="") as stream:
        texts = {row["title"]: row["description"] for row in csv.DictReader(stream)}
    samples = (SampleText(slugify(title), title, texts[title]) for title in TITLES if title in texts)
    return {sample.slug: sample for sample in samples}
