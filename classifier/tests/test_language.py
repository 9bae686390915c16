"""English prose is told from other languages and from what is no prose."""

import pytest

from classifier.core.language import ENGLISH, language_of, why_not_english
from classifier.core.model import GenreModel
from classifier.core.text import tokens

ENGLISH_TEXT = "The wizard and his sister live in a house by the sea, and every morning they walk to the old market."
FOREIGN = [
    "Die Katze sitzt auf dem Dach und schläft den ganzen Tag, während der Hund im Garten an einem alten Schuh kaut.",
    "La maison était vide depuis longtemps et personne n'osait entrer dans le jardin où poussaient les roses.",
    "El detective llegó a la casa cuando ya era de noche y no había nadie en la calle, solo un perro que ladraba.",
    "Старый дом стоял на берегу реки, и никто не помнил, кто жил в нём раньше и куда все они потом ушли.",
]
NAMES = "Anna Kowalska, Pedro Almeida, Ingrid Olsen, Tomas Novak, Leila Haddad, Sven Berg, Mario Conti, Ruth Levi"


def why(text):
    return why_not_english(tokens(text), text)


def test_english_prose_is_english():
    assert why(ENGLISH_TEXT) == ""


@pytest.mark.parametrize("text", FOREIGN)
def test_other_languages_are_not(text):
    assert why(text) == "not-english"


@pytest.mark.functional
@pytest.mark.parametrize(
    "text", [NAMES, "lorem42 x9 foo_bar qux " * 6, "12 apples 7 pears 4 plums 19 figs 3 dates " * 3]
)
def test_lists_and_tables_are_refused(text):
    assert why(text) in ("not-prose", "not-english")


def test_code_is_refused_though_its_keywords_are_english_words():
    code = "for (let i = 0; i < n; i++) { if (a[i] != b[i]) { return this.all[i] || not_found; } }\n" * 4
    assert why(code) == "not-prose"


def test_short_texts_are_believed():
    assert why("Dragon wizard castle spell kingdom throne") == ""


def test_a_model_of_english_books_refuses_and_another_does_not(model):
    english = GenreModel(model._engine, {**model.meta, "language": ENGLISH})
    text = f"{FOREIGN[0]} dragon wizard castle"
    assert english.predict(text).abstained == "not-english"
    assert english.predict(text).scores == ()
    assert english.predict(ENGLISH_TEXT).abstained == ""
    assert model.predict(text).abstained == ""


def test_a_collection_is_english_only_when_nearly_all_of_it_is():
    assert language_of([ENGLISH_TEXT] * 19 + [FOREIGN[0]]) == ENGLISH
    assert language_of([ENGLISH_TEXT] * 10 + [FOREIGN[0]] * 10) == ""
    assert language_of([]) == ""
