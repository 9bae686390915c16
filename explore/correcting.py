"""The lab's correction form: what is sent arrives like a visitor's correction, and is counted as none of theirs."""

from typing import TYPE_CHECKING

import streamlit as st

from classifier.core.errors import GenreError
from classifier.core.model import GenreModel
from classifier.core.text import check_text
from explore import site

if TYPE_CHECKING:
    from classifier.predictions import Shown
    from feedback.actions import Answer

# All who use this lab share the limits of one visitor.
VISITOR = "lab"


def correction_form(number: int | None, model: GenreModel, text: str) -> None:
    """Draw the form for a text that version ``number`` was asked about. Nothing is ticked when it opens."""
    if number is None:
        st.info("Only a registered version takes corrections. Choose one above, or register this model first.")
        return
    if problem := site.trouble() or _refusal(text):
        st.info(problem)
        return
    from classifier.models import Genre
    from feedback.actions import Answer

    names = dict(Genre.objects.filter(retired=False).values_list("slug", "name"))
    # Another text or version gets another form, in which nothing is ticked.
    key = f"{number}-{hash(text)}"
    with st.form(f"correction-{key}"):
        answer = Answer(
            genres=tuple(
                st.multiselect(
                    "Genres that fit, the main one first",
                    list(names),
                    format_func=names.__getitem__,
                    key=f"genres-{key}",
                )
            ),
            none_fits=st.checkbox("None of the genres fits", key=f"none-{key}"),
            not_sure=st.checkbox("Not sure", key=f"unsure-{key}"),
            proposal=st.text_input("A genre you miss in the list", max_chars=80, key=f"proposal-{key}").strip(),
            note=st.text_input("Note", max_chars=1000, key=f"note-{key}"),
        )
        if st.form_submit_button("Send correction"):
            _send(key, number, model, text, answer)


def _refusal(text: str) -> str:
    try:
        check_text(text)
    except GenreError as error:
        return f"{error} Then it can be corrected."
    return ""


def _send(key: str, number: int, model: GenreModel, text: str, answer: "Answer") -> None:
    from feedback.actions import ActionRefused, submit_correction
    from feedback.limits import TooManyCorrections

    try:
        # Before anything is stored.
        _ = answer.verdict
        correction = submit_correction(
            shown=_shown(key, number, model, text), text=text, answer=answer, visitor=VISITOR
        )
    except ActionRefused as error:
        st.error(str(error))
    except TooManyCorrections as error:
        st.error(
            f"That is as many corrections as one may send for now. Wait {error.retry_after} s, then send it again."
        )
    else:
        st.success(f"Stored as correction {correction.pk}, pending. Review it in the admin, where its source is “Lab”.")


def _shown(key: str, number: int, model: GenreModel, text: str) -> "Shown":
    """Store the prediction, once: a form that is sent twice names the same one, so that it is one correction."""
    from classifier.models import Prediction
    from classifier.predictions import predict_with
    from classifier.registry import get_version

    if st.session_state.get("shown_for") != key:
        st.session_state.shown = predict_with(get_version(number), model, text, source=Prediction.Source.EXPLORE)
        st.session_state.shown_for = key
    return st.session_state.shown
