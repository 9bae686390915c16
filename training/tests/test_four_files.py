"""The file that names rows of four others is read like every dataset, by the pages and the commands."""

import csv
import gzip
import io

import pytest

from classifier.core.errors import CorpusError
from classifier.core.genres import canonical_genres
from conftest import make_examples
from training.core.corpora import read_corpus
from training.core.four_files import COLUMNS, FORMAT, FOUR_FILES
from training.core.pinned import read_four_files
from training.core.table import books_table, read_rows
from training.tests.helpers import run

GENRES = canonical_genres()


def write_rows(path, header, rows):
    stream = io.StringIO(newline="")
    csv.writer(stream).writerows([header, *rows])
    path.write_bytes(gzip.compress(stream.getvalue().encode()))
    return path


@pytest.fixture
def four(tmp_path):
    """The file and the four it names, each with a row that is named and, but for the last, others that are not."""
    examples = make_examples()
    quarter = len(examples) // 4
    pins = []
    for number, (name, columns) in enumerate(COLUMNS.items()):
        own = examples[number * quarter : (number + 1) * quarter]
        cells = [[each.text, each.title, each.author][: sum(map(bool, columns))] for each in own]
        write_rows(tmp_path / name, filter(None, columns), cells)
        pins += [(name, at, each.genres[0], "train") for at, each in enumerate(own)]
    return write_rows(tmp_path / FOUR_FILES, ["file", "row", "genre", "side"], pins)


def test_it_is_read_with_titles_and_an_account_of_every_row(four):
    corpus = read_corpus(four, GENRES)
    assert (corpus.file_format, corpus.n_rows, corpus.n_used_rows) == (FORMAT, 36, 36)
    assert [each.text for each in corpus.examples] == [each.text for each in make_examples()]
    assert corpus.examples[0].title == make_examples()[0].title
    assert read_corpus(four, GENRES, file_format=FORMAT).examples == corpus.examples


def test_the_benchmarks_know_the_file_and_the_row_of_each(four):
    last = read_four_files(four.parent, GENRES)[-1]
    assert (last.file, last.side, last.example.source, last.example.row) == ("booklists.csv.gz", "train", last.file, 9)


def test_it_becomes_the_same_tables_as_any_other_file(four):
    corpus = read_corpus(four, GENRES)
    rows = read_rows(corpus, GENRES)
    assert rows["book"].tolist() == list(range(36))
    assert books_table(corpus, rows, GENRES)["rows"].tolist() == [1] * 36


@pytest.mark.functional
@pytest.mark.django_db
def test_both_commands_of_the_lab_take_it(four, fit_here):
    assert "random" in run("similar", "--data", four, "--method", "tfidf")
    assert "36 texts of 3 genres" in run("clusters", "--data", four, "--method", "kmeans")


def test_what_does_not_fit_is_told(four):
    write_rows(four, ["file", "row", "genre", "side"], [("booklists.csv.gz", 99, "fantasy", "train")])
    with pytest.raises(CorpusError, match="does not fit its files: row 99"):
        read_corpus(four, GENRES)
    (four.parent / "booklists.csv.gz").unlink()
    with pytest.raises(CorpusError, match="does not exist"):
        read_corpus(four, GENRES)
