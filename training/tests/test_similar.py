"""Similar texts: vectors by three methods, the nearest, and how often they share the genre."""

import builtins
import json

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from training.core.embeddings import METHODS, fit_doc2vec, fit_tfidf
from training.core.neighbours import measure_methods, nearest, same_genre_at
from training.tests.helpers import refused, run, write_books

pytestmark = pytest.mark.usefixtures("fit_here")
TEXT = "The wizard and the dragon cast an enchanted spell on the castle"


@pytest.mark.parametrize("method", METHODS)
def test_a_text_comes_near_texts_of_its_genre(method, examples):
    fitted = METHODS[method](examples)
    assert fitted.vectors.shape[0] == len(examples)
    assert np.linalg.norm(fitted.vectors, axis=1) == pytest.approx(1, abs=1e-5)
    assert not fitted.embed("zzz qqq").any()
    if method != "doc2vec":  # Three dozen texts are too few for it.
        at, _ = nearest(fitted.embed(TEXT), fitted.vectors, 5)
        assert {examples[row].genres[0] for row in at} == {"fantasy"}


def test_doc2vec_repeats_itself(examples):
    first, second = (fit_doc2vec(examples[:12], epochs=3) for _ in range(2))
    assert (first.vectors == second.vectors).all()
    assert (first.embed(TEXT) == first.embed(TEXT)).all()


def test_the_nearest_are_those_of_scikit_learn(examples):
    fitted = fit_tfidf(examples)
    query = fitted.embed(TEXT)
    at, cosines = nearest(query, fitted.vectors, 4)
    distances, _ = NearestNeighbors(metric="cosine").fit(fitted.vectors).kneighbors([query], 4)
    assert 1 - cosines == pytest.approx(distances[0], abs=1e-5)
    assert len(at) == 4


def test_the_same_book_is_no_neighbour():
    vectors = np.eye(3, dtype=np.float32)
    at, _ = nearest(vectors[0], vectors, 2, group=7, groups=np.array([7, 7, 8]))
    assert at.tolist() == [2]
    assert nearest(np.zeros(3, dtype=np.float32), vectors)[0].tolist() == []


def test_the_share_of_the_same_genre_is_counted_by_hand():
    vectors = np.array([[1, 0], [0.8, 0.6], [0, 1], [-1, 0]], dtype=np.float32)
    shares = same_genre_at(vectors[[0, 2]], ["a", "b"], vectors, ["a", "b", "b", "a"], 2)
    assert shares.tolist() == [0.5, 1.0]


def test_plain_genres_are_found_and_chance_is_a_third(examples):
    (rate,) = measure_methods(examples, ["tfidf"], k=3)
    assert rate.low <= rate.same_genre <= rate.high
    assert rate.same_genre > 0.8 > 0.5 > rate.random
    assert rate.n_queries + rate.n_searched == len(examples)


def test_measuring_tells_of_each_method_and_of_its_slow_steps(examples):
    said = []
    measure_methods(examples, ["tfidf", "doc2vec"], on_step=lambda what, done: said.append((what, done)))
    assert [done for _, done in said] == sorted(done for _, done in said)
    for step in ("tfidf: reducing their dimensions", "doc2vec: training, epoch 2 of 20", "doc2vec: looking for"):
        assert [what for what, _ in said if what.startswith(step)], step


@pytest.mark.django_db
def test_the_command_measures_and_writes_the_figures(tmp_path):
    books, target = write_books(tmp_path / "books.csv"), tmp_path / "m.json"
    said = run("similar", "--data", books, "--method", "tfidf", "-k", 3, "-M", target)
    assert "same genre@3" in said
    assert "random" in said
    assert json.loads(target.read_text())["rates"][0]["method"] == "tfidf"


@pytest.mark.django_db
def test_the_command_lists_the_nearest_texts(tmp_path):
    books = write_books(tmp_path / "books.csv")
    assert "fantasy" in run("similar", "--data", books, "--text", TEXT, "--method", "tfidf", "-k", 2)
    assert refused("similar", "--data", books, "-k", 0)[0] == 2
    one = write_books(tmp_path / "one.csv", [])
    assert refused("similar", "--data", one)[0] == 1


@pytest.mark.django_db
def test_without_gensim_it_says_how_to_get_it(tmp_path, monkeypatch):
    real = builtins.__import__

    def without(name, *rest, **more):
        if name.startswith("gensim"):
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    code, message = refused("similar", "--data", write_books(tmp_path / "b.csv"), "--method", "doc2vec")
    assert (code, "pip install -r explore/requirements.txt" in message) == (1, True)
