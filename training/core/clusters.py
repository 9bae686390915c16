"""Cluster texts without their genres, and measure how far the clusters agree with the genres.

A text counts by its primary genre. Texts that HDBSCAN leaves out (noise, cluster -1) count as one more cluster
wherever clusters are compared with genres, so that leaving texts out is not rewarded.
"""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.cluster import HDBSCAN, AgglomerativeClustering, KMeans
from sklearn.decomposition import PCA
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.metrics import (
    adjusted_rand_score,
    homogeneity_completeness_v_measure,
    normalized_mutual_info_score,
    silhouette_score,
)
from sklearn.metrics.cluster import contingency_matrix

from classifier.core.errors import CorpusError
from classifier.core.text import content_words
from training.core.books import Example
from training.core.progress import OnStep, part_of, silent

METHODS = {"kmeans": "k-means", "hdbscan": "HDBSCAN", "agglomerative": "agglomerative (Ward)"}
AGREEMENT = {
    "v_measure": "V-measure",
    "homogeneity": "homogeneity",
    "completeness": "completeness",
    "ari": "ARI",
    "nmi": "NMI",
    "purity": "purity",
}
# Memory and time of agglomerative clustering grow with the square of the texts; HDBSCAN's time does.
MOST_TEXTS = {"agglomerative": 5_000, "hdbscan": 30_000}
MIN_TEXTS = 10
NOISE = -1
# In a hundred dimensions all texts are about equally far apart, and HDBSCAN calls nearly all of them noise.
HDBSCAN_DIMENSIONS = 10
SILHOUETTE_TEXTS = 2_000
# Stability: so many runs, each on another seed and this share of the texts.
STABILITY_RUNS, STABILITY_SHARE = 3, 0.8

Vectors = NDArray[np.float64]
Indices = NDArray[np.intp]


@dataclass(frozen=True)
class Contradiction:
    """A text, by its position in the examples, whose cluster's commonest genre is none of its own."""

    row: int
    cluster: int
    cluster_genre: str
    distance: float


@dataclass(frozen=True)
class Criteria:
    """How k-means with ``k`` clusters fits; inertia: less is better, the others: more is better."""

    k: int
    silhouette: float
    inertia: float
    v_measure: float
    ari: float


@dataclass(frozen=True)
class Clustering:
    """What one method found, and what it is worth.

    ``rows`` are the positions of the clustered examples, ``clusters`` the cluster of each; ``baseline`` is the mean
    agreement of clusters of the same sizes filled at random; ``genres`` names each cluster's commonest genre.
    ``accuracy`` is None where no held-out text was clustered.
    """

    method: str
    rows: Indices
    clusters: Indices
    agreement: dict[str, float]
    baseline: dict[str, float]
    stability: float
    genres: dict[int, str]
    words: dict[int, list[str]]
    contradictions: list[Contradiction]
    accuracy: float | None
    n_tested: int
    seconds: float

    @property
    def n_clusters(self) -> int:
        """Clusters, without the noise."""
        return len(set(self.clusters.tolist()) - {NOISE})

    @property
    def noise_share(self) -> float:
        """Share of the texts in no cluster, in [0, 1]."""
        return float(np.mean(self.clusters == NOISE))


def sample_rows(n_texts: int, method: str, *, seed: int = 0) -> Indices:
    """Return the positions that ``method`` clusters, ascending: all, or a sample of at most ``MOST_TEXTS``."""
    most = MOST_TEXTS.get(method, n_texts)
    if n_texts <= most:
        return np.arange(n_texts)
    return np.sort(np.random.default_rng(seed).choice(n_texts, most, replace=False))


def cluster(vectors: Vectors, method: str, *, k: int, seed: int = 0) -> Indices:
    """Return the cluster of each text, shape ``(n_texts,)``, numbered from 0; ``NOISE`` is in none.

    Parameters
    ----------
    vectors : ndarray of shape (n_texts, n_dimensions)
        Of length 1, so that Euclidean distance orders pairs as the cosine does.
    method : str
        One of ``METHODS``. HDBSCAN finds its own number of clusters, among the first ten principal components, of
        at least five texts and one in two hundred.
    k : int
        The number of clusters for the other methods, from 2 to ``n_texts``.
    seed : int, default=0
        Where k-means starts.

    Raises
    ------
    CorpusError
        When there are fewer than ten texts, or fewer than ``k``.

    References
    ----------
    Arthur, Vassilvitskii, "k-means++: the advantages of careful seeding", SODA 2007. Campello, Moulavi, Sander,
    "Density-based clustering based on hierarchical density estimates", PAKDD 2013. Ward, "Hierarchical grouping to
    optimize an objective function", JASA 58, 1963.
    """
    n_texts = len(vectors)
    if n_texts < MIN_TEXTS:
        raise CorpusError(f"Clusters need at least {MIN_TEXTS} texts; there are {n_texts}.")
    if not 2 <= k <= n_texts:
        raise CorpusError(f"{n_texts} texts can be put into 2 to {n_texts} clusters, not {k}.")
    if method == "kmeans":
        found = KMeans(k, n_init=3, random_state=seed).fit_predict(vectors)
    elif method == "agglomerative":
        found = AgglomerativeClustering(k).fit_predict(vectors)
    elif method == "hdbscan":
        reduced = PCA(min(HDBSCAN_DIMENSIONS, *vectors.shape), random_state=seed).fit_transform(vectors)
        smallest = max(5, n_texts // 200)
        found = HDBSCAN(min_cluster_size=smallest, min_samples=5, copy=True).fit_predict(reduced)
    else:
        raise ValueError(f"{method!r} is none of {', '.join(METHODS)}")
    return np.asarray(found, dtype=np.intp)


def agreement(labels: Sequence[str], clusters: Indices) -> dict[str, float]:
    """Return the figures of ``AGREEMENT`` for texts with one label and one cluster each.

    All but ARI lie in [0, 1]; ARI is at most 1 and 0 on average for clusters filled at random. Purity is the share
    of texts whose label is the commonest of their cluster: many small clusters are pure without being any good. NMI
    is divided by the mean of the two entropies, which makes it equal to V-measure; both names are in use.

    References
    ----------
    Rosenberg, Hirschberg, "V-Measure", EMNLP 2007. Hubert, Arabie, "Comparing partitions", Journal of
    Classification 2, 1985. Purity: Manning, Raghavan, Schütze, "Introduction to information retrieval", 16.3.
    """
    homogeneity, completeness, v_measure = homogeneity_completeness_v_measure(labels, clusters)
    return {
        "v_measure": float(v_measure),
        "homogeneity": float(homogeneity),
        "completeness": float(completeness),
        "ari": float(adjusted_rand_score(labels, clusters)),
        "nmi": float(normalized_mutual_info_score(labels, clusters)),
        "purity": float(contingency_matrix(labels, clusters).max(axis=0).sum() / len(clusters)),
    }


def random_baseline(
    labels: Sequence[str], clusters: Indices, *, seed: int = 0, n_permutations: int = 10
) -> dict[str, float]:
    """Return the mean ``agreement`` of clusters of the same sizes that are filled at random."""
    random = np.random.default_rng(seed)
    found = [agreement(labels, random.permutation(clusters)) for _ in range(n_permutations)]
    return {name: float(np.mean([one[name] for one in found])) for name in AGREEMENT}


def stability(
    vectors: Vectors, method: str, *, k: int, seed: int = 0, n_runs: int = STABILITY_RUNS, on_step: OnStep = silent
) -> float:
    """Return how alike the clusters of several runs are: the mean ARI of every pair of runs, at most 1.

    A run has its own seed and a random four fifths of the texts (else methods without chance would always be
    stable), or as many as clusters need where that would be too few; two runs are compared on the texts of both.

    References
    ----------
    Ben-Hur, Elisseeff, Guyon, "A stability based method for discovering structure in clustered data", PSB 2002.
    """
    n_texts = len(vectors)
    n_kept = max(int(n_texts * STABILITY_SHARE), min(n_texts, max(MIN_TEXTS, k)))
    runs = []
    for number in range(n_runs):
        on_step(f"stability, run {number + 1} of {n_runs}", number / n_runs)
        rows = np.random.default_rng([seed, number]).choice(n_texts, n_kept, replace=False)
        found = np.full(n_texts, NOISE - 1)
        found[rows] = cluster(vectors[rows], method, k=min(k, n_kept), seed=seed + number)
        runs.append(found)
    shared = [(a, b, (a >= NOISE) & (b >= NOISE)) for a, b in combinations(runs, 2)]
    return float(np.mean([adjusted_rand_score(a[both], b[both]) for a, b, both in shared]))


def ks_to_try(n_texts: int, n_genres: int) -> list[int]:
    """Return numbers of clusters around the number of genres, ascending, at most a third of the texts each; never none."""
    tried = {5, 10, 15, 20, 30, 40, 60, n_genres}
    return sorted(k for k in tried if 2 <= k <= n_texts // 3) or [2]


def criteria(
    vectors: Vectors, labels: Sequence[str], ks: Sequence[int], *, seed: int = 0, on_step: OnStep = silent
) -> list[Criteria]:
    """Return how k-means fits for every k of ``ks``; the silhouette is of a sample of at most 2,000 texts.

    References
    ----------
    Rousseeuw, "Silhouettes", Journal of Computational and Applied Mathematics 20, 1987.
    """
    found = []
    for at, k in enumerate(ks):
        on_step(f"k-means with {k} clusters", at / len(ks))
        model = KMeans(k, n_init=1, random_state=seed).fit(vectors)
        picked = np.random.default_rng(seed).permutation(len(vectors))[:SILHOUETTE_TEXTS]
        n_labels = len(set(model.labels_[picked].tolist()))
        fits = 2 <= n_labels < len(picked)
        silhouette = silhouette_score(vectors[picked], model.labels_[picked]) if fits else 0.0
        figures = agreement(labels, model.labels_)
        found.append(Criteria(k, float(silhouette), float(model.inertia_), figures["v_measure"], figures["ari"]))
    return found


def best_k(found: Sequence[Criteria]) -> dict[str, int]:
    """Return the best k by each criterion; the smallest of equals. Only the first two need no genres.

    The elbow is where the curve of inertia lies farthest below the straight line between its ends.

    References
    ----------
    Satopää and others, "Finding a 'kneedle' in a haystack", ICDCS workshops 2011.
    """
    ks = np.array([one.k for one in found], dtype=float)
    inertia = np.array([one.inertia for one in found])
    across = (ks - ks[0]) / max(ks[-1] - ks[0], 1)
    below = (inertia[0] - inertia) / max(inertia[0] - inertia[-1], 1e-12) - across
    return {
        "silhouette": max(found, key=lambda one: one.silhouette).k,
        "elbow": found[int(below.argmax())].k,
        "v_measure": max(found, key=lambda one: one.v_measure).k,
        "ari": max(found, key=lambda one: one.ari).k,
    }


def word_counts(texts: Sequence[str]) -> tuple[csr_matrix, list[str]]:
    """Return how often each text holds each telling word, shape ``(n_texts, n_words)``, and the words."""
    counter = CountVectorizer(analyzer=content_words, min_df=2 if len(texts) > 100 else 1)
    try:
        counts = counter.fit_transform(texts)
    except ValueError:
        # No telling word at all.
        return csr_matrix((len(texts), 0)), []
    return csr_matrix(counts), counter.get_feature_names_out().tolist()


def cluster_words(
    counts: csr_matrix, words: Sequence[str], clusters: Indices, *, n_words: int = 8
) -> dict[int, list[str]]:
    """Return the words that tell each cluster from the others, the most telling first; none for the noise.

    Class-based TF-IDF: the share of a word in its cluster times ``log(1 + A / f)``, with ``A`` the mean number of
    words a cluster and ``f`` how often the word stands in all. Equal words in alphabetical order.

    References
    ----------
    Grootendorst, "BERTopic: neural topic modeling with a class-based TF-IDF procedure", arXiv:2203.05794, 2022.
    """
    numbers = sorted(set(clusters.tolist()) - {NOISE})
    if not numbers or not len(words):
        return {number: [] for number in numbers}
    within = np.vstack([np.asarray(counts[clusters == number].sum(axis=0)).ravel() for number in numbers])
    shares = within / np.maximum(within.sum(axis=1, keepdims=True), 1)
    everywhere = within.sum(axis=0)
    weights = shares * np.log1p(within.sum() / len(numbers) / np.maximum(everywhere, 1))
    order = np.argsort(-weights, axis=1, kind="stable")[:, :n_words]
    return {
        number: [words[column] for column in order[at] if weights[at, column] > 0] for at, number in enumerate(numbers)
    }


def majority_genres(labels: Sequence[str], clusters: Indices) -> dict[int, str]:
    """Return each cluster's commonest label, the first in the alphabet of equals."""
    counts: dict[int, Counter[str]] = {}
    for label, number in zip(labels, clusters.tolist(), strict=True):
        counts.setdefault(number, Counter())[label] += 1
    return {number: min(found, key=lambda label: (-found[label], label)) for number, found in sorted(counts.items())}


def contradictions(
    examples: Sequence[Example], vectors: Vectors, rows: Indices, clusters: Indices
) -> list[Contradiction]:
    """Return the texts whose cluster's commonest genre is none of theirs, the nearest to its centre first.

    ``rows`` are the positions in ``examples`` and ``vectors`` that ``clusters`` tells of. Distance: Euclidean, from the mean.
    """
    genres = majority_genres([examples[row].genres[0] for row in rows], clusters)
    found = []
    for number in sorted(set(genres) - {NOISE}):
        members = rows[clusters == number]
        distances = np.linalg.norm(vectors[members] - vectors[members].mean(axis=0), axis=1)
        for row, distance in zip(members.tolist(), distances.tolist(), strict=True):
            if genres[number] not in examples[row].genres:
                found.append(Contradiction(row, number, genres[number], distance))
    return sorted(found, key=lambda one: (one.distance, one.row))


def detector_accuracy(labels: Sequence[str], clusters: Indices, tested: NDArray[np.bool_]) -> float | None:
    """Return the share of ``tested`` texts whose label is the commonest of their cluster among the other texts.

    A cluster without any of the others answers their commonest label. None when a side is empty.
    """
    train, test = np.flatnonzero(~tested).tolist(), np.flatnonzero(tested).tolist()
    if not train or not test:
        return None
    fallback = Counter(labels[at] for at in train).most_common(1)[0][0]
    answers = majority_genres([labels[at] for at in train], clusters[train])
    right = [answers.get(int(clusters[at]), fallback) == labels[at] for at in test]
    return float(np.mean(right))


def measure(
    examples: Sequence[Example],
    vectors: Vectors,
    method: str,
    *,
    k: int,
    tested: NDArray[np.bool_],
    counted: tuple[csr_matrix, Sequence[str]],
    seed: int = 0,
    on_step: OnStep = silent,
) -> Clustering:
    """Cluster ``examples`` by ``method`` and return all that is told of it.

    ``tested`` marks the held-out texts and ``counted`` is ``word_counts`` of all. No genre is used to cluster; the
    held-out texts are clustered beside the others, which favours clustering. ``on_step`` hears of every slow step.
    """
    on_step("clustering", 0.0)
    rows = sample_rows(len(examples), method, seed=seed)
    start = time.perf_counter()
    clusters = cluster(vectors[rows], method, k=k, seed=seed)
    seconds = time.perf_counter() - start
    on_step("beside clusters filled at random", 0.25)
    labels = [examples[row].genres[0] for row in rows]
    baseline = random_baseline(labels, clusters, seed=seed)
    steady = stability(vectors[rows], method, k=k, seed=seed, on_step=part_of(on_step, 0.35, 0.55))
    on_step("words of the clusters", 0.9)
    return Clustering(
        method=method,
        rows=rows,
        clusters=clusters,
        agreement=agreement(labels, clusters),
        baseline=baseline,
        stability=steady,
        genres=majority_genres(labels, clusters),
        words=cluster_words(counted[0][rows], counted[1], clusters),
        contradictions=contradictions(examples, vectors, rows, clusters),
        accuracy=detector_accuracy(labels, clusters, tested[rows]),
        n_tested=int(tested[rows].sum()),
        seconds=round(seconds, 1),
    )
