"""What the loader makes of a file: merged rows, rows it can't use, near copies, and why a careless split misleads."""

import pandas as pd
import streamlit as st

from classifier.core.errors import CorpusError
from explore.choosing import choose_corpus
from explore.dataset_charts import two_shares
from explore.reading import load_groups, load_tables
from explore.site import names
from explore.waiting import wanted_of_many
from training.core.books import Corpus
from training.core.leak import genre_shift, leak_table, measure_leak, most_merged, near_copies

GENRES_SHOWN = 15
ROWS_SHOWN = 2_000
PERCENT = st.column_config.NumberColumn(format="percent")
LEAK = {
    "way": "split at random by",
    "units": "dealt out",
    "known": "test rows known from training",
    "right": "“accuracy” of a look-up",
}
LEAK_SHARES = [LEAK["known"], "lowest", "highest", LEAK["right"]]


def show(corpus: Corpus) -> None:
    """Show the account of a file's rows."""
    rows, table = load_tables(corpus)
    figures = {
        "Rows": corpus.n_rows,
        "Not used": corpus.n_rows - corpus.n_used_rows,
        "Repeat a book": int(table["rows"].sum()) - len(table),
        "Books or texts": len(table),
    }
    for column, (label, figure) in zip(st.columns(len(figures)), figures.items(), strict=True):
        column.metric(label, f"{figure:,}")
    for note in corpus.notes:
        st.caption(note)
    _merging(rows, table)
    _unusable(corpus, rows)
    st.subheader("Near copies, and what a random split would leak")
    with wanted_of_many("leak", corpus.key, len(table), "Compare all texts") as is_wanted:
        if is_wanted:
            _leak(corpus, rows, table)


def _merging(rows: pd.DataFrame, table: pd.DataFrame) -> None:
    st.subheader("With and without merging")
    if table["rows"].max() < 2:
        st.info("Each book stands in one row of this file: merging changes nothing.")
        return
    shift = genre_shift(rows, table).head(GENRES_SHOWN)
    shift.insert(0, "genre", shift["slug"].map(names()))
    counted = {"row_share": "of the rows as they stand", "book_share": "of the merged books"}
    long = shift.rename(columns=counted).melt("genre", list(counted.values()), "counted", "share")
    st.altair_chart(two_shares(long, name="genre", title="How frequent genres are"))
    st.dataframe(shift[["genre", "rows", "books"]], hide_index=True)
    book = most_merged(rows)
    own = rows[rows["book"] == book]
    answers = own["paths"].nunique()
    # Plain text: a title may look like markup.
    st.text(
        f"For example “{table['title'][book] or 'a text without title'}” stands in {len(own)} rows. Read as they stand, "
        f"they are {len(own)} texts with {answers} different answers; merged they are one book: "
        f"{table['genres'][book]}."
    )
    shown = own[["title", "author", "paths", "reason", "start"]].assign(paths=own["paths"].map("; ".join))
    if not shown["reason"].any():
        shown = shown.drop(columns="reason")
    st.dataframe(shown.rename(columns={"start": "text begins", "reason": "not used, because"}))


def _unusable(corpus: Corpus, rows: pd.DataFrame) -> None:
    st.subheader("Rows that are not used, and why")
    if not corpus.unusable:
        st.info("Every row is used.")
    else:
        reasons = {reason: len(numbers) for reason, numbers in corpus.unusable.items()}
        st.dataframe(pd.Series(reasons, name="rows").rename_axis("reason").sort_values(ascending=False))
        reason = st.selectbox("Show the rows of", list(reasons), key="reason")
        shown = rows[rows["reason"] == reason].head(ROWS_SHOWN)
        shown = shown[["title", "author", "paths", "start"]].assign(paths=shown["paths"].map("; ".join))
        st.dataframe(shown.rename(columns={"start": "text begins"}))
        if reasons[reason] > ROWS_SHOWN:
            st.caption(f"The first {ROWS_SHOWN:,} of {reasons[reason]:,}.")
    if corpus.unmapped:
        st.write("Labels that mean no genre here. An alias in the admin, or in `genres.toml`, gives them one.")
        st.dataframe(pd.Series(dict(corpus.unmapped.most_common()), name="rows").rename_axis("label"))


def _leak(corpus: Corpus, rows: pd.DataFrame, table: pd.DataFrame) -> None:
    groups = load_groups(corpus)
    try:
        ways = measure_leak(rows, groups)
    except CorpusError as error:
        st.info(f"{error} Choose a larger file.")
        return
    frame = leak_table(ways)
    st.dataframe(frame.rename(columns=LEAK), hide_index=True, column_config=dict.fromkeys(LEAK_SHARES, PERCENT))
    careless, honest = frame.iloc[0], frame.iloc[-1]
    st.write(
        f"A random split of the rows would know **{careless['known']:.0%}** of the test rows from training. A look-up "
        f"that only repeats the genre of the same book would look **{careless['right']:.0%}** right; split by book it "
        f"is {honest['right']:.0%} right. So much of a model's accuracy could come from having seen the book instead "
        "of reading the text. Training here always splits by book, near copies kept together."
    )
    st.caption(f"Over {len(ways[0].known)} seeds, a fifth on the test side.")
    copies = near_copies(table, groups)
    if copies.empty:
        st.info("No two books here nearly repeat each other.")
        return
    st.write(f"{copies['group'].max():,} groups of books that are the same, or nearly repeat each other's text:")
    shown = copies.head(ROWS_SHOWN)
    st.dataframe(shown.assign(text=shown["text"].str.slice(0, 200)), hide_index=True)


st.title("Cleaning")
st.write("What the loader makes of a file: rows it merges, rows it leaves out, and why books are split, not rows.")
if (chosen := choose_corpus()) is not None:
    show(chosen)
