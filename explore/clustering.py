"""What the page Clusters works out, once for each corpus and choice of parameters."""

from explore.waiting import once
from training.core.books import Corpus
from training.core.cluster_study import Ground, Study, embed, prepare, study
from training.core.clusters import Criteria, Indices, Vectors, criteria, ks_to_try
from training.core.projection import map_rows, project


def vectors_of(corpus: Corpus, kind: str, seed: int) -> Vectors:
    """Return the vectors of the corpus's texts."""
    texts = [example.text for example in corpus.examples]
    return once(
        "Making vectors of the texts",
        (corpus.key, kind, seed),
        lambda on_step: embed(texts, kind, seed=seed, on_step=on_step),
        most=3,
    )


def study_of(corpus: Corpus, kind: str, method: str, k: int, seed: int) -> Study:
    """Return one clustering of the corpus, and what it is worth."""
    vectors, ground = vectors_of(corpus, kind, seed), _ground_of(corpus, seed)
    return once(
        "Finding clusters",
        (corpus.key, kind, method, k, seed),
        lambda on_step: study(
            corpus.examples, vectors, methods=[method], k=k, seed=seed, ground=ground, on_step=on_step
        ),
        most=8,
    )


def _ground_of(corpus: Corpus, seed: int) -> Ground:
    """Return what every clustering of the corpus needs."""
    return once(
        "Preparing the comparison",
        (corpus.key, seed),
        lambda on_step: prepare(corpus.examples, seed=seed, on_step=on_step),
        most=2,
    )


def criteria_of(corpus: Corpus, kind: str, seed: int) -> list[Criteria]:
    """Return how k-means fits the corpus, for several numbers of clusters."""
    labels = [example.genres[0] for example in corpus.examples]
    ks = ks_to_try(len(labels), len(set(labels)))
    vectors = vectors_of(corpus, kind, seed)
    return once(
        "Comparing numbers of clusters",
        (corpus.key, kind, seed),
        lambda on_step: criteria(vectors, labels, ks, seed=seed, on_step=on_step),
    )


def map_of(corpus: Corpus, kind: str, drawn: str, seed: int) -> tuple[Indices, Vectors]:
    """Return which texts stand on the map, and where."""
    rows = map_rows(len(corpus.examples), drawn, seed=seed)
    vectors = vectors_of(corpus, kind, seed)[rows]
    return rows, once("Drawing the map", (corpus.key, kind, drawn, seed), lambda _: project(vectors, drawn, seed=seed))
