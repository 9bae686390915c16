"""Pretended traffic: texts drawn from what a model said of a test side, and visitors who report, confirm and answer."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from classifier.core.genres import canonical_genres
from classifier.core.language import language_of
from classifier.core.model import GenreModel
from training.core.agreement import Answers
from training.core.books import Example
from training.core.calibration import fit_scores, held_scores
from training.core.checks import Window
from training.core.corpora import STARTER_FILE, read_corpus
from training.core.fit import fit, recommended
from training.core.profile import Profile
from training.core.shadowing import Pairs
from training.core.split import frozen_split
from training.core.thresholds import Aim, thresholds_of
from training.core.vectors import BOOK_VECTORS, load_vectors

AUDIT_SHARE = 0.05
SHADOW_SHARE = 0.2


class Said(NamedTuple):
    """What a model said of a text, and what another one, its challenger, said; whether their first genres are right."""

    n_words: int
    n_known: int
    n_chars: int
    abstained: str
    first: tuple[str, float]
    is_right: bool
    other: tuple[str, float]
    other_is_right: bool

    def count_in(self, profile: Profile, *, milliseconds: float | None = None, was_asked: bool = False) -> None:
        """Add what the model said to ``profile``."""
        profile.add(
            n_words=self.n_words,
            n_known=self.n_known,
            n_chars=self.n_chars,
            abstained=self.abstained,
            first=self.first,
            milliseconds=milliseconds,
            was_asked=was_asked,
        )


Pool = Sequence[Said]


def starter_pool(seeds: tuple[int, int] = (0, 1)) -> list[Said]:
    """Train the default model twice, and return what both say of the starter corpus's test side."""
    examples = read_corpus(STARTER_FILE, canonical_genres()).examples
    split = frozen_split(examples)
    train, test = ([examples[at] for at in side] for side in (split.train, split.test))
    one, other = (_default_model(train, seed) for seed in seeds)
    pool = []
    for example in test:
        said, its = one.predict(example.text), other.predict(example.text)
        if said.scores and its.scores:
            rights = (prediction.scores[0].slug in example.genres for prediction in (said, its))
            first, second = tuple(said.scores[0]), tuple(its.scores[0])
            right, its_right = rights
            pool.append(
                Said(said.n_words, said.n_known, len(example.text), said.abstained, first, right, second, its_right)
            )
    return pool


def _default_model(train: list[Example], seed: int) -> GenreModel:
    vectors = load_vectors(BOOK_VECTORS)
    parameters = replace(recommended(len(train), with_vectors=True), seed=seed)
    model = fit(train, parameters, vectors=vectors)
    model.meta["language"] = language_of(example.text for example in train)
    held = held_scores(train, parameters, starter=STARTER_FILE.name, vectors=vectors)
    calibration = fit_scores(held) if held else None
    model.calibrate(calibration, thresholds_of(held, calibration, Aim()) if held and calibration else None)
    return model


@dataclass(frozen=True)
class Visitors:
    """How likely people report a wrong answer, confirm a right one, and answer the audit when it is unsure or sure."""

    reports: float
    confirms: float
    answers_unsure: float
    answers_sure: float

    @classmethod
    def drawn(cls, rng: random.Random) -> "Visitors":
        """Return the visitors of one replay: a wrong answer is reported four to fifteen times as likely."""
        reports = rng.uniform(0.04, 0.2)
        return cls(reports, reports / rng.uniform(4, 15), rng.uniform(0.2, 0.7), rng.uniform(0.2, 0.7))

    def comments(self, said: Said, rng: random.Random) -> bool:
        """Return whether the answer is corrected or confirmed."""
        return rng.random() < (self.confirms if said.is_right else self.reports)

    def answers(self, said: Said, rng: random.Random) -> bool:
        """Return whether the audit's question is answered."""
        return rng.random() < self.answers_unsure + (self.answers_sure - self.answers_unsure) * said.first[1]


@dataclass(frozen=True)
class Chunk:
    """A stretch of traffic: the champion's window, and the challenger in its shadow."""

    window: Window
    challenger: Profile
    pairs: Pairs


def play(pool: Pool, visitors: Visitors, rng: random.Random, n: int) -> Chunk:
    """Return ``n`` requests."""
    profile, challenger, answers = Profile(), Profile(), Answers()
    comments, pairs = [0, 0], {True: [0, 0], False: [0, 0]}
    for said in rng.choices(pool, k=n):
        is_asked = not said.abstained and rng.random() < AUDIT_SHARE
        milliseconds = rng.lognormvariate(-0.7, 0.5)
        said.count_in(profile, milliseconds=milliseconds, was_asked=is_asked)
        is_shadowed = rng.random() < SHADOW_SHARE
        if is_shadowed:
            said._replace(first=said.other).count_in(challenger, milliseconds=milliseconds)
        if said.abstained:
            continue
        is_known = visitors.comments(said, rng)
        if is_known:
            comments[said.is_right] += 1
        if is_asked and visitors.answers(said, rng):
            answers.add(score=said.first[1], share=AUDIT_SHARE, is_right=said.is_right)
            # A bare "no" does not tell which genre is right.
            is_known = is_known or said.is_right
        if is_shadowed:
            challenger.n_pairs += 1
            challenger.n_agree += said.first[0] == said.other[0]
            pairs[said.is_right][0] += is_known
            pairs[said.is_right][1] += is_known and said.other_is_right
    window = Window(profile, n_corrected=sum(comments), n_right=comments[True], answers=answers)
    return Chunk(window, challenger, Pairs(*pairs[True], *pairs[False]))


def together(chunks: Iterable[Chunk]) -> Chunk:
    """Return stretches of traffic as one."""
    profile, challenger, answers = Profile(), Profile(), Answers()
    counts, pairs = [0, 0], [0, 0, 0, 0]
    for chunk in chunks:
        profile.merge(chunk.window.profile)
        challenger.merge(chunk.challenger)
        answers.merge(chunk.window.answers)
        counts = _sums(counts, (chunk.window.n_corrected, chunk.window.n_right))
        its = chunk.pairs
        pairs = _sums(pairs, (its.n_right, its.n_kept, its.n_wrong, its.n_gained))
    return Chunk(Window(profile, *counts, answers), challenger, Pairs(*pairs))


def _sums(mine: list[int], its: Iterable[int]) -> list[int]:
    return [left + right for left, right in zip(mine, its, strict=True)]


def reference_of(pool: Pool, rng: random.Random) -> Profile:
    """Return the profile of a test side: as many other texts of the same kind."""
    profile = Profile()
    for said in rng.choices(pool, k=len(pool)):
        said.count_in(profile)
    return profile
