"""What a dataset holds: its books, filtered; their genres at each level and together; their lengths."""

import pandas as pd
import streamlit as st

from explore.choosing import choose_corpus
from explore.dataset_charts import bars, heat, histogram
from explore.filtering import choose_filters
from explore.reading import load_tables
from explore.site import genres
from training.core.books import Corpus
from training.core.table import Filters, as_csv, depth, genre_counts, length_histogram, level_counts, select, together

# More rows than one scrolls through would only make the browser wait.
ROWS_SHOWN = 5_000
LETTERS_SHOWN = 200
BARS_SHOWN = 40
# What one looks for stands where a narrow page still shows it.
FIRST = ["title", "words", "genres"]
WHOLE = st.column_config.NumberColumn(format="%d")
COLUMNS = {"year": WHOLE, "pages": WHOLE, "title": st.column_config.Column(width="medium")}
PERCENT = {"share": st.column_config.NumberColumn(format="percent")}


def show(corpus: Corpus) -> None:
    """Show the account of a file, and the books that pass the filters."""
    _, table = load_tables(corpus)
    rows, used, books, passing = st.columns(4)
    rows.metric("Rows", f"{corpus.n_rows:,}")
    used.metric("Rows used", f"{corpus.n_used_rows:,}")
    books.metric("Books or texts", f"{len(table):,}")
    filters = choose_filters(table)
    found = select(table, filters)
    passing.metric("Pass the filters", f"{len(found):,}")
    if found.empty:
        st.info("No book passes these filters. Clear the search or widen a range.")
        return
    views = {"Genres": _genres, "Genres together": _together, "Lengths": _lengths}
    view = st.radio("Show", ["Books", *views], horizontal=True, key="view")
    if view == "Books":
        _books(found, _name_of(corpus, filters))
    else:
        views[view](found)


def _name_of(corpus: Corpus, filters: Filters) -> str:
    """Return another name for other books: a tick is a row's position, and would stay on whatever stands there next."""
    return f"books {corpus.key} {filters}"


def _books(found: pd.DataFrame, key: str) -> None:
    st.download_button(
        "Download these books as CSV",
        lambda: as_csv(found),
        "books.csv",
        "text/csv",
        help="A file that this page and `manage.py train` read. No cell runs as a formula in a spreadsheet.",
    )
    shown = found.head(ROWS_SHOWN).drop(columns="slugs")
    shown = shown.assign(text=shown["text"].str.slice(0, LETTERS_SHOWN), paths=shown["paths"].map("; ".join))
    choice = st.dataframe(
        shown,
        hide_index=True,
        key=key,
        column_order=[*FIRST, *shown.columns.drop(FIRST)],
        on_select="rerun",
        selection_mode="single-row",
        column_config=COLUMNS,
    )
    if len(found) > ROWS_SHOWN:
        st.caption(f"The first {ROWS_SHOWN:,} of {len(found):,}; the download has them all, and the filters narrow it.")
    if picked := choice["selection"]["rows"]:
        book = found.iloc[picked[0]]
        st.subheader("The book you ticked")
        # Plain text: a title may look like markup.
        st.text(f"{book['title'] or 'A text without title'} · {book['genres']} · {book['words']:,} words")
        st.text(book["text"])
    else:
        st.caption("Tick a row to read its whole text.")


def _genres(found: pd.DataFrame) -> None:
    st.altair_chart(bars(genre_counts(found, genres()), name="genre", count="books", title="Books of each genre"))
    st.subheader("As the file names them")
    levels = depth(found)
    level = st.radio("Level of the path", range(1, levels + 1), horizontal=True, key="level") if levels > 1 else 1
    paths = level_counts(found, level)
    if paths.empty:
        st.info("These books have no paths of their own; their genres are above.")
        return
    st.altair_chart(
        bars(paths.head(BARS_SHOWN), name="path", count="books", title=f"Books of each path, down to level {level}")
    )
    if len(paths) > BARS_SHOWN:
        st.caption(f"The {BARS_SHOWN} most frequent of {len(paths):,}; all of them in the table.")
        st.dataframe(paths, hide_index=True, column_config=PERCENT)


def _together(found: pd.DataFrame) -> None:
    pairs = together(found, genres())
    if pairs.empty:
        st.info("No book here has two genres. Genres meet where the file gives a book several labels or paths.")
        return
    title = "Books that have two genres at once"
    st.altair_chart(heat(pairs, row="genre", column="other", value="books", title=title))
    st.caption("“share” is the share of the first genre's books that have the other one too.")
    st.dataframe(pairs, hide_index=True, column_config=PERCENT)


def _lengths(found: pd.DataFrame) -> None:
    words = found["words"]
    st.altair_chart(histogram(length_histogram(words), title="Books by words of their text"))
    st.caption(
        f"Half of the texts have at most {words.median():,.0f} words; the shortest has {words.min():,}, the longest "
        f"{words.max():,}. The last bar holds the longest hundredth too."
    )


st.title("Dataset")
st.write("The books of a file, as training reads them: filter them, read them, count their genres, take them along.")
if (chosen := choose_corpus()) is not None:
    show(chosen)
