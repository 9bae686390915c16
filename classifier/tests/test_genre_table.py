import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError

from classifier.core.genres import canonical_genres
from classifier.genre_table import current_genres, genres_at_hand, sync_genres
from classifier.models import Genre

pytestmark = pytest.mark.django_db


def test_a_new_database_has_the_shipped_genres():
    assert set(Genre.objects.values_list("slug", flat=True)) == set(canonical_genres().slugs)


def test_the_table_reads_back_as_the_shipped_list():
    for shipped in canonical_genres():
        assert current_genres()[shipped.slug] == shipped


def test_a_second_sync_adds_nothing():
    assert sync_genres() == 0


def test_a_sync_brings_back_what_is_missing_and_nothing_else():
    Genre.objects.filter(slug__in=["fantasy", "cooking"]).delete()
    assert sync_genres() == 2
    assert Genre.objects.count() == len(canonical_genres())


def test_a_sync_overwrites_nothing():
    edited = {"name": "Wonder Tales", "description": "Ours.", "headings": "", "aliases": "Fantasy", "retired": True}
    Genre.objects.filter(slug="fantasy").update(**edited)
    sync_genres()
    assert Genre.objects.filter(slug="fantasy").values(*edited).get() == edited


def test_the_genres_at_hand_are_the_tables_and_else_the_shipped_ones(monkeypatch):
    Genre.objects.create(slug="bakery-noir", name="Bakery Noir")
    assert "bakery-noir" in genres_at_hand()
    Genre.objects.update(retired=True)
    assert genres_at_hand() is canonical_genres()

    def fail(*args, **kwargs):
        raise DatabaseError("no such table")

    monkeypatch.setattr("django.db.models.query.QuerySet.exists", fail)
    assert genres_at_hand() is canonical_genres()


def test_another_alias_is_another_list():
    before = current_genres().digest
    assert before == current_genres().digest
    Genre.objects.filter(slug="fantasy").update(aliases="Wonder Tales")
    assert current_genres().digest != before


def test_a_sync_deletes_nothing():
    Genre.objects.create(slug="bakery-noir", name="Bakery Noir")
    sync_genres()
    assert Genre.objects.filter(slug="bakery-noir").exists()


def test_a_sync_does_not_take_a_name_that_somebody_gave_another_genre():
    Genre.objects.filter(slug="fantasy").delete()
    Genre.objects.create(slug="our-fantasy", name="Fantasy")
    assert sync_genres() == 0
    assert current_genres().find("Fantasy").slug == "our-fantasy"


def test_a_retired_genre_is_left_out():
    Genre.objects.filter(slug="fantasy").update(retired=True)
    genres = current_genres()
    assert "fantasy" not in genres
    assert genres.find("Fantasy") is None
    assert len(genres) == len(canonical_genres()) - 1


def test_the_list_is_read_in_one_query(django_assert_num_queries):
    with django_assert_num_queries(1):
        current_genres()


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", "Crime Fiction"), ("aliases", "Sci-Fi"), ("headings", "Fiction / Fantasy"), ("slug", "cooking")],
)
def test_a_genre_that_claims_what_another_has_is_refused(field, value):
    genre = Genre(slug="solarpunk", name="Solarpunk")
    setattr(genre, field, value)
    with pytest.raises(ValidationError):
        genre.full_clean()


def test_a_new_genre_and_an_unchanged_one_are_accepted():
    Genre(slug="solarpunk", name="Solarpunk", headings="Fiction / Science Fiction / Solarpunk").full_clean()
    Genre.objects.get(slug="fantasy").full_clean()


def test_a_retired_genre_gives_its_name_to_the_one_it_was_merged_into():
    Genre.objects.filter(slug="drama").update(retired=True)
    poetry = Genre.objects.get(slug="poetry")
    poetry.aliases = "Drama"
    poetry.full_clean()
    poetry.save()
    assert current_genres().find("Drama").slug == "poetry"
