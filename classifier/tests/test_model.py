import json
import math
import os
import shutil
import sys
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.core import model as model_module
from classifier.core import verify
from classifier.core.errors import ModelDamaged, ModelError, ModelMissing
from classifier.core.model import (
    META_FILE,
    MODEL_FILE,
    GenreModel,
    GenreScore,
    Prediction,
    read_meta,
    sha256_of,
    to_line,
)
from classifier.tests.nasty import any_text

SLUGS = ("business-economics", "cooking", "fantasy")
KNOWN_WORDS = ["dragon", "wizard", "butter", "oven", "market", "profit", "number", "unheardof"]


class FakeEngine:
    """An engine that answers with the given pairs and knows two words."""

    def __init__(self, *pairs):
        self.pairs = pairs
        self.f = SimpleNamespace(predict=lambda line, k, threshold, errors: list(self.pairs))

    def get_labels(self):
        return [label for _, label in self.pairs]

    def get_words(self):
        return ["any", "text"]


class CutEngine:
    """The real engine on a disk that loses the end of what is written to it."""

    def __init__(self, engine, lost):
        self._engine, self._lost = engine, lost

    def __getattr__(self, name):
        return getattr(self._engine, name)

    def save_model(self, path):
        self._engine.save_model(path)
        with open(path, "r+b") as file:
            file.truncate(file.seek(0, 2) - self._lost)


@pytest.fixture
def copied(model_folder, tmp_path):
    """A copy of the saved model that a test may damage."""
    return shutil.copytree(model_folder, tmp_path / "copied")


def change_meta(folder, **values):
    meta = json.loads((folder / META_FILE).read_text(encoding="utf-8"))
    (folder / META_FILE).write_text(json.dumps(meta | values), encoding="utf-8")


def is_sane(prediction):
    scores = [genre.score for genre in prediction.scores]
    return all(math.isfinite(score) and 0 <= score <= 1 for score in scores) and scores == sorted(scores, reverse=True)


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("A dragon and a wizard in the castle", "fantasy"),
        ("Whisk butter and flour, bake in the oven", "cooking"),
        ("The company's profit and the market", "business-economics"),
    ],
)
def test_it_knows_the_genres_it_was_taught(model, text, slug):
    prediction = model.predict(text)
    assert prediction.scores[0].slug == slug
    assert prediction.scores[0].score > 0.5
    assert not prediction.abstained


@given(words=st.lists(st.sampled_from(KNOWN_WORDS), min_size=1, max_size=30))
def test_scores_are_finite_in_range_sorted_and_of_every_genre(model, words):
    prediction = model.predict(" ".join(words))
    if prediction.abstained:
        assert set(words) == {"unheardof"}
    else:
        assert is_sane(prediction)
        assert sorted(genre.slug for genre in prediction.scores) == list(SLUGS)
        assert (prediction.n_words, prediction.n_known) == (len(words), len(words) - words.count("unheardof"))


@given(text=any_text)
def test_any_text_gets_sane_scores_or_an_abstention(model, text):
    prediction = model.predict(text)
    assert is_sane(prediction)
    assert bool(prediction.scores) != bool(prediction.abstained)
    assert 0 <= prediction.n_known <= prediction.n_words


def test_the_slugs_are_sorted(model):
    assert model.slugs == SLUGS


def test_a_score_beyond_the_range_is_clamped():
    engine = FakeEngine((1.00001, "__label__b"), (-1e-7, "__label__a"))
    assert GenreModel(engine, {}).predict("any text").scores == (GenreScore("b", 1.0), GenreScore("a", 0.0))


def test_equal_scores_come_in_the_order_of_their_slugs():
    engine = FakeEngine((0.25, "__label__c"), (0.5, "__label__b"), (0.25, "__label__a"))
    assert [genre.slug for genre in GenreModel(engine, {}).predict("any text").scores] == ["b", "a", "c"]


@pytest.mark.parametrize("score", [math.nan, math.inf, -math.inf])
def test_a_score_that_is_no_number_is_never_shown(score):
    model = GenreModel(FakeEngine((score, "__label__a"), (0.5, "__label__b")), {})
    with pytest.raises(ModelDamaged, match="no numbers"):
        model.predict("any text")


@pytest.mark.parametrize("text", ["", "   ", "\n\r\n", "\x00", "!!! --- …", "🐉", "_ _ _", "__label__"])
def test_it_abstains_without_words(model, text):
    assert model.predict(text) == Prediction((), 0, 0, "no-words")


@pytest.mark.parametrize(("text", "n_words"), [("xyzzy plugh frobnicate", 3), ("дракон", 1), ("</ss>", 1)])
def test_it_abstains_when_training_saw_none_of_the_words(model, text, n_words):
    assert model.predict(text) == Prediction((), n_words, 0, "nothing-known")


@pytest.mark.parametrize("text", ["</s>", "__label__fantasy </s>"])
def test_the_end_of_line_token_and_labels_in_a_text_are_plain_words(model, text):
    assert model.predict(text + " butter") == model.predict(
        text.replace("__label__", "").replace("</s>", "") + " butter"
    )


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r", "\u2028", "\x85", "\n\n\n"])
def test_a_line_break_does_not_cut_the_text(model, newline):
    text = f"dragon{newline}butter{newline}flour{newline}oven"
    assert model.predict(text) == model.predict("dragon butter flour oven")
    assert model.predict(text) != model.predict("dragon")


def test_half_a_surrogate_pair_does_not_fail(model):
    assert model.predict("dragon \ud800 wizard") == model.predict("dragon wizard")


def test_spelling_that_a_reader_does_not_see_makes_no_difference(model):
    plain = model.predict("the dragon and the wizard")
    for same in ("THE DRAGON AND THE WIZARD", "the dra\u00adgon and the wiz\u200bard", "<the> dragon, and the wizard!"):
        assert model.predict(same) == plain


def test_the_line_for_fasttext_ends_with_the_newline_training_saw(model):
    assert to_line(["dragon", "wizard"]) == "dragon wizard\n"
    with_newline = model._engine.f.predict("dragon butter\n", -1, 0.0, "strict")
    without = model._engine.f.predict("dragon butter", -1, 0.0, "strict")
    assert with_newline != without
    served = {genre.slug: genre.score for genre in model.predict("Dragon: butter?").scores}
    assert served == pytest.approx({label.removeprefix("__label__"): score for score, label in with_newline}, abs=2e-5)


def test_a_pair_that_training_knew_is_a_token_of_its_own():
    words = ["science", "fiction", "science", "lab"]
    assert to_line(words, {"science_fiction"}) == "science fiction science lab science_fiction\n"


def test_many_texts_get_the_predictions_each_gets_alone(model):
    texts = ["dragon", "", "butter oven", "xyzzy"]
    assert model.predict_many(texts) == [model.predict(text) for text in texts]


def test_top_takes_the_best_above_a_threshold():
    prediction = Prediction((GenreScore("a", 0.6), GenreScore("b", 0.3), GenreScore("c", 0.1)), 5, 5)
    assert [genre.slug for genre in prediction.top(2)] == ["a", "b"]
    assert [genre.slug for genre in prediction.top(threshold=0.3)] == ["a", "b"]
    assert Prediction((), 0, 0, "no-words").top() == ()


def test_a_saved_model_answers_as_before(model, model_folder):
    loaded = GenreModel.load(model_folder)
    for text in ("a dragon", "butter in the market", "a new profit"):
        assert loaded.predict(text) == model.predict(text)


def test_a_model_folder_holds_the_model_and_its_meta_and_no_pickle(model_folder):
    assert sorted(file.name for file in model_folder.iterdir()) == [META_FILE, MODEL_FILE, "seen.json"]
    meta = read_meta(model_folder)
    assert meta["model_sha256"] == sha256_of(model_folder / MODEL_FILE)
    assert meta["model_bytes"] == (model_folder / MODEL_FILE).stat().st_size
    assert len(meta["canaries"]) == 2


@pytest.mark.functional
def test_other_files_of_the_folder_are_saved_with_it(model, tmp_path):
    folder = model.save(tmp_path / "new" / "model", extra={"seen.json": "[]"})
    assert (folder / "seen.json").read_text() == "[]"
    assert [entry.name for entry in (tmp_path / "new").iterdir()] == ["model"]


@pytest.mark.parametrize("occupied", ["folder", "file"])
def test_save_never_overwrites(model, tmp_path, occupied):
    folder = tmp_path / "model"
    if occupied == "folder":
        folder.mkdir()
    else:
        folder.write_text("precious")
    with pytest.raises(ModelError, match="never overwritten"):
        model.save(folder)
    assert [entry.name for entry in tmp_path.iterdir()] == ["model"]
    assert folder.is_dir() or folder.read_text() == "precious"


@pytest.mark.functional
@pytest.mark.parametrize("lost", [60, 1500])
def test_a_disk_that_loses_the_end_of_the_file_leaves_no_model_and_no_draft(model, tmp_path, lost):
    cut = GenreModel(CutEngine(model._engine, lost), dict(model.meta))
    with pytest.raises(ModelError, match="just written does not load"):
        cut.save(tmp_path / "model", canaries=["dragon wizard", "butter flour", "market profit"])
    assert list(tmp_path.iterdir()) == []


def test_a_copy_that_does_not_load_in_time_leaves_no_model_and_no_draft(model, tmp_path, monkeypatch):
    monkeypatch.setattr(model_module, "VERIFY_SECONDS", 0.001)
    with pytest.raises(ModelError, match="does not load within"):
        model.save(tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


def test_an_interruption_while_saving_leaves_no_model_and_no_draft(model, tmp_path, monkeypatch):
    def interrupted(folder):
        assert (folder / MODEL_FILE).exists()
        raise KeyboardInterrupt

    monkeypatch.setattr(model_module, "_verify_in_child", interrupted)
    with pytest.raises(KeyboardInterrupt):
        model.save(tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("share", [0, 0.03, 0.5, 0.9999])
def test_load_refuses_a_cut_file_before_fasttext_sees_it(copied, monkeypatch, share):
    path = copied / MODEL_FILE
    data = path.read_bytes()
    path.write_bytes(data[: min(int(len(data) * share), len(data) - 1)])
    monkeypatch.setattr(model_module.fasttext, "load_model", lambda path: pytest.fail("fastText may hang on it"))
    with pytest.raises(ModelDamaged, match="does not match the hash"):
        GenreModel.load(copied)


def test_load_refuses_a_file_of_which_one_bit_changed(copied):
    path = copied / MODEL_FILE
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(ModelDamaged, match="does not match the hash"):
        GenreModel.load(copied)


def test_a_file_that_is_cut_after_it_was_hashed_is_loaded_as_it_was_hashed(copied, model, monkeypatch):
    load_model = model_module.fasttext.load_model

    def cut_then_load(name):
        (copied / MODEL_FILE).write_bytes(b"")
        return load_model(name)

    monkeypatch.setattr(model_module.fasttext, "load_model", cut_then_load)
    loaded = GenreModel.load(copied)
    assert (copied / MODEL_FILE).stat().st_size == 0
    assert loaded.predict("dragon wizard").scores == model.predict("dragon wizard").scores


def test_a_model_loads_the_same_where_no_file_can_be_kept_in_memory(copied, model, monkeypatch):
    monkeypatch.delattr(os, "memfd_create", raising=False)
    assert GenreModel.load(copied).predict("dragon wizard").scores == model.predict("dragon wizard").scores


def test_load_refuses_a_file_that_can_not_be_read(copied, monkeypatch):
    def refuse(*arguments):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(model_module, "_private_copy", refuse)
    with pytest.raises(ModelDamaged, match="can't be read: .*Permission denied"):
        GenreModel.load(copied)


def test_load_refuses_what_is_no_fasttext_model_even_with_its_hash_recorded(copied):
    (copied / MODEL_FILE).write_bytes(b"something else entirely")
    change_meta(copied, model_sha256=sha256_of(copied / MODEL_FILE))
    with pytest.raises(ModelDamaged, match="fastText can't load"):
        GenreModel.load(copied)


def test_load_refuses_a_model_that_answers_its_canaries_differently(copied):
    change_meta(copied, canaries=[["dragon wizard", {"cooking": 0.98}]])
    with pytest.raises(ModelDamaged, match="canary"):
        GenreModel.load(copied)


def test_load_refuses_a_canary_of_a_genre_the_model_lacks(copied):
    change_meta(copied, canaries=[["dragon wizard", {"western": 0.0}]])
    with pytest.raises(ModelDamaged, match="canary"):
        GenreModel.load(copied)


@pytest.mark.parametrize("name", [MODEL_FILE, META_FILE])
def test_load_refuses_a_folder_without_its_files(copied, name):
    (copied / name).unlink()
    with pytest.raises(ModelMissing, match=name):
        GenreModel.load(copied)


def test_load_refuses_a_missing_folder_and_a_file(copied):
    with pytest.raises(ModelMissing):
        GenreModel.load(copied / "absent")
    with pytest.raises(ModelMissing):
        GenreModel.load(copied / MODEL_FILE)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[]", b"null", b"[" * 100_000])
def test_load_refuses_a_damaged_meta_file(copied, content):
    (copied / META_FILE).write_bytes(content)
    with pytest.raises(ModelDamaged, match=META_FILE):
        GenreModel.load(copied)


def test_load_refuses_a_meta_file_without_a_hash(copied):
    (copied / META_FILE).write_text("{}")
    with pytest.raises(ModelDamaged, match="does not match the hash"):
        GenreModel.load(copied)


def test_the_check_in_another_process_exits_0_or_1(copied, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["verify", str(copied)])
    assert verify.main() == 0
    (copied / MODEL_FILE).unlink()
    assert verify.main() == 1
    assert "is missing" in capsys.readouterr().err
