import json

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.metrics import (
    adjusted_rand_score,
    completeness_score,
    homogeneity_score,
    normalized_mutual_info_score,
    silhouette_score,
    v_measure_score,
)

from classifier.core.errors import CorpusError
from conftest import WORDS, make_examples
from training.core import clusters as clusters_module
from training.core.books import Example
from training.core.cluster_study import AUTO, VECTORS, Peers, embed, margin, study, verdict
from training.core.clusters import (
    AGREEMENT,
    METHODS,
    NOISE,
    Clustering,
    Criteria,
    agreement,
    best_k,
    cluster,
    cluster_words,
    contradictions,
    criteria,
    detector_accuracy,
    ks_to_try,
    majority_genres,
    random_baseline,
    sample_rows,
    stability,
    word_counts,
)
from training.core.projection import MOST_POINTS, available, map_rows, project
from training.core.split import Split
from training.tests.helpers import refused, run, write_books

LABELS = list("aaabbbcccc")
FOUND = np.array([0, 0, 1, 1, 1, 1, 2, 2, 2, 0])


@pytest.fixture(scope="module")
def groups():
    """Three plain groups of twenty vectors of length 1, and the group of each."""
    centres = np.eye(5)[:3]
    noise = np.random.default_rng(0).normal(scale=0.03, size=(60, 5))
    vectors = np.repeat(centres, 20, axis=0) + noise
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.repeat(list("xyz"), 20).tolist()


def a_clustering(**changes):
    figures = dict.fromkeys(AGREEMENT, 0.5)
    made = {
        "method": "kmeans",
        "rows": np.arange(10),
        "clusters": FOUND,
        "agreement": figures,
        "baseline": dict.fromkeys(AGREEMENT, 0.1),
        "stability": 0.9,
        "genres": majority_genres(LABELS, FOUND),
        "words": {},
        "contradictions": [],
        "accuracy": 0.5,
        "n_tested": 1000,
        "seconds": 0.1,
    }
    return Clustering(**(made | changes))


def test_agreement_is_what_scikit_learn_says():
    found = agreement(LABELS, FOUND)
    assert tuple(found) == tuple(AGREEMENT)
    assert found["v_measure"] == pytest.approx(v_measure_score(LABELS, FOUND))
    assert found["homogeneity"] == pytest.approx(homogeneity_score(LABELS, FOUND))
    assert found["completeness"] == pytest.approx(completeness_score(LABELS, FOUND))
    assert found["ari"] == pytest.approx(adjusted_rand_score(LABELS, FOUND))
    assert found["nmi"] == pytest.approx(normalized_mutual_info_score(LABELS, FOUND))


def test_purity_and_ari_worked_by_hand():
    # Cluster 0 holds a, a, c; cluster 1 a, b, b, b; cluster 2 c, c, c: 2 + 3 + 3 of 10 are of the commonest label.
    assert agreement(LABELS, FOUND)["purity"] == pytest.approx(0.8)
    # Pairs together in both: 1 + 3 + 3 = 7; in labels 3 + 3 + 6 = 12, in clusters 3 + 6 + 3 = 12; of 45.
    assert agreement(LABELS, FOUND)["ari"] == pytest.approx((7 - 12 * 12 / 45) / (12 - 12 * 12 / 45))


@pytest.mark.functional
def test_clusters_that_are_the_genres_agree_wholly_and_random_ones_hardly():
    labels = list("abcd" * 50)
    same = np.array(["abcd".index(label) for label in labels])
    assert set(agreement(labels, same).values()) == {1.0}
    baseline = random_baseline(labels, same)
    assert abs(baseline["ari"]) < 0.03 and baseline["v_measure"] < 0.1
    assert baseline == random_baseline(labels, same)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_finds_plain_groups_and_stays_with_them(groups, method):
    vectors, labels = groups
    assert agreement(labels, cluster(vectors, method, k=3))["ari"] == pytest.approx(1)
    assert stability(vectors, method, k=3) == pytest.approx(1)


def test_clusters_of_nothing_but_chance_are_not_stable():
    vectors = np.random.default_rng(1).normal(size=(150, 20))
    assert stability(vectors, "kmeans", k=8) < 0.4


def test_what_cannot_be_clustered_is_refused(groups):
    vectors, _ = groups
    with pytest.raises(CorpusError, match="at least 10 texts; there are 4"):
        cluster(vectors[:4], "kmeans", k=2)
    for k in (1, 61):
        with pytest.raises(CorpusError, match=f"not {k}"):
            cluster(vectors, "kmeans", k=k)
    with pytest.raises(ValueError, match="'magic' is none of kmeans"):
        cluster(vectors, "magic", k=2)


def test_a_quadratic_method_clusters_a_sample(monkeypatch):
    monkeypatch.setitem(clusters_module.MOST_TEXTS, "agglomerative", 30)
    rows = sample_rows(100, "agglomerative", seed=3)
    assert len(set(rows.tolist())) == 30 and sorted(rows) == list(rows)
    assert len(sample_rows(100, "kmeans")) == 100


def test_criteria_find_the_number_of_plain_groups(groups):
    vectors, labels = groups
    found = criteria(vectors, labels, [2, 3, 6])
    assert best_k(found) == {"silhouette": 3, "elbow": 3, "v_measure": 3, "ari": 3}
    three = cluster(vectors, "kmeans", k=3)
    assert found[1].silhouette == pytest.approx(silhouette_score(vectors, three))
    assert found[0].inertia > found[1].inertia > found[2].inertia


def test_the_elbow_worked_by_hand():
    # From (2, 10) to (10, 2) the line falls by one a cluster: at 4 the curve is 5 below it, at 6 only 4.
    curve = [Criteria(k, 0, inertia, 0, 0) for k, inertia in ((2, 10), (4, 3), (6, 2), (10, 2))]
    assert best_k(curve)["elbow"] == 4
    assert best_k(curve[:1])["elbow"] == 2


def test_the_numbers_tried_include_the_number_of_genres_and_fit_the_texts():
    assert ks_to_try(1000, 35) == [5, 10, 15, 20, 30, 35, 40, 60]
    assert ks_to_try(36, 3) == [3, 5, 10]
    # Few texts of many genres, or one genre: still something to compare.
    assert ks_to_try(14, 9) == ks_to_try(12, 1) == [2]


@pytest.mark.parametrize("n_texts", [10, 11, 12])
def test_as_few_texts_as_clusters_need_have_a_stability(groups, n_texts):
    assert -1 <= stability(groups[0][:n_texts], "kmeans", k=2) <= 1


def test_words_of_a_cluster_worked_by_hand():
    # Cluster 0: "sea" 2, "book" 2; cluster 1: "oven" 3, "book" 1. Four words a cluster on average.
    counts = csr_matrix([[1, 0, 1], [1, 0, 1], [1, 3, 0], [0, 0, 5]])
    found = cluster_words(counts, ["book", "oven", "sea"], np.array([0, 0, 1, NOISE]))
    # 0.5 log(1 + 4/2) for "sea", 0.5 log(1 + 4/3) for "book".
    assert found == {0: ["sea", "book"], 1: ["oven", "book"]}
    # With the last text in cluster 1: 3/9 log(1 + 6.5/3) = 0.384 for "oven", 5/9 log(1 + 6.5/7) = 0.365 for "sea".
    both = cluster_words(counts, ["book", "oven", "sea"], np.array([0, 0, 1, 1]), n_words=2)
    assert both == {0: ["book", "sea"], 1: ["oven", "sea"]}


def test_texts_without_words_have_no_telling_words():
    counts, words = word_counts(["the", "of"])
    assert (counts.shape, words) == ((2, 0), [])
    assert cluster_words(counts, words, np.array([0, 1])) == {0: [], 1: []}


def test_the_commonest_genre_is_the_first_in_the_alphabet_of_equals():
    assert majority_genres(["b", "a", "c"], np.array([0, 0, 1])) == {0: "a", 1: "c"}


def test_books_that_contradict_their_cluster_come_nearest_first():
    genres = [("a",), ("a",), ("a",), ("b",), ("b", "a"), ("c",), ("d",)]
    examples = [Example("text", genre) for genre in genres]
    vectors = np.array([[0.0], [0.0], [0.0], [4.0], [9.0], [1.0], [0.0]])
    found = contradictions(examples, vectors, np.arange(7), np.array([0, 0, 0, 0, 0, 0, NOISE]))
    # The mean is 14/6; the book with a second genre that is the cluster's does not contradict.
    assert [(one.row, one.cluster_genre) for one in found] == [(5, "a"), (3, "a")]
    assert [one.distance for one in found] == pytest.approx([8 / 6, 10 / 6])


def test_the_detector_is_named_by_the_train_side_alone():
    labels = ["a", "a", "b", "b", "a", "b", "a"]
    found = np.array([0, 0, 0, 1, 1, 1, 2])
    tested = np.array([False, False, True, False, True, True, True])
    # Cluster 0 says a (wrong for b), 1 says b (right once of two), 2 has no train text: the commonest, a (right).
    assert detector_accuracy(labels, found, tested) == pytest.approx(2 / 4)
    assert detector_accuracy(labels, found, np.zeros(7, dtype=bool)) is None
    assert detector_accuracy(labels, found, np.ones(7, dtype=bool)) is None


@pytest.mark.parametrize(
    ("accuracy", "said"),
    [
        (0.21, "no better than"),
        (0.5, "50.0% of the way"),
        (0.79, "about as accurate here"),
        (0.9, "more accurate here than"),
    ],
)
def test_the_verdict_follows_the_figures(accuracy, said):
    found = verdict([a_clustering(accuracy=accuracy)], Peers(0.8, 0.2, 1000), n_genres=3)
    assert said in found
    assert f"{accuracy:.1%} (±" in found and "80.0%" in found and "20.0%" in found


def test_the_verdict_tells_what_is_missing():
    found = verdict([a_clustering(stability=0.2)], Peers(0.8, 0.2, 1000), n_genres=9)
    assert "Only 3 of 9 genres" in found and "mostly others" in found
    assert "can't be said" in verdict([a_clustering(accuracy=None)], Peers(None, None, 0), n_genres=9)


def test_the_margin_is_agresti_and_coulls():
    # 50 of 100 right: (50 + 2) / 104, 1.96 * sqrt(0.25 / 104).
    assert margin(0.5, 100) == pytest.approx(0.0961, abs=1e-4)
    assert margin(1.0, 10) > 0


@pytest.mark.parametrize("kind", VECTORS)
def test_vectors_have_length_one_and_need_several_texts(kind):
    vectors = embed([example.text for example in make_examples()], kind)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1)
    with pytest.raises(CorpusError, match="there are 1 texts"):
        embed(["one text of some words"], kind)


@pytest.mark.functional
def test_a_study_of_plain_genres_finds_them(fit_here, examples):
    vectors = embed([example.text for example in examples], "tfidf")
    steps = []
    found = study(examples, vectors, methods=["kmeans"], k=AUTO, on_step=lambda what, done: steps.append(done))
    assert steps == sorted(steps)
    assert found.k == found.best["silhouette"]
    one = study(examples, vectors, methods=["kmeans"]).clusterings[0]
    assert one.agreement["ari"] > 0.9 > 0.2 > one.baseline["ari"]
    for number, genre in one.genres.items():
        assert set(one.words[number]) & set(WORDS[genre])


@pytest.mark.functional
def test_every_slow_step_of_a_study_is_told(fit_here, examples):
    said = []
    vectors = embed([example.text for example in examples], "doc2vec", on_step=lambda what, done: said.append(what))
    study(examples, vectors, methods=["kmeans"], on_step=lambda what, done: said.append(what))
    for step in ("epoch 20 of 20", "counting words", "k-means: clustering", "k-means: stability, run 3 of 3"):
        assert [what for what in said if step in what], step


@pytest.mark.parametrize("n_genres", [1, 2])
def test_texts_of_one_genre_to_learn_are_clustered_and_the_rest_is_left_open(n_genres, monkeypatch):
    # With two genres: all texts of one stand on the test side.
    examples = [Example(example.text, ("a",)) for example in make_examples()[:24]]
    if n_genres == 2:
        examples[0] = Example(examples[0].text, ("b",))
    split = Split(np.arange(1, 24), np.arange(1), "")
    monkeypatch.setattr("training.core.cluster_study.frozen_split", lambda examples: split)
    found = study(examples, embed([example.text for example in examples], "tfidf"), methods=["kmeans"])
    assert "one genre alone" in found.paragraph


@pytest.mark.functional
@pytest.mark.parametrize("method", ["pca", "tsne"])
def test_a_map_keeps_plain_groups_apart(groups, method):
    vectors, labels = groups
    points = project(vectors, method)
    assert points.shape == (60, 2)
    assert silhouette_score(points, labels) > 0.5
    assert np.array_equal(points, project(vectors, method))


def test_a_map_of_hardly_anything_is_no_error():
    for method in available():
        assert project(np.ones((5, 3)), method).tolist() == [[0, 0]] * 5
        assert project(np.eye(1), method).shape == (1, 2)
        assert project(np.eye(2), method).shape == (2, 2)
    assert project(np.arange(6.0).reshape(6, 1), "pca").shape == (6, 2)
    with pytest.raises(ValueError, match="none of pca"):
        project(np.eye(3), "magic")


def test_a_map_draws_a_sample_of_many_texts():
    assert len(map_rows(10_000, "tsne")) == MOST_POINTS["tsne"]
    assert map_rows(3, "pca").tolist() == [0, 1, 2]


@pytest.mark.functional
@pytest.mark.django_db
def test_the_command_shows_clusters_beside_chance_and_writes_the_same_figures(fit_here, tmp_path):
    books = write_books(tmp_path / "books.csv")
    said = run("clusters", "--data", books, "--method", "kmeans", "-k", "auto", "-M", tmp_path / "found.json")
    assert "k-means" in said and "at random" in said and "HDBSCAN" not in said
    assert "the best number of clusters" in said
    assert "As a genre detector" in said
    found = json.loads((tmp_path / "found.json").read_text())
    assert found["clusterings"][0]["method"] == "kmeans"
    assert found["verdict"] in said.replace("\n", " ")
    # What it means before the figures that say so.
    assert found["verdict"].startswith("Clusters ")
    assert f"{found['clusterings'][0]['agreement']['v_measure']:.4f}" in said


@pytest.mark.functional
@pytest.mark.django_db
def test_wrong_numbers_of_clusters_are_wrong_usage(tmp_path):
    assert "neither auto nor a number from 2 on" in refused("clusters", "-k", "1")[1]
    books = write_books(tmp_path / "books.csv", make_examples(2))
    code, said = refused("clusters", "--data", books, "-k", 50)
    assert (code, "at least 10 texts" in said) == (1, True)
    code, said = refused("clusters", "--data", write_books(books), "-k", 50)
    assert (code, "2 to 36 clusters, not 50" in said) == (1, True)
