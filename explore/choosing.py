"""The sidebar of every page: which data and which genres."""

import tempfile
from pathlib import Path

import streamlit as st

from classifier.core.errors import GenreError
from explore.reading import load_corpus
from training.core.books import Corpus
from training.core.corpora import STARTER_FILE


def choose_corpus() -> Corpus | None:
    """Let the person name or upload a file of labelled books; None, with a message, when it can't be read.

    The choice stays while one goes from page to page; of an upload and a path the later one counts.
    """
    with st.sidebar:
        st.header("Data")
        upload = st.file_uploader("Upload a file", key="upload", help="It stays on this machine until the lab stops.")
        if upload is not None and st.session_state.get("uploaded") != upload.file_id:
            st.session_state.uploaded = upload.file_id
            st.session_state.path = str(_keep(upload.name, upload.getvalue()))
        # A widget's own value is forgotten on a page that does not show it.
        st.session_state.setdefault("path", st.session_state.get("data_path", str(STARTER_FILE)))
        st.text_input(
            "Or its path",
            key="path",
            help="Any format that `train` reads; the starter corpus when nothing else is named.",
        )
        st.session_state.data_path = st.session_state.path
    try:
        return load_corpus(Path(st.session_state.path.strip() or STARTER_FILE).expanduser())
    except GenreError as error:
        st.error(f"{error} Give the path of another file.")
        return None


@st.cache_resource(show_spinner=False)
def _folder() -> tempfile.TemporaryDirectory[str]:
    """Return where uploads are kept; it goes when the lab stops."""
    return tempfile.TemporaryDirectory(prefix="genre-lab-")


def _keep(name: str, content: bytes) -> Path:
    """Keep an upload in a folder of its own, so that it has a path and its own name."""
    path = Path(tempfile.mkdtemp(dir=_folder().name)) / Path(name).name
    path.write_bytes(content)
    return path
