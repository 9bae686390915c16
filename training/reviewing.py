"""What reviewers should look at: the order of the queue, and labels that are probably wrong; computed here, read by the web.

The web process loads no statistics: it reads the rows that are written here.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from django.db import transaction
from django.utils import timezone

from classifier.core.genres import GenreList
from classifier.models import ModelVersion
from classifier.predictions import text_hashes
from classifier.registry import load_version
from feedback.deleted import deleted_here
from feedback.models import Correction, QueueScore, Suspect
from training.core.books import Example
from training.core.corpora import STARTER_FILE
from training.core.label_errors import Suspicions, suspicions
from training.core.progress import OnStep, silent
from training.core.review_order import disagreement, novelty, review_order
from training.core.split import text_key
from training.inputs import find_inputs, read_books
from training.pipeline import FEEDBACK, feedback_corpus, reviewed_first

# More suspects than anybody looks through; the next search brings the next ones.
LIMIT = 200


@dataclass(frozen=True)
class Placed:
    """How many corrections got a score, by which version, beside how many known texts; files that were not found."""

    n: int
    version: int
    n_known: int
    lost: list[str]


def known_to(version: ModelVersion, genres: GenreList) -> tuple[list[Example], list[str]]:
    """Return the texts training has today (the files the version was made from, approved corrections), and lost files.

    Raises
    ------
    CorpusError
    """
    files, lost = find_inputs(version.meta)
    corpora = [read_books(file.path, genres, file_format=file.file_format) for file in files]
    corpora.append(feedback_corpus(genres))
    return [example for corpus in corpora for example in corpus.examples], lost


def place_corrections(version: ModelVersion, genres: GenreList, *, on_step: OnStep = silent) -> Placed:
    """Store for every waiting correction how much it would teach, as the version sees it.

    Raises
    ------
    CorpusError, ModelError
    """
    waiting = Correction.objects.filter(status=Correction.Status.PENDING).exclude(text="").order_by("pk")
    rows = list(waiting.values_list("pk", "text", "shown", "chosen"))
    on_step("reading what training knows", 0.1)
    known, lost = known_to(version, genres)
    model = load_version(version)
    on_step("asking the model", 0.3)
    column = {slug: at for at, slug in enumerate(model.slugs)}
    scores = np.zeros((len(rows), len(column)))
    for at, (_, text, _, _) in enumerate(rows):
        for genre in model.predict(text).scores:
            scores[at, column[genre.slug]] = genre.score
    on_step("comparing with what training knows", 0.5)
    fresh = novelty([text for _, text, _, _ in rows], [example.text for example in known])
    against = disagreement([[slug for slug, _ in shown] for _, _, shown, _ in rows], [chosen for *_, chosen in rows])
    n_known = np.zeros(len(column), dtype=np.intp)
    for example in known:
        for slug in example.genres:
            if slug in column:
                n_known[column[slug]] += 1
    order = review_order(scores, fresh, against, n_known=n_known)
    now = timezone.now()
    found = [
        QueueScore(
            correction_id=row[0],
            score=float(order.score[at]),
            parts={
                "uncertainty": round(float(order.uncertainty[at]), 4),
                "novelty": round(float(order.novelty[at]), 4),
                "disagreement": round(float(order.disagreement[at]), 4),
            },
            at=now,
        )
        for at, row in enumerate(rows)
    ]
    on_step("storing the order", 0.9)
    QueueScore.objects.bulk_create(
        found,
        update_conflicts=True,
        unique_fields=["correction"],
        update_fields=["score", "parts", "is_estimate", "at"],
        batch_size=1000,
    )
    return Placed(len(found), version.number, len(known), lost)


@dataclass(frozen=True)
class Searched:
    """How many texts were searched, how many labels are under suspicion now, and how many of them are new."""

    n_texts: int
    n_open: int
    n_new: int


def search_labels(
    paths: Iterable[Path],
    genres: GenreList,
    *,
    limit: int = LIMIT,
    use_feedback: bool = True,
    seed: int = 0,
    on_step: OnStep = silent,
) -> Searched:
    """Store the labels of the training data that are hardest to believe, in the place of the open ones of before.

    What a reviewer decided on stays decided: a label called right is not brought up again.

    Raises
    ------
    CorpusError, TrainingError
    """
    corpora = [read_books(path, genres) for path in paths]
    if use_feedback:
        corpora.append(feedback_corpus(genres))
    examples = reviewed_first([example for corpus in corpora for example in corpus.examples])
    found = suspicions(examples, seed=seed, on_step=on_step)
    on_step("storing the suspected labels", 0.95)
    with transaction.atomic():
        return _store(examples, found, limit)


def _store(examples: Sequence[Example], found: Suspicions, limit: int) -> Searched:
    deleted = deleted_here()
    decided = set(Suspect.objects.exclude(status=Suspect.Status.OPEN).values_list("key", flat=True))
    rows: list[Suspect] = []
    for at in found.order().tolist():
        example = examples[at]
        if len(rows) == limit or found.doubt[at] <= 0:
            break
        best = {slug for slug, _ in found.suggested(at, len(example.genres))}
        # Where the models would say the same, there is nothing to ask.
        if best == set(example.genres) or (key := _key(example)) in decided:
            continue
        if example.source != FEEDBACK and example.source != STARTER_FILE.name and deleted.has(example.text):
            continue
        rows.append(_suspect(example, key, found, at))
    kept = {row.key for row in rows}
    before = set(Suspect.objects.filter(key__in=kept).values_list("key", flat=True))
    gone = Suspect.objects.filter(status=Suspect.Status.OPEN).exclude(key__in=kept)
    # Those that somebody skipped are part of a history; only their text goes.
    gone.filter(opinions=None).delete()
    gone.update(text="", title="", correction=None)
    Suspect.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["key"],
        update_fields=["correction", "source", "row", "title", "text", "text_hash", "suggested", "score", "at"],
    )
    return Searched(len(examples), len(rows), len(kept - before))


def _key(example: Example) -> str:
    label = " ".join(sorted(example.genres))
    return hashlib.sha256(f"{text_key(example.text)}\x1f{label}".encode()).hexdigest()


def _suspect(example: Example, key: str, found: Suspicions, at: int) -> Suspect:
    is_feedback = example.source == FEEDBACK
    is_ours = example.source == STARTER_FILE.name
    return Suspect(
        key=key,
        correction_id=int(example.uid) if is_feedback else None,
        source=example.source[:200],
        row=example.row,
        title=example.title[:300],
        text="" if is_feedback else example.text,
        # Our own texts are nobody's to take back.
        text_hash="" if is_feedback or is_ours else text_hashes(example.text)[0],
        given=list(example.genres),
        suggested=[[slug, round(score, 4)] for slug, score in found.suggested(at)],
        score=float(found.doubt[at]),
    )
