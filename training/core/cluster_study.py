"""Several clusterings of the same texts side by side, and what they are worth as a detector of genres."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.preprocessing import normalize

from classifier.core.errors import CorpusError
from training.core.baselines import Method, fasttext_method, known_slugs, majority, primary_columns
from training.core.books import Example
from training.core.clusters import (
    METHODS,
    MIN_TEXTS,
    Clustering,
    Criteria,
    Vectors,
    best_k,
    criteria,
    ks_to_try,
    measure,
    word_counts,
)
from training.core.embeddings import fit_doc2vec
from training.core.progress import OnStep, part_of, silent
from training.core.split import frozen_split

AUTO = 0
# fastText's vectors are not among them: they learn from the genres, so their clusters would hold what they were told.
VECTORS = {"tfidf": "TF-IDF", "doc2vec": "Doc2Vec"}
_DIMENSIONS = 100


def embed(texts: Sequence[str], kind: str, *, seed: int = 0, on_step: OnStep = silent) -> Vectors:
    """Return a vector of length 1 for each text (zeros for one without a known word), shape ``(n_texts, n_dimensions)``.

    Made of the texts alone, without their genres.

    Raises
    ------
    CorpusError
        When there are too few texts or words.
    TrainingError
        When Doc2Vec is asked for and gensim is not installed.
    """
    on_step("counting words", 0.0)
    counts, words = word_counts(texts)
    if len(texts) < MIN_TEXTS or len(words) < 2:
        raise CorpusError(f"Clusters need at least {MIN_TEXTS} texts with several words; there are {len(texts)} texts.")
    if kind == "doc2vec":
        fitted = fit_doc2vec([Example(text, ()) for text in texts], seed=seed, on_step=on_step)
        return np.asarray(fitted.vectors, dtype=np.float64)
    on_step("reducing their dimensions", 0.5)
    weights = TfidfTransformer(sublinear_tf=True).fit_transform(counts)
    reduced = TruncatedSVD(min(_DIMENSIONS, len(words) - 1), random_state=seed).fit_transform(weights)
    return np.asarray(normalize(reduced), dtype=np.float64)


@dataclass(frozen=True)
class Peers:
    """Accuracy on the held-out texts of what has learned the genres of the others.

    None where there are no held-out texts, or fewer than two genres to learn.
    """

    fasttext: float | None
    majority: float | None
    n_tested: int


@dataclass(frozen=True)
class Ground:
    """What every clustering of the same texts needs: ``tested`` marks the held-out texts, ``counted`` is ``word_counts``."""

    tested: NDArray[np.bool_]
    counted: tuple[csr_matrix, list[str]]
    peers: Peers


@dataclass(frozen=True)
class Study:
    """Clusterings of the same texts. ``criteria`` is empty where k was given; ``best`` is ``best_k`` of it."""

    k: int
    n_texts: int
    n_genres: int
    clusterings: list[Clustering]
    peers: Peers
    criteria: list[Criteria]
    best: dict[str, int]
    paragraph: str

    def as_json(self) -> dict[str, object]:
        """Return plain data for metrics files: figures and words, no text and no title."""
        return {
            "k": self.k,
            "n_texts": self.n_texts,
            "n_genres": self.n_genres,
            "peers": asdict(self.peers),
            "criteria": [asdict(one) for one in self.criteria],
            "best_k": self.best,
            "clusterings": [_plain(one) for one in self.clusterings],
            "verdict": self.paragraph,
        }


def _plain(one: Clustering) -> dict[str, object]:
    sizes = {number: int((one.clusters == number).sum()) for number in one.genres}
    return {
        "method": one.method,
        "n_texts": len(one.rows),
        "n_clusters": one.n_clusters,
        "noise_share": one.noise_share,
        "agreement": one.agreement,
        "baseline": one.baseline,
        "stability": one.stability,
        "accuracy": one.accuracy,
        "n_tested": one.n_tested,
        "n_contradictions": len(one.contradictions),
        "seconds": one.seconds,
        "clusters": [
            {"cluster": number, "texts": sizes[number], "genre": genre, "words": one.words.get(number, [])}
            for number, genre in one.genres.items()
        ],
    }


def study(
    examples: Sequence[Example],
    vectors: Vectors,
    *,
    methods: Sequence[str] = tuple(METHODS),
    k: int | None = None,
    seed: int = 0,
    ground: Ground | None = None,
    on_step: OnStep = silent,
) -> Study:
    """Cluster ``examples`` by every one of ``methods`` and measure what they found.

    Parameters
    ----------
    examples : sequence of Example
    vectors : ndarray of shape (n_examples, n_dimensions)
        Of length 1; made without the genres, or the figures mean nothing.
    methods : sequence of str
        Names of ``clusters.METHODS``.
    k : int, default=None
        How many clusters; None: as many as there are primary genres; ``AUTO``: the k of ``ks_to_try`` with the best
        silhouette.
    seed : int, default=0
    ground : Ground, default=None
        What ``prepare`` returned for the same examples and seed, when it is at hand.
    on_step : callable, default=silent
        Called with what is done and the done share in [0, 1].

    Raises
    ------
    CorpusError
        When there are too few texts for clusters, or for so many.
    """
    labels = [example.genres[0] for example in examples]
    n_genres = len(set(labels))
    tried: list[Criteria] = []
    if k == AUTO:
        tried = criteria(
            vectors,
            labels,
            ks_to_try(len(examples), n_genres),
            seed=seed,
            on_step=part_of(on_step, 0.0, 0.2),
        )
    best = best_k(tried) if tried else {}
    chosen = best["silhouette"] if best else k or max(2, n_genres)
    ground = ground or prepare(examples, seed=seed, on_step=part_of(on_step, 0.2, 0.4))
    found = [
        measure(
            examples,
            vectors,
            method,
            k=chosen,
            tested=ground.tested,
            counted=ground.counted,
            seed=seed,
            on_step=part_of(on_step, 0.6 + 0.4 * at / len(methods), 0.4 / len(methods), METHODS[method]),
        )
        for at, method in enumerate(methods)
    ]
    paragraph = verdict(found, ground.peers, n_genres=n_genres)
    return Study(chosen, len(examples), n_genres, found, ground.peers, tried, best, paragraph)


def prepare(examples: Sequence[Example], *, seed: int = 0, on_step: OnStep = silent) -> Ground:
    """Divide the books, count their words, and measure what has learned the genres of the train side."""
    on_step("dividing the books", 0.0)
    tested = np.zeros(len(examples), dtype=bool)
    tested[frozen_split(examples).test] = True
    on_step("counting words", 0.3)
    counted = word_counts([example.text for example in examples])
    on_step("fastText on the same books, to compare", 0.5)
    return Ground(tested, counted, peer_accuracies(examples, tested, seed=seed))


def peer_accuracies(examples: Sequence[Example], tested: NDArray[np.bool_], *, seed: int = 0) -> Peers:
    """Train fastText (recommended parameters, no word vectors) and the majority on the other texts; score the tested."""
    train = [example for example, is_tested in zip(examples, tested, strict=True) if not is_tested]
    test = [example for example, is_tested in zip(examples, tested, strict=True) if is_tested]
    if not test or len({slug for example in train for slug in example.genres}) < 2:
        return Peers(None, None, len(test))
    return Peers(_accuracy(fasttext_method(None), train, test, seed), _accuracy(majority, train, test, seed), len(test))


def _accuracy(method: Method, train: list[Example], test: list[Example], seed: int) -> float:
    slugs = known_slugs(train, test)
    scores = method(train, test, slugs, seed)
    # A row of zeros: no answer, so not right.
    right = (scores.max(axis=1) > 0) & (scores.argmax(axis=1) == primary_columns(test, slugs))
    return float(right.mean())


def margin(accuracy: float, n_tested: int) -> float:
    """Return half of the 95 % interval of an accuracy on ``n_tested`` texts (Agresti, Coull, "Approximate is better than 'exact'", 1998)."""
    n_tested += 4
    middle = (accuracy * (n_tested - 4) + 2) / n_tested
    return 1.96 * math.sqrt(middle * (1 - middle) / n_tested)


def verdict(clusterings: Sequence[Clustering], peers: Peers, *, n_genres: int) -> str:
    """Return, in a paragraph that begins with the verdict and goes on with its figures, how accurate the best of ``clusterings`` is as a genre detector."""
    measured = [one for one in clusterings if one.accuracy is not None]
    if not measured or peers.fasttext is None or peers.majority is None:
        return "How accurate clusters are as a genre detector can't be said: this data has no held-out texts, or one genre alone to learn."
    best = max(measured, key=lambda one: one.accuracy or 0.0)
    accuracy = best.accuracy or 0.0
    named = len(set(best.genres.values()))
    said = [
        _compared(accuracy, peers, best.n_tested),
        f"As a genre detector{', the best of these is' if len(measured) > 1 else ':'} {METHODS[best.method]} with {best.n_clusters} clusters. When each is "
        f"named by its commonest genre on the train side, {_percent(accuracy)} (± {_percent(margin(accuracy, best.n_tested))}) "
        f"of {best.n_tested:,} held-out texts get their own primary genre. Always giving the commonest genre is right for "
        f"{_percent(peers.majority)}, and fastText that learned from the same train side for {_percent(peers.fasttext)} "
        f"({peers.n_tested:,} held-out texts).",
        f"Its clusters agree with the genres with a V-measure of {best.agreement['v_measure']:.2f} and an ARI of "
        f"{best.agreement['ari']:z.2f}; clusters of the same sizes filled at random reach {best.baseline['v_measure']:z.2f} and "
        f"{best.baseline['ari']:z.2f}.",
    ]
    if named < n_genres:
        said.append(
            f"Only {named} of {n_genres} genres are the commonest of any cluster; the other {n_genres - named} could never be detected."
        )
    if best.noise_share:
        said.append(f"{_percent(best.noise_share)} of the texts are in no cluster.")
    steady = (
        "mostly the same" if best.stability >= 0.8 else "partly others" if best.stability >= 0.5 else "mostly others"
    )
    said.append(
        f"On another seed and four fifths of the texts the clusters are {steady} (mean ARI {best.stability:.2f}). "
        "Naming clusters needs labelled texts in any case, and from those a classifier learns."
    )
    return " ".join(said)


def _compared(accuracy: float, peers: Peers, n_tested: int) -> str:
    assert peers.fasttext is not None and peers.majority is not None
    unsure = margin(accuracy, n_tested)
    if accuracy - peers.majority <= unsure:
        return (
            "Clusters detect genres no better than always giving the commonest one, as far as so many texts can tell."
        )
    if accuracy - peers.fasttext > unsure:
        return "Clusters are more accurate here than the classifier: it had too little to learn from, or was set badly."
    if peers.fasttext - accuracy <= unsure:
        return "Clusters are about as accurate here as the classifier, as far as so many texts can tell."
    way = (accuracy - peers.majority) / (peers.fasttext - peers.majority)
    return (
        f"Clusters hold something of the genres, {_percent(way)} of the way from the commonest genre to the classifier, "
        f"and are wrong {(1 - accuracy) / max(1 - peers.fasttext, 1e-9):.1f} times as often as it."
    )


def _percent(share: float) -> str:
    return f"{share:.1%}"
