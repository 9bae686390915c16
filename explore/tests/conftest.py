"""What the tests of several pages share."""

import pytest
from django.db import connection, connections

# The corrections of the feedback app's own tests.
from feedback.tests.conftest import make_correction  # noqa: F401


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
