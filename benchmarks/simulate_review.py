"""``make simulate-review``: how many reviews the queue's order saves, and how well it finds wrong labels.

- Order: a model that has learned from a few labelled texts meets a pool whose labels are hidden. A reviewer reveals them,
  100 at a time, in the queue's order or in random order; after each 100 the model is trained anew and measured on
  texts of the test side. The target is the macro-F1 that random order has reached at its end (mean of its last three
  measurements); what counts is how many reviews each order needs to get there.
- Labels: a tenth of the texts get another genre. What is found among the first 100 of the queue of suspected labels is set
  against the tenth.

On the four files under GENRE_DATA_DIR, or on the starter corpus where they are absent. The order was settled on the seeds 101 to
103; what is measured here are others. Real fastText, one thread; word vectors are learned from what is labelled at
the time and nothing else. People's disagreement with the model plays no part: here nobody has said anything yet.
"""

import os
import random
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import f1_score

from benchmarks.report import QUICK, publish
from classifier.core.genres import canonical_genres
from classifier.core.model import GenreModel
from training.core.baselines import known_slugs, label_matrix, primary_columns
from training.core.books import Example
from training.core.corpora import STARTER_FILE, read_corpus
from training.core.fit import fit, recommended
from training.core.four_files import FOUR_FILES
from training.core.label_errors import suspicions
from training.core.pinned import read_four_files
from training.core.review_order import novelty, review_order
from training.core.split import frozen_split
from training.core.vectors import teach

NAME = "simulate_review"
SEEDS = range(1, 2 if QUICK else 6)
BATCH = 100
FIRST = 100
PLANTED = 0.1
ORDERS = ("random", "queue")
WANTED_SAVING, WANTED_LIFT = 0.25, 3.0


class Setting:
    """Texts with hidden labels, texts to measure on, and how many of each are used."""

    def __init__(self, name: str, train: Sequence[Example], test: Sequence[Example], sizes: dict[str, int]) -> None:
        self.name, self.train, self.test, self.sizes = name, train, test, sizes
        self.slugs = known_slugs(train, test)


def read_setting() -> Setting:
    """Return the four files' sides, or those of the starter corpus."""
    genres, folder = canonical_genres(), Path(os.environ.get("GENRE_DATA_DIR") or "data")
    if (folder / FOUR_FILES).exists():
        pinned = read_four_files(folder, genres)
        train, test = ([one.example for one in pinned if one.side == side] for side in ("train", "test"))
        sizes = {"start": 300, "pool": 4000, "test": 2000, "steps": 12, "labels": 4000}
        name = FOUR_FILES
    else:
        starter = read_corpus(STARTER_FILE, genres).examples
        split = frozen_split(starter)
        train, test = [starter[at] for at in split.train], [starter[at] for at in split.test]
        sizes = {"start": 100, "pool": len(train) - 100, "test": len(test), "steps": 7, "labels": len(train)}
        name = STARTER_FILE.name
    if QUICK:
        sizes = {"start": 100, "pool": 600, "test": 300, "steps": 2, "labels": 600}
    return Setting(name, train, test, sizes)


def train(examples: Sequence[Example], seed: int) -> GenreModel:
    """Train as the product does, from word vectors of the same texts."""
    parameters = replace(recommended(len(examples), with_vectors=True), seed=seed)
    return fit(examples, parameters, vectors=teach(examples))


def scores_of(model: GenreModel, examples: Sequence[Example], slugs: tuple[str, ...]) -> NDArray[np.float64]:
    """Return the model's scores, a row of zeros where it has no answer."""
    scores = np.zeros((len(examples), len(slugs)))
    column = {slug: at for at, slug in enumerate(slugs)}
    for at, prediction in enumerate(model.predict_many(example.text for example in examples)):
        for genre in prediction.scores:
            scores[at, column[genre.slug]] = genre.score
    return scores


def macro_f1(model: GenreModel, test: Sequence[Example], slugs: tuple[str, ...]) -> float:
    """Return the macro-F1 of the first genre."""
    held = scores_of(model, test, slugs)
    truth = primary_columns(test, slugs)
    return float(f1_score(truth, held.argmax(axis=1), labels=np.unique(truth), average="macro", zero_division=0))


def review(setting: Setting, order: str, seed: int) -> list[tuple[int, float]]:
    """Return (reviewed texts, macro-F1 then) after each batch."""
    sizes, slugs = setting.sizes, setting.slugs
    chance = np.random.default_rng(seed)
    drawn = [setting.train[at] for at in chance.permutation(len(setting.train))]
    test = [setting.test[at] for at in chance.permutation(len(setting.test))[: sizes["test"]]]
    known, pool = drawn[: sizes["start"]], drawn[sizes["start"] : sizes["start"] + sizes["pool"]]
    curve = []
    for step in range(sizes["steps"] + 1):
        model = train(known, seed)
        curve.append((BATCH * step, macro_f1(model, test, slugs)))
        if order == "random":
            # The pool is in random order already.
            first = np.arange(BATCH)
        else:
            fresh = novelty([example.text for example in pool], [example.text for example in known])
            counts = label_matrix(known, slugs).sum(axis=0)
            first = review_order(scores_of(model, pool, slugs), fresh, n_known=counts, limit=BATCH).order
        taken = set(first.tolist())
        known = [*known, *(pool[at] for at in first)]
        pool = [example for at, example in enumerate(pool) if at not in taken]
    return curve


def needed(curve: Sequence[tuple[int, float]], target: float) -> float:
    """Return the number of reviews at which a curve first reaches the target, between measurements in a line.

    A curve that never does gets the number of its last point.
    """
    for (n, low), (m, high) in pairwise(curve):
        if low >= target:
            return float(n)
        if high >= target:
            return n + (m - n) * (target - low) / (high - low)
    return float(curve[-1][0])


def savings(setting: Setting, seed: int) -> dict[str, Any]:
    """Return how many reviews each order needs for the macro-F1 that random order ends with."""
    curves = {order: review(setting, order, seed) for order in ORDERS}
    target = float(np.mean([value for _, value in curves["random"][-3:]]))
    n_random, n_queue = (needed(curves[order], target) for order in ORDERS)
    return {
        "start_f1": curves["random"][0][1],
        "target_f1": target,
        "random_needs": round(n_random),
        "queue_needs": round(n_queue),
        "saved": 1 - n_queue / n_random,
        "queue_end_f1": curves["queue"][-1][1],
        "curves": curves,
    }


def planted(setting: Setting, seed: int) -> dict[str, Any]:
    """Return how many of the first suspected labels were planted."""
    chance = random.Random(seed)
    examples = chance.sample(list(setting.train), min(setting.sizes["labels"], len(setting.train)))
    wrong = set(chance.sample(range(len(examples)), round(PLANTED * len(examples))))
    spoilt = [
        replace(example, genres=(chance.choice([slug for slug in setting.slugs if slug not in example.genres]),))
        if at in wrong
        else example
        for at, example in enumerate(examples)
    ]
    first = suspicions(spoilt, seed=seed).order()[:FIRST]
    found = sum(int(at) in wrong for at in first)
    return {"planted": len(wrong), "found_in_first": found, "lift": found / FIRST / (len(wrong) / len(examples))}


def main() -> int:
    """Simulate and publish; 0 when it holds."""
    setting = read_setting()
    rows = []
    for seed in SEEDS:
        start = time.monotonic()
        row = {"seed": seed, **savings(setting, seed), **planted(setting, seed)}
        row["seconds"] = round(time.monotonic() - start)
        rows.append(row)
        sys.stderr.write(f"seed {seed}: {row['saved']:.0%} fewer reviews, lift {row['lift']:.1f}\n")
    mean = {key: float(np.mean([row[key] for row in rows])) for key in ("saved", "lift", "random_needs", "queue_needs")}
    shown = [key for key in rows[0] if key != "curves"]
    publish(NAME, rows, shown=shown, data=setting.name, sizes=setting.sizes, batch=BATCH, mean=mean)
    checks = {
        f"{mean['saved']:.0%} fewer reviews instead of {WANTED_SAVING:.0%}": mean["saved"] >= WANTED_SAVING,
        f"lift {mean['lift']:.1f} instead of {WANTED_LIFT:g}": all(row["lift"] >= WANTED_LIFT for row in rows),
    }
    problems = [] if QUICK else [problem for problem, holds in checks.items() if not holds]
    for problem in problems:
        sys.stderr.write(f"{NAME} does not hold: {problem}\n")
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
