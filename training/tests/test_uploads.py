"""An upload is kept under its own name by its content, and never outside of its folder."""

import pytest

from classifier.core.errors import CorpusError
from classifier.core.model import sha256_of
from training.uploads import keep_upload


@pytest.fixture
def folder(settings, tmp_path):
    settings.GENRE_LAB_DIR = tmp_path / "lab"
    return settings.GENRE_LAB_DIR


def test_two_uploads_of_one_name_are_two_files_and_the_same_twice_is_one(folder):
    first, other = keep_upload("books.csv", b"one"), keep_upload("books.csv", b"two")
    assert (first.read_bytes(), other.read_bytes()) == (b"one", b"two")
    assert keep_upload("books.csv", b"one") == first
    assert first.parent.name == sha256_of(first)
    assert len([path for path in folder.rglob("*") if path.is_file()]) == 2


@pytest.mark.parametrize(("name", "kept"), [("../../evil.csv", "evil.csv"), ("..", "upload"), ("", "upload")])
def test_no_name_leaves_the_folder(folder, name, kept):
    path = keep_upload(name, b"text")
    assert path.name == kept
    assert path.is_relative_to(folder.resolve())


def test_a_folder_that_can_not_be_written_is_an_error_for_people(folder):
    folder.parent.mkdir(exist_ok=True)
    folder.write_text("a file stands here")
    with pytest.raises(CorpusError, match="can't be kept"):
        keep_upload("books.csv", b"text")
