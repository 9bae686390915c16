"""The site behind the lab: Django's models, for reading, and for the few functions that the lab may write through."""

import os
from functools import cache

import django
from django.db import DatabaseError, close_old_connections


@cache
def _set_up() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "genre_site.settings")
    django.setup()


def connect() -> None:
    """Make the site's models usable in this run of a page; a connection that has gone stale is opened anew."""
    _set_up()
    close_old_connections()


def trouble() -> str:
    """Return what to do before the database can be read; '' when it can."""
    connect()
    from classifier.models import ModelVersion

    try:
        ModelVersion.objects.exists()
    except DatabaseError:
        return "The site's database is not set up yet. Run `make setup`, then reload this page."
    return ""
