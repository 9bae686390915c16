import gzip
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.core.errors import CorpusError
from classifier.core.examples import (
    FORMATS,
    LabelledText,
    guard_formula,
    open_text,
    read_examples,
    sniff_format,
    unguard_formula,
    write_examples,
)
from classifier.core.files import replacing
from classifier.core.text import one_line, tokens
from classifier.tests.nasty import NASTY, any_text, slugs, writable_text

EXTRA = st.fixed_dictionaries({"note": writable_text, "title": writable_text})
EXAMPLES = st.lists(st.builds(LabelledText, text=writable_text, labels=slugs, extra=EXTRA), max_size=5)


def written(examples, file_format):
    stream = io.StringIO(newline="")
    count = write_examples(examples, stream, file_format)
    stream.seek(0)
    return stream, count


def content(examples):
    return [(example.text, example.labels, example.extra) for example in examples]


@given(any_text)
def test_guarding_and_unguarding_a_formula_is_identity(cell):
    assert unguard_formula(guard_formula(cell)) == cell


@pytest.mark.parametrize(
    "cell",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠A1", "'=1", "''=1", "'\n=1"],
)
def test_a_guarded_formula_starts_with_an_apostrophe(cell):
    assert guard_formula(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["", "plain", "'tis the season", "1=1", "''", " =1"])
def test_what_is_no_formula_stays_as_it_is(cell):
    assert guard_formula(cell) == cell


@pytest.mark.functional
@pytest.mark.parametrize("file_format", ["csv", "jsonl"])
@given(examples=EXAMPLES)
def test_csv_and_json_lines_come_back_exactly(file_format, examples):
    stream, count = written(examples, file_format)
    assert count == len(examples)
    assert content(read_examples(stream, file_format)) == content(examples)


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.jsonl", "a.jsonl.gz"])
def test_nasty_texts_come_back_exactly_from_a_file(tmp_path, name):
    examples = [LabelledText(text, ("fantasy", "self-help"), extra={"note": text}) for text in NASTY]
    path = tmp_path / name
    file_format = name.split(".")[1]
    with replacing(path) as stream:
        write_examples(examples, stream, file_format)
    stream = open_text(path)
    assert sniff_format(path, stream.read(65536)) == file_format
    stream.seek(0)
    assert content(read_examples(stream, file_format)) == content(examples)


@pytest.mark.parametrize("file_format", ["fasttext", "annif"])
@given(examples=EXAMPLES)
def test_fasttext_and_annif_lines_keep_the_cleaned_line_and_every_label(file_format, examples):
    stream, count = written(examples, file_format)
    kept = [example for example in examples if one_line(example.text)]
    assert count == len(kept)
    expected = [(one_line(example.text), example.labels) for example in kept]
    assert [(example.text, example.labels) for example in read_examples(stream, file_format)] == expected


@pytest.mark.parametrize("file_format", FORMATS)
@given(text=writable_text, labels=slugs)
def test_every_format_keeps_the_words(file_format, text, labels):
    stream, count = written([LabelledText(text, labels)], file_format)
    read = list(read_examples(stream, file_format))
    assert len(read) == count
    assert all(tokens(example.text) == tokens(text) and example.labels == labels for example in read)
    assert count == 1 or not tokens(text)


@pytest.mark.parametrize("file_format", ["fasttext", "annif"])
def test_line_formats_leave_out_and_do_not_count_what_they_can_not_hold(file_format):
    examples = [LabelledText("", ("a",)), LabelledText("word", ()), LabelledText("word", ("a",))]
    stream, count = written(examples, file_format)
    assert count == 1
    assert len(stream.read().splitlines()) == 1


@pytest.mark.parametrize("file_format", ["csv", "jsonl"])
def test_csv_and_json_lines_keep_a_row_without_text_or_label(file_format):
    stream, count = written([LabelledText("", ("a",)), LabelledText("word", ())], file_format)
    assert count == 2
    assert [(row.text, row.labels) for row in read_examples(stream, file_format)] == [("", ("a",)), ("word", ())]


def test_a_label_in_the_text_does_not_become_a_label_of_the_line():
    stream, _ = written([LabelledText("__label__cooking dragon", ("fantasy",))], "fasttext")
    assert stream.read() == "__label__fantasy cooking dragon\n"


def test_no_cell_of_a_written_csv_starts_a_formula():
    stream, _ = written([LabelledText("=HYPERLINK(1)", ("a",), extra={"note": "@x"})], "csv")
    assert stream.read() == "text,label,note\r\n'=HYPERLINK(1),a,'@x\r\n"


def test_an_empty_csv_has_its_header():
    stream, count = written([], "csv")
    assert (stream.read(), count) == ("text,label\r\n", 0)


def test_rows_are_numbered_and_other_columns_kept():
    stream = io.StringIO("title,text,labels\r\nT,words here,a | b|\r\n")
    assert list(read_examples(stream, "csv")) == [LabelledText("words here", ("a", "b"), 1, {"title": "T"})]


def test_json_lines_take_one_label_or_several_and_keep_other_values():
    lines = ['{"text": "a", "label": "x"}', "", '{"text": "b", "labels": ["x", " y "], "n": 3, "none": null}']
    rows = list(read_examples(io.StringIO("\n".join(lines)), "jsonl"))
    assert [(row.labels, row.row) for row in rows] == [(("x",), 1), (("x", "y"), 3)]
    assert rows[1].extra == {"n": "3", "none": None}


def test_half_a_surrogate_pair_in_json_is_replaced():
    rows = list(read_examples(io.StringIO('{"text": "half \\ud83d pair", "labels": []}'), "jsonl"))
    assert rows[0].text == "half ? pair"


def test_annif_subjects_may_be_any_uri():
    line = "Some text\twith a tab\t<http://example.org/g/fantasy> <http://example.org/g#cooking> <urn:genre:a1>\r\n"
    assert list(read_examples(io.StringIO(line), "annif")) == [
        LabelledText("Some text\twith a tab", ("fantasy", "cooking", "a1"), 1)
    ]


@pytest.mark.parametrize(
    ("file_format", "text", "message"),
    [
        ("csv", "text,label\r\na,b,c\r\n", "row 1 has more or fewer cells"),
        ("csv", "text,label\r\nonly\r\n", "row 1 has more or fewer cells"),
        ("csv", "title,label\r\n", "needs the columns text and label; it has title, label"),
        ("csv", "", "it has none"),
        ("csv", 'text,label\r\n"never closed,a\r\n', "not sound CSV"),
        ("csv", 'text,label\r\n"a"b,c\r\n', "not sound CSV"),
        ("csv", 'text,label,"a"b\r\nx,y,z\r\n', "header is not sound CSV"),
        ("jsonl", "nonsense\n", "line 1 is not JSON"),
        ("jsonl", "[]\n", 'string "text"'),
        ("jsonl", '\n{"text": 3}\n', 'line 2 needs an object with a string "text"'),
        ("jsonl", '{"text": "a", "labels": [3]}', "list of strings"),
        ("jsonl", '{"text": "a", "labels": 3}', "list of strings"),
        ("jsonl", '{"text":' + "[" * 100_000, "not JSON"),
        ("jsonl", '{"text": "a", "n": ' + "1" * 5000 + "}", "not JSON"),
        ("annif", "no tab here\n", "line 1 has no tab"),
        ("xml", "<a/>", "no known format"),
    ],
)
def test_it_refuses_a_file_that_is_not_what_it_claims_and_names_it(file_format, text, message):
    with pytest.raises(CorpusError, match=message) as caught:
        list(read_examples(io.StringIO(text, newline=""), file_format, name="books.txt"))
    assert "books.txt" in str(caught.value) or file_format == "xml"


@pytest.mark.parametrize(
    ("head", "file_format"),
    [
        ("text,label\r\n", "csv"),
        ("label,text,more\n", "csv"),
        ('"text","labels"\n', "csv"),
        ('\n{"text": "a"}\n', "jsonl"),
        ("__label__a text\n", "fasttext"),
        ("text\t<urn:genre:a>\n", "annif"),
    ],
)
def test_it_finds_the_format(tmp_path, head, file_format):
    assert sniff_format(tmp_path / "x", head) == file_format


@pytest.mark.parametrize(
    "head", ["", "\n\n", "just some prose", "title,genre\n", "text\tlabel\n", "text,genre\n", "[1, 2]"]
)
def test_it_says_which_formats_it_knows(tmp_path, head):
    with pytest.raises(CorpusError, match="Known are: CSV.*JSON lines.*fastText.*Annif.*Kaggle"):
        sniff_format(tmp_path / "x", head)


def damaged_gzip():
    data = bytearray(gzip.compress(b"text,label\r\n" + b"a dragon wakes,fantasy\r\n" * 50, mtime=0))
    data[15] ^= 0xFF
    return bytes(data)


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.csv.gz", b"text,label\r\n", "named .gz but is not a gzip"),
        ("a.csv.gz", gzip.compress(b"text,label\r\n" * 9, mtime=0)[:-9], "can't be read"),
        ("a.csv.gz", damaged_gzip(), "can't be read"),
        ("a.csv", b"\x1f\x8b\x08 no gzip after all", "can't be read"),
        ("a.csv", b"\x89PNG\r\n\x1a\n\x00", "not UTF-8"),
        ("a.csv", b"text,label\r\n\x00,b\r\n", "NUL"),
        ("a.csv", "text,label\r\nété,a".encode("cp1252"), "not UTF-8 text .byte 12"),
        ("a.csv", "text,label".encode("utf-16"), "not UTF-8"),
    ],
)
def test_it_refuses_bytes_that_are_no_text(tmp_path, name, data, message):
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(CorpusError, match=message):
        open_text(path)


def test_it_refuses_a_missing_file_and_a_folder(tmp_path):
    with pytest.raises(CorpusError, match="does not exist"):
        open_text(tmp_path / "absent.csv")
    with pytest.raises(CorpusError, match="is a folder"):
        open_text(tmp_path)


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_a_byte_order_mark_is_no_part_of_the_text_and_line_ends_stay(tmp_path, pack):
    path = tmp_path / "any-name"
    path.write_bytes(pack(b"\xef\xbb\xbftext,label\r\na\rb,c\n"))
    assert open_text(path).read() == "text,label\r\na\rb,c\n"


def test_json_lines_are_written_readable():
    stream, _ = written([LabelledText("שלום", ("a",))], "jsonl")
    line = stream.read()
    assert "שלום" in line
    assert json.loads(line) == {"text": "שלום", "labels": ["a"]}
