"""Clusters of the texts beside their genres."""

import pandas as pd
import streamlit as st

from classifier.core.errors import GenreError
from explore.choosing import choose_corpus
from explore.cluster_charts import (
    clusters_frame,
    contradictions_frame,
    criteria_charts,
    groups_of,
    map_chart,
    map_frame,
)
from explore.clustering import criteria_of, map_of, study_of
from explore.waiting import wanted
from training.core.books import Corpus
from training.core.cluster_study import VECTORS, Study
from training.core.clusters import AGREEMENT, METHODS, MIN_TEXTS, MOST_TEXTS, Clustering, best_k
from training.core.projection import MOST_POINTS, available


def show(corpus: Corpus) -> None:
    """Let the person choose, cluster, and show what was found."""
    n_texts = len(corpus.examples)
    if n_texts < MIN_TEXTS:
        st.info(f"Clusters need at least {MIN_TEXTS} texts; this data has {n_texts}. Choose a larger file at the side.")
        return
    left, middle, right, last = st.columns(4)
    kind = left.selectbox("Vectors", list(VECTORS), format_func=VECTORS.__getitem__, key="cluster_vectors")
    method = middle.selectbox("Method", list(METHODS), format_func=METHODS.__getitem__, key="cluster_method")
    n_genres = len({example.genres[0] for example in corpus.examples})
    k = right.number_input(
        "Clusters",
        2,
        n_texts,
        min(n_texts, max(2, n_genres)),
        key=f"cluster_k_{corpus.key}",
        help="As many as there are genres to begin with. HDBSCAN finds its own number.",
    )
    seed = int(last.number_input("Seed", 0, 1_000_000, 0, key="cluster_seed"))
    if n_texts > MOST_TEXTS.get(method, n_texts):
        st.caption(f"{METHODS[method]} is quadratic: it clusters a random sample of {MOST_TEXTS[method]:,} texts.")
    with st.container(horizontal=True):
        find = st.button("Find clusters", type="primary", key="cluster_go")
        compare = st.button("Compare numbers of clusters", key="cluster_compare")
    chosen = (kind, method, int(k), seed)
    try:
        with wanted("cluster_compared", (corpus.key, kind, seed), asked=compare) as is_wanted:
            if is_wanted:
                show_criteria(corpus, kind, seed)
        with wanted("cluster_chosen", (corpus.key, *chosen), asked=find) as is_wanted:
            if not is_wanted:
                st.info(
                    "Press “Find clusters”. Twenty thousand texts take some minutes the first time; “Stop” ends it."
                )
                return
            found = study_of(corpus, *chosen)
        show_figures(found)
        show_map(corpus, kind, seed, found)
        show_clusters(corpus, found.clusterings[0])
    except GenreError as error:
        st.error(f"{error} Choose a larger file at the side, or fewer clusters.")


def show_clusters(corpus: Corpus, one: Clustering) -> None:
    """Show what names each cluster, and which books contradict theirs."""
    st.subheader("What names each cluster")
    st.dataframe(clusters_frame(one), hide_index=True)
    st.subheader("Books whose cluster contradicts their genres")
    st.caption(
        f"The commonest genre of the cluster is none of theirs: {len(one.contradictions):,} of {len(one.rows):,} texts, "
        "the nearest to their cluster's centre first."
    )
    st.dataframe(contradictions_frame(corpus, one), hide_index=True)


def show_criteria(corpus: Corpus, kind: str, seed: int) -> None:
    """Draw each criterion over the number of clusters."""
    found = criteria_of(corpus, kind, seed)
    best = best_k(found)
    st.subheader("How many clusters?")
    st.write(
        f"k-means, without looking at genres: best silhouette at {best['silhouette']}, elbow of the inertia at "
        f"{best['elbow']}. Against the genres: best V-measure at {best['v_measure']}, best ARI at {best['ari']}. "
        "V-measure grows with the number of clusters even for clusters filled at random; ARI does not."
    )
    charts = criteria_charts(found)
    for column, chart in zip(st.columns(len(charts)), charts, strict=True):
        column.altair_chart(chart)


def show_figures(found: Study) -> None:
    """Show the figures beside chance, and the paragraph made of them."""
    one = found.clusterings[0]
    st.subheader("Do the clusters agree with the genres?")
    st.write(found.paragraph)
    size, noise, steady, accuracy = st.columns(4)
    size.metric("Clusters", one.n_clusters)
    noise.metric("In no cluster", f"{one.noise_share:.1%}")
    steady.metric(
        "Stability", f"{one.stability:.2f}", help="Mean ARI of runs on other seeds and four fifths of the texts."
    )
    accuracy.metric(
        "Accuracy",
        "–" if one.accuracy is None else f"{one.accuracy:.1%}",
        help="As a genre detector, on held-out texts.",
    )
    frame = pd.DataFrame(
        {"clusters": one.agreement.values(), "at random": one.baseline.values()},
        index=pd.Index(AGREEMENT.values(), name="figure"),
    )
    st.dataframe(frame.round(4))
    st.caption("At random: clusters of the same sizes, filled at random (mean of ten).")


def show_map(corpus: Corpus, kind: str, seed: int, found: Study) -> None:
    """Draw the texts in two dimensions, a point each."""
    st.subheader("Map")
    left, middle, right = st.columns(3)
    drawn = left.selectbox("Made by", list(available()), format_func=available().__getitem__, key="cluster_map")
    colour = middle.radio("Coloured by", ["cluster", "genre"], horizontal=True, key="cluster_colour")
    rows, points = map_of(corpus, kind, drawn, seed)
    frame = map_frame(corpus, found.clusterings[0], rows, points)
    # Colours repeat where there are more than twenty.
    only = right.selectbox("Show alone", groups_of(frame, colour), index=None, key=f"only {colour}", placeholder="all")
    title = f"{available()[drawn]} map of {len(rows):,} texts, coloured by {colour}"
    st.altair_chart(map_chart(frame, title, colour=colour, only=only))
    if len(rows) < len(corpus.examples):
        st.caption(f"A random sample: {available()[drawn]} draws at most {MOST_POINTS[drawn]:,} texts here.")


st.title("Clusters")
st.write("Groups of similar texts, found without their genres: how far do they agree with the genres?")
if (data := choose_corpus()) is not None:
    show(data)
