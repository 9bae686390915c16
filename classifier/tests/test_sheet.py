"""A table of texts: found columns, doubtful files, and a download no spreadsheet runs."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.core.errors import CorpusError
from classifier.core.sheet import read_sheet


def read(text, **options):
    return read_sheet(text.encode(), **({"most_rows": 10} | options))


@pytest.mark.parametrize(
    ("header", "column", "name"),
    [
        ("title,Blurb,year", "", "Blurb"),
        ("summary,description", "", "description"),
        ("title,Long_Description", "", "Long_Description"),
        ("a,b,c", "", "a"),
        ("a,b,text", "b", "b"),
        ("a,b,text", " 2 ", "b"),
        ("a;b;Text", "", "Text"),
        ("a\tText", "", "Text"),
    ],
)
def test_the_column_of_texts_is_found_or_chosen(header, column, name):
    row = header.replace("b", "x")
    assert read(f"{header}\n{row}\n", column=column).name == name


def test_a_column_of_texts_without_a_header_is_read_from_its_first_line():
    assert read("A dragon sleeps below the castle\nWhisk the eggs\n").texts() == [
        "A dragon sleeps below the castle",
        "Whisk the eggs",
    ]


@pytest.mark.parametrize(
    ("text", "options", "said"),
    [
        ("", {}, "no rows"),
        ("text\n", {}, "no rows"),
        ("text\n" + "a\n" * 11, {}, "more than 10 rows"),
        ("a,b\nc,d\n", {"column": "text"}, "no column “text” in this table. It has: a, b"),
        ("a,b\nc,d\n", {"column": "3"}, "no column"),
        ("PK\x03\x04", {}, "no CSV table"),
    ],
)
def test_what_is_no_such_table_is_refused_with_the_next_step(text, options, said):
    with pytest.raises(CorpusError, match=said):
        read(text, **options)


def test_rows_of_other_lengths_keep_their_cells():
    sheet = read("title,text\nOne\nTwo,text two,more\n")
    assert sheet.texts() == ["", "text two"]
    out = list(csv.reader(io.StringIO(sheet.with_columns(["genre"], [["x"], ["y"]]), newline="")))
    assert out == [["title", "text", "", "genre"], ["One", "", "", "x"], ["Two", "text two", "more", "y"]]


@given(
    st.lists(
        st.lists(st.text(st.characters(codec="utf-8"), max_size=8), min_size=2, max_size=2), min_size=1, max_size=5
    )
)
def test_no_cell_of_the_download_is_a_formula(rows):
    stream = io.StringIO(newline="")
    csv.writer(stream).writerows([["text", "=note"], *rows])
    try:
        sheet = read(stream.getvalue())
    except CorpusError:
        return
    out = csv.reader(io.StringIO(sheet.with_columns(["=genre"], [["+x"]] * len(sheet.rows)), newline=""))
    assert not [cell for row in out for cell in row if cell[:1] in tuple("=+-@\t\r\n＝＋－＠") and cell]
