"""The site behind the lab: Django's models, for reading, and for the few functions that the lab may write through."""

import os
from collections.abc import Iterable
from functools import cache

import django
import streamlit as st
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, close_old_connections
from django.utils import translation

from classifier.core.genres import GenreList, canonical_genres

# How long a change in the admin may take to reach the lab, whose pages ask for the genres again and again.
KEPT_SECONDS = 10


@cache
def _set_up() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "genre_site.settings")
    django.setup()


def connect() -> None:
    """Make the site's models usable in this run of a page; a connection that has gone stale is opened anew."""
    _set_up()
    # The lab is English, whatever the site speaks; each run of a page has a thread of its own.
    translation.activate("en")
    close_old_connections()


def unset() -> str:
    """Return what to do before the site's settings can be read; '' when they can."""
    try:
        connect()
    except ImproperlyConfigured as error:
        return f"{error} Then reload this page."
    return ""


def trouble() -> str:
    """Return what to do before the database can be read; '' when it can."""
    if problem := unset():
        return problem
    from classifier.models import ModelVersion

    try:
        ModelVersion.objects.exists()
    except DatabaseError:
        return "The site's database is not set up yet. Run `make setup`, then reload this page."
    return ""


@st.cache_resource(ttl=KEPT_SECONDS, show_spinner=False)
def genres() -> GenreList:
    """Return the genres that training would take: the site's, or those shipped where there is no database."""
    if trouble():
        return canonical_genres()
    from classifier.genre_table import genres_at_hand

    return genres_at_hand()


@st.cache_resource(ttl=KEPT_SECONDS, show_spinner=False)
def names() -> dict[str, str]:
    """Return what genres are called, by slug; a model may know some that the site has retired."""
    return {genre.slug: genre.name for genre in (*canonical_genres(), *genres())}


def name_of(slug: str) -> str:
    """Return the genre's name; the slug of a genre that this lab does not know."""
    return names().get(slug, slug)


def names_of(slugs: Iterable[str]) -> str:
    """Return the genres' names, as one reads them in a table."""
    return ", ".join(map(name_of, slugs))
