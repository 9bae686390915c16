"""What a text may read like is made of the starter corpus alone, and lies beside the model."""

import pytest
from django.core.management.base import CommandError

from classifier.core.neighbours import Neighbours
from classifier.registry import champion as active_champion
from classifier.registry import folder_of, forget_champion, load_version, promote
from training import neighbours
from training.core.starter import PASSAGE_CHARS, opening
from training.tests.helpers import run, write_books


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """A small file in the starter corpus's place."""
    books = write_books(tmp_path / "starter.csv")
    monkeypatch.setattr(neighbours, "STARTER_FILE", books)
    return books


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Short.", "Short."),
        ("Two lines\nare one.", "Two lines are one."),
        (f"{'A first sentence of the book. ' * 5}{'and on ' * 40}", ("A first sentence of the book. " * 5).strip()),
        ("word " * 100, ("word " * 48).strip() + "…"),
    ],
    ids=["short", "lines", "sentences", "no stop"],
)
def test_a_passage_is_the_first_sentences_of_its_text(text, expected):
    assert opening(text) == expected
    assert len(opening(text)) <= PASSAGE_CHARS


def test_the_passages_of_a_version_are_those_of_the_corpus(champion, shelf, examples):
    assert f"{len(examples)} passages lie beside version 1" in run("build_neighbours")
    found = Neighbours.load(folder_of(champion), load_version(champion))
    assert [passage.title for passage in found.passages] == [example.title for example in examples]
    assert {passage.genres for passage in found.passages} == {example.genres for example in examples}


def test_the_nearest_of_a_text_are_of_its_genre(champion, shelf):
    run("build_neighbours")
    forget_champion()
    text = "A sorceress casts her spell, and the elf draws a sword before the throne."
    from classifier.core.explain import explain

    active = active_champion()
    near = active.neighbours.nearest(explain(active.model, text).direction, text)
    assert [alike.passage.genres for alike in near] == [("fantasy",)] * 3
    assert [alike.cosine for alike in near] == sorted((alike.cosine for alike in near), reverse=True)


def test_a_running_site_sees_passages_that_were_made_after_the_promotion(champion, shelf, monkeypatch):
    monkeypatch.setattr("classifier.registry.RECHECK_SECONDS", 0)
    assert active_champion().neighbours is None
    run("build_neighbours")
    assert active_champion().neighbours is not None


def test_a_text_without_a_known_word_reads_like_nothing(champion, shelf):
    run("build_neighbours")
    forget_champion()
    from classifier.core.explain import explain

    active = active_champion()
    assert active.neighbours.nearest(explain(active.model, "xyzzy plugh").direction, "xyzzy plugh") == []


def test_a_model_that_cannot_tell_gets_none(make_version, shelf):
    version = promote(make_version(parameters={"loss": "hs"}).number, by="tests")
    with pytest.raises(CommandError, match="gets no passages"):
        run("build_neighbours")
    assert not neighbours.has_neighbours(version)


def test_what_anybody_else_wrote_is_never_read(champion, shelf, db):
    from feedback.models import Correction

    Correction.objects.create(text="a secret dragon", text_hash="0", verdict="genres", source="page", status="approved")
    run("build_neighbours")
    found = Neighbours.load(folder_of(champion), load_version(champion))
    assert not any("secret" in passage.text for passage in found.passages)
