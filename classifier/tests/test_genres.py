import pytest
from hypothesis import given

from classifier.core.errors import GenreListError
from classifier.core.genres import Genre, GenreList, canonical_genres, read_genres, slugify, split_heading
from classifier.tests.nasty import any_text

HEADINGS = [(heading, genre.slug) for genre in canonical_genres() for heading in genre.headings]


@pytest.mark.parametrize(
    ("genres", "message"),
    [
        ([], "empty"),
        ([Genre("Fan tasy", "Fantasy")], "not a slug"),
        ([Genre("fan--tasy", "Fantasy")], "not a slug"),
        ([Genre("-fantasy", "Fantasy")], "not a slug"),
        ([Genre("", "Fantasy")], "not a slug"),
        ([Genre("fantasy\n", "Fantasy")], "not a slug"),
        ([Genre("a", "A"), Genre("a", "B")], "stands twice"),
        ([Genre("a", "Same"), Genre("b", "SAME")], "both claim"),
        ([Genre("a", "A", aliases=("Shared",)), Genre("b", "B", aliases=("shared",))], "both claim"),
        ([Genre("a", "Bee"), Genre("bee", "B")], "both claim"),
        ([Genre("a", "Arts & Crafts"), Genre("b", "B", aliases=("arts and crafts",))], "both claim"),
        ([Genre("a", "A", headings=("Fiction / War",)), Genre("b", "B", headings=("FICTION , War",))], "both claim"),
    ],
)
def test_it_refuses_a_list_that_contradicts_itself(genres, message):
    with pytest.raises(GenreListError, match=message):
        GenreList(genres)


def test_a_genre_may_spell_its_own_slug_and_name_again():
    genres = GenreList([Genre("self-help", "Self-Help", aliases=("self-help", "SELF-HELP"))])
    assert genres.find("self help").slug == "self-help"


def test_blank_lines_among_aliases_and_headings_claim_nothing():
    genres = GenreList(
        [Genre("a", "A", aliases=("", "!"), headings=("",)), Genre("b", "B", aliases=("",), headings=(" ", "none"))]
    )
    assert genres.find("") is None
    assert genres.find("!!!") is None


def test_a_list_keeps_its_order_and_answers_by_slug():
    genres = GenreList([Genre("b", "Bee"), Genre("a", "Ay")])
    assert genres.slugs == ("b", "a")
    assert [genre.name for genre in genres] == ["Bee", "Ay"]
    assert len(genres) == 2
    assert "a" in genres
    assert "c" not in genres
    assert genres["a"].name == "Ay"


def test_the_shipped_list_has_35_genres_each_described():
    genres = canonical_genres()
    assert len(genres) == 35
    assert "true-crime" in genres
    assert all(genre.description.endswith(".") and genre.headings for genre in genres)


@pytest.mark.parametrize("genre", canonical_genres(), ids=lambda genre: genre.slug)
def test_every_genre_is_found_by_slug_name_and_alias_in_any_capitals(genre):
    for word in (genre.slug, genre.name, *genre.aliases):
        for spelling in (
            word,
            word.upper(),
            word.lower(),
            f"  {word} ",
            word.replace("'", "’"),
            word.replace("&", "and"),
        ):
            assert canonical_genres().find(spelling) is genre


def bisac_spellings(heading):
    for separator in (" / ", " , ", " > "):
        path = heading.replace(" / ", separator)
        yield path
        yield path.upper()
        yield path.lower()
        yield f" {path}{separator}General "
        for ampersand in ("&amp,", "&amp;", "and"):
            yield path.replace("&", ampersand)


@pytest.mark.parametrize(("heading", "slug"), HEADINGS, ids=[heading for heading, _ in HEADINGS])
def test_every_heading_is_found_at_any_spelling(heading, slug):
    for spelling in bisac_spellings(heading):
        found = canonical_genres().find(spelling)
        assert found is not None, spelling
        assert found.slug == slug, spelling


@pytest.mark.parametrize(
    ("label", "slug"),
    [
        ("Fiction / Thrillers / Crime", "mystery-detective"),
        ("Fiction / Thrillers / Legal", "thriller"),
        ("Fiction / Something New", "general-fiction"),
        ("FICTION", "general-fiction"),
        ("Fiction , Fairy Tales, Folk Tales, Legends &amp, Mythology , General", "fantasy"),
        ("Body, Mind &amp, Spirit , Healing", "religion-spirituality"),
        ("Poetry , European , none, Irish, Scottish, Welsh", "poetry"),
        ("Juvenile Fiction / Fantasy & Magic", "childrens"),
        ("sci-fi", "science-fiction"),
    ],
)
def test_the_longest_heading_wins(label, slug):
    assert canonical_genres().find(label).slug == slug


@pytest.mark.parametrize(
    "label", ["", "none", "NONE", "Fictional", "Knitting", "Thrillers of yore", "Fiction/Fantasy", "&", "/"]
)
def test_a_label_that_means_nothing_is_none(label):
    assert canonical_genres().find(label) is None


@given(any_text)
def test_no_label_makes_the_search_fail(label):
    found = canonical_genres().find(label)
    assert found is None or found.slug in canonical_genres()


@pytest.mark.parametrize(
    ("path", "levels"),
    [
        ("Fiction , Fantasy , General", ("Fiction", "Fantasy", "General")),
        ("Fiction / Fantasy", ("Fiction", "Fantasy")),
        ("Fiction > Fantasy", ("Fiction", "Fantasy")),
        ("Body, Mind &amp, Spirit , Healing", ("Body, Mind & Spirit", "Healing")),
        ("Body, Mind &amp; Spirit", ("Body, Mind & Spirit",)),
        ("Poetry , none, Irish, Welsh", ("Poetry", "Irish, Welsh")),
        ("none", ()),
        ("None", ()),
        ("Nonesuch", ("Nonesuch",)),
        ("  ", ()),
        ("Fiction ,  , General", ("Fiction", "General")),
    ],
)
def test_it_splits_heading_paths(path, levels):
    assert split_heading(path) == levels


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Children's", "childrens"),
        ("Home & Garden", "home-garden"),
        ("  Sci--Fi! ", "sci-fi"),
        ("日本", ""),
        ("Été", "t"),
    ],
)
def test_it_makes_slugs(name, slug):
    assert slugify(name) == slug


def test_it_reads_a_list_from_toml(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('[[genre]]\nslug = "a"\nname = "Ay"\nheadings = ["One / Two"]\n', encoding="utf-8")
    assert read_genres(path).find("One / Two / Three").name == "Ay"


@pytest.mark.parametrize(
    "content",
    [
        b"not toml [",
        b"\xff\xfe",
        b"",
        b"genre = 3",
        b'[genre]\nslug="a"',
        b'[[genre]]\nname = "No slug"',
        b'[[genre]]\nslug = "a"',
        b'[[genre]]\nslug = 3\nname = "A"',
        b'[[genre]]\nslug = "a"\nname = "A"\naliases = 3',
        b"genre = []",
    ],
)
def test_it_refuses_a_file_that_is_no_list_of_genres(tmp_path, content):
    path = tmp_path / "bad.toml"
    path.write_bytes(content)
    with pytest.raises(GenreListError):
        read_genres(path)


def test_it_refuses_a_missing_list(tmp_path):
    with pytest.raises(GenreListError, match="absent.toml"):
        read_genres(tmp_path / "absent.toml")


def test_a_heading_that_is_no_list_is_refused_instead_of_read_letter_by_letter(tmp_path):
    path = tmp_path / "genres.toml"
    path.write_text('[[genre]]\nslug = "one"\nname = "One"\nheadings = "Fiction"\n')
    with pytest.raises(GenreListError, match="headings of one must be a list"):
        read_genres(path)
