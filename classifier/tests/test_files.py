import gzip
import json

import pytest

from classifier.core.files import replacing, write_json


@pytest.mark.parametrize("name", ["a.txt", "a.txt.gz"])
def test_a_file_appears_only_when_the_block_ends(tmp_path, name):
    path = tmp_path / name
    with replacing(path) as stream:
        stream.write("half\r\n")
        assert not path.exists()
        stream.write("whole\n")
    data = path.read_bytes()
    assert (gzip.decompress(data) if name.endswith("gz") else data) == b"half\r\nwhole\n"
    assert [file.name for file in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ["a.txt", "a.txt.gz"])
@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_failure_leaves_the_old_file_and_no_draft(tmp_path, name, error):
    path = tmp_path / name
    path.write_bytes(b"old")
    with pytest.raises(error), replacing(path) as stream:
        stream.write("new")
        raise error
    assert path.read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir()] == [name]


def test_what_utf8_can_not_hold_leaves_no_file(tmp_path):
    with pytest.raises(UnicodeEncodeError), replacing(tmp_path / "a.txt") as stream:
        stream.write("half \ud800 pair")
    assert list(tmp_path.iterdir()) == []


def test_equal_content_gives_equal_compressed_bytes(tmp_path):
    for name in ("one.gz", "two.gz"):
        with replacing(tmp_path / name) as stream:
            stream.write("the same words " * 100)
    assert (tmp_path / "one.gz").read_bytes() == (tmp_path / "two.gz").read_bytes()


def test_missing_folders_are_made(tmp_path):
    write_json(tmp_path / "a" / "b" / "c.json", {"ключ": [1, None]})
    text = (tmp_path / "a" / "b" / "c.json").read_text(encoding="utf-8")
    assert json.loads(text) == {"ключ": [1, None]}
    assert "ключ" in text
    assert text.endswith("\n")


def test_json_that_can_not_be_written_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.json"
    write_json(path, {"n": 1})
    with pytest.raises(TypeError):
        write_json(path, {"n": object()})
    assert json.loads(path.read_text()) == {"n": 1}
    assert len(list(tmp_path.iterdir())) == 1
