"""What was learned of texts is learned once, until data, parameters or packages change."""

import numpy as np
import pytest

from training import lab_kept
from training.core.neighbours import Rate
from training.lab_kept import kept_rates, kept_vectors

RATE = Rate("tfidf", 0.5, 0.4, 0.6, 0.1, 10, 20, 10, 1.5)


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.GENRE_LAB_DIR = tmp_path / "lab"
    return settings.GENRE_LAB_DIR / lab_kept.KEPT


class Maker:
    def __init__(self, *made):
        self.made = list(made)

    def __call__(self):
        return self.made.pop(0)


def test_vectors_are_made_once_for_the_same_data_and_parameters(monkeypatch):
    make = Maker(*(np.full((2, 3), number, dtype=np.float32) for number in range(4)))
    assert kept_vectors("a", "tfidf", make).tolist() == kept_vectors("a", "tfidf", make).tolist() == [[0] * 3] * 2
    assert kept_vectors("b", "tfidf", make)[0, 0] == 1
    assert kept_vectors("a", "doc2vec", make)[0, 0] == 2
    monkeypatch.setattr("training.core.embeddings.SVD_DIM", 7)
    assert kept_vectors("a", "tfidf", make)[0, 0] == 3


def test_figures_are_made_once_for_the_same_methods():
    make = Maker([RATE], [])
    assert kept_rates("a", ["tfidf"], make) == kept_rates("a", ["tfidf"], make) == [RATE]
    assert kept_rates("a", ["tfidf", "doc2vec"], make) == []


def test_what_was_damaged_or_holds_objects_is_made_anew(folder):
    kept_vectors("a", "tfidf", lambda: np.zeros((1, 1), dtype=np.float32))
    (path,) = folder.iterdir()
    for spoil in (lambda: path.write_bytes(b"no array"), lambda: np.save(path, np.array([{}]), allow_pickle=True)):
        spoil()
        assert kept_vectors("a", "tfidf", lambda: np.ones((1, 1), dtype=np.float32)).tolist() == [[1]]
    kept_rates("a", ["tfidf"], lambda: [RATE])
    next(folder.glob("*.json")).write_text('{"rates": [{"method": "x"}]}')
    assert kept_rates("a", ["tfidf"], list) == []


def test_only_the_newest_are_kept_and_without_a_folder_the_lab_works_on(folder, monkeypatch):
    monkeypatch.setattr(lab_kept, "MOST", 2)
    for data in "abcd":
        kept_vectors(data, "tfidf", lambda: np.zeros((1, 1), dtype=np.float32))
    assert len(list(folder.iterdir())) == 2
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    folder.write_text("a file stands here")
    assert kept_vectors("a", "tfidf", lambda: np.ones((1, 1), dtype=np.float32))[0, 0] == 1
