"""What a model says of a text, why, and what it has learned of words and genres."""

import streamlit as st

from classifier.core.errors import ModelError
from classifier.core.explain import Explanation, explain
from classifier.core.model import GenreModel, Prediction
from explore import model_charts as charts
from explore.correcting import correction_form
from explore.reading import load_directions
from explore.site import name_of, names_of, unset
from explore.versions import Choice, choose_model, open_model
from training.core.inspect import genre_similarity, nearest_words

N_SCORES, N_WORDS = 10, 25


def show() -> None:
    """Show the chosen model."""
    choice = choose_model("model")
    if choice is None or (model := open_model(choice)) is None:
        return
    text_part, words, genres = st.tabs(["A text", "Words", "Genres"])
    with text_part:
        show_text(choice, model)
    with words:
        show_words(choice, model)
    with genres:
        show_genres(model)


def show_text(choice: Choice, model: GenreModel) -> None:
    """Show what the model says of a text, and take a correction."""
    text = st.text_area("Text", key="text", height=200)
    if not text.strip():
        st.info("Paste a text to see its genres.")
        return
    prediction = model.predict(text)
    if prediction.abstained:
        st.warning(_reason(prediction.abstained))
    if prediction.scores:
        show_scores(prediction)
        show_contributions(model, text, prediction)
    st.subheader("Correct it")
    correction_form(choice.number, model, text)


def _reason(abstained: str) -> str:
    """Return in words why there is no answer; a folder can be asked where the site is not set up."""
    if unset():
        return abstained
    # Django's models are behind the module.
    from classifier.wording import ABSTENTIONS

    return ABSTENTIONS.get(abstained, abstained)


def show_scores(prediction: Prediction) -> None:
    """Show the best scores and which genres are chosen."""
    st.altair_chart(charts.score_bars(prediction, N_SCORES))
    if prediction.chosen:
        st.caption(f"Chosen: {names_of(genre.slug for genre in prediction.chosen)}.")
    elif prediction.thresholds is None:
        st.caption("This model has no thresholds: it ranks the genres and chooses none.")
    st.caption(f"{prediction.n_known} of {prediction.n_words} telling words are known to this model.")


def show_contributions(model: GenreModel, text: str, prediction: Prediction) -> None:
    """Draw what each word adds to a genre."""
    st.subheader("Which words did it")
    try:
        explanation: Explanation = explain(model, text)
    except ModelError as error:
        st.info(str(error))
        return
    slug = st.selectbox("Genre", [genre.slug for genre in prediction.scores], format_func=name_of, key="why")
    apart = st.toggle("Show pairs of words as such", key="pairs", help="Otherwise each word of a pair gets a half.")
    against = st.toggle("Against the mean of all genres", value=model.loss == "softmax", key="against")
    found = explanation.contributions(slug, share_pairs=not apart, against_others=against)
    st.altair_chart(charts.word_bars(found, slug, N_WORDS))
    total = sum(value for _, value in found)
    st.caption(
        f"All {len(found)} add up to {total:.4f}, the genre's logit{' less the mean of all logits' if against else ''}. "
        "`</s>` is the end of the text, which fastText counts as a word."
    )


def show_words(choice: Choice, model: GenreModel) -> None:
    """Show the nearest words to one."""
    word = st.text_input("Word, or two that stand side by side", key="word", placeholder="dragon").strip().lower()
    if not word:
        st.info("Give a word to see those that the model uses like it.")
        return
    try:
        near = nearest_words(*load_directions(choice.folder, model), word)
    except ModelError as error:
        st.info(str(error))
        return
    if near.empty:
        st.info("The model does not know this word. Try another, in its simplest form.")
        return
    st.dataframe(near, hide_index=True, column_config={"cosine": st.column_config.NumberColumn(format="%.3f")})


def show_genres(model: GenreModel) -> None:
    """Draw how near the genres are to each other."""
    try:
        table = genre_similarity(model)
    except ModelError as error:
        st.info(str(error))
        return
    st.write("Where the same words speak for two genres, the model easily takes one for the other.")
    st.altair_chart(charts.similarity_map(table))


st.title("Model")
st.write("Ask any model about a text, see which words decided, and correct it.")
show()
