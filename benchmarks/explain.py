"""``make bench-explain``: what it costs to say why, beside the answer alone; and whether the reasons are the reasons.

Cost: the shipped recipe on texts of about 100 words; an answer alone, an answer with what each word adds, and all that
the result page shows of it (words found again in the text, marked and listed; nearest passages). ``ratio_to_predict`` is
the second by the first, of medians.

Deletion: of 500 texts that the model was not trained on, each without the three words that speak most for its first genre and
without three others drawn at random among those the model knows. ``deletion_wins`` is the share of texts in which the
first lowers the genre's score more; they are of the pinned four files' test side under GENRE_DATA_DIR, and left out without them.
"""

import os
import random
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import django

from benchmarks.report import QUICK, publish
from classifier.core.explain import END_OF_LINE, explain
from classifier.core.genres import canonical_genres
from classifier.core.highlight import highlight, word_places
from classifier.core.model import GenreModel
from classifier.core.neighbours import place_neighbours
from classifier.core.text import Reading
from training.core.books import Example
from training.core.calibration import fit_scores, held_scores
from training.core.corpora import STARTER_FILE, read_corpus
from training.core.fit import fit, recommended
from training.core.four_files import FOUR_FILES
from training.core.pinned import read_four_files
from training.core.split import frozen_split
from training.core.starter import passages_of
from training.core.vectors import BOOK_VECTORS, load_vectors

ROOT = Path(__file__).resolve().parents[1]
ROUNDS = 3 if QUICK else 15
N_TIMED = 200
N_DELETED, N_TEXTS = 3, 50 if QUICK else 500


@dataclass(frozen=True)
class Deletion:
    """How much the first genre's score fell in each text: without its heaviest words, and without others."""

    heaviest: list[float]
    random: list[float]

    @property
    def wins(self) -> float:
        """The share of texts in which the heaviest words lowered it more."""
        pairs = list(zip(self.heaviest, self.random, strict=True))
        return sum(ours > theirs for ours, theirs in pairs) / len(pairs)


def shipped_model(examples: Sequence[Example]) -> GenreModel:
    """Train as ``ensure_model`` does, on the train side, and calibrate."""
    train = [examples[at] for at in frozen_split(examples).train]
    vectors = load_vectors(BOOK_VECTORS)
    parameters = recommended(len(train), with_vectors=True)
    model = fit(train, parameters, vectors=vectors)
    held = held_scores(train, parameters, starter=STARTER_FILE.name, vectors=vectors)
    model.calibrate(fit_scores(held) if held else None)
    return model


def without(text: str, words: Sequence[str]) -> str:
    """Return the text without the places in which any of ``words`` stands."""
    kept, at = [], 0
    for place in word_places(text):
        if set(words) & set(place.words):
            kept.append(text[at : place.start])
            at = place.end
    return "".join([*kept, text[at:]])


def delete_words(model: GenreModel, texts: Sequence[str], n_texts: int, *, seed: int = 0) -> Deletion:
    """Delete words from the first ``n_texts`` that the model answers and of which it knows twice as many words."""
    found, chance = Deletion([], []), random.Random(seed)
    for text in texts:
        if len(found.heaviest) == n_texts:
            break
        said = model.predict(text)
        if not said.scores:
            continue
        genre = said.scores[0]
        parts = explain(model, text).contributions(genre.slug, against_others=True)
        words = [word for word, _ in parts if word != END_OF_LINE]
        if len(words) < 2 * N_DELETED:
            continue
        for drops, deleted in (
            (found.heaviest, words[:N_DELETED]),
            (found.random, chance.sample(sorted(words), N_DELETED)),
        ):
            left = dict(model.predict(without(text, deleted)).scores)
            drops.append(genre.score - left.get(genre.slug, 0.0))
    return found


def unseen_texts(folder: Path) -> list[str]:
    """Return texts of the four files' test side, shuffled; the shipped word vectors know words from them, no more."""
    texts = [each.example.text for each in read_four_files(folder, canonical_genres()) if each.side == "test"]
    random.Random(0).shuffle(texts)
    return texts


def timed(calls: dict[str, Callable[[str], Any]], texts: Sequence[str]) -> dict[str, list[float]]:
    """Return microseconds a text of each round, the calls in turn."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(ROUNDS):
        for name, call in calls.items():
            start = time.perf_counter()
            for text in texts:
                call(text)
            times[name].append((time.perf_counter() - start) / len(texts) * 1e6)
    return times


def main() -> None:
    """Measure and publish."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "genre_site.settings")
    django.setup()
    # They need Django's settings.
    from classifier.why import mark_text, reasons_of
    from classifier.wording import GenreLine

    examples = read_corpus(STARTER_FILE, canonical_genres()).examples
    model = shipped_model(examples)
    model.meta["model_sha256"] = ""
    neighbours = place_neighbours(model, passages_of(examples), [example.text for example in examples])
    assert neighbours is not None
    texts = [example.text for example in examples if 90 <= len(example.text.split()) <= 110][:N_TIMED]

    def explained(text: str) -> None:
        reading = Reading(text)
        model.predict(reading)
        explain(model, reading)

    def page(text: str) -> None:
        reading = Reading(text)
        slugs = [genre.slug for genre in model.predict(reading).top(5)]
        explanation = explain(model, reading)
        mark_text(text, highlight(reading, explanation, slugs, against_others=True))
        for number, slug in enumerate(slugs, start=1):
            reasons_of(number, GenreLine(slug, slug, "", 0.0, 0, ""), explanation)
        neighbours.nearest(explanation.direction, text)

    times = timed({"predict": model.predict, "predict + explain": explained, "predict + page": page}, texts)
    medians = {name: statistics.median(values) for name, values in times.items()}
    rows = [
        {"what": name, "microseconds_per_text": medians[name], "min": min(values), "max": max(values)}
        for name, values in times.items()
    ]
    facts: dict[str, Any] = {
        "ratio_to_predict": round(medians["predict + explain"] / medians["predict"], 2),
        "page_ratio_to_predict": round(medians["predict + page"] / medians["predict"], 2),
        "texts": len(texts),
        "words_per_text": round(statistics.mean(len(text.split()) for text in texts)),
    }
    data = Path(os.environ.get("GENRE_DATA_DIR") or ROOT / "data")
    if (data / FOUR_FILES).exists():
        found = delete_words(model, unseen_texts(data), N_TEXTS)
        facts |= {
            "deletion_texts": len(found.heaviest),
            "deletion_wins": round(found.wins, 3),
            "deletion_mean_drop": round(statistics.mean(found.heaviest), 3),
            "deletion_mean_drop_random": round(statistics.mean(found.random), 3),
        }
    publish("explain", rows, **facts)


if __name__ == "__main__":
    main()
