"""The sidebar of every page: which data and which genres."""

from pathlib import Path

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from classifier.core.errors import GenreError
from explore import site
from explore.reading import load_corpus
from training.core.books import Corpus
from training.core.corpora import STARTER_FILE


def choose_corpus() -> Corpus | None:
    """Let the person name or upload a file of labelled books; None, with a message, when it can't be read.

    The choice stays while one goes from page to page; of an upload and a path the later one counts.
    """
    with st.sidebar:
        st.header("Data")
        upload = st.file_uploader(
            "Upload a file",
            key="upload",
            help="A copy stays on this machine, in the lab's folder, for runs made of it.",
        )
        if upload is not None and st.session_state.get("uploaded") != upload.file_id:
            _keep(upload)
        # Streamlit forgets a widget's value on a page that does not show it: what was chosen is kept beside it.
        st.session_state.path = st.session_state.setdefault("data_path", str(STARTER_FILE))
        st.text_input(
            "Or its path",
            key="path",
            on_change=_take_path,
            help="Any format that `train` reads; the starter corpus when nothing else is named.",
        )
    try:
        return load_corpus(Path(st.session_state.data_path.strip() or STARTER_FILE).expanduser())
    except GenreError as error:
        st.error(f"{error} Give the path of another file.")
        return None


def _take_path() -> None:
    st.session_state.data_path = st.session_state.path


def _keep(upload: UploadedFile) -> None:
    if problem := site.unset():
        st.error(problem)
        return
    from training.uploads import keep_upload

    st.session_state.data_path = str(keep_upload(upload.name, upload.getvalue()))
    st.session_state.uploaded = upload.file_id
