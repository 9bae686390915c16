import gzip
import json
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.core.errors import CorpusError
from classifier.core.examples import FORMATS, LabelledText
from classifier.core.genres import canonical_genres
from classifier.core.model import sha256_of
from conftest import make_examples
from training.core.books import NO_GENRE, NO_LABEL, NO_TEXT, SAME_TEXT, SHORT_TEXT, Corpus, by_frequency
from training.core.corpora import ALL_FORMATS, KAGGLE, collect, read_corpus
from training.tests.helpers import BREAD, DRAGON, book, kaggle_text, write_books, write_kaggle

GENRES = canonical_genres()
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"


def read(path, data, **options):
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return read_corpus(path, GENRES, **options)


def account_of(*rows):
    corpus = Corpus("test", "csv")
    records = [LabelledText(text, labels, number) for number, (text, labels) in enumerate(rows, start=1)]
    collect(records, GENRES, corpus)
    return corpus


@pytest.mark.parametrize("told", [False, True], ids=["found", "told"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "bom"])
@pytest.mark.parametrize("packed", [False, True], ids=["text", "gz"])
@pytest.mark.parametrize("file_format", ALL_FORMATS)
def test_every_format_is_read_plain_or_gzip_with_or_without_byte_order_mark(tmp_path, file_format, packed, mark, told):
    path = tmp_path / "books"
    if file_format == KAGGLE:
        write_kaggle(path, [book(), book("Crust", BREAD, "Cooking , General")])
    else:
        write_books(path, make_examples(2), file_format)
    data = mark + path.read_bytes()
    path = tmp_path / ("books.any.gz" if packed else "books.any")
    path.write_bytes(gzip.compress(data) if packed else data)
    corpus = read_corpus(path, GENRES, file_format=file_format if told else "")
    assert corpus.file_format == file_format
    assert corpus.sha256 == sha256_of(path)
    assert corpus.n_rows == corpus.n_used_rows == len(corpus.examples) == (2 if file_format == KAGGLE else 6)
    assert {"fantasy", "cooking"} <= set(corpus.genre_counts())


@pytest.mark.parametrize("file_format", FORMATS)
def test_texts_and_genres_are_those_of_the_file(tmp_path, file_format):
    examples = make_examples(2)
    corpus = read_corpus(write_books(tmp_path / "books", examples, file_format), GENRES)
    assert [(example.text, example.genres) for example in corpus.examples] == [
        (example.text, example.genres) for example in examples
    ]
    if file_format in ("csv", "jsonl"):
        assert [example.title for example in corpus.examples] == [example.title for example in examples]
        assert {example.source for example in corpus.examples} == {"books"}


def test_labels_may_be_names_aliases_or_headings(tmp_path):
    text = f'text,label\r\n"{DRAGON}",Fiction / Fantasy / Epic|YA\r\n"{BREAD}",COOKING|Self-Help\r\n'
    corpus = read(tmp_path / "a.csv", text)
    assert [example.genres for example in corpus.examples] == [("fantasy", "young-adult"), ("cooking", "self-help")]


def test_a_text_that_stands_several_times_becomes_one_example_with_the_most_frequent_genre_first():
    corpus = account_of((DRAGON, ("young-adult",)), (BREAD, ("cooking",)), (DRAGON.upper(), ("fantasy", "young-adult")))
    assert [example.genres for example in corpus.examples] == [("young-adult", "fantasy"), ("cooking",)]
    assert corpus.n_used_rows == 3


def test_equally_frequent_genres_stay_in_the_order_first_seen():
    assert by_frequency(Counter(["b", "a", "c", "c"])) == ("c", "b", "a")


def test_every_row_that_is_not_used_is_counted_with_its_reason():
    corpus = account_of(
        (DRAGON, ("fantasy",)),
        ("", ("fantasy",)),
        ("!!! …", ("fantasy",)),
        ("No description available.", ("fantasy",)),
        (BREAD, ()),
        (BREAD, ("knitting", "brewing")),
        (DRAGON, ("fantasy",)),
        (DRAGON, ("knitting", "fantasy")),
    )
    assert corpus.unusable == {NO_TEXT: [2, 3], SHORT_TEXT: [4], NO_LABEL: [5], NO_GENRE: [6], SAME_TEXT: [7, 8]}
    assert corpus.unmapped == {"knitting": 2, "brewing": 1}
    assert (corpus.n_rows, corpus.n_used_rows, len(corpus.examples)) == (8, 1, 1)
    account = corpus.account()
    assert account["rows"] == account["used_rows"] + sum(account["unusable_rows"].values())
    assert json.loads(json.dumps(account)) == account


@pytest.mark.functional
@given(
    st.lists(
        st.tuples(
            st.sampled_from([DRAGON, BREAD, DRAGON.lower(), "", "too short", "one two three four five"]),
            st.lists(st.sampled_from(["fantasy", "Cooking", "knitting", "Fiction / Fantasy"]), max_size=3).map(tuple),
        ),
        max_size=30,
    )
)
def test_used_and_unusable_rows_add_up(rows):
    corpus = account_of(*rows)
    refused = [row for numbers in corpus.unusable.values() for row in numbers]
    assert corpus.n_rows == len(rows)
    assert corpus.n_used_rows + len(refused) == len(rows)
    assert len(set(refused)) == len(refused)
    assert len(corpus.examples) <= corpus.n_used_rows
    assert all(example.genres and len(set(example.genres)) == len(example.genres) for example in corpus.examples)


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.csv", PNG, "not UTF-8"),
        ("a.csv.gz", b"text,label\r\n", "not a gzip file"),
        ("a.csv.gz", gzip.compress(b"text,label\r\n" * 40, mtime=0)[:-8], "can't be read"),
        ("a.csv", b"text,label\r\n\x00\x00", "NUL"),
        ("a.csv", b"", "no format known"),
        ("a.csv", b"title,body\r\nx,y\r\n", "no format known"),
        ("a.csv", b"text,label\r\na,b,c\r\n", "row 1 has more or fewer"),
        ("a.csv", b"text,label\r\n", "no usable row .it is empty"),
        ("a.csv", b"text,label\r\nshort,fantasy\r\n", "no usable row .1 × text of fewer than 5 words"),
        ("a.csv", kaggle_text([book(), book("", rating="4.5")]), "row 2: the title is empty"),
        ("a.csv", kaggle_text([book(), book(rating="Good", page_count="4.5")]), "row 2: rating is 'Good'.*shifted"),
        ("a.csv", kaggle_text([book(page_count="SAR 60")]), "page_count is 'SAR 60'.*shifted"),
        ("a.csv", kaggle_text([book()]) + "1,too,few\r\n", "row 2: 3 cells, but the header has 14"),
        ("a.csv", kaggle_text([book()]) + "1," * 14 + "\r\n", "row 2: 15 cells, but the header has 14"),
        ("a.csv", kaggle_text([book()]).replace("\r\n0,", "\r\n0,,"), "row 1: 15 cells"),
        ("a.csv", kaggle_text([book()]).replace("ISBN", "genres"), "both a generes and a genres"),
        ("a.csv", kaggle_text([]), "no usable row"),
        ("a.csv", kaggle_text([book(path="none")]), "no usable row .1 × no genre given"),
    ],
)
def test_a_file_that_is_not_what_it_claims_gives_one_clear_error(tmp_path, name, data, message):
    with pytest.raises(CorpusError, match=message) as caught:
        read(tmp_path / name, data)
    assert name in str(caught.value)


@pytest.mark.parametrize("told", ALL_FORMATS)
def test_a_file_that_is_told_to_be_something_else_is_refused_or_has_no_usable_row(tmp_path, told):
    with pytest.raises(CorpusError):
        read(tmp_path / "a.txt", f"a note\twithout subject\nand another: {DRAGON}\n", file_format=told)


def test_an_unknown_format_is_refused(tmp_path):
    with pytest.raises(CorpusError, match="'xml' is no known format; use one of kaggle, csv"):
        read(tmp_path / "a.csv", f"text,label\r\n{BREAD},cooking\r\n", file_format="xml")


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(CorpusError, match="does not exist"):
        read_corpus(tmp_path / "absent.csv", GENRES)
