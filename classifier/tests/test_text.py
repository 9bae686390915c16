import time
import unicodedata

import pytest
from hypothesis import example, given

from classifier.core.errors import EmptyText, NotText, TextTooLong, TextTooShort
from classifier.core.text import check_text, clean, content_words, decode, one_line, tokens
from classifier.tests.nasty import NASTY, any_text

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00"


@pytest.mark.parametrize(
    ("raw", "cleaned"),
    [
        ("cafe\u0301", "caf\u00e9"),
        ("a\x00b\x07c\x7fd\x9be", "a b c d e"),
        ("zero\u200bwidth soft\u00adhyphen \ufeffmark", "zerowidth softhyphen mark"),
        ("Tom &amp; Jerry &eacute;t&eacute; &#8220;x&#8221;", "Tom & Jerry été “x”"),
        ("Tom &amp;amp; Jerry", "Tom & Jerry"),
        ("&amp;lt;b&amp;gt;", "<b>"),
        ("one\r\ntwo\rthree\u2028four\x0bfive\x85six", "one\ntwo\nthree\nfour\nfive\nsix"),
        ("a\u00a0\u3000 \tb", "a b"),
        ("  x  \n\n\n\n  y  ", "x\n\ny"),
        ("half \ud800 pair", "half pair"),
        ("cafe&shy;&#769;", "caf\u00e9"),
        ("می‌خواهم", "می‌خواهم"),
        ("👨‍👩‍👧", "👨‍👩‍👧"),
        ("", ""),
    ],
)
def test_it_cleans(raw, cleaned):
    assert clean(raw) == cleaned


@pytest.mark.parametrize(
    "raw",
    [
        "__label__fantasy",
        "__LABEL__fantasy",
        "__la__label__bel__fantasy",
        "__la__la__label__bel__bel__fantasy",
        "_\u00ad_label__fantasy",
        "&#95;_label__fantasy",
        "&amp;#95;&amp;lowbar;label&#x5f;_fantasy",
        "_&#173;_lab\u200bel__fantasy",
    ],
)
def test_it_neutralises_fasttexts_label_mark_however_it_is_nested(raw):
    assert "__label__" not in clean(raw).lower()
    assert not any("_" in word for word in tokens(raw))


@given(any_text)
@example("&amp;amp;amp;amp;amp;lt;")
@example("&amp;#38;#38;#38;#38;lt;")
@example("&hearts\u037e &amp\u037eamp\u037e")
@example("&a&amp;amp;amp;amp;shy;mp;")
def test_cleaning_twice_changes_nothing(text):
    assert clean(clean(text)) == clean(text)


@given(any_text)
def test_a_plain_text_is_read_as_one_with_accents_is(raw):
    assert tokens(f"{raw} é") == [*tokens(raw), "é"]


@given(any_text)
def test_a_cleaned_text_is_nfc_and_holds_no_control_character_surrogate_or_label(text):
    cleaned = clean(text)
    assert unicodedata.is_normalized("NFC", cleaned)
    assert not any(unicodedata.category(character) in ("Cc", "Cs") for character in cleaned.replace("\n", ""))
    assert "__label__" not in cleaned.lower()
    assert cleaned == cleaned.strip()


@given(any_text)
def test_one_line_is_one_line_with_the_same_words(text):
    line = one_line(text)
    assert len(line.splitlines()) <= 1
    assert tokens(line) == tokens(text)


@given(any_text)
def test_splitting_words_again_gives_the_same_words(text):
    assert tokens(" ".join(tokens(text))) == tokens(text)
    assert content_words(" ".join(content_words(text))) == content_words(text)


@pytest.mark.parametrize(
    "hostile",
    [
        "&" + "amp;" * 75_000,
        "&amp;" * 60_000,
        "&" * 300_000,
        "__la" * 37_500 + "bel__" * 30_000,
        "\r\n \t" * 75_000,
        "&#9" * 100_000,
    ],
    ids=["nested", "repeated", "bare", "labels", "blanks", "numbers"],
)
def test_a_hostile_text_of_300_kb_is_cleaned_quickly(hostile):
    start = time.perf_counter()
    cleaned = clean(hostile)
    assert time.perf_counter() - start < 2
    assert clean(cleaned) == cleaned


def test_words_are_lower_case_letters_and_digits_with_inner_apostrophes():
    assert tokens("Don’t PANIC: it's 1984, snake_case & 'quoted' été") == [
        "don't",
        "panic",
        "it's",
        "1984",
        "snake",
        "case",
        "quoted",
        "été",
    ]


@pytest.mark.parametrize("text", ["", " \n\t", "!!! … ---", "</>", "___", "🐉🐉"])
def test_a_text_without_letters_or_digits_has_no_words(text):
    assert tokens(text) == []


def test_the_end_of_line_token_can_not_be_typed():
    assert tokens("</s> and <s>") == ["s", "and", "s"]


def test_content_words_leave_out_what_any_book_may_say():
    assert content_words("The wizard and the X don't see a dragon") == ["wizard", "see", "dragon"]


def test_a_sound_text_is_accepted():
    check_text("A dragon wakes beneath the mountain")


@pytest.mark.parametrize("text", ["", "   ", "\n\t\r\n", "\u3000"])
def test_it_refuses_an_empty_text(text):
    with pytest.raises(EmptyText, match="Paste"):
        check_text(text)


@pytest.mark.parametrize(("text", "count"), [("dragon", "1 word "), ("a dragon and wizard", "4 words ")])
def test_it_refuses_a_short_text_and_counts_its_words(text, count):
    with pytest.raises(TextTooShort, match=count):
        check_text(text)


def test_five_words_are_enough_and_the_limit_can_be_moved():
    check_text("one dragon and one wizard")
    with pytest.raises(TextTooShort, match="at least 6"):
        check_text("one dragon and one wizard", min_words=6)


def test_it_refuses_a_text_of_too_many_bytes_and_counts_bytes_not_characters():
    check_text("é word and three more words", max_bytes=28)
    with pytest.raises(TextTooLong, match="28 bytes; the most that can be read at once is 27"):
        check_text("é word and three more words", max_bytes=27)


def test_the_default_limit_is_a_million_bytes():
    check_text("word " * 200_000)
    with pytest.raises(TextTooLong, match="1,000,001 bytes"):
        check_text("word " * 200_000 + "x")


@pytest.mark.parametrize(
    "text", ["!!! ??? ...", "1234567890 " * 20, "{}[]();==<>" * 10 + "int main void return x", "\x00\x01\x02"]
)
def test_it_refuses_what_does_not_read_like_prose(text):
    with pytest.raises(NotText, match="prose"):
        check_text(text)


@pytest.mark.parametrize(
    "text", ["Дракон проснулся под старой горой", "התעורר דרקון מתחת להר הישן", "half \ud800 a pair among words"]
)
def test_other_scripts_and_half_a_surrogate_pair_are_no_reason_to_refuse(text):
    assert check_text(text) is None


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_it_decodes(encoding):
    text = "Müller’s “dragon”\r\nsecond line – end"
    assert decode(text.encode(encoding)) == text


def test_it_decodes_utf16_of_either_byte_order():
    assert decode(b"\xfe\xff" + "dragon".encode("utf-16-be")) == "dragon"
    assert decode(b"\xff\xfe" + "dragon".encode("utf-16-le")) == "dragon"


def test_an_empty_file_is_an_empty_text():
    assert decode(b"") == ""


@pytest.mark.parametrize(
    "data",
    [
        PNG,
        b"PK\x03\x04\x14\x00\x00\x00",
        b"\xff\xfe\x00",
        b"\x01\x02\x03\x04text",
        b"text\x00text",
        b"\xff\xd8\xff\xe0\x00\x10JFIF",
    ],
    ids=["png", "zip", "half utf-16", "control", "nul", "jpeg"],
)
def test_it_refuses_bytes_that_are_no_text(data):
    with pytest.raises(NotText, match="plain text"):
        decode(data)


@pytest.mark.parametrize("text", NASTY)
def test_a_text_saved_as_utf8_decodes_to_itself(text):
    padded = "padding " * 40 + text
    assert decode(padded.encode()) == padded


def test_a_combining_accent_stays_in_its_word():
    assert tokens("İstanbul q\u0301x") == ["i\u0307stanbul", "q\u0301x"]
