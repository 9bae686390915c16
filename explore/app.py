"""The lab: the dataset, the models, experiments, similar texts and clusters. Run: ``make explore``."""

import sys
from pathlib import Path

# `streamlit run` puts this file's folder on the path, not the project's.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import streamlit as st

# Not "pages": Streamlit would run the files of such a folder by itself, before this file has set the path.
PAGES = Path(__file__).resolve().parent / "screens"
TITLES = {
    "dataset": "Dataset",
    "cleaning": "Cleaning",
    "model": "Model",
    "errors": "Model on a dataset",
    "compare": "Compare two models",
    "train": "Train",
    "similar": "Similar texts",
    "clusters": "Clusters",
    "corrections": "Feedback",
}

# A table's own button writes cells that a spreadsheet runs as formulas. `training.core.table.as_csv` guards them.
NO_UNGUARDED_CSV = """<style>
[data-testid="stElementToolbarButton"]:has(button[aria-label^="Download as CSV"]) { display: none; }
</style>"""

st.set_page_config(page_title="Genre Detector lab", layout="wide")
st.html(NO_UNGUARDED_CSV)
pages = [st.Page(PAGES / f"{name}.py", title=title, url_path=name) for name, title in TITLES.items()]


def begin() -> None:
    """Open the first page under its own address, which Streamlit takes from the page that opens by default."""
    st.switch_page(pages[0])


st.navigation([st.Page(begin, default=True, visibility="hidden"), *pages]).run()
