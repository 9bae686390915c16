"""``make bench-whole``: how the answer for a whole long text is best made of a model that learned from short ones (ADR 9).

Long texts are made of the pinned test side's descriptions below GENRE_DATA_DIR, which the starter model has not seen: a share of
them of one genre, the others of any. Compared are the model on the whole text, the same calibrated as for a text of 400 words, and
the mean of what it says of passages. *Brier* is the squared error of the first genre's score as a probability of being right.
"""

import random
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from benchmarks.report import QUICK, publish
from classifier.core.genres import canonical_genres
from classifier.core.model import GenreModel
from classifier.core.passages import split_passages
from classifier.core.text import Reading
from training.core.pinned import read_four_files

SHARES = {"one genre": 1.0, "half": 0.5, "a third": 0.3}
LENGTHS = (5,) if QUICK else (20, 100)
N_TEXTS = 6 if QUICK else 64
# Genres with fewer descriptions would repeat them too often.
LEAST_DESCRIPTIONS = 20
CAP = 400
PASSAGES = (250, 1000)

Scores = dict[str, float]


def ways(model: GenreModel, text: str) -> dict[str, Scores]:
    """Return the scores of each way to answer for the whole."""
    reading = Reading(text)
    found = {"whole": dict(model.predict(reading).scores)}
    raw = model.predict(reading, calibrated=False).scores
    if model.calibration is not None:
        found[f"whole, as {CAP} words"] = dict(model.calibration.apply(raw, min(CAP, len(reading.content_words))))
    for words in PASSAGES:
        passages = split_passages(reading.cleaned, least_words=words, most_passages=sys.maxsize)
        said = [dict(model.predict(reading.cleaned[each.start : each.end]).scores) for each in passages]
        if kept := [scores for scores in said if scores]:
            found[f"mean of {words} words"] = mean(kept)
    return found


def mean(said: Sequence[Scores]) -> Scores:
    """Return the mean score of each genre."""
    return {slug: sum(scores[slug] for scores in said) / len(said) for slug in said[0]}


def main() -> int:
    """Make texts, ask, publish."""
    from django.conf import settings

    from classifier.registry import champion

    model = champion().model
    by_genre = defaultdict(list)
    for pinned in read_four_files(Path(settings.GENRE_DATA_DIR), canonical_genres()):
        if pinned.side == "test":
            by_genre[pinned.example.genres[0]].append(pinned.example.text)
    everything = [text for texts in by_genre.values() for text in texts]
    genres = [slug for slug, texts in by_genre.items() if len(texts) >= LEAST_DESCRIPTIONS]
    chance, rows = random.Random(3), []
    for kind, share in SHARES.items():
        for length in LENGTHS:
            outcomes: dict[str, list[tuple[bool, float]]] = defaultdict(list)
            for number in range(N_TEXTS):
                genre = genres[number % len(genres)]
                picked = [
                    chance.choice(by_genre[genre] if chance.random() < share else everything) for _ in range(length)
                ]
                for way, scores in ways(model, "\n\n".join(picked)).items():
                    first = max(scores, key=lambda slug: scores[slug])
                    outcomes[way].append((first == genre, scores[first]))
            for way, each in outcomes.items():
                # Texts too short for passages of that length have no such answer.
                if len(each) < N_TEXTS:
                    continue
                rows.append(
                    {
                        "texts": kind,
                        "descriptions": length,
                        "answer": way,
                        "accuracy": sum(right for right, _ in each) / len(each),
                        "mean_score": sum(score for _, score in each) / len(each),
                        "brier": sum((score - right) ** 2 for right, score in each) / len(each),
                    }
                )
    publish("whole", rows, n_texts=N_TEXTS)
    return 0


if __name__ == "__main__":
    import os

    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "genre_site.settings")
    django.setup()
    sys.exit(main())
