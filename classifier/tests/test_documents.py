"""Uploaded files: what is read of each kind, by content alone, and what is refused, in words and in little time."""

import time

import pytest

from classifier.core import zipped as zipped_module
from classifier.core.documents import Document, read_document
from classifier.core.epub import text_of_html
from classifier.core.errors import NotText
from classifier.tests.books import CONTAINER, docx, epub, paragraph, zipped

BOMB = "<!DOCTYPE d [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;'>]>"
ENCRYPTION = """<encryption xmlns:e="http://www.w3.org/2001/04/xmlenc#"><e:EncryptedData>
<e:EncryptionMethod Algorithm="{method}"/></e:EncryptedData></encryption>"""


def test_an_epub_is_read_in_its_order_without_markup():
    book = epub("The <em>dragon</em> &amp; the<br/>king &eacute;t&#233;", "Second")
    assert read_document(book).text == "Chapter\n\nThe dragon & the king été\n\nChapter\n\nSecond"


def test_a_word_document_is_read_without_what_was_deleted_or_repeats():
    deleted = (
        "<w:p><w:del><w:r><w:delText>gone</w:delText></w:r></w:del><w:r><w:instrText>PAGE</w:instrText></w:r></w:p>"
    )
    box = f"<mc:AlternateContent xmlns:mc='m'><mc:Choice>{paragraph('A box')}</mc:Choice><mc:Fallback>{paragraph('A box')}</mc:Fallback></mc:AlternateContent>"
    tabs = "<w:p><w:r><w:t>one</w:t><w:tab/><w:t>two</w:t><w:br/><w:t>three</w:t></w:r></w:p>"
    found = read_document(docx(paragraph("The old king") + deleted + box + tabs, part="word/document2.xml"))
    assert found == Document("The old king\n\nA box\n\none two three")


@pytest.mark.parametrize("content", [b"Plain words", "\ufeffPlain words".encode(), "Plain words".encode("utf-16")])
def test_plain_text_is_plain_text(content):
    assert read_document(content).text == "Plain words"


@pytest.mark.parametrize(
    "book", [epub(*["word " * 50] * 10), docx(paragraph("word " * 50) * 10), b"word " * 500, "wörd ".encode() * 500]
)
def test_more_than_is_read_at_once_is_cut_between_words_and_says_so(book):
    found = read_document(book, max_bytes=1000)
    assert found.is_cut
    assert 900 < len(found.text.encode()) <= 1000
    assert set(found.text.split()) <= {"word", "wörd", "Chapter"}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (zipped({"chapter.txt": "words"}), "ZIP archive without a book"),
        (zipped({"mimetype": "application/vnd.oasis.opendocument.text"}), "OpenDocument"),
        (b"PK\x03\x04 and then noise", "damaged"),
        (epub("A text")[:-30], "damaged"),
        (zipped({"META-INF/container.xml": CONTAINER}), "damaged"),
        (zipped({"META-INF/container.xml": "<container"}), "damaged"),
        (docx("<w:p>"), "damaged"),
        (docx(paragraph("A &b; text"), head=BOMB), "damaged"),
        (zipped({"META-INF/container.xml": BOMB + "<container>&b;</container>"}), "damaged"),
        (
            epub(
                "A text",
                **{"META-INF__encryption": ENCRYPTION.format(method="http://www.w3.org/2001/04/xmlenc#aes128-cbc")},
            ),
            "DRM",
        ),
        (epub("A text", **{"META-INF__sinf": "<sinf/>"}), "DRM"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "password"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 a .doc", "an old Word document"),
        (b"%PDF-1.7", "PDF"),
    ],
)
def test_what_can_t_be_read_is_refused_with_its_reason(data, said):
    with pytest.raises(NotText, match=said):
        read_document(data)


def test_scrambled_fonts_are_no_protection():
    fonts = ENCRYPTION.format(method="http://www.idpf.org/2008/embedding")
    assert "A text" in read_document(epub("A text", **{"META-INF__encryption": fonts})).text


def test_an_archive_with_a_password_is_refused():
    # The flag of each member, in its own header and in the directory (APPNOTE 4.4.4).
    book = bytearray(epub("A text"))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = -1
        while (at := book.find(mark, at + 1)) >= 0:
            book[at + offset] |= 1
    with pytest.raises(NotText, match="password"):
        read_document(bytes(book))


def test_an_archive_that_unpacks_to_too_much_is_refused_before_it_is_unpacked(monkeypatch):
    monkeypatch.setattr(zipped_module, "MOST_BYTES", 100_000)
    with pytest.raises(NotText, match="far more than any book"):
        read_document(epub("word " * 30_000))
    with pytest.raises(NotText, match="far more than any book"):
        monkeypatch.setattr(zipped_module, "MOST_MEMBERS", 3)
        read_document(epub("A text"))


def test_no_more_is_unpacked_than_is_allowed(monkeypatch):
    monkeypatch.setattr(zipped_module, "MOST_READ", 10_000)
    with pytest.raises(NotText, match="far more than any book"):
        read_document(docx(paragraph("word " * 5000)))


@pytest.mark.parametrize("piece", ["<!", "<a ", "<!--", "</", "&", "<a b='", "<script>", "<![CDATA[", "<" + "a" * 50])
def test_a_chapter_made_to_take_long_does_not(piece):
    start = time.process_time()
    text_of_html(piece.encode() * (200_000 // len(piece)))
    assert time.process_time() - start < 2
