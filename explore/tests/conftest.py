"""What the tests of several pages share."""

import pytest
from django.db import connection, connections

# The corrections of the feedback app's own tests.
from feedback.tests.conftest import make_correction  # noqa: F401

NO_DATABASE = "The site's database is not set up yet. Run `make setup`."


@pytest.fixture(autouse=True)
def own_lab(request, settings, tmp_path, monkeypatch):
    """A lab of the test's own, which remembers nothing of others; without a database unless the test asks for one."""
    import streamlit as st

    settings.GENRE_LAB_DIR = tmp_path / "lab"
    if not {"db", "transactional_db"} & set(request.fixturenames):
        monkeypatch.setattr("explore.site.trouble", lambda: NO_DATABASE)
    st.cache_data.clear()
    st.cache_resource.clear()


@pytest.fixture
def page_connection(db, monkeypatch):
    """Let a page, which runs in a thread of its own, read what the test has stored and not committed."""

    def connect():
        connections["default"] = mine

    mine = connections["default"]
    monkeypatch.setattr("explore.site.connect", connect)
    monkeypatch.setattr("explore.opinions.connect", connect)
    connection.inc_thread_sharing()
    yield
    connection.dec_thread_sharing()
