"""Word vectors from the teacher: what they hold, how they are kept, and that training starts from them."""

import json
from dataclasses import replace

import numpy as np
import pytest

from classifier.core.errors import CorpusError
from training.core.books import Example
from training.core.fit import FEW_EXAMPLES, FitParameters, fit, recommended
from training.core.held import Held
from training.core.split import text_key
from training.core.vectors import BOOK_VECTORS, dim_of, load_vectors, save_vectors, teach, write_vec


@pytest.fixture(scope="module")
def vectors(examples):
    return teach(examples)


def test_a_word_points_to_its_genre(vectors):
    row = vectors.matrix[vectors.words.index("dragon")]
    assert vectors.genres[int(row.argmax())] == "fantasy"
    assert vectors.matrix.std() == pytest.approx(1, abs=1e-4)


def test_they_remember_which_texts_they_learned_from(vectors, examples):
    assert vectors.seen == {text_key(example.text) for example in examples}


def test_they_are_kept_within_a_percent_and_without_pickle(vectors, tmp_path):
    path = tmp_path / "v.npz"
    save_vectors(vectors, path)
    kept = load_vectors(path)
    assert (kept.words, kept.genres, kept.seen) == (vectors.words, vectors.genres, vectors.seen)
    assert np.abs(kept.matrix - vectors.matrix).max() <= np.abs(vectors.matrix).max() / 100
    with np.load(path, allow_pickle=False) as packed:
        assert set(packed.files) == {"codes", "scales", "words", "genres", "seen"}
    assert [file.name for file in tmp_path.iterdir() if file.name.startswith(".")] == []


def test_scores_across_sources_are_kept_with_them(vectors, tmp_path):
    raw = np.array([[0.5, 0.25, 0.25], [0.0001, 0.9, 0.1]])
    across = Held(
        raw, np.array([30.0, 70_000.0]), raw > 0.4, np.array([0, 1]), ("a", "b", "c"), "ova", np.array([0, 1])
    )
    save_vectors(replace(vectors, across=across), tmp_path / "v.npz")
    kept = load_vectors(tmp_path / "v.npz").across
    assert kept.raw == pytest.approx(raw, rel=1e-3)
    assert kept.n_words.tolist() == [30, 65535]
    assert (kept.slugs, kept.loss, kept.sources.tolist()) == (across.slugs, "ova", [0, 1])
    assert (kept.truth == across.truth).all()
    assert (kept.primary == across.primary).all()


def test_neighbours_that_occur_often_enough_are_one_token():
    texts = ["science fiction of a ship", "a ship full of science fiction", "science fiction again ship", "garden soup"]
    labels = ["science-fiction"] * 3 + ["cooking"]
    pair = teach([Example(text, (genre,)) for text, genre in zip(texts, labels, strict=True)], min_documents=1)
    assert "science_fiction" in pair.pairs
    # It stands in one text only, and pairs must stand in one more than words.
    assert "garden_soup" not in pair.words


@pytest.mark.parametrize("damage", ["cut", "gone", "record"])
def test_damaged_vectors_are_refused_with_the_next_step(vectors, tmp_path, damage):
    path = tmp_path / "v.npz"
    save_vectors(vectors, path)
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:100])
    elif damage == "gone":
        path.unlink()
    else:
        path.with_suffix(".json").write_text("{}")
    with pytest.raises(CorpusError, match=r"build them again|manage\.py build_vectors"):
        load_vectors(path)


@pytest.mark.functional
def test_training_from_vectors_knows_words_it_was_never_shown(vectors, examples):
    shown = [example for example in examples if "dragon" not in example.text]
    model = fit(shown, FitParameters(epoch=5, lr=0.1), vectors=vectors)
    prediction = model.predict("dragon")
    assert prediction.n_known == 1
    assert prediction.scores[0].slug == "fantasy"
    assert model.meta["parameters"]["dim"] == vectors.dim


def test_the_vec_file_is_fasttexts(vectors, tmp_path):
    path = tmp_path / "v.vec"
    write_vec(vectors, path, deviation=0.3)
    head, *lines = path.read_text().splitlines()
    assert head == f"{len(vectors.words)} {vectors.dim}"
    assert {len(line.split()) for line in lines} == {vectors.dim + 1}


def test_one_genre_or_no_repeated_word_teaches_nothing():
    with pytest.raises(CorpusError, match="at least two genres"):
        teach([Example("a dragon in a tower", ("fantasy",))] * 3)
    with pytest.raises(CorpusError, match="No word stands in 2"):
        teach([Example("dragon tower", ("fantasy",)), Example("butter oven", ("cooking",))])


def test_the_recommended_parameters_follow_the_data():
    assert recommended(50, with_vectors=False) == FitParameters()
    few, many = (recommended(n, with_vectors=True) for n in (FEW_EXAMPLES - 1, FEW_EXAMPLES))
    assert few.lr * few.epoch > many.lr * many.epoch


def test_the_dimensions_of_saved_vectors_are_known_without_reading_them(vectors, tmp_path):
    save_vectors(vectors, tmp_path / "v.npz")
    (tmp_path / "v.npz").unlink()
    assert dim_of(tmp_path / "v.npz") == vectors.dim
    assert dim_of(BOOK_VECTORS) == 35
    with pytest.raises(CorpusError, match="can't be read"):
        dim_of(tmp_path / "none.npz")


def test_the_shipped_vectors_are_sound_small_and_tell_their_origin():
    record = json.loads(BOOK_VECTORS.with_suffix(".json").read_text())
    assert BOOK_VECTORS.stat().st_size < 4_000_000
    assert {entry["name"] for entry in record["inputs"]} >= {"starter_books.csv", "four_files.csv.gz"}
    assert "google_books_1299.csv" not in {entry["name"] for entry in record["inputs"]}
    assert len(load_vectors(BOOK_VECTORS).words) == record["n_words"]
