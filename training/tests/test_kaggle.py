import io

import pytest

from classifier.core.errors import CorpusError
from classifier.core.genres import canonical_genres
from training.core.books import NO_GENRE, NO_LABEL, NO_TEXT, SHORT_TEXT
from training.core.corpora import read_corpus
from training.core.kaggle import DUPLICATE, describe_kaggle, looks_like_kaggle, read_frame
from training.tests.helpers import BREAD, DRAGON, KAGGLE_HEADER, book, kaggle_text, write_kaggle

GENRES = canonical_genres()


@pytest.fixture
def read(tmp_path):
    def read(*rows, **options):
        return read_corpus(write_kaggle(tmp_path / "books.csv", rows, **options), GENRES)

    return read


def described(*rows):
    return describe_kaggle(read_frame(io.StringIO(kaggle_text(rows), newline=""), "books.csv"))


def test_the_rows_of_a_book_become_one_example_with_the_union_of_its_genres(read):
    corpus = read(
        book(path="Fiction , Fantasy , General"),
        book(path="none"),
        book(path="Young Adult Fiction , Fantasy"),
        book(path="Fiction , Fantasy , Epic"),
        book("Crust", BREAD, "Cooking , Methods , Baking"),
    )
    assert [(example.title, example.genres) for example in corpus.examples] == [
        ("Ember", ("fantasy", "young-adult")),
        ("Crust", ("cooking",)),
    ]
    assert corpus.examples[1].row == 5
    assert (corpus.n_rows, corpus.n_used_rows, corpus.unusable) == (5, 4, {NO_LABEL: [2]})


def test_exact_copies_do_not_make_a_genre_more_frequent(read):
    corpus = read(
        book(path="Fiction , Romance"), *[book(path="Fiction , Fantasy")] * 3, book(path="Fiction , Romance , Gothic")
    )
    assert corpus.examples[0].genres == ("romance", "fantasy")
    assert corpus.unusable == {DUPLICATE: [3, 4]}


def test_the_same_path_with_another_price_counts_once_for_the_primary_genre(read):
    corpus = read(
        book(path="Fiction , Romance"),
        book(path="Fiction , Fantasy"),
        book(path="Fiction , Fantasy", price="9"),
        book(path="Fiction , Romance , Gothic"),
    )
    assert corpus.examples[0].genres == ("romance", "fantasy")
    assert corpus.unusable == {}


def test_the_same_title_by_another_author_is_another_book(read):
    corpus = read(book(author="One"), book(author="Two", description=BREAD, path="Cooking"))
    assert [example.genres for example in corpus.examples] == [("fantasy",), ("cooking",)]


def test_a_book_with_several_descriptions_keeps_the_longest(read):
    corpus = read(book(description=DRAGON), book(description=DRAGON + " And then it flies.", path="Fiction , Romance"))
    assert [example.text for example in corpus.examples] == [DRAGON + " And then it flies."]


def test_every_row_that_is_not_used_is_counted_with_its_reason(read):
    corpus = read(
        book(),
        book("Empty", ""),
        book("Dots", "…"),
        book("Short", "No description available."),
        book("Unlabelled", BREAD, "none"),
        book("Unmapped", BREAD + " Again.", "Knitting , Socks"),
        book(),
        book("Short", "No description available."),
    )
    assert corpus.unusable == {NO_TEXT: [2, 3], SHORT_TEXT: [4], NO_LABEL: [5], NO_GENRE: [6], DUPLICATE: [7, 8]}
    assert corpus.unmapped == {"Knitting / Socks": 1}
    assert (corpus.n_rows, corpus.n_used_rows, len(corpus.examples)) == (8, 1, 1)


@pytest.mark.parametrize(
    "path",
    [
        "Body, Mind &amp, Spirit , Healing",
        "Body, Mind &amp; Spirit , Healing",
        "Body, Mind & Spirit , Healing",
        "BODY, MIND & SPIRIT / Healing",
    ],
)
def test_spellings_of_the_ampersand_and_plain_commas_in_a_heading_are_read(read, path):
    assert read(book(path=path)).examples[0].genres == ("religion-spirituality",)


def test_a_stray_none_inside_a_path_is_dropped_and_noted(read):
    corpus = read(book(path="Poetry , European , none, Irish, Scottish, Welsh"), book("Crust", BREAD, "none"))
    assert corpus.examples[0].genres == ("poetry",)
    assert any("stray 'none' inside" in note and "row 1" in note for note in corpus.notes)


@pytest.mark.parametrize("spelling", ["generes", "genres", " generes "])
def test_both_spellings_of_the_genre_column_are_read(read, spelling):
    header = [spelling if column == "generes" else column for column in KAGGLE_HEADER]
    assert looks_like_kaggle(",".join(header))
    assert read(book(), header=header).examples[0].genres == ("fantasy",)


def test_isbns_that_a_spreadsheet_mangled_are_noted(read):
    corpus = read(book(ISBN="9.78E+12"), book("Crust", BREAD, "Cooking", ISBN="9781234567897"))
    assert any(note.startswith("1 ISBNs were mangled") for note in corpus.notes)


def test_a_text_keeps_its_line_breaks_quotes_and_words_that_pandas_takes_for_missing(read):
    text = 'NA, null and "nan"\nare words here; None too.'
    corpus = read(book("NA", text, author="null"))
    assert [(example.title, example.author, example.text) for example in corpus.examples] == [("NA", "null", text)]


def test_voters_with_thousands_commas_free_prices_and_empty_numbers_are_no_shift(read):
    assert read(book(voters="1,204", rating="", page_count="1,024", price="Free", currency="SAR")).n_used_rows == 1


@pytest.mark.parametrize("column", ["title", "author", "description", "generes"])
def test_a_missing_column_is_named(column):
    header = [name for name in KAGGLE_HEADER if name != column]
    with pytest.raises(CorpusError, match=f"lacks the column {column}"):
        read_frame(io.StringIO(",".join(header) + "\r\n" + "1," * (len(header) - 1) + "\r\n"), "books.csv")


@pytest.mark.parametrize("text", ["", "title,author\r\n", 'a,b\r\n"never closed,b\r\n'])
def test_a_file_that_is_not_shaped_like_it_is_refused(text):
    assert not looks_like_kaggle(text)
    with pytest.raises(CorpusError, match=r"books\.csv"):
        read_frame(io.StringIO(text), "books.csv")


def test_the_report_counts_what_the_file_holds():
    report = described(
        book(path="Fiction , Fantasy , General"),
        book(path="Fiction , Fantasy , General"),
        book(path="none"),
        book("Crust", BREAD, "Cooking , Methods"),
        book("Soul", "", "Body, Mind &amp, Spirit"),
        book("Mind", DRAGON, "Body, Mind & Spirit"),
        book("Void", DRAGON, "none"),
    )
    assert (report.n_rows, report.n_duplicate_rows, report.n_books, report.n_labelled) == (7, 1, 5, 4)
    assert (report.n_descriptions, report.n_none_rows) == (3, 2)
    assert report.spellings == {"&amp,": 1, "&amp;": 0, "&": 1}
    assert report.headings["Body, Mind & Spirit"] == 2
    assert report.headings["Fiction / Fantasy / General"] == 1
    assert [dict(level) for level in report.levels[1:]] == [
        {"Fiction / Fantasy": 1, "Cooking / Methods": 1},
        {"Fiction / Fantasy / General": 1},
    ]
    assert report.levels[0] == {"Fiction": 1, "Cooking": 1, "Body, Mind & Spirit": 2}
    assert "5 books stand in 7 rows" in report.notes[0]
    assert report.notes[1] == "2 spellings of & were read as one; 1 heading was the same but for the spelling."


def test_the_notes_of_the_report_leave_out_what_was_not_found():
    assert [note for note in described(book()).notes if "spelling" in note] == []
